"""A bundle of reminders follows the answers that come while it lies in the post."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from emergency.domain.messages import Message, State
from emergency.domain.orders import Action, Order
from emergency.domain.plan import Rung
from emergency.services import chasing
from emergency.services.bundling import BUNDLE, GATHERS
from emergency.store import saving
from emergency.store.bulk import table
from emergency.store.tables import ContactRow, MessageRow
from tests.world import World

SHARED = "13900000001"


def lying(world: World, rung: str) -> list[Message]:
    """The messages of this rung that wait to leave."""
    with world.store.reading() as tx:
        asked = select(table(MessageRow)).where(MessageRow.rung == rung, MessageRow.state == State.READY.value)
        return [saving.message(row) for row in tx.connection.execute(asked)]


@pytest.fixture
def eight(world: World) -> list[Order]:
    """Eight plants behind one telephone, a sweep after their reminder fell due: three texts and a bundle wait."""
    world.activated()
    some = [one for one in world.orders() if world.recipient(one).kind.value == "enterprise"][:8]
    with world.store.transactions() as tx:
        tx.connection.execute(
            update(ContactRow)
            .where(ContactRow.recipient_id.in_([one.recipient_id for one in some]), ContactRow.order == 1)
            .values(phone=SHARED)
        )
    world.clock.forward(minutes=31)
    world.wall.forward(minutes=31)
    chasing.escalate_overdue(world.store, world.rules, now=world.now)
    return some


def told(world: World) -> list[Message]:
    """The bundles the telephone gets once they have gathered."""
    world.wall.forward(seconds=GATHERS.total_seconds() + 1)
    before = len(world.phone.sent)
    world.deliver()
    return [one for one in world.phone.sent[before:] if one.to == SHARED and one.rung == BUNDLE]


def named(world: World, some: list[Order], text: str) -> set[str]:
    """Which of these plants a text names."""
    return {name for one in some if (name := world.recipient(one).name) in text}


def test_a_bundle_whose_plants_have_all_answered_goes_to_nobody(world: World, eight: list[Order]) -> None:
    (bundle,) = [one for one in lying(world, BUNDLE) if one.to == SHARED]
    world.acknowledge_all(eight)

    assert told(world) == []
    with world.store.reading() as tx:
        after = tx.message(bundle.id)
    assert (after.state, after.attempts) == (State.CANCELLED, 0)


def test_a_bundle_names_and_counts_those_only_who_have_not_answered(world: World, eight: list[Order]) -> None:
    (bundle,) = [one for one in lying(world, BUNDLE) if one.to == SHARED]
    inside = [one for one in eight if one.id not in {m.order_id for m in lying(world, "remind")}]
    first = next(one for one in inside if world.recipient(one).name in bundle.text)
    world.answer(first, Action.DECLINE, remark="设备故障")

    (left,) = told(world)

    assert f"{len(inside)}件" in bundle.text
    assert f"{len(inside) - 1}件" in left.text
    assert named(world, eight, left.text)
    assert world.recipient(first).name not in left.text
    with world.store.reading() as tx:
        assert tx.message(left.id).text == left.text


def test_a_bundle_nobody_of_which_has_answered_leaves_as_it_was_put(world: World, eight: list[Order]) -> None:
    (bundle,) = [one for one in lying(world, BUNDLE) if one.to == SHARED]

    assert [one.text for one in told(world)] == [bundle.text]


def test_the_text_about_the_call_list_counts_those_only_who_are_still_to_be_called(world: World) -> None:
    plan = world.rules.plan("liujiang")
    ladder = (Rung("call_list", 5, "call_list", ("sms",)),)
    world.rules = replace(world.rules, plans={**world.rules.plans, "liujiang": replace(plan, ladder=ladder)})
    world.activated()
    world.clock.forward(minutes=6)
    world.wall.forward(minutes=6)
    chasing.escalate_overdue(world.store, world.rules, now=world.now)
    many = len(world.orders())
    world.acknowledge_all(world.orders()[:40])

    world.wall.forward(seconds=GATHERS.total_seconds() + 1)
    world.deliver()

    texts = {one.text for one in world.phone.sent if one.rung == "call_list"}
    assert texts
    assert all(f"{many - 40}" in one and f"{many}" not in one for one in texts)
