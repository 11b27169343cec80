"""When a warning may be lowered without being lifted, and to which level: by the calm test, never by a lower figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from math import floor

from emergency.domain.assess import ongoing
from emergency.domain.assessment import SHANGHAI
from emergency.domain.calm import Calm, stays
from emergency.domain.forecast import Air
from emergency.domain.hindsight import last_asked
from emergency.domain.level import Level
from emergency.domain.plan import DAY_HOURS, Metric, Plan, ReleaseRule


def falls_to(plan: Plan, airs: Sequence[Air], *, in_force: Level, verdict: Level, now: datetime) -> Level | None:
    """
    What the higher of the level in force and the ``verdict`` on the air gives way to; None while it stands.

    A level stands until it is outlived: two whole days (more than the plan's hours) on which the lowest mark of its
    trigger is not passed, and no run that gives it reaching into them or lying beyond (2017: two spells without a calm
    between them are one, taken strictly). It matters not whether the air still says as much as is in force: a better
    day amid a spell neither lowers a warning, nor keeps it up once the days after it are below its mark.

    What is outlived gives way to the highest lower level that the spell still asks for and that stands itself; to the
    plan's lowest where none is left, for nothing but the release test lifts a warning. A level in force is lowered one
    step at a time unless the plan lets levels be skipped (domain sheet 2.1; red to yellow in Laibin, 2026-02-06); a
    verdict that is outlived before it was in force is no step. A plan without a rule for it, or one that looks at a
    concentration, lowers nothing by itself. ``airs`` are those of several sources: what stands by one of them stands.

    :raises Unmeasured, Disorder: see :func:`emergency.domain.assess.assess`
    """
    held = max(in_force, verdict)
    lower = [one for one in sorted(plan.levels) if one < held]
    if not airs or not lower or not _outlived(plan, airs, held, now=now):
        return None
    tomorrow = _today(now) + timedelta(days=1)
    lasts = _last_asked(plan, airs, now=now)
    if held in lasts and lasts[held] >= tomorrow:
        return None
    if verdict <= in_force and not plan.downgrade_may_skip:
        return lower[-1]
    asked = (one for one in reversed(lower) if one in lasts)
    standing = (one for one in asked if lasts[one] >= tomorrow or not _outlived(plan, airs, one, now=now))
    left = next(standing, lower[0])
    if left > in_force or verdict <= in_force:
        return left
    fallen = falls_to(plan, airs, in_force=in_force, verdict=Level.NONE, now=now)
    return in_force if fallen is None else fallen


def whole_days_of(plan: Plan) -> int:
    """The whole days ahead the plan's rule looks at: the least that are strictly more than its hours; 0 without one."""
    hours = plan.downgrade_hours_over
    return 0 if hours is None else floor(hours / DAY_HOURS) + 1


def lowering_rule(plan: Plan, level: Level) -> ReleaseRule | None:
    """By which mark, and how long, a level is outlived; None where the plan has no rule for it."""
    hours = plan.downgrade_hours_over
    spells = [spell for clause in plan.levels.get(level, ()) for spell in clause.spells]
    if hours is None or not spells or any(spell.metric is not Metric.AQI for spell in spells):
        return None
    mark = min(spell.over if spell.strict else spell.over - 1 for spell in spells)  # an index is a whole number
    return ReleaseRule(not_over=mark, hours_over=hours, whole_days=whole_days_of(plan))


def outlived(plan: Plan, air: Air, level: Level, *, now: datetime) -> Calm | None:
    """The test of a level against its own mark, with its words; None where the plan has no rule for it."""
    rule = lowering_rule(plan, level)
    return None if rule is None else stays(plan, air, rule, now=now)


def _outlived(plan: Plan, airs: Sequence[Air], level: Level, *, now: datetime) -> bool:
    """Whether by each of these airs the level's own mark is not passed for more than the plan's hours."""
    tests = (outlived(plan, air, level, now=now) for air in airs)
    return all(test is not None and test.met for test in tests)


def _last_asked(plan: Plan, airs: Sequence[Air], *, now: datetime) -> Mapping[Level, date]:
    """Each level that the spell still asks for by any of these airs, and until which day; not what is over."""
    found: dict[Level, date] = {}
    for air in airs:
        for level, day in last_asked(plan, ongoing(plan, air, today=_today(now), now=now)).items():
            found[level] = max(day, found.get(level, day))
    return found


def _today(now: datetime) -> date:
    return now.astimezone(SHANGHAI).date()
