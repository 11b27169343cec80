"""A feed that measures by the hour: its days, what the rule makes of them, and what forecasts were worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import text

from emergency.clock import SHANGHAI
from emergency.domain.forecast import Observation
from emergency.domain.level import Level
from emergency.plans.standards import load_standards
from emergency.services import intake, verifying
from emergency.services.days import make_days
from tests.world import CITY, World

STANDARDS = tuple(load_standards())


@pytest.fixture
def measuring(world: World) -> World:
    """The city with the editions of the index at hand."""
    world.rules = replace(world.rules, standards=STANDARDS)
    return world


def hours(world: World, days_ago: int, *, pm2_5: float = 260.0, which: Sequence[int] = range(1, 25)) -> None:
    """Hours of one day, each by its end (1 to 24), as the national publication's city mean has them."""
    day = world.now.astimezone(SHANGHAI).date() - timedelta(days=days_ago)
    midnight = datetime.combine(day, time(), SHANGHAI)
    some = [
        Observation(
            feed="cnemc",
            place="柳州",
            at=(midnight + timedelta(hours=hour)).astimezone(UTC),
            period="hour",
            values={"pm2_5": pm2_5, "pm10": pm2_5 * 1.2, "so2": 10.0, "no2": 40.0, "co": 1.0, "o3": 20.0},
            raw_sha256=f"{pm2_5}",
        )
        for hour in which
    ]
    world.store.run(lambda tx: intake.keep_air(tx, [], some, now=world.now))


def made(world: World) -> list[Observation]:
    """The city's days after the hours were looked at."""
    today = world.now.astimezone(SHANGHAI).date()
    world.store.run(lambda tx: make_days(tx, world.rules, now=world.now))
    with world.store.reading() as tx:
        return tx.observed_days("柳州", since=today - timedelta(days=30), until=today)


def days_ago(world: World, one: Observation) -> int:
    """How many days before today."""
    return (world.now.astimezone(SHANGHAI).date() - one.at.astimezone(SHANGHAI).date()).days


def test_hours_measured_on_heavy_days_reach_the_rule(measuring: World) -> None:
    for ago in (3, 2, 1):
        hours(measuring, ago)

    measuring.forecast(160, 60, 60)

    with measuring.store.reading() as tx:
        run = measuring.rules.assess_now(tx, CITY, now=measuring.now)
    assert len(run.run) >= 3
    assert run.level > Level.NONE


def test_a_day_is_the_mean_of_the_hours_that_end_from_one_to_twenty_four(measuring: World) -> None:
    hours(measuring, 2, pm2_5=100.0)
    hours(measuring, 1, pm2_5=50.0)

    before, yesterday = made(measuring)

    assert (before.values["pm2_5"], yesterday.values["pm2_5"]) == (100.0, 50.0)
    assert (before.feed, before.period, before.values["o3_8h"]) == ("cnemc", "day", 20.0)


@pytest.mark.parametrize(("count", "found"), [(20, 1), (19, 0)])
def test_a_day_needs_twenty_hours(measuring: World, count: int, found: int) -> None:
    hours(measuring, 1, which=range(1, count + 1))

    assert sum("pm2_5" in one.values for one in made(measuring)) == found


def test_the_day_under_way_is_not_made(measuring: World) -> None:
    measuring.clock.turn_to(measuring.now.astimezone(SHANGHAI).replace(hour=23, minute=30))
    hours(measuring, 0, which=range(1, 24))

    assert made(measuring) == []


def test_a_late_hour_and_a_corrected_one_make_their_day_anew(measuring: World) -> None:
    hours(measuring, 1, pm2_5=100.0, which=range(1, 24))
    (first,) = made(measuring)
    hours(measuring, 1, pm2_5=124.0, which=[24])
    (late,) = made(measuring)
    hours(measuring, 1, pm2_5=220.0, which=[1])
    (corrected,) = made(measuring)

    found = [one.values["pm2_5"] for one in (first, late, corrected)]
    assert found == [100.0, 101.0, 106.0]


def test_asked_again_it_finds_nothing_to_do_and_says_nothing(measuring: World) -> None:
    hours(measuring, 1)
    changed = [measuring.store.run(lambda tx: make_days(tx, measuring.rules, now=measuring.now)) for _ in range(2)]

    with measuring.store.reading() as tx:
        said = tx.connection.execute(text("select count(*) from journal where what = 'observation.days_made'"))
        assert (changed, said.scalar()) == ([1, 0], 1)


def test_a_day_that_the_feed_gives_itself_stands(measuring: World) -> None:
    hours(measuring, 1)
    day = datetime.combine(measuring.now.astimezone(SHANGHAI).date() - timedelta(days=1), time(), SHANGHAI)
    own = Observation(feed="cnemc", place="柳州", at=day.astimezone(UTC), period="day", aqi=207)
    measuring.store.run(lambda tx: intake.keep_air(tx, [], [own], now=measuring.now))

    assert [one.aqi for one in made(measuring)] == [207]


def test_a_station_of_the_city_makes_no_day_of_its_own(measuring: World) -> None:
    hours(measuring, 1)
    station = Observation("cnemc", "柳州:1001A", measuring.now.replace(minute=0, second=0), "hour", {"pm2_5": 9.0})
    measuring.store.run(lambda tx: intake.keep_air(tx, [], [station], now=measuring.now))

    assert {one.place for one in made(measuring)} == {"柳州"}


def test_a_forecast_is_held_against_the_day_that_measured_hours_made(measuring: World) -> None:
    measuring.forecast(300)
    measuring.clock.turn_to(measuring.now + timedelta(days=2))
    hours(measuring, 1)
    intake.weigh_all(measuring.store, measuring.rules, now=measuring.now)

    verifying.verify_all(measuring.store, by_hour=18, now=measuring.now)

    with measuring.store.reading() as tx:
        figures = verifying.figures_of(tx, "柳州", days=7, now=measuring.now)
    assert [(one.observed_aqi, one.forecast_aqi) for one in figures[2]] == [(310, 300)]
