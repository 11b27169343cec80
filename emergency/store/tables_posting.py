"""The rows beside the post: providers of a channel, what a person settled of a message, and calls that were made."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from emergency.store.tables import Base, Serial


class ProviderRow(Base):
    """One provider: its last answers, its breaker, and since when it is preferred (NULL: it is not)."""

    __tablename__ = "providers"
    channel: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    recent: Mapped[list[Any]]  # [error 0 or 1, milliseconds], oldest first
    good_proofs: Mapped[int]
    failed_at: Mapped[datetime | None]  # wall
    failure: Mapped[str] = mapped_column(Text)
    broken_until: Mapped[datetime | None]  # wall
    preferred_since: Mapped[datetime | None]  # wall
    because: Mapped[str] = mapped_column(String(12))


class SettlementRow(Base):
    """What a person found out about a message whose fate the post left open; only added to."""

    __tablename__ = "settlements"
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    message_id: Mapped[UUID] = mapped_column(ForeignKey("messages.id"))
    verdict: Mapped[str] = mapped_column(String(12))
    because: Mapped[str] = mapped_column(Text)
    by: Mapped[str]
    at: Mapped[datetime]  # wall, as attempts are
    __table_args__ = (Index(None, "message_id"),)


class BundledRow(Base):
    """What a bundled reminder stands for: the order, which revision of it, and what it still owed; only added to."""

    __tablename__ = "bundled"
    message_id: Mapped[UUID] = mapped_column(ForeignKey("messages.id"), primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    deadline: Mapped[str] = mapped_column(String(12), primary_key=True)
    revision: Mapped[int]


class CallRow(Base):
    """One call made because no message helped; only added to."""

    __tablename__ = "calls"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"))
    revision: Mapped[int]
    spoke_to: Mapped[str]
    phone: Mapped[str] = mapped_column(String(40))
    result: Mapped[str] = mapped_column(String(12))
    received: Mapped[bool]
    remark: Mapped[str] = mapped_column(Text)
    by: Mapped[str]
    called_at: Mapped[datetime]
    noted_at: Mapped[datetime]
    __table_args__ = (Index(None, "order_id", "called_at"),)
