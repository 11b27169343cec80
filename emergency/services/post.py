"""The post: claim, send, settle, by the batch; no transaction is open while the network is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol, TypeVar
from uuid import UUID

from emergency import log as logs
from emergency.clock import Clock
from emergency.domain.exercise import WALL
from emergency.domain.messages import (
    MOST_ATTEMPTS,
    ChannelFault,
    Lane,
    Later,
    Message,
    Never,
    Outcome,
    Sent,
    State,
    Uncertain,
    wait_before,
)
from emergency.services.links import Links
from emergency.store import Store
from emergency.store.outbox import LEASE

T = TypeVar("T")
SETTLE_EVERY = 100
SETTLE_AFTER_S = 0.1
BREAKER_OPEN = timedelta(seconds=60)
OPEN = "the channel's breaker is open"
SHUT = "of an exercise, and its address is not opened: it does not leave"
log = logs.of(__name__)


class Sender(Protocol):
    """What the post needs of a channel."""

    @property
    def name(self) -> str: ...

    @property
    def connections(self) -> int: ...

    @property
    def timeout_s(self) -> float: ...

    async def send(self, message: Message) -> Outcome:
        """Hand it over once and say what became of it."""
        ...


async def drain(
    store: Store,
    channel: Sender,
    *,
    lane: Lane,
    links: Links,
    clock: Clock,
    wall: Clock,
    holder: str,
    per_claim: int | None = None,
) -> int:
    """
    Send what is ready on one lane of one channel until nothing is; how many sends were settled.

    Safe to run twice, late or beside itself: one holder per lane, claims by lease, settling by compare-and-set.
    """
    if not await _in_thread(lambda: _take_slot(store, channel.name, lane, holder, wall.now())):
        return 0
    settled, broken = 0, False
    limit = per_claim or min(500, max(20, channel.connections * 8))
    try:
        while not broken:
            claimed = await _in_thread(lambda: _claim(store, channel.name, lane, holder, limit, wall.now()))
            if not claimed:
                return settled
            done, broken = await _send_all(store, channel, claimed, links=links, clock=clock, wall=wall)
            settled += done
    finally:
        await _in_thread(lambda: _leave_slot(store, channel.name, lane, holder, wall.now()))
    return settled


async def _send_all(
    store: Store, channel: Sender, claimed: Sequence[Message], *, links: Links, clock: Clock, wall: Clock
) -> tuple[int, bool]:
    leased_until = wall.now() + LEASE
    gate = asyncio.Semaphore(channel.connections)
    outcomes: asyncio.Queue[tuple[Message, Outcome] | None] = asyncio.Queue()
    broken = False

    async def send(message: Message) -> None:
        nonlocal broken
        async with gate:
            if broken:
                outcome: Outcome = ChannelFault(OPEN)
            elif message.id in shut_out:  # the wall's second door: whatever the outbox let through
                outcome = Never(SHUT)
            elif wall.now() + timedelta(seconds=2 * channel.timeout_s) > leased_until:
                outcome = Later("too little of the lease was left")
            else:
                outcome = await channel.send(_with_link(message, links))
            if isinstance(outcome, ChannelFault):
                broken = True
            await outcomes.put((message, outcome))

    async def settle() -> int:
        count, waiting, open_ = 0, list[tuple[Message, Outcome]](), True
        ticks, flush_by = asyncio.get_running_loop(), 0.0
        while open_:
            late = False
            try:
                left = max(0.0, flush_by - ticks.time()) if waiting else None
                found = await asyncio.wait_for(outcomes.get(), left)
                if found is None:
                    open_ = False
                else:
                    flush_by = flush_by if waiting else ticks.time() + SETTLE_AFTER_S
                    waiting.append(found)
            except TimeoutError:
                late = True
            if waiting and (late or not open_ or len(waiting) >= SETTLE_EVERY):
                batch, waiting = waiting, []
                await _in_thread(partial(_settle, store, channel.name, batch, civil=clock.now(), wall=wall.now()))
                count += len(batch)
        return count

    wanted, shut_out = await _in_thread(lambda: _still_wanted(store, channel.name, claimed))
    settling = asyncio.create_task(settle())
    try:
        await asyncio.gather(*[send(one) for one in wanted])
    finally:
        await outcomes.put(None)
        count = await settling
    return count, broken


def _with_link(message: Message, links: Links) -> Message:
    return replace(message, link=links.address(message.link_id)) if message.link_id else message


def _take_slot(store: Store, channel: str, lane: Lane, holder: str, now: datetime) -> bool:
    with store.reading() as tx:
        if not tx.outbox.anything(channel, lane, now=now):
            return False
    return store.run(lambda tx: tx.outbox.slot(channel, lane, holder=holder, now=now))


def _leave_slot(store: Store, channel: str, lane: Lane, holder: str, now: datetime) -> None:
    store.run(lambda tx: tx.outbox.leave_slot(channel, lane, holder=holder, now=now))


def _claim(store: Store, channel: str, lane: Lane, holder: str, limit: int, now: datetime) -> list[Message]:
    with store.transactions() as tx:
        if not tx.outbox.slot(channel, lane, holder=holder, now=now):
            return []  # the place was lost: somebody else is at it
        return tx.outbox.claim(channel, lane, limit=limit, now=now)


def _still_wanted(store: Store, channel: str, claimed: Sequence[Message]) -> tuple[list[Message], frozenset[UUID]]:
    """What is still to be sent, and which of it an exercise may not send."""
    with store.reading() as tx:
        wanted = tx.outbox.still_wanted(claimed)
        return wanted, tx.outbox.shut_out(wanted, channel=channel)


def _settle(
    store: Store, channel: str, batch: Sequence[tuple[Message, Outcome]], *, civil: datetime, wall: datetime
) -> None:
    rows = [_settled(message, outcome, civil=civil, wall=wall) for message, outcome in batch]
    faults = [one for _, one in batch if isinstance(one, ChannelFault) and one.because != OPEN]
    with store.transactions() as tx:
        tx.outbox.settle(rows, wall=wall)
        if faults:
            tx.outbox.break_channel(channel, until=wall + BREAKER_OPEN, because=faults[0].because)
            tx.raise_alarm(f"channel:{channel}", area="", detail=faults[0].because[:300], now=civil)
        elif any(isinstance(outcome, Sent) for _, outcome in batch):
            tx.outbox.close_breaker(channel)
            tx.clear_alarm(f"channel:{channel}", now=civil)
        if shut := [message for message, outcome in batch if outcome == Never(SHUT)]:
            words = f"{len(shut)} messages of an exercise were stopped before {channel}"
            tx.raise_alarm(f"exercise-wall:{channel}", area="", detail=words, now=civil)
    for row in rows:
        if row["state"] is State.FAILED:
            log.warning("message.failed", extra={"message_id": str(row["id"]), "because": row["because"]})


def _settled(message: Message, outcome: Outcome, *, civil: datetime, wall: datetime) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": message.id,
        "attempts": message.attempts,
        "due_at": wall,
        "sent_at": None,
        "receipt": "",
        "because": "",
        "ambiguous": False,
        "outcome": type(outcome).__name__.lower(),
        "state": State.READY,
    }
    match outcome:
        case Sent(receipt):
            kept = message.because if message.channel == WALL else ""  # which way it would have gone
            return {**row, "state": State.SENT, "sent_at": civil, "receipt": receipt, "because": kept}
        case Never(because):
            return {**row, "state": State.FAILED, "because": because}
        case ChannelFault(because):
            return {**row, "due_at": wall + BREAKER_OPEN, "because": because, "counts": False}
        case Later(because, retry_after):
            wait = wait_before(message.attempts, key=message.id, retry_after=retry_after)
            again = message.attempts < MOST_ATTEMPTS
            return {**row, "state": State.READY if again else State.FAILED, "due_at": wall + wait, "because": because}
        case Uncertain(because):
            wait = wait_before(message.attempts, key=message.id)
            again = message.attempts < MOST_ATTEMPTS
            state = State.READY if again else State.FAILED
            return {**row, "state": state, "due_at": wall + wait, "because": because, "ambiguous": True}


async def _in_thread(work: Callable[[], T]) -> T:
    return await asyncio.to_thread(work)
