"""Running 24-h windows: what a plan that counts them sees where the calendar sees nothing, and never guesses."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emergency.domain.assess import HoursNeeded, assess, ongoing
from emergency.domain.assessment import SHANGHAI, as_data, from_data
from emergency.domain.calm import calm
from emergency.domain.forecast import Air, Cause, DayOfAir, Forecast, ForecastDay, ForecastHour, Observation, Source
from emergency.domain.level import Level
from emergency.domain.plan import RunsOn
from emergency.domain.windows import HourOfAir, anchored, hours_joined, margins_of, windows, with_days
from emergency.plans.plans import load_plans
from emergency.plans.standards import load_standards

STANDARDS = load_standards()
CALENDAR = load_plans()["mee-2024"]
RUNNING = replace(CALENDAR, runs_on=RunsOn.ANY_24_HOURS)
FIRST = date(2025, 11, 1)
BEGIN = datetime(2025, 11, 1, tzinfo=SHANGHAI)
CLEAN, OVER, BAD = 20.0, 117.0, 180.0  # PM2.5 in µg/m³: 24 h are AQI 28, 153 (one clean hour: under 150), 230


def hours_of(*stretches, begin=BEGIN, source=Source.FORECAST):
    """Stretches of (so many hours, PM2.5), one after another; None leaves the hours out."""
    figures = [pm for count, pm in stretches for _ in range(count)]
    return tuple(
        HourOfAir((begin + timedelta(hours=n + 1)).astimezone(UTC), {"pm2_5": pm}, source, "model", BEGIN)
        for n, pm in enumerate(figures)
        if pm is not None
    )


def air_of(*stretches, **how):
    hours = hours_of(*stretches, **how)
    days = next(iter(windows(hours, STANDARDS, anchors=(0,))), ())
    return anchored(Air("柳州", days), hours, STANDARDS)


# 14:00 on the 3rd to 14:00 on the 5th: two windows; by the calendar one bad day between two that are mixed.
TWO_WINDOWS = ((62, CLEAN), (48, OVER), (34, CLEAN))


def test_two_windows_across_midnight_are_a_run_that_no_two_calendar_days_show():
    running, by_day = assess(RUNNING, air_of(*TWO_WINDOWS)), assess(CALENDAR, air_of(*TWO_WINDOWS))

    assert [one.aqi > 150 for one in by_day.days].count(True) == 1
    assert (by_day.level, running.level) == (Level.NONE, Level.YELLOW)
    assert (running.anchor, running.run) == (14, (date(2025, 11, 3), date(2025, 11, 4)))
    assert running.since == datetime(2025, 11, 3, 14, tzinfo=SHANGHAI)
    assert running.until == datetime(2025, 11, 5, 14, tzinfo=SHANGHAI)


def test_the_sentence_names_the_windows_by_their_first_and_last_hour():
    found = assess(RUNNING, air_of(*TWO_WINDOWS))

    assert found.sentence_zh.startswith("11-03 14:00 - 11-05 14:00连续2个24小时 AQI > 150")
    assert found.sentence_en.startswith("11-03 14:00 - 11-05 14:00: 2 24-h windows with AQI > 150")
    assert any("24-h windows in a row" in one.what for one in found.grounds)


def test_an_assessment_by_windows_is_kept_and_read_back_and_one_by_days_is_kept_as_ever():
    found = assess(RUNNING, air_of(*TWO_WINDOWS))

    assert from_data(as_data(found)) == found
    assert "anchor" not in as_data(assess(CALENDAR, air_of(*TWO_WINDOWS)))


def test_two_windows_adjoin_and_never_overlap():
    """36 bad hours hold many bad trailing means, and no two windows side by side."""
    assert assess(RUNNING, air_of((62, CLEAN), (36, OVER), (46, CLEAN))).level is Level.NONE


def test_of_equally_good_rows_the_earliest_anchor_is_named():
    assert assess(RUNNING, air_of((29, CLEAN), (51, OVER), (40, CLEAN))).anchor == 5  # and not 6, 7 or 8


@pytest.mark.parametrize(("missing", "found"), [(4, Level.YELLOW), (5, Level.NONE)])
def test_a_window_with_fewer_than_twenty_hours_is_unknown_and_breaks_the_run(missing, found):
    """From 14:00 on, 48 bad hours with a gap in each half; nothing beside them can fill it."""
    half = ((10, OVER), (missing, None), (14 - missing, OVER))

    assert assess(RUNNING, air_of((62, None), *half, *half)).level is found


def test_the_hours_of_a_window_are_nobody_elses():
    [alone] = windows(hours_of((14, None), (24, BAD)), STANDARDS, anchors=(14,))

    assert [(one.day, one.aqi, one.pm2_5) for one in alone] == [(FIRST, 230, 180.0)]


def test_ozone_starts_nothing_and_dust_leaves_pm10_out():
    hours = tuple(replace(one, values={"pm2_5": CLEAN, "pm10": 500.0, "o3": 600.0}) for one in hours_of((48, CLEAN)))
    dust = {FIRST: Cause.SAND_DUST}

    assert [one.aqi > 200 for one in windows(hours, STANDARDS, anchors=(0,))[0]] == [True, True]
    assert [one.aqi > 200 for one in windows(hours, STANDARDS, causes=dust, anchors=(0,))[0]] == [False, True]


@pytest.mark.parametrize(("anchor", "cause"), [(11, Cause.SAND_DUST), (12, Cause.PM2_5), (13, Cause.PM2_5)])
def test_a_window_takes_the_cause_of_the_day_with_most_of_its_hours(anchor, cause):
    [found] = windows(hours_of((48, BAD)), STANDARDS, causes={FIRST: Cause.SAND_DUST}, anchors=(anchor,))

    assert next(one.cause for one in found if one.day == FIRST) is cause


def test_without_hours_the_calendar_does_not_stand_in():
    with pytest.raises(HoursNeeded):
        assess(RUNNING, Air("柳州", (DayOfAir(FIRST, 210, Source.FORECAST),)))


def test_a_day_that_only_a_daily_forecast_reaches_is_a_window_from_midnight():
    hours = hours_of((24, OVER))
    days = tuple(DayOfAir(FIRST + timedelta(days=n), 153, Source.FORECAST) for n in range(2))

    found = assess(RUNNING, anchored(Air("柳州", days), hours, STANDARDS))

    assert (found.level, found.anchor, len(found.run)) == (Level.YELLOW, 0, 2)


# the upper bound of a forecast, where the plan lets it decide


def bounded(*stretches, above=70, **how):
    """Hours beside days of the same source, whose upper bound lies so far above their index."""
    hours = hours_of(*stretches, **how)
    days = windows(hours, STANDARDS, anchors=(0,))[0]
    said = tuple(replace(one, source=Source.FORECAST, aqi_high=one.aqi + above) for one in days)
    return anchored(Air("柳州", said), hours, STANDARDS)


def test_the_upper_bound_of_a_source_that_gives_hours_too_still_decides():
    """Two days at 138, up to 208: orange by their upper bound, nothing by their index."""
    cautious = replace(RUNNING, high_decides=True)
    air = bounded((48, 105.0))

    assert assess(RUNNING, air).level is Level.NONE
    assert (assess(cautious, air).level, assess(cautious, air).anchor) == (Level.ORANGE, 0)
    assert assess(replace(CALENDAR, high_decides=True), air).level is Level.ORANGE


def test_a_window_across_midnight_has_the_bounds_of_both_its_days_by_their_hours():
    hours = hours_of((48, BAD))
    margins = {FIRST: 24, FIRST + timedelta(days=1): 12}

    rows = windows(hours, STANDARDS, margins=margins, anchors=(0, 6, 23))

    bounds = [one.aqi_high for row in rows for one in row if one.day == FIRST]
    assert bounds == [230 + 24, 230 + 21, 230 + 13]  # 18 hours of 24 and 6 of 12; one of 24, 23 of 12, rounded up


@pytest.mark.parametrize(("measured", "bound"), [(0, 254), (12, 242), (24, None)])
def test_what_was_measured_is_no_longer_uncertain(measured, bound):
    seen = hours_of((24, BAD), source=Source.OBSERVED)[:measured]
    [row] = windows((*seen, *hours_of((24, BAD))[measured:]), STANDARDS, margins={FIRST: 24}, anchors=(0,))

    assert [(one.aqi, one.aqi_high) for one in row if one.day == FIRST] == [(230, bound)]


def test_a_bound_stops_at_the_end_of_the_scale_and_days_without_one_give_none():
    [row] = windows(hours_of((48, 490.0)), STANDARDS, margins={FIRST: 60}, anchors=(0,))

    assert [one.aqi_high for one in row] == [500, None]


def test_the_bound_of_a_day_of_ozone_is_no_bound_of_its_particles():
    """Published 180, up to 200, and 90 without the ozone: a bound 20 higher, and not 110."""
    day = DayOfAir(FIRST, 90, Source.FORECAST, aqi_high=200, overall=180)

    assert margins_of([day]) == {FIRST: 20}


def test_a_bound_that_is_ozones_alone_is_no_bound_of_a_window():
    day = DayOfAir(FIRST, 90, Source.FORECAST, aqi_high=200, primary=("o3",))

    assert margins_of([day]) == {}
    assert margins_of([replace(day, primary=("o3", "pm2_5"))]) == {FIRST: 110}


def test_a_window_beside_a_worse_published_day_has_the_bound_of_its_own_figure():
    """Each day 138 by its particles and 300 with its ozone, up to 320: windows reach 158 and neither 320 nor 138."""
    hours = hours_of((48, 105.0))
    days = windows(hours, STANDARDS, anchors=(0,))[0]
    said = tuple(replace(one, source=Source.FORECAST, overall=300, aqi_high=320, primary=("o3",)) for one in days)

    air = anchored(Air("柳州", said), hours, STANDARDS)

    whole = [one for one in air.anchored[0] if one.aqi == 138]
    assert len(whole) == 2
    assert {(one.published, one.aqi_high, one.counted_high) for one in whole} == {(300, 320, 158)}


def test_a_spell_that_ended_before_now_triggers_nothing():
    air = air_of(*TWO_WINDOWS)
    ends = datetime(2025, 11, 5, 14, tzinfo=SHANGHAI)

    def at(hours):
        now = ends + timedelta(hours=hours)
        return assess(RUNNING, ongoing(RUNNING, air, today=now.date(), now=now)).level

    assert (at(-3), at(24)) == (Level.YELLOW, Level.NONE)


def test_a_bad_window_between_two_calm_days_keeps_the_orders():
    """The first day's evening and the second's morning: each day's mean is under the mark, the night between is not."""
    air = air_of((12, CLEAN), (24, 160.0), (12, CLEAN))
    now = BEGIN - timedelta(hours=2)

    assert calm(CALENDAR, air, now=now).met
    found = calm(RUNNING, air, now=now)
    assert not found.met
    assert found.because_zh == "11-01 12:00 - 11-02 12:00 AQI 210，高于解除限值 AQI 150。"


