"""The doors for machines: health, figures, receipts that do no harm, air refused by the record, problems told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_openapi.models import OpenAPISpec
from sqlalchemy import func, select, text
from werkzeug.test import TestResponse

from emergency.broker import Broker
from emergency.channels import signing
from emergency.clock import SHANGHAI
from emergency.domain.forecast import Cause
from emergency.domain.level import Level
from emergency.plans.standards import load_standards
from emergency.store import raw
from emergency.store.tables import MessageRow, ReceiptRow, RefusedRow
from emergency.system import System
from emergency.web import api, create_app
from tests.web.conftest import SignedIn, token_in
from tests.world import DISTRICT, PASSWORD, World

KEY = "gateway key"
PROBLEM = "application/problem+json"
Callback = Callable[..., TestResponse]


@pytest.fixture
def call_back(world: World, client: FlaskClient) -> Callback:
    """The gateway calls back, signed unless told otherwise."""

    def call(body: object, *, channel: str = "sms", key: str = KEY, late: timedelta = timedelta()) -> TestResponse:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        stamp = signing.stamp(world.wall.now() - late)
        headers = {signing.TIMESTAMP: stamp, signing.SIGNATURE: signing.sign(key, stamp, raw)}
        return client.post(f"/api/v1/receipts/{channel}", data=raw, headers=headers)

    return call


def rows(world: World, row: Any) -> int:
    """How many rows a table has."""
    with world.store.reading() as tx:
        return int(tx.connection.execute(select(func.count()).select_from(row)).scalar_one())


# --- health and figures


def test_a_living_process_says_so(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"ok": True}


def failed(client: FlaskClient) -> tuple[int, list[str]]:
    """The status of readiness and the checks that failed."""
    answer = client.get("/readyz")
    assert answer.json is not None
    return answer.status_code, [one["name"] for one in answer.json["checks"] if not one["ok"]]


def test_ready_means_database_tables_broker_and_sweeps(world: World, client: FlaskClient) -> None:
    assert failed(client) == (503, ["sweep", "watch", "audit"])

    world.sweep()
    assert failed(client) == (200, [])

    world.wall.forward(minutes=2)
    assert failed(client) == (503, ["sweep"])


def test_a_database_of_another_shape_is_not_ready(world: World, client: FlaskClient) -> None:
    world.sweep()
    with world.store.transactions() as tx:
        tx.connection.execute(text("UPDATE alembic_version SET version_num = 'older'"))

    assert failed(client) == (503, ["migrations"])


def test_a_broker_that_is_set_up_and_silent_is_not_ready(world: World, system: System) -> None:
    world.sweep()
    client = create_app(replace(system, broker=Broker("redis://127.0.0.1:9/0"))).test_client()

    assert failed(client) == (503, ["broker"])


def test_figures_count_messages_orders_and_ages(world: World, client: FlaskClient) -> None:
    world.activated(Level.YELLOW, deliver=False)
    world.wall.forward(seconds=30)
    with world.store.reading() as tx:
        ready = tx.connection.execute(select(func.count()).where(MessageRow.state == "ready")).scalar_one()

    figures = client.get("/metrics").text

    assert f'emergency_messages{{channel="sms",state="ready"}} {ready}.0' in figures
    assert f'emergency_orders{{status="issued"}} {len(world.orders())}.0' in figures
    assert "emergency_oldest_ready_seconds 30.0" in figures


# --- receipts


def test_a_signed_receipt_marks_its_message_delivered(world: World, call_back: Callback) -> None:
    world.activated(Level.YELLOW)
    message = world.phone.sent[0]

    answer = call_back({"receipt": f"r-{message.id}", "id": str(message.id), "status": "delivered", "at": "now"})

    assert (answer.status_code, answer.json) == (202, {"known": True})
    with world.store.reading() as tx:
        assert tx.message(message.id).state.value == "delivered"


def test_a_repeated_receipt_does_no_harm(world: World, call_back: Callback) -> None:
    world.activated(Level.YELLOW)
    message = world.phone.sent[0]
    body = {"receipt": f"r-{message.id}", "id": str(message.id), "status": "delivered"}

    assert [call_back(body).status_code for _ in range(3)] == [202, 202, 202]
    assert rows(world, ReceiptRow) == 1


def test_a_receipt_is_found_by_its_number_alone(world: World, call_back: Callback) -> None:
    world.activated(Level.YELLOW)
    message = world.phone.sent[0]

    answer = call_back({"receipt": f"r-{message.id}", "status": "delivered"})

    assert answer.json == {"known": True}


@pytest.mark.parametrize("said", [{"id": str(uuid4())}, {"id": "not an id"}, {}])
def test_an_unknown_receipt_is_noted_and_does_no_harm(call_back: Callback, said: dict[str, str]) -> None:
    answer = call_back({"receipt": "r-unknown", "status": "delivered", **said})

    assert (answer.status_code, answer.json) == (202, {"known": False})


@pytest.mark.parametrize(
    "how",
    [
        {"key": "another key"},
        {"key": ""},
        {"late": timedelta(minutes=6)},
        {"late": -timedelta(minutes=6)},
        {"channel": "voice"},
    ],
)
def test_whoever_does_not_sign_rightly_and_now_is_turned_away(call_back: Callback, how: dict[str, Any]) -> None:
    answer = call_back({"receipt": "r-1", "status": "delivered"}, **how)

    assert answer.status_code == 401
    assert answer.content_type == PROBLEM


def test_an_unsigned_receipt_is_turned_away(client: FlaskClient) -> None:
    assert client.post("/api/v1/receipts/sms", json={"receipt": "r", "status": "delivered"}).status_code == 401


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff", {"receipt": ""}, {"receipt": 1, "status": "delivered"}, {"status": "x"}],
)
def test_a_signed_body_that_cannot_be_read_is_a_problem_with_its_place(call_back: Callback, body: object) -> None:
    answer = call_back(body)

    assert answer.status_code == 422
    assert answer.content_type == PROBLEM


# --- air in


def forecast(world: World, **changes: object) -> dict[str, Any]:
    """A forecast issued now for three days."""
    first = world.now.astimezone(SHANGHAI).date()
    return {
        "place": "柳州",
        "issued_at": world.now.isoformat(),
        "days": [{"day": (first + timedelta(days=n)).isoformat(), "aqi": 200 + n} for n in (1, 2, 3)],
        **changes,
    }


def test_without_a_key_that_is_known_the_door_stays_shut(
    world: World, client: FlaskClient, machine: FlaskClient
) -> None:
    body = {"forecasts": [forecast(world)]}

    nobody = client.post("/api/v1/forecasts", json=body)
    wrong = machine.post("/api/v1/forecasts", json=body, headers={"Authorization": "Bearer guess"})

    assert nobody.status_code == wrong.status_code == 401
    assert nobody.content_type == PROBLEM


def test_a_forecast_is_kept_once_and_can_be_weighed(world: World, machine: FlaskClient) -> None:
    body = {"forecasts": [forecast(world)]}

    first = machine.post("/api/v1/forecasts", json=body).json
    again = machine.post("/api/v1/forecasts", json=body).json

    assert first == {"taken": 1, "new": 1, "refused": []}
    assert again == {"taken": 1, "new": 0, "refused": []}
    with world.store.reading() as tx:
        (kept,) = tx.latest_forecasts("柳州", now=world.now)
    assert kept.feed == "api-bureau"
    assert [one.aqi for one in kept.days] == [201, 202, 203]


def test_a_corrected_forecast_is_new_and_what_the_rule_goes_on_with(world: World, machine: FlaskClient) -> None:
    body = {"forecasts": [forecast(world)]}
    corrected = {"forecasts": [forecast(world, days=[{"day": "2015-02-09", "aqi": 320}])]}

    answers = [machine.post("/api/v1/forecasts", json=one).json for one in (body, corrected, corrected)]

    assert [one["new"] for one in answers] == [1, 1, 0]
    with world.store.reading() as tx:
        (kept,) = tx.latest_forecasts("柳州", now=world.now)
        assert json.loads(raw.body(tx, kept.raw_sha256)) == corrected
    assert [one.aqi for one in kept.days] == [320]


def test_a_machine_may_say_all_that_a_forecast_has(world: World, system: System, machine: FlaskClient) -> None:
    object.__setattr__(system.rules, "standards", tuple(load_standards()))  # the rules of this test only
    ozone = {"pm2_5": 40.0, "pm10": 70.0, "so2": 5.0, "no2": 20.0, "co": 0.6, "o3_8h": 245.0}
    days = [
        {"day": "2015-02-09", "aqi": 150, "aqi_low": 130, "aqi_high": 180, "primary": ["pm2_5"], "cause": "wildfire"},
        {"day": "2015-02-10", "aqi": 180, "primary": ["o3"], "values": ozone},
    ]
    hours = [{"at": "2015-02-09T08:00:00+08:00", "aqi": 90, "values": {"pm2_5": 67.0, "co": 0.9}}]

    body = {"forecasts": [forecast(world, days=days, hours=hours, confidence=0.7)]}
    assert machine.post("/api/v1/forecasts", json=body).json == {"taken": 1, "new": 1, "refused": []}

    with world.store.reading() as tx:
        (kept,) = tx.latest_forecasts("柳州", now=world.now)
    first, second = kept.days
    assert (first.aqi_low, first.aqi_high, first.cause, first.counted) == (130, 180, Cause.WILDFIRE, None)
    assert (second.aqi, second.counted, second.cause, second.values) == (180, 60, Cause.O3, ozone)
    assert (kept.confidence, [(one.aqi, one.values) for one in kept.hours]) == (0.7, [(90, {"pm2_5": 67.0, "co": 0.9})])
    described = json.dumps(machine.get("/api/v1/openapi.json").json)
    assert all(f'"{name}"' in described for name in ("HourIn", "aqi_low", "aqi_high", "confidence", "values"))


BAD: dict[str, dict[str, Any]] = {
    "negative": {"days": [{"day": "2015-02-09", "aqi": -1}]},
    "a filler": {"days": [{"day": "2015-02-09", "aqi": 99999}]},
    "text": {"days": [{"day": "2015-02-09", "aqi": "210"}]},
    "true": {"days": [{"day": "2015-02-09", "aqi": True}]},
    "a fraction": {"days": [{"day": "2015-02-09", "aqi": 210.5}]},
    "no day": {"days": []},
    "a day twice": {"days": [{"day": "2015-02-09", "aqi": 1}, {"day": "2015-02-09", "aqi": 2}]},
    "out of order": {"days": [{"day": "2015-02-10", "aqi": 1}, {"day": "2015-02-09", "aqi": 2}]},
    "far ahead": {"days": [{"day": "2015-03-09", "aqi": 1}]},
    "long ago": {"issued_at": "2014-01-01T00:00:00+08:00"},
    "in the future": {"issued_at": "2015-02-09T00:00:00+08:00"},
    "no zone": {"issued_at": "2015-02-08T17:00:00"},
    "outside its range": {"days": [{"day": "2015-02-09", "aqi": 210, "aqi_low": 100, "aqi_high": 200}]},
    "another field": {"pm25": 3},
    "a pollutant nobody knows": {"days": [{"day": "2015-02-09", "aqi": 1, "primary": ["PM2.5"]}]},
    "a value nobody knows": {"days": [{"day": "2015-02-09", "aqi": 1, "values": {"pm1": 3.0}}]},
    "CO in µg": {"days": [{"day": "2015-02-09", "aqi": 1, "values": {"co": 900.0}}]},
    "PM2.5 twice": {"days": [{"day": "2015-02-09", "aqi": 1, "pm2_5": 3.0, "values": {"pm2_5": 4.0}}]},
    "half an hour": {"hours": [{"at": "2015-02-09T08:30:00+08:00", "aqi": 80}]},
    "an empty hour": {"hours": [{"at": "2015-02-09T08:00:00+08:00"}]},
    "an hour twice": {"hours": [{"at": "2015-02-09T08:00:00+08:00", "aqi": 80}] * 2},
    "an hour far ahead": {"hours": [{"at": "2015-04-09T08:00:00+08:00", "aqi": 80}]},
    "a cause nobody knows": {"days": [{"day": "2015-02-09", "aqi": 1, "cause": "dragons"}]},
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_record_is_refused_with_where_and_why_and_costs_no_other(
    world: World, machine: FlaskClient, name: str
) -> None:
    body = {"forecasts": [forecast(world, place="来宾", **BAD[name]), forecast(world)]}

    answer = machine.post("/api/v1/forecasts", json=body)

    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["new"] == 1
    assert all(one["where"].startswith("forecasts[0]") and one["reason"] for one in answer.json["refused"])
    assert rows(world, RefusedRow) == len(answer.json["refused"]) >= 1


def test_when_every_record_is_bad_the_whole_is_a_problem(world: World, machine: FlaskClient) -> None:
    answer = machine.post("/api/v1/forecasts", json={"forecasts": [forecast(world, days=[])]})

    assert answer.status_code == 422
    assert answer.content_type == PROBLEM
    assert answer.json is not None
    assert answer.json["refused"][0]["where"] == "forecasts[0].days"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"forecasts": {}}', b'{"forecasts": [NaN]}', b"[" * 100_000, b"\xff\xfe"]
)
def test_a_body_that_is_no_list_of_records_is_a_problem(machine: FlaskClient, body: bytes) -> None:
    answer = machine.post("/api/v1/forecasts", data=body)

    assert answer.status_code == 422
    assert answer.content_type == PROBLEM


def test_more_records_than_a_delivery_may_have_are_a_problem(machine: FlaskClient) -> None:
    assert machine.post("/api/v1/forecasts", json={"forecasts": [1] * 2001}).status_code == 422


def test_measured_days_and_hours_are_kept(world: World, machine: FlaskClient) -> None:
    day = {"place": "柳州", "at": "2015-02-08T00:00:00+08:00", "period": "day", "aqi": 193, "values": {"pm2_5": 144.2}}
    hour = {"place": "柳州", "at": "2015-02-08T17:00:00+08:00", "period": "hour", "values": {"co": 1.2}}

    answer = machine.post("/api/v1/observations", json={"observations": [day, hour]})

    assert answer.json == {"taken": 2, "new": 2, "refused": []}
    with world.store.reading() as tx:
        (kept,) = tx.observed_days("柳州", since=date(2015, 2, 1), until=date(2015, 2, 8))
    assert (kept.aqi, kept.values) == (193, {"pm2_5": 144.2})


@pytest.mark.parametrize(
    "changes",
    [
        {"at": "2015-02-08T01:00:00+08:00"},
        {"at": "2015-02-08T00:00:00"},
        {"period": "week"},
        {"aqi": None, "values": {}},
        {"values": {"pm2_5": 99999}},
        {"values": {"co": 1200}},
        {"values": {"dragons": 1}},
        {"values": {"pm2_5": "144"}},
        {"values": {"pm2_5": -1}},
        {"place": ""},
    ],
)
def test_a_bad_measurement_is_refused(machine: FlaskClient, changes: dict[str, Any]) -> None:
    day = {"place": "柳州", "at": "2015-02-08T00:00:00+08:00", "period": "day", "aqi": 193, **changes}

    answer = machine.post("/api/v1/observations", json={"observations": [day]})

    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["refused"]


def test_a_key_seen_before_gets_the_same_answer_and_nothing_is_taken_twice(world: World, machine: FlaskClient) -> None:
    body, headers = {"forecasts": [forecast(world)]}, {"Idempotency-Key": "delivery-7"}

    first = machine.post("/api/v1/forecasts", json=body, headers=headers).json
    again = machine.post("/api/v1/forecasts", json=body, headers=headers).json

    assert first is not None
    assert again == {**first, "repeated": True}


def test_a_key_with_another_body_is_refused(world: World, machine: FlaskClient) -> None:
    headers = {"Idempotency-Key": "delivery-7"}
    machine.post("/api/v1/forecasts", json={"forecasts": [forecast(world)]}, headers=headers)

    other = machine.post("/api/v1/forecasts", json={"forecasts": [forecast(world, place="来宾")]}, headers=headers)

    assert other.status_code == 422
    with world.store.reading() as tx:
        assert tx.latest_forecasts("来宾", now=world.now) == []


# --- episodes and decisions


def test_episodes_are_for_people_who_have_signed_in(world: World, client: FlaskClient, signed_in: SignedIn) -> None:
    episode = world.activated(Level.YELLOW, deliver=False)

    assert client.get("/api/v1/episodes").status_code == 401
    assert signed_in("sample-kiln").get("/api/v1/episodes").status_code == 403
    listed = signed_in("lj-duty").get("/api/v1/episodes").json
    told = signed_in("lj-duty").get(f"/api/v1/episodes/{episode.id}").json

    assert listed is not None
    assert [one["id"] for one in listed["episodes"]] == [str(episode.id)]
    assert told is not None
    assert told["level"] == "yellow"
    assert told["orders"] == {"issued": len(world.orders())}
    assert {one["what"] for one in told["journal"]} >= {"decision.approved", "order.order"}


def test_a_citys_episode_is_not_for_its_district(world: World, signed_in: SignedIn) -> None:
    for one in world.forecast(210, 220, 230):
        world.decide(one)
    city = world.episode("450200")

    answer = signed_in("lj-duty").get(f"/api/v1/episodes/{city.id}")

    assert answer.status_code == 403
    assert answer.content_type == PROBLEM


def sent(browser: FlaskClient, path: str, body: dict[str, Any]) -> TestResponse:
    """A signed-in person's program sends JSON with the token of a page."""
    token = token_in(browser.get("/review").text)
    return browser.post(path, json=body, headers={"X-CSRFToken": token})


