"""The duty desk: what holds, what comes next, who is silent; two people for each decision, and a scan beside it."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from emergency.domain.episode import Decision, Move, Phase, Standing
from emergency.domain.level import Level
from emergency.domain.messages import Never
from emergency.domain.orders import Action, Status
from emergency.errors import Missing
from emergency.store import attachments, desk, desk_orders
from emergency.system import System
from emergency.web import chart, ordering, showing
from emergency.web.showing import clock_words
from tests.web.conftest import SignedIn, token_in
from tests.world import CITY, DISTRICT, PASSWORD, START, World

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
PDF = b"%PDF-1.4\n" + b"a made-up scan\n" * 20


def words_of(page: str) -> str:
    """What a reader sees of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<(style|script).*?</\1>", " ", page, flags=re.S)))


def part(page: str, start: str, end: str = "</section>") -> str:
    """The page from a mark to the next."""
    return page[page.index(start) :].partition(end)[0]


def latest(world: World, decision: Decision) -> Decision:
    """The decision as it stands now."""
    with world.store.reading() as tx:
        return tx.decision(decision.id)


# --- now


def test_an_empty_desk_says_what_is_missing_and_where_to_start(signed_in: SignedIn) -> None:
    page = signed_in("lj-duty").get("/console").text

    assert "还没有空气数据" in page
    assert "没有进行中的应急过程" in page
    assert "还没有下达指令" in page
    assert 'href="/console/bulletins/new' in part(page, 'class="next"', "</div>")


def test_a_suggestion_is_shown_as_not_in_force_beside_what_the_rule_says(world: World, signed_in: SignedIn) -> None:
    world.forecast(210, 220, 160)

    page = signed_in("city-duty").get("/console").text
    sides = part(page, 'class="sides"', 'class="next"')

    assert sides.index("规则怎么说") < sides.index("人怎么定")
    assert "建议，尚未生效" in sides
    assert 'class="side unsigned"' in sides
    assert page.count("button primary") == 1
    assert "核对规则建议" in part(page, 'class="next"', "</div>")


def test_a_level_is_word_shape_and_colour_together(world: World, signed_in: SignedIn) -> None:
    world.activated()

    strip = part(signed_in("lj-duty").get("/console").text, 'class="strip"')

    assert re.search(r'class="level level-yellow big"><i aria-hidden="true">▲</i> 黄色 Ⅲ级', strip)


def test_a_level_that_does_not_hold_yet_is_not_said_to_hold(world: World, signed_in: SignedIn) -> None:
    world.activated()
    browser = signed_in("lj-duty")

    assert "起生效" in part(browser.get("/console").text, 'class="strip"')
    world.clock.forward(hours=8)
    assert "起生效" not in part(browser.get("/console").text, 'class="strip"')


def test_the_next_deadline_counts_down_and_says_when_it_has_passed(world: World, signed_in: SignedIn) -> None:
    decision = world.put_forward(world.forecast(210, 220, 160)[0])
    browser = signed_in("city-duty")

    assert "还剩" in part(browser.get("/console").text, 'class="strip"')
    world.clock.turn_to(decision.decide_by + timedelta(minutes=5))
    assert "已超 5 分钟" in part(browser.get("/console").text, 'class="strip"')


def test_the_answers_add_up_to_the_orders(world: World, signed_in: SignedIn) -> None:
    episode = world.activated()
    some = world.orders()
    world.acknowledge_all(some[:5])
    world.answer(some[5], Action.DECLINE, remark="窑炉不能急停")
    world.begun(some[6])
    world.answer(some[6], Action.SETTLE)

    with world.store.reading() as tx:
        counted = desk.counted(desk.answers(tx, episode.id))[""]
    page = signed_in("lj-duty").get("/console").text

    assert sum(counted.values()) == len(some)
    assert (counted["acknowledged"], counted["declined"], counted["in_place"]) == (5, 1, 1)
    assert counted["sent"] == len(some) - 7
    assert re.search(r"status=declined[^>]*><b>1</b>", page)


