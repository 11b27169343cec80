"""What was under way when an answer came is counted and shown; what only waited is called back."""

from __future__ import annotations

from datetime import timedelta

from emergency.domain.messages import Kind, Lane, State
from emergency.services import chasing, dispatch
from emergency.store import desk_orders
from tests.web.conftest import SignedIn
from tests.world import World


def test_a_reminder_in_flight_when_the_answer_comes_is_counted_and_shown_and_the_waiting_one_is_not(
    world: World, signed_in: SignedIn
) -> None:
    world.activated()
    order = world.an_order()
    contact = world.recipient(order).contacts[0]
    flies, waits = (
        dispatch.message_for(world.rules, order, Kind.REMINDER, contact, "请答复", rung=rung, now=world.now)
        for rung in ("first", "second")
    )
    world.store.run(lambda tx: tx.outbox.put([flies]))
    with world.store.transactions() as tx:
        held = [one.id for lane in Lane for one in tx.outbox.claim("sms", lane, limit=500, now=world.wall.now())]
    world.store.run(lambda tx: tx.outbox.put([waits]))
    assert flies.id in held

    world.clock.forward(minutes=1)
    world.answer(order)

    page = signed_in("lj-duty").get(f"/console/orders/{order.id}").text
    assert "答复时有 1 条催办已在途" in page
    assert page.count("· 答复时已在途") == 1
    with world.store.reading() as tx:
        file = desk_orders.file(tx, order.id)
        assert tx.message(waits.id).state is State.CANCELLED
    assert file.in_flight == {flies.id}


def test_nothing_is_claimed_for_an_answered_order_afterwards_and_a_reminder_of_before_is_not_counted(
    world: World,
) -> None:
    world.activated()
    order = world.an_order()
    world.clock.forward(minutes=31)
    chasing.escalate_overdue(world.store, world.rules, now=world.now)
    world.deliver()
    world.clock.forward(minutes=1)
    world.answer(order)
    later = world.wall.now() + timedelta(hours=2)

    with world.store.transactions() as tx:
        claimed = [one for lane in Lane for one in tx.outbox.claim("sms", lane, limit=500, now=later)]
    with world.store.reading() as tx:
        file = desk_orders.file(tx, order.id)

    assert [one for one in claimed if one.order_id == order.id] == []
    assert [one.message.kind for one in file.sent].count(Kind.REMINDER) == 1
    assert file.in_flight == frozenset()
