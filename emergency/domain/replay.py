"""A plan walked over past air, evening by evening: what would have been declared, raised and released, and when."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from enum import StrEnum
from typing import Protocol

from emergency.domain import replay_hours as by_hour
from emergency.domain.assess import HoursNeeded, assess, highest, ongoing
from emergency.domain.assessment import SHANGHAI, Assessment, start_of
from emergency.domain.calm import calm, one_episode
from emergency.domain.forecast import Air, DayOfAir, Source
from emergency.domain.level import Level
from emergency.domain.plan import Clause, Plan, RunsOn, Spell, UnknownCell
from emergency.domain.replay_hours import Hourly, Rows, Spells
from emergency.domain.windows import HourOfAir
from emergency.errors import Refused

EVENING = clock_time(17)  # the daily report's hour; a forecast must be out by 20:00 (HJ 633-2026 5.2)
LEAD_DAYS = 3  # the least a forecast has to cover (HJ 633-2026 5.2)
_DAY = timedelta(days=1)


class NothingToReplay(Refused):
    """There is no day of air to walk over."""

    words_zh = "没有可回放的日数据"


@dataclass(frozen=True)
class Past:
    """
    The air of one place as it was measured.

    ``days``: in the order of the calendar, each with the AQI that triggers (without ozone); a day nobody has figures
    for is absent. ``hours``: where hours were measured, the 24 hourly indices of a day, None = missing. ``first`` and
    ``last``: the span looked at, where it is longer than the days that have figures. ``hourly``: the same air in 24-h
    windows, for a plan that runs on any 24 hours; of no use to others.
    """

    place: str
    days: tuple[DayOfAir, ...]
    hours: Mapping[date, tuple[int | None, ...]] = field(default_factory=dict)
    first: date | None = None
    last: date | None = None
    hourly: Hourly = field(default_factory=Hourly)


class Foresight(Protocol):
    """Whoever says on an evening what the next days will be."""

    @property
    def name(self) -> str:
        """How it is called in the answer: perfect, persistence, or the archive's name."""

    def ahead(self, today: DayOfAir | None, *, at: datetime, days: int) -> tuple[DayOfAir, ...]:
        """
        The days foreseen at this instant, in order and marked FORECAST; it may know fewer than ``days`` after today.

        ``today`` is the day under way as measured, None where it was not.
        """

    def rows_ahead(self, past: Hourly, *, at: datetime, days: int) -> Rows:
        """For each anchor the windows from the one under way on: measured up to this instant, foreseen after it."""


class Perfect:
    """Foresight of what really came: the rule alone is tried, and no forecaster's error."""

    name = "perfect"

    def __init__(self, past: Past) -> None:
        self._days = {one.day: replace(one, source=Source.FORECAST, feed=self.name) for one in past.days}
        self._rows = by_hour.as_foreseen(past.hourly.rows, feed=self.name)

    def ahead(self, today: DayOfAir | None, *, at: datetime, days: int) -> tuple[DayOfAir, ...]:
        """The days as they were measured later; none after the last of them."""
        first = at.astimezone(SHANGHAI).date()
        wanted = (first + timedelta(days=n) for n in range(1, days + 1))
        return tuple(self._days[day] for day in wanted if day in self._days)

    def rows_ahead(self, past: Hourly, *, at: datetime, days: int) -> Rows:
        """The windows as they were measured later."""
        return by_hour.cut(self._rows, at=at)


class Persistence:
    """Tomorrow is as today: the forecast anybody can make, and the floor every real one has to beat."""

    name = "persistence"

    def ahead(self, today: DayOfAir | None, *, at: datetime, days: int) -> tuple[DayOfAir, ...]:
        """Today repeated; nothing where today was not measured."""
        if today is None:
            return ()
        return tuple(
            replace(today, day=today.day + timedelta(days=n), source=Source.FORECAST, feed=self.name)
            for n in range(1, days + 1)
        )

    def rows_ahead(self, past: Hourly, *, at: datetime, days: int) -> Rows:
        """The last 24 hours repeated."""
        return by_hour.foreseen_rows(past, by_hour.repeated(past, at=at, days=days, feed=self.name), at=at)


