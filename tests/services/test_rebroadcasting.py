"""A warning in force is broadcast again to units at its plan's interval: each step once, and none after its end."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from emergency.domain.level import Level
from emergency.domain.messages import Kind, Lane, Message, State
from emergency.domain.orders import RecipientKind
from emergency.services import rounds
from emergency.store import reporting as kept
from emergency.store import saving
from emergency.store.bulk import table
from emergency.store.tables import MessageRow
from tests.world import World


def put(world: World) -> list[Message]:
    """What was broadcast again and may leave, or has left."""
    gone = MessageRow.state == State.CANCELLED.value
    asked = select(table(MessageRow)).where(MessageRow.kind == Kind.BROADCAST.value, ~gone)
    with world.store.reading() as tx:
        return [saving.message(row) for row in tx.connection.execute(asked)]


def later(world: World, **how: float) -> int:
    """So much later, one round; how many broadcasts there are by then."""
    world.clock.forward(**how)
    rounds.go(world.store, world.rules, now=world.now)
    return len(put(world))


def units(world: World) -> set[str]:
    """The numbers of those who pass a broadcast on: bureaus and towns."""
    some = [world.recipient(one) for one in world.orders()]
    return {one.contacts[0].phone for one in some if one.kind is not RecipientKind.ENTERPRISE}


def test_it_is_said_again_at_each_interval_from_its_effect_to_units_and_to_no_plant(world: World) -> None:
    world.activated(deliver=False)  # in force seven hours on
    assert later(world, hours=7 + 7.9) == 0
    assert later(world, hours=0.2) == len(units(world))
    assert later(world, hours=1) == len(units(world)), "each step once, however often we look"

    assert {one.to for one in put(world)} == units(world)
    assert {one.lane for one in put(world)} == {Lane.BULK}
    (text,) = {one.text for one in put(world)}
    assert "黄色" in text
    assert world.episode().number in text
    assert later(world, hours=8) == 2 * len(units(world))


def test_intervals_that_passed_in_an_outage_are_one(world: World) -> None:
    episode = world.activated(deliver=False)
    assert later(world, hours=7 + 8 * 5 + 1) == len(units(world))

    with world.store.reading() as tx:
        assert kept.broadcasts(tx, episode.id).times == 1
    assert later(world, hours=6.5) == len(units(world))
    assert later(world, hours=1) == 2 * len(units(world)), "the next is due when it would have been anyway"


def test_a_rise_is_news_of_its_own_and_counts_its_own_interval(world: World) -> None:
    world.activated(deliver=False)
    assert later(world, hours=14) == 0
    upgraded = world.bulletin(Level.ORANGE, action="upgrade", effective_at=world.now)
    assert upgraded is not None
    world.sign(upgraded, by="lj-approver3")

    assert later(world, hours=2) == 0, "yellow's hour is nobody's any more"
    assert later(world, hours=2.1) == len(units(world)), "orange is said again every four hours"


def test_nothing_is_said_again_after_the_end_and_what_has_not_left_never_leaves(world: World) -> None:
    world.activated(deliver=False)
    assert later(world, hours=16) == len(units(world))
    ending = world.bulletin(Level.NONE, action="release", effective_at=world.now)
    assert ending is not None
    world.sign(ending, by="lj-approver3")

    assert put(world) == []
    assert later(world, hours=24) == 0


def test_a_plan_without_an_interval_repeats_nothing(world: World) -> None:
    world.activated(deliver=False)
    silent = replace(world.rules.plan("liujiang"), by_level={})
    world.rules = replace(world.rules, plans={**world.rules.plans, "liujiang": silent})

    assert later(world, hours=48) == 0
