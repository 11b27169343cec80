"""The cheapest set of a list's measures that comes to what a level asks: posed as a problem, told with its reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import fsum
from typing import Final
from uuid import UUID

from emergency.domain.arithmetic import EXACT, Listed, cut_of
from emergency.domain.arithmetic_targets import PAIR, Doubt, Judged
from emergency.domain.orders import Category
from emergency.domain.plan import Plan
from emergency.domain.reduction.columns import LEVELS
from emergency.errors import Refused

_STEPS: Final = 1000  # costs are whole numbers: thousandths of one enterprise's production, so that equal is equal


class NothingAsked(Refused):
    """No pollutant of the level has both a base and a share the plan asks."""

    words_zh = "没有一种污染物同时有排放基数和预案比例，无法测算"


class Objective(StrEnum):
    """What «cheapest» is: no list knows what a cut costs in money."""

    FEWEST = "fewest"  # the fewest enterprises restricted; of these the least production lost
    LOSS = "loss"  # the least production lost, weighed by grade; of these the fewest enterprises


@dataclass(frozen=True)
class Guard:
    """
    Who is not restricted, and how heavily the loss of others weighs, as ``playbooks/listing.yaml`` says.

    ``weights``: grade → weight of its production; a grade it does not name weighs ``otherwise``.
    """

    grades: frozenset[str]
    categories: frozenset[Category]
    weights: Mapping[str, float]
    otherwise: float


@dataclass(frozen=True)
class Alternative:
    """
    One of an enterprise's measures: that of this level, what it takes away in kg/d, and what it costs.

    ``lost``: the share of its production, as :class:`emergency.domain.arithmetic.Cut` has it; ``cost`` in thousandths
    of the production of one enterprise of weight 1, where ``lost`` is not known as if all of it went.
    """

    level: str
    texts: tuple[str, ...]
    kg: Mapping[str, float]
    lost: float | None
    cost: int


@dataclass(frozen=True)
class Candidate:
    """An enterprise that may be restricted, with its measures: at most one of them is chosen."""

    id: UUID
    name: str
    area: str
    sector: str
    grade: str
    alternatives: tuple[Alternative, ...]


@dataclass(frozen=True)
class Field:
    """Who may be chosen from, who is protected, and whose measures came to no amount, by name."""

    candidates: tuple[Candidate, ...]
    protected: tuple[tuple[str, str], ...]  # name, and its grade or category
    without: tuple[str, ...]


def field_of(some: Iterable[Listed], guard: Guard) -> Field:
    """
    The enterprises of the list as one may choose among them, in the order of their names.

    Of measures that take the same away only the lowest level's is kept.
    """
    candidates, protected, without = [], [], []
    for one in some:
        entry = one.entry
        if entry.category is Category.LONG_STOPPED:
            continue
        if entry.grade.letter in guard.grades or entry.category in guard.categories:
            why = entry.category.value if entry.category in guard.categories else entry.grade.letter
            protected.append((entry.title, why))
            continue
        weight = guard.weights.get(entry.grade.letter, guard.otherwise)
        found = tuple(_alternatives(one, weight))
        if found:
            candidates.append(Candidate(one.id, entry.title, entry.area, entry.sector, entry.grade.letter, found))
        else:
            without.append(entry.title)
    candidates.sort(key=lambda one: (one.name, one.id))
    return Field(tuple(candidates), tuple(sorted(protected)), tuple(sorted(without)))


def _alternatives(one: Listed, weight: float) -> Iterable[Alternative]:
    seen: list[Mapping[str, float]] = []
    for level in LEVELS:
        cut = cut_of(one.entry, level)
        kg = {name: n for name, n in cut.kg.items() if n > 0}
        if not kg or kg in seen:
            continue
        seen.append(kg)
        texts = tuple(dict.fromkeys(text for line in one.entry.lines if (text := line.measures.get(level))))
        cost = max(1, round(_STEPS * weight * (1.0 if cut.lost is None else cut.lost)))
        yield Alternative(level, texts, kg, cut.lost, cost)


# --- the problem


@dataclass(frozen=True)
class Floor:
    """A sum to be reached, in percent of a base; ``pollutants``: whose shares count towards it."""

    pollutants: tuple[str, ...]
    pct: float


@dataclass(frozen=True)
class Problem:
    """
    At most one column of each group, such that each row's sum reaches 1, at least cost.

    ``groups``: the columns of each; ``rows``: column → part of the floor; ``costs``: whole numbers for each column, by
    the order in which they are made least.
    """

    columns: int
    groups: tuple[tuple[int, ...], ...]
    rows: tuple[Mapping[int, float], ...]
    costs: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Answer:
    """
    What a solver found: columns chosen; ``reached``: how far the worst row comes, 1 for all the way.

    ``bound``: no choice costs less than this by the first cost; None where it was not proved how far it is from that.
    """

    chosen: tuple[int, ...]
    reached: float
    cost: int
    bound: float | None = None


def floors(plan: Plan, judged: Sequence[Judged]) -> tuple[Floor, ...]:
    """
    What must be reached at this level; a pollutant without a base or a share asked is left out.

    :raises NothingAsked: nothing is left
    """
    known = {one.pollutant: one for one in judged if one.asked_pct and one.base is not None and one.base.amount}
    found = [Floor((one.pollutant,), one.asked_pct or 0.0) for one in known.values()]
    if plan.substitutes and all(one in known for one in PAIR):
        found = [one for one in found if one.pollutants[0] not in PAIR]
        found.insert(0, Floor(PAIR, fsum(known[one].asked_pct or 0.0 for one in PAIR)))
    if not found:
        raise NothingAsked("no pollutant has both a base and a share the plan asks")
    return tuple(found)


def pose(found: Field, some: Sequence[Floor], bases: Mapping[str, float], objective: Objective) -> Problem:
    """
    The choice as a problem in whole numbers; ``bases`` in kg/d.

    Where both costs are equal, the enterprise whose name comes first is taken, so that it is the same every time.
    """
    groups: list[tuple[int, ...]] = []
    columns: list[tuple[int, Alternative]] = []
    for n, one in enumerate(found.candidates):
        groups.append(tuple(range(len(columns), len(columns) + len(one.alternatives))))
        columns += [(n, each) for each in one.alternatives]
    rows = [
        {at: part for at, (_, each) in enumerate(columns) if (part := _pct(each.kg, floor, bases) / floor.pct)}
        for floor in some
    ]
    loss, count = tuple(each.cost for _, each in columns), (1,) * len(columns)
    first = (count, loss) if objective is Objective.FEWEST else (loss, count)
    return Problem(len(columns), tuple(groups), tuple(rows), first)


def _pct(kg: Mapping[str, float], floor: Floor, bases: Mapping[str, float]) -> float:
    return fsum(100 * kg[name] / bases[name] for name in floor.pollutants if name in kg)


# --- what came of it


@dataclass(frozen=True)
class Row:
    """
    One floor and how far a choice comes: ``pct`` with what is chosen, ``most`` with every enterprise at its utmost.

    With ``reached`` false and ``most`` below what is asked, no choice of the list's measures reaches it.
    """

    floor: Floor
    pct: float
    most: float

    @property
    def reached(self) -> bool:
        """Whether the floor is reached."""
        return self.pct >= self.floor.pct * (1 - EXACT)


@dataclass(frozen=True)
class Proposal:
    """
    A set of measures that reaches every floor, or comes as near as any can.

    ``gap_pct``: by how much, in percent, it may at most be dearer than the cheapest; 0 where that is proved, None where
    nothing is. ``left_out``: pollutants that were not reckoned with, and why.
    """

    level: str
    objective: Objective
    chosen: tuple[tuple[Candidate, Alternative], ...]
    rows: tuple[Row, ...]
    left_out: Mapping[str, Doubt]
    field: Field
    cost: int
    gap_pct: float | None
    kg: Mapping[str, float]

    @property
    def feasible(self) -> bool:
        """Whether every floor is reached."""
        return all(one.reached for one in self.rows)

    @property
    def unknown_losses(self) -> int:
        """How many of the chosen are reckoned as if all their production went, because the list does not say."""
        return sum(each.lost is None for _, each in self.chosen)


def told(
    level: str,
    objective: Objective,
    found: Field,
    some: Sequence[Floor],
    judged: Sequence[Judged],
    bases: Mapping[str, float],
    answer: Answer,
) -> Proposal:
    """The solver's answer as enterprises and measures, its sums added up anew."""
    columns = [(one, each) for one in found.candidates for each in one.alternatives]
    chosen = tuple(columns[at] for at in sorted(answer.chosen))
    rows = tuple(
        Row(
            floor,
            fsum(_pct(each.kg, floor, bases) for _, each in chosen),
            fsum(max(_pct(each.kg, floor, bases) for each in one.alternatives) for one in found.candidates),
        )
        for floor in some
    )
    counted = {name for floor in some for name in floor.pollutants}
    left_out = {
        one.pollutant: one.because or Doubt.NO_RATE for one in judged if one.pollutant not in counted and one.asked_pct
    }
    names = {name for _, each in chosen for name in each.kg}
    kg = {name: fsum(each.kg.get(name, 0.0) for _, each in chosen) for name in sorted(names)}
    return Proposal(level, objective, chosen, rows, left_out, found, answer.cost, _gap(answer), kg)


def _gap(answer: Answer) -> float | None:
    if answer.bound is None:
        return None
    away = max(0.0, answer.cost - answer.bound)
    return 0.0 if away < 1 else 100 * away / answer.cost  # costs are whole numbers
