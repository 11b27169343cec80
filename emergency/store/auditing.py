"""What should be there and is not: the auditor's questions, each one statement however many orders there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from emergency.domain.episode import Decision, Episode, Phase, Standing
from emergency.domain.exercise import WALL
from emergency.domain.messages import Kind, State
from emergency.domain.orders import LIVE, Order, Revision, Status
from emergency.store import saving
from emergency.store.bulk import copy_in, table
from emergency.store.tables import (
    ContactRow,
    DecisionRow,
    EpisodeRow,
    LinkRow,
    MessageRow,
    OrderRow,
    RecipientRow,
    RevisionRow,
    RungRow,
    SlotRow,
    TaskRow,
)
from emergency.store.tx import Tx

REPAIR = "audit"  # the rung of a notice that was put a second time
NOTICES = (Kind.ORDER.value, Kind.REVISION.value, Kind.INFORMATION.value)
LAST_WORDS = (Kind.LIFTING.value, Kind.WITHDRAWAL.value)
AT_ONCE = 500  # repairs in one audit; the next minute takes the rest
_RUNNING = EpisodeRow.phase.in_([Phase.OPENING.value, Phase.ACTIVE.value])
_ENDED = EpisodeRow.phase.in_([Phase.RELEASED.value, Phase.WITHDRAWN.value, Phase.CLOSED.value])
_LIVE = OrderRow.status.in_([one.value for one in LIVE])


@dataclass(frozen=True)
class Counted:
    """So many things of an episode, and its area."""

    episode_id: UUID
    area: str
    count: int


@dataclass(frozen=True)
class Unattended:
    """A lane in which messages are ready and nobody sends."""

    channel: str
    lane: int
    count: int
    oldest: datetime


def approved(tx: Tx) -> list[tuple[Episode, Decision, bool]]:
    """Every approved decision of a running episode, oldest first, and whether it has made any revision."""
    made = exists().where(
        OrderRow.episode_id == DecisionRow.episode_id,
        RevisionRow.order_id == OrderRow.id,
        RevisionRow.decision_id == DecisionRow.id,
    )
    rows = tx.connection.execute(
        select(table(DecisionRow), made.label("made"))
        .join(EpisodeRow, EpisodeRow.id == DecisionRow.episode_id)
        .where(_RUNNING, DecisionRow.standing == Standing.APPROVED.value)
        .order_by(DecisionRow.decided_at)
    ).all()
    episodes = {row.id: saving.episode(row) for row in tx.connection.execute(select(table(EpisodeRow)).where(_RUNNING))}
    return [(episodes[row.episode_id], saving.decision(row), bool(row.made)) for row in rows]


def without_notice(tx: Tx, *, limit: int = AT_ONCE) -> list[Order]:
    """
    Live orders whose present revision nobody was told of: no notice lies in the post or has left it.

    A cancelled notice counts as none as long as the order waits for an answer; one that was put again counts.
    """
    told = exists().where(
        MessageRow.order_id == OrderRow.id,
        MessageRow.revision == OrderRow.revision,
        MessageRow.kind.in_(NOTICES),
        or_(
            MessageRow.state != State.CANCELLED.value, MessageRow.rung == REPAIR, OrderRow.status != Status.ISSUED.value
        ),
    )
    return _orders(tx, _LIVE, ~told, limit=limit)


def without_last_words(tx: Tx, *, since: datetime, limit: int = AT_ONCE) -> list[Order]:
    """Orders that an end took away since then, and nobody was told: neither a lifting nor a withdrawal was put."""
    ended = exists().where(
        RevisionRow.order_id == OrderRow.id,
        RevisionRow.number == OrderRow.revision,
        RevisionRow.kind.in_(LAST_WORDS),
        RevisionRow.recorded_at >= since,
    )
    told = exists().where(
        MessageRow.order_id == OrderRow.id,
        MessageRow.revision == OrderRow.revision,
        MessageRow.kind.in_(LAST_WORDS),
        or_(MessageRow.state != State.CANCELLED.value, MessageRow.rung == REPAIR),
    )
    over = OrderRow.status.in_([Status.LIFTED.value, Status.WITHDRAWN.value])
    return _orders(tx, over, ended, ~told, limit=limit, where_they_are=_ENDED)


def unrevised(tx: Tx, decision: Decision) -> list[Order]:
    """
    Live orders older than this decision of which it made no revision, though it concerns every order of its episode.

    Who is off the list is not addressed any more, and one that asked for nothing is left as it is.
    """
    first, by_it = aliased(RevisionRow), aliased(RevisionRow)
    older = exists().where(first.order_id == OrderRow.id, first.number == 1, first.recorded_at < decision.decided_at)
    revised = exists().where(by_it.order_id == OrderRow.id, by_it.decision_id == decision.id)
    on_the_list = exists().where(RecipientRow.id == OrderRow.recipient_id, RecipientRow.off_list.is_(False))
    its = OrderRow.episode_id == decision.episode_id
    return [one for one in _orders(tx, its, _LIVE, older, ~revised, on_the_list, limit=AT_ONCE) if one.duties]


def without_ladder(tx: Tx, *, limit: int = AT_ONCE) -> list[Order]:
    """Orders that wait for an answer and have no step due, though none was ever taken."""
    return _orders(
        tx,
        OrderRow.status == Status.ISSUED.value,
        OrderRow.next_rung_at.is_(None),
        OrderRow.escalated == 0,
        limit=limit,
    )


def without_next_step(tx: Tx, *, since: datetime, limit: int = AT_ONCE) -> list[Order]:
    """
    Answered orders that still owe 已启动 or 已落实 and have no step due, though none was taken since the hour it was
    owed by; hours before ``since`` are past chasing.
    """

    def owed(by: Any, *before: Status) -> Any:
        taken = exists().where(RungRow.order_id == OrderRow.id, RungRow.due_at >= by)
        return and_(by > since, OrderRow.status.in_([one.value for one in before]), ~taken)

    start = owed(OrderRow.start_by, Status.ACKNOWLEDGED)
    in_place = owed(OrderRow.in_place_by, Status.ACKNOWLEDGED, Status.STARTED)
    return _orders(tx, OrderRow.next_rung_at.is_(None), or_(start, in_place), limit=limit)


def _orders(tx: Tx, *where: Any, limit: int, where_they_are: ColumnElement[bool] = _RUNNING) -> list[Order]:
    rows = tx.connection.execute(
        select(table(OrderRow))
        .join(EpisodeRow, EpisodeRow.id == OrderRow.episode_id)
        .where(where_they_are, *where)
        .order_by(OrderRow.issued_at)
        .limit(limit)
    )
    return [saving.order(row) for row in rows]


def steps_overdue(tx: Tx, *, before: datetime) -> list[Counted]:
    """Steps of the ladder that were due by then and were not taken, by episode."""
    return _counted(tx, _RUNNING, _LIVE, OrderRow.next_rung_at <= before)


def live_after_the_end(tx: Tx, *, now: datetime) -> list[Counted]:
    """Orders that still live although their episode's end has taken effect."""
    return _counted(tx, _ENDED, _LIVE, or_(EpisodeRow.released_at.is_(None), EpisodeRow.released_at <= now))


