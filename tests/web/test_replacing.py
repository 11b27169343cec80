"""The page of a proposal whose notice was replaced says by which, and no door signs it; one without data says so."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from emergency.domain.episode import Decision, Standing
from emergency.domain.level import Level
from emergency.services import nagging
from tests.services.test_replacing import APPROVER, NEWER, newer, now_of, waiting
from tests.web.conftest import SignedIn, token_in
from tests.web.test_overtaken import by_interface
from tests.world import PASSWORD, World

__all__ = ["waiting"]  # the fixture
MUTE = "规则目前无法判断"


def by_page(browser: FlaskClient, decision: Decision) -> Any:
    form = {"csrf_token": token_in(browser.get("/review").text), "password": PASSWORD, "content": decision.content_sha}
    return browser.post(f"/console/decisions/{decision.id}/sign", data=form)


@pytest.mark.parametrize("door", [by_page, by_interface])
def test_its_page_says_by_which_notice_and_no_door_signs_it(
    world: World, signed_in: SignedIn, waiting: Decision, door: Any
) -> None:
    browser, path = signed_in(APPROVER), f"/console/decisions/{waiting.id}"
    assert "本建议失效" not in browser.get(path).text
    newer(world, "withdraw")

    page = browser.get(path).text
    assert NEWER in page[page.index('id="why-over"') :].split("</p>")[0]
    assert 'name="password"' not in page
    assert NEWER in browser.get(f"/console/episodes/{waiting.episode_id}").text
    assert door(browser, waiting).status_code == 422
    assert now_of(world, waiting).standing is Standing.LAPSED
    (said,) = browser.get(f"/api/v1/episodes/{waiting.episode_id}").get_json()["decisions"]
    assert (said["standing"], NEWER in said["decided_because"]) == ("lapsed", True)


@pytest.mark.parametrize("door", [by_page, by_interface])
def test_without_data_page_and_interface_say_that_the_rule_is_mute_and_it_is_signed_without_a_tick(
    world: World, signed_in: SignedIn, door: Any
) -> None:
    proposed = world.put_forward(world.forecast(120, 193, 229)[0])
    browser = signed_in("city-approver3")
    page, api = f"/console/decisions/{proposed.id}", f"/api/v1/episodes/{proposed.episode_id}"
    assert MUTE not in browser.get(page).text
    assert [one["rule_mute"] for one in browser.get(api).get_json()["decisions"]] == [False]
    world.clock.forward(minutes=10 * 24 * 60)
    browser = signed_in("city-approver3")

    shown = browser.get(page).text
    assert MUTE in shown
    assert "229" in shown, "the last assessment stays beside it"
    assert 'name="rule_now"' not in shown
    assert [one["rule_mute"] for one in browser.get(api).get_json()["decisions"]] == [True]
    assert door(browser, proposed).status_code in (200, 303)
    assert MUTE not in browser.get(page).text


def test_a_notice_of_the_city_needs_no_air_and_is_never_called_mute(
    world: World, signed_in: SignedIn, waiting: Decision
) -> None:
    world.clock.forward(minutes=10 * 24 * 60)

    assert MUTE not in signed_in(APPROVER).get(f"/console/decisions/{waiting.id}").text
    assert waiting.level is Level.ORANGE


def test_the_page_counts_reminders_held_back_for_lack_of_room(
    world: World, signed_in: SignedIn, waiting: Decision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nagging.bundling, "with_room", lambda tx, plan, people, *, now: people[1:])
    world.clock.forward(minutes=31)
    nagging.lapse_overdue(world.store, world.rules, now=world.now)

    page = signed_in(APPROVER).get(f"/console/decisions/{waiting.id}").text
    assert "其中 1 人次因本小时短信已满未发" in page[page.index('id="nags"') :][:300]
