"""Exercises: called by one, confirmed by another, led forecast by forecast; the wall, its openings and its inbox."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from emergency.domain.drill import Evening
from emergency.domain.exercise import EXERCISE, WALL, Exercise, Stage, Step
from emergency.domain.orders import RecipientKind
from emergency.domain.people import Act, NotAllowed, ask, within
from emergency.domain.plan import Authority
from emergency.errors import Refused
from emergency.plans.drills import Drill, load_drills
from emergency.services import drills, exercising
from emergency.store import Tx
from emergency.store import exercising as asking
from emergency.web import showing
from emergency.web.access import may_here, open_to, the_person, the_system
from emergency.web.console import PAGE, desk_area, page_asked, pages_of
from emergency.web.fields import BadForm
from emergency.web.words import _

bp = Blueprint("exercising", __name__)

LISTS: Final = {"unit": RecipientKind.UNIT, "town": RecipientKind.TOWN, "enterprise": RecipientKind.ENTERPRISE}
NUMBERS: Final = re.compile(r"[\s,，、]+")


@cache
def _drills(folder: Path) -> dict[str, Drill]:
    return load_drills(folder)


def _known() -> dict[str, Drill]:
    return _drills(the_system().settings.playbooks / "drills")


def _evenings(one: Exercise) -> tuple[Evening, ...]:
    """The forecasts of the exercise's drill; none of a free one, and none of a drill that is no longer there."""
    drill = _known().get(one.drill)
    return drills.evenings(drill, the_system().settings.playbooks / "air") if drill else ()


def _seen(tx: Tx, exercise_id: str, act: Act = Act.SEE_DESK) -> Exercise:
    """
    The exercise, for those whose area it covers or who sit above it.

    :raises Missing: no such exercise
    :raises NotAllowed: it is neither theirs nor around them
    """
    one, person = asking.exercise(tx, exercise_id), the_person()
    if not within(person.area, one.area):
        ask(person, act, one.area)
    return one


@bp.get("/console/exercises")
@open_to(Act.SEE_DESK)
def exercises() -> ResponseReturnValue:
    """Every exercise of the area and around it, and the form that calls one."""
    return _list_page()


def _list_page(*, refused: str = "") -> str:
    area = desk_area()
    with the_system().store.reading() as tx:
        found = asking.exercises(tx, area)
        areas = {one.id: one for one in tx.areas()}
    desks = [one for one in areas.values() if one.plan_id and within(one.id, the_person().area)]
    return render_template(
        "console/exercises.html", exercises=found, areas=areas, desks=desks, drills=_known(), refused=refused,
        may_call=bool(desks) and may_here(Act.PROPOSE, the_person().area), typed=request.form,
    )


@bp.post("/console/exercises")
@open_to(Act.PROPOSE)
def call() -> ResponseReturnValue:
    """Call an exercise."""
    said, person, at = request.form, the_person(), showing.now()
    area, name, drill = said.get("area", ""), said.get("name", ""), said.get("drill", "")
    ask(person, Act.PROPOSE, area)
    try:
        one = the_system().store.run(
            lambda tx: exercising.call(tx, area=area, name=name, drill=drill, drills=_known(), by=person, now=at)
        )
    except Refused as refused:
        return _list_page(refused=showing.refusal(refused)), showing.status_of(refused)
    flash(_("演练已发起，须由另一人确认后才能开始。"), "ok")
    return redirect(url_for("exercising.exercise", exercise_id=one.id), 303)


@bp.get("/console/exercises/<exercise_id>")
@open_to(Act.SEE_DESK)
def exercise(exercise_id: str) -> ResponseReturnValue:
    """One exercise: its steps, its desks, its wall and what everybody would have got."""
    return _page(exercise_id)