def test_sent_is_never_shown_as_delivered(world: World) -> None:
    episode = world.activated()
    order = world.orders()[0]

    def buckets() -> dict[str, int]:
        with world.store.reading() as tx:
            return desk.counted(desk.answers(tx, episode.id))[""]

    assert buckets()["delivered"] == 0
    message = next(one for one in world.phone.sent if one.order_id == order.id)
    with world.store.transactions() as tx:
        tx.outbox.note_receipt(
            "sms", f"r-{message.id}", message_id=message.id, says="delivered", civil=world.now, wall=world.wall.now()
        )
    assert buckets()["delivered"] == 1


def test_the_silent_are_named_once_the_ladder_has_begun(world: World, signed_in: SignedIn) -> None:
    world.activated()
    browser = signed_in("lj-duty")
    assert "没有超时未回应的单位" in browser.get("/console").text

    world.acknowledge_all(world.orders()[1:])
    world.forward(minutes=40)
    page = browser.get("/console").text

    silent = world.recipient(world.orders()[0]).name
    assert silent in part(page, "未回应名单", "<details")
    assert "联系 1 家未回应单位" in page


def test_a_feed_that_fails_or_refuses_records_is_shown_with_its_reason(world: World, signed_in: SignedIn) -> None:
    wall = world.wall.now()
    with world.store.transactions() as tx:
        columns = {"kind": "forecast", "every_s": 600, "tried_at": wall, "talked_at": None, "news_at": None}
        tx.keep_feed("bureau", **columns, failures=4, because="connection refused")
        tx.keep_refused("bureau", "a" * 64, [("柳州 2015-02-12", "-5", "below zero")], now=world.now)
    browser = signed_in("lj-duty")

    now, feeds = browser.get("/console").text, browser.get("/console/feeds").text

    assert "连续失败 4 次" in now
    assert "connection refused" in now
    assert "拒收 1 条" in now
    assert "below zero" in feeds


def test_a_silent_feed_is_not_shown_as_well(world: World, signed_in: SignedIn) -> None:
    long_ago = world.wall.now() - timedelta(hours=2)
    with world.store.transactions() as tx:
        columns = {"kind": "forecast", "every_s": 600, "tried_at": long_ago, "talked_at": long_ago, "news_at": long_ago}
        tx.keep_feed("bureau", **columns, failures=0, because="")

    assert "已静默 2 小时" in signed_in("lj-duty").get("/console").text


def test_many_lines_of_one_moment_are_told_once(world: World, signed_in: SignedIn) -> None:
    world.activated()

    page = words_of(signed_in("lj-duty").get("/console").text)

    assert f"下达指令 × {len(world.orders())}" in page


def test_the_page_works_without_a_script(signed_in: SignedIn) -> None:
    page = signed_in("lj-duty").get("/console").text

    assert '<noscript><meta http-equiv="refresh"' in page
    assert "onclick" not in page
    assert not re.search(r"\sstyle=", page)


def test_a_replay_says_so_on_every_page(app: Flask, world: World, signed_in: SignedIn, system: System) -> None:
    object.__setattr__(system.rules, "label", "推演")  # the rules of this test only
    object.__setattr__(system.rules, "origin", "柳州 2015 年 2 月的实况")
    browser = signed_in("lj-duty")

    for path in ("/console", "/console/orders", "/console/episodes", "/console/nope", "/public"):
        assert "推演" in browser.get(path).text, path
    assert "柳州 2015 年 2 月的实况" in browser.get("/console").text


# --- deciding


def test_the_way_of_a_suggestion_through_two_people(world: World, signed_in: SignedIn) -> None:
    decision = world.forecast(210, 220, 160)[0]
    duty, approver = signed_in("city-duty"), signed_in("city-approver3")
    path = f"/console/decisions/{decision.id}"

    page = duty.get(path).text
    form = {
        "csrf_token": token_in(page), "level": "orange", "number": "柳气预警〔2015〕9号", "reason": "连续污染",
        "contact": "值班室 00010000001", "effective_at": "2015-02-09T00:00", "open_ended": "1",
    }  # fmt: skip
    assert duty.post(f"{path}/put-forward", data=form).status_code == 303
    put = latest(world, decision)
    assert (put.standing, put.notice.number, put.level) == (Standing.PROPOSED, "柳气预警〔2015〕9号", Level.ORANGE)
    assert put.notice.effective_at is not None
    assert put.notice.effective_at.isoformat() == "2015-02-08T16:00:00+00:00"

    page = approver.get(path).text
    content = re.search(r'name="content" value="(\w{64})"', page)
    assert content
    signed = approver.post(
        f"{path}/sign", data={"csrf_token": token_in(page), "content": content[1], "password": PASSWORD}
    )

    assert signed.status_code == 303
    assert latest(world, decision).standing is Standing.APPROVED
    assert world.episode(CITY).phase is Phase.ACTIVE
    assert world.deliver()


