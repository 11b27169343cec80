"""What people write into a decision breaks no page of a reader and no text message."""

from __future__ import annotations

from flask.testing import FlaskClient

from emergency.domain.level import Level
from tests.web.conftest import SignedIn
from tests.world import World

NASTY = "<script>alert(1)</script>{{7*7}}\u202e%s"


def test_a_reason_with_everything_in_it_breaks_neither_page_nor_text(
    world: World, client: FlaskClient, signed_in: SignedIn
) -> None:
    (suggested,) = world.forecast(210, 220, 160)
    world.sign(world.put_forward(suggested, changes={"reason": NASTY}))
    district = world.bulletin(Level.YELLOW, reason=NASTY)
    assert district is not None
    world.sign(district, by="lj-approver3")
    world.deliver()
    kiln = world.person("sample-kiln").recipient_id
    order = next(one for one in world.orders() if one.recipient_id == kiln)

    pages = [
        client.get("/public").text,
        client.get(f"/o/{world.token(order)}").text,
        signed_in("sample-kiln").get(f"/portal/orders/{order.id}").text,
        signed_in("lj-duty").get(f"/console/decisions/{district.id}").text,
    ]

    for page in pages:
        assert "<script>alert" not in page
    assert any("&lt;script&gt;" in page for page in pages)
    assert world.phone.sent
    assert not [one.text for one in world.phone.sent if "\u202e" in one.text or "\n" in one.text]
