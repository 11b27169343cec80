"""What is repeated and reported while a response runs, as the use cases and pages ask for it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Row

from emergency.domain.episode import Episode, Fact, Phase, Task
from emergency.domain.orders import Order, Recipient, RecipientKind
from emergency.domain.reporting import Paper, Report
from emergency.errors import Conflict
from emergency.store import saving
from emergency.store.bulk import table
from emergency.store.outbox import COUNTED
from emergency.store.tables import EpisodeRow, OrderRow, RecipientRow, TaskRow
from emergency.store.tables_reporting import BroadcastRow, ReportRow
from emergency.store.tx import Tx

_REPORTS, _BROADCASTS = table(ReportRow), table(BroadcastRow)


@dataclass(frozen=True)
class Broadcasts:
    """How often a running warning was broadcast again, and when last."""

    times: int
    last_at: datetime | None


def episodes_in(tx: Tx, phases: Collection[Phase]) -> list[Episode]:
    """Episodes that stand there, those of exercises too."""
    rows = tx.connection.execute(
        select(table(EpisodeRow)).where(EpisodeRow.phase.in_([one.value for one in phases])).order_by(EpisodeRow.area)
    )
    return [saving.episode(row) for row in rows]


def of_units(tx: Tx, episode_id: UUID) -> list[tuple[Order, Recipient]]:
    """The episode's orders to bureaus, towns and districts, each with its recipient."""
    rows = tx.connection.execute(
        select(table(OrderRow))
        .join(RecipientRow, RecipientRow.id == OrderRow.recipient_id)
        .where(OrderRow.episode_id == episode_id, RecipientRow.kind != RecipientKind.ENTERPRISE.value)
        .order_by(OrderRow.number)
    ).all()
    orders = [saving.order(row) for row in rows]
    found = {one.id: one for one in tx.recipients_called({one.recipient_id for one in orders})}
    return [(one, found[one.recipient_id]) for one in orders]


def keep_broadcast(tx: Tx, episode: Episode, due_at: datetime, *, told: int, now: datetime) -> bool:
    """Note that a step of the interval was taken; False when it was taken before."""
    row = {
        "episode_id": episode.id, "due_at": due_at, "level": int(episode.level), "told": told, "put_at": now,
    }  # fmt: skip
    return _insert_new(tx, _BROADCASTS, row)


def broadcasts(tx: Tx, episode_id: UUID) -> Broadcasts:
    """How often the episode's warning was broadcast again, and when last."""
    row = tx.connection.execute(
        select(func.count().label("times"), func.max(_BROADCASTS.c.put_at).label("last_at")).where(
            _BROADCASTS.c.episode_id == episode_id
        )
    ).one()
    return Broadcasts(int(row.times), row.last_at)


def ask(tx: Tx, report: Report) -> bool:
    """Keep a report as asked for; False when it is there already, asked for or filed."""
    return _insert_new(tx, _REPORTS, _row(saving.bumped(report)))


def keep(tx: Tx, report: Report, *, fact: str, by: str, at: datetime, more: dict[str, Any]) -> Report:
    """
    Keep a report as it is now, with its fact.

    :raises Conflict: somebody saved it since it was loaded
    """
    kept: Report = saving.bumped(report)
    columns = _row(kept)
    if report.version == 0:
        tx.connection.execute(insert(_REPORTS), columns)
    else:
        seen = (_REPORTS.c.id == report.id, _REPORTS.c.version == report.version)
        if tx.connection.execute(update(_REPORTS).where(*seen).values(**columns)).rowcount != 1:
            raise Conflict(f"report {report.id} was saved by somebody else since version {report.version}")
    tx.note(Fact(fact, str(report.id), by, at, report.episode_id, report.area, more))
    return kept


def of_order(tx: Tx, order_id: UUID) -> list[Report]:
    """Every report of one order, the newest day first."""
    asked = select(_REPORTS).where(_REPORTS.c.order_id == order_id).order_by(_REPORTS.c.day.desc())
    return [_report(row) for row in tx.connection.execute(asked)]


