"""The main path by hand: a suggestion put forward, signed by another, answered on a phone, seen at the desk."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from emergency.domain.episode import Standing
from emergency.domain.level import Level
from emergency.domain.orders import Action, Status
from tests.browser.conftest import signed_in
from tests.world import CITY, PASSWORD, World

pytestmark = [pytest.mark.chromium, pytest.mark.timeout(180)]


def test_from_the_suggestion_to_the_answer_by_hand(world: World, site: str, browser: Browser) -> None:
    (suggested,) = world.forecast(120, 193, 229)

    # the duty officer sees the rule's suggestion on the first page and puts it forward
    duty = signed_in(browser, site, "city-duty")
    expect(duty).to_have_url(re.compile("/console"))
    expect(duty.get_by_text("建议，尚未生效").first).to_be_visible()
    duty.goto(f"{site}/console/decisions/{suggested.id}")
    expect(duty.get_by_text("参数待核").first).to_be_visible()
    duty.get_by_role("button", name=re.compile("^提出")).click()
    with world.store.reading() as tx:
        assert tx.decision(suggested.id).standing is Standing.PROPOSED
    expect(duty.get_by_role("button", name=re.compile("^签发"))).to_have_count(1)
    expect(duty.get_by_role("button", name=re.compile("^签发"))).to_be_disabled()

    # another person signs, on a phone, with the password again
    approver = signed_in(browser, site, "city-approver2", width=360)
    approver.goto(f"{site}/console/decisions/{suggested.id}")
    assert no_sideways_scroll(approver)
    approver.locator("#password").fill("not the password")
    approver.get_by_role("button", name=re.compile("^签发")).click()
    with world.store.reading() as tx:
        assert tx.decision(suggested.id).standing is Standing.PROPOSED
    approver.locator("#password").fill(PASSWORD)
    approver.get_by_role("button", name=re.compile("^签发")).click()
    with world.store.reading() as tx:
        assert tx.decision(suggested.id).standing is Standing.APPROVED
    assert world.episode(CITY).level is Level.YELLOW
    world.deliver()

    # a recipient opens its link without any script and answers; reading alone has changed nothing
    order = world.orders(CITY)[0]
    phone = browser.new_context(
        viewport={"width": 360, "height": 740}, locale="zh-CN", java_script_enabled=False
    ).new_page()
    phone.goto(f"{site}/o/{world.token(order)}")
    assert len(phone.content().encode()) < 50_000
    assert no_sideways_scroll_without_script(phone)
    assert world.order(order.id).status is Status.ISSUED
    phone.get_by_role("button", name="收到").first.click()
    assert world.order(order.id).status is Status.ACKNOWLEDGED

    # and the desk sees it
    duty.goto(f"{site}/console")
    expect(duty.get_by_text("收到").first).to_be_visible()
    duty.goto(f"{site}/console/orders/{order.id}")
    expect(duty.get_by_text(world.recipient(order).contacts[0].name).first).to_be_visible()


def test_enter_never_signs(world: World, site: str, browser: Browser) -> None:
    proposal = world.put_forward(world.forecast(120, 193, 229)[0])
    approver = signed_in(browser, site, "city-approver2")
    approver.goto(f"{site}/console/decisions/{proposal.id}")

    approver.locator("#password").fill(PASSWORD)
    approver.locator("#password").press("Enter")
    approver.wait_for_timeout(300)

    with world.store.reading() as tx:
        assert tx.decision(proposal.id).standing is Standing.PROPOSED


def test_cannot_comply_asks_for_a_reason_and_keeps_it(world: World, site: str, browser: Browser) -> None:
    world.activated()
    order = world.an_order()
    phone = browser.new_context(
        viewport={"width": 360, "height": 740}, locale="zh-CN", java_script_enabled=False
    ).new_page()
    phone.goto(f"{site}/o/{world.token(order)}")

    phone.get_by_text("无法执行").first.click()
    phone.locator("#remark").fill("窑内有坯，不能急停")
    phone.get_by_role("group").get_by_role("button", name="无法执行").click()

    kept = world.order(order.id)
    assert (kept.status, kept.declined_because) == (Status.DECLINED, "窑内有坯，不能急停")


def test_a_changed_order_leads_with_what_changed(world: World, site: str, browser: Browser) -> None:
    world.activated(Level.YELLOW)
    order = world.an_order("brick_kiln")
    world.answer(order, Action.ACKNOWLEDGE)
    upgrade = world.bulletin(Level.ORANGE, action="upgrade")
    assert upgrade is not None
    world.sign(upgrade, by="lj-approver3")

    phone = browser.new_context(
        viewport={"width": 360, "height": 740}, locale="zh-CN", java_script_enabled=False
    ).new_page()
    phone.goto(f"{site}/o/{world.token(order)}")

    after = world.order(order.id)
    new = next(duty for duty in after.duties if duty.key not in {one.key for one in order.duties})
    expect(phone.get_by_text("新增").first).to_be_visible()
    expect(phone.get_by_text(new.text).first).to_be_visible()
    assert "收到" in phone.locator("form.answer").inner_text()


def no_sideways_scroll(page: Page) -> bool:
    """Whether everything fits into the width there is."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def no_sideways_scroll_without_script(page: Page) -> bool:
    """The same where the page's own scripts are off: asked of the layout, not of the page."""
    box = page.locator("body").bounding_box()
    return box is not None and box["width"] <= 360
