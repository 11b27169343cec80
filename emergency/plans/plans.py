"""playbooks/plans becomes plans: parents filled in, contradictions named with file and line, differences listed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ValidationError

from emergency.domain.level import Level
from emergency.domain.plan import (
    Approval,
    Clause,
    Deputy,
    ExtensionRule,
    Mark,
    Plan,
    PreLevel,
    ReleaseRule,
    Rung,
    Spell,
)
from emergency.errors import Misconfigured, Missing
from emergency.plans.plan_checks import contradictions
from emergency.plans.plan_sheet import Cell, ClauseSheet, PlanSheet, Said, SpellSheet, V
from emergency.plans.reading import Loc, Page, Problem, Unreadable, fit, read_page
from emergency.plans.stricter import laxer

PLANS = Path(__file__).resolve().parents[2] / "playbooks" / "plans"
_SKIPPED = frozenset({"any_of", "deadlines"})  # steps of the file a reader of paths has no use for


class NoSuchPlan(Missing):
    """No file of the folder has this id."""


@dataclass(frozen=True)
class Change:
    """One place where two plans differ; None where a plan says nothing."""

    path: str
    before: object
    after: object


@dataclass(frozen=True)
class _Resolved:
    """A plan's data with its parents filled in; the pages it was written on, its own first."""

    pages: tuple[Page, ...]
    data: Mapping[str, object]

    def problem(self, loc: Loc, reason: str, zh: str = "") -> Problem:
        """A problem at the page that says most about this place."""

        def known(page: Page) -> int:
            return max(end for end in range(len(loc) + 1) if end == 0 or page.has(loc[:end]))

        return max(self.pages, key=known).problem(loc, reason, zh)


def load_plans(folder: Path = PLANS) -> Mapping[str, Plan]:
    """
    Every plan of the folder by its id.

    :raises Unreadable: (a Misconfigured) anything is wrong with any of them; all of it is in ``problems``
    """
    plans, problems = _read(folder)
    if problems:
        raise Unreadable(problems)
    return MappingProxyType(plans)


def check(folder: Path = PLANS) -> list[Problem]:
    """Everything wrong with the plans of the folder, by file and line; an empty list is good news."""
    return _read(folder)[1]


def named(plans: Mapping[str, Plan], plan_id: str) -> Plan:
    """
    The plan with this id.

    :raises NoSuchPlan: there is none; the words list what there is
    """
    if plan_id not in plans:
        raise NoSuchPlan(f"no plan is called {plan_id!r}; there are {', '.join(sorted(plans))}")
    return plans[plan_id]


