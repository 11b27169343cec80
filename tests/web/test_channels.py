"""The page of the channels says which provider sends, what waits, and what nobody knows."""

from __future__ import annotations

from flask.testing import FlaskClient

from emergency.domain.failover import Preference, Provider, Unfit
from emergency.store import providers
from tests.web.conftest import SignedIn
from tests.world import World


def test_the_desk_sees_each_channel_and_strangers_do_not(signed_in: SignedIn, client: FlaskClient) -> None:
    assert client.get("/console/channels").status_code == 302
    browser = signed_in("city-duty")

    page, english = browser.get("/console/channels"), browser.get("/console/channels?lang=en")

    assert (page.status_code, english.status_code) == (200, 200)
    assert "通道状态" in page.text
    assert "/console/channels" in browser.get("/console").text


def test_a_provider_that_failed_is_named_with_why(world: World) -> None:
    with world.store.transactions() as tx:
        providers.locked(tx, "sms", ("sms", "sms_2"))
        providers.keep(tx, "sms", [Provider("sms", failed_at=world.wall.now(), failure="answered 503")])
        providers.keep_preference(tx, "sms", Preference("sms_2", world.wall.now(), Unfit.ERRORS))

    with world.store.reading() as tx:
        preference, heard = providers.all_of(tx)["sms"]

    assert preference is not None
    assert preference.name == "sms_2"
    assert heard["sms"].failure == "answered 503"
