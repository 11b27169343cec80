"""Whose plan may warn the public: a city's at the top of its tree; a plan that issues is refused to anybody below."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from emergency.domain.people import Area, path_of
from emergency.domain.plan import Authority, Plan
from emergency.plans.places import areas_of
from emergency.plans.reading import Problem, read_page

_MAY_ISSUE = "city"  # 大气污染防治法 art. 95: province and prefecture-level city; a place begins with its city


def overreaching(plans: Mapping[str, Plan], folder: Path, areas: Iterable[Area]) -> Iterator[Problem]:
    """
    Each of these areas that its plan would let warn the public though it has no authority to, at the plan's line.

    ``folder``: where the plan files are. A plan that says nothing of authority itself is named at its ``extends``.
    """
    for area in areas:
        plan = plans.get(area.plan_id or "")
        if plan is None or plan.authority is not Authority.ISSUES:
            continue
        if area.kind == _MAY_ISSUE and len(path_of(area.id)) == 1:
            continue
        page = read_page(folder / f"{plan.id}.yaml")
        stated = ("authority",) if page.has(("authority",)) else ("extends",)
        why = f"authority: {plan.id} issues warnings, and {area.name} ({area.id}, {area.kind}) may not"
        yield page.problem(stated, f"{why}; only a city does, what lies below activates")


def in_places(plans: Mapping[str, Plan], folder: Path, places: Path) -> list[Problem]:
    """
    The same over every place file of the folder ``places``.

    :raises Unreadable: a place file is wrong
    """
    found = (overreaching(plans, folder, areas_of(path)) for path in sorted(places.glob("*.yaml")))
    return list(dict.fromkeys(problem for some in found for problem in some))
