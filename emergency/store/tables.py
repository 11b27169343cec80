"""The rows: what is kept, under which names, and the indexes where sweeps and claims look."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class Instant(TypeDecorator[datetime]):
    """An aware moment, kept in UTC; a naive one is refused on the way in, UTC is restored on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database: UTC; SQLite keeps no zone, so it gets none."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r} cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database: aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Json = JSON().with_variant(JSONB(), "postgresql")
Serial = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """One naming convention, so that a migration can name every constraint it drops."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: Instant, dict[str, Any]: Json, list[Any]: Json, str: String}  # noqa: RUF012 - read by SQLAlchemy


class AreaRow(Base):
    """A node of the area tree."""

    __tablename__ = "areas"
    id: Mapped[str] = mapped_column(String(200), primary_key=True)
    name: Mapped[str]
    name_en: Mapped[str]
    kind: Mapped[str] = mapped_column(String(20))
    plan_id: Mapped[str | None]


class PersonRow(Base):
    """Somebody with a sign-in; the password is an argon2 hash."""

    __tablename__ = "people"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str]
    area: Mapped[str] = mapped_column(ForeignKey("areas.id"))
    role: Mapped[str] = mapped_column(String(20))
    rank: Mapped[int]
    title: Mapped[str]
    phone: Mapped[str]
    recipient_id: Mapped[UUID | None]
    active: Mapped[bool]
    password_hash: Mapped[str]


class RecipientRow(Base):
    """An enterprise or unit on the list."""

    __tablename__ = "recipients"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    area: Mapped[str] = mapped_column(ForeignKey("areas.id"))
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str]
    sector: Mapped[str] = mapped_column(String(40))
    category: Mapped[str] = mapped_column(String(30))
    grade: Mapped[str] = mapped_column(String(20))
    tracker: Mapped[str]
    measures: Mapped[dict[str, Any] | None]
    sample: Mapped[bool]
    permit_has_special_period: Mapped[bool | None]
    credit_code: Mapped[str] = mapped_column(String(18), server_default="")
    measures_whole: Mapped[bool] = mapped_column(server_default=false())
    off_list: Mapped[bool] = mapped_column(server_default=false())  # no list in force has it: kept for its past orders
    note: Mapped[str] = mapped_column(Text)
    __table_args__ = (Index(None, "area", "kind"), Index(None, "sector"), Index(None, "credit_code"))


class ContactRow(Base):
    """One person to reach at a recipient."""

    __tablename__ = "contacts"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    recipient_id: Mapped[UUID] = mapped_column(ForeignKey("recipients.id"))
    name: Mapped[str]
    role: Mapped[str]
    phone: Mapped[str] = mapped_column(String(40))
    order: Mapped[int]
    __table_args__ = (Index(None, "recipient_id", "order"),)


class RawRow(Base):
    """A feed's message as it came, once by its hash."""

    __tablename__ = "raw_messages"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    feed: Mapped[str] = mapped_column(String(40))
    received_at: Mapped[datetime]
    body: Mapped[bytes] = mapped_column(LargeBinary)


class RefusedRow(Base):
    """One record of a feed that was not taken in, and why."""

    __tablename__ = "refused_records"
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    feed: Mapped[str] = mapped_column(String(40))
    raw_sha256: Mapped[str] = mapped_column(String(64))
    place: Mapped[str]
    value: Mapped[str]
    reason: Mapped[str]
    at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("feed", "raw_sha256", "place", "value"), Index(None, "feed", "at"))


class FeedRow(Base):
    """How a feed has been doing."""

    __tablename__ = "feed_states"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    every_s: Mapped[int]
    tried_at: Mapped[datetime | None]
    talked_at: Mapped[datetime | None]  # last good answer
    news_at: Mapped[datetime | None]  # last answer with something new in it
    failures: Mapped[int]
    because: Mapped[str] = mapped_column(Text)


