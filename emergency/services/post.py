"""The post: claim, send, settle, by the batch; no transaction is open while the network is waited for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol, TypeVar
from uuid import UUID

from emergency import log as logs
from emergency import steps
from emergency.clock import Clock, seconds
from emergency.domain.copying import copied
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
    least_lease,
    wait_before,
)
from emergency.errors import Misconfigured
from emergency.services import bundling, failover
from emergency.services.links import Links
from emergency.services.rules import Rules
from emergency.store import Store, Tx, providers

T = TypeVar("T")
SETTLE_EVERY = 100
SETTLE_AFTER_S = 0.1
MOST_UNSETTLED = 2 * SETTLE_EVERY  # answers that may wait for a slow database before sending waits with them
BREAKER_OPEN = timedelta(seconds=60)
OPEN = "the channel's breaker is open"
NO_TIME = "too little of the lease was left"
CUT = "its sender broke off before it left"
BROKE_OFF = Uncertain("the channel broke off in the middle of it")
SHUT = "of an exercise, and its address is not opened: it does not leave"
log = logs.of(__name__)


@dataclass(frozen=True)
class Unbegun:
    """It was claimed and stayed where it was: nothing of it was on the wire, so it is no attempt."""

    because: str


Fate = Outcome | Unbegun


class Sender(Protocol):
    """What the post needs of a channel."""

    @property
    def name(self) -> str: ...

    @property
    def connections(self) -> int: ...

    @property
    def timeout_s(self) -> float: ...

    @property
    def senders(self) -> int: ...

    @property
    def rate(self) -> float: ...

    @property
    def providers(self) -> tuple[str, ...]: ...

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
    rules: Rules | None = None,
) -> int:
    """
    Send what is ready on one lane of one channel until nothing is; how many sends were settled.

    Safe to run twice, late or beside itself: as many holders per lane as the channel has places, claims by lease,
    settling by compare-and-set. SQLite has one writer, and therefore one place. ``rules``: those by which a bundle of
    reminders is worded anew when some of its orders were answered; without them it leaves as it was put.

    :raises Misconfigured: no lease of this store is long enough for one send of this channel
    """
    if (least := least_lease(channel.timeout_s)) > store.lease.total_seconds():  # hardly anything could be begun
        raise Misconfigured(f"{channel.name}: its timeout asks for a lease of at least {least:g} s")
    places = channel.senders if store.dialect == "postgresql" else 1
    place = await _in_thread(lambda: _take_slot(store, channel.name, lane, holder, places, wall.now()))
    if place is None:
        return 0
    share = max(1, (channel.connections + places - 1 - place) // places)
    limit = per_claim or min(500, max(20, share * 8))
    try:
        return await _Draining(store, channel, lane, links, clock, wall, holder, place, share, limit, rules).through()
    finally:
        await _in_thread(lambda: _leave_slot(store, channel.name, lane, holder, wall.now()))


class _Draining:
    """
    One stretch of draining: the next claim is made while the last one is still leaving, and settling runs beside both.

    ``ready`` holds what is claimed and not yet on its way, each with the end of its lease and, where the channel has a
    rate, the moment from which it may leave; never more than one claim beyond what is leaving, so that no lease waits.
    A claim is about a second's worth: ``limit`` until a gateway is known to be slower than that.
    """

    def __init__(
        self,
        store: Store,
        channel: Sender,
        lane: Lane,
        links: Links,
        clock: Clock,
        wall: Clock,
        holder: str,
        place: int,
        share: int,
        limit: int,
        rules: Rules | None,
    ) -> None:
        self._rules = rules
        self._place, self._share = place, share
        self._store, self._channel, self._lane, self._links = store, channel, lane, links
        self._clock, self._wall, self._holder = clock, wall, holder
        self._most = self._limit = limit  # the largest claim, and the next one
        self._took = 0.0  # seconds a send takes here, the last ones counting most
        self._ready: deque[tuple[Message, datetime, datetime | None]] = deque()
        self._outcomes: list[tuple[Message, Fate]] = []
        self._heard: dict[str, list[tuple[Outcome, int]]] = {}  # of each provider, where the channel has several
        self._more, self._low, self._full, self._room = (asyncio.Event() for _ in range(4))
        self._claimed_all = self._sent_all = self._broken = self._over = self._cut = False
        self._shut_out: frozenset[UUID] = frozenset()
        self._resting: set[str] = set()  # providers at fault in this stretch

    async def through(self) -> int:
        """Claim, send and settle until nothing is ready; how many sends were settled."""
        settling = asyncio.create_task(self._settle())
        settling.add_done_callback(self._ended)
        going = [asyncio.create_task(one) for one in (self._claim(), *(self._send() for _ in range(self._share)))]
        try:
            ends = await asyncio.gather(*going, return_exceptions=True)
        finally:
            self._outcomes.extend((one, Unbegun(CUT)) for one, _leased, _begin in self._ready)
            self._ready.clear()
            self._sent_all = True
            self._full.set()
            settled = await settling
        for end in ends:
            if isinstance(end, BaseException):  # told once what the others sent is written down
                raise end
        return settled

    def _ended(self, _: asyncio.Task[int]) -> None:
        """Nothing is written down any more: where that came early, nothing more may leave."""
        self._over = self._broken = True
        self._room.set()
        self._low.set()

    async def _claim(self) -> None:
        try:
            while not (self._broken or self._cut):
                steps.at("before_claim")
                now = self._wall.now()
                found, shut_out, begin = await _in_thread(
                    partial(
                        _claim, self._store, self._channel, self._lane, self._holder, self._place, self._limit, now,
                        self._rules,
                    )
                )
                if not found:
                    if begin is None or not await self._its_turn(begin, now):
                        return
                    continue
                steps.at("after_claim")
                self._shut_out |= shut_out
                leased, rate = now + self._store.lease, self._channel.rate
                self._ready.extend(
                    (one, leased, begin and begin + timedelta(seconds=at / rate)) for at, one in enumerate(found)
                )
                self._more.set()
                while len(self._ready) * 2 > self._limit and not (self._broken or self._cut):
                    self._low.clear()
                    await self._low.wait()
        finally:
            self._claimed_all = True
            self._more.set()

    async def _its_turn(self, begin: datetime, now: datetime) -> bool:
        """Wait until the channel's rate leaves room again; False when no time passes (a clock that stands)."""
        await asyncio.sleep(min(1.0, max(0.05, (begin - now).total_seconds() / 2)))
        return self._wall.now() > now

    async def _send(self) -> None:
        while True:
            if not self._ready:
                if self._claimed_all:
                    return
                self._more.clear()
                await self._more.wait()
                continue
            message, leased_until, not_before = self._ready.popleft()
            if len(self._ready) * 2 <= self._limit:
                self._low.set()
            fate: Fate = Unbegun(CUT)
            try:
                if not_before is not None and not (self._broken or self._cut):
                    await asyncio.sleep(max(0.0, (not_before - self._wall.now()).total_seconds()))
                fate = BROKE_OFF
                fate = await self._sent(message, leased_until)
            finally:
                self._outcomes.append((message, fate))
                if fate is BROKE_OFF:  # what is on its way comes to its end, and nothing more leaves
                    self._cut = True
                    self._low.set()
            if len(self._outcomes) >= SETTLE_EVERY:
                self._full.set()
            while len(self._outcomes) >= MOST_UNSETTLED and not self._over:  # unsettled goes again after a crash
                self._room.clear()
                await self._room.wait()

    async def _sent(self, message: Message, leased_until: datetime) -> Fate:
        if self._broken or message.provider in self._resting:
            return Unbegun(OPEN)
        if self._cut:
            return Unbegun(CUT)
        if message.id in self._shut_out:  # the wall's second door: whatever the outbox let through
            return Never(SHUT)
        began = self._wall.now()
        if began + timedelta(seconds=2 * self._channel.timeout_s) > leased_until:
            return Unbegun(NO_TIME)
        begun = seconds()
        outcome = await self._channel.send(_with_link(message, self._links))
        self._pace((self._wall.now() - began).total_seconds())
        if self._channel.providers:
            self._heard.setdefault(message.provider, []).append((outcome, round((seconds() - begun) * 1000)))
        if isinstance(outcome, ChannelFault):
            self._resting.add(message.provider)
            self._broken = self._resting.issuperset(self._channel.providers)  # of one provider: at once
            self._low.set()
        return outcome

    def _pace(self, took: float) -> None:
        """Claim as many as leave in a second at this pace, but something for each connection."""
        self._took += (took - self._took) / 8
        if self._took * self._most > self._share:
            self._limit = max(self._share, int(self._share / self._took))
        else:
            self._limit = self._most

    async def _settle(self) -> int:
        count, well = 0, False
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._full.wait(), SETTLE_AFTER_S)
            self._full.clear()
            last = self._sent_all
            batch, self._outcomes = self._outcomes, []
            heard, self._heard = self._heard, {}
            self._room.set()
            if batch:
                steps.at("before_settle")
                now = {"civil": self._clock.now(), "wall": self._wall.now()}
                await _in_thread(partial(_settle, self._store, self._channel, batch, heard, well=well, **now))
                steps.at("after_settle")
                count += len(batch)
                well = well or any(isinstance(outcome, Sent) for _, outcome in batch)
            if last:
                return count


