"""Who may call which door: every route says so, and every role is tried on every one of them."""

from __future__ import annotations

import re
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from emergency import passwords
from emergency.domain.level import Level
from emergency.domain.people import ACTS, Area, Person, Role
from emergency.errors import Misconfigured
from emergency.system import System
from emergency.web import access, create_app
from emergency.web.access import Door, doors, public_page
from tests.web.conftest import SignedIn, token_in
from tests.world import CITY, DISTRICT, PASSWORD, World

LOGINS = {
    Role.DUTY_OFFICER: "lj-duty",
    Role.APPROVER: "lj-approver3",
    Role.INSPECTOR: "labao-inspector",
    Role.REVIEWER: "lj-reviewer",
    Role.ADMIN: "admin",
    Role.UNIT: "labao-town",
    Role.ENTERPRISE: "sample-kiln",
}
NEXT_DOOR = "450200.450203"  # a district beside ours


def address(app: Flask, rule: Rule, **known: object) -> str:
    """The rule as an address; what is not known is made up."""
    made_up = {name: known.get(name, uuid4()) for name in rule.arguments}
    for name in rule.arguments:
        if name not in known and "UUID" not in type(rule._converters[name]).__name__:
            made_up[name] = "x"
    with app.test_request_context():
        return str(app.url_map.bind("").build(rule.endpoint, made_up))


def rules_of(app: Flask, *kinds: str) -> list[tuple[Rule, str, Door]]:
    """Every route of these kinds with each of its methods."""
    known = doors(app)
    return [
        (rule, method, known[rule.endpoint])
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"})
        if known[rule.endpoint].kind in kinds
    ]


def newcomer(world: World, *, area: str, role: Role, rank: int = 0) -> Person:
    """Somebody who is not among the made-up people of the place."""
    person = Person(uuid4(), f"new-{uuid4().hex[:8]}", "新人", area, role, rank)
    with world.store.transactions() as tx:
        if area == NEXT_DOOR:
            tx.set_areas([Area(NEXT_DOOR, "邻区", "district", "liujiang", "Next door")])
        tx.set_people([(person, passwords.hashed(PASSWORD, quick=True))])
    return person


# --- declarations


def test_a_route_that_does_not_say_who_may_call_it_stops_the_start() -> None:
    app = Flask("undeclared")
    app.add_url_rule("/open-by-accident", "accident", lambda: "here I am")

    with pytest.raises(Misconfigured, match="/open-by-accident"):
        doors(app)


def test_a_declared_route_does_not() -> None:
    app = Flask("declared")
    app.add_url_rule("/meant", "meant", public_page(lambda: "here I am"))

    assert doors(app)["meant"].kind == "public"


def test_the_desk_is_open_to_nobody_by_kind(app: Flask) -> None:
    known = doors(app)

    desk = {rule.endpoint for rule in app.url_map.iter_rules() if rule.rule.startswith("/console")}

    assert desk
    assert {known[one].kind for one in desk} == {"act"}


# --- every role on every route


def test_a_stranger_meets_the_sign_in_at_every_door_that_asks(app: Flask, client: FlaskClient) -> None:
    for rule, method, _door in rules_of(app, "act", "person"):
        answer = client.open(address(app, rule), method=method)

        assert answer.status_code in (302, 401), f"{method} {rule.rule}: {answer.status_code}"
        assert answer.status_code == 401 or answer.headers["Location"].startswith("/sign-in"), rule.rule


@pytest.mark.parametrize("role", list(LOGINS))
def test_a_role_without_the_act_is_refused_at_every_door(app: Flask, signed_in: SignedIn, role: Role) -> None:
    browser = signed_in(LOGINS[role])
    tried = 0

    for rule, method, door in rules_of(app, "act"):
        if door.act in ACTS[role]:
            continue
        tried += 1
        answer = browser.open(address(app, rule), method=method)

        assert answer.status_code == 403, f"{role.value} {method} {rule.rule}: {answer.status_code}"

    assert tried


@pytest.mark.parametrize("role", list(LOGINS))
def test_no_door_breaks_for_a_role_that_may_pass(app: Flask, signed_in: SignedIn, role: Role) -> None:
    browser = signed_in(LOGINS[role])

    for rule, method, door in rules_of(app, "act", "person", "public"):
        if method == "GET" and (door.act is None or door.act in ACTS[role]):
            answer = browser.get(address(app, rule))
            answer.close()

            assert answer.status_code < 500 or rule.rule == "/readyz", f"{role.value} {rule.rule}: {answer.status_code}"


