"""Exercises as rows: the exercise, the addresses it may reach, and what each of them got or would have got."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update

from emergency.domain.episode import Episode, Fact
from emergency.domain.exercise import WALL, Exercise, Opening
from emergency.domain.messages import Message, State
from emergency.errors import Conflict, Missing
from emergency.store import saving
from emergency.store.loading import table
from emergency.store.tables import EpisodeRow, MessageRow
from emergency.store.tables_judging import ExerciseRow, OpenedRow
from emergency.store.tx import Tx


@dataclass(frozen=True)
class Inbox:
    """One line of the exercise's inbox: what one address got or would have got."""

    message: Message
    went_out: bool  # by a real channel, because the address was opened


@dataclass(frozen=True)
class Counts:
    """How many messages stayed behind the wall, went out to an opened address, were refused at the door, or wait."""

    walled: int
    went_out: int
    refused: int
    waiting: int


def exercise(tx: Tx, exercise_id: str, *, lock: bool = False) -> Exercise:
    """
    One exercise.

    :raises Missing: no such exercise
    """
    asked = select(table(ExerciseRow)).where(ExerciseRow.id == exercise_id)
    row = tx.connection.execute(asked.with_for_update() if lock else asked).first()
    if row is None:
        raise Missing("no such exercise")
    return _exercise(row)


def exercises(tx: Tx, area: str, *, limit: int = 100) -> tuple[Exercise, ...]:
    """Those of the area, below it and above it, latest first."""
    above = [one for one in tx.above(area) if one != area]
    where = or_(_below(ExerciseRow.area, area), ExerciseRow.area.in_(above))
    rows = tx.connection.execute(
        select(table(ExerciseRow)).where(where).order_by(ExerciseRow.called_at.desc(), ExerciseRow.id).limit(limit)
    )
    return tuple(_exercise(row) for row in rows)


def running(tx: Tx) -> tuple[Exercise, ...]:
    """Every exercise under way."""
    rows = tx.connection.execute(
        select(table(ExerciseRow))
        .where(ExerciseRow.begun_at.is_not(None), ExerciseRow.ended_at.is_(None))
        .order_by(ExerciseRow.begun_at, ExerciseRow.id)
    )
    return tuple(_exercise(row) for row in rows)


def save(tx: Tx, one: Exercise, *, fact: str, by: str, at: datetime, **more: object) -> Exercise:
    """
    Keep the exercise as it is now, with its fact.

    :raises Conflict: somebody saved it since it was loaded
    """
    kept = replace(one, version=one.version + 1)
    columns = {found.name: getattr(kept, found.name) for found in fields(Exercise)}
    if one.version == 0:
        tx.connection.execute(insert(table(ExerciseRow)).values(**columns))
    else:
        done = tx.connection.execute(
            update(table(ExerciseRow))
            .where(ExerciseRow.id == one.id, ExerciseRow.version == one.version)
            .values(**columns)
        )
        if done.rowcount != 1:
            raise Conflict(f"exercise {one.id} was saved by somebody else since version {one.version}")
    tx.note(Fact(fact, one.id, by, at, area=one.area, more={"name": one.name, "drill": one.drill, **more}))
    return kept


def openings(tx: Tx, exercise_id: str) -> tuple[Opening, ...]:
    """Every address that was opened or waits for its second person, by name."""
    rows = tx.connection.execute(
        select(table(OpenedRow)).where(OpenedRow.exercise_id == exercise_id).order_by(OpenedRow.name, OpenedRow.address)
    )
    return tuple(_opening(row) for row in rows)


def opening(tx: Tx, opening_id: UUID) -> Opening:
    """
    One opening.

    :raises Missing: no such opening
    """
    row = tx.connection.execute(select(table(OpenedRow)).where(OpenedRow.id == opening_id)).first()
    if row is None:
        raise Missing("no such opening")
    return _opening(row)


