"""Headings as bureaus word them, of one to three rows, merged or not."""

from __future__ import annotations

import pytest

from emergency.domain.reduction.columns import HEADINGS, heading_of, known_as
from tests.lists import a_line, a_sheet


@pytest.mark.parametrize("key", HEADINGS)
def test_what_we_write_above_a_column_we_read_as_that_column(key: str) -> None:
    assert known_as(HEADINGS[key]) == key


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("企业名称*", "name"), ("统一社会\n信用代码", "code"),
        ("所在乡镇（街道）", "town"),
        ("绩效分级", "grade"),
        ("黄色预警减排措施", "yellow"), ("Ⅱ级响应措施", "orange"), ("红色预警（Ⅰ级）措施", "red"),
        ("三级响应", "yellow"),
        ("橙色预警VOCs减排量（kg/d）", "cut_orange_vocs"), ("黄色预警减排比例", ""),
        ("颗粒物减排比例", ""),
        ("SO2正常排放量", "emitted_so2"), ("烟粉尘排放量（千克/日）", "emitted_pm"),
        ("联系方式", "phone"), ("台账份数", ""),
    ],
)  # fmt: skip
def test_a_heading_is_known_by_its_meaning(said: str, key: str) -> None:
    assert known_as(said) == key


def test_a_heading_of_two_rows_is_read_with_its_groups_and_without_the_title() -> None:
    title = "柳江区应急减排清单"
    sheet = a_sheet(
        [title] * 6,
        ["序号", "基本信息", "基本信息", "应急减排措施", "应急减排措施", "黄色预警减排量"],
        ["序号", "企业名称", "统一社会信用代码", "黄色预警", "橙色预警", "NOx"],
        [1, "样例厂", "", "停产", "停产", 3],
    )

    found = heading_of(sheet)

    assert found is not None
    assert dict(found.columns) == {1: "number", 2: "name", 3: "code", 4: "yellow", 5: "orange", 6: "cut_yellow_nox"}
    assert found.below == 3
    assert found.place(2) == "企业名称"


def test_a_row_of_data_is_never_taken_into_the_heading() -> None:
    sheet = a_sheet(["企业名称", "行业", "红色措施"], ["样例厂", "砖瓦窑", ""], ["样例二厂", "", "停产"])

    found = heading_of(sheet)

    assert found is not None
    assert found.below == 1


def test_a_sheet_that_names_no_enterprises_has_no_heading() -> None:
    assert heading_of(a_sheet(["填写说明"], ["企业名称", "填全称"], a_line())) is None
    assert heading_of(a_sheet()) is None