def test_the_upper_bound_of_a_night_between_two_calm_days_keeps_the_orders():
    """The night is 138, up to 158; its days are calm by their bounds as well."""
    air = bounded((12, CLEAN), (24, 105.0), (12, CLEAN), above=20)
    now = BEGIN - timedelta(hours=2)

    assert calm(RUNNING, air, now=now).met
    assert calm(replace(CALENDAR, high_decides=True), air, now=now).met
    found = calm(replace(RUNNING, high_decides=True), air, now=now)
    assert not found.met
    assert found.because_en == "11-01 12:00 - 11-02 12:00 has AQI 158, over the release mark AQI 150."


def test_measured_hours_stand_and_the_source_fills_the_others_with_what_it_said_last():
    at = [BEGIN.astimezone(UTC) + timedelta(hours=n) for n in range(4)]
    old = Forecast("model", "柳州", at[0], (), hours=tuple(ForecastHour(one, None, {"pm2_5": 1.0}) for one in at))
    new = replace(old, issued_at=at[1], hours=tuple(ForecastHour(one, None, {"pm2_5": 2.0}) for one in at[2:]))
    seen = [Observation("stations", "柳州", one, "hour", {"pm2_5": 9.0}) for one in (at[1], at[3])]

    found = hours_joined(seen, [old, new], now=at[2])

    assert [one.values["pm2_5"] for one in found] == [1.0, 9.0, 2.0, 2.0]
    assert [one.source.value for one in found] == ["forecast", "observed", "forecast", "forecast"]


