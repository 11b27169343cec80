"""What forecasts were worth: figures by hand, nothing computed from nothing, and the issue that counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from emergency.domain.forecast import Forecast, ForecastDay, Observation
from emergency.domain.verification import SHANGHAI, Measured, VerifiedDay, figures, measured, verified

FIRST = date(2026, 1, 10)


def day(n: int, said: int, came: int, *, before: int | None = None, **more: object) -> VerifiedDay:
    """One day ahead, the source said, and it came; ``before``: the day of issue as measured."""
    return VerifiedDay(
        "bureau", "柳州", FIRST + timedelta(days=n), 1, datetime(2026, 1, 9, 17, tzinfo=SHANGHAI), said, came,
        persistence_aqi=before, **more,  # type: ignore[arg-type]  # told by the test
    )  # fmt: skip


def issue(hour: int, *aqi: int, on: date = FIRST, feed: str = "bureau") -> Forecast:
    """What a source says at an hour of the next days."""
    return Forecast(
        feed=feed,
        place="柳州",
        issued_at=datetime(on.year, on.month, on.day, hour, tzinfo=SHANGHAI),
        days=tuple(ForecastDay(on + timedelta(days=n), one) for n, one in enumerate(aqi, 1)),
    )


def test_the_figures_are_those_a_person_counts_by_hand() -> None:
    one = figures(
        [
            day(0, 160, 140, before=100),  # +20, a false alarm over 150
            day(1, 140, 160, before=140),  # -20, missed
            day(2, 220, 210, before=160),  # +10, a hit over 150 and over 200
            day(3, 90, 80, before=210),  # +10, rightly quiet
        ]
    )[0]

    assert (one.days, one.bias, one.mae) == (4, 5.0, 15.0)
    assert one.skill == pytest.approx(1 - 15 / ((40 + 20 + 50 + 130) / 4))
    band = one.band(150)
    assert (band.hits, band.misses, band.false_alarms, band.correct_rejections) == (1, 1, 1, 1)
    assert (band.pod, band.far, band.csi) == (0.5, 0.5, pytest.approx(1 / 3))
    assert one.band(100).hits == 3
    assert not one.enough


def test_a_mark_is_exceeded_and_not_merely_reached() -> None:
    band = figures([day(0, 150, 151)])[0].band(150)

    assert (band.hits, band.misses) == (0, 1)


def test_what_rests_on_nothing_is_not_computable_and_never_nought() -> None:
    one = figures([day(0, 90, 80)])[0]

    assert (one.band(300).pod, one.band(300).far, one.band(300).csi) == (None, None, None)
    assert (one.skill, one.primary_hit_rate, one.in_range) == (None, None, None)
    assert figures([]) == ()


def test_a_forecaster_who_says_tomorrow_is_like_today_has_no_skill() -> None:
    assert figures([day(n, 100 + n, 130, before=100 + n) for n in range(5)])[0].skill == 0


def test_nobody_can_be_better_than_persistence_that_was_never_wrong() -> None:
    assert figures([day(0, 120, 100, before=100)])[0].skill is None


def test_skill_compares_the_same_days_only() -> None:
    one = figures([day(0, 110, 100, before=120), day(1, 400, 100)])[0]

    assert (one.skill, one.skill_days, one.days) == (0.5, 1, 2)


def test_a_primary_pollutant_is_right_when_one_is_in_common_and_only_where_both_named_one() -> None:
    one = figures(
        [
            day(0, 120, 120, forecast_primary=("pm2_5", "o3_8h"), observed_primary=("pm2_5",)),
            day(1, 120, 120, forecast_primary=("o3_8h",), observed_primary=("pm2_5",)),
            day(2, 40, 40, forecast_primary=("pm2_5",)),
        ]
    )[0]

    assert (one.primary_hit_rate, one.primary_days) == (0.5, 2)


def test_a_range_holds_what_lies_on_its_bounds() -> None:
    one = figures(
        [
            day(0, 110, 120, forecast_low=100, forecast_high=120),
            day(1, 110, 121, forecast_low=100, forecast_high=120),
            day(2, 110, 110),
        ]
    )[0]

    assert (one.in_range, one.range_days) == (0.5, 2)


def test_sources_and_days_ahead_are_counted_apart() -> None:
    came = {FIRST + timedelta(days=n): Measured(100) for n in range(4)}
    found = figures(verified("柳州", [issue(17, 110, 120), issue(17, 90, feed="model")], came, by_hour=20))

    assert [(one.feed, one.lead_days, one.bias) for one in found] == [
        ("bureau", 1, 10), ("bureau", 2, 20), ("model", 1, -10),
    ]  # fmt: skip


def test_of_several_issues_of_a_day_the_last_before_the_hour_counts_and_else_the_first_after_it() -> None:
    came = {FIRST + timedelta(days=n): Measured(100) for n in range(3)}

    def said(*issues: Forecast) -> list[int]:
        return [one.forecast_aqi for one in verified("柳州", issues, came, by_hour=20)]

    assert said(issue(8, 108), issue(19, 119), issue(21, 121)) == [119]
    assert said(issue(21, 121), issue(22, 122)) == [121]


def test_a_correction_of_an_earlier_issue_takes_no_later_ones_place() -> None:
    came = {FIRST + timedelta(days=n): Measured(100) for n in range(4)}
    early, late = issue(8, 100, 100, 100), issue(17, 160, 170, 180)

    def corrected(one: Forecast, hour: int, *aqi: int) -> Forecast:
        at = datetime(2026, 1, 10, hour, tzinfo=SHANGHAI)
        return replace(issue(one.issued_at.hour, *aqi), corrected_at=at)

    def said(*issues: Forecast) -> list[int]:
        return [one.forecast_aqi for one in verified("柳州", issues, came, by_hour=20)]

    assert said(early, late, corrected(early, 19, 120, 120, 120)) == [160, 170, 180]
    assert said(early, late, corrected(late, 19, 150, 150, 150)) == [150, 150, 150]
    assert said(early, corrected(early, 10, 120, 120, 120), corrected(early, 21, 90, 90, 90)) == [120, 120, 120]


def test_a_forecast_of_its_own_day_and_of_a_day_nobody_measured_is_left_out() -> None:
    same = Forecast("bureau", "柳州", datetime(2026, 1, 10, 8, tzinfo=SHANGHAI), (ForecastDay(FIRST, 100),))

    assert verified("柳州", [same, issue(8, 100)], {FIRST: Measured(100)}, by_hour=20) == []


def test_persistence_is_the_day_of_issue_as_measured() -> None:
    came = {FIRST: Measured(77), FIRST + timedelta(days=2): Measured(100)}

    assert [(one.lead_days, one.persistence_aqi) for one in verified("柳州", [issue(17, 1, 2)], came, by_hour=20)] == [
        (2, 77)
    ]


def test_a_day_counts_when_it_is_over_and_has_an_index_the_worse_of_two_feeds() -> None:
    def seen(n: int, aqi: int | None, feed: str = "stations", period: str = "day") -> Observation:
        at = datetime(2026, 1, 10, tzinfo=SHANGHAI) + timedelta(days=n)
        return Observation(feed, "柳州", at, period, aqi=aqi)

    found = measured(
        [seen(0, 120), seen(0, 130, "other"), seen(1, None), seen(2, 90, period="hour"), seen(3, 99)],
        until=FIRST + timedelta(days=3),
    )

    assert found == {FIRST: Measured(130)}
