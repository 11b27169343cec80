"""The page of the channels says which provider sends, what waits, and what nobody knows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from emergency.channels import build, signing
from emergency.domain.failover import Heard, Preference, Provider, Unfit
from emergency.domain.level import Level
from emergency.store import providers
from emergency.system import System
from tests.web.conftest import SignedIn
from tests.world import World


def test_the_desk_sees_each_channel_and_strangers_do_not(signed_in: SignedIn, client: FlaskClient) -> None:
    assert client.get("/console/channels").status_code == 302
    browser = signed_in("city-duty")

    page, english = browser.get("/console/channels"), browser.get("/console/channels?lang=en")

    assert (page.status_code, english.status_code) == (200, 200)
    assert "通道状态" in page.text
    assert "/console/channels" in browser.get("/console").text


@pytest.fixture
def two(app: Flask, system: System) -> Flask:
    """The pages of a system whose sms has two providers."""
    said = {name: {"url": "http://127.0.0.1:9/", "key": f"key of {name}"} for name in ("sms", "sms_2")}
    settings = replace(system.settings, channels=said)
    app.extensions["system"] = replace(system, settings=settings, channels=build(said))
    return app


@pytest.mark.usefixtures("two")
def test_each_provider_is_shown_with_who_sends_and_why_the_other_does_not(world: World, signed_in: SignedIn) -> None:
    with world.store.transactions() as tx:
        providers.locked(tx, "sms", ("sms", "sms_2"))
        failed = Provider("sms", failed_at=world.wall.now(), failure="answered 503")
        providers.keep(tx, "sms", [failed, Provider("sms_2", (Heard(False, 70),))])
        providers.keep_preference(tx, "sms", Preference("sms_2", world.wall.now(), Unfit.ERRORS))
    world.activated(Level.YELLOW, deliver=False)

    page = signed_in("city-duty").get("/console/channels").text

    first, second = page.split("<tbody>")[1].split("</tr>")[:2]
    assert "备用" in first
    assert "503" in first
    assert "使用中" in second
    assert "95% 在 70 毫秒内" in second
    assert "未设自检号码" in second
    assert "紧急 <b>0</b>" not in page
    assert "95% within 70 ms" in signed_in("city-duty").get("/console/channels?lang=en").text


@pytest.mark.parametrize(("key", "status"), [("key of sms", 202), ("key of sms_2", 202), ("another", 401)])
def test_receipts_of_either_provider_are_taken_under_its_own_key(
    two: Flask, world: World, key: str, status: int
) -> None:
    body = b'{"receipt": "r-1", "status": "delivered"}'
    stamped = signing.stamp(world.wall.now())
    headers = {signing.TIMESTAMP: stamped, signing.SIGNATURE: signing.sign(key, stamped, body)}

    answer = two.test_client().post("/api/v1/receipts/sms", data=body, headers=headers)

    assert answer.status_code == status
