"""The choice of measures by HiGHS: the same answer for the same problem, every time and on every machine alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import fsum
from typing import TYPE_CHECKING, Any, Final

from emergency.domain.arithmetic_choice import Answer, Problem
from emergency.errors import Unavailable

if TYPE_CHECKING:
    import highspy

_TIGHT: Final = 1e-9  # of a row that reaches 1: far below what :mod:`emergency.domain.arithmetic` calls the same
_SMALL: Final = 200  # columns up to which the least is proved to the last unit
_MANY: Final = 1500  # columns beyond which the second cost is not made least: that alone takes a minute
_NEAR: Final = 0.001  # of the cost, beyond _SMALL: the last thousandth takes minutes
_NODES: Final = (500, 20)  # of the search, up to _SMALL and beyond; unlike seconds the same on any machine
_OPTIONS: Final[Mapping[str, Any]] = {
    "output_flag": False,  # first: nothing may be printed
    "threads": 1,
    "random_seed": 0,
    "mip_detect_symmetry": False,
    "mip_feasibility_tolerance": _TIGHT,
    "primal_feasibility_tolerance": _TIGHT,
}


def solve(problem: Problem) -> Answer:
    """
    The choice that reaches every row's 1 at least cost, by each cost in its order; where none does, the one whose worst
    row comes furthest, and of these the cheapest.

    Costs are made least one after the other, each held to what it came to while the next is; ``bound`` tells how far
    from the least the first may be. Groups that are alike in all are taken in their order.

    :raises Unavailable: the solver is not installed, or failed
    """
    held = [_Held(row, at_least=1.0) for row in problem.rows]
    reached, proved = 1.0, True
    found = _least(problem, problem.costs[0], held)
    if found is None:
        reached, proved = _furthest(problem)
        held = [_Held(row, at_least=reached) for row in problem.rows if row]
        found = _least(problem, problem.costs[0], held)
    first = found
    for before, costs in pairwise(problem.costs):
        if found is None or problem.columns > _MANY:
            break
        held.append(_Held(dict(enumerate(map(float, before))), at_most=_sum(before, found.chosen) + 0.5))
        found = _least(problem, costs, held, begin=found.chosen) or found
    if found is None or first is None:
        raise Unavailable("the solver found no choice within its limit")
    chosen = _in_order(problem, found.chosen)
    return Answer(chosen, reached, _sum(problem.costs[0], chosen), first.bound if proved else None)


def _sum(costs: Sequence[int], chosen: Iterable[int]) -> int:
    return sum(costs[at] for at in chosen)


def _in_order(problem: Problem, chosen: Sequence[int]) -> tuple[int, ...]:
    """The same choice with the first of those groups taken that no figure tells apart."""
    alike: dict[object, list[tuple[int, ...]]] = defaultdict(list)
    for group in problem.groups:
        figures = (tuple(one[at] for one in problem.costs) + tuple(row.get(at) for row in problem.rows) for at in group)
        alike[tuple(figures)].append(group)
    taken, ordered = set(chosen), list[int]()
    for groups in alike.values():
        places = sorted(n for group in groups for n, at in enumerate(group) if at in taken)
        ordered += (group[n] for group, n in zip(groups, places, strict=False))
    return tuple(sorted(ordered))


@dataclass(frozen=True)
class _Held:
    """A row of the matrix: its parts by column, and what its sum may be."""

    parts: Mapping[int, float]
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True)
class _Found:
    chosen: tuple[int, ...]
    proved: bool
    bound: float


def _furthest(problem: Problem) -> tuple[float, bool]:
    """
    How far the worst row can come at most, 0 to 1, and whether that is proved: a column of its own, made greatest ahead
    of all costs.
    """
    if not all(problem.rows):
        return 0.0, True
    more = problem.columns
    held = [_Held({**row, more: -1.0}, at_least=0.0) for row in problem.rows]
    wider = replace(problem, columns=more + 1)
    found = _least(wider, (0,) * more + (-1,), held, loose=more, begin=())
    if found is None:
        raise Unavailable("the solver found no choice where there is one")
    worst = min(fsum(row.get(at, 0.0) for at in found.chosen) for row in problem.rows)
    return min(1.0, max(0.0, worst - _TIGHT)), found.proved  # a hair below, so that it can be held


def _least(
    problem: Problem,
    costs: Sequence[int],
    held: Iterable[_Held],
    *,
    loose: int | None = None,
    begin: tuple[int, ...] | None = None,
) -> _Found | None:
    """
    The choice of least cost under what is held; None where there is none, or none was met within the limit.

    ``loose``: a column of any part up to 1; ``begin``: a choice that is known to hold.
    """
    solver, name = _highs()
    infinite = name.kHighsInf
    rows = [*held, *(_Held(dict.fromkeys(group, 1.0), at_most=1.0) for group in problem.groups)]
    if not problem.columns:
        return _Found((), True, 0.0) if all((one.at_least or 0) <= 0 for one in rows) else None
    model = name.HighsLp()
    model.num_col_, model.num_row_ = problem.columns, len(rows)
    model.col_cost_ = list(map(float, costs))
    model.col_lower_, model.col_upper_ = [0.0] * problem.columns, [1.0] * problem.columns
    whole, real = name.HighsVarType.kInteger, name.HighsVarType.kContinuous
    model.integrality_ = [real if at == loose else whole for at in range(problem.columns)]
    model.row_lower_ = [-infinite if one.at_least is None else one.at_least for one in rows]
    model.row_upper_ = [infinite if one.at_most is None else one.at_most for one in rows]
    starts, places, parts = [0], list[int](), list[float]()
    for one in rows:
        places += one.parts.keys()
        parts += one.parts.values()
        starts.append(len(places))
    model.a_matrix_.format_ = name.MatrixFormat.kRowwise
    model.a_matrix_.start_, model.a_matrix_.index_, model.a_matrix_.value_ = starts, places, parts
    small = problem.columns <= _SMALL
    solver.setOptionValue("mip_rel_gap", 0.0 if small else _NEAR)
    solver.setOptionValue("mip_max_nodes", _NODES[0] if small else _NODES[1])
    solver.passModel(model)
    if begin is not None:
        known = name.HighsSolution()
        known.col_value = [float(at in set(begin)) for at in range(problem.columns)]
        solver.setSolution(known)
    solver.run()
    status, told = solver.getModelStatus(), solver.getInfo()
    if told.primal_solution_status != name.SolutionStatus.kSolutionStatusFeasible:
        return None
    values = solver.getSolution().col_value
    chosen = tuple(at for at in range(problem.columns) if at != loose and values[at] > 0.5)
    proved = status == name.HighsModelStatus.kOptimal
    return _Found(chosen, proved, told.mip_dual_bound)


def _highs() -> tuple[highspy.Highs, Any]:
    try:
        import highspy  # not at the top: all else works where it is not installed
    except ImportError:
        raise Unavailable("highspy is not installed: no set of measures can be proposed") from None
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # its constructor has no annotations
    for option, value in _OPTIONS.items():
        solver.setOptionValue(option, value)
    return solver, highspy
