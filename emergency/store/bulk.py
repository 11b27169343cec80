"""Rows by the thousand: COPY on PostgreSQL, one batched insert on SQLite; never one statement for each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import JSON, Connection, Table, insert
from sqlalchemy.exc import IntegrityError

from emergency.store.tables import Base

_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def table(row: type[Base]) -> Table:
    """The table behind a row class."""
    found = row.__table__
    if not isinstance(found, Table):
        raise TypeError(f"{row.__name__} has no table")
    return found


def copy_in(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """
    Write new rows, all with the same columns, inside the running transaction.

    :raises IntegrityError: one of them is there already; nothing of the transaction stands
    """
    if not rows:
        return
    if connection.dialect.name != "postgresql":
        connection.execute(insert(table), list(rows))
        return
    names = tuple(rows[0])
    ways = _ways(table, names)
    columns = ", ".join(f'"{name}"' for name in names)
    raw = connection.connection.driver_connection
    if raw is None:
        raise TypeError("the transaction has no connection")
    try:
        with raw.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({columns}) FROM STDIN') as copy:
            for row in rows:
                copy.write_row([way(row[name]) if way else row[name] for name, way in ways])
    except connection.dialect.loaded_dbapi.IntegrityError as found:
        raise IntegrityError(f"COPY {table.name}", None, found) from found


@cache
def _ways(table: Table, names: tuple[str, ...]) -> tuple[tuple[str, Callable[[Any], Any] | None], ...]:
    """How each column's value is written: JSON as text, everything else as the driver writes it."""
    return tuple((name, _json if isinstance(table.c[name].type, JSON) else None) for name in names)


def _json(value: Any) -> str | None:
    return None if value is None else _encoded(value)
