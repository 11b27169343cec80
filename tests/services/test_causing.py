"""What a person says drives a day: for one source, at the next assessment, in the journal, never for a signature."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, timedelta

import pytest

from emergency.clock import SHANGHAI
from emergency.domain import advising
from emergency.domain.assessment import Assessment
from emergency.domain.episode import Move
from emergency.domain.forecast import Cause, DayOfAir, Forecast, ForecastDay, Observation
from emergency.domain.level import Level
from emergency.domain.people import NotAllowed
from emergency.errors import Refused
from emergency.plans.standards import load_standards
from emergency.services import causing, intake
from emergency.services.causing import DayTold
from emergency.store import desk
from tests.world import CITY, World

DUSTY = {"pm2_5": 100.0, "pm10": 450.0, "so2": 5.0, "no2": 20.0, "co": 0.5, "o3_8h": 60.0}


@pytest.fixture
def city(world: World) -> World:
    """A city that reckons indices itself."""
    world.rules = replace(world.rules, standards=tuple(load_standards()))
    return world


def ahead(world: World, days: int) -> date:
    """So many days from today."""
    return world.now.astimezone(SHANGHAI).date() + timedelta(days=days)


def say(
    world: World,
    day: int,
    cause: Cause | None,
    *,
    feed: str = "bureau",
    because: str = "卫星火点",
    by: str = "city-duty",
) -> None:
    """An officer sets the cause of the day so many days from today."""
    world.store.run(
        lambda tx: causing.say(
            tx, world.rules, feed=feed, day=ahead(world, day), cause=cause, because=because, by=world.person(by),
            now=world.now,
        )
    )  # fmt: skip


def told(world: World) -> dict[tuple[str, date], DayTold]:
    """What the page shows, by source and day."""
    with world.store.reading() as tx:
        found = causing.told(tx, world.rules, "柳州", now=world.now)
    return {(one.now.feed, one.now.day): one for one in found}


def judged(world: World) -> Assessment:
    """What the city's plan says now."""
    with world.store.reading() as tx:
        return world.rules.assess_now(tx, CITY, now=world.now)


def test_a_cause_set_by_a_person_counts_at_the_next_assessment_and_can_be_taken_back(world: World) -> None:
    world.forecast(230, 240, 230)
    assert judged(world).level > Level.NONE

    for day in (1, 2, 3):
        say(world, day, Cause.WILDFIRE)
    found = judged(world)
    assert (found.level, {one.cause for one in found.days}, {one.said_by for one in found.days}) == (
        Level.NONE,
        {Cause.WILDFIRE},
        {"city-duty"},
    )

    say(world, 2, None, because="火点已灭")
    assert judged(world).level > Level.NONE
    assert {one.said_by for one in judged(world).days} == {"city-duty", ""}


def test_a_day_of_ozone_that_is_none_brings_the_warning_it_kept_back(world: World) -> None:
    world.forecast(230, 240, 230, causes=(Cause.O3,) * 3)
    for day in (1, 2, 3):
        say(world, day, Cause.PM2_5, because="臭氧浓度不高，是细颗粒物")

    (found,) = [one for one in intake.weigh_all(world.store, world.rules, now=world.now) if one.area == CITY]

    assert (found.move, found.level) == (Move.ACTIVATE, Level.ORANGE)


def test_a_day_of_smoke_is_suggested_as_an_advisory_in_the_place_of_a_warning(world: World) -> None:
    world.forecast(130, 190, 130)
    say(world, 2, Cause.WILDFIRE)

    (found,) = intake.weigh_all(world.store, world.rules, now=world.now)

    assert found.move is Move.ADVISE
    assert [(one.day, one.cause) for one in advising.of(found)] == [(ahead(world, 2), Cause.WILDFIRE)]


def test_a_signed_decision_keeps_the_cause_it_was_signed_with(world: World) -> None:
    (found,) = [one for one in world.forecast(230, 240, 230) if one.area == CITY]
    signed = world.decide(found)
    for day in (1, 2, 3):
        say(world, day, Cause.CROSS_BORDER)
    intake.weigh_all(world.store, world.rules, now=world.now)

    with world.store.reading() as tx:
        kept = tx.decision(signed.id)
        assert tx.episode(signed.episode_id).level is signed.level
    assert (kept.assessment, kept.content_sha) == (signed.assessment, signed.content_sha)


def test_two_sources_keep_theirs_apart(world: World) -> None:
    world.forecast(230, 240, 230)
    world.forecast(230, 240, 230, feed="model")
    for day in (1, 2, 3):
        say(world, day, Cause.WILDFIRE)

    found = told(world)
    assert found["bureau", ahead(world, 1)].now.cause is Cause.WILDFIRE
    assert found["model", ahead(world, 1)].now.cause is Cause.PM2_5
    assert judged(world).level is Level.ORANGE  # the other source still says so


