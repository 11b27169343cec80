"""The pages of a reduction list from the form to its confirmation, on a desk and on a phone, by axe and by width."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.conftest import signed_in
from tests.lists import ugly
from tests.services.test_listing import GOOD, confirmed, laid
from tests.world import PASSWORD, World

pytestmark = [pytest.mark.chromium, pytest.mark.timeout(240)]


@pytest.mark.parametrize("width", [360, 1280])
def test_a_list_is_brought_in_and_confirmed_and_every_page_is_clean(
    world: World, site: str, browser: Browser, tmp_path: Path, width: int
) -> None:
    confirmed(world, laid(world, GOOD))
    file = tmp_path / "清单.xlsx"
    file.write_bytes(ugly())
    found: dict[str, object] = {}

    def check(page: Page, name: str) -> None:
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        said = [(one["id"], one["nodes"][0]["target"]) for one in Axe().run(page)["violations"]]
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if said or wide > 0:
            found[name] = [said, wide]

    duty = signed_in(browser, site, "lj-duty", width=width)
    duty.goto(f"{site}/console/lists/new")
    check(duty, "form")
    duty.set_input_files("#file", str(file))
    duty.click("button.primary.large")
    check(duty, "look")
    duty.click("button.primary.large")
    where = duty.url
    duty.goto(f"{site}/console/lists")
    check(duty, "lists")
    approver = signed_in(browser, site, "lj-approver3", width=width)
    approver.goto(where)
    check(approver, "version")
    approver.check("input[name=without_refused]")
    approver.fill("#password", PASSWORD)
    approver.click("#act button.primary")
    check(approver, "confirmed")

    assert "清单已确认并启用" in approver.content()
    assert not found, json.dumps(found, ensure_ascii=False)
