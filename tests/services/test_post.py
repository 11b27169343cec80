"""The post under bad luck: two senders at once, slow gateways, time limits, receipts at odd hours."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from emergency.domain.level import Level
from emergency.domain.messages import Kind, Lane, Later, Message, Outcome, Sent, State
from emergency.errors import Misconfigured
from emergency.services import post
from emergency.services.dispatch import note_receipt
from emergency.store.tables import AttemptRow, MessageRow
from tests.world import CITY, Phone, World, alone


class SlowPhone(Phone):
    """A phone whose every answer takes so many wall seconds of a set clock; it notes what was left of each lease."""

    def __init__(self, world: World, *, seconds: float) -> None:
        super().__init__()
        self.connections, self.timeout_s, self._world, self._seconds = 1, seconds / 2, world, seconds
        self.left: list[float] = []
        self.leases: list[datetime] = []

    async def send(self, message: Message) -> Outcome:
        """Let the time pass and take it."""
        with self._world.store.reading() as tx:
            query = select(MessageRow.leased_until).where(MessageRow.id == message.id)
            until = tx.connection.execute(query).scalar_one()
        self.leases.append(until)
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


def bulk(world: World, many: int) -> None:
    """So many messages about nothing in particular, in the bulk lane."""
    now = world.wall.now() - timedelta(seconds=1)
    some = [
        Message(
            id=uuid4(), kind=Kind.BROADCAST, channel="sms", lane=Lane.BULK, to="13900000000", text="x", area=CITY,
            due_at=now, put_at=world.now,
        )
        for _ in range(many)
    ]  # fmt: skip
    with world.store.transactions() as tx:
        tx.outbox.put(some)


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


def test_what_was_claimed_and_not_begun_was_not_tried_and_goes_all_the_same(world: World) -> None:
    bulk(world, 40)
    slow = SlowPhone(world, seconds=9)  # of the first claim three can be begun within its lease

    while alone(drained(world, slow, lane=Lane.BULK)):
        pass

    sent = [one.id for one in slow.sent]
    assert len(sent) == len(set(sent)) == 40
    with world.store.reading() as tx:
        tries = tx.connection.execute(select(AttemptRow.outcome, AttemptRow.attempt)).all()
    assert [tuple(one) for one in tries] == [("sent", 1)] * 40


def test_of_a_slow_gateway_no_more_is_claimed_than_leaves_in_a_second(world: World) -> None:
    bulk(world, 40)
    slow = SlowPhone(world, seconds=0.5)

    alone(drained(world, slow, lane=Lane.BULK))

    first, *later = Counter(slow.leases).values()
    assert first == 20
    assert max(later) <= 4
    assert sum(later) == 20


def test_a_lease_shorter_than_one_send_is_told_and_no_message_is_spent_on_it(world: World) -> None:
    bulk(world, 3)
    world.phone.timeout_s = 16.0

    with pytest.raises(Misconfigured, match="at least 40 s"):
        alone(drained(world, world.phone, lane=Lane.BULK))

    with world.store.reading() as tx:
        assert tx.connection.execute(select(MessageRow.attempts, MessageRow.state).distinct()).all() == [(0, "ready")]


class Raising(Phone):
    """A channel whose one message raises, while others are on their way."""

    def __init__(self) -> None:
        super().__init__()
        self.connections = 4

    async def send(self, message: Message) -> Outcome:
        """The fourth raises; those before it are answered only then."""
        self.sent.append(message)
        if len(self.sent) == 4:
            raise ValueError("no gateway")
        await asyncio.sleep(0.01)
        return Sent(f"r-{message.id}")


def test_a_channel_that_raises_costs_its_own_message_a_try_and_no_other_goes_again(world: World) -> None:
    bulk(world, 40)
    raising = Raising()

    with pytest.raises(ValueError, match="no gateway"):
        alone(drained(world, raising, lane=Lane.BULK))
    with world.store.reading() as tx:
        stands = tx.connection.execute(select(MessageRow.state, func.count()).group_by(MessageRow.state)).all()
        doubted = tx.connection.execute(select(MessageRow.id).where(MessageRow.ambiguous)).scalars().all()
    assert {tuple(one) for one in stands} == {("sent", 3), ("ready", 37)}
    assert doubted == [raising.sent[3].id]
    world.wall.forward(seconds=5)
    alone(drained(world, world.phone, lane=Lane.BULK))

    sent = Counter(one.id for one in raising.sent + world.phone.sent)
    assert [one for one, times in sent.items() if times > 1] == doubted
    assert len(sent) == 40


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
