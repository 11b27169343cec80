"""Adjusting measures inside a level: whom, which measures and why, counted before anything is put forward."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from emergency.domain import amending as rule
from emergency.domain.amending import Amendment, Change, NobodyNamed, Scope
from emergency.domain.episode import Decision, Episode, Move, Standing
from emergency.domain.orders import Category, Recipient, RecipientKind
from emergency.domain.people import Act
from emergency.errors import Missing, Refused
from emergency.plans.measures import CHECKS
from emergency.services import amending, dispatch
from emergency.services.amending import Asked, Reach
from emergency.services.rules import Rules
from emergency.store import Tx
from emergency.web import consulting, showing
from emergency.web.access import ask_here, open_to, the_person, the_system
from emergency.web.console import desk_area, exercise_in
from emergency.web.fields import BadForm, for_field, moment_in
from emergency.web.words import _

bp = Blueprint("amending", __name__)

OWN_ROWS: Final = 3  # empty rows for measures in the officer's own words
MOST_FOUND: Final = 30  # recipients one search shows
STEPS: Final = ("show", "list", "propose")


@bp.get("/console/amend")
@open_to(Act.PROPOSE)
def amend_page() -> ResponseReturnValue:
    """The form: for whom, which measures, why; opened from the desk or from the announcement that asks for it."""
    return _page(desk_area(), request.args)


@bp.post("/console/amend")
@open_to(Act.PROPOSE)
def amend() -> ResponseReturnValue:
    """Show what those named have now, list what is to change for them, or put all of it forward."""
    said, person, at, system = request.form, the_person(), showing.now(), the_system()
    area, step = said.get("area", ""), said.get("step", "")
    ask_here(Act.PROPOSE, area)
    listed: tuple[Amendment, ...] = ()
    try:
        listed = _listed(said)
        if step not in STEPS:
            raise BadForm("no such step")
        if step == "show":
            return _page(area, said, listed=listed)
        picked = _picked(said)
        if step == "list":
            with system.store.reading() as tx:
                rules = system.rules.in_exercise(exercise_in(tx, area))
                episode = amending.running(tx, rules, area)
                holds = max(at, _moment(said.get("effective_at", "")) or at)
                both = (*listed, *picked) or _nothing()
                listed, _reach = amending.sealed(tx, rules, episode, both, effective_at=holds, now=at)
            return _page(area, MultiDict((key, said[key]) for key in _KEPT if key in said), listed=listed)
        told = system.store.run(
            lambda tx: amending.propose(
                tx,
                system.rules.in_exercise(exercise_in(tx, area)),
                area=area,
                changes=(*listed, *picked) or _nothing(),
                reason=said.get("reason", "")[:500],
                by=person,
                now=at,
                effective_at=moment_in(said, "effective_at"),
                number=said.get("number", "").strip()[:80],
                consultations=consulting.picked_in(said),
                decision_id=_decision_in(said, tx, area),
            )
        )
    except Refused as refused:
        return _page(area, said, listed=listed, refused=showing.refusal(refused)), showing.status_of(refused)
    system.wake_drains()
    flash(_("已提出，等待另一人审批。"), "ok")
    return redirect(url_for("deciding.decision", decision_id=told.id), 303)


_KEPT: Final = ("area", "exercise", "decision", "reason", "effective_at", "number")  # what outlives a listed batch


def _nothing() -> tuple[Amendment, ...]:
    raise BadForm("nothing is to change", zh=_("还没有选任何调整，请先选对象和措施"))


def _page(
    area: str, said: Any, *, listed: Sequence[Amendment] = (), refused: str = ""
) -> str:
    system, at = the_system(), showing.now()
    ask_here(Act.PROPOSE, area)
    scope, names = _whom(said)
    with system.store.reading() as tx:
        rules = system.rules.in_exercise(exercise_in(tx, area))
        here = tx.area(area)
        try:
            episode: Episode | None = amending.running(tx, rules, area)
        except amending.NoResponse:
            episode = None
        left = _left(said, tx, area)
        everybody = [
            one for one in dispatch.recipients_of(tx, area) if one.category is not Category.LONG_STOPPED
        ]
        asked: Asked | None = None
        if episode is not None and scope is not None and (names or scope is Scope.ALL):
            asked = amending.standing(tx, rules, episode, scope, names)
        page = {
            "nameable": consulting.to_name(tx, area, episode.id) if episode else [],
            "reach": _reached(tx, rules, episode, listed, at),
            "waiting": tx.waiting_decision(episode.id) if episode else None,
        }
    return render_template(
        "console/amend.html",
        **page,
        area=here,
        exercise=said.get("exercise", ""),
        episode=episode,
        left=left,
        scope=scope,
        names=set(names),
        sectors=sorted({one.sector for one in everybody}),
        kinds=[one for one in RecipientKind if any(found.kind is one for found in everybody)],
        found=_found(everybody, said),
        everybody=len(everybody),
        who={str(one.id): one.name for one in everybody},
        asked=asked,
        listed=listed,
        as_json=json.dumps([rule.as_data(one) for one in listed], ensure_ascii=False),
        changes=(Change.DROP, Change.REWORD, Change.RETIME),
        checks=sorted(CHECKS),
        forces=rule.FORCES,
        own_rows=range(1, OWN_ROWS + 1),
        longest=rule.LONGEST,
        typed=said,
        effective_at=said.get("effective_at") or for_field(at),
        reason=said.get("reason") or (left.notice.reason if left else ""),
        picked=set(request.form.getlist("consultation")),
        refused=refused,
    )


def _reached(
    tx: Tx, rules: Rules, episode: Episode | None, listed: Sequence[Amendment], at: datetime
) -> Reach | None:
    """What the listed changes would do; None when there are none, or none that can be counted."""
    if episode is None or not listed:
        return None
    try:
        return amending.sealed(tx, rules, episode, listed, effective_at=at, now=at)[1]
    except Refused:
        return None  # the refusal itself stands on the page


def _found(everybody: Sequence[Recipient], said: Any) -> list[Recipient]:
    """Those a search finds, after those picked already."""
    words, picked = said.get("q", "").strip()[:40], set(said.getlist("recipient"))
    mine = [one for one in everybody if str(one.id) in picked]
    others = [one for one in everybody if words and words in one.name and str(one.id) not in picked]
    return [*mine, *others[:MOST_FOUND]]


# --- read from the form


def _whom(said: Any) -> tuple[Scope | None, tuple[str, ...]]:
    try:
        scope = Scope(said.get("scope", ""))
    except ValueError:
        return None, ()
    names = {
        Scope.ALL: (), Scope.SECTOR: said.getlist("sector"), Scope.KIND: said.getlist("kind"),
        Scope.RECIPIENTS: said.getlist("recipient"),
    }[scope]  # fmt: skip
    return scope, tuple(dict.fromkeys(names))


def _listed(said: Any) -> tuple[Amendment, ...]:
    """
    What was listed in earlier steps, less what was taken out again.

    :raises BadForm: it is not what the page gave out
    """
    try:
        found = json.loads(said.get("listed") or "[]")
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found) or len(found) > rule.MOST:
        raise BadForm("the list of changes cannot be read")
    out = set(said.getlist("out"))
    return tuple(rule.from_data(one) for place, one in enumerate(found) if str(place) not in out)


def _picked(said: Any) -> tuple[Amendment, ...]:
    """
    What is chosen for those named: measures that go or change, lines of the book, and measures in own words.

    :raises NobodyNamed: measures were chosen, and nobody to whom they apply
    """
    scope, names = _whom(said)
    stays = bool(said.get("stays"))
    some: list[tuple[Change, str, dict[str, Any]]] = []
    for key in dict.fromkeys(said.getlist("key")):
        match said.get(f"do-{key}", ""):
            case Change.DROP.value:
                some.append((Change.DROP, key, {}))
            case Change.REWORD.value:
                some.append((Change.REWORD, key, {"text": said.get(f"text-{key}", "").strip()}))
            case Change.RETIME.value:
                some.append((Change.RETIME, key, {"starts_at": _moment(said.get(f"at-{key}", ""))}))
    some += [(Change.ADD, key, {}) for key in said.getlist("add")]
    for row in range(1, OWN_ROWS + 1):
        words = said.get(f"own-text-{row}", "").strip()
        if words:
            own = {"text": words, "force": said.get(f"own-force-{row}", ""), "check": said.get(f"own-check-{row}", "")}
            some.append((Change.ADD, rule.own_key(words), {**own, "starts_at": _moment(said.get(f"own-at-{row}", ""))}))
    if some and scope is None:
        raise NobodyNamed("nobody is named")
    return tuple(
        Amendment(scope or Scope.ALL, change, key, names, stays=stays, **more) for change, key, more in some
    )


def _moment(said: str) -> datetime | None:
    if not said:
        return None
    return moment_in({"effective_at": said}, "effective_at")


def _decision_in(said: Any, tx: Tx, area: str) -> UUID | None:
    left = _left(said, tx, area)
    return left.id if left else None


def _left(said: Any, tx: Tx, area: str) -> Decision | None:
    """
    The adjustment an announcement left to be filled in here, when the request names one.

    :raises Missing: there is none, or not of this desk
    """
    if not said.get("decision"):
        return None
    try:
        told = tx.decision(UUID(said["decision"]))
    except ValueError:
        raise Missing("no such decision") from None
    if told.area != area or told.move is not Move.AMEND:
        raise Missing("no such adjustment here")
    return told if told.standing is Standing.SUGGESTED else None


# --- beside a decision


def beside(tx: Tx, told: Decision) -> dict[str, Any]:
    """What the page of a decision shows of adjustments: its own, and those that end with it."""
    waits = told.standing in (Standing.SUGGESTED, Standing.PROPOSED)
    own = rule.of(told)
    ended = rule.ended_by(tx.decisions(told.episode_id), told) if waits else ()
    wanted = {name for one in (*own, *ended) if one.scope is Scope.RECIPIENTS for name in one.names}
    return {
        "own": own,
        "ended": ended,
        "who": {name: tx.recipient(UUID(name)).name for name in sorted(wanted)},
        "to_fill_in": told.move is Move.AMEND and told.standing is Standing.SUGGESTED,
    }
