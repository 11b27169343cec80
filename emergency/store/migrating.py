"""The tables brought to their newest shape, and where a database stands."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from emergency.errors import Unavailable
from emergency.store.tables_arithmetic import EmissionBaseRow
from emergency.store.tables_feeding import DayCauseRow
from emergency.store.tables_judging import ShadowRow
from emergency.store.tables_listing import ListingRow
from emergency.store.tables_posting import ProviderRow
from emergency.store.tables_reporting import ReportRow

SCRIPTS = Path(__file__).resolve().parents[2] / "migrations"
_MET = (  # one of each module of tables: all are met by now
    ShadowRow, ProviderRow, DayCauseRow, ListingRow, ReportRow, EmissionBaseRow,
)  # fmt: skip
METADATA = _MET[0].metadata


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def upgrade(url: str) -> str:
    """
    Bring the database to the newest migration; its name. Doing it again changes nothing.

    :raises Unavailable: the database does not answer
    """
    try:
        command.upgrade(_config(url), "head")
    except OperationalError as found:
        raise Unavailable(f"the database did not answer: {found.orig}") from found
    return newest()


def newest() -> str:
    """The newest migration there is."""
    heads = ScriptDirectory(str(SCRIPTS)).get_heads()
    if len(heads) != 1:
        raise ValueError(f"one head was expected, there are {len(heads)}: {', '.join(heads)}")
    return str(heads[0])


def current(url: str) -> str | None:
    """
    Where the database stands; None before its first migration.

    :raises Unavailable: the database does not answer
    """
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except OperationalError as found:
        raise Unavailable(f"the database did not answer: {found.orig}") from found
    finally:
        engine.dispose()


def differences(url: str) -> list[str]:
    """What the migrations leave undone against the tables in the code; empty when they agree."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), METADATA)
            return [str(one) for one in found]
    finally:
        engine.dispose()
