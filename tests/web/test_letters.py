"""Dead letters on the desk: by filter, try by try, for the own area only; «taken» is never shown as «delivered»."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from emergency.domain.messages import Message, Never, Sent, Uncertain
from emergency.domain.people import Role
from emergency.web.faults import fault
from tests.web.conftest import SignedIn, token_in
from tests.web.test_access import newcomer
from tests.world import DISTRICT, World

LIST = "/console/letters"


def refused(world: World, *, messages: int = 1) -> list[Message]:
    """The district activated, the first so many of its notices refused."""
    world.phone.fates = [Never("answered 422: number blocked")] * messages
    world.activated()
    with world.store.reading() as tx:
        return [tx.message(one) for one in tx.outbox.failed(world.episode().id)]


def unclear(world: World) -> Message:
    """A notice that went again after an attempt nobody knows the fate of, so that it lies there perhaps twice."""
    world.phone.fates = [Uncertain("http://gateway:80 did not answer within 10 s")]
    world.activated()
    world.wall.forward(minutes=5)
    world.deliver()
    with world.store.reading() as tx:
        (one,) = tx.outbox.perhaps_twice(world.episode().id)
        return tx.message(one)


def press(browser: FlaskClient, path: str, **form: str) -> str:
    """A form of the list pressed; the page that comes of it."""
    token = token_in(browser.get("/console").text)
    return browser.post(path, data={"csrf_token": token, **form}, follow_redirects=True).text


def titles(page: str) -> int:
    """How many letters a page lists."""
    return len(re.findall(r'<article class="letter"', page))


def test_an_empty_list_says_so_in_each_of_its_three_parts(signed_in: SignedIn) -> None:
    browser = signed_in("lj-duty")

    assert "没有送不出去的通知" in browser.get(LIST).text
    assert "没有结果不明的通知" in browser.get(f"{LIST}?fate=unclear").text
    assert "还没有核实过的通知" in browser.get(f"{LIST}?fate=settled&lang=zh").text
    assert "No message has been given up." in browser.get(f"{LIST}?lang=en").text
    assert browser.get(f"{LIST}?fate=nonsense").status_code == 404
    assert browser.get(f"{LIST}?episode=nonsense").status_code == 404


def test_a_letter_is_read_try_by_try_and_the_filter_finds_it(world: World, signed_in: SignedIn) -> None:
    (one,) = refused(world)
    browser = signed_in("lj-duty")

    page = browser.get(LIST).text

    assert titles(page) == 1
    assert "网关回应 422：number blocked" in page
    assert "号码或内容被拒" in page
    assert f"{one.to[:3]}****{one.to[-4:]}" in page
    assert one.to not in page
    found = {"channel": "sms", "town": one.area, "episode": str(one.episode_id), "because": one.because}
    for name, value in found.items():
        assert titles(browser.get(LIST, query_string={name: value}).text) == 1, name
    for name in ("channel", "town", "because"):
        page = browser.get(LIST, query_string={name: "another"}).text
        assert titles(page) == 0
        assert "没有符合条件的通知" in page


def test_one_letter_goes_again_with_a_reason_and_never_without(world: World, signed_in: SignedIn) -> None:
    (one,) = refused(world)
    browser = signed_in("lj-duty")
    path = f"{LIST}/{one.id}/again?fate=failed"

    assert "请写明理由" in press(browser, path, because=" ")
    assert "已放回待送出队列" in press(browser, path, because="号码已更正")
    assert world.deliver() == 1
    assert titles(browser.get(LIST).text) == 0
    assert "号码已更正" in browser.get(f"/console/episodes/{one.episode_id}").text


def test_all_of_a_filter_go_again_and_say_how_many(world: World, signed_in: SignedIn) -> None:
    refused(world, messages=3)
    browser = signed_in("lj-duty")
    assert "全部再送：3 条" in browser.get(LIST).text

    page = press(browser, f"{LIST}/again?channel=sms", because="网关已恢复")

    assert "已将 3 条放回待送出队列" in page
    assert world.deliver() == 3


def test_pages_of_letters_keep_their_filter(world: World, signed_in: SignedIn) -> None:
    refused(world, messages=25)
    browser = signed_in("lj-duty")

    first, second = (browser.get(f"{LIST}?channel=sms&page={n}").text for n in (1, 2))

    assert (titles(first), titles(second)) == (20, 5)
    assert "channel=sms&amp;page=2" in first


def test_what_nobody_knows_is_settled_by_a_person_and_not_called_delivered(world: World, signed_in: SignedIn) -> None:
    one = unclear(world)
    browser = signed_in("lj-duty")
    page = browser.get(f"{LIST}?fate=unclear").text
    assert titles(page) == 1
    assert "http://gateway:80 在 10 秒内没有回应" in page
    assert "网关已接收" in page
    assert "已送达</span>" not in page
    path = f"{LIST}/{one.id}/settle?fate=unclear"

    assert "请选择核实结果" in press(browser, path, because="电话问过", verdict="perhaps")
    assert "已记为“核实已送达”" in press(browser, path, because="厂长说收到两条", verdict="arrived")

    settled = browser.get(f"{LIST}?fate=settled").text
    assert "核实已送达" in settled
    assert "厂长说收到两条" in settled
    assert "已送达</span>" not in settled
    assert "已有结论，无需再处理" in press(browser, path, because="再问一次", verdict="lost")


def test_what_did_not_arrive_is_sent_anew(world: World, signed_in: SignedIn) -> None:
    one = unclear(world)
    before = len(world.phone.to(one.to))

    page = press(signed_in("lj-duty"), f"{LIST}/{one.id}/settle?fate=unclear", because="没有收到", verdict="lost")

    assert "新的一条正在送出" in page
    world.deliver()
    assert len(world.phone.to(one.to)) == before + 1


def test_a_town_sees_the_letters_of_its_own_area_and_acts_on_none_of_its_districts(
    world: World, signed_in: SignedIn
) -> None:
    some = refused(world, messages=60)
    town = f"{DISTRICT}.labao"
    mine = [one for one in some if one.area == town]
    assert 0 < len(mine) < len(some)
    browser = signed_in(newcomer(world, area=town, role=Role.DUTY_OFFICER).login)

    page = browser.get(LIST).text

    assert titles(page) == min(len(mine), 20)
    assert "再送一次" not in page
    assert browser.get(f"{LIST}?area={DISTRICT}").status_code == 403
    token = token_in(page)
    for letter in (mine[0], next(one for one in some if one.area != town)):
        form = {"csrf_token": token, "because": "试试", "verdict": "arrived"}
        assert browser.post(f"{LIST}/{letter.id}/again", data=form).status_code == 403
        assert browser.post(f"{LIST}/{letter.id}/settle", data=form).status_code == 403


def test_looking_changes_nothing(world: World, signed_in: SignedIn) -> None:
    (one,) = refused(world)
    browser = signed_in("lj-duty")

    for fate in ("failed", "unclear", "settled"):
        browser.get(f"{LIST}?fate={fate}")

    with world.store.reading() as tx:
        assert tx.message(one.id) == one
    assert browser.get(f"{LIST}/{one.id}/again").status_code == 405
    assert browser.post(f"{LIST}/{one.id}/again", data={"because": "没有令牌"}).status_code == 400


def test_free_text_of_a_gateway_cannot_break_the_page(world: World, signed_in: SignedIn) -> None:
    world.phone.fates = [Never("<script>alert(1)</script>")]
    world.activated()

    page = signed_in("lj-duty").get(LIST).text

    assert titles(page) == 1
    assert "<script>alert" not in page


@pytest.mark.parametrize(
    ("because", "said"),
    [
        ("answered 200 without a receipt", "网关回应 200，但没有给回执"),
        ("answered 503", "网关回应 503"),
        ("http://sms:80 cut the connection (ServerDisconnectedError)", "http://sms:80 中断了连接"),
        ("the sender died with it", "发送进程中途退出"),
        ("whatever a gateway says", "whatever a gateway says"),
    ],
)
def test_why_a_send_failed_is_said_in_chinese(because: str, said: str) -> None:
    assert fault(because).startswith(said)


def test_a_channel_that_works_leaves_no_letters(world: World, signed_in: SignedIn) -> None:
    world.phone.fates = [Sent("r-1")]
    world.activated()

    assert titles(signed_in("lj-duty").get(LIST).text) == 0
