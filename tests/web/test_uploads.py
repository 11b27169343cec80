"""A bulletin uploaded by hand: nothing counts before it was looked at, and what was shown is what is kept."""

from __future__ import annotations

import ast
import hashlib
import io
import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import Workbook
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from emergency.store import desk as questions
from emergency.store import raw
from emergency.system import System
from emergency.web.refusals import REASONS, because
from tests.web.conftest import SignedIn, token_in
from tests.world import World

NEW, KEEP = "/console/uploads/new", "/console/uploads/keep"
FEEDS = Path(__file__).resolve().parents[2] / "emergency" / "feeds"


def a_file(*lines: list[object]) -> bytes:
    """A workbook of these lines."""
    book = Workbook()
    for line in lines:
        book.active.append(line)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def looked(browser: FlaskClient, body: bytes, name: str = "forecast.xlsx") -> tuple[int, str]:
    """Choose the file and read it; the status and the page."""
    form = {
        "csrf_token": token_in(browser.get(NEW).text),
        "source": "自治区中心",
        "number": "第10期",
        "issued_at": "2015-02-08T16:00",
        "file": (io.BytesIO(body), name),
    }
    answer = browser.post(NEW, data=form, content_type="multipart/form-data")
    return answer.status_code, answer.text


def confirmed(browser: FlaskClient, page: str) -> str:
    """Press the button of the page; the page it leads to."""
    hidden = dict(re.findall(r'name="(sha256|source|number|issued_at)" value="([^"]*)"', page))
    answer = browser.post(KEEP, data={"csrf_token": token_in(page), **hidden})
    assert answer.status_code == 303, answer.text
    return browser.get(answer.headers["Location"]).text


def kept(world: World, system: System) -> list[tuple[str, list[int]]]:
    """The forecasts in the rows that somebody uploaded."""
    with world.store.reading() as tx:
        place = system.rules.place_of(tx, world.person("city-duty").area)
        found = tx.latest_forecasts(place, now=world.clock.now())
    return [(one.feed, [day.aqi for day in one.days]) for one in found if one.feed.startswith("上传-")]


GOOD = a_file(
    ["日期", "AQI", "首要污染物"], ["2月9日", "120~150", "PM2.5"], ["2月10日", "=1+1", ""], ["2月11日", 160, ""]
)


def test_a_file_is_shown_first_with_what_was_refused_and_kept_only_when_confirmed(
    world: World, system: System, signed_in: SignedIn
) -> None:
    desk = signed_in("city-duty")

    status, page = looked(desk, GOOD)

    assert status == 200
    assert "120–150" in page
    assert "Sheet!B3" in page
    assert "是公式，系统不计算公式，请改填数值" in page
    assert kept(world, system) == []
    assert "预报已保存" in confirmed(desk, page)
    assert kept(world, system) == [("上传-自治区中心", [135, 160])]
    assert "没有新内容" in confirmed(desk, page)


def test_a_corrected_file_of_the_same_issue_takes_the_place_of_the_first(
    world: World, system: System, signed_in: SignedIn
) -> None:
    desk = signed_in("city-duty")
    confirmed(desk, looked(desk, GOOD)[1])

    corrected = a_file(["日期", "AQI", "首要污染物"], ["2月9日", 230, "PM2.5"])
    assert "预报已保存" in confirmed(desk, looked(desk, corrected)[1])

    assert kept(world, system) == [("上传-自治区中心", [230])]
    assert "更正" in desk.get("/console").text


def test_the_file_lies_by_its_hash_and_the_journal_names_who_put_it_in(world: World, signed_in: SignedIn) -> None:
    desk = signed_in("city-duty")
    confirmed(desk, looked(desk, GOOD)[1])

    with world.store.reading() as tx:
        assert raw.body(tx, hashlib.sha256(GOOD).hexdigest()) == GOOD
        told = [(one.what, one.by) for one in questions.journal(tx, area=world.person("city-duty").area, limit=20)]
    assert ("forecast.laid_by", "city-duty") in told
    assert ("forecast.uploaded", "city-duty") in told


def test_what_cannot_be_read_is_refused_in_chinese_and_leaves_nothing_to_keep(signed_in: SignedIn) -> None:
    desk = signed_in("city-duty")

    for body, why in (
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "旧版 .xls 或加密工作簿"),
        (GOOD[:200], "文件不完整或已损坏"),
        (b"day,price\n2015-02-09,3\n", "缺少 AQI 列"),
    ):
        status, page = looked(desk, body)
        assert status == 422
        assert why in page
        assert f'action="{KEEP}"' not in page


def test_a_file_larger_than_the_door_is_turned_away(signed_in: SignedIn) -> None:
    desk = signed_in("city-duty")

    token = token_in(desk.get(NEW).text)

    def sent(size: int) -> int:
        file = FileStorage(io.BytesIO(b"x" * size), "a.csv")
        form = {"csrf_token": token, "source": "a", "issued_at": "2015-02-08T16:00", "file": file}
        boundary, body = encode_multipart(form)
        return desk.post(NEW, data=body, content_type=f"multipart/form-data; boundary={boundary}").status_code

    assert sent(11 * 1024 * 1024) == 422
    assert sent(13 * 1024 * 1024) == 413


@pytest.mark.parametrize("login", ["lj-duty", "city-approver1", "city-reviewer", "labao-town"])
def test_only_the_duty_officer_of_the_place_puts_its_air_in(login: str, signed_in: SignedIn) -> None:
    browser = signed_in(login)

    assert browser.get(NEW).status_code == 403
    assert NEW not in browser.get("/console/feeds").text


def test_the_templates_are_there_to_take_and_are_read_back(signed_in: SignedIn) -> None:
    desk = signed_in("city-duty")

    for kind in ("xlsx", "csv"):
        body = desk.get(f"/console/uploads/template.{kind}").data
        status, page = looked(desk, body, f"forecast.{kind}")
        assert status == 200, page
    assert desk.get("/console/uploads/template.exe").status_code == 404


def reasons() -> set[str]:
    """Every reason a feed can note, a placeholder where it fills something in."""
    found: set[str] = set()
    for path in FEEDS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or len(node.args) < 3:
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            said = node.args[2]
            if name not in ("refuse", "NotReadable"):
                continue
            if isinstance(said, ast.Constant):
                found.add(str(said.value))
            elif isinstance(said, ast.JoinedStr):
                found.add("".join(str(one.value) if isinstance(one, ast.Constant) else "7" for one in said.values))
    return found - {"7, not JSON"}


def test_every_reason_of_every_feed_has_its_chinese(app: Flask) -> None:
    assert len(reasons()) > 50
    with app.test_request_context():
        assert {one for one in reasons() if not re.search(r"[一-鿿]", because(one))} == set()
    assert all(re.search(r"[一-鿿]", zh) for zh in REASONS.values())
