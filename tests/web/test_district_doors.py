"""A district's desk tries every door there is: none publishes a warning, and none starts or raises a response."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from typing import Any, Final

import pytest
from flask import Flask
from flask.testing import FlaskClient

from emergency.domain.episode import Standing
from emergency.domain.level import Level
from emergency.errors import Refused
from tests.web.conftest import SignedIn, token_in
from tests.web.test_access import address
from tests.world import CITY, DISTRICT, PASSWORD, World

APPROVER: Final = "lj-approver3"  # the highest who signs there
PEOPLE: Final = ("lj-duty", APPROVER)
BY_MOVE: Final = ("/console/propose", "/api/v1/decisions", "/console/bulletins/new")  # what they do hangs on the move
OTHERS: Final = ("upgrade", "reopen", "extend", "amend", "downgrade", "appeal", "advise", "dismiss", "release")
LEAVES: Final = ("access.sign_out", "access.sign_in")  # they would end the walk
IN_JSON: Final = ("reason", "override_because", "number", "area", "move", "level")


def at_rest(world: World) -> None:
    """Nothing runs, and the air is bad enough for the highest level."""
    world.forecast(310, 330, 350, 340)


def in_response(world: World) -> None:
    """Yellow on the city's notice."""
    at_rest(world)
    world.activated(Level.YELLOW)


def after_release(world: World) -> None:
    """Yellow on the city's notice, and released on it."""
    in_response(world)
    world.released()


def waiting(world: World) -> None:
    """The city's yellow, entered and not signed yet."""
    at_rest(world)
    assert world.bulletin(Level.YELLOW) is not None


def known(world: World, area: str) -> dict[str, Any]:
    """Ids of the area's last things, for the addresses and the forms that ask for one."""
    with world.store.reading() as tx:
        episode = tx.latest_episode(area)
        some = tx.decisions(episode.id) if episode else []
        orders = tx.orders(episode.id) if episode else []
    last = some[-1] if some else None
    found = {
        "episode_id": episode and episode.id,
        "decision_id": last and last.id,
        "order_id": orders[0].id if orders else None,
        "bulletin_id": last and last.bulletin_id,
        "content": last and last.content_sha,
    }
    return {name: value for name, value in found.items() if value is not None}


def knock(app: Flask, world: World, browser: FlaskClient, area: str, move: str, only: Collection[str] = ()) -> set[str]:
    """Every door that changes something (or only these), each with all that any of them asks for; those tried."""
    token, tried = token_in(browser.get("/review").text), set()
    for rule in app.url_map.iter_rules():
        if "POST" not in (rule.methods or set()) or rule.endpoint in LEAVES or (only and rule.rule not in only):
            continue
        ids = known(world, area)
        said = {
            "area": area, "move": move, "action": move, "level": "red", "number": "柳江预警〔2015〕9号",
            "reason": "本区要求", "override_because": "本区要求", "because": "本区要求", "words": "本区要求",
            "contact": "值班室 0772-000", "effective_at": "2015-02-09T00:00", "expected_end_at": "2015-02-12T00:00",
            "open_ended": "1", "password": PASSWORD, "content": ids.get("content", ""), "step": "propose",
            "scope": "all", "change": "add", "text": "全厂停产", "check": "看电表", "issuer": "柳江区",
            "areas_covered": area, "decision": str(ids.get("decision_id", "")),
        }  # fmt: skip
        path = address(app, rule, **ids)
        if rule.rule.startswith("/api/"):
            body: dict[str, Any] = {name: said[name] for name in IN_JSON} | {"open_ended": True}
            if rule.rule.endswith("/approval"):
                body = {"content": said["content"], "password": PASSWORD}
            answer = browser.post(path, json=body, headers={"X-CSRFToken": token})
        else:
            answer = browser.post(path, data={**said, "csrf_token": token})
        assert answer.status_code < 500, f"{rule.rule}: {answer.status_code}"
        tried.add(rule.rule)
    return tried


def signed_if_it_can_be(world: World) -> None:
    """Whatever of the district's waits is signed by who signs there, where that is allowed."""
    with world.store.reading() as tx:
        running = tx.running_episode(DISTRICT)
        waits = tx.waiting_decision(running.id) if running else None
    if waits is not None:
        with suppress(Refused):
            world.sign(waits, by=APPROVER)


def assert_bound_by_the_city(world: World) -> None:
    """Nothing of the district speaks to the public, and nothing there is stricter than the city's notice."""
    with world.store.reading() as tx:
        episode = tx.latest_episode(DISTRICT)
        some = tx.decisions(episode.id) if episode else []
        orders = tx.orders(episode.id) if episode else []
    for one in some:
        assert one.notice.public_text == "", one.move
        assert one.level <= Level.YELLOW, one.move
        if one.standing is Standing.APPROVED and one.level > one.level_before:
            assert one.bulletin_id is not None, one.move
    assert not [one for one in orders if one.level > Level.YELLOW]
    assert episode is None or episode.level <= Level.YELLOW


@pytest.mark.parametrize("state", [at_rest, waiting, in_response, after_release])
def test_by_no_door_does_a_district_warn_start_or_rise_without_the_citys_notice(
    app: Flask, world: World, signed_in: SignedIn, client: FlaskClient, state: Any
) -> None:
    state(world)
    browsers = [signed_in(login) for login in PEOPLE]
    before = client.get("/public").text.count("<h1")

    tried = set()
    for browser in browsers:
        tried |= knock(app, world, browser, DISTRICT, "activate")
        assert_bound_by_the_city(world)
    for move in OTHERS:
        knock(app, world, browsers[0], DISTRICT, move, only=BY_MOVE)
        signed_if_it_can_be(world)
        assert_bound_by_the_city(world)

    assert {*BY_MOVE, "/console/amend", "/console/decisions/<uuid:decision_id>/sign"} <= tried
    assert client.get("/public").text.count("<h1") == before


def test_a_districts_people_start_nothing_in_the_citys_name(app: Flask, world: World, signed_in: SignedIn) -> None:
    at_rest(world)

    for login in PEOPLE:
        knock(app, world, signed_in(login), CITY, "activate")

    with world.store.reading() as tx:
        episode = tx.latest_episode(CITY)
        assert episode is not None
        assert episode.level is Level.NONE
        assert {one.standing for one in tx.decisions(episode.id)} == {Standing.SUGGESTED}
