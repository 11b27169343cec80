"""Rulings that nobody owes any more, because their order ended before an officer had ruled."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select, update

from emergency.domain.episode import Fact
from emergency.domain.people import Person
from emergency.store import saving
from emergency.store.bulk import table
from emergency.store.tables import AlarmRow, JournalRow, TaskRow
from emergency.store.tx import Tx

RULING: Final = "ruling"
LIFTED: Final = "task.lifted"
WITHDRAWN: Final = "task.withdrawn"


def end(tx: Tx, episode_id: UUID, *, fact: str, by: Person | None, now: datetime) -> None:
    """
    Note that no order of this episode waits for a ruling any more, each task with this ``fact``; its alarm ends too.

    ``by`` None: the orders ended by themselves. In as many statements for many rulings as for one.
    """
    rows = tx.connection.execute(
        update(table(TaskRow))
        .where(TaskRow.episode_id == episode_id, TaskRow.kind == RULING, TaskRow.done_at.is_(None))
        .values(done_at=now, done_by=None if by is None else by.id, version=TaskRow.version + 1)
        .returning(table(TaskRow))
    ).all()
    if not rows:
        return
    ended = sorted((saving.task(row) for row in rows), key=lambda one: one.id)
    tx.connection.execute(
        update(table(AlarmRow))
        .where(AlarmRow.name.in_([f"task:{one.id}" for one in ended]), AlarmRow.over_at.is_(None))
        .values(over_at=now)
    )
    who = "system" if by is None else by.login
    tx.note_all(Fact(fact, str(one.id), who, now, one.episode_id, one.area) for one in ended)


def ended(tx: Tx, task_ids: Collection[UUID]) -> Mapping[UUID, str]:
    """Those of these tasks that ended with their order, each with the fact that says how."""
    rows = tx.connection.execute(
        select(JournalRow.about, JournalRow.what).where(
            JournalRow.about.in_([str(one) for one in task_ids]), JournalRow.what.in_([LIFTED, WITHDRAWN])
        )
    )
    return {UUID(row.about): str(row.what) for row in rows}