def test_a_wrong_password_signs_nothing(world: World, signed_in: SignedIn) -> None:
    decision = world.put_forward(world.forecast(210, 220, 160)[0])
    browser = signed_in("city-approver3")
    page = browser.get(f"/console/decisions/{decision.id}").text
    form = {"csrf_token": token_in(page), "content": decision.content_sha, "password": "guess"}

    answer = browser.post(f"/console/decisions/{decision.id}/sign", data=form)

    assert answer.status_code == 422
    assert "密码不正确，没有签发" in answer.text
    assert latest(world, decision).standing is Standing.PROPOSED


def test_what_is_signed_is_what_was_read(world: World, signed_in: SignedIn) -> None:
    decision = world.put_forward(world.forecast(210, 220, 160)[0])
    browser = signed_in("city-approver3")
    page = browser.get(f"/console/decisions/{decision.id}").text
    form = {"csrf_token": token_in(page), "content": "0" * 64, "password": PASSWORD}

    answer = browser.post(f"/console/decisions/{decision.id}/sign", data=form)

    assert "内容已变化" in answer.text
    assert latest(world, decision).standing is Standing.PROPOSED


def test_whoever_proposed_sees_why_they_cannot_sign(world: World, signed_in: SignedIn) -> None:
    world.forecast(210, 220, 160)
    decision = world.propose(Move.ACTIVATE, Level.YELLOW, by="city-approver3", override_because="会商意见")

    page = signed_in("city-approver3").get(f"/console/decisions/{decision.id}").text

    assert "提出人不能审批自己的建议" in page
    assert '/sign"' not in page


def test_a_rank_too_low_is_told_so_and_has_no_button(world: World, signed_in: SignedIn) -> None:
    decision = world.put_forward(world.forecast(310, 320, 310, 330)[0])
    assert decision.rank_needed > 1

    page = signed_in("city-approver1").get(f"/console/decisions/{decision.id}").text

    assert "审批权限不足" in page
    assert '/sign"' not in page


def test_a_blank_is_named_and_blocks_the_signature(world: World, signed_in: SignedIn) -> None:
    decision = world.put_forward(world.forecast(210, 220, 160)[0], changes={"contact": ""})
    browser = signed_in("city-approver3")

    page = browser.get(f"/console/decisions/{decision.id}").text

    assert "还有空缺，不能签发：联系方式" in re.sub(r"\s+", "", words_of(page)).replace("，", "，")
    assert re.search(r'<button class="button primary large" disabled aria-describedby="blanks">', page)
    form = {"csrf_token": token_in(page), "content": decision.content_sha, "password": PASSWORD}
    assert browser.post(f"/console/decisions/{decision.id}/sign", data=form).status_code == 422


def test_the_button_says_what_happens_to_how_many(world: World, signed_in: SignedIn) -> None:
    decision = world.bulletin(Level.YELLOW)
    assert decision is not None

    page = signed_in("lj-approver3").get(f"/console/decisions/{decision.id}").text
    told = re.search(r"签发：启动 黄色 ▲ Ⅲ级，通知 (\d+) 家", page)
    world.sign(decision, by="lj-approver3")

    assert told
    assert int(told[1]) == len(world.orders())


def test_enter_never_signs(world: World, signed_in: SignedIn) -> None:
    """A browser that gets Enter presses a form's first submit button; a disabled one cannot be pressed."""
    decision = world.put_forward(world.forecast(210, 220, 160)[0])
    page = signed_in("city-approver3").get(f"/console/decisions/{decision.id}").text

    for form in re.findall(r"<form[^>]*/console/decisions[^>]*>.*?</form>", page, flags=re.S):
        first = re.search(r"<button[^>]*>", form)
        assert first
        assert "disabled" in first[0]


