"""What a sweep of the ladder asks once for many orders: their notices, the steps they took, who was told lately."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, bindparam, case, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from emergency.domain.exercise import marked
from emergency.domain.ladder import Deadline, Notice, Taken, Turn
from emergency.domain.letters import Verdict
from emergency.domain.messages import Kind, Never, State
from emergency.domain.orders import LIVE, Order
from emergency.store import saving
from emergency.store.bulk import table
from emergency.store.tables import CHASED, AttemptRow, MessageRow, OrderRow, RecipientRow, RungRow
from emergency.store.tables_posting import BundledRow, SettlementRow
from emergency.store.tx import Tx

_MESSAGES, _ORDERS, _RUNGS = table(MessageRow), table(OrderRow), table(RungRow)
_BUNDLED, _RECIPIENTS = table(BundledRow), table(RecipientRow)
_ATTEMPTS, _SETTLEMENTS = table(AttemptRow), table(SettlementRow)


def notices(tx: Tx, orders: Sequence[Order]) -> dict[UUID, Notice]:
    """How far the notice of what each order asks has come; absent where none was put."""
    asks = {one.id: one.asks_from for one in orders}
    found: dict[UUID, Notice] = {}
    refused = select(_ATTEMPTS.c.message_id).where(
        _ATTEMPTS.c.message_id == _MESSAGES.c.id, _ATTEMPTS.c.outcome == Never.__name__.lower()
    )
    arrived = select(_SETTLEMENTS.c.message_id).where(
        _SETTLEMENTS.c.message_id == _MESSAGES.c.id, _SETTLEMENTS.c.verdict == Verdict.ARRIVED.value
    )
    reached_nobody = or_(_MESSAGES.c.sent_at.is_not(None), refused.exists())
    came_back = and_(_MESSAGES.c.state == State.FAILED.value, reached_nobody, ~arrived.exists())
    notice = _MESSAGES.c.kind.in_([Kind.ORDER.value, Kind.REVISION.value])
    rows = tx.connection.execute(
        select(
            _MESSAGES.c.order_id, _MESSAGES.c.revision, _MESSAGES.c.state, _MESSAGES.c.sent_at, _MESSAGES.c.rung,
            came_back.label("returned"), notice.label("notice"),
        ).where(_MESSAGES.c.order_id.in_(asks), or_(notice, and_(CHASED, came_back)))
    )  # fmt: skip
    for row in rows:
        if row.revision < asks[row.order_id]:
            continue
        before = found.get(row.order_id, Notice())
        if row.returned:
            back = before.returned | {"" if row.notice else row.rung}
            found[row.order_id] = replace(before, returned=back)
        elif row.notice:
            sent = min((at for at in (before.sent_at, row.sent_at) if at is not None), default=None)
            moving = before.on_its_way or row.state in (State.READY.value, State.SENDING.value)
            found[row.order_id] = replace(before, sent_at=sent, on_its_way=moving and sent is None)
    return {
        order: replace(one, returned=one.returned - {""}) if one.sent_at or one.on_its_way else one
        for order, one in found.items()
    }


def taken(tx: Tx, orders: Sequence[Order]) -> dict[UUID, list[Taken]]:
    """The steps that were taken for each of these orders, in all their revisions."""
    found: dict[UUID, list[Taken]] = {}
    rows = tx.connection.execute(
        select(_RUNGS.c.order_id, _RUNGS.c.step, _RUNGS.c.revision, _RUNGS.c.due_at, _RUNGS.c.told).where(
            _RUNGS.c.order_id.in_([one.id for one in orders])
        )
    )
    for row in rows:
        found.setdefault(row.order_id, []).append(Taken(row.step, row.revision, row.due_at, row.told))
    return found


def told_nobody(tx: Tx, area: str, notify: str) -> list[tuple[Order, str]]:
    """The orders of exactly this area that still bind, with each step to ``notify`` that told nobody."""
    asked = (
        select(*_ORDERS.c, _RUNGS.c.step)
        .join(_RUNGS, _RUNGS.c.order_id == _ORDERS.c.id)
        .where(_ORDERS.c.area == area, _ORDERS.c.status.in_([one.value for one in LIVE]))
        .where(_RUNGS.c.notify == notify, _RUNGS.c.told == 0)
    )
    return [(saving.order(row), str(row.step)) for row in tx.connection.execute(asked)]


def look_again(tx: Tx, turns: Mapping[UUID, Turn]) -> None:
    """
    Set when these orders are looked at next; nothing of what they say changes, so the journal has no line of it.

    Hold their locks: whoever answers meanwhile waits.
    """
    if turns:
        tx.connection.execute(
            _LOOK_AGAIN, [{"which": one, "rung": turn.next_rung, "at": turn.next_at} for one, turn in turns.items()]
        )


_LOOK_AGAIN = (
    update(_ORDERS)
    .where(_ORDERS.c.id == bindparam("which"))
    .values(next_rung=bindparam("rung"), next_rung_at=bindparam("at"))
)


def told_since(tx: Tx, addresses: Collection[str], *, since: datetime) -> dict[str, int]:
    """How many reminders and escalations each of these addresses was given since then."""
    rows = tx.connection.execute(
        select(_MESSAGES.c.to, func.count())
        .where(
            _MESSAGES.c.to.in_(addresses),
            _MESSAGES.c.put_at > since,
            CHASED,
            _MESSAGES.c.state != State.CANCELLED.value,
        )
        .group_by(_MESSAGES.c.to)
    )
    return {str(row[0]): int(row[1]) for row in rows}


@dataclass(frozen=True)
class Part:
    """One order a bundled reminder stands for: what it owed in which revision, and how it stands now."""

    order: Order
    recipient: str
    deadline: Deadline
    revision: int


def keep_bundled(tx: Tx, message_id: UUID, parts: Collection[tuple[UUID, str, int]]) -> None:
    """Keep what a bundle in the post stands for: orders, each with its deadline and revision; once each."""
    insert = (postgresql if tx.connection.dialect.name == "postgresql" else sqlite).insert(_BUNDLED)
    rows = [
        {"message_id": message_id, "order_id": order, "deadline": deadline, "revision": revision}
        for order, deadline, revision in parts
    ]
    if rows:
        tx.connection.execute(insert.on_conflict_do_nothing(), rows)


def bundled(tx: Tx, ids: Collection[UUID]) -> dict[UUID, list[Part]]:
    """What each of these bundles stands for, in the order of the recipients' names; absent where nothing is kept."""
    found: dict[UUID, list[Part]] = {}
    asked = (
        select(_ORDERS, _BUNDLED.c.message_id, _BUNDLED.c.deadline, _BUNDLED.c.revision.label("asked_in"),
               _RECIPIENTS.c.name.label("recipient"))
        .join(_BUNDLED, _BUNDLED.c.order_id == _ORDERS.c.id)
        .join(_RECIPIENTS, _RECIPIENTS.c.id == _ORDERS.c.recipient_id)
        .where(_BUNDLED.c.message_id.in_(ids))
        .order_by(_RECIPIENTS.c.name)
    )  # fmt: skip
    for row in tx.connection.execute(asked):
        part = Part(saving.order(row), row.recipient, Deadline(row.deadline), row.asked_in)
        found.setdefault(row.message_id, []).append(part)
    return found


def call_off(tx: Tx, ids: Collection[UUID]) -> None:
    """Cancel what was just claimed and is not sent: the claim is no attempt."""
    tx.connection.execute(
        update(_MESSAGES)
        .where(_MESSAGES.c.id.in_(ids), _MESSAGES.c.state == State.SENDING.value)
        .values(
            state=State.CANCELLED.value,
            because="answered or superseded",
            attempts=_MESSAGES.c.attempts - 1,
            leased_until=None,
        )
    )


def reword(tx: Tx, message_id: UUID, text: str, *, state: State = State.READY) -> bool:
    """Give a message in this state another text, marked where it is an exercise's; False when it has left."""
    done = tx.connection.execute(
        update(_MESSAGES)
        .where(_MESSAGES.c.id == message_id, _MESSAGES.c.state == state.value)
        .values(text=case((_MESSAGES.c.exercise.is_(True), marked(text)), else_=text))
    )
    return bool(done.rowcount)
