"""What the episode showed, counted from the record and never from memory; signed by two."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from statistics import median
from typing import Final
from uuid import UUID

from emergency.domain.episode import Decision, Move, Standing
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
    """
    A level that held over [since, until); ``until`` None while it holds.

    One that was ``withdrawn`` (撤回) has no hours: it ends where it began.
    """

    level: str
    since: datetime
    until: datetime | None
    withdrawn: bool = False


@dataclass(frozen=True)
class Tally:
    """
    The figures of a review; every one can be recomputed from the rows it counts.

    What was answered is counted by revisions that asked for an answer, so that after a reopening the 收到 of before is
    not taken for the new one's. Of a warning that was withdrawn no answer, step or objection is counted.
    """

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


_BEGINS: Final = frozenset({Move.ACTIVATE, Move.REOPEN})
_LEAVES_THE_LEVEL: Final = frozenset({Move.EXTEND, Move.AMEND, Move.APPEAL, Move.ADVISE, Move.DISMISS})


def _in_order(decisions: Iterable[Decision]) -> list[Decision]:
    """Those that were signed, in the order of their signatures."""
    signed = (one for one in decisions if one.standing is Standing.APPROVED)
    return sorted(signed, key=lambda one: one.decided_at or one.proposed_at)


def taken_back(decisions: Iterable[Decision]) -> datetime | None:
    """
    Since when nothing is judged, because the warning that began then was withdrawn (撤回); None where none was.

    That is the signature that began or reopened it: what was lifted in due form before stays as it was.
    """
    since = None
    for one in _in_order(decisions):
        if one.move in _BEGINS:
            since = one.decided_at
        elif one.move is Move.WITHDRAW:
            return since
    return None


def void(decisions: Iterable[Decision]) -> frozenset[UUID]:
    """
    The signed decisions that rest on a change which was taken back by itself, with what extended or adjusted the level
    it set: nobody is judged for their revisions, and what stood before held all along.
    """
    ordered, gone = _in_order(decisions), set[UUID]()
    for place, one in enumerate(ordered):
        number = one.assessment.get("takes_back")
        followed = [at for at in range(place) if number and ordered[at].assessment.get("bulletin") == number]
        if not followed:
            continue
        gone.add(ordered[followed[-1]].id)
        for later in ordered[followed[-1] + 1 : place]:
            if later.move not in _LEAVES_THE_LEVEL:
                break
            gone |= {later.id} if later.move in (Move.EXTEND, Move.AMEND) else set()
    return frozenset(gone)


def spans(decisions: Iterable[Decision]) -> tuple[Span, ...]:
    """
    The levels that held, each over [since, until), from the signed decisions; those of a withdrawn warning, or of a
    change that was taken back, empty.
    """
    found: list[Span] = []
    lost: list[Span] = []
    begun = 0  # where the spans of the warning that stands begin
    ordered = _in_order(decisions)
    gone = void(ordered)
    for one in ordered:
        since = one.notice.effective_at
        if one.move is Move.WITHDRAW:
            found[begun:] = [replace(span, until=span.since, withdrawn=True) for span in found[begun:]]
            continue
        if since is None or one.move in _LEAVES_THE_LEVEL:
            continue
        if one.id in gone:
            lost.append(Span(one.level.word, since, since, withdrawn=True))
            continue
        goes_on = bool(found) and found[-1].until is None and found[-1].level == one.level.word
        if goes_on and one.assessment.get("takes_back"):
            continue
        if found and found[-1].until is None:
            found[-1] = replace(found[-1], until=max(since, found[-1].since))
        if one.move in _BEGINS:
            begun = len(found)
        if one.move is not Move.RELEASE:
            found.append(Span(one.level.word, since, None))
    return tuple(sorted((*found, *lost), key=lambda span: span.since)) if lost else tuple(found)


def tally(
    *,
    spans: Sequence[Span],
    orders: Iterable[Order],
    asked: int,
    answers_in_time: int,
    minutes_to_acknowledge: Sequence[float],
    escalated: int,
    messages: dict[str, int],
    decisions: int,
    overrides: int,
    ungrounded: int,
    doubtful: tuple[str, ...],
    flags: tuple[Flag, ...] = (),
) -> Tally:
    """
    Count once, from the rows as they lie.

    ``asked``: revisions that asked for an answer and are judged; ``minutes_to_acknowledge``: of each that got one.
    """
    kept = list(orders)
    judged = [one for one in kept if one.status is not Status.WITHDRAWN]
    by_status: dict[str, int] = {}
    for order in kept:
        by_status[order.status.value] = by_status.get(order.status.value, 0) + 1
    return Tally(
        spans=tuple(spans),
        orders=len(kept),
        by_status=by_status,
        acknowledged=len(minutes_to_acknowledge),
        acknowledged_in_time=answers_in_time,
        median_minutes_to_acknowledge=round(median(minutes_to_acknowledge), 1) if minutes_to_acknowledge else None,
        never_acknowledged=asked - len(minutes_to_acknowledge),
        declined=sum(1 for one in judged if one.declined_because),
        exempted=by_status.get(Status.EXEMPTED.value, 0),
        escalated=escalated,
        lifted=sum(1 for one in judged if one.lifted_at is not None and one.status not in LIVE),
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