def test_looking_at_a_proposal_changes_nothing(world: World, signed_in: SignedIn) -> None:
    decision = world.put_forward(world.forecast(210, 220, 160)[0])
    browser = signed_in("city-approver3")
    with world.store.reading() as tx:
        before = tx.connection.exec_driver_sql("SELECT count(*) FROM journal").scalar()

    for _ in range(2):
        browser.get(f"/console/decisions/{decision.id}")

    with world.store.reading() as tx:
        assert tx.connection.exec_driver_sql("SELECT count(*) FROM journal").scalar() == before
    assert latest(world, decision).version == decision.version


def test_the_grounds_show_every_comparison_and_every_day(world: World, signed_in: SignedIn) -> None:
    decision = world.forecast(210, 220, 160)[0]

    page = signed_in("city-duty").get(f"/console/decisions/{decision.id}").text

    assert page.count("成立</span>") == len(decision.assessment["comparisons"])  # type: ignore[arg-type]  # a list
    assert page.count("预报 bureau") >= 3
    assert "参数待核" in page
    for path in decision.doubtful:
        assert path in page


def test_a_return_needs_its_reason(world: World, signed_in: SignedIn) -> None:
    decision = world.put_forward(world.forecast(210, 220, 160)[0])
    browser = signed_in("city-approver3")
    path = f"/console/decisions/{decision.id}"
    token = token_in(browser.get(path).text)

    assert "请写明退回理由" in browser.post(f"{path}/return", data={"csrf_token": token, "because": " "}).text
    assert browser.post(f"{path}/return", data={"csrf_token": token, "because": "依据不足"}).status_code == 303
    assert latest(world, decision).decided_because == "依据不足"
    assert "依据不足" in browser.get(path).text


def test_another_level_than_the_rules_needs_a_reason_and_keeps_what_was_typed(
    world: World, signed_in: SignedIn
) -> None:
    decision = world.forecast(210, 220, 160)[0]
    browser = signed_in("city-duty")
    path = f"/console/decisions/{decision.id}"
    form = {
        "csrf_token": token_in(browser.get(path).text), "level": "red", "number": "柳气预警〔2015〕77号",
        "reason": "加强",
        "contact": "值班室", "effective_at": "2015-02-09T00:00", "expected_end_at": "2015-02-11T00:00",
    }  # fmt: skip

    refused = browser.post(f"{path}/put-forward", data=form)

    assert refused.status_code == 422
    assert "请写明理由" in refused.text
    assert "柳气预警〔2015〕77号" in refused.text
    accepted = browser.post(f"{path}/put-forward", data={**form, "override_because": "会商认为将更重"})
    assert accepted.status_code == 303
    assert "会商认为将更重" in browser.get(path).text


def test_an_end_is_either_a_time_or_said_to_be_open(world: World, signed_in: SignedIn) -> None:
    decision = world.forecast(210, 220, 160)[0]
    browser = signed_in("city-duty")
    path = f"/console/decisions/{decision.id}"
    form = {
        "csrf_token": token_in(browser.get(path).text), "level": "orange", "number": "1", "reason": "x",
        "contact": "x", "effective_at": "2015-02-09T00:00", "expected_end_at": "",
    }  # fmt: skip

    assert "请填写时间：预计结束时间" in browser.post(f"{path}/put-forward", data=form).text


# --- by hand


def test_a_district_is_offered_no_level_of_its_own(signed_in: SignedIn) -> None:
    page = signed_in("lj-duty").get("/console/propose").text

    assert 'value="activate"' not in page
    assert "/console/bulletins/new" in page
    assert "无权自行向社会发布预警" in page


def test_a_district_that_asks_for_a_level_anyway_is_refused(signed_in: SignedIn) -> None:
    browser = signed_in("lj-duty")
    form = {
        "csrf_token": token_in(browser.get("/console/propose").text), "area": DISTRICT, "move": "activate",
        "level": "yellow", "effective_at": "2015-02-09T00:00", "open_ended": "1", "reason": "x",
    }  # fmt: skip

    answer = browser.post("/console/propose", data=form)

    assert answer.status_code == 422
    assert "无权自行发布" in answer.text


