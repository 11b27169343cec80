"""A plan walked over past air, evening by evening: what would have been declared, raised, lowered and released."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from uuid import UUID

from emergency.domain import replay_hours as by_hour
from emergency.domain.assess import HoursNeeded, assess, highest, ongoing
from emergency.domain.assessment import SHANGHAI, Assessment
from emergency.domain.calm import over
from emergency.domain.declaring import Declaration, Log
from emergency.domain.episode import Episode, Move, Phase
from emergency.domain.falling import falls_to, outlived, whole_days_of
from emergency.domain.forecast import Air, DayOfAir
from emergency.domain.foresight import Foresight, Past
from emergency.domain.hindsight import asked
from emergency.domain.level import Level
from emergency.domain.moving import next_move
from emergency.domain.plan import Plan, RunsOn, UnknownCell
from emergency.domain.replay_hours import Spells
from emergency.errors import Refused

EVENING = clock_time(17)  # the daily report's hour; a forecast must be out by 20:00 (HJ 633-2026 5.2)
LEAD_DAYS = 3  # the least a forecast has to cover (HJ 633-2026 5.2)
_DAY = timedelta(days=1)
_NOBODY = UUID(int=0)


class NothingToReplay(Refused):
    """There is no day of air to walk over."""

    words_zh = "没有可回放的日数据"


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

    Each evening the measured run joined to ``lead_days`` foreseen ones is assessed, and the rule that works in earnest
    says what follows (``moving.next_move``): a higher level is declared; a lower figure alone changes nothing; the
    plan's downgrade rule lowers (``falling.falls_to``), and only its release test lets go (``calm.over``), from the
    next 00:00. The day under way counts as measured, for two thirds of it are by then. Both tests may look as far as
    they have to, however short the lead: how early a warning is seen and how an end is proved are two questions. What
    would end before it began is not declared: nothing on an evening that passes the release test, and no level that
    its own days have outlived.

    When a level takes effect: a delay the plan gives is kept and never cut short; a plan that asks for a lead time has
    its level in force from 00:00 of the day after issue, ahead of the air; a plan that gives neither follows what
    cities do, 00:00 of the first bad day foreseen, and not before the day after issue. A plan without a merge gap
    makes a new episode of every new spell.

    A plan that runs on any 24 hours is asked of the rows of windows in the same way: each is measured up to the
    evening and foreseen after it, and the trigger looks at those that are over when the last of the ``lead_days`` is.

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
    log = Log(plan)
    for now, view in _evenings(plan, past, foresight, first=first, last=last, lead_days=lead_days, evening=evening):
        _look(plan, log, view, now=now)
    measured = {one.day: one.aqi for one in past.days}
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return Replay(
        plan_id=plan.id,
        plan_sha=plan.sha,
        place=past.place,
        foresight=foresight.name,
        lead_days=lead_days,
        declarations=tuple(log.declared),
        days=tuple(ReplayedDay(day, measured.get(day), level) for day, level in log.by_day(days)),
    )


@dataclass(frozen=True)
class _View:
    """What an evening sees: ``near`` is judged against the triggers, ``far`` by the tests that let go."""

    near: Air
    far: Air


def _evenings(
    plan: Plan,
    past: Past,
    foresight: Foresight,
    *,
    first: date,
    last: date,
    lead_days: int,
    evening: clock_time,
) -> Iterator[tuple[datetime, _View]]:
    """Every evening with what it sees; the measured run is carried from each to the next."""
    measured = {one.day: one for one in past.days}
    run: tuple[DayOfAir, ...] = ()  # the measured days of the spell that may still go on
    spells = Spells(plan, past.hourly) if plan.runs_on is RunsOn.ANY_24_HOURS else None
    today = first - _DAY
    while today <= last:
        now = datetime.combine(today, evening, SHANGHAI)
        of_today = measured.get(today)
        run = ongoing(plan, Air(past.place, (*run, of_today)), today=today).days if of_today else ()
        view = _foreseen(plan, run, of_today, foresight, now=now, lead_days=lead_days)
        if spells is not None:
            view = _by_the_hour(plan, view, spells, past, foresight, now=now, lead_days=lead_days)
        yield now, view
        today += _DAY


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
    ahead = foresight.ahead(of_today, at=now, days=_further(plan, lead_days))
    if of_today is not None:
        ahead = tuple(one for one in ahead if one.day > today)
    near = tuple(one for one in ahead if one.day <= today + timedelta(days=lead_days))
    return _View(Air("", (*run, *near)), Air("", (*run, *ahead)))


def _by_the_hour(
    plan: Plan, view: _View, spells: Spells, past: Past, foresight: Foresight, *, now: datetime, lead_days: int
) -> _View:
    """The same evening in rows of windows."""
    today, further = now.astimezone(SHANGHAI).date(), _further(plan, lead_days)
    foreseen = foresight.rows_ahead(past.hourly, at=now, days=further)
    rows = spells.seen(by_hour.within(foreseen, last=today + timedelta(days=further)), view.far.days, now=now)
    near = by_hour.within(rows, last=today + timedelta(days=lead_days))
    return _View(replace(view.near, anchored=near), replace(view.far, anchored=rows))


def _further(plan: Plan, lead_days: int) -> int:
    """How many days ahead the tests that let go look, and the triggers at the least."""
    return max(lead_days, plan.release_rule.whole_days if plan.release_rule else 0, whole_days_of(plan))


def _look(plan: Plan, log: Log, view: _View, *, now: datetime) -> None:
    """What the rule asks for this evening, done at once; it may ask for nothing."""
    if log.in_force is Level.NONE and _asks_for_nothing(plan, view.near):
        return
    verdict = assess(plan, view.near)
    if log.in_force is Level.NONE and verdict.level is Level.NONE:
        return
    ended = over(plan, view.far, spell_until=verdict.until, now=now)
    if ended and log.in_force is Level.NONE:
        return
    lowered = falls_to(plan, [view.far], in_force=log.in_force, verdict=verdict.level, now=now)
    move = next_move(
        _running(plan, log.in_force, now=now), verdict.level, calm=ended, spell_until=verdict.until, falls_to=lowered
    )
    if move is Move.RELEASE:
        log.release(now=now)
    elif move is Move.DOWNGRADE and lowered is not None:
        tomorrow = now.astimezone(SHANGHAI).date() + _DAY
        test = outlived(plan, view.far, log.in_force, now=now)
        log.declare(lowered, verdict, begins=tomorrow, now=now, outlived=test)
    elif move is not None:
        level = verdict.level if lowered is None else lowered
        log.declare(level, verdict, begins=_begins(plan, log, view, verdict), now=now)


def _asks_for_nothing(plan: Plan, near: Air) -> bool:
    """Whether no trigger holds, where that is told with less than an assessment: most evenings of a winter."""
    if plan.runs_on is RunsOn.ANY_24_HOURS:
        return by_hour.quiet(plan, near.anchored)
    return highest(plan, near) is Level.NONE


def _running(plan: Plan, level: Level, *, now: datetime) -> Episode | None:
    """The warning in force as the rule knows one; open-ended, so that nothing has to be extended."""
    return Episode(_NOBODY, "", plan.id, plan.sha, Phase.ACTIVE, level, now) if level is not Level.NONE else None


def _begins(plan: Plan, log: Log, view: _View, verdict: Assessment) -> date:
    """The first day a new level is for; a lesser level may begin before it does, and then so does a first warning."""
    if log.in_force is not Level.NONE:
        return verdict.run[0]
    return min(day for _, day in asked(plan, view.near.days, view.near.anchored))


def _refuse_what_is_not_known(plan: Plan) -> None:
    """A replay that meets an unknown cell only in some winters would compare unlike with unlike: refuse at once."""
    cells = [f"levels.{one.word}" for one in plan.unknown_levels]
    if plan.release_rule is None:
        cells.append("release")
    if "merge_gap_hours" in plan.unknown:
        cells.append("merge_gap_hours")
    if cells:
        raise UnknownCell(plan.id, cells, plan.unknown.get(cells[0], ""))