def _with_link(message: Message, links: Links) -> Message:
    return copied(message, link=links.address(message.link_id)) if message.link_id else message


def _take_slot(store: Store, channel: str, lane: Lane, holder: str, places: int, now: datetime) -> int | None:
    """The place that was taken; None when there is nothing to send, every place is taken or the breaker is open."""
    with store.reading() as tx:
        if not tx.outbox.anything(channel, lane, now=now) or channel in tx.outbox.broken(now=now):
            return None

    def first_free(tx: Tx) -> int | None:
        taken = (one for one in range(places) if tx.outbox.slot(channel, lane, holder=holder, now=now, place=one))
        return next(taken, None)

    return store.run(first_free)


def _leave_slot(store: Store, channel: str, lane: Lane, holder: str, now: datetime) -> None:
    store.run(lambda tx: tx.outbox.leave_slot(channel, lane, holder=holder, now=now))


def _claim(
    store: Store,
    channel: Sender,
    lane: Lane,
    holder: str,
    place: int,
    limit: int,
    now: datetime,
    rules: Rules | None = None,
) -> tuple[list[Message], frozenset[UUID], datetime | None]:
    """
    The next messages to send, which of them an exercise may not send, and from when they may leave, one after the
    other, where the channel has a rate; a moment without messages means that its rate is spoken for until then.
    """
    begin = None
    with store.transactions() as tx:
        if not tx.outbox.slot(channel.name, lane, holder=holder, now=now, place=place):
            return [], frozenset(), None  # the place was lost: somebody else is at it
        if channel.rate and tx.outbox.anything(channel.name, lane, now=now):
            limit, begin = tx.outbox.paced(channel.name, rate=channel.rate, most=limit, now=now)
        by = providers.preferred(tx, channel.name, channel.providers) if channel.providers else ""
        known = channel.providers
        claim = partial(tx.outbox.claim, channel.name, lane, limit=limit, now=now, preferred=by, known=known)
        found = claim() if limit else []
        while rules is not None and found and not (still := bundling.as_they_stand(tx, rules, found)):
            found = claim()  # every one of them was a bundle that is answered
        found = still if rules is not None and found else found
        if channel.providers and (resting := providers.broken(tx, channel.name, now=now)):
            held = [one for one in found if one.provider in resting]  # they may have it: no other sends it meanwhile
            found = [one for one in found if one.provider not in resting]
            again = now + BREAKER_OPEN
            rows = [_settled(one, Unbegun(OPEN), civil=now, wall=now, unbroken=again) for one in held]
            tx.outbox.settle(rows, wall=now)
        if begin is not None and found:
            tx.outbox.pace(channel.name, until=begin + timedelta(seconds=len(found) / channel.rate))
        return found, tx.outbox.shut_out(found, channel=channel.name), begin


