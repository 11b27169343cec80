"""One text to each of a desk's people about one thing and one step of it: in the post once, however often asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from emergency.domain.episode import Decision
from emergency.domain.messages import LANES, Kind, Lane, Message, message_id
from emergency.services.rules import Rules
from emergency.store import Tx


class Reached(Protocol):
    """A person of ours, or a contact of somebody's, with a number."""

    @property
    def id(self) -> UUID: ...

    @property
    def phone(self) -> str: ...


@dataclass(frozen=True)
class About:
    """
    What a text is about: its kind, the thing and its area. ``rung`` names the step, by which a repeat is known;
    ``lane`` is the kind's own where none is given.
    """

    kind: Kind
    id: UUID
    area: str
    rung: str = ""
    episode_id: UUID | None = None
    decision_id: UUID | None = None
    exercise: bool = False
    lane: Lane | None = None


def of_decision(decision: Decision, *, rung: str) -> About:
    """A decision that waits, at this step."""
    return About(Kind.PROPOSAL, decision.id, decision.area, rung, decision.episode_id, decision.id)


def put(tx: Tx, rules: Rules, about: About, people: Iterable[Reached], text: str, *, now: datetime) -> int:
    """Put the text in the post for each of these who have a number, by the first channel; how many."""
    return tx.outbox.put(_message(rules, about, one, text, now=now) for one in people if one.phone)


def _message(rules: Rules, about: About, to: Reached, text: str, *, now: datetime) -> Message:
    channel = rules.first_channel
    return Message(
        id=message_id(about.id, revision=0, kind=about.kind, rung=about.rung, channel=channel, contact=to.id),
        kind=about.kind,
        channel=channel,
        lane=LANES[about.kind] if about.lane is None else about.lane,
        to=to.phone,
        text=text,
        area=about.area,
        due_at=rules.wall.now(),
        put_at=now,
        episode_id=about.episode_id,
        decision_id=about.decision_id,
        contact_id=to.id,
        rung=about.rung,
        exercise=about.exercise,
    )
