"""What the duty desk asks: where the episode stands, who is silent, what is due, how the post and the feeds do."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, or_, select, true

from emergency.domain.episode import UNCLOSED, WAITING, Decision, Episode, Phase, Task
from emergency.domain.messages import Kind, State
from emergency.domain.orders import Status
from emergency.errors import Missing
from emergency.store import saving
from emergency.store.loading import real, table
from emergency.store.tables import (
    AlarmRow,
    BulletinRow,
    DecisionRow,
    EpisodeRow,
    FeedRow,
    FileRow,
    JournalRow,
    MessageRow,
    OrderRow,
    PersonRow,
    RecipientRow,
    RefusedRow,
    SlotRow,
    TaskRow,
)
from emergency.store.tables_judging import ConsultationRow
from emergency.store.tx import Tx

# an order's way, furthest first; then what stands apart, then what has ended
WAY: Final = ("in_place", "started", "acknowledged", "delivered", "sent", "waiting")
APART: Final = ("silent", "declined")
ENDED: Final = ("exempted", "lifted", "withdrawn", "resumed")
BUCKETS: Final = (*WAY, *APART, *ENDED)
_TELLING: Final = (Kind.ORDER.value, Kind.REVISION.value, Kind.REMINDER.value)  # what reaches the recipient itself
_RECENT: Final = 20_000  # journal lines looked through for the newest groups


@dataclass(frozen=True)
class Slice:
    """How many orders of one place and sector stand in one bucket."""

    area: str
    sector: str
    bucket: str
    orders: int


@dataclass(frozen=True)
class Deadline:
    """Something that must happen by a time: kind decide | task | consult | chase | end, and how many of it."""

    kind: str
    at: datetime
    about: UUID | None
    words: str
    count: int = 1


@dataclass(frozen=True)
class Post:
    """How the messages of an area are doing; moments are wall time."""

    oldest_waiting: datetime | None
    oldest_undelivered: datetime | None
    states: Mapping[str, int]
    ambiguous: int
    broken: tuple[tuple[str, str], ...]  # channel, because


@dataclass(frozen=True)
class Line:
    """Lines of the journal that say the same at the same moment, told once with their number; ``by`` "" = several."""

    what: str
    by: str
    at: datetime
    count: int
    about: str
    area: str
    more: Mapping[str, Any]


@dataclass(frozen=True)
class FeedState:
    """How one feed is doing; moments are wall time."""

    name: str
    kind: str
    every_s: int
    tried_at: datetime | None
    talked_at: datetime | None
    news_at: datetime | None
    failures: int
    because: str
    refused: int


def below(column: Any, area: str) -> ColumnElement[bool]:
    """Whether the column names the area or one below it."""
    return or_(column == area, column.startswith(area + ".", autoescape=True))


def where_now(escalated_from: int = 1) -> tuple[Any, Any]:
    """
    The bucket an order stands in, as an expression over orders, and the messages to join for it.

    A bucket is the order's status, but for one that is only issued: silent once the ladder has begun, else how far
    its message came. «Sent» and «delivered» are the provider's words, never the recipient's.
    """
    reach = (
        select(
            MessageRow.order_id.label("order_id"),
            func.max(
                case((MessageRow.state == State.DELIVERED.value, 2), (MessageRow.state == State.SENT.value, 1), else_=0)
            ).label("reach"),
        )
        .join(OrderRow, OrderRow.id == MessageRow.order_id)
        .where(MessageRow.kind.in_(_TELLING), MessageRow.revision >= OrderRow.asks_from)
        .group_by(MessageRow.order_id)
        .subquery()
    )
    bucket = case(
        (OrderRow.status != Status.ISSUED.value, OrderRow.status),
        (OrderRow.escalated >= escalated_from, "silent"),
        (reach.c.reach == 2, "delivered"),
        (reach.c.reach == 1, "sent"),
        else_="waiting",
    )
    return bucket, reach


def answers(tx: Tx, episode_id: UUID, *, area: str = "") -> tuple[Slice, ...]:
    """How the orders of an episode stand (of those in the area, when named), by place, sector and bucket."""
    bucket, reach = where_now()
    rows = tx.connection.execute(
        select(OrderRow.area, RecipientRow.sector, bucket.label("bucket"), func.count())
        .join(RecipientRow, RecipientRow.id == OrderRow.recipient_id)
        .outerjoin(reach, reach.c.order_id == OrderRow.id)
        .where(OrderRow.episode_id == episode_id, below(OrderRow.area, area) if area else true())
        .group_by(OrderRow.area, RecipientRow.sector, bucket)
    )
    return tuple(Slice(*row) for row in rows)


def counted(slices: Iterable[Slice], *, by: str = "") -> dict[str, dict[str, int]]:
    """The slices added up by ``area`` or ``sector`` (by nothing: under ""), every bucket present."""
    found: dict[str, dict[str, int]] = {}
    for one in slices:
        line = found.setdefault(getattr(one, by) if by else "", dict.fromkeys(BUCKETS, 0))
        line[one.bucket] += one.orders
    return found


def episodes(tx: Tx, area: str, *, limit: int, offset: int = 0) -> tuple[tuple[Episode, ...], int]:
    """A page of the real episodes of the area and below, newest first, and how many there are."""
    where = and_(below(EpisodeRow.area, area), EpisodeRow.exercise == "")
    total = tx.connection.execute(select(func.count()).select_from(table(EpisodeRow)).where(where)).scalar_one()
    asked = select(table(EpisodeRow)).where(where).order_by(EpisodeRow.opened_at.desc(), EpisodeRow.id)
    return tuple(saving.episode(row) for row in tx.connection.execute(asked.limit(limit).offset(offset))), int(total)


def current_episode(tx: Tx, area: str) -> Episode | None:
    """What the desk of the area is busy with: the running episode, else the last one that is not closed."""
    phases = [one.value for one in UNCLOSED]
    here = (EpisodeRow.area == area, EpisodeRow.exercise == "")
    asked = select(table(EpisodeRow)).where(*here, EpisodeRow.phase.in_(phases))
    running = case((EpisodeRow.phase.in_([Phase.OPENING.value, Phase.ACTIVE.value]), 0), else_=1)
    row = tx.connection.execute(asked.order_by(running, EpisodeRow.opened_at.desc()).limit(1)).first()
    return None if row is None else saving.episode(row)


def waiting_decisions(tx: Tx, area: str) -> tuple[Decision, ...]:
    """Suggestions and proposals of the area and below that wait for somebody, the most pressing first."""
    rows = tx.connection.execute(
        select(table(DecisionRow))
        .where(below(DecisionRow.area, area), DecisionRow.standing.in_([one.value for one in WAITING]))
        .where(real(DecisionRow.episode_id))
        .order_by(DecisionRow.decide_by)
    )
    return tuple(saving.decision(row) for row in rows)


def tasks(tx: Tx, area: str, *, done: bool = False, limit: int = 200) -> tuple[Task, ...]:
    """What the desks of the area and below must do (or have done), the most pressing (or latest) first."""
    asked = select(table(TaskRow)).where(below(TaskRow.area, area), real(TaskRow.episode_id))
    asked = asked.where(TaskRow.done_at.is_not(None) if done else TaskRow.done_at.is_(None))
    asked = asked.order_by(TaskRow.done_at.desc() if done else TaskRow.due_at).limit(limit)
    return tuple(saving.task(row) for row in tx.connection.execute(asked))


def deadlines(tx: Tx, area: str, episode: Episode | None) -> tuple[Deadline, ...]:
    """Everything with a time on it, the next first."""
    found = [
        Deadline("decide", one.decide_by, one.id, one.move.value)
        for one in waiting_decisions(tx, area)
        if one.area == area
    ]
    found += [Deadline("task", one.due_at, one.id, one.kind) for one in tasks(tx, area) if one.area == area]
    talks = tx.connection.execute(
        select(ConsultationRow.due_at, ConsultationRow.id, ConsultationRow.subject).where(
            ConsultationRow.area == area,
            ConsultationRow.concluded_at.is_(None),
            real(ConsultationRow.episode_id),
        )
    )
    found += [Deadline("consult", row.due_at, row.id, row.subject) for row in talks]
    if episode is not None:
        chased = tx.connection.execute(
            select(func.min(OrderRow.next_rung_at), func.count()).where(
                OrderRow.episode_id == episode.id, OrderRow.next_rung_at.is_not(None)
            )
        ).one()
        if chased[0] is not None:
            found.append(Deadline("chase", chased[0], None, "", int(chased[1])))
        if episode.phase is Phase.ACTIVE and episode.expected_end_at is not None:
            found.append(Deadline("end", episode.expected_end_at, episode.id, ""))
    return tuple(sorted(found, key=lambda one: one.at))


def post(tx: Tx, area: str, episode_id: UUID | None = None) -> Post:
    """How the messages of the area (of one episode, when named) are doing."""
    here = and_(below(MessageRow.area, area), MessageRow.exercise.is_(False))
    if episode_id is not None:
        here = MessageRow.episode_id == episode_id
    states = {
        str(row[0]): int(row[1])
        for row in tx.connection.execute(select(MessageRow.state, func.count()).where(here).group_by(MessageRow.state))
    }
    on_way = MessageRow.state.in_([State.READY.value, State.SENDING.value])
    oldest = select(func.min(MessageRow.due_at)).where(here)
    ambiguous = select(func.count()).select_from(table(MessageRow)).where(here, MessageRow.ambiguous.is_(True))
    broken = tx.connection.execute(
        select(SlotRow.channel, SlotRow.because)
        .where(SlotRow.broken_until.is_not(None), SlotRow.because != "")
        .distinct()
    )
    return Post(
        oldest_waiting=tx.connection.execute(oldest.where(on_way)).scalar(),
        oldest_undelivered=tx.connection.execute(oldest.where(MessageRow.state == State.SENT.value)).scalar(),
        states=states,
        ambiguous=int(tx.connection.execute(ambiguous).scalar_one()),
        broken=tuple((row.channel, row.because) for row in broken),
    )


def alarms(tx: Tx, area: str) -> tuple[tuple[str, str, datetime], ...]:
    """Alarms that stand, of the area, below it, and of the installation: name, detail, since."""
    rows = tx.connection.execute(
        select(AlarmRow.name, AlarmRow.detail, AlarmRow.since)
        .where(AlarmRow.over_at.is_(None), or_(AlarmRow.area == "", below(AlarmRow.area, area)))
        .order_by(AlarmRow.since)
    )
    return tuple((row.name, row.detail, row.since) for row in rows)


def journal(tx: Tx, *, area: str = "", episode_id: UUID | None = None, limit: int = 40) -> tuple[Line, ...]:
    """The newest lines of an episode or of an area, those of one moment and kind told once."""
    where: ColumnElement[bool] = and_(
        or_(JournalRow.area == "", below(JournalRow.area, area)), real(JournalRow.episode_id)
    )
    if episode_id is not None:
        where = JournalRow.episode_id == episode_id
    newest = tx.connection.execute(select(func.max(JournalRow.id))).scalar() or 0
    groups = tx.connection.execute(
        select(
            func.max(JournalRow.id).label("id"),
            func.count().label("lines"),
            func.count(func.distinct(JournalRow.by)).label("people"),
        )
        .where(where, JournalRow.id > newest - _RECENT)
        .group_by(JournalRow.what, JournalRow.at)
        .order_by(func.max(JournalRow.id).desc())
        .limit(limit)
    ).all()
    rows = {
        row.id: row
        for row in tx.connection.execute(select(table(JournalRow)).where(JournalRow.id.in_([one.id for one in groups])))
    }
    found = []
    for group in groups:
        row = rows[group.id]
        more = json.loads(row.entry).get("more") or {}
        by = row.by if group.people == 1 else ""
        found.append(Line(row.what, by, row.at, int(group.lines), row.about, row.area, more))
    return tuple(found)


def feeds(tx: Tx) -> tuple[FeedState, ...]:
    """How every feed is doing, and how many of its records were refused."""
    refused = {
        str(row[0]): int(row[1])
        for row in tx.connection.execute(select(RefusedRow.feed, func.count()).group_by(RefusedRow.feed))
    }
    return tuple(
        FeedState(
            row.name, row.kind, row.every_s, row.tried_at, row.talked_at, row.news_at, row.failures, row.because,
            refused.get(row.name, 0),
        )
        for row in tx.connection.execute(select(table(FeedRow)).order_by(FeedRow.name))
    )  # fmt: skip


def refused_records(tx: Tx, *, limit: int = 100) -> tuple[tuple[str, str, str, str, datetime], ...]:
    """The latest records that were not taken in: feed, where, value, why, when."""
    rows = tx.connection.execute(select(table(RefusedRow)).order_by(RefusedRow.id.desc()).limit(limit))
    return tuple((row.feed, row.place, row.value, row.reason, row.at) for row in rows)


def names(tx: Tx) -> dict[str, str]:
    """Sign-in name and id of everybody → name with title, for the journal and the signatures."""
    found: dict[str, str] = {}
    for row in tx.connection.execute(select(PersonRow.id, PersonRow.login, PersonRow.name, PersonRow.title)):
        found[row.login] = found[str(row.id)] = f"{row.name}（{row.title}）" if row.title else row.name
    return found


def bulletins(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, Any]:
    """These announcements, with who entered them and when."""
    asked = select(table(BulletinRow)).where(BulletinRow.id.in_(list(ids)))
    return {row.id: (saving.bulletin(row), row.entered_by, row.entered_at) for row in tx.connection.execute(asked)}


def file_if_kept(tx: Tx, sha256: str) -> tuple[str, str, int] | None:
    """What is known of a kept file; None when there is none of this hash."""
    try:
        return file(tx, sha256)
    except Missing:
        return None


def file(tx: Tx, sha256: str) -> tuple[str, str, int]:
    """
    What is known of a kept file: name, content type, size in bytes.

    :raises Missing: no such file
    """
    row = tx.connection.execute(select(table(FileRow)).where(FileRow.sha256 == sha256)).first()
    if row is None:
        raise Missing("no such file")
    return row.name, row.content_type, row.size