class ForecastRow(Base):
    """A forecast as it came; another content under the same issue time is a further revision, and the last counts."""

    __tablename__ = "forecasts"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    feed: Mapped[str] = mapped_column(String(40))
    place: Mapped[str]
    issued_at: Mapped[datetime]
    revision: Mapped[int]  # from 1
    received_at: Mapped[datetime]
    days: Mapped[list[Any]]
    label: Mapped[str]
    confidence: Mapped[float | None]
    raw_sha256: Mapped[str] = mapped_column(String(64))
    hours: Mapped[list[Any]]
    __table_args__ = (UniqueConstraint("feed", "place", "issued_at", "revision"), Index(None, "place", "issued_at"))


class ObservationRow(Base):
    """Measured air of one place and period, kept once; a corrected value replaces it with a fact of its own."""

    __tablename__ = "observations"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    feed: Mapped[str] = mapped_column(String(40))
    place: Mapped[str]
    period: Mapped[str] = mapped_column(String(8))
    at: Mapped[datetime]
    day: Mapped[date] = mapped_column(Date)
    values: Mapped[dict[str, Any]]
    aqi: Mapped[int | None]
    primary: Mapped[list[Any]]
    standard: Mapped[str]
    received_at: Mapped[datetime]
    raw_sha256: Mapped[str] = mapped_column(String(64))
    __table_args__ = (UniqueConstraint("feed", "place", "period", "at"), Index(None, "place", "period", "at"))


class BulletinRow(Base):
    """The level above's announcement as entered."""

    __tablename__ = "bulletins"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    area: Mapped[str] = mapped_column(ForeignKey("areas.id"))
    number: Mapped[str]
    issuer: Mapped[str]
    action: Mapped[str] = mapped_column(String(20))
    level: Mapped[int]
    areas_covered: Mapped[list[Any]]
    issued_at: Mapped[datetime]
    effective_at: Mapped[datetime]
    received_at: Mapped[datetime]
    expected_end_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Text)
    scan_sha256: Mapped[str] = mapped_column(String(64))
    exercise: Mapped[str] = mapped_column(String(36))  # empty for a real one
    entered_by: Mapped[UUID]
    entered_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("area", "number", "action"),)


class FileRow(Base):
    """A file kept by its hash; the bytes lie in the data folder."""

    __tablename__ = "files"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]
    content_type: Mapped[str] = mapped_column(String(80))
    size: Mapped[int] = mapped_column(BigInteger)
    area: Mapped[str]
    by: Mapped[str]
    at: Mapped[datetime]


class PlanRow(Base):
    """A plan as it read when an episode opened under it."""

    __tablename__ = "plan_copies"
    sha: Mapped[str] = mapped_column(String(64), primary_key=True)
    plan_id: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
    kept_at: Mapped[datetime]


class EpisodeRow(Base):
    """One episode of one area."""

    __tablename__ = "episodes"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    area: Mapped[str] = mapped_column(ForeignKey("areas.id"))
    plan_id: Mapped[str]
    plan_sha: Mapped[str] = mapped_column(String(64))
    phase: Mapped[str] = mapped_column(String(20))
    level: Mapped[int]
    number: Mapped[str]
    label: Mapped[str]
    opened_at: Mapped[datetime]
    issued_at: Mapped[datetime | None]
    effective_at: Mapped[datetime | None]
    expected_end_at: Mapped[datetime | None]
    released_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    follows: Mapped[UUID | None]
    exercise: Mapped[str] = mapped_column(String(36))  # empty for real air
    version: Mapped[int]
    __table_args__ = (
        # two forecasts at the same instant open one episode; a released one that waits for its review blocks nobody
        Index(
            "uq_episodes_area_running",
            "area",
            "exercise",  # an exercise may run beside a real warning
            unique=True,
            sqlite_where=sql("phase IN ('opening','active')"),
            postgresql_where=sql("phase IN ('opening','active')"),
        ),
        Index(None, "area", "opened_at"),
    )


