"""The pages of an exercise: each role's doors, a frame on every page, an inbox instead of a post, marked files."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from emergency.channels.wall import Wall
from emergency.store import exercising as asking
from emergency.system import System
from emergency.web import create_app
from tests.services.test_exercising import Held
from tests.web.conftest import SignedIn, token_in
from tests.world import CITY, DISTRICT, PASSWORD, World

FRAME = 'class=" exercise"'


@pytest.fixture
def app(system: System) -> Flask:
    """The pages, with the wall among the channels."""
    made = create_app(replace(system, channels={"wall": Wall()}))
    made.testing = True
    return made


def press(browser: FlaskClient, page: str, path: str, **form: str) -> int:
    """Press a button of a page; the status of what followed."""
    told = {"csrf_token": token_in(browser.get(page).text), **form}
    return browser.post(path, data=told, follow_redirects=False).status_code


def test_an_exercise_is_called_confirmed_begun_led_and_ended_on_its_pages(world: World, signed_in: SignedIn) -> None:
    duty, approver = signed_in("city-duty"), signed_in("city-approver3")
    form = {"name": "年度演练", "area": CITY, "drill": "imagined-false-alarm"}

    assert press(duty, "/console/exercises", "/console/exercises", **form) == 303
    with world.store.reading() as tx:
        (one,) = asking.exercises(tx, CITY)
    page = f"/console/exercises/{one.id}"
    assert press(duty, page, f"{page}/confirm") == 403
    assert press(duty, page, f"{page}/begin") == 422
    assert press(approver, page, f"{page}/confirm") == 303
    assert press(duty, page, f"{page}/begin") == 303
    assert press(duty, page, f"{page}/forecast") == 303
    assert "等待处理：" in duty.get(page).text
    assert "演练未外发" in duty.get(page).text
    assert press(duty, page, f"{page}/forecast", aqi="160, x") == 422
    with world.store.reading() as tx:
        (episode,) = asking.episodes(tx, one.id)
        waiting = tx.waiting_decision(episode.id)
    assert waiting is not None
    told = f"/console/decisions/{waiting.id}"
    fields = {"level": "orange", "effective_at": "2015-02-08T17:30", "open_ended": "1", "number": "12",
              "reason": "演练", "contact": "甲 000"}  # fmt: skip
    assert press(duty, told, f"{told}/put-forward", **fields) == 303
    with world.store.reading() as tx:
        content = tx.decision(waiting.id).content_sha
    assert press(approver, told, f"{told}/sign", password=PASSWORD, content=content) == 303
    assert press(duty, page, f"{page}/end") == 422  # a warning of it still holds
    for path in (page, told, f"/console/episodes/{episode.id}", f"/console/orders?episode={episode.id}"):
        text = duty.get(path).text
        assert FRAME in text, path
        assert "<title>【演练】" in text, path
    assert FRAME not in duty.get("/console").text
    assert FRAME not in duty.get("/console/exercises").text
    assert "演练" not in duty.get("/public").text


def test_the_district_enters_the_exercises_notice_and_sees_its_own_inbox(world: World, signed_in: SignedIn) -> None:
    held = Held(world).begun()
    (suggested,) = held.let_in()
    world.decide(suggested)
    duty, page = signed_in("lj-duty"), f"/console/exercises/{held.one.id}"

    assert "录入上级演练通知" in duty.get(page).text
    assert press(duty, page, f"{page}/relay", area=DISTRICT) == 303
    assert press(duty, page, f"{page}/begin") == 403
    assert held.episode(DISTRICT).label == "演练"
    assert "录入上级演练通知</button>" not in duty.get(page).text
    assert "打开的号码</h2>" not in duty.get(page).text  # the wall is the city's


def test_an_address_is_opened_by_one_and_confirmed_by_another(world: World, signed_in: SignedIn) -> None:
    held = Held(world).begun()
    duty, approver, page = signed_in("city-duty"), signed_in("city-approver3"), f"/console/exercises/{held.one.id}"

    assert press(duty, page, f"{page}/openings", name="信息科", address="13800000000") == 303
    with world.store.reading() as tx:
        (opening,) = asking.openings(tx, held.one.id)
    assert opening.confirmed_at is None
    assert press(duty, page, f"{page}/openings/confirm", opening=str(opening.id)) == 403
    assert press(approver, page, f"{page}/openings/confirm", opening=str(opening.id)) == 303
    assert press(duty, page, f"{page}/openings", list="town", area=DISTRICT) == 303
    with world.store.reading() as tx:
        found = asking.openings(tx, held.one.id)
    assert [one.address for one in found if one.confirmed_at] == ["13800000000"]
    assert len(found) > 5
    assert "13800000000" not in duty.get(page).text  # masked
    assert press(duty, page, f"{page}/openings/{opening.id}/shut") == 303


def test_a_phone_link_from_the_inbox_opens_a_framed_page_and_answers(
    world: World, signed_in: SignedIn, client: FlaskClient
) -> None:
    held = Held(world).begun().warned()
    page = signed_in("city-duty").get(f"/console/exercises/{held.one.id}").text
    links = re.findall(r'href="(/o/[0-9A-Za-z]{16})"', page)

    assert links
    shown = client.get(links[0]).text
    assert '<body class="exercise">' in shown
    assert "<title>【演练】" in shown
    assert client.post(f"{links[0]}/answer", data={"action": "acknowledge", "revision": "1"}).status_code == 303


def test_a_file_of_an_exercise_says_so_in_its_name_and_first_line(world: World, signed_in: SignedIn) -> None:
    held = Held(world).begun().warned()
    duty = signed_in("lj-duty")

    made = duty.get(f"/console/orders?format=csv&episode={held.episode(DISTRICT).id}")

    assert made.text.lstrip("\ufeff").startswith("【演练】")
    assert "exercise-orders-" in made.headers["Content-Disposition"]
    real = duty.get("/console/orders?format=csv")
    assert "演练" not in real.text
    assert "exercise" not in real.headers["Content-Disposition"]


def test_reviews_of_exercises_are_listed_apart(world: World, signed_in: SignedIn) -> None:
    held = Held(world).begun().warned()

    page = signed_in("lj-reviewer").get("/review").text

    assert held.episode(DISTRICT).number in page.split("单独列出")[1]
    assert FRAME in signed_in("lj-reviewer").get(f"/review/{held.episode(DISTRICT).id}").text


def test_who_sits_elsewhere_sees_no_exercise_of_others(world: World, signed_in: SignedIn) -> None:
    held = Held(world)
    person = world.person("lj-duty")
    one = world.store.run(lambda tx: asking.exercise(tx, held.one.id))
    assert person.area != one.area

    assert signed_in("labao-town").get(f"/console/exercises/{held.one.id}").status_code == 403
    assert signed_in("city-duty").get("/console/exercises/none").status_code == 404
