"""A worker whose guards can be taken out, so that the crash tests can be seen to fail; nobody else starts it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid5

from celery import signals
from sqlalchemy import update

from emergency.channels import Channel
from emergency.domain.messages import Message, Outcome, State
from emergency.store import Store, Tx
from emergency.store.outbox import Outbox
from emergency.store.tables import MessageRow
from workers import app as doors
from workers.app import app

__all__ = ["app"]


SETTING = "CRASH_WITHOUT"  # the file that says which guard is out; all are in while it is not there


def without(guard: str) -> bool:
    """Whether this guard is out now."""
    file = Path(os.environ[SETTING])
    return file.exists() and file.read_text("utf-8") == guard


class Loose(Outbox):
    """Takes nothing back from the dead, or everything from the living, when that guard is out."""

    def reclaim(self, *, now: datetime) -> int:
        """As ever while all guards are in."""
        if without("reclaim"):
            return 0
        if without("lease"):
            sending = MessageRow.state == State.SENDING.value
            self._connection.execute(update(MessageRow).where(sending).values(leased_until=now))
        return super().reclaim(now=now)


class LooseStore(Store):
    """A store with the loose outbox."""

    @contextmanager
    def transactions(self) -> Iterator[Tx]:
        """As ever, with the loose outbox."""
        with super().transactions() as tx:
            tx.outbox = Loose(tx.connection, lease=self.lease)
            yield tx


class Renaming:
    """A channel that gives every attempt a key of its own, when that guard is out."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.name, self.connections, self.timeout_s = channel.name, channel.connections, channel.timeout_s

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)

    async def send(self, message: Message) -> Outcome:
        """Send it, under the attempt's own key or under the message's."""
        renamed = message.attempts > 1 and without("one-key")
        key = uuid5(message.id, str(message.attempts)) if renamed else message.id
        return await self._channel.send(replace(message, id=key))


@signals.worker_process_init.connect  # type: ignore[untyped-decorator]  # Celery carries no types
def _mutate(**_: Any) -> None:
    """Put the loose parts in the places of the ones they can stand in for."""
    s = doors.system()
    store = LooseStore(s.store._writer, s.store._reader, lease=s.store.lease)
    channels = {name: Renaming(one) for name, one in s.channels.items()}
    doors._built[os.getpid()] = replace(s, store=store, channels=channels)
