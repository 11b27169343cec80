"""What a deputy sees: from when he or she may sign, that it is for another, and what the record then says."""

from __future__ import annotations

import pytest

from emergency.domain.episode import Decision, Standing
from emergency.domain.level import Level
from tests.web.conftest import SignedIn, token_in
from tests.world import PASSWORD, World


@pytest.fixture
def waiting(world: World) -> Decision:
    """The district's red response, waiting for the commander."""
    found = world.bulletin(Level.RED)
    assert found is not None
    return found


def test_the_sign_page_says_from_when_who_else_may_sign(world: World, waiting: Decision, signed_in: SignedIn) -> None:
    deputy = signed_in("lj-approver2")
    path = f"/console/decisions/{waiting.id}"
    early = deputy.get(path).text

    assert "区副指挥长，" in early
    assert "（提出后满 20 分钟）" in early
    assert "您从 " in early
    assert "已可代签" not in early
    assert "再次输入您的密码" not in early

    world.clock.forward(minutes=20)
    later = deputy.get(path).text

    assert "您将代区指挥长审批" in later
    assert "再次输入您的密码" in later
    assert "审批：" in deputy.get("/console").text  # the desk's next step is now this deputy's


def test_a_deputys_signature_is_shown_as_one(world: World, waiting: Decision, signed_in: SignedIn) -> None:
    deputy = signed_in("lj-approver2")
    path = f"/console/decisions/{waiting.id}"
    world.clock.forward(minutes=31)
    form = {"csrf_token": token_in(deputy.get(path).text), "password": PASSWORD, "content": waiting.content_sha}

    assert deputy.post(f"{path}/sign", data=form).status_code == 303
    page = deputy.get(path).text

    assert "区副指挥长代区指挥长审批，提出后已等 31 分钟" in page
    assert "approval.red.deputies.0" in page


def test_the_interface_holds_a_deputy_to_the_same_minutes(world: World, waiting: Decision, signed_in: SignedIn) -> None:
    deputy = signed_in("lj-approver2")
    said = {"password": PASSWORD, "content": waiting.content_sha}
    headers = {"X-CSRFToken": token_in(deputy.get(f"/console/decisions/{waiting.id}").text)}
    early = deputy.post(f"/api/v1/decisions/{waiting.id}/approval", json=said, headers=headers)
    world.clock.forward(minutes=20)

    told = deputy.post(f"/api/v1/decisions/{waiting.id}/approval", json=said, headers=headers)

    assert early.status_code == 403
    assert "has waited 20 minutes" in (early.json or {})["detail"]
    assert told.status_code == 200
    assert (told.json or {})["deputised"] == "approval.red.deputies.0"
    with world.store.reading() as tx:
        assert tx.decision(waiting.id).standing is Standing.APPROVED


def test_the_review_and_the_interface_point_at_a_deputys_signature_with_its_page(
    world: World, waiting: Decision, signed_in: SignedIn
) -> None:
    world.clock.forward(minutes=25)
    world.sign(waiting, by="lj-approver2")
    browser = signed_in("lj-duty")
    told = "区副指挥长代区指挥长审批，提出后已等 25 分钟，依据预案条款 approval.red.deputies.0"

    page = browser.get(f"/review/{waiting.episode_id}").text
    (flag,) = browser.get(f"/api/v1/episodes/{waiting.episode_id}").get_json()["flags"]

    assert told in page
    assert f'href="/console/decisions/{waiting.id}"' in page[page.index('id="flags"') :]
    assert (flag["mark"], flag["zh"], flag["page"]) == ("by_deputy", told, f"/console/decisions/{waiting.id}")
    assert "by the plan's clause" in flag["en"]
    assert "by the plan's clause" in browser.get(f"/review/{waiting.episode_id}?lang=en").text.replace("&#39;", "'")
