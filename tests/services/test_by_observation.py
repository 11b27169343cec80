"""What was measured: its cause and its figure, what it triggers by itself, and that every source must be calm."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta

import pytest

from emergency.clock import SHANGHAI
from emergency.domain.assessment import Assessment
from emergency.domain.episode import Move
from emergency.domain.forecast import Cause, DayOfAir, Observation
from emergency.domain.level import Level
from emergency.plans.standards import load_standards
from emergency.services import intake
from tests.world import CITY, World

DUST = {"pm2_5": 60.0, "pm10": 500.0}
DAY = 24 * 60


@pytest.fixture
def city(world: World) -> World:
    """A city that reckons indices itself."""
    world.rules = replace(world.rules, standards=tuple(load_standards()))
    return world


def measure(
    world: World, *days_ago: int, aqi: int, primary: tuple[str, ...] = (), values: dict[str, float] | None = None
) -> None:
    """The same measured day so many days ago each."""
    today = world.now.astimezone(SHANGHAI).replace(hour=0, minute=0)
    some = [
        Observation("stations", "柳州", (today - timedelta(days=n)).astimezone(UTC), "day", values or {}, aqi, primary)
        for n in days_ago
    ]
    world.store.run(lambda tx: intake.keep_air(tx, [], some, now=world.now))


def judged(world: World) -> Assessment:
    """What the city's plan says now."""
    with world.store.reading() as tx:
        return world.rules.assess_now(tx, CITY, now=world.now)


def measured(world: World) -> list[DayOfAir]:
    """The measured days as the plan sees them."""
    with world.store.reading() as tx:
        air = world.rules.air_now(tx, CITY, now=world.now)
    assert air is not None
    return [one for one in air.days if one.source.value == "observed"]


def test_measured_days_give_a_suggestion_where_no_forecast_speaks(world: World) -> None:
    world.observe(310, 320, 330)

    (found,) = intake.weigh_all(world.store, world.rules, now=world.now)

    assert found.level > Level.YELLOW


@pytest.mark.parametrize(("other", "released"), [(60, True), (190, False)])
def test_a_release_is_suggested_only_when_every_source_is_calm(world: World, other: int, released: bool) -> None:
    (decision,) = world.forecast(210, 210, 90, 90, 90, feed="a")
    world.decide(decision)
    world.clock.forward(minutes=2 * DAY)
    world.observe(210, 210)
    world.forecast(other, 60, 60, feed="b")
    world.forecast(60, 60, 60, feed="a")

    with world.store.reading() as tx:
        waiting = tx.waiting_decision(decision.episode_id)
    assert (waiting is not None and waiting.move is Move.RELEASE) is released


def test_a_source_that_has_fallen_silent_holds_up_no_release(world: World) -> None:
    (decision,) = world.forecast(210, 210, 90, 90, 90, feed="a")
    world.decide(decision)
    world.clock.forward(minutes=6 * DAY)
    world.observe(210, 210, 90, 90, 90, 90)

    assert [one.move for one in world.forecast(60, 60, 60, feed="b")] == [Move.RELEASE]


@pytest.mark.parametrize("values", [{}, DUST])
def test_days_of_dust_that_were_foreseen_stay_days_of_dust_when_they_are_measured(
    city: World, values: dict[str, float]
) -> None:
    city.forecast(400, 400, 210, 90, causes=(Cause.SAND_DUST,) * 2 + (Cause.PM2_5,) * 2)
    city.clock.forward(minutes=3 * DAY)
    measure(city, 2, 1, aqi=400, primary=("pm10",), values=values)

    assert judged(city).run == (city.now.astimezone(SHANGHAI).date(),)
    assert {one.cause for one in measured(city)} == {Cause.SAND_DUST}


def test_dust_that_nobody_foresaw_shows_in_what_was_measured_and_triggers_nothing(city: World) -> None:
    city.forecast(90)
    measure(city, 2, 1, 0, aqi=400, primary=("pm10",), values=DUST)

    assert {(one.cause, one.aqi, one.published) for one in measured(city)} == {(Cause.SAND_DUST, 82, 400)}
    assert judged(city).level is Level.NONE


def test_a_day_of_fine_particles_is_one_even_where_dust_was_foreseen_and_counts_with_their_index(city: World) -> None:
    city.forecast(400, 400, 210, 90, causes=(Cause.SAND_DUST,) * 2 + (Cause.PM2_5,) * 2)
    city.clock.forward(minutes=3 * DAY)
    measure(city, 2, 1, aqi=500, primary=("pm10",), values={"pm2_5": 240.0, "pm10": 700.0})

    assert len(judged(city).run) == 3
    assert {(one.cause, one.aqi) for one in measured(city)} == {(Cause.PM2_5, 290)}


def test_primary_pollutants_that_are_fine_particles_speak_against_foreseen_dust(city: World) -> None:
    city.forecast(400, 400, 210, 90, causes=(Cause.SAND_DUST,) * 2 + (Cause.PM2_5,) * 2)
    city.clock.forward(minutes=3 * DAY)
    measure(city, 2, 1, aqi=400, primary=("pm2_5",))

    assert len(judged(city).run) == 3


@pytest.mark.parametrize("values", [{}, {"o3_8h": 400.0, "pm2_5": 20.0, "pm10": 30.0}])
def test_measured_days_led_by_ozone_alone_trigger_nothing(city: World, values: dict[str, float]) -> None:
    measure(city, 1, 0, aqi=230, primary=("o3",), values=values)
    city.forecast(230, 90, causes=(Cause.O3, Cause.PM2_5))

    assert judged(city).level is Level.NONE


def test_bad_ozone_hides_no_fine_particles(city: World) -> None:
    measure(city, 2, 1, 0, aqi=300, primary=("o3",), values={"o3_8h": 800.0, "pm2_5": 160.0, "pm10": 170.0})
    city.forecast(90)

    assert {(one.cause, one.aqi) for one in measured(city)} == {(Cause.PM2_5, 210)}


@pytest.mark.parametrize("values", [{}, {"pm2_5": 200.0, "pm10": 220.0}])
def test_a_day_of_fireworks_stays_one_when_it_is_measured(city: World, values: dict[str, float]) -> None:
    city.forecast(250, 210, causes=(Cause.FIREWORKS, Cause.PM2_5))
    city.clock.forward(minutes=2 * DAY)
    measure(city, 1, aqi=250, primary=("pm2_5",), values=values)

    assert [one.cause for one in measured(city)] == [Cause.FIREWORKS]


def test_a_source_that_names_no_cause_does_not_take_back_what_another_said(city: World) -> None:
    city.forecast(250, 210, causes=(Cause.FIREWORKS, Cause.PM2_5))
    city.clock.forward(minutes=60)
    city.forecast(90, 90, feed="model")
    city.clock.forward(minutes=2 * DAY - 60)
    measure(city, 1, aqi=250)

    assert [one.cause for one in measured(city)] == [Cause.FIREWORKS]
