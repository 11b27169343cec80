"""From a suggestion to a signature: a person puts it forward, another of enough rank signs, and it is carried out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from emergency.domain import amending, extending, moving, signing, timing
from emergency.domain import episode as episodes
from emergency.domain.amending import Amendment
from emergency.domain.assessment import Assessment, as_data
from emergency.domain.episode import Decision, Fact, Move, Standing, Task, Ungrounded, due
from emergency.domain.exercise import numbered
from emergency.domain.level import Level
from emergency.domain.messages import LANES, Kind
from emergency.domain.overtaken import Anyway
from emergency.domain.people import Act, Person, ask
from emergency.domain.plan import Authority
from emergency.errors import Conflict, Refused
from emergency.services import (
    consulting,
    deputies,
    dispatch,
    drafting,
    evaluating,
    nagging,
    overtaking,
    relaying,
    telling,
    wording,
)
from emergency.services.chasing import Around
from emergency.services.rules import Rules
from emergency.services.telling import About
from emergency.store import Store, Tx

ON_A_NOTICE = frozenset({Move.ACTIVATE, Move.UPGRADE, Move.DOWNGRADE, Move.RELEASE, Move.REOPEN})
NOT_ANYWAY = Anyway()  # the signer has nothing to say of a rule that has moved on
_NAMESPACE = UUID("2b1f8a6e-3c6d-4d7e-8a55-0c1d2e3f4a5b")


class NoAuthority(Refused):
    """The area may not do this on its own."""

    words_zh = "本区无权自行发布、调整或解除预警和强制措施，须依据上级通知"


class AlreadyWaiting(Refused):
    """The same proposal waits already."""

    words_zh = "相同的建议已在等待审批"


@dataclass(frozen=True)
class Preview:
    """Who would get what if the proposal were signed now."""

    figures: Mapping[str, Any]  # kind → {count, first}
    not_ordered: tuple[str, ...]
    blanks: tuple[str, ...]


def suggest(
    tx: Tx, rules: Rules, *, area: str, move: Move, level: Level, assessment: Assessment, now: datetime
) -> Decision | None:
    """
    Write down what the rule asks for, for a person to put forward; None when the same waits already, or what a person
    made of the same air.

    A waiting one that asks for something else is superseded: a fresher forecast speaks.
    """
    plan = rules.plan_of(tx, area)
    episode = drafting.episode_for(tx, rules, plan, area, move=move, starts_at=assessment.since, now=now)
    waiting = tx.waiting_decision(episode.id)
    if waiting is not None:
        if (waiting.move, waiting.level) == (move, level):
            return None
        said = waiting.assessment.get("spell", waiting.assessment)
        if waiting.standing is Standing.PROPOSED and said == as_data(assessment):
            return None  # people know what the rule says and want something else
        aside = signing.supersede(waiting, now=now, because="a fresher assessment asks for something else")
        tx.save(aside, fact="decision.superseded", by="rule", at=now)
        tx.outbox.cancel_for_decision(waiting.id)
        tx.clear_alarm(f"undecided:{waiting.id}", now=now)
    decision = signing.suggested(
        drafting.drawn(tx, rules, plan, episode, move=move, level=level, assessment=assessment, now=now)
    )
    decision = nagging.set_going(plan, decision, exercise=episode.exercise, now=now)
    decision = tx.save(
        decision, fact="decision.suggested", by="rule", at=now, more={"move": move, "level": level, "plan": plan.id}
    )
    nagging.tell(tx, rules, decision, rung="suggested", now=now)
    return decision


def put_forward(
    tx: Tx,
    rules: Rules,
    decision_id: UUID,
    *,
    by: Person,
    now: datetime,
    level: Level | None = None,
    override_because: str = "",
    changes: Mapping[str, Any] | None = None,
    consultations: Sequence[UUID] = (),
    amendments: Sequence[Amendment] = (),
) -> Decision:
    """
    Take up the rule's suggestion, as it is or with a person's own level and wording of the notice, and with the
    consultations it rests on; an adjustment that the level above announced, with its measures.

    :raises Ungrounded: the level differs from the rule's and no reason is given
    :raises WrongLevel, BadTimes: see ``timing.with_a_level`` and ``timing.meant``
    :raises NotExtendable, EndsTooSoon, EndsTooLate, NoEnd: see ``extending.within_the_plan``
    :raises NotAllowed, IllegalMove: see ``signing.put_forward``
    :raises NumberTaken: see ``drafting.still_free``
    :raises StillOpen, NotOurs: see ``consulting.named``
    """
    decision = tx.decision(decision_id)
    ask(by, Act.PROPOSE, decision.area)
    chosen = decision.level if level is None or decision.move is Move.ADVISE else level
    timing.with_a_level(decision.move, chosen)
    plan = rules.plan_of(tx, decision.area)
    notice = replace(decision.notice, level=chosen, **dict(changes or {}))
    if decision.move is Move.ADVISE:  # it lasts as long as its days, and its words are the playbook's
        fixed = decision.notice
        notice = replace(notice, expected_end_at=fixed.expected_end_at, open_ended=False, public_text=fixed.public_text)
    exercise = tx.exercise_of(decision.episode_id)
    if exercise:  # whatever was typed, no exercise takes a real number
        notice = replace(notice, number=numbered(notice.number))
    decision = replace(
        decision,
        level=chosen,
        notice=notice,
        override_because=override_because.strip(),
        rank_needed=extending.rank_needed(
            plan, decision.move, deputies.signed_as(chosen, decision.level_before)
        ),
        decide_by=due(now, plan.approval(chosen).within_minutes),
    )
    decision = replace(decision, consulted=consulting.named(tx, decision, consultations))
    decision = amending.with_changes(decision, amendments)
    decision = drafting.with_public_text(rules.in_exercise(exercise), plan, decision)
    episode = tx.episode(decision.episode_id)
    timing.meant(decision, began=episode.effective_at, now=now)
    extending.within_the_plan(plan, decision, episode.expected_end_at, now=now)
    decision = signing.put_forward(decision, by=by, now=now)
    return _put_forward(tx, rules, decision, by=by, now=now)


def propose(
    tx: Tx,
    rules: Rules,
    *,
    area: str,
    move: Move,
    level: Level,
    by: Person,
    now: datetime,
    reason: str = "",
    effective_at: datetime | None = None,
    expected_end_at: datetime | None = None,
    open_ended: bool | None = None,
    number: str = "",
    override_because: str = "",
    bulletin_id: UUID | None = None,
    assessment: Assessment | None = None,
    consultations: Sequence[UUID] = (),
    amendments: Sequence[Amendment] = (),
    to_fill_in: bool = False,
) -> Decision:
    """
    A person's own proposal, with the rule's verdict kept beside it, and with the consultations it rests on.

    ``to_fill_in`` leaves it as a suggestion for a duty officer to complete and put forward.

    :raises NoAuthority: a district orders, lowers or lets go on no bulletin of the city, or has no plan of its own
    :raises AlreadyWaiting: something waits already
    :raises NoAir: there is nothing to judge, and something is to begin, to rise or to fall
    :raises NothingToDismiss: no episode is opening
    :raises OnlyAmends: measures are changed by another move than amending
    :raises StillOpen, NotOurs: see ``consulting.named``
    :raises WrongLevel, BadTimes: see ``timing.with_a_level`` and ``timing.meant``
    :raises NotExtendable, EndsTooSoon, EndsTooLate, NoEnd: see ``extending.within_the_plan``
    :raises Ungrounded, NotAllowed, IllegalMove: see ``signing.put_forward``
    :raises NumberTaken: see ``drafting.still_free``
    """
    ask(by, Act.PROPOSE, area)
    if move is Move.ADVISE:  # an advisory has no level and lasts as long as its days, whatever was typed
        level, expected_end_at, open_ended, bulletin_id, assessment = Level.NONE, None, False, None, None
    if rules.desk_of(tx, area) != area:  # the plan it would borrow is that of the desk above
        raise NoAuthority(f"{area} has no plan and no desk of its own", zh="本区域没有自己的预案，须由上级值班台提出")
    plan = rules.plan_of(tx, area)
    if plan.authority is Authority.ACTIVATES and bulletin_id is None:
        _without_a_notice(area, move, because=override_because)
    since = max(effective_at or now, now)  # an hour that is past, typed by hand, brings no spell nearer to the last
    starts_at = (assessment.since if assessment is not None else None) or since
    episode = drafting.episode_for(tx, rules, plan, area, move=move, starts_at=starts_at, now=now)
    if not episodes.EPISODE.allows(episode.phase, move):
        episodes.EPISODE.after(episode.phase, move)
    timing.with_a_level(move, level)
    waiting = tx.waiting_decision(episode.id)
    if waiting is not None and bulletin_id is None and (waiting.move, waiting.level) == (move, level):
        raise AlreadyWaiting(f"{move.value} {level.word} waits already as {waiting.id}")
    held = relaying.held(tx, episode) if move is Move.DISMISS else None
    if held is not None:  # what the city announced is the ground that is set aside, whatever the air says here
        if not override_because.strip():
            raise Ungrounded(
                f"{held.number} of {held.issuer} is not followed without a reason",
                zh=f"本过程有上级通知（{held.number}）尚未执行，不启动须写明与之不同的理由",
            )
        bulletin_id, assessment = UUID(held.id), rules.heeded(plan, held)
    if waiting is not None:
        aside = signing.supersede(waiting, now=now, because=f"{by.login} proposed {move.value} {level.word}")
        tx.save(aside, fact="decision.superseded", by=by.login, at=now)
        tx.outbox.cancel_for_decision(waiting.id)
        tx.clear_alarm(f"undecided:{waiting.id}", now=now)
    because = reason.strip() or override_because.strip()
    grounds = assessment or drafting.grounds_now(tx, rules, area, move=move, because=because, now=now)
    decision = drafting.drawn(tx, rules, plan, episode, move=move, level=level, assessment=grounds, now=now)
    notice = replace(
        decision.notice,
        reason=reason.strip() or decision.notice.reason,
        number=number.strip() or decision.notice.number,
        effective_at=effective_at or decision.notice.effective_at,
        expected_end_at=expected_end_at or decision.notice.expected_end_at,
        open_ended=decision.notice.open_ended if open_ended is None else open_ended,
    )
    if move is Move.AMEND and expected_end_at is None and open_ended is None:  # the end stays as it was announced
        notice = replace(
            notice, expected_end_at=episode.expected_end_at, open_ended=episode.expected_end_at is None
        )
    if episode.exercise:
        notice = replace(notice, number=numbered(notice.number))
    decision = replace(decision, notice=notice, override_because=override_because.strip(), bulletin_id=bulletin_id)
    decision = replace(decision, consulted=consulting.named(tx, decision, consultations))
    decision = amending.with_changes(decision, amendments)
    decision = drafting.with_public_text(rules.in_exercise(episode.exercise), plan, decision)
    if to_fill_in:
        waits = nagging.set_going(plan, signing.suggested(decision), exercise=episode.exercise, now=now)
        decision = tx.save(waits, fact="decision.to_fill_in", by=by.login, at=now)
        nagging.tell(tx, rules, decision, rung="suggested", now=now)
        return decision
    timing.meant(decision, began=episode.effective_at, now=now)
    extending.within_the_plan(plan, decision, episode.expected_end_at, now=now)
    return _put_forward(tx, rules, signing.put_forward(decision, by=by, now=now), by=by, now=now)


def _without_a_notice(area: str, move: Move, *, because: str) -> None:
    """
    What an area without authority to issue proposes on no notice of the level above: nothing laxer than that notice.

    :raises NoAuthority: a level would begin, rise, fall or be let go of
    :raises Ungrounded: it would last longer, or be taken back as a mistake, and no reason is given
    """
    if move in ON_A_NOTICE:
        raise NoAuthority(f"{area} follows the bulletin of the level above: no {move.value} of its own")
    if move in (Move.EXTEND, Move.WITHDRAW) and not because.strip():
        raise Ungrounded(
            f"{area}: {move.value} on no bulletin needs a reason",
            zh="没有上级通知，延长或撤回须写明与上级通知不同的理由",
        )


def _put_forward(tx: Tx, rules: Rules, decision: Decision, *, by: Person, now: datetime) -> Decision:
    drafting.still_free(tx, rules, decision, now=now)
    plan = rules.plan_of(tx, decision.area)
    found = overtaking.look(tx, rules, decision, now=now)
    decision = replace(deputies.with_deputies(plan, decision), rule_now=found.key if found else "")
    decision = nagging.set_going(plan, decision, exercise=tx.exercise_of(decision.episode_id), now=now)
    tx.outbox.cancel_for_decision(decision.id)  # what still waits to tell of the suggestion
    kept = tx.save(
        decision,
        fact="decision.proposed",
        by=by.login,
        at=now,
        more={
            "move": decision.move,
            "level": decision.level,
            "rule_says": decision.rule_says,
            "override": decision.override_because,
            "content": decision.content_sha,
        },
    )
    consulting.tie(tx, kept, by=by, now=now)
    tx.clear_alarm(f"undecided:{kept.id}", now=now)  # the suggestion's; the proposal has a time of its own
    nagging.tell(tx, rules, kept, rung="proposed", now=now, found=found)
    return kept


def preview(tx: Tx, rules: Rules, decision_id: UUID, *, now: datetime) -> Preview:
    """Who would get what if the proposal were signed now; nothing is written."""
    decision = tx.decision(decision_id)
    prepared = dispatch.prepare(tx, rules, decision, now=now)
    releasing = decision.move in (Move.RELEASE, Move.WITHDRAW, Move.DISMISS, Move.APPEAL, Move.ADVISE)
    return Preview(
        dispatch.figures(prepared),
        tuple(one.name for one in prepared.not_ordered),
        decision.notice.blanks(releasing=releasing),
    )


def sign(
    store: Store,
    rules: Rules,
    decision_id: UUID,
    *,
    by: Person,
    content: str,
    now: datetime,
    anyway: Anyway = NOT_ANYWAY,
) -> Decision:
    """
    Approve and carry out: orders are drawn up outside, checked and committed inside, again when somebody was first.

    ``anyway``: what the signer read of a rule that has moved on since the proposal, and why it is signed all the same.

    :raises OwnProposal, NotEntitled, NotAllowed, IllegalMove, BlankNotice, StaleContent: see ``signing.approve``
    :raises RuleMovedOn: see ``overtaken.signed``
    :raises TooLateToReopen, NumberTaken: see ``drafting.still_reopens`` and ``drafting.still_free``
    """
    for left in (2, 1, 0):
        with store.reading() as tx:
            decision = tx.decision(decision_id)
            signed = signing.approve(decision, by=by, now=now, content=content)  # refuse before the work, not after
            overtaking.signed(tx, rules, decision, signed, anyway, by=by, now=now)
            drafting.still_reopens(tx, rules, decision, now=now)
            drafting.still_free(tx, rules, decision, now=now)
            episode = tx.episode(decision.episode_id)
            prepared = dispatch.prepare(tx, rules, decision, now=now)
        marked = rules.in_exercise(episode.exercise)
        prepared = dispatch.written_out(marked, signed, prepared, by=by, now=now)
        try:
            with store.transactions() as tx:
                return approve(
                    tx, rules, decision_id, by=by, content=content, now=now, prepared=prepared, anyway=anyway
                )
        except Conflict:
            if not left:
                raise
    raise AssertionError("unreachable")


def approve(
    tx: Tx,
    rules: Rules,
    decision_id: UUID,
    *,
    by: Person,
    content: str,
    now: datetime,
    prepared: dispatch.Prepared,
    anyway: Anyway = NOT_ANYWAY,
) -> Decision:
    """Put a proposal into force with all that follows from it, in one transaction."""
    waiting = tx.decision(decision_id)
    decision = signing.approve(waiting, by=by, now=now, content=content)
    decision = overtaking.signed(tx, rules, waiting, decision, anyway, by=by, now=now)
    drafting.still_reopens(tx, rules, waiting, now=now)
    drafting.still_free(tx, rules, waiting, now=now)
    consulting.still_as_named(tx, decision)
    episode = moving.carry_out(tx.episode(decision.episode_id), decision, now=now)
    rules = rules.in_exercise(episode.exercise)
    decision = tx.save(decision, fact="decision.approved", by=by.login, at=now, more={"content": content})
    deputies.note_deputised(tx, decision, by=by, now=now)
    _note_against(tx, decision, by=by, now=now)
    episode = tx.save(
        episode,
        fact=f"episode.{decision.move.value}",
        by=by.login,
        at=now,
        more={"level": episode.level, "number": decision.notice.number, "effective_at": decision.notice.effective_at},
    )
    tx.outbox.cancel_for_decision(decision.id)
    tx.clear_alarm(f"undecided:{decision.id}", now=now)
    dispatch.revise_all(tx, rules, decision, episode, prepared, by=by, now=now)
    _what_follows(tx, rules, decision, orders=len(prepared.drawn_up), now=now)
    relaying.announced(tx, rules, decision, [one.recipient for one in prepared.drawn_up], by=by, now=now)
    evaluating.follow(tx, rules, decision, by=by, now=now)
    return decision


def _note_against(tx: Tx, decision: Decision, *, by: Person, now: datetime) -> None:
    """A line of its own in the journal when it was signed though the rule had moved on: which way, to what, and why."""
    if decision.against:
        more = {name: decision.against[name] for name in ("how", "level", "because")}
        about = str(decision.id)
        tx.note(Fact("decision.signed_anyway", about, by.login, now, decision.episode_id, decision.area, more=more))


def _what_follows(tx: Tx, rules: Rules, decision: Decision, *, orders: int, now: datetime) -> None:
    """The duties a signature puts on the desk itself: report upward; relaying is done by signing."""
    plan = rules.plan_of(tx, decision.area)
    if decision.move not in (Move.APPEAL, Move.ADVISE, Move.DISMISS) and plan.authority is Authority.ISSUES:
        task = Task(
            id=uuid5(decision.id, "upward_report"),
            episode_id=decision.episode_id,
            area=decision.area,
            kind="upward_report",
            due_at=due(now, plan.upward_report_min),
            words=wording.upward_report(rules, decision, orders=orders, due_at=due(now, plan.upward_report_min)),
            decision_id=decision.id,
        )
        tx.save(task, fact="task.opened", by="system", at=now)
    if decision.bulletin_id is not None and decision.decided_by is not None:
        bulletin, by = tx.bulletin(decision.bulletin_id), tx.person(decision.decided_by)
        if decision.move is Move.DISMISS:
            relaying.not_followed(tx, rules, decision, bulletin, by=by, now=now)
        else:
            relaying.passed_on(tx, rules, bulletin, by=by, now=now)


def reject(tx: Tx, decision_id: UUID, *, by: Person, because: str, now: datetime) -> Decision:
    """
    Turn a proposal down.

    :raises OwnProposal, NotEntitled, NotAllowed, IllegalMove, Refused: see ``signing.reject``
    """
    decision = signing.reject(tx.decision(decision_id), by=by, now=now, because=because)
    tx.outbox.cancel_for_decision(decision.id)
    tx.clear_alarm(f"undecided:{decision.id}", now=now)
    decision = tx.save(decision, fact="decision.rejected", by=by.login, at=now, more={"because": because})
    deputies.note_deputised(tx, decision, by=by, now=now)
    return decision


def task_done(tx: Tx, task_id: UUID, *, by: Person, now: datetime) -> Task:
    """
    Note that a desk's task is done.

    :raises NotAllowed: the person does not serve at that desk
    :raises Refused: it is done already
    """
    task = tx.task(task_id)
    ask(by, Act.PROPOSE, task.area)
    if task.done_at is not None:
        raise Refused("the task is done already", zh="该任务已完成")
    tx.clear_alarm(f"task:{task.id}", now=now)
    return tx.save(replace(task, done_at=now, done_by=by.id), fact="task.done", by=by.login, at=now)


def ask_above(tx: Tx, rules: Rules, *, area: str, by: Person, words: str, now: datetime) -> Task:
    """
    A district's proposal to the level above: a task at that desk, and a message to its duty officers.

    :raises NotAllowed: the person may not propose here
    :raises NoAuthority: there is no desk above
    :raises Refused: no reason was given
    """
    ask(by, Act.PROPOSE, area)
    if not words.strip():
        raise Refused("a proposal to the level above needs its grounds", zh="请写明建议上级预警的理由")
    above = next((one for one in tx.above(area)[1:] if tx.area(one).plan_id), None)
    if above is None:
        raise NoAuthority(f"{area} has no desk above it", zh="本区没有上级值班台")
    plan = rules.plan_of(tx, above)
    said = f"{tx.area(area).name}：{words.strip()}"[:300]
    task = Task(
        id=uuid5(_NAMESPACE, f"ask:{area}:{now.isoformat()}"),
        episode_id=None,
        area=above,
        kind="district_proposal",
        due_at=due(now, plan.approval(Level.NONE).within_minutes),
        words=said,
    )
    tx.save(task, fact="task.opened", by=by.login, at=now, more={"from": area})
    text = wording.district_proposal(rules, area=tx.area(area).name, words=words.strip(), by=by.name)
    about = About(Kind.TASK, task.id, above, "asked", lane=LANES[Kind.PROPOSAL])
    telling.put(tx, rules, about, Around(tx, rules).duty_officers(above), text, now=now)
    return task
