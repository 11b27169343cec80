"""What the page of dead letters asks: messages that gave up, those whose fate nobody knows, and each try at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, insert, or_, select, update

from emergency.domain.letters import Verdict
from emergency.domain.messages import Message, State, Uncertain
from emergency.domain.orders import Order
from emergency.store import saving
from emergency.store.desk import below
from emergency.store.loading import table
from emergency.store.tables import AttemptRow, EpisodeRow, MessageRow, OrderRow, RecipientRow
from emergency.store.tables_posting import SettlementRow
from emergency.store.tx import Tx

AT_ONCE: Final = 500  # messages named in one statement
REASONS: Final = 40  # offered by the filter: gateways word the same thing in many ways


class Fate(StrEnum):
    """Which letters are asked for."""

    FAILED = "failed"  # 已放弃: the system tries no more
    UNCLEAR = "unclear"  # 结果不明: perhaps it arrived, perhaps twice
    SETTLED = "settled"  # 已有结论: by a person, or by the provider's receipt after all


@dataclass(frozen=True)
class Wanted:
    """Which letters are asked for: of the area and below, real ones unless an episode is named; empty asks nothing."""

    area: str
    fate: Fate = Fate.FAILED
    channel: str = ""
    town: str = ""
    episode_id: UUID | None = None
    because: str = ""


@dataclass(frozen=True)
class Attempt:
    """One try: when (wall), by whom, what became of it, and how long until the next; None = there is no next."""

    number: int
    at: datetime
    provider: str
    outcome: str
    because: str
    wait: timedelta | None


@dataclass(frozen=True)
class Settlement:
    """What a person found out, when (wall) and why."""

    verdict: Verdict
    because: str
    by: str
    at: datetime


@dataclass(frozen=True)
class Letter:
    """One message with its story; ``desk`` is the area whose desk may act on it, ``unclear`` that nobody knows."""

    message: Message
    unclear: bool
    recipient: str
    order: Order | None
    desk: str
    attempts: tuple[Attempt, ...]
    settlements: tuple[Settlement, ...]


_SETTLED_LATER = exists().where(SettlementRow.message_id == AttemptRow.message_id, SettlementRow.at >= AttemptRow.at)
_DOUBTED = select(AttemptRow.message_id).where(AttemptRow.outcome == Uncertain.__name__.lower())
_OPEN_DOUBT = MessageRow.id.in_(_DOUBTED.where(~_SETTLED_LATER))
_ANY_SETTLEMENT = exists().where(SettlementRow.message_id == MessageRow.id)
_EVER_OPEN = MessageRow.id.in_(select(SettlementRow.message_id).union(_DOUBTED))  # few, and found by their index
_FATES: Final[Mapping[Fate, ColumnElement[bool]]] = {
    Fate.FAILED: and_(MessageRow.state == State.FAILED.value, ~_OPEN_DOUBT, ~_ANY_SETTLEMENT),
    Fate.UNCLEAR: and_(
        MessageRow.state != State.DELIVERED.value,
        _OPEN_DOUBT,
    ),
    Fate.SETTLED: and_(_EVER_OPEN, or_(MessageRow.state == State.DELIVERED.value, and_(_ANY_SETTLEMENT, ~_OPEN_DOUBT))),
}


def found(tx: Tx, wanted: Wanted, *, limit: int, offset: int = 0) -> tuple[tuple[Letter, ...], int]:
    """A page of the letters asked for, the newest first, and how many there are."""
    asked = _ids(wanted)
    total = tx.connection.execute(select(func.count()).select_from(asked.subquery())).scalar_one()
    newest = asked.order_by(MessageRow.put_at.desc(), MessageRow.id).limit(limit).offset(offset)
    return letters(tx, [row.id for row in tx.connection.execute(newest)]), int(total)


def counts(tx: Tx, wanted: Wanted) -> dict[Fate, int]:
    """How many letters of each fate the same filter has."""
    return {fate: count(tx, wanted, fate) for fate in Fate}


def count(tx: Tx, wanted: Wanted, fate: Fate) -> int:
    """How many letters of this fate the filter has."""
    asked = _narrowed(select(func.count()).select_from(MessageRow), wanted, fate)
    return int(tx.connection.execute(asked).scalar_one())


def every(tx: Tx, wanted: Wanted, *, desk: str) -> list[UUID]:
    """The ids of all the letters asked for that this desk or one below it may act on, the oldest first."""
    asked = _ids(wanted).where(below(func.coalesce(EpisodeRow.area, MessageRow.area), desk))
    return [row.id for row in tx.connection.execute(asked.order_by(MessageRow.put_at, MessageRow.id))]


def choices(tx: Tx, wanted: Wanted) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Channels, areas and reasons that occur among the letters of this fate, for the filter."""
    bare = Wanted(area=wanted.area, fate=wanted.fate, episode_id=wanted.episode_id)
    channels = _narrowed(select(MessageRow.channel).distinct(), bare, bare.fate)
    areas = _narrowed(select(MessageRow.area).distinct(), bare, bare.fate)
    reasons = _narrowed(select(MessageRow.because), bare, bare.fate).where(MessageRow.because != "")
    most = tx.connection.execute(
        reasons.group_by(MessageRow.because).order_by(func.count().desc(), MessageRow.because).limit(REASONS)
    )
    return (
        tuple(sorted(row.channel for row in tx.connection.execute(channels))),
        tuple(sorted(row.area for row in tx.connection.execute(areas))),
        tuple(row.because for row in most),
    )


