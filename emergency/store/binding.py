"""The revisions from which is read what binds, where that is not what was said last."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select

from emergency.domain.orders import Revision
from emergency.store import saving
from emergency.store.bulk import table
from emergency.store.tables import JournalRow, OrderRow, RevisionRow
from emergency.store.tx import Tx


def pending(tx: Tx, episode_id: UUID, *, at: datetime) -> dict[UUID, list[Revision]]:
    """By order, every revision of those of the episode whose last change or release takes effect then or later."""
    later = or_(OrderRow.effective_at >= at, OrderRow.lifted_at >= at)
    rows = tx.connection.execute(
        select(table(RevisionRow))
        .join(OrderRow, OrderRow.id == RevisionRow.order_id)
        .where(OrderRow.episode_id == episode_id, later)
    )
    found: dict[UUID, list[Revision]] = {}
    for row in rows:
        found.setdefault(row.order_id, []).append(saving.revision(row))
    return found


def exempted(tx: Tx, episode_id: UUID) -> dict[UUID, datetime]:
    """By order of the episode, when a ruling last exempted its recipient; absent where none did."""
    rows = tx.connection.execute(
        select(JournalRow.about, func.max(JournalRow.at))
        .where(JournalRow.episode_id == episode_id, JournalRow.what == "order.exempted")
        .group_by(JournalRow.about)
    )
    return {UUID(row[0]): row[1] for row in rows}
