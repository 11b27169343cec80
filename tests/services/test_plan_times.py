"""The plan's own times reach the orders: when a kind of measure starts, and how far an end may be moved on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from emergency.domain.episode import Decision, Move
from emergency.domain.extending import EndsTooLate, NotExtendable
from emergency.domain.messages import Kind
from emergency.domain.orders import Order
from emergency.domain.plan import ExtensionRule
from emergency.store.bulk import table
from emergency.store.tables import MessageRow
from tests.world import CITY, DISTRICT, PLACE, World

POLICE = "traffic_police"


def order_of_sector(world: World, sector: str) -> Order:
    """The order of the district's first recipient of this sector."""
    return next(one for one in world.orders() if world.recipient(one).sector == sector)


def first_text(world: World, order: Order) -> str:
    """The notice that gave the order."""
    asked = select(table(MessageRow).c.text).where(
        MessageRow.order_id == order.id, MessageRow.kind == Kind.ORDER.value
    )
    with world.store.reading() as tx:
        return str(tx.connection.execute(asked).scalar_one())


def test_a_traffic_limit_starts_twelve_hours_after_the_level_and_its_text_says_so(world: World) -> None:
    world.activated(deliver=False)
    order = order_of_sector(world, POLICE)
    effect = order.effective_at
    assert effect is not None
    (limit,) = [duty for duty in order.duties if duty.key == "diesel-detour"]

    assert limit.starts_at == effect + timedelta(hours=12)
    plan = world.rules.plan("liujiang")
    assert order.in_place_by == limit.starts_at + timedelta(minutes=plan.in_place_deadline_min)
    assert f"{world.rules.wording.instant(limit.starts_at, 'zh')}起：" in first_text(world, order)


def test_a_line_of_the_list_without_a_start_begins_by_the_plans_default(world: World) -> None:
    mine = next(one for one in PLACE.recipients if one.sample and one.area.startswith(DISTRICT))
    with world.store.transactions() as tx:
        tx.set_recipients([replace(mine, measures={"yellow": ("1号窑停火，夜间不装车",)})])
    world.activated(deliver=False)

    order = next(one for one in world.orders() if one.recipient_id == mine.id)
    assert order.effective_at is not None
    minutes = world.rules.plan("liujiang").measure_effective_min
    assert [duty.starts_at - order.effective_at for duty in order.duties] == [timedelta(minutes=minutes)]


def warned(world: World, rule: ExtensionRule) -> None:
    """A city's warning that ends in two days, under a plan with announced ends and this rule of extension."""
    plan = replace(world.rules.plan("liuzhou"), open_ended=False, extension=rule)
    world.rules = replace(world.rules, plans={**world.rules.plans, "liuzhou": plan})
    ends = {"expected_end_at": world.now + timedelta(days=2), "open_ended": False}
    suggested = world.forecast(120, 193, 229)[0]
    world.sign(world.put_forward(suggested, changes=ends))


def extended(world: World, **by: float) -> Decision:
    """An extension of the announced end by so much."""
    end = world.episode(CITY).expected_end_at
    assert end is not None
    level = world.episode(CITY).level
    return world.propose(
        Move.EXTEND, level, expected_end_at=end + timedelta(**by), override_because="静稳持续", reason="静稳持续"
    )


def test_an_extension_is_refused_beyond_the_plans_hours_and_signed_by_the_rank_it_names(world: World) -> None:
    warned(world, ExtensionRule(allowed=True, longest_hours=72, rank=1))

    with pytest.raises(EndsTooLate):
        extended(world, hours=73)
    proposed = extended(world, hours=72)
    assert proposed.rank_needed == 1
    world.sign(proposed, by="city-approver1")
    assert world.episode(CITY).expected_end_at == proposed.notice.expected_end_at


def test_where_the_plan_moves_no_end_neither_people_nor_the_rule_do(world: World) -> None:
    warned(world, ExtensionRule(allowed=False))

    with pytest.raises(NotExtendable):
        extended(world, hours=1)
    world.clock.forward(hours=1)
    assert world.forecast(120, 193, 229) == []


def test_the_rules_own_extension_goes_no_further_than_the_plan_at_once(world: World) -> None:
    warned(world, ExtensionRule(allowed=True, longest_hours=24))
    announced = world.episode(CITY).expected_end_at
    assert announced is not None

    world.clock.forward(hours=1)
    (suggested,) = world.forecast(120, 193, 229)  # the spell outlasts the announced end by more than a day

    assert suggested.move is Move.EXTEND
    assert suggested.notice.expected_end_at == announced + timedelta(hours=24)
