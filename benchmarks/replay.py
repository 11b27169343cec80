"""Winters a second under a plan: from daily indices, and from hours of measured air over arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import rate
from emergency import vector
from emergency.domain.air import POLLUTANTS, Standard
from emergency.domain.forecast import DayOfAir, Source
from emergency.domain.foresight import Past, Perfect
from emergency.domain.replay import walk
from emergency.plans.plans import load_plans
from emergency.plans.standards import load_standards

WINTERS = 10
FLOOR = 5.0  # winters a second: ten winters of one city in two seconds, so that a plan can be tried while it is edited
PLAN = "mee-2024"  # looks at the lowest mark and therefore at the longest runs
FIRST = date(2013, 11, 1)
DAYS = 151  # November to March
MIDDLE = {"pm2_5": 75.0, "pm10": 110.0, "so2": 25.0, "no2": 55.0, "co": 12.0, "o3": 40.0}  # steps


class Rates(TypedDict):
    """Winters a second of each way beside the floor, and whether a repeat gave the same declarations."""

    winters: int
    winters_per_s: float
    hourly_winters_per_s: float
    floor_winters_per_s: float
    times_floor: float
    ten_winters_s: float
    floor_ten_winters_s: float
    declarations: int
    repeats_equal: bool
    floors_held: bool


def run(size: int = WINTERS) -> Rates:
    """
    Measure on ``size`` winters (November to March) of made-up hours in spells of days, one city, perfect foresight.

    ``winters_per_s`` walks days that are already indices, one winter at a time; ``hourly_winters_per_s`` starts from
    the hours and includes their way to an index.
    """
    plan, standard = load_plans()[PLAN], load_standards()[0]
    hours = made_up(size)
    winters = as_days(standard, hours, size)

    def walked(pasts: list[Past]) -> list[object]:
        return [walk(plan, past, Perfect(past)).declarations for past in pasts]

    daily = rate(size, lambda: walked(winters))
    hourly = rate(size, lambda: walked(as_days(standard, hours, size)))
    found = [walk(plan, past, Perfect(past)).declarations for past in winters]
    return Rates(
        winters=size,
        winters_per_s=daily,
        hourly_winters_per_s=hourly,
        floor_winters_per_s=FLOOR,
        times_floor=daily / FLOOR,
        ten_winters_s=10 / hourly,
        floor_ten_winters_s=10 / FLOOR,
        declarations=sum(map(len, found)),
        repeats_equal=found == walked(winters),
        floors_held=min(daily, hourly) >= FLOOR,
    )


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
