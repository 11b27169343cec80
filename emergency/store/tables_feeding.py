"""The rows beside the air: how a feed's page is asked for next, and what a person says drives a day."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from emergency.store.tables import Base, Serial


class FeedValidatorsRow(Base):
    """The validators of a feed's page as it was last had, and until when its server wants no question."""

    __tablename__ = "feed_validators"
    feed: Mapped[str] = mapped_column(String(40), primary_key=True)
    address: Mapped[str] = mapped_column(String(64))  # the hash of the address that gave them, without a key
    etag: Mapped[str] = mapped_column(Text)
    last_modified: Mapped[str] = mapped_column(String(80))
    not_before: Mapped[datetime | None]  # wall


class DayCauseRow(Base):
    """What a person says drives one day as one source tells it; only added to, the last one counts."""

    __tablename__ = "day_causes"
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    place: Mapped[str]
    feed: Mapped[str] = mapped_column(String(40))
    day: Mapped[date] = mapped_column(Date)
    cause: Mapped[str] = mapped_column(String(20))  # empty: as the source says, again
    because: Mapped[str] = mapped_column(Text)
    by: Mapped[str]
    at: Mapped[datetime]
    __table_args__ = (Index(None, "place", "day"),)
