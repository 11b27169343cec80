"""Winters a second under a plan: from daily indices, from hours over arrays, and by any 24 hours with persistence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import rate
from emergency import vector
from emergency.domain.air import POLLUTANTS, Standard
from emergency.domain.assessment import SHANGHAI
from emergency.domain.forecast import DayOfAir, Source
from emergency.domain.foresight import Past, Perfect, Persistence
from emergency.domain.plan import RunsOn
from emergency.domain.replay import walk
from emergency.domain.replay_hours import by_the_hour
from emergency.domain.windows import COUNTED, HourOfAir, windows
from emergency.plans.plans import load_plans
from emergency.plans.standards import load_standards

WINTERS = 10
RUNNING = 2  # of them by any 24 hours: their windows take longer to lay than to walk
FLOOR = 5.0  # winters a second: ten winters of one city in two seconds, so that a plan can be tried while it is edited
PLAN = "mee-2024"  # looks at the lowest mark and therefore at the longest runs
FIRST = date(2013, 11, 1)
DAYS = 151  # November to March
MIDDLE = {"pm2_5": 75.0, "pm10": 110.0, "so2": 25.0, "no2": 55.0, "co": 12.0, "o3": 40.0}  # steps
PER_UNIT = {"co": 10}  # steps to the unit people write: a tenth of a milligram


class Walked(TypedDict):
    """Winters a second by calendar days, and whether a repeat gave the same declarations."""

    winters: int
    winters_per_s: float
    hourly_winters_per_s: float
    declarations: int
    repeats_equal: bool


class Rates(Walked):
    """The same and winters a second by any 24 hours, beside the floor."""

    any_24_hours_winters_per_s: float
    floor_winters_per_s: float
    times_floor: float
    ten_winters_s: float
    any_24_hours_ten_winters_s: float
    floor_ten_winters_s: float
    floors_held: bool


def run(size: int = WINTERS) -> Rates:
    """Measure on ``size`` winters (November to March) of made-up hours in spells of days, one city."""
    walked, running = by_days(size), by_any_24_hours(min(size, RUNNING))
    return Rates(
        **walked,
        any_24_hours_winters_per_s=running,
        floor_winters_per_s=FLOOR,
        times_floor=walked["winters_per_s"] / FLOOR,
        ten_winters_s=10 / walked["hourly_winters_per_s"],
        any_24_hours_ten_winters_s=10 / running,
        floor_ten_winters_s=10 / FLOOR,
        floors_held=min(walked["winters_per_s"], walked["hourly_winters_per_s"], running) >= FLOOR,
    )


def by_days(size: int) -> Walked:
    """
    Winters a second of a plan on calendar days with perfect foresight.

    ``winters_per_s`` walks days that are already indices, one winter at a time; ``hourly_winters_per_s`` starts from
    the hours and includes their way to an index.
    """
    plan, standard = load_plans()[PLAN], load_standards()[0]
    hours = made_up(size)
    winters = as_days(standard, hours, size)

    def walked(pasts: list[Past]) -> list[object]:
        return [walk(plan, past, Perfect(past)).declarations for past in pasts]

    found = [walk(plan, past, Perfect(past)).declarations for past in winters]
    return Walked(
        winters=size,
        winters_per_s=rate(size, lambda: walked(winters)),
        hourly_winters_per_s=rate(size, lambda: walked(as_days(standard, hours, size))),
        declarations=sum(map(len, found)),
        repeats_equal=found == walked(winters),
    )


def by_any_24_hours(winters: int, *, days: int = DAYS) -> float:
    """
    Winters a second of the same plan on any 24 hours, by whoever says that tomorrow is as today.

    Windows at 24 anchors are foreseen anew each evening; laying the measured ones is not counted.
    """
    plan = replace(load_plans()[PLAN], runs_on=RunsOn.ANY_24_HOURS)
    pasts = as_windows(made_up(winters), winters, days)
    return rate(winters, lambda: [walk(plan, past, Persistence()) for past in pasts])


def made_up(winters: int) -> Mapping[str, NDArray[np.int32]]:
    """Hours of air, (days, 24) in steps: log-normal days that hold on for about four, the same at every run."""
    dice = np.random.default_rng(2016)
    days = winters * DAYS
    slow = np.empty(days)
    before = 0.0
    for at, push in enumerate(dice.normal(0.0, 1.0, days)):
        before = slow[at] = 0.75 * before + 0.66 * push
    columns = {}
    for name in POLLUTANTS:
        noise = dice.normal(0.0, 0.15, (days, 24))
        columns[name] = np.rint(MIDDLE[name] * np.exp(0.75 * slow[:, None] + noise)).astype(np.int32)
    return columns


def as_days(standard: Standard, hours: Mapping[str, NDArray[np.int32]], winters: int) -> list[Past]:
    """The hours as trigger indices by day, without ozone, one past for each winter."""
    found = vector.day_indices(standard, dict(hours))
    counted = [found.iaqi[name] for name in POLLUTANTS if name != "o3"]
    trigger = np.maximum.reduce(counted).tolist()
    pasts = []
    for winter in range(winters):
        first = FIRST.replace(year=FIRST.year + winter)
        figures = trigger[winter * DAYS : (winter + 1) * DAYS]
        day = DayOfAir(first, 0, Source.OBSERVED)
        pasts.append(
            Past("", tuple(replace(day, day=first + timedelta(days=n), aqi=aqi) for n, aqi in enumerate(figures)))
        )
    return pasts


def as_windows(hours: Mapping[str, NDArray[np.int32]], winters: int, days: int) -> list[Past]:
    """The first days of each winter by the hour, without ozone, and their windows; one past for each winter."""
    standards, pasts = load_standards(), []
    for winter in range(winters):
        first = datetime.combine(FIRST.replace(year=FIRST.year + winter), time(), SHANGHAI).astimezone(UTC)
        figures = {
            name: (hours[name][winter * DAYS : winter * DAYS + days].ravel() / PER_UNIT.get(name, 1)).tolist()
            for name in COUNTED
        }
        measured = [
            HourOfAir(first + timedelta(hours=n + 1), dict(zip(figures, values, strict=True)), Source.OBSERVED)
            for n, values in enumerate(zip(*figures.values(), strict=True))
        ]
        calendar = windows(measured, standards, anchors=(0,))[0]
        pasts.append(Past("", calendar, hourly=by_the_hour(calendar, measured, standards)))
    return pasts
