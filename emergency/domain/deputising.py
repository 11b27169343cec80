"""Who else may sign, and from when: the deputies a plan names for an approver who stays silent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from emergency.domain.plan import Approval


@dataclass(frozen=True)
class Turn:
    """
    One deputy of the plan and the moment from which he or she may sign this proposal (代签).

    Frozen when the proposal is put forward: a plan that changes while it waits changes nobody's turn. ``instead_of``
    is the title of the approver who stayed silent; ``clause`` is where the plan says so.
    """

    title: str
    rank: int
    since: datetime
    after_minutes: int
    instead_of: str
    clause: str  # "approval.orange.deputies.0"


def turns(approval: Approval, *, clause: str, waits_since: datetime) -> tuple[Turn, ...]:
    """The deputies of a proposal that waits since then, first whose turn comes first; none where the plan has none."""
    found = [
        Turn(
            title=one.title,
            rank=one.rank,
            since=waits_since + timedelta(minutes=one.after_minutes),
            after_minutes=one.after_minutes,
            instead_of=approval.title,
            clause=f"{clause}.deputies.{place}",
        )
        for place, one in enumerate(approval.deputies)
        if one.rank < approval.rank
    ]
    return tuple(sorted(found, key=lambda one: (one.since, -one.rank)))


def begun(some: Iterable[Turn], *, now: datetime) -> tuple[Turn, ...]:
    """Those whose turn has come."""
    return tuple(one for one in some if one.since <= now)


def turn_for(some: Iterable[Turn], *, rank: int) -> Turn | None:
    """The turn a person of this rank would sign by: the highest within reach, the earliest of equals."""
    return min((one for one in some if one.rank <= rank), key=lambda one: (-one.rank, one.since), default=None)


def first_for(some: Iterable[Turn], *, rank: int) -> Turn | None:
    """The turn at which a person of this rank may first sign, and is told so."""
    return min((one for one in some if one.rank <= rank), key=lambda one: (one.since, -one.rank), default=None)


def next_at(some: Iterable[Turn], *, now: datetime) -> datetime | None:
    """When the next deputy is to be told; None when everybody's turn has come."""
    return min((one.since for one in some if one.since > now), default=None)
