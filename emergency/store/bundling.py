"""What a signature writes for its orders, as rows by the thousand, worked out before its transaction begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from emergency.domain.episode import Fact
from emergency.domain.messages import Message
from emergency.domain.orders import DrawnUp, Duty
from emergency.store import saving

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Bundle:
    """
    Rows of first orders, of orders as they are revised, of revisions, links and the journal, and the messages.

    Messages are values still: whether an exercise may send them is asked when they are put.
    """

    fresh: Rows
    changed: Rows
    revisions: Rows
    links: Rows
    lines: Rows
    messages: Sequence[Message]


def bundle(drawn_up: Sequence[DrawnUp], *, links: Rows, messages: Sequence[Message], by: str, at: datetime) -> Bundle:
    """All that goes with these orders, each revision with its line of the journal."""
    spelt: dict[int, list[Any]] = {}  # by the object: thousands of orders carry the very same duties

    def duties(some: tuple[Duty, ...]) -> list[Any]:
        if (found := spelt.get(id(some))) is None:
            found = spelt[id(some)] = saving.duties_json(some)
        return found

    return Bundle(
        fresh=[
            {**saving.order_row(one.order, duties(one.order.duties)), "version": 1}
            for one in drawn_up
            if one.before is None
        ],
        changed=[
            {**saving.order_row(one.order, duties(one.order.duties)), "version": one.order.version + 1}
            for one in drawn_up
            if one.before is not None
        ],
        revisions=[saving.revision_row(one.revision, duties(one.revision.duties)) for one in drawn_up],
        links=links,
        lines=_lines(drawn_up, by=by, at=at),
        messages=messages,
    )


def _lines(drawn_up: Sequence[DrawnUp], *, by: str, at: datetime) -> Rows:
    decisions: dict[UUID, str] = {}
    return [
        saving.journal_row(
            Fact(
                what=f"order.{one.revision.kind}",
                about=str(one.order.id),
                by=by,
                at=at,
                episode_id=one.order.episode_id,
                area=one.order.area,
                more={
                    "recipient": str(one.order.recipient_id),
                    "revision": one.order.revision,
                    "level": one.revision.level.word,
                    "decision": decisions.get(found := one.revision.decision_id)
                    or decisions.setdefault(found, str(found)),
                    "added": list(one.revision.added),
                    "dropped": list(one.revision.dropped),
                },
            )
        )
        for one in drawn_up
    ]
