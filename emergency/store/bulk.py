"""Rows by the thousand: COPY on PostgreSQL, a batched insert on SQLite; never one statement for each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from functools import cache
from typing import Any

from sqlalchemy import JSON, Boolean, Connection, Date, Integer, LargeBinary, Table
from sqlalchemy.exc import IntegrityError
from sqlalchemy.types import Uuid

from emergency.store.tables import Base, Instant

PIECE = 250  # rows spelt and written at once: while PostgreSQL takes them in, the next are spelt
INSERTED = 2_000  # rows of one statement on SQLite, where nobody else works meanwhile
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
    names = tuple(rows[0])
    columns = ", ".join(f'"{name}"' for name in names)
    if connection.dialect.name != "postgresql":
        marks = ", ".join("?" * len(names))
        into = f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})'  # noqa: S608 - names of our own tables
        for start in range(0, len(rows), INSERTED):
            connection.exec_driver_sql(into, _tuples(table, names, rows[start : start + INSERTED]))
        return
    raw = connection.connection.driver_connection
    if raw is None:
        raise TypeError("the transaction has no connection")
    try:
        with raw.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({columns}) FROM STDIN') as copy:
            for start in range(0, len(rows), PIECE):
                copy.write(_lines(table, names, rows[start : start + PIECE]))
    except connection.dialect.loaded_dbapi.IntegrityError as found:
        raise IntegrityError(f"COPY {table.name}", None, found) from found


def _lines(table: Table, names: tuple[str, ...], rows: Sequence[Mapping[str, Any]]) -> str:
    """
    The rows in COPY's text format, worked out column by column; a column with one value for all is spelt once.

    Most columns of a decision's rows hold one value, or a handful of them, thousands of times over. (The rows keep
    them alive meanwhile, so that an id names one object.)
    """
    pattern: list[str] = []
    varying: list[Sequence[str]] = []
    for name, way in _ways(table, names):
        values = [row[name] for row in rows]
        first = values[0]
        if all(one is first for one in values):
            pattern.append(NULL if first is None else way(first).replace("%", "%%"))
            continue
        pattern.append("%s")
        varying.append(_spelt(values, way, NULL))
    line = "\t".join(pattern)
    lines = map(line.__mod__, zip(*varying, strict=True)) if varying else [line % ()] * len(rows)
    return "\n".join(lines) + "\n"


def _tuples(table: Table, names: tuple[str, ...], rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """The rows as SQLite's driver takes them: what SQLAlchemy would make of each value, column by column."""
    columns = []
    for name, way in _ways(table, names, sqlite=True):
        values = [row[name] for row in rows]
        columns.append(values if way is None else _spelt(values, way, None))
    return list(zip(*columns, strict=True))


def _spelt(values: Sequence[Any], way: Callable[[Any], str], nothing: Any) -> list[Any]:
    """Each value spelt, one that comes again and costs much only once."""
    if way not in _SPELT_ONCE:
        return [nothing if one is None else way(one) for one in values]
    spelt = {id(one): nothing if one is None else way(one) for one in _each(values)}
    return [spelt[id(one)] for one in values]


def _each(values: Sequence[Any]) -> Sequence[Any]:
    return list({id(one): one for one in values}.values())


@cache
def _ways(table: Table, names: tuple[str, ...], *, sqlite: bool = False) -> tuple[tuple[str, Any], ...]:
    """How each column's value is spelt, by the column's type; None: SQLite's driver takes it as it is."""
    return tuple((name, (_sqlite_way if sqlite else _way)(table.c[name].type)) for name in names)


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


def _sqlite_way(kind: Any) -> Callable[[Any], str] | None:
    if isinstance(kind, JSON):
        return _encoded
    if isinstance(kind, Instant):
        return _sqlite_instant
    if isinstance(kind, Uuid):
        return _hex
    return str if isinstance(kind, Date) else None


def _sqlite_instant(value: Any) -> str:
    """As SQLAlchemy keeps a moment in SQLite, which has no type for it: UTC without a zone, to the microsecond."""
    if value.tzinfo is None:
        raise ValueError(f"naive datetime {value!r} cannot be stored")
    return str(value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds"))


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


_SPELT_ONCE = frozenset({_json, _instant, _encoded, _sqlite_instant})
