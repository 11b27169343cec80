"""The pages of an uploaded bulletin, by keyboard's and screen reader's rules, on a phone and on a desk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser

from emergency.feeds.table import template_csv
from tests.browser.conftest import signed_in
from tests.world import World

pytestmark = [pytest.mark.chromium, pytest.mark.timeout(240)]


@pytest.mark.parametrize("width", [360, 1280])
def test_the_pages_of_an_upload_are_axe_clean_and_stay_within_the_width(
    world: World, site: str, browser: Browser, tmp_path: Path, width: int
) -> None:
    file = tmp_path / "forecast.csv"
    body = template_csv(today=world.clock.now().date()).decode("utf-8-sig").splitlines()
    file.write_text("\n".join([*body, "13/01,90,,,,,"]), encoding="utf-8")
    page = signed_in(browser, site, "city-duty", width=width)
    found = {}

    def check(name: str) -> None:
        said = Axe().run(page)["violations"]
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if said or wide > 0:
            found[name] = [[one["id"] for one in said], wide]

    page.goto(f"{site}/console/uploads/new")
    check("form")
    page.fill("#source", "自治区环境监测中心")
    page.set_input_files("#file", str(file))
    page.click("button.primary.large")
    assert page.locator("table.cards").count() == 2
    check("look")

    assert not found, json.dumps(found, ensure_ascii=False)
