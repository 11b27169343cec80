"""The page and the interface say that the rule has moved on since a proposal, and ask the signer for a word on it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from emergency.domain.episode import Decision, Standing
from emergency.services import intake, nagging
from tests.services.test_overtaken import APPROVER, arrives
from tests.web.conftest import SignedIn, token_in
from tests.world import PASSWORD, World

FELL, ROSE = (90, 80, 70), (310, 330, 350)
BECAUSE = "现场核实仍在累积"


@pytest.fixture
def waiting(world: World) -> Decision:
    """The city's yellow, put forward."""
    return world.put_forward(world.forecast(120, 193, 229)[0])


@pytest.fixture
def browser(signed_in: SignedIn) -> FlaskClient:
    """The approver's."""
    return signed_in(APPROVER)


def standing(world: World, waiting: Decision) -> Standing:
    with world.store.reading() as tx:
        return tx.decision(waiting.id).standing


def on_page(browser: FlaskClient, waiting: Decision, **said: str) -> Any:
    path = f"/console/decisions/{waiting.id}"
    form = {"csrf_token": token_in(browser.get(path).text), "password": PASSWORD, "content": waiting.content_sha}
    return browser.post(f"{path}/sign", data={**form, **said})


def by_interface(browser: FlaskClient, waiting: Decision, **said: str) -> Any:
    token = token_in(browser.get("/review").text)
    body = {"password": PASSWORD, "content": waiting.content_sha, **said}
    return browser.post(f"/api/v1/decisions/{waiting.id}/approval", json=body, headers={"X-CSRFToken": token})


@pytest.mark.parametrize(
    ("figures", "words", "key", "days"),
    [
        (FELL, "规则现已不再要求此项。 现结论：无预警", "fallen:none", "AQI 90"),
        (ROSE, "规则现要求的级别更高。 现结论：红色", "risen:red", "AQI 310"),
    ],
)
def test_the_page_says_it_beside_what_was_proposed_on_and_asks_for_a_tick_and_a_reason(
    world: World, browser: FlaskClient, waiting: Decision, figures: tuple[int, ...], words: str, key: str, days: str
) -> None:
    assert 'id="overtaken"' not in browser.get(f"/console/decisions/{waiting.id}").text
    arrives(world, *figures)

    page = browser.get(f"/console/decisions/{waiting.id}").text
    beside = page[page.index('id="overtaken"') :].split("</section>")[0]
    assert page.count(words) == 2, "on top, and where it is signed"
    assert re.search(rf'<input type="checkbox" name="rule_now" value="{key}" required>', page)
    assert "AQI 229" in beside
    assert days in beside

    assert on_page(browser, waiting).status_code == 422
    assert on_page(browser, waiting, rule_now=key).status_code == 422
    assert standing(world, waiting) is Standing.PROPOSED
    assert on_page(browser, waiting, rule_now=key, anyway_because=BECAUSE).status_code == 303

    signed = browser.get(f"/console/decisions/{waiting.id}").text
    assert f"仍签发的理由：{BECAUSE}" in signed
    assert days in signed[signed.index('id="overtaken"') :].split("</section>")[0]


def test_the_desks_next_step_says_it_once_the_air_was_weighed_and_the_page_how_often_people_were_reminded(
    world: World, browser: FlaskClient, waiting: Decision
) -> None:
    assert "规则结论已变化" not in browser.get("/console").text
    arrives(world, *FELL)
    world.clock.forward(minutes=20)
    intake.weigh_all(world.store, world.rules, now=world.now)
    nagging.lapse_overdue(world.store, world.rules, now=world.now)

    assert "规则结论已变化，请先核对" in browser.get("/console").text
    page = browser.get(f"/console/decisions/{waiting.id}").text
    assert "已催办 1 次" in page[page.index('id="nags"') :][:200]


def test_what_was_typed_stays_when_the_password_was_wrong(
    world: World, browser: FlaskClient, waiting: Decision
) -> None:
    arrives(world, *FELL)

    answer = on_page(browser, waiting, rule_now="fallen:none", anyway_because=BECAUSE, password="wrong")

    assert f'value="{BECAUSE}"' in answer.text
    assert standing(world, waiting) is Standing.PROPOSED


@pytest.mark.parametrize(("figures", "how", "level"), [(FELL, "fallen", "none"), (ROSE, "risen", "red")])
def test_the_interface_says_it_and_takes_the_signature_with_the_key_and_a_reason(
    world: World, browser: FlaskClient, waiting: Decision, figures: tuple[int, ...], how: str, level: str
) -> None:
    path = f"/api/v1/episodes/{waiting.episode_id}"
    assert browser.get(path).get_json()["decisions"][0]["rule_now"] is None
    arrives(world, *figures)

    told = browser.get(path).get_json()["decisions"][0]["rule_now"]
    assert (told["how"], told["level"]) == (how, level)
    assert [day["aqi"] for day in told["assessment"]["days"]] == list(figures)

    refused = by_interface(browser, waiting)
    assert (refused.status_code, refused.get_json()["rule_now"]["key"]) == (422, told["key"])
    assert refused.get_json()["detail_zh"].startswith("提出之后规则结论已变化")
    done = by_interface(browser, waiting, rule_now=told["key"], because=BECAUSE).get_json()
    assert (done["standing"], done["against"]["because"]) == ("approved", BECAUSE)
    flags = browser.get(path).get_json()["flags"]
    assert BECAUSE in [one["because"] for one in flags if one["mark"].startswith("signed_after_")]
