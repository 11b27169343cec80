"""Several sources side by side: each judged by itself, disagreement told, nothing averaged."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from emergency.domain.assessment import SHANGHAI
from emergency.domain.forecast import Forecast, ForecastDay, joined
from emergency.domain.level import Level
from emergency.domain.plan import RunsOn
from emergency.domain.sources import beside, is_late
from emergency.plans.plans import load_plans

PLAN = load_plans()["mee-2024"]
TODAY = date(2026, 1, 9)
NOW = datetime(2026, 1, 9, 9, 0, tzinfo=UTC)


def said_by(**sources):
    some = []
    for feed, figures in sorted(sources.items()):
        days = tuple(ForecastDay(TODAY + timedelta(days=n), aqi, aqi - 5) for n, aqi in enumerate(figures, 1))
        told = Forecast(feed, "柳州", NOW, days)
        some.append((told, joined("柳州", (), told, today=TODAY)))
    return some


def test_the_highest_source_decides_and_the_others_keep_their_own_level():
    found = beside(PLAN, said_by(calm=(90, 80), high=(210, 220), mid=(160, 170)), today=TODAY, now=NOW)

    assert [(one.feed, one.level, one.decides) for one in found.says] == [
        ("calm", Level.NONE, False),
        ("high", Level.ORANGE, True),
        ("mid", Level.YELLOW, False),
    ]
    assert found.disagree


def test_a_day_apart_is_named_even_where_the_whole_runs_agree():
    found = beside(PLAN, said_by(one=(210, 90), other=(90, 210)), today=TODAY, now=NOW)

    assert not found.disagree
    assert found.apart == (TODAY + timedelta(days=1), TODAY + timedelta(days=2))
    assert [said.level for said in found.says[0].days.values()] == [Level.YELLOW, Level.NONE]


def test_a_day_one_source_does_not_reach_is_no_disagreement_and_is_not_filled():
    found = beside(PLAN, said_by(far=(90, 90, 90), near=(90,)), today=TODAY, now=NOW)

    assert (len(found.days), found.apart, len(found.says[1].days)) == (3, (), 1)


def test_a_source_the_plan_cannot_judge_has_no_level_and_decides_nothing():
    plan = replace(PLAN, runs_on=RunsOn.ANY_24_HOURS)
    [only] = beside(plan, said_by(days=(210, 220)), today=TODAY, now=NOW).says

    assert (only.level, only.decides) == (None, False)


def test_a_source_whose_newest_issue_missed_the_last_hour_it_was_due_is_late():
    def late(issued, now):
        came, here = datetime(2026, 1, *issued, tzinfo=SHANGHAI), datetime(2026, 1, *now, tzinfo=SHANGHAI)
        return is_late(came, by_hour=20, now=here)

    assert not late((8, 17), (9, 19))  # today's is not due yet, yesterday's is there
    assert not late((8, 17), (9, 10))
    assert late((8, 17), (9, 20))
    assert not late((8, 21), (9, 20))  # it came after the 8th's hour: the 9th's
    assert late((7, 20), (9, 10))


def test_a_feed_that_repeats_an_old_issue_is_told_from_one_that_is_new():
    old, new = said_by(old=(90,), new=(90,))[::-1]
    stale = (replace(old[0], issued_at=NOW - timedelta(days=3)), old[1])

    found = beside(PLAN, [stale, new], today=TODAY, now=NOW, by_hour=20)

    assert [(one.feed, one.late) for one in found.says] == [("old", True), ("new", False)]
    assert not any(one.late for one in beside(PLAN, [stale, new], today=TODAY, now=NOW).says)