def test_only_the_moves_of_the_machine_are_offered(world: World, signed_in: SignedIn) -> None:
    browser = signed_in("city-duty")
    assert 'value="release"' not in browser.get("/console/propose").text

    world.decide(world.forecast(210, 220, 160)[0])
    page = browser.get("/console/propose").text

    assert 'value="release"' in page
    assert 'value="activate"' not in page


def test_a_proposal_by_hand_waits_for_another_person(world: World, signed_in: SignedIn) -> None:
    world.forecast(120, 110, 100)
    browser = signed_in("city-duty")
    form = {
        "csrf_token": token_in(browser.get("/console/propose").text), "area": CITY, "move": "activate",
        "level": "yellow", "effective_at": "2015-02-09T00:00", "expected_end_at": "2015-02-11T00:00",
        "reason": "会商意见", "override_because": "本地积累快于预报",
    }  # fmt: skip

    answer = browser.post("/console/propose", data=form)

    assert answer.status_code == 303
    page = browser.get(answer.headers["Location"]).text
    assert "本地积累快于预报" in page
    assert "您的角色不能审批" in page


# --- bulletins


def bulletin_form(**changes: object) -> dict[str, object]:
    """A bulletin as typed from the paper; change one thing."""
    return {
        "area": DISTRICT, "number": "柳气预警〔2015〕3号", "issuer": "柳州市应急指挥部办公室", "action": "activate",
        "level": "yellow", "areas_covered": CITY, "issued_at": "2015-02-08T16:50", "received_at": "2015-02-08T17:00",
        "effective_at": "2015-02-09T00:00", "open_ended": "1", "reason": "依据会商",
        "scan": (io.BytesIO(PNG), "notice.png"), **changes,
    }  # fmt: skip


def test_a_bulletin_with_its_scan_becomes_a_proposal(world: World, system: System, signed_in: SignedIn) -> None:
    duty, approver = signed_in("lj-duty"), signed_in("lj-approver3")
    form = bulletin_form(csrf_token=token_in(duty.get("/console/bulletins/new").text))

    answer = duty.post("/console/bulletins/new", data=form)

    assert answer.status_code == 303
    page = approver.get(answer.headers["Location"]).text
    assert "柳气预警〔2015〕3号" in page
    scan = re.search(r'<img class="scan" src="([^"]+)"', page)
    assert scan
    shown = approver.get(scan[1])
    assert shown.data == PNG
    assert shown.headers["Content-Disposition"].startswith("inline")
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert shown.mimetype == "image/png"
    shown.close()
    assert signed_in("sample-kiln").get(scan[1]).status_code == 403


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"scan": (io.BytesIO(b"MZ not a picture"), "notice.png")}, "扫描件须为"),
        ({"scan": (io.BytesIO(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "notice.svg")}, "扫描件须为"),
        ({"number": " "}, "缺少必填内容"),
        ({"action": ""}, "请选择通知的事项"),
        ({"level": ""}, "请选择预警级别"),
        ({"areas_covered": "450300"}, "未覆盖本区"),
        ({"received_at": "2015-02-08T16:00"}, "先后有误"),
        ({"open_ended": "", "expected_end_at": "2015-02-08T20:00"}, "早于生效时间"),
        ({"open_ended": ""}, "请填写时间"),
        ({"issued_at": "yesterday"}, "请填写时间：发布时间"),
    ],
)
def test_a_bulletin_that_does_not_hold_together_comes_back_with_the_reason(
    signed_in: SignedIn, changes: dict[str, object], because: str
) -> None:
    browser = signed_in("lj-duty")
    form = bulletin_form(csrf_token=token_in(browser.get("/console/bulletins/new").text), **changes)
    if isinstance(form["scan"], tuple):
        form["scan"] = (io.BytesIO(form["scan"][0].getvalue()), form["scan"][1])

    answer = browser.post("/console/bulletins/new", data=form)

    assert answer.status_code == 422
    assert because in answer.text
    assert "柳州市应急指挥部办公室" in answer.text  # what was typed stays


