"""What the air asked for, told by who knows all of it: the level of each day, and each run that asks for one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

from emergency.domain.forecast import Air, DayOfAir
from emergency.domain.level import Level
from emergency.domain.plan import Clause, Plan, RunsOn, Spell
from emergency.domain.replay_hours import Rows, touched

_DAY = timedelta(days=1)


def demanded(plan: Plan, days: Sequence[DayOfAir], rows: Rows = ()) -> Mapping[date, Level]:
    """
    The level each measured day asked for with hindsight: the highest whose whole run of days has that day in it.

    Of a plan that runs on any 24 hours, whose ``rows`` these are, the highest of whose runs any hour lies in that day:
    a level in force at any moment of a day counts for the day as well. With hindsight observed and forecast are the
    same, so a spell's origin is not looked at.
    """
    found = {one.day: Level.NONE for one in days}
    for level, day in asked(plan, days, rows):
        if day in found:
            found[day] = level
    return found


def asked(plan: Plan, days: Sequence[DayOfAir], rows: Rows) -> Iterator[tuple[Level, date]]:
    """Each level with each day it is asked for on, the lowest level first."""
    judged = enumerate(rows) if plan.runs_on is RunsOn.ANY_24_HOURS else [(0, days)]
    looked_at = list(judged)
    for level in sorted(plan.levels):
        for clause in plan.levels[level]:
            for anchor, row in looked_at:
                for run in _meeting(plan, clause, row):
                    for day in touched(run, anchor=anchor):
                        yield level, day


def last_asked(plan: Plan, air: Air) -> Mapping[Level, date]:
    """Each level that is asked for, with the last day that a run giving it touches."""
    found: dict[Level, date] = {}
    for level, day in asked(plan, air.days, air.anchored):
        found[level] = max(day, found.get(level, day))
    return found


def _meeting(plan: Plan, clause: Clause, days: Sequence[DayOfAir]) -> Iterator[Sequence[DayOfAir]]:
    """Every run of the clause's first spell that is long enough and has the others inside."""
    first, *inner = clause.spells
    for run in _runs(plan, first, days):
        if len(run) >= first.days and _has_inside(plan, inner, run):
            yield run


def _has_inside(plan: Plan, spells: Sequence[Spell], days: Sequence[DayOfAir]) -> bool:
    if not spells:
        return True
    first, *inner = spells
    return any(len(run) >= first.days and _has_inside(plan, inner, run) for run in _runs(plan, first, days))


def _runs(plan: Plan, spell: Spell, days: Sequence[DayOfAir]) -> Iterator[Sequence[DayOfAir]]:
    run: list[DayOfAir] = []
    for one in days:
        value = plan.value(one, spell.metric)
        counts = value is not None and plan.orders(one) and spell.asks(value)
        if run and (not counts or one.day - run[-1].day != _DAY):
            yield run
            run = []
        if counts:
            run.append(one)
    if run:
        yield run
