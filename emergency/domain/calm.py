"""When a warning may be lifted, and when two spells of bad air are one episode."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from emergency.domain.assessment import SHANGHAI, end_of, start_of
from emergency.domain.forecast import Air, DayOfAir
from emergency.domain.hindsight import last_asked
from emergency.domain.plan import Metric, Plan, ReleaseRule, RunsOn, UnknownCell

_DAY = timedelta(days=1)


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
    needed = days_asked(rule, now=now)
    first = needed[0]
    since, until = _unbroken(plan, by_day, rule, first)
    against = (
        _bad_day(plan, by_day, rule, needed)
        or _bad_window(plan, air, rule, needed)
        or _unknown_day(by_day, needed)
        or _too_short(rule, first, until)
    )
    if against is not None:
        return Calm(False, since, until, *against)
    aside = any(plan.lets_go(by_day[day]) for day in needed)  # over the mark or not, they keep no orders
    less_zh = "除成因不启动应急的日子外，" if aside else ""
    less_en = " (days whose cause starts no orders aside)" if aside else ""
    return Calm(
        True,
        since,
        until,
        f"{needed[0]}至{needed[-1]}{less_zh}各日均不高于 {_mark(rule)}，预计持续超过 {rule.hours_over} 小时。",
        f"{needed[0]} to {needed[-1]}{less_en} are not over {_mark(rule)}, forecast to stay so for more than "
        f"{rule.hours_over} h.",
    )


def days_asked(rule: ReleaseRule, *, now: datetime) -> list[date]:
    """The whole days the rule looks at: from today's where it begins now, else from tomorrow's on."""
    today = now.astimezone(SHANGHAI).date()
    first = today if start_of(today) == now else today + _DAY
    return [first + timedelta(days=n) for n in range(rule.whole_days)]


def _mark(rule: ReleaseRule) -> str:
    return f"AQI {rule.not_over:g}"


def is_calm(plan: Plan, rule: ReleaseRule, day: DayOfAir | None) -> bool:
    """Whether a day, or a window, is known and not over the mark, or keeps no orders by its cause."""
    if day is None:
        return False
    value = plan.value(day, Metric.AQI)
    return plan.lets_go(day) or (value is not None and value <= rule.not_over)


def _unbroken(
    plan: Plan, by_day: Mapping[date, DayOfAir], rule: ReleaseRule, first: date
) -> tuple[datetime | None, datetime | None]:
    """Begin and end of the adjoining calm days around this one; neither where it is not calm itself."""
    if not is_calm(plan, rule, by_day.get(first)):
        return None, None
    begins = ends = first
    while is_calm(plan, rule, by_day.get(begins - _DAY)):
        begins -= _DAY
    while is_calm(plan, rule, by_day.get(ends + _DAY)):
        ends += _DAY
    return start_of(begins), end_of(ends)


# What stands against calm, in both languages; None where nothing does.


def _bad_day(
    plan: Plan, by_day: Mapping[date, DayOfAir], rule: ReleaseRule, needed: Sequence[date]
) -> tuple[str, str] | None:
    bad = [by_day[day] for day in needed if day in by_day and not is_calm(plan, rule, by_day[day])]
    if not bad:
        return None
    worst = max(bad, key=lambda one: plan.value(one, Metric.AQI) or 0)
    figure = f"{plan.value(worst, Metric.AQI):g}"
    return (
        f"{worst.day} AQI {figure}，高于解除限值 {_mark(rule)}。",
        f"{worst.day} has AQI {figure}, over the release mark {_mark(rule)}.",
    )


def _bad_window(plan: Plan, air: Air, rule: ReleaseRule, needed: Sequence[date]) -> tuple[str, str] | None:
    """The worst window inside these days that is over the mark."""
    found = [(anchor, one) for anchor, one in windows_inside(plan, air, needed) if not is_calm(plan, rule, one)]
    if not found:
        return None
    anchor, worst = max(found, key=lambda one: plan.value(one[1], Metric.AQI) or 0)
    hours = f"{worst.day:%m-%d} {anchor:02}:00 - {worst.day + _DAY:%m-%d} {anchor:02}:00"
    figure = f"{plan.value(worst, Metric.AQI):g}"
    return (
        f"{hours} AQI {figure}，高于解除限值 {_mark(rule)}。",
        f"{hours} has AQI {figure}, over the release mark {_mark(rule)}.",
    )


def windows_inside(plan: Plan, air: Air, needed: Sequence[date]) -> list[tuple[int, DayOfAir]]:
    """Each 24-h window that lies inside these days, with its anchor; none where the plan goes by calendar days."""
    if plan.runs_on is RunsOn.CALENDAR_DAYS or not needed:
        return []
    return [
        (anchor, one)
        for anchor, row in enumerate(air.anchored)
        for one in row
        if needed[0] <= one.day and one.day + timedelta(days=anchor > 0) <= needed[-1]
    ]


def _unknown_day(by_day: Mapping[date, DayOfAir], needed: Sequence[date]) -> tuple[str, str] | None:
    unknown = next((day for day in needed if day not in by_day), None)
    if unknown is None:
        return None
    return (
        f"缺少 {unknown} 的数据，不能判断是否持续好转。",
        f"There are no figures for {unknown}, so it is not known whether the air stays better.",
    )


def _too_short(rule: ReleaseRule, first: date, until: datetime | None) -> tuple[str, str] | None:
    if until is not None and until - start_of(first) > timedelta(hours=rule.hours_over):
        return None
    return (
        f"预计好转时间未超过 {rule.hours_over} 小时。",
        f"The air is not known to stay better for more than {rule.hours_over} h.",
    )


def over(plan: Plan, air: Air, *, spell_until: datetime | None, now: datetime) -> bool:
    """
    Whether a warning may be lifted: the release test is met, and no spell that asks for a level lies beyond it.

    Two calm days before a bad third one meet the test of :func:`calm` and end nothing: a warning given for that third
    day would be lifted the minute after it was signed. ``spell_until``: the end of the run the plan's trigger rests on.
    Where the plan runs on any 24 hours, a run of a lower level may end some hours after it, and is waited for as well.

    :raises UnknownCell: the plan has no release rule
    """
    tomorrow = now.astimezone(SHANGHAI).date() + timedelta(days=1)
    if not calm(plan, air, now=now).met or (spell_until is not None and spell_until > start_of(tomorrow)):
        return False
    begun = tuple(tuple(one for one in row if one.day < tomorrow) for row in air.anchored)
    return tomorrow not in last_asked(plan, Air(air.place, (), begun)).values()


def over_in_all(plan: Plan, airs: Sequence[Air], *, spell_until: datetime | None, now: datetime) -> bool:
    """The same of the air as several sources have it: every one of them has to say so."""
    return bool(airs) and all(over(plan, air, spell_until=spell_until, now=now) for air in airs)


def one_episode(plan: Plan, *, ended_at: datetime, starts_at: datetime) -> bool:
    """
    Whether a new spell belongs to the one before: the gap is shorter than the plan's merge gap.

    A plan that gives no merge gap says of no two spells that they are one.
    """
    hours = plan.numbers.get("merge_gap_hours")
    return hours is not None and starts_at - ended_at < timedelta(hours=hours)
