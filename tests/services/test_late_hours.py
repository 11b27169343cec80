"""Hours that are past: typed by hand they are refused, on a paper that comes in late they merge nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from emergency.domain.episode import Move
from emergency.domain.level import Level
from emergency.domain.timing import BadTimes
from emergency.services import listing
from tests.world import CITY, World


def test_a_notice_that_comes_in_after_the_merge_gap_starts_an_episode_that_names_the_one_before(world: World) -> None:
    world.activated(Level.ORANGE)
    let_go = world.bulletin(Level.NONE, action="release", number="柳气指〔2015〕2号")
    assert let_go is not None
    world.sign(let_go, by="lj-approver3")
    before = world.episode()
    assert before.released_at is not None
    world.clock.forward(days=6)

    late = world.bulletin(
        Level.ORANGE, number="柳气指〔2015〕3号", effective_at=before.released_at + timedelta(hours=1)
    )

    assert late is not None
    fresh = world.episode()
    assert (late.move, late.episode_id, fresh.follows) == (Move.ACTIVATE, fresh.id, before.id)


@pytest.mark.parametrize("ago", [timedelta(hours=2), timedelta(days=20)])
def test_a_start_in_the_past_is_refused_by_hand_and_of_a_suggestion(world: World, ago: timedelta) -> None:
    (found,) = [one for one in world.forecast(310, 320, 330) if one.area == CITY]
    past = world.now - ago

    with pytest.raises(BadTimes):
        world.propose(Move.ACTIVATE, Level.ORANGE, override_because="会商结论", effective_at=past)
    with pytest.raises(BadTimes):
        world.put_forward(found, changes={"effective_at": past})


def test_a_suggestion_that_waited_is_put_forward_with_the_hour_it_was_drawn_up_with(world: World) -> None:
    (found,) = [one for one in world.forecast(310, 320, 330) if one.area == CITY]
    world.clock.forward(hours=3)

    assert world.put_forward(found).notice.effective_at == found.notice.effective_at


def test_a_list_waits_for_no_gap_where_the_plan_gives_none(world: World) -> None:
    plan = world.rules.plans["liuzhou"]
    numbers = {name: one for name, one in plan.numbers.items() if name != "merge_gap_hours"}
    rules = replace(world.rules, plans={**world.rules.plans, "liuzhou": replace(plan, numbers=numbers)})

    with world.store.reading() as tx:
        assert not listing._must_wait(tx, rules, CITY, now=world.now)
