"""Papers in the wrong order, and an exercise's beside real ones: each ends only what the level above ended by it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from emergency.domain.episode import Decision, Move, Phase, Standing
from emergency.domain.forecast import Bulletin
from emergency.domain.level import Level
from emergency.errors import Refused
from emergency.services import decisions
from emergency.services.relaying import held
from emergency.store import record, relaying
from tests.world import DISTRICT, World

FIRST, END = "柳气预警〔2015〕3号", "柳气预警〔2015〕4号"
EXERCISE = "7d1f0c52-0000-4000-8000-000000000001"
Enter = Callable[..., Decision | None]


def really(world: World, level: Level, **how: Any) -> Decision | None:
    """The desk enters what the city sent it."""
    return world.bulletin(level, **how)


def in_exercise(world: World, level: Level, *, number: str, **how: Any) -> Decision | None:
    """The desk enters what the city of an exercise would have sent it."""
    real, world.rules = world.rules, world.rules.in_exercise(EXERCISE)
    try:
        return world.bulletin(level, number=f"演练{number}", **how)
    finally:
        world.rules = real


def taken_back(world: World, enter: Enter = really, *, action: str = "withdraw", **how: Any) -> Decision | None:
    """The end of whatever the city began, as entered."""
    return enter(world, Level.NONE, action=action, number=END, effective_at=world.now, **how)


def reject(world: World, decision: Decision) -> None:
    by = world.person("lj-approver3")
    world.store.run(lambda tx: decisions.reject(tx, decision.id, by=by, because="扫描件不清", now=world.now))


def unfollowed(world: World, decision: Decision, exercise: str) -> tuple[list[str], Bulletin | None]:
    """The notices the district's desk has left, and the one its episode holds."""
    with world.store.reading() as tx:
        left = [one.bulletin.number for one in relaying.left(tx, [DISTRICT], exercise=exercise)]
        return left, held(tx, tx.episode(decision.episode_id))


def named_as_ended(world: World) -> list[tuple[str, str]]:
    """Number of each notice that the journal says was over when it was entered, and by what."""
    with world.store.reading() as tx:
        lines = record.journal(tx, world.episode().id)
    return [(one.more["number"], one.more["because"]) for one in lines if one.what == "bulletin.ended_before"]


@pytest.mark.parametrize(
    ("began", "exercise", "other"),
    [(really, "", in_exercise), (in_exercise, EXERCISE, really)],
    ids=["real", "of an exercise"],
)
def test_a_notice_is_ended_by_no_paper_of_the_other_kind(
    world: World, began: Enter, exercise: str, other: Enter
) -> None:
    world.forecast(60, 70, 80)
    decision = began(world, Level.ORANGE, number=FIRST)
    assert decision is not None
    reject(world, decision)
    world.clock.forward(minutes=10)

    taken_back(world, other)

    (left,), holds = unfollowed(world, decision, exercise)
    assert FIRST in left
    assert holds is not None
    taken_back(world, began)
    assert unfollowed(world, decision, exercise) == ([], None)


def test_what_an_exercise_left_is_taken_up_again_in_the_exercise_only(world: World) -> None:
    decision = in_exercise(world, Level.ORANGE, number=FIRST)
    assert decision is not None
    reject(world, decision)

    with pytest.raises(Refused, match="entered before"):
        really(world, Level.ORANGE, number=f"演练{FIRST}")
    again = in_exercise(world, Level.ORANGE, number=FIRST)

    assert again is not None
    assert (again.episode_id, again.bulletin_id) == (decision.episode_id, decision.bulletin_id)


@pytest.mark.parametrize("action", ["withdraw", "release"])
def test_a_notice_entered_after_its_own_end_is_kept_and_asks_for_nothing(world: World, action: str) -> None:
    issued = world.now
    world.clock.forward(minutes=10)
    assert taken_back(world, action=action) is None
    world.clock.forward(minutes=10)

    assert world.bulletin(Level.ORANGE, number=FIRST, issued_at=issued, received_at=world.now) is None

    with world.store.reading() as tx:
        assert tx.bulletin_known(DISTRICT, FIRST, "activate"), "it stays received"
        assert tx.running_episode(DISTRICT) is None
        assert [one.kind for one in tx.open_tasks([DISTRICT]) if one.kind == "relay"] == []
        assert relaying.left(tx, [DISTRICT]) == []


def test_the_end_that_waits_outlives_a_notice_from_before_it_and_the_journal_names_both(world: World) -> None:
    world.activated(Level.YELLOW)
    issued = world.now
    world.clock.forward(minutes=10)
    ends = taken_back(world)
    assert ends is not None

    assert world.bulletin(Level.RED, action="upgrade", number=FIRST, issued_at=issued) is None

    with world.store.reading() as tx:
        assert tx.decision(ends.id).standing is Standing.PROPOSED
    ((number, because),) = named_as_ended(world)
    assert (number, END in because) == (FIRST, True)
    assert world.sign(ends, by="lj-approver3").move is Move.WITHDRAW
    assert world.episode().phase is Phase.WITHDRAWN


def test_of_papers_of_one_minute_the_higher_number_is_the_later(world: World) -> None:
    taken_back(world)

    assert world.bulletin(Level.ORANGE, number=FIRST) is None
    after = world.bulletin(Level.ORANGE, number="柳气预警〔2015〕5号")

    assert after is not None
    assert after.move is Move.ACTIVATE


def test_an_old_end_that_comes_in_late_ends_no_later_notice(world: World) -> None:
    before = world.now - timedelta(hours=1)
    decision = world.bulletin(Level.ORANGE, number=END)
    assert decision is not None
    reject(world, decision)
    world.clock.forward(minutes=10)

    world.bulletin(Level.NONE, action="withdraw", number=FIRST, issued_at=before, effective_at=world.now)

    left, holds = unfollowed(world, decision, "")
    assert left == [END]
    assert holds is not None


def test_what_an_exercise_took_back_is_no_end_of_a_real_notice_entered_after_it(world: World) -> None:
    taken_back(world, in_exercise)

    found = world.bulletin(Level.ORANGE, number=FIRST)

    assert found is not None
    assert found.standing is Standing.PROPOSED