def test_no_form_is_taken_without_its_token(app: Flask, signed_in: SignedIn) -> None:
    for login in LOGINS.values():
        browser = signed_in(login)
        person_role = next(role for role, name in LOGINS.items() if name == login)
        for rule, method, door in rules_of(app, "act", "person", "public"):
            if method == "GET" or (door.act is not None and door.act not in ACTS[person_role]):
                continue
            answer = browser.open(address(app, rule), method=method, data={"because": "x"})

            assert answer.status_code == 400, f"{login} {method} {rule.rule}: {answer.status_code}"


def test_a_machines_door_opens_to_a_key_of_its_own_scope_and_to_nobody_else(system: System, world: World) -> None:
    scopes = ("forecasts", "observations", "orders")
    keys = {one: {"key": f"key of {one}", "scopes": one} for one in scopes}
    keys["orders"]["recipient"] = str(world.person("sample-kiln").recipient_id)
    app = create_app(replace(system, settings=replace(system.settings, api_keys=keys)))
    tried = set()

    for rule, method, door in rules_of(app, "key"):
        tried.add(door.scope)
        for scope in ("", *scopes):
            said = {"Authorization": f"Bearer key of {scope}"} if scope else {}
            status = app.test_client().open(address(app, rule), method=method, headers=said).status_code

            assert (status != 401) == (scope == door.scope), f"{scope} {method} {rule.rule}: {status}"
            assert status < 500, f"{scope} {method} {rule.rule}: {status}"

    assert tried == set(scopes)


def test_no_session_opens_a_machines_door(app: Flask, signed_in: SignedIn) -> None:
    for login in LOGINS.values():
        browser = signed_in(login)
        for rule, method, _door in rules_of(app, "key"):
            assert browser.open(address(app, rule), method=method).status_code == 401, f"{login} {method} {rule.rule}"


# --- own, other and parent areas


@pytest.fixture
def things(world: World) -> dict[str, dict[str, UUID]]:
    """An episode, a decision, an order and a bulletin of the district, and the first three of the city."""
    city_decision = world.put_forward(world.forecast(210, 220, 160)[0])
    world.sign(city_decision)
    district_decision = world.bulletin(Level.YELLOW)
    assert district_decision is not None
    assert district_decision.bulletin_id is not None
    world.sign(district_decision, by="lj-approver3")
    world.deliver()
    reached = next(
        one for one in world.orders(CITY) if not one.area.startswith(DISTRICT)
    )  # the order to the district itself is theirs to see
    return {
        DISTRICT: {
            "episode_id": district_decision.episode_id,
            "decision_id": district_decision.id,
            "order_id": world.orders(DISTRICT)[0].id,
            "bulletin_id": district_decision.bulletin_id,
        },
        CITY: {"episode_id": city_decision.episode_id, "decision_id": city_decision.id, "order_id": reached.id},
    }


def pages(app: Flask, some: dict[str, UUID]) -> list[str]:
    """Every page of the desk that shows one of these."""
    return [
        address(app, rule, **some)
        for rule, method, _door in rules_of(app, "act")
        if method == "GET" and rule.rule.startswith("/console") and rule.arguments and rule.arguments <= set(some)
    ]


def test_a_desk_sees_its_own_things(app: Flask, signed_in: SignedIn, things: dict[str, dict[str, UUID]]) -> None:
    browser = signed_in("lj-duty")

    some = pages(app, things[DISTRICT])

    assert len(some) >= 4
    for one in some:
        assert browser.get(one).status_code in (200, 404), one  # 404: the bulletin of this test has no scan
    assert sum(browser.get(one).status_code == 200 for one in some) >= 3


def test_rights_run_down_to_the_district(app: Flask, signed_in: SignedIn, things: dict[str, dict[str, UUID]]) -> None:
    browser = signed_in("city-duty")

    assert all(browser.get(one).status_code in (200, 404) for one in pages(app, things[DISTRICT]))
    assert browser.get(f"/console?area={DISTRICT}").status_code == 200


def test_rights_never_run_up_to_the_city(app: Flask, signed_in: SignedIn, things: dict[str, dict[str, UUID]]) -> None:
    browser = signed_in("lj-duty")

    some = pages(app, things[CITY])

    assert len(some) >= 3
    assert {browser.get(one).status_code for one in some} == {403}
    assert browser.get(f"/console?area={CITY}").status_code == 403
    assert browser.get(f"/console/orders?area={CITY}").status_code == 403


