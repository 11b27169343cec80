"""A drill walked by the rule alone: hour by hour, what it asks for and when it would hold, beside what was expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from uuid import UUID

from emergency.domain.advising import Book, asked
from emergency.domain.assess import assess, ongoing
from emergency.domain.assessment import SHANGHAI, Assessment
from emergency.domain.calm import calm, one_episode, over
from emergency.domain.episode import EPISODE, Episode, Move, Phase
from emergency.domain.falling import falls_to
from emergency.domain.forecast import Air, Cause, DayOfAir, Forecast, joined
from emergency.domain.level import Level
from emergency.domain.moving import next_move
from emergency.domain.plan import Plan, UnknownCell

_HOUR = timedelta(hours=1)
_NOBODY = UUID(int=0)


@dataclass(frozen=True)
class Evening:
    """One forecast of a drill with the measured days known when it comes out."""

    forecast: Forecast
    observed: tuple[DayOfAir, ...]

    @property
    def at(self) -> datetime:
        """When it is out."""
        return self.forecast.issued_at

    @property
    def day(self) -> date:
        """Its civil day."""
        return self.at.astimezone(SHANGHAI).date()


@dataclass(frozen=True)
class Change:
    """One change of level: when the rule asked for it, and since when it would hold if it was signed at once."""

    move: Move
    level: Level  # NONE = the release
    said_at: datetime
    holds_at: datetime | None  # None where the plan does not say how soon a level holds
    sentence: str = ""


@dataclass(frozen=True)
class Expected:
    """A change of level as the drill has it; ``holds_at`` None = not asked; both may be off by ``within``."""

    level: Level
    said_at: datetime
    holds_at: datetime | None
    within: timedelta


@dataclass(frozen=True)
class Walk:
    """
    What came of a drill: the changes, the level that stood right after each evening's forecast, and the days that a
    health advisory was asked for, each with its cause.
    """

    changes: tuple[Change, ...]
    evenings: Mapping[date, Level]
    advised: Mapping[date, Cause] = field(default_factory=dict)


def takes_effect(plan: Plan, move: Move, level: Level, *, now: datetime) -> datetime:
    """When what is signed now would hold: after the plan's delay; a release holds from the next 00:00."""
    if move is Move.RELEASE:
        tomorrow = now.astimezone(SHANGHAI).date() + timedelta(days=1)
        return datetime.combine(tomorrow, clock_time(), SHANGHAI).astimezone(UTC)
    if level is Level.NONE:
        return now
    return now + timedelta(minutes=plan.effective_delay_min(level))


def walk(
    plan: Plan,
    place: str,
    evenings: Sequence[Evening],
    measured: Sequence[DayOfAir],
    *,
    begins: datetime,
    ends: datetime,
    advice: Book | None = None,
) -> Walk:
    """
    The drill from its first hour to its last, each move signed the moment the rule asks for it.

    A measured day is known from its end on; between two forecasts the older one stands, as on a real desk. ``advice``
    by cause, without which nothing is advised; as in earnest it is asked for where the rule moves no level.

    :raises UnknownCell: the plan has a cell that nobody has seen and that could change the answer
    """
    desk, changes, stood = _Desk(plan, advice or {}), list[Change](), dict[date, Level]()
    for now in _hours(begins, ends):
        out = [one for one in evenings if one.at <= now]
        if not out:
            continue
        today = now.astimezone(SHANGHAI).date()
        air = joined(place, [one for one in measured if one.day < today], out[-1].forecast, today=today)
        if any(one.day >= today for one in air.days):
            changes += desk.look(air, now=now, today=today)
        stood.setdefault(out[-1].day, desk.level)
    return Walk(tuple(changes), stood, desk.advised)


def differences(expected: Sequence[Expected], got: Sequence[Change]) -> tuple[str, ...]:
    """Every way in which what came differs from what was expected, in words; nothing when the drill held."""
    found = []
    for place in range(max(len(expected), len(got))):
        wanted = expected[place] if place < len(expected) else None
        came = got[place] if place < len(got) else None
        if came is None and wanted is not None:
            found.append(f"change {place + 1}: expected {wanted.level.word} at {_local(wanted.said_at)}, nothing came")
        elif wanted is None and came is not None:
            found.append(f"change {place + 1}: {came.level.word} came at {_local(came.said_at)}, nothing was expected")
        elif wanted is not None and came is not None:
            found += [f"change {place + 1}: {words}" for words in _apart(wanted, came)]
    return tuple(found)


