"""What every test stands on: a database that is thrown away, and a world with a clock you can turn."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_socket import enable_socket, socket_allow_hosts
from sqlalchemy import Connection, create_engine, make_url, text

from emergency import passwords
from emergency.store import Store, connect, migrating
from tests.world import PASSWORD, PLACE, World

DATABASE_URL = os.environ.get("EMERGENCY_TEST_DATABASE_URL", "").replace("postgresql://", "postgresql+psycopg://", 1)
BROKER_URL = os.environ.get("EMERGENCY_TEST_BROKER_URL", "")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
REQUIRED = {word.strip() for word in os.environ.get("EMERGENCY_REQUIRE", "").split(",") if word.strip()}
MEMORY, ROOM = Path("/dev/shm"), 2 << 30  # bytes
THERE = {"postgres": bool(DATABASE_URL), "redis": bool(BROKER_URL), "chromium": bool(CHROMIUM)}


def pytest_configure(config: pytest.Config) -> None:
    """What CI demands must be there: a missing service is a failure, not a skip."""
    missing = sorted(word for word in REQUIRED if not THERE.get(word, False))
    if missing:
        raise pytest.UsageError(f"EMERGENCY_REQUIRE asks for {', '.join(missing)} and it is not there")
    # every commit waits for the disk, thousands of times: where memory has room, pytest's folders lie there
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
    del config


SLOW_FILES = (
    "test_demo.py", "test_crash.py", "test_accessible.py", "test_by_hand.py", "test_dispatch.py", "test_people.py",
)  # fmt: skip


# every door with every role, and the doors of machines: what pages ask of the store is asked by these
PAGES = ("test_access.py", "test_pulling.py")
TOLD = ("web", "commands", "story")  # folders of tests of what is made of rows, by use cases that others run


def _differs(one: pytest.Item) -> bool:
    """Whether a test may come out otherwise on a database server; what a page or a browser makes of rows does not."""
    marks = {each.name for each in one.iter_markers()}
    stored = "databases" in getattr(one, "fixturenames", ()) or bool(marks & {"postgres", "redis"})
    told = "chromium" in marks or (one.path.parent.name in TOLD and one.path.name not in PAGES)
    return stored and not told


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs a service that is not set up, said with its reason; the long files first, side by side."""
    if os.environ.get("EMERGENCY_TEST_DIFFERS"):  # a second run, on services: what touches none of them has been run
        left_out = [one for one in items if not _differs(one)]
        gone = {id(one) for one in left_out}
        items[:] = [one for one in items if id(one) not in gone]
        config.hook.pytest_deselected(items=left_out)
    items.sort(key=lambda one: SLOW_FILES.index(one.path.name) if one.path.name in SLOW_FILES else len(SLOW_FILES))
    for item in items:
        for word, there in THERE.items():
            if item.get_closest_marker(word) and not there:
                item.add_marker(pytest.mark.skip(reason=f"no {word} is set up"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Figures that a test wants read, whatever the verbosity: ``record_property("told", …)``."""
    reports = terminalreporter.getreports("passed")
    for report in sorted(reports, key=lambda one: "tests/crash/" in one.nodeid):  # what the deaths came to is said last
        for name, value in report.user_properties:
            if name == "told":
                terminalreporter.write_line(str(value))


@pytest.fixture(autouse=True)
def _loopback_only() -> Iterator[None]:
    """Nothing reaches beyond this machine."""
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)
    yield
    enable_socket()


def seed(store: Store) -> None:
    """The place as committed: Liuzhou, Liujiang, their people, units and enterprises."""
    kept = passwords.hashed(PASSWORD, quick=True)
    with store.transactions() as tx:
        tx.set_areas(PLACE.areas)
        tx.set_recipients(PLACE.recipients)
        tx.set_people((one, kept) for one in PLACE.people)


def tables(connection: Connection) -> list[str]:
    """The tables of a PostgreSQL database."""
    return list(connection.scalars(text("select tablename from pg_tables where schemaname = 'public' order by 1")))


def keep(url: str) -> None:
    """Lay every row of a PostgreSQL database by, for ``refreshed``."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("create schema kept")
        for name in tables(connection):
            connection.exec_driver_sql(f'create table kept."{name}" as table public."{name}"')
    engine.dispose()


def refreshed(url: str) -> None:
    """Put back what was laid by, and end whoever is still in there: a new database costs fifty times as much."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        names = tables(connection)
        connection.exec_driver_sql("set local session_replication_role = replica")  # no foreign keys meanwhile
        asked = " union all ".join(
            f"select '{name}', exists (select from public.\"{name}\"), exists (select from kept.\"{name}\")"
            for name in names
        )
        there = connection.exec_driver_sql(asked).all()
        seeded = [name for name, _, at_first in there if at_first]
        # rows that lie in the room of deleted ones are read in an order of their own: what a test filled is cut anew
        if filled := [f'public."{name}"' for name, now, at_first in there if now and not at_first]:
            connection.exec_driver_sql(f"truncate {', '.join(filled)} cascade")
        connection.exec_driver_sql(";".join(f'delete from public."{name}"' for name in seeded))
        connection.exec_driver_sql(
            ";".join(f'insert into public."{name}" select * from kept."{name}"' for name in seeded)
        )
        connection.exec_driver_sql("select setval(oid::regclass, 1, false) from pg_class where relkind = 'S'")
    engine.dispose()


class Databases:
    """A seeded original, and a copy of it for each test."""

    def __init__(self, folder: Path, worker: str) -> None:
        self._folder, self._worker, self._made, self._copy = folder, worker, 0, ""
        self._free: list[Path] = []  # places of copies that were thrown away
        self._original = self.fresh_url("original")
        migrating.upgrade(self._original)
        if not DATABASE_URL:
            shutil.copy(folder / "original.db", folder / "empty.db")
        store = connect(self._original)
        seed(store)
        store.dispose()

    def fresh_url(self, name: str) -> str:
        """An empty database of this name."""
        if not DATABASE_URL:
            return f"sqlite:///{self._folder / name}.db"
        return self._create(self._named(name), "")

    def empty(self, file: Path) -> str:
        """A SQLite file with all tables and nobody in them."""
        if DATABASE_URL:
            migrating.upgrade(f"sqlite:///{file}")
        else:
            shutil.copy(self._folder / "empty.db", file)
        return f"sqlite:///{file}"

    def copy(self) -> str:
        """A new copy of the seeded original."""
        if not DATABASE_URL:
            self._made += not self._free
            target = self._free.pop() if self._free else self._folder / f"copy{self._made}.db"
            shutil.copy(self._folder / "original.db", target)
            return f"sqlite:///{target}"
        if self._copy:
            refreshed(self._copy)
        else:
            self._copy = self._create(self._named("copy"), f' TEMPLATE "{self._named("original")}"')
            keep(self._copy)
        return self._copy

    def throw_away(self, url: str) -> None:
        """Remove a copy that is a file: thousands of them would fill the memory they may lie in."""
        if not DATABASE_URL:
            file = Path(str(make_url(url).database))
            for each in file.parent.glob(f"{file.name}*"):
                each.unlink()
            self._free.append(file)

    def _named(self, name: str) -> str:
        """Its name on the server: two runs beside each other, each given a database of its own, share none."""
        return f"{make_url(DATABASE_URL).database}_{self._worker}_{name}"

    def drop(self) -> None:
        """Leave nothing on the server."""
        if not DATABASE_URL:
            return
        engine = create_engine(DATABASE_URL, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for name in ("copy", "original"):
                connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{self._named(name)}" WITH (FORCE)')
        engine.dispose()

    @staticmethod
    def _create(name: str, template: str) -> str:
        engine = create_engine(DATABASE_URL, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.exec_driver_sql(f'CREATE DATABASE "{name}"{template}')
            connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET synchronous_commit = off')  # it lives for minutes
        engine.dispose()
        return f"{DATABASE_URL.rsplit('/', 1)[0]}/{name}"


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """The seeded original and its copies, one set for each test process."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw")
    made = Databases(tmp_path_factory.mktemp("databases"), worker)
    yield made
    made.drop()


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """A seeded database for one test."""
    made = databases.copy()
    yield made
    databases.throw_away(made)


OPENED: dict[str, Store] = {}


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """The store over a seeded database; one at the same place keeps what it knows of spelling statements."""
    opened = OPENED.setdefault(database_url, connect(database_url))
    yield opened
    opened.dispose()


@pytest.fixture
def world(store: Store) -> World:
    """Liuzhou and Liujiang on a quiet afternoon, with a clock you can turn and a phone that remembers."""
    return World(store)
