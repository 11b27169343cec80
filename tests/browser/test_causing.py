"""The page of causes by keyboard's and screen reader's rules, on a phone."""

from __future__ import annotations

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser

from emergency.domain.forecast import Cause
from tests.browser.conftest import signed_in
from tests.world import World

pytestmark = [pytest.mark.chromium, pytest.mark.timeout(240)]


def test_the_page_of_causes_is_axe_clean_and_stays_within_a_phones_width(
    world: World, site: str, browser: Browser
) -> None:
    world.forecast(230, 240, 168, causes=(Cause.PM2_5, Cause.PM2_5, Cause.O3))
    page = signed_in(browser, site, "city-duty", width=360)
    page.goto(f"{site}/console/causes")
    page.select_option("#which", index=1)
    page.select_option("#cause", "wildfire")
    page.fill("#because", "卫星遥感在下风向发现多处火点，烟羽已到市区上空，与后向轨迹一致")
    page.click("button.primary.large")

    assert page.locator("table.cards tbody tr").count() == 3
    assert Axe().run(page)["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
