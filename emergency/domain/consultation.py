"""A consultation (会商): who was asked, what each said and by when, and the conclusion after which nothing is added."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from emergency.domain.level import Level
from emergency.domain.machine import Machine
from emergency.domain.people import ACTS, Act, NotAllowed, Person, ask, may
from emergency.errors import Refused

LONGEST_SUBJECT = 200  # characters
LONGEST_WORDS = 2000


class NobodyAsked(Refused):
    """A consultation asks somebody, or it is none."""

    words_zh = "请至少邀请一位参加会商"


class NotAsked(Refused):
    """Only those who were asked are heard."""

    words_zh = "不在会商邀请之列，不能填写意见"


class NothingSaid(Refused):
    """Neither a level nor words."""

    words_zh = "请选择级别或写明意见"


class NoConclusion(Refused):
    """A conclusion is said in words."""

    words_zh = "请写明会商结论"


class TooLate(Refused):
    """The deadline has passed before anybody was asked."""

    words_zh = "答复时限须晚于现在"


class StillOpen(Refused):
    """A proposal rests on a conclusion, and there is none yet."""

    words_zh = "会商尚未作出结论，不能作为决定的依据"


class Course(StrEnum):
    """How far a consultation has come."""

    ASKING = "asking"
    CONCLUDED = "concluded"


class Turn(StrEnum):
    """What can happen to a consultation."""

    SAY = "say"
    ATTACH = "attach"
    CONCLUDE = "conclude"
    NAME = "name"  # a proposal names it among its grounds


CONSULTATION: Machine[Course, Turn] = Machine(
    "consultation",
    {
        (Course.ASKING, Turn.SAY): Course.ASKING,
        (Course.ASKING, Turn.ATTACH): Course.ASKING,
        (Course.ASKING, Turn.CONCLUDE): Course.CONCLUDED,
        (Course.CONCLUDED, Turn.NAME): Course.CONCLUDED,
    },
)


@dataclass(frozen=True)
class Guest:
    """Somebody to ask: one of our people by id, or an expert from outside by name and unit."""

    name: str
    unit: str = ""
    person_id: UUID | None = None


@dataclass(frozen=True)
class Voice:
    """
    One who was asked and what they said; ``said_at`` None is 未回复, which is never consent.

    ``level`` None: they named no level; ``Level.NONE``: they see no need of a warning. ``entered_by``: who wrote it
    down for them; None when they did so themselves.
    """

    id: UUID
    name: str
    unit: str
    asked_at: datetime
    person_id: UUID | None = None
    level: Level | None = None
    said: str = ""
    said_at: datetime | None = None
    entered_by: UUID | None = None

    @property
    def key(self) -> str:
        """Who this is within one consultation, however often they speak."""
        return str(self.person_id) if self.person_id else f"{self.unit} {self.name}".strip()


@dataclass(frozen=True)
class Paper:
    """A file laid before the consultation, kept by its hash."""

    sha256: str
    by: UUID
    at: datetime


@dataclass(frozen=True)
class Answer:
    """One who was asked with their last word, None while there is none, and what they had said before it."""

    key: str
    name: str
    unit: str
    person_id: UUID | None
    asked_at: datetime
    last: Voice | None
    before: tuple[Voice, ...] = ()


@dataclass(frozen=True)
class Consultation:
    """
    One consultation of one area.

    ``assessment`` is what the plan's rule said when it was called, empty where it could not say; it stands beside what
    people say and is never mixed with it.
    """

    id: UUID
    area: str
    subject: str
    called_by: UUID
    called_at: datetime
    due_at: datetime
    assessment: Mapping[str, object]
    episode_id: UUID | None = None
    decision_id: UUID | None = None
    conclusion: str = ""
    level: Level | None = None
    concluded_by: UUID | None = None
    concluded_at: datetime | None = None
    voices: tuple[Voice, ...] = field(default=())
    papers: tuple[Paper, ...] = field(default=())
    version: int = 0

    @property
    def course(self) -> Course:
        """Asking until somebody concludes."""
        return Course.ASKING if self.concluded_at is None else Course.CONCLUDED

    @property
    def answers(self) -> tuple[Answer, ...]:
        """Everybody who was asked, in the order they were, each with their last word."""
        found: dict[str, list[Voice]] = {}
        for one in sorted(self.voices, key=lambda one: (one.asked_at, one.unit, one.name)):
            found.setdefault(one.key, []).append(one)
        return tuple(_answer(self.id, key, mine) for key, mine in found.items())

    @property
    def silent(self) -> tuple[Answer, ...]:
        """Those who were asked and have said nothing."""
        return tuple(one for one in self.answers if one.last is None)

    @property
    def levels(self) -> Mapping[Level | None, int]:
        """How many last words named which level, highest first, None for words without one; silence is in none."""
        named = [one.last.level for one in self.answers if one.last is not None]
        order = sorted(set(named), key=lambda level: -1 if level is None else level, reverse=True)
        return {level: named.count(level) for level in order}

    def overdue(self, *, now: datetime) -> bool:
        """Whether it should have been concluded by now."""
        return self.course is Course.ASKING and self.due_at <= now


def _answer(consultation_id: UUID, key: str, mine: Sequence[Voice]) -> Answer:
    turn = {_voice_id(consultation_id, key, number): number for number in range(len(mine))}
    spoken = sorted((one for one in mine if one.said_at is not None), key=lambda one: turn.get(one.id, -1))
    first = mine[0]
    return Answer(
        key=key,
        name=first.name,
        unit=first.unit,
        person_id=first.person_id,
        asked_at=first.asked_at,
        last=spoken[-1] if spoken else None,
        before=tuple(spoken[:-1]),
    )


def call(
    consultation_id: UUID,
    *,
    area: str,
    subject: str,
    guests: Sequence[Guest],
    assessment: Mapping[str, object],
    due_at: datetime,
    by: Person,
    now: datetime,
    episode_id: UUID | None = None,
    decision_id: UUID | None = None,
) -> Consultation:
    """
    A consultation with everybody asked and nobody heard yet; whoever is named twice is asked once.

    :raises NotAllowed: the person may not call one here
    :raises NobodyAsked, TooLate, Refused: nobody is asked, the deadline is over, or it has no subject
    """
    ask(by, Act.CONSULT, area)
    if not subject.strip():
        raise Refused("a consultation needs its subject", zh="请写明会商事项")
    if due_at <= now:
        raise TooLate(f"the deadline {due_at.isoformat()} has passed")
    voices: dict[str, Voice] = {}
    for one in guests:
        if not one.name.strip():
            continue
        voice = Voice(
            id=consultation_id,  # its own follows from who it is
            name=one.name.strip(),
            unit=one.unit.strip(),
            asked_at=now,
            person_id=one.person_id,
        )
        voices.setdefault(voice.key, replace(voice, id=_voice_id(consultation_id, voice.key, 0)))
    if not voices:
        raise NobodyAsked("a consultation asks somebody")
    return Consultation(
        id=consultation_id,
        area=area,
        subject=subject.strip()[:LONGEST_SUBJECT],
        called_by=by.id,
        called_at=now,
        due_at=due_at,
        assessment=assessment,
        episode_id=episode_id,
        decision_id=decision_id,
        voices=tuple(voices.values()),
    )


def _voice_id(consultation_id: UUID, key: str, number: int) -> UUID:
    return uuid5(consultation_id, f"voice:{key}:{number}")


def may_say(told: Consultation, key: str, *, by: Person) -> bool:
    """Whether this person may put down the words of that one: their own, or as the desk for somebody asked."""
    if by.active and key == str(by.id):
        return Act.SPEAK in ACTS[by.role] and any(one.key == key for one in told.voices)
    return may(by, Act.CONSULT, told.area) and any(one.key == key for one in told.voices)


def may_see(told: Consultation, *, by: Person) -> bool:
    """Whether this person may read it: the area and those above, and whoever was asked."""
    return may(by, Act.SEE_DESK, told.area) or (by.active and any(one.person_id == by.id for one in told.voices))


def say(
    told: Consultation, key: str, *, level: Level | None, said: str, by: Person, now: datetime
) -> tuple[Consultation, Voice | None]:
    """
    Put down what one who was asked says; None as the voice when their last word was the same.

    Saying something else later is a further voice: what was said before stays.

    :raises IllegalMove: it is concluded, and nothing is added any more
    :raises NotAsked: that one was not asked
    :raises NotAllowed: the words are another's and the person does not serve at the desk
    :raises NothingSaid: neither a level nor words
    """
    CONSULTATION.after(told.course, Turn.SAY)
    answer = next((one for one in told.answers if one.key == key), None)
    if answer is None:
        raise NotAsked(f"{key} was not asked in consultation {told.id}")
    if not may_say(told, key, by=by):
        raise NotAllowed(f"{by.login} may not speak for {answer.name} in {told.area}")
    words = said.strip()[:LONGEST_WORDS]
    if level is None and not words:
        raise NothingSaid("neither a level nor words were given")
    if answer.last is not None and (answer.last.level, answer.last.said) == (level, words):
        return told, None
    spoken = len(answer.before) + (answer.last is not None)
    voice = Voice(
        id=_voice_id(told.id, key, spoken),  # the first fills the place kept when they were asked
        name=answer.name,
        unit=answer.unit,
        asked_at=answer.asked_at,
        person_id=answer.person_id,
        level=level,
        said=words,
        said_at=now,
        entered_by=None if by.id == answer.person_id else by.id,
    )
    others = tuple(one for one in told.voices if one.id != voice.id)
    return replace(told, voices=(*others, voice)), voice


def attach(told: Consultation, sha256: str, *, by: Person, now: datetime) -> tuple[Consultation, Paper | None]:
    """
    Lay a file before the consultation; None as the paper when it lies there already.

    :raises IllegalMove: it is concluded
    :raises NotAllowed: the person neither serves at the desk nor was asked
    """
    CONSULTATION.after(told.course, Turn.ATTACH)
    if not may(by, Act.CONSULT, told.area) and not may_say(told, str(by.id), by=by):
        raise NotAllowed(f"{by.login} may not lay files before consultation {told.id}")
    if any(one.sha256 == sha256 for one in told.papers):
        return told, None
    paper = Paper(sha256, by.id, now)
    return replace(told, papers=(*told.papers, paper)), paper


def conclude(told: Consultation, *, conclusion: str, level: Level, by: Person, now: datetime) -> Consultation:
    """
    Say what came of it, in words and as a level or «no warning»; whoever is silent stays silent in the record.

    :raises IllegalMove: it is concluded already
    :raises NotAllowed: the person may not conclude here
    :raises NoConclusion: no words
    """
    ask(by, Act.CONSULT, told.area)
    CONSULTATION.after(told.course, Turn.CONCLUDE)
    if not conclusion.strip():
        raise NoConclusion("a conclusion needs words")
    return replace(
        told, conclusion=conclusion.strip()[:LONGEST_WORDS], level=level, concluded_by=by.id, concluded_at=now
    )


def name(told: Consultation, *, episode_id: UUID, decision_id: UUID) -> Consultation:
    """
    Tie it to the decision that rests on it; the first tie stays, because one consultation may carry several.

    :raises StillOpen: it has no conclusion yet
    """
    if not CONSULTATION.allows(told.course, Turn.NAME):
        raise StillOpen(f"consultation {told.id} has no conclusion yet")
    return replace(told, episode_id=told.episode_id or episode_id, decision_id=told.decision_id or decision_id)


def seal(told: Consultation) -> str:
    """SHA-256 over all that was asked, said, laid before it and concluded; what it is tied to stays outside."""
    said = {
        "id": str(told.id),
        "area": told.area,
        "subject": told.subject,
        "called": [str(told.called_by), _iso(told.called_at), _iso(told.due_at)],
        "rule": told.assessment,
        "voices": sorted(
            [
                [str(one.id), one.key, one.name, one.unit, _word(one.level), one.said, _iso(one.said_at)]
                for one in told.voices
            ]
        ),
        "papers": sorted(one.sha256 for one in told.papers),
        "conclusion": [told.conclusion, _word(told.level), str(told.concluded_by), _iso(told.concluded_at)],
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()


def sealed(told: Consultation) -> dict[str, object]:
    """
    What a decision keeps of a consultation it rests on, and so what its signature covers.

    :raises StillOpen: it has no conclusion yet
    """
    if told.course is not Course.CONCLUDED:
        raise StillOpen(f"consultation {told.id} has no conclusion yet")
    return {
        "id": str(told.id),
        "subject": told.subject,
        "conclusion": told.conclusion,
        "level": _word(told.level),
        "concluded_by": str(told.concluded_by),
        "concluded_at": _iso(told.concluded_at),
        "asked": len(told.answers),
        "silent": len(told.silent),
        "seal": seal(told),
    }


def _word(level: Level | None) -> str:
    return "" if level is None else level.word


def _iso(at: datetime | None) -> str:
    """The moment by its point in time, however the database gave its zone back."""
    return "" if at is None else f"{at.timestamp():.6f}"
