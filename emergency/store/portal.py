"""What recipients, citizens and machines ask to see; the answers are plain values and nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, inspect, or_, select, text

from emergency.domain.binding import dropped_by, stretches
from emergency.domain.episode import Decision, Episode, Standing
from emergency.domain.messages import PORTAL, State, portal_address
from emergency.domain.orders import LIVE, Duty, Order, Recipient, Revision, Status
from emergency.domain.people import Area
from emergency.errors import Missing
from emergency.store import saving
from emergency.store.loading import real, table
from emergency.store.tables import (
    AnswerRow,
    ContactRow,
    DecisionRow,
    EpisodeRow,
    HeartbeatRow,
    JournalRow,
    LinkRow,
    MessageRow,
    OrderRow,
    RevisionRow,
)
from emergency.store.tables_judging import OpenedRow
from emergency.store.tx import Tx


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

    ``added`` and ``dropped`` are the duties by which the revision that asks for an answer differs from the one before
    it; ``decision`` is the signed one that caused the latest revision, with its notice.
    """

    order: Order
    recipient: Recipient
    episode: Episode
    revision: Revision
    added: tuple[Duty, ...]
    dropped: tuple[Duty, ...]
    decision: Decision
    answers: tuple[Answer, ...]
    asking: Revision  # the revision that asks for an answer
    stretches: tuple[Duty, ...] = ()  # of an order with several revisions: each duty with the hours it bound
    waits: bool = False  # its latest notice waits for the one before it


@dataclass(frozen=True)
class OwnOrder:
    """One line of a recipient's own list."""

    order: Order
    episode: Episode


@dataclass(frozen=True)
class PortalNotice:
    """A notice that was put in a recipient's account, and the order it is about, if that is one."""

    text: str
    kind: str
    at: datetime
    order_id: UUID | None


@dataclass(frozen=True)
class Announced:
    """What one area last announced: the episode, and the signed decisions of it, oldest first."""

    area: Area
    episode: Episode
    decisions: tuple[Decision, ...]


@dataclass(frozen=True)
class Figures:
    """What a machine that watches us wants counted; moments are wall time."""

    messages: Mapping[tuple[str, str], int]  # (channel, state) → how many
    orders: Mapping[str, int]  # status → how many
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
    asking = tx.revision(order_id, order.asks_from)
    changed, given = asking.kind == "revision", revisions(tx, order_id) if order.revision > 1 else ()
    before = [duty for one in given if one.number < asking.number for duty in one.duties] if changed else []
    caused = tx.connection.execute(select(table(DecisionRow)).where(DecisionRow.id == latest.decision_id)).one()
    return OrderSheet(
        order=order,
        recipient=tx.recipient(order.recipient_id),
        episode=episode(tx, order.episode_id),
        revision=latest,
        added=tuple(one for one in asking.duties if changed and one.key in asking.added),
        dropped=dropped_by(before, asking),
        decision=saving.decision(caused),
        answers=answers(tx, order_id),
        asking=asking,
        stretches=stretches(given),
        waits=order.revision > 1 and _notice_waits(tx, order_id),
    )


def revisions(tx: Tx, order_id: UUID) -> tuple[Revision, ...]:
    """Every revision of this order, the first one first."""
    asked = select(table(RevisionRow)).where(RevisionRow.order_id == order_id).order_by(RevisionRow.number)
    return tuple(saving.revision(row) for row in tx.connection.execute(asked))


def _notice_waits(tx: Tx, order_id: UUID) -> bool:
    asked = select(MessageRow.id).where(MessageRow.order_id == order_id, MessageRow.waits_for.is_not(None))
    return tx.connection.execute(asked.limit(1)).first() is not None


def revoked(tx: Tx, token_sha256: str) -> bool:
    """Whether a phone link with this hash exists and was taken back."""
    row = tx.connection.execute(select(LinkRow.revoked_at).where(LinkRow.token_sha256 == token_sha256)).first()
    return row is not None and row.revoked_at is not None


def answers(tx: Tx, order_id: UUID) -> tuple[Answer, ...]:
    """Everything that was answered to this order, oldest first."""
    rows = tx.connection.execute(
        select(table(AnswerRow)).where(AnswerRow.order_id == order_id).order_by(AnswerRow.at, AnswerRow.id)
    )
    return tuple(Answer(row.revision, row.action, row.by, row.via, row.remark, row.at) for row in rows)


def own_orders(tx: Tx, recipient_id: UUID, *, limit: int = 200) -> tuple[OwnOrder, ...]:
    """A recipient's orders with their episodes, latest first; an exercise's only where its wall was opened to them."""
    rows = tx.connection.execute(
        select(table(OrderRow))
        .where(OrderRow.recipient_id == recipient_id)
        .where(or_(real(OrderRow.episode_id), OrderRow.episode_id.in_(_open_to(recipient_id))))
        .order_by(OrderRow.issued_at.desc(), OrderRow.number)
        .limit(limit)
    ).all()
    episodes = {
        row.id: saving.episode(row)
        for row in tx.connection.execute(
            select(table(EpisodeRow)).where(EpisodeRow.id.in_({row.episode_id for row in rows}))
        )
    }
    return tuple(OwnOrder(saving.order(row), episodes[row.episode_id]) for row in rows)


