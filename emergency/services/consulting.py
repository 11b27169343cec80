"""Consultations: called, answered, laid before with files, concluded, and named by the decision that rests on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from emergency.domain import consultation as rule
from emergency.domain.assessment import as_data
from emergency.domain.consultation import Consultation, Guest, Voice
from emergency.domain.episode import Decision, Fact, due
from emergency.domain.level import Level
from emergency.domain.messages import Kind
from emergency.domain.people import ACTS, Act, Person
from emergency.domain.plan import UnknownCell
from emergency.domain.signing import StaleContent
from emergency.errors import Refused
from emergency.services import telling, wording
from emergency.services.chasing import Around
from emergency.services.rules import NoAir, Rules
from emergency.services.telling import About
from emergency.store import Tx, consulting

LOOKS_BACK = timedelta(days=14)  # how old a consultation a proposal may still rest on
_NAMESPACE = UUID("8d0c2a53-7a0f-4d3c-9c34-5b7d9e1f2a60")


class NotOurs(Refused):
    """The consultation belongs to another area or another episode."""

    words_zh = "该会商属于其他区域或其他应急过程，不能作为本决定的依据"


class CannotSpeak(Refused):
    """Somebody is asked who has no way to answer."""

    words_zh = "所选人员不能参加会商"


def call(
    tx: Tx,
    rules: Rules,
    *,
    area: str,
    subject: str,
    people: Sequence[UUID],
    guests: Sequence[Guest],
    by: Person,
    now: datetime,
    due_at: datetime | None = None,
    decision_id: UUID | None = None,
) -> Consultation:
    """
    Ask our own people and experts from outside, by the plan's deadline unless another is named.

    What the rule says is kept with it: of the decision it is about, or of the air as it is known now. The same call
    repeated within its minute is the same consultation. Those of ours who have a phone get a message.

    :raises NotAllowed, NobodyAsked, TooLate, Refused: see ``consultation.call``
    :raises CannotSpeak: somebody asked may not speak in a consultation
    :raises NotOurs: the decision is another area's
    :raises UnknownCell: the plan names no deadline and the caller none either
    """
    minute = now.replace(second=0, microsecond=0)
    consultation_id = uuid5(_NAMESPACE, f"{area}:{decision_id}:{by.id}:{subject.strip()}:{minute.isoformat()}")
    if consulting.known(tx, consultation_id):
        return consulting.consultation(tx, consultation_id)
    asked = [tx.person(one) for one in dict.fromkeys(people)]
    if mute := [one.login for one in asked if not one.active or Act.SPEAK not in ACTS[one.role]]:
        raise CannotSpeak(f"{', '.join(mute)} cannot be asked")
    decision = tx.decision(decision_id) if decision_id else None
    if decision is not None and decision.area != area:
        raise NotOurs(f"decision {decision_id} is of {decision.area}, not of {area}")
    rules = rules.in_exercise(tx.exercise_of(decision.episode_id) if decision is not None else "")
    episode = None if decision is not None else tx.running_episode(area)
    told = rule.call(
        consultation_id,
        area=area,
        subject=subject,
        guests=[*(Guest(one.name, one.title, one.id) for one in asked), *guests],
        assessment=_what_the_rule_says(tx, rules, area, now=now) if decision is None else _grounds_of(decision),
        due_at=due_at or due(now, rules.plan_of(tx, area).consultation_within_min),
        by=by,
        now=now,
        episode_id=decision.episode_id if decision is not None else episode.id if episode is not None else None,
        decision_id=decision_id,
    )
    more = {"subject": told.subject, "due_at": told.due_at, "asked": [one.key for one in told.voices]}
    told = tx.save(told, fact="consultation.called", by=by.login, at=now, more=more)
    consulting.ask_for(tx, told)
    text = wording.consultation(rules, told, area=tx.area(area).name, called_by=by.name)
    _put(tx, rules, told, asked, text, rung="asked", now=now)
    return told


def _grounds_of(decision: Decision) -> Mapping[str, object]:
    """The rule's verdict a decision rests on; empty where there was nothing to judge."""
    return {} if decision.without_air else decision.assessment


def _what_the_rule_says(tx: Tx, rules: Rules, area: str, *, now: datetime) -> Mapping[str, object]:
    """The plan's verdict on the air as it is known now; empty where it cannot say, which is often why people talk."""
    try:
        return as_data(rules.assess_now(tx, area, now=now))
    except (NoAir, UnknownCell):
        return {}


def say(
    tx: Tx, consultation_id: UUID, key: str, *, level: Level | None, said: str, by: Person, now: datetime
) -> Consultation:
    """
    Put down what one who was asked says, by themselves or by the desk; the same words twice are kept once.

    :raises IllegalMove, NotAsked, NotAllowed, NothingSaid: see ``consultation.say``
    """
    before = consulting.consultation(tx, consultation_id, lock=True)
    told, voice = rule.say(before, key, level=level, said=said, by=by, now=now)
    if voice is None:
        return before
    told = tx.save(told, fact="consultation.said", by=by.login, at=now, more=_as_fact(voice))
    consulting.keep_voice(tx, told.id, voice)
    return told


def _as_fact(voice: Voice) -> dict[str, Any]:
    return {
        "who": f"{voice.unit} {voice.name}".strip(),
        "level": "" if voice.level is None else voice.level.word,
        "said": voice.said,
        "entered": voice.entered_by is not None,
    }


