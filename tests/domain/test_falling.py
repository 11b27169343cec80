"""A warning is lowered by the calm test against its own mark, skipping levels where the plan lets it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from emergency.domain.assess import assess
from emergency.domain.calm import calm
from emergency.domain.episode import Move, Phase, next_move
from emergency.domain.falling import falls_to
from emergency.domain.forecast import Air, DayOfAir, Source
from emergency.domain.level import Level
from emergency.domain.plan import Plan
from tests.builders import an_episode
from tests.world import PLANS

PLAN = PLANS["mee-2024"]
TODAY = date(2026, 1, 10)
NOW = datetime(2026, 1, 10, 9, 0, tzinfo=UTC)  # 17:00 in Shanghai


def air(before: list[int], ahead: list[int]) -> Air:
    """Measured days up to today, foreseen ones from tomorrow."""
    first = TODAY - timedelta(days=len(before) - 1)
    return Air(
        "柳州",
        tuple(
            DayOfAir(first + timedelta(days=n), aqi, Source.OBSERVED if n < len(before) else Source.FORECAST)
            for n, aqi in enumerate([*before, *ahead])
        ),
    )


def fallen(plan: Plan, some: Air, level: Level) -> Level | None:
    return falls_to(plan, some, level, spell_until=assess(plan, some).until, now=NOW)


def asked(plan: Plan, some: Air, level: Level) -> Move | None:
    """What the rule asks for while this level is in force."""
    said = assess(plan, some)
    return next_move(
        an_episode(phase=Phase.ACTIVE, level=level),
        said.level,
        calm=calm(plan, some, now=NOW).met,
        spell_until=said.until,
        falls_to=falls_to(plan, some, said.level, spell_until=said.until, now=NOW),
    )


def test_red_gives_way_to_orange_when_two_whole_days_stay_below_its_mark() -> None:
    spell = air([220, 310, 230], [180, 170, 165])

    assert assess(PLAN, spell).level is Level.RED  # the joined run still says so
    assert fallen(PLAN, spell, Level.RED) is Level.ORANGE  # six days over 150 stand
    assert asked(PLAN, spell, Level.RED) is Move.DOWNGRADE


def test_one_better_day_lowers_nothing() -> None:
    assert asked(PLAN, air([220, 310, 230], [180, 210, 165]), Level.RED) is None
    assert asked(PLAN, air([220, 310, 230], [180]), Level.RED) is None  # a day nobody knows is not calm


def test_a_run_that_still_goes_on_is_not_lowered() -> None:
    assert fallen(PLAN, air([220, 310], [230, 180, 170]), Level.RED) is None


def test_where_the_air_is_calm_altogether_it_is_a_release_and_no_downgrade() -> None:
    assert asked(PLAN, air([220, 310, 230], [120, 110, 90]), Level.RED) is Move.RELEASE


def test_a_warning_that_was_lowered_does_not_rise_again_over_the_same_days() -> None:
    spell = air([220, 310, 230], [180, 170, 165])

    assert asked(PLAN, spell, Level.ORANGE) is None


def test_a_new_run_of_worse_days_raises_it_again() -> None:
    assert asked(PLAN, air([220, 310, 230, 180], [230, 320, 240]), Level.ORANGE) is Move.UPGRADE


def test_levels_are_skipped_where_the_plan_lets_it_and_only_there() -> None:
    # no orange clause of jjj-2016 stands over these days once red is outlived
    steep = replace(PLANS["jjj-2016"], downgrade_hours_over=36, downgrade_may_skip=True)
    spell = air([210, 320, 330, 220], [190, 180, 170])

    assert assess(steep, spell).level is Level.RED
    assert fallen(steep, spell, Level.RED) is Level.BLUE
    assert fallen(replace(steep, downgrade_may_skip=False), spell, Level.RED) is Level.ORANGE


@pytest.mark.parametrize("plan", ["mee-2018", "bj-2023", "jjj-2016"])
def test_a_plan_without_a_rule_lowers_nothing_by_itself(plan: str) -> None:
    assert fallen(PLANS[plan], air([220, 310, 320, 230], [180, 170, 165]), Level.RED) is None
