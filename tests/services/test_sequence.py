"""No notice overtakes the one it amends, and none waits for ever."""

from __future__ import annotations

from uuid import UUID

from emergency.domain.level import Level
from emergency.domain.messages import Kind, Lane, Message, State
from emergency.services import watch
from emergency.store import sequence
from tests.world import World


def claimed(world: World) -> list[Message]:
    """What a sender takes now."""
    with world.store.transactions() as tx:
        return tx.outbox.claim("sms", Lane.URGENT, limit=500, now=world.wall.now())


def settle(world: World, some: list[Message], state: State) -> None:
    """How their sends went."""
    rows = [
        {
            "id": one.id,
            "attempts": one.attempts,
            "state": state,
            "due_at": world.wall.now(),
            "sent_at": world.now if state is State.SENT else None,
            "receipt": f"r-{one.id}" if state is State.SENT else "",
            "because": "" if state is State.SENT else "busy",
            "ambiguous": False,
            "outcome": "sent" if state is State.SENT else "later",
        }
        for one in some
    ]
    with world.store.transactions() as tx:
        tx.outbox.settle(rows, wall=world.wall.now())


def released_in_flight(world: World) -> list[Message]:
    """Every first order is with a sender when the release is signed."""
    world.activated(deliver=False)
    flying = [one for one in claimed(world) if one.kind is Kind.ORDER]
    decision = world.bulletin(Level.NONE, action="release", effective_at=world.now)
    assert decision is not None
    world.sign(decision, by="lj-approver3")
    assert flying
    return flying


def kinds(some: list[Message]) -> set[Kind]:
    """What these are about, of orders."""
    return {one.kind for one in some if one.order_id}


def stands(world: World, message: UUID) -> State:
    """Where the message stands."""
    with world.store.reading() as tx:
        return tx.message(message).state


def test_a_release_is_held_while_its_order_is_in_flight_and_goes_once_that_is_sent(world: World) -> None:
    flying = released_in_flight(world)

    assert kinds(claimed(world)) == set()
    settle(world, flying, State.SENT)

    assert kinds(claimed(world)) == {Kind.LIFTING}


def test_a_superseded_order_that_did_not_get_through_is_not_tried_again(world: World) -> None:
    flying = released_in_flight(world)

    settle(world, flying, State.READY)

    assert {stands(world, one.id) for one in flying} == {State.CANCELLED}
    assert kinds(claimed(world)) == {Kind.LIFTING}


def test_a_predecessor_that_never_settles_holds_the_release_for_the_plans_minutes_and_no_longer(world: World) -> None:
    released_in_flight(world)
    minutes = world.rules.plan("liujiang").sequence_wait_min

    world.wall.forward(minutes=minutes - 1)
    with world.store.transactions() as tx:
        assert sequence.let_go(tx.connection, now=world.wall.now()) == (0, [])
    world.wall.forward(minutes=1)
    with world.store.transactions() as tx:
        freed, by_themselves = sequence.let_go(tx.connection, now=world.wall.now())
    found = claimed(world)

    assert freed == len(by_themselves) > 0
    assert {one.because for one in found if one.kind is Kind.LIFTING} == {sequence.WAITED}


def test_what_the_settling_missed_is_let_go_by_the_sweep(world: World) -> None:
    flying = released_in_flight(world)
    with world.store.transactions() as tx:  # a receipt settles a message without its sender
        for one in flying:
            tx.outbox.note_receipt(
                "sms", "", message_id=one.id, says="delivered", civil=world.now, wall=world.wall.now()
            )

    watch.sweep(world.store, wall=world.wall.now())

    assert kinds(claimed(world)) == {Kind.LIFTING}
