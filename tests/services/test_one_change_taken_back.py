"""A withdrawal names by its number what it takes back: a later change alone, or the whole warning."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emergency.domain.binding import in_turn
from emergency.domain.episode import Decision, Move, Phase
from emergency.domain.level import Level
from emergency.store import portal, record, relaying
from tests.world import DISTRICT, World

FIRST, NEWER = "柳气预警〔2015〕3号", "柳气预警〔2015〕4号"
APPROVER = "lj-approver3"


@pytest.fixture(autouse=True)
def _air_is_known(world: World) -> None:
    world.forecast(60, 70, 80)


def signed(world: World, level: Level, *, action: str, number: str, **how: object) -> Decision:
    found = world.bulletin(level, action=action, number=number, **{"effective_at": world.now, **how})
    assert found is not None
    return world.sign(found, by=APPROVER)


def raised(world: World, *, effective_in: timedelta = timedelta()) -> Decision:
    """The city's yellow, 23 hours in force, and half an hour ago its orange, both signed by the district."""
    signed(world, Level.YELLOW, action="activate", number=FIRST, expected_end_at=world.now + timedelta(days=3))
    world.forward(hours=23, step=120)
    how = {"effective_at": world.now + effective_in}
    change = signed(world, Level.ORANGE, action="upgrade", number=NEWER, **how)
    world.clock.forward(minutes=30)
    return change


def taken_back(world: World, number: str = NEWER) -> Decision | None:
    return world.bulletin(Level.NONE, action="withdraw", number=number, effective_at=world.now)


def test_a_change_taken_back_under_its_number_goes_back_to_what_stands(world: World) -> None:
    raised(world)
    end = world.now + timedelta(days=3) - timedelta(hours=23, minutes=30)

    back = taken_back(world)

    assert back is not None
    assert (back.move, back.level) == (Move.DOWNGRADE, Level.YELLOW)
    assert f"撤回{NEWER}，恢复{FIRST}所定" in back.notice.reason
    world.sign(back, by=APPROVER)
    episode = world.episode()
    assert (episode.phase, episode.level, episode.expected_end_at) == (Phase.ACTIVE, Level.YELLOW, end)
    with world.store.reading() as tx:
        stands = relaying.standing(tx, DISTRICT)
        assert relaying.owed(tx, DISTRICT) == []
    assert stands is not None
    assert stands.number == FIRST


def test_nothing_of_a_change_that_had_not_taken_effect_ever_binds(world: World) -> None:
    change = raised(world, effective_in=timedelta(hours=1))
    back = taken_back(world)
    assert back is not None

    world.sign(back, by=APPROVER)

    with world.store.reading() as tx:
        some = [portal.revisions(tx, one.id) for one in world.orders()]
    given = [one for each in some for one in each if one.decision_id == change.id]
    assert given
    assert not [one for each in some for one in in_turn(each) if one.decision_id == change.id]


@pytest.mark.parametrize("effective_in", [timedelta(), timedelta(hours=1)])
def test_the_hours_of_the_change_alone_are_none_and_its_orders_judge_nobody(
    world: World, effective_in: timedelta
) -> None:
    change = raised(world, effective_in=effective_in)
    back = taken_back(world)
    assert back is not None
    world.sign(back, by=APPROVER)
    world.clock.forward(hours=1)
    signed(world, Level.NONE, action="release", number="柳气预警〔2015〕5号")
    world.review()

    with world.store.reading() as tx:
        kept, everything = record.record(tx, change.episode_id), tx.answer_figures(change.episode_id)
        others = [
            one for order in world.orders() for one in portal.revisions(tx, order.id) if one.decision_id != change.id
        ]
        review = tx.review_of(change.episode_id)
    assert review is not None
    yellow, orange = sorted(review.tally.spans, key=lambda one: one.withdrawn)
    assert yellow.until is not None
    assert (yellow.level, yellow.until - yellow.since) == ("yellow", timedelta(hours=24, minutes=30))
    assert (orange.level, orange.withdrawn, orange.until == orange.since) == ("orange", True, True)
    assert 0 < kept.asked < everything.asked
    assert (review.tally.never_acknowledged, kept.taken_back) == (kept.asked, None)
    assert review.tally.escalated > 0, "yellow's own hours are judged as they were"
    assert kept.asked <= len(others)


def test_a_change_lowered_by_mistake_is_raised_again(world: World) -> None:
    signed(world, Level.ORANGE, action="activate", number=FIRST)
    world.clock.forward(hours=1)
    signed(world, Level.YELLOW, action="downgrade", number=NEWER)
    world.clock.forward(hours=1)

    back = taken_back(world)

    assert back is not None
    assert (back.move, back.level) == (Move.UPGRADE, Level.ORANGE)


def test_a_change_that_was_changed_again_leaves_what_stands_as_it_is(world: World) -> None:
    raised(world)
    signed(world, Level.RED, action="upgrade", number="柳气预警〔2015〕5号")
    world.clock.forward(minutes=10)

    assert taken_back(world) is None
    assert world.episode().level is Level.RED


def test_the_notice_that_began_the_warning_taken_back_ends_all_of_it(world: World) -> None:
    raised(world)

    back = taken_back(world, FIRST)

    assert back is not None
    assert back.move is Move.WITHDRAW


def test_a_change_nobody_signed_and_taken_back_leaves_what_was_announced_before_to_be_signed(world: World) -> None:
    world.bulletin(Level.YELLOW, number=FIRST)
    world.clock.forward(minutes=10)
    world.bulletin(Level.ORANGE, action="upgrade", number=NEWER)
    world.clock.forward(minutes=10)

    back = taken_back(world)

    assert back is not None
    assert (back.move, back.level) == (Move.ACTIVATE, Level.YELLOW)
    assert world.sign(back, by=APPROVER).assessment["bulletin"] == FIRST
