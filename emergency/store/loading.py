"""What may be asked inside one transaction; answers are the rules' values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, inspect, or_, select, true

from emergency.domain.episode import WAITING, Decision, Episode, Move, Phase, Standing, Task
from emergency.domain.forecast import Bulletin, Forecast, Observation
from emergency.domain.messages import Message
from emergency.domain.orders import Order, Recipient, RecipientKind, Revision
from emergency.domain.people import Area, Person, path_of
from emergency.domain.review import Review
from emergency.errors import Missing
from emergency.store import forecasting, saving
from emergency.store.bulk import table as table  # others ask here for it
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
    HeartbeatRow,
    JournalRow,
    LinkRow,
    MessageRow,
    ObservationRow,
    OrderRow,
    PersonRow,
    PlanRow,
    RecipientRow,
    ReviewRow,
    RevisionRow,
    RungRow,
    TaskRow,
)

DEMANDING: Final = ("order", "revision", "reissue")  # kinds of revision that ask for a fresh answer


def real(episode_id: Any) -> ColumnElement[bool]:
    """Whether the column names no episode of an exercise: what desks, the public and machines are shown."""
    return or_(episode_id.is_(None), episode_id.not_in(select(EpisodeRow.id).where(EpisodeRow.exercise != "")))


def taken_for(decisions: Collection[UUID]) -> ColumnElement[bool]:
    """Whether a step of the ladder was taken for a revision that one of these decisions made."""
    of_it = and_(RevisionRow.order_id == RungRow.order_id, RevisionRow.number == RungRow.revision)
    return exists().where(of_it, RevisionRow.decision_id.in_(decisions))


@dataclass(frozen=True)
class AnswerFigures:
    """
    How many revisions asked for an answer, after how many minutes each of those that got one did (shortest first), and
    how many got theirs before any step of the ladder.
    """

    asked: int
    in_time: int
    minutes: tuple[float, ...]


class Loading:
    """The questions of one transaction; rows are locked where a change will follow, unless it is only a look."""

    def __init__(self, connection: Connection, *, reads: bool = False) -> None:
        self.connection = connection
        self.dialect = connection.dialect.name
        self._reads = reads

    def episode(self, episode_id: UUID) -> Episode:
        """
        The episode, its row locked until the transaction ends.

        :raises Missing: no such episode
        """
        return saving.episode(self._one(EpisodeRow, EpisodeRow.id == episode_id, "episode", lock=True))

    def running_episode(self, area: str, exercise: str = "") -> Episode | None:
        """The area's opening or active episode: the real one, or that of the exercise."""
        phases = (Phase.OPENING.value, Phase.ACTIVE.value)
        here = (EpisodeRow.area == area, EpisodeRow.exercise == exercise)
        found = self._first(self._locked(select(table(EpisodeRow)).where(*here, EpisodeRow.phase.in_(phases))))
        return None if found is None else saving.episode(found)

    def latest_episode(self, area: str, exercise: str = "") -> Episode | None:
        """The area's last opened episode that was not dismissed: the last real one, or the exercise's."""
        here = (
            EpisodeRow.area == area, EpisodeRow.exercise == exercise, EpisodeRow.phase != Phase.DISMISSED.value
        )  # fmt: skip
        found = self._first(select(table(EpisodeRow)).where(*here).order_by(EpisodeRow.opened_at.desc()))
        return None if found is None else saving.episode(found)

    def decision(self, decision_id: UUID) -> Decision:
        """
        The decision, its row locked until the transaction ends.

        :raises Missing: no such decision
        """
        return saving.decision(self._one(DecisionRow, DecisionRow.id == decision_id, "decision", lock=True))

    def waiting_decision(self, episode_id: UUID) -> Decision | None:
        """The one suggestion or proposal of the episode that waits for somebody."""
        found = self._first(
            select(table(DecisionRow)).where(
                DecisionRow.episode_id == episode_id, DecisionRow.standing.in_([one.value for one in WAITING])
            )
        )
        return None if found is None else saving.decision(found)

    def decisions(self, episode_id: UUID) -> list[Decision]:
        """Every decision of the episode, in the order they were proposed."""
        rows = self.connection.execute(
            select(table(DecisionRow)).where(DecisionRow.episode_id == episode_id).order_by(DecisionRow.proposed_at)
        )
        return [saving.decision(row) for row in rows]

    def undecided(self, *, now: datetime) -> list[Decision]:
        """Suggestions and proposals of which people are to be told again, or whose time is over."""
        waiting = DecisionRow.standing.in_([one.value for one in WAITING])
        due = or_(DecisionRow.nag_at <= now, DecisionRow.decide_by <= now)
        rows = self.connection.execute(self._locked(select(table(DecisionRow)).where(waiting, due), skip=True))
        return [saving.decision(row) for row in rows]

    def deputies_due(self, *, now: datetime) -> list[Decision]:
        """Proposals that have waited until a deputy's turn came, and nobody has told the deputy."""
        rows = self.connection.execute(
            select(table(DecisionRow)).where(
                DecisionRow.standing == Standing.PROPOSED.value, DecisionRow.deputies_at <= now
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
        return [saving.order(row) for row in self.connection.execute(self._locked(asked) if lock else asked)]

    def orders_to_chase(self, *, now: datetime, limit: int) -> list[Order]:
        """Orders whose next step of the ladder is due; others' locked ones are skipped."""
        asked = (
            select(table(OrderRow))
            .where(OrderRow.next_rung_at.is_not(None), OrderRow.next_rung_at <= now)
            .order_by(OrderRow.next_rung_at)
            .limit(limit)
        )
        return [saving.order(row) for row in self.connection.execute(self._locked(asked, skip=True))]

    def message(self, message_id: UUID) -> Message:
        """
        A message of the post.

        :raises Missing: no such message
        """
        return saving.message(self._one(MessageRow, MessageRow.id == message_id, "message"))

    def above(self, area: str) -> tuple[str, ...]:
        """The area and everything above it, nearest first."""
        return path_of(area)

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

    def has_tables(self) -> bool:
        """Whether the database was migrated."""
        return inspect(self.connection).has_table("areas")

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

    def recipients(
        self,
        areas: Sequence[str] | None = None,
        *,
        kinds: Sequence[RecipientKind] = (),
        unordered_in: UUID | None = None,
    ) -> list[Recipient]:
        """
        Recipients of these areas (all when None) and kinds (all when empty), with contacts; only who is on the list.

        ``unordered_in``: only those to whom this episode has given no order, whatever became of it.
        """
        asked = select(table(RecipientRow)).order_by(RecipientRow.kind, RecipientRow.name)
        asked = asked.where(RecipientRow.off_list.is_(False))
        if areas is not None:
            asked = asked.where(or_(*[self._below(RecipientRow.area, one) for one in areas]))
        if kinds:
            asked = asked.where(RecipientRow.kind.in_([one.value for one in kinds]))
        if unordered_in is not None:
            its = (OrderRow.episode_id == unordered_in, OrderRow.recipient_id == RecipientRow.id)
            asked = asked.where(~exists().where(*its))
        rows = self.connection.execute(asked).all()
        contacts = self._contacts(None if areas is None else [row.id for row in rows])
        return [saving.recipient(row, contacts.get(row.id, ())) for row in rows]

    def recipients_called(self, ids: Collection[UUID]) -> list[Recipient]:
        """These recipients with their contacts."""
        rows = self.connection.execute(select(table(RecipientRow)).where(RecipientRow.id.in_(ids))).all()
        contacts = self._contacts([row.id for row in rows])
        return [saving.recipient(row, contacts.get(row.id, ())) for row in rows]

    def bulletin(self, bulletin_id: UUID) -> Bulletin:
        """
        The level above's announcement.

        :raises Missing: no such bulletin
        """
        return saving.bulletin(self._one(BulletinRow, BulletinRow.id == bulletin_id, "bulletin"))

    def review_of(self, episode_id: UUID) -> Review | None:
        """The episode's review, if drafted."""
        found = self._first(self._locked(select(table(ReviewRow)).where(ReviewRow.episode_id == episode_id)))
        return None if found is None else saving.review(found)

    def task(self, task_id: UUID) -> Task:
        """
        Something a person must do by a time.

        :raises Missing: no such task
        """
        return saving.task(self._one(TaskRow, TaskRow.id == task_id, "task", lock=True))

    def open_tasks(self, areas: Sequence[str]) -> list[Task]:
        """Real tasks of these areas that nobody has done yet, the nearest deadline first."""
        rows = self.connection.execute(
            select(table(TaskRow))
            .where(TaskRow.area.in_(areas), TaskRow.done_at.is_(None), real(TaskRow.episode_id))
            .order_by(TaskRow.due_at)
        )
        return [saving.task(row) for row in rows]

    def answer_count(self, order_id: UUID) -> int:
        """How many answers are kept for the order."""
        return int(self.connection.execute(select(func.count()).where(AnswerRow.order_id == order_id)).scalar_one())

    def facts_about(self, about: str) -> list[str]:
        """The journal's entries about one thing, as they were written."""
        asked = select(JournalRow.entry).where(JournalRow.about == about).order_by(JournalRow.id)
        return [str(row.entry) for row in self.connection.execute(asked)]

    def standing_alarms(self) -> list[Any]:
        """Alarms that are not over: name, area, since, detail."""
        return list(
            self.connection.execute(select(table(AlarmRow)).where(AlarmRow.over_at.is_(None)).order_by(AlarmRow.since))
        )

    def has_task(self, task_id: UUID) -> bool:
        """Whether the task was opened before."""
        return self._first(select(TaskRow.id).where(TaskRow.id == task_id)) is not None

    def bulletin_known(self, area: str, number: str, action: str) -> bool:
        """Whether this announcement was entered before."""
        where = (BulletinRow.area == area, BulletinRow.number == number, BulletinRow.action == action)
        return self._first(select(BulletinRow.id).where(*where)) is not None

    def decisions_of_year(
        self, area: str, *, since: datetime, exercises: bool = False, advisories: bool | None = None
    ) -> int:
        """
        How many decisions the area has had since then; the running number of a notice follows it.

        Those of exercises are a series of their own and use up no real number. ``advisories``: health advisories alone,
        or all but these; None counts both.
        """
        advises = DecisionRow.move == Move.ADVISE.value
        which = true() if advisories is None else advises if advisories else ~advises
        asked = (
            select(func.count())
            .select_from(table(DecisionRow))
            .join(EpisodeRow, EpisodeRow.id == DecisionRow.episode_id)
            .where(DecisionRow.area == area, DecisionRow.proposed_at >= since, which)
            .where(EpisodeRow.exercise != "" if exercises else EpisodeRow.exercise == "")
        )
        return int(self.connection.execute(asked).scalar_one())

    def numbers_signed(self, area: str) -> frozenset[str]:
        """The 文号 of all that the area signed; each names its year."""
        signed = and_(DecisionRow.area == area, DecisionRow.standing == Standing.APPROVED.value)
        asked = select(DecisionRow.notice["number"].as_string()).where(signed)
        return frozenset(self.connection.execute(asked).scalars())

    def exercise_of(self, episode_id: UUID | None) -> str:
        """The exercise the episode belongs to; empty for a real one and for none."""
        if episode_id is None:
            return ""
        found = self.connection.execute(select(EpisodeRow.exercise).where(EpisodeRow.id == episode_id)).scalar()
        return str(found or "")

    def answer_figures(
        self, episode_id: UUID, *, before: datetime | None = None, void: Collection[UUID] = ()
    ) -> AnswerFigures:
        """
        How revisions of the episode that asked for an answer got one; those of before then only, where named, and none
        of the decisions that are ``void``.
        """
        first = (
            select(AnswerRow.order_id, AnswerRow.revision, func.min(AnswerRow.at).label("at"))
            .group_by(AnswerRow.order_id, AnswerRow.revision)
            .subquery()
        )
        stepped = exists().where(RungRow.order_id == RevisionRow.order_id, RungRow.revision == RevisionRow.number)
        asked = (
            select(RevisionRow.recorded_at, first.c.at, stepped.label("stepped"))
            .join(OrderRow, OrderRow.id == RevisionRow.order_id)
            .outerjoin(first, and_(first.c.order_id == RevisionRow.order_id, first.c.revision == RevisionRow.number))
            .where(OrderRow.episode_id == episode_id, RevisionRow.kind.in_(DEMANDING))
        )
        if before is not None:
            asked = asked.where(RevisionRow.recorded_at < before)
        if void:
            asked = asked.where(RevisionRow.decision_id.not_in(void))
        rows = self.connection.execute(asked).all()
        got = [row for row in rows if row.at is not None]
        waits = sorted((row.at - row.recorded_at).total_seconds() / 60 for row in got)
        in_time = sum(1 for row in got if not row.stepped)
        return AnswerFigures(asked=len(rows), in_time=in_time, minutes=tuple(round(one, 1) for one in waits))

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

    def forecasts(self, place: str, *, since: datetime, known_at: datetime | None = None) -> list[Forecast]:
        """Forecasts for the place issued since then as last corrected (``known_at``: by then), oldest first."""
        return forecasting.issued(self.connection, place, since=since, known_at=known_at)

    def latest_forecasts(self, place: str, *, now: datetime) -> list[Forecast]:
        """The newest forecast of each feed for the place; sources are told apart, never averaged."""
        return forecasting.latest(self.connection, place, now=now)

    def observed_days(self, place: str, *, since: date, until: date) -> list[Observation]:
        """Daily observations of the place over [since, until], oldest first."""
        return self._observed(place, "day", since=since, until=until)

    def observed_hours(self, place: str, *, since: date, until: date) -> list[Observation]:
        """Hourly observations of the place on the days [since, until], oldest first."""
        return self._observed(place, "hour", since=since, until=until)

    def _observed(self, place: str, period: str, *, since: date, until: date) -> list[Observation]:
        rows = self.connection.execute(
            select(table(ObservationRow))
            .where(
                ObservationRow.place == place,
                ObservationRow.period == period,
                ObservationRow.day >= since,
                ObservationRow.day <= until,
            )
            .order_by(ObservationRow.at if period == "hour" else ObservationRow.day, ObservationRow.feed)
        )
        return [saving.observation(row) for row in rows]

    def feed_states(self) -> list[Any]:
        """How every feed has been doing."""
        return list(self.connection.execute(select(table(FeedRow)).order_by(FeedRow.name)))

    def answered(self, order_id: UUID, revision: int, action: str, by: str, remark: str | None = None) -> bool:
        """Whether this person has said this of this revision before (in these words, when they are given)."""
        asked = select(AnswerRow.id).where(
            AnswerRow.order_id == order_id,
            AnswerRow.revision == revision,
            AnswerRow.action == action,
            AnswerRow.by == by,
        )
        return self._first(asked if remark is None else asked.where(AnswerRow.remark == remark)) is not None

    def rungs_taken(
        self, episode_id: UUID, *, before: datetime | None = None, void: Collection[UUID] = ()
    ) -> list[Any]:
        """Every step taken in the episode, or those taken before then; none for the decisions that are ``void``."""
        taken = select(table(RungRow)).where(RungRow.episode_id == episode_id)
        if void:
            taken = taken.where(~taken_for(void))
        return list(self.connection.execute(taken if before is None else taken.where(RungRow.taken_at < before)))

    def link_for(self, token_sha256: str) -> Any:
        """
        The phone link whose token hashes to this.

        :raises Missing: no such link
        """
        return self._one(LinkRow, LinkRow.token_sha256 == token_sha256, "link")

    def heartbeats(self) -> Mapping[str, tuple[datetime, str]]:
        """When each thing last said it is alive."""
        return {row.name: (row.at, row.detail) for row in self.connection.execute(select(table(HeartbeatRow)))}

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
        found = self.connection.execute(self._locked(asked) if lock else asked).first()
        if found is None:
            raise Missing(f"no such {what}")
        return found

    def _locked(self, asked: Select[Any], *, skip: bool = False) -> Select[Any]:
        return asked if self._reads else asked.with_for_update(skip_locked=skip)
