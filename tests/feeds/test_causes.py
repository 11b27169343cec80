"""What drives a foreseen day whose source gives concentrations, and what a plan makes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime

import pytest

from emergency import feeds
from emergency.clock import SHANGHAI
from emergency.domain import advising
from emergency.domain.air import as_written, standard_for
from emergency.domain.assess import assess
from emergency.domain.causes import Figure, figure
from emergency.domain.forecast import Cause, Forecast, ForecastDay, joined
from emergency.domain.level import Level
from emergency.plans.advice import load_advice
from emergency.plans.plans import load_plans
from emergency.plans.standards import load_standards
from tests.feeds.bench import PAYLOADS, ROOT, a_feed, read_at

STANDARDS = load_standards()
PLAN = load_plans()["liuzhou"]
BOOK = load_advice(ROOT / "playbooks" / "advice")
NOW = datetime(2026, 11, 24, 12, tzinfo=SHANGHAI)
DAYS = ("2026-11-25", "2026-11-26")


def by_the_book(day: date, values: Mapping[str, float]) -> Figure:
    """As the system is put together."""
    return figure(standard_for(day, STANDARDS), {name: as_written(value) for name, value in values.items()})


def openmeteo(pm2_5: float, pm10: float, o3: float) -> Forecast:
    """Two days with the same air in every hour."""
    times = [f"{day}T{hour:02}:00" for day in DAYS for hour in range(24)]
    air = {"pm2_5": pm2_5, "pm10": pm10, "ozone": o3}
    air |= {"sulphur_dioxide": 5, "nitrogen_dioxide": 20, "carbon_monoxide": 500}
    columns = {name: [value] * len(times) for name, value in air.items()}
    said = {
        "utc_offset_seconds": 28800,
        "hourly_units": dict.fromkeys(air, "μg/m³"),
        "hourly": {"time": times, **columns},
    }
    return one_forecast(a_feed("openmeteo", index=by_the_book).parse(json.dumps(said).encode(), now=NOW))


def waqi(pm2_5: float, pm10: float, o3: float) -> Forecast:
    """The same from a bridge that names its units."""
    air = {"pm25": pm2_5, "pm10": pm10, "o3": o3, "so2": 5, "no2": 20, "co": 500}
    daily = {name: [{"day": day, "avg": its, "unit": "µg/m³"} for day in DAYS] for name, its in air.items()}
    said = {"status": "ok", "data": {"forecast": {"daily": daily}}}
    return one_forecast(a_feed("waqi", index=by_the_book).parse(json.dumps(said).encode(), now=NOW))


def one_forecast(found: feeds.Parsed) -> Forecast:
    """The only one."""
    (forecast,) = found.forecasts
    return forecast


def told(forecast: Forecast) -> set[tuple[int, tuple[str, ...], int, Cause]]:
    """Published index with its primary pollutants, the figure that counts, and the cause of its days."""
    return {_said(one, forecast) for one in forecast.days}


def _said(day: ForecastDay, said: Forecast) -> tuple[int, tuple[str, ...], int, Cause]:
    return day.aqi, day.primary, day.of_air(said).aqi, day.cause


def level(forecast: Forecast) -> Level:
    """What a plan by which ozone and dust get health notices only makes of it."""
    return assess(PLAN, joined("柳州", [], forecast, today=NOW.date())).level


both = pytest.mark.parametrize("source", [openmeteo, waqi])


@both
def test_worse_ozone_hides_no_fine_particles(source) -> None:  # type: ignore[no-untyped-def]  # either source
    found = source(160, 180, 350)

    assert told(found) == {(216, ("o3",), 210, Cause.PM2_5)}
    assert level(found) >= Level.YELLOW


@both
def test_ozone_alone_is_an_ozone_day_and_starts_no_orders(source) -> None:  # type: ignore[no-untyped-def]  # as above
    found = source(40, 60, 350)

    assert told(found) == {(216, ("o3",), 60, Cause.O3)}
    assert level(found) is Level.NONE


@both
def test_a_dust_day_is_suspected_dust_without_its_pm10_and_starts_no_orders(source) -> None:  # type: ignore[no-untyped-def]  # as above
    found = source(60, 550, 60)

    assert told(found) == {(450, ("pm10",), 100, Cause.SAND_DUST)}
    assert level(found) is Level.NONE


def test_dust_over_heavy_fine_particles_leaves_a_day_of_fine_particles() -> None:
    found = openmeteo(160, 550, 60)

    assert told(found) == {(450, ("pm10",), 210, Cause.PM2_5)}
    assert level(found) >= Level.YELLOW


def test_coarse_particles_in_the_ratio_of_haze_are_no_dust() -> None:
    at_the_mark, beyond_it = openmeteo(210, 420, 60), openmeteo(210, 421, 60)

    assert told(at_the_mark) == {(300, ("pm10",), 300, Cause.PM2_5)}
    assert told(beyond_it) == {(302, ("pm10",), 260, Cause.PM2_5)}


@pytest.mark.parametrize(
    ("particles", "said"),
    [
        ({"pm2_5": 28.0, "pm10": 60.0}, (180, Cause.O3)),
        ({"pm2_5": 28.0}, (None, Cause.PM2_5)),
        ({}, (None, Cause.PM2_5)),
    ],
)
def test_ozone_is_known_without_the_gases_and_not_without_the_particles(
    particles: dict[str, float], said: tuple[int | None, Cause]
) -> None:
    found = by_the_book(NOW.date(), {**particles, "o3_8h": 245.0})

    assert (found.judged, found.cause) == said


def test_a_source_without_fine_particles_cannot_say_that_it_is_dust() -> None:
    found = by_the_book(NOW.date(), {"pm10": 550.0, "so2": 5.0, "no2": 20.0, "co": 0.5, "o3_8h": 60.0})

    assert (found.primary, found.cause) == (("pm10",), Cause.PM2_5)


@pytest.mark.parametrize("kind", ["openmeteo", "waqi"])
def test_a_saved_message_keeps_both_figures_and_advises_of_ozone_and_dust_without_a_warning(kind: str) -> None:
    path = PAYLOADS / kind / "ok-ozone-both-dust-2026-08-24.json"
    forecast = one_forecast(a_feed(kind, index=by_the_book).parse(path.read_bytes(), now=read_at(path)))
    today = read_at(path).date()
    said = assess(PLAN, joined("柳州", [], forecast, today=today))

    assert [_said(one, forecast) for one in forecast.days] == [
        (180, ("o3",), 58, Cause.O3),
        (180, ("o3",), 172, Cause.PM2_5),
        (338, ("pm10",), 80, Cause.SAND_DUST),
    ]
    assert said.level is Level.NONE
    assert [(one.cause, one.aqi) for one in advising.asked(said, BOOK, today=today)] == [
        (Cause.O3, 180),
        (Cause.O3, 180),
        (Cause.SAND_DUST, 338),
    ]
