"""Urgent messages leaving while bulk ones go out over a slow gateway, beside urgent ones that have it to themselves."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from uuid import UUID, uuid4

from sqlalchemy import select, text

from benchmarks.city import CITY, databases, ready
from benchmarks.gateway import gateway
from benchmarks.senders import Sender, senders
from emergency.clock import WallClock
from emergency.domain.messages import Kind, Lane, Message, State
from emergency.store import Store
from emergency.store.tables import MessageRow

SIZE = 50_000  # bulk messages; a minute and a half of them
CONNECTIONS = 64
DELAY_MS = 100.0
URGENT = 40  # measured one by one, idle and again under load
WANTED_S = 0.5


def run(size: int = SIZE) -> Mapping[str, object]:
    """How long an urgent message takes from the post to its receipt, idle and while ``size`` bulk ones go out."""
    with ExitStack() as stack:
        url = stack.enter_context(databases("lanes"))
        city = stack.enter_context(ready(url, 1))
        to = stack.enter_context(gateway(DELAY_MS))
        urgent, bulk = (
            stack.enter_context(senders(url, to, connections=CONNECTIONS, places=1, lane=lane.word))[0]
            for lane in (Lane.URGENT, Lane.BULK)
        )
        idle = [_one(city.store, urgent) for _ in range(URGENT)]
        with city.store.transactions() as tx:
            tx.outbox.put_new([_message(Kind.REMINDER, Lane.BULK) for _ in range(size)])
        bulk.wake()
        loaded, left = [], 0
        for _ in range(URGENT):
            if not (waiting := _left(city.store)):
                break
            left = waiting
            loaded.append(_one(city.store, urgent))
        dialect = city.store.dialect
    idle_p95, loaded_p95 = _p95(idle), _p95(loaded)
    apart = None if loaded_p95 is None or idle_p95 is None else loaded_p95 - idle_p95
    return {
        "size": size,
        "on": dialect,
        "connections": CONNECTIONS,
        "measured_under_load": len(loaded),
        "bulk_left_at_the_last": left,
        "idle_p95_s": idle_p95,
        "loaded_p95_s": loaded_p95,
        "difference_s": apart,
        "wanted_at_most_s": WANTED_S,
        "as_wanted": "-" if apart is None else ("yes" if apart <= WANTED_S else "no"),
    }


def _message(kind: Kind, lane: Lane) -> Message:
    now = WallClock().now()
    return Message(
        id=uuid4(), kind=kind, channel="sms", lane=lane, to="13900000000", text="请尽快答复", area=CITY, due_at=now,
        put_at=now,
    )  # fmt: skip


def _one(store: Store, sender: Sender) -> float:
    """Seconds from putting one urgent message to its receipt."""
    message = _message(Kind.ORDER, Lane.URGENT)
    begun = time.perf_counter()
    with store.transactions() as tx:
        tx.outbox.put([message])
    sender.wake()
    sender.drained()
    if _state(store, message.id) != State.SENT.value:
        raise TimeoutError("an urgent message did not leave")
    return time.perf_counter() - begun


def _state(store: Store, message_id: UUID) -> str:
    with store.reading() as tx:
        return str(tx.connection.execute(select(MessageRow.state).where(MessageRow.id == message_id)).scalar_one())


def _left(store: Store) -> int:
    asked = text("SELECT count(*) FROM messages WHERE lane = :lane AND state IN ('ready', 'sending')")
    with store.reading() as tx:
        return int(tx.connection.execute(asked, {"lane": int(Lane.BULK)}).scalar_one())


def _p95(some: list[float]) -> float | None:
    return sorted(some)[-(-95 * len(some) // 100) - 1] if some else None