def test_a_scan_too_large_is_refused(signed_in: SignedIn) -> None:
    browser = signed_in("lj-duty")
    token = token_in(browser.get("/console/bulletins/new").text)

    def sent(size: int) -> int:
        form = bulletin_form(csrf_token=token, scan=FileStorage(io.BytesIO(PNG + b"\0" * size), "a.png"))
        boundary, body = encode_multipart(form)
        kind = f"multipart/form-data; boundary={boundary}"
        return browser.post("/console/bulletins/new", data=body, content_type=kind).status_code

    assert sent(1024) == 303
    assert sent(attachments.MOST_BYTES) == 422
    assert sent(13 * 1024 * 1024) == 413


def test_a_file_is_kept_once_under_its_hash(system: System) -> None:
    first, again = (attachments.keep(system.settings.data_dir, PDF) for _ in range(2))

    assert first == again
    assert first.content_type == "application/pdf"
    assert attachments.kept_at(system.settings.data_dir, first.sha256).read_bytes() == PDF


@pytest.mark.parametrize("name", ["../../etc/passwd", "0" * 63, "G" * 64, "0" * 64, ""])
def test_a_name_that_is_no_hash_finds_no_file(system: System, name: str) -> None:
    with pytest.raises(Missing):
        attachments.kept_at(system.settings.data_dir, name)


# --- orders


def test_orders_are_filtered_sorted_and_paged_by_the_server(world: World, signed_in: SignedIn) -> None:
    episode = world.activated()
    some = world.orders()
    world.acknowledge_all(some[:3])
    browser = signed_in("lj-duty")

    def names(query: str) -> list[str]:
        page = browser.get(f"/console/orders?episode={episode.id}&{query}").text
        return re.findall(r'<th scope="row"><a href="/console/orders/[^"]+">([^<]+)</a>', page)

    assert len(names("")) == 50
    assert len(names("page=999")) == 0
    assert set(names("status=acknowledged")) == {world.recipient(one).name for one in some[:3]}
    assert names("sort=-number") != names("sort=number")
    assert names("q=水泥厂") == ["柳州地区水泥厂"]
    assert names("q=%25") == []  # a wildcard is a letter like any other
    assert all(area == f"{DISTRICT}.sandu" for area in areas_of(world, names(f"town={DISTRICT}.sandu")))


def areas_of(world: World, names: list[str]) -> list[str]:
    """Where the recipients of these names are."""
    return [one.area for order in world.orders() if (one := world.recipient(order)).name in names]


def test_a_figure_leads_to_exactly_its_orders(world: World, signed_in: SignedIn) -> None:
    world.activated()
    world.acknowledge_all(world.orders()[:7])
    world.forward(minutes=40)
    browser = signed_in("lj-duty")

    for path, figure in re.findall(r'href="([^"]+status=\w+[^"]*)"><b[^>]*>(\d+)</b>', browser.get("/console").text):
        listed = browser.get(path.replace("&amp;", "&")).text
        assert re.search(rf'<small class="hint">{figure} 条</small>', listed), path


def test_a_table_for_a_spreadsheet_holds_no_formula(world: World, signed_in: SignedIn) -> None:
    episode = world.activated()
    order = world.orders()[0]
    world.answer(order, Action.DECLINE, remark='=HYPERLINK("http://elsewhere.example","点我")')

    answer = signed_in("lj-duty").get(f"/console/orders?episode={episode.id}&format=csv")
    rows = list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))

    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert len(rows) == len(world.orders()) + 1
    assert all(cell[:1] not in ("=", "+", "@", "-") for row in rows for cell in row)
    assert any(cell.startswith("'=HYPERLINK") for row in rows for cell in row)


@pytest.mark.parametrize("said", ["=1+1", "+86", "-1", "@a", "\t=1", " =1", "\r=1", "|calc"])
def test_a_cell_a_spreadsheet_would_run_is_made_plain(said: str) -> None:
    assert ordering.plain_cell(said).startswith("'")


def test_a_plain_cell_stays_as_it_is() -> None:
    assert ordering.plain_cell("柳州地区水泥厂") == "柳州地区水泥厂"


