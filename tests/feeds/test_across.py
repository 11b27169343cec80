"""Bulletins whose days lie across the top."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from openpyxl import Workbook

from emergency.domain.forecast import Cause
from tests.feeds.test_workbook import a_workbook, read, refused, rows

DAYS = [date(2026, 1, 11), date(2026, 1, 12), date(2026, 1, 13)]
TOP = ["日期", "1月11日", "1月12日（周一）", "2026-01-13"]
BULLETIN: list[list[object]] = [
    TOP,
    ["AQI范围", "120~150", "150~181", "95"],
    ["空气质量等级", "轻度污染", "中度污染", "良"],
    ["首要污染物", "PM2.5", "PM2.5、PM10", "无"],
    ["PM2.5浓度(μg/m³)", 85, 110, 50],
    ["成因", "", "沙尘", ""],
]


def as_csv(*lines: list[object]) -> bytes:
    """The same lines as Excel writes a CSV."""
    return "\r\n".join(",".join(str(one) for one in line) for line in lines).encode("utf-8-sig")


both = pytest.mark.parametrize("made", [rows, as_csv])
Made = Callable[..., bytes]


@both
def test_days_across_the_top_are_read_like_days_down_the_side(made: Made) -> None:
    found = read(made(*BULLETIN))

    (forecast,) = found.forecasts
    assert [(one.day, one.aqi_low, one.aqi, one.aqi_high) for one in forecast.days] == [
        (DAYS[0], 120, 135, 150),
        (DAYS[1], 150, 166, 181),
        (DAYS[2], None, 95, None),
    ]
    assert [(one.primary, one.pm2_5, one.cause) for one in forecast.days] == [
        (("pm2_5",), 85.0, Cause.PM2_5),
        (("pm2_5", "pm10"), 110.0, Cause.SAND_DUST),
        ((), 50.0, Cause.PM2_5),
    ]
    assert found.refused == ()


@both
@pytest.mark.parametrize("corner", ["城市", "日期", ""])
def test_a_row_for_each_place_holds_its_index(made: Made, corner: str) -> None:
    found = read(made([corner, *TOP[1:]], ["柳州市", "120~150", 165, "中度污染"], ["来宾市", 90, 95, 100]))

    assert {one.place: [day.aqi for day in one.days] for one in found.forecasts} == {
        "柳州": [135, 165, 176],
        "来宾": [90, 95, 100],
    }


@both
def test_places_with_several_rows_each_keep_theirs_apart(made: Made) -> None:
    lines: list[list[object]] = [
        ["城市", "项目", *TOP[1:3]],
        ["柳州市", "AQI", 165, 170],
        ["柳州市", "首要污染物", "PM2.5", "臭氧8小时"],
        ["来宾市", "AQI", 120, 125],
    ]

    found = {one.place: [(day.aqi, day.primary) for day in one.days] for one in read(made(*lines)).forecasts}

    assert found == {"柳州": [(165, ("pm2_5",)), (170, ("o3",))], "来宾": [(120, ()), (125, ())]}


def test_a_title_and_merged_cells_above_and_beside_the_days_are_no_days() -> None:
    def fill(book: Workbook) -> None:
        sheet = book.active
        sheet.title = "预报"
        sheet["A1"] = "柳州市空气质量预报 发布时间：2026年1月10日16时30分"
        sheet.merge_cells("A1:D1")
        for column, said in zip("ABCD", ["城市", "项目", *DAYS], strict=False):
            sheet[f"{column}2"] = said
        sheet["A3"], sheet["B3"], sheet["C3"], sheet["D3"] = "柳州市", "AQI", 165, 170
        sheet["B4"], sheet["C4"] = "首要污染物", "PM2.5"
        sheet.merge_cells("A3:A4")
        sheet["A5"] = "注：预报仅供参考"
        sheet.merge_cells("A5:D5")

    (forecast,) = read(a_workbook(fill)).forecasts

    assert forecast.issued_at == datetime(2026, 1, 10, 8, 30, tzinfo=UTC)
    assert [(one.day, one.aqi, one.primary) for one in forecast.days] == [
        (DAYS[0], 165, ("pm2_5",)),
        (DAYS[1], 170, ()),
    ]


@pytest.mark.parametrize(
    ("made", "cells"),
    [
        (rows, ["Sheet!C2", "Sheet!D2", "Sheet!A3", "Sheet!A4"]),
        (as_csv, ["row 2, column 3", "row 2, column 4", "row 3, column 1", "row 4, column 1"]),
    ],
)
def test_what_is_wrong_is_said_with_row_and_column_and_costs_no_other_day(made: Made, cells: list[str]) -> None:
    lines: list[list[object]] = [
        TOP, ["AQI", 165, "尚可", 501], ["AQI", 1, 1, 1], ["PM2.5(ppb)", 8, 8, 8],
    ]  # fmt: skip

    found = read(made(*lines))

    assert [(one.day, one.aqi, one.pm2_5) for one in found.forecasts[0].days] == [(DAYS[0], 165, None)]
    why = [
        "not a number", "an index runs from 1 to 500", "a second row for the same figure", "another unit than µg/m³",
    ]  # fmt: skip
    assert {one.where: one.reason for one in found.refused} == dict(zip(cells, why, strict=True))


def test_a_formula_below_a_day_is_refused_with_its_cell() -> None:
    assert refused(rows(TOP, ["AQI", 165, "=A1*2", 170])) == [
        ("Sheet!C2", "a formula is not worked out: put its value there")
    ]


def test_a_line_cut_short_is_refused_and_its_days_with_it() -> None:
    found = read(as_csv(TOP, ["AQI", 165, 17]))

    assert found.forecasts == ()
    assert [(one.where, one.reason) for one in found.refused] == [("row 2", "3 cells under 4 headings")]


@both
def test_days_out_of_order_are_refused(made: Made) -> None:
    found = read(made(["日期", "1月12日", "1月11日"], ["AQI", 165, 170]))

    assert [one.day for one in found.forecasts[0].days] == [DAYS[1]]
    assert [one.reason for one in found.refused] == ["out of order: 2026-01-12 stood before it"]


def test_the_day_of_issue_alone_beside_its_word_heads_no_table() -> None:
    (found,) = read(rows(["发布时间", "2026-01-10"], ["AQI", 165])).refused

    assert found.reason == "no sheet has a heading with a day and an index, and rows below it"
