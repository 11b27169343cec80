"""The record of one episode as a review reads it: every figure is counted from rows as they lie."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, true

from emergency.domain.consultation import Consultation, Voice
from emergency.domain.episode import Decision, Episode, Move, Standing, Task
from emergency.domain.people import Area
from emergency.domain.review import Review, taken_back
from emergency.domain.review import void as taken_back_alone
from emergency.store import consulting, portal, saving
from emergency.store.loading import table, taken_for
from emergency.store.tables import (
    DecisionRow,
    EpisodeRow,
    JournalRow,
    MessageRow,
    OrderRow,
    PersonRow,
    ReviewRow,
    RevisionRow,
    RungRow,
    TaskRow,
)
from emergency.store.tx import Tx


@dataclass(frozen=True)
class Reviewable:
    """One line of the list of episodes to review."""

    episode: Episode
    area: Area
    review: Review | None
    orders: int


@dataclass(frozen=True)
class Line:
    """One line of the journal, its particulars read back from the kept text."""

    id: int
    what: str
    about: str
    by: str
    at: datetime
    more: Mapping[str, Any]


@dataclass(frozen=True)
class Rung:
    """One step of the ladder: for how many orders it was taken, how many people were told."""

    step: str
    notify: str
    orders: int
    told: int


@dataclass(frozen=True)
class Record:
    """
    One episode, counted.

    ``reach``: decision → kind of revision → orders. ``messages``: kind → state → messages. ``minutes``: from each
    revision that asked for an answer to the first answer to it, in minutes, shortest first; ``asked`` is how many
    such revisions there were, so that ``asked - len(minutes)`` were never answered. ``taken_back``: since when neither
    these nor ``rungs`` are counted, because the warning was withdrawn (撤回) and nobody is judged by it.
    """

    episode: Episode
    area: Area
    review: Review | None
    decisions: tuple[Decision, ...]
    names: Mapping[str, str]
    reach: Mapping[UUID, Mapping[str, int]]
    by_status: Mapping[str, int]
    by_place: tuple[tuple[Area, Mapping[str, int]], ...]
    messages: Mapping[str, Mapping[str, int]]
    rungs: tuple[Rung, ...]
    tasks: tuple[Task, ...]
    asked: int
    minutes: tuple[float, ...]
    taken_back: datetime | None = None


def reviewable(tx: Tx, area: str, *, exercises: bool = False, limit: int = 200) -> tuple[Reviewable, ...]:
    """Real episodes (or exercises') in the area and below that were ever in force, latest first, with their reviews."""
    rows = tx.connection.execute(
        select(table(EpisodeRow))
        .where(
            (EpisodeRow.area == area) | EpisodeRow.area.startswith(area + ".", autoescape=True),
            EpisodeRow.issued_at.is_not(None),
            EpisodeRow.exercise != "" if exercises else EpisodeRow.exercise == "",
        )
        .order_by(EpisodeRow.opened_at.desc(), EpisodeRow.area)
        .limit(limit)
    ).all()
    ids = [row.id for row in rows]
    reviews = {
        row.episode_id: saving.review(row)
        for row in tx.connection.execute(select(table(ReviewRow)).where(ReviewRow.episode_id.in_(ids)))
    }
    counts = {
        row[0]: int(row[1])
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
    episode = portal.episode(tx, episode_id)
    decisions = portal.decisions(tx, [episode_id])
    review = review_of(tx, episode_id)
    unjudged_since, unjudged = taken_back(decisions), taken_back_alone(decisions)
    figures = tx.answer_figures(episode_id, before=unjudged_since, void=unjudged)
    people = {one for decision in decisions for one in (decision.proposed_by, decision.decided_by)}
    if review is not None:
        people |= {review.drafted_by, review.signed_by, review.countersigned_by}
    return Record(
        episode=episode,
        area=tx.area(episode.area),
        review=review,
        decisions=decisions,
        names=names(tx, (one for one in people if one is not None)),
        reach=_reach(tx, episode_id),
        by_status=portal.orders_by_status(tx, episode_id),
        by_place=_by_place(tx, episode_id),
        messages=_messages(tx, episode_id),
        rungs=_rungs(tx, episode_id, before=unjudged_since, void=unjudged),
        tasks=_tasks(tx, episode_id),
        asked=figures.asked,
        minutes=figures.minutes,
        taken_back=unjudged_since,
    )


def episodes(tx: Tx, area: str | None = None, *, limit: int = 200) -> tuple[Episode, ...]:
    """Real episodes of the area and below (of everywhere when None), latest first."""
    asked = select(table(EpisodeRow)).where(EpisodeRow.exercise == "")
    asked = asked.order_by(EpisodeRow.opened_at.desc(), EpisodeRow.area).limit(limit)
    if area is not None:
        asked = asked.where((EpisodeRow.area == area) | EpisodeRow.area.startswith(area + ".", autoescape=True))
    return tuple(saving.episode(row) for row in tx.connection.execute(asked))


def episode_said(one: Episode) -> dict[str, Any]:
    """An episode as JSON."""
    return dict(saving.plain(asdict(one)))


def decision_said(one: Decision) -> dict[str, Any]:
    """A decision as JSON; ``rule_says`` is null where there was nothing for the rule to judge."""
    said = dict(saving.plain(asdict(one)))
    return {**said, "rule_says": None} if one.without_air else said


def consultation_said(one: Consultation) -> dict[str, Any]:
    """A consultation as JSON: everybody who was asked with their last word, null while they are silent."""
    told = {name: value for name, value in asdict(one).items() if name not in ("voices", "papers", "version")}
    answers = [
        {
            "name": answer.name,
            "unit": answer.unit,
            "person_id": answer.person_id,
            "asked_at": answer.asked_at,
            "last": None if answer.last is None else _word_of(answer.last),
            "before": [_word_of(voice) for voice in answer.before],
        }
        for answer in one.answers
    ]
    files = [asdict(paper) for paper in one.papers]
    return dict(saving.plain({**told, "answers": answers, "silent": len(one.silent), "files": files}))


def _word_of(voice: Voice) -> dict[str, Any]:
    return {"level": voice.level, "said": voice.said, "said_at": voice.said_at, "entered_by": voice.entered_by}


def told(tx: Tx, episode_id: UUID) -> dict[str, Any]:
    """
    The episode as JSON with decisions, consultations, orders by status and journal.

    :raises Missing: no such episode
    """
    return {
        **episode_said(portal.episode(tx, episode_id)),
        "decisions": [decision_said(one) for one in portal.decisions(tx, [episode_id])],
        "consultations": [consultation_said(one) for one in consulting.of_episode(tx, episode_id)],
        "orders": portal.orders_by_status(tx, episode_id),
        "journal": [saving.plain(asdict(one)) for one in journal(tx, episode_id, limit=20_000)],
    }


def dismissals(tx: Tx, area: str, *, since: datetime, until: datetime, exercise: str = "") -> tuple[Decision, ...]:
    """Decisions of the area (real, or of this exercise), signed in that time, to start nothing."""
    rows = tx.connection.execute(
        select(table(DecisionRow))
        .join(EpisodeRow, EpisodeRow.id == DecisionRow.episode_id)
        .where(
            DecisionRow.area == area,
            DecisionRow.move == Move.DISMISS.value,
            DecisionRow.standing == Standing.APPROVED.value,
            DecisionRow.decided_at.between(since, until),
            EpisodeRow.exercise == exercise,
        )
        .order_by(DecisionRow.proposed_at)
    )
    return tuple(saving.decision(row) for row in rows)


def review_of(tx: Tx, episode_id: UUID) -> Review | None:
    """The episode's review, looked at and not locked."""
    found = tx.connection.execute(select(table(ReviewRow)).where(ReviewRow.episode_id == episode_id)).first()
    return None if found is None else saving.review(found)


def names(tx: Tx, people: Iterable[UUID]) -> dict[str, str]:
    """Person id as text → name and title, for those that exist."""
    rows = tx.connection.execute(
        select(PersonRow.id, PersonRow.name, PersonRow.title).where(PersonRow.id.in_(list(people)))
    )
    return {str(row.id): f"{row.name}（{row.title}）" if row.title else str(row.name) for row in rows}


def journal(tx: Tx, episode_id: UUID, *, limit: int = 500, leave_out: Iterable[str] = ()) -> tuple[Line, ...]:
    """The episode's journal in the order it was written, less the facts to leave out."""
    asked = select(table(JournalRow)).where(JournalRow.episode_id == episode_id).order_by(JournalRow.id).limit(limit)
    if skipped := list(leave_out):
        asked = asked.where(JournalRow.what.not_in(skipped))
    return tuple(
        Line(row.id, row.what, row.about, row.by, row.at, json.loads(row.entry)["more"])
        for row in tx.connection.execute(asked)
    )


def held_back(tx: Tx, decision: Decision) -> int:
    """How many reminders of what still waits were not sent because a person had had enough in that hour."""
    rows = tx.connection.execute(
        select(JournalRow.entry).where(
            JournalRow.episode_id == decision.episode_id,
            JournalRow.what == "decision.nagged",
            JournalRow.about == str(decision.id),
            JournalRow.at >= decision.proposed_at,
        )
    )
    return sum(json.loads(row.entry)["more"].get("full", 0) for row in rows)


def _reach(tx: Tx, episode_id: UUID) -> dict[UUID, dict[str, int]]:
    rows = tx.connection.execute(
        select(RevisionRow.decision_id, RevisionRow.kind, func.count())
        .join(OrderRow, OrderRow.id == RevisionRow.order_id)
        .where(OrderRow.episode_id == episode_id)
        .group_by(RevisionRow.decision_id, RevisionRow.kind)
    )
    found: dict[UUID, dict[str, int]] = {}
    for decision_id, kind, count in rows:
        found.setdefault(decision_id, {})[kind] = count
    return found


def _by_place(tx: Tx, episode_id: UUID) -> tuple[tuple[Area, Mapping[str, int]], ...]:
    rows = tx.connection.execute(
        select(OrderRow.area, OrderRow.status, func.count())
        .where(OrderRow.episode_id == episode_id)
        .group_by(OrderRow.area, OrderRow.status)
    )
    found: dict[str, dict[str, int]] = {}
    for area, status, count in rows:
        found.setdefault(area, {})[status] = count
    return tuple((one, found[one.id]) for one in tx.areas() if one.id in found)


def _messages(tx: Tx, episode_id: UUID) -> dict[str, dict[str, int]]:
    rows = tx.connection.execute(
        select(MessageRow.kind, MessageRow.state, func.count())
        .where(MessageRow.episode_id == episode_id)
        .group_by(MessageRow.kind, MessageRow.state)
    )
    found: dict[str, dict[str, int]] = {}
    for kind, state, count in rows:
        found.setdefault(kind, {})[state] = count
    return found


def _rungs(tx: Tx, episode_id: UUID, *, before: datetime | None, void: Collection[UUID]) -> tuple[Rung, ...]:
    rows = tx.connection.execute(
        select(RungRow.step, RungRow.notify, func.count(), func.sum(RungRow.told), func.min(RungRow.due_at))
        .where(RungRow.episode_id == episode_id, true() if before is None else RungRow.taken_at < before)
        .where(~taken_for(void) if void else true())
        .group_by(RungRow.step, RungRow.notify)
        .order_by(func.min(RungRow.due_at), RungRow.step)
    )
    return tuple(Rung(row[0], row[1], row[2], int(row[3])) for row in rows)


def _tasks(tx: Tx, episode_id: UUID) -> tuple[Task, ...]:
    rows = tx.connection.execute(
        select(table(TaskRow)).where(TaskRow.episode_id == episode_id).order_by(TaskRow.due_at)
    )
    return tuple(saving.task(row) for row in rows)
