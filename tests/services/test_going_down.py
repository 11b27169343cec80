"""Going down and coming back: by whose word, by whose rank, and within which gap."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emergency.domain.episode import Decision, Move, Phase, Ungrounded
from emergency.domain.level import Level
from emergency.domain.machine import IllegalMove
from emergency.domain.signing import NotEntitled
from emergency.services.decisions import NoAuthority
from tests.world import CITY, DISTRICT, World


def red(world: World) -> Decision:
    """Red in force in the city, four days ago."""
    decision = world.decide(world.forecast(310, 320, 330)[0])
    world.clock.forward(days=4)
    return decision


def released(world: World) -> Decision:
    """The same, let go at the coming midnight."""
    red(world)
    world.observe(310, 320, 330, 100)
    return world.decide(world.forecast(80, 80, 80)[0])


@pytest.mark.parametrize(("move", "level"), [(Move.DOWNGRADE, Level.YELLOW), (Move.RELEASE, Level.NONE)])
def test_two_calm_days_before_another_spell_are_no_rule_to_go_down(world: World, move: Move, level: Level) -> None:
    red(world)
    world.observe(310, 320, 330, 100)
    assert world.forecast(100, 100, 310, 320, 330) == []

    with pytest.raises(Ungrounded):
        world.propose(move, level)
    proposed = world.propose(move, level, override_because="省里要求")

    assert proposed.rule_says is Level.RED


def test_lowering_is_signed_by_the_rank_of_the_level_that_stands(world: World) -> None:
    red(world)
    world.observe(310, 320, 330, 100)
    world.forecast(100, 100, 310, 320, 330)

    proposed = world.propose(Move.DOWNGRADE, Level.YELLOW, override_because="省里要求")

    assert proposed.rank_needed == 3
    with pytest.raises(NotEntitled):
        world.sign(proposed, by="city-approver1")


def test_an_hour_that_is_past_reopens_nothing(world: World) -> None:
    let_go = released(world)
    world.clock.forward(days=5)
    world.observe(80, 80, 80, 80, 80, 80)
    world.forecast(90, 90, 90)
    ended = let_go.notice.effective_at
    assert ended is not None

    with pytest.raises(IllegalMove):
        world.propose(
            Move.REOPEN, Level.RED, override_because="误解除", effective_at=ended + timedelta(hours=1)
        )


def test_a_spell_beyond_the_merge_gap_is_a_new_episode_that_names_the_one_before(world: World) -> None:
    released(world)
    before = world.episode(CITY)
    world.clock.forward(days=8)
    world.observe(80, 80, 80, 80, 80, 80)

    (found,) = world.forecast(310, 320, 330)

    fresh = world.episode(CITY)
    assert (found.move, fresh.id != before.id) == (Move.ACTIVATE, True)
    assert fresh.follows == before.id


@pytest.mark.parametrize(
    ("move", "level"), [(Move.DOWNGRADE, Level.YELLOW), (Move.RELEASE, Level.NONE), (Move.UPGRADE, Level.RED)]
)
def test_a_district_neither_lowers_nor_lets_go_without_the_citys_notice(
    world: World, move: Move, level: Level
) -> None:
    world.activated(Level.ORANGE)

    with pytest.raises(NoAuthority):
        world.propose(move, level, area=DISTRICT, by="lj-duty", override_because="本区空气好", reason="本区空气好")

    assert (world.episode().phase, world.episode().level) == (Phase.ACTIVE, Level.ORANGE)


@pytest.mark.parametrize(("move", "level"), [(Move.EXTEND, Level.ORANGE), (Move.WITHDRAW, Level.NONE)])
def test_what_a_district_does_with_the_end_on_no_notice_has_its_reason(
    world: World, move: Move, level: Level
) -> None:
    world.activated(Level.ORANGE)
    world.observe(200, 200)
    world.forecast(210, 220, 230)

    with pytest.raises(Ungrounded):
        world.propose(move, level, area=DISTRICT, by="lj-duty")
