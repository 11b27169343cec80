"""The level above's announcements: entered from the paper with its scan, and shown beside what they led to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from uuid import UUID, uuid4

from flask import Blueprint, Response, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from emergency.domain.episode import Standing
from emergency.domain.forecast import Bulletin
from emergency.domain.level import Level
from emergency.domain.people import Act
from emergency.domain.plan import Authority
from emergency.errors import Refused
from emergency.services import intake
from emergency.services.intake import Entered
from emergency.store import Tx, attachments, desk
from emergency.web import lapsing, showing
from emergency.web.access import ask_here, open_to, takes_files, the_person, the_system
from emergency.web.console import desk_area
from emergency.web.fields import LEVELS, BadForm, end_in, for_field, level_in, moment_in
from emergency.web.words import _

bp = Blueprint("bulletins", __name__)

ACTIONS: Final = ("activate", "upgrade", "downgrade", "extend", "amend", "release", "withdraw")
ENDING: Final = frozenset({"release", "withdraw"})
DISPLAYED: Final = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'"  # what a PDF viewer needs


@bp.get("/console/bulletins/new")
@open_to(Act.ENTER_BULLETIN)
def new_bulletin() -> ResponseReturnValue:
    """The form for the level above's announcement."""
    area = desk_area()
    return _bulletin_page(area)


def _bulletin_page(area: str, *, refused: str = "", typed: Mapping[str, str] | None = None) -> str:
    ask_here(Act.ENTER_BULLETIN, area)
    system = the_system()
    with system.store.reading() as tx:
        plan = system.rules.plan_of(tx, area)
        areas = tx.areas()
        episode = tx.running_episode(area)
    here = next(one for one in areas if one.id == area)
    covers = [one for one in areas if one.kind in ("city", "district")]
    above = next((one for one in reversed(covers) if here.id.startswith(one.id + ".")), here)
    return render_template(
        "console/bulletin.html",
        area=here,
        above=above,
        covers=covers,
        plan=plan,
        episode=episode,
        actions=ACTIONS,
        levels=LEVELS,
        issues=plan.authority is Authority.ISSUES,
        refused=refused,
        typed=typed or {"received_at": for_field(showing.now())},
        covered=set(request.form.getlist("areas_covered")) or {above.id},
        most=attachments.MOST_BYTES // 1024 // 1024,
    )


@bp.post("/console/bulletins/new")
@open_to(Act.ENTER_BULLETIN)
@takes_files
def enter_bulletin() -> ResponseReturnValue:
    """Keep the announcement with its scan, and put forward what it asks of this area."""
    system, person, at = the_system(), the_person(), showing.now()
    area = request.form.get("area", "")
    ask_here(Act.ENTER_BULLETIN, area)
    try:
        upload = request.files.get("scan")
        kept = attachments.keep(system.settings.data_dir, upload.stream.read() if upload else b"")
        told = replace(_bulletin_in(area), scan_sha256=kept.sha256)
        name = (upload.filename or "")[:200] if upload else ""

        def kept_and_entered(tx: Tx) -> Entered:
            tx.keep_file(
                sha256=kept.sha256,
                name=name,
                content_type=kept.content_type,
                size=kept.size,
                area=area,
                by=person.login,
                at=at,
            )
            return intake.enter_bulletin(tx, system.rules, told, by=person, now=at)

        entered = system.store.run(kept_and_entered)
    except Refused as refused:
        return _bulletin_page(area, refused=showing.refusal(refused), typed=request.form), showing.status_of(refused)
    system.wake_drains()
    _tell(entered)
    decided = entered.decision
    if decided is None:
        return redirect(url_for("console.now", area=area), 303)
    if decided.standing is Standing.SUGGESTED:
        return redirect(url_for("amending.amend_page", area=area, decision=decided.id), 303)
    return redirect(url_for("deciding.decision", decision_id=decided.id), 303)


def _tell(entered: Entered) -> None:
    """Say what came of the notice: what it asks for, or that it was over before, and what lapsed by it."""
    over, decided, lapsed = entered.over_by, entered.decision, entered.lapsed
    if over is not None:
        by = f"{over.issuer}《{over.number}》（{showing.said('move', over.action)}）"
        if over.action in ENDING:
            flash(_("通知已录入留存。上级此前已发%(by)s，本通知不再有效，不提出建议。", by=by), "ok")
        else:
            flash(_("通知已录入留存。上级在它之后已发%(by)s，以后发的为准，不提出建议。", by=by), "ok")
    elif decided is None:
        flash(_("通知已录入。本区当前状态与通知一致，无需新的建议。"), "ok")
    elif decided.standing is Standing.SUGGESTED:
        flash(_("通知已录入。请填写本区具体调整哪些单位、哪些措施。"), "ok")
    else:
        flash(_("通知已录入，并已据此提出建议，等待另一人审批。"), "ok")
    if lapsed is not None:
        what = lapsing.asked(lapsed.move.value, lapsed.level)
        flash(_("原来等待审批的建议（%(what)s）因本通知失效，无须审批。", what=what), "ok")


def _bulletin_in(area: str) -> Bulletin:
    said = request.form
    action = said.get("action", "")
    if action not in ACTIONS:
        raise BadForm("no such action", zh=_("请选择通知的事项"))
    end = end_in(said, needed=action not in ENDING)
    issued, effective, received = (moment_in(said, name) for name in ("issued_at", "effective_at", "received_at"))
    return Bulletin(
        id=str(uuid4()),
        area=area,
        number=said.get("number", "").strip()[:80],
        issuer=said.get("issuer", "").strip()[:120],
        level=Level.NONE if action in ENDING else level_in(said),
        areas_covered=tuple(said.getlist("areas_covered")),
        issued_at=issued,
        effective_at=effective,
        received_at=received,
        expected_end_at=end["expected_end_at"],
        scan_sha256="",
        action=action,
        reason=said.get("reason", "").strip()[:500],
    )


@bp.get("/console/bulletins/<uuid:bulletin_id>/scan")
@open_to(Act.SEE_DESK)
def scan(bulletin_id: UUID) -> ResponseReturnValue:
    """The scan of an announcement, for those who may see the desk it came to."""
    with the_system().store.reading() as tx:
        told = tx.bulletin(bulletin_id)
        ask_here(Act.SEE_DESK, told.area)
        name, content_type, _size = desk.file(tx, told.scan_sha256)
    path = attachments.kept_at(the_system().settings.data_dir, told.scan_sha256)
    shown_as = name or told.scan_sha256
    response: Response = send_file(path, mimetype=content_type, download_name=shown_as, conditional=True)
    response.headers["Content-Security-Policy"] = DISPLAYED
    response.headers["Cache-Control"] = "private, no-store"
    return response
