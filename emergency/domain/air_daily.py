"""Hours into days and stations into a city: means, the largest 8-h mean of ozone, and what has enough to count."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from itertools import accumulate
from math import lcm
from typing import NamedTuple

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
_COMMON = lcm(*range(1, SPAN + 1))  # over this, 8-h means of any count compare as whole numbers


class BadHours(Refused):
    """The hours of a place contradict each other or do not stand on the hour."""

    words_zh = "小时数据的时间无效或重复"


class Stamp(StrEnum):
    """Which end of the hour its time names; only the source knows."""

    START = "start"  # 00:00 … 23:00 make the day
    END = "end"  # 01:00 … 24:00 make the day, as the national publication has it


class Hour(NamedTuple):
    """
    One hour of one place: ``at`` aware, or naive in Asia/Shanghai; concentrations by pollutant, None = missing.

    A tuple, because a replay makes hundreds of thousands.
    """

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
    shift = timedelta(hours=1) if stamped is Stamp.END else None
    slots: dict[date, dict[str, list[Amount | None]]] = {}
    seen: set[datetime] = set()
    for hour in hours:
        local = hour.at.astimezone(SHANGHAI).replace(tzinfo=None) if hour.at.tzinfo else hour.at
        if local.minute or local.second or local.microsecond:
            raise BadHours(f"{local.isoformat()} is not on the hour")
        if local in seen:
            raise BadHours(f"{local.isoformat()} comes twice")
        seen.add(local)
        begins = local - shift if shift else local
        day = begins.date()
        if (its := slots.get(day)) is None:
            its = slots[day] = {name: [None] * HOURS for name in POLLUTANTS}
        for name, of_day in its.items():
            of_day[begins.hour] = hour.values.get(name)
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
    measured = [one for one in values if one is not None]
    if not measured or len(measured) < at_least:
        return None
    wholes, over = _in_wholes(measured)
    return Fraction(sum(wholes), over * len(wholes))


def _in_wholes(measured: Sequence[Amount]) -> tuple[list[int], int]:
    """The same amounts as whole numbers over one denominator: sums of those are exact, and a fraction is made once."""
    ratios = [one.as_integer_ratio() for one in measured]
    over = lcm(*{each for _, each in ratios})
    return [amount * (over // each) for amount, each in ratios], over


def mda8(ozone: Sequence[Amount | None], needs: Completeness) -> tuple[Fraction | None, int]:
    """
    The day's largest 8-h mean of ozone (日最大8小时平均) from its 24 hours, and how many 8-h means were valid.

    Means end 08:00 to 24:00, so that none reaches into the day before. With too few of them the largest still
    counts where it exceeds the limit (HJ 663-2013): the missing ones could only have raised it.
    """
    measured = [hour for hour, one in enumerate(ozone) if one is not None]
    wholes, over = _in_wholes([one for one in ozone if one is not None])
    so_far = list(accumulate(wholes, initial=0))
    before = [bisect_left(measured, hour) for hour in range(HOURS + 1)]
    largest, valid = 0, 0
    for end in range(SPAN, HOURS + 1):
        first, last = before[end - SPAN], before[end]
        if last - first >= needs.hours_for_8h:
            valid += 1
            largest = max(largest, (so_far[last] - so_far[first]) * (_COMMON // (last - first)))
    if not valid:
        return None, 0
    found = Fraction(largest, over * _COMMON)
    counts = valid >= needs.means_for_mda8 or found > needs.mda8_or_over
    return (found if counts else None), valid


def _largest_hour(ozone: Sequence[Amount | None], needs: Completeness) -> Fraction | None:
    measured = [one for one in ozone if one is not None]
    if not measured:
        return None
    largest = Fraction(max(measured))
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
        measured = [value for one in stations if (value := one.get(name)) is not None]
        enough = len(measured) * 100 >= standard.completeness.stations_percent * len(stations)
        means[name] = mean(measured, at_least=1) if enough else None
        if not enough:
            because[name] = f"{len(measured)} of {len(stations)} stations"
    return CityMean(means, because)
