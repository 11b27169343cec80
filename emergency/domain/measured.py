"""Days that were measured as a plan counts them: the trigger's figure, and the cause that was foreseen or shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final

from emergency.domain.air import Index, Period, Standard, as_written, index, standard_for, trigger_aqi
from emergency.domain.assessment import SHANGHAI
from emergency.domain.forecast import Cause, DayOfAir, Forecast, Observation, Source
from emergency.domain.plan import Metric, Plan

POLLUTED_OVER: Final = 100  # HJ 633: from 101 on the air is polluted
_SHOWS: Final = {Cause.O3: "o3", Cause.SAND_DUST: "pm10"}
"""Causes that show in a pollutant of their own; smoke, transport and fireworks are fine particles like any others."""


def causes_said(forecasts: Iterable[Forecast]) -> dict[date, Cause]:
    """
    What drives each day by the last word of a source, where that is not PM2.5; of several sources the newest word.

    A source that names no cause has not denied one, so it does not take back what another has said.
    """
    last: dict[str, dict[date, tuple[Forecast, Cause]]] = {}
    for one in forecasts:
        last.setdefault(one.feed, {}).update({day.day: (one, day.cause) for day in one.days})
    said = [(day, *word) for words in last.values() for day, word in words.items() if word[1] is not Cause.PM2_5]
    return {day: cause for day, _, cause in sorted(said, key=lambda one: (one[0], one[1].issued_at, one[1].feed))}


def measured_days(
    some: Iterable[Observation], plan: Plan, *, said: Mapping[date, Cause], standards: Sequence[Standard]
) -> list[DayOfAir]:
    """
    One figure a day; of two feeds the one that counts for a trigger, else the worse; the others stay in the table.

    A day led by ozone alone is an ozone day; other causes are those foreseen (``said``). Where a foreseen ozone or
    dust day turns out to be one of fine particles by what was measured, it counts as such, with their index alone.
    Where both particles were measured the figure is reckoned from the concentrations, without ozone and on a dust day
    without PM10 (环大气〔2024〕6号); else the published index stands.
    """
    mark = _lowest_mark(plan)
    found: dict[date, DayOfAir] = {}

    def rank(one: DayOfAir) -> tuple[bool, int]:
        return plan.orders(one) and one.aqi > mark, one.aqi

    for one in some:
        told = _day(one, mark, said=said, standards=standards)
        if told is not None and (told.day not in found or rank(found[told.day]) < rank(told)):
            found[told.day] = told
    return list(found.values())


def _day(
    one: Observation, mark: float, *, said: Mapping[date, Cause], standards: Sequence[Standard]
) -> DayOfAir | None:
    if one.aqi is None:
        return None
    day = one.at.astimezone(SHANGHAI).date()
    foreseen = said.get(day, Cause.PM2_5)
    aqi, cause = one.aqi, _shown(one, foreseen)
    read = _read(day, one, standards)
    if read is not None:
        standard, told = read
        fine = told.iaqi["pm2_5"]
        if cause in _SHOWS and fine is not None and fine > mark:
            aqi, cause = fine, Cause.PM2_5
        elif told.iaqi["pm10"] is not None and fine is not None:
            counted = trigger_aqi(standard, told, sand_dust=cause is Cause.SAND_DUST)
            aqi = aqi if counted is None else counted
            if cause is Cause.O3 and aqi > mark:
                cause = Cause.PM2_5  # ozone leads and hides nobody: the others are over the mark by themselves
    pm = one.values.get("pm2_5")
    return DayOfAir(
        day=day,
        aqi=aqi,
        source=Source.OBSERVED,
        primary=one.primary,
        cause=cause,
        feed=one.feed,
        pm2_5=None if pm is None else float(pm),
    )


def _shown(one: Observation, foreseen: Cause) -> Cause:
    """The cause by the primary pollutants where they speak for themselves, else the one foreseen."""
    if one.primary == ("o3",) and (one.aqi or 0) > POLLUTED_OVER:
        return Cause.O3
    if foreseen in _SHOWS and one.primary and _SHOWS[foreseen] not in one.primary:
        return Cause.PM2_5
    return foreseen


def _read(day: date, one: Observation, standards: Sequence[Standard]) -> tuple[Standard, Index] | None:
    if not standards or not one.values:
        return None
    standard = standard_for(day, standards)
    return standard, index(standard, {name: as_written(it) for name, it in one.values.items()}, period=Period.DAY)


def _lowest_mark(plan: Plan) -> float:
    """The lowest index that matters to the plan, of its triggers and its release."""
    marks = [
        spell.over
        for clauses in plan.levels.values()
        for clause in clauses
        for spell in clause.spells
        if spell.metric is Metric.AQI
    ]
    if plan.release_rule is not None:
        marks.append(plan.release_rule.not_over)
    return min(marks, default=POLLUTED_OVER)
