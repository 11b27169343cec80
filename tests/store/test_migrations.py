"""Rows of before are what the newest tables take them for."""

from __future__ import annotations

from uuid import UUID, uuid4, uuid5

import sqlalchemy as sa
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from emergency.store import migrating

AREA, EXERCISE = "450200.450206", "7d1f0c52-0000-4000-8000-000000000001"


def take(connection: sa.Connection, revision: str) -> None:
    """This one step, over whatever tables there are."""
    config = Config()
    config.set_main_option("script_location", str(migrating.SCRIPTS))
    step = ScriptDirectory.from_config(config).get_revision(revision)
    with Operations.context(MigrationContext.configure(connection)):
        step.module.upgrade()


def test_old_notices_are_told_apart_by_the_decision_they_pass_on() -> None:
    tables = sa.MetaData()
    episodes = sa.Table("episodes", tables, sa.Column("id", sa.Uuid()), sa.Column("exercise", sa.String()))
    decisions = sa.Table("decisions", tables, sa.Column("id", sa.Uuid()), sa.Column("episode_id", sa.Uuid()))
    bulletins = sa.Table("bulletins", tables, sa.Column("id", sa.Uuid()), sa.Column("area", sa.String()))
    drilled, earnest, signed, real = uuid4(), uuid4(), uuid4(), uuid4()
    passed_on = uuid5(signed, f"relay:{AREA}")
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        tables.create_all(connection)
        old = [{"id": drilled, "exercise": EXERCISE}, {"id": earnest, "exercise": ""}]
        connection.execute(sa.insert(episodes), old)
        old = [{"id": signed, "episode_id": drilled}, {"id": uuid4(), "episode_id": earnest}]
        connection.execute(sa.insert(decisions), old)
        connection.execute(sa.insert(bulletins), [{"id": passed_on, "area": AREA}, {"id": real, "area": AREA}])

        take(connection, "0010")

        rows = connection.execute(sa.text("select id, exercise from bulletins")).all()
    engine.dispose()
    assert {UUID(row.id): row.exercise for row in rows} == {passed_on: EXERCISE, real: ""}


def test_old_forecasts_are_first_revisions_and_a_correction_finds_room_beside_them() -> None:
    tables = sa.MetaData()
    forecasts = sa.Table(
        "forecasts", tables, sa.Column("feed", sa.String()), sa.Column("place", sa.String()),
        sa.Column("issued_at", sa.String()),
        sa.UniqueConstraint("feed", "place", "issued_at", name="uq_forecasts_feed_place_issued_at"),
    )  # fmt: skip
    issue = {"feed": "bureau", "place": "450200", "issued_at": "2015-02-08T17:00"}
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        tables.create_all(connection)
        connection.execute(sa.insert(forecasts), [issue])

        take(connection, "0011")

        connection.execute(sa.text("insert into forecasts values (:feed, :place, :issued_at, 2)"), issue)
        rows = connection.execute(sa.text("select revision from forecasts order by revision")).scalars().all()
    engine.dispose()
    assert rows == [1, 2]
