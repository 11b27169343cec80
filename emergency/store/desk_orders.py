"""The desk's orders: found by filter, page by page, and one with all that was asked, answered and sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, func, or_, select

from emergency.domain.binding import stretches
from emergency.domain.episode import Episode
from emergency.domain.messages import Kind, Message, State
from emergency.domain.orders import Duty, Order, Recipient, Revision, Status
from emergency.store import saving
from emergency.store.desk import BUCKETS, below, where_now
from emergency.store.loading import real, table
from emergency.store.tables import (
    AnswerRow,
    AttemptRow,
    EpisodeRow,
    MessageRow,
    OrderRow,
    RecipientRow,
    RevisionRow,
    RungRow,
)
from emergency.store.tx import Tx

SORTS: Final[Mapping[str, Any]] = {
    "number": OrderRow.number,
    "name": RecipientRow.name,
    "place": OrderRow.area,
    "sector": RecipientRow.sector,
    "level": OrderRow.level,
    "escalated": OrderRow.escalated,
    "issued": OrderRow.issued_at,
    "answered": OrderRow.acknowledged_at,
}


@dataclass(frozen=True)
class Wanted:
    """
    Which orders are asked for: of episodes of the area and of recipients in it; an empty field asks nothing.

    ``status`` is an order's status or a bucket of the answers' bar; ``town`` an area and all below it; ``q`` a part of
    a name or number; ``escalated`` those the ladder has begun on; ``answered`` "yes" or "no"; ``sort`` a name of
    SORTS, with "-" before it for the other direction.
    """

    area: str
    episode_id: UUID | None = None
    status: str = ""
    town: str = ""
    sector: str = ""
    q: str = ""
    escalated: bool = False
    answered: str = ""
    sort: str = "number"


@dataclass(frozen=True)
class Line:
    """One order of the list, as the list shows it."""

    id: UUID
    episode_id: UUID
    number: str
    name: str
    kind: str
    sector: str
    area: str
    level: int
    revision: int
    status: str
    bucket: str
    issued_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str
    in_place_at: datetime | None
    escalated: int
    declined_because: str
    sample: bool


@dataclass(frozen=True)
class Sent:
    """One message with every try at it; ``ambiguous`` while nobody knows whether it went."""

    message: Message
    ambiguous: bool
    attempts: tuple[tuple[int, str, str, datetime], ...]  # number, outcome, because, wall


@dataclass(frozen=True)
class File:
    """One order with all that was asked, answered, sent and chased."""

    order: Order
    recipient: Recipient
    episode: Episode
    revisions: tuple[Revision, ...]
    answers: tuple[Any, ...]
    sent: tuple[Sent, ...]
    rungs: tuple[Any, ...]
    bucket: str

    @property
    def in_flight(self) -> frozenset[UUID]:
        """The reminders and escalations that were under way when an answer came: too late to be called back."""
        return frozenset(
            one.message.id
            for one in self.sent
            if one.message.kind in (Kind.REMINDER, Kind.ESCALATION)
            and any(_in_flight(answer, one.message) for answer in self.answers)
        )

    @property
    def stretches(self) -> tuple[Duty, ...]:
        """Every duty the order ever asked, with the hours it bound."""
        return stretches(self.revisions)


def _in_flight(answer: Any, message: Message) -> bool:
    """Whether the answer came between the message's being put and its having gone."""
    if answer.revision != message.revision or message.put_at > answer.at:
        return False
    return message.state is State.SENDING if message.sent_at is None else message.sent_at > answer.at


def found(tx: Tx, wanted: Wanted, *, limit: int, offset: int = 0) -> tuple[tuple[Line, ...], int]:
    """A page of the orders asked for, and how many there are."""
    asked = _asked(wanted)
    total = tx.connection.execute(select(func.count()).select_from(asked.order_by(None).subquery())).scalar_one()
    rows = tx.connection.execute(asked.limit(limit).offset(offset))
    return tuple(Line(*row) for row in rows), int(total)


def every(tx: Tx, wanted: Wanted) -> Iterator[Line]:
    """All of the orders asked for, for a file."""
    for row in tx.connection.execute(_asked(wanted)):
        yield Line(*row)


def silent(tx: Tx, episode_id: UUID, *, area: str, limit: int) -> tuple[Line, ...]:
    """Who in the area has not answered although the ladder has begun: the furthest chased first, then the longest."""
    asked = _lines().where(
        OrderRow.episode_id == episode_id,
        OrderRow.status == Status.ISSUED.value,
        OrderRow.escalated > 0,
        below(OrderRow.area, area),
    )
    rows = tx.connection.execute(
        asked.order_by(OrderRow.escalated.desc(), OrderRow.issued_at, OrderRow.number).limit(limit)
    )
    return tuple(Line(*row) for row in rows)


