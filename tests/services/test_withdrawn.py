"""A warning that was withdrawn has no hours and judges nobody, whatever happened while it stood."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emergency.domain.episode import Decision, Move
from emergency.domain.level import Level
from emergency.domain.orders import Status
from emergency.domain.review import Review
from emergency.store import record
from emergency.store.record import Record
from tests.world import World

NUMBER = "柳气预警〔2015〕7号"


@pytest.fixture(autouse=True)
def _air_is_known(world: World) -> None:
    world.forecast(120, 130, 90)


def signed(world: World, level: Level, **how: object) -> Decision:
    """The city's notice, entered and signed."""
    found = world.bulletin(level, **how)  # type: ignore[arg-type]  # told by the test
    assert found is not None
    return world.sign(found, by="lj-approver3")


def taken_back(world: World) -> Decision:
    """What stands, taken back on the city's notice."""
    return signed(world, Level.NONE, action="withdraw", effective_at=world.now, number=NUMBER)


def review_of(world: World) -> Review:
    """The review, drafted and signed."""
    world.review()
    with world.store.reading() as tx:
        found = tx.review_of(world.episode().id)
    assert found is not None
    return found


def record_of(world: World) -> Record:
    with world.store.reading() as tx:
        return record.record(tx, world.episode().id)


def test_hours_in_force_before_a_withdrawal_count_for_nothing_and_nobody_is_judged(world: World) -> None:
    signed(world, Level.YELLOW, effective_at=world.now)
    first, *_ = world.orders()
    world.answer(first)
    world.forward(hours=2, step=60)
    assert record_of(world).rungs, "somebody was chased while it stood"

    taken_back(world)

    kept, tally = record_of(world), review_of(world).tally
    assert [(one.level, one.withdrawn, one.until == one.since) for one in tally.spans] == [("yellow", True, True)]
    assert (kept.asked, kept.minutes, kept.rungs) == (0, (), ())
    judged = (tally.acknowledged, tally.acknowledged_in_time, tally.never_acknowledged, tally.escalated, tally.declined)
    assert (*judged, tally.lifted, tally.median_minutes_to_acknowledge) == (0, 0, 0, 0, 0, 0, None)
    assert tally.by_status == {Status.WITHDRAWN.value: tally.orders}
    with world.store.reading() as tx:
        assert record.record(tx, world.episode().id).taken_back is not None, "closed, it still is"


def test_what_was_lifted_in_due_form_before_it_was_reopened_and_withdrawn_stays_judged(world: World) -> None:
    signed(world, Level.YELLOW, effective_at=world.now)
    orders = world.orders()
    world.answer(orders[0])
    world.clock.forward(hours=1)
    signed(world, Level.NONE, action="release", effective_at=world.now)
    world.clock.forward(hours=1)
    assert signed(world, Level.ORANGE, effective_at=world.now).move is Move.REOPEN
    world.clock.forward(hours=1)

    taken_back(world)

    tally = review_of(world).tally
    first, again = tally.spans
    assert first.until is not None
    assert (first.until - first.since, first.withdrawn) == (timedelta(hours=1), False)
    assert (again.since, again.withdrawn) == (again.until, True)
    assert (tally.acknowledged, tally.never_acknowledged) == (1, len(orders) - 1)


def test_an_answer_from_before_a_reopening_is_not_taken_for_the_new_one(world: World) -> None:
    world.activated(Level.YELLOW, deliver=False)
    world.acknowledge_all(world.orders())
    signed(world, Level.NONE, action="release", effective_at=world.now)
    world.clock.forward(hours=1)
    assert signed(world, Level.YELLOW).move is Move.REOPEN
    again = world.orders()
    world.acknowledge_all(again[:10])
    world.clock.forward(hours=1)
    signed(world, Level.NONE, action="release", effective_at=world.now)

    kept, tally = record_of(world), review_of(world).tally

    assert (tally.acknowledged, tally.never_acknowledged) == (len(again) + 10, len(again) - 10)
    assert (kept.asked, len(kept.minutes)) == (2 * len(again), len(again) + 10), "the paper says the same"


def test_a_withdrawal_is_kept_as_a_withdrawal_and_not_as_an_end(world: World) -> None:
    signed(world, Level.YELLOW)

    said = taken_back(world).assessment

    assert f"{NUMBER}：撤回预警，自" in str(said["sentence_zh"])
    assert "withdraws the warning, from" in str(said["sentence_en"])
    assert "解除" not in str(said["sentence_zh"])
