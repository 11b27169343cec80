"""Where a spell ends by any 24 hours, whichever row decides: its last touched day keeps the level."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from emergency.domain.assess import assess
from emergency.domain.assessment import SHANGHAI, as_data, end_of, from_data
from emergency.domain.calm import over
from emergency.domain.forecast import Air, Source
from emergency.domain.foresight import Past, Perfect
from emergency.domain.hindsight import demanded
from emergency.domain.level import Level
from emergency.domain.plan import RunsOn
from emergency.domain.replay import walk
from emergency.domain.replay_hours import by_the_hour
from emergency.domain.windows import HourOfAir, windows
from emergency.plans.plans import load_plans
from emergency.plans.standards import load_standards

STANDARDS = load_standards()
CALENDAR = load_plans()["mee-2024"]
RUNNING = replace(CALENDAR, runs_on=RunsOn.ANY_24_HOURS)
BEGIN = datetime(2025, 11, 1, tzinfo=SHANGHAI)
CLEAN, LIGHT, OVER, BAD, WORST = 20.0, 100.0, 117.0, 180.0, 400.0  # PM2.5: over a day AQI 28, 131, 153, 230, 434

TWO_WINDOWS = ((62, CLEAN), (48, OVER), (34, CLEAN))  # 14:00 on the 3rd to 14:00 on the 5th, and no other two
FOUR_ROWS = ((29, CLEAN), (51, OVER), (64, CLEAN))  # from 05:00 on the 2nd: two windows at 05:00, 06:00, 07:00, 08:00
RED_WITH_A_TAIL = ((149, CLEAN), (72, WORST), (33, LIGHT), (106, CLEAN))  # red to the 10th, orange some hours longer


def past(*stretches: tuple[int, float]) -> Past:
    """Measured hours from 00:00 on the 1st of November, so many at each PM2.5 in µg/m³."""
    figures = [pm for count, pm in stretches for _ in range(count)]
    hours = tuple(
        HourOfAir(BEGIN + timedelta(hours=n), {"pm2_5": pm}, Source.OBSERVED) for n, pm in enumerate(figures, 1)
    )
    days = tuple(replace(one, source=Source.OBSERVED) for one in windows(hours, STANDARDS, anchors=(0,))[0])
    return Past("柳州", days, first=days[0].day, last=days[-1].day, hourly=by_the_hour(days, hours, STANDARDS))


def air(*stretches: tuple[int, float]) -> Air:
    """The same as the air a plan judges."""
    found = past(*stretches)
    return Air("柳州", found.days, found.hourly.rows)


def hour(day: int, at: int) -> datetime:
    """This hour of a day of November in Shanghai."""
    return datetime(2025, 11, day, at, tzinfo=SHANGHAI)


def test_the_earliest_of_equal_rows_decides_and_the_one_that_ends_last_carries_the_end() -> None:
    found = assess(RUNNING, air(*FOUR_ROWS))

    assert (found.anchor, found.since, found.until) == (5, hour(2, 5), hour(4, 8))
    assert "按其他整点起算同级条件持续至11-04 08:00" in found.sentence_zh
    assert "by windows from other hours the same level lasts until 11-04 08:00" in found.sentence_en
    assert from_data(as_data(found)) == found


def test_where_the_row_that_decides_ends_last_nothing_is_added_to_what_is_kept() -> None:
    found = assess(RUNNING, air(*TWO_WINDOWS))

    assert (found.until, found.lasts_until) == (hour(5, 14), None)
    assert "lasts_until" not in as_data(found)
    assert "其他整点" not in found.sentence_zh


def test_a_run_that_begins_when_the_one_that_decides_is_over_is_a_spell_of_its_own() -> None:
    found = assess(RUNNING, air((62, CLEAN), (48, OVER), (76, CLEAN), (48, OVER), (54, CLEAN)))

    assert (found.since, found.until) == (hour(3, 14), hour(5, 14))


def test_by_days_of_the_calendar_a_spell_ends_with_the_run_that_decides() -> None:
    assert assess(CALENDAR, air((24, CLEAN), (72, BAD), (48, CLEAN))).until == end_of(date(2025, 11, 4))


def test_a_run_of_a_lower_level_that_is_under_way_at_midnight_is_waited_for() -> None:
    """Two windows of orange from the 9th 13:00 on would end at 13:00 on the 11th."""
    some = air(*RED_WITH_A_TAIL)

    ended = [over(RUNNING, some, spell_until=None, now=hour(day, 17)) for day in (10, 11)]

    assert ended == [False, True]


@pytest.mark.parametrize(
    ("stretches", "last"), [(((62, CLEAN), (60, OVER), (94, CLEAN)), (6, Level.YELLOW)),
                            (RED_WITH_A_TAIL, (11, Level.ORANGE))],
)
def test_whoever_knows_what_comes_keeps_the_level_on_the_last_day_that_the_spell_touches(
    stretches: tuple[tuple[int, float], ...], last: tuple[int, Level]
) -> None:
    found = past(*stretches)
    asked = demanded(RUNNING, found.days, found.hourly.rows)
    held = {one.day: one.level for one in walk(RUNNING, found, Perfect(found)).days}

    day, level = last
    assert max(one for one, wanted in asked.items() if wanted) == date(2025, 11, day)
    assert held[date(2025, 11, day)] is asked[date(2025, 11, day)] is level
    assert held[date(2025, 11, day + 1)] is Level.NONE
