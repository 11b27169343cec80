"""The call list: who is on it and in which order, what a call is and is not, on paper and as a file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from emergency.domain.messages import Never
from emergency.domain.orders import Action, Order, Recipient, Status
from emergency.domain.people import Role, within
from emergency.domain.plan import Rung
from emergency.services import chasing
from emergency.store.tables import JournalRow
from emergency.web.fields import for_field
from tests.web.conftest import SignedIn, token_in
from tests.web.test_access import NEXT_DOOR, newcomer
from tests.world import DISTRICT, World

Listed = Callable[[], None]


@pytest.fixture
def listed(world: World) -> Listed:
    """The district activated, and everybody silent until the ladder's only step: the call list."""

    def climb() -> None:
        plan = world.rules.plan("liujiang")
        steps = (Rung("call_list", 30, "call_list", ("sms",)),)
        plans = {**world.rules.plans, "liujiang": replace(plan, ladder=steps)}
        object.__setattr__(world.rules, "plans", plans)  # the pages hold the same rules
        world.activated()
        world.clock.forward(minutes=31)
        chasing.escalate_overdue(world.store, world.rules, now=world.now)

    return climb


def page_of(world: World, browser: FlaskClient, **asked: str) -> str:
    """The call list as a browser shows it."""
    answer = browser.get(f"/console/episodes/{world.episode().id}/calls", query_string=asked)
    assert answer.status_code == 200
    return answer.text


def numbers(page: str) -> list[str]:
    """The orders a page lists, in its order."""
    return re.findall(r'<article class="call[^"]*" id="o-([0-9a-f-]+)"', page)


def note(world: World, browser: FlaskClient, order: Order, **form: str) -> str:
    """A call noted; the page that comes of it."""
    said = {
        "csrf_token": token_in(browser.get("/console").text), "revision": str(order.revision), "result": "told",
        "spoke_to": "王厂长", "phone": "00050000001", "called_at": for_field(world.now), **form,
    }  # fmt: skip
    path = f"/console/episodes/{order.episode_id}/calls/{order.id}"
    return browser.post(path, data=said, follow_redirects=True).text


def facts(world: World, what: str) -> list[str]:
    """The journal's lines of this fact, as kept."""
    with world.store.reading() as tx:
        return [row.entry for row in tx.connection.execute(select(JournalRow.entry).where(JournalRow.what == what))]


def test_an_empty_list_says_so(world: World, signed_in: SignedIn) -> None:
    world.activated()
    browser = signed_in("lj-duty")

    assert "现在没有需要打电话的单位" in page_of(world, browser)
    assert "Nobody has to be called now." in page_of(world, browser, lang="en")


def test_everybody_the_ladder_brought_there_is_listed_with_people_telephones_and_words(
    world: World, signed_in: SignedIn, listed: Listed
) -> None:
    listed()
    page = page_of(world, signed_in("lj-duty"))

    assert f"共 {len(world.orders())} 家" in page
    first = world.order(next(one.id for one in world.orders() if str(one.id) == numbers(page)[0]))
    for contact in world.recipient(first).contacts:
        assert f'href="tel:{contact.phone}"' in page
        assert contact.role in page
    assert f"编号{first.number}" in page
    assert "请问是否收到" in page


def test_an_answer_takes_a_recipient_off_the_list(world: World, signed_in: SignedIn, listed: Listed) -> None:
    listed()
    order = world.an_order()

    world.answer(order)

    assert f"共 {len(world.orders()) - 1} 家" in page_of(world, signed_in("lj-duty"))


def test_those_no_notice_reached_are_listed_without_waiting_for_the_ladder(world: World, signed_in: SignedIn) -> None:
    world.phone.fates = [Never("blocked")]
    with world.store.transactions() as tx:
        mute = next(one for one in tx.recipients([DISTRICT]) if one.sample)
        tx.set_recipients([_without_phones(mute)])
    world.activated()
    page = page_of(world, signed_in("lj-duty"))

    assert len(numbers(page)) == 2
    assert "通知全部送出失败" in page
    assert "没有可送达的号码" in page
    assert mute.name in page


def _without_phones(one: Recipient) -> Recipient:
    return replace(one, contacts=tuple(replace(contact, phone="") for contact in one.contacts))


def test_a_call_is_kept_and_is_no_receipt(world: World, signed_in: SignedIn, listed: Listed) -> None:
    listed()
    order, browser = world.an_order(), signed_in("lj-duty")

    page = note(world, browser, order, remark="会转告值班工人")

    assert "电话通知不等于“收到”，对方仍须答复" in page
    assert world.order(order.id).status is Status.ISSUED
    (fact,) = facts(world, "order.called")
    assert '"spoke_to":"王厂长"' in fact
    assert "会转告值班工人" in fact
    assert "00050000001" not in fact
    assert numbers(page_of(world, browser, page="99"))[-1] == str(order.id)  # whoever was told comes last
    assert "此前已经登记" in note(world, browser, order, remark="会转告值班工人")
    assert len(facts(world, "order.called")) == 1


