"""The one rule of causes, asked of days that were measured and of days a person knows better."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from emergency.domain.air import Period, index, standard_for
from emergency.domain.causes import (
    Figure,
    cause_of,
    contradicted,
    is_left_open,
    is_open,
    measured,
    measured_as_said,
    measured_day,
    with_fine_counted,
)
from emergency.domain.forecast import Cause, Forecast, ForecastDay
from emergency.plans.standards import load_standards

STANDARDS = load_standards()
STANDARD = next(one for one in STANDARDS if "2012" in one.id)
DUST = {"pm2_5": 60, "pm10": 450}


def figure_of(
    aqi: int, primary: tuple[str, ...], values: dict[str, int] | None = None, expected: Cause | None = None
) -> Figure:
    """A measured day, of which these concentrations are known."""
    return measured(STANDARD, values or {}, aqi=aqi, primary=primary, expected=expected)


def test_the_published_index_stands_where_nothing_is_left_out_of_it() -> None:
    found = figure_of(233, ("pm2_5",), {"pm2_5": 180, "pm10": 200})  # by the rounded means it would be 230

    assert (found.judged, found.published, found.cause) == (233, 233, Cause.PM2_5)


def test_the_published_index_of_a_pollutant_that_counts_stands_above_and_below_its_concentration() -> None:
    liuzhou = {"pm2_5": Decimal("151.5"), "pm10": Decimal("178.2")}  # 2015-02-10: 202 by the mean, 193 as published

    assert measured(STANDARD, liuzhou, aqi=193, primary=("pm2_5",)).judged == 193
    assert figure_of(210, ("pm2_5",), {"pm2_5": 40}).judged == 210
    assert figure_of(90, ("o3",), {"pm2_5": 160}).judged == 210  # no figure of particles is published of that day


@pytest.mark.parametrize("expected", [None, Cause.SAND_DUST])
def test_suspected_and_foreseen_dust_leave_pm10_out_by_the_same_rule(expected: Cause | None) -> None:
    found = figure_of(340, ("pm10",), DUST, expected)

    assert (found.judged, found.published, found.leads, found.cause) == (82, 340, ("pm10",), Cause.SAND_DUST)


@pytest.mark.parametrize("expected", [Cause.WILDFIRE, Cause.CROSS_BORDER, Cause.FIREWORKS])
def test_what_was_foreseen_to_drive_particles_is_not_taken_for_dust(expected: Cause) -> None:
    found = figure_of(340, ("pm10",), DUST, expected)

    assert (found.judged, found.cause) == (340, expected)


@pytest.mark.parametrize("values", [{}, {"pm2_5": 40, "pm10": 70}, {"pm2_5": 40, "pm10": 70, "o3_8h": 245}])
def test_ozone_that_leads_alone_is_an_ozone_day_whether_its_concentration_is_known_or_not(
    values: dict[str, int],
) -> None:
    found = figure_of(180, ("o3",), values)

    assert (found.published, found.cause) == (180, Cause.O3)
    assert found.judged == (60 if values else 180)


@pytest.mark.parametrize("expected", [Cause.O3, Cause.SAND_DUST])
def test_fine_particles_over_the_mark_by_themselves_speak_against_what_was_foreseen(expected: Cause) -> None:
    primary = ("o3",) if expected is Cause.O3 else ("pm10",)
    found = figure_of(300, primary, {"pm2_5": 160}, expected)

    assert (found.judged, found.cause) == (210, Cause.PM2_5)


def test_a_person_who_says_that_it_is_no_dust_has_its_pm10_counted() -> None:
    suspected = figure_of(338, ("pm10",), DUST)
    assert (suspected.judged, suspected.cause) == (82, Cause.SAND_DUST)

    found = measured_as_said(suspected, STANDARD, DUST, Cause.PM2_5)

    assert (found.judged, found.published, found.cause) == (338, 338, Cause.PM2_5)
    assert measured_as_said(found, STANDARD, DUST, Cause.SAND_DUST).judged == 82
    assert measured_as_said(found, None, {}, Cause.SAND_DUST).judged == 338


def test_ozone_drives_only_a_polluted_day_that_it_leads_alone() -> None:
    assert cause_of(("o3",), 101) is Cause.O3
    assert {cause_of(("o3",), 100), cause_of(("o3", "pm2_5"), 180)} == {Cause.PM2_5}


def forecast_of(*days: ForecastDay) -> Forecast:
    return Forecast("caiyun", "柳州", datetime(2015, 2, 8, 9, tzinfo=UTC), days)


def test_an_index_that_its_own_fine_particles_cannot_give_counts_by_them_and_waits_for_a_person() -> None:
    first = ForecastDay(date(2015, 2, 9), 210, pm2_5=40.0)  # 40 µg/m³ is 57 by HJ 633-2012
    others = (
        ForecastDay(date(2015, 2, 10), 210, pm2_5=160.0),  # 210: fine particles lead
        ForecastDay(date(2015, 2, 11), 95, pm2_5=20.0),
        ForecastDay(date(2015, 2, 12), 210),
        ForecastDay(date(2015, 2, 13), 210, primary=("pm2_5",), pm2_5=40.0),
        ForecastDay(date(2015, 2, 14), 210, pm2_5=40.0, said_by="city-duty"),
        ForecastDay(date(2015, 2, 15), 210, pm2_5=40.0, cause=Cause.WILDFIRE),
    )

    found = with_fine_counted(forecast_of(first, *others), [STANDARD])

    assert found.days == (replace(first, counted=57), *others)
    assert [is_open(one) for one in found.days] == [True] + [False] * 6
    judged = found.days[0].of_air(found)
    assert (judged.aqi, judged.published) == (57, 210)


@pytest.mark.parametrize(("pm2_5", "counted"), [(0.0, 0), (75.0, 100), (76.0, 102), (150.0, 200), (170.0, 220)])
def test_what_fine_particles_give_counts_without_a_cliff_and_nought_is_a_value(pm2_5: float, counted: int) -> None:
    (found,) = with_fine_counted(forecast_of(ForecastDay(date(2015, 2, 9), 210, pm2_5=pm2_5)), [STANDARD]).days

    assert (found.counted, found.cause, is_open(found)) == (counted, Cause.PM2_5, counted < 210)


@pytest.mark.parametrize("pm2_5", [159.6, 160.0, 160.4])
def test_an_index_within_the_rounding_of_its_concentration_is_given_by_it(pm2_5: float) -> None:
    day = ForecastDay(date(2015, 2, 9), 210, pm2_5=pm2_5)

    assert with_fine_counted(forecast_of(day), [STANDARD]).days == (day,)
    assert not is_open(day)


@pytest.mark.parametrize("primary", [(), ("o3",)])
@pytest.mark.parametrize("cause", [Cause.O3, Cause.SAND_DUST])
def test_no_cause_of_a_table_hides_what_fine_particles_give_by_themselves(
    cause: Cause, primary: tuple[str, ...]
) -> None:
    day = ForecastDay(date(2015, 2, 9), 300, primary=primary, cause=cause, pm2_5=160.0)

    (found,) = with_fine_counted(forecast_of(day), [STANDARD]).days

    assert (found.counted, found.cause, found.aqi) == (210, Cause.PM2_5, 300)


@pytest.mark.parametrize("expected", [Cause.O3, Cause.SAND_DUST])
def test_a_primary_pollutant_that_counts_beside_ozone_or_dust_makes_the_day_its_own(expected: Cause) -> None:
    primary = ("pm2_5", "o3" if expected is Cause.O3 else "pm10")
    found = figure_of(210, primary, expected=expected)
    day = ForecastDay(date(2015, 2, 9), 210, primary=primary, cause=expected)

    assert (found.judged, found.cause) == (210, Cause.PM2_5)
    assert with_fine_counted(forecast_of(day), [STANDARD]).days == (replace(day, cause=Cause.PM2_5),)


def test_a_measured_day_that_nothing_known_gives_is_open_until_a_person_says_whose_it_is() -> None:
    known = {"pm2_5": 40, "pm10": 70}
    found = figure_of(210, (), known)
    told = measured_day(date(2015, 2, 9), found, pm2_5=40.0)

    assert told is not None
    assert (told.aqi, told.published, is_left_open(told)) == (60, 210, True)
    assert measured_as_said(found, STANDARD, known, Cause.PM2_5).judged == 210
    assert measured_as_said(found, STANDARD, known, Cause.O3).judged == 60


def test_six_concentrations_contradict_an_index_beyond_rounding_only_and_by_the_edition_of_the_day() -> None:
    six = {"pm2_5": 110, "pm10": 120, "so2": 5, "no2": 20, "co": Decimal("0.6"), "o3_8h": 60}
    for day, gives in ((date(2025, 1, 1), 144), (date(2026, 6, 1), 146)):
        standard = standard_for(day, STANDARDS)
        assert index(standard, six, period=Period.DAY).aqi == gives
        assert [contradicted(standard, six, gives + by) for by in (-1, 0)] == [None] * 2
        assert [contradicted(standard, six, gives + by) for by in (-4, 4)] == [gives] * 2
        assert contradicted(standard, {**six, "o3_8h": None}, 300) is None


def test_pm10_that_leads_alone_counts_and_a_person_is_asked_whether_it_is_dust() -> None:
    day = ForecastDay(date(2015, 2, 9), 210, primary=("pm10",))

    assert with_fine_counted(forecast_of(day), [STANDARD]).days == (day,)
    assert is_open(day)
    assert not is_open(replace(day, cause=Cause.SAND_DUST))
    assert not is_open(replace(day, said_by="city-duty"))
