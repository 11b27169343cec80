"""What is said to the database meanwhile, and by which way it finds what it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

Asked = tuple[str, Any]  # a statement and its values


@contextmanager
def asked(engine: Engine) -> Iterator[list[Asked]]:
    """Every statement with its values, less the beginnings and ends of transactions."""
    found: list[Asked] = []

    def note(_connection: object, _cursor: object, statement: str, values: Any, *_rest: object) -> None:
        if not statement.startswith("BEGIN"):
            found.append((statement, values))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


def read_whole(engine: Engine, some: list[Asked]) -> list[str]:
    """
    Which tables of ours these statements read from end to end, where every index is used that can be.

    PostgreSQL would read a table of a test whole because it is small; it is told not to, as it does with a large one.
    """
    found: list[str] = []
    with engine.connect() as connection:
        for statement, values in some:
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
                rows = connection.exec_driver_sql(f"EXPLAIN {statement}", values)
                found += [row[0].split("Seq Scan on ")[1].split()[0] for row in rows if "Seq Scan on " in row[0]]
            else:
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                found += [row[3].split()[1] for row in rows if row[3].startswith("SCAN ")]
        connection.rollback()
    return [one for one in found if one not in ("json_each", "CONSTANT")]  # the statement's own values
