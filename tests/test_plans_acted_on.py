"""No field of a plan is kept and not acted on: each has a reader outside of the modules that load and check plans."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_args

from emergency.plans.plan_sheet import PlanSheet
from emergency.plans.reading import Sheet

ROOT = Path(__file__).resolve().parents[1]
PLAN = ROOT / "emergency" / "domain" / "plan.py"
LISTED = ROOT / "emergency" / "commands" / "plans.py"  # prints whatever there is, and does nothing with it
PROVENANCE = frozenset({"basis", "source", "sources", "note", "unknown", "value"})  # on what a number rests
DESCRIBES = frozenset({"name", "name_en", "since", "until", "extends"})  # which plan it is: being listed is its use
CONTAINERS = frozenset({"deadlines", "in_force"})  # their parts are asked for one by one

# where a plan carries a field under another name than its file
CARRIED_AS = {
    "PlanSheet.release": "release_rule",
    "PlanSheet.approval": "approvals",
    "PlanSheet.downgrade": "downgrade_hours_over",
    "DowngradeSheet.hours_over": "downgrade_hours_over",
    "DowngradeSheet.may_skip_levels": "downgrade_may_skip",
    "DelaysSheet.by_level": "effective_delay_min",
    "DelaysSheet.by_kind": "kind_delays",
    "PlanSheet.effective_delay_min": "effective_delay_min",
    "ReleaseSheet.aqi_not_over": "not_over",
    "LevelSheet.any_of": "levels",
    "ClauseSheet.all_of": "spells",
    "PreLevelSheet.all_of": "spells",
    "SpellSheet.at_least": "strict",
    "SpellSheet.range": "up_to",
    "SpellSheet.for_hours": "hours",
    "CauseSheet.gets": "causes",
    "LegalSheet.text": "legal_basis",
    "UndecidedSheet.every_min": "every_minutes",
    "PlanSheet.reduction_pct": "reductions",
    "PlanSheet.reduction_substitution": "substitutes",
    **{f"ReductionSheet.{name}": "reductions" for name in ("so2", "nox", "pm", "vocs")},
}


def sheets_of(annotation: Any) -> Iterator[type[Sheet]]:
    """Every sheet an annotation speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, Sheet):
        yield annotation
    for inner in get_args(annotation):
        yield from sheets_of(inner)


def fields_of(sheet: type[Sheet], seen: set[type[Sheet]]) -> Iterator[str]:
    """Every field of the schema as ``Sheet.field``, but for those that say on what a number rests."""
    if sheet in seen:
        return
    seen.add(sheet)
    for name, field in sheet.model_fields.items():
        if name not in PROVENANCE | DESCRIBES | CONTAINERS:
            yield f"{sheet.__name__}.{name}"
        for inner in sheets_of(field.annotation):
            yield from fields_of(inner, seen)


def read_in(tree: ast.AST) -> set[str]:
    """Every name that is read of something, or asked for by its name as a string."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            found.add(node.attr)
        elif isinstance(node, ast.Call):
            found |= {one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return found


def acted_on(outside: Iterable[ast.AST], plan: ast.AST) -> set[str]:
    """What is read outside, and what a member of the plan's values that is read there reads itself."""
    found: set[str] = set().union(*(read_in(tree) for tree in outside))
    members = {node.name: read_in(node) for node in ast.walk(plan) if isinstance(node, ast.FunctionDef)}
    while more := {name for member in members.keys() & found for name in members[member]} - found:
        found |= more
    return found


def unread(fields: Iterable[str], read: set[str]) -> list[str]:
    """The fields nobody reads under the name they are carried by."""
    return [one for one in fields if CARRIED_AS.get(one, one.partition(".")[2]) not in read]


def outside() -> list[ast.AST]:
    """Every module that is there to act: not those that load, check or list plans."""
    loading = (ROOT / "emergency" / "plans").rglob("*.py")
    left_out = {PLAN, LISTED, *loading}
    return [ast.parse(path.read_text("utf-8")) for path in (ROOT / "emergency").rglob("*.py") if path not in left_out]


def test_every_field_a_plan_may_have_is_acted_on() -> None:
    fields = list(fields_of(PlanSheet, set()))

    assert len(fields) > 60
    assert unread(fields, acted_on(outside(), ast.parse(PLAN.read_text("utf-8")))) == []


def test_a_field_that_only_the_plan_itself_reads_is_noticed() -> None:
    plan = ast.parse("class Plan:\n def asked(self): return self.number('kept')\n def never(self): return self.lost")
    someone = ast.parse("def use(plan): return plan.asked()")

    assert unread(["PlanSheet.kept", "PlanSheet.lost"], acted_on([someone], plan)) == ["PlanSheet.lost"]


def test_every_other_name_belongs_to_a_field_there_is() -> None:
    assert CARRIED_AS.keys() <= set(fields_of(PlanSheet, set()))
