"""A forecast corrected under its own issue time: both are kept, the newer is judged, nobody gains by hindsight."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from emergency.clock import SHANGHAI
from emergency.domain.forecast import Forecast, ForecastDay, ForecastHour
from emergency.domain.level import Level
from emergency.services import intake, verifying
from emergency.store import desk, judging
from emergency.store.tables import ForecastRow
from tests.world import CITY, World


def told(world: World, *aqi: int, issued_at: datetime, raw: str = "", **more: object) -> int:
    """A source forecasts the days after its issue; how many forecasts were new."""
    first = issued_at.astimezone(SHANGHAI).date()
    days = tuple(ForecastDay(first + timedelta(days=n), one) for n, one in enumerate(aqi, 1))
    said = Forecast("bureau", "柳州", issued_at, days, raw_sha256=raw, **more)  # type: ignore[arg-type]  # told by the test
    return world.store.run(lambda tx: intake.keep_air(tx, [said], [], now=world.now))


def rows(world: World) -> list[tuple[int, str, list[int]]]:
    """Every revision that is kept, with the message it came in."""
    with world.store.reading() as tx:
        asked = select(ForecastRow.revision, ForecastRow.raw_sha256, ForecastRow.days).order_by(ForecastRow.revision)
        found = tx.connection.execute(asked).all()
    return [(one.revision, one.raw_sha256, [day["aqi"] for day in one.days]) for one in found]


def level_now(world: World) -> Level:
    with world.store.reading() as tx:
        return world.rules.assess_now(tx, CITY, now=world.now).level


def test_a_correction_under_the_same_issue_time_is_kept_beside_the_first_and_judged(world: World) -> None:
    at = world.now
    assert told(world, 100, 100, 100, issued_at=at, raw="a" * 64) == 1
    assert level_now(world) is Level.NONE

    world.clock.forward(minutes=30)
    assert told(world, 220, 230, 240, issued_at=at, raw="b" * 64) == 1

    assert rows(world) == [(1, "a" * 64, [100, 100, 100]), (2, "b" * 64, [220, 230, 240])]
    assert level_now(world) > Level.YELLOW
    with world.store.reading() as tx:
        (latest,) = tx.latest_forecasts("柳州", now=world.now)
        (said,) = tx.forecasts("柳州", since=at)
        lines = [(one.what, one.more.get("revision")) for one in desk.journal(tx, area=CITY, limit=20)]
        (shown,) = world.rules.sources_now(tx, CITY, now=world.now).says
    assert latest == said
    assert latest.corrected_at == shown.corrected_at == world.now
    assert ("forecast.corrected", 2) in lines


def test_the_same_again_is_harmless_in_whatever_message_it_comes_and_a_return_to_the_first_is_a_third(
    world: World,
) -> None:
    at = world.now
    hours = (ForecastHour(at + timedelta(hours=1), 80, {"pm2_5": 59.5}),)
    assert [told(world, 100, issued_at=at, raw=one, hours=hours) for one in ("a" * 64, "a" * 64, "b" * 64)] == [1, 0, 0]
    assert [told(world, one, issued_at=at, hours=hours) for one in (200, 200, 100, 100)] == [1, 0, 1, 0]

    assert [(revision, aqi) for revision, _raw, aqi in rows(world)] == [(1, [100]), (2, [200]), (3, [100])]


def test_what_was_known_then_is_what_had_come_by_then(world: World) -> None:
    at = world.now
    told(world, 100, issued_at=at)
    world.clock.forward(minutes=90)
    told(world, 220, issued_at=at)

    with world.store.reading() as tx:
        then = tx.latest_forecasts("柳州", now=at + timedelta(minutes=89))
        (before,) = tx.forecasts("柳州", since=at, known_at=at + timedelta(minutes=89))
        (now,) = tx.forecasts("柳州", since=at, known_at=world.now)
    assert [one.days[0].aqi for one in (*then, before, now)] == [100, 100, 220]


def test_a_correction_by_the_hour_is_verified_and_one_that_comes_when_the_day_is_over_is_not(world: World) -> None:
    at = world.now
    told(world, 100, issued_at=at)
    world.clock.forward(minutes=60)
    told(world, 150, issued_at=at)
    world.clock.forward(minutes=36 * 60)
    world.observe(140, until=-1)
    told(world, 140, issued_at=at)

    verifying.verify_all(world.store, by_hour=20, now=world.now)

    with world.store.reading() as tx:
        day = at.astimezone(SHANGHAI).date() + timedelta(days=1)
        (one,) = judging.verified_days(tx, "柳州", since=day, until=day)
    assert (one.lead_days, one.forecast_aqi, one.observed_aqi) == (1, 150, 140)
