"""A release that is signed for later: until it takes effect every page says so and nobody falls off a list."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from emergency.domain.level import Level
from emergency.domain.messages import PORTAL, Kind, Lane, Message, State, portal_address
from emergency.domain.plan import Rung
from emergency.services import calling, chasing
from emergency.store import portal
from tests.web.conftest import SignedIn
from tests.world import World


def climbing(world: World) -> None:
    """The district activated, its ladder one step: the call list half an hour after the order."""
    ladder = (Rung("call_list", 30, "call_list", ("sms",)),)
    plans = {**world.rules.plans, "liujiang": replace(world.rules.plan("liujiang"), ladder=ladder)}
    object.__setattr__(world.rules, "plans", plans)  # the pages hold the same rules
    world.activated()


def for_later(world: World, hours: float) -> None:
    """The city's release, signed now, in effect so many hours from now."""
    later = world.now + timedelta(hours=hours)
    decision = world.bulletin(Level.NONE, action="release", effective_at=later)
    assert decision is not None
    world.sign(decision, by="lj-approver3")
    world.deliver()


def listed(world: World) -> int:
    """How many are to be called now."""
    with world.store.reading() as tx:
        return len(calling.call_list(tx, world.rules, world.episode().id, now=world.now))


def test_the_desk_calls_it_released_from_its_effect_on_and_not_before(world: World, signed_in: SignedIn) -> None:
    climbing(world)
    for_later(world, hours=5)
    page = f"/console/episodes/{world.episode().id}"

    before = signed_in("lj-duty").get(page).text
    world.clock.forward(hours=6)
    after = signed_in("lj-duty").get(page).text

    assert "已签发解除，待生效" in before
    assert "在此之前各项措施继续执行" in before
    assert "待生效" not in after
    assert "在此之前各项措施继续执行" not in after


def test_who_has_not_answered_stays_on_the_call_list_until_the_release_takes_effect(world: World) -> None:
    climbing(world)
    for_later(world, hours=5)
    world.clock.forward(minutes=40)
    chasing.escalate_overdue(world.store, world.rules, now=world.now)
    silent = listed(world)

    world.clock.forward(hours=6)

    assert silent == len(world.orders())
    assert listed(world) == 0


def test_notices_in_the_account_stay_until_the_release_takes_effect(world: World) -> None:
    climbing(world)
    order = world.an_order()
    told = Message(
        id=uuid4(), kind=Kind.REMINDER, channel=PORTAL, lane=Lane.NORMAL, to=portal_address(order.recipient_id),
        text="催办", area=order.area, due_at=world.wall.now(), put_at=world.now, order_id=order.id, revision=1,
        state=State.SENT,
    )  # fmt: skip
    for_later(world, hours=5)
    world.store.run(lambda tx: tx.outbox.put([told]))

    def seen() -> list[str]:
        with world.store.reading() as tx:
            return [one.text for one in portal.notices(tx, order.recipient_id, now=world.now)]

    before = seen()
    world.clock.forward(hours=6)

    assert before == ["催办"]
    assert seen() == []
