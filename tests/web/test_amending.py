"""The page on which measures are adjusted: what each has now, how many it touches, and two people."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from emergency.clock import SHANGHAI
from emergency.domain import amending
from emergency.domain.amending import Amendment, Change, Scope
from emergency.domain.episode import Decision, Move, Standing
from emergency.domain.level import Level
from emergency.services import amending as adjusting
from tests.web.conftest import SignedIn, token_in
from tests.world import DISTRICT, PASSWORD, World

PATH = "/console/amend"
WORDS = "夜间停止原料装卸"


@pytest.fixture(autouse=True)
def _in_response(world: World) -> None:
    world.forecast(210, 220, 160)
    world.activated(Level.YELLOW)


def pressed(browser: FlaskClient, page: str, step: str, *more: tuple[str, str]) -> TestResponse:
    """The form of the page as it stands, with these fields filled in, and one of its buttons pressed."""
    form = [
        (name, html.unescape(value))
        for name, value in re.findall(r'<input type="hidden" name="([a-z_-]+)" value="([^"]*)"', page)
    ]
    typed = [("effective_at", re.findall(r'name="effective_at"[^>]*value="([^"]*)"', page)[0])]
    return browser.post(PATH, data=MultiDict([*form, *typed, *more, ("step", step)]))


KILNS = (("scope", "sector"), ("sector", "brick_kiln"))
OWN = (("own-text-1", WORDS), ("own-force-1", "mandatory"), ("own-check-1", "photo_in_window"))


def latest(world: World) -> Decision:
    """The newest decision of the district's episode."""
    with world.store.reading() as tx:
        return tx.decisions(world.episode().id)[-1]


def test_the_page_shows_what_those_chosen_have_now_and_what_could_be_added(world: World, signed_in: SignedIn) -> None:
    page = signed_in("lj-duty").get(PATH, query_string=dict(KILNS)).text

    asked = {duty.text for one in world.orders() for duty in one.duties if world.recipient(one).sector == "brick_kiln"}
    assert asked
    assert all(html.escape(text) in page for text in asked)
    line = next(one for one in world.rules.book["brick_kiln"] if one.level is Level.RED)
    assert f'name="add" value="{line.key}"' in page
    assert "&lt;" not in page


def test_what_is_listed_is_counted_with_the_first_three_before_anything_is_put_forward(
    world: World, signed_in: SignedIn
) -> None:
    browser = signed_in("lj-duty")
    had = latest(world)

    answer = pressed(browser, browser.get(PATH).text, "list", *KILNS, *OWN)

    kilns = [world.recipient(one).name for one in world.orders() if world.recipient(one).sector == "brick_kiln"]
    assert answer.status_code == 200
    listed = answer.text[answer.text.index('id="listed"') :]
    assert f"共 {len(kilns)} 家收到新一版指令" in listed
    assert sum(name in listed for name in kilns) >= min(3, len(kilns))
    assert latest(world) == had


def test_an_adjustment_is_put_forward_by_one_and_signed_by_another_who_reads_every_change(
    world: World, signed_in: SignedIn
) -> None:
    duty, approver = signed_in("lj-duty"), signed_in("lj-approver3")
    key = next(one for one in world.orders() if world.recipient(one).sector == "brick_kiln").duties[0].key
    listed = pressed(duty, duty.get(PATH).text, "list", *KILNS, *OWN)

    answer = pressed(
        duty, listed.text, "propose", *KILNS, ("key", key), (f"do-{key}", "drop"), ("reason", "夜间静稳，先停装卸")
    )

    assert answer.status_code == 303
    told = latest(world)
    assert (told.move, told.standing, len(told.amendments)) == (Move.AMEND, Standing.PROPOSED, 2)
    page = approver.get(answer.headers["Location"]).text
    own = page[page.index('id="amendments"') :].partition("</section>")[0]
    assert WORDS in own
    assert "取消" in own
    form = {"password": PASSWORD, "content": told.content_sha, "csrf_token": token_in(page)}
    assert approver.post(f"/console/decisions/{told.id}/sign", data=form).status_code == 303
    kiln = next(one for one in world.orders() if world.recipient(one).sector == "brick_kiln")
    assert kiln.revision == 2
    assert WORDS in {one.text for one in kiln.duties}


