"""A recipient's own system pulls its orders and answers them: its own alone, cheap to poll, and no answer twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from emergency.domain.level import Level
from emergency.domain.orders import Order
from emergency.store.rulings import RULING
from emergency.store.tables import AnswerRow, EpisodeRow, JournalRow, RecipientRow
from emergency.system import System
from emergency.web import create_app
from tests.statements import asked, read_whole
from tests.web.conftest import SignedIn
from tests.world import DISTRICT, World

CODE = "91450200MA5K8X1N0C"
PROBLEM = "application/problem+json"
Puller = Callable[..., FlaskClient]


@pytest.fixture
def puller(system: System) -> Puller:
    """A client of an installation in which one key is tied to these names of recipients."""

    def tied(*names: object, key: str = "pull-me") -> FlaskClient:
        keys = {
            "kiln": {"key": key, "scopes": "orders", "recipient": ", ".join(map(str, names))},
            "bureau": {"key": "s3cret", "scopes": "forecasts,observations"},
        }
        client = create_app(replace(system, settings=replace(system.settings, api_keys=keys))).test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
        return client

    return tied


@pytest.fixture
def kiln(world: World) -> Order:
    """An order of a sample kiln, in force."""
    world.activated(Level.YELLOW)
    return world.an_order("brick_kiln")


def url(order: Order | UUID, what: str = "") -> str:
    """The address of an order, or of an answer to it."""
    return f"/api/v1/orders/{order.id if isinstance(order, Order) else order}{what and '/' + what}"


def said(answer: TestResponse) -> dict[str, Any]:
    """The document that came back with 200."""
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    return dict(answer.json)


def rows(world: World, row: Any, *where: Any) -> int:
    """How many rows there are."""
    with world.store.reading() as tx:
        return int(tx.connection.execute(select(func.count()).select_from(row).where(*where)).scalar_one())


# --- whose


def test_a_key_reaches_the_orders_of_its_own_recipients_and_no_other(world: World, puller: Puller, kiln: Order) -> None:
    other = next(one for one in world.orders() if one.recipient_id != kiln.recipient_id)
    machine = puller(kiln.recipient_id)

    assert [one["id"] for one in said(machine.get("/api/v1/orders"))["orders"]] == [str(kiln.id)]
    assert machine.get(url(other)).status_code == 404
    for what, more in (("acknowledgement", {}), ("progress", {"stage": "started"}), ("objection", {"because": "x"})):
        refused = machine.post(url(other, what), json={"revision": 1, **more})
        assert (refused.status_code, refused.content_type) == (404, PROBLEM)
    assert machine.get(f"/api/v1/orders?after={other.id}").status_code == 404
    assert world.order(other.id) == other
    assert rows(world, AnswerRow) == 0


def test_an_enterprise_is_found_by_its_credit_code_with_all_its_lines(
    world: World, puller: Puller, kiln: Order
) -> None:
    beside = next(one for one in world.orders() if one.recipient_id != kiln.recipient_id)
    with world.store.transactions() as tx:
        some = RecipientRow.id.in_([kiln.recipient_id, beside.recipient_id])
        tx.connection.execute(update(RecipientRow).where(some).values(credit_code=CODE))

    found = said(puller(CODE.lower(), uuid4()).get("/api/v1/orders"))["orders"]

    assert {one["id"] for one in found} == {str(kiln.id), str(beside.id)}
    assert {one["recipient"]["credit_code"] for one in found} == {CODE}


def test_a_key_that_is_tied_to_nobody_known_reaches_nothing(puller: Puller, kiln: Order) -> None:
    machine = puller("91450200MA5K8X1N99", uuid4())

    assert said(machine.get("/api/v1/orders")) == {"orders": [], "next": None}
    assert machine.get(url(kiln)).status_code == 404


def test_no_other_key_no_person_and_no_stranger_pulls_orders(
    puller: Puller, signed_in: SignedIn, kiln: Order
) -> None:
    machine = puller(kiln.recipient_id)

    for wrong in ("Bearer s3cret", "Bearer guess", "pull-me-not", ""):
        refused = machine.get("/api/v1/orders", headers={"Authorization": wrong})
        assert (refused.status_code, refused.content_type) == (401, PROBLEM), wrong
    assert signed_in("lj-duty").get("/api/v1/orders").status_code == 401
    assert machine.post("/api/v1/observations", json={"observations": []}).status_code == 401


def test_an_exercise_is_nothing_for_a_system_that_acts_by_itself(world: World, puller: Puller, kiln: Order) -> None:
    with world.store.transactions() as tx:
        tx.connection.execute(update(EpisodeRow).where(EpisodeRow.id == kiln.episode_id).values(exercise=str(uuid4())))
    machine = puller(kiln.recipient_id)

    assert said(machine.get("/api/v1/orders"))["orders"] == []
    assert machine.post(url(kiln, "acknowledgement"), json={"revision": 1}).status_code == 404


# --- what is read


def test_an_order_says_what_from_when_and_what_is_owed_by_when(world: World, puller: Puller, kiln: Order) -> None:
    (one,) = said(puller(kiln.recipient_id).get("/api/v1/orders"))["orders"]

    assert (one["number"], one["level"], one["revision"], one["status"]) == (kiln.number, "yellow", 1, "issued")
    assert [datetime.fromisoformat(each["starts_at"]) for each in one["measures"]] == sorted(
        duty.starts_at for duty in kiln.duties
    )
    assert all(each["text"] and each["ends_at"] is None and not each["added"] for each in one["measures"])
    assert kiln.asked_at is not None
    minutes = world.rules.plan(world.episode().plan_id).ack_deadline_min
    assert datetime.fromisoformat(one["owed"]["acknowledge"]) == kiln.asked_at + timedelta(minutes=minutes)
    assert datetime.fromisoformat(one["owed"]["start"]) == kiln.start_by
    assert datetime.fromisoformat(one["owed"]["in_place"]) == kiln.in_place_by
    first = min(datetime.fromisoformat(each["owed"]["start"]) for each in one["measures"] if each["owed"])
    assert first == kiln.start_by
    assert one["notice"]["contact"]


def test_a_change_shows_what_is_new_what_is_gone_and_until_when_it_bound(
    world: World, puller: Puller, kiln: Order
) -> None:
    machine = puller(kiln.recipient_id)
    world.clock.forward(hours=3)
    world.sign(world.bulletin(Level.ORANGE, number="2") or pytest.fail("no proposal"), by="lj-approver3")
    after = world.order(kiln.id)
    assert after.revision == 2

    one = said(machine.get(url(kiln)))

    assert (one["level"], one["revision"], one["answer_from_revision"], one["kind"]) == ("orange", 2, 2, "revision")
    with world.store.reading() as tx:
        revision = tx.revision(kiln.id, 2)
    assert {each["key"] for each in one["measures"] if each["added"]} == set(revision.added)
    assert one["dropped"] == list(revision.dropped)
    ended = {each["key"]: each["ends_at"] for each in one["measures"] if each["ends_at"]}
    assert set(ended.values()) <= {revision.effective_at.isoformat()}


def test_a_poll_is_304_until_something_changes(world: World, puller: Puller, kiln: Order) -> None:
    machine = puller(kiln.recipient_id)
    for address in ("/api/v1/orders", url(kiln)):
        first = machine.get(address)
        mark = {"If-None-Match": first.headers["ETag"]}

        same = machine.get(address, headers=mark)
        weak = machine.get(address, headers={"If-None-Match": f"W/{mark['If-None-Match']}"})

        assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", mark["If-None-Match"])
        assert weak.status_code == 304
        assert first.headers["Cache-Control"] == "private, no-cache"
    said(machine.post(url(kiln, "acknowledgement"), json={"revision": 1}))

    for address in ("/api/v1/orders", url(kiln)):
        assert machine.get(address, headers=mark).status_code == 200


def test_a_poll_that_finds_nothing_new_asks_four_questions_each_by_an_index(
    world: World, puller: Puller, kiln: Order
) -> None:
    with world.store.transactions() as tx:
        its = RecipientRow.id == kiln.recipient_id
        tx.connection.execute(update(RecipientRow).where(its).values(credit_code=CODE))
    machine = puller(CODE)
    mark = machine.get("/api/v1/orders").headers["ETag"]

    with asked(world.store._reader) as said_to_it:
        assert machine.get("/api/v1/orders", headers={"If-None-Match": mark}).status_code == 304

    some = [one for one in said_to_it if one[0].startswith("SELECT")]
    assert len(some) == 4
    assert read_whole(world.store._reader, some) == []


def test_a_page_leads_to_the_next_and_each_order_comes_once(world: World, puller: Puller) -> None:
    world.activated(Level.YELLOW)
    some = world.orders()[:5]
    machine = puller(*(one.recipient_id for one in some))
    seen: list[str] = []
    after: str | None = ""

    while after is not None:
        page = said(machine.get(f"/api/v1/orders?limit=2&after={after}"))
        assert len(page["orders"]) <= 2
        seen += [one["id"] for one in page["orders"]]
        after = page["next"]

    assert len(seen) == 5
    assert set(seen) == {str(one.id) for one in some}


@pytest.mark.parametrize("wrong", ["limit=0", "limit=101", "limit=many", "limit=-1", "after=yesterday"])
def test_a_page_that_is_none_is_refused_in_words(puller: Puller, kiln: Order, wrong: str) -> None:
    refused = puller(kiln.recipient_id).get(f"/api/v1/orders?{wrong}")

    assert (refused.status_code, refused.content_type) == (422, PROBLEM)
    assert refused.json is not None
    assert refused.json["detail_zh"]


# --- what is answered


def test_a_machine_acknowledges_starts_and_puts_in_place_as_a_phone_does(
    world: World, puller: Puller, kiln: Order
) -> None:
    machine = puller(kiln.recipient_id)

    heard = said(machine.post(url(kiln, "acknowledgement"), json={"revision": 1, "by": "中控室李工"}))
    early = said(machine.post(url(kiln, "progress"), json={"revision": 1, "stage": "started"}))
    world.clock.forward(hours=12)
    started = said(machine.post(url(kiln, "progress"), json={"revision": 1, "stage": "started"}))
    in_place = said(machine.post(url(kiln, "progress"), json={"revision": 1, "stage": "in_place", "remark": "2号窑"}))

    assert [one["outcome"] for one in (heard, started, in_place)] == ["recorded"] * 3
    assert (early["outcome"], early["order"]["status"]) == ("early", "acknowledged")
    assert heard["order"]["said"]["acknowledged_by"] == "中控室李工（kiln）"
    assert heard["order"]["owed"].keys() == {"start", "in_place"}
    assert in_place["order"]["owed"] == {}
    assert world.order(kiln.id).status.value == "in_place"
    with world.store.reading() as tx:
        answers = tx.connection.execute(select(AnswerRow.action, AnswerRow.via, AnswerRow.remark)).all()
    assert [tuple(one) for one in answers] == [
        ("acknowledge", "api", ""), ("start", "api", ""), ("settle", "api", "2号窑"),
    ]  # fmt: skip


def test_an_answer_stops_what_waits_to_remind(world: World, puller: Puller, kiln: Order) -> None:
    said(puller(kiln.recipient_id).post(url(kiln, "acknowledgement"), json={"revision": 1}))
    contact = world.recipient(kiln).contacts[0]
    before = len(world.phone.to(contact.phone))

    world.forward(minutes=29)

    assert len(world.phone.to(contact.phone)) == before


def test_an_objection_waits_for_a_ruling_and_binds_until_then(world: World, puller: Puller, kiln: Order) -> None:
    machine = puller(kiln.recipient_id)

    done = said(machine.post(url(kiln, "objection"), json={"revision": 1, "because": "3号窑在烧，18点出窑后可停"}))

    assert (done["outcome"], done["order"]["status"], done["order"]["live"]) == ("recorded", "declined", True)
    with world.store.reading() as tx:
        assert RULING in [one.kind for one in tx.open_tasks([DISTRICT])]


def test_a_repeat_is_harmless_with_a_key_and_without(world: World, puller: Puller, kiln: Order) -> None:
    machine, body = puller(kiln.recipient_id), {"revision": 1}
    under = {"Idempotency-Key": "42"}

    first = said(machine.post(url(kiln, "acknowledgement"), json=body, headers=under))
    again = said(machine.post(url(kiln, "acknowledgement"), json=body, headers=under))
    bare = said(machine.post(url(kiln, "acknowledgement"), json=body))
    other = machine.post(url(kiln, "acknowledgement"), json={"revision": 1, "by": "x"}, headers=under)

    assert again == {**first, "repeated": True}
    assert (bare["outcome"], other.status_code) == ("repeated", 422)
    assert rows(world, AnswerRow) == 1
    assert rows(world, JournalRow, JournalRow.what == "order.acknowledged") == 1


def test_an_answer_to_an_old_revision_is_kept_there_and_the_new_one_shown(
    world: World, puller: Puller, kiln: Order
) -> None:
    machine = puller(kiln.recipient_id)
    world.clock.forward(hours=3)
    world.sign(world.bulletin(Level.ORANGE, number="2") or pytest.fail("no proposal"), by="lj-approver3")

    late = said(machine.post(url(kiln, "acknowledgement"), json={"revision": 1}))

    assert (late["outcome"], late["order"]["revision"], late["order"]["status"]) == ("older_revision", 2, "issued")
    assert "acknowledge" in late["order"]["owed"]
    now = said(machine.post(url(kiln, "acknowledgement"), json={"revision": late["order"]["revision"]}))
    assert (now["outcome"], now["order"]["status"]) == ("recorded", "acknowledged")


def test_after_the_end_an_answer_is_kept_and_resuming_is_told_once(world: World, puller: Puller, kiln: Order) -> None:
    machine = puller(kiln.recipient_id)
    early = machine.post(url(kiln, "progress"), json={"revision": 1, "stage": "resumed"})
    world.clock.forward(hours=12)
    world.released()
    revision = world.order(kiln.id).revision

    late = said(machine.post(url(kiln, "acknowledgement"), json={"revision": revision}))
    back = said(machine.post(url(kiln, "progress"), json={"revision": revision, "stage": "resumed"}))

    assert (early.status_code, early.content_type) == (422, PROBLEM)
    assert (late["outcome"], late["order"]["owed"]) == ("ended", {})
    assert (back["outcome"], back["order"]["status"]) == ("recorded", "resumed")


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("acknowledgement", {}),
        ("acknowledgement", {"revision": 0}),
        ("acknowledgement", {"revision": "1"}),
        ("acknowledgement", {"revision": 1, "action": "exempt"}),
        ("acknowledgement", {"revision": 1, "by": "x\x00"}),
        ("progress", {"revision": 1}),
        ("progress", {"revision": 1, "stage": "exempted"}),
        ("progress", {"revision": 1, "stage": "started", "remark": "x" * 1001}),
        ("objection", {"revision": 1}),
        ("objection", {"revision": 1, "because": ""}),
        ("objection", {"revision": 1, "because": "   "}),
    ],
)
def test_an_answer_that_cannot_be_read_changes_nothing(
    world: World, puller: Puller, kiln: Order, what: str, body: dict[str, object]
) -> None:
    refused = puller(kiln.recipient_id).post(url(kiln, what), json=body)

    assert (refused.status_code, refused.content_type) == (422, PROBLEM)
    assert world.order(kiln.id) == kiln
    assert rows(world, AnswerRow) == 0


def test_a_revision_that_never_was_is_not_there(puller: Puller, kiln: Order) -> None:
    assert puller(kiln.recipient_id).post(url(kiln, "acknowledgement"), json={"revision": 9}).status_code == 404


def test_a_key_that_asks_without_end_is_told_to_wait(puller: Puller, kiln: Order) -> None:
    machine = puller(kiln.recipient_id)

    statuses = [machine.get("/api/v1/orders?limit=0").status_code for _ in range(121)]
    refused = machine.get("/api/v1/orders")

    assert set(statuses[:120]) == {422}
    assert (refused.status_code, refused.content_type, refused.headers["Retry-After"]) == (429, PROBLEM, "60")
