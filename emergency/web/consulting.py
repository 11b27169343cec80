"""Consultations: called by the desk, answered by those asked on whatever phone they have, concluded by a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from emergency.domain import consultation as rule
from emergency.domain.consultation import Consultation, Guest
from emergency.domain.episode import Decision, Standing, due
from emergency.domain.level import Level
from emergency.domain.people import ACTS, Act, NotAllowed, Person, Role, may, within
from emergency.domain.plan import UnknownCell
from emergency.errors import Missing, Refused
from emergency.services import consulting
from emergency.services.consulting import LOOKS_BACK, Upload
from emergency.store import Tx, attachments, desk
from emergency.store import consulting as rows
from emergency.web import showing
from emergency.web.access import ask_here, may_here, open_to, takes_files, the_person, the_system
from emergency.web.bulletins import DISPLAYED
from emergency.web.console import desk_area, verdict_of
from emergency.web.fields import LEVELS, BadForm, for_field, moment_in
from emergency.web.words import _

bp = Blueprint("consulting", __name__)

GUESTS: Final = 4  # lines of the form for experts from outside
ASKED_ROLES: Final = frozenset(one for one, acts in ACTS.items() if Act.SPEAK in acts) - {Role.ADMIN}


@bp.get("/console/consultations")
@open_to(Act.SPEAK)
def consultations() -> ResponseReturnValue:
    """Those that wait for this person's word, and all of the desk."""
    person = the_person()
    sees = Act.SEE_DESK in ACTS[person.role]
    area = desk_area() if sees else person.area
    with the_system().store.reading() as tx:
        page = {
            "mine": rows.asking(tx, person.id),
            "found": rows.of_area(tx, area) if sees else [],
            "areas": {one.id: one for one in tx.areas()},
            "names": desk.names(tx),
        }
    return render_template("console/consultations.html", **page, area=area, sees=sees)


# --- calling one


@bp.get("/console/consultations/new")
@open_to(Act.CONSULT)
def new_consultation() -> ResponseReturnValue:
    """The form: what about, whom, by when."""
    return _call_page(_id_or_none(request.args.get("decision", "")), area=request.args.get("area", ""))


def _call_page(
    decision_id: UUID | None, *, area: str = "", refused: str = "", typed: Mapping[str, str] | None = None
) -> str:
    system = the_system()
    with system.store.reading() as tx:
        decision = tx.decision(decision_id) if decision_id else None
        area = decision.area if decision else area or the_person().area
        ask_here(Act.CONSULT, area)
        here, plan = tx.area(area), system.rules.plan_of(tx, area)
        people = _may_be_asked(tx, area)
        verdict, no_air = (decision.assessment, "") if decision else verdict_of(tx, area)
    try:
        minutes = plan.consultation_within_min
        until = for_field(due(showing.now(), minutes))
    except UnknownCell:
        minutes, until = 0, ""
    return render_template(
        "console/consult.html",
        area=here,
        decision=decision,
        people=people,
        verdict=verdict,
        no_air=no_air,
        minutes=minutes,
        mark=plan.marks.get("consultation_within_min"),
        refused=refused,
        typed=typed or {"due_at": until},
        asked=set(request.form.getlist("person")),
        guests=_guests_typed(),
    )


def _may_be_asked(tx: Tx, area: str) -> list[Person]:
    """Those of ours at, above and below the area who may speak, in this order, but the one who asks."""
    found = [
        one
        for one in tx.people()
        if one.active
        and one.role in ASKED_ROLES
        and one.id != the_person().id
        and (within(one.area, area) or within(area, one.area))
    ]
    return sorted(found, key=lambda one: (one.area != area, one.area))


def _guests_typed() -> list[tuple[str, str]]:
    """The lines for experts from outside, as typed, filled up to their number."""
    typed = list(zip(request.form.getlist("guest_unit"), request.form.getlist("guest_name"), strict=False))
    return (typed + [("", "")] * GUESTS)[:GUESTS]


