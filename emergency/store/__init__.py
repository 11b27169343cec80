"""The only package that knows SQL: one transaction for each use case, and the database is the only truth."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import IntegrityError, OperationalError

from emergency.errors import Conflict, Unavailable
from emergency.store.outbox import LEASE
from emergency.store.tx import Tx

__all__ = ["Store", "Tx", "connect"]

T = TypeVar("T")
PATIENCE_S = 30  # with another writer
LOOKS_AGAIN_MS = 5  # SQLite's own waiting looks ever more rarely, up to every 100 ms, and one writer would starve


class Store:
    """
    A database that gives out transactions: ``transactions()`` to change, ``reading()`` to look.

    ``lease``: how long a sender may hold what it has claimed; a dead one's goes back when it has run out.
    """

    def __init__(self, writer: Engine, reader: Engine, *, lease: timedelta = LEASE) -> None:
        self._writer, self._reader, self.lease = writer, reader, lease
        self.dialect = writer.dialect.name
        self._turn = Lock() if self.dialect == "sqlite" else None
        self.engine = writer

    @contextmanager
    def transactions(self) -> Iterator[Tx]:
        """
        One use case, one transaction; commits at the end, rolls back on any error.

        :raises Conflict: somebody else saved first or a unique row exists: run the use case once more
        :raises Unavailable: the database did not answer
        """
        with self._in_turn(), self._open(self._writer) as connection:
            yield Tx(connection, lease=self.lease)

    @contextmanager
    def reading(self) -> Iterator[Tx]:
        """A look: nothing can be written through it."""
        with self._open(self._reader) as connection:
            if self.dialect == "postgresql":
                connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            yield Tx(connection, reads=True)

    def run(self, use_case: Callable[[Tx], T], *, tries: int = 3) -> T:
        """Run a use case in its transaction, again when somebody else saved first."""
        for left in range(tries - 1, -1, -1):
            try:
                with self.transactions() as tx:
                    return use_case(tx)
            except Conflict:
                if not left:
                    raise
        raise AssertionError("unreachable")

    def dispose(self) -> None:
        """Close every pooled connection; a child process after a fork needs its own."""
        self._writer.dispose()
        if self._reader is not self._writer:
            self._reader.dispose()

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """One writer of this process at a time on SQLite: in a queue, where its busy handler would sleep and starve."""
        if self._turn is None:
            yield
            return
        if not self._turn.acquire(timeout=PATIENCE_S):
            raise Unavailable(f"another writer of this process has not ended within {PATIENCE_S} s")
        try:
            yield
        finally:
            self._turn.release()

    @staticmethod
    @contextmanager
    def _open(engine: Engine) -> Iterator[Connection]:
        try:
            with engine.begin() as connection:
                yield connection
        except IntegrityError as found:
            raise Conflict(str(found.orig)) from found
        except OperationalError as found:
            raise Unavailable(f"the database did not answer: {found.orig}") from found


def connect(url: str, *, lease: timedelta = LEASE) -> Store:
    """
    Open the store behind this URL: ``sqlite:///…`` or ``postgresql+psycopg://…``.

    SQLite runs in WAL with synchronous=FULL (a signature must survive a power cut); writers begin with BEGIN
    IMMEDIATE, because a deferred one that finds another writer is refused, whatever the busy timeout.
    """
    if url.startswith("sqlite"):
        return Store(_sqlite(url, writes=True), _sqlite(url, writes=False), lease=lease)
    engine = create_engine(url, pool_pre_ping=True, pool_size=20, max_overflow=20)
    return Store(engine, engine, lease=lease)


def _sqlite(url: str, *, writes: bool) -> Engine:
    patient = {"timeout": PATIENCE_S, "check_same_thread": False}
    engine = create_engine(url, connect_args=patient, pool_size=20, max_overflow=20)

    def on_connect(raw: sqlite3.Connection, _: Any) -> None:
        raw.isolation_level = None
        cursor = raw.cursor()
        cursor.execute(f"PRAGMA busy_timeout={PATIENCE_S * 1000}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA busy_timeout={LOOKS_AGAIN_MS}" if writes else "PRAGMA query_only=ON")
        cursor.close()

    def on_begin(connection: Connection) -> None:
        if writes:
            _write_next(connection)
        else:
            connection.exec_driver_sql("BEGIN")

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    return engine


def _write_next(connection: Connection) -> None:
    """
    Become SQLite's one writer as soon as another process has ended; within ours they stand in a queue already.

    :raises Unavailable: it has not ended in good time
    """
    for _ in range(int(PATIENCE_S * 1000 / LOOKS_AGAIN_MS)):
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except OperationalError as found:
            if getattr(found.orig, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
                raise
        else:
            return
    raise Unavailable(f"another process has not ended its writing within {PATIENCE_S} s")
