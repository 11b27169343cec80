"""When a warning may be lowered without being lifted, and to which level: by the calm test, never by a lower figure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import floor

from emergency.domain.assess import holding
from emergency.domain.assessment import SHANGHAI, start_of
from emergency.domain.calm import Calm, stays
from emergency.domain.forecast import Air
from emergency.domain.level import Level
from emergency.domain.plan import DAY_HOURS, Metric, Plan, ReleaseRule


def falls_to(plan: Plan, air: Air, level: Level, *, spell_until: datetime | None, now: datetime) -> Level | None:
    """
    The level that ``level`` gives way to, or None while it stands.

    The test of the release, against the level's own mark: two whole days (more than the plan's hours) on which the
    lowest mark of its trigger is not passed, once the run that gave it is over (``spell_until``, its end). Then the
    highest lower level that the whole spell still asks for and that has not been outlived in the same way; the plan's
    lowest where none is left, for nothing but the release test lifts a warning. One step at a time unless the plan
    lets levels be skipped (domain sheet 2.1; red to yellow in Laibin, 2026-02-06). A plan without a rule for it, or
    one that looks at a concentration, lowers nothing by itself.
    """
    if plan.downgrade_hours_over is None or level is Level.NONE:
        return None
    tomorrow = start_of(now.astimezone(SHANGHAI).date() + timedelta(days=1))
    if (spell_until is not None and spell_until > tomorrow) or not _outlived(plan, air, level, now=now):
        return None
    lower = sorted(one for one in plan.levels if one < level)
    if not lower:
        return None
    if not plan.downgrade_may_skip:
        return lower[-1]
    asked = holding(plan, air)
    standing = [one for one in lower if one in asked and not _outlived(plan, air, one, now=now)]
    return standing[-1] if standing else lower[0]


def whole_days_of(plan: Plan) -> int:
    """The whole days ahead the plan's rule looks at: the least that are strictly more than its hours; 0 without one."""
    hours = plan.downgrade_hours_over
    return 0 if hours is None else floor(hours / DAY_HOURS) + 1


def falls_in_all(
    plan: Plan, airs: Sequence[Air], level: Level, *, spell_until: datetime | None, now: datetime
) -> Level | None:
    """The same of the air as several sources have it: None while any holds the level, else the highest told."""
    found = [falls_to(plan, air, level, spell_until=spell_until, now=now) for air in airs]
    return None if None in found else max((one for one in found if one is not None), default=None)


def _outlived(plan: Plan, air: Air, level: Level, *, now: datetime) -> bool:
    """Whether the air stays below the level's own mark for more than the plan's hours."""
    test = outlived(plan, air, level, now=now)
    return test is not None and test.met


def outlived(plan: Plan, air: Air, level: Level, *, now: datetime) -> Calm | None:
    """The test of a level against its own mark, with its words; None where the plan has no rule for it."""
    hours = plan.downgrade_hours_over
    spells = [spell for clause in plan.levels.get(level, ()) for spell in clause.spells]
    if hours is None or not spells or any(spell.metric is not Metric.AQI for spell in spells):
        return None
    mark = min(spell.over if spell.strict else spell.over - 1 for spell in spells)  # an index is a whole number
    rule = ReleaseRule(not_over=mark, hours_over=hours, whole_days=whole_days_of(plan))
    return stays(plan, air, rule, now=now)