@bp.post("/console/consultations/new")
@open_to(Act.CONSULT)
def call() -> ResponseReturnValue:
    """Ask them."""
    system, person, at = the_system(), the_person(), showing.now()
    said = request.form
    area, decision_id = said.get("area", ""), _id_or_none(said.get("decision", ""))
    ask_here(Act.CONSULT, area)
    try:
        people = [_id(one) for one in said.getlist("person")]
        guests = [Guest(name[:60], unit[:60]) for unit, name in _guests_typed() if name.strip()]
        due_at = moment_in(said, "due_at")
        told = system.store.run(
            lambda tx: consulting.call(
                tx,
                system.rules,
                area=area,
                subject=said.get("subject", ""),
                people=people,
                guests=guests,
                by=person,
                now=at,
                due_at=due_at,
                decision_id=decision_id,
            )
        )
    except Refused as refused:
        return _call_page(decision_id, area=area, refused=showing.refusal(refused), typed=said), showing.status_of(
            refused
        )
    system.wake_drains()
    flash(_("已召集会商，有手机的人员已收到短信。"), "ok")
    return redirect(url_for("consulting.consultation", consultation_id=told.id), 303)


# --- one of them


@bp.get("/console/consultations/<uuid:consultation_id>")
@open_to(Act.SPEAK)
def consultation(consultation_id: UUID) -> ResponseReturnValue:
    """Who was asked, what each said, what came of it; and the one thing this person can do here."""
    return _page(consultation_id)


def _seen(tx: Tx, consultation_id: UUID) -> Consultation:
    """
    The consultation, if this person may read it.

    :raises NotAllowed: they are neither of its area or above nor among those asked
    """
    told = rows.consultation(tx, consultation_id)
    if not rule.may_see(told, by=the_person()):
        raise NotAllowed(f"{the_person().login} may not see consultation {consultation_id}")
    return told


def _page(consultation_id: UUID, *, refused: str = "", typed: Mapping[str, str] | None = None) -> str:
    system, person = the_system(), the_person()
    with system.store.reading() as tx:
        told = _seen(tx, consultation_id)
        plan = system.rules.plan_of(tx, told.area)
        page = {
            "one": told,
            "area": tx.area(told.area),
            "decision": tx.decision(told.decision_id) if told.decision_id else None,
            "names": desk.names(tx),
            "files": rows.files(tx, [paper.sha256 for paper in told.papers]),
            "exercise": tx.exercise_of(told.episode_id),
        }
    desks = may(person, Act.CONSULT, told.area)
    own = next((one for one in told.answers if one.person_id == person.id), None)
    return render_template(
        "console/consultation.html",
        **page,
        own=own,
        others=[one for one in told.answers if one.person_id != person.id] if desks else [],
        open=told.course is rule.Course.ASKING,
        desks=desks,
        sees=may(person, Act.SEE_DESK, told.area),
        levels=[one for one in LEVELS if one in plan.levels or one in plan.unknown_levels],
        refused=refused,
        typed=typed or {},
        most=attachments.MOST_BYTES // 1024 // 1024,
    )


@bp.post("/console/consultations/<uuid:consultation_id>/voice")
@open_to(Act.SPEAK)
def say(consultation_id: UUID) -> ResponseReturnValue:
    """Put down what somebody who was asked says: one's own word, or another's by the desk."""
    system, person, said = the_system(), the_person(), request.form
    key = said.get("key", "")
    try:
        with system.store.reading() as tx:
            _seen(tx, consultation_id)
        level = _level_or_none(said.get("level", ""))
        words = said.get("said", "")
        system.store.run(
            lambda tx: consulting.say(tx, consultation_id, key, level=level, said=words, by=person, now=showing.now())
        )
    except Refused as refused:
        return _refused(consultation_id, refused, typed=said)
    flash(_("意见已记录。") if key == str(person.id) else _("意见已代为录入。"), "ok")
    return _back(consultation_id)


@bp.post("/console/consultations/<uuid:consultation_id>/file")
@open_to(Act.SPEAK)
@takes_files
def attach(consultation_id: UUID) -> ResponseReturnValue:
    """Lay a file before the consultation, kept by its hash."""
    system, person = the_system(), the_person()
    try:
        with system.store.reading() as tx:
            told = _seen(tx, consultation_id)
        rule.attach(told, "", by=person, now=showing.now())  # refuse before anything is kept
        upload = request.files.get("file")
        kept = attachments.keep(system.settings.data_dir, upload.stream.read() if upload else b"")
        name = (upload.filename or "")[:200] if upload else ""
        paper = Upload(kept.sha256, name, kept.content_type, kept.size)
        system.store.run(lambda tx: consulting.attach(tx, consultation_id, paper, by=person, now=showing.now()))
    except Refused as refused:
        return _refused(consultation_id, refused)
    flash(_("材料已上传。"), "ok")
    return _back(consultation_id)


