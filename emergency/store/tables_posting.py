"""The rows beside the post: what was heard of each provider of a channel that has several."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from emergency.store.tables import Base


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