def test_a_source_that_gives_hours_only_gets_its_days_by_the_daily_method_and_others_keep_their_own():
    hours = tuple(ForecastHour(one.at, None, one.values) for one in hours_of((24, BAD), (19, BAD)))
    only = Forecast("model", "柳州", BEGIN, (), hours=hours)

    assert [(one.day, one.aqi) for one in with_days(only, STANDARDS).days] == [(FIRST, 230)]
    own = replace(only, days=(ForecastDay(FIRST, 99),))
    assert with_days(own, STANDARDS) is own


def with_ozone(ozone, **values):
    """A day of hours with this much ozone in eight of them."""
    said = {"pm2_5": CLEAN, "pm10": 60.0, "so2": 5.0, "no2": 20.0, "co": 0.5, **values}
    return tuple(
        replace(one, values={**said, "o3": ozone if 11 <= n < 19 else 60.0}) for n, one in enumerate(hours_of((24, 1)))
    )


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (with_ozone(245.0), (180, ("o3",), 55, Cause.O3)),
        (with_ozone(90.0, pm10=450.0), (338, ("pm10",), 29, Cause.SAND_DUST)),
        (with_ozone(90.0, pm2_5=BAD), (230, ("pm2_5",), None, Cause.PM2_5)),
    ],
)
def test_days_made_of_hours_have_the_cause_and_both_figures_of_the_one_rule(hours, said):
    hours = tuple(ForecastHour(one.at, None, one.values) for one in hours)
    [day] = with_days(Forecast("model", "柳州", BEGIN, (), hours=hours), STANDARDS).days

    assert (day.aqi, day.primary, day.counted, day.cause) == said