def test_a_word_outlives_the_next_issue_of_its_source(world: World) -> None:
    world.forecast(230, 240, 230)
    say(world, 2, Cause.WILDFIRE)
    world.clock.forward(minutes=60)
    world.forecast(235, 245, 235)

    assert told(world)["bureau", ahead(world, 2)].now.cause is Cause.WILDFIRE


@pytest.mark.parametrize(("cause", "counted"), [(Cause.SAND_DUST, 132), (Cause.PM2_5, 338), (Cause.WILDFIRE, 338)])
def test_the_figure_follows_the_cause_where_the_concentrations_are_known(
    city: World, cause: Cause, counted: int
) -> None:
    day = ForecastDay(ahead(city, 1), 338, primary=("pm10",), cause=Cause.O3, counted=100, values=DUSTY)
    forecast = Forecast("model", "柳州", city.now, (day,))
    city.store.run(lambda tx: intake.keep_air(tx, [forecast], [], now=city.now))

    say(city, 1, cause, feed="model", because="沙尘监测")

    found = told(city)["model", ahead(city, 1)].now
    assert (found.aqi, found.published, found.cause, found.said_by) == (counted, 338, cause, "city-duty")


def measured(world: World, *, aqi: int, primary: tuple[str, ...], values: dict[str, float]) -> DayOfAir:
    """Yesterday as measured, of which an officer says that it was no dust."""
    yesterday = world.now.astimezone(SHANGHAI).replace(hour=0, minute=0) - timedelta(days=1)
    some = [Observation("stations", "柳州", yesterday.astimezone(UTC), "day", values, aqi, primary)]
    world.store.run(lambda tx: intake.keep_air(tx, [], some, now=world.now))
    world.forecast(90)
    say(world, -1, Cause.CROSS_BORDER, feed="stations", because="后向轨迹")
    with world.store.reading() as tx:
        air = world.rules.air_now(tx, CITY, now=world.now)
    assert air is not None
    return next(one for one in air.days if one.day == ahead(world, -1))


@pytest.mark.parametrize("values", [{}, DUSTY])
def test_what_was_measured_can_be_corrected_too(city: World, values: dict[str, float]) -> None:
    found = measured(city, aqi=338, primary=("pm10",), values=values)

    assert (found.cause, found.aqi, found.said_by) == (Cause.CROSS_BORDER, 338, "city-duty")


def test_the_journal_names_who_what_before_and_why(world: World) -> None:
    world.forecast(230)
    say(world, 1, Cause.WILDFIRE)

    with world.store.reading() as tx:
        (line,) = [one for one in desk.journal(tx, area=CITY, limit=20) if one.what == "air.cause_said"]
    assert line.by == "city-duty"
    assert {key: line.more[key] for key in ("feed", "before", "cause", "because", "taken_back")} == {
        "feed": "bureau", "before": "pm2_5", "cause": "wildfire", "because": "卫星火点", "taken_back": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("how", "refused"),
    [
        ({"by": "lj-duty"}, NotAllowed),
        ({"by": "city-approver1"}, NotAllowed),
        ({"because": "  "}, Refused),
        ({"because": "长" * 201}, Refused),
        ({"day": 3}, causing.NothingSaidOfIt),
        ({"day": -9}, causing.NothingSaidOfIt),
        ({"feed": "nobody"}, causing.NothingSaidOfIt),
        ({"cause": Cause.PM2_5}, causing.AlreadySo),
        ({"cause": None}, causing.AlreadySo),
    ],
)
def test_a_word_without_right_reason_or_matter_is_refused_and_changes_nothing(
    world: World, how: dict[str, object], refused: type[Refused]
) -> None:
    world.forecast(230)
    before = told(world)

    with pytest.raises(refused):
        say(world, **{"day": 1, "cause": Cause.WILDFIRE, **how})  # type: ignore[arg-type]  # told by the test

    assert told(world) == before


def test_an_index_without_its_pollutant_that_fine_particles_cannot_give_starts_nothing_until_a_person_says_so(
    city: World,
) -> None:
    days = tuple(ForecastDay(ahead(city, n), 210, pm2_5=40.0) for n in (1, 2, 3))
    city.store.run(
        lambda tx: intake.keep_air(tx, [Forecast("caiyun", "柳州", city.now, days)], [], now=city.now)
    )

    assert judged(city).level is Level.NONE
    with city.store.reading() as tx:
        (says,) = city.rules.sources_now(tx, CITY, now=city.now).says
    assert {(one.day.aqi, one.day.published, one.cause_open) for one in says.days.values()} == {(57, 210, True)}

    for day in (1, 2, 3):
        say(city, day, Cause.PM2_5, feed="caiyun", because="省站会商：细颗粒物将快速上升")
    assert judged(city).level > Level.NONE
