"""What recipients, citizens, reviewers and machines ask to see; the answers are plain values and nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select

from emergency.domain.episode import Decision, Episode, Notice, Task
from emergency.domain.orders import Duty, Order, Recipient, Revision
from emergency.domain.people import Area
from emergency.domain.review import Review
from emergency.errors import Missing
from emergency.store import saving
from emergency.store.tables import (
    AnswerRow,
    DecisionRow,
    EpisodeRow,
    OrderRow,
    ReviewRow,
)
from emergency.store.tx import Tx, table


@dataclass(frozen=True)
class Answer:
    """What somebody said of an order, and of which revision."""

    revision: int
    action: str
    by: str
    via: str
    remark: str
    at: datetime


@dataclass(frozen=True)
class OrderSheet:
    """
    All that the reader of one order is shown.

    ``added`` and ``dropped`` are the duties by which the latest revision differs from the one before; ``notice`` is the
    signed notice that caused it; ``episode`` says until when.
    """

    order: Order
    recipient: Recipient
    episode: Episode
    revision: Revision
    added: tuple[Duty, ...]
    dropped: tuple[Duty, ...]
    notice: Notice | None
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class OwnOrder:
    """One line of a recipient's own list."""

    order: Order
    episode: Episode


@dataclass(frozen=True)
class Announced:
    """
    What one area last announced: the episode, and the signed notices of it, oldest first.

    ``until`` is when the last signed decision moved or ended it; None before any signature.
    """

    area: Area
    episode: Episode
    decisions: tuple[Decision, ...]


@dataclass(frozen=True)
class Reviewable:
    """One line of the list of episodes to review."""

    episode: Episode
    area: Area
    review: Review | None
    orders: int


@dataclass(frozen=True)
class Line:
    """One line of the journal, its particulars read back from the sealed text."""

    id: int
    what: str
    about: str
    by: str
    at: datetime
    more: Mapping[str, Any]


@dataclass(frozen=True)
class Reach:
    """How far one decision reached: its revisions by kind."""

    decision_id: UUID
    kinds: Mapping[str, int]


@dataclass(frozen=True)
class Record:
    """The record of one episode as a review reads it; every figure is counted from rows as they lie."""

    episode: Episode
    area: Area
    review: Review | None
    decisions: tuple[Decision, ...]
    names: Mapping[str, str]
    reach: Mapping[UUID, Reach]
    by_status: Mapping[str, int]
    by_place: tuple[tuple[Area, Mapping[str, int]], ...]
    messages: Mapping[str, Mapping[str, int]]  # kind → state → how many
    rungs: tuple[tuple[str, int, int], ...]  # step, orders it was taken for, messages it sent
    tasks: tuple[Task, ...]
    answers: int
    minutes: tuple[float, ...]  # from a revision to the first answer to it, in minutes, shortest first


@dataclass(frozen=True)
class Figures:
    """What a machine that watches us wants counted."""

    messages: Mapping[tuple[str, str], int]  # (channel, state) → how many
    orders: Mapping[str, int]
    oldest_ready: datetime | None
    heartbeats: Mapping[str, datetime]


def sheet(tx: Tx, order_id: UUID) -> OrderSheet:
    """
    One order as its reader is shown it.

    :raises Missing: no such order
    """
    row = tx.connection.execute(select(table(OrderRow)).where(OrderRow.id == order_id)).first()
    if row is None:
        raise Missing("no such order")
    order = saving.order(row)
    latest = tx.revision(order_id, order.revision)
    before = tx.revision(order_id, order.revision - 1) if order.revision > 1 else None
    return OrderSheet(
        order=order,
        recipient=tx.recipient(order.recipient_id),
        episode=_episode(tx, order.episode_id),
        revision=latest,
        added=tuple(one for one in latest.duties if one.key in latest.added),
        dropped=tuple(one for one in (before.duties if before else ()) if one.key in latest.dropped),
        notice=_notice_of(tx, latest.decision_id),
        answers=answers(tx, order_id),
    )


def answers(tx: Tx, order_id: UUID) -> tuple[Answer, ...]:
    """Everything that was answered to this order, oldest first."""
    rows = tx.connection.execute(
        select(table(AnswerRow)).where(AnswerRow.order_id == order_id).order_by(AnswerRow.at, AnswerRow.id)
    )
    return tuple(Answer(row.revision, row.action, row.by, row.via, row.remark, row.at) for row in rows)