def of_episode(tx: Tx, episode_id: UUID, *, since: date | None = None) -> list[Report]:
    """Every report of one episode, of days from ``since`` on where one is named; the newest day first."""
    where = [_REPORTS.c.episode_id == episode_id]
    if since is not None:
        where.append(_REPORTS.c.day >= since)
    asked = select(_REPORTS).where(*where).order_by(_REPORTS.c.day.desc(), _REPORTS.c.filed_at, _REPORTS.c.id)
    return [_report(row) for row in tx.connection.execute(asked)]


def missing_of(tx: Tx, recipient_id: UUID) -> list[Report]:
    """What one recipient was asked for and has not filed, of real responses nobody has closed; the newest first."""
    rows = tx.connection.execute(
        select(_REPORTS)
        .join(EpisodeRow, EpisodeRow.id == _REPORTS.c.episode_id)
        .where(
            _REPORTS.c.recipient_id == recipient_id, _REPORTS.c.filed_at.is_(None), EpisodeRow.exercise == "",
            EpisodeRow.phase.in_([Phase.ACTIVE.value, Phase.RELEASED.value]),
        )
        .order_by(_REPORTS.c.day.desc())
    )  # fmt: skip
    return [_report(row) for row in rows]


def to_chase(tx: Tx, *, now: datetime) -> list[Report]:
    """Reports that were asked for, did not come by their hour, and were not chased."""
    rows = tx.connection.execute(
        select(_REPORTS)
        .where(
            _REPORTS.c.filed_at.is_(None), _REPORTS.c.chased_at.is_(None), _REPORTS.c.asked_at.is_not(None),
            _REPORTS.c.due_at <= now,
        )
        .order_by(_REPORTS.c.due_at, _REPORTS.c.id)
    )  # fmt: skip
    return [_report(row) for row in rows]


def note_chased(tx: Tx, some: Sequence[Report], *, now: datetime) -> None:
    """Note that these were chased, which is done once."""
    ids = [one.id for one in some]
    tx.connection.execute(
        update(_REPORTS)
        .where(_REPORTS.c.id.in_(ids), _REPORTS.c.chased_at.is_(None))
        .values(chased_at=now, version=_REPORTS.c.version + 1)
    )


def to_remind(tx: Tx, *, now: datetime) -> list[Task]:
    """Undone tasks whose reminder has come."""
    rows = tx.connection.execute(
        select(table(TaskRow)).where(TaskRow.done_at.is_(None), TaskRow.remind_at <= now).order_by(TaskRow.due_at)
    )
    return [saving.task(row) for row in rows]


def note_reminded(tx: Tx, task_id: UUID) -> None:
    """Note that a task's reminder was given."""
    tx.connection.execute(
        update(TaskRow).where(TaskRow.id == task_id).values(remind_at=None, version=TaskRow.version + 1)
    )


def overdue(tx: Tx, *, before: datetime) -> int:
    """How many chases and reminders were due by then and were not taken up."""
    chases = select(func.count()).select_from(_REPORTS).where(
        _REPORTS.c.filed_at.is_(None), _REPORTS.c.chased_at.is_(None), _REPORTS.c.asked_at.is_not(None),
        _REPORTS.c.due_at <= before,
    )  # fmt: skip
    reminders = select(func.count()).select_from(table(TaskRow)).where(
        TaskRow.done_at.is_(None), TaskRow.remind_at <= before
    )  # fmt: skip
    return int(tx.connection.execute(chases).scalar_one()) + int(tx.connection.execute(reminders).scalar_one())


def _report(row: Row[Any]) -> Report:
    columns = {one.name: getattr(row, one.name) for one in fields(Report)}
    return Report(**{**columns, "paper": Paper(row.paper)})


def _row(one: Report) -> dict[str, Any]:
    return {**vars(one), "paper": one.paper.value, "figures": dict(one.figures)}


def _insert_new(tx: Tx, into: Any, row: dict[str, Any]) -> bool:
    statement = (postgresql if tx.dialect == "postgresql" else sqlite).insert(into).values(**row)
    done = tx.connection.execute(statement.on_conflict_do_nothing().execution_options(**COUNTED))
    return bool(done.rowcount)
