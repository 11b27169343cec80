"""A warning is lowered by the calm test against its own mark, skipping levels where the plan lets it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from emergency.domain.assess import assess, ongoing
from emergency.domain.assessment import Assessment
from emergency.domain.calm import over
from emergency.domain.episode import Move, Phase
from emergency.domain.falling import falls_to
from emergency.domain.forecast import Air, DayOfAir, Source
from emergency.domain.level import Level
from emergency.domain.moving import next_move
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


def said(plan: Plan, some: Air) -> Assessment:
    return assess(plan, ongoing(plan, some, today=TODAY))


def fallen(plan: Plan, some: Air, level: Level) -> Level | None:
    """What this level in force gives way to."""
    return falls_to(plan, [some], in_force=level, verdict=said(plan, some).level, now=NOW)


def asked(plan: Plan, some: Air, level: Level) -> Move | None:
    """What the rule asks for while this level is in force."""
    verdict = said(plan, some)
    return next_move(
        an_episode(phase=Phase.ACTIVE, level=level),
        verdict.level,
        calm=over(plan, some, spell_until=verdict.until, now=NOW),
        spell_until=verdict.until,
        falls_to=fallen(plan, some, level),
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


# the air has come to say less than what is in force


def test_red_is_lowered_when_a_better_day_broke_its_spell_and_what_follows_is_of_a_lower_level() -> None:
    spell = air([220, 310, 230, 140, 210], [160, 160])

    assert said(PLAN, spell).level is Level.ORANGE
    assert fallen(PLAN, spell, Level.RED) is Level.ORANGE
    assert asked(PLAN, spell, Level.RED) is Move.DOWNGRADE


def test_red_stands_through_a_better_day_while_a_day_within_two_passes_its_mark() -> None:
    spell = air([220, 310, 230, 140], [210, 160, 160])

    assert said(PLAN, spell).level is Level.ORANGE
    assert asked(PLAN, spell, Level.RED) is None


def test_where_nothing_is_asked_for_any_more_and_the_air_is_not_calm_the_lowest_level_is_left() -> None:
    spell = air([220, 310, 230, 140], [160, 140])

    assert said(PLAN, spell).level is Level.NONE
    assert fallen(PLAN, spell, Level.RED) is Level.YELLOW
    assert asked(PLAN, spell, Level.RED) is Move.DOWNGRADE
    assert asked(PLAN, spell, Level.YELLOW) is None


def test_days_of_a_spell_that_is_over_ask_for_no_level_between() -> None:
    """Six days over 150 before the better day were orange; the two after it are yellow."""
    spell = air([220, 310, 230, 180, 170, 165, 140, 170], [160, 140])

    assert said(PLAN, spell).level is Level.YELLOW
    assert fallen(PLAN, spell, Level.RED) is Level.YELLOW


def test_what_lies_beyond_two_calm_days_is_not_lowered_below_its_own_level() -> None:
    """Red was for days that never came; the orange ahead would be raised again the minute after."""
    spell = air([140], [120, 120, 160, 170, 180])

    assert fallen(PLAN, spell, Level.RED) is Level.ORANGE
    assert asked(PLAN, spell, Level.ORANGE) is None


def test_two_runs_of_a_level_without_a_calm_between_are_one_taken_strictly() -> None:
    assert asked(PLAN, air([220, 310, 230], [180, 180, 220, 310, 220]), Level.RED) is None


def test_a_level_raised_by_people_gives_way_by_its_own_mark_as_any_other() -> None:
    assert asked(PLAN, air([160], [170, 210, 90]), Level.RED) is None
    assert fallen(PLAN, air([160], [170, 180, 90]), Level.RED) is Level.ORANGE


def test_a_level_stands_while_one_of_several_sources_holds_it_and_falls_to_the_highest_any_of_them_asks_for() -> None:
    milder, worse, bad = (air([220, 310, 230], ahead) for ahead in ([120, 140], [180, 170], [180, 210]))

    def by(*airs: Air) -> Level | None:
        return falls_to(PLAN, airs, in_force=Level.RED, verdict=Level.RED, now=NOW)

    assert by(milder) is Level.YELLOW
    assert by(milder, worse) is Level.ORANGE
    assert by(milder, worse, bad) is None
    assert by() is None


def test_a_verdict_outlived_before_it_was_in_force_is_no_step_and_lowers_nothing_that_stands() -> None:
    step = replace(PLAN, downgrade_may_skip=False)
    spell = air([220, 310, 230], [180, 140])

    assert fallen(step, spell, Level.YELLOW) is Level.ORANGE
    assert fallen(step, spell, Level.ORANGE) is Level.ORANGE
    assert [asked(step, spell, one) for one in (Level.YELLOW, Level.ORANGE)] == [Move.UPGRADE, None]


def test_one_step_at_a_time_a_level_goes_on_falling_though_the_run_of_a_higher_one_is_still_in_sight() -> None:
    step = replace(PLANS["jjj-2016"], downgrade_hours_over=36, downgrade_may_skip=False)
    spell = air([210, 320, 330, 220], [190, 180, 170])

    assert said(step, spell).level is Level.RED
    assert [fallen(step, spell, one) for one in (Level.RED, Level.ORANGE, Level.YELLOW, Level.BLUE)] == [
        Level.ORANGE, Level.YELLOW, Level.BLUE, Level.BLUE,
    ]


def test_a_level_its_plan_does_not_know_is_not_lowered_by_the_rule() -> None:
    assert fallen(replace(PLAN, levels={Level.RED: PLAN.levels[Level.RED]}), air([90], [90, 160]), Level.ORANGE) is None


@pytest.mark.parametrize("plan", ["mee-2018", "bj-2023", "jjj-2016"])
def test_a_plan_without_a_rule_lowers_nothing_by_itself(plan: str) -> None:
    assert fallen(PLANS[plan], air([220, 310, 320, 230], [180, 170, 165]), Level.RED) is None
