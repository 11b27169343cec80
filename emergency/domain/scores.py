"""How well a replayed plan did, against what the same plan would have asked for had everybody known the air."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from emergency.domain.assessment import start_of
from emergency.domain.declaring import Declaration, Step
from emergency.domain.foresight import Past
from emergency.domain.hindsight import demanded
from emergency.domain.level import Level
from emergency.domain.plan import Metric, Plan
from emergency.domain.replay import Replay

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Tally:
    """Measured days at or above one level: asked for and in force, asked for only, in force only."""

    hits: int
    misses: int
    false_alarms: int


@dataclass(frozen=True)
class Scores:
    """
    The figures of one replay.

    ``by_level`` counts days at or above each level of the plan; ``any_level`` is the same for any warning at all.
    Of its false alarms ``early`` lie before the bad air of their own stretch and ``held`` after its beginning, where
    the release test kept a better day in force; the rest had no bad air at all. Days without a figure are not scored.

    ``mean_lead_hours``: from a warning's effect to the first hour over the plan's lowest mark (00:00 of that day where
    there are no hours), negative when the warning was late; ``mean_notice_hours`` the same from its issue. Each stretch
    in force that met bad air counts once; None when none did. ``spells`` are runs of days that asked for a warning.

    ``restricted_days``: days with any level in force; ``enterprise_days`` that many times the enterprises, None when
    nobody said how many there are.
    """

    days_at: Mapping[Level, int]
    by_level: Mapping[Level, Tally]
    any_level: Tally
    early: int
    held: int
    spells: int
    spells_warned: int
    warnings: int
    upgrades: int
    downgrades: int
    releases: int
    episodes: int
    reopened: int
    mean_lead_hours: float | None
    mean_notice_hours: float | None
    days_without_figure: int
    restricted_days: int
    enterprise_days: int | None


def scores(plan: Plan, past: Past, replay: Replay, *, enterprises: int | None = None) -> Scores:
    """What came of the replay, counted in days of the calendar and in declarations."""
    asked = demanded(plan, past.days, past.hourly.rows)
    in_force = {one.day: one.level for one in replay.days}
    lowest = min(plan.levels, default=Level.BLUE)
    stretches = list(_stretches(replay.declarations))
    first_bad = [_first_bad(one, asked, in_force, lowest) for one in stretches]
    met = [(one, _begins(plan, past, day)) for one, day in zip(stretches, first_bad, strict=True) if day]
    spells = list(_adjoining(day for day in sorted(asked) if asked[day] >= lowest))
    early, held = _of_false_alarms(stretches, asked, lowest)
    restricted = sum(level > Level.NONE for level in in_force.values())
    return Scores(
        days_at={
            level: sum(one is level for one in in_force.values()) for level in (Level.NONE, *sorted(plan.levels))
        },
        by_level={level: _tally(asked, in_force, level) for level in sorted(plan.levels)},
        any_level=_tally(asked, in_force, lowest),
        early=early,
        held=held,
        spells=len(spells),
        spells_warned=sum(any(in_force[day] >= lowest for day in one) for one in spells),
        warnings=len(replay.declarations),
        upgrades=sum(one.step is Step.UPGRADE for one in replay.declarations),
        downgrades=sum(one.step is Step.DOWNGRADE for one in replay.declarations),
        releases=sum(one.released_at is not None for one in replay.declarations),
        episodes=len({one.episode for one in replay.declarations}),
        reopened=sum(one.step is Step.REOPEN for one in replay.declarations),
        mean_lead_hours=_mean([begins - one[0].effective_at for one, begins in met]),
        mean_notice_hours=_mean([begins - one[0].issued_at for one, begins in met]),
        days_without_figure=len(replay.days) - len(asked),
        restricted_days=restricted,
        enterprise_days=None if enterprises is None else restricted * enterprises,
    )


def _tally(asked: Mapping[date, Level], in_force: Mapping[date, Level], level: Level) -> Tally:
    pairs = [(need >= level, in_force[day] >= level) for day, need in asked.items()]
    return Tally(pairs.count((True, True)), pairs.count((True, False)), pairs.count((False, True)))


def _stretches(declared: Sequence[Declaration]) -> Iterator[list[Declaration]]:
    """Declarations from an issue or a reopening to the release."""
    stretch: list[Declaration] = []
    for one in declared:
        if stretch and one.step not in (Step.UPGRADE, Step.DOWNGRADE):
            yield stretch
            stretch = []
        stretch.append(one)
    if stretch:
        yield stretch


def _covered(stretch: Sequence[Declaration], asked: Mapping[date, Level]) -> list[date]:
    return sorted(asked.keys() & {day for one in stretch for day in one.days(until=max(asked))})


def _first_bad(
    stretch: Sequence[Declaration], asked: Mapping[date, Level], in_force: Mapping[date, Level], lowest: Level
) -> date | None:
    """
    The first day of the bad air the stretch met, which may lie before the stretch itself: then it was late.

    Days that a stretch before had in force are that one's.
    """
    first = next((day for day in _covered(stretch, asked) if asked[day] >= lowest), None)
    while first is not None and asked.get(before := first - _DAY, Level.NONE) >= lowest and not in_force[before]:
        first = before
    return first


def _of_false_alarms(
    stretches: Sequence[Sequence[Declaration]], asked: Mapping[date, Level], lowest: Level
) -> tuple[int, int]:
    early = held = 0
    for one in stretches:
        bad = [asked[day] >= lowest for day in _covered(one, asked)]
        if any(bad):
            early += bad.index(True)
            held += bad[bad.index(True) :].count(False)
    return early, held


def _begins(plan: Plan, past: Past, day: date) -> datetime:
    """The first hour of the day over the plan's lowest mark; 00:00 where there are no hours or none is over it."""
    marks = [
        spell
        for clauses in plan.levels.values()
        for clause in clauses
        for spell in clause.spells
        if spell.metric is Metric.AQI
    ]
    lowest = min(marks, key=lambda one: (one.over, one.strict), default=None)
    for hour, aqi in enumerate(past.hours.get(day, ())):
        if lowest is not None and aqi is not None and lowest.asks(aqi):
            return start_of(day) + hour * _HOUR
    return start_of(day)


def _adjoining(days: Iterator[date]) -> Iterator[list[date]]:
    """The days cut wherever one is missing between two."""
    listed = list(days)
    cuts = [0, *(at for at, (before, after) in enumerate(pairwise(listed), 1) if after - before != _DAY), len(listed)]
    return (listed[first:end] for first, end in pairwise(cuts) if end > first)


def _mean(spans: Sequence[timedelta]) -> float | None:
    return round(sum(spans, timedelta()) / _HOUR / len(spans), 2) if spans else None