def plan_from_text(text: str) -> Plan:
    """
    The plan an episode runs under, from the text kept at its opening (``Plan.text``).

    :raises Misconfigured: the text is not a plan
    """
    try:
        return _plan(PlanSheet.model_validate_json(text, strict=True), text)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False)[0]
        raise Misconfigured(f"kept plan: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def diff(a: Plan, b: Plan) -> tuple[Change, ...]:
    """Every place where ``b`` says something other than ``a``, by path; names of sources aside."""
    left, right = _flat(json.loads(a.text)), _flat(json.loads(b.text))
    return tuple(
        Change(path, left.get(path), right.get(path))
        for path in sorted({**left, **right})
        if left.get(path) != right.get(path) and not path.startswith("sources.")
    )


def _read(folder: Path) -> tuple[dict[str, Plan], list[Problem]]:
    if not folder.is_dir():
        return {}, [Problem(folder, 1, "is not a folder of plans")]
    pages: dict[str, Page] = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            pages[path.stem] = read_page(path)
        except Unreadable as bad:
            problems += bad.problems
    if not pages and not problems:
        problems.append(Problem(folder, 1, "holds no plan (*.yaml)"))
    sheets: dict[str, tuple[_Resolved, PlanSheet]] = {}
    for name, page in pages.items():
        resolved = _resolve(page, pages)
        if isinstance(resolved, Problem):
            problems.append(resolved)
            continue
        sheet, wrong = fit(PlanSheet, resolved.data, resolved.problem)
        problems += wrong
        if sheet is not None:
            if sheet.id != name:
                problems.append(page.problem(("id",), f"id is {sheet.id!r}, the file is called {name}.yaml"))
            sheets[name] = resolved, sheet
    plans: dict[str, Plan] = {}
    for name, (resolved, sheet) in sheets.items():
        plan = _plan(sheet, _canonical(sheet))
        wrong_here = [resolved.problem(loc, reason) for loc, reason in contradictions(sheet, plan)]
        if sheet.extends in sheets:
            wrong_here += [resolved.problem(*one) for one in laxer(sheet, sheets[sheet.extends][1])]
        problems += wrong_here
        plans[name] = plan
    return plans, sorted(dict.fromkeys(problems), key=lambda one: (str(one.file), one.line, one.reason))


def _resolve(page: Page, pages: Mapping[str, Page]) -> _Resolved | Problem:
    line = [page]
    while (parent := line[-1].data.get("extends")) is not None:
        if not isinstance(parent, str) or parent not in pages:
            return line[-1].problem(("extends",), f"extends: there is no readable plan {parent!r}")
        if pages[parent] in line:
            return page.problem(("extends",), f"extends: {parent} comes back to itself")
        line.append(pages[parent])
    data: Mapping[str, object] = {}
    for one in reversed(line):
        data = _over(data, one.data)
    return _Resolved(tuple(line), data)


def _over(below: Mapping[str, object], above: Mapping[str, object]) -> dict[str, object]:
    """
    The lower mapping with the upper one laid over it, key by key.

    A stated value is laid over whole, so that nobody inherits half of one: a mapping with a basis, or an unknown.
    """
    merged = dict(below)
    for key, value in above.items():
        there = merged.get(key)
        if isinstance(value, dict) and isinstance(there, dict) and not {"basis", "unknown"} & ({*value} | {*there}):
            merged[key] = _over(there, value)
        else:
            merged[key] = value
    return merged


def _canonical(sheet: PlanSheet) -> str:
    """One text for one meaning: sorted keys, defaults written out, no spaces."""
    data = sheet.model_dump(mode="json", exclude_none=True, by_alias=True)
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _plan(sheet: PlanSheet, text: str) -> Plan:
    deadlines = {name: getattr(sheet.deadlines, name) for name in type(sheet.deadlines).model_fields}
    counts = {
        **deadlines,
        "merge_gap_hours": sheet.merge_gap_hours,
        "summary_due_workdays": sheet.summary_due_workdays,
        "evaluation_due_workdays": sheet.evaluation_due_workdays,
        "evaluation_reminder_workdays": sheet.evaluation_reminder_workdays,
        "daily_report_within_min": sheet.daily_report_within_min,
        "reminders_per_hour": sheet.reminders_per_hour,
    }
    named = ("issuer", "number_format", "advisory_number_format", "daily_report_time")
    texts = {name: getattr(sheet, name) for name in named}
    by_level: dict[str, Mapping[Any, Cell[int]]] = {
        "lead_time_hours": sheet.lead_time_hours,
        "effective_delay_min": sheet.effective_delay_min.by_level,
        "rebroadcast_hours": sheet.rebroadcast_hours,
    }
    marks: dict[str, Mark] = {}
    unknown: dict[str, str] = {}
    for path, one in _statements(sheet, ()):
        if isinstance(one, Said | Cell) and one.basis is not None:
            marks[path] = Mark(one.basis, one.source)
        elif getattr(one, "unknown", None):
            unknown[path] = str(getattr(one, "note", ""))
    pre = sheet.pre_level
    return Plan(
        id=sheet.id,
        name=sheet.name,
        name_en=sheet.name_en,
        authority=sheet.authority,
        levels=MappingProxyType(
            {
                Level.named(word): tuple(
                    _clause(one, f"{word}-{index}", f"levels.{word}.{index}")
                    for index, one in enumerate(level.any_of, 1)
                )
                for word, level in sheet.levels.items()
                if level.any_of
            }
        ),
        causes=MappingProxyType({cause: one.gets for cause, one in sheet.causes.items()}),
        runs_on=sheet.runs_on,
        high_decides=bool(sheet.high_decides and sheet.high_decides.value),
        extends=sheet.extends,
        since=sheet.in_force.since if sheet.in_force else "",
        until=(sheet.in_force.until or "") if sheet.in_force else "",
        pre_level=PreLevel(pre.name, pre.name_en, _clause(pre, "pre", "pre_level")) if pre else None,
        release_rule=_release(sheet),
        open_ended=bool(sheet.open_ended and sheet.open_ended.value),
        extension=_extension(sheet),
        downgrade_may_skip=bool(sheet.downgrade and sheet.downgrade.may_skip_levels.value),
        downgrade_hours_over=sheet.downgrade.hours_over.value if sheet.downgrade else None,
        approvals=MappingProxyType(
            {
                Level.named(word): Approval(
                    one.rank,
                    one.title,
                    one.within_minutes,
                    tuple(Deputy(who.title, who.rank, who.after_minutes) for who in one.deputies),
                )
                for word, one in sheet.approval.items()
            }
        ),
        undecided=sheet.undecided.rule() if sheet.undecided else None,
        ladder=tuple(Rung(one.step, one.after_minutes, one.notify, one.by, one.deadline) for one in sheet.ladder),
        numbers=MappingProxyType(_known(counts)),
        by_level=MappingProxyType(
            {
                name: {Level.named(word): value for word, value in _known(cells).items()}
                for name, cells in by_level.items()
            }
        ),
        kind_delays=MappingProxyType(_known(sheet.effective_delay_min.by_kind)),
        reductions=MappingProxyType(
            {
                Level.named(word): {name: getattr(one, name) for name in ("so2", "nox", "pm", "vocs")}
                for word, one in sheet.reduction_pct.items()
            }
        ),
        substitutes=bool(sheet.reduction_substitution and sheet.reduction_substitution.value),
        texts=MappingProxyType(_known(texts)),
        legal_basis=tuple(one.text for one in sheet.legal_basis),
        sources=MappingProxyType(dict(sheet.sources)),
        unknown=MappingProxyType(unknown),
        marks=MappingProxyType(marks),
        sha=hashlib.sha256(text.encode()).hexdigest(),
        text=text,
    )


def _release(sheet: PlanSheet) -> ReleaseRule | None:
    rule = sheet.release
    if rule is None:
        return None
    mark, hours, days = rule.aqi_not_over.value, rule.hours_over.value, rule.whole_days.value
    return None if mark is None or hours is None or days is None else ReleaseRule(mark, hours, days)


def _extension(sheet: PlanSheet) -> ExtensionRule | None:
    rule = sheet.extension
    if rule is None or rule.allowed.value is None:
        return None
    longest, rank = rule.longest_hours, rule.rank
    return ExtensionRule(rule.allowed.value, longest.value if longest else None, rank.value if rank else None)


def _known(cells: Mapping[Any, Cell[V] | None]) -> dict[str, V]:
    return {str(name): cell.value for name, cell in cells.items() if cell is not None and cell.value is not None}


def _clause(sheet: ClauseSheet, name: str, path: str) -> Clause:
    return Clause(name, tuple(_spell(one) for one in sheet.all_of), sheet.text, sheet.people_judge, path)


def _spell(sheet: SpellSheet) -> Spell:
    over, up_to = sheet.range if sheet.range is not None else (None, None)
    mark = sheet.over if sheet.over is not None else sheet.at_least if sheet.at_least is not None else over
    return Spell(
        over=float(mark or 0),
        hours=sheet.for_hours,
        metric=sheet.metric,
        strict=sheet.over is not None,
        up_to=up_to,
        origin=sheet.origin,
    )


def _statements(value: object, path: tuple[str, ...]) -> Iterator[tuple[str, BaseModel]]:
    """Every model under this value with its path, list places counted from 1."""
    if isinstance(value, BaseModel):
        yield ".".join(path), value
        for name in type(value).model_fields:
            yield from _statements(getattr(value, name), path if name in _SKIPPED else (*path, name))
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _statements(one, (*path, str(key)))
    elif isinstance(value, tuple):
        for index, one in enumerate(value, 1):
            yield from _statements(one, (*path, str(index)))


def _flat(data: object, path: str = "") -> dict[str, object]:
    """Plain data as path → value, list places counted from 1."""
    pairs: Sequence[tuple[str, object]]
    if isinstance(data, dict):
        pairs = [(str(key), value) for key, value in data.items()]
    elif isinstance(data, list):
        pairs = [(str(index), value) for index, value in enumerate(data, 1)]
    else:
        return {path: data}
    flat: dict[str, object] = {}
    for key, value in pairs:
        flat |= _flat(value, f"{path}.{key}" if path else key)
    return flat
