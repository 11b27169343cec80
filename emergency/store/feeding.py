"""How a feed's page is asked for next, as a row: it outlives the process that asked."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from emergency.store.bulk import table
from emergency.store.tables_feeding import FeedMarkRow
from emergency.store.tx import Tx


class Asked(NamedTuple):
    """What a feed's page was marked with when it was last had, at which address, and when it may be asked again."""

    address: str = ""
    etag: str = ""
    last_modified: str = ""
    not_before: datetime | None = None  # wall


def asked(tx: Tx, feed: str) -> Asked:
    """How the page of this feed is asked for next; of one that was never had, nothing is known."""
    marks = table(FeedMarkRow).c
    row = tx.connection.execute(
        select(marks.address, marks.etag, marks.last_modified, marks.not_before).where(marks.feed == feed)
    ).first()
    return Asked() if row is None else Asked(*row)


def keep_mark(tx: Tx, feed: str, *, address: str, etag: str, last_modified: str) -> None:
    """Keep what the page was marked with, over what it was marked with before."""
    _keep(tx, feed, address=address, etag=etag, last_modified=last_modified)


def wait_until(tx: Tx, feed: str, until: datetime | None) -> None:
    """Keep until when the server wants no question (wall time); None: it may be asked at any time."""
    _keep(tx, feed, not_before=until)


def _keep(tx: Tx, feed: str, **columns: Any) -> None:
    insert_into = (postgresql if tx.dialect == "postgresql" else sqlite).insert(table(FeedMarkRow))
    row = {"feed": feed, **Asked()._asdict(), **columns}
    tx.connection.execute(insert_into.values(**row).on_conflict_do_update(index_elements=["feed"], set_=columns))
