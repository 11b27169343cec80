"""From when a decision holds for an order, and what stands then where changes that were signed are still to come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from emergency.domain import drawing
from emergency.domain.binding import spared, standing_before
from emergency.domain.episode import Decision, Move
from emergency.domain.orders import LIVE, Duty, Order
from emergency.store import Tx, binding

_INSIDE = (Move.EXTEND, Move.AMEND, Move.ADVISE)  # change no level


def takes_effect(decision: Decision, before: Order | None, effective_at: datetime) -> datetime:
    """From when the decision holds for this order: one inside a level, no sooner than the level itself does."""
    if decision.move not in _INSIDE or before is None or before.effective_at is None or before.status not in LIVE:
        return effective_at
    return max(effective_at, before.effective_at)


def overtaken(
    tx: Tx, some: Iterable[Order], decision: Decision, effective_at: datetime
) -> Mapping[UUID, tuple[Duty, ...]]:
    """
    By order, what is in force up to that hour, where a change signed before would have come then or later and never
    does; what the recipient was exempted from by then is still marked so.
    """
    if decision.move in _INSIDE:
        return {}
    late = [one for one in some if drawing.overtakes(one, effective_at)]
    if not late:
        return {}
    given = binding.pending(tx, decision.episode_id, at=effective_at)
    ruled = binding.exempted(tx, decision.episode_id)
    return {
        one.id: spared(standing_before(some, effective_at), some, by=ruled.get(one.id))
        for one in late
        for some in [given.get(one.id, [])]
    }