@dataclass(frozen=True)
class Upload:
    """A file as it was kept: its hash, what it is called, what it is, how large."""

    sha256: str
    name: str
    content_type: str
    size: int


def attach(tx: Tx, consultation_id: UUID, upload: Upload, *, by: Person, now: datetime) -> Consultation:
    """
    Lay a kept file before the consultation; the same file twice lies there once.

    :raises IllegalMove, NotAllowed: see ``consultation.attach``
    """
    before = consulting.consultation(tx, consultation_id, lock=True)
    told, paper = rule.attach(before, upload.sha256, by=by, now=now)
    if paper is None:
        return before
    tx.keep_file(
        sha256=upload.sha256,
        name=upload.name,
        content_type=upload.content_type,
        size=upload.size,
        area=told.area,
        by=by.login,
        at=now,
    )
    more = {"sha256": upload.sha256, "name": upload.name}
    told = tx.save(told, fact="consultation.attached", by=by.login, at=now, more=more)
    consulting.keep_paper(tx, told.id, paper)
    return told


def conclude(
    tx: Tx, consultation_id: UUID, *, conclusion: str, level: Level, by: Person, now: datetime
) -> Consultation:
    """
    Say what came of it; nothing is added after that.

    :raises IllegalMove, NotAllowed, NoConclusion: see ``consultation.conclude``
    """
    before = consulting.consultation(tx, consultation_id, lock=True)
    told = rule.conclude(before, conclusion=conclusion, level=level, by=by, now=now)
    more = {"level": level, "conclusion": told.conclusion, "silent": len(told.silent), "seal": rule.seal(told)}
    tx.clear_alarm(_alarm(told), now=now)
    return tx.save(told, fact="consultation.concluded", by=by.login, at=now, more=more)


def named(tx: Tx, decision: Decision, consultations: Iterable[UUID]) -> tuple[Mapping[str, object], ...]:
    """
    What a proposal keeps of the consultations it names; :func:`tie` comes after it is saved.

    :raises StillOpen: one of them has no conclusion yet
    :raises NotOurs: one is of another area or another episode
    """
    kept = []
    for one in dict.fromkeys(consultations):
        told = consulting.consultation(tx, one)
        mine = told.episode_id == decision.episode_id
        free = told.episode_id is None and not tx.exercise_of(decision.episode_id)  # real talk is no exercise's ground
        if told.area != decision.area or not (mine or free):
            raise NotOurs(f"consultation {one} is not of {decision.area} and episode {decision.episode_id}")
        kept.append(rule.sealed(told))
    return tuple(kept)


def tie(tx: Tx, decision: Decision, *, by: Person, now: datetime) -> None:
    """Tie to a saved proposal every consultation it names."""
    for one in decision.consulted:
        told = consulting.consultation(tx, UUID(str(one["id"])), lock=True)
        told = rule.name(told, episode_id=decision.episode_id, decision_id=decision.id)
        more = {"decision": decision.id, "level": told.level, "seal": one["seal"]}
        tx.save(told, fact="consultation.named", by=by.login, at=now, more=more)


def still_as_named(tx: Tx, decision: Decision) -> None:
    """
    Let a signature pass only while every consultation the decision rests on is as it was when it was named.

    :raises StaleContent: one of them reads otherwise
    """
    for one in decision.consulted:
        if rule.seal(consulting.consultation(tx, UUID(str(one["id"])))) != one["seal"]:
            raise StaleContent(f"consultation {one['id']} is not what the proposal rests on")


def nag_overdue(tx: Tx, rules: Rules, *, now: datetime) -> list[str]:
    """
    Tell the desk and those who are silent, once, of each consultation that is overdue; the alarms that are new.

    An exercise's is shown on its own pages: no real desk has an alarm from it.
    """
    found = []
    around = Around(tx, rules)
    for told in consulting.overdue(tx, now=now):
        if tx.exercise_of(told.episode_id):
            continue
        place = tx.area(told.area).name
        silent = ", ".join(one.key for one in told.silent)
        detail = f"{place} {told.subject}: due {told.due_at.isoformat()}, silent {silent or 'none'}"[:300]
        if not tx.raise_alarm(_alarm(told), area=told.area, detail=detail, now=now):
            continue
        found.append(_alarm(told))
        tx.note(Fact("consultation.overdue", str(told.id), "system", now, told.episode_id, told.area))
        officers = {one.id for one in around.duty_officers(around.desk(told.area))} | {told.called_by}
        whom = officers | {one.person_id for one in told.silent if one.person_id is not None}
        people = [one for one in tx.people() if one.id in whom]
        text = wording.consultation_overdue(rules, told, area=place)
        _put(tx, rules, told, people, text, rung="overdue", now=now)
    return found


def _alarm(told: Consultation) -> str:
    return f"consultation:{told.id}"


def _put(
    tx: Tx, rules: Rules, told: Consultation, people: Iterable[Person], text: str, *, rung: str, now: datetime
) -> None:
    exercise = bool(tx.exercise_of(told.episode_id))
    about = About(Kind.CONSULTATION, told.id, told.area, rung, told.episode_id, exercise=exercise)
    telling.put(tx, rules, about, [one for one in people if one.active], text, now=now)
