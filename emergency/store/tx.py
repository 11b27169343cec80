"""One transaction as the use cases see it: load values, save values with their fact, put messages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4, uuid5

from sqlalchemy import Connection, Select, Table, and_, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from emergency.domain.episode import Decision, Episode, Fact, Phase, Standing, Task
from emergency.domain.forecast import Bulletin, Forecast, Observation
from emergency.domain.orders import DrawnUp, Order, Recipient, RecipientKind, Revision
from emergency.domain.people import Area, Person, path_of
from emergency.domain.review import Review
from emergency.errors import Conflict, Missing
from emergency.store import saving
from emergency.store.outbox import Outbox
from emergency.store.tables import (
    AlarmRow,
    AnswerRow,
    AreaRow,
    Base,
    BulletinRow,
    ContactRow,
    DecisionRow,
    EpisodeRow,
    FeedRow,
    FileRow,
    ForecastRow,
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

Saved = TypeVar("Saved", Episode, Decision, Order, Review, Task)

_NAMESPACE = UUID("5f7c1b7e-0a56-4d0f-9a0e-7f3a1c2d4e50")


def table(row: type[Base]) -> Table:
    """The table behind a row class."""
    found = row.__table__
    if not isinstance(found, Table):
        raise TypeError(f"{row.__name__} has no table")
    return found


class Tx:
    """What may be asked and said inside one transaction; only the store opens and commits it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.dialect = connection.dialect.name
        self.outbox = Outbox(connection)

    # --- loading

    def episode(self, episode_id: UUID) -> Episode:
        """
        The episode, its row locked until the transaction ends.

        :raises Missing: no such episode
        """
        return saving.episode(self._one(EpisodeRow, EpisodeRow.id == episode_id, "episode", lock=True))

    def running_episode(self, area: str) -> Episode | None:
        """The area's opening or active episode."""
        phases = (Phase.OPENING.value, Phase.ACTIVE.value)
        found = self._first(
            select(table(EpisodeRow)).where(EpisodeRow.area == area, EpisodeRow.phase.in_(phases)).with_for_update()
        )
        return None if found is None else saving.episode(found)

    def latest_episode(self, area: str) -> Episode | None:
        """The area's last opened episode, whatever its phase."""
        found = self._first(
            select(table(EpisodeRow)).where(EpisodeRow.area == area).order_by(EpisodeRow.opened_at.desc())
        )
        return None if found is None else saving.episode(found)

    def decision(self, decision_id: UUID) -> Decision:
        """
        The decision, its row locked until the transaction ends.

        :raises Missing: no such decision
        """
        return saving.decision(self._one(DecisionRow, DecisionRow.id == decision_id, "decision", lock=True))

    def waiting_decision(self, episode_id: UUID) -> Decision | None:
        """The one proposal of the episode that waits for a second person."""
        found = self._first(
            select(table(DecisionRow))
            .where(DecisionRow.episode_id == episode_id, DecisionRow.standing == Standing.PROPOSED.value)
            .with_for_update()
        )
        return None if found is None else saving.decision(found)

    def decisions(self, episode_id: UUID) -> list[Decision]:
        """Every decision of the episode, in the order they were proposed."""
        rows = self.connection.execute(
            select(table(DecisionRow)).where(DecisionRow.episode_id == episode_id).order_by(DecisionRow.proposed_at)
        )
        return [saving.decision(row) for row in rows]

    def overdue_decisions(self, *, now: datetime) -> list[Decision]:
        """Proposals that nobody decided in time."""
        rows = self.connection.execute(
            select(table(DecisionRow)).where(
                DecisionRow.standing == Standing.PROPOSED.value, DecisionRow.decide_by <= now
            )
        )
        return [saving.decision(row) for row in rows]

    def order(self, order_id: UUID) -> Order:
        """
        The order, its row locked until the transaction ends: an answer and a reminder meet here.

        :raises Missing: no such order
        """
        return saving.order(self._one(OrderRow, OrderRow.id == order_id, "order", lock=True))

    def orders(self, episode_id: UUID, *, lock: bool = False) -> list[Order]:
        """Every order of the episode."""
        asked = select(table(OrderRow)).where(OrderRow.episode_id == episode_id).order_by(OrderRow.number)
        return [saving.order(row) for row in self.connection.execute(asked.with_for_update() if lock else asked)]

    def orders_to_chase(self, *, now: datetime, limit: int) -> list[Order]:
        """Orders whose next step of the ladder is due; others' locked ones are skipped."""
        rows = self.connection.execute(
            select(table(OrderRow))
            .where(OrderRow.next_rung_at.is_not(None), OrderRow.next_rung_at <= now)
            .order_by(OrderRow.next_rung_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [saving.order(row) for row in rows]

    def revision(self, order_id: UUID, number: int) -> Revision:
        """
        One revision of an order.

        :raises Missing: no such revision
        """
        return saving.revision(
            self._one(RevisionRow, and_(RevisionRow.order_id == order_id, RevisionRow.number == number), "revision")
        )

    def person(self, person_id: UUID) -> Person:
        """
        Somebody with a sign-in.

        :raises Missing: no such person
        """
        return saving.person(self._one(PersonRow, PersonRow.id == person_id, "person"))

    def person_called(self, login: str) -> tuple[Person, str]:
        """
        The person with this login, and the hash of their password.

        :raises Missing: no such person
        """
        row = self._one(PersonRow, PersonRow.login == login, "person")
        return saving.person(row), row.password_hash

    def people(self) -> list[Person]:
        """Everybody with a sign-in."""
        return [
            saving.person(row) for row in self.connection.execute(select(table(PersonRow)).order_by(PersonRow.login))
        ]

    def area(self, area_id: str) -> Area:
        """
        A node of the tree.

        :raises Missing: no such area
        """
        return saving.area(self._one(AreaRow, AreaRow.id == area_id, "area"))

    def areas(self) -> list[Area]:
        """The whole tree, from the top."""
        return [saving.area(row) for row in self.connection.execute(select(table(AreaRow)).order_by(AreaRow.id))]

    def recipient(self, recipient_id: UUID) -> Recipient:
        """
        A recipient with its contacts.

        :raises Missing: no such recipient
        """
        row = self._one(RecipientRow, RecipientRow.id == recipient_id, "recipient")
        return saving.recipient(row, self._contacts([recipient_id]).get(recipient_id, ()))

    def recipients(self, areas: Sequence[str] | None = None, *, kinds: Sequence[RecipientKind] = ()) -> list[Recipient]:
        """Recipients of these areas (all when None) and kinds (all when empty), with their contacts."""
        asked = select(table(RecipientRow)).order_by(RecipientRow.kind, RecipientRow.name)
        if areas is not None:
            asked = asked.where(or_(*[self._below(RecipientRow.area, one) for one in areas]))
        if kinds:
            asked = asked.where(RecipientRow.kind.in_([one.value for one in kinds]))
        rows = self.connection.execute(asked).all()
        contacts = self._contacts(None if areas is None else [row.id for row in rows])
        return [saving.recipient(row, contacts.get(row.id, ())) for row in rows]

    def bulletin(self, bulletin_id: UUID) -> Bulletin:
        """
        The level above's announcement.

        :raises Missing: no such bulletin
        """
        return saving.bulletin(self._one(BulletinRow, BulletinRow.id == bulletin_id, "bulletin"))

    def review_of(self, episode_id: UUID) -> Review | None:
        """The episode's review, if drafted."""
        found = self._first(select(table(ReviewRow)).where(ReviewRow.episode_id == episode_id).with_for_update())
        return None if found is None else saving.review(found)

    def task(self, task_id: UUID) -> Task:
        """
        Something a person must do by a time.

        :raises Missing: no such task
        """
        return saving.task(self._one(TaskRow, TaskRow.id == task_id, "task", lock=True))

    def tasks_due(self, *, now: datetime) -> list[Task]:
        """Tasks past their time that nobody was told of yet."""
        rows = self.connection.execute(
            select(table(TaskRow)).where(TaskRow.done_at.is_(None), TaskRow.due_at <= now, TaskRow.alarmed_at.is_(None))
        )
        return [saving.task(row) for row in rows]

    def plan_text(self, sha: str) -> str:
        """
        The plan as it read when an episode opened under it.

        :raises Missing: no such copy
        """
        return str(self._one(PlanRow, PlanRow.sha == sha, "plan copy").text)

    def forecasts(self, place: str, *, since: datetime) -> list[Forecast]:
        """Forecasts for the place issued since then, oldest first."""
        rows = self.connection.execute(
            select(table(ForecastRow))
            .where(ForecastRow.place == place, ForecastRow.issued_at >= since)
            .order_by(ForecastRow.issued_at, ForecastRow.feed)
        )
        return [saving.forecast(row) for row in rows]

    def latest_forecasts(self, place: str, *, now: datetime) -> list[Forecast]:
        """The newest forecast of each feed for the place; sources are told apart, never averaged."""
        newest = (
            select(ForecastRow.feed, func.max(ForecastRow.issued_at).label("issued_at"))
            .where(ForecastRow.place == place, ForecastRow.issued_at <= now)
            .group_by(ForecastRow.feed)
            .subquery()
        )
        rows = self.connection.execute(
            select(table(ForecastRow))
            .join(newest, and_(ForecastRow.feed == newest.c.feed, ForecastRow.issued_at == newest.c.issued_at))
            .where(ForecastRow.place == place)
            .order_by(ForecastRow.feed)
        )
        return [saving.forecast(row) for row in rows]

    def observed_days(self, place: str, *, since: date, until: date) -> list[Observation]:
        """Daily observations of the place over [since, until], oldest first."""
        rows = self.connection.execute(
            select(table(ObservationRow))
            .where(
                ObservationRow.place == place,
                ObservationRow.period == "day",
                ObservationRow.day >= since,
                ObservationRow.day <= until,
            )
            .order_by(ObservationRow.day, ObservationRow.feed)
        )
        return [saving.observation(row) for row in rows]

    # --- saving

    def save(
        self, value: Saved, *, fact: str, by: str, at: datetime, more: Mapping[str, object] | None = None
    ) -> Saved:
        """
        Keep the value as it is now, and its fact in the journal in the same breath.

        :raises Conflict: somebody saved it since it was loaded
        """
        kept, row, columns = saving.bumped(value), *_row_of(value)
        columns["version"] = kept.version
        if value.version == 0:
            self.connection.execute(insert(table(row)).values(**columns))
        else:
            columns.pop("id")
            done = self.connection.execute(
                update(table(row))
                .where(table(row).c.id == value.id, table(row).c.version == value.version)
                .values(**columns)
            )
            if done.rowcount != 1:
                raise Conflict(
                    f"{row.__tablename__} {value.id} was saved by somebody else since version {value.version}"
                )
        episode_id = value.id if isinstance(value, Episode) else value.episode_id
        self.note(
            Fact(what=fact, about=str(value.id), by=by, at=at, episode_id=episode_id, area=value.area, more=more or {})
        )
        return kept  # type: ignore[no-any-return]  # replace() keeps the type, its stub does not say so

    def save_all(
        self, drawn_up: Sequence[DrawnUp], *, by: str, at: datetime, links: Iterable[Mapping[str, Any]] = ()
    ) -> None:
        """
        Keep a decision's orders and revisions in bulk, each revision with its fact.

        :raises Conflict: an order was answered or changed since it was drawn up
        """
        fresh = [one for one in drawn_up if one.before is None]
        changed = [one for one in drawn_up if one.before is not None]
        if fresh:
            self.connection.execute(
                insert(table(OrderRow)), [{**saving.order_row(one.order), "version": 1} for one in fresh]
            )
        for one in changed:
            columns = saving.order_row(one.order)
            columns.pop("id")
            columns["version"] = one.order.version + 1
            done = self.connection.execute(
                update(table(OrderRow))
                .where(OrderRow.id == one.order.id, OrderRow.version == one.order.version)
                .values(**columns)
            )
            if done.rowcount != 1:
                raise Conflict(f"order {one.order.number} was answered since it was drawn up")
        if drawn_up:
            self.connection.execute(insert(table(RevisionRow)), [saving.revision_row(one.revision) for one in drawn_up])
        if kept := list(links):
            self._insert_new(LinkRow, kept)
        self.note_all(
            Fact(
                what=f"order.{one.revision.kind}",
                about=str(one.order.id),
                by=by,
                at=at,
                episode_id=one.order.episode_id,
                area=one.order.area,
                more={
                    "recipient": str(one.order.recipient_id),
                    "revision": one.order.revision,
                    "level": one.revision.level.word,
                    "decision": str(one.revision.decision_id),
                    "added": list(one.revision.added),
                    "dropped": list(one.revision.dropped),
                },
            )
            for one in drawn_up
        )

    def note(self, fact: Fact) -> None:
        """Write one line of the journal."""
        self.note_all([fact])

    def note_all(self, facts: Iterable[Fact]) -> None:
        """Write lines of the journal, each canonical JSON with its hash."""
        rows = []
        for fact in facts:
            said = {
                "what": fact.what,
                "about": fact.about,
                "by": fact.by,
                "at": fact.at.isoformat(),
                "area": fact.area,
                "episode": str(fact.episode_id) if fact.episode_id else None,
                "more": saving.plain(fact.more),
            }
            entry = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
            rows.append(
                {
                    "what": fact.what,
                    "about": fact.about,
                    "episode_id": fact.episode_id,
                    "area": fact.area,
                    "by": fact.by,
                    "at": fact.at,
                    "entry": entry,
                    "sha256": hashlib.sha256(entry.encode()).hexdigest(),
                }
            )
        if rows:
            self.connection.execute(insert(table(JournalRow)), rows)

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

    def keep_forecast(self, forecast: Forecast, *, now: datetime) -> bool:
        """Keep a forecast once by (feed, place, issued_at); False when it was there already."""
        key = uuid5(_NAMESPACE, f"forecast:{forecast.feed}:{forecast.place}:{forecast.issued_at.isoformat()}")
        return self._insert_new(ForecastRow, [{**saving.forecast_row(forecast), "id": key, "received_at": now}]) == 1

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
        return sum(self.connection.execute(statement.values(**row)).rowcount for row in rows)

    def keep_feed(self, name: str, **columns: Any) -> None:
        """Note how a feed is doing."""
        self._upsert(FeedRow, {"name": name}, columns)

    def feed_states(self) -> list[Any]:
        """How every feed has been doing."""
        return list(self.connection.execute(select(table(FeedRow)).order_by(FeedRow.name)))

    def keep_bulletin(self, bulletin: Bulletin, *, by: Person, now: datetime) -> None:
        """Keep the level above's announcement with who entered it."""
        columns = saving.bulletin_row(bulletin)
        self.connection.execute(insert(table(BulletinRow)).values(**columns, entered_by=by.id, entered_at=now))

    def keep_plan(self, *, sha: str, plan_id: str, text: str, now: datetime) -> None:
        """Keep the plan's text by its hash, once."""
        self._insert_new(PlanRow, [{"sha": sha, "plan_id": plan_id, "text": text, "kept_at": now}])

    def keep_file(self, **columns: Any) -> None:
        """Keep what is known of a file, once by its hash."""
        self._insert_new(FileRow, [columns])

    def keep_answer(self, **columns: Any) -> None:
        """Keep what somebody said of an order."""
        self.connection.execute(insert(table(AnswerRow)).values(**columns))

    def answered(self, order_id: UUID, revision: int, action: str, by: str) -> bool:
        """Whether this person has said this of this revision before."""
        return (
            self._first(
                select(AnswerRow.id).where(
                    AnswerRow.order_id == order_id,
                    AnswerRow.revision == revision,
                    AnswerRow.action == action,
                    AnswerRow.by == by,
                )
            )
            is not None
        )

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

    def rungs_taken(self, episode_id: UUID) -> list[Any]:
        """Every step taken in the episode."""
        return list(self.connection.execute(select(table(RungRow)).where(RungRow.episode_id == episode_id)))

    def link_for(self, token_sha256: str) -> Any:
        """
        The phone link whose token hashes to this.

        :raises Missing: no such link
        """
        return self._one(LinkRow, LinkRow.token_sha256 == token_sha256, "link")

    def beat(self, name: str, *, at: datetime, detail: str = "") -> None:
        """Say that something is alive (wall time)."""
        self._upsert(HeartbeatRow, {"name": name}, {"at": at, "detail": detail})

    def heartbeats(self) -> Mapping[str, tuple[datetime, str]]:
        """When each thing last said it is alive."""
        return {row.name: (row.at, row.detail) for row in self.connection.execute(select(table(HeartbeatRow)))}

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
        for one in some:
            columns = saving.recipient_row(one)
            columns.pop("id")
            self._upsert(RecipientRow, {"id": one.id}, columns)
            for contact in one.contacts:
                columns = saving.contact_row(contact, one.id)
                columns.pop("id")
                self._upsert(ContactRow, {"id": contact.id}, columns)

    # --- underneath

    def _contacts(self, recipient_ids: Sequence[UUID] | None) -> dict[UUID, tuple[Any, ...]]:
        asked = select(table(ContactRow)).order_by(ContactRow.recipient_id, ContactRow.order)
        found: dict[UUID, tuple[Any, ...]] = {}
        if (
            recipient_ids is not None and len(recipient_ids) <= 500
        ):  # more than the parameters of one statement: read all
            asked = asked.where(ContactRow.recipient_id.in_(recipient_ids))
        for row in self.connection.execute(asked):
            found[row.recipient_id] = (*found.get(row.recipient_id, ()), saving.contact(row))
        return found

    @staticmethod
    def _below(column: Any, area: str) -> Any:
        return or_(column == area, column.startswith(area + ".", autoescape=True))

    def _first(self, asked: Select[Any]) -> Any:
        return self.connection.execute(asked.limit(1)).first()

    def _one(self, row: type[Base], where: Any, what: str, *, lock: bool = False) -> Any:
        asked = select(table(row)).where(where)
        found = self.connection.execute(asked.with_for_update() if lock else asked).first()
        if found is None:
            raise Missing(f"no such {what}")
        return found

    def _insert(self, row: type[Base]) -> Any:
        return (postgresql if self.dialect == "postgresql" else sqlite).insert(table(row))

    def _insert_new(self, row: type[Base], rows: Sequence[Mapping[str, Any]]) -> int:
        """Insert what is not there yet; how many were new (of one row; of many, not counted)."""
        statement = self._insert(row).on_conflict_do_nothing()
        if len(rows) == 1:
            return int(self.connection.execute(statement.values(**rows[0])).rowcount)
        self.connection.execute(statement, list(rows))
        return len(rows)

    def _upsert(self, row: type[Base], key: Mapping[str, Any], columns: Mapping[str, Any]) -> None:
        statement = self._insert(row).values(**key, **columns)
        self.connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=dict(columns)))


def _row_of(value: Episode | Decision | Order | Review | Task) -> tuple[type[Base], dict[str, Any]]:
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


def new_id() -> UUID:
    """An id for something that has no natural key."""
    return uuid4()


def above(area: str) -> tuple[str, ...]:
    """The area and everything above it, nearest first."""
    return path_of(area)
