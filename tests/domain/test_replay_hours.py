"""A plan that runs on any 24 hours, walked over measured hours: what days give where both say the same, and more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emergency.domain.assessment import SHANGHAI
from emergency.domain.forecast import Cause, DayOfAir, Source
from emergency.domain.foresight import Archived, Past, Perfect, Persistence
from emergency.domain.hindsight import demanded
from emergency.domain.level import Level
from emergency.domain.plan import RunsOn
from emergency.domain.replay import Replay, walk
from emergency.domain.replay_hours import Hourly, by_the_hour, foreseen_rows, within
from emergency.domain.scores import scores
from emergency.domain.windows import HourOfAir, windows
from emergency.plans.plans import load_plans
from emergency.plans.standards import load_standards

QUIET = settings(database=None, deadline=None, max_examples=30)
STANDARDS = load_standards()
CALENDAR = load_plans()["mee-2024"]
RUNNING = replace(CALENDAR, runs_on=RunsOn.ANY_24_HOURS)
BEGIN = datetime(2025, 11, 1, tzinfo=SHANGHAI)
CLEAN, OVER, BAD = 20.0, 117.0, 180.0  # PM2.5 in µg/m³: over a day AQI 28, 153 and 230


def hours_of(*stretches: tuple[int, float | None], source: Source = Source.OBSERVED) -> tuple[HourOfAir, ...]:
    figures = [pm for count, pm in stretches for _ in range(count)]
    return tuple(
        HourOfAir((BEGIN + timedelta(hours=n + 1)).astimezone(UTC), {"pm2_5": pm}, source)
        for n, pm in enumerate(figures)
        if pm is not None
    )


def past(*stretches: tuple[int, float | None]) -> Past:
    hours = hours_of(*stretches)
    days = tuple(replace(one, source=Source.OBSERVED) for one in windows(hours, STANDARDS, anchors=(0,))[0])
    return Past("柳州", days, first=days[0].day, last=days[-1].day, hourly=by_the_hour(days, hours, STANDARDS))


def day(number: int) -> date:
    return date(2025, 11, number)


# 14:00 on the 3rd to 14:00 on the 5th: two windows; by the calendar one bad day between two that are mixed.
TWO_WINDOWS = ((62, CLEAN), (48, OVER), (106, CLEAN))


def told(replay: Replay) -> list[tuple[str, str, datetime, datetime]]:
    return [(one.step.value, one.level.word, one.issued_at, one.effective_at) for one in replay.declarations]


def test_two_windows_across_midnight_are_warned_of_that_no_two_calendar_days_show() -> None:
    air = past(*TWO_WINDOWS)

    assert walk(CALENDAR, air, Perfect(air)).declarations == ()
    [only] = walk(RUNNING, air, Perfect(air)).declarations
    assert (only.level, only.grounds.anchor, only.grounds.run) == (Level.YELLOW, 14, (day(3), day(4)))
    assert only.effective_at == datetime(2025, 11, 3, tzinfo=SHANGHAI)
    assert only.ended_at == datetime(2025, 11, 6, tzinfo=SHANGHAI)


def test_the_trigger_sees_a_window_only_when_it_is_over_within_the_lead() -> None:
    air = past(*TWO_WINDOWS)

    [far] = walk(RUNNING, air, Perfect(air), lead_days=3).declarations
    [near] = walk(RUNNING, air, Perfect(air), lead_days=1).declarations

    assert [one.issued_at.astimezone(SHANGHAI).day for one in (far, near)] == [2, 4]


def test_air_that_is_bad_by_whole_days_gives_what_the_calendar_gives() -> None:
    air = past((48, CLEAN), (24, OVER), (48, BAD), (24, OVER), (120, CLEAN))

    assert told(walk(RUNNING, air, Perfect(air))) == told(walk(CALENDAR, air, Perfect(air))) != []
    figures = [scores(plan, air, walk(plan, air, Perfect(air))) for plan in (RUNNING, CALENDAR)]
    assert figures[0] == figures[1]


def test_a_spell_is_carried_over_from_evening_to_evening_as_measured() -> None:
    """Each evening foresees one day; only the measured windows before it make the three that orange asks for."""
    air = past((62, CLEAN), (72, OVER), (106, CLEAN))

    found = walk(RUNNING, air, Perfect(air), lead_days=1)

    assert [one.level for one in found.declarations] == [Level.YELLOW, Level.ORANGE]
    assert len(found.declarations[-1].grounds.run) == 3


def test_persistence_repeats_the_last_24_hours_and_knows_no_others() -> None:
    air = past(*TWO_WINDOWS)

    [only] = walk(RUNNING, air, Persistence()).declarations

    assert only.issued_at == datetime(2025, 11, 4, 17, tzinfo=SHANGHAI)  # by then the last 24 hours are all bad
    assert {one.feed for one in only.grounds.days if one.source is Source.FORECAST} == {"persistence"}


@QUIET
@given(st.data(), st.integers(0, 23), st.sampled_from([date(2025, 11, 2), date(2026, 2, 27)]))
def test_the_last_24_hours_over_and_over_are_what_their_windows_were_worth_one_by_one(
    data: st.DataObject, hour: int, today: date
) -> None:
    """Holes, dust on some days, the change of edition on 2026-03-01: the short way and the long one say the same."""
    at = datetime.combine(today, time(hour), SHANGHAI)
    figures = data.draw(st.lists(st.sampled_from([None, {}, {"pm2_5": 180.0}, {"pm2_5": 70.0, "pm10": 500.0}]),
                                 min_size=24, max_size=24).filter(any))
    last = tuple(
        HourOfAir((at - timedelta(hours=n)).astimezone(UTC), values, Source.OBSERVED, "stations")
        for n, values in reversed(list(enumerate(figures)))
        if values is not None
    )
    causes = {today + timedelta(days=n): Cause.SAND_DUST for n in data.draw(st.sets(st.integers(-1, 4)))}
    measured = Hourly(last, ((),) * 24, STANDARDS, causes)
    again = [
        replace(one, at=one.at + timedelta(days=turn), source=Source.FORECAST, feed="persistence")
        for turn in range(1, 6)
        for one in last
    ]

    short = Persistence().rows_ahead(measured, at=at, days=3)

    assert short == within(foreseen_rows(measured, again, at=at), last=today + timedelta(days=3))


def test_hours_that_come_again_are_valued_once_for_each_day() -> None:
    rows = Persistence().rows_ahead(past((72, BAD)).hourly, at=BEGIN + timedelta(days=2, hours=17), days=3)

    assert sum(map(len, rows)) > 70
    assert len({id(one) for row in rows for one in row}) == 5


def test_the_upper_bound_of_an_archived_day_decides_for_the_windows_of_its_hours() -> None:
    air = past((240, CLEAN))
    issued = datetime(2025, 11, 3, 16, tzinfo=SHANGHAI)
    low = hours_of((72, CLEAN), (72, 105.0), source=Source.FORECAST)  # 138 from the 4th on
    days = tuple(DayOfAir(day(n), 138, Source.FORECAST, aqi_high=210) for n in (4, 5, 6))
    archive = Archived("archive", {issued: days}, {issued: low})

    assert walk(RUNNING, air, Archived("archive", {}, {issued: low})).declarations == ()
    [first, *_] = walk(replace(RUNNING, high_decides=True), air, archive).declarations
    assert (first.level, first.issued_at.astimezone(SHANGHAI).day) == (Level.ORANGE, 3)


def test_archived_hours_are_heard_after_what_was_measured_and_archived_days_fill_the_row_at_midnight() -> None:
    air = past(*TWO_WINDOWS)
    issued = datetime(2025, 11, 3, 16, tzinfo=SHANGHAI)
    by_hour = Archived("archive", {}, {issued: hours_of(*TWO_WINDOWS, source=Source.FORECAST)})
    by_day = Archived("archive", {issued: tuple(DayOfAir(day(n), 153, Source.FORECAST) for n in (4, 5))})

    [heard] = walk(RUNNING, air, by_hour).declarations
    assert (heard.issued_at.astimezone(SHANGHAI).day, heard.grounds.anchor) == (3, 14)
    [filled] = walk(RUNNING, air, by_day).declarations
    assert (filled.grounds.anchor, filled.grounds.run) == (0, (day(4), day(5)))


def test_hindsight_asks_a_level_of_every_day_of_which_an_hour_lies_in_the_run() -> None:
    air = past(*TWO_WINDOWS)

    asked = demanded(RUNNING, air.days, air.hourly.rows)

    assert [one for one, level in asked.items() if level is Level.YELLOW] == [day(3), day(4), day(5)]
    assert set(demanded(CALENDAR, air.days, air.hourly.rows).values()) == {Level.NONE}


@pytest.mark.parametrize("hours", [20, 19])
def test_a_window_short_of_hours_is_unknown_and_warns_of_nothing(hours: int) -> None:
    air = past((48, CLEAN), (24, None), (hours, BAD), (24 - hours, None), (24, None), (72, CLEAN))

    assert (walk(RUNNING, air, Perfect(air)).declarations != ()) is (hours == 20)


def test_a_walk_repeated_is_the_same_and_three_weeks_give_as_many_days_as_it_has() -> None:
    air = past(*(((40, CLEAN), (51, OVER), (37, BAD)) * 4))

    assert walk(RUNNING, air, Perfect(air)) == walk(RUNNING, air, Perfect(air))
    assert len(walk(RUNNING, air, Persistence()).days) == len(air.days) == 21
