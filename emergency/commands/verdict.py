"""What a run came to, read from the database when it is over, and whether that is what must come of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from emergency.clock import SHANGHAI
from emergency.domain.drawing import eligible
from emergency.domain.episode import Decision, Move, Phase, Standing
from emergency.domain.orders import Category, Order, Status
from emergency.domain.review import spans
from emergency.plans.drills import Drill
from emergency.services import dispatch
from emergency.store import Tx
from emergency.system import System

_ENDED = frozenset({Status.LIFTED, Status.RESUMED})


@dataclass(frozen=True)
class AreaFigures:
    """One area's share of the figures."""

    area: str
    eligible: int
    orders: tuple[Order, ...]
    escalated: int
    live_at_release: int
    lifted: int
    closed_plant_orders: int
    delivered: int
    undelivered: int
    proposers_differ: bool
    signed_by: tuple[str, ...]
    levels: tuple[Mapping[str, Any], ...]
    phase: Phase | None


def summary(system: System, drill: Drill, *, problems: Sequence[str] = ()) -> dict[str, Any]:
    """
    The figures of a run as one JSON document; ``ok`` says whether they are what must come of it.

    ``orders``, ``escalated``, ``lifted`` and ``delivered`` count every area of the drill; ``review`` is the lowest
    area's, whose own orders to enterprises the drill is about; ``by_area`` has each area's share.
    """
    with system.store.reading() as tx:
        areas = [_figures(tx, system, area) for area in drill.areas]
    said = list(problems) + [problem for one in areas for problem in _problems(one)]
    by_status: dict[str, int] = {}
    for one in areas:
        for order in one.orders:
            by_status[order.status.value] = by_status.get(order.status.value, 0) + 1
    return {
        "episode": drill.name,
        "replay": True,
        "origin": drill.origin,
        "legend": drill.legend,
        "levels": [level for one in areas for level in one.levels],
        "orders": {
            "eligible": sum(one.eligible for one in areas),
            "total": sum(len(one.orders) for one in areas),
            "by_status": by_status,
        },
        "escalated": sum(one.escalated for one in areas),
        "lifted": sum(one.lifted for one in areas),
        "live_at_release": sum(one.live_at_release for one in areas),
        "closed_plant_orders": sum(one.closed_plant_orders for one in areas),
        "proposers_differ": all(one.proposers_differ for one in areas),
        "review": {"signed_by": list(areas[-1].signed_by)},
        "delivered": sum(one.delivered for one in areas),
        "by_area": [
            {
                "area": one.area, "phase": one.phase.value if one.phase else None, "eligible": one.eligible,
                "orders": len(one.orders), "escalated": one.escalated, "lifted": one.lifted,
                "live_at_release": one.live_at_release, "delivered": one.delivered,
                "review": {"signed_by": list(one.signed_by)},
            }
            for one in areas
        ],
        "ok": not said,
        "problems": said,
    }


def _figures(tx: Tx, system: System, area: str) -> AreaFigures:
    episode = tx.latest_episode(area)
    if episode is None:
        return AreaFigures(area, 0, (), 0, 0, 0, 0, 0, 0, proposers_differ=False, signed_by=(), levels=(), phase=None)
    decisions, orders = tx.decisions(episode.id), tuple(tx.orders(episode.id))
    approved = [one for one in decisions if one.standing is Standing.APPROVED]
    counts, review = tx.outbox.counts(episode.id), tx.review_of(episode.id)
    signers = [one for one in (review.signed_by, review.countersigned_by) if one is not None] if review else []
    release = next((one for one in reversed(approved) if one.move is Move.RELEASE), None)
    return AreaFigures(
        area=area,
        eligible=_eligible(tx, system, area, approved),
        orders=orders,
        escalated=len({row.order_id for row in tx.rungs_taken(episode.id)}),
        live_at_release=_live_at(tx, orders, release),
        lifted=sum(1 for one in orders if release and one.status in _ENDED and one.lifted_at == _ends(release)),
        closed_plant_orders=_to_closed_plants(tx, orders),
        delivered=counts.get("delivered", 0),
        undelivered=sum(counts.get(state, 0) for state in ("ready", "sending", "sent", "failed")),
        proposers_differ=bool(approved) and all(_two_people(one) for one in approved),
        signed_by=tuple(tx.person(one).login for one in signers),
        levels=_levels(area, approved),
        phase=episode.phase,
    )


def _eligible(tx: Tx, system: System, area: str, approved: Sequence[Decision]) -> int:
    """How many recipients the highest level that was signed gives an order to."""
    calling = [one for one in approved if one.move not in (Move.RELEASE, Move.WITHDRAW, Move.DISMISS)]
    if not calling:
        return 0
    highest = max(calling, key=lambda one: one.level)
    return sum(
        1 for one in dispatch.recipients_of(tx, area) if eligible(one, system.rules.measures_for(one, highest))
    )


def _live_at(tx: Tx, orders: Sequence[Order], release: Decision | None) -> int:
    """How many orders bound somebody at the moment the release was signed: given before it, and not ended before."""
    if release is None or release.decided_at is None:
        return 0
    given = [one for one in orders if tx.revision(one.id, 1).recorded_at < release.decided_at]
    return sum(1 for one in given if one.status is not Status.WITHDRAWN)


def _ends(release: Decision) -> datetime | None:
    return release.notice.effective_at


def _to_closed_plants(tx: Tx, orders: Sequence[Order]) -> int:
    """Orders to recipients the list has as stopped for long: there must be none."""
    return sum(1 for one in orders if tx.recipient(one.recipient_id).category is Category.LONG_STOPPED)


def _two_people(decision: Decision) -> bool:
    pair: tuple[UUID | None, UUID | None] = (decision.proposed_by, decision.decided_by)
    return None not in pair and pair[0] != pair[1]


def _levels(area: str, approved: Sequence[Decision]) -> tuple[Mapping[str, Any], ...]:
    """Each level that held, with when it was announced, when it took effect and when it ended, in Beijing time."""
    issued = {_ends(one): one.notice.issued_at for one in approved}
    return tuple(
        {
            "area": area, "level": span.level, "issued_at": _local(issued.get(span.since)),
            "effective_at": _local(span.since), "ended_at": _local(span.until),
        }
        for span in spans(approved)
    )


def _local(at: datetime | None) -> str | None:
    return at.astimezone(SHANGHAI).isoformat(timespec="seconds") if at else None


def _problems(one: AreaFigures) -> list[str]:
    total = len(one.orders)
    found = [
        (one.phase is Phase.CLOSED, f"the episode is {one.phase.value if one.phase else 'not there'}, not closed"),
        (total == one.eligible and total > 0, f"{total} orders for {one.eligible} eligible recipients"),
        (one.proposers_differ, "a decision was not proposed and approved by two people"),
        (one.lifted == one.live_at_release and one.lifted > 0, f"{one.lifted} lifted of {one.live_at_release} live"),
        (one.closed_plant_orders == 0, f"{one.closed_plant_orders} orders to plants that are closed"),
        (len(set(one.signed_by)) == 2, f"the review is signed by {', '.join(one.signed_by) or 'nobody'}"),
        (one.delivered > 0, "nothing was delivered"),
        (one.undelivered == 0, f"{one.undelivered} messages did not arrive"),
    ]
    return [f"{one.area}: {words}" for holds, words in found if not holds]