@bp.get("/console/consultations/<uuid:consultation_id>/files/<sha256>")
@open_to(Act.SPEAK)
def file(consultation_id: UUID, sha256: str) -> ResponseReturnValue:
    """A file that was laid before it, for those who may read it."""
    with the_system().store.reading() as tx:
        told = _seen(tx, consultation_id)
        known = rows.files(tx, [sha256])
    if sha256 not in known or all(paper.sha256 != sha256 for paper in told.papers):
        raise Missing("no such file")
    name, content_type, _size = known[sha256]
    path = attachments.kept_at(the_system().settings.data_dir, sha256)
    response: Response = send_file(path, mimetype=content_type, download_name=name or sha256, conditional=True)
    response.headers["Content-Security-Policy"] = DISPLAYED
    response.headers["Cache-Control"] = "private, no-store"
    return response


@bp.post("/console/consultations/<uuid:consultation_id>/conclusion")
@open_to(Act.CONSULT)
def conclude(consultation_id: UUID) -> ResponseReturnValue:
    """Say what came of it; nothing is added after that."""
    system, person, said = the_system(), the_person(), request.form
    try:
        with system.store.reading() as tx:
            ask_here(Act.CONSULT, _seen(tx, consultation_id).area)
        level = _level_or_none(said.get("outcome", ""))
        if level is None:
            raise BadForm("no level was chosen", zh=_("请选择会商结论的级别，或选择不预警"))
        words = said.get("conclusion", "")
        system.store.run(
            lambda tx: consulting.conclude(
                tx, consultation_id, conclusion=words, level=level, by=person, now=showing.now()
            )
        )
    except Refused as refused:
        return _refused(consultation_id, refused, typed=said)
    flash(_("会商结论已记录，此后不再添加内容。"), "ok")
    return _back(consultation_id)


def _refused(consultation_id: UUID, refused: Refused, *, typed: Mapping[str, str] | None = None) -> ResponseReturnValue:
    if isinstance(refused, NotAllowed):
        raise refused  # the page itself may not be theirs to see
    return _page(consultation_id, refused=showing.refusal(refused), typed=typed), showing.status_of(refused)


def _back(consultation_id: UUID) -> ResponseReturnValue:
    return redirect(url_for("consulting.consultation", consultation_id=consultation_id), 303)


# --- beside a decision


def beside(tx: Tx, told: Decision) -> dict[str, Any]:
    """What the page of a decision shows of consultations: those about it, those it rests on, those it may name."""
    kept = {UUID(str(one["id"])): str(one["seal"]) for one in told.consulted}
    found = rows.of_decision(tx, told.id, list(kept))
    waits = told.standing is Standing.SUGGESTED
    return {
        "consultations": found,
        "named": kept,
        "changed": {one.id for one in found if one.id in kept and rule.seal(one) != kept[one.id]},
        "nameable": to_name(tx, told.area, told.episode_id) if waits else [],
        "files": rows.files(tx, [paper.sha256 for one in found for paper in one.papers]),
        "picked": set(request.form.getlist("consultation"))
        or {str(one.id) for one in found if one.decision_id == told.id and request.method == "GET"},
        "may_call": told.standing in (Standing.SUGGESTED, Standing.PROPOSED) and may_here(Act.CONSULT, told.area),
    }


def to_name(tx: Tx, area: str, episode_id: UUID | None) -> list[Consultation]:
    """The concluded consultations a proposal of the area may rest on now."""
    return rows.to_name(tx, area, episode_id, since=showing.now() - LOOKS_BACK)


def picked_in(said: Any) -> tuple[UUID, ...]:
    """
    The consultations ticked in a form.

    :raises BadForm: one of them is no id
    """
    return tuple(_id(one) for one in said.getlist("consultation"))


def along(tx: Tx, episode_id: UUID) -> dict[str, Any]:
    """What the review shows of the episode's consultations."""
    found: Sequence[Consultation] = rows.of_episode(tx, episode_id)
    return {
        "consultations": found,
        "everybody": desk.names(tx),
        "files": rows.files(tx, [paper.sha256 for one in found for paper in one.papers]),
    }


def _id(said: str) -> UUID:
    found = _id_or_none(said)
    if found is None:
        raise BadForm(f"{said!r} is no id")
    return found


def _id_or_none(said: str) -> UUID | None:
    try:
        return UUID(said)
    except ValueError:
        return None


def _level_or_none(said: str) -> Level | None:
    """The level chosen, «no warning» among them; None where none was named."""
    if not said:
        return None
    try:
        return Level.named(said)
    except ValueError:
        raise BadForm("no such level", zh=_("请选择预警级别")) from None
