"""Notices of the level above that a desk has not passed on yet, as the use cases ask for them."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, true

from emergency.store.bulk import table
from emergency.store.tables import EpisodeRow, TaskRow
from emergency.store.tx import Tx

RELAY: Final = "relay"


def owed(tx: Tx, area: str, *, until: datetime | None = None, exercise: str = "") -> list[UUID]:
    """The relays this desk owes, by then where a time is named; of real air or of one exercise, the oldest first."""
    by_then = true() if until is None else TaskRow.due_at <= until
    rows = tx.connection.execute(
        select(table(TaskRow).c.id)
        .outerjoin(EpisodeRow, EpisodeRow.id == TaskRow.episode_id)
        .where(
            TaskRow.area == area,
            TaskRow.kind == RELAY,
            TaskRow.done_at.is_(None),
            by_then,
            func.coalesce(EpisodeRow.exercise, "") == exercise,
        )
        .order_by(TaskRow.due_at)
    )
    return [row.id for row in rows]
