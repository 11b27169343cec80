"""Every machine refuses what its table leaves out, and draws what it allows."""

from __future__ import annotations

import itertools
from enum import StrEnum
from typing import Any

import pytest

from emergency.domain.consultation import CONSULTATION, Course, Turn
from emergency.domain.episode import DECISION, EPISODE, Move, Phase, Standing, Verdict
from emergency.domain.machine import IllegalMove, Machine
from emergency.domain.messages import MESSAGE, State, Step
from emergency.domain.orders import LIVE, ORDER, Action, Status
from emergency.domain.review import REVIEW, Pen, Stage

MACHINES: list[tuple[Machine[Any, Any], type[StrEnum], type[StrEnum]]] = [
    (EPISODE, Phase, Move),
    (DECISION, Standing, Verdict),
    (ORDER, Status, Action),
    (MESSAGE, State, Step),
    (REVIEW, Stage, Pen),
    (CONSULTATION, Course, Turn),
]
LEFT_OUT = [
    pytest.param(machine, state, action, id=f"{machine.name}-{state}-{action}")
    for machine, states, actions in MACHINES
    for state, action in itertools.product(states, actions)
    if (state, action) not in machine.moves
]


@pytest.mark.parametrize(("machine", "state", "action"), LEFT_OUT)
def test_whatever_the_table_leaves_out_is_refused(machine: Machine[Any, Any], state: StrEnum, action: StrEnum) -> None:
    with pytest.raises(IllegalMove, match=f"{machine.name}: {action.value} is not possible while {state.value}"):
        machine.after(state, action)


@pytest.mark.parametrize(("machine", "states", "actions"), MACHINES, ids=lambda one: getattr(one, "name", ""))
def test_every_state_can_be_reached_or_is_the_first(
    machine: Machine[Any, Any], states: type[StrEnum], actions: type[StrEnum]
) -> None:
    first = next(iter(states))

    assert set(machine.moves.values()) | {first} == set(states)
    assert {action for _, action in machine.moves} <= set(actions)


def test_an_answer_that_meets_a_lift_re_opens_nothing() -> None:
    after_the_end = {ORDER.moves[state, Action.ACKNOWLEDGE] for state in (Status.LIFTED, Status.RESUMED)}

    assert not after_the_end & LIVE
    assert not ORDER.allows(Status.WITHDRAWN, Action.ACKNOWLEDGE)


def test_every_live_order_can_be_lifted_and_withdrawn() -> None:
    assert {ORDER.moves[state, Action.LIFT] for state in LIVE} == {Status.LIFTED}
    assert {ORDER.moves[state, Action.WITHDRAW] for state in LIVE} == {Status.WITHDRAWN}


def test_a_machine_draws_every_one_of_its_moves() -> None:
    drawn = DECISION.drawn().splitlines()

    assert len(drawn) == 1 + len(DECISION.moves)
    assert "    proposed --> approved: approve" in drawn


def test_a_page_shows_only_the_buttons_the_table_allows() -> None:
    assert DECISION.open_to(Standing.APPROVED) == frozenset()
    assert EPISODE.open_to(Phase.OPENING) == {Move.ACTIVATE, Move.ADVISE, Move.APPEAL, Move.DISMISS}
