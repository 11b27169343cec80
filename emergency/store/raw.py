"""Messages from outside as they came, found again by their hash."""

from __future__ import annotations

from sqlalchemy import select

from emergency.errors import Missing
from emergency.store.bulk import table
from emergency.store.tables import RawRow
from emergency.store.tx import Tx


def body(tx: Tx, sha256: str) -> bytes:
    """
    The message's bytes.

    :raises Missing: none of that hash was kept
    """
    found = tx.connection.execute(select(table(RawRow).c.body).where(table(RawRow).c.sha256 == sha256)).scalar()
    if found is None:
        raise Missing("no such message")
    return bytes(found)
