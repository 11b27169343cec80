"""When a warning may be lifted, and when two spells of bad air are one episode."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from emergency.domain.assessment import SHANGHAI, end_of, start_of
from emergency.domain.forecast import Air, DayOfAir
from emergency.domain.plan import Metric, Plan, ReleaseRule, RunsOn, UnknownCell


@dataclass(frozen=True)
class Calm:
    """
    Whether the release test is met, and why.

    ``since``: start of the unbroken calm days that hold now; ``until``: end of the last day known to stay calm; both
    instants in UTC, None where no calm day is known.
    """

    met: bool
    since: datetime | None
    until: datetime | None
    because_zh: str
    because_en: str


def calm(plan: Plan, air: Air, *, now: datetime) -> Calm:
    """
    The release test: air better than the release mark and forecast to stay so strictly more than the plan's hours.

    On daily data the test is two whole calendar days (the plan's ``whole_days``) that begin at or after ``now``, none
    over the mark; a release takes effect at their start and not before, so the day under way may still be bad. A day
    nobody has figures for is not calm. Days whose cause only gets a health notice keep no orders in force, so they
    count as calm, unless the plan says that standing orders go on through them (fireworks). Where the plan runs on any
    24 hours and hours are at hand, no 24-h window inside those days may be over the mark either, wherever it is
    anchored. Source: 环大气〔2024〕6号 as practised (36 h).

    :raises UnknownCell: the plan has no release rule
    """
    if plan.release_rule is None:
        raise UnknownCell(plan.id, ["release"], plan.unknown.get("release", ""))
    return stays(plan, air, plan.release_rule, now=now)


def calm_in_all(plan: Plan, airs: Iterable[Air], *, now: datetime) -> Calm | None:
    """
    The release test of the air as several sources have it: met only if it is met by each; None without any air.

    :raises UnknownCell: the plan has no release rule
    """
    return least([calm(plan, air, now=now) for air in airs])


def least(tests: Sequence[Calm]) -> Calm | None:
    """The first test that is not met, else the one whose calm ends first."""
    unmet = next((one for one in tests if not one.met), None)
    return unmet or min(tests, key=lambda one: (one.until is None, one.until), default=None)


def stays(plan: Plan, air: Air, rule: ReleaseRule, *, now: datetime) -> Calm:
    """Whether the air stays better than the mark of this rule for as long as it asks; :func:`calm` says how."""
    by_day = {one.day: one for one in air.days}
    today = now.astimezone(SHANGHAI).date()
    first_whole = today if start_of(today) == now else today + timedelta(days=1)
    needed = [first_whole + timedelta(days=n) for n in range(rule.whole_days)]

    def is_calm(day: DayOfAir | None) -> bool:
        if day is None:
            return False
        value = plan.value(day, Metric.AQI)
        return plan.lets_go(day) or (value is not None and value <= rule.not_over)

    since = until = None
    if is_calm(by_day.get(first_whole)):
        first = last = first_whole
        while is_calm(by_day.get(first - timedelta(days=1))):
            first -= timedelta(days=1)
        while is_calm(by_day.get(last + timedelta(days=1))):
            last += timedelta(days=1)
        since, until = start_of(first), end_of(last)
    unknown = [day for day in needed if day not in by_day]
    bad = [day for day in needed if day in by_day and not is_calm(by_day[day])]
    mark = f"AQI {rule.not_over:g}"
    if bad:
        worst = max((by_day[day] for day in bad), key=lambda one: plan.value(one, Metric.AQI) or 0)
        figure = f"{plan.value(worst, Metric.AQI):g}"
        return Calm(
            False,
            since,
            until,
            f"{worst.day} AQI {figure}，高于解除限值 {mark}。",
            f"{worst.day} has AQI {figure}, over the release mark {mark}.",
        )
    if between := _between(plan, air, needed, rule.not_over):
        anchor, day = between
        hours = f"{day.day:%m-%d} {anchor:02}:00 - {day.day + timedelta(days=1):%m-%d} {anchor:02}:00"
        return Calm(
            False,
            since,
            until,
            f"{hours} AQI {day.aqi}，高于解除限值 {mark}。",
            f"{hours} has AQI {day.aqi}, over the release mark {mark}.",
        )
    if unknown:
        return Calm(
            False,
            since,
            until,
            f"缺少 {unknown[0]} 的数据，不能判断是否持续好转。",
            f"There are no figures for {unknown[0]}, so it is not known whether the air stays better.",
        )
    if until is None or until - start_of(first_whole) <= timedelta(hours=rule.hours_over):
        return Calm(
            False,
            since,
            until,
            f"预计好转时间未超过 {rule.hours_over} 小时。",
            f"The air is not known to stay better for more than {rule.hours_over} h.",
        )
    return Calm(
        True,
        since,
        until,
        f"{needed[0]}至{needed[-1]}各日均不高于 {mark}，预计持续超过 {rule.hours_over} 小时。",
        f"{needed[0]} to {needed[-1]} are not over {mark}, forecast to stay so for more than {rule.hours_over} h.",
    )


def _between(plan: Plan, air: Air, needed: Sequence[date], not_over: float) -> tuple[int, DayOfAir] | None:
    """The worst window inside these days that is over the mark, with the hour it is anchored at."""
    if plan.runs_on is RunsOn.CALENDAR_DAYS or not needed:
        return None
    found = [
        (anchor, one)
        for anchor, row in enumerate(air.anchored)
        for one in row
        if needed[0] <= one.day and one.day + timedelta(days=anchor > 0) <= needed[-1]
        if not plan.lets_go(one) and one.aqi > not_over
    ]
    return max(found, key=lambda one: one[1].aqi, default=None)


def over(plan: Plan, air: Air, *, spell_until: datetime | None, now: datetime) -> bool:
    """
    Whether a warning may be lifted: the release test is met, and no spell that asks for a level lies beyond it.

    Two calm days before a bad third one meet the test of :func:`calm` and end nothing: a warning given for that third
    day would be lifted the minute after it was signed. ``spell_until``: the end of the run the plan's trigger rests on.

    :raises UnknownCell: the plan has no release rule
    """
    tomorrow = start_of(now.astimezone(SHANGHAI).date() + timedelta(days=1))
    return calm(plan, air, now=now).met and (spell_until is None or spell_until <= tomorrow)


def over_in_all(plan: Plan, airs: Sequence[Air], *, spell_until: datetime | None, now: datetime) -> bool:
    """The same of the air as several sources have it: every one of them has to say so."""
    return bool(airs) and all(over(plan, air, spell_until=spell_until, now=now) for air in airs)


def one_episode(plan: Plan, *, ended_at: datetime, starts_at: datetime) -> bool:
    """
    Whether a new spell belongs to the one before: the gap is shorter than the plan's merge gap.

    :raises UnknownCell: the plan gives no merge gap
    """
    return starts_at - ended_at < timedelta(hours=plan.merge_gap_hours)
