"""Air that comes by the hour: what the use cases make of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from emergency.clock import SHANGHAI
from emergency.domain.forecast import Forecast, ForecastHour, Observation
from emergency.domain.level import Level
from emergency.domain.plan import RunsOn
from emergency.plans.standards import load_standards
from emergency.services import intake
from tests.world import CITY, World


@pytest.fixture
def hourly(world: World) -> World:
    """A city whose plan runs on any 24 hours."""
    with world.store.reading() as tx:
        plan = world.rules.plan_of(tx, CITY)
    running = replace(plan, runs_on=RunsOn.ANY_24_HOURS)
    world.rules = replace(
        world.rules, plans={**world.rules.plans, plan.id: running}, standards=tuple(load_standards())
    )
    return world


def take_in(world: World, *, measured: int, foreseen: int) -> None:
    """So many hours measured up to now and so many foreseen, all at PM2.5 117, with clean hours on both sides."""
    at = world.now.astimezone(SHANGHAI).replace(minute=0, second=0, microsecond=0)

    def air(n: int) -> dict[str, float]:
        return {"pm2_5": 117.0 if -measured < n <= foreseen else 20.0}

    seen = [Observation("stations", "柳州", at + timedelta(hours=n), "hour", air(n)) for n in range(-60, 1)]
    hours = tuple(ForecastHour(at + timedelta(hours=n), None, air(n)) for n in range(1, 97))
    told = Forecast(feed="model", place="柳州", issued_at=world.now, days=(), hours=hours)
    world.store.run(lambda tx: intake.keep_air(tx, [told], seen, now=world.now))


@pytest.mark.parametrize(("measured", "foreseen", "windows"), [(10, 38, 2), (10, 37, 0)])
def test_measured_hours_and_foreseen_ones_make_the_windows_together(
    hourly: World, measured: int, foreseen: int, windows: int
) -> None:
    take_in(hourly, measured=measured, foreseen=foreseen)

    with hourly.store.reading() as tx:
        found = hourly.rules.assess_now(tx, CITY, now=hourly.now)

    assert (len(found.run), found.level > Level.NONE) == (windows, windows > 0)


def test_a_plan_on_calendar_days_takes_the_days_that_the_hours_of_a_source_make(world: World) -> None:
    world.rules = replace(world.rules, standards=tuple(load_standards()))
    take_in(world, measured=0, foreseen=96)

    with world.store.reading() as tx:
        found = world.rules.assess_now(tx, CITY, now=world.now)

    assert found.anchor is None
    assert [one.aqi for one in found.days if one.source.value == "forecast"][:2] == [153, 153]


def test_hours_that_make_no_whole_day_are_air_and_the_worse_windows_speak(hourly: World) -> None:
    """Each source has 30 hours around midnight; no calendar day of them has its 20."""
    at = hourly.now.astimezone(SHANGHAI).replace(hour=5, minute=0, second=0, microsecond=0) + timedelta(days=1)

    def told(feed: str, pm: float) -> Forecast:
        hours = tuple(ForecastHour(at + timedelta(hours=n), None, {"pm2_5": pm}) for n in range(1, 31))
        return Forecast(feed=feed, place="柳州", issued_at=hourly.now, days=(), hours=hours)

    hourly.store.run(lambda tx: intake.keep_air(tx, [told("a", 180.0), told("b", 20.0)], [], now=hourly.now))

    with hourly.store.reading() as tx:
        air = hourly.rules.air_now(tx, CITY, now=hourly.now)
        found = hourly.rules.assess_now(tx, CITY, now=hourly.now)

    assert air is not None
    assert ({one.feed for row in air.anchored for one in row}, air.days) == ({"a"}, ())
    assert (found.level, found.lead_days, found.anchor) == (Level.YELLOW, 1, 1)
