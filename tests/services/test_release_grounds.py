"""A release or a lowering is kept with its own test: the clause, every comparison with both sides, days and feed."""

from __future__ import annotations

import json
from typing import Any

from emergency.domain.assessment import as_data, from_data
from emergency.domain.episode import Decision, Move
from emergency.domain.level import Level
from emergency.services import intake
from tests.world import CITY, World


def said(decision: Decision) -> dict[str, Any]:
    """What is kept as its grounds."""
    return dict(decision.assessment)


def sides(decision: Decision) -> list[tuple[Any, ...]]:
    """Left, operator, right and result of each comparison kept."""
    return [(one["left"], one["op"], one["right"], one["holds"]) for one in said(decision)["comparisons"]]


def orange(world: World) -> None:
    """Orange in force in the city."""
    world.decide(world.forecast(210, 220, 230, 240)[0])


def test_a_release_is_kept_with_the_release_clause_and_both_sides_of_each_comparison(world: World) -> None:
    orange(world)
    world.clock.forward(days=4)
    world.observe(210, 220, 230, 140)

    (found,) = world.forecast(120, 130)

    kept = said(world.decide(found))
    assert (found.move, kept["level"], kept["clause"], kept["clause_text"]) == (
        Move.RELEASE, "none", "release", "AQI ≤ 150, > 36 h"
    )  # fmt: skip
    assert sides(found) == [(120, "<=", 150, True), (130, "<=", 150, True), (48, ">", 36, True), (0, "<=", 0, True)]
    assert [(one["aqi"], one["feed"], one["in_run"]) for one in kept["days"]][-2:] == [
        (120, "bureau", True), (130, "bureau", True)
    ]  # fmt: skip
    assert kept["nearest"]["level"] is None, "it says nothing of how near red is"
    assert kept["plan_sha"]
    assert kept["calm"]["met"] is True
    assert "150.0" not in json.dumps(kept["comparisons"])


def test_the_spell_that_is_let_go_stays_beside_the_test(world: World) -> None:
    orange(world)
    world.clock.forward(hours=1)
    world.forecast(140, 140, 230, 240)

    found = world.propose(Move.RELEASE, Level.NONE, override_because="会商认为可以解除")

    kept = said(found)
    assert (kept["level"], found.rule_says) == ("orange", Level.ORANGE), "the rule does not let go yet"
    assert sides(found) == [(140, "<=", 150, True), (140, "<=", 150, True), (48, ">", 36, True), (96, "<=", 0, False)]
    assert kept["spell"]["sentence_zh"] != kept["sentence_zh"]
    with world.store.reading() as tx:
        assert kept["spell"] == as_data(world.rules.assess_now(tx, CITY, now=world.now))


def test_a_day_nobody_knows_is_a_comparison_without_a_left_side_that_does_not_hold(world: World) -> None:
    orange(world)
    world.clock.forward(days=4)
    world.observe(210, 220, 230, 140)
    world.forecast(120)

    found = world.propose(Move.RELEASE, Level.NONE, override_because="站点人工核实已转好")

    assert sides(found)[:3] == [(120, "<=", 150, True), (None, "<=", 150, False), (24, ">", 36, False)]
    assert from_data(found.assessment).comparisons[1].left is None


def test_a_lowering_is_kept_with_the_mark_of_the_level_it_leaves(world: World) -> None:
    world.decide(world.forecast(310, 320, 330)[0])
    world.clock.forward(hours=1)

    found = world.propose(Move.DOWNGRADE, Level.YELLOW, override_because="扩散条件转好", open_ended=True)

    kept = said(found)
    assert kept["clause"] == "downgrade"
    assert {one["level"] for one in kept["comparisons"]} == {"red"}
    assert sides(found)[0][:2] == (310, "<=")
    assert not sides(found)[0][3]


def test_the_rule_does_not_push_aside_what_people_let_go_by_the_same_air(world: World) -> None:
    world.decide(world.forecast(310, 320, 330)[0])
    world.clock.forward(days=3)
    world.observe(310, 320, 330)
    (asked,) = world.forecast(120, 130, 90)
    assert asked.move is Move.RELEASE
    other = world.propose(Move.DOWNGRADE, Level.YELLOW, override_because="先降级再看", open_ended=True)
    world.clock.forward(minutes=1)

    assert intake.weigh_all(world.store, world.rules, now=world.now) == []
    with world.store.reading() as tx:
        waiting = tx.waiting_decision(other.episode_id)
    assert waiting is not None
    assert waiting.id == other.id
