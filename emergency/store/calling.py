"""What the call list asks: orders the ladder brought there, orders no notice reached, and the calls made so far."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, insert, select

from emergency.domain.calling import CALL_LIST, Call, Line, Result, Why, by_urgency, owes
from emergency.domain.ladder import Deadline, still_owed
from emergency.domain.messages import Kind, State
from emergency.domain.orders import Order, Recipient, Status, current, live_at
from emergency.store import saving
from emergency.store.desk import below
from emergency.store.loading import table
from emergency.store.tables import MessageRow, OrderRow, RungRow
from emergency.store.tables_posting import CallRow
from emergency.store.tx import Tx

_TELLS: Final = (Kind.ORDER.value, Kind.REVISION.value, Kind.REMINDER.value)  # what reaches the recipient itself
_OUT: Final = (State.READY.value, State.SENDING.value, State.SENT.value, State.DELIVERED.value)
# 收到 is owed of a revision after an objection too, and everything until a release takes effect
_UNREAD: Final = (Status.ISSUED.value, Status.DECLINED.value, Status.LIFTED.value)
_OWING: Final = (*_UNREAD, Status.ACKNOWLEDGED.value, Status.STARTED.value)


def call_list(tx: Tx, episode_id: UUID, steps: Mapping[str, Deadline], *, now: datetime) -> list[Line]:
    """
    Whom to telephone about this episode, the most urgent first: those for whom the ladder came to one of these steps
    while they owe what its deadline asks, and those whom no notice reached at all.
    """
    found: dict[UUID, tuple[Order, Why, Any]] = {}
    for row in tx.connection.execute(_unreached(episode_id)):
        order = current(saving.order(row), now)
        found[order.id] = (order, Why.FAILED if row.failed else Why.NOBODY, order.asked_at or order.issued_at)
    for row in tx.connection.execute(_climbed(episode_id)):
        order, deadline = current(saving.order(row), now), steps.get(row.step)
        if deadline is not None and order.id not in found and still_owed(order, deadline, begun_by=row.taken_at):
            found[order.id] = (order, Why.SILENT, row.taken_at)
    recipients = {one.id: one for one in tx.recipients_called({order.recipient_id for order, _, _ in found.values()})}
    made = _calls(tx, OrderRow.episode_id == episode_id)
    lines = [_line(found[one], recipients, made.get(one, ())) for one in found if live_at(found[one][0], now)]
    return by_urgency([one for one in lines if one is not None])


def _line(found: tuple[Order, Why, Any], recipients: Mapping[UUID, Recipient], made: tuple[Call, ...]) -> Line | None:
    order, why, since = found
    recipient, owed = recipients[order.recipient_id], owes(order, begun_by=since)
    if owed is None or (why is Why.NOBODY and any(one.phone for one in recipient.contacts)):
        return None  # its notice is on the way: the auditor mends what is missing
    return Line(order, recipient, why, owed, since, made)


def _unreached(episode_id: UUID) -> Select[Any]:
    """Orders that wait for 收到 and of which no notice left or can still leave; ``failed``: one had been put."""
    notice = and_(
        MessageRow.order_id == OrderRow.id, MessageRow.kind.in_(_TELLS), MessageRow.revision >= OrderRow.asks_from
    )
    out = exists().where(notice, MessageRow.state.in_(_OUT))
    gave_up = exists().where(notice, MessageRow.state == State.FAILED.value)
    return _orders(episode_id, gave_up.label("failed")).where(
        OrderRow.status.in_(_UNREAD), OrderRow.acknowledged_at.is_(None), ~out
    )


def _climbed(episode_id: UUID) -> Select[Any]:
    """Orders with the steps to the call list that were taken for what is asked now, the latest first."""
    asked = _orders(episode_id, RungRow.step, RungRow.taken_at)
    return (
        asked.join(RungRow, RungRow.order_id == OrderRow.id)
        .where(RungRow.notify == CALL_LIST, RungRow.revision >= OrderRow.asks_from, OrderRow.status.in_(_OWING))
        .order_by(RungRow.taken_at.desc())
    )


def _orders(episode_id: UUID, *more: Any) -> Select[Any]:
    return select(table(OrderRow), *more).where(OrderRow.episode_id == episode_id)


def calls(tx: Tx, order_id: UUID) -> tuple[Call, ...]:
    """The calls made about this order, the newest first."""
    return _calls(tx, CallRow.order_id == order_id).get(order_id, ())


def _calls(tx: Tx, where: ColumnElement[bool]) -> dict[UUID, tuple[Call, ...]]:
    found: dict[UUID, list[Call]] = {}
    asked = select(table(CallRow)).join(OrderRow, OrderRow.id == CallRow.order_id).where(where)
    for row in tx.connection.execute(asked.order_by(CallRow.called_at.desc(), CallRow.noted_at.desc(), CallRow.id)):
        found.setdefault(row.order_id, []).append(_call(row))
    return {order_id: tuple(some) for order_id, some in found.items()}


def counts(tx: Tx, episode_id: UUID, area: str) -> dict[Result, int]:
    """How many calls about the episode's orders in this area came to what."""
    asked = (
        select(CallRow.result, func.count())
        .join(OrderRow, OrderRow.id == CallRow.order_id)
        .where(OrderRow.episode_id == episode_id, below(OrderRow.area, area))
        .group_by(CallRow.result)
    )
    return {Result(row[0]): int(row[1]) for row in tx.connection.execute(asked)}


def keep(tx: Tx, call_id: UUID, one: Call) -> bool:
    """Keep a call, under its order's lock; False when it lies there already."""
    row = {
        "id": call_id,
        "order_id": one.order_id,
        "revision": one.revision,
        "spoke_to": one.spoke_to,
        "phone": one.phone,
        "result": one.result.value,
        "received": one.received,
        "remark": one.remark,
        "by": one.by,
        "called_at": one.called_at,
        "noted_at": one.noted_at,
    }
    if tx.connection.execute(select(CallRow.id).where(CallRow.id == call_id)).first():
        return False
    tx.connection.execute(insert(table(CallRow)).values(**row))
    return True


def _call(row: Any) -> Call:
    return Call(
        order_id=row.order_id,
        revision=row.revision,
        spoke_to=row.spoke_to,
        phone=row.phone,
        result=Result(row.result),
        received=row.received,
        remark=row.remark,
        by=row.by,
        called_at=row.called_at,
        noted_at=row.noted_at,
    )
