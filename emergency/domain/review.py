"""What the episode showed, counted from the record and never from memory; signed by two."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from statistics import median
from uuid import UUID

from emergency.domain.flags import Flag
from emergency.domain.machine import Machine
from emergency.domain.orders import LIVE, Order, Status
from emergency.domain.people import Act, Person, ask
from emergency.errors import Refused


class SameHand(Refused):
    """The second signature must be another person's."""

    words_zh = "复核签字须由另一人完成"


class Stage(StrEnum):
    """Where a review stands."""

    DRAFTED = "drafted"
    SIGNED = "signed"
    COUNTERSIGNED = "countersigned"


class Pen(StrEnum):
    """What can be done to a review."""

    REDRAFT = "redraft"
    SIGN = "sign"
    COUNTERSIGN = "countersign"


REVIEW: Machine[Stage, Pen] = Machine(
    "review",
    {
        (Stage.DRAFTED, Pen.REDRAFT): Stage.DRAFTED,
        (Stage.DRAFTED, Pen.SIGN): Stage.SIGNED,
        (Stage.SIGNED, Pen.COUNTERSIGN): Stage.COUNTERSIGNED,
    },
)


@dataclass(frozen=True)
class Span:
    """A level that held over [since, until); ``until`` None while it holds."""

    level: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True)
class Tally:
    """The figures of a review; every one can be recomputed from the rows it counts."""

    spans: tuple[Span, ...]
    orders: int
    by_status: dict[str, int]
    acknowledged: int
    acknowledged_in_time: int
    median_minutes_to_acknowledge: float | None
    never_acknowledged: int
    declined: int
    exempted: int
    escalated: int
    lifted: int
    resumed: int
    messages: dict[str, int]
    decisions: int
    overrides: int
    ungrounded: int
    doubtful: tuple[str, ...]
    flags: tuple[Flag, ...] | None = None  # None: drafted before anything was pointed at


@dataclass(frozen=True)
class Review:
    """The evaluation of one episode (后评估, 大气污染防治法 art. 96(2)): figures, lessons, signatures."""

    id: UUID
    episode_id: UUID
    area: str
    stage: Stage
    tally: Tally
    lessons: str
    drafted_by: UUID
    drafted_at: datetime
    signed_by: UUID | None = None
    signed_at: datetime | None = None
    countersigned_by: UUID | None = None
    countersigned_at: datetime | None = None
    version: int = 0


def tally(
    *,
    spans: Sequence[Span],
    orders: Iterable[Order],
    answers_in_time: int,
    minutes_to_acknowledge: Sequence[float],
    ever_acknowledged: int,
    escalated: int,
    messages: dict[str, int],
    decisions: int,
    overrides: int,
    ungrounded: int,
    doubtful: tuple[str, ...],
    flags: tuple[Flag, ...] = (),
) -> Tally:
    """Count once, from the rows as they lie."""
    kept = list(orders)
    by_status: dict[str, int] = {}
    for order in kept:
        by_status[order.status.value] = by_status.get(order.status.value, 0) + 1
    return Tally(
        spans=tuple(spans),
        orders=len(kept),
        by_status=by_status,
        acknowledged=ever_acknowledged,
        acknowledged_in_time=answers_in_time,
        median_minutes_to_acknowledge=round(median(minutes_to_acknowledge), 1) if minutes_to_acknowledge else None,
        never_acknowledged=len(kept) - ever_acknowledged,
        declined=sum(1 for one in kept if one.declined_because),
        exempted=by_status.get(Status.EXEMPTED.value, 0),
        escalated=escalated,
        lifted=sum(1 for one in kept if one.lifted_at is not None and one.status not in LIVE),
        resumed=by_status.get(Status.RESUMED.value, 0),
        messages=messages,
        decisions=decisions,
        overrides=overrides,
        ungrounded=ungrounded,
        doubtful=doubtful,
        flags=flags,
    )


def sign(review: Review, *, by: Person, now: datetime) -> Review:
    """
    The first signature.

    :raises NotAllowed: the person may not sign reviews here
    :raises IllegalMove: it is signed already
    """
    ask(by, Act.SIGN_REVIEW, review.area)
    return replace(review, stage=REVIEW.after(review.stage, Pen.SIGN), signed_by=by.id, signed_at=now)


def countersign(review: Review, *, by: Person, now: datetime) -> Review:
    """
    The second signature, by another person; the episode may close with it.

    :raises SameHand: the first signer cannot be the second
    """
    ask(by, Act.SIGN_REVIEW, review.area)
    stage = REVIEW.after(review.stage, Pen.COUNTERSIGN)
    if by.id == review.signed_by:
        raise SameHand(f"{by.login} signed the review of {review.episode_id} first")
    return replace(review, stage=stage, countersigned_by=by.id, countersigned_at=now)