class DecisionRow(Base):
    """One proposal and what became of it."""

    __tablename__ = "decisions"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    episode_id: Mapped[UUID] = mapped_column(ForeignKey("episodes.id"))
    area: Mapped[str]
    move: Mapped[str] = mapped_column(String(20))
    level: Mapped[int]
    level_before: Mapped[int]
    rule_says: Mapped[int]
    assessment: Mapped[dict[str, Any]]
    notice: Mapped[dict[str, Any]]
    proposed_by: Mapped[UUID | None]
    suggested_at: Mapped[datetime | None]
    proposed_at: Mapped[datetime]
    decide_by: Mapped[datetime]
    rank_needed: Mapped[int]
    standing: Mapped[str] = mapped_column(String(20))
    bulletin_id: Mapped[UUID | None]
    override_because: Mapped[str] = mapped_column(Text)
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    decided_because: Mapped[str] = mapped_column(Text)
    doubtful: Mapped[list[Any]]
    content_sha: Mapped[str] = mapped_column(String(64))
    amendments: Mapped[list[Any]]
    consulted: Mapped[list[Any]]
    deputies: Mapped[list[Any]]
    deputies_at: Mapped[datetime | None]
    deputised: Mapped[str] = mapped_column(String(80))
    nag_at: Mapped[datetime | None]
    nags: Mapped[int]
    rule_now: Mapped[str] = mapped_column(String(20))
    against: Mapped[dict[str, Any]]
    version: Mapped[int]
    __table_args__ = (
        Index(
            "uq_decisions_episode_waiting",
            "episode_id",
            unique=True,
            sqlite_where=sql("standing IN ('suggested','proposed')"),
            postgresql_where=sql("standing IN ('suggested','proposed')"),
        ),
        Index("ix_decisions_area_proposed_at", "area", "proposed_at"),
    )


class OrderRow(Base):
    """One recipient's order in one episode, as its latest revision leaves it."""

    __tablename__ = "orders"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    episode_id: Mapped[UUID] = mapped_column(ForeignKey("episodes.id"))
    recipient_id: Mapped[UUID] = mapped_column(ForeignKey("recipients.id"))
    area: Mapped[str]
    number: Mapped[str]
    level: Mapped[int]
    revision: Mapped[int]
    duties: Mapped[list[Any]]
    status: Mapped[str] = mapped_column(String(20))
    issued_at: Mapped[datetime | None]
    effective_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str]
    started_at: Mapped[datetime | None]
    in_place_at: Mapped[datetime | None]
    declined_because: Mapped[str] = mapped_column(Text)
    lifted_at: Mapped[datetime | None]
    resumed_at: Mapped[datetime | None]
    next_rung: Mapped[int | None]
    next_rung_at: Mapped[datetime | None]
    escalated: Mapped[int]
    asked_at: Mapped[datetime | None]
    start_by: Mapped[datetime | None]
    in_place_by: Mapped[datetime | None]
    asks_from: Mapped[int]
    ending: Mapped[list[Any]]
    version: Mapped[int]
    __table_args__ = (
        UniqueConstraint("episode_id", "recipient_id"),
        Index(None, "recipient_id"),
        Index(None, "episode_id", "status"),
        Index(
            "ix_orders_next_rung_at_waiting",
            "next_rung_at",
            sqlite_where=sql("next_rung_at IS NOT NULL"),
            postgresql_where=sql("next_rung_at IS NOT NULL"),
        ),
    )


class RevisionRow(Base):
    """What one decision changed for one order."""

    __tablename__ = "revisions"
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    decision_id: Mapped[UUID] = mapped_column(ForeignKey("decisions.id"))
    kind: Mapped[str] = mapped_column(String(20))
    level: Mapped[int]
    duties: Mapped[list[Any]]
    added: Mapped[list[Any]]
    dropped: Mapped[list[Any]]
    recorded_at: Mapped[datetime]
    effective_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("order_id", "decision_id"),)


class AnswerRow(Base):
    """What somebody said of an order, bound to the revision they were shown; only added to."""

    __tablename__ = "answers"
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"))
    revision: Mapped[int]
    action: Mapped[str] = mapped_column(String(20))
    by: Mapped[str]
    contact_id: Mapped[UUID | None]
    via: Mapped[str] = mapped_column(String(20))
    remark: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    __table_args__ = (Index(None, "order_id", "at"),)