def test_a_proposal_is_signed_by_another_person_with_their_password(world: World, signed_in: SignedIn) -> None:
    (suggested,) = world.forecast(210, 220, 230)
    decision = world.put_forward(suggested)
    path, body = f"/api/v1/decisions/{decision.id}/approval", {"content": decision.content_sha, "password": PASSWORD}
    approver = signed_in("city-approver3")

    assert sent(approver, path, {**body, "password": "no"}).status_code == 403
    assert sent(approver, path, {**body, "content": "0" * 64}).status_code == 422
    assert approver.post(path, json=body).status_code == 400
    assert world.episode("450200").level is Level.NONE

    answer = sent(approver, path, body)

    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["standing"] == "approved"
    assert world.episode("450200").level is Level.ORANGE


def test_a_proposal_is_turned_down_with_its_reason(world: World, signed_in: SignedIn) -> None:
    (suggested,) = world.forecast(210, 220, 230)
    decision = world.put_forward(suggested)
    path = f"/api/v1/decisions/{decision.id}/rejection"

    assert sent(signed_in("city-approver3"), path, {"because": ""}).status_code == 422
    answer = sent(signed_in("city-approver3"), path, {"because": "会商意见不一致"})

    assert answer.json is not None
    assert (answer.json["standing"], answer.json["decided_because"]) == ("rejected", "会商意见不一致")


