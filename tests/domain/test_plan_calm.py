"""The release test on daily data: two whole days, and strictly more than 36 hours."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from emergency.domain.calm import calm, one_episode
from emergency.domain.forecast import Air, Cause, DayOfAir, Source
from emergency.domain.plan import UnknownCell
from emergency.plans.plans import load_plans

SHANGHAI = ZoneInfo("Asia/Shanghai")
PLANS = load_plans()
TODAY = date(2026, 1, 13)
MORNING = datetime(2026, 1, 13, 8, tzinfo=SHANGHAI)


def air(*figures, first=TODAY):
    return Air("", tuple(DayOfAir(first + timedelta(days=n), aqi, Source.FORECAST) for n, aqi in enumerate(figures)))


def test_two_whole_days_below_the_mark_are_calm():
    found = calm(PLANS["liujiang"], air(140, 90, 90), now=MORNING)

    assert found.met
    assert found.since == datetime(2026, 1, 12, 16, tzinfo=UTC)
    assert found.until == datetime(2026, 1, 15, 16, tzinfo=UTC)
    assert "2026-01-14至2026-01-15" in found.because_zh


def test_the_day_under_way_may_be_bad_for_the_release_holds_from_its_end():
    found = calm(PLANS["liujiang"], air(210, 90, 90), now=MORNING)

    assert found.met
    assert found.since == datetime(2026, 1, 13, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("figures", "word"),
    [
        ((140, 90), "2026-01-15"),  # one whole day is 24 h, and the next is not known
        ((140, 160, 90), "2026-01-14"),
        ((140, 90, 151), "2026-01-15"),
        ((), "2026-01-14"),
    ],
)
def test_a_bad_or_unknown_day_among_them_is_not_calm_and_is_named(figures, word):
    found = calm(PLANS["liujiang"], air(*figures), now=MORNING)

    assert not found.met
    assert word in found.because_zh
    assert word in found.because_en


def test_the_mark_itself_is_calm():
    assert calm(PLANS["liujiang"], air(150, 150, 150), now=MORNING).met
    assert calm(PLANS["mee-2018"], air(200, 200, 200), now=MORNING).met
    assert not calm(PLANS["mee-2018"], air(200, 201, 200), now=MORNING).met


def test_at_midnight_the_day_that_begins_is_the_first_whole_one():
    midnight = datetime(2026, 1, 13, 0, tzinfo=SHANGHAI)

    assert calm(PLANS["liujiang"], air(90, 90), now=midnight).met
    assert not calm(PLANS["liujiang"], air(90, 90), now=midnight + timedelta(minutes=1)).met


def test_days_belong_to_shanghai_whatever_zone_now_is_said_in():
    late = datetime(2026, 1, 12, 17, tzinfo=UTC)  # 01:00 of the 13th in Shanghai

    assert calm(PLANS["liujiang"], air(90, 90, 90), now=late).met


def test_calm_reaches_back_over_observed_days_and_stops_at_the_bad_one():
    found = calm(PLANS["liujiang"], air(210, 140, 120, 90, 90, first=TODAY - timedelta(days=2)), now=MORNING)

    assert found.since == datetime(2026, 1, 11, 16, tzinfo=UTC)


def test_days_that_get_a_health_notice_only_keep_no_orders_in_force():
    days = air(140, 160, 90)
    ozone = Air("", tuple(replace(day, cause=Cause.O3) for day in days))

    assert calm(PLANS["liujiang"], ozone, now=MORNING).met
    assert "除成因不启动应急的日子外" in calm(PLANS["liujiang"], ozone, now=MORNING).because_zh


def test_strictly_more_than_the_hours_the_plan_names():
    plan = PLANS["liujiang"]
    assert plan.release_rule is not None
    longer = replace(plan, release_rule=replace(plan.release_rule, hours_over=48))
    shorter = replace(plan, release_rule=replace(plan.release_rule, hours_over=47))

    assert not calm(longer, air(140, 90, 90), now=MORNING).met  # 48 h from 00:00 of the 14th, not more
    assert calm(longer, air(140, 90, 90, 90), now=MORNING).met
    assert calm(shorter, air(140, 90, 90), now=MORNING).met


def test_a_plan_whose_release_was_never_seen_is_refused_by_name():
    with pytest.raises(UnknownCell, match="release"):
        calm(PLANS["cd-2017"], air(90, 90, 90), now=MORNING)


def test_two_spells_closer_than_the_merge_gap_are_one_episode():
    at = datetime(2026, 1, 10, tzinfo=UTC)

    assert one_episode(PLANS["liujiang"], ended_at=at, starts_at=at + timedelta(hours=35))
    assert not one_episode(PLANS["liujiang"], ended_at=at, starts_at=at + timedelta(hours=36))


def test_a_plan_without_a_merge_gap_merges_no_two_spells_however_close():
    at = datetime(2026, 1, 10, tzinfo=UTC)

    assert "merge_gap_hours" not in PLANS["bj-2013"].numbers
    assert not one_episode(PLANS["bj-2013"], ended_at=at, starts_at=at)