class Archived:
    """
    Forecasts as they were issued then, by the instant of issue.

    An evening takes the newest one of the last 24 hours: an older one is yesterday's opinion, and a forecaster who
    said nothing today foresaw nothing.
    """

    def __init__(
        self,
        name: str,
        issued: Mapping[datetime, Sequence[DayOfAir]],
        hours: Mapping[datetime, Sequence[HourOfAir]] | None = None,
    ) -> None:
        self.name = name
        self._hours = hours or {}
        self._said = sorted({**dict.fromkeys(self._hours, ()), **issued}.items())
        self._issued_at = [at for at, _ in self._said]

    def ahead(self, today: DayOfAir | None, *, at: datetime, days: int) -> tuple[DayOfAir, ...]:
        """The newest forecast's days from today on, today among them where it speaks of it."""
        newest = self._newest(at)
        if newest is None:
            return ()
        first = at.astimezone(SHANGHAI).date()
        return tuple(one for one in self._said[newest][1] if first <= one.day <= first + timedelta(days=days))

    def rows_ahead(self, past: Hourly, *, at: datetime, days: int) -> Rows:
        """The newest forecast's hours after what was measured; none where it was given by the day only."""
        newest = self._newest(at)
        said = self._hours.get(self._issued_at[newest], ()) if newest is not None else ()
        return by_hour.foreseen_rows(past, said, at=at)

    def _newest(self, at: datetime) -> int | None:
        newest = bisect_right(self._issued_at, at) - 1
        return None if newest < 0 or self._issued_at[newest] <= at - _DAY else newest


class Step(StrEnum):
    """What an evening's declaration was."""

    ISSUE = "issue"
    UPGRADE = "upgrade"
    REOPEN = "reopen"  # bad air back within the plan's merge gap: the same episode goes on


@dataclass(frozen=True)
class Declaration:
    """
    One level as it would have been declared.

    ``ended_at``: when a higher level or the release took over, None where the air ends first; equal to
    ``effective_at`` where that happened before the level took effect. ``released_at``: when the release was signed,
    only on the last level of a stretch. Instants are in UTC.
    """

    step: Step
    episode: int  # counted from 1
    level: Level
    issued_at: datetime
    effective_at: datetime
    grounds: Assessment
    ended_at: datetime | None = None
    released_at: datetime | None = None

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


@dataclass(frozen=True)
class ReplayedDay:
    """A day of the calendar, what was measured on it (None = nothing), and the highest level in force on it."""

    day: date
    aqi: int | None
    level: Level


@dataclass(frozen=True)
class Replay:
    """What a plan makes of past air under one kind of foresight."""

    plan_id: str
    plan_sha: str
    place: str
    foresight: str
    lead_days: int
    declarations: tuple[Declaration, ...]
    days: tuple[ReplayedDay, ...]


def walk(
    plan: Plan, past: Past, foresight: Foresight, *, lead_days: int = LEAD_DAYS, evening: clock_time = EVENING
) -> Replay:
    """
    The declarations of every evening from the one before the first day to that of the last; pure and repeatable.

    Each evening the measured run joined to ``lead_days`` foreseen ones is assessed. A higher level than the one in
    force is declared; a lower figure alone changes nothing; only the plan's calm test releases, from the next 00:00.
    The day under way counts as measured, for two thirds of it are by then. The calm test may look as far as it has to,
    however short the lead: how early a warning is seen and how an end is proved are two questions. Nothing is declared
    on an evening that passes the calm test, as it would end before it began.

    When a level takes effect: a delay the plan gives is kept and never cut short; a plan that asks for a lead time has
    its level in force from 00:00 of the day after issue, ahead of the air; a plan that gives neither follows what
    cities do, 00:00 of the first bad day foreseen, and not before the day after issue. A plan without a merge gap
    makes a new episode of every new spell.

    A plan that runs on any 24 hours is asked of the rows of windows in the same way: each is measured up to the
    evening and foreseen after it, and the trigger looks at those that are over when the last of the ``lead_days`` is.
    A release waits for the end of a run of windows that is under way at its 00:00.

    :raises UnknownCell: a trigger, the release or the merge gap of the plan is stated to be unknown
    :raises NothingToReplay: there are no days
    :raises Unmeasured: the plan asks for a concentration that the days do not carry
    :raises HoursNeeded: the plan runs on any 24 hours and no hours were measured
    """
    if not past.days:
        raise NothingToReplay(f"{past.place}: there is no day with an index")
    _refuse_what_is_not_known(plan)
    if plan.runs_on is RunsOn.ANY_24_HOURS and not past.hourly.rows:
        raise HoursNeeded(f"{plan.id} runs on any 24 hours and {past.place} has days only")
    first, last = past.first or past.days[0].day, past.last or past.days[-1].day
    measured = {one.day: one for one in past.days}
    log = _Log(plan)
    run: tuple[DayOfAir, ...] = ()  # the measured days of the spell that may still go on
    spells = Spells(plan, past.hourly) if plan.runs_on is RunsOn.ANY_24_HOURS else None
    today = first - _DAY
    while today <= last:
        now = datetime.combine(today, evening, SHANGHAI)
        of_today = measured.get(today)
        run = ongoing(plan, Air(past.place, (*run, of_today)), today=today).days if of_today else ()
        view = _foreseen(plan, run, of_today, foresight, now=now, lead_days=lead_days)
        if spells is not None:
            view = _by_the_hour(plan, view, spells, past.hourly, foresight, now=now, lead_days=lead_days)
        log.note(view, now=now, today=today)
        today += _DAY
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return Replay(
        plan_id=plan.id,
        plan_sha=plan.sha,
        place=past.place,
        foresight=foresight.name,
        lead_days=lead_days,
        declarations=tuple(log.declared),
        days=tuple(ReplayedDay(day, _aqi(measured.get(day)), level) for day, level in _levels(log.declared, days)),
    )