def test_a_window_carries_the_published_index_of_the_ozone_day_it_lies_in():
    hours = with_ozone(245.0)
    day = DayOfAir(FIRST, 55, Source.FORECAST, primary=("o3",), cause=Cause.O3, overall=180)

    found = assess(RUNNING, anchored(Air("柳州", (day,)), hours, STANDARDS))

    assert {(one.published, one.cause) for one in found.days} == {(180, Cause.O3)}
    assert from_data(as_data(found)) == found


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.tuples(st.integers(6, 40), st.sampled_from([CLEAN, 130.0, BAD, 260.0, None])), min_size=2, max_size=5),
    st.integers(1, 20),
)
def test_shifting_every_hour_by_whole_days_shifts_the_answer_and_nothing_else(stretches, days):
    shift = timedelta(days=days)
    if not (here := air_of(*stretches)).anchored:
        return
    there = air_of(*stretches, begin=BEGIN + shift)
    one, other = assess(RUNNING, here), assess(RUNNING, there)

    assert (one.level, one.anchor, one.clause) == (other.level, other.anchor, other.clause)
    assert tuple(day + shift for day in one.run) == other.run


def test_the_lead_of_a_forecast_is_kept_and_a_window_under_way_has_none_to_spare():
    ahead = assess(RUNNING, air_of(*TWO_WINDOWS))
    under_way = replace(ahead, days=tuple(replace(one, issued_at=BEGIN + timedelta(days=3)) for one in ahead.days))

    assert (as_data(ahead)["lead_days"], as_data(under_way)["lead_days"]) == (2, 0)
    assert as_data(assess(CALENDAR, air_of((48, CLEAN))))["lead_days"] is None
