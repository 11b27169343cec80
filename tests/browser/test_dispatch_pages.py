"""Dead letters, the call list and whom nobody reaches: axe is content, nothing is too wide, and no script is needed."""

from __future__ import annotations

import re

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from emergency.domain.messages import Never, Uncertain
from tests.browser.conftest import signed_in
from tests.world import World

pytestmark = [pytest.mark.chromium, pytest.mark.timeout(240)]


@pytest.fixture
def told(world: World) -> World:
    """A district whose first notices came to three different ends, and where four have not answered."""
    world.phone.fates = [Never("answered 422: number blocked"), Never("answered 400"), Uncertain("answered 200")]
    world.activated()
    with world.store.reading() as tx:
        failed = {tx.message(one).order_id for one in tx.outbox.failed(world.episode().id)}
    rest = [one for one in world.orders() if one.id not in failed]
    world.acknowledge_all(rest[2:])
    world.forward(minutes=130, step=130)
    return world


def test_axe_finds_nothing_and_nothing_is_wider_than_its_screen(told: World, site: str, browser: Browser) -> None:
    calls = f"/console/episodes/{told.episode().id}/calls"
    found = {}

    for width in (1280, 360):
        page = signed_in(browser, site, "lj-duty", width=width)
        for path in ("/console/letters", "/console/letters?fate=unclear", calls, f"{calls}?format=print",
                     "/console/reach"):  # fmt: skip
            page.goto(site + path)
            page.evaluate("document.querySelectorAll('details').forEach((one, n) => { one.open = n < 6 })")
            said = [(one["id"], one["nodes"][0]["target"]) for one in Axe().run(page)["violations"]]
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if said or wide:
                found[path, width] = (said, wide)

    assert found == {}


def test_a_call_is_noted_by_keyboard_and_without_a_script(told: World, site: str, browser: Browser) -> None:
    page = signed_in(browser, site, "lj-duty", width=360, script=False)
    page.goto(f"{site}/console/episodes/{told.episode().id}/calls")
    first = page.locator("article.call").first
    name = first.locator("h2 a").inner_text()

    first.locator("summary").focus()
    page.keyboard.press("Enter")
    first.get_by_label(re.compile("^接听人")).fill("王厂长")
    first.get_by_label(re.compile("对方明确答复")).focus()
    page.keyboard.press("Space")
    first.get_by_role("button", name="登记通话").focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("status")).to_contain_text("记下对方在电话中答复“收到”")
    expect(page.locator("article.call h2", has_text=name)).to_have_count(0)