def choices(tx: Tx, area: str, episode_id: UUID | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The places and sectors that occur among the orders, for the filter."""
    asked = select(OrderRow.area, RecipientRow.sector).join(RecipientRow, RecipientRow.id == OrderRow.recipient_id)
    asked = asked.where(below(OrderRow.area, area)).distinct()
    asked = asked.where(real(OrderRow.episode_id) if episode_id is None else OrderRow.episode_id == episode_id)
    rows = tx.connection.execute(asked).all()
    return tuple(sorted({row[0] for row in rows})), tuple(sorted({row[1] for row in rows}))


def file(tx: Tx, order_id: UUID) -> File:
    """
    One order with its whole story.

    :raises Missing: no such order
    """
    order = tx.order(order_id)
    connection = tx.connection
    bucket, reach = where_now()
    stands = connection.execute(
        select(bucket)
        .select_from(table(OrderRow))
        .outerjoin(reach, reach.c.order_id == OrderRow.id)
        .where(OrderRow.id == order_id)
    ).scalar_one()
    revisions = connection.execute(
        select(table(RevisionRow)).where(RevisionRow.order_id == order_id).order_by(RevisionRow.number.desc())
    )
    answers = connection.execute(
        select(table(AnswerRow))
        .where(AnswerRow.order_id == order_id)
        .order_by(AnswerRow.at.desc(), AnswerRow.id.desc())
    ).all()
    messages = connection.execute(
        select(table(MessageRow))
        .where(MessageRow.order_id == order_id)
        .order_by(MessageRow.put_at.desc(), MessageRow.id)
    ).all()
    tries: dict[UUID, list[tuple[int, str, str, datetime]]] = {}
    for row in connection.execute(
        select(table(AttemptRow)).where(AttemptRow.message_id.in_([one.id for one in messages])).order_by(AttemptRow.id)
    ):
        tries.setdefault(row.message_id, []).append((row.attempt, row.outcome, row.because, row.at))
    rungs = connection.execute(select(table(RungRow)).where(RungRow.order_id == order_id).order_by(RungRow.taken_at))
    return File(
        order=order,
        recipient=tx.recipient(order.recipient_id),
        episode=tx.episode(order.episode_id),
        revisions=tuple(saving.revision(row) for row in revisions),
        answers=tuple(answers),
        sent=tuple(Sent(saving.message(row), row.ambiguous, tuple(tries.get(row.id, ()))) for row in messages),
        rungs=tuple(rungs),
        bucket=str(stands),
    )


def _lines() -> Select[Any]:
    bucket, reach = where_now()
    asked: Any = (  # its column types are fourteen long and said by Line
        select(
            OrderRow.id,
            OrderRow.episode_id,
            OrderRow.number,
            RecipientRow.name,
            RecipientRow.kind,
            RecipientRow.sector,
            OrderRow.area,
            OrderRow.level,
            OrderRow.revision,
            OrderRow.status,
            bucket.label("bucket"),
            OrderRow.issued_at,
            OrderRow.acknowledged_at,
            OrderRow.acknowledged_by,
            OrderRow.in_place_at,
            OrderRow.escalated,
            OrderRow.declined_because,
            RecipientRow.sample,
        )
        .join(RecipientRow, RecipientRow.id == OrderRow.recipient_id)
        .outerjoin(reach, reach.c.order_id == OrderRow.id)
    )
    found: Select[Any] = asked
    return found


def _asked(wanted: Wanted) -> Select[Any]:
    asked = _lines()
    bucket = asked.selected_columns.bucket
    asked = asked.join(EpisodeRow, EpisodeRow.id == OrderRow.episode_id).where(
        or_(below(EpisodeRow.area, wanted.area), below(OrderRow.area, wanted.area))
    )
    if wanted.episode_id is not None:
        asked = asked.where(OrderRow.episode_id == wanted.episode_id)
    else:  # an exercise's orders are seen in their own episode only
        asked = asked.where(EpisodeRow.exercise == "")
    if wanted.status in {one.value for one in Status}:
        asked = asked.where(OrderRow.status == wanted.status)
    elif wanted.status in BUCKETS:
        asked = asked.where(bucket == wanted.status)
    if wanted.town:
        asked = asked.where(below(OrderRow.area, wanted.town))
    if wanted.sector:
        asked = asked.where(RecipientRow.sector == wanted.sector)
    if wanted.escalated:
        asked = asked.where(OrderRow.escalated > 0)
    if wanted.answered:
        heard = OrderRow.acknowledged_at.is_not(None)
        asked = asked.where(heard if wanted.answered == "yes" else ~heard)
    if wanted.q:
        searched = (RecipientRow.name, OrderRow.number)
        asked = asked.where(or_(*[column.contains(wanted.q, autoescape=True) for column in searched]))
    column = SORTS.get(wanted.sort.lstrip("-"), OrderRow.number)
    ordered = column.desc() if wanted.sort.startswith("-") else column.asc()
    return asked.order_by(ordered.nulls_last(), OrderRow.number)
