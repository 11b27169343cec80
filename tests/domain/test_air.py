"""The index of one hour and one day, against the text of the editions."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest

from emergency.domain.air import (
    POLLUTANTS,
    Amount,
    BadConcentration,
    Period,
    Standard,
    as_written,
    index,
    standard_for,
    trigger_aqi,
)
from emergency.plans.standards import load_standards

OLD, NEW = load_standards()
HOUR, DAY = Period.HOUR, Period.DAY

CLEAN: dict[str, Amount | None] = {"pm2_5": 10, "pm10": 20, "so2": 5, "no2": 12, "co": Decimal("0.4"), "o3": 40}


def an_hour(**changes: Amount | None) -> dict[str, Amount | None]:
    """An hour of clean air with one thing changed."""
    return {**CLEAN, **changes}


# value name, period, concentration, HJ 633-2012 with the input as given, HJ 633-2026 with the input rounded
VECTORS = [
    ("pm2_5", DAY, "35", 50, 50),
    ("pm2_5", DAY, "36", 52, 52),
    ("pm2_5", DAY, "50", 69, 80),
    ("pm2_5", DAY, "60", 82, 100),
    ("pm2_5", DAY, "61", 83, 101),
    ("pm2_5", DAY, "60.5", 82, 100),
    ("pm2_5", DAY, "61.5", 84, 102),
    ("pm2_5", DAY, "75", 100, 114),
    ("pm2_5", DAY, "76", 102, 115),
    ("pm2_5", DAY, "115", 150, 150),
    ("pm2_5", DAY, "116", 152, 152),
    ("pm2_5", DAY, "150", 200, 200),
    ("pm2_5", DAY, "151", 201, 201),
    ("pm2_5", DAY, "250", 300, 300),
    ("pm2_5", DAY, "251", 301, 301),
    ("pm10", DAY, "120", 85, 100),
    ("pm10", DAY, "121", 86, 101),
    ("pm10", DAY, "150", 100, 112),
    ("pm10", DAY, "151", 101, 112),
    ("pm10", DAY, "600", 500, 500),
    ("pm10", DAY, "1000", 500, 500),
    ("so2", HOUR, "800", 200, 200),
    ("so2", HOUR, "801", None, 200),
    ("o3_8h", DAY, "160", 100, 100),
    ("o3_8h", DAY, "161", 101, 101),
    ("o3_8h", DAY, "265", 200, 200),
    ("o3_8h", DAY, "266", 201, 201),
    ("o3_8h", DAY, "800", 300, 300),
    ("o3_8h", DAY, "801", None, 300),
    ("co", DAY, "4.04", 101, 100),
    ("co", DAY, "4.05", 101, 100),
    ("co", DAY, "4.06", 101, 101),
    ("no2", HOUR, "350", 115, 115),
    ("o3", HOUR, "1200", 500, 500),
]


@pytest.mark.parametrize("kind", [Decimal, Fraction])
@pytest.mark.parametrize(("name", "period", "written", "old", "new"), VECTORS)
def test_a_concentration_has_the_index_the_edition_gives_it(
    name: str, period: Period, written: str, old: int | None, new: int | None, kind: type[Decimal] | type[Fraction]
) -> None:
    pollutant = name.removesuffix("_8h")

    found = [index(edition, {name: kind(written)}, period=period).iaqi[pollutant] for edition in (OLD, NEW)]

    assert found == [old, new]


@pytest.mark.parametrize("standard", [OLD, NEW], ids=lambda one: one.id)
def test_every_node_has_its_mark_and_the_next_step_lies_above_it(standard: Standard) -> None:
    checked = 0
    for gauge in (*standard.reports[HOUR], *standard.reports[DAY]):
        scale = gauge.scale
        for node, mark in zip(scale.nodes, scale.marks, strict=True):
            step = Fraction(1, scale.per_unit)
            assert scale.index_of(node) == mark
            if node:
                below = scale.index_of(node - step)
                assert below is not None
                assert below <= mark
            above = scale.index_of(node + step)
            if node != scale.nodes[-1]:
                assert above is not None
                assert mark < above
            else:
                assert above == scale.above
            checked += 1
    assert checked > 80


def test_a_fraction_just_above_a_node_already_lies_in_the_next_bracket_where_inputs_are_not_rounded() -> None:
    assert index(OLD, an_hour(pm2_5=Decimal("75.0000000001")), period=HOUR).aqi == 101
    assert index(NEW, an_hour(pm2_5=Decimal("60.0000000001")), period=HOUR).aqi == 100


@pytest.mark.parametrize(
    ("name", "written", "same_as"),
    [
        ("pm2_5", "60.5", 60),
        ("pm2_5", "61.5", 62),
        ("pm2_5", "60.49999", 60),
        ("pm2_5", "60.50001", 61),
        ("co", "4.05", Decimal("4.0")),
        ("co", "4.15", Decimal("4.2")),
        ("co", "4.25", Decimal("4.2")),
    ],
)
def test_the_2026_edition_rounds_halves_to_even_before_it_computes(name: str, written: str, same_as: Amount) -> None:
    scale = next(one.scale for one in NEW.reports[DAY] if one.value == name)

    assert scale.index_of(Decimal(written)) == scale.index_of(same_as)


def test_only_the_hundred_node_of_particles_moved_between_the_editions() -> None:
    moved = [
        (before.value, low, high)
        for period in Period
        for before in OLD.reports[period]
        for after in NEW.reports[period]
        if before.scale.name == after.scale.name
        for low, high in zip(before.scale.nodes, after.scale.nodes, strict=True)
        if low != high
    ]

    assert sorted(set(moved)) == [("pm10", 150, 120), ("pm2_5", 75, 60)]


def test_the_index_is_the_largest_and_names_its_owner() -> None:
    found = index(NEW, an_hour(pm10=200), period=HOUR)

    assert (found.aqi, found.primary, found.category) == (131, ("pm10",), "light")


def test_equal_owners_are_named_together() -> None:
    found = index(OLD, an_hour(pm2_5=75, pm10=150, o3=200), period=HOUR)

    assert (found.aqi, found.primary) == (100, ("pm2_5", "pm10", "o3"))


def test_nobody_is_primary_up_to_fifty() -> None:
    assert index(NEW, an_hour(pm2_5=35), period=HOUR).primary == ()
    assert index(NEW, an_hour(pm2_5=36), period=HOUR).primary == ("pm2_5",)


@pytest.mark.parametrize(
    ("aqi", "category"),
    [
        *((0, "excellent"), (50, "excellent"), (51, "good"), (100, "good"), (101, "light"), (150, "light")),
        *((151, "moderate"), (200, "moderate"), (201, "heavy"), (300, "heavy"), (301, "severe"), (500, "severe")),
    ],
)
def test_a_category_ends_on_its_own_mark(aqi: int, category: str) -> None:
    assert OLD.category(aqi).id == category
    assert NEW.category(aqi).id == category


@pytest.mark.parametrize("aqi", [-1, 501])
def test_there_is_no_category_outside_the_index(aqi: int) -> None:
    with pytest.raises(ValueError, match="is no index"):
        NEW.category(aqi)


def test_a_day_of_2012_takes_ozone_from_whichever_of_hour_and_eight_hours_is_worse() -> None:
    day = an_hour(o3=210, o3_8h=150)

    assert index(OLD, day, period=DAY).iaqi["o3"] == 105
    assert index(OLD, {**day, "o3_8h": 170}, period=DAY).iaqi["o3"] == 110


def test_a_day_of_2026_takes_ozone_from_the_eight_hours_alone() -> None:
    assert index(NEW, an_hour(o3=900, o3_8h=150), period=DAY).iaqi["o3"] == 92


def test_beyond_the_eight_hour_table_of_2012_the_largest_hour_speaks() -> None:
    found = index(OLD, an_hour(o3=900, o3_8h=801), period=DAY)

    assert (found.iaqi["o3"], found.beyond) == (350, ())


def test_beyond_the_hourly_sulphur_table_of_2012_the_daily_mean_speaks_if_there_is_one() -> None:
    alone = index(OLD, an_hour(so2=801), period=HOUR)
    with_mean = index(OLD, an_hour(so2=801, so2_24h=900), period=HOUR)
    not_needed = index(OLD, an_hour(so2=800, so2_24h=2620), period=HOUR)

    assert (alone.iaqi["so2"], alone.beyond, alone.missing) == (None, ("so2",), ())
    assert (with_mean.iaqi["so2"], with_mean.beyond) == (213, ())
    assert not_needed.iaqi["so2"] == 200


def test_the_eight_hour_value_beside_an_hour_is_not_read() -> None:
    for standard in (OLD, NEW):
        assert index(standard, an_hour(o3_8h=700), period=HOUR) == index(standard, CLEAN, period=HOUR)


@pytest.mark.parametrize("name", POLLUTANTS)
def test_2026_publishes_no_index_up_to_a_hundred_while_a_pollutant_is_missing(name: str) -> None:
    found = index(NEW, {**CLEAN, name: None}, period=HOUR)

    assert (found.aqi, found.primary, found.category, found.missing) == (None, (), "", (name,))
    assert found.na_because == f"{name} missing and no other index above 100 (HJ 633-2026)"
    assert all(found.iaqi[other] is not None for other in POLLUTANTS if other != name)


def test_2026_publishes_what_is_above_a_hundred_all_the_same() -> None:
    at_the_mark = index(NEW, an_hour(pm2_5=60, o3=None), period=HOUR)
    above = index(NEW, an_hour(pm2_5=61, o3=None), period=HOUR)

    assert (at_the_mark.aqi, above.aqi, above.missing) == (None, 101, ("o3",))


def test_a_pollutant_never_monitored_by_design_is_not_missing() -> None:
    found = index(NEW, an_hour(co=None), period=HOUR, not_monitored={"co"})

    assert (found.aqi, found.iaqi["co"], found.missing) == (20, None, ())


def test_2012_publishes_from_what_there_is() -> None:
    found = index(OLD, an_hour(pm2_5=None, pm10=None, o3=150), period=HOUR)

    assert (found.aqi, found.missing) == (47, ("pm2_5", "pm10"))


@pytest.mark.parametrize("standard", [OLD, NEW], ids=lambda one: one.id)
def test_nothing_measured_is_no_index(standard: Standard) -> None:
    found = index(standard, {}, period=DAY)

    assert (found.aqi, found.na_because, found.missing) == (None, "no pollutant has an index", POLLUTANTS)


@pytest.mark.parametrize("wrong", [-1, Decimal("-0.1"), Decimal("NaN"), Decimal("Infinity"), 4.05])
def test_what_is_no_exact_concentration_is_refused(wrong: Amount) -> None:
    with pytest.raises(BadConcentration):
        index(NEW, an_hour(pm2_5=wrong), period=HOUR)


def test_a_name_nobody_has_is_refused() -> None:
    with pytest.raises(BadConcentration, match="pm25"):
        index(NEW, {"pm25": 80}, period=HOUR)


@pytest.mark.parametrize(("given", "meant"), [(4.05, Decimal("4.05")), ("0.8", Decimal("0.8")), (61, 61), (61.0, 61)])
def test_a_number_comes_back_as_it_was_written(given: float | str, meant: Amount) -> None:
    assert as_written(given) == meant


@pytest.mark.parametrize("given", ["abc", "", float("nan"), float("inf"), "NaN", Decimal("sNaN")])
def test_what_is_no_number_is_not_written_as_one(given: float | str | Decimal) -> None:
    with pytest.raises(BadConcentration):
        as_written(given)


@pytest.mark.parametrize(
    ("day", "edition"),
    [
        (date(2013, 1, 12), OLD),
        (date(2026, 2, 28), OLD),
        (date(2026, 3, 1), NEW),
        (datetime(2026, 2, 28, 15, 59, tzinfo=UTC), OLD),
        (datetime(2026, 2, 28, 16, 0, tzinfo=UTC), NEW),  # midnight in Shanghai
    ],
)
def test_the_edition_goes_by_the_civil_day_in_shanghai(day: date, edition: Standard) -> None:
    assert standard_for(day, (NEW, OLD)) is edition


def test_ozone_never_counts_for_a_warning() -> None:
    found = index(NEW, an_hour(pm2_5=130, o3=600), period=HOUR)

    assert (found.aqi, trigger_aqi(NEW, found)) == (250, 172)


def test_dust_does_not_count_on_a_sand_dust_day() -> None:
    found = index(NEW, an_hour(pm2_5=80, pm10=900), period=HOUR)

    assert trigger_aqi(NEW, found) == 500
    assert trigger_aqi(NEW, found, sand_dust=True) == 119


def test_missing_ozone_does_not_hide_what_counts_for_a_warning() -> None:
    found = index(NEW, an_hour(pm2_5=40, o3=None), period=HOUR)

    assert (found.aqi, trigger_aqi(NEW, found)) == (None, 60)


def test_without_any_particle_the_gases_say_nothing_below_a_hundred() -> None:
    calm = index(OLD, an_hour(pm2_5=None, pm10=None), period=HOUR)
    bad = index(OLD, an_hour(pm2_5=None, pm10=None, no2=350), period=HOUR)
    dust_only = index(OLD, an_hour(pm2_5=None, pm10=400), period=HOUR)

    assert (trigger_aqi(OLD, calm), trigger_aqi(OLD, bad)) == (None, 115)
    assert trigger_aqi(OLD, dust_only, sand_dust=True) is None
    assert trigger_aqi(OLD, index(OLD, {"o3": 900}, period=HOUR)) is None


def test_a_float_that_is_a_mean_of_whole_numbers_comes_back_as_just_that_mean() -> None:
    for over in range(1, 400):
        for amount in (over * 60 + 1, over * 149 + over // 3, 7):
            assert as_written(amount / over) == Fraction(amount, over)
    assert as_written(4.05) == Decimal("4.05")
    assert as_written(0.1234567890123) == Decimal("0.1234567890123")


NOTHING: dict[str, Amount | None] = {**dict.fromkeys(POLLUTANTS, 0), "o3_8h": 0}


@pytest.mark.parametrize(("standard", "lowest"), [(OLD, 0), (NEW, 1)])
def test_the_index_begins_where_the_edition_says(standard: Standard, lowest: int) -> None:
    """HJ 633-2026 4.1.1: from 1 to 500; its single indices begin at 0, as their table does."""
    for period in Period:
        values = {name: value for name, value in NOTHING.items() if period is DAY or name != "o3_8h"}
        found = index(standard, values, period=period)

        assert (found.aqi, found.category, found.primary) == (lowest, "excellent", ())
        assert set(found.iaqi.values()) == {0}
        assert trigger_aqi(standard, found) == lowest
