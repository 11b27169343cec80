"""Levels as they would have been declared over past air: issued, raised, lowered, reopened, ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from emergency.domain.assessment import SHANGHAI, Assessment, start_of
from emergency.domain.calm import Calm, one_episode
from emergency.domain.level import Level
from emergency.domain.plan import Plan

_DAY = timedelta(days=1)


class Step(StrEnum):
    """What an evening's declaration was."""

    ISSUE = "issue"
    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"
    REOPEN = "reopen"  # bad air back within the plan's merge gap: the same episode goes on


@dataclass(frozen=True)
class Declaration:
    """
    One level as it would have been declared.

    ``ended_at``: when another level or the release took over, None where the air ends first; equal to
    ``effective_at`` where that happened before the level took effect. ``released_at``: when the release was signed,
    only on the last level of a stretch. ``outlived``: the test by which the level before was lowered to this one.
    Instants are in UTC.
    """

    step: Step
    episode: int  # counted from 1
    level: Level
    issued_at: datetime
    effective_at: datetime
    grounds: Assessment
    ended_at: datetime | None = None
    released_at: datetime | None = None
    outlived: Calm | None = None

    def holds_on(self, day: date) -> bool:
        """Whether the level is in force at any moment of this day in Asia/Shanghai."""
        begins, ends = start_of(day), start_of(day + _DAY)
        return self.effective_at < ends and (self.ended_at is None or self.ended_at > max(begins, self.effective_at))

    def days(self, until: date) -> Iterator[date]:
        """The days on which the level is in force at any moment, up to this one."""
        day = self.effective_at.astimezone(SHANGHAI).date()
        while day <= until and self.holds_on(day):
            yield day
            day += _DAY


class Log:
    """What has been declared so far; it grows by one evening at a time."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.declared: list[Declaration] = []

    @property
    def in_force(self) -> Level:
        """The level declared and not yet released."""
        last = self.declared[-1] if self.declared else None
        return last.level if last and last.ended_at is None else Level.NONE

    def declare(
        self, level: Level, grounds: Assessment, *, begins: date, now: datetime, outlived: Calm | None = None
    ) -> None:
        """A level issued, raised or lowered; ``begins`` is the first day it is meant for."""
        effective_at = _effective_at(self._plan, level, begins, now=now)
        step, episode = self._step(level, effective_at)
        if self.in_force is not Level.NONE:
            self._end(effective_at)
        self.declared.append(
            Declaration(step, episode, level, now.astimezone(UTC), effective_at, grounds, outlived=outlived)
        )

    def release(self, *, now: datetime) -> None:
        """The level in force let go from the next 00:00."""
        self._end(start_of(now.astimezone(SHANGHAI).date() + _DAY))
        self.declared[-1] = replace(self.declared[-1], released_at=now.astimezone(UTC))

    def by_day(self, days: Sequence[date]) -> list[tuple[date, Level]]:
        """Each day with the highest level that holds at any moment of it."""
        found = dict.fromkeys(days, Level.NONE)
        for one in self.declared:
            for day in one.days(until=days[-1]):
                if day in found:
                    found[day] = max(found[day], one.level)
        return list(found.items())

    def _end(self, at: datetime) -> None:
        """
        Nothing declared so far holds beyond this instant; what would begin later ends where it would have begun.

        The level before one that is overtaken in its delay had its end there, and now has it here.
        """
        for place in range(len(self.declared) - 1, -1, -1):
            one = self.declared[place]
            if one.ended_at is not None and one.ended_at <= at:
                return
            self.declared[place] = replace(one, ended_at=max(at, one.effective_at))

    def _step(self, level: Level, effective_at: datetime) -> tuple[Step, int]:
        if not self.declared:
            return Step.ISSUE, 1
        last = self.declared[-1]
        if last.ended_at is None:
            return Step.UPGRADE if level > last.level else Step.DOWNGRADE, last.episode
        if one_episode(self._plan, ended_at=last.ended_at, starts_at=effective_at):
            return Step.REOPEN, last.episode
        return Step.ISSUE, last.episode + 1


def _effective_at(plan: Plan, level: Level, begins: date, *, now: datetime) -> datetime:
    delay = plan.by_level.get("effective_delay_min", {}).get(level)
    earliest = now.astimezone(UTC) + timedelta(minutes=delay or 0)
    midnight = start_of(now.astimezone(SHANGHAI).date() + _DAY)
    if level in plan.by_level.get("lead_time_hours", {}):
        return max(earliest, midnight)
    if delay is not None:
        return earliest
    return max(midnight, start_of(begins))
