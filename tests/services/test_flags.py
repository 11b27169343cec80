"""What the review of a real course of things points at, kept with the review and told by the interface."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from emergency.domain.episode import Decision, Move
from emergency.domain.level import Level
from emergency.services import reviews
from emergency.store import record, saving
from tests.builders import NOW
from tests.world import CITY, DISTRICT, World


def marks(world: World, area: str = CITY) -> list[tuple[str, str, int | None]]:
    """Move, mark and minutes of what a review of the area's last episode points at."""
    with world.store.reading() as tx:
        found = reviews.flags(tx, world.rules, world.episode(area).id)
    return [(one.move, one.mark, one.minutes) for one in found]


def by_hand(world: World, move: Move, level: Level) -> Decision:
    """The city's people propose and sign against the rule, with a reason."""
    how: dict[str, Any] = {"override_because": "区域传输加重", "open_ended": True}
    return world.sign(world.propose(move, level, **how))


def test_a_suggestion_that_lay_and_a_signature_too_late_for_the_lead_time_are_counted(world: World) -> None:
    """Yellow: 120 minutes to decide; the bad air begins on the day after tomorrow, 31 hours away at 17:05."""
    (suggested,) = world.forecast(120, 193, 229)
    world.forward(minutes=150)
    proposal = world.put_forward(suggested)
    world.forward(minutes=10)
    world.sign(proposal)
    assert marks(world) == [("activate", "suggestion_lay", 30)]


def test_a_warning_by_hand_in_calm_air_and_a_release_into_bad_air_are_pointed_at(world: World) -> None:
    world.forecast(60, 70, 80)
    by_hand(world, Move.ACTIVATE, Level.ORANGE)
    world.clock.forward(minutes=30)
    world.forecast(180, 190, 260)

    by_hand(world, Move.RELEASE, Level.NONE)

    assert marks(world) == [
        ("activate", "above_rule", None), ("activate", "warned_in_calm", None), ("release", "let_go_uncalm", None)
    ]  # fmt: skip


def test_a_warning_given_early_for_a_spell_beyond_two_calm_days_is_no_warning_in_calm(world: World) -> None:
    world.forecast(60, 60, 210, 220, 230)
    by_hand(world, Move.ACTIVATE, Level.YELLOW)

    assert "warned_in_calm" not in {mark for _, mark, _ in marks(world)}


CALM_THEN_ONE_BAD_DAY = (60, 60, 190)  # the worse by its highest day, and calm over the two days that count


@pytest.mark.parametrize(
    ("other", "hours_between", "calm"),
    [
        ((160, 90, 90), 0, False),  # tomorrow is over the release mark: one source calm is not calm
        ((60, 70, 80), 0, True),
        ((160,), 24, True),  # it says nothing of any day to come any more
    ],
)
def test_calm_of_one_source_is_no_calm_while_another_that_still_speaks_is_not(
    world: World, other: tuple[int, ...], hours_between: int, calm: bool
) -> None:
    world.forecast(*other, feed="another")
    world.clock.forward(hours=hours_between)
    world.forecast(*CALM_THEN_ONE_BAD_DAY)

    by_hand(world, Move.ACTIVATE, Level.YELLOW)

    assert ("warned_in_calm" in {mark for _, mark, _ in marks(world)}) is calm


def test_the_districts_deputy_and_its_late_relay_are_pointed_at_and_the_citys_level_is_not_its_own(
    world: World,
) -> None:
    proposal = world.bulletin(Level.RED)
    assert proposal is not None
    world.forward(minutes=75)
    world.sign(proposal, by="lj-approver2")

    assert marks(world, DISTRICT) == [
        ("activate", "decided_late", 45), ("activate", "relayed_late", 15), ("activate", "by_deputy", 75)
    ]  # fmt: skip


def test_a_review_keeps_its_flags_and_one_from_before_says_that_it_has_none(world: World) -> None:
    world.activated(Level.RED)
    world.released()
    world.review(DISTRICT)

    with world.store.reading() as tx:
        kept = record.review_of(tx, world.episode().id)
    assert kept is not None
    assert kept.tally.flags == ()
    row = saving.review_row(replace(kept, drafted_at=NOW))["tally"]
    assert saving.tally({name: value for name, value in row.items() if name != "flags"}).flags is None