class LinkRow(Base):
    """A phone link: one order, one contact; only the hash of its token is kept."""

    __tablename__ = "links"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"))
    contact_id: Mapped[UUID | None]
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    __table_args__ = (Index(None, "order_id"),)


CHASED = sql("kind IN ('reminder', 'escalation')")  # spelt out: with values bound later, SQLite would not use the index


class MessageRow(Base):
    """The outbox: one wording to one address by one channel."""

    __tablename__ = "messages"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    channel: Mapped[str] = mapped_column(String(20))
    lane: Mapped[int]
    to: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(Text)
    area: Mapped[str]
    episode_id: Mapped[UUID | None]
    order_id: Mapped[UUID | None]
    decision_id: Mapped[UUID | None]
    contact_id: Mapped[UUID | None]
    link_id: Mapped[UUID | None]
    revision: Mapped[int]
    rung: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(12))
    attempts: Mapped[int]
    put_at: Mapped[datetime]  # civil
    due_at: Mapped[datetime]  # wall
    leased_until: Mapped[datetime | None]  # wall
    sent_at: Mapped[datetime | None]  # civil
    delivered_at: Mapped[datetime | None]  # civil
    receipt: Mapped[str] = mapped_column(String(200))
    because: Mapped[str] = mapped_column(Text)
    ambiguous: Mapped[bool] = mapped_column(Boolean)
    provider: Mapped[str] = mapped_column(String(20))
    exercise: Mapped[bool] = mapped_column(Boolean)  # behind the wall unless its address was opened
    waits_for: Mapped[UUID | None]  # the message it amends and must not overtake, until that one is settled
    waits_until: Mapped[datetime | None]  # wall: then it goes by itself
    put_back_at: Mapped[datetime | None]  # wall: when a person last sent it again under its own key
    __table_args__ = (
        Index(
            "ix_messages_channel_lane_due_at_ready",
            "channel",
            "lane",
            "due_at",
            sqlite_where=sql("state = 'ready' AND waits_for IS NULL"),
            postgresql_where=sql("state = 'ready' AND waits_for IS NULL"),
        ),
        Index(
            "ix_messages_waits_for_waiting",
            "waits_for",
            sqlite_where=sql("waits_for IS NOT NULL"),
            postgresql_where=sql("waits_for IS NOT NULL"),
        ),
        Index(
            "ix_messages_state_failed",
            "area",
            sqlite_where=sql("state = 'failed' OR ambiguous"),
            postgresql_where=sql("state = 'failed' OR ambiguous"),
        ),
        Index(
            "ix_messages_leased_until_sending",
            "leased_until",
            sqlite_where=sql("state = 'sending'"),
            postgresql_where=sql("state = 'sending'"),
        ),
        Index("ix_messages_order_id", "order_id"),
        Index("ix_messages_to_put_at_chased", "to", "put_at", sqlite_where=CHASED, postgresql_where=CHASED),
        Index("ix_messages_episode_id_state", "episode_id", "state"),
        Index(
            "ix_messages_receipt",
            "channel",
            "receipt",
            sqlite_where=sql("receipt <> ''"),
            postgresql_where=sql("receipt <> ''"),
        ),
    )


class AttemptRow(Base):
    """One try at sending one message; only added to."""

    __tablename__ = "attempts"
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    message_id: Mapped[UUID]
    attempt: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(12))
    because: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]  # wall
    provider: Mapped[str] = mapped_column(String(20))  # of a channel with several: who was asked
    __table_args__ = (
        Index(None, "message_id"),
        Index(
            "ix_attempts_message_id_uncertain",
            "message_id",
            sqlite_where=sql("outcome = 'uncertain'"),
            postgresql_where=sql("outcome = 'uncertain'"),
        ),
    )


class ReceiptRow(Base):
    """A provider's callback as it came, known or unknown; only added to."""

    __tablename__ = "receipts"
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    channel: Mapped[str] = mapped_column(String(20))
    receipt: Mapped[str] = mapped_column(String(200))
    message_id: Mapped[UUID | None]
    says: Mapped[str] = mapped_column(String(20))
    known: Mapped[bool]
    at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("channel", "receipt", "says"),)


