"""No notice overtakes the one it amends: its successor waits by a column until it is settled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, bindparam, case, exists, select, update

from emergency.domain.messages import Kind, Message, State
from emergency.store.bulk import table
from emergency.store.tables import MessageRow

WAITED: Final = "went by itself: the notice it amends was not settled in time"
OUTDATED: Final = "superseded before it could leave"
DOUBTED: Final = "superseded after a try whose fate nobody knows"
_NOTICES = tuple(kind.value for kind in (Kind.ORDER, Kind.REVISION, Kind.INFORMATION, Kind.LIFTING, Kind.WITHDRAWAL))
_AMENDED = (Kind.ORDER.value, Kind.REVISION.value, Kind.INFORMATION.value)
_UNSETTLED = (State.READY.value, State.SENDING.value)
_MESSAGES = table(MessageRow)

_ABOUT = 500  # ids named in one statement


def behind(connection: Connection, some: Sequence[Message], *, until: datetime | None) -> list[Message]:
    """
    The messages, each behind the last unsettled notice of its order and channel, if there is one.

    Ask in the transaction that puts them, after what is superseded was cancelled: whatever is left is in flight, or
    must be heard first. One that follows another of its own decision waits until that one is settled, however long:
    alone it would say nothing.
    """
    ahead: dict[tuple[UUID | None, str], UUID] = {}
    for episode in {one.episode_id for one in some if one.order_id is not None}:
        rows = connection.execute(
            select(_MESSAGES.c.id, _MESSAGES.c.order_id, _MESSAGES.c.channel)
            .where(
                _MESSAGES.c.episode_id == episode,
                _MESSAGES.c.state.in_(_UNSETTLED),
                _MESSAGES.c.kind.in_(_NOTICES),
                _MESSAGES.c.order_id.is_not(None),
            )
            .order_by(_MESSAGES.c.revision)
        )
        ahead |= {(row.order_id, row.channel): row.id for row in rows}
    if not ahead:
        return list(some)
    return [
        one
        if one.waits_for or (found := ahead.get((one.order_id, one.channel))) is None or found == one.id
        else replace(one, waits_for=found, waits_until=until)
        for one in some
    ]


_FIRST, _NEXT = _MESSAGES.alias("first"), _MESSAGES.alias("following")
# a later revision supersedes it; what the same decision says after it does not
_SUPERSEDED = exists().where(_NEXT.c.waits_for == _MESSAGES.c.id, _NEXT.c.revision > _MESSAGES.c.revision)
# back in the post after an attempt that did not get through, while what supersedes it waits: nobody needs it any more
_DROP = (
    update(_MESSAGES)
    .where(
        _MESSAGES.c.id.in_(bindparam("ids", expanding=True)),
        _MESSAGES.c.state == State.READY.value,
        _MESSAGES.c.kind.in_(_AMENDED),
        _SUPERSEDED,
    )
    .values(state=State.CANCELLED.value, because=case((_MESSAGES.c.ambiguous, DOUBTED), else_=OUTDATED))
)
_FREE = (
    update(_MESSAGES)
    .where(
        _MESSAGES.c.waits_for.in_(bindparam("ids", expanding=True)),
        exists().where(_FIRST.c.id == _MESSAGES.c.waits_for, _FIRST.c.state.not_in(_UNSETTLED)),
    )
    .values(waits_for=None, waits_until=None)
)
_WAITING = select(_MESSAGES.c.waits_for).where(_MESSAGES.c.waits_for.is_not(None))
_SOME_WAITING = _WAITING.limit(_ABOUT)


def move_up(connection: Connection, settled: Sequence[UUID]) -> int:
    """
    Let what waited for these go, once they are settled; how many. A predecessor whose attempt failed and would be
    tried again gives up its place instead.
    """
    waited = {row[0] for row in connection.execute(_SOME_WAITING)}  # nearly always none
    ids = [one for one in settled if one in waited] if len(waited) < _ABOUT else list(settled)
    if not ids:
        return 0
    connection.execute(_DROP, {"ids": ids})
    return connection.execute(_FREE, {"ids": ids}).rowcount


def let_go(connection: Connection, *, now: datetime) -> tuple[int, list[UUID]]:
    """
    Let go what waits though its predecessor is settled or gone, and what has waited until its time; how many in all,
    and which of them go past a predecessor nobody has settled.
    """
    if connection.execute(_WAITING.limit(1)).first() is None:
        return 0, []
    unsettled = exists().where(_FIRST.c.id == _MESSAGES.c.waits_for, _FIRST.c.state.in_(_UNSETTLED))
    dropped = connection.execute(
        select(_MESSAGES.c.id).where(
            _MESSAGES.c.state == State.READY.value,
            _MESSAGES.c.attempts > 0,
            _MESSAGES.c.kind.in_(_AMENDED),
            _SUPERSEDED,
        )
    ).all()
    if dropped:
        connection.execute(_DROP, {"ids": [row.id for row in dropped]})
    freed = connection.execute(
        update(_MESSAGES).where(_MESSAGES.c.waits_for.is_not(None), ~unsettled).values(waits_for=None, waits_until=None)
    ).rowcount
    overdue = connection.execute(
        update(_MESSAGES)
        .where(_MESSAGES.c.waits_for.is_not(None), _MESSAGES.c.waits_until <= now)
        .values(waits_for=None, waits_until=None, because=WAITED)
        .returning(_MESSAGES.c.id)
    ).all()
    return freed + len(overdue), [row.id for row in overdue]