KILNS = {
    "scope": "sector", "names": ["brick_kiln"], "change": "add", "text": "夜间停止装卸", "check": "photo_in_window",
}  # fmt: skip


def test_an_adjustment_is_proposed_with_each_of_its_changes_and_waits_for_another(
    world: World, signed_in: SignedIn
) -> None:
    world.forecast(210, 220, 160)
    world.activated(Level.YELLOW)
    body = {"area": DISTRICT, "move": "amend", "reason": "夜间静稳", "amendments": [KILNS]}

    answer = sent(signed_in("lj-duty"), "/api/v1/decisions", body)

    assert answer.status_code == 201
    assert answer.json is not None
    assert (answer.json["move"], answer.json["standing"]) == ("amend", "proposed")
    assert [one["text"] for one in answer.json["amendments"]] == ["夜间停止装卸"]
    assert {one.revision for one in world.orders()} == {1}


@pytest.mark.parametrize(
    "wrong",
    [
        {"amendments": [{**KILNS, "change": "burn"}]},
        {"amendments": [{**KILNS, "check": ""}]},
        {"amendments": [{**KILNS, "names": ["volcanoes"]}]},
        {"amendments": [{**KILNS, "colour": "red"}]},
        {"level": "red"},
        {"move": "upgrade"},
        {"reason": ""},
    ],
)
def test_an_adjustment_that_makes_no_sense_is_refused_with_why(
    world: World, signed_in: SignedIn, wrong: dict[str, Any]
) -> None:
    world.forecast(210, 220, 160)
    world.activated(Level.YELLOW)
    body = {"area": DISTRICT, "move": "amend", "reason": "夜间静稳", "amendments": [KILNS], **wrong}

    answer = sent(signed_in("lj-duty"), "/api/v1/decisions", body)

    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["detail"]


