"""The doors of sign-boards and response plans: who prints which, and what a passer-by with the code is shown."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import unquote
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from emergency.services import boards
from emergency.store import listing as kept
from emergency.web import boards as pages_of_boards
from tests.lists import a_line, code
from tests.papers.reading import pages
from tests.services.test_listing import GOOD, a_file, confirmed, laid
from tests.web.conftest import SignedIn
from tests.world import CITY, DISTRICT, World

DESK = "/console/boards"


def found(world: World, name: str) -> UUID:
    """The enterprise of this name."""
    with world.store.reading() as tx:
        (one,), _ = kept.found(tx, DISTRICT, q=name)
    return one


def address(world: World, name: str) -> str:
    """Where its board is checked, as a path."""
    with world.store.reading() as tx:
        one = boards.board(tx, world.rules, found(world, name))
    return boards.address(world.rules.links, one).removeprefix("https://liujiang.example")


def text(answer: object) -> str:
    """What a page says, without its marks."""
    return re.sub(r"\s+", "", re.sub(r"<style>.*?</style>|<[^>]+>", "", answer.text, flags=re.DOTALL))  # type: ignore[attr-defined]  # an answer of Flask's client


@pytest.mark.parametrize(("paper", "said"), [("board", "公示牌"), ("plan", "一厂一策")])
def test_the_desk_finds_an_enterprise_and_prints_its_papers(
    world: World, signed_in: SignedIn, paper: str, said: str
) -> None:
    desk = signed_in("lj-duty")
    page = desk.get(f"{DESK}?q=样例砖厂01").text
    (link,) = re.findall(rf'href="({DESK}/[0-9a-f-]+/{paper}.pdf)"', page)

    answer = desk.get(link)

    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert f"{said}-样例砖厂01" in unquote(answer.headers["Content-Disposition"])
    assert answer.headers["Cache-Control"] == "no-store"
    assert "样例砖厂01" in pages(answer.data)[0].text


def test_all_boards_of_a_town_come_in_parts_of_so_many(
    world: World, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages_of_boards, "MOST_BOARDS", 2)
    desk, town = signed_in("lj-duty"), f"{DISTRICT}.labao"
    page = desk.get(f"{DESK}?town={town}&q=砖厂").text

    parts = re.findall(rf'href="({DESK}/all.pdf[^"]+)"', page)
    printed = [desk.get(one.replace("&amp;", "&")) for one in parts[:2]]

    assert len(parts) >= 2
    assert [len(pages(one.data)) for one in printed] == [2, 2]
    assert desk.get(f"{DESK}/all.pdf?town={town}&q=砖厂&part={len(parts) + 1}").status_code == 404
    for wrong in ("0", "-1", "x", "99999999", "٣"):
        assert desk.get(f"{DESK}/all.pdf?part={wrong}").status_code == 404


def test_an_enterprise_prints_its_own_and_nobody_else_s(world: World, signed_in: SignedIn) -> None:
    own, other = signed_in("sample-kiln"), found(world, "样例砖厂02")

    assert "样例砖厂01" in pages(own.get("/portal/board.pdf").data)[0].text
    assert "样例砖厂01" in pages(own.get("/portal/plan.pdf?lang=en").data)[0].text
    for paper in ("board", "plan"):
        assert own.get(f"{DESK}/{other}/{paper}.pdf").status_code == 403
        assert signed_in("labao-town").get(f"/portal/{paper}.pdf").status_code == 404
    assert "/portal/plan.pdf" in own.get("/portal").text
    assert "/portal/plan.pdf" not in signed_in("labao-town").get("/portal").text


@pytest.mark.parametrize("login", ["lj-reviewer", "labao-inspector"])
def test_who_may_not_see_people_prints_no_paper_with_their_numbers(
    world: World, signed_in: SignedIn, login: str
) -> None:
    one, browser = found(world, "样例砖厂01"), signed_in(login)

    for path in (DESK, f"{DESK}/all.pdf", f"{DESK}/{one}/board.pdf", f"{DESK}/{one}/plan.pdf"):
        assert browser.get(path).status_code == 403
    assert DESK not in browser.get("/console/lists").text


def test_no_desk_prints_for_an_area_above_or_beside(world: World, signed_in: SignedIn) -> None:
    ours = found(world, "样例砖厂01")
    with world.store.transactions() as tx:
        above = replace(tx.recipient(ours), id=uuid4(), name="样例市属厂", area=CITY, contacts=())
        tx.set_recipients([above])

    assert signed_in("city-duty").get(f"{DESK}/{above.id}/board.pdf").status_code == 200
    assert signed_in("lj-duty").get(f"{DESK}/{above.id}/board.pdf").status_code == 403
    assert signed_in("lj-duty").get(f"{DESK}?area=450200").status_code == 403
    assert signed_in("lj-duty").get(f"{DESK}?town=450200").status_code == 404


def test_printing_is_slowed_down(signed_in: SignedIn) -> None:
    own = signed_in("labao-town")  # refused before anything is set in type, and counted all the same

    answers = [own.get("/portal/board.pdf").status_code for _ in range(21)]

    assert answers == [404] * 20 + [429]


def test_the_code_leads_anybody_to_what_the_board_says_and_no_more(world: World, client: FlaskClient) -> None:
    confirmed(world, laid(world, GOOD))

    answer = client.get(address(world, "样例砖厂乙"))
    said = text(answer)

    assert answer.status_code == 200
    for one in ("公示牌现行有效", "样例砖厂乙", code(2), "停1号窑（共2座）", "样例甲", "00059990001", "核验时间"):
        assert one in said, one
    for one in ("备注", "许可证", "样例砖厂甲", "lj-duty", "审批人"):
        assert one not in said, one
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert "<script" not in answer.text
    assert len(answer.data) < 50_000


def test_after_a_newer_list_the_old_code_says_so_and_shows_nothing_of_the_new(
    world: World, client: FlaskClient
) -> None:
    confirmed(world, laid(world, GOOD))
    old = address(world, "样例砖厂乙")
    world.clock.forward(minutes=5)
    confirmed(world, laid(world, a_file(a_line(), a_line(name="样例砖厂乙", code=code(2), contact="新人"))))

    answer = client.get(old)

    assert answer.status_code == 410
    assert "已有新版" in answer.text
    assert "样例砖厂乙" not in answer.text
    assert "新人" not in answer.text
    assert client.get(address(world, "样例砖厂乙")).status_code == 200


def test_a_plant_off_the_list_and_a_made_up_address_are_told_as_such(world: World, client: FlaskClient) -> None:
    confirmed(world, laid(world, GOOD))
    old = address(world, "样例砖厂乙")
    world.clock.forward(minutes=5)
    confirmed(world, laid(world, a_file(a_line())))

    assert (client.get(old).status_code, "公示牌已失效" in client.get(old).text) == (410, True)
    for one in ("/b/x", f"/b/{'A' * 46}", f"{old[:-3]}AAA"):
        assert (client.get(one).status_code, "不能核验" in client.get(one).text) == (404, True)


def test_the_checking_page_in_english_keeps_only_the_list_s_own_words(world: World, client: FlaskClient) -> None:
    confirmed(world, laid(world, GOOD))

    page = client.get(f"{address(world, '样例砖厂乙')}?lang=en").text

    assert "This board is current" in page
    assert "within 2 h of effect" in page
    assert "未填报" not in page
    assert "本页" not in page
