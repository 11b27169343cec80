"""What a plan's rule asks for of the air as it is: the move, to which level, on which verdict; nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from emergency.domain import extending
from emergency.domain.assessment import Assessment
from emergency.domain.calm import calm_in_all, over_in_all
from emergency.domain.episode import Move
from emergency.domain.falling import falls_to
from emergency.domain.level import Level
from emergency.domain.moving import next_move
from emergency.domain.plan import Authority
from emergency.services import advising, drafting
from emergency.services.rules import Rules
from emergency.store import Tx


@dataclass(frozen=True)
class Asked:
    """What the rule asks for; ``move`` None: nothing. ``let_go``: a signed release only waits for its hour."""

    assessment: Assessment
    move: Move | None = None
    level: Level = Level.NONE
    let_go: bool = False


def of_level(tx: Tx, rules: Rules, area: str, *, now: datetime) -> Asked:
    """
    The move of the level the rule asks for, before anybody was asked and whatever people turned down.

    :raises NoAir: there is nothing to judge
    """
    plan, assessment = rules.plan_of(tx, area), rules.assess_now(tx, area, now=now)
    episode = tx.running_episode(area, rules.exercise)
    if episode is None and _being_released(tx, rules, area, now=now):
        return Asked(assessment, let_go=True)
    until = rules.spell_until(assessment)
    ahead = rules.airs_ahead(tx, area, now=now)
    ended = over_in_all(plan, ahead, spell_until=until, now=now)
    in_force = episode.level if episode is not None else Level.NONE
    lowered = falls_to(plan, ahead, in_force=in_force, verdict=assessment.level, now=now)
    move = next_move(episode, assessment.level, calm=ended, spell_until=until, falls_to=lowered)
    if move is None or (move is Move.EXTEND and (rules.open_ended(plan) or not extending.allowed(plan))):
        return Asked(assessment)
    if (
        move is Move.ACTIVATE
        and episode is None
        and plan.authority is Authority.ISSUES
        and drafting.again(tx, plan, area, starts_at=assessment.since, exercise=rules.exercise)[1]
    ):
        move = Move.REOPEN
    asked = assessment.level if lowered is None else lowered
    return Asked(assessment, move, Level.NONE if move is Move.RELEASE else asked)


def of_anything(tx: Tx, rules: Rules, area: str, *, now: datetime) -> Asked:
    """
    The same, with a health advisory where no level is asked for and a day ahead wants one, told of before or not.

    :raises NoAir: there is nothing to judge
    """
    found = of_level(tx, rules, area, now=now)
    if found.move is None and not found.let_go and advising.days_ahead(rules, found.assessment, now=now):
        return Asked(found.assessment, Move.ADVISE)
    return found


def advises(tx: Tx, rules: Rules, area: str, assessment: Assessment, *, now: datetime) -> bool:
    """Whether the air has new days for a health advisory, and the area may speak to the public."""
    issues = rules.plan_of(tx, area).authority is Authority.ISSUES
    return issues and advising.wanted(tx, rules, area, assessment, now=now)


def _being_released(tx: Tx, rules: Rules, area: str, *, now: datetime) -> bool:
    """Whether a signed release only waits for its hour and its calm still stands: the day under way is no new spell."""
    before = tx.latest_episode(area, rules.exercise)
    if before is None or before.released_at is None or before.released_at <= now:
        return False
    test = calm_in_all(rules.plan_of(tx, area), rules.airs_ahead(tx, area, now=now), now=now)
    return test is not None and test.met
