"""A reduction list by hand: nothing counts before it was looked at and another person has confirmed it."""

from __future__ import annotations

import io
import re
from uuid import uuid4

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient

from emergency.domain.reduction.refusals import Refusal, Why
from emergency.store import listing as kept
from emergency.web.listing_words import CHANGES, REASONS, STANDS, why
from tests.lists import a_line, ugly
from tests.services.test_listing import GOOD, a_file, confirmed, laid, names
from tests.web.conftest import SignedIn, token_in
from tests.world import DISTRICT, PASSWORD, World

NEW, KEEP = "/console/lists/new", "/console/lists/keep"


def looked(browser: FlaskClient, body: bytes, name: str = "清单.xlsx", day: str = "2015-02-08") -> tuple[int, str]:
    """Choose the file and read it; the status and the page."""
    token = token_in(browser.get(NEW).text)
    form = {"csrf_token": token, "name": "", "valid_from": day, "file": (io.BytesIO(body), name)}
    answer = browser.post(NEW, data=form, content_type="multipart/form-data")
    return answer.status_code, answer.text


def submitted(browser: FlaskClient, page: str) -> str:
    """Press the button of the page; the address of the version it makes."""
    hidden = dict(re.findall(r'name="(sha256|name|valid_from)" value="([^"]*)"', page))
    answer = browser.post(KEEP, data={"csrf_token": token_in(page), **hidden})
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def signed(browser: FlaskClient, where: str, **other: str) -> tuple[int, str]:
    """Confirm what the page shows; the status and the page that follows."""
    page = browser.get(where).text
    based_on = re.search(r'name="based_on" value="([^"]*)"', page)
    form = {"csrf_token": token_in(page), "based_on": based_on[1] if based_on else "", "password": PASSWORD, **other}
    answer = browser.post(f"{where}/confirmation", data=form, follow_redirects=True)
    return answer.status_code, answer.text


def test_a_list_goes_from_a_look_through_two_people_into_force(world: World, signed_in: SignedIn) -> None:
    duty, approver, before = signed_in("lj-duty"), signed_in("lj-approver3"), names(world)

    status, page = looked(duty, GOOD)
    assert status == 200
    assert "新增 2 家" in page
    assert f"移出 {len(before)} 家" in page
    where = submitted(duty, page)
    assert names(world) == before
    assert f"{where}/confirmation" not in duty.get(where).text

    status, page = signed(approver, where)

    assert status == 200
    assert "清单已确认并启用" in page
    assert names(world) == {"样例砖厂甲", "样例砖厂乙"}
    assert "现行" in duty.get("/console/lists").text


def test_every_refusal_is_said_in_chinese_with_its_place_and_confirmed_expressly(
    world: World, signed_in: SignedIn
) -> None:
    duty, approver = signed_in("lj-duty"), signed_in("lj-approver3")

    _, page = looked(duty, ugly())
    assert "扬尘源 第 3 行" in page
    assert "校验码不符，按GB 32100应为“4”" in page
    assert "视条件而定（“视情况”），不能换算成数量" in page
    where = submitted(duty, page)

    status, page = signed(approver, where)
    assert status == 422
    assert "请勾选“不含未采用的行”后再确认" in page
    assert signed(approver, where, without_refused="1")[0] == 200
    assert len(names(world)) == 5


def test_what_changes_is_said_in_words_and_not_in_codes(world: World, signed_in: SignedIn) -> None:
    confirmed(world, laid(world, GOOD))

    _, page = looked(signed_in("lj-duty"), a_file(a_line(town="三都镇", industry="铸造")))

    text = re.sub(r"<[^>]+>", " ", page)
    assert "拉堡镇" in text
    assert "三都镇" in text
    assert "砖瓦窑" in text
    assert DISTRICT not in text


