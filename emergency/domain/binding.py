"""From when until when each duty of an order bound, read from the revisions that gave and ended it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from emergency.domain.orders import Duty, Revision

WITHDRAWN, REISSUED = "withdrawal", "reissue"


def stretches(revisions: Sequence[Revision]) -> tuple[Duty, ...]:
    """
    Every duty an order ever asked, each over [starts_at, ends_at), in the order they began; no end = it binds still.

    What a revision drops or moves ends when that revision takes effect; what never came to bind is left out. Of a
    withdrawn order everything is, but for what had ended before the order was issued again.
    """
    ended: list[Duty] = []
    before: list[Duty] = []
    running: dict[tuple[str, str, datetime], Duty] = {}
    for one in sorted(revisions, key=lambda revision: revision.number):
        if one.kind == WITHDRAWN:
            ended, running = before, {}
            continue
        if one.kind == REISSUED:
            before = [*ended]
        asked = {(duty.key, duty.text, duty.starts_at): duty for duty in one.duties if duty.ends_at is None}
        over = [duty for key, duty in running.items() if key not in asked]
        ended += [replace(duty, ends_at=one.effective_at) for duty in over if duty.starts_at < one.effective_at]
        running = {key: running.get(key, duty) for key, duty in asked.items()}
    return tuple(sorted((*ended, *running.values()), key=lambda duty: (duty.starts_at, duty.key)))


def dropped_by(before: Sequence[Duty], revision: Revision) -> tuple[Duty, ...]:
    """The duties this revision ends, each with its end: when the revision takes effect, never before it began."""
    return tuple(
        replace(duty, ends_at=max(revision.effective_at, duty.starts_at))
        for duty in before
        if duty.key in revision.dropped
    )
