"""Deciding: what the rule suggests or a person proposes, a person puts forward and another signs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from emergency.domain.deputising import first_for
from emergency.domain.episode import EPISODE, NEEDS_NO_AIR, Decision, Episode, Move, Phase, Standing
from emergency.domain.level import Level
from emergency.domain.overtaken import Anyway
from emergency.domain.people import ACTS, Act
from emergency.domain.plan import Authority, Plan
from emergency.domain.signing import NotEntitled, OwnProposal, rank_now, turn_of
from emergency.errors import Refused
from emergency.services import decisions, drafting, overtaking
from emergency.store import Tx, desk, record
from emergency.web import amending, consulting, reaching, showing
from emergency.web.access import ask_here, confirmed, limited, may_here, open_to, the_person, the_system
from emergency.web.console import desk_area, exercise_in, sources_of, verdict_of
from emergency.web.fields import LEVELS, end_in, for_field, level_in, moment_in, move_in
from emergency.web.words import N_, _

bp = Blueprint("deciding", __name__)

BY_HAND: Final = (
    Move.APPEAL, Move.ADVISE, Move.ACTIVATE, Move.UPGRADE, Move.DOWNGRADE, Move.EXTEND, Move.AMEND, Move.RELEASE,
    Move.WITHDRAW, Move.DISMISS, Move.REOPEN,
)  # fmt: skip
ENDS: Final = frozenset({Move.RELEASE, Move.WITHDRAW, Move.DISMISS})
SIGNING_TRIES: Final = "10 per minute"  # a signature asks for the password; guessing it is slow


class WrongPassword(Refused):
    """The signature was not confirmed."""

    words_zh = "密码不正确，没有签发"


@bp.get("/console/decisions/<uuid:decision_id>")
@open_to(Act.SEE_DESK)
def decision(decision_id: UUID) -> ResponseReturnValue:
    """One proposal: its grounds, its notice, who gets what, and who may do what with it."""
    return _page(decision_id)


def _page(decision_id: UUID, *, refused: str = "", typed: Mapping[str, str] | None = None) -> str:
    system = the_system()
    with system.store.reading() as tx:
        told = tx.decision(decision_id)
        ask_here(Act.SEE_DESK, told.area)
        waits = told.standing in (Standing.SUGGESTED, Standing.PROPOSED)
        plan = system.rules.plan_of(tx, told.area)
        paper = desk.bulletins(tx, [told.bulletin_id]).get(told.bulletin_id) if told.bulletin_id else None
        page = {
            "decision": told,
            "episode": tx.episode(told.episode_id),
            "plan": plan,
            "issues": plan.authority is Authority.ISSUES,
            "overtaken": overtaking.look(tx, system.rules, told, now=showing.now()),
            "mute": overtaking.mute(tx, system.rules, told, now=showing.now()),
            "held_back": record.held_back(tx, told) if waits and told.nags else 0,
            "preview": decisions.preview(tx, system.rules, decision_id, now=showing.now()) if waits else None,
            "bulletin": paper,
            "consulted": consulting.beside(tx, told),
            "amended": amending.beside(tx, told),
            "scan": desk.file_if_kept(tx, paper[0].scan_sha256) if paper else None,
            "names": desk.names(tx),
            "areas": {one.id: one for one in tx.areas()},
            "doubtful": [(path, plan.marks.get(path)) for path in told.doubtful],
            "reductions": plan.reductions.get(told.level, {}),
            **(reaching.warned(tx, plan, told.area) if waits else {}),
        }
    return render_template(
        "console/decision.html",
        **page,
        refused=refused,
        typed=typed or _as_typed(told),
        waits=waits,
        why_not=why_not_sign(told),
        turn=turn_of(told, by=the_person(), now=showing.now()),
        may_put_forward=told.standing is Standing.SUGGESTED and may_here(Act.PROPOSE, told.area),
        levels=LEVELS,
        ends=told.move in ENDS or told.move in (Move.APPEAL, Move.ADVISE),
    )


def why_not_sign(told: Decision) -> str:
    """Why this person cannot sign it; empty when they can."""
    person = the_person()
    if told.standing is not Standing.PROPOSED:
        return _("尚未由值班员提出，不能审批") if told.standing is Standing.SUGGESTED else _("已经有了结果")
    if Act.DECIDE not in ACTS[person.role] or not may_here(Act.DECIDE, told.area):
        return _("您的角色不能审批")
    if person.id == told.proposed_by:
        return _(OwnProposal.words_zh)
    at = showing.now()
    if person.rank >= rank_now(told, now=at):
        return ""
    later = first_for(told.deputies, rank=person.rank)
    if later is None:
        return _(NotEntitled.words_zh)
    return _("审批人在时限内，您从 %(at)s 起可以代签", at=showing.clock_words(later.since, at))


# the sentences of refusals that a page shows before anybody was refused
_SHOWN: Final = (N_("提出人不能审批自己的建议，请由另一人审批"), N_("您的审批权限不足，请提交更高级别负责人"))


def _as_typed(told: Decision) -> dict[str, str]:
    notice = told.notice
    return {
        "level": told.level.word,
        "number": notice.number,
        "reason": notice.reason,
        "contact": notice.contact,
        "effective_at": for_field(notice.effective_at),
        "expected_end_at": for_field(notice.expected_end_at),
        "open_ended": "1" if notice.open_ended else "",
        "override_because": told.override_because,
    }


@bp.post("/console/decisions/<uuid:decision_id>/put-forward")
@open_to(Act.PROPOSE)
def put_forward(decision_id: UUID) -> ResponseReturnValue:
    """Take up the rule's suggestion, as it is or changed."""
    system, person, at = the_system(), the_person(), showing.now()
    said = request.form
    with system.store.reading() as tx:
        told = tx.decision(decision_id)
    ask_here(Act.PROPOSE, told.area)
    try:
        changes: dict[str, Any] = {name: said.get(name, "").strip()[:500] for name in ("number", "reason", "contact")}
        changes["effective_at"] = moment_in(said, "effective_at")
        if told.move not in ENDS:
            changes |= end_in(said)
        level = told.level if told.level is Level.NONE else level_in(said)
        because = said.get("override_because", "")[:500]
        consulted = consulting.picked_in(said)
        system.store.run(
            lambda tx: decisions.put_forward(
                tx,
                system.rules,
                decision_id,
                by=person,
                now=at,
                level=level,
                override_because=because,
                changes=changes,
                consultations=consulted,
            )
        )
    except Refused as refused:
        return _refused(decision_id, refused, typed=said)
    system.wake_drains()
    flash(_("已提出，等待另一人审批。"), "ok")
    return redirect(url_for("deciding.decision", decision_id=decision_id), 303)