def test_free_text_cannot_break_a_page(world: World, signed_in: SignedIn) -> None:
    world.activated()
    order = world.orders()[0]
    world.answer(order, Action.DECLINE, remark="<script>alert(1)</script>", by='"><img src=x onerror=alert(1)>')

    for path in (f"/console/orders/{order.id}", "/console", f"/console/episodes/{order.episode_id}"):
        page = signed_in("lj-duty").get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_a_failed_message_shows_its_attempts_and_can_be_sent_again(world: World, signed_in: SignedIn) -> None:
    world.phone.fates = [Never("the number does not exist")]
    world.activated()
    with world.store.reading() as tx:
        failed = next(
            one for order in world.orders() for one in desk_orders.file(tx, order.id).sent
            if one.message.state.value == "failed"
        )  # fmt: skip
    path = f"/console/orders/{failed.message.order_id}"
    browser = signed_in("lj-duty")

    page = browser.get(path).text
    assert "送出失败" in page
    assert "the number does not exist" in page
    form = {"csrf_token": token_in(page), "because": "号码已更正"}
    again = browser.post(f"/console/messages/{failed.message.id}/again", data=form)

    assert again.status_code == 303
    assert world.deliver() == 1
    assert "送出失败" not in browser.get(path).text


def test_a_reminder_by_hand_goes_to_every_contact(world: World, signed_in: SignedIn) -> None:
    world.activated()
    order = world.an_order()
    browser = signed_in("lj-duty")
    token = token_in(browser.get(f"/console/orders/{order.id}").text)
    before = len(world.phone.sent)

    assert browser.post(f"/console/orders/{order.id}/chase", data={"csrf_token": token}).status_code == 303
    world.deliver()

    assert len(world.phone.sent) - before == len([one for one in world.recipient(order).contacts if one.phone])


def test_an_answer_that_came_first_makes_the_reminder_needless(world: World, signed_in: SignedIn) -> None:
    world.activated()
    order = world.an_order()
    browser = signed_in("lj-duty")
    token = token_in(browser.get(f"/console/orders/{order.id}").text)
    world.answer(order)

    answer = browser.post(f"/console/orders/{order.id}/chase", data={"csrf_token": token})

    assert answer.status_code == 422
    assert "对方已答复，无需催办" in answer.text


def test_a_ruling_needs_its_reason_and_settles_the_objection(world: World, signed_in: SignedIn) -> None:
    world.activated()
    order = world.orders()[0]
    world.answer(order, Action.DECLINE, remark="窑炉不能急停")
    browser = signed_in("lj-duty")
    path = f"/console/orders/{order.id}"
    page = browser.get(path).text
    assert "窑炉不能急停" in page
    token = token_in(page)

    refused = browser.post(f"{path}/ruling", data={"csrf_token": token, "ruling": "exempt", "because": ""})
    unchosen = browser.post(f"{path}/ruling", data={"csrf_token": token, "because": "x"})
    ruled = browser.post(f"{path}/ruling", data={"csrf_token": token, "ruling": "exempt", "because": "属实"})

    assert (refused.status_code, unchosen.status_code, ruled.status_code) == (422, 422, 303)
    assert world.order(order.id).status is Status.EXEMPTED


def test_an_order_shows_what_each_revision_changed(world: World, signed_in: SignedIn) -> None:
    world.activated()
    raised = world.bulletin(Level.RED)
    assert raised is not None
    world.sign(raised, by="lj-approver3")
    order = next(one for one in world.orders() if one.revision > 1 and one.asks_from == one.revision)

    page = signed_in("lj-duty").get(f"/console/orders/{order.id}").text

    assert "第 2 版" in page
    assert 'class="added"' in page


def test_a_task_is_done_once(world: World, signed_in: SignedIn) -> None:
    world.decide(world.forecast(210, 220, 160)[0])
    browser = signed_in("city-duty")
    page = browser.get("/console/tasks").text
    path = re.search(r'action="(/console/tasks/[^"]+/done)"', page)
    assert path

    first = browser.post(path[1], data={"csrf_token": token_in(page)}, follow_redirects=True)
    again = browser.post(path[1], data={"csrf_token": token_in(page)}, follow_redirects=True)

    assert "已记为完成" in first.text
    assert "该任务已完成" in again.text


def test_what_is_not_there_is_said_to_be_missing(signed_in: SignedIn) -> None:
    browser = signed_in("lj-duty")

    for path in ("episodes", "orders", "decisions"):
        answer = browser.get(f"/console/{path}/{uuid4()}")
        assert answer.status_code == 404
        assert "没有这个页面" in answer.text
    assert browser.get("/console/orders?episode=nonsense").status_code == 404
    assert browser.get("/console/orders?page=-3").status_code == 200


