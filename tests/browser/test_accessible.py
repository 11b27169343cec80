"""axe finds nothing to say of any page, at the desk and on a phone."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from emergency.domain.episode import Move, Phase
from emergency.domain.level import Level
from emergency.domain.orders import Action, RecipientKind
from emergency.services import exercising
from emergency.store import consulting, record
from tests.browser.conftest import signed_in
from tests.services.test_exercising import Held
from tests.services.test_overtaken import arrives
from tests.world import CITY, DISTRICT, World

pytestmark = [pytest.mark.chromium, pytest.mark.timeout(240)]


@pytest.fixture
def told(world: World) -> World:
    """A district in the middle of an episode: answers, silence, an objection, an upgrade that waits."""
    world.forecast(120, 193, 229)
    world.activated(Level.YELLOW)
    first, second, third, *_ = [one for one in world.orders() if world.recipient(one).sample]
    world.answer(first)
    world.begun(second)
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
    paths = (
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
    )

    found = walked(signed_in(browser, site, "lj-approver3"), site, paths, widths=(width,))

    assert not found, json.dumps(found, ensure_ascii=False, indent=1)


def walked(page: Page, site: str, paths: Iterable[str], *, widths: Iterable[int]) -> dict[str, list[Any]]:
    """What axe says of each of these pages with everything unfolded, and whether one is wider than the screen."""
    found: dict[str, list[Any]] = {}
    for path in paths:
        page.goto(site + path)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            some = [(one["id"], [node["target"] for node in one["nodes"]][:3]) for one in Axe().run(page)["violations"]]
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if wide > 0:
                some.append(("scrolls sideways", wide))
            if some:
                found[f"{path} at {width}"] = some
    return found


@pytest.fixture
def aftermath(world: World) -> World:
    """
    What is rarer: a suggestion dismissed, a response reopened, an upgrade the rule has moved on from, a review signed
    by two, a notice of the city's that nobody follows, and an alarm that waits for a person.
    """
    world.activated(Level.YELLOW)
    world.released()
    world.review()
    world.forecast(120, 193, 229)
    world.decide(world.propose(Move.DISMISS, Level.NONE, override_because="沙尘过境"))
    world.clock.forward(hours=1)
    world.decide(world.forecast(193, 229, 271)[0])
    world.clock.forward(hours=24)
    world.observe(120)
    world.decide(world.forecast(110, 90, 80)[0])
    world.clock.forward(hours=8)
    world.observe(110, until=-1)
    world.decide(world.forecast(210, 220, 90)[0])
    world.clock.forward(hours=1)
    world.put_forward(world.forecast(310, 330, 350)[0])
    arrives(world, 210, 220, 90)
    world.bulletin(Level.ORANGE)
    set_aside = {"area": DISTRICT, "by": "lj-duty", "override_because": "本区全区停电检修"}
    world.sign(world.propose(Move.DISMISS, Level.NONE, **set_aside), by="lj-approver3")  # type: ignore[arg-type]  # as above
    wall = "3 messages of an exercise were stopped before sms"
    world.store.run(lambda tx: tx.raise_alarm("exercise-wall:sms", area="", detail=wall, now=world.now))
    return world


def test_axe_finds_nothing_on_the_pages_of_what_is_rarer(aftermath: World, site: str, browser: Browser) -> None:
    held = Held(aftermath).begun()
    with aftermath.store.reading() as tx:
        towns = exercising.addresses_of(tx, DISTRICT, [RecipientKind.TOWN])
        episodes = record.episodes(tx)
        reopened = tx.running_episode(CITY)
        assert reopened is not None
        waiting = tx.waiting_decision(reopened.id)
    held.open(towns[:1])
    held.open(towns[1:3], confirm=False)
    assert waiting is not None
    closed = next(one for one in episodes if one.phase is Phase.CLOSED)
    dismissed = next(one for one in episodes if one.phase is Phase.DISMISSED)
    paths = (
        "/console",
        "/console/tasks",
        f"/console/episodes/{reopened.id}",
        f"/console/episodes/{dismissed.id}",
        f"/console/decisions/{waiting.id}",
        "/console/propose",
        f"/console/exercises/{held.one.id}",
        f"/review/{closed.id}",
    )
    at_the_desk = ("/console/bulletins/new",)  # an approver enters none

    found = walked(signed_in(browser, site, "city-approver3"), site, paths, widths=(1280, 360))
    found |= walked(signed_in(browser, site, "lj-duty"), site, at_the_desk, widths=(1280, 360))

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
