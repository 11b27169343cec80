"""A warning in force is asked about by its own level, whatever the air has come to say: lowered by the calm test."""

from __future__ import annotations

import pytest

from emergency.domain.episode import Decision, Move
from emergency.domain.level import Level
from emergency.services import intake
from tests.world import CITY, World


@pytest.fixture
def red(world: World) -> World:
    """A city in red for three days, the evening before the first of them."""
    world.decide(world.forecast(220, 310, 230)[0])
    assert world.episode(CITY).level is Level.RED
    return world


def evening(world: World, *measured: int, ahead: tuple[int, ...]) -> list[Decision]:
    """The evening on which the last of these days is measured, with its forecast; what the rule suggests."""
    world.clock.forward(days=len(measured))
    world.observe(*measured)
    return world.forecast(*ahead)


def weighed(world: World) -> list[Decision]:
    """What the rule suggests a minute later."""
    world.clock.forward(minutes=1)
    return intake.weigh_all(world.store, world.rules, now=world.now)


def test_a_better_day_that_broke_the_spell_does_not_keep_red_once_its_own_mark_is_outlived(red: World) -> None:
    assert evening(red, 220, 310, 230, 140, ahead=(210, 160, 160)) == []

    (lower,) = evening(red, 210, ahead=(160, 160, 90))
    red.decide(lower)

    assert (lower.move, lower.level, lower.rule_says) == (Move.DOWNGRADE, Level.ORANGE, Level.ORANGE)
    assert lower.notice.reason.startswith("降级条件已满足：")
    assert red.episode(CITY).level is Level.ORANGE
    assert weighed(red) == [], "what was lowered neither rises again nor falls on"


def test_one_source_that_holds_red_keeps_it_over_another_that_lets_it_fall(red: World) -> None:
    evening(red, 220, 310, 230, 140, ahead=(210, 160, 160))
    red.forecast(210, 160, 220, feed="strict")

    assert evening(red, 210, ahead=(160, 160, 90)) == []


def test_where_the_air_asks_for_nothing_and_is_not_calm_the_lowest_level_is_left(red: World) -> None:
    (lower,) = evening(red, 220, 310, 230, 140, ahead=(160, 140, 90))

    assert (lower.move, lower.level, lower.rule_says) == (Move.DOWNGRADE, Level.YELLOW, Level.YELLOW)
    assert lower.assessment["spell"]["level"] == "none"  # type: ignore[index]  # JSON of the assessment
    assert lower.assessment["level"] == "yellow", "what is left of it by the test"


def test_a_spell_of_last_week_lends_no_level_to_what_red_gives_way_to(red: World) -> None:
    """Six days of it over 150 were orange; a better day ended them, and what follows is yellow."""
    (lower,) = evening(red, 220, 310, 230, 180, 170, 165, 140, 170, ahead=(160, 140, 90))

    assert (lower.move, lower.level) == (Move.DOWNGRADE, Level.YELLOW)


def test_a_level_outlived_before_anybody_declared_it_is_not_suggested(world: World) -> None:
    world.observe(220, 310, 230)

    (found,) = world.forecast(180, 170, 165)
    world.decide(found)

    assert (found.move, found.level, found.rule_says) == (Move.ACTIVATE, Level.ORANGE, Level.ORANGE)
    assert found.assessment["level"] == "red"
    assert weighed(world) == []
