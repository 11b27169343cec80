"""Planned reduction by hand: entered, judged, taken back, proposed, in both languages; files without formulas."""

from __future__ import annotations

import csv
import io

import openpyxl
import pytest
from flask import Flask

from emergency.domain.arithmetic_choice import Objective
from emergency.domain.arithmetic_targets import Doubt, Reach
from emergency.domain.reduction.shares import Gap, Way
from emergency.web.arithmetic_words import DOUBTS, GAPS, OBJECTIVES, REACHES, WAYS
from tests.lists import code
from tests.services.test_arithmetic import LIST, entered, figures
from tests.services.test_listing import confirmed, laid
from tests.web.conftest import SignedIn, token_in
from tests.world import World

PAGE = "/console/lists/arithmetic"


def test_without_list_and_base_the_page_says_not_computable_and_never_nought(signed_in: SignedIn) -> None:
    page = signed_in("lj-duty").get(PAGE).text

    assert "还没有现行的减排清单，无法计算" in page
    assert page.count(">无法计算</span>") == 12
    assert ">0.00%" not in page


def test_a_base_is_entered_counts_at_once_and_is_taken_back(world: World, signed_in: SignedIn) -> None:
    confirmed(world, laid(world, LIST))
    duty = signed_in("lj-duty")
    token = token_in(duty.get(PAGE).text)
    form = {"csrf_token": token, "pollutant": "pm", "amount": "1095", "unit": "t/a", "year": "2014", "source": "清单"}

    page = duty.post(PAGE, data=form, follow_redirects=True).text
    assert "1,095.0 t/a" in page
    assert "3,000.0" in page
    assert "10.00%" in page
    assert ">达到</span>" in page
    assert "样例铸造厂" in page
    assert "措施文字没有全部读成数量" in page

    assert duty.post(PAGE, data={**form, "take_back": "1", "source": ""}).status_code == 422
    page = duty.post(PAGE, data={**form, "take_back": "1"}, follow_redirects=True).text
    assert "1,095.0 t/a" not in page
    assert duty.post(PAGE, data={**form, "take_back": "1"}).status_code == 422


@pytest.mark.parametrize(
    "wrong",
    [{"amount": "很多"}, {"amount": "0"}, {"amount": "nan"}, {"year": "20"}, {"unit": "x"}, {"pollutant": "co"}],
)
def test_what_cannot_be_meant_is_refused_and_kept_in_the_form(signed_in: SignedIn, wrong: dict[str, str]) -> None:
    duty = signed_in("lj-duty")
    form = {"pollutant": "pm", "amount": "1", "unit": "t/a", "year": "2014", "source": "某年源清单", **wrong}

    answer = duty.post(PAGE, data={"csrf_token": token_in(duty.get(PAGE).text), **form})

    assert answer.status_code == 422
    assert 'value="某年源清单"' in answer.text


def test_others_look_and_do_not_enter(signed_in: SignedIn) -> None:
    approver = signed_in("lj-approver3")

    assert "录入排放量" not in approver.get(PAGE).text
    assert approver.get(f"{PAGE}?area=450200").status_code == 403
    assert signed_in("labao-town").get(PAGE).status_code == 403


def test_a_set_is_proposed_with_what_cheapest_means_and_what_is_left_out(world: World, signed_in: SignedIn) -> None:
    confirmed(world, laid(world, LIST))
    duty = signed_in("lj-duty")
    asked = f"{PAGE}/cheapest?level=yellow&objective="
    assert "没有一种污染物同时有排放基数和预案比例" in duty.get(f"{asked}loss").text
    entered(world, "pm", 400.0)

    page = duty.get(f"{asked}loss").text
    assert "可以达到：选出 1 家企业" in page
    assert "样例砖厂甲" in page
    assert "样例糖厂（保障类" in page
    assert "这里不是金额" in page
    assert "没有参加测算的污染物" in page

    entered(world, "nox", 90000.0)
    assert "用清单中的措施达不到" in duty.get(f"{asked}fewest").text
    assert duty.get(f"{asked}dear").status_code == 422


def test_the_files_hold_the_same_and_no_cell_is_a_formula(world: World, signed_in: SignedIn) -> None:
    rows_of_list = ({"name": "+SUM(1,2)", "yellow": "-视情况停产"}, 100, 20), ({"name": "@甲", "code": code(2)}, 1, 1)
    confirmed(world, laid(world, figures(*rows_of_list)))
    duty = signed_in("lj-duty")

    book = openpyxl.load_workbook(io.BytesIO(duty.get(f"{PAGE}.xlsx").data))
    rows = list(csv.reader(io.StringIO(duty.get(f"{PAGE}.csv").data.decode("utf-8-sig"))))

    assert book.sheetnames == ["减排比例", "行业和乡镇", "未计入"]
    assert {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row} <= {"s", "n"}
    assert not [cell for row in rows for cell in row if cell[:1] in "=+-@" and cell]
    assert any("无法计算" in row for row in rows)
    assert any(cell.startswith("'+SUM") for row in rows for cell in row)


def test_every_word_of_the_arithmetic_has_its_chinese(app: Flask) -> None:
    assert (set(REACHES), set(DOUBTS), set(GAPS)) == (set(Reach), set(Doubt), set(Gap))
    assert (set(WAYS), set(OBJECTIVES)) == (set(Way), set(Objective))


def test_the_pages_in_english_say_nothing_of_their_own_in_chinese(world: World, signed_in: SignedIn) -> None:
    confirmed(world, laid(world, LIST))
    entered(world, "pm", 400.0)
    duty = signed_in("lj-duty")

    page = duty.get(f"{PAGE}?lang=en").text
    assert "not all of the words came to figures" in page
    assert ">not computable<" in page
    assert "无法" not in page
    page = duty.get(f"{PAGE}/cheapest?level=yellow&objective=loss&lang=en").text
    assert "Within reach: 1 enterprises are chosen." in page
    assert "达到" not in page