@bp.post("/console/decisions/<uuid:decision_id>/sign")
@open_to(Act.DECIDE)
@limited(SIGNING_TRIES, by=lambda: the_person().login)
def sign(decision_id: UUID) -> ResponseReturnValue:
    """Sign what was read: the password again, and the hash of the content as it was shown."""
    system, person = the_system(), the_person()
    _here(decision_id, Act.DECIDE)
    try:
        if not confirmed(request.form.get("password", "")[:200]):
            raise WrongPassword("the password is wrong, nothing was signed")
        decisions.sign(
            system.store,
            system.rules,
            decision_id,
            by=person,
            content=request.form.get("content", ""),
            now=system.clock.now(),
            anyway=Anyway(request.form.get("rule_now", "")[:20], request.form.get("anyway_because", "")[:500]),
        )
    except Refused as refused:
        return _refused(decision_id, refused, typed=request.form)
    system.wake_drains()
    flash(_("已签发，指令正在送出。"), "ok")
    return redirect(url_for("deciding.decision", decision_id=decision_id), 303)


@bp.post("/console/decisions/<uuid:decision_id>/return")
@open_to(Act.DECIDE)
def give_back(decision_id: UUID) -> ResponseReturnValue:
    """Return a proposal with its reason."""
    system, person, at = the_system(), the_person(), showing.now()
    because = request.form.get("because", "")[:1000]
    _here(decision_id, Act.DECIDE)
    try:
        system.store.run(lambda tx: decisions.reject(tx, decision_id, by=person, because=because, now=at))
    except Refused as refused:
        return _refused(decision_id, refused)
    flash(_("已退回，理由已记录。"), "ok")
    return redirect(url_for("deciding.decision", decision_id=decision_id), 303)


def _here(decision_id: UUID, act: Act) -> None:
    with the_system().store.reading() as tx:
        ask_here(act, tx.decision(decision_id).area)


def _refused(decision_id: UUID, refused: Refused, *, typed: Mapping[str, str] | None = None) -> ResponseReturnValue:
    return _page(decision_id, refused=showing.refusal(refused), typed=typed), showing.status_of(refused)


# --- by hand