def test_said_in_so_many_words_it_is_an_answer_by_telephone_under_both_names(
    world: World, signed_in: SignedIn, listed: Listed
) -> None:
    listed()
    order, browser = world.an_order(), signed_in("lj-duty")

    page = note(world, browser, order, received="1")

    assert "记下对方在电话中答复“收到”" in page
    kept = world.order(order.id)
    assert (kept.status, kept.acknowledged_by) == (Status.ACKNOWLEDGED, "王厂长")
    shown = browser.get(f"/console/orders/{order.id}").text
    assert f"{world.person('lj-duty').name}电话登记" in shown
    assert "王厂长 · 电话" in shown
    assert len(facts(world, "order.acknowledged")) == 1


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"spoke_to": " "}, "请写明接听人姓名"),
        ({"result": "no_answer", "received": "1"}, "没有接通，不能登记“收到”"),
        ({"result": "perhaps"}, "请选择通话结果"),
        ({"called_at": ""}, "请填写时间：通话时间"),
        ({"called_at": "2031-01-01T00:00"}, "通话时间应在指令下达之后"),
    ],
)
def test_a_call_that_cannot_be_meant_is_refused_and_nothing_is_kept(
    world: World, signed_in: SignedIn, form: dict[str, str], words: str
) -> None:
    world.phone.fates = [Never("blocked")] * 400
    world.activated()

    page = note(world, signed_in("lj-duty"), world.an_order(), **form)

    assert words in page
    assert facts(world, "order.called") == []


def test_an_answered_order_needs_no_call(world: World, signed_in: SignedIn) -> None:
    world.activated()
    order = world.an_order()
    world.begun(order)
    world.answer(order, Action.SETTLE)

    assert "对方已答复完毕，无需再打电话" in note(world, signed_in("lj-duty"), order)


def test_the_list_on_paper_has_every_line_and_room_to_write(world: World, signed_in: SignedIn, listed: Listed) -> None:
    listed()
    browser = signed_in("lj-duty")

    paper = page_of(world, browser, format="print")

    assert paper.count('<td class="write">') == len(world.orders()) > 25
    assert len(numbers(page_of(world, browser))) == 25
    assert "<form" not in paper.partition("<main")[2]


def test_the_file_has_every_line_and_no_cell_is_a_formula(world: World, signed_in: SignedIn, listed: Listed) -> None:
    with world.store.transactions() as tx:
        one = next(one for one in tx.recipients([DISTRICT]) if one.sample)
        tx.set_recipients([replace(one, name="=HYPERLINK(1)", contacts=(replace(one.contacts[0], name="@甲"),))])
    listed()

    answer = signed_in("lj-duty").get(f"/console/episodes/{world.episode().id}/calls?format=csv")

    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert len(rows) == len(world.orders()) + 1
    assert "'=HYPERLINK(1)" in {row[0] for row in rows}
    assert not [cell for row in rows for cell in row if cell[:1] in ("=", "+", "-", "@")]


def test_looking_keeps_nothing_and_another_area_sees_nothing(world: World, signed_in: SignedIn, listed: Listed) -> None:
    listed()
    path = f"/console/episodes/{world.episode().id}/calls"
    before = [world.order(one.id) for one in world.orders()]

    for wish in ("", "?format=print", "?format=csv"):
        assert signed_in("lj-duty").get(path + wish).status_code == 200

    assert [world.order(one.id) for one in world.orders()] == before
    assert facts(world, "order.called") == []
    beside = newcomer(world, area=NEXT_DOOR, role=Role.DUTY_OFFICER)
    assert signed_in(beside.login).get(path).status_code == 403
    reader = signed_in("lj-reviewer")
    assert "登记一次通话" not in reader.get(path).text
    form = {"csrf_token": token_in(reader.get("/console").text), "result": "told"}
    assert reader.post(f"{path}/{before[0].id}", data=form).status_code == 403


def test_a_town_has_its_own_recipients_on_screen_on_paper_and_as_a_file(
    world: World, signed_in: SignedIn, listed: Listed
) -> None:
    listed()
    town = f"{DISTRICT}.labao"
    desk, officer = signed_in("lj-duty"), signed_in("labao-inspector")
    own = [one for one in world.orders() if within(one.area, town)]
    others = [one for one in world.orders() if not within(one.area, town)]
    note(world, desk, others[0], result="no_answer", spoke_to="")

    page, paper = page_of(world, officer), page_of(world, officer, format="print")
    table = page_of(world, officer, format="csv", town=others[0].area)

    assert len(numbers(page)) == min(25, len(own))
    assert set(numbers(page)) <= {str(one.id) for one in own}
    assert paper.count('<td class="write">') == len(own) > 0
    assert not any(one.number in said for one in others for said in (page, paper, table))
    assert "无人接听 1" not in page
    assert "登记一次通话" not in page
    path = f"/console/episodes/{world.episode().id}/calls"
    assert path in officer.get("/console").text
    assert f'href="/console/episodes/{world.episode().id}"' not in page


def test_a_call_about_another_episode_or_revision_is_not_found(
    world: World, signed_in: SignedIn, listed: Listed
) -> None:
    listed()
    order, browser = world.an_order(), signed_in("lj-duty")

    assert "没有这个页面" in note(world, browser, replace(order, revision=7))
    world.clock.forward(minutes=1)
    city = world.forecast(210, 220, 160)[0]
    assert "没有这个页面" in note(world, signed_in("city-duty"), replace(order, episode_id=city.episode_id))


def test_a_call_made_before_is_told_with_its_hour(world: World, signed_in: SignedIn, listed: Listed) -> None:
    listed()
    order = world.an_order()

    page = note(
        world, signed_in("lj-duty"), order, result="no_answer", spoke_to="",
        called_at=for_field(world.now - timedelta(minutes=5)),
    )  # fmt: skip

    assert "无人接听 1" in re.sub(r"<[^>]+>", "", page)
