"""An answer pressed without a signal waits in the telephone and goes out once when the signal is back."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from emergency.domain.orders import Order, Status
from emergency.store.tables import AnswerRow
from tests.world import World

pytestmark = pytest.mark.chromium
PHONE = {"width": 360, "height": 740}


@pytest.fixture
def order(world: World) -> Order:
    world.activated()
    return world.an_order()


def phone(browser: Browser, *, script: bool = True) -> Page:
    context = browser.new_context(viewport=PHONE, locale="zh-CN", java_script_enabled=script)
    return context.new_page()


def answers(world: World) -> list[str]:
    with world.store.reading() as tx:
        return list(tx.connection.scalars(select(AnswerRow.action)))


def test_an_answer_without_a_signal_is_kept_and_sent_once_when_it_is_back(
    world: World, browser: Browser, site: str, order: Order
) -> None:
    page = phone(browser)
    page.goto(f"{site}/o/{world.token(order)}")

    page.context.set_offline(True)
    page.get_by_role("button", name="收到").click()
    expect(page.locator("#asleep")).to_be_visible()
    assert answers(world) == []

    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")  # a machine without any network never says so itself
    expect(page.get_by_role("heading", name="答复已经记录")).to_be_visible()
    page.reload()
    assert page.evaluate("localStorage.length") == 0
    assert answers(world) == ["acknowledge"]
    assert world.order(order.id).status is Status.ACKNOWLEDGED


def test_an_answer_that_waits_goes_out_when_the_page_is_opened_again(
    world: World, browser: Browser, site: str, order: Order
) -> None:
    page, address = phone(browser), f"{site}/o/{world.token(order)}"
    page.goto(address)
    page.route("**/answer", lambda route: route.abort())  # there is a network, and nothing gets through
    page.get_by_role("button", name="收到").click()
    expect(page.locator("#asleep")).to_be_visible()
    other = page.context.new_page()
    page.close()

    other.goto(address)

    expect(other.get_by_role("heading", name="答复已经记录")).to_be_visible()
    assert answers(world) == ["acknowledge"]


def test_what_the_server_refuses_is_shown_and_does_not_wait(
    world: World, browser: Browser, site: str, order: Order
) -> None:
    page = phone(browser)
    page.goto(f"{site}/o/{world.token(order)}")
    page.locator("summary", has_text="无法执行").click()
    page.locator("#remark").fill("  ")
    page.evaluate("document.querySelector('#remark').removeAttribute('required')")
    page.locator("details button[value=decline]").click()

    expect(page.get_by_role("alert")).to_contain_text("请写明原因")
    assert page.evaluate("localStorage.length") == 0
    assert answers(world) == []


def test_with_a_signal_one_press_is_one_question_and_one_page(
    world: World, browser: Browser, site: str, order: Order
) -> None:
    page = phone(browser)
    page.goto(f"{site}/o/{world.token(order)}")
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.method))

    page.get_by_role("button", name="收到").click()

    expect(page.get_by_role("heading", name="答复已经记录")).to_be_visible()
    assert asked == ["POST", "GET"]
    assert answers(world) == ["acknowledge"]


def test_without_script_the_answer_goes_by_the_form(world: World, browser: Browser, site: str, order: Order) -> None:
    page = phone(browser, script=False)
    page.goto(f"{site}/o/{world.token(order)}")

    page.get_by_role("button", name="收到").click()

    expect(page.get_by_role("heading", name="答复已经记录")).to_be_visible()
    assert answers(world) == ["acknowledge"]
