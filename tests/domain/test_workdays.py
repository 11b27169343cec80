"""Working days skip weekends and holidays and count days made up for them; of repeated steps the last is due."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from emergency.clock import SHANGHAI
from emergency.domain.repeating import last_hour, last_step
from emergency.domain.workdays import Calendar
from emergency.errors import Misconfigured
from emergency.plans.workdays import load_workdays
from tests.world import CALENDAR

FRIDAY = date(2026, 2, 13)


def test_a_spring_festival_with_its_made_up_days_is_counted_as_announced() -> None:
    assert CALENDAR.works(date(2026, 2, 14)), "a Saturday on which everybody works"
    assert not CALENDAR.works(date(2026, 2, 23)), "a Monday of the holiday"
    assert CALENDAR.after(FRIDAY, 1) == date(2026, 2, 14)
    assert CALENDAR.after(FRIDAY, 2) == date(2026, 2, 24)
    assert CALENDAR.before(date(2026, 2, 24), 1) == date(2026, 2, 14)


def test_every_day_of_the_announcements_is_as_announced() -> None:
    """国办发明电〔2014〕28号 with 国发明电〔2015〕1号, and 国办发明电〔2025〕7号: weekdays off, weekends worked."""
    october = "10-01 10-02 10-05 10-06 10-07"
    announced = {
        2015: ("01-01 01-02 02-18 02-19 02-20 02-23 02-24 04-06 05-01 06-22 09-03 09-04 " + october,
               "01-04 02-15 02-28 09-06 10-10"),
        2026: ("01-01 01-02 02-16 02-17 02-18 02-19 02-20 02-23 04-06 05-01 05-04 05-05 06-19 09-25 " + october,
               "01-04 02-14 02-28 05-09 09-20 10-10"),
    }  # fmt: skip
    assert set(announced) == CALENDAR.years
    for year, (off, worked) in announced.items():
        days = [date(year, 1, 1) + timedelta(days=n) for n in range(365)]
        assert [f"{one:%m-%d}" for one in days if one.weekday() < 5 and not CALENDAR.works(one)] == off.split()
        assert [f"{one:%m-%d}" for one in days if one.weekday() >= 5 and CALENDAR.works(one)] == worked.split()


def test_years_nobody_announced_are_named() -> None:
    assert CALENDAR.unannounced(date(2026, 1, 1), date(2026, 12, 31)) == ()
    assert CALENDAR.unannounced(date(2026, 12, 30), date(2028, 1, 4)) == (2027, 2028)


def test_a_year_nobody_announced_has_weekends_and_nothing_else() -> None:
    assert Calendar().after(FRIDAY, 1) == date(2026, 2, 16)
    assert [Calendar().works(FRIDAY + timedelta(days=n)) for n in range(4)] == [True, False, False, True]


def test_an_end_at_midnight_belongs_to_the_day_before() -> None:
    midnight = datetime(2026, 2, 14, tzinfo=SHANGHAI)

    assert Calendar().due(midnight, 1, zone=SHANGHAI) == date(2026, 2, 16)
    assert Calendar().due(midnight + timedelta(seconds=1), 1, zone=SHANGHAI) == date(2026, 2, 16)
    assert Calendar().due(datetime(2026, 2, 16, tzinfo=SHANGHAI), 1, zone=SHANGHAI) == date(2026, 2, 16)
    assert Calendar().due(datetime(2026, 2, 16, 0, 1, tzinfo=SHANGHAI), 1, zone=SHANGHAI) == date(2026, 2, 17)


@pytest.mark.parametrize(
    ("rest", "work", "reason"),
    [
        ('[["2026-01-03", "2026-01-01"]]', "[]", "ends before it begins"),
        ('[["2026-01-01", "2026-01-03"]]', '["2026-01-02"]', "both rest and work"),
        ('[["2025-12-31", "2026-01-03"]]', "[]", "stands under 2026"),
    ],
)
def test_a_calendar_that_cannot_be_meant_is_refused(tmp_path: Path, rest: str, work: str, reason: str) -> None:
    path = tmp_path / "workdays.yaml"
    path.write_text(
        f'years:\n  "2026":\n    {{basis: assumed, source: 为测试所设, rest: {rest}, work: {work}}}\n', "utf-8"
    )

    with pytest.raises(Misconfigured, match=reason):
        load_workdays(path)


@pytest.mark.parametrize(("hours", "step"), [(3.9, None), (4, 4), (7.9, 4), (8, 8), (100, 100), (103.9, 100)])
def test_of_the_steps_that_are_due_only_the_last_is(hours: float, step: int | None) -> None:
    since = datetime(2026, 1, 9, 9, 30, tzinfo=UTC)

    found = last_step(since, timedelta(hours=4), now=since + timedelta(hours=hours))

    assert found == (None if step is None else since + timedelta(hours=step))


def test_the_last_hour_of_a_day_is_todays_once_it_struck_in_the_zone() -> None:
    struck = datetime(2026, 1, 9, 17, 0, tzinfo=SHANGHAI)

    assert last_hour(time(17), now=struck.astimezone(UTC), zone=SHANGHAI) == struck
    assert last_hour(time(17), now=struck - timedelta(seconds=1), zone=SHANGHAI) == struck - timedelta(days=1)
    assert last_hour(time(17), now=struck + timedelta(hours=23), zone=SHANGHAI) == struck
