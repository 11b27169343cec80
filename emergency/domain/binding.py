"""From when until when each duty of an order bound, read from the revisions that gave and ended it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from emergency.domain.orders import Duty, Revision

WITHDRAWN, REISSUED = "withdrawal", "reissue"


def in_turn(revisions: Sequence[Revision]) -> tuple[Revision, ...]:
    """
    The revisions that come to govern, each from its effect until that of the next.

    The newest signature wins from its effect on: what was signed before it and would take effect then or later never
    does. A line of information changes nothing, and a withdrawal takes back all there was since the order was issued,
    or issued again.
    """
    turns: list[Revision] = []
    before: tuple[Revision, ...] = ()
    some = sorted(revisions, key=lambda revision: revision.number)
    for place, one in enumerate(some):
        if one.kind == REISSUED:
            before = in_turn(some[:place])
        if one.kind == WITHDRAWN:
            turns = [*before]
        elif one.kind != "information":
            turns = [*(earlier for earlier in turns if earlier.effective_at < one.effective_at), one]
    return tuple(turns)


def standing_before(revisions: Sequence[Revision], at: datetime) -> tuple[Duty, ...]:
    """What is asked up to that instant, begun or not: what was signed so far and would take effect just then is not."""
    governing = [one for one in in_turn(revisions) if one.effective_at < at]
    return _asked(governing[-1]) if governing else ()


def spared(duties: Sequence[Duty], revisions: Sequence[Revision], *, by: datetime | None) -> tuple[Duty, ...]:
    """The duties, those exempt that were asked when a ruling, at ``by``, exempted the recipient; None: none did."""
    known = {(duty.key, duty.text) for one in revisions if by and one.recorded_at <= by for duty in _asked(one)}
    return tuple(replace(one, exempt=True) if (one.key, one.text) in known else one for one in duties)


def stretches(revisions: Sequence[Revision]) -> tuple[Duty, ...]:
    """
    Every duty an order ever asked, each over [starts_at, ends_at), in the order they began; no end = it binds still.

    What a revision drops or moves ends when that revision takes effect; what never came to bind is left out. Of a
    withdrawn order everything is, but for what had ended before the order was issued again.
    """
    ended: list[Duty] = []
    running: dict[tuple[str, str, datetime], Duty] = {}
    for one in in_turn(revisions):
        asked = {(duty.key, duty.text, duty.starts_at): duty for duty in _asked(one)}
        over = [duty for key, duty in running.items() if key not in asked]
        ended += [replace(duty, ends_at=one.effective_at) for duty in over if duty.starts_at < one.effective_at]
        running = {key: running.get(key, duty) for key, duty in asked.items()}
    return tuple(sorted((*ended, *running.values()), key=lambda duty: (duty.starts_at, duty.key)))


def dropped_by(before: Sequence[Duty], revision: Revision) -> tuple[Duty, ...]:
    """
    The duties this revision ends, each with its end: when the revision takes effect, never before it began.

    ``before``: all that was asked before it, oldest first; what it ends may have been dropped, from later on, already.
    """
    asked = {duty.key: duty for duty in before}
    return tuple(
        replace(asked[key], ends_at=max(revision.effective_at, asked[key].starts_at))
        for key in revision.dropped
        if key in asked
    )


def _asked(revision: Revision) -> tuple[Duty, ...]:
    return tuple(duty for duty in revision.duties if duty.ends_at is None)
