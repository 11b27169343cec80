"""What no plan may say of itself: a level easier to reach than the one below, or figures that cannot be meant."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from pydantic import BaseModel

from emergency.domain.assess import highest
from emergency.domain.calling import CALL_LIST
from emergency.domain.forecast import Air, DayOfAir, Source
from emergency.domain.level import Level
from emergency.domain.messages import PORTAL
from emergency.domain.plan import DAY_HOURS, Clause, Metric, Origin, Plan, RunsOn, Spell
from emergency.plans.measures import ACTIONS
from emergency.plans.plan_sheet import PlanSheet
from emergency.plans.reading import Loc

_LEVELS = ("blue", "yellow", "orange", "red")
_FIRST = date(2001, 1, 1)  # any day: only that days adjoin counts
Found = Iterator[tuple[Loc, str]]


def contradictions(sheet: PlanSheet, plan: Plan) -> Found:
    """Everything the plan says that cannot be meant, with its place in the file."""
    yield from _sources(sheet, sheet.sources, ())
    yield from _levels(plan)
    yield from _ladder(sheet)
    yield from _approvals(sheet)
    yield from _release(sheet)
    yield from _reporting(sheet)
    if (held := sheet.in_force) and held.until and held.until < held.since[: len(held.until)]:
        yield ("in_force", "until"), f"{held.until} is before {held.since}"
    for kind in sheet.effective_delay_min.by_kind:
        if kind not in ACTIONS:
            yield ("effective_delay_min", "by_kind", kind), f"no measure does {kind!r}; there are {', '.join(ACTIONS)}"
    started, settled = plan.numbers.get("start_deadline_min"), plan.numbers.get("in_place_deadline_min")
    if started is not None and settled is not None and started > settled:
        yield ("deadlines", "in_place_deadline_min"), "in_place_deadline_min comes before start_deadline_min"
    cuts = [(word, sheet.reduction_pct[word]) for word in _LEVELS if word in sheet.reduction_pct]
    for (_, lower), (word, higher) in pairwise(cuts):
        for name in ("so2", "nox", "pm", "vocs"):
            if getattr(higher, name) < getattr(lower, name):
                yield ("reduction_pct", word, name), f"{word} cuts less {name} than the level below"


def _sources(value: object, known: Mapping[str, str], loc: Loc) -> Found:
    if isinstance(value, BaseModel):
        said = getattr(value, "source", "")
        if said and said not in known:
            yield (*loc, "source"), f"source {said!r} is not among sources"
        for name in type(value).model_fields:
            yield from _sources(getattr(value, name), known, (*loc, name))
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _sources(one, known, (*loc, str(key)))
    elif isinstance(value, tuple):
        for index, one in enumerate(value):
            yield from _sources(one, known, (*loc, index))


def _levels(plan: Plan) -> Found:
    if plan.runs_on is not RunsOn.CALENDAR_DAYS:
        return  # judged by hours elsewhere; the days below would prove nothing
    for level, clauses in plan.levels.items():
        for index, clause in enumerate(clauses):
            for air in witnesses(clause):
                if (reached := highest(plan, air)) > level:
                    shown = ", ".join(f"{one.aqi}" for one in air.days)
                    reason = f"{level.word} is met by days {shown}, which already make {reached.word}"
                    yield ("levels", level.word, "any_of", index), f"{reason}: a higher level must never be easier"
                    break
    if plan.pre_level:
        for air in witnesses(plan.pre_level.clause):
            if highest(plan, air) > Level.NONE:
                yield ("pre_level",), "the stage below the warnings already makes a warning"
                return


def witnesses(clause: Clause) -> Iterator[Air]:
    """
    The mildest airs that meet a clause: its outer run at the lowest value, each inner run at each place inside.

    Whatever meets the clause is at least as bad as one of these, and worse air never asks for less; so what these do
    not reach is not reached by the clause alone.
    """
    outer = clause.spells[0]
    for marks in _placed(clause.spells, 0, outer.days):
        days = []
        for offset in range(outer.days):
            here = [spell for spell, (start, end) in zip(clause.spells, marks, strict=True) if start <= offset < end]
            aqi = max((_least(one) for one in here if one.metric is Metric.AQI), default=0)
            pm2_5 = max((_least(one) for one in here if one.metric is Metric.PM2_5), default=0)
            seen = any(one.origin is Origin.OBSERVED for one in here)
            source = Source.OBSERVED if seen else Source.FORECAST
            days.append(DayOfAir(_FIRST + timedelta(days=offset), aqi, source, pm2_5=float(pm2_5)))
        yield Air("", tuple(days))


def _placed(spells: Sequence[Spell], start: int, end: int) -> Iterator[tuple[tuple[int, int], ...]]:
    if not spells:
        yield ()
        return
    first, *inner = spells
    for at in range(start, max(start, end - first.days) + 1):
        for further in _placed(inner, at, at + first.days):
            yield ((at, at + first.days), *further)


def _least(spell: Spell) -> int:
    """The smallest whole number that passes the mark."""
    return math.floor(spell.over) + 1 if spell.strict else math.ceil(spell.over)


_COUNTED_FROM = {"acknowledge": "", "start": "start_deadline_min", "in_place": "in_place_deadline_min"}


def _ladder(sheet: PlanSheet) -> Found:
    for deadline, number in _COUNTED_FROM.items():
        mine = [(index, one) for index, one in enumerate(sheet.ladder) if one.deadline == deadline]
        for (_, before), (index, after) in pairwise(mine):
            if after.after_minutes <= before.after_minutes:
                yield ("ladder", index, "after_minutes"), f"{after.step} does not come after {before.step}"
        stated = getattr(sheet.deadlines, number) if number else None
        if mine and number and (stated is None or stated.value is None):
            yield ("ladder", mine[0][0], "for"), f"{mine[0][1].step} hangs on {number}, which the plan does not say"
    steps = [one.step for one in sheet.ladder]
    for index, step in enumerate(steps):
        if step in steps[:index]:
            yield ("ladder", index, "step"), f"step {step!r} is there twice"
    for index, one in enumerate(sheet.ladder):
        if PORTAL in one.by and one.notify != "recipient":
            yield ("ladder", index, "by"), f"{PORTAL} reaches the recipient itself and not its {one.notify}"
        if one.notify == CALL_LIST and any(later.deadline == one.deadline for later in sheet.ladder[index + 1 :]):
            yield ("ladder", index, "notify"), f"{CALL_LIST} is the last step of its deadline"


def _approvals(sheet: PlanSheet) -> Found:
    signed = [(word, sheet.approval[word]) for word in _LEVELS if word in sheet.approval]
    for (lower_word, lower), (word, higher) in pairwise(signed):
        if higher.rank < lower.rank:
            yield ("approval", word, "rank"), f"{word} is signed by a lower rank than {lower_word}"
    for word, one in signed:
        for index, deputy in enumerate(one.deputies):
            if deputy.after_minutes > one.within_minutes:
                where: Loc = ("approval", word, "deputies", index, "after_minutes")
                yield where, f"the deputy may sign only after the {one.within_minutes} minutes have passed"


def _release(sheet: PlanSheet) -> Found:
    rule = sheet.release
    if rule is None:
        return
    days, hours = rule.whole_days.value, rule.hours_over.value
    if days is not None and hours is not None and days * DAY_HOURS <= hours:
        yield ("release", "whole_days"), "whole_days are not strictly more than hours_over"


def _reporting(sheet: PlanSheet) -> Found:
    if _value(sheet.daily_report_time) is not None and _value(sheet.daily_report_within_min) is None:
        yield ("daily_report_time",), "asks for a daily report, and daily_report_within_min does not say by when"
    before, due = _value(sheet.evaluation_reminder_workdays), _value(sheet.evaluation_due_workdays)
    if before is not None and (due is None or before >= due):
        yield ("evaluation_reminder_workdays",), "reminds before there is anything to be reminded of"


def _value(cell: Any) -> Any:
    """What a cell says; None where it is absent or unknown."""
    return getattr(cell, "value", None)
