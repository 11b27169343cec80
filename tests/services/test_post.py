"""The post under bad luck: two senders at once, slow gateways, time limits, receipts at odd hours."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import pytest
from sqlalchemy import select

from emergency.domain.level import Level
from emergency.domain.messages import Lane, Later, Message, Outcome, State
from emergency.services import post
from emergency.services.dispatch import note_receipt
from emergency.store.tables import MessageRow
from tests.world import CITY, Phone, World, alone


class SlowPhone(Phone):
    """A phone whose every answer takes so many wall seconds of a set clock; it notes what was left of each lease."""

    def __init__(self, world: World, *, seconds: float) -> None:
        super().__init__()
        self.connections, self.timeout_s, self._world, self._seconds = 1, seconds / 2, world, seconds
        self.left: list[float] = []

    async def send(self, message: Message) -> Outcome:
        """Let the time pass and take it."""
        with self._world.store.reading() as tx:
            query = select(MessageRow.leased_until).where(MessageRow.id == message.id)
            until = tx.connection.execute(query).scalar_one()
        self.left.append((until - self._world.wall.now()).total_seconds())
        self._world.wall.forward(seconds=self._seconds)
        return await super().send(message)


class StuckPhone(Phone):
    """A phone that takes so many messages and then never answers."""

    def __init__(self, *, after: int) -> None:
        super().__init__()
        self.connections, self._left, self.stuck = 1, after, asyncio.Event()

    async def send(self, message: Message) -> Outcome:
        """Take it, or keep its sender waiting for ever."""
        if not self._left:
            self.stuck.set()
            await asyncio.Event().wait()
        self._left -= 1
        return await super().send(message)


async def drained(world: World, phone: Phone, *, holder: str = "one", lane: Lane = Lane.URGENT) -> int:
    """One drain of a lane by this holder."""
    return await post.drain(
        world.store, phone, lane=lane, links=world.rules.links, clock=world.clock, wall=world.wall, holder=holder
    )


def states(world: World) -> dict[str, int]:
    """How many of the episode's messages stand where."""
    with world.store.reading() as tx:
        return tx.outbox.counts(world.episode().id)


def test_two_senders_at_once_send_each_message_once(world: World) -> None:
    world.activated(deliver=False)

    async def both() -> None:
        await asyncio.gather(*(drained(world, world.phone, holder=name) for name in ("sweeper", "original")))

    alone(both())

    sent = [one.id for one in world.phone.sent]
    assert len(sent) > 200
    assert len(sent) == len(set(sent))


def test_two_claims_never_get_the_same_message(world: World) -> None:
    world.activated(deliver=False)

    with world.store.transactions() as tx:
        first = tx.outbox.claim("sms", Lane.URGENT, limit=50, now=world.wall.now())
    with world.store.transactions() as tx:
        second = tx.outbox.claim("sms", Lane.URGENT, limit=50, now=world.wall.now())

    assert len(first) == len(second) == 50
    assert not {one.id for one in first} & {one.id for one in second}


def test_behind_a_gateway_slower_than_the_lease_nothing_is_started_that_could_outlive_it(world: World) -> None:
    world.activated(deliver=False)
    slow = SlowPhone(world, seconds=9)

    async def briefly() -> None:
        await post.drain(
            world.store, slow, lane=Lane.URGENT, links=world.rules.links, clock=world.clock, wall=world.wall,
            holder="one", per_claim=8,
        )

    alone(briefly())

    assert len(slow.left) > 8
    assert min(slow.left) >= 9


@pytest.mark.parametrize("seconds", [299, 300, 310, 900])
def test_a_retry_that_waits_as_long_as_the_brokers_memory_or_longer_goes_once(world: World, seconds: int) -> None:
    world.activated(deliver=False)
    world.phone.fates = [Later("busy", seconds)]
    world.deliver()
    before = len(world.phone.sent)

    for _ in range(5):  # a wake-up delivered again is a wake-up more
        world.wall.forward(seconds=seconds / 5 - 1)
        world.deliver()
    assert len(world.phone.sent) == before
    world.wall.forward(seconds=10)
    world.deliver()
    world.deliver()

    assert len(world.phone.sent) == before + 1
    assert len({one.id for one in world.phone.sent}) == before + 1


def test_a_time_limit_in_mid_drain_writes_down_what_was_answered(world: World) -> None:
    world.activated(deliver=False)
    stuck = StuckPhone(after=3)

    async def cut_off() -> None:
        draining = asyncio.create_task(drained(world, stuck))
        await stuck.stuck.wait()
        draining.cancel()
        await asyncio.gather(draining, return_exceptions=True)

    alone(cut_off())

    assert states(world)["sent"] == 3
    world.forward(minutes=1)
    sent = [one.id for one in stuck.sent + world.phone.sent]
    assert len(sent) == len(set(sent))


def test_one_message_stuck_in_sending_holds_up_no_other(world: World) -> None:
    world.activated(deliver=False)
    with world.store.transactions() as tx:
        (stuck,) = tx.outbox.claim("sms", Lane.URGENT, limit=1, now=world.wall.now())

    world.deliver()

    assert states(world)["sending"] == 1
    assert stuck.id not in {one.id for one in world.phone.sent}
    assert len(world.phone.sent) == len(world.orders()) - 1


def test_one_gateways_outage_holds_up_no_other_channel(world: World) -> None:
    world.activated(deliver=False)
    voice = Phone("voice")
    with world.store.transactions() as tx:
        held = tx.outbox.claim("sms", Lane.URGENT, limit=1, now=world.wall.now())
        assert tx.outbox.slot("sms", Lane.URGENT, holder="waits for a dead gateway", now=world.wall.now())
        tx.outbox.put([replace(held[0], id=held[0].link_id or held[0].id, channel="voice", state=State.READY)])

    alone(drained(world, voice))
    alone(drained(world, world.phone))

    assert len(voice.sent) == 1
    assert world.phone.sent == []


def test_a_receipt_that_comes_after_its_message_was_taken_back_counts_and_it_does_not_go_again(world: World) -> None:
    world.activated(deliver=False)
    with world.store.transactions() as tx:
        (held,) = tx.outbox.claim("sms", Lane.URGENT, limit=1, now=world.wall.now())
    world.wall.forward(seconds=31)
    with world.store.transactions() as tx:
        assert tx.outbox.reclaim(now=world.wall.now()) == 1

    with world.store.transactions() as tx:
        note_receipt(
            tx, "sms", f"r-{held.id}", message_id=held.id, says="delivered", civil=world.now, wall=world.wall.now()
        )
    world.deliver()

    assert held.id not in {one.id for one in world.phone.sent}
    assert states(world)["delivered"] == 1


def test_two_feeds_that_speak_at_once_make_one_suggestion(world: World) -> None:
    ready = threading.Barrier(2)
    found: list[object] = []

    def speak(feed: str) -> None:
        ready.wait()
        found.extend(world.forecast(230, 240, 190, feed=feed))

    both = [threading.Thread(target=speak, args=(feed,)) for feed in ("bureau", "stations")]
    for one in both:
        one.start()
    for one in both:
        one.join()

    with world.store.reading() as tx:
        decisions = tx.decisions(world.episode(CITY).id)
    assert [one.level for one in decisions if one.standing.value == "suggested"] == [decisions[-1].level]
    assert decisions[-1].level > Level.NONE
    assert found
