"""Hours into days and stations into a city."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest

from emergency.domain.air import POLLUTANTS, Amount, BadConcentration, Period, index
from emergency.domain.air_daily import BadHours, DayOfValues, Hour, Stamp, city_mean, daily, mda8, mean
from emergency.plans.standards import load_standards

EDITIONS = OLD, NEW = load_standards()
MIDNIGHT = datetime(2020, 1, 10)  # noqa: DTZ001 - naive is Asia/Shanghai here, and that is promised


def a_day(*, start: datetime = MIDNIGHT, **columns: Sequence[Amount | None]) -> list[Hour]:
    """24 hours from ``start`` of everything at 1, with whole columns changed."""
    flat: dict[str, Sequence[Amount | None]] = {name: [1] * 24 for name in POLLUTANTS} | columns
    return [
        Hour(start + timedelta(hours=hour), {name: flat[name][hour] for name in POLLUTANTS}) for hour in range(24)
    ]


def only(hours: list[Hour], stamped: Stamp = Stamp.START) -> DayOfValues:
    """The one day these hours make."""
    (day,) = daily(hours, EDITIONS, stamped=stamped)
    return day


def test_a_daily_mean_is_exact() -> None:
    day = only(a_day(pm2_5=[0] + [100] * 22 + [None]))

    assert day.values["pm2_5"] == Fraction(2200, 23)
    assert day.hours["pm2_5"] == 23


def test_twenty_hours_make_a_mean_and_nineteen_do_not() -> None:
    twenty, nineteen = ([80] * 20 + [None] * 4), ([80] * 19 + [None] * 5)

    assert only(a_day(pm2_5=twenty)).values["pm2_5"] == 80
    assert only(a_day(pm2_5=nineteen)).values["pm2_5"] is None
    assert only(a_day(pm2_5=nineteen)).because == {"pm2_5": "19 of 20 hours"}


def test_a_day_goes_by_the_start_of_its_hours_or_by_their_end_as_the_source_has_it() -> None:
    from_midnight = a_day()
    from_one = a_day(start=MIDNIGHT + timedelta(hours=1))

    assert [one.day for one in daily(from_midnight, EDITIONS, stamped=Stamp.START)] == [date(2020, 1, 10)]
    assert [one.day for one in daily(from_one, EDITIONS, stamped=Stamp.END)] == [date(2020, 1, 10)]
    assert [one.day.day for one in daily(from_midnight, EDITIONS, stamped=Stamp.END)] == [9, 10]


def test_an_instant_belongs_to_its_day_in_shanghai() -> None:
    hours = [Hour(datetime(2020, 1, 9, 16, tzinfo=UTC) + timedelta(hours=n), {"pm2_5": 50}) for n in range(24)]

    assert only(hours).day == date(2020, 1, 10)
    assert only(hours).values["pm2_5"] == 50


def test_each_day_is_judged_by_the_edition_in_force_on_it() -> None:
    last = datetime(2026, 2, 28)  # noqa: DTZ001 - naive is Asia/Shanghai here
    days = daily(a_day(start=last) + a_day(start=last + timedelta(days=1)), EDITIONS, stamped=Stamp.START)

    assert [one.standard.id for one in days] == ["hj633-2012", "hj633-2026"]


def test_the_largest_eight_hours_are_found_inside_the_day() -> None:
    ozone: Sequence[Amount | None] = [20] * 10 + [180] * 8 + [20] * 6

    assert mda8(ozone, NEW.completeness) == (Fraction(180), 17)


def test_an_eight_hour_mean_needs_six_hours_and_is_the_mean_of_those() -> None:
    day = only(a_day(o3=[20] * 10 + [None, 200, 200, 200, None, 200, 200, 200] + [20] * 6))
    short = only(a_day(o3=[20] * 10 + [None, 200, 200, 200, None, 200, 200, None] + [20] * 6))

    assert day.values["o3_8h"] == 200
    assert short.values["o3_8h"] == Fraction(20 + 5 * 200, 6)  # five alone are too few


def test_means_of_unlike_amounts_are_the_ones_school_fractions_give() -> None:
    dice = Random(8)
    kinds: Sequence[Callable[[int], Amount | None]] = (
        int, lambda n: Decimal(n) / 8, lambda n: Fraction(n, 7), lambda n: Decimal(n).scaleb(-6), lambda _: None,
    )
    for _ in range(50):
        hours: list[Amount | None] = [dice.choice(kinds)(dice.randrange(900)) for _ in range(24)]
        exact = [None if one is None else Fraction(one) for one in hours]
        spans = [[one for one in exact[end - 8 : end] if one is not None] for end in range(8, 25)]
        enough = [sum(its, Fraction()) / len(its) for its in spans if len(its) >= 6]
        measured = [one for one in exact if one is not None]

        assert mean(hours, at_least=1) == sum(measured, Fraction()) / len(measured)
        found, count = mda8(hours, NEW.completeness)
        assert count == len(enough)
        assert found in (None, max(enough, default=None))
        assert (found is None) == (count < 14 and max(enough, default=Fraction()) <= 160)


def test_fourteen_means_make_a_day_of_ozone_and_thirteen_do_not() -> None:
    # measured from 05:00 on, the mean ending 11:00 is the first with six hours, and 11 to 24 are fourteen
    fourteen: Sequence[Amount | None] = [None] * 5 + [100] * 19
    thirteen: Sequence[Amount | None] = [None] * 6 + [100] * 18

    assert mda8(fourteen, NEW.completeness) == (Fraction(100), 14)
    assert mda8(thirteen, NEW.completeness) == (None, 13)


def test_with_too_few_means_ozone_still_counts_above_the_limit() -> None:
    def hours(value: int) -> Sequence[Amount | None]:
        return [None] * 12 + [value] * 12

    assert mda8(hours(160), NEW.completeness)[0] is None
    assert mda8(hours(161), NEW.completeness)[0] == 161


def test_the_largest_hour_of_a_short_day_counts_only_above_its_limit() -> None:
    def largest(value: int) -> object:
        return only(a_day(o3=[value] * 10 + [None] * 14)).values["o3"]

    assert (largest(200), largest(201)) == (None, 201)


def test_an_hour_that_comes_twice_is_refused() -> None:
    with pytest.raises(BadHours, match="comes twice"):
        daily([*a_day(), a_day()[5]], EDITIONS, stamped=Stamp.START)


def test_a_time_between_hours_is_refused() -> None:
    with pytest.raises(BadHours, match="not on the hour"):
        daily([Hour(MIDNIGHT + timedelta(minutes=30), {})], EDITIONS, stamped=Stamp.START)


def test_no_hours_make_no_days() -> None:
    assert daily([], EDITIONS, stamped=Stamp.START) == []


def test_a_mean_is_rounded_by_2026_and_left_alone_by_2012() -> None:
    hours = [60] * 12 + [61] * 12  # 60.5
    old, new = only(a_day(pm2_5=hours)), only(a_day(start=MIDNIGHT.replace(year=2027), pm2_5=hours))

    assert index(old.standard, old.values, period=Period.DAY).aqi == 82
    assert index(new.standard, new.values, period=Period.DAY).aqi == 100


def test_a_city_is_the_mean_of_its_stations() -> None:
    found = city_mean(NEW, [{"pm2_5": 60, "co": Decimal("0.8")}, {"pm2_5": 63, "co": Decimal("1.1")}])

    assert found.values == {"pm2_5": Fraction(123, 2), "co": Fraction(19, 20)}
    assert index(NEW, {**found.values, "pm10": 10, "so2": 1, "no2": 1, "o3": 1}, period=Period.HOUR).aqi == 102


def test_a_city_needs_three_quarters_of_its_stations() -> None:
    three: list[dict[str, Amount | None]] = [{"pm2_5": 60}, {"pm2_5": 60}, {"pm2_5": 66}, {"pm2_5": None}]
    two: list[dict[str, Amount | None]] = [{"pm2_5": 60}, {"pm2_5": 60}, {}, {"pm2_5": None}]

    assert city_mean(NEW, three).values["pm2_5"] == 62
    assert city_mean(NEW, two).values["pm2_5"] is None
    assert city_mean(NEW, two).because == {"pm2_5": "2 of 4 stations"}


def test_a_city_does_not_average_what_nobody_measures() -> None:
    with pytest.raises(BadConcentration, match="humidity"):
        city_mean(NEW, [{"humidity": 60}])
