"""The test that lets go, comparison by comparison: days by cause, nights between two days, and what nobody knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from emergency.domain.assess import assess
from emergency.domain.calm import calm
from emergency.domain.forecast import Air, Cause
from emergency.domain.letting_go import RELEASE, Trial, explained
from emergency.domain.level import Level
from emergency.domain.plan import Plan
from tests.domain.test_plan_calm import MORNING, PLANS, air
from tests.domain.test_windows import BEGIN, CLEAN, RUNNING, air_of


def said(plan: Plan, some: Air, now):
    """What would be kept: operator and sides of each comparison, and whether the test was met."""
    test = Trial(RELEASE, plan.release_rule, Level.NONE, some, calm(plan, some, now=now))
    kept = explained(plan, assess(plan, some), test, says=Level.NONE, now=now)
    rows = [(one["left"], one["op"], one["right"]) for one in kept["comparisons"]]
    return rows, all(one["holds"] for one in kept["comparisons"]), kept["calm"]["met"], kept


def test_a_day_whose_cause_keeps_no_orders_is_no_figure_over_the_mark():
    ozone = Air("", tuple(replace(one, cause=Cause.O3) for one in air(140, 160, 90)))

    rows, holds, met, kept = said(PLANS["liujiang"], ozone, MORNING)

    assert (holds, met) == (True, True)
    assert rows[0] == (1, "==", 1)
    assert "臭氧" in kept["comparisons"][0]["what_zh"]
    assert kept["days"][1]["advisory"]


def test_the_worst_night_between_two_calm_days_is_a_comparison_of_its_own():
    bad = air_of((12, CLEAN), (24, 160.0), (12, CLEAN))

    rows, holds, met, _ = said(RUNNING, bad, BEGIN - timedelta(hours=2))

    assert (holds, met) == (False, False)
    assert (210, "<=", 150) in rows


def test_what_was_met_to_the_hour_is_not_more_than_the_hours_of_the_plan():
    plan = PLANS["liujiang"]
    longer = replace(plan, release_rule=replace(plan.release_rule, hours_over=48))

    rows, holds, met, _ = said(longer, air(140, 90, 90), MORNING)

    assert (holds, met) == (False, False)
    assert (48, ">", 48) in rows
