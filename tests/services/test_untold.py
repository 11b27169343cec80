"""Whoever was never told gets the whole order, whatever was decided since."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emergency.domain.letters import Verdict
from emergency.domain.level import Level
from emergency.domain.messages import ChannelFault, Kind, Lane, Later, Message, Uncertain
from emergency.domain.orders import Order, Status
from emergency.services import letters, watch
from tests.world import World


def decided(world: World, level: Level, action: str) -> None:
    """The next notice of the city, signed; nothing has left yet."""
    world.clock.forward(minutes=2)
    world.wall.forward(minutes=2)
    decision = world.bulletin(
        level, action=action, effective_at=world.now, expected_end_at=world.now + timedelta(days=3)
    )
    assert decision is not None
    world.sign(decision, by="lj-approver3")


def told(world: World, order: Order) -> list[Message]:
    """What the recipient's first telephone has received about its order."""
    return [one for one in world.phone.sent if one.order_id == order.id]


@pytest.mark.parametrize(("level", "action"), [(Level.YELLOW, "extend"), (Level.ORANGE, "upgrade")])
def test_who_was_not_told_before_the_next_signature_gets_the_whole_order(
    world: World, level: Level, action: str
) -> None:
    world.activated(Level.YELLOW, deliver=False)

    decided(world, level, action)
    world.deliver()

    for order in world.orders():
        (only,) = told(world, order)
        assert (only.kind, only.revision, only.lane) == (Kind.ORDER, 2, Lane.URGENT)
        assert "签收" in only.text
        assert not [word for word in ("措施不变", "不必再次签收", "新增：", "重新签收") if word in only.text]
        assert order.duties[0].text[:8] in only.text


def test_who_was_told_hears_of_the_change_only(world: World) -> None:
    world.activated(Level.YELLOW)

    decided(world, Level.YELLOW, "extend")
    world.deliver()

    assert {told(world, one)[-1].kind for one in world.orders()} == {Kind.INFORMATION}


def test_who_missed_what_an_upgrade_added_is_told_all_of_it_by_the_extension(world: World) -> None:
    world.activated(Level.YELLOW)
    decided(world, Level.ORANGE, "upgrade")
    decided(world, Level.ORANGE, "extend")
    world.deliver()

    asked = [one for one in world.orders() if one.asks_from == 2]
    assert asked
    for order in asked:
        assert [(one.kind, one.revision) for one in told(world, order)] == [(Kind.ORDER, 1), (Kind.ORDER, 3)]


def test_an_order_in_flight_that_comes_back_is_followed_by_the_whole_order_and_counts_from_its_sending(
    world: World,
) -> None:
    world.activated(Level.YELLOW, deliver=False)
    with world.store.transactions() as tx:
        flying = tx.outbox.claim("sms", Lane.URGENT, limit=500, now=world.wall.now())
    decided(world, Level.YELLOW, "extend")
    world.wall.forward(seconds=31)  # whoever held them has died
    world.sweep()

    for order in world.orders():
        assert [(one.kind, one.revision) for one in told(world, order)] == [(Kind.ORDER, 2)]
    assert flying
    world.forward(minutes=29, step=29)
    assert not [one for one in world.phone.sent if one.rung == "remind"]
    world.forward(minutes=2, step=2)
    assert [one for one in world.phone.sent if one.rung == "remind"]


def test_who_answered_without_a_text_is_told_of_the_change_only(world: World) -> None:
    world.activated(Level.YELLOW, deliver=False)
    order = world.an_order()
    world.answer(order)  # in the portal, or by telephone

    decided(world, Level.YELLOW, "extend")
    world.deliver()

    assert [one.kind for one in told(world, order)] == [Kind.INFORMATION]
    assert world.order(order.id).status is Status.ACKNOWLEDGED


def test_a_gateway_that_was_out_during_both_signatures_delivers_one_text_to_each(world: World) -> None:
    world.phone.fates = [Later("busy"), ChannelFault("answered 401")]
    world.activated(Level.YELLOW)
    decided(world, Level.ORANGE, "upgrade")
    world.forward(minutes=10, step=2)

    assert {len(told(world, one)) for one in world.orders()} == {1}


def test_who_was_not_told_before_a_release_signed_for_later_gets_the_order_with_its_end_and_then_the_release(
    world: World,
) -> None:
    world.activated(Level.YELLOW, deliver=False)
    ends_at = world.now + timedelta(hours=20)
    release = world.bulletin(Level.NONE, action="release", effective_at=ends_at)
    assert release is not None
    world.sign(release, by="lj-approver3")
    world.phone.fates = [Later("busy")] * 3  # a first try that fails gives up no place to what belongs to it
    world.deliver()
    world.wall.forward(minutes=5)
    world.sweep()
    world.deliver()

    spoken = world.rules.wording.instant(ends_at, "zh")
    for order in world.orders():
        first, then = told(world, order)
        assert (first.kind, first.revision, then.kind, then.revision) == (Kind.ORDER, 2, Kind.LIFTING, 2)
        assert "黄色" in first.text
        assert "签收" in first.text
        assert spoken in first.text
        assert order.duties[0].text[:8] in first.text


def test_who_was_not_told_before_a_release_in_effect_at_once_needs_no_order(world: World) -> None:
    world.activated(Level.YELLOW, deliver=False)
    release = world.bulletin(Level.NONE, action="release", effective_at=world.now)
    assert release is not None
    world.sign(release, by="lj-approver3")
    world.deliver()

    assert {tuple(one.kind for one in told(world, order)) for order in world.orders()} == {(Kind.LIFTING,)}


def test_a_notice_that_a_person_found_to_have_arrived_was_told(world: World) -> None:
    world.activated(Level.YELLOW, deliver=False)
    world.phone.fates = [Uncertain("cut")]
    world.deliver()
    with world.store.reading() as tx:
        (doubted,) = tx.outbox.ambiguous(world.episode().id)
        order_id = tx.message(doubted).order_id
    assert order_id is not None
    world.wall.forward(seconds=watch.DOUBT.total_seconds() + 1)
    watch.sweep(world.store, wall=world.wall.now())
    world.store.run(
        lambda tx: letters.settle(
            tx, world.rules, doubted, verdict=Verdict.ARRIVED, because="已去电，收到了", by=world.person("lj-duty"),
            now=world.now,
        )
    )  # fmt: skip

    decided(world, Level.YELLOW, "extend")
    world.deliver()

    assert [one.kind for one in world.phone.sent if one.order_id == order_id] == [Kind.INFORMATION]