def test_without_the_password_and_after_another_list_nothing_is_confirmed(world: World, signed_in: SignedIn) -> None:
    one = laid(world, GOOD)
    approver, where = signed_in("lj-approver3"), f"/console/lists/{one.id}"

    status, page = signed(approver, where, password="wrong")
    assert (status, "密码不正确" in page) == (422, True)
    status, page = signed(approver, where, based_on=str(uuid4()))
    assert (status, "差异已变化" in page) == (422, True)
    assert signed(approver, where, based_on="x")[0] == 404


def test_a_version_is_dropped_with_a_reason(world: World, signed_in: SignedIn) -> None:
    one = laid(world, GOOD)
    duty = signed_in("lj-duty")
    where = f"/console/lists/{one.id}"
    form = {"csrf_token": token_in(duty.get(where).text), "because": "文件有误"}

    answer = duty.post(f"{where}/drop", data=form, follow_redirects=True)

    assert "清单已作废" in answer.text
    assert "文件有误" in duty.get(where).text
    assert duty.post(f"{where}/drop", data=form).status_code == 422


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "旧版 .xls 或加密工作簿"),
        (GOOD[:200], "文件不完整或已损坏"),
        (a_file(a_line(grade="F")), "没有读到可采用的企业"),
        (b"", "请选择文件"),
    ],
)
def test_what_is_no_list_is_refused_in_chinese_and_leaves_nothing_to_submit(
    signed_in: SignedIn, body: bytes, told: str
) -> None:
    status, page = looked(signed_in("lj-duty"), body)

    assert status == 422
    assert told in page
    assert f'action="{KEEP}"' not in page


def test_a_list_cannot_count_from_yesterday(signed_in: SignedIn) -> None:
    duty = signed_in("lj-duty")
    _, page = looked(duty, GOOD, day="2015-02-07")
    hidden = dict(re.findall(r'name="(sha256|name|valid_from)" value="([^"]*)"', page))

    answer = duty.post(KEEP, data={"csrf_token": token_in(page), **hidden})

    assert answer.status_code == 422
    assert "启用日期不能早于今天" in answer.text


def test_the_list_and_the_template_are_files(world: World, signed_in: SignedIn) -> None:
    one = confirmed(world, laid(world, GOOD))
    desk = signed_in("lj-reviewer")

    for path in (f"/console/lists/{one.id}/list.xlsx", "/console/lists/template.xlsx"):
        answer = desk.get(path)
        assert answer.status_code == 200
        assert openpyxl.load_workbook(io.BytesIO(answer.data)).sheetnames[0] == "应急减排清单"


@pytest.mark.parametrize("login", ["lj-approver3", "lj-reviewer", "labao-town", "sample-kiln"])
def test_only_the_duty_officer_brings_lists_in(login: str, signed_in: SignedIn) -> None:
    assert signed_in(login).get(NEW).status_code == 403


def test_no_desk_sees_the_list_of_a_desk_above_or_beside(world: World, signed_in: SignedIn) -> None:
    one = laid(world, GOOD)
    with world.store.reading() as tx:
        assert kept.called(tx, one.id).area == DISTRICT

    assert signed_in("city-duty").get(f"/console/lists/{one.id}").status_code == 200
    assert signed_in("labao-town").get(f"/console/lists/{one.id}").status_code == 403


def test_every_reason_stand_and_change_has_its_chinese(app: Flask) -> None:
    assert set(REASONS) == set(Why)
    assert len(STANDS) == 5
    with app.test_request_context("/"):
        for one in Why:
            holes = tuple("甲乙丙"[: one.value.count("{")])
            assert re.search(r"[一-鿿]", why(Refusal("表", 1, "A", "", one, holes)))
    assert all(re.search(r"[一-鿿]", zh) for zh in CHANGES.values())


def test_the_pages_in_english_say_nothing_of_their_own_in_chinese(world: World, signed_in: SignedIn) -> None:
    one = laid(world, ugly())

    page = signed_in("lj-approver3").get(f"/console/lists/{one.id}?lang=en").text

    assert "the check digit does not fit: GB 32100 makes it 4" in page
    assert "Leave out what was refused" in page
    assert "未采用" not in page
