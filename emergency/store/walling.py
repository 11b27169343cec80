"""Whose message is whose, and which addresses an exercise has opened: what the outbox asks before anything is put."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection, select

from emergency.domain.messages import Message
from emergency.store.loading import table
from emergency.store.tables import DecisionRow, EpisodeRow, OrderRow
from emergency.store.tables_judging import ExerciseRow, OpenedRow


def belongs_to(connection: Connection, some: Collection[Message]) -> dict[UUID, str]:
    """Message id → its exercise, by its episode, decision or order; real messages are absent."""
    by_episode = _exercises_of(connection, {one.episode_id for one in some if one.episode_id})
    loose = [one for one in some if one.episode_id is None and (one.order_id or one.decision_id)]
    found = {one.id: by_episode[one.episode_id] for one in some if one.episode_id in by_episode}
    for name, row in (("order_id", OrderRow), ("decision_id", DecisionRow)):
        ids = {getattr(one, name) for one in loose if getattr(one, name)}
        if ids:
            asked = (
                select(table(row).c.id, EpisodeRow.exercise)
                .join(EpisodeRow, EpisodeRow.id == table(row).c.episode_id)
                .where(table(row).c.id.in_(ids), EpisodeRow.exercise != "")
            )
            of = {line[0]: str(line[1]) for line in connection.execute(asked)}
            found |= {one.id: of[getattr(one, name)] for one in loose if getattr(one, name) in of}
    return found


def opened(connection: Connection, exercise_ids: Collection[str]) -> dict[str, frozenset[str]]:
    """Exercise → the addresses two people opened, while it runs."""
    if not exercise_ids:
        return {}
    rows = connection.execute(
        select(OpenedRow.exercise_id, OpenedRow.address)
        .join(ExerciseRow, ExerciseRow.id == OpenedRow.exercise_id)
        .where(
            OpenedRow.exercise_id.in_(exercise_ids),
            OpenedRow.confirmed_at.is_not(None),
            ExerciseRow.begun_at.is_not(None),
            ExerciseRow.ended_at.is_(None),
        )
    )
    found: dict[str, set[str]] = {}
    for exercise_id, address in rows:
        found.setdefault(exercise_id, set()).add(address)
    return {name: frozenset(addresses) for name, addresses in found.items()}


def _exercises_of(connection: Connection, episode_ids: Collection[UUID]) -> dict[UUID, str]:
    if not episode_ids:
        return {}
    rows = connection.execute(
        select(EpisodeRow.id, EpisodeRow.exercise).where(EpisodeRow.id.in_(episode_ids), EpisodeRow.exercise != "")
    )
    return {row.id: row.exercise for row in rows}