def demanded(plan: Plan, days: Sequence[DayOfAir], rows: Rows = ()) -> Mapping[date, Level]:
    """
    The level each measured day asked for with hindsight: the highest whose whole run of days has that day in it.

    Of a plan that runs on any 24 hours, whose ``rows`` these are, the highest of whose runs any hour lies in that day:
    a level in force at any moment of a day counts for the day as well. With hindsight observed and forecast are the
    same, so a spell's origin is not looked at.
    """
    found = {one.day: Level.NONE for one in days}
    for level, day in _asked(plan, days, rows):
        if day in found:
            found[day] = level
    return found


def _asked(plan: Plan, days: Sequence[DayOfAir], rows: Rows) -> Iterator[tuple[Level, date]]:
    """Each level with each day it is asked for on, the lowest level first."""
    judged = enumerate(rows) if plan.runs_on is RunsOn.ANY_24_HOURS else [(0, days)]
    looked_at = list(judged)
    for level in sorted(plan.levels):
        for clause in plan.levels[level]:
            for anchor, row in looked_at:
                for run in _meeting(plan, clause, row):
                    for day in by_hour.touched(run, anchor=anchor):
                        yield level, day


@dataclass(frozen=True)
class _View:
    """What an evening sees: ``near`` is judged against the triggers, ``far`` by the calm test."""

    near: Air
    far: Air


def _foreseen(
    plan: Plan,
    run: tuple[DayOfAir, ...],
    of_today: DayOfAir | None,
    foresight: Foresight,
    *,
    now: datetime,
    lead_days: int,
) -> _View:
    today = now.astimezone(SHANGHAI).date()
    rule = plan.release_rule
    further = max(lead_days, rule.whole_days if rule else 0)
    ahead = foresight.ahead(of_today, at=now, days=further)
    if of_today is not None:
        ahead = tuple(one for one in ahead if one.day > today)
    near = tuple(one for one in ahead if one.day <= today + timedelta(days=lead_days))
    return _View(Air("", (*run, *near)), Air("", (*run, *ahead)))


def _by_the_hour(
    plan: Plan, view: _View, spells: Spells, past: Hourly, foresight: Foresight, *, now: datetime, lead_days: int
) -> _View:
    """The same evening in rows of windows."""
    today = now.astimezone(SHANGHAI).date()
    further = max(lead_days, plan.release_rule.whole_days if plan.release_rule else 0)
    ahead = by_hour.within(foresight.rows_ahead(past, at=now, days=further), last=today + timedelta(days=further))
    rows = spells.seen(ahead, view.far.days, now=now)
    near = by_hour.within(rows, last=today + timedelta(days=lead_days))
    return _View(replace(view.near, anchored=near), replace(view.far, anchored=rows))


