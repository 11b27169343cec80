"""The life of a warning through every door: what may be proposed, who is judged, and what a district cannot do."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest

from emergency.domain.episode import Move, Phase, WrongLevel
from emergency.domain.level import Level
from emergency.domain.orders import Status
from emergency.errors import Refused
from emergency.services.decisions import NoAuthority
from tests.world import CITY, DISTRICT, World

BY_ITSELF = "本区要求"


@pytest.fixture(autouse=True)
def _air_is_known(world: World) -> None:
    world.forecast(120, 130, 90)  # so that nothing here is refused for want of grounds


@pytest.mark.parametrize("move", [Move.ACTIVATE, Move.UPGRADE, Move.REOPEN])
def test_a_district_at_rest_starts_nothing_without_the_citys_bulletin(world: World, move: Move) -> None:
    with pytest.raises(NoAuthority):
        world.propose(move, Level.YELLOW, area=DISTRICT, by="lj-duty", override_because=BY_ITSELF)

    with world.store.reading() as tx:
        assert tx.latest_episode(DISTRICT) is None


@pytest.mark.parametrize("move", list(Move))
def test_a_district_in_response_rises_by_no_move_without_the_citys_bulletin(world: World, move: Move) -> None:
    world.activated(Level.YELLOW)

    with suppress(Refused):
        told = world.propose(move, Level.RED, area=DISTRICT, by="lj-duty", override_because=BY_ITSELF, open_ended=True)
        world.sign(told, by="lj-approver3")

    assert world.episode().level <= Level.YELLOW
    assert not [one for one in world.orders() if one.level > Level.YELLOW]


def test_a_fall_may_skip_a_level_and_never_rises(world: World) -> None:
    world.clock.forward(minutes=10)
    world.decide(world.forecast(310, 320, 330)[0])
    low = {"override_because": "扩散条件转好", "open_ended": True}

    with pytest.raises(WrongLevel):
        world.propose(Move.DOWNGRADE, Level.RED, **low)  # type: ignore[arg-type]  # the same words each time
    world.sign(world.propose(Move.DOWNGRADE, Level.YELLOW, **low))  # type: ignore[arg-type]  # as above

    assert world.episode(CITY).level is Level.YELLOW


@pytest.mark.parametrize("move", [Move.EXTEND, Move.AMEND])
def test_extending_and_amending_leave_the_level(world: World, move: Move) -> None:
    world.activated(Level.ORANGE)

    for other in (Level.YELLOW, Level.RED):
        with pytest.raises(WrongLevel):
            world.propose(move, other, area=DISTRICT, by="lj-duty", override_because=BY_ITSELF, open_ended=True)


def test_a_bulletin_that_extends_at_another_level_is_the_change_of_level_it_is(world: World) -> None:
    world.activated(Level.YELLOW)

    decision = world.bulletin(Level.ORANGE, action="extend")

    assert decision is not None
    assert (decision.move, decision.level) == (Move.UPGRADE, Level.ORANGE)


def test_a_bulletin_that_extends_and_names_no_level_leaves_the_one_that_holds(world: World) -> None:
    world.activated(Level.YELLOW)

    decision = world.bulletin(Level.NONE, action="extend", expected_end_at=world.now + timedelta(days=3))

    assert decision is not None
    assert (decision.move, decision.level) == (Move.EXTEND, Level.YELLOW)


def test_a_warning_withdrawn_before_it_took_effect_has_no_hours_and_judges_nobody(world: World) -> None:
    world.activated(Level.YELLOW, deliver=False)

    decision = world.bulletin(Level.NONE, action="withdraw", effective_at=world.now)
    assert decision is not None
    world.sign(decision, by="lj-approver3")

    assert world.episode().phase is Phase.WITHDRAWN
    assert {one.status for one in world.orders()} == {Status.WITHDRAWN}
    world.review()
    with world.store.reading() as tx:
        review = tx.review_of(world.episode().id)
    assert review is not None
    assert all(one.until is not None and one.until <= one.since for one in review.tally.spans)


def test_reopening_asks_everybody_for_a_new_answer(world: World) -> None:
    world.activated(Level.YELLOW)
    world.acknowledge_all(one for one in world.orders() if one.status is Status.ISSUED)
    before = {one.id: one.revision for one in world.orders()}
    world.released()
    world.forward(hours=3, step=180)

    decision = world.bulletin(Level.YELLOW, effective_at=world.now + timedelta(hours=1))
    assert decision is not None
    assert decision.move is Move.REOPEN
    world.sign(decision, by="lj-approver3")

    again = world.orders()
    assert {one.id for one in again} >= set(before)
    assert all(one.revision > before[one.id] for one in again if one.id in before)
    assert not [one for one in again if one.status is Status.ACKNOWLEDGED]