def _page(exercise_id: str, *, refused: str = "") -> str:
    system, person, page = the_system(), the_person(), page_asked()
    address = request.args.get("address", "")[:40]
    with system.store.reading() as tx:
        one = _seen(tx, exercise_id)
        ours = within(one.area, person.area)
        areas = {found.id: found for found in tx.areas()}
        desks = [_desk(tx, one, area.id) for area in areas.values() if area.plan_id and within(area.id, one.area)]
        reach = one.area if ours else person.area
        total = asking.inbox_size(tx, one.id, area=reach, address=address)
        inbox = asking.inbox(tx, one.id, area=reach, address=address, limit=PAGE, offset=(page - 1) * PAGE)
        values = {
            "exercise": one,
            "areas": areas,
            "desks": desks,
            "openings": asking.openings(tx, one.id) if ours else (),
            "counts": asking.counts(tx, one.id),
            "names": {str(found.id): found.name for found in tx.people()},
        }
    evenings = _evenings(one)
    return render_template(
        "console/exercise.html",
        **values,
        drill=_known().get(one.drill),
        forecasts=len(evenings),
        inbox=[(found, _link(found)) for found in inbox],
        address=address,
        page=page,
        pages=pages_of(total),
        total=total,
        lists=tuple(LISTS),
        wall=WALL,
        ours=ours,
        own_call=person.id == one.called_by,
        may={step.value: EXERCISE.allows(one.stage, step) for step in Step},
        running=one.stage is Stage.RUNNING,
        over=one.stage is Stage.ENDED,
        refused=refused,
    )


def _desk(tx: Tx, one: Exercise, area: str) -> dict[str, Any]:
    """One desk of the exercise: its episode, what waits there, and whether it has a bulletin to enter."""
    rules = the_system().rules
    episode = tx.latest_episode(area, one.id)
    relays = rules.plan_of(tx, area).authority is Authority.ACTIVATES
    signed = exercising.last_above(tx, one, area) if relays else None
    entered = signed is not None and tx.bulletin_known(area, signed.notice.number, exercising.action_of(signed))
    return {
        "area": area,
        "episode": episode,
        "waiting": tx.waiting_decision(episode.id) if episode else None,
        "relays": relays and signed is not None and not entered and may_here(Act.ENTER_BULLETIN, area),
    }


def _link(found: asking.Inbox) -> str:
    """Where the phone link of an exercise's message leads; only messages of an exercise are ever shown with theirs."""
    link = found.message.link_id
    return f"/o/{the_system().rules.links.token(link)}" if link else ""


# --- its steps


@bp.post("/console/exercises/<exercise_id>/confirm")
@open_to(Act.DECIDE)
def confirm(exercise_id: str) -> ResponseReturnValue:
    """The second person's word."""
    person, at = the_person(), showing.now()
    told = _("演练已确认，可以开始。")
    return _done(exercise_id, lambda tx: exercising.confirm(tx, exercise_id, by=person, now=at), told)


@bp.post("/console/exercises/<exercise_id>/begin")
@open_to(Act.PROPOSE)
def begin(exercise_id: str) -> ResponseReturnValue:
    """Begin it."""
    person, at = the_person(), showing.now()
    told = _("演练开始。请给出第一份预报。")
    return _done(exercise_id, lambda tx: exercising.begin(tx, exercise_id, by=person, now=at), told)


@bp.post("/console/exercises/<exercise_id>/forecast")
@open_to(Act.PROPOSE)
def let_in(exercise_id: str) -> ResponseReturnValue:
    """Let the next forecast in: the drill's, or the one that was typed."""
    person, at, rules = the_person(), showing.now(), the_system().rules
    typed = request.form.get("aqi", "").strip()

    def use_case(tx: Tx) -> object:
        if typed:
            return exercising.let_in_typed(tx, rules, exercise_id, _figures(typed), by=person, now=at)
        evenings = _evenings(asking.exercise(tx, exercise_id))
        return exercising.let_in(tx, rules, exercise_id, evenings, by=person, now=at)

    return _done(exercise_id, use_case, _("预报已给出，各值班台的规则已按它研判。"))