def own_orders(tx: Tx, recipient_id: UUID, *, limit: int = 200) -> tuple[OwnOrder, ...]:
    """A recipient's orders with their episodes, latest first."""
    rows = tx.connection.execute(
        select(table(OrderRow))
        .where(OrderRow.recipient_id == recipient_id)
        .order_by(OrderRow.issued_at.desc(), OrderRow.number)
        .limit(limit)
    ).all()
    episodes = _episodes(tx, {row.episode_id for row in rows})
    return tuple(OwnOrder(saving.order(row), episodes[row.episode_id]) for row in rows)


def announced(tx: Tx) -> tuple[Announced, ...]:
    """The last announced episode of every area that ever signed anything, top of the tree first."""
    signed = (
        select(EpisodeRow.area, func.max(EpisodeRow.opened_at).label("opened_at"))
        .where(EpisodeRow.issued_at.is_not(None))
        .group_by(EpisodeRow.area)
        .subquery()
    )
    rows = tx.connection.execute(
        select(table(EpisodeRow))
        .join(signed, and_(EpisodeRow.area == signed.c.area, EpisodeRow.opened_at == signed.c.opened_at))
        .order_by(EpisodeRow.area)
    ).all()
    areas = {one.id: one for one in tx.areas()}
    return tuple(
        Announced(areas[row.area], saving.episode(row), tuple(_approved(tx, row.id))) for row in rows if row.area in areas
    )


def reviewable(tx: Tx, area: str, *, limit: int = 200) -> tuple[Reviewable, ...]:
    """Episodes in the area and below that were ever in force, latest first, each with its review."""
    rows = tx.connection.execute(
        _below(select(table(EpisodeRow)), EpisodeRow.area, area)
        .where(EpisodeRow.issued_at.is_not(None))
        .order_by(EpisodeRow.opened_at.desc())
        .limit(limit)
    ).all()
    ids = [row.id for row in rows]
    reviews = {
        row.episode_id: saving.review(row)
        for row in tx.connection.execute(select(table(ReviewRow)).where(ReviewRow.episode_id.in_(ids)))
    }
    counts: dict[UUID, int] = {
        row[0]: row[1]
        for row in tx.connection.execute(
            select(OrderRow.episode_id, func.count()).where(OrderRow.episode_id.in_(ids)).group_by(OrderRow.episode_id)
        )
    }
    areas = {one.id: one for one in tx.areas()}
    return tuple(
        Reviewable(saving.episode(row), areas[row.area], reviews.get(row.id), counts.get(row.id, 0)) for row in rows
    )


def record(tx: Tx, episode_id: UUID) -> Record:
    """
    The record of one episode, counted.

    :raises Missing: no such episode
    """
    episode = _episode(tx, episode_id)
    decisions = tuple(
        saving.decision(row)
        for row in tx.connection.execute(
            select(table(DecisionRow)).where(DecisionRow.episode_id == episode_id).order_by(DecisionRow.proposed_at)
        )
    )
    found = tx.connection.execute(select(table(ReviewRow)).where(ReviewRow.episode_id == episode_id)).first()
    review = None if found is None else saving.review(found)
    signers = {id_ for id_ in (review and (review.drafted_by, review.signed_by, review.countersigned_by)) or () if id_}
    people = signers | {one.proposed_by for one in decisions} | {one.decided_by for one in decisions if one.decided_by}
    return Record(
        episode=episode,
        area=tx.area(episode.area),
        review=review,
        decisions=decisions,
        names=names(tx, people),
        reach=_reach(tx, episode_id),
        by_status=_counted(tx, select(OrderRow.status, func.count()).where(OrderRow.episode_id == episode_id), OrderRow.status),
        by_place=_by_place(tx, episode_id),
        messages=_messages(tx, episode_id),
        rungs=_rungs(tx, episode_id),
        tasks=_tasks(tx, episode_id),
        answers=_count(tx, select(func.count()).select_from(AnswerRow).join(OrderRow, OrderRow.id == AnswerRow.order_id).where(OrderRow.episode_id == episode_id)),
        minutes=_minutes(tx, episode_id),
    )
