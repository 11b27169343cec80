"""Each lane is a way of its own: what is bulk never stands before an order."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from emergency.domain.level import Level
from emergency.domain.messages import LANES, STORM, Kind, Lane, Message, lane_of
from emergency.services import post
from tests.world import DISTRICT, Phone, World, alone


def bulk(world: World, count: int) -> None:
    some = [
        Message(
            id=uuid4(), kind=Kind.REMINDER, channel="sms", lane=Lane.BULK, to="13900000000", text="请尽快答复",
            area=DISTRICT, due_at=world.wall.now(), put_at=world.now,
        )
        for _ in range(count)
    ]  # fmt: skip
    world.store.run(lambda tx: tx.outbox.put(some))


class Stuck(Phone):
    """A gateway that keeps whoever sends bulk waiting until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.let_go = asyncio.Event(), asyncio.Event()

    async def send(self, message: Message):  # type: ignore[no-untyped-def]  # as the phone's own
        """Wait with what is bulk."""
        if message.lane is Lane.BULK:
            self.reached.set()
            await self.let_go.wait()
        return await super().send(message)


def test_a_full_bulk_lane_does_not_hold_the_urgent_lanes_place(world: World) -> None:
    bulk(world, 300)
    world.activated(Level.YELLOW, deliver=False)

    async def both() -> tuple[int, int, int]:
        gateway = Stuck()

        async def through(lane: Lane) -> int:
            return await post.drain(
                world.store, gateway, lane=lane, links=world.rules.links, clock=world.clock, wall=world.wall,
                holder=f"worker-{lane.word}",
            )  # fmt: skip

        slow = asyncio.create_task(through(Lane.BULK))
        await gateway.reached.wait()
        urgent = await through(Lane.URGENT)
        meanwhile = sum(one.lane is Lane.BULK for one in gateway.sent)
        gateway.let_go.set()
        return urgent, meanwhile, await slow

    urgent, meanwhile, slow = alone(both())

    assert urgent >= len(world.orders())
    assert (meanwhile, slow) == (0, 300)


def test_reminders_are_bulk_in_a_storm_only_and_first_notices_never() -> None:
    assert lane_of(Kind.REMINDER, together=STORM - 1) is Lane.NORMAL
    assert lane_of(Kind.TASK, together=STORM - 1) is Lane.NORMAL
    assert {lane_of(kind, together=STORM) for kind in (Kind.REMINDER, Kind.ESCALATION, Kind.TASK)} == {Lane.BULK}
    assert lane_of(Kind.REPORT) is Lane.BULK
    assert {
        lane_of(kind, together=STORM) for kind in (Kind.ORDER, Kind.REVISION, Kind.LIFTING, Kind.WITHDRAWAL)
    } == {Lane.URGENT}
    assert set(LANES) == set(Kind)


def test_a_sweep_that_reminds_hundreds_puts_them_in_bulk(world: World) -> None:
    world.activated(Level.YELLOW)
    waiting = [one for one in world.orders() if one.next_rung_at is not None]
    world.forward(minutes=31)

    lanes = {one.lane for one in world.phone.sent if one.kind is Kind.REMINDER}

    assert lanes == {Lane.BULK if len(waiting) >= STORM else Lane.NORMAL}
