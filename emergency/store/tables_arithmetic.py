"""The rows of the whole emission of an area: what officers entered, with year, source and name."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from emergency.store.tables import Base, Serial


class EmissionBaseRow(Base):
    """The whole emission of one pollutant in one area as somebody entered it; only added to, the last one counts."""

    __tablename__ = "emission_bases"
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    area: Mapped[str] = mapped_column(ForeignKey("areas.id"))
    pollutant: Mapped[str] = mapped_column(String(8))
    year: Mapped[int]
    amount: Mapped[float | None]  # None: an earlier word is taken back
    unit: Mapped[str] = mapped_column(String(8))
    source: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime]
    __table_args__ = (Index(None, "area", "pollutant"),)