class _Log:
    """What has been declared so far; it grows by one evening at a time."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.declared: list[Declaration] = []

    @property
    def in_force(self) -> Level:
        """The level declared and not yet released."""
        last = self.declared[-1] if self.declared else None
        return last.level if last and last.ended_at is None else Level.NONE

    def note(self, view: _View, *, now: datetime, today: date) -> None:
        """Release, raise, or leave as it is."""
        if self.in_force is Level.NONE and by_hour.quiet(self.plan, view.near.anchored):
            return
        found = highest(self.plan, view.near)
        if found is Level.NONE and self.in_force is Level.NONE:
            return
        if calm(self.plan, view.far, now=now).met and not self._amid(view, tomorrow=start_of(today + _DAY)):
            if self.in_force is not Level.NONE:
                end = start_of(today + _DAY)
                self.declared[-1] = replace(self._ended(end), released_at=now.astimezone(UTC))
        elif found > self.in_force:
            self._declare(view, now=now)

    def _amid(self, view: _View, *, tomorrow: datetime) -> bool:
        """Whether an end at that 00:00 would cut a run of windows that asks for a level; days are never cut."""
        if self.plan.runs_on is RunsOn.CALENDAR_DAYS:
            return False
        found = assess(self.plan, view.near)
        return found.since is not None and found.until is not None and found.since < tomorrow < found.until

    def _declare(self, view: _View, *, now: datetime) -> None:
        grounds = assess(self.plan, view.near)
        begins = grounds.run[0]
        if self.in_force is Level.NONE:  # a lesser level may begin before this one does: then so does the warning
            begins = min(day for _, day in _asked(self.plan, view.near.days, view.near.anchored))
        effective_at = _effective_at(self.plan, grounds.level, begins, now=now)
        step, episode = self._step(effective_at)
        if step is Step.UPGRADE:
            self.declared[-1] = self._ended(effective_at)
        self.declared.append(Declaration(step, episode, grounds.level, now.astimezone(UTC), effective_at, grounds))

    def _ended(self, at: datetime) -> Declaration:
        """The level in force brought to its end; one that never took effect ends where it would have begun."""
        return replace(self.declared[-1], ended_at=max(at, self.declared[-1].effective_at))

    def _step(self, effective_at: datetime) -> tuple[Step, int]:
        if not self.declared:
            return Step.ISSUE, 1
        last = self.declared[-1]
        if last.ended_at is None:
            return Step.UPGRADE, last.episode
        merges = "merge_gap_hours" in self.plan.numbers
        if merges and one_episode(self.plan, ended_at=last.ended_at, starts_at=effective_at):
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


def _meeting(plan: Plan, clause: Clause, days: Sequence[DayOfAir]) -> Iterator[Sequence[DayOfAir]]:
    """Every run of the clause's first spell that is long enough and has the others inside."""
    first, *inner = clause.spells
    for run in _runs(plan, first, days):
        if len(run) >= first.days and _has_inside(plan, inner, run):
            yield run


def _has_inside(plan: Plan, spells: Sequence[Spell], days: Sequence[DayOfAir]) -> bool:
    if not spells:
        return True
    first, *inner = spells
    return any(len(run) >= first.days and _has_inside(plan, inner, run) for run in _runs(plan, first, days))


def _runs(plan: Plan, spell: Spell, days: Sequence[DayOfAir]) -> Iterator[Sequence[DayOfAir]]:
    run: list[DayOfAir] = []
    for one in days:
        value = plan.value(one, spell.metric)
        counts = value is not None and plan.orders(one) and spell.asks(value)
        if run and (not counts or one.day - run[-1].day != _DAY):
            yield run
            run = []
        if counts:
            run.append(one)
    if run:
        yield run


def _refuse_what_is_not_known(plan: Plan) -> None:
    """A replay that meets an unknown cell only in some winters would compare unlike with unlike: refuse at once."""
    cells = [f"levels.{one.word}" for one in plan.unknown_levels]
    if plan.release_rule is None:
        cells.append("release")
    if "merge_gap_hours" in plan.unknown:
        cells.append("merge_gap_hours")
    if cells:
        raise UnknownCell(plan.id, cells, plan.unknown.get(cells[0], ""))


def _levels(declared: Sequence[Declaration], days: Sequence[date]) -> list[tuple[date, Level]]:
    """Each day with the highest level that holds at any moment of it."""
    found = dict.fromkeys(days, Level.NONE)
    for one in declared:
        for day in one.days(until=days[-1]):
            if day in found:
                found[day] = max(found[day], one.level)
    return list(found.items())


def _aqi(day: DayOfAir | None) -> int | None:
    return day.aqi if day else None