def notices(tx: Tx, recipient_id: UUID, *, now: datetime, limit: int = 20) -> tuple[PortalNotice, ...]:
    """What was put in the recipient's account about orders that still run, the newest first."""
    rows = tx.connection.execute(
        select(MessageRow.text, MessageRow.kind, MessageRow.put_at, MessageRow.order_id)
        .join(OrderRow, OrderRow.id == MessageRow.order_id, isouter=True)
        .where(
            MessageRow.to == portal_address(recipient_id),
            MessageRow.channel == PORTAL,
            MessageRow.state != State.CANCELLED.value,
            or_(
                MessageRow.order_id.is_(None),
                OrderRow.status.in_([one.value for one in LIVE]),
                and_(OrderRow.status == Status.LIFTED.value, OrderRow.lifted_at > now),
            ),
        )
        .order_by(MessageRow.put_at.desc(), MessageRow.id)
        .limit(limit)
    )
    return tuple(PortalNotice(row.text, row.kind, row.put_at, row.order_id) for row in rows)


def _open_to(recipient_id: UUID) -> Select[UUID]:
    """Episodes of exercises that two people opened to one of the recipient's contacts."""
    return (
        select(EpisodeRow.id)
        .join(OpenedRow, OpenedRow.exercise_id == EpisodeRow.exercise)
        .join(ContactRow, ContactRow.phone == OpenedRow.address)
        .where(ContactRow.recipient_id == recipient_id, OpenedRow.confirmed_at.is_not(None))
    )


def episode(tx: Tx, episode_id: UUID) -> Episode:
    """
    An episode, looked at and not locked.

    :raises Missing: no such episode
    """
    row = tx.connection.execute(select(table(EpisodeRow)).where(EpisodeRow.id == episode_id)).first()
    if row is None:
        raise Missing("no such episode")
    return saving.episode(row)


def decisions(tx: Tx, episode_ids: Iterable[UUID]) -> tuple[Decision, ...]:
    """Every decision of these episodes, in the order they were proposed; looked at and not locked."""
    rows = tx.connection.execute(
        select(table(DecisionRow))
        .where(DecisionRow.episode_id.in_(list(episode_ids)))
        .order_by(DecisionRow.proposed_at, DecisionRow.id)
    )
    return tuple(saving.decision(row) for row in rows)


def announced(tx: Tx) -> tuple[Announced, ...]:
    """The last announced real episode of every area that ever signed anything, top of the tree first."""
    latest = (
        select(EpisodeRow.area, func.max(EpisodeRow.opened_at).label("opened_at"))
        .where(EpisodeRow.issued_at.is_not(None), EpisodeRow.exercise == "")
        .group_by(EpisodeRow.area)
        .subquery()
    )
    rows = tx.connection.execute(
        select(table(EpisodeRow))
        .join(latest, and_(EpisodeRow.area == latest.c.area, EpisodeRow.opened_at == latest.c.opened_at))
        .where(EpisodeRow.exercise == "")
        .order_by(EpisodeRow.area)
    ).all()
    areas = {one.id: one for one in tx.areas()}
    signed = [one for one in decisions(tx, [row.id for row in rows]) if one.standing is Standing.APPROVED]
    return tuple(
        Announced(
            areas[row.area],
            saving.episode(row),
            tuple(sorted((one for one in signed if one.episode_id == row.id), key=_signed_at)),
        )
        for row in rows
    )


def _signed_at(one: Decision) -> datetime:
    return one.decided_at or one.proposed_at


def orders_by_status(tx: Tx, episode_id: UUID) -> dict[str, int]:
    """How many of the episode's orders stand where."""
    rows = tx.connection.execute(
        select(OrderRow.status, func.count()).where(OrderRow.episode_id == episode_id).group_by(OrderRow.status)
    )
    return {str(row[0]): int(row[1]) for row in rows}


def figures(tx: Tx) -> Figures:
    """The post, the orders and the heartbeats, counted now."""
    messages = tx.connection.execute(
        select(MessageRow.channel, MessageRow.state, func.count()).group_by(MessageRow.channel, MessageRow.state)
    )
    orders = tx.connection.execute(
        select(OrderRow.status, func.count()).where(real(OrderRow.episode_id)).group_by(OrderRow.status)
    )
    beats = tx.connection.execute(select(HeartbeatRow.name, HeartbeatRow.at))
    return Figures(
        messages={(row[0], row[1]): row[2] for row in messages},
        orders={row[0]: row[1] for row in orders},
        oldest_ready=tx.outbox.oldest_ready(),
        heartbeats={row[0]: row[1] for row in beats},
    )


def schema_version(tx: Tx) -> str:
    """The migration the tables stand at; empty when none was ever run."""
    if not inspect(tx.connection).has_table("alembic_version"):
        return ""
    return str(tx.connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def taken(tx: Tx, about: str) -> str | None:
    """The journal's text of a delivery taken in under this key before, or None."""
    found: Any = tx.connection.execute(
        select(JournalRow.entry)
        .where(JournalRow.about == about, JournalRow.what == "api.taken")
        .order_by(JournalRow.id)
        .limit(1)
    ).scalar()
    return None if found is None else str(found)