def _apart(wanted: Expected, came: Change) -> list[str]:
    if wanted.level is not came.level:
        return [f"expected {wanted.level.word}, got {came.level.word} at {_local(came.said_at)}"]
    pairs = [("asked for", wanted.said_at, came.said_at)]
    if wanted.holds_at is not None and came.holds_at is None:
        return [f"{wanted.level.word} expected in force at {_local(wanted.holds_at)}, and the plan does not say when"]
    if wanted.holds_at is not None and came.holds_at is not None:
        pairs.append(("in force", wanted.holds_at, came.holds_at))
    return [
        f"{wanted.level.word} expected {name} at {_local(when)}, got {_local(got)}"
        for name, when, got in pairs
        if abs(got - when) > wanted.within
    ]


class _Desk:
    """One desk that signs whatever the rule asks for; it grows by one hour at a time."""

    def __init__(self, plan: Plan, advice: Book) -> None:
        self.plan, self.advice = plan, advice
        self.advised: dict[date, Cause] = {}
        self.episode: Episode | None = None

    @property
    def level(self) -> Level:
        """The level that was signed last and not released."""
        return self.episode.level if self.episode else Level.NONE

    def look(self, air: Air, *, now: datetime, today: date) -> list[Change]:
        """What the rule asks for at this hour, signed at once; extensions move no level and are not told."""
        verdict = assess(self.plan, ongoing(self.plan, air, today=today))
        met = calm(self.plan, air, now=now).met
        before = self.episode
        running = before if before and before.phase is Phase.ACTIVE else None
        if running is None and before and before.released_at and before.released_at > now and met:
            return []  # a signed release waits for its hour
        ended = over(self.plan, air, spell_until=verdict.until, now=now)
        in_force = running.level if running else Level.NONE
        lowered = falls_to(self.plan, [air], in_force=in_force, verdict=verdict.level, now=now)
        move = next_move(running, verdict.level, calm=ended, spell_until=verdict.until, falls_to=lowered)
        if move is None or move is Move.EXTEND:
            for one in asked(verdict, self.advice, today=today):
                self.advised.setdefault(one.day, one.cause)
        if move is None:
            return []
        if move is Move.EXTEND:
            self.episode = replace(before, expected_end_at=verdict.until) if before else None
            return []
        if move is Move.ACTIVATE and self._belongs_to_the_last(verdict):
            move = Move.REOPEN
        asked_for = verdict.level if lowered is None else lowered
        return [self._signed(move, Level.NONE if move is Move.RELEASE else asked_for, verdict, now=now)]

    def _belongs_to_the_last(self, verdict: Assessment) -> bool:
        before = self.episode
        if before is None or before.released_at is None or verdict.since is None:
            return False
        return one_episode(self.plan, ended_at=before.released_at, starts_at=verdict.since)

    def _signed(self, move: Move, level: Level, verdict: Assessment, *, now: datetime) -> Change:
        try:
            holds_at = takes_effect(self.plan, move, level, now=now)
        except UnknownCell:
            holds_at = None  # the walk goes by when the rule asks; what the plan leaves open stays open
        before = self.episode if move is not Move.ACTIVATE else None
        fresh = before or Episode(_NOBODY, "", self.plan.id, self.plan.sha, Phase.OPENING, Level.NONE, now)
        self.episode = replace(
            fresh, phase=EPISODE.after(fresh.phase, move), level=level, expected_end_at=verdict.until,
            released_at=holds_at if move is Move.RELEASE else None,
        )
        return Change(move, level, now, holds_at, verdict.sentence_zh)


def _hours(begins: datetime, ends: datetime) -> list[datetime]:
    first = begins.replace(minute=0, second=0, microsecond=0)
    whole = [first + n * _HOUR for n in range(1, (ends - first) // _HOUR + 1)]
    return [begins, *(at for at in whole if at > begins)]


def _local(at: datetime) -> str:
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