def test_rights_never_run_sideways(
    app: Flask, world: World, signed_in: SignedIn, things: dict[str, dict[str, UUID]]
) -> None:
    browser = signed_in(newcomer(world, area=NEXT_DOOR, role=Role.DUTY_OFFICER).login)

    for some in things.values():
        assert {browser.get(one).status_code for one in pages(app, some)} == {403}
    assert browser.get(f"/console?area={DISTRICT}").status_code == 403
    assert browser.get(f"/console/bulletins/new?area={DISTRICT}").status_code == 403
    listed = browser.get(f"/console/orders?episode={things[DISTRICT]['episode_id']}").text
    assert "没有符合条件的指令" in listed


def test_a_name_that_starts_alike_is_no_area_below(world: World, signed_in: SignedIn) -> None:
    world.activated()
    browser = signed_in("lj-duty")

    assert browser.get(f"/console?area={DISTRICT}7").status_code in (403, 404)


def test_acts_on_anothers_things_are_refused(
    world: World, signed_in: SignedIn, things: dict[str, dict[str, UUID]]
) -> None:
    stranger = newcomer(world, area=NEXT_DOOR, role=Role.APPROVER, rank=3)
    browser = signed_in(stranger.login)
    token = token_in(browser.get("/console").text)
    ours = things[DISTRICT]

    for path in (
        f"/console/decisions/{ours['decision_id']}/sign",
        f"/console/decisions/{ours['decision_id']}/return",
        f"/console/decisions/{ours['decision_id']}/put-forward",
        f"/console/orders/{ours['order_id']}/ruling",
    ):
        form = {"csrf_token": token, "password": PASSWORD, "because": "x", "ruling": "exempt"}
        assert browser.post(path, data=form).status_code == 403, path


def test_a_town_sees_its_own_recipients_and_not_its_districts_desk(
    world: World, signed_in: SignedIn, things: dict[str, dict[str, UUID]]
) -> None:
    browser = signed_in("labao-inspector")
    inside = next(one for one in world.orders() if one.area == f"{DISTRICT}.labao")
    outside = next(one for one in world.orders() if one.area == f"{DISTRICT}.sandu")

    assert browser.get(f"/console/orders/{inside.id}").status_code == 200
    assert browser.get(f"/console/orders/{outside.id}").status_code == 403
    assert browser.get(f"/console/episodes/{things[DISTRICT]['episode_id']}").status_code == 403
    assert outside.number not in browser.get("/console/orders").text


# --- signing in and out


def test_an_unknown_name_and_a_wrong_password_get_the_same_answer(client: FlaskClient) -> None:
    token = token_in(client.get("/sign-in").text)

    unknown = client.post("/sign-in", data={"login": "nobody", "password": "x", "csrf_token": token})
    wrong = client.post("/sign-in", data={"login": "lj-duty", "password": "x", "csrf_token": token})

    assert unknown.status_code == wrong.status_code == 403
    pages = [
        re.sub(r'name="csrf_token" value="[^"]+"', "", one.text) for one in (unknown, wrong)
    ]  # a token has its own time
    assert pages[0].replace("nobody", "") == pages[1].replace("lj-duty", "")


def test_an_account_that_was_switched_off_cannot_sign_in(world: World, client: FlaskClient) -> None:
    person = replace(newcomer(world, area=DISTRICT, role=Role.DUTY_OFFICER), active=False)
    with world.store.transactions() as tx:
        tx.set_people([(person, passwords.hashed(PASSWORD, quick=True))])
    token = token_in(client.get("/sign-in").text)

    form = {"login": person.login, "password": PASSWORD, "csrf_token": token}

    assert client.post("/sign-in", data=form).status_code == 403


def test_switching_an_account_off_ends_its_session(world: World, signed_in: SignedIn) -> None:
    person = newcomer(world, area=DISTRICT, role=Role.DUTY_OFFICER)
    browser = signed_in(person.login)
    assert browser.get("/console").status_code == 200

    with world.store.transactions() as tx:
        tx.set_people([(replace(person, active=False), passwords.hashed(PASSWORD, quick=True))])

    assert browser.get("/console").status_code == 302


def test_a_new_password_ends_every_session(world: World, signed_in: SignedIn) -> None:
    person = newcomer(world, area=DISTRICT, role=Role.DUTY_OFFICER)
    browser = signed_in(person.login)

    with world.store.transactions() as tx:
        tx.set_people([(person, passwords.hashed("another one", quick=True))])

    assert browser.get("/console").status_code == 302


def test_what_was_planted_in_a_session_does_not_survive_the_sign_in(app: Flask) -> None:
    browser = app.test_client()
    with browser.session_transaction() as planted:
        planted["planted"] = "by somebody else"
    token = token_in(browser.get("/sign-in").text)

    browser.post("/sign-in", data={"login": "lj-duty", "password": PASSWORD, "csrf_token": token})

    with browser.session_transaction() as found:
        assert "planted" not in found
        assert found["login"] == "lj-duty"