def keep_openings(tx: Tx, some: Iterable[Opening]) -> None:
    """Keep these openings, each once; one that was confirmed is written over."""
    for one in some:
        columns = {found.name: getattr(one, found.name) for found in fields(Opening)}
        done = tx.connection.execute(update(table(OpenedRow)).where(OpenedRow.id == one.id).values(**columns))
        if not done.rowcount:
            tx.connection.execute(insert(table(OpenedRow)).values(**columns))


def shut(tx: Tx, opening_id: UUID) -> None:
    """Take an opening back."""
    tx.connection.execute(delete(table(OpenedRow)).where(OpenedRow.id == opening_id))


def episodes(tx: Tx, exercise_id: str) -> tuple[Episode, ...]:
    """The episodes of an exercise, the upper areas first."""
    rows = tx.connection.execute(
        select(table(EpisodeRow))
        .where(EpisodeRow.exercise == exercise_id)
        .order_by(EpisodeRow.area, EpisodeRow.opened_at)
    )
    return tuple(saving.episode(row) for row in rows)


def inbox(
    tx: Tx, exercise_id: str, *, area: str = "", address: str = "", limit: int = 50, offset: int = 0
) -> tuple[Inbox, ...]:
    """What each address (of the area and below, when named) got or would have got in this exercise, newest first."""
    asked = select(table(MessageRow)).where(*_wanted(exercise_id, area, address))
    rows = tx.connection.execute(
        asked.order_by(MessageRow.put_at.desc(), MessageRow.to, MessageRow.id).limit(limit).offset(offset)
    )
    return tuple(Inbox(saving.message(row), row.channel != WALL and row.sent_at is not None) for row in rows)


def inbox_size(tx: Tx, exercise_id: str, *, area: str = "", address: str = "") -> int:
    """How many lines that inbox has."""
    asked = select(func.count()).select_from(table(MessageRow)).where(*_wanted(exercise_id, area, address))
    return int(tx.connection.execute(asked).scalar_one())


def counts(tx: Tx, exercise_id: str) -> Counts:
    """How the exercise's messages stand at the wall."""
    rows = tx.connection.execute(
        select(MessageRow.channel, MessageRow.state, func.count())
        .where(_of_exercise(exercise_id))
        .group_by(MessageRow.channel, MessageRow.state)
    ).all()
    gone = {State.SENT.value, State.DELIVERED.value}
    on_way = {State.READY.value, State.SENDING.value}

    def added(wanted: Collection[str], *, walled: bool | None = None) -> int:
        return sum(
            int(count)
            for channel, state, count in rows
            if state in wanted and (walled is None or walled == (channel == WALL))
        )

    return Counts(
        walled=added(gone, walled=True),
        went_out=added(gone, walled=False),
        refused=added({State.FAILED.value}),
        waiting=added(on_way),
    )


def cancel_outward(tx: Tx, exercise_id: str) -> int:
    """Cancel what still waits to leave by a real channel; how many. Called when the openings end."""
    done = tx.connection.execute(
        update(table(MessageRow))
        .where(_of_exercise(exercise_id), MessageRow.channel != WALL, MessageRow.state == State.READY.value)
        .values(state=State.CANCELLED.value, because="the exercise is over")
    )
    return done.rowcount


# --- underneath


def _wanted(exercise_id: str, area: str, address: str) -> list[ColumnElement[bool]]:
    found = [_of_exercise(exercise_id)]
    if area:
        found.append(_below(MessageRow.area, area))
    return [*found, MessageRow.to == address] if address else found


def _of_exercise(exercise_id: str) -> ColumnElement[bool]:
    return MessageRow.episode_id.in_(select(EpisodeRow.id).where(EpisodeRow.exercise == exercise_id))


def _exercise(row: Any) -> Exercise:
    return Exercise(**{found.name: getattr(row, found.name) for found in fields(Exercise)})


def _opening(row: Any) -> Opening:
    return Opening(**{found.name: getattr(row, found.name) for found in fields(Opening)})


def _below(column: Any, area: str) -> ColumnElement[bool]:
    return or_(column == area, column.startswith(area + ".", autoescape=True))