class SlotRow(Base):
    """Who is draining a channel's lane: one holder for each of its places, by lease."""

    __tablename__ = "slots"
    channel: Mapped[str] = mapped_column(String(20), primary_key=True)
    lane: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    holder: Mapped[str] = mapped_column(String(64))
    leased_until: Mapped[datetime]  # wall
    broken_until: Mapped[datetime | None]  # wall: the breaker is open
    because: Mapped[str] = mapped_column(Text)


class PaceRow(Base):
    """Until when a channel's rate is spoken for, over all lanes and processes."""

    __tablename__ = "paces"
    channel: Mapped[str] = mapped_column(String(20), primary_key=True)
    taken_until: Mapped[datetime]  # wall


class RungRow(Base):
    """A step of the ladder that was taken, once of each moment at which the plan wants it."""

    __tablename__ = "rungs"
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    step: Mapped[str] = mapped_column(String(40), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(primary_key=True)
    episode_id: Mapped[UUID]
    notify: Mapped[str] = mapped_column(String(40))
    told: Mapped[int]
    taken_at: Mapped[datetime]
    __table_args__ = (Index(None, "episode_id"),)


class TaskRow(Base):
    """Something a person must do by a time."""

    __tablename__ = "tasks"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    episode_id: Mapped[UUID | None]
    area: Mapped[str]
    kind: Mapped[str] = mapped_column(String(20))
    due_at: Mapped[datetime]
    words: Mapped[str] = mapped_column(Text)
    decision_id: Mapped[UUID | None]
    done_at: Mapped[datetime | None]
    done_by: Mapped[UUID | None]
    alarmed_at: Mapped[datetime | None]
    remind_at: Mapped[datetime | None]
    version: Mapped[int]
    __table_args__ = (
        Index(
            "ix_tasks_due_at_undone",
            "due_at",
            sqlite_where=sql("done_at IS NULL"),
            postgresql_where=sql("done_at IS NULL"),
        ),
        Index(
            "ix_tasks_remind_at_waiting",
            "remind_at",
            sqlite_where=sql("remind_at IS NOT NULL"),
            postgresql_where=sql("remind_at IS NOT NULL"),
        ),
    )


class ReviewRow(Base):
    """The evaluation of one episode."""

    __tablename__ = "reviews"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    episode_id: Mapped[UUID] = mapped_column(ForeignKey("episodes.id"), unique=True)
    area: Mapped[str]
    stage: Mapped[str] = mapped_column(String(20))
    tally: Mapped[dict[str, Any]]
    lessons: Mapped[str] = mapped_column(Text)
    drafted_by: Mapped[UUID]
    drafted_at: Mapped[datetime]
    signed_by: Mapped[UUID | None]
    signed_at: Mapped[datetime | None]
    countersigned_by: Mapped[UUID | None]
    countersigned_at: Mapped[datetime | None]
    version: Mapped[int]


class JournalRow(Base):
    """The journal: canonical JSON kept as text with its hash; only added to."""

    __tablename__ = "journal"
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    what: Mapped[str] = mapped_column(String(60))
    about: Mapped[str] = mapped_column(String(80))
    episode_id: Mapped[UUID | None]
    area: Mapped[str]
    by: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]
    entry: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    __table_args__ = (Index(None, "episode_id", "id"), Index(None, "about"), Index(None, "what", "at"))


class HeartbeatRow(Base):
    """When something that should be alive last said so (wall)."""

    __tablename__ = "heartbeats"
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    at: Mapped[datetime]
    detail: Mapped[str]


class AlarmRow(Base):
    """A thing that needs a person; one row while it lasts."""

    __tablename__ = "alarms"
    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    area: Mapped[str]
    since: Mapped[datetime]
    seen_at: Mapped[datetime]
    detail: Mapped[str] = mapped_column(Text)
    over_at: Mapped[datetime | None]
