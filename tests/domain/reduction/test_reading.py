"""Rows read into enterprises; a bad cell is named and costs its enterprise, never another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emergency.domain.orders import Category
from emergency.domain.reduction.entries import Caller
from emergency.domain.reduction.reading import read_list
from emergency.domain.reduction.refusals import Why
from emergency.domain.reduction.sheets import Row, Sheet, Unworked
from tests.lists import GROUND, PLAIN, a_line, a_sheet, code, read, the_reasons
from tests.world import DISTRICT


def test_a_good_row_is_an_enterprise() -> None:
    found = read(a_line())

    assert found.refused == ()
    (entry,) = found.entries
    assert (entry.name, entry.code) == ("样例砖厂甲", code(1))
    assert (entry.area, entry.sector) == (f"{DISTRICT}.labao", "brick_kiln")
    assert (entry.grade.letter, entry.grade.scheme, entry.category) == ("C", "mee-2020", Category.LISTED)
    assert entry.callers == (Caller("样例甲", "", "00059990001"),)
    assert entry.lines[0].measures == {"yellow": "进窑砖坯减少50%", "orange": "停1号窑（共2座）", "red": "停产"}


@pytest.mark.parametrize(
    ("other", "where", "why"),
    [
        ({"name": ""}, "A", Why.NO_NAME),
        ({"code": ""}, "B", Why.NO_CODE),
        ({"code": "91"}, "B", Why.CODE_LENGTH),
        ({"town": ""}, "C", Why.NO_TOWN),
        ({"town": "太阳村镇"}, "C", Why.UNKNOWN_TOWN),
        ({"industry": ""}, "D", Why.NO_INDUSTRY),
        ({"grade": "F"}, "E", Why.UNKNOWN_GRADE),
        ({"yellow": Unworked("=A1")}, "F", Why.FORMULA),
        ({"phone": ""}, "J", Why.NO_PHONE),
        ({"phone": "12"}, "J", Why.NOT_A_PHONE),
    ],
)
def test_each_slip_is_named_by_row_column_and_reason_and_the_next_row_stands(
    other: dict[str, object], where: str, why: Why
) -> None:
    found = read(a_line(**other), a_line(name="样例砖厂乙", code=code(2)))

    assert the_reasons(found) == [(2, where, why.name)]
    assert [one.name for one in found.entries] == ["样例砖厂乙"]


def test_a_refusal_says_sheet_row_column_value_and_reason() -> None:
    (told,) = read(a_line(grade="F")).refused

    assert (told.sheet, told.row, told.column, told.value) == ("工业源", 2, "E 绩效等级", "F")
    assert told.reason == "no grade of 2020年版技术指南"


def test_an_enterprise_of_several_lines_is_one_and_its_lines_are_said_by_name() -> None:
    heads = ("企业名称", "信用代码", "乡镇", "行业", "绩效等级", "生产线", "橙色", "颗粒物排放量", "电话")
    first = ("样例厂", code(1), "拉堡镇", "砖瓦窑", "B", "1号窑", "停产", 8, "00059990001")
    second = ("样例厂", code(1), "拉堡镇", "铸造", "C", "2号窑", "减半", 8)
    rows = (
        Row(1, dict(enumerate(heads, 1))),
        Row(2, dict(enumerate(first, 1))),
        Row(3, dict(enumerate(second, 1)), frozenset({1, 2, 3, 8})),  # merged downward
        Row(4, {6: "破碎", 7: "停产"}),
    )
    sheet = Sheet("工业源", rows)

    found = read_list([sheet], GROUND)

    assert found.refused == ()
    (entry,) = found.entries
    assert [(one.name, one.row, one.emitted) for one in entry.lines] == [
        ("1号窑", 2, {"pm": 8.0}), ("2号窑", 3, {}), ("破碎", 4, {}),
    ]  # fmt: skip
    assert entry.grade.letter == "C"
    assert found.rows == 3


def test_rows_of_one_enterprise_that_contradict_each_other_are_refused() -> None:
    found = read(a_line(), a_line(town="三都镇"))

    assert [(one.row, one.why, one.about) for one in found.refused] == [(3, Why.CONTRADICTS, ("拉堡镇",))]
    assert found.entries == ()
    assert found.left_out == {code(1), "样例砖厂甲"}


def test_one_code_of_two_names_and_one_name_of_two_codes_are_refused() -> None:
    assert the_reasons(read(a_line(), a_line(name="样例别厂"))) == [(3, "B", "TWO_NAMES")]
    assert the_reasons(read(a_line(), a_line(code=code(2)))) == [(2, "B", "TWO_CODES"), (3, "B", "TWO_CODES")]


def test_what_is_about_no_enterprise_is_passed_over() -> None:
    found = read(
        list(range(1, 11)), a_line(), ["合计", "", "", "", "", "", "", "3"],
        ["注：虚构样例"], ["填表人：甲"], ["—", "/"],
    )  # fmt: skip

    assert (found.rows, found.refused, len(found.entries)) == (1, (), 1)


def test_half_a_million_empty_rows_with_running_numbers_are_no_enterprises() -> None:
    top = Row(1, dict(enumerate(("序号", *PLAIN), 1)))
    sheet = Sheet("工业源", (top, *(Row(n, {1: n}) for n in range(2, 5000))))

    found = read_list([sheet], GROUND)

    assert (found.rows, found.refused) == (0, ())


PLACED = (*PLAIN, "经度", "纬度", "区县")


@pytest.mark.parametrize(
    ("where", "reasons"),
    [
        ((109.3, 24.2, "柳江区"), []),
        (("109°18′", "24°12′", "柳州市柳江区"), []),
        ((24.2, 109.3, ""), [("K", "SWAPPED")]),
        ((113.3, 23.1, ""), [("K", "OUTSIDE"), ("L", "OUTSIDE")]),
        ((109.3, "", ""), [("L", "HALF_A_PLACE")]),
        (("", "", "鱼峰区"), [("M", "OTHER_AREA")]),
    ],
)
def test_a_place_lies_inside_the_area(where: tuple[object, ...], reasons: list[tuple[str, str]]) -> None:
    found = read_list([a_sheet(PLACED, [*a_line(), *where])], GROUND)

    assert [(column, why) for _, column, why in the_reasons(found)] == reasons


def test_a_site_needs_no_code_and_a_long_stopped_plant_no_measure() -> None:
    heads = (*PLAIN, "企业类别")
    found = read_list(
        [
            a_sheet(
                heads,
                [*a_line(name="样例工地", code="", industry=""), "施工工地"],
                [*a_line(grade="长期停产", yellow="/", orange="/", red="/"), ""],
                [*a_line(name="样例糖厂", code=code(3), industry="制糖", yellow="", orange="", red=""), "保障类"],
            )
        ],
        GROUND,
    )

    assert [(one.name, one.category.value) for one in found.entries] == [
        ("样例工地", "construction_site"), ("样例砖厂甲", "long_stopped"),
    ]  # fmt: skip
    assert the_reasons(found) == [(4, "F", "NOTHING_TO_DO")]


def test_what_a_person_should_look_at_is_taken_and_pointed_at() -> None:
    heads = (*PLAIN, "跟踪落实单位")
    found = read_list(
        [a_sheet(heads, [*a_line(industry="钟表", yellow="视情况停产", orange="限产50%", red=""), "没有的局"])], GROUND
    )

    assert found.refused == ()
    assert [(one.column[0], one.why.name, one.value) for one in found.to_look_at] == [
        ("D", "UNKNOWN_INDUSTRY", "钟表"),
        ("K", "UNKNOWN_TRACKER", "没有的局"),
        ("F", "AMBIGUOUS_MEASURE", "视情况停产"),
        ("G", "NO_BASELINE", "限产50%"),
        ("H", "LEVEL_MISSING", ""),
    ]
    assert found.entries[0].sector == "钟表"


def test_sheets_without_a_table_are_named_and_columns_we_have_no_word_for_are_kept() -> None:
    found = read_list(
        [a_sheet(["封面"], name="封面"), a_sheet((*PLAIN, "台账份数"), [*a_line(), 3])], replace(GROUND, bounds=None)
    )

    assert found.without == ("封面",)
    assert found.entries[0].lines[0].cells["台账份数"] == "3"
    assert found.columns[-1] == "台账份数"