def _figures(typed: str) -> list[int]:
    parts = [one for one in NUMBERS.split(typed) if one]
    if not all(one.isascii() and one.isdigit() and len(one) < 4 for one in parts):
        raise BadForm("the figures are not whole numbers", zh="请填写整数，用逗号隔开")
    return [int(one) for one in parts]


@bp.post("/console/exercises/<exercise_id>/relay")
@open_to(Act.ENTER_BULLETIN)
def relay(exercise_id: str) -> ResponseReturnValue:
    """Enter at a desk below what the desk above signed."""
    person, at, rules = the_person(), showing.now(), the_system().rules
    area = request.form.get("area", "")
    ask(person, Act.ENTER_BULLETIN, area)
    told = _("上级演练通知已录入，并已据此提出建议。")
    return _done(exercise_id, lambda tx: exercising.relay(tx, rules, exercise_id, area, by=person, now=at), told)


@bp.post("/console/exercises/<exercise_id>/end")
@open_to(Act.PROPOSE)
def end(exercise_id: str) -> ResponseReturnValue:
    """End it, and every opening with it."""
    person, at = the_person(), showing.now()
    told = _("演练已结束，打开的号码全部关闭。请在后评估里总结。")
    return _done(exercise_id, lambda tx: exercising.end(tx, exercise_id, by=person, now=at), told)


# --- the wall


@bp.post("/console/exercises/<exercise_id>/openings")
@open_to(Act.PROPOSE)
def open_wall(exercise_id: str) -> ResponseReturnValue:
    """Ask that an address, or a list spelt out into addresses, be reached for real."""
    person, at, said = the_person(), showing.now(), request.form

    def use_case(tx: Tx) -> object:
        one = asking.exercise(tx, exercise_id)
        area = said.get("area") or one.area
        if not within(area, one.area):
            raise NotAllowed(f"{area} is not in the exercise")
        some = [(said.get("address", "").strip()[:40], said.get("name", "").strip() or said.get("address", ""))]
        if kind := LISTS.get(said.get("list", "")):
            some = exercising.addresses_of(tx, area, [kind])
        return exercising.open_addresses(tx, exercise_id, some, by=person, now=at)

    return _done(exercise_id, use_case, _("已申请打开，须由另一人确认后才会真的发到这些号码。"))


@bp.post("/console/exercises/<exercise_id>/openings/confirm")
@open_to(Act.DECIDE)
def confirm_openings(exercise_id: str) -> ResponseReturnValue:
    """The second person's word on these openings."""
    person, at = the_person(), showing.now()
    ids = {UUID(one) for one in request.form.getlist("opening") if _is_id(one)}
    told = _("已确认。从现在起，本次演练的通知会真的发到这些号码。")
    return _done(exercise_id, lambda tx: exercising.confirm_openings(tx, exercise_id, ids, by=person, now=at), told)


@bp.post("/console/exercises/<exercise_id>/openings/<uuid:opening_id>/shut")
@open_to(Act.PROPOSE)
def shut(exercise_id: str, opening_id: UUID) -> ResponseReturnValue:
    """Take an opening back."""
    person, at = the_person(), showing.now()
    told = _("已关闭，不再发到这个号码。")
    return _done(exercise_id, lambda tx: exercising.shut(tx, opening_id, by=person, now=at), told)


def _is_id(said: str) -> bool:
    try:
        UUID(said)
    except ValueError:
        return False
    return True


def _done(exercise_id: str, use_case: Callable[[Tx], object], told: str) -> ResponseReturnValue:
    system = the_system()
    with system.store.reading() as tx:
        _seen(tx, exercise_id)
    try:
        system.store.run(use_case)
    except Refused as refused:
        if showing.status_of(refused) == 403:
            raise
        return _page(exercise_id, refused=showing.refusal(refused)), 422
    system.wake_drains()
    flash(told, "ok")
    return redirect(url_for("exercising.exercise", exercise_id=exercise_id), 303)