def test_a_district_proposes_no_warning_through_the_interface(world: World, signed_in: SignedIn) -> None:
    world.forecast(210, 220, 160)
    duty = signed_in("lj-duty")

    for move in ("activate", "reopen", "upgrade"):
        body = {"area": DISTRICT, "move": move, "level": "yellow", "open_ended": True, "override_because": "本区要求"}
        assert sent(duty, "/api/v1/decisions", body).status_code == 422
    assert sent(duty, "/api/v1/decisions", {**body, "area": "450200", "move": "activate"}).status_code == 403
    with world.store.reading() as tx:
        assert tx.latest_episode(DISTRICT) is None


# --- the description


def test_every_door_of_the_interface_is_described_and_nothing_else(app: Flask, client: FlaskClient) -> None:
    there = {
        (rule.rule.replace("uuid:", "").replace("<", "{").replace(">", "}"), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(api.V1) and not rule.rule.endswith("openapi.json")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    document = client.get("/api/v1/openapi.json").json

    assert document is not None
    OpenAPISpec.model_validate(document)
    assert {(path, method) for path, one in document["paths"].items() for method in one} == there


def test_every_reference_of_the_description_leads_somewhere(client: FlaskClient) -> None:
    said = client.get("/api/v1/openapi.json").text
    document = json.loads(said)

    named = {part.split('"')[0] for part in said.split("#/components/schemas/")[1:]}

    assert named
    assert named <= document["components"]["schemas"].keys()


def test_what_is_not_there_is_a_problem_document(client: FlaskClient) -> None:
    answer = client.get("/api/v1/nothing")

    assert answer.status_code == 404
    assert answer.content_type == PROBLEM
