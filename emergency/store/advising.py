"""Health advisories as rows: those that stand, and the openings that nothing but an advisory holds open."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from emergency.domain.episode import Decision, Episode, Move, Phase, Standing
from emergency.store import saving
from emergency.store.bulk import table
from emergency.store.tables import DecisionRow, EpisodeRow
from emergency.store.tx import Tx

_LOOKS_BACK = timedelta(days=21)  # no forecast reaches further ahead, so no older advice can still stand


def standing(tx: Tx, *, now: datetime, area: str = "", exercise: str = "") -> list[Decision]:
    """The signed advisories whose last day is not over, the latest last; of one area or of all."""
    asked = (
        select(table(DecisionRow))
        .join(EpisodeRow, EpisodeRow.id == DecisionRow.episode_id)
        .where(EpisodeRow.exercise == exercise, DecisionRow.move == Move.ADVISE.value)
        .where(DecisionRow.standing == Standing.APPROVED.value, DecisionRow.proposed_at >= now - _LOOKS_BACK)
        .order_by(DecisionRow.decided_at)
    )
    if area:
        asked = asked.where(DecisionRow.area == area)
    found = [saving.decision(row) for row in tx.connection.execute(asked)]
    return [one for one in found if one.notice.expected_end_at is not None and one.notice.expected_end_at > now]


def openings_over(tx: Tx, *, now: datetime) -> list[Episode]:
    """Episodes still opening whose own end has passed."""
    due = (EpisodeRow.phase == Phase.OPENING.value, EpisodeRow.expected_end_at <= now)
    return [saving.episode(row) for row in tx.connection.execute(select(table(EpisodeRow)).where(*due))]
