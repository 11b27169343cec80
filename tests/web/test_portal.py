"""The portal: a unit or enterprise sees its own orders, now and before, and answers them as on the phone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from emergency import passwords
from emergency.domain.level import Level
from emergency.domain.orders import Order, Status
from emergency.system import System
from tests.web.conftest import SignedIn, token_in
from tests.world import PASSWORD, World


@pytest.fixture
def order(world: World) -> Order:
    """The order of the sample kiln."""
    world.activated(Level.YELLOW, deliver=False)
    mine = world.person("sample-kiln").recipient_id
    return next(one for one in world.orders() if one.recipient_id == mine)


def press(browser: FlaskClient, order: Order, **form: str) -> tuple[int, str]:
    """Press a button of the order's page and follow."""
    path = f"/portal/orders/{order.id}"
    said = {"csrf_token": token_in(browser.get(path).text), "revision": str(order.revision), **form}
    answer = browser.post(f"{path}/answer", data=said, follow_redirects=True)
    return answer.status_code, answer.text


def test_an_enterprise_sees_what_it_has_to_do_now(order: Order, signed_in: SignedIn) -> None:
    page = signed_in("sample-kiln").get("/portal").text

    assert order.number in page
    assert "等待您的答复" in page
    assert "还没有已经结束的指令" in page


def test_with_nothing_to_do_it_says_so(world: World, signed_in: SignedIn) -> None:
    page = signed_in("sample-kiln").get("/portal").text

    assert "现在没有要执行的指令" in page


def test_an_answer_is_kept_in_the_name_of_whoever_signed_in(world: World, order: Order, signed_in: SignedIn) -> None:
    world.begun(order)
    status, page = press(signed_in("sample-kiln"), order, action="start")

    kept = world.order(order.id)
    assert status == 200
    assert "答复已经记录" in page
    assert kept.status is Status.STARTED
    assert kept.acknowledged_by == world.person("sample-kiln").name


def test_the_phone_and_the_portal_speak_of_one_order(world: World, order: Order, signed_in: SignedIn) -> None:
    world.answer(order)
    world.begun(order)

    page = signed_in("sample-kiln").get(f"/portal/orders/{order.id}").text

    assert "下一步：措施开始执行后" in page
    assert world.recipient(order).contacts[0].name in page
    assert "手机链接" in page


def test_cannot_comply_needs_its_reason_and_keeps_what_was_typed(
    world: World, order: Order, signed_in: SignedIn
) -> None:
    browser = signed_in("sample-kiln")

    status, page = press(browser, order, action="decline", remark=" ")
    assert status == 422
    assert "请写明原因" in page

    status, page = press(browser, order, action="decline", remark="窑" * 1001)
    assert status == 422
    assert "窑" * 1000 in page
    assert world.order(order.id).status is Status.ISSUED


def test_nobody_sees_or_answers_the_order_of_another(world: World, order: Order, signed_in: SignedIn) -> None:
    browser, other = signed_in("sample-kiln"), next(one for one in world.orders() if one.id != order.id)
    token = token_in(browser.get(f"/portal/orders/{order.id}").text)

    seen = browser.get(f"/portal/orders/{other.id}")
    pressed = browser.post(
        f"/portal/orders/{other.id}/answer", data={"csrf_token": token, "revision": "1", "action": "acknowledge"}
    )

    assert seen.status_code == pressed.status_code == 404
    assert other.number not in seen.text
    assert world.order(other.id).status is Status.ISSUED


def test_an_answer_without_the_page_it_came_from_is_refused(world: World, order: Order, signed_in: SignedIn) -> None:
    form = {"revision": "1", "action": "acknowledge"}

    answer = signed_in("sample-kiln").post(f"/portal/orders/{order.id}/answer", data=form)

    assert answer.status_code == 400
    assert world.order(order.id).status is Status.ISSUED


def test_an_account_tied_to_nobody_is_told_what_to_do(world: World, system: System, signed_in: SignedIn) -> None:
    loose = replace(world.person("sample-kiln"), recipient_id=None)
    with system.store.transactions() as tx:
        tx.set_people([(loose, passwords.hashed(PASSWORD, quick=True))])

    page = signed_in("sample-kiln").get("/portal").text

    assert "这个账号还没有关联单位" in page


def test_an_old_answer_is_told_that_the_order_has_changed(world: World, order: Order, signed_in: SignedIn) -> None:
    decision = world.bulletin(Level.ORANGE)
    assert decision is not None
    world.sign(decision, by="lj-approver3")

    _, page = press(signed_in("sample-kiln"), order, action="acknowledge")

    assert "指令刚刚有了新的内容" in page
    assert "这次有什么变化" in page


def test_after_the_release_the_order_lies_among_the_earlier_ones(
    world: World, order: Order, signed_in: SignedIn
) -> None:
    world.released()

    page = signed_in("sample-kiln").get("/portal").text

    assert "现在没有要执行的指令" in page
    assert page.index("以往的指令") < page.index(order.number)


def test_staff_have_no_portal_and_enterprises_no_desk(order: Order, signed_in: SignedIn) -> None:
    assert signed_in("lj-duty").get("/portal").status_code == 403
    assert signed_in("sample-kiln").get("/review").status_code == 403
