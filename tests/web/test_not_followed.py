"""The city's notice is set aside by no door without a reason, and stays on the desk's page of tasks with it."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from emergency.domain.episode import Decision, Standing
from tests.services.test_not_followed import BECAUSE, NUMBER, notice
from tests.web.conftest import SignedIn, token_in
from tests.world import DISTRICT, PASSWORD, World

__all__ = ["notice"]  # the fixture
TASKS = "/console/tasks"


def by_page(browser: FlaskClient, because: str) -> Any:
    token = token_in(browser.get("/console/propose").text)
    form = {"area": DISTRICT, "move": "dismiss", "reason": "空气良好", "override_because": because}
    return browser.post("/console/propose", data={**form, "effective_at": "2015-02-09T00:00", "csrf_token": token})


def by_interface(browser: FlaskClient, because: str) -> Any:
    token = token_in(browser.get("/review").text)
    body = {"area": DISTRICT, "move": "dismiss", "reason": "空气良好", "override_because": because}
    return browser.post("/api/v1/decisions", json=body, headers={"X-CSRFToken": token})


@pytest.mark.parametrize("door", [by_page, by_interface])
def test_by_no_door_is_it_set_aside_without_a_reason_nor_out_of_sight(
    world: World, signed_in: SignedIn, notice: Decision, door: Any
) -> None:
    browser = signed_in("lj-duty")
    assert 'id="unfollowed"' not in browser.get(TASKS).text

    refused = door(browser, "")
    assert refused.status_code == 422
    assert NUMBER in str(refused.get_json(silent=True) or refused.text)
    with world.store.reading() as tx:
        assert tx.decision(notice.id).standing is Standing.PROPOSED

    assert door(browser, BECAUSE).status_code in (201, 303)
    with world.store.reading() as tx:
        waits = tx.waiting_decision(notice.episode_id)
    assert waits is not None
    page = browser.get(f"/console/decisions/{waits.id}").text
    assert NUMBER in page
    assert BECAUSE in page

    approver = signed_in("lj-approver3")
    token = token_in(approver.get("/review").text)
    body = {"content": waits.content_sha, "password": PASSWORD}
    path = f"/api/v1/decisions/{waits.id}/approval"
    assert approver.post(path, json=body, headers={"X-CSRFToken": token}).get_json()["standing"] == "approved"

    for login in ("lj-duty", "city-duty"):
        listed = signed_in(login).get(TASKS).text
        listed = listed[listed.index('id="unfollowed"') :].split("</section>")[0]
        assert NUMBER in listed
        assert BECAUSE in listed
