"""Deputies of a proposal: whose turn comes when, told once when it begins, written down when one decides (代签)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from emergency.domain.deputising import Turn, begun, first_for, next_at, turns
from emergency.domain.episode import Decision, Fact, Move
from emergency.domain.level import Level
from emergency.domain.overtaken import Overtaken
from emergency.domain.people import Person, Role
from emergency.domain.plan import Plan
from emergency.services import overtaking, telling, wording
from emergency.services.rules import Rules
from emergency.store import Store, Tx


def signed_as(level: Level, before: Level) -> Level:
    """The level by whose rank a decision is signed: its own; where it lowers or lets go, that which stands."""
    return max(level, before)


def with_deputies(plan: Plan, decision: Decision) -> Decision:
    """The proposal with its deputies, counted from the moment it was put forward."""
    before = decision.rule_says if decision.move is Move.DISMISS else decision.level_before
    level = signed_as(decision.level, before)
    approval = plan.approval(level)
    word = (level if level is not Level.NONE else min(plan.approvals)).word
    found = turns(approval, clause=f"approval.{word}", waits_since=decision.proposed_at)
    return replace(decision, deputies=found, deputies_at=min((one.since for one in found), default=None))


def ranks(plan: Plan, decision: Decision) -> frozenset[int]:
    """The ranks of the plan's deputies for what waits, whether or not it was put forward."""
    before = decision.rule_says if decision.move is Move.DISMISS else decision.level_before
    return frozenset(one.rank for one in plan.approval(signed_as(decision.level, before)).deputies)


def tell_due(store: Store, rules: Rules, *, now: datetime) -> int:
    """Tell each deputy whose turn has come that he or she may sign now; once. How many proposals were met."""
    with store.reading() as tx:
        if not tx.deputies_due(now=now):
            return 0
    return store.run(lambda tx: sum(_told(tx, rules, one, now=now) for one in tx.deputies_due(now=now)))


def _told(tx: Tx, rules: Rules, decision: Decision, *, now: datetime) -> int:
    until = decision.notice.expected_end_at
    if until is not None and until <= now:
        return 0  # its own end has passed: it lapses, and there is nothing left to sign
    rules = rules.in_exercise(tx.exercise_of(decision.episode_id))
    first = decision.deputies_at or now
    found = overtaking.look(tx, rules, decision, now=now)
    fresh = [one for one in begun(decision.deputies, now=now) if one.since >= first]
    told = {one.clause: _whose(tx.people(), decision, one) for one in fresh}
    for turn in fresh:
        _tell(tx, rules, decision, turn, told[turn.clause], found=found, now=now)
    tx.save(
        replace(decision, deputies_at=next_at(decision.deputies, now=now)),
        fact="decision.deputies_told",
        by="system",
        at=now,
        more={clause: len(some) for clause, some in told.items()},
    )
    return 1


def _whose(people: Sequence[Person], decision: Decision, turn: Turn) -> list[Person]:
    """The people of the desk whose turn this is: approvers below the rank that could sign all along."""
    return [
        one
        for one in people
        if one.area == decision.area
        and one.role is Role.APPROVER
        and one.active
        and one.phone
        and one.id != decision.proposed_by
        and one.rank < decision.rank_needed
        and first_for(decision.deputies, rank=one.rank) == turn
    ]


def _tell(
    tx: Tx,
    rules: Rules,
    decision: Decision,
    turn: Turn,
    people: Sequence[Person],
    *,
    found: Overtaken | None,
    now: datetime,
) -> None:
    proposer = tx.person(decision.proposed_by) if decision.proposed_by else None
    text = wording.deputy_turn(rules, decision, turn, proposer=proposer, found=found)
    telling.put(tx, rules, telling.of_decision(decision, rung=f"deputy:{turn.rank}"), people, text, now=now)


def note_deputised(tx: Tx, decision: Decision, *, by: Person, now: datetime) -> None:
    """A line of its own in the journal when a deputy decided: whose place, by which clause, after how many minutes."""
    turn = decision.by_turn
    if turn is None:
        return
    more = {
        "instead_of": turn.instead_of,
        "as": turn.title,
        "clause": turn.clause,
        "waited_minutes": decision.waited_minutes,
    }
    tx.note(Fact("decision.deputised", str(decision.id), by.login, now, decision.episode_id, decision.area, more=more))
