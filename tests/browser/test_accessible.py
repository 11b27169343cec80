"""axe finds nothing to say of any page, at the desk and on a phone."""

from __future__ import annotations

import json

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser

from emergency.domain.level import Level
from emergency.domain.orders import Action
from emergency.store import consulting
from tests.browser.conftest import signed_in
from tests.services.test_exercising import Held
from tests.world import DISTRICT, World

pytestmark = [pytest.mark.chromium, pytest.mark.timeout(240)]


@pytest.fixture
def told(world: World) -> World:
    """A district in the middle of an episode: answers, silence, an objection, an upgrade that waits."""
    world.forecast(120, 193, 229)
    world.activated(Level.YELLOW)
    first, second, third, *_ = [one for one in world.orders() if world.recipient(one).sample]
    world.answer(first)
    world.answer(second, Action.SETTLE)
    world.answer(third, Action.DECLINE, remark="窑内有坯")
    upgrade = world.bulletin(Level.ORANGE, action="upgrade")
    consultation = world.consult("lj-approver3", "labao-town", about=upgrade)
    world.speak(consultation, "labao-town", None, "夜间有烟")
    world.speak(consultation, "labao-town", Level.ORANGE, "夜间有烟，巡查加密")
    return world


@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_on_any_page_of_the_desk(told: World, site: str, browser: Browser, width: int) -> None:
    with told.store.reading() as tx:
        waiting = tx.waiting_decision(told.episode().id)
        consultation = consulting.of_area(tx, DISTRICT)[0].id
    assert waiting is not None
    order = told.an_order()
    held = Held(told).begun()
    (suggested,) = held.let_in()
    told.decide(suggested)
    held.relay()
    exercise = held.one.id
    page = signed_in(browser, site, "lj-approver3", width=width)
    found = {}
    for path in (
        "/console",
        "/console/episodes",
        f"/console/episodes/{told.episode().id}",
        "/console/orders",
        f"/console/orders/{order.id}",
        "/console/feeds",
        "/console/channels",
        "/console/forecasts",
        "/console/shadow",
        "/console/tasks",
        f"/console/decisions/{waiting.id}",
        "/console/amend?scope=sector&sector=brick_kiln",
        "/console/exercises",
        f"/console/exercises/{exercise}",
        "/console/consultations",
        "/console/consultations/new",
        f"/console/consultations/{consultation}",
        "/review",
        f"/review/{told.episode().id}",
        "/public",
        f"/o/{told.token(order)}",
        "/console?lang=en",
        "/no-such-page",
    ):
        page.goto(site + path)
        said = Axe().run(page)["violations"]
        if said:
            found[path] = [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in said]
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            found.setdefault(path, []).append(("scrolls sideways", wide))

    assert not found, json.dumps(found, ensure_ascii=False, indent=1)


def test_nothing_is_asked_of_anybody_outside(told: World, site: str, browser: Browser) -> None:
    page = signed_in(browser, site, "lj-duty")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)

    for path in ("/console", "/console/orders", "/public", "/review"):
        page.goto(site + path)

    assert asked
    assert not [one for one in asked if not one.startswith((site, "data:"))]
    assert not complaints
