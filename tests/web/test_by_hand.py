"""What a person may propose by hand as things stand, and what the pages say while no data come in."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from emergency.domain.episode import Move, Phase
from emergency.domain.level import Level
from tests.web.conftest import SignedIn, token_in
from tests.web.test_api import sent
from tests.world import CITY, DISTRICT, World


def offered(browser: FlaskClient) -> set[str]:
    """The moves the page lets one choose."""
    return set(re.findall(r'name="move" value="(\w+)"', browser.get("/console/propose").text))


def proposed(browser: FlaskClient, **said: str) -> str:
    """The page after a proposal by hand."""
    form = {"csrf_token": token_in(browser.get("/console/propose").text), "effective_at": "2015-02-10T00:00", **said}
    return browser.post("/console/propose", data=form, follow_redirects=True).text


def released(world: World, area: str) -> None:
    """The area's warning, lifted a moment ago."""
    if area == DISTRICT:
        world.activated(Level.YELLOW)
        world.released()
        return
    world.decide(world.forecast(193, 229, 271)[0])
    world.sign(world.propose(Move.RELEASE, Level.NONE, override_because="会商结论", effective_at=world.now))


def test_not_starting_is_offered_only_where_something_opens(world: World, signed_in: SignedIn) -> None:
    browser = signed_in("city-duty")
    assert "dismiss" not in offered(browser)

    world.forecast(120, 193, 229)
    assert "dismiss" in offered(browser)
    page = proposed(browser, area=CITY, move="dismiss", override_because="沙尘过境")

    assert "不启动" in page
    assert "沙尘过境" in page
    assert 'id="public"' not in page
    with world.store.reading() as tx:
        running = tx.running_episode(CITY)
        assert running is not None
        waits = tx.waiting_decision(running.id)
    assert waits is not None
    assert waits.move is Move.DISMISS


def test_starting_again_is_offered_to_the_city_after_a_release_and_never_to_a_district(
    world: World, signed_in: SignedIn
) -> None:
    for area in (CITY, DISTRICT):
        released(world, area)

    assert "reopen" in offered(signed_in("city-duty"))
    assert not offered(signed_in("lj-duty")) & {"activate", "upgrade", "reopen"}
    page = proposed(
        signed_in("city-duty"), area=CITY, move="reopen", level="orange", open_ended="1", override_because="静稳加重"
    )
    assert "重新启动" in page
    assert "等待另一人审批" in page


@pytest.mark.parametrize("move", ["dismiss", "reopen"])
def test_the_interface_takes_both_moves(world: World, signed_in: SignedIn, move: str) -> None:
    level = "none"
    if move == "reopen":
        released(world, CITY)
        level = "orange"
    else:
        world.forecast(120, 193, 229)
    body: dict[str, Any] = {"area": CITY, "move": move, "level": level, "override_because": "会商意见"}

    answer = sent(signed_in("city-duty"), "/api/v1/decisions", {**body, "open_ended": True})

    assert answer.status_code == 201, answer.text
    assert answer.json is not None
    assert answer.json["move"] == move


def test_without_data_only_what_needs_none_is_offered_and_the_rule_is_said_to_be_mute(
    world: World, signed_in: SignedIn
) -> None:
    world.decide(world.forecast(193, 229, 271)[0])
    world.clock.forward(days=20)
    browser = signed_in("city-duty")

    assert offered(browser) == {"extend", "amend", "release", "withdraw"}
    assert "规则无法判断：没有可用数据" in browser.get("/console/propose").text
    later = {"area": CITY, "move": "release", "effective_at": "2015-03-01T00:00"}
    assert "请写明理由" in proposed(browser, **later)
    page = proposed(browser, **later, reason="站点人工核实已转好")

    assert "规则无法判断：没有可用数据" in page
    assert "无可用数据：站点人工核实已转好" in page
    episode = world.episode(CITY)
    assert episode.phase is Phase.ACTIVE
    assert "规则无法判断：没有可用数据" in browser.get(f"/console/episodes/{episode.id}").text
