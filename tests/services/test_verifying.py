"""Forecasts are held against what came: once, late, corrected, and in no more statements for many days than for one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

from sqlalchemy import event, text

from emergency.clock import SHANGHAI
from emergency.domain.forecast import Forecast, ForecastDay, Observation
from emergency.domain.verification import VerifiedDay
from emergency.services import intake, verifying
from emergency.store import judging
from tests.world import World


def verify(world: World) -> int:
    """What beat does; lines written, changed or taken back."""
    return sum(verifying.verify_all(world.store, by_hour=20, now=world.now).values())


def told(world: World, *aqi: int, place: str = "柳州") -> None:
    """A source forecasts the next days now."""
    today = world.now.astimezone(SHANGHAI).date()
    days = tuple(ForecastDay(today + timedelta(days=n), one) for n, one in enumerate(aqi, 1))
    forecast = Forecast("bureau", place, world.now, days)
    world.store.run(lambda tx: intake.keep_air(tx, [forecast], [], now=world.now))


def kept(world: World) -> list[VerifiedDay]:
    """Everything that was written down."""
    with world.store.reading() as tx:
        return judging.verified_days(tx, "柳州", since=date(2000, 1, 1), until=date(2100, 1, 1))


def facts(world: World) -> int:
    """How often the journal speaks of it."""
    with world.store.reading() as tx:
        asked = text("select count(*) from journal where what = 'forecast.verified'")
        return int(tx.connection.execute(asked).scalar_one())


@contextmanager
def counted(world: World) -> Iterator[list[str]]:
    """The statements that go to the database meanwhile."""
    said: list[str] = []

    def heard(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(world.store.engine, "before_cursor_execute", heard)
    try:
        yield said
    finally:
        event.remove(world.store.engine, "before_cursor_execute", heard)


def test_a_day_is_verified_when_it_is_over_and_only_once(world: World) -> None:
    world.observe(100)
    told(world, 150, 180)
    world.forward(hours=24, step=1440)
    world.observe(140)
    assert verify(world) == 0  # the day is not over

    world.forward(hours=12, step=1440)

    assert (verify(world), verify(world), facts(world)) == (1, 0, 1)
    assert [(one.lead_days, one.error, one.persistence_aqi) for one in kept(world)] == [(1, 10, 100)]


def test_a_corrected_measurement_verifies_its_day_and_those_it_was_persistence_for_anew(world: World) -> None:
    world.observe(100)
    told(world, 150)
    world.forward(hours=36, step=2160)
    world.observe(140, until=-1)
    verify(world)
    for _day in range(3):
        world.forward(hours=24, step=1440)
        verify(world)

    world.observe(90, 120, until=-4)

    assert verify(world) == 1
    assert [(one.observed_aqi, one.persistence_aqi) for one in kept(world)] == [(120, 90)]


def test_a_day_whose_index_was_taken_back_is_verified_no_longer(world: World) -> None:
    told(world, 150)
    world.forward(hours=36, step=2160)
    world.observe(140, until=-1)
    assert verify(world) == 1

    with world.store.reading() as tx:
        today = world.now.astimezone(SHANGHAI).date()
        seen = tx.observed_days("柳州", since=today - timedelta(days=1), until=today)[0]
    unknown = Observation(seen.feed, seen.place, seen.at, "day", aqi=None)
    world.store.run(lambda tx: intake.keep_air(tx, [], [unknown], now=world.now))

    assert (verify(world), kept(world)) == (1, [])


def test_days_that_were_missed_are_caught_up(world: World) -> None:
    for _day in range(5):
        told(world, 120, 130)
        world.forward(hours=24, step=1440)
        world.observe(125)
    world.forward(hours=24, step=1440)

    assert verify(world) == 9  # five days one day ahead, four of them two days ahead as well


def test_exercises_are_never_verified(world: World) -> None:
    told(world, 150, place="exercise:e1")
    with world.store.reading() as tx:
        assert judging.forecast_places(tx) == []


def test_as_many_statements_for_sixty_days_as_for_one(world: World) -> None:
    def lived(days: int) -> int:
        for _day in range(days):
            at = world.now
            today = at.astimezone(SHANGHAI).date()
            told(world, 120, 130, 140)
            seen = Observation("stations", "柳州", datetime(today.year, today.month, today.day, tzinfo=SHANGHAI),
                               "day", aqi=125)  # fmt: skip
            world.store.run(lambda tx, seen=seen, at=at: intake.keep_air(tx, [], [seen], now=at))  # type: ignore[misc]  # mypy does not see the defaults
            world.clock.forward(hours=24)
        with counted(world) as said:
            assert verify(world) >= days - 1
        return len(said)

    lived(3)
    assert lived(2) == lived(60)


def test_figures_of_a_window_speak_of_its_days_only(world: World) -> None:
    told(world, 150, 160, 170)
    world.forward(hours=96, step=5760)
    world.observe(100, 100, 100, until=-1)
    verify(world)

    with world.store.reading() as tx:
        first, last, days, found = verifying.figures_of(tx, "柳州", days=2, now=world.now)

    assert (last - first).days == 1
    assert [(one.lead_days, one.days, one.bias) for one in found] == [(2, 1, 60), (3, 1, 70)]
    assert len(days) == 2