def test_a_change_taken_out_again_is_not_put_forward(world: World, signed_in: SignedIn) -> None:
    browser = signed_in("lj-duty")
    listed = pressed(browser, browser.get(PATH).text, "list", *KILNS, *OWN)

    shown = pressed(browser, listed.text, "show", *KILNS, ("out", "0"))

    assert WORDS not in shown.text[shown.text.index('id="listed"') :]
    assert pressed(browser, shown.text, "propose", *KILNS, ("reason", "试")).status_code == 422


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ((), "还没有选任何调整"),
        (OWN, "请选择调整的对象"),
        ((*KILNS, OWN[0], OWN[1]), "强制性措施须选择核查方式"),
        ((*KILNS, ("key", "charge-half"), ("do-charge-half", "retime")), "请填写新的起算时间"),
        ((*KILNS, ("key", "no-such"), ("do-no-such", "drop")), "没有任何变化"),
    ],
)
def test_nonsense_comes_back_with_its_reason_and_what_was_typed(
    world: World, signed_in: SignedIn, more: tuple[tuple[str, str], ...], words: str
) -> None:
    browser = signed_in("lj-duty")
    had = latest(world)

    answer = pressed(browser, browser.get(PATH).text, "propose", *more, ("reason", "因为静稳"))

    assert answer.status_code == 422
    assert words in answer.text
    assert "因为静稳" in answer.text
    assert latest(world) == had


def test_a_list_that_the_page_did_not_give_out_is_refused(signed_in: SignedIn) -> None:
    browser = signed_in("lj-duty")
    page = browser.get(PATH).text
    form = {"area": DISTRICT, "csrf_token": token_in(page), "step": "list"}

    for bad in ("{", "[1]", '{"scope": "all"}', '[{"scope": "all", "change": "burn", "key": "x"}]'):
        assert browser.post(PATH, data={**form, "listed": bad}).status_code == 422


def test_only_those_who_may_propose_open_it_and_only_at_their_own_desk(signed_in: SignedIn) -> None:
    assert signed_in("lj-reviewer").get(PATH).status_code == 403
    assert signed_in("lj-duty").get(PATH, query_string={"area": "450200"}).status_code == 403


def test_without_a_response_the_page_says_there_is_nothing_to_adjust(world: World, signed_in: SignedIn) -> None:
    world.released()

    answer = signed_in("lj-duty").get(PATH)

    assert answer.status_code == 200
    assert "没有进行中的应急响应" in answer.text


def test_the_citys_paper_leads_to_the_page_and_its_number_stays_with_what_is_filled_in(
    world: World, signed_in: SignedIn
) -> None:
    left = world.bulletin(Level.YELLOW, action="amend", effective_at=world.now)
    assert left is not None
    browser = signed_in("lj-duty")
    shown = browser.get(f"/console/decisions/{left.id}").text
    path = html.unescape(re.findall(r'href="(/console/amend\?[^"]*decision=[^"]*)"', shown)[0])

    answer = pressed(browser, browser.get(path).text, "propose", *KILNS, *OWN, ("reason", "依据市级通知"))

    assert answer.status_code == 303
    told = latest(world)
    assert (told.id, told.standing, told.bulletin_id) == (left.id, Standing.PROPOSED, left.bulletin_id)


def test_a_change_of_level_shows_which_adjustments_end_with_it(world: World, signed_in: SignedIn) -> None:
    own = Amendment(
        Scope.SECTOR, Change.ADD, amending.own_key(WORDS), ("brick_kiln",), WORDS, check="photo_in_window"
    )
    told = world.store.run(
        lambda tx: adjusting.propose(
            tx, world.rules, area=DISTRICT, changes=[own], reason="静稳", by=world.person("lj-duty"), now=world.now
        )
    )
    world.sign(told, by="lj-approver3")
    upgrade = world.bulletin(Level.ORANGE)
    assert upgrade is not None

    page = signed_in("lj-approver3").get(f"/console/decisions/{upgrade.id}").text

    ends = page[page.index("随本决定结束的调整") :].partition("</section>")[0]
    assert WORDS in ends


def test_a_moved_start_is_typed_on_the_wall_clock_of_the_city(world: World, signed_in: SignedIn) -> None:
    browser = signed_in("lj-duty")
    key = next(one for one in world.orders() if world.recipient(one).sector == "brick_kiln").duties[0].key
    at = (world.now + timedelta(hours=30)).astimezone(SHANGHAI).replace(second=0, microsecond=0)

    answer = pressed(
        browser, browser.get(PATH).text, "propose", *KILNS, ("reason", "夜间静稳"), ("key", key),
        (f"do-{key}", "retime"), (f"at-{key}", f"{at:%Y-%m-%dT%H:%M}"),
    )  # fmt: skip

    assert answer.status_code == 303
    assert amending.of(latest(world))[0].starts_at == at
