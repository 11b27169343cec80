"""The walk of a drill: what is signed is not lifted the hour after, and every difference has its words."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from emergency.domain.assessment import SHANGHAI
from emergency.domain.calm import calm, over
from emergency.domain.drill import Evening, Expected, differences, walk
from emergency.domain.forecast import DayOfAir, Forecast, ForecastDay, Source, joined
from emergency.domain.level import Level
from tests.world import PLANS

PLAN = PLANS["liuzhou"]
DAY = date(2025, 12, 1)
AT = datetime(2025, 12, 1, 17, tzinfo=SHANGHAI)


def said(*aqi: int, at: datetime = AT) -> Forecast:
    """A forecast of the day under way and the days after it."""
    first = at.date()
    return Forecast("a", "柳州", at, tuple(ForecastDay(first + timedelta(days=n), one) for n, one in enumerate(aqi)))


def test_two_calm_days_before_the_bad_day_a_warning_was_given_for_do_not_lift_it() -> None:
    air = joined("柳州", [], said(90, 100, 110, 229), today=DAY)
    spell_until = datetime(2025, 12, 5, tzinfo=SHANGHAI)

    assert calm(PLAN, air, now=AT).met
    assert not over(PLAN, air, spell_until=spell_until, now=AT)

    walked = walk(PLAN, "柳州", [Evening(said(90, 100, 110, 229), ())], [], begins=AT, ends=AT + timedelta(hours=12))
    assert [one.level for one in walked.changes] == [Level.YELLOW]


def test_a_spell_that_ends_tonight_may_be_lifted_today() -> None:
    air = joined("柳州", [], said(221, 120, 110, 90), today=DAY)

    assert over(PLAN, air, spell_until=datetime(2025, 12, 2, tzinfo=SHANGHAI), now=AT)


def test_a_measured_day_is_known_only_when_it_is_over() -> None:
    worst = [DayOfAir(DAY + timedelta(days=n), 260, Source.OBSERVED) for n in range(3)]

    walked = walk(PLAN, "柳州", [Evening(said(90, 90, 90), ())], worst, begins=AT, ends=AT + timedelta(hours=5))

    assert walked.changes == ()


def test_what_did_not_come_and_what_came_unasked_are_both_named() -> None:
    walked = walk(PLAN, "柳州", [Evening(said(90, 229), ())], [], begins=AT, ends=AT + timedelta(hours=1))
    wanted = Expected(Level.YELLOW, AT, None, timedelta(hours=1))

    assert differences([wanted], walked.changes) == ()
    assert "nothing came" in differences([wanted, wanted], walked.changes)[0]
    assert "nothing was expected" in differences([], walked.changes)[0]