def letters(tx: Tx, ids: Sequence[UUID]) -> tuple[Letter, ...]:
    """These messages with their stories, in this order; ids of nothing are left out."""
    if not ids:
        return ()
    rows = {
        row.id: row
        for row in tx.connection.execute(
            select(
                table(MessageRow),
                RecipientRow.name.label("recipient"),
                EpisodeRow.area.label("desk"),
                _OPEN_DOUBT.label("unclear"),
            )
            .join(OrderRow, OrderRow.id == MessageRow.order_id, isouter=True)
            .join(RecipientRow, RecipientRow.id == OrderRow.recipient_id, isouter=True)
            .join(EpisodeRow, EpisodeRow.id == MessageRow.episode_id, isouter=True)
            .where(MessageRow.id.in_(ids))
        )
    }
    orders, tries, settled = _orders(tx, rows), _attempts(tx, rows), _settlements(tx, ids)
    return tuple(
        Letter(
            message=saving.message(row),
            unclear=bool(row.unclear) and row.state != State.DELIVERED.value,
            recipient=row.recipient or "",
            order=orders.get(row.order_id),
            desk=row.desk or row.area,
            attempts=tries.get(row.id, ()),
            settlements=settled.get(row.id, ()),
        )
        for row in (rows[one] for one in ids if one in rows)
    )


def put_back(tx: Tx, ids: Sequence[UUID], *, wall: datetime) -> list[UUID]:
    """
    Put these back in the post under their own keys, if they have given up; those that went. They start anew, but for
    a doubt: it stays, and with it the provider that may have the message.
    """
    went: list[UUID] = []
    for start in range(0, len(ids), AT_ONCE):
        done = tx.connection.execute(
            update(MessageRow)
            .where(MessageRow.id.in_(ids[start : start + AT_ONCE]), MessageRow.state == State.FAILED.value)
            .values(state=State.READY.value, due_at=wall, attempts=0, put_back_at=wall)
            .returning(MessageRow.id)
        )
        went += [row.id for row in done]
    return went


def keep_settlement(tx: Tx, message_id: UUID, one: Settlement) -> None:
    """Write down what a person found out; the message is in doubt no more."""
    tx.connection.execute(
        insert(table(SettlementRow)).values(
            message_id=message_id, verdict=one.verdict.value, because=one.because, by=one.by, at=one.at
        )
    )
    tx.connection.execute(update(MessageRow).where(MessageRow.id == message_id).values(ambiguous=False))


def _ids(wanted: Wanted) -> Select[Any]:
    return _narrowed(select(MessageRow.id), wanted, wanted.fate)


def _narrowed(asked: Select[Any], wanted: Wanted, fate: Fate) -> Select[Any]:
    asked = asked.join(EpisodeRow, EpisodeRow.id == MessageRow.episode_id, isouter=True)
    asked = asked.where(or_(below(MessageRow.area, wanted.area), below(EpisodeRow.area, wanted.area)), _FATES[fate])
    if wanted.episode_id is None:
        asked = asked.where(MessageRow.exercise.is_(False))
    else:
        asked = asked.where(MessageRow.episode_id == wanted.episode_id)
    if wanted.channel:
        asked = asked.where(MessageRow.channel == wanted.channel)
    if wanted.town:
        asked = asked.where(below(MessageRow.area, wanted.town))
    if wanted.because:
        asked = asked.where(MessageRow.because == wanted.because)
    return asked


def _orders(tx: Tx, rows: Mapping[UUID, Any]) -> dict[UUID, Order]:
    ids = {row.order_id for row in rows.values() if row.order_id}
    asked = select(table(OrderRow)).where(OrderRow.id.in_(ids))
    return {row.id: saving.order(row) for row in tx.connection.execute(asked)} if ids else {}


def _attempts(tx: Tx, rows: Mapping[UUID, Any]) -> dict[UUID, tuple[Attempt, ...]]:
    tries: dict[UUID, list[Any]] = {}
    asked = select(table(AttemptRow)).where(AttemptRow.message_id.in_(list(rows))).order_by(AttemptRow.id)
    for row in tx.connection.execute(asked):
        tries.setdefault(row.message_id, []).append(row)
    return {one: _told(some, rows[one]) for one, some in tries.items()}


def _told(some: Sequence[Any], message: Any) -> tuple[Attempt, ...]:
    """The tries in the order they were made, each with the wait that followed; the last waits while it is ready."""
    nexts = [row.at for row in some[1:]] + [message.due_at if message.state == State.READY.value else None]
    return tuple(
        Attempt(
            number=number,
            at=row.at,
            provider=row.provider or message.channel,
            outcome=row.outcome,
            because=row.because,
            wait=None if following is None else max(following - row.at, timedelta()),
        )
        for number, (row, following) in enumerate(zip(some, nexts, strict=True), 1)
    )


def _settlements(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, tuple[Settlement, ...]]:
    found: dict[UUID, tuple[Settlement, ...]] = {}
    asked = select(table(SettlementRow)).where(SettlementRow.message_id.in_(ids)).order_by(SettlementRow.id)
    for row in tx.connection.execute(asked):
        one = Settlement(Verdict(row.verdict), row.because, row.by, row.at)
        found[row.message_id] = (*found.get(row.message_id, ()), one)
    return found
