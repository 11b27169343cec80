"""What waits for a person: told to those who can take the next step, nagged about until decided, and let go of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from emergency.domain import signing, undecided
from emergency.domain.episode import NO_REOPENING, UNDECIDED, Decision, Fact, Move, Standing
from emergency.domain.messages import Kind, Lane
from emergency.domain.overtaken import Overtaken
from emergency.domain.people import Person, Role
from emergency.domain.plan import Plan
from emergency.services import advising, bundling, deputies, drafting, overtaking, relaying, telling, wording
from emergency.services.chasing import NOBODY
from emergency.services.rules import Rules
from emergency.store import Store, Tx


def lapse_overdue(store: Store, rules: Rules, *, now: datetime) -> int:
    """
    Tell people again of suggestions and proposals they have not decided, let go of those that can no longer take
    effect, and tell deputies whose turn has come; how many were met.

    A proposal is never dropped because somebody slept: it lapses only when its own end has passed, or when it was to
    reopen an episode and the plan's gap is over or the review signed. What it opened ends with it.
    """
    ended = advising.end_overdue(store, now=now) + deputies.tell_due(store, rules, now=now)
    with store.reading() as tx:
        if not tx.undecided(now=now):
            return ended
    return ended + store.run(lambda tx: sum(_met(tx, rules, one, now=now) for one in tx.undecided(now=now)))


def _met(tx: Tx, rules: Rules, decision: Decision, *, now: datetime) -> int:
    exercise, because = tx.exercise_of(decision.episode_id), _over(tx, rules, decision, now=now)
    if because:
        tx.save(signing.lapse(decision, now=now, because=because), fact="decision.lapsed", by="system", at=now)
        tx.outbox.cancel_for_decision(decision.id)
        tx.clear_alarm(f"undecided:{decision.id}", now=now)
        relaying.end_idle(tx, decision.area, exercise=exercise, now=now)
        return 1
    if exercise:
        return 0  # the exercise's own page shows what waits; a real desk has no alarm from it
    late = now >= decision.decide_by and _overdue(tx, decision, now=now)
    if decision.nag_at is None or decision.nag_at > now:
        return int(late)
    _nag(tx, rules, decision, now=now)
    return 1


def _over(tx: Tx, rules: Rules, decision: Decision, *, now: datetime) -> str:
    """Why what waits can take no effect any more; empty while it can."""
    until = decision.notice.expected_end_at
    if until is not None and until <= now:
        return UNDECIDED
    plan = rules.plan_of(tx, decision.area)
    too_late = decision.move is Move.REOPEN and not drafting.may_still_reopen(tx, plan, decision, now=now)
    return NO_REOPENING if too_late else ""


def _overdue(tx: Tx, decision: Decision, *, now: datetime) -> bool:
    """Raise the alarm that stands until somebody decides; True when it is new."""
    words = f"{decision.move.value} {decision.level.word}: due {decision.decide_by.isoformat()}"
    if not tx.raise_alarm(f"undecided:{decision.id}", area=decision.area, detail=words, now=now):
        return False
    tx.note(Fact("decision.overdue", str(decision.id), "system", now, decision.episode_id, decision.area))
    return True


def set_going(plan: Plan, decision: Decision, *, exercise: str, now: datetime) -> Decision:
    """With the moment of its first reminder, counted from now; the desk of an exercise is not nagged."""
    first = None if exercise else undecided.next_at(plan.undecided, after=now, decide_by=decision.decide_by)
    return replace(decision, nag_at=first, nags=0)


def _nag(tx: Tx, rules: Rules, decision: Decision, *, now: datetime) -> None:
    """
    One reminder, to everybody it is due to who has room for one in this hour, and the moment of the next.

    After a standstill there is one, not one for each that was missed.
    """
    plan, times = rules.plan_of(tx, decision.area), decision.nags + 1
    ranks = deputies.ranks(plan, decision)
    people = undecided.whom(decision, tx.people(), rule=plan.undecided, deputies=ranks, now=now)
    _known_as_reachable(tx, rules, decision, people, now=now)
    told = bundling.with_room(tx, plan, people, now=now)
    found = overtaking.look(tx, rules, decision, now=now)
    text = wording.undecided(rules, decision, times=times, found=found, now=now)
    about = replace(telling.of_decision(decision, rung=f"nag:{times}"), kind=Kind.REMINDER, lane=Lane.URGENT)
    telling.put(tx, rules, about, told, text, now=now)
    later = undecided.next_at(plan.undecided, after=now, decide_by=decision.decide_by)
    tx.save(
        replace(decision, nags=times, nag_at=later),
        fact="decision.nagged",
        by="system",
        at=now,
        more={"times": times, "told": [one.login for one in told], "full": len(people) - len(told)},
    )


def tell(
    tx: Tx,
    rules: Rules,
    decision: Decision,
    *,
    rung: str,
    now: datetime,
    found: Overtaken | None = None,
) -> None:
    """Tell those at the desk who can take the next step, and that the rule has moved on since where it has."""
    people = _next(tx, decision)
    _known_as_reachable(tx, rules, decision, people, now=now)
    proposer = tx.person(decision.proposed_by) if decision.proposed_by else None
    text = wording.of_waiting(rules, decision, proposer=proposer, found=found)
    telling.put(tx, rules, telling.of_decision(decision, rung=rung), people, text, now=now)


def whose_turn(decision: Decision) -> Role:
    """Who takes the next step of what waits."""
    return Role.DUTY_OFFICER if decision.standing is Standing.SUGGESTED else Role.APPROVER


def _next(tx: Tx, decision: Decision) -> list[Person]:
    """Those at the desk who can take the next step."""
    role = whose_turn(decision)
    return [
        one
        for one in tx.people()
        if one.area == decision.area
        and one.role is role
        and one.active
        and (role is not Role.APPROVER or one.rank >= decision.rank_needed)
        and one.id != decision.proposed_by
    ]


def reachable(tx: Tx, decision: Decision) -> bool:
    """Whether anybody who can take the next step has a number."""
    return any(one.phone for one in _next(tx, decision))


def tell_overtaken(tx: Tx, rules: Rules, area: str, *, now: datetime) -> None:
    """Tell those who are next each time the rule moves on under what waits in the area."""
    turned = overtaking.turned(tx, rules, area, now=now)
    if turned is not None and turned[1] is not None:
        tell(tx, rules, turned[0], rung=f"rule:{turned[0].version}", now=now, found=turned[1])


def _known_as_reachable(tx: Tx, rules: Rules, decision: Decision, people: Sequence[Person], *, now: datetime) -> None:
    """Raise an alarm where nobody of these can be reached about a real decision."""
    if any(one.phone for one in people) or tx.exercise_of(decision.episode_id):
        return
    role = whose_turn(decision)
    words, what = rules.wording, {Role.DUTY_OFFICER: "没有可联系的值班员", Role.APPROVER: "没有可联系的审批人"}[role]
    move, level = words.move(decision.move.value, wording.LANG), words.level(decision.level, wording.LANG)
    tx.raise_alarm(
        f"{NOBODY}:{role.value}:{decision.area}", area=decision.area, now=now, detail=f"{move}{level}：{what}"
    )
