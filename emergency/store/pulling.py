"""What a machine's key reaches: its own recipients, their orders by the page, and the mark by which a page is known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, or_, select

from emergency.domain.binding import stretches
from emergency.domain.episode import Decision, Episode
from emergency.domain.ladder import Notice
from emergency.domain.orders import Duty, Order, Revision, live_at
from emergency.errors import Missing
from emergency.store import auditing, chasing, saving
from emergency.store.loading import table
from emergency.store.tables import EpisodeRow, OrderRow, RecipientRow
from emergency.store.tx import Tx


@dataclass(frozen=True)
class Own:
    """One recipient a key is tied to."""

    id: UUID
    name: str
    credit_code: str


@dataclass(frozen=True)
class Page:
    """
    Some of their orders, issued last first; ``more`` when there are older ones.

    ``mark`` is another as soon as anything is that :func:`sheets` would say of them.
    """

    orders: tuple[Order, ...]
    episodes: Mapping[UUID, Episode]
    notices: Mapping[UUID, Notice]
    mark: str
    more: bool = False


@dataclass(frozen=True)
class Sheet:
    """
    An order as a machine reads it.

    ``duties``: all it ever asked, each with the hours over which it binds. ``asking`` is the revision that asks for an
    answer, ``latest`` may be a mere line of information after it; ``decision`` is the signed one behind the latest.
    """

    order: Order
    own: Own
    episode: Episode
    latest: Revision
    asking: Revision
    duties: tuple[Duty, ...]
    decision: Decision
    notice: Notice


def own(tx: Tx, names: Collection[str]) -> dict[UUID, Own]:
    """The recipients with these ids or credit codes; a name that is nobody's reaches nobody."""
    ids = {found for one in names if (found := _id(one)) is not None}
    codes = {one.upper() for one in names if one and _id(one) is None}
    by = ((RecipientRow.id, ids), (RecipientRow.credit_code, codes))
    if not (ids or codes):
        return {}
    rows = tx.connection.execute(
        select(RecipientRow.id, RecipientRow.name, RecipientRow.credit_code)
        .where(or_(*(column.in_(some) for column, some in by if some)))
        .order_by(RecipientRow.id)
    )
    return {row.id: Own(row.id, row.name, row.credit_code) for row in rows}


def _id(said: str) -> UUID | None:
    try:
        return UUID(said)
    except ValueError:
        return None


def page(tx: Tx, mine: Mapping[UUID, Own], *, limit: int, now: datetime, after: UUID | None = None) -> Page:
    """
    So many of their orders, those ``after`` the last one of the page before; never an exercise's.

    :raises Missing: ``after`` is no order of theirs
    """
    asked = _theirs(mine).order_by(OrderRow.issued_at.desc(), OrderRow.id).limit(limit + 1)
    if after is not None:
        last = tx.connection.execute(_theirs(mine).where(OrderRow.id == after)).first()
        if last is None:
            raise Missing("no order of theirs")
        at_once = and_(OrderRow.issued_at == last.issued_at, OrderRow.id > after)
        asked = asked.where(or_(OrderRow.issued_at < last.issued_at, at_once))
    rows = tx.connection.execute(asked).all()
    return _page(tx, mine, rows[:limit], now=now, more=len(rows) > limit)


def one(tx: Tx, mine: Mapping[UUID, Own], order_id: UUID, *, now: datetime) -> Page:
    """
    This one of their orders.

    :raises Missing: it is none of theirs, or an exercise's
    """
    rows = tx.connection.execute(_theirs(mine).where(OrderRow.id == order_id)).all()
    if not rows:
        raise Missing("no order of theirs")
    return _page(tx, mine, rows, now=now)


def _theirs(mine: Mapping[UUID, Own]) -> Select[Any]:
    """Their orders; a system that acts by itself is never handed an exercise's."""
    return (
        select(table(OrderRow))
        .join(EpisodeRow, EpisodeRow.id == OrderRow.episode_id)
        .where(OrderRow.recipient_id.in_(list(mine)), OrderRow.issued_at.is_not(None), EpisodeRow.exercise == "")
    )


def _page(tx: Tx, mine: Mapping[UUID, Own], rows: Any, *, now: datetime, more: bool = False) -> Page:
    orders = tuple(saving.order(row) for row in rows)
    asked = select(table(EpisodeRow)).where(EpisodeRow.id.in_({one.episode_id for one in orders}))
    episodes = {row.id: saving.episode(row) for row in tx.connection.execute(asked)}
    notices = chasing.notices(tx, orders)
    sent = {one.id: notices.get(one.id, Notice()).sent_at for one in orders}
    made_of = [
        (one.id, one.version, live_at(one, now), episodes[one.episode_id].version, sent[one.id]) for one in orders
    ]
    said = json.dumps([[vars(one) for one in mine.values()], made_of, more], default=str, ensure_ascii=False)
    return Page(orders, episodes, notices, hashlib.sha256(said.encode()).hexdigest()[:32], more)


def sheets(tx: Tx, mine: Mapping[UUID, Own], found: Page) -> list[Sheet]:
    """What a page's orders say, in so many statements however many they are."""
    revisions = auditing.revisions_of(tx, found.orders)
    latest = {one.id: revisions[one.id, one.revision] for one in found.orders}
    decisions = auditing.decisions_called(tx, {one.decision_id for one in latest.values()})
    return [
        Sheet(
            order=one,
            own=mine[one.recipient_id],
            episode=found.episodes[one.episode_id],
            latest=latest[one.id],
            asking=revisions[one.id, one.asks_from],
            duties=stretches([revisions[one.id, number] for number in range(1, one.revision + 1)]),
            decision=decisions[latest[one.id].decision_id],
            notice=found.notices.get(one.id, Notice()),
        )
        for one in found.orders
    ]
