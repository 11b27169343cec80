"""The cheapest set of measures: the same as by trying every choice; who is protected, ties, what is out of reach."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from itertools import product
from random import Random
from typing import Any

import pytest

from emergency.domain.arithmetic import Listed
from emergency.domain.arithmetic_choice import (
    Alternative,
    Answer,
    Candidate,
    Field,
    Floor,
    Guard,
    NothingAsked,
    Objective,
    Problem,
    Proposal,
    field_of,
    floors,
    pose,
    told,
)
from emergency.domain.arithmetic_targets import Doubt, judge
from emergency.domain.orders import Category
from emergency.domain.reduction.entries import Entry, Line, new_id
from emergency.domain.reduction.grades import Grade
from emergency.errors import Unavailable
from emergency.solver import solve
from tests.domain.test_arithmetic import a_plan, bases
from tests.world import DISTRICT

GUARD = Guard(frozenset({"A"}), frozenset({Category.GUARANTEED}), {"B": 3.0}, 1.0)


def a_plant(
    name: str, measures: Mapping[str, Mapping[str, float]], *, grade: str = "C", kind: Category = Category.LISTED,
    normal: Mapping[str, float] | None = None,
) -> Listed:  # fmt: skip
    """A plant whose list gives a cut for each level."""
    line = Line("表", 3, measures=dict.fromkeys(measures, "停产"), emitted=normal or {"pm": 100.0}, cuts=measures)
    entry = Entry(DISTRICT, name, "brick_kiln", kind, grade=Grade(grade, "mee-2020"), lines=(line,))
    return Listed(new_id(DISTRICT, name), entry)


def proposed(
    some: Sequence[Listed],
    whole: Mapping[str, float],
    objective: Objective = Objective.LOSS,
    *,
    substitutes: bool = False,
) -> Proposal:
    """What is proposed for yellow, a tenth of these bases."""
    plan, found = a_plan(substitutes=substitutes), field_of(some, GUARD)
    judged = judge(plan, "yellow", {}, bases(**whole))
    asked = floors(plan, judged)
    answer = solve(pose(found, asked, whole, objective))
    return told("yellow", objective, found, asked, judged, whole, answer)


def names(proposal: Proposal) -> list[tuple[str, str]]:
    """Who is chosen, with the level of its measure."""
    return [(one.name, each.level) for one, each in proposal.chosen]


def by_trying(problem: Problem) -> tuple[float, tuple[int, ...]]:
    """How far the worst row comes at most, and the least costs of those choices that come so far."""
    best: tuple[float, tuple[int, ...]] | None = None
    for picks in product(*((None, *group) for group in problem.groups)):
        chosen = [at for at in picks if at is not None]
        worst = min(1.0, *(sum(row.get(at, 0.0) for at in chosen) for row in problem.rows))
        costs = tuple(sum(one[at] for at in chosen) for one in problem.costs)
        if best is None or (-round(worst, 7), costs) < (-round(best[0], 7), best[1]):
            best = worst, costs
    assert best is not None
    return best


@pytest.mark.parametrize("seed", range(24))
def test_it_is_the_cheapest_of_all_choices_or_comes_nearest(seed: int) -> None:
    dice = Random(seed)
    groups: list[tuple[int, ...]] = []
    for _ in range(dice.randint(1, 6)):
        start = groups[-1][-1] + 1 if groups else 0
        groups.append(tuple(range(start, start + dice.randint(1, 3))))
    columns = groups[-1][-1] + 1
    rows = tuple(
        {at: dice.choice([0.05, 0.1, 0.25, 0.5]) for at in range(columns) if dice.random() < 0.8}
        for _ in range(dice.randint(1, 3))
    )
    loss = tuple(dice.choice([100, 250, 1000, 3000]) for _ in range(columns))
    problem = Problem(columns, tuple(groups), rows, (loss, (1,) * columns))

    found, (reached, costs) = solve(problem), by_trying(problem)

    assert found.reached == pytest.approx(reached, abs=1e-6)
    assert tuple(sum(one[at] for at in found.chosen) for one in problem.costs) == costs
    assert all(len(set(group) & set(found.chosen)) <= 1 for group in groups)
    assert found == solve(problem)


def test_protected_ones_are_named_and_not_chosen_however_cheap() -> None:
    some = [
        a_plant("甲", {"yellow": {"pm": 50.0}}, grade="A"),
        a_plant("乙", {"yellow": {"pm": 50.0}}, kind=Category.GUARANTEED),
        a_plant("丙", {"yellow": {"pm": 20.0}}),
        a_plant("丁", {}),
    ]

    found = proposed(some, {"pm": 200.0})

    assert names(found) == [("丙", "yellow")]
    assert found.feasible
    assert found.field.protected == (("乙", "guaranteed"), ("甲", "A"))
    assert found.field.without == ("丁",)


def test_the_two_meanings_of_cheapest_are_told_apart() -> None:
    some = [
        a_plant("甲", {"yellow": {"pm": 10.0}, "red": {"pm": 40.0}}, grade="B", normal={"pm": 40.0}),
        a_plant("乙", {"yellow": {"pm": 10.0}}),
        a_plant("丙", {"yellow": {"pm": 10.0}}),
    ]

    fewest, loss = (proposed(some, {"pm": 200.0}, one) for one in (Objective.FEWEST, Objective.LOSS))

    assert (names(fewest), fewest.cost) == ([("甲", "red")], 1)
    assert (sorted(names(loss)), loss.cost) == (sorted([("乙", "yellow"), ("丙", "yellow")]), 200)


def test_of_equal_ones_those_first_by_name_are_taken_whatever_the_order_of_the_list() -> None:
    some = [a_plant(name, {"yellow": {"pm": 10.0}}) for name in ("戊", "甲", "丁", "乙", "丙")]
    first = sorted(one.entry.name for one in some)[:2]

    for order in (some, some[::-1], some[2:] + some[:2]):
        assert [name for name, _ in names(proposed(order, {"pm": 200.0}))] == first


def test_what_is_out_of_reach_says_how_far_it_comes_and_what_would_be_the_most() -> None:
    some = [a_plant("甲", {"yellow": {"pm": 10.0, "vocs": 4.0}}), a_plant("乙", {"yellow": {"pm": 5.0}})]

    found = proposed(some, {"pm": 200.0, "vocs": 20.0})

    assert not found.feasible
    assert [(one.floor.pollutants, one.pct, one.most, one.reached) for one in found.rows] == [
        (("pm",), 7.5, 7.5, False), (("vocs",), 20.0, 20.0, True),
    ]  # fmt: skip
    assert sorted(name for name, _ in names(found)) == sorted(["甲", "乙"])


def test_nothing_at_all_to_choose_from_is_out_of_reach_and_no_accident() -> None:
    found = proposed([], {"pm": 200.0})

    assert (found.chosen, found.feasible, found.rows[0].pct) == ((), False, 0.0)


def test_a_pollutant_without_a_base_is_left_out_by_name_and_without_any_nothing_is_proposed() -> None:
    some = [a_plant("甲", {"yellow": {"pm": 20.0}})]

    assert proposed(some, {"pm": 200.0}).left_out == dict.fromkeys(("so2", "nox", "vocs"), Doubt.NO_BASE)
    with pytest.raises(NothingAsked):
        proposed(some, {})


def test_so2_and_nox_are_one_floor_where_the_plan_lets_them_stand_in_for_each_other() -> None:
    some = [
        a_plant("甲", {"yellow": {"so2": 20.0}}, normal={"so2": 100.0}),
        a_plant("乙", {"red": {"nox": 10.0}}, normal={"nox": 100.0}),
    ]

    apart, together = (proposed(some, {"so2": 100.0, "nox": 100.0}, substitutes=one) for one in (False, True))

    assert sorted(names(apart)) == sorted([("甲", "yellow"), ("乙", "red")])
    assert names(together) == [("甲", "yellow")]
    assert [one.floor for one in together.rows] == [Floor(("so2", "nox"), 20.0)]


def test_a_measure_whose_loss_nobody_knows_is_reckoned_as_all_and_counted() -> None:
    line = Line("表", 3, measures={"yellow": "停产"}, cuts={"yellow": {"pm": 20.0}})
    one = Listed(new_id(DISTRICT, "甲"), Entry(DISTRICT, "甲", "x", Category.LISTED, lines=(line,)))

    found = proposed([one], {"pm": 200.0})

    assert (found.unknown_losses, found.cost) == (1, 1000)


def test_how_far_from_the_cheapest_it_may_be_is_told_and_never_claimed() -> None:
    measure = Alternative("yellow", (), {"pm": 20.0}, 0.2, 200)
    one = Candidate(new_id(DISTRICT, "甲"), "甲", DISTRICT, "x", "C", (measure,))
    where, asked = Field((one,), (), ()), (Floor(("pm",), 10.0),)
    gaps = [
        told("yellow", Objective.LOSS, where, asked, (), {"pm": 200.0}, Answer((0,), 1.0, 200, bound)).gap_pct
        for bound in (199.5, 190.0, None)
    ]

    assert gaps == [0.0, 5.0, None]


def test_without_the_solver_the_rest_works_and_the_proposal_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "highspy":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)

    with pytest.raises(Unavailable, match="highspy is not installed"):
        proposed([a_plant("甲", {"yellow": {"pm": 20.0}})], {"pm": 200.0})


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    proposed([a_plant("甲", {"yellow": {"pm": 20.0}})], {"pm": 200.0})

    assert capfd.readouterr() == ("", "")
