"""Hours into days and stations into a city: means, the largest 8-h mean of ozone, and what has enough to count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from emergency.domain.air import (
    POLLUTANTS,
    SHANGHAI,
    VALUES,
    Amount,
    BadConcentration,
    Completeness,
    Standard,
    standard_for,
)
from emergency.errors import Refused

HOURS = 24
SPAN = 8  # hours of an 8-h mean


class BadHours(Refused):
    """The hours of a place contradict each other or do not stand on the hour."""

    words_zh = "小时数据的时间无效或重复"


class Stamp(StrEnum):
    """Which end of the hour its time names; only the source knows."""

    START = "start"  # 00:00 … 23:00 make the day
    END = "end"  # 01:00 … 24:00 make the day, as the national publication has it


@dataclass(frozen=True)
class Hour:
    """One hour of one place: ``at`` aware, or naive in Asia/Shanghai; concentrations by pollutant, None = missing."""

    at: datetime
    values: Mapping[str, Amount | None]


@dataclass(frozen=True)
class DayOfValues:
    """
    One calendar day of one place, ready for ``air.index``.

    ``values``: 24-h means, ``o3`` the largest hour, ``o3_8h`` the MDA8; None = not enough hours, and ``because`` says
    how many there were. Means are exact; rounding is the edition's business.
    """

    day: date
    standard: Standard
    values: Mapping[str, Amount | None]
    hours: Mapping[str, int]
    because: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CityMean:
    """A city's concentrations, and why a value could not be had."""

    values: Mapping[str, Fraction | None]
    because: Mapping[str, str] = field(default_factory=dict)


def daily(hours: Iterable[Hour], standards: Sequence[Standard], *, stamped: Stamp) -> list[DayOfValues]:
    """
    The days these hours of ONE place belong to, oldest first; a day without any hour is not among them.

    Each day is judged by the edition in force on it, out of ``standards``.

    :raises BadHours: an hour twice, or a time that is not on the hour
    """
    slots: dict[date, dict[str, list[Amount | None]]] = {}
    seen: set[datetime] = set()
    for hour in hours:
        local = hour.at.astimezone(SHANGHAI).replace(tzinfo=None) if hour.at.tzinfo else hour.at
        if local.minute or local.second or local.microsecond:
            raise BadHours(f"{local.isoformat()} is not on the hour")
        if local in seen:
            raise BadHours(f"{local.isoformat()} comes twice")
        seen.add(local)
        begins = local if stamped is Stamp.START else local - timedelta(hours=1)
        day = slots.setdefault(begins.date(), {name: [None] * HOURS for name in POLLUTANTS})
        for name in POLLUTANTS:
            day[name][begins.hour] = hour.values.get(name)
    return [_one_day(day, slots[day], standard_for(day, standards)) for day in sorted(slots)]


def _one_day(day: date, slots: Mapping[str, Sequence[Amount | None]], standard: Standard) -> DayOfValues:
    needs = standard.completeness
    values: dict[str, Amount | None] = {}
    because: dict[str, str] = {}
    counts = {name: sum(one is not None for one in slots[name]) for name in POLLUTANTS}
    for name in POLLUTANTS:
        if name == "o3":
            continue
        values[name] = mean(slots[name], at_least=needs.hours_for_mean)
        if values[name] is None:
            because[name] = f"{counts[name]} of {needs.hours_for_mean} hours"
    values["o3"] = _largest_hour(slots["o3"], needs)
    if values["o3"] is None:
        because["o3"] = f"{counts['o3']} of {needs.hours_for_max_1h} hours"
    values["o3_8h"], means = mda8(slots["o3"], needs)
    if values["o3_8h"] is None:
        because["o3_8h"] = f"{means} of {needs.means_for_mda8} 8-h means"
    return DayOfValues(day, standard, values, counts, because)


def mean(values: Sequence[Amount | None], *, at_least: int) -> Fraction | None:
    """The mean of what was measured, exact; None with fewer than ``at_least`` values."""
    measured = [Fraction(one) for one in values if one is not None]
    if not measured or len(measured) < at_least:
        return None
    return sum(measured, Fraction()) / len(measured)


def mda8(ozone: Sequence[Amount | None], needs: Completeness) -> tuple[Fraction | None, int]:
    """
    The day's largest 8-h mean of ozone (日最大8小时平均) from its 24 hours, and how many 8-h means were valid.

    Means end 08:00 to 24:00, so that none reaches into the day before. With too few of them the largest still
    counts where it exceeds the limit (HJ 663-2013): the missing ones could only have raised it.
    """
    spans = [mean(ozone[end - SPAN : end], at_least=needs.hours_for_8h) for end in range(SPAN, HOURS + 1)]
    valid = [one for one in spans if one is not None]
    if not valid:
        return None, 0
    largest = max(valid)
    counts = len(valid) >= needs.means_for_mda8 or largest > needs.mda8_or_over
    return (largest if counts else None), len(valid)


def _largest_hour(ozone: Sequence[Amount | None], needs: Completeness) -> Fraction | None:
    measured = [one for one in ozone if one is not None]
    if not measured:
        return None
    largest = max(Fraction(one) for one in measured)
    return largest if len(measured) >= needs.hours_for_max_1h or largest > needs.max_1h_or_over else None


def city_mean(standard: Standard, stations: Sequence[Mapping[str, Amount | None]]) -> CityMean:
    """
    The city's concentrations: the plain mean over its stations, exact, each pollutant for itself (HJ 663).

    ``stations`` holds one mapping for every station the city has, also for one that measured nothing; a pollutant
    measured at fewer than the edition's share of them has no city value. Rounding is left to ``index``.

    :raises BadConcentration: a name that is nobody's
    """
    means: dict[str, Fraction | None] = {}
    because: dict[str, str] = {}
    for name in sorted(set().union(*stations)):
        if name not in VALUES:
            raise BadConcentration(f"no such measured value: {name}")
        measured = [Fraction(value) for one in stations if (value := one.get(name)) is not None]
        if len(measured) * 100 >= standard.completeness.stations_percent * len(stations):
            means[name] = sum(measured, Fraction()) / len(measured)
        else:
            means[name] = None
            because[name] = f"{len(measured)} of {len(stations)} stations"
    return CityMean(means, because)
