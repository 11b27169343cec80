"""A release or a lowering explained: the test it rests on, comparison by comparison, on the days it was asked of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from emergency.domain.assessment import SHANGHAI, Assessment, Comparison, as_data, start_of
from emergency.domain.calm import Calm, days_asked, is_calm, windows_inside
from emergency.domain.forecast import Air, DayOfAir
from emergency.domain.level import Level
from emergency.domain.plan import CAUSE_ZH, Metric, Plan, ReleaseRule

RELEASE, LOWERING = "release", "downgrade"


@dataclass(frozen=True)
class Trial:
    """
    The test that was asked of one source's air: which (``clause``), by which rule, of which level, and its result.

    ``level``: that which is tested; NONE of the release test, which asks of no level.
    """

    clause: str
    rule: ReleaseRule
    level: Level
    air: Air
    result: Calm


def explained(plan: Plan, spell: Assessment, test: Trial, *, says: Level, now: datetime) -> dict[str, object]:
    """
    What is kept with a release or a lowering: the test as the assessment, ``calm`` as its result in hours, and under
    ``spell`` the assessment of the spell that was declared. ``says``: the level the rule gives by both.
    """
    needed = days_asked(test.rule, now=now)
    known = [one for one in test.air.days if one.day >= min(needed[0], spell.days[0].day)]
    days = tuple(known) or spell.days
    zh, en = ("降级", "lowering") if test.clause == LOWERING else ("解除", "release")
    met = test.result.met
    found = Assessment(
        plan_id=plan.id,
        plan_sha=plan.sha,
        level=says,
        clause=test.clause,
        clause_text=f"AQI ≤ {test.rule.not_over:g}, > {test.rule.hours_over} h",
        comparisons=tuple(_compared(plan, spell, test, needed, now=now)),
        days=days,
        run=tuple(one.day for one in days if one.day in needed),
        nearest=None,
        sentence_zh=f"{zh}条件{'已' if met else '未'}满足：{test.result.because_zh}",
        sentence_en=f"The test for {en} is {'met' if met else 'not met'}: {test.result.because_en}",
        doubtful=spell.doubtful,
        advisory=tuple(one.day for one in days if not plan.orders(one)),
    )
    since, until = test.result.since, test.result.until
    return {
        **as_data(found),
        "lead_days": None,  # nothing is foreseen to begin
        "calm": {
            "met": met,
            "since": since.isoformat() if since else None,
            "until": until.isoformat() if until else None,
        },
        "spell": as_data(spell),
    }


def _compared(
    plan: Plan, spell: Assessment, test: Trial, needed: list[date], *, now: datetime
) -> Iterator[Comparison]:
    by_day = {one.day: one for one in test.air.days}
    mark = _whole(test.rule.not_over)
    for day in needed:
        yield _of_day(plan, test, day, by_day.get(day), mark)
    inside = windows_inside(plan, test.air, needed)
    if inside:
        values = [0 if plan.lets_go(one) else plan.value(one, Metric.AQI) or 0 for _, one in inside]
        yield Comparison(
            test.level, test.clause, "worst 24-h window inside these days: AQI", "其间任意24小时最高 AQI",
            _whole(max(values)), mark, tuple(needed), "<=",
        )  # fmt: skip
    until = test.result.until
    hours = 0 if until is None else max(0, _hours(until - start_of(needed[0])))
    yield Comparison(
        test.level, test.clause, "hours known to stay so", "预计持续好转的小时数", hours, test.rule.hours_over, (), ">"
    )
    if test.clause == RELEASE:
        tomorrow = start_of(now.astimezone(SHANGHAI).date() + timedelta(days=1))
        beyond = 0 if spell.until is None else max(0, _hours(spell.until - tomorrow))
        yield Comparison(
            test.level, test.clause, "hours from the end of today to the end of the spell",
            "今日24时至本次过程结束的小时数", beyond, 0, (), "<=",
        )  # fmt: skip


def _of_day(plan: Plan, test: Trial, day: date, found: DayOfAir | None, mark: float) -> Comparison:
    """A day's figure against the mark; one that nobody knows has none, and one by cause lets go whatever its figure."""
    if found is not None and plan.lets_go(found) and is_calm(plan, test.rule, found):
        zh, en = f"{day} 成因为{CAUSE_ZH[found.cause]}，不维持指令", f"{day} is {found.cause.value} and keeps no orders"
        return Comparison(test.level, test.clause, en, zh, 1, 1, (day,), "==")
    value = None if found is None else plan.value(found, Metric.AQI)
    left = None if value is None else _whole(value)
    return Comparison(test.level, test.clause, f"{day} AQI", f"{day} AQI", left, mark, (day,), "<=")


def _whole(value: float) -> float:
    """An index is a whole number, and is kept as one."""
    return int(value) if value == int(value) else value


def _hours(some: timedelta) -> int:
    return int(some / timedelta(hours=1))