# --- how things are said


def test_moments_are_said_as_people_say_them() -> None:
    assert clock_words(START, START) == "今天 17:05"
    assert clock_words(START - timedelta(days=1), START) == "昨天 17:05"
    assert clock_words(START + timedelta(hours=7), START) == "明天 00:05"
    assert clock_words(START + timedelta(days=3), START) == "02-11 17:05"
    assert clock_words(START - timedelta(days=60), START) == "2014-12-10 17:05"


def test_lengths_are_said_in_their_two_largest_words() -> None:
    said = [showing.length(timedelta(**some)) for some in ({"minutes": 42}, {"hours": 3, "minutes": 5}, {"days": 2})]

    assert said == ["42 分钟", "3 小时 5 分钟", "2 天"]


def test_the_chart_tells_sources_apart_by_shape_and_escapes_their_names(app: Flask) -> None:
    today = START.date()
    points = tuple(chart.Point(today + timedelta(days=n), 100 + 50 * n) for n in range(4))
    series = [
        chart.Series("实况", points[:2], observed=True),
        chart.Series("<b>预报", points),
        chart.Series("另一", points),
    ]

    with app.test_request_context():
        drawn = chart.air(series, run={points[2].day}, today=today)

    assert drawn.count("<circle") == 2
    assert drawn.count("<polygon") == 4
    assert 'class="run"' in drawn
    assert "<b>" not in drawn
    assert "&lt;b&gt;预报" in drawn
    for mark in (150, 200, 300):
        assert f">{mark}</text>" in drawn


def test_no_day_draws_no_chart(app: Flask) -> None:
    with app.test_request_context():
        assert chart.air([]) == ""


def test_sources_that_do_not_agree_stand_side_by_side_and_none_is_averaged(world: World, signed_in: SignedIn) -> None:
    world.forecast(90, 80, 70, feed="bureau")
    world.forecast(160, 170, 90, feed="model")

    for path in ("/console", "/console/propose"):
        seen = words_of(part(signed_in("city-duty").get(path).text, 'id="sources"'))
        assert "各来源结论不一致：" in seen
        assert "规则取最高级别，不作平均" in seen
        assert "model 规则据此判断" in seen
        assert "bureau 规则据此判断" not in seen
        assert all(figure in seen for figure in ("90", "160", "170"))


def test_a_decision_says_how_far_ahead_it_was_foreseen_and_a_late_source_is_called_late(
    world: World, system: System, signed_in: SignedIn
) -> None:
    object.__setattr__(system.rules, "forecast_by", 20)  # the rules of this test only
    suggested = next(one for one in world.forecast(90, 210, 220) if one.area == CITY)

    page = signed_in("city-duty").get(f"/console/decisions/{suggested.id}").text
    assert re.search(r"提前 \d 天", words_of(part(page, 'id="lead"', "</p>")))
    assert "迟报" not in signed_in("city-duty").get("/console").text
    world.clock.turn_to(world.now + timedelta(days=2))
    assert "迟报" in words_of(part(signed_in("city-duty").get("/console").text, 'id="sources"'))


def test_one_source_alone_is_said_to_stand_alone(world: World, signed_in: SignedIn) -> None:
    world.forecast(90, 80, 70)

    assert "只有一个预报来源" in signed_in("city-duty").get("/console").text


def test_the_desk_says_when_the_timer_has_stopped_and_leads_from_an_alarm_to_its_orders(
    world: World, signed_in: SignedIn
) -> None:
    world.activated(Level.YELLOW)
    world.sweep()
    client = signed_in("lj-duty")
    assert "后台计时停止" not in client.get("/console?area=450200.450206").text

    with world.store.engine.begin() as connection:
        connection.execute(text("DELETE FROM links"))
        connection.execute(text("DELETE FROM messages WHERE kind = 'order'"))
    world.sweep()
    world.wall.forward(minutes=2)
    page = client.get("/console?area=450200.450206").text

    assert "后台计时停止" in page
    assert f"/console/orders?episode={world.episode().id}" in page
    assert "核查补发" in page
