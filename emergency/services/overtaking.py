"""What the rule says now of a proposal that waits: looked at whenever it is told, shown or signed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from emergency.domain import overtaken as rule
from emergency.domain.assessment import as_data
from emergency.domain.episode import WAITING, Decision
from emergency.domain.overtaken import Anyway, Overtaken
from emergency.domain.people import Person
from emergency.domain.plan import UnknownCell
from emergency.services import drafting
from emergency.services.rules import NoAir, Rules
from emergency.store import Tx


def mute(tx: Tx, rules: Rules, decision: Decision, *, now: datetime) -> bool:
    """Whether a proposal made on air still waits and nothing is left by which the rule could judge it now."""
    if not _on_air(decision) or decision.without_air:
        return False
    try:
        rules.in_exercise(tx.exercise_of(decision.episode_id)).assess_now(tx, decision.area, now=now)
    except NoAir:
        return True
    return False


def _on_air(decision: Decision) -> bool:
    """Whether it waits and the air is its ground: no notice of the level above, and a move the rule has a word on."""
    return decision.standing in WAITING and decision.bulletin_id is None and decision.move in rule.JUDGED


def look(tx: Tx, rules: Rules, decision: Decision, *, now: datetime) -> Overtaken | None:
    """The rule's later word where it no longer agrees; None where it does, or has nothing to judge."""
    if not _on_air(decision):
        return None
    rules = rules.in_exercise(tx.exercise_of(decision.episode_id))
    plan, episode = rules.plan_of(tx, decision.area), tx.episode(decision.episode_id)
    try:
        assessment = rules.assess_now(tx, decision.area, now=now)
        says = drafting.rule_says(
            tx, rules, plan, episode, move=decision.move, level=decision.level, assessment=assessment, now=now
        )
    except (NoAir, UnknownCell):
        return None
    return rule.overtaken(decision, says_now=says, assessment=as_data(assessment))


def signed(
    tx: Tx, rules: Rules, waiting: Decision, approved: Decision, anyway: Anyway, *, by: Person, now: datetime
) -> Decision:
    """
    The decision as approved, with the signer's reason where the rule no longer agrees with what waited.

    :raises RuleMovedOn, NotEntitled: see ``overtaken.signed``
    """
    found = look(tx, rules, waiting, now=now)
    if found is None:
        return approved
    rank = rules.plan_of(tx, waiting.area).approval(found.level).rank
    return rule.signed(approved, found, anyway, by=by, rank_now=rank)


def turned(tx: Tx, rules: Rules, area: str, *, now: datetime) -> tuple[Decision, Overtaken | None] | None:
    """
    What waits in the area with the rule's later word, when that has changed since people were last told of it; kept
    with its fact. None when there is nothing new to tell.
    """
    episode = tx.running_episode(area, rules.exercise) or tx.latest_episode(area, rules.exercise)
    waiting = tx.waiting_decision(episode.id) if episode is not None else None
    if waiting is None:
        return None
    found = look(tx, rules, waiting, now=now)
    key = found.key if found else ""
    if key == waiting.rule_now:
        return None
    fact = "decision.overtaken" if found else "decision.agreed_again"
    more = {"how": found.how, "level": found.level} if found else {}
    return tx.save(replace(waiting, rule_now=key), fact=fact, by="rule", at=now, more=more), found
