"""The phone page: looking changes nothing, a press answers, and every state of an order has a page of its own."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from emergency.domain.level import Level
from emergency.domain.orders import Action, Order, Status
from emergency.store.tables import AnswerRow, JournalRow, LinkRow, MessageRow
from emergency.system import System
from emergency.web import create_app
from tests.world import World

NOBODYS = "A" * 16


@pytest.fixture
def order(world: World) -> Order:
    """An order of a sample enterprise, out and not answered."""
    world.activated(Level.YELLOW, deliver=False)
    return world.an_order()


def press(client: FlaskClient, token: str, action: Action, *, revision: int = 1, remark: str = "") -> str:
    """Press a button and read the page that follows."""
    form = {"revision": str(revision), "action": action.value, "remark": remark}
    return client.post(f"/o/{token}/answer", data=form, follow_redirects=True).text


def counted(world: World) -> tuple[int, ...]:
    """How many answers, journal lines and messages there are."""
    with world.store.reading() as tx:
        return tuple(
            tx.connection.execute(select(func.count()).select_from(row)).scalar_one()
            for row in (AnswerRow, JournalRow, MessageRow)
        )


def test_looking_answers_nothing_however_often_a_preview_does_it(
    world: World, client: FlaskClient, order: Order
) -> None:
    before = counted(world)

    for _ in range(3):
        assert client.get(f"/o/{world.token(order)}").status_code == 200
        assert client.head(f"/o/{world.token(order)}").status_code == 200

    assert counted(world) == before
    assert world.order(order.id) == order


def test_the_page_says_who_must_do_what_from_when_and_whom_to_call(
    world: World, client: FlaskClient, order: Order
) -> None:
    page = client.get(f"/o/{world.token(order)}").text
    contact = world.recipient(order).contacts[0]

    assert order.number in page
    assert "黄色 ▲ Ⅲ级" in page
    assert all(duty.text in page for duty in order.duties)
    assert "明天 00:05 起" in page
    assert "另行通知" in page
    assert f"{contact.name} · {contact.role}" in page
    assert re.search(r'href="tel:\d{11}"', page)


def test_the_page_is_whole_small_and_asks_for_nothing_else(world: World, client: FlaskClient, order: Order) -> None:
    answer = client.get(f"/o/{world.token(order)}")

    assert len(answer.data) < 50_000
    assert answer.text.count("<script") == 1
    assert "<script>" in answer.text
    assert not re.search(r'(?:src|href)="(?!tel:)', answer.text)
    assert "'unsafe-inline'" not in answer.headers["Content-Security-Policy"]


def test_its_own_style_and_script_are_let_in_by_their_hashes_and_nothing_else_is(
    world: World, client: FlaskClient, order: Order
) -> None:
    answer = client.get(f"/o/{world.token(order)}")
    policy = answer.headers["Content-Security-Policy"]

    script = re.search(r"<script>(.*)</script>", answer.text, re.DOTALL)
    assert script is not None
    let_in = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert f"script-src 'sha256-{let_in}'; connect-src 'self'" in policy
    assert policy.count("sha256-") == 2


def test_nobody_keeps_the_page_or_learns_its_address(world: World, client: FlaskClient, order: Order) -> None:
    headers = client.get(f"/o/{world.token(order)}").headers

    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in headers


def test_pressing_received_is_kept_with_name_and_hour(world: World, client: FlaskClient, order: Order) -> None:
    world.begun(order)
    page = press(client, world.token(order), Action.ACKNOWLEDGE)

    kept = world.order(order.id)
    assert kept.status is Status.ACKNOWLEDGED
    assert kept.acknowledged_by == world.recipient(order).contacts[0].name
    assert "答复已经记录" in page
    assert "下一步：措施开始执行后" in page


def test_each_answer_leads_to_the_next_one(world: World, client: FlaskClient, order: Order) -> None:
    token = world.token(order)
    world.begun(order)

    press(client, token, Action.ACKNOWLEDGE)
    assert 'class="main" name="action" value="start"' in client.get(f"/o/{token}").text
    press(client, token, Action.START)
    assert 'class="main" name="action" value="settle"' in client.get(f"/o/{token}").text
    last = press(client, token, Action.SETTLE)

    assert world.order(order.id).status is Status.IN_PLACE
    assert 'name="action"' not in last


def test_a_repeat_is_answered_kindly_and_kept_once(world: World, client: FlaskClient, order: Order) -> None:
    press(client, world.token(order), Action.ACKNOWLEDGE)
    before = counted(world)

    page = press(client, world.token(order), Action.ACKNOWLEDGE)

    assert "此前已经答复过" in page
    assert counted(world) == before


def test_cannot_comply_without_a_reason_asks_for_it_and_keeps_nothing(
    world: World, client: FlaskClient, order: Order
) -> None:
    form = {"revision": "1", "action": "decline", "remark": "   "}

    answer = client.post(f"/o/{world.token(order)}/answer", data=form)

    assert answer.status_code == 422
    assert "请写明原因" in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert world.order(order.id).status is Status.ISSUED


def test_what_was_typed_is_still_there_when_it_is_refused(world: World, client: FlaskClient, order: Order) -> None:
    long = "<b>窑温降不下来</b>" * 200

    answer = client.post(f"/o/{world.token(order)}/answer", data={"revision": "1", "action": "decline", "remark": long})

    assert answer.status_code == 422
    assert "&lt;b&gt;窑温降不下来&lt;/b&gt;" in answer.text
    assert "<b>窑温" not in answer.text
    assert world.order(order.id).status is Status.ISSUED


def test_a_reason_goes_to_the_desk_and_the_order_stands_until_it_rules(
    world: World, client: FlaskClient, order: Order
) -> None:
    page = press(client, world.token(order), Action.DECLINE, remark="窑温须三天才能降下来")

    assert world.order(order.id).status is Status.DECLINED
    assert "窑温须三天才能降下来" in page
    assert "指令仍然有效" in page


def test_an_enterprise_cannot_comply_where_a_unit_needs_coordination(
    world: World, client: FlaskClient, order: Order
) -> None:
    unit = next(one for one in world.orders() if world.recipient(one).kind.value == "unit")

    assert "无法执行" in client.get(f"/o/{world.token(order)}").text
    assert "需协调" in client.get(f"/o/{world.token(unit)}").text
    assert "无法执行" not in client.get(f"/o/{world.token(unit)}").text


def revised(world: World) -> Order:
    """An order whose measures changed with the upgrade."""
    decision = world.bulletin(Level.ORANGE)
    assert decision is not None
    world.sign(decision, by="lj-approver3")
    return next(one for one in world.orders() if one.asks_from == 2 and world.recipient(one).sample)


def test_a_revision_shows_first_what_was_added_and_dropped(world: World, client: FlaskClient, order: Order) -> None:
    changed = revised(world)

    page = client.get(f"/o/{world.token(changed)}").text

    assert page.index("这次有什么变化") < page.index("您需要做什么")
    assert "第 1 次修订" in page
    assert "新增措施" in page


def test_an_answer_to_the_old_revision_is_kept_and_the_new_one_is_shown(
    world: World, client: FlaskClient, order: Order
) -> None:
    changed = revised(world)

    page = press(client, world.token(changed), Action.ACKNOWLEDGE, revision=1)

    assert "指令刚刚有了新的内容" in page
    assert "答复已经留存" in page
    assert 'name="revision" value="2"' in page
    assert world.order(changed.id).status is Status.ISSUED
    with world.store.reading() as tx:
        rows = tx.connection.execute(select(AnswerRow.revision).where(AnswerRow.order_id == changed.id)).all()
    assert [row.revision for row in rows] == [1]


def test_where_only_the_level_changed_no_new_answer_is_asked_for(
    world: World, client: FlaskClient, order: Order
) -> None:
    for one in world.orders():
        world.answer(one)
    revised(world)
    same = next(one for one in world.orders() if one.revision == 2 and one.asks_from == 1)

    page = client.get(f"/o/{world.token(same)}").text

    assert "级别有变化，您的措施不变" in page
    assert "已收到" in page


def test_an_extension_says_that_all_stays_and_never_that_the_level_changes(
    world: World, client: FlaskClient, order: Order
) -> None:
    world.deliver()
    longer = world.bulletin(Level.YELLOW, action="extend", expected_end_at=world.now + timedelta(days=4))
    assert longer is not None
    world.sign(longer, by="lj-approver3")
    world.deliver()

    page = client.get(f"/o/{world.token(order)}").text
    text = world.phone.to(world.recipient(order).contacts[0].phone)[-1].text

    assert "级别和您的措施都不变" in page
    assert "级别有变化" not in page
    assert text.startswith(longer.notice.number)
    assert "黄色（Ⅲ级）响应继续执行，至" in text
    assert "转为" not in text


def test_a_lifted_order_asks_only_whether_all_is_normal_again(world: World, client: FlaskClient, order: Order) -> None:
    world.released()
    token, revision = world.token(order), world.order(order.id).revision

    page = client.get(f"/o/{token}").text

    assert "应急已解除" in page
    assert re.findall(r'name="action" value="(\w+)"', page) == ["resume"]
    assert "已登记恢复" in press(client, token, Action.RESUME, revision=revision)


def test_an_answer_that_meets_a_lift_is_kept_and_reopens_nothing(
    world: World, client: FlaskClient, order: Order
) -> None:
    world.released()

    page = press(client, world.token(order), Action.ACKNOWLEDGE, revision=world.order(order.id).revision)

    assert "不需要再做什么" in page
    assert world.order(order.id).status is Status.LIFTED


def test_a_withdrawn_order_says_it_is_void_and_has_no_button(world: World, client: FlaskClient, order: Order) -> None:
    decision = world.bulletin(Level.NONE, action="withdraw", effective_at=world.now)
    assert decision is not None
    world.sign(decision, by="lj-approver3")

    page = client.get(f"/o/{world.token(order)}").text

    assert "指令已撤回" in page
    assert "<button" not in page


def test_an_expired_link_says_so_and_whom_to_call(world: World, client: FlaskClient, order: Order) -> None:
    world.clock.forward(days=61)

    answer = client.get(f"/o/{world.token(order)}")
    pressed = client.post(f"/o/{world.token(order)}/answer", data={"revision": "1", "action": "acknowledge"})

    assert answer.status_code == pressed.status_code == 410
    assert "链接已过期" in answer.text
    assert 'href="tel:' in answer.text
    assert world.order(order.id).status is Status.ISSUED


def test_a_link_that_was_taken_back_says_so_and_answers_nothing(
    world: World, client: FlaskClient, order: Order
) -> None:
    with world.store.transactions() as tx:
        tx.connection.execute(update(LinkRow).where(LinkRow.order_id == order.id).values(revoked_at=world.now))

    pressed = client.post(f"/o/{world.token(order)}/answer", data={"revision": "1", "action": "acknowledge"})

    assert pressed.status_code == 410
    assert "链接已停用" in pressed.text
    assert world.order(order.id).status is Status.ISSUED


@pytest.mark.parametrize("token", [NOBODYS, "short", "A" * 17, "……", "%00" * 4, "A" * 15 + "!", "A" * 900])
def test_unknown_and_malformed_links_get_one_and_the_same_page(client: FlaskClient, order: Order, token: str) -> None:
    one, other = client.get(f"/o/{NOBODYS}"), client.get(f"/o/{token}")

    assert one.status_code == other.status_code == 404
    assert one.data == other.data
    assert client.post(f"/o/{token}/answer", data={"revision": "1", "action": "acknowledge"}).status_code == 404


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"revision": "1"},
        {"revision": "1", "action": "lift"},
        {"revision": "1", "action": "exempt"},
        {"revision": "-1", "action": "acknowledge"},
        {"revision": "１", "action": "acknowledge"},
        {"revision": "9", "action": "acknowledge"},
        {"revision": "9" * 40, "action": "acknowledge"},
        {"revision": "0", "action": "acknowledge"},
    ],
)
def test_a_form_that_is_not_ours_changes_nothing_and_breaks_nothing(
    world: World, client: FlaskClient, order: Order, form: dict[str, str]
) -> None:
    before = counted(world)

    answer = client.post(f"/o/{world.token(order)}/answer", data=form)

    assert answer.status_code == 422
    assert "没有看懂这个答复" in answer.text
    assert counted(world) == before


def test_opening_the_address_an_answer_went_to_shows_the_order_and_answers_nothing(
    world: World, client: FlaskClient, order: Order
) -> None:
    answer = client.get(f"/o/{world.token(order)}/answer", follow_redirects=True)

    assert order.number in answer.text
    assert world.order(order.id) == order


def test_one_link_can_be_opened_only_so_often_and_the_others_still_open(
    world: World, client: FlaskClient, order: Order
) -> None:
    first, second = world.token(order), world.token(order, 1)

    seen = [client.get(f"/o/{first}").status_code for _ in range(31)]

    assert seen[29] == 200
    assert seen[30] == 429
    assert client.get(f"/o/{second}").status_code == 200


def test_the_token_is_in_no_log_even_when_something_breaks(
    world: World, app: Flask, client: FlaskClient, order: Order, caplog: pytest.LogCaptureFixture
) -> None:
    token = world.token(order)
    app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False

    with caplog.at_level(logging.DEBUG):
        for _ in range(32):  # until the limit is told of, too
            client.get(f"/o/{token}")
        del app.jinja_env.filters["moment"]  # no order page can be made any more
        app.jinja_env.cache.clear()
        client.get(f"/o/{world.token(order, 1)}")

    assert "Exception on" in caplog.text
    assert token not in caplog.text
    assert world.token(order, 1) not in caplog.text


def test_a_replay_says_so_on_every_one_of_its_pages(world: World, system: System, order: Order) -> None:
    legend = "本次为历史数据推演"
    client = create_app(replace(system, rules=replace(world.rules, label="推演", origin=legend))).test_client()

    for token in (world.token(order), NOBODYS):
        page = client.get(f"/o/{token}").text
        assert "【推演】" in page
        assert legend in page


def test_english_is_complete_but_for_what_people_wrote(world: World, client: FlaskClient, order: Order) -> None:
    page = client.get(f"/o/{world.token(order)}?lang=en").text

    assert "What you have to do" in page
    assert ">Received</button>" in page
    assert order.duties[0].text_en in page


def test_a_reason_with_everything_in_it_breaks_no_page(world: World, client: FlaskClient, order: Order) -> None:
    nasty = "{{7*7}} %s {0} <script>alert(1)</script> \u202e ' \" & 、"

    page = press(client, world.token(order), Action.DECLINE, remark=nasty)

    assert "<script>alert" not in page
    assert "{{7*7}} %s {0} &lt;script&gt;" in page


def test_the_answer_of_a_second_contact_carries_their_own_name(world: World, client: FlaskClient, order: Order) -> None:
    world.begun(order)

    press(client, world.token(order, 1), Action.START)

    kept = world.order(order.id)
    assert kept.acknowledged_by == world.recipient(order).contacts[1].name
    assert kept.started_at == world.now


def test_until_a_release_takes_effect_the_page_says_when_and_what_binds_till_then(
    world: World, client: FlaskClient, order: Order
) -> None:
    world.begun(order)
    release = world.bulletin(Level.NONE, action="release", effective_at=world.now + timedelta(hours=5))
    assert release is not None
    world.sign(release, by="lj-approver3")
    token = world.token(order)

    page = client.get(f"/o/{token}").text
    resumed = press(client, token, Action.RESUME, revision=2)
    settled = press(client, token, Action.SETTLE, revision=2)

    assert "解除已签发" in page
    assert "应急已解除" not in page
    assert all(duty.text in page for duty in order.duties)
    assert 'value="resume"' not in page
    assert "解除尚未生效" in resumed
    assert "答复已经记录" in settled
    assert world.order(order.id).in_place_at == world.now
    world.clock.forward(hours=5)
    assert "应急已解除" in client.get(f"/o/{token}").text
    assert "已登记恢复" in press(client, token, Action.RESUME, revision=2)


def test_before_anything_begins_only_received_can_be_said(world: World, client: FlaskClient, order: Order) -> None:
    token = world.token(order)

    page = client.get(f"/o/{token}").text
    early = press(client, token, Action.SETTLE)

    assert 'name="action" value="acknowledge"' in page
    assert 'value="settle"' not in page
    assert "措施还没有开始" in early
    assert "起还有措施开始执行" in early
    assert world.order(order.id).status is Status.ACKNOWLEDGED


def test_what_a_change_still_to_come_will_end_is_on_the_list_of_what_is_to_be_done(
    world: World, client: FlaskClient
) -> None:
    world.activated(Level.ORANGE)
    order = world.order_of("柳州地区水泥厂")
    decision = world.bulletin(Level.YELLOW, action="downgrade", effective_at=world.now + timedelta(hours=20))
    assert decision is not None
    world.sign(decision, by="lj-approver3")
    held = world.order(order.id).ending

    before = client.get(f"/o/{world.token(order)}").text
    world.clock.forward(hours=21)
    after = client.get(f"/o/{world.token(order)}").text

    def listed(page: str) -> str:
        return page[page.index('<h2 id="duties">') : page.index("</ol>")]

    assert held
    assert all(duty.text in listed(before) for duty in held)
    assert not [duty for duty in held if duty.text in listed(after)]
