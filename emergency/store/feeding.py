"""How a feed's page is asked for next, and what people say drives a day: rows that outlive whoever wrote them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql, sqlite

from emergency.domain.causes import Word
from emergency.domain.forecast import Cause
from emergency.store.bulk import table
from emergency.store.tables_feeding import DayCauseRow, FeedValidatorsRow
from emergency.store.tx import Tx


class Asked(NamedTuple):
    """The validators of a feed's page as last had, the address that gave them, and when it may be asked again."""

    address: str = ""
    etag: str = ""
    last_modified: str = ""
    not_before: datetime | None = None  # wall


def asked(tx: Tx, feed: str) -> Asked:
    """How the page of this feed is asked for next; of one that was never had, nothing is known."""
    rows = table(FeedValidatorsRow).c
    row = tx.connection.execute(
        select(rows.address, rows.etag, rows.last_modified, rows.not_before).where(rows.feed == feed)
    ).first()
    return Asked() if row is None else Asked(*row)


def keep_validators(tx: Tx, feed: str, *, address: str, etag: str, last_modified: str) -> None:
    """Keep the validators of the page as it was just had, over those from before."""
    _keep(tx, feed, address=address, etag=etag, last_modified=last_modified)


def wait_until(tx: Tx, feed: str, until: datetime | None) -> None:
    """Keep until when the server wants no question (wall time); None: it may be asked at any time."""
    _keep(tx, feed, not_before=until)


# --- what people say drives a day


class Said(NamedTuple):
    """What a person said of one day as one source tells it; ``cause`` None takes an earlier word back."""

    feed: str
    day: date
    cause: Cause | None
    because: str
    by: str
    at: datetime


def say(tx: Tx, place: str, said: Said) -> None:
    """Write this word down; it counts from now on over every earlier one of the same source and day."""
    cause = said.cause.value if said.cause else ""
    tx.connection.execute(insert(table(DayCauseRow)).values(**{**said._asdict(), "cause": cause}, place=place))


def last_said(tx: Tx, place: str, *, since: date, now: datetime) -> dict[tuple[str, date], Said]:
    """The last word on each source's day from ``since`` on that was said by ``now``, one taken back among them."""
    rows = table(DayCauseRow).c
    asked = (
        select(rows.feed, rows.day, rows.cause, rows.because, rows.by, rows.at)
        .where(rows.place == place, rows.day >= since, rows.at <= now)
        .order_by(rows.id)
    )
    found = (Said(*row) for row in tx.connection.execute(asked))
    return {(one.feed, one.day): one._replace(cause=Cause(one.cause) if one.cause else None) for one in found}


def words(tx: Tx, place: str, *, since: date, now: datetime) -> dict[tuple[str, date], Word]:
    """The causes that people set and nobody took back, as the rule asks for them."""
    some = last_said(tx, place, since=since, now=now)
    return {key: Word(one.cause, one.by) for key, one in some.items() if one.cause is not None}


def _keep(tx: Tx, feed: str, **columns: Any) -> None:
    insert_into = (postgresql if tx.dialect == "postgresql" else sqlite).insert(table(FeedValidatorsRow))
    row = {"feed": feed, **Asked()._asdict(), **columns}
    tx.connection.execute(insert_into.values(**row).on_conflict_do_update(index_elements=["feed"], set_=columns))
