"""Is a way of reaching people proved? A route that nobody has seen work lately is unproved, not well."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MISSED = 3  # proofs in a row; one may fail by chance


class Proof(StrEnum):
    """What is known of a route."""

    PROVED = "proved"
    UNPROVED = "unproved"  # asked, and for too long without an answer
    WAITING = "waiting"  # asked too recently to say
    UNASKED = "unasked"  # no probe address is set: nobody knows


@dataclass(frozen=True)
class Route:
    """A channel's route: since when it is being asked, and when it last proved itself (wall)."""

    channel: str
    since: datetime | None
    proved_at: datetime | None


def proof_of(route: Route, *, every: timedelta, wall: datetime) -> Proof:
    """Proved when its last proof is younger than three periods; before its first three nobody blames it."""
    if route.since is None:
        return Proof.UNASKED
    if wall - (route.proved_at or route.since) > MISSED * every:
        return Proof.UNPROVED
    return Proof.WAITING if route.proved_at is None else Proof.PROVED