def _counted(tx: Tx, *where: Any) -> list[Counted]:
    rows = tx.connection.execute(
        select(EpisodeRow.id, EpisodeRow.area, func.count().label("found"))
        .join(OrderRow, OrderRow.episode_id == EpisodeRow.id)
        .where(*where)
        .group_by(EpisodeRow.id, EpisodeRow.area)
    )
    return [Counted(row.id, row.area, int(row.found)) for row in rows]


def unattended(tx: Tx, *, before: datetime, wall: datetime) -> list[Unattended]:
    """
    Lanes with messages that were due by then and that nobody holds; one whose breaker is open tells by itself, and of
    what lies at an exercise's wall no real desk is told.
    """
    held = exists().where(
        SlotRow.channel == MessageRow.channel,
        SlotRow.lane == MessageRow.lane,
        or_(SlotRow.leased_until > wall, SlotRow.broken_until > wall),
    )
    rows = tx.connection.execute(
        select(
            MessageRow.channel,
            MessageRow.lane,
            func.count().label("found"),
            func.min(MessageRow.due_at).label("oldest"),
        )
        .where(MessageRow.state == State.READY.value, MessageRow.waits_for.is_(None))
        .where(MessageRow.due_at <= before, MessageRow.channel != WALL, ~held)
        .group_by(MessageRow.channel, MessageRow.lane)
    )
    return [Unattended(row.channel, row.lane, int(row.found), row.oldest) for row in rows]


def past_lease(tx: Tx, *, before: datetime) -> int:
    """How many messages are held by a sender whose lease was over by then and were not taken back."""
    asked = (
        select(func.count())
        .select_from(table(MessageRow))
        .where(MessageRow.state == State.SENDING.value, MessageRow.leased_until <= before)
    )
    return int(tx.connection.execute(asked).scalar_one())


def tasks_without_alarm(tx: Tx, *, before: datetime) -> int:
    """How many tasks were due by then, are not done, and nobody was told."""
    asked = (
        select(func.count())
        .select_from(table(TaskRow))
        .where(TaskRow.done_at.is_(None), TaskRow.alarmed_at.is_(None), TaskRow.due_at <= before)
    )
    return int(tx.connection.execute(asked).scalar_one())


def without_link(tx: Tx, *, limit: int = AT_ONCE) -> list[tuple[Order, UUID]]:
    """Live orders with a contact that has no phone link, revoked or not; and the contact."""
    rows = tx.connection.execute(
        select(table(OrderRow), ContactRow.id.label("missing"))
        .join(EpisodeRow, EpisodeRow.id == OrderRow.episode_id)
        .join(ContactRow, ContactRow.recipient_id == OrderRow.recipient_id)
        .join(LinkRow, and_(LinkRow.order_id == OrderRow.id, LinkRow.contact_id == ContactRow.id), isouter=True)
        .where(_RUNNING, _LIVE, LinkRow.id.is_(None))
        .limit(limit)
    )
    return [(saving.order(row), row.missing) for row in rows]


def add_links(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep new phone links."""
    copy_in(tx.connection, table(LinkRow), rows)


def revisions_of(tx: Tx, some: Iterable[Order]) -> Mapping[tuple[UUID, int], Revision]:
    """Every revision of these orders, by order and number."""
    rows = tx.connection.execute(select(table(RevisionRow)).where(RevisionRow.order_id.in_([one.id for one in some])))
    return {(row.order_id, row.number): saving.revision(row) for row in rows}


def decisions_called(tx: Tx, ids: Iterable[UUID]) -> Mapping[UUID, Decision]:
    """These decisions."""
    rows = tx.connection.execute(select(table(DecisionRow)).where(DecisionRow.id.in_(list(ids))))
    return {row.id: saving.decision(row) for row in rows}
