"""When a warning may be lowered without being lifted, and to which level: by the calm test, never by a lower figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from math import floor

from emergency.domain.assess import holding, ongoing
from emergency.domain.assessment import SHANGHAI, start_of
from emergency.domain.calm import Calm, stays
from emergency.domain.forecast import Air
from emergency.domain.level import Level
from emergency.domain.plan import DAY_HOURS, Metric, Plan, ReleaseRule


def falls_to(plan: Plan, airs: Sequence[Air], *, in_force: Level, verdict: Level, now: datetime) -> Level | None:
    """
    What the higher of the level in force and the ``verdict`` on the air gives way to; None while it stands.

    A level stands until it is outlived: two whole days (more than the plan's hours) on which the lowest mark of its
    trigger is not passed, and no run that gives it reaching into them or lying beyond (2017: two spells without a calm
    between them are one, taken strictly). That the air now says less outlives nothing, and asks for no less either:
    a better day amid a spell neither lowers a warning nor keeps it up once the days after it are below its mark.

    What is outlived gives way to the highest lower level that the spell still asks for and that stands itself; to the
    plan's lowest where none is left, for nothing but the release test lifts a warning. A level in force is lowered one
    step at a time unless the plan lets levels be skipped (domain sheet 2.1; red to yellow in Laibin, 2026-02-06); a
    verdict that is outlived before it was in force is no step. A plan without a rule for it, or one that looks at a
    concentration, lowers nothing by itself. ``airs`` are those of several sources: what stands by one of them stands.

    :raises UnknownCell, Unmeasured, HoursNeeded, Disorder: see :func:`emergency.domain.assess.assess`
    """
    held = max(in_force, verdict)
    lower = [one for one in sorted(plan.levels) if one < held]
    if plan.downgrade_hours_over is None or not airs or not lower or _stands(plan, airs, held, now=now):
        return None
    if verdict <= in_force and not plan.downgrade_may_skip:
        return lower[-1]
    asked = frozenset[Level]().union(*(holding(plan, _of_the_spell(plan, one, now=now)) for one in airs))
    left = next((one for one in reversed(lower) if one in asked and _stands(plan, airs, one, now=now)), lower[0])
    if left > in_force or verdict <= in_force:
        return left
    fallen = falls_to(plan, airs, in_force=in_force, verdict=Level.NONE, now=now)
    return in_force if fallen is None else fallen


def whole_days_of(plan: Plan) -> int:
    """The whole days ahead the plan's rule looks at: the least that are strictly more than its hours; 0 without one."""
    hours = plan.downgrade_hours_over
    return 0 if hours is None else floor(hours / DAY_HOURS) + 1


def outlived(plan: Plan, air: Air, level: Level, *, now: datetime) -> Calm | None:
    """The test of a level against its own mark, with its words; None where the plan has no rule for it."""
    hours = plan.downgrade_hours_over
    spells = [spell for clause in plan.levels.get(level, ()) for spell in clause.spells]
    if hours is None or not spells or any(spell.metric is not Metric.AQI for spell in spells):
        return None
    mark = min(spell.over if spell.strict else spell.over - 1 for spell in spells)  # an index is a whole number
    rule = ReleaseRule(not_over=mark, hours_over=hours, whole_days=whole_days_of(plan))
    return stays(plan, air, rule, now=now)


def _stands(plan: Plan, airs: Sequence[Air], level: Level, *, now: datetime) -> bool:
    """Whether by any of these airs the level is not outlived."""
    return any(_stands_by(plan, air, level, now=now) for air in airs)


def _stands_by(plan: Plan, air: Air, level: Level, *, now: datetime) -> bool:
    test = outlived(plan, air, level, now=now)
    return test is None or not test.met or _goes_on(plan, air, level, now=now)


def _goes_on(plan: Plan, air: Air, level: Level, *, now: datetime) -> bool:
    """Whether a run that gives the level ends after the coming 00:00, where what it gives way to would begin."""
    tomorrow = _today(now) + timedelta(days=1)
    alone = replace(plan, levels={level: plan.levels[level]})
    return level in holding(alone, ongoing(alone, air, today=tomorrow, now=start_of(tomorrow)))


def _of_the_spell(plan: Plan, air: Air, *, now: datetime) -> Air:
    """The air without the days of spells that are over, which ask for nothing any more."""
    return ongoing(plan, air, today=_today(now), now=now)


def _today(now: datetime) -> date:
    return now.astimezone(SHANGHAI).date()
