"""The page of causes: shown source by source, set with a reason, weighed at once, in both languages."""

from __future__ import annotations

import re

from flask.testing import FlaskClient

from emergency.domain.forecast import Cause
from tests.web.conftest import SignedIn, token_in
from tests.world import World

PATH = "/console/causes"


def lines(browser: FlaskClient) -> list[str]:
    """What may be chosen: each source's days with the cause they have now."""
    found = re.search(r'<select id="which".*?</select>', browser.get(PATH).text, re.S)
    assert found
    return re.findall(r'<option value="([^"]+)"', found[0])


def sent(browser: FlaskClient, **form: str) -> tuple[int, str]:
    """Press the button with these fields; the status and the page that came of it."""
    answer = browser.post(PATH, data={"csrf_token": token_in(browser.get(PATH).text), **form}, follow_redirects=True)
    return answer.status_code, answer.text


def test_an_officer_sets_a_cause_and_takes_it_back(world: World, signed_in: SignedIn) -> None:
    world.forecast(230, 240)
    desk = signed_in("city-duty")
    which = lines(desk)[0]
    assert which.endswith(":bureau")

    status, page = sent(desk, which=which, cause="wildfire", because="卫星火点<b>")
    assert status == 200
    assert "成因已记录" in page
    assert "卫星火点&lt;b&gt;" in page
    assert "来源：细颗粒物" in page

    status, page = sent(desk, which=which, cause="as_source", because="火点已灭")
    assert "火点已灭" not in page
    with world.store.reading() as tx:
        words = world.rules.issued(tx, "柳州", words={}, now=world.now)
    assert {one.cause for forecast in words for one in forecast.days} == {Cause.PM2_5}


def test_a_form_that_cannot_be_meant_is_refused_in_words_and_keeps_what_was_typed(
    world: World, signed_in: SignedIn
) -> None:
    world.forecast(230)
    desk = signed_in("city-duty")
    (which,) = lines(desk)

    for form, words in (
        ({"which": "", "cause": "o3", "because": "x"}, "请选择来源和日期"),
        ({"which": which, "cause": "dragons", "because": "x"}, "请选择成因"),
        ({"which": which, "cause": "o3", "because": " "}, "请写明理由"),
        ({"which": which, "cause": "pm2_5", "because": "typed"}, "无需更改"),
        ({"which": f"{which}2", "cause": "o3", "because": "typed"}, "该来源没有这一天的数据"),
    ):
        status, page = sent(desk, **form)
        assert (status, words in page) == (422, True), words
        assert f'value="{form["because"]}"' in page


def test_looking_changes_nothing_and_without_air_there_is_no_form(world: World, signed_in: SignedIn) -> None:
    page = signed_in("city-duty").get(PATH).text

    assert "近期没有任何来源的逐日数据" in page
    assert "<select" not in page


def test_only_whoever_puts_in_the_places_air_sets_its_cause(signed_in: SignedIn) -> None:
    for login in ("lj-duty", "city-approver1", "city-reviewer", "labao-town"):
        browser = signed_in(login)
        assert browser.get(PATH).status_code == 403
        assert PATH not in browser.get("/console/feeds").text
    assert PATH in signed_in("city-duty").get("/console/feeds").text


def test_the_page_is_there_in_english(world: World, signed_in: SignedIn) -> None:
    world.forecast(230)

    page = signed_in("city-duty").get(f"{PATH}?lang=en").text

    assert "Set or correct a cause" in page
    assert "fine particles" in page


def test_the_proposal_shows_that_a_person_set_the_cause(world: World, signed_in: SignedIn) -> None:
    world.forecast(168, causes=(Cause.O3,))
    desk = signed_in("city-duty")
    (which,) = lines(desk)
    sent(desk, which=which, cause="wildfire", because="卫星火点")

    assert "成因由人工认定" in desk.get("/console").text