def _settle(
    store: Store,
    channel: Sender,
    batch: Sequence[tuple[Message, Fate]],
    heard: failover.Heard,
    *,
    civil: datetime,
    wall: datetime,
    well: bool = False,
) -> None:
    """Write down how these went; ``well``: the channel was seen to work a moment ago and need not be said to."""
    name = channel.name
    faults = [one for _, one in batch if isinstance(one, ChannelFault)]
    with store.transactions() as tx:
        all_broken = True  # a channel of one provider is as broken as that one
        if channel.providers:
            all_broken = failover.note_sends(
                tx, name, channel.providers, heard, civil=civil, wall=wall, open_for=BREAKER_OPEN
            )
        again = wall + BREAKER_OPEN if all_broken else wall
        rows = [_settled(message, outcome, civil=civil, wall=wall, unbroken=again) for message, outcome in batch]
        tx.outbox.settle(rows, wall=wall)
        if nobody := [one.order_id for one, fate in batch if isinstance(fate, Never) and one.order_id]:
            tx.outbox.hurry(nobody, civil=civil)  # it reaches nobody: the step after it is due
        if faults and all_broken:
            tx.outbox.break_channel(name, until=wall + BREAKER_OPEN, because=faults[0].because)
            tx.raise_alarm(f"channel:{name}", area="", detail=faults[0].because[:300], now=civil)
        elif not well and any(isinstance(outcome, Sent) for _, outcome in batch):
            tx.outbox.close_breaker(name)
            tx.clear_alarm(f"channel:{name}", now=civil)
        if shut := [message for message, outcome in batch if outcome == Never(SHUT)]:
            words = f"{len(shut)} messages of an exercise were stopped before {name}"
            tx.raise_alarm(f"exercise-wall:{name}", area="", detail=words, now=civil)
    for row in rows:
        if row["state"] is State.FAILED:
            log.warning("message.failed", extra={"message_id": str(row["id"]), "because": row["because"]})


def _settled(
    message: Message, outcome: Fate, *, civil: datetime, wall: datetime, unbroken: datetime
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": message.id,
        "attempts": message.attempts,
        "due_at": wall,
        "sent_at": None,
        "receipt": "",
        "because": "",
        "ambiguous": False,
        "outcome": type(outcome).__name__.lower(),
        "provider": message.provider,
        "state": State.READY,
    }
    match outcome:
        case Sent(receipt):
            kept = message.because if message.channel == WALL else ""  # which way it would have gone
            return {**row, "state": State.SENT, "sent_at": civil, "receipt": receipt, "because": kept}
        case Never(because):
            return {**row, "state": State.FAILED, "because": because}
        case ChannelFault(because):
            return {**row, "due_at": unbroken, "because": because, "counts": False}
        case Unbegun(because):
            due_at = unbroken if because == OPEN else wall
            return {**row, "due_at": due_at, "because": because, "counts": False, "begun": False}
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
