"""The pages of planned reduction, empty and full, on a desk and on a phone, by axe and by width."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import signed_in
from tests.browser.test_accessible import walked
from tests.services.test_arithmetic import LIST, entered
from tests.services.test_listing import confirmed, laid
from tests.world import World

pytestmark = [pytest.mark.chromium, pytest.mark.timeout(240)]
PAGE = "/console/lists/arithmetic"


def test_every_page_is_clean_empty_and_full_on_a_desk_and_on_a_phone(world: World, site: str, browser: Browser) -> None:
    duty = signed_in(browser, site, "lj-duty")
    found = walked(duty, site, (PAGE, f"{PAGE}/cheapest"), widths=(360, 1280))
    confirmed(world, laid(world, LIST))
    entered(world, "pm", 400.0)
    entered(world, "nox", 90000.0)
    paths = (PAGE, f"{PAGE}?lang=en", f"{PAGE}/cheapest?level=red&objective=loss&lang=zh")
    found |= {f"full {path}": what for path, what in walked(duty, site, paths, widths=(360, 1280)).items()}

    assert not found, json.dumps(found, ensure_ascii=False)
