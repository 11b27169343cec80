"""The rows of what is repeated and reported while a response runs: broadcasts, daily reports and summaries."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Date, ForeignKey, Index, String, Text
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from emergency.store.tables import Base


class BroadcastRow(Base):
    """A running warning broadcast again (滚动播报): once for each step of its plan's interval."""

    __tablename__ = "broadcasts"
    episode_id: Mapped[UUID] = mapped_column(ForeignKey("episodes.id"), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(primary_key=True)
    level: Mapped[int]
    told: Mapped[int]
    put_at: Mapped[datetime]


class ReportRow(Base):
    """A unit's daily report or summary: asked for, chased once, filed (the last word; earlier ones in the journal)."""

    __tablename__ = "reports"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"))
    episode_id: Mapped[UUID] = mapped_column(ForeignKey("episodes.id"))
    area: Mapped[str]
    recipient_id: Mapped[UUID] = mapped_column(ForeignKey("recipients.id"))
    paper: Mapped[str] = mapped_column(String(10))
    day: Mapped[date] = mapped_column(Date)
    due_at: Mapped[datetime]
    asked_at: Mapped[datetime | None]
    chased_at: Mapped[datetime | None]
    filed_at: Mapped[datetime | None]
    filed_by: Mapped[str] = mapped_column(String(80))
    via: Mapped[str] = mapped_column(String(20))
    words: Mapped[str] = mapped_column(Text)
    figures: Mapped[dict[str, Any]]
    version: Mapped[int]
    __table_args__ = (
        Index("uq_reports_order_id_paper_day", "order_id", "paper", "day", unique=True),
        Index(None, "episode_id", "day"),
        Index(
            "ix_reports_due_at_missing",
            "due_at",
            sqlite_where=sql("filed_at IS NULL AND chased_at IS NULL"),
            postgresql_where=sql("filed_at IS NULL AND chased_at IS NULL"),
        ),
    )
