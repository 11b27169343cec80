"""One transaction as the use cases see it: load values, save values with their fact, put messages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, TypeVar
from uuid import UUID, uuid5

from sqlalchemy import Connection, Update, bindparam, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from emergency.domain.consultation import Consultation
from emergency.domain.episode import Decision, Episode, Fact, Task
from emergency.domain.forecast import Bulletin, Forecast, Observation
from emergency.domain.orders import Order, Recipient
from emergency.domain.people import Area, Person
from emergency.domain.review import Review
from emergency.errors import Conflict
from emergency.store import answering, forecasting, saving
from emergency.store.answering import Asked, Heard, Said
from emergency.store.bulk import copy_in, table
from emergency.store.bundling import Bundle
from emergency.store.loading import Loading
from emergency.store.outbox import COUNTED, LEASE, Outbox
from emergency.store.tables import (
    AlarmRow,
    AreaRow,
    Base,
    BulletinRow,
    ContactRow,
    DecisionRow,
    EpisodeRow,
    FeedRow,
    FileRow,
    HeartbeatRow,
    JournalRow,
    LinkRow,
    ObservationRow,
    OrderRow,
    PersonRow,
    PlanRow,
    RawRow,
    RecipientRow,
    RefusedRow,
    ReviewRow,
    RevisionRow,
    RungRow,
    TaskRow,
)
from emergency.store.tables_judging import ConsultationRow

Saved = TypeVar("Saved", Episode, Decision, Order, Review, Task, Consultation)

_AT_ONCE = 500  # rows in one statement: SQLite takes 32,766 parameters
_NAMESPACE = UUID("5f7c1b7e-0a56-4d0f-9a0e-7f3a1c2d4e50")


class Tx(Loading):
    """What may be asked and said inside one transaction; only the store opens and commits it."""

    def __init__(self, connection: Connection, *, reads: bool = False, lease: timedelta = LEASE) -> None:
        super().__init__(connection, reads=reads)
        self.outbox = Outbox(connection, lease=lease)

    def save(
        self, value: Saved, *, fact: str, by: str, at: datetime, more: Mapping[str, object] | None = None
    ) -> Saved:
        """
        Keep the value as it is now, and its fact in the journal in the same breath.

        :raises Conflict: somebody saved it since it was loaded
        """
        kept, (row, columns) = saving.bumped(value), _row_of(value)
        columns["version"] = kept.version
        if value.version == 0:
            self.connection.execute(insert(table(row)), columns)
        else:
            seen = {"seen_id": value.id, "seen_version": value.version}
            done = self.connection.execute(_update_of(row), {**columns, **seen})
            if done.rowcount != 1:
                raise Conflict(
                    f"{row.__tablename__} {value.id} was saved by somebody else since version {value.version}"
                )
        episode_id = value.id if isinstance(value, Episode) else value.episode_id
        self.note(
            Fact(what=fact, about=str(value.id), by=by, at=at, episode_id=episode_id, area=value.area, more=more or {})
        )
        return kept  # type: ignore[no-any-return]  # replace() keeps the type, its stub does not say so

    def save_all(self, some: Bundle) -> None:
        """
        Keep a decision's orders and revisions in bulk, each revision with its line of the journal. Its messages are put
        by :meth:`Outbox.put_new`, after what they make out of date is cancelled: orders are locked first, everywhere.

        :raises Conflict: an order was answered or changed since it was drawn up
        :raises IntegrityError: one of them is there already
        """
        copy_in(self.connection, table(OrderRow), some.fresh)
        if some.changed:
            rows = [{**row, "seen_id": row["id"], "seen_version": row["version"] - 1} for row in some.changed]
            done = self.connection.execute(_update_of(OrderRow), rows)
            if done.rowcount != len(rows):
                raise Conflict(f"{len(rows) - done.rowcount} orders were answered since they were drawn up")
        copy_in(self.connection, table(RevisionRow), some.revisions)
        copy_in(self.connection, table(LinkRow), some.links)
        copy_in(self.connection, table(JournalRow), some.lines)

    def note(self, fact: Fact) -> None:
        """Write one line of the journal."""
        self.note_all([fact])

    def note_all(self, facts: Iterable[Fact]) -> None:
        """Write lines of the journal, each canonical JSON with its hash."""
        rows = [saving.journal_row(fact) for fact in facts]
        if len(rows) == 1:  # the usual case, and a COPY for one line costs more
            self.connection.execute(insert(table(JournalRow)), rows)
        else:
            copy_in(self.connection, table(JournalRow), rows)

    def keep_raw(self, *, sha256: str, feed: str, body: bytes, now: datetime) -> None:
        """Keep a feed's message as it came, once."""
        self._insert_new(RawRow, [{"sha256": sha256, "feed": feed, "received_at": now, "body": body}])

    def keep_refused(
        self, feed: str, raw_sha256: str, refused: Iterable[tuple[str, str, str]], *, now: datetime
    ) -> None:
        """Keep the records that were not taken in, each with where, what and why; a repeat is kept once."""
        rows = [
            {
                "feed": feed,
                "raw_sha256": raw_sha256,
                "place": where[:200],
                "value": value[:200],
                "reason": why[:300],
                "at": now,
            }
            for where, value, why in refused
        ]
        if rows:
            self._insert_new(RefusedRow, rows)

    def keep_forecast(self, forecast: Forecast, *, now: datetime) -> int:
        """
        Keep a forecast; its revision, from 1, or 0 when just this is the last that was said under its issue time.

        :raises IntegrityError: somebody else kept one of the same issue at the same moment (to the store a Conflict)
        """
        return forecasting.keep(self.connection, forecast, now=now)

    def keep_observations(self, some: Sequence[Observation], *, now: datetime, day_of: Mapping[datetime, date]) -> int:
        """Keep observations once by (feed, place, period, at); a later figure replaces the earlier."""
        rows = [
            {
                "id": uuid5(_NAMESPACE, f"observation:{one.feed}:{one.place}:{one.period}:{one.at.isoformat()}"),
                "feed": one.feed,
                "place": one.place,
                "period": one.period,
                "at": one.at,
                "day": day_of[one.at],
                "values": dict(one.values),
                "aqi": one.aqi,
                "primary": list(one.primary),
                "standard": one.standard,
                "received_at": now,
                "raw_sha256": one.raw_sha256,
            }
            for one in some
        ]
        if not rows:
            return 0
        insert_into = self._insert(ObservationRow)
        new = insert_into.excluded
        statement = insert_into.on_conflict_do_update(
            index_elements=["feed", "place", "period", "at"],
            set_={name: new[name] for name in ("values", "aqi", "primary", "standard", "received_at", "raw_sha256")},
            where=or_(ObservationRow.aqi.is_distinct_from(new.aqi), ObservationRow.raw_sha256 != new.raw_sha256),
        )
        statement = statement.execution_options(**COUNTED)
        return sum(self.connection.execute(statement.values(**row)).rowcount for row in rows)

    def finish_tasks(self, task_id: UUID, *, by: Person, now: datetime) -> None:
        """Note that a task is done, if it was opened and is still open; its alarm ends with it."""
        self.connection.execute(
            update(TaskRow)
            .where(TaskRow.id == task_id, TaskRow.done_at.is_(None))
            .values(done_at=now, done_by=by.id, version=TaskRow.version + 1)
        )
        self.clear_alarm(f"task:{task_id}", now=now)

    def mark_alarmed(self, task_id: UUID, *, now: datetime) -> None:
        """Note that its desk was told of an overdue task."""
        self.connection.execute(
            update(TaskRow).where(TaskRow.id == task_id).values(alarmed_at=now, version=TaskRow.version + 1)
        )

    def keep_feed(self, name: str, **columns: Any) -> None:
        """Note how a feed is doing."""
        self._upsert(FeedRow, {"name": name}, columns)

    def keep_bulletin(self, bulletin: Bulletin, *, by: Person, now: datetime, exercise: str = "") -> None:
        """Keep the level above's announcement, a real one or an exercise's, with who entered it."""
        columns = {**saving.bulletin_row(bulletin), "exercise": exercise}
        self.connection.execute(insert(table(BulletinRow)).values(**columns, entered_by=by.id, entered_at=now))

    def keep_plan(self, *, sha: str, plan_id: str, text: str, now: datetime) -> None:
        """Keep the plan's text by its hash, once."""
        self._insert_new(PlanRow, [{"sha": sha, "plan_id": plan_id, "text": text, "kept_at": now}])

    def keep_file(self, **columns: Any) -> None:
        """Keep what is known of a file, once by its hash."""
        self._insert_new(FileRow, [columns])

    def asked_by(self, token_sha256: str) -> Asked:
        """
        The order behind a phone link, its row locked, and in whose name the link answers.

        :raises Missing: no such link, or it was taken back
        """
        return answering.asked(self.connection, token_sha256)

    def asked_together(self, tokens_sha256: Collection[str]) -> dict[str, Asked]:
        """The orders behind these phone links, their rows locked; without those that somebody else holds."""
        return answering.asked_together(self.connection, tokens_sha256)

    def keep_answer(self, said: Said, *, in_these_words: bool = False) -> bool:
        """
        Keep what somebody said of an order whose save tells its fact; False when they had said it of this revision
        (``in_these_words``).
        """
        return answering.keep(self.connection, said, in_these_words=in_these_words)

    def keep_aside(self, said: Said, fact: Fact, *, in_these_words: bool = False, cancels: bool = False) -> bool:
        """
        Keep what somebody said that moves nothing, with its fact if it is new; whether it was (see ``keep_answer``).

        ``cancels``: the reminders that wait are cancelled.
        """
        line = saving.journal_row(fact)
        return answering.keep_aside(self.connection, said, line, in_these_words=in_these_words, cancels=cancels)

    def save_answered(self, before: Order, after: Order, said: Said | None, fact: Fact) -> Order:
        """
        Keep the order as an answer leaves it with the fact, once what was said (None: it is kept already), and cancel
        the reminders that wait.

        :raises Conflict: somebody saved the order since it was loaded
        """
        answering.save(self.connection, before, after, said, saving.journal_row(fact))
        return saving.bumped(after)  # type: ignore[no-any-return]  # replace() keeps the type, its stub does not say so

    def save_together(self, some: Sequence[Heard]) -> None:
        """
        Keep many orders as answers leave them, each once, with what was said and its fact; reminders are cancelled.

        :raises Conflict: somebody saved one of the orders since it was loaded
        """
        answering.save_together(self.connection, some)

    def keep_rung(self, order: Order, step: str, *, notify: str, told: int, due_at: datetime, now: datetime) -> bool:
        """Note that a step was taken; False when it was taken before."""
        row = {
            "order_id": order.id,
            "revision": order.revision,
            "step": step,
            "episode_id": order.episode_id,
            "notify": notify,
            "told": told,
            "due_at": due_at,
            "taken_at": now,
        }
        return self._insert_new(RungRow, [row]) == 1

    def beat(self, name: str, *, at: datetime, detail: str = "") -> None:
        """Say that something is alive (wall time)."""
        self._upsert(HeartbeatRow, {"name": name}, {"at": at, "detail": detail})

    def raise_alarm(self, name: str, *, area: str, detail: str, now: datetime) -> bool:
        """Raise an alarm, or keep it standing; True when it is new."""
        found = self._first(select(table(AlarmRow)).where(AlarmRow.name == name))
        if found is None or found.over_at is not None:
            self._upsert(
                AlarmRow,
                {"name": name},
                {"area": area, "since": now, "seen_at": now, "detail": detail, "over_at": None},
            )
            return True
        self.connection.execute(update(table(AlarmRow)).where(AlarmRow.name == name).values(seen_at=now, detail=detail))
        return False

    def clear_alarm(self, name: str, *, now: datetime) -> bool:
        """Note that it is over; True when it stood until now."""
        done = self.connection.execute(
            update(table(AlarmRow)).where(AlarmRow.name == name, AlarmRow.over_at.is_(None)).values(over_at=now)
        )
        return done.rowcount > 0

    def set_people(self, some: Iterable[tuple[Person, str]]) -> None:
        """Put these people in place, each with the hash of a password."""
        for person, password_hash in some:
            columns = saving.person_row(person)
            columns.pop("id")
            self._upsert(PersonRow, {"id": person.id}, {**columns, "password_hash": password_hash})

    def set_areas(self, some: Iterable[Area]) -> None:
        """Put these nodes of the tree in place."""
        for one in some:
            self._upsert(
                AreaRow,
                {"id": one.id},
                {"name": one.name, "name_en": one.name_en, "kind": one.kind, "plan_id": one.plan_id},
            )

    def set_recipients(self, some: Sequence[Recipient]) -> None:
        """Put these recipients and their contacts in place."""
        self._upsert_all(RecipientRow, "id", [saving.recipient_row(one) for one in some])
        self._upsert_all(ContactRow, "id", [saving.contact_row(two, one.id) for one in some for two in one.contacts])

    # --- underneath

    def _insert(self, row: type[Base]) -> Any:
        return (postgresql if self.dialect == "postgresql" else sqlite).insert(table(row))

    def _insert_new(self, row: type[Base], rows: Sequence[Mapping[str, Any]]) -> int:
        """Insert what is not there yet; how many were new (of one row; of many, not counted)."""
        statement = self._insert(row).on_conflict_do_nothing().execution_options(**COUNTED)
        if len(rows) == 1:
            return int(self.connection.execute(statement.values(**rows[0])).rowcount)
        self.connection.execute(statement, list(rows))
        return len(rows)

    def _upsert_all(self, row: type[Base], key: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Put many rows in place, all with the same columns, a few hundred at a time; of two with one key the last."""
        rows = list({one[key]: one for one in rows}.values())
        for start in range(0, len(rows), _AT_ONCE):
            statement = self._insert(row).values(rows[start : start + _AT_ONCE])
            new = {name: statement.excluded[name] for name in rows[0] if name != key}
            self.connection.execute(statement.on_conflict_do_update(index_elements=[key], set_=new))

    def _upsert(self, row: type[Base], key: Mapping[str, Any], columns: Mapping[str, Any]) -> None:
        statement = self._insert(row).values(**key, **columns)
        self.connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=dict(columns)))


@cache
def _update_of(row: type[Base]) -> Update:
    """The one statement by which a row of this table is saved: built once, because building is what it costs."""
    columns = table(row).c
    return (
        update(table(row))
        .where(columns.id == bindparam("seen_id"), columns.version == bindparam("seen_version"))
        .values({one.name: bindparam(one.name) for one in columns if one.name != "id"})
    )


def _row_of(value: Episode | Decision | Order | Review | Task | Consultation) -> tuple[type[Base], dict[str, Any]]:
    match value:
        case Episode():
            return EpisodeRow, saving.episode_row(value)
        case Decision():
            return DecisionRow, saving.decision_row(value)
        case Order():
            return OrderRow, saving.order_row(value)
        case Review():
            return ReviewRow, saving.review_row(value)
        case Task():
            return TaskRow, saving.task_row(value)
        case Consultation():
            return ConsultationRow, saving.consultation_row(value)