@bp.get("/console/propose")
@open_to(Act.PROPOSE)
def propose_page() -> ResponseReturnValue:
    """A person's own proposal, with the rule's verdict beside it."""
    return _propose_page(desk_area())


def _propose_page(area: str, *, refused: str = "", typed: Mapping[str, str] | None = None) -> str:
    ask_here(Act.PROPOSE, area)
    system = the_system()
    with system.store.reading() as tx:
        plan = system.rules.plan_of(tx, area)
        exercise = exercise_in(tx, area)
        episode = tx.running_episode(area, exercise)
        verdict, no_air = verdict_of(tx, area, exercise)
        picture = sources_of(tx, area, exercise)
        waiting = tx.waiting_decision(episode.id) if episode else None
        here = tx.area(area)
        nameable = consulting.to_name(tx, area, episode.id if episode else None)
        unseen = system.rules.in_exercise(exercise).air_now(tx, area, now=showing.now()) is None
        allowed = _by_hand(tx, plan, area, episode, exercise)
    if unseen:
        allowed = [one for one in allowed if one in NEEDS_NO_AIR]
    return render_template(
        "console/propose.html",
        exercise=exercise,
        area=here,
        plan=plan,
        episode=episode,
        verdict=verdict,
        no_air=no_air,
        unseen=unseen,
        picture=picture,
        wall=system.wall.now(),
        waiting=waiting,
        nameable=nameable,
        picked=set(request.form.getlist("consultation")),
        issues=plan.authority is Authority.ISSUES,
        moves=allowed,
        levels=LEVELS,
        refused=refused,
        typed=typed or {"move": request.args.get("move", ""), "effective_at": for_field(showing.now())},
    )


def _by_hand(tx: Tx, plan: Plan, area: str, episode: Episode | None, exercise: str) -> list[Move]:
    """What may be proposed as things stand: a running episode's moves, or what begins one or takes up the last."""
    issues = plan.authority is Authority.ISSUES
    if episode is not None:
        allowed = {one for one in BY_HAND if EPISODE.allows(episode.phase, one)}
    else:
        allowed = {one for one in BY_HAND if EPISODE.allows(Phase.OPENING, one)} - {Move.DISMISS}
        if drafting.again(tx, plan, area, starts_at=showing.now(), exercise=exercise)[1]:
            allowed |= {Move.REOPEN}
    return [one for one in BY_HAND if one in allowed and (issues or one not in decisions.ON_A_NOTICE)]


@bp.post("/console/propose")
@open_to(Act.PROPOSE)
def propose() -> ResponseReturnValue:
    """Put forward a person's own proposal."""
    system, person, at = the_system(), the_person(), showing.now()
    said = request.form
    area = said.get("area", "")
    ask_here(Act.PROPOSE, area)
    try:
        move = move_in(said)
        level = Level.NONE if move in ENDS or move in (Move.APPEAL, Move.ADVISE) else level_in(said)
        end = {"expected_end_at": None, "open_ended": None} if move in ENDS else end_in(said)
        consulted = consulting.picked_in(said)
        told = system.store.run(
            lambda tx: decisions.propose(
                tx,
                system.rules.in_exercise(exercise_in(tx, area)),
                area=area,
                move=move,
                level=level,
                by=person,
                now=at,
                reason=said.get("reason", "")[:500],
                effective_at=moment_in(said, "effective_at"),
                number=said.get("number", "")[:80],
                override_because=said.get("override_because", "")[:500],
                consultations=consulted,
                **end,
            )
        )
    except Refused as refused:
        return _propose_page(area, refused=showing.refusal(refused), typed=said), showing.status_of(refused)
    system.wake_drains()
    flash(_("已提出，等待另一人审批。"), "ok")
    return redirect(url_for("deciding.decision", decision_id=told.id), 303)


@bp.post("/console/ask-above")
@open_to(Act.PROPOSE)
def ask_above() -> ResponseReturnValue:
    """A district's proposal to the level above."""
    system, person, at = the_system(), the_person(), showing.now()
    said = request.form
    area = said.get("area", "")
    ask_here(Act.PROPOSE, area)
    try:
        system.store.run(
            lambda tx: decisions.ask_above(
                tx, system.rules, area=area, by=person, words=said.get("words", "")[:300], now=at
            )
        )
    except Refused as refused:
        return _propose_page(area, refused=showing.refusal(refused), typed=said), showing.status_of(refused)
    system.wake_drains()
    flash(_("已发给上级值班台。"), "ok")
    return redirect(url_for("console.now", area=area), 303)