def test_a_session_of_another_secret_is_nobodys(app: Flask, system: System) -> None:
    other = create_app(replace(system, settings=replace(system.settings, secret_key="another secret, long enough too")))
    browser = other.test_client()
    form = {"login": "lj-duty", "password": PASSWORD, "csrf_token": token_in(browser.get("/sign-in").text)}
    browser.post("/sign-in", data=form)
    cookie = browser.get_cookie("emergency")
    assert cookie is not None

    ours = app.test_client()
    ours.set_cookie("emergency", cookie.value)

    assert ours.get("/console").status_code == 302


def test_signing_out_takes_a_press_and_ends_the_session(signed_in: SignedIn) -> None:
    browser = signed_in("lj-duty")

    assert browser.get("/sign-out").status_code == 405
    assert browser.get("/console").status_code == 200

    token = token_in(browser.get("/console").text)
    assert browser.post("/sign-out", data={"csrf_token": token}).status_code == 303
    assert browser.get("/console").status_code == 302


def test_guessing_a_password_is_stopped(client: FlaskClient) -> None:
    token = token_in(client.get("/sign-in").text)

    answers = [
        client.post("/sign-in", data={"login": "lj-duty", "password": str(n), "csrf_token": token}).status_code
        for n in range(12)
    ]

    assert answers[:10] == [403] * 10
    assert answers[10:] == [429, 429]


@pytest.mark.parametrize(
    "onward", ["//elsewhere.example/", "https://elsewhere.example/", "/\\elsewhere.example", "javascript:alert(1)", ""]
)
def test_a_sign_in_never_leads_to_another_site(client: FlaskClient, onward: str) -> None:
    token = token_in(client.get("/sign-in").text)

    answer = client.post(
        "/sign-in", data={"login": "lj-duty", "password": PASSWORD, "csrf_token": token, "next": onward}
    )

    assert answer.headers["Location"] == "/console"


def test_a_sign_in_leads_back_to_where_it_was_asked_for(client: FlaskClient) -> None:
    asked = client.get("/console/orders?status=silent").headers["Location"]
    token = token_in(client.get(asked).text)

    form = {"login": "lj-duty", "password": PASSWORD, "csrf_token": token, "next": "/console/orders?status=silent"}

    assert client.post("/sign-in", data=form).headers["Location"] == "/console/orders?status=silent"


@pytest.mark.parametrize(
    ("login", "home"), [("lj-duty", "/console"), ("admin", "/console"), ("sample-kiln", "/portal"), ("", "/public")]
)
def test_the_front_door_leads_to_where_the_work_begins(
    client: FlaskClient, signed_in: SignedIn, login: str, home: str
) -> None:
    browser = signed_in(login) if login else client

    assert browser.get("/").headers["Location"] == home


# --- what every answer carries


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(signed_in: SignedIn) -> None:
    cookie = signed_in("lj-duty").get_cookie("emergency")

    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Lax"


def test_in_production_the_session_travels_by_https_only(system: System) -> None:
    safe = create_app(replace(system, settings=replace(system.settings, production=True))).test_client()

    answer = safe.get("/sign-in", base_url="https://liujiang.example")

    assert "Secure" in answer.headers["Set-Cookie"]
    assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_every_page_forbids_foreign_and_inline_scripts(signed_in: SignedIn) -> None:
    for path in ("/console", "/console/nope", "/public", "/sign-in"):
        answer = signed_in("lj-duty").get(path)
        policy = answer.headers["Content-Security-Policy"]

        assert "script-src 'self'" in policy or "script-src" not in policy
        assert "unsafe-inline" not in policy
        assert "default-src 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_what_a_signed_in_person_saw_is_not_kept_by_the_browser(signed_in: SignedIn) -> None:
    assert signed_in("lj-duty").get("/console").headers["Cache-Control"] == "no-store"


def test_a_form_larger_than_a_form_is_refused(signed_in: SignedIn) -> None:
    browser = signed_in("lj-duty")

    answer = browser.post("/sign-out", data={"csrf_token": "x" * (access.SMALL_BODY + 1)})

    assert answer.status_code == 413


def test_the_broken_page_says_so_and_leaks_nothing(app: Flask, world: World, signed_in: SignedIn) -> None:
    app.testing = False
    browser = signed_in("lj-duty")

    def broken() -> str:
        raise RuntimeError("the secret of the house")

    app.view_functions["console.feeds"] = broken
    answer = browser.get("/console/feeds")

    assert answer.status_code == 500
    assert "系统出错" in answer.text
    assert "secret of the house" not in answer.text
