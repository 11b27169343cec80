"""A proposal whose level or hours cannot be meant is refused in words, by every door, before anything is written."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from emergency.domain.episode import Decision, Move, WrongLevel
from emergency.domain.level import Level
from emergency.domain.people import Area
from emergency.domain.timing import BadTimes
from emergency.services import decisions
from emergency.services.decisions import NoAuthority
from emergency.store import Tx
from tests.world import CITY, DISTRICT, World

REASON = {"override_because": "区域传输加重"}


def refused(world: World, move: Move, level: Level, kind: type[Exception], **how: Any) -> str:
    """The words of the refusal; nothing waits after it."""
    with pytest.raises(kind) as found:
        world.propose(move, level, **{**REASON, **how})
    with world.store.reading() as tx:
        episode = tx.running_episode(CITY, "")
        assert episode is None or tx.waiting_decision(episode.id) is None
    return str(getattr(found.value, "zh", ""))


def warned(world: World, **how: Any) -> Decision:
    """The city's yellow warning, signed."""
    world.forecast(120, 193, 229, 230)
    return world.sign(world.propose(Move.ACTIVATE, Level.YELLOW, **{**REASON, **how}))


def test_nothing_is_started_without_a_level(world: World) -> None:
    world.forecast(60, 70, 80)
    words = refused(world, Move.ACTIVATE, Level.NONE, WrongLevel, open_ended=True)
    assert words == "启动、升级、降级、延长和调整措施都须有预警级别"


@pytest.mark.parametrize("move", [Move.UPGRADE, Move.DOWNGRADE, Move.EXTEND, Move.AMEND])
def test_no_level_is_changed_or_extended_to_none(world: World, move: Move) -> None:
    warned(world, open_ended=True)
    refused(world, move, Level.NONE, WrongLevel, open_ended=True)


def test_a_suggestion_is_not_put_forward_at_no_level(world: World) -> None:
    (suggested,) = world.forecast(120, 193, 229, 230)
    with pytest.raises(WrongLevel, match="needs a level"):
        world.put_forward(suggested, level=Level.NONE, **REASON)


def test_a_warning_does_not_end_before_it_begins_or_in_the_past(world: World) -> None:
    world.forecast(60, 70, 80)
    now = world.now
    how: dict[str, Any] = {"open_ended": False}
    over = refused(world, Move.ACTIVATE, Level.YELLOW, BadTimes, expected_end_at=now - timedelta(hours=1), **how)
    assert over == "预计结束时间已过，请改为今后的时间"
    how |= {"effective_at": now + timedelta(hours=20), "expected_end_at": now + timedelta(hours=10)}
    assert refused(world, Move.ACTIVATE, Level.YELLOW, BadTimes, **how) == "预计结束时间早于生效时间"


def test_a_warning_does_not_begin_more_than_a_week_ahead(world: World) -> None:
    world.forecast(60, 70, 80)
    far = world.now + timedelta(days=7, minutes=1)
    words = refused(world, Move.ACTIVATE, Level.YELLOW, BadTimes, effective_at=far, open_ended=True)
    assert words == "生效时间在 7 天以后，请核对"
    world.propose(Move.ACTIVATE, Level.YELLOW, effective_at=far - timedelta(minutes=1), open_ended=True, **REASON)


def test_a_warning_is_not_extended_into_the_past_or_to_before_it_began(world: World) -> None:
    begins = world.now + timedelta(hours=7)
    warned(world, effective_at=begins, expected_end_at=begins + timedelta(days=2), open_ended=False)
    how: dict[str, Any] = {"open_ended": False}
    past = refused(world, Move.EXTEND, Level.YELLOW, BadTimes, expected_end_at=world.now - timedelta(days=3), **how)
    assert past == "预计结束时间已过，请改为今后的时间"
    early = refused(world, Move.EXTEND, Level.YELLOW, BadTimes, expected_end_at=begins - timedelta(hours=1), **how)
    assert early == "延长后的结束时间早于预警生效时间"
    world.propose(Move.EXTEND, Level.YELLOW, expected_end_at=begins + timedelta(days=3), **how, **REASON)


def test_a_suggestion_is_not_put_forward_with_hours_that_are_over(world: World) -> None:
    (suggested,) = world.forecast(120, 193, 229, 230)
    changes = {"expected_end_at": world.now - timedelta(hours=1), "open_ended": False}
    with pytest.raises(BadTimes):
        world.put_forward(suggested, changes=changes)
    with pytest.raises(BadTimes):
        world.put_forward(suggested, changes={"effective_at": world.now + timedelta(days=30)})
    world.put_forward(suggested)


def test_a_notice_of_the_level_above_that_came_in_late_is_taken_as_it_is(world: World) -> None:
    decision = world.bulletin(Level.YELLOW, effective_at=world.now - timedelta(hours=3))
    assert decision is not None
    world.sign(decision, by="lj-approver3")
    assert world.episode(DISTRICT).level is Level.YELLOW


@pytest.mark.parametrize("bulletin", [False, True])
def test_an_area_without_a_plan_of_its_own_borrows_no_authority_from_the_city(world: World, bulletin: bool) -> None:
    other = Area("450200.450205", "柳北区", "district")
    officer = replace(world.person("lj-duty"), area=other.id)
    world.store.run(lambda tx: tx.set_areas([other]))
    world.forecast(310, 330, 350, 340)

    def propose(tx: Tx) -> Decision:
        return decisions.propose(
            tx, world.rules, area=other.id, move=Move.ACTIVATE, level=Level.RED, by=officer, now=world.now,
            bulletin_id=uuid4() if bulletin else None, open_ended=True, **REASON,
        )  # fmt: skip

    with pytest.raises(NoAuthority):
        world.store.run(propose)
