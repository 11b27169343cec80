"""What the page of the channels asks: what waits on each lane, what has no receipt yet, what a person must look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from emergency.domain.messages import Lane, State
from emergency.store.tables import MessageRow, SlotRow
from emergency.store.tx import Tx


@dataclass(frozen=True)
class Post:
    """One channel's post: waiting by lane, the oldest without a receipt (wall), given up, and an open breaker."""

    waiting: dict[Lane, int]
    oldest_undelivered: datetime | None = None
    failed: int = 0
    broken: str = ""


def posts(tx: Tx, *, now: datetime) -> dict[str, Post]:
    """Channel → its post, in two statements; of exercises nothing."""
    found: dict[str, Post] = {}
    rows = tx.connection.execute(
        select(MessageRow.channel, MessageRow.lane, MessageRow.state, func.count(), func.min(MessageRow.due_at))
        .where(
            MessageRow.state.in_([one.value for one in (State.READY, State.SENDING, State.SENT, State.FAILED)]),
            MessageRow.exercise.is_(False),
        )
        .group_by(MessageRow.channel, MessageRow.lane, MessageRow.state)
    )
    for channel, lane, state, count, oldest in rows:
        before = found.get(channel, Post({}))
        waiting, undelivered, failed = dict(before.waiting), before.oldest_undelivered, before.failed
        if state == State.FAILED.value:
            failed += count
        else:
            undelivered = min(undelivered or oldest, oldest)
            if state != State.SENT.value:
                waiting[Lane(lane)] = waiting.get(Lane(lane), 0) + count
        found[channel] = Post(waiting, undelivered, failed)
    broken = select(SlotRow.channel, func.max(SlotRow.because)).where(SlotRow.broken_until > now)
    for channel, because in tx.connection.execute(broken.group_by(SlotRow.channel)):
        one = found.get(channel, Post({}))
        found[channel] = Post(one.waiting, one.oldest_undelivered, one.failed, because)
    return found
