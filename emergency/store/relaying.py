"""Notices of the level above that a desk has not passed on yet, or that nothing there carries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, true

from emergency.domain import papers
from emergency.domain.episode import WAITING, Decision, Move, Standing
from emergency.domain.forecast import Bulletin
from emergency.domain.papers import ENDS
from emergency.store import saving
from emergency.store.bulk import table
from emergency.store.tables import BulletinRow, DecisionRow, EpisodeRow, TaskRow
from emergency.store.tx import Tx

RELAY: Final = "relay"


@dataclass(frozen=True)
class Left:
    """A notice of the level above that nothing carries, and the decision by which it was left."""

    bulletin: Bulletin
    by: Decision


def carries(decision: Decision) -> bool:
    """Whether the notice a decision rests on is being followed by it: it waits for a signature, or has it."""
    followed = decision.standing is Standing.APPROVED and decision.move is not Move.DISMISS
    return followed or (decision.standing in WAITING and decision.move is not Move.DISMISS)


def over_by(tx: Tx, bulletin: Bulletin, *, exercise: str = "") -> Bulletin | None:
    """
    The first notice by which the level above ended or replaced this one, however late this one came in; None where it
    has not. What is real is ended by no notice of an exercise, and an exercise's by none of another.
    """
    some = _of_area(tx, bulletin.area, exercise=exercise)
    gone = papers.taken_back(some)
    if bulletin.id in gone and bulletin.action not in ENDS:
        return gone[bulletin.id]
    others = (one for one in some if one.id != bulletin.id and one.id not in gone)
    return next((one for one in others if papers.over_by(bulletin, one)), None)


def back_from(tx: Tx, withdrawal: Bulletin, *, exercise: str = "") -> papers.TakenBack | None:
    """What a withdrawal that takes back one change leaves standing in its area; None where it ends the warning."""
    if withdrawal.action != "withdraw":
        return None
    return papers.back_from(_of_area(tx, withdrawal.area, exercise=exercise), withdrawal)


def standing(tx: Tx, area: str, *, exercise: str = "") -> Bulletin | None:
    """The notice of the level above by which the area's level stands now; None where none does."""
    return papers.standing(_of_area(tx, area, exercise=exercise))


def _of_area(tx: Tx, area: str, *, exercise: str) -> list[Bulletin]:
    rows = tx.connection.execute(
        select(table(BulletinRow))
        .where(BulletinRow.area == area, BulletinRow.exercise == exercise)
        .order_by(BulletinRow.issued_at, BulletinRow.received_at)
    )
    return [saving.bulletin(row) for row in rows]


def left(tx: Tx, areas: Sequence[str], *, exercise: str = "", number: str = "", action: str = "") -> list[Left]:
    """
    The notices of these areas that nothing carries though they asked for something (of this number and action, where
    they are named), real ones or those of one exercise, the newest first. One that was ended or replaced, or followed
    by a later one that is carried, is over.
    """
    where: list[ColumnElement[bool]] = [BulletinRow.area.in_(areas), BulletinRow.exercise == exercise]
    if number:
        where += [BulletinRow.number == number, BulletinRow.action == action]
    rows = tx.connection.execute(
        select(table(DecisionRow))
        .join(BulletinRow, BulletinRow.id == DecisionRow.bulletin_id)
        .where(*where)
        .order_by(BulletinRow.received_at.desc(), DecisionRow.proposed_at, DecisionRow.id)
    )
    resting: dict[UUID, list[Decision]] = {}
    for row in rows:
        one = saving.decision(row)
        if one.bulletin_id is not None:
            resting.setdefault(one.bulletin_id, []).append(one)
    found: list[Left] = []
    settled: set[str] = set()  # areas in which a later notice is carried
    for notice, some in resting.items():
        bulletin = tx.bulletin(notice)
        if any(carries(one) for one in some):
            settled.add(bulletin.area)
        elif some[-1].notice_replaced or bulletin.area in settled or bulletin.action in ENDS:
            continue
        elif over_by(tx, bulletin, exercise=exercise) is None:
            found.append(Left(bulletin, some[-1]))
    return found


def owed(tx: Tx, area: str, *, until: datetime | None = None, exercise: str = "") -> list[UUID]:
    """The relays this desk owes, by then where a time is named; of real air or of one exercise, the oldest first."""
    by_then = true() if until is None else TaskRow.due_at <= until
    rows = tx.connection.execute(
        select(table(TaskRow).c.id)
        .outerjoin(EpisodeRow, EpisodeRow.id == TaskRow.episode_id)
        .where(
            TaskRow.area == area,
            TaskRow.kind == RELAY,
            TaskRow.done_at.is_(None),
            by_then,
            func.coalesce(EpisodeRow.exercise, "") == exercise,
        )
        .order_by(TaskRow.due_at)
    )
    return [row.id for row in rows]
