"""What a signature writes for its orders, as rows by the thousand, worked out before its transaction begins."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

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
    """
    The journal's line of each revision, as :func:`saving.journal_row` would write it one by one.

    Of thousands of lines only two ids differ, so that what lies around them is spelt once for all that share it.
    """
    shared: dict[tuple[Any, ...], _Around] = {}
    rows: list[Mapping[str, Any]] = []
    for one in drawn_up:
        order, revision = one.order, one.revision
        like = (revision.kind, revision.level, order.revision, order.area, revision.added, revision.dropped)
        if (around := shared.get(like)) is None:
            around = shared[like] = _Around(_fact(one, by=by, at=at))
        rows.append(around.row(str(order.id), str(order.recipient_id)))
    return rows


def _fact(one: DrawnUp, *, by: str, at: datetime) -> Fact:
    return Fact(
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
            "decision": str(one.revision.decision_id),
            "added": list(one.revision.added),
            "dropped": list(one.revision.dropped),
        },
    )


class _Around:
    """A line of the journal about an order, less the two ids that no other line has."""

    def __init__(self, first: Fact) -> None:
        self._columns = saving.journal_row(replace(first, about="\0", more={**first.more, "recipient": "\1"}))
        blank = self._columns["entry"]
        self._before, rest = blank.split(json.dumps("\0"))
        self._between, self._after = rest.split(json.dumps("\1"))

    def row(self, about: str, recipient: str) -> Mapping[str, Any]:
        """The line about this order of this recipient."""
        entry = f'{self._before}"{about}"{self._between}"{recipient}"{self._after}'
        return {
            **self._columns,
            "about": about,
            "entry": entry,
            "sha256": hashlib.sha256(entry.encode()).hexdigest(),
        }
