"""Workbooks as bureaus send them, and those nobody should open."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from emergency.clock import SHANGHAI
from emergency.feeds import Parsed, workbook
from emergency.feeds.table import TEMPLATE, template_xlsx
from tests.feeds.bench import a_feed

OLE, ZIP = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PK\x03\x04"
NOW = datetime(2026, 1, 10, 17, 30, tzinfo=SHANGHAI)


def a_workbook(fill: Callable[[Workbook], None]) -> bytes:
    """A workbook as Excel would save it."""
    book = Workbook()
    fill(book)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def rows(*lines: list[object]) -> bytes:
    """A workbook of one sheet with these lines."""

    def fill(book: Workbook) -> None:
        for line in lines:
            book.active.append(line)

    return a_workbook(fill)


def read(raw: bytes) -> Parsed:
    return a_feed("table").parse(raw, now=NOW)


def refused(raw: bytes) -> list[tuple[str, str]]:
    return [(one.where, one.reason) for one in read(raw).refused]


def with_part(raw: bytes, name: str, body: bytes) -> bytes:
    """The workbook with one part put in, or in place of the one of that name."""
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as before, zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as after:
        for one in before.infolist():
            if one.filename != name:
                after.writestr(one, before.read(one))
        after.writestr(name, body)
    return kept.getvalue()


def a_bulletin(book: Workbook) -> None:
    """A title over everything, a heading of two lines, merged cells, Chinese dates, a remark below."""
    sheet = book.active
    sheet.title = "预报"
    sheet["A1"] = "柳州市环境空气质量预报信息（2026年第10期）"
    sheet.merge_cells("A1:E1")
    sheet["A2"], sheet["B2"], sheet["D2"], sheet["E2"] = "预报日期", "AQI", "首要污染物", "发布时间"
    for span in ("A2:A3", "B2:C2", "D2:D3", "E2:E3"):
        sheet.merge_cells(span)
    sheet["B3"], sheet["C3"] = "下限", "上限"
    sheet["A4"], sheet["B4"], sheet["C4"], sheet["D4"] = date(2026, 1, 11), 150, 180, "细颗粒物(PM2.5)"
    sheet["E4"] = datetime(2026, 1, 10, 16, 30)  # noqa: DTZ001 - as Excel keeps it, without a zone
    sheet["A5"], sheet["B5"], sheet["C5"], sheet["D5"] = "1月12日（周一）", "１６０", 195.0, "PM2.5"
    sheet["A6"] = "注：预报仅供参考"


def test_a_bulletin_under_a_title_with_merged_headings_is_read() -> None:
    found = read(a_workbook(a_bulletin))

    (forecast,) = found.forecasts
    assert forecast.issued_at == datetime(2026, 1, 10, 8, 30, tzinfo=UTC)
    assert [(one.day, one.aqi_low, one.aqi, one.aqi_high, one.primary) for one in forecast.days] == [
        (date(2026, 1, 11), 150, 165, 180, ("pm2_5",)),
        (date(2026, 1, 12), 160, 178, 195, ("pm2_5",)),
    ]
    assert found.refused == ()


def test_a_range_in_one_cell_is_its_middle_with_both_ends() -> None:
    (forecast,) = read(rows(["日期", "AQI范围"], ["1月11日", "120～150"], ["1月12日", "150-181"])).forecasts

    assert [(one.aqi_low, one.aqi, one.aqi_high) for one in forecast.days] == [(120, 135, 150), (150, 166, 181)]


def test_each_place_of_a_table_gets_its_own_forecast() -> None:
    days = [["柳州市", "1月11日", 165], ["来宾市", "1月11日", 170], ["柳州市", "1月12日", 172]]

    found = {one.place: [day.aqi for day in one.days] for one in read(rows(["城市", "日期", "AQI"], *days)).forecasts}

    assert found == {"柳州": [165, 172], "来宾": [170]}


def test_a_formula_is_refused_with_its_cell_and_costs_no_other_row() -> None:
    found = read(rows(["日期", "AQI"], ["1月11日", "=1+1"], ["1月12日", 172]))

    assert [one.aqi for one in found.forecasts[0].days] == [172]
    assert [(one.where, one.value) for one in found.refused] == [("Sheet!B2", "=1+1")]


def test_what_is_wrong_with_a_row_is_said_with_sheet_and_cell() -> None:
    assert refused(rows(["日期", "AQI"], ["1月11日", 165], ["1月12日", "尚可"])) == [("Sheet!B3", "not a number")]


def test_a_day_of_next_month_is_taken_in_the_year_that_is_nearest() -> None:
    at = datetime(2026, 12, 31, 17, 0, tzinfo=SHANGHAI)

    (forecast,) = a_feed("table").parse(rows(["日期", "AQI"], ["1月1日", 165]), now=at).forecasts

    assert forecast.days[0].day == date(2027, 1, 1)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (OLE + b"\x00" * 600, "password"),
        (ZIP + b"cut in the middle", "damaged"),
        (rows(["日期", "AQI"], ["1月11日", 165])[:-300], "damaged"),
        (with_part(rows(["日期", "AQI"]), "xl/vbaProject.bin", b"x"), "macros"),
        (
            with_part(rows(["日期", "AQI"]), "xl/sharedStrings.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
            "a document type",
        ),
        (
            with_part(rows(["日期", "AQI"]), "xl/media/big.bin", b"\x00" * (workbook.BULLETIN.unpacked + 1)),
            "when unpacked",
        ),
        (rows(["时间", "指数"], ["1月11日", 165]), "no sheet has a heading"),
        (rows(*[["日期", "AQI"]] * (workbook.BULLETIN.rows + 1)), "below row"),
    ],
    ids=["old or locked", "no archive", "cut", "macros", "entities", "bomb", "no heading", "too long"],
)
def test_a_workbook_nobody_should_open_is_refused_in_one_clear_line(raw: bytes, why: str) -> None:
    found = read(raw)

    assert found.forecasts == ()
    (one,) = found.refused
    assert why in one.reason


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 3000))
def test_no_bytes_make_the_reader_raise(noise: bytes, at: int) -> None:
    good = a_workbook(a_bulletin)
    at %= len(good)

    for raw in (ZIP + noise, OLE + noise, good[:at] + noise + good[at + len(noise) :]):
        found = read(raw)
        assert found.forecasts or found.refused


def test_the_template_can_be_filled_in_and_read() -> None:
    body = template_xlsx(today=date(2026, 1, 10))
    book = load_workbook(io.BytesIO(body))

    (forecast,) = read(body).forecasts

    assert [one.value for one in book.worksheets[0][1]] == [heading for heading, _ in TEMPLATE]
    assert len(forecast.days) == 3
    assert book.worksheets[0].data_validations.dataValidation  # the words a column takes are offered


def test_words_for_bands_are_taken_with_both_ends_of_the_standard_in_force() -> None:
    lines = [["日期", "空气质量等级"], ["1月11日", "轻度至中度污染"], ["1月12日", "良"], ["1月13日", "妖雾"]]

    found = read(rows(*lines))

    assert [(one.aqi_low, one.aqi, one.aqi_high) for one in found.forecasts[0].days] == [(101, 151, 200), (51, 76, 100)]
    assert [one.where for one in found.refused] == ["Sheet!B4"]


def test_a_remark_merged_over_all_columns_is_no_row() -> None:
    def fill(book: Workbook) -> None:
        for line in (["日期", "AQI", "首要污染物"], ["1月11日", 165, "PM2.5或臭氧"], ["注：仅供参考"]):
            book.active.append(line)
        book.active.merge_cells("A3:C3")

    found = read(a_workbook(fill))

    assert found.refused == ()
    assert found.forecasts[0].days[0].primary == ("pm2_5", "o3")


def test_a_merged_range_as_large_as_a_sheet_is_refused_and_fills_nothing() -> None:
    def fill(book: Workbook) -> None:
        book.active.append(["日期", "AQI"])
        book.active.append(["1月11日", 165])

    raw = a_workbook(fill)
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    merge = b'<mergeCells count="1"><mergeCell ref="A2:XFD1048576"/></mergeCells></worksheet>'

    found = read(with_part(raw, "xl/worksheets/sheet1.xml", sheet.replace(b"</worksheet>", merge)))

    assert [one.reason for one in found.refused] == [f"more than {workbook.BULLETIN.cells} cells"]


def test_milligrams_under_the_heading_become_micrograms_and_an_unknown_unit_is_refused_once() -> None:
    days = [["1月11日", 165, 0.126], ["1月12日", 170, 0.13]]

    milli = read(rows(["日期", "AQI", "PM2.5浓度"], [None, None, "（mg/m³）"], *days))
    other = read(rows(["日期", "AQI", "PM2.5浓度(ppm)"], *days))

    assert [one.pm2_5 for one in milli.forecasts[0].days] == [126.0, 130.0]
    assert [one.pm2_5 for one in other.forecasts[0].days] == [None, None]
    assert [(one.where, one.reason) for one in other.refused] == [("Sheet!C2", "another unit than µg/m³")]


def test_a_first_row_without_a_day_is_refused_by_name_and_not_taken_for_a_line_of_units() -> None:
    assert ("Sheet!A2", "not a day like 2026-01-10") in refused(
        rows(["日期", "AQI", "空气质量等级"], [None, 165, "轻度污染"], ["1月12日", 165, "中度污染"])
    )
    assert ("Sheet!A2", "not a day like 2026-01-10") in refused(
        rows(["日期", "城市", "空气质量等级"], [None, "柳州市", "轻度污染"], ["1月12日", "柳州市", "中度污染"])
    )
