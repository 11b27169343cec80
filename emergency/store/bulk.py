"""Rows by the thousand: COPY on PostgreSQL, one batched insert on SQLite; never one statement for each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from functools import cache
from typing import Any

from sqlalchemy import JSON, Boolean, Connection, Integer, LargeBinary, Table, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.types import Uuid

from emergency.store.tables import Base, Instant

AT_ONCE = 2_000  # rows written to the wire in one piece: enough to be quick, little enough to keep in memory
NULL = "\\N"  # how COPY's text format spells it
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
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
    columns = ", ".join(f'"{name}"' for name in names)
    raw = connection.connection.driver_connection
    if raw is None:
        raise TypeError("the transaction has no connection")
    try:
        with raw.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({columns}) FROM STDIN') as copy:
            for start in range(0, len(rows), AT_ONCE):
                copy.write(_lines(table, names, rows[start : start + AT_ONCE]))
    except connection.dialect.loaded_dbapi.IntegrityError as found:
        raise IntegrityError(f"COPY {table.name}", None, found) from found


def _lines(table: Table, names: tuple[str, ...], rows: Sequence[Mapping[str, Any]]) -> str:
    """
    The rows in COPY's text format, worked out column by column.

    Most columns of a decision's rows hold one value, or a handful of them, thousands of times over: each object is
    spelt once. (The rows keep them alive meanwhile, so that an id names one object.)
    """
    columns: list[Sequence[str]] = []
    for name, way in _ways(table, names):
        values = [row[name] for row in rows]
        first = values[0]
        if all(one is first for one in values):
            columns.append([NULL if first is None else way(first)] * len(values))
        elif way in _SPELT_ONCE:
            spelt: dict[int, str] = {id(one): NULL if one is None else way(one) for one in _each(values)}
            columns.append([spelt[id(one)] for one in values])
        else:
            columns.append([NULL if one is None else way(one) for one in values])
    return "\n".join(map("\t".join, zip(*columns, strict=True))) + "\n"


def _each(values: Sequence[Any]) -> Sequence[Any]:
    return list({id(one): one for one in values}.values())


@cache
def _ways(table: Table, names: tuple[str, ...]) -> tuple[tuple[str, Callable[[Any], str]], ...]:
    """How each column's value is spelt, by the column's type."""
    return tuple((name, _way(table.c[name].type)) for name in names)


def _way(kind: Any) -> Callable[[Any], str]:
    if isinstance(kind, JSON):
        return _json
    if isinstance(kind, Instant):
        return _instant
    if isinstance(kind, Boolean):
        return _boolean
    if isinstance(kind, Uuid):
        return _hex
    if isinstance(kind, LargeBinary):
        return _bytes
    return str if isinstance(kind, Integer) else _text


def _text(value: Any) -> str:
    text = str(value)
    return text if text.isprintable() and "\\" not in text else text.translate(_ESCAPES)


def _json(value: Any) -> str:
    return _text(_encoded(value))


def _instant(value: Any) -> str:
    if value.tzinfo is None:
        raise ValueError(f"naive datetime {value!r} cannot be stored")
    return str(value.astimezone(UTC).isoformat())


def _boolean(value: Any) -> str:
    return "t" if value else "f"


def _bytes(value: Any) -> str:
    return "\\\\x" + str(bytes(value).hex())


def _hex(value: Any) -> str:
    return str(value.hex)


_SPELT_ONCE = frozenset({_json, _instant})
