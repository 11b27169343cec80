"""The rows of reduction lists: each version with its dates, and each enterprise of it as it was read."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Date, ForeignKey, Index, String, Text
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from emergency.store.tables import Base


class ListingRow(Base):
    """One version of an area's reduction list."""

    __tablename__ = "listings"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    area: Mapped[str] = mapped_column(ForeignKey("areas.id"))
    name: Mapped[str]
    file_sha256: Mapped[str] = mapped_column(String(64))
    valid_from: Mapped[date] = mapped_column(Date)
    columns: Mapped[list[Any]]
    counts: Mapped[dict[str, Any]]
    notes: Mapped[dict[str, Any]]
    laid_by: Mapped[str] = mapped_column(String(120))
    laid_at: Mapped[datetime]
    stand: Mapped[str] = mapped_column(String(12))
    based_on: Mapped[UUID | None]
    confirmed_by: Mapped[str] = mapped_column(String(120))
    confirmed_at: Mapped[datetime | None]
    entered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    because: Mapped[str] = mapped_column(Text)
    version: Mapped[int]
    __table_args__ = (
        Index(None, "area", "laid_at"),
        Index(
            "uq_listings_area_in_force",
            "area",
            unique=True,
            sqlite_where=sql("stand = 'in_force'"),
            postgresql_where=sql("stand = 'in_force'"),
        ),
    )


class ListedRow(Base):
    """One enterprise of one version, with its lines, measures, figures and where in the file it was read."""

    __tablename__ = "listed"
    listing_id: Mapped[UUID] = mapped_column(ForeignKey("listings.id"), primary_key=True)
    recipient_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int]
    name: Mapped[str]
    change: Mapped[str] = mapped_column(String(12))
    entry: Mapped[dict[str, Any]]
    __table_args__ = (Index(None, "listing_id", "number"),)
