"""By when a duty is to be started and in place, when it bound and what its notice waits for, on every order page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from emergency.domain.ladder import Deadline, owed_of
from emergency.domain.level import Level
from emergency.domain.messages import Lane
from emergency.domain.orders import Action, Order
from emergency.web.showing import clock_words
from tests.web.conftest import SignedIn
from tests.world import World

Pages = Callable[..., dict[str, str]]


def upgraded(world: World) -> Order:
    """The order of the kiln somebody signs in for, asked for more while its first notice is still in flight."""
    world.activated(deliver=False)
    kiln = world.person("sample-kiln").recipient_id
    with world.store.transactions() as tx:
        held = [tx.outbox.claim("sms", Lane.URGENT, limit=500, now=world.wall.now()) for _ in range(2)]
        assert sum(map(len, held)) > 50
    upgrade = world.bulletin(Level.ORANGE, action="upgrade")
    assert upgrade is not None
    world.sign(upgrade, by="lj-approver3")
    return next(one for one in world.orders() if one.recipient_id == kiln)


@pytest.fixture
def pages(world: World, client: FlaskClient, signed_in: SignedIn) -> Pages:
    """The order as the desk, the portal and the phone show it."""

    def shown(order: Order, *, lang: str = "zh") -> dict[str, str]:
        return {
            "desk": signed_in("lj-duty").get(f"/console/orders/{order.id}?lang={lang}").text,
            "portal": signed_in("sample-kiln").get(f"/portal/orders/{order.id}?lang={lang}").text,
            "phone": client.get(f"/o/{world.token(order)}?lang={lang}").text,
        }

    return shown


def test_every_page_says_by_when_each_duty_is_to_be_started_and_in_place(world: World, pages: Pages) -> None:
    world.activated()
    kiln = world.person("sample-kiln").recipient_id
    order = next(one for one in world.orders() if one.recipient_id == kiln)
    plan = world.rules.plan("liujiang")
    hours = owed_of(order, order.duties[0], plan)
    started, settled = (clock_words(hours[one], world.now) for one in (Deadline.START, Deadline.IN_PLACE))

    for name, page in pages(order).items():
        assert f"{started} 前答复“已启动”" in page, name
        assert f"{settled} 前答复“已落实”" in page, name

    world.begun(order)
    settled = clock_words(hours[Deadline.IN_PLACE], world.now)
    world.answer(order, Action.START)
    for name, page in pages(order).items():
        assert "前答复“已启动”" not in page, name
        assert f"{settled} 前答复“已落实”" in page, name


def test_a_change_that_waits_for_the_notice_before_it_says_so_and_when_each_measure_bound(
    world: World, pages: Pages
) -> None:
    order = upgraded(world)

    shown = pages(order)

    assert "等前一条通知有结果后送出，最多再等" in shown["desk"]
    for name in ("portal", "phone"):
        assert "请以本页为准" in shown[name]
    for name, page in shown.items():
        assert "各项措施的约束时段" in page, name
        assert "尚未开始" in page, name
    world.wall.forward(minutes=1)
    world.sweep()
    for name, page in pages(order).items():
        assert "等前一条" not in page, name


def test_a_lifted_order_says_from_when_until_when_it_bound(world: World, pages: Pages) -> None:
    world.activated()
    world.clock.forward(hours=20)
    world.released()
    kiln = world.person("sample-kiln").recipient_id
    order = next(one for one in world.orders() if one.recipient_id == kiln)

    for name, page in pages(order).items():
        assert f" 至 {clock_words(world.now, world.now)}" in page, name
        assert "前答复“已" not in page, name
    for page in pages(order, lang="en").values():
        assert "When each measure bound" in page
