"""Consultations as rows: one with all that was said in it; those of an area, an episode or a decision; the overdue."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, insert, or_, select, update

from emergency.domain.consultation import Consultation, Paper, Voice
from emergency.domain.level import Level
from emergency.errors import Missing
from emergency.store import saving
from emergency.store.desk import below
from emergency.store.loading import real, table
from emergency.store.tables import FileRow
from emergency.store.tables_judging import ConsultationFileRow, ConsultationRow, VoiceRow
from emergency.store.tx import Tx


def consultation(tx: Tx, consultation_id: UUID, *, lock: bool = False) -> Consultation:
    """
    One consultation, its row locked until the transaction ends when a change will follow.

    :raises Missing: no such consultation
    """
    asked = select(table(ConsultationRow)).where(ConsultationRow.id == consultation_id)
    found = _read(tx, asked.with_for_update() if lock else asked)
    if not found:
        raise Missing("no such consultation")
    return found[0]


def known(tx: Tx, consultation_id: UUID) -> bool:
    """Whether there is such a consultation."""
    asked = select(ConsultationRow.id).where(ConsultationRow.id == consultation_id)
    return tx.connection.execute(asked).first() is not None


def of_area(tx: Tx, area: str, *, limit: int = 100) -> list[Consultation]:
    """Those of the area and below, less exercises: the open ones by their deadline, then the others, latest first."""
    asked = select(table(ConsultationRow)).where(below(ConsultationRow.area, area), real(ConsultationRow.episode_id))
    found = _read(tx, asked.order_by(ConsultationRow.called_at.desc(), ConsultationRow.id).limit(limit))
    waiting = [one for one in found if one.concluded_at is None]
    return [*sorted(waiting, key=lambda one: one.due_at), *(one for one in found if one.concluded_at is not None)]


def asking(tx: Tx, person_id: UUID) -> list[Consultation]:
    """The open ones in which this person was asked, the most urgent first."""
    mine = select(VoiceRow.consultation_id).where(VoiceRow.person_id == person_id)
    return _read(
        tx,
        select(table(ConsultationRow))
        .where(ConsultationRow.concluded_at.is_(None), ConsultationRow.id.in_(mine))
        .order_by(ConsultationRow.due_at),
    )


def of_episode(tx: Tx, episode_id: UUID) -> list[Consultation]:
    """Those tied to the episode, in the order they were called."""
    return _called(tx, ConsultationRow.episode_id == episode_id)


def of_decision(tx: Tx, decision_id: UUID, named: Collection[UUID] = ()) -> list[Consultation]:
    """Those called about the decision and those it names, in the order they were called."""
    return _called(tx, or_(ConsultationRow.decision_id == decision_id, ConsultationRow.id.in_(list(named))))


def to_name(tx: Tx, area: str, episode_id: UUID | None, *, since: datetime) -> list[Consultation]:
    """Those a proposal of the area may rest on: concluded, called since, and of this episode or of none yet."""
    free: ColumnElement[bool] = ConsultationRow.episode_id.is_(None)
    if tx.exercise_of(episode_id):
        free = false()
    return _called(
        tx,
        (ConsultationRow.area == area)
        & ConsultationRow.concluded_at.is_not(None)
        & (ConsultationRow.called_at >= since)
        & (free if episode_id is None else or_(free, ConsultationRow.episode_id == episode_id)),
    )


def overdue(tx: Tx, *, now: datetime) -> list[Consultation]:
    """Those that should have been concluded by now."""
    return _called(tx, ConsultationRow.concluded_at.is_(None) & (ConsultationRow.due_at <= now))


def files(tx: Tx, shas: Iterable[str]) -> dict[str, tuple[str, str, int]]:
    """Hash → the name, kind and size of a file that is kept."""
    rows = tx.connection.execute(select(table(FileRow)).where(FileRow.sha256.in_(list(shas))))
    return {row.sha256: (str(row.name), str(row.content_type), int(row.size)) for row in rows}


def ask_for(tx: Tx, told: Consultation) -> None:
    """Keep a place for everybody who was asked."""
    tx.connection.execute(insert(table(VoiceRow)), [_voice_row(told.id, one) for one in told.voices])


def keep_voice(tx: Tx, consultation_id: UUID, voice: Voice) -> None:
    """Fill the place kept for somebody, or add what they said after that; nothing said is ever overwritten."""
    columns = _voice_row(consultation_id, voice)
    empty = update(table(VoiceRow)).where(VoiceRow.id == voice.id, VoiceRow.said_at.is_(None))
    if not tx.connection.execute(empty.values(**columns)).rowcount:
        tx.connection.execute(insert(table(VoiceRow)).values(**columns))


def keep_paper(tx: Tx, consultation_id: UUID, paper: Paper) -> None:
    """Note that a kept file was laid before the consultation."""
    row = {"consultation_id": consultation_id, "sha256": paper.sha256, "by": paper.by, "at": paper.at}
    tx.connection.execute(insert(table(ConsultationFileRow)).values(**row))


def _voice_row(consultation_id: UUID, one: Voice) -> dict[str, Any]:
    return {
        "id": one.id,
        "consultation_id": consultation_id,
        "person_id": one.person_id,
        "name": one.name,
        "unit": one.unit,
        "asked_at": one.asked_at,
        "level": None if one.level is None else int(one.level),
        "said": one.said,
        "said_at": one.said_at,
        "entered_by": one.entered_by,
    }


def _called(tx: Tx, where: ColumnElement[bool]) -> list[Consultation]:
    asked = select(table(ConsultationRow)).where(where)
    return _read(tx, asked.order_by(ConsultationRow.called_at, ConsultationRow.id))


def _read(tx: Tx, asked: Any) -> list[Consultation]:
    rows = tx.connection.execute(asked).all()
    ids = [row.id for row in rows]
    voices: dict[UUID, list[Voice]] = {one: [] for one in ids}
    papers: dict[UUID, list[Paper]] = {one: [] for one in ids}
    if ids:
        for row in tx.connection.execute(_parts(VoiceRow, ids)):
            voices[row.consultation_id].append(_voice(row))
        for row in tx.connection.execute(_parts(ConsultationFileRow, ids)):
            papers[row.consultation_id].append(Paper(row.sha256, row.by, row.at))
    return [saving.consultation(row, voices[row.id], papers[row.id]) for row in rows]


def _parts(row: type[VoiceRow | ConsultationFileRow], ids: Sequence[UUID]) -> Any:
    return select(table(row)).where(row.consultation_id.in_(ids))


def _voice(row: Any) -> Voice:
    return Voice(
        id=row.id,
        name=row.name,
        unit=row.unit,
        asked_at=row.asked_at,
        person_id=row.person_id,
        level=None if row.level is None else Level(row.level),
        said=row.said,
        said_at=row.said_at,
        entered_by=row.entered_by,
    )
