"""`python -m emergency aqi`: what it prints, what it refuses, and where it says the fault lies."""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from emergency.commands import aqi
from emergency.errors import EmergencyError, Missing

HEADER = "time,place,pm2_5,pm10,so2,no2,co,o3"
CLEAN = "10,20,5,12,0.4,40"

Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Write a table, run the command on it, give back what it printed."""

    def on(table: str | bytes, *options: str) -> str:
        file = tmp_path / "air.csv"
        file.write_bytes(table if isinstance(table, bytes) else table.encode())
        parser = argparse.ArgumentParser()
        aqi.register(parser.add_subparsers())
        args = parser.parse_args(["aqi", str(file), *options])
        assert args.func(args) == 0
        return capsys.readouterr().out

    return on


def table(*rows: str, header: str = HEADER) -> str:
    """A CSV file of these rows."""
    return "".join(f"{row}\n" for row in (header, *rows))


def a_day(date: str, place: str, values: str, hours: range = range(24)) -> list[str]:
    """Hourly rows of one day that are all alike."""
    return [f"{date}T{hour:02}:00,{place},{values}" for hour in hours]


def test_an_hour_is_printed_as_one_object_of_the_promised_shape(run: Run) -> None:
    (hour,) = json.loads(run(table("2026-03-01T08:00,柳东小学,61,80,5,33,0.8,70"), "--json"))

    assert hour == {
        "time": "2026-03-01T08:00", "place": "柳东小学", "standard": "hj633-2026",
        "iaqi": {"pm2_5": 101, "pm10": 72, "so2": 2, "no2": 17, "co": 8, "o3": 22},
        "aqi": 101, "category": "light", "primary": ["pm2_5"], "na_because": None, "missing": [], "beyond": [],
    }


def test_by_date_each_row_gets_the_edition_of_its_day(run: Run) -> None:
    rows = [f"{time},A,61,80,5,33,0.8,70" for time in ("2026-02-28T23:00", "2026-03-01T00:00")]

    found = json.loads(run(table(*rows), "--json"))

    assert [(one["standard"], one["aqi"]) for one in found] == [("hj633-2012", 83), ("hj633-2026", 101)]
    by_end = json.loads(run(table(*rows), "--json", "--stamp", "end"))
    assert [one["standard"] for one in by_end] == ["hj633-2012", "hj633-2012"]  # 00:00 ends the last hour of February


@pytest.mark.parametrize(("standard", "index"), [("hj633-2012", 83), ("hj633-2026", 101)])
def test_a_named_edition_holds_for_every_row(run: Run, standard: str, index: int) -> None:
    rows = [f"{time},A,61,80,5,33,0.8,70" for time in ("2020-01-01T00:00", "2027-01-01T00:00")]

    found = json.loads(run(table(*rows), "--json", "--standard", standard))

    assert [(one["standard"], one["aqi"]) for one in found] == [(standard, index)] * 2


def test_without_json_the_same_is_a_table(run: Run) -> None:
    printed = run(table("2026-03-01T08:00,柳东小学,75,120,5,33,0.8,", "2026-03-01T09:00,柳东小学,10,,5,33,0.8,70"))

    assert list(csv.reader(io.StringIO(printed))) == [
        ["time", "place", "standard", "iaqi_pm2_5", "iaqi_pm10", "iaqi_so2", "iaqi_no2", "iaqi_co", "iaqi_o3", "aqi",
         "category", "primary"],
        ["2026-03-01T08:00", "柳东小学", "hj633-2026", "114", "100", "2", "17", "8", "NA", "114", "light", "pm2_5"],
        ["2026-03-01T09:00", "柳东小学", "hj633-2026", "15", "NA", "2", "17", "8", "22", "NA", "NA", ""],
    ]


def test_equal_primaries_stand_together(run: Run) -> None:
    row = "2020-03-01T08:00,A,75,150,5,33,0.8,40"

    assert json.loads(run(table(row), "--json"))[0]["primary"] == ["pm2_5", "pm10"]
    assert run(table(row)).rstrip().endswith(",100,good,pm2_5+pm10")


@pytest.mark.parametrize("nothing", ["", "NA", " NA "])
def test_an_empty_cell_and_na_are_missing(run: Run, nothing: str) -> None:
    (hour,) = json.loads(run(table(f"2026-03-01T08:00,A,10,20,5,12,{nothing},40"), "--json"))

    assert (hour["iaqi"]["co"], hour["aqi"], hour["category"], hour["primary"]) == (None, None, None, [])
    assert hour["na_because"] == "co missing and no other index above 100 (HJ 633-2026)"


def test_a_slash_is_a_pollutant_never_monitored_by_design(run: Run) -> None:
    (hour,) = json.loads(run(table("2026-03-01T08:00,A,10,20,5,12,/,40"), "--json"))

    assert (hour["iaqi"]["co"], hour["aqi"], hour["missing"]) == (None, 20, [])


def test_decimals_are_taken_exactly_as_written(run: Run) -> None:
    rows = table("2020-01-01T00:00,A,60.5,20,5,12,4.05,40")

    old = json.loads(run(rows, "--json"))[0]["iaqi"]
    new = json.loads(run(rows, "--json", "--standard", "hj633-2026"))[0]["iaqi"]

    assert (old["pm2_5"], old["co"]) == (82, 41)
    assert (new["pm2_5"], new["co"]) == (100, 40)


def test_a_day_is_made_of_its_hours(run: Run) -> None:
    rows = a_day("2026-03-02", "乙", "60,40,5,12,0.4,90") + a_day("2026-03-01", "甲", "61,40,5,12,0.4,170")

    found = json.loads(run(table(*rows), "--json", "--period", "day"))

    assert [(one["time"], one["place"], one["aqi"], one["primary"]) for one in found] == [
        ("2026-03-02", "乙", 100, ["pm2_5"]),
        ("2026-03-01", "甲", 110, ["o3"]),
    ]
    assert found[0]["values"] == {
        "pm2_5": 60, "pm10": 40, "so2": 5, "no2": 12, "co": 0.4, "o3": 90, "o3_8h": 90,
    }


def test_a_day_with_nineteen_hours_has_no_mean_and_says_so(run: Run) -> None:
    rows = a_day("2020-03-01", "A", CLEAN, range(5, 24))

    (day,) = json.loads(run(table(*rows), "--json", "--period", "day"))

    assert day["iaqi"]["pm2_5"] is None
    assert day["because"]["pm2_5"] == "19 of 20 hours"
    assert day["hours"]["pm2_5"] == 19


def test_hours_named_by_their_end_belong_to_the_day_they_lie_in(run: Run) -> None:
    rows = [*a_day("2020-03-01", "A", CLEAN, range(1, 24)), f"2020-03-02T00:00,A,{CLEAN}"]

    found = json.loads(run(table(*rows), "--json", "--period", "day", "--stamp", "end"))

    assert [(one["time"], one["hours"]["co"]) for one in found] == [("2020-03-01", 24)]


def test_columns_may_stand_in_any_order_beside_others(run: Run) -> None:
    header = "city,o3,co,no2,so2,pm10,pm2_5,o3_8h,place,time"

    (hour,) = json.loads(run(table("柳州,40,0.4,12,5,20,10,38,A,2020-03-01 08:00:00", header=header), "--json"))

    assert (hour["aqi"], hour["iaqi"]["o3"], hour["time"]) == (20, 13, "2020-03-01 08:00:00")


def test_a_byte_order_mark_blank_lines_and_windows_line_ends_are_no_fault(run: Run) -> None:
    text = table(f"2020-03-01 8:00,A,{CLEAN}", "", f"2020/3/1 9:00,A,{CLEAN}").replace("\n", "\r\n")

    assert len(json.loads(run(b"\xef\xbb\xbf" + text.encode(), "--json"))) == 2


def test_a_header_alone_is_an_empty_list(run: Run) -> None:
    assert json.loads(run(table(), "--json")) == []


ROW = f"2020-03-01T08:00,A,{CLEAN}"


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (table(header="time,place,pm2_5,pm10,so2,no2,co"), "line 1: column o3 is missing"),
        (table(header=HEADER + ",o3"), "line 1: column o3 is there 2 times"),
        ("", "line 1: the file is empty"),
        (table(ROW, "2020-03-01T09:00,A,abc,20,5,12,0.4,40"), "line 3, column pm2_5: 'abc' is not a number"),
        (table("2020-03-01T09:00,A,10,-1,5,12,0.4,40"), "line 2, column pm10: -1 is negative"),
        (table("2020-03-01T09:00,A,10,20,NaN,12,0.4,40"), "line 2, column so2: 'NaN' is not a number"),
        (table("2020-03-01T09:00,A,10,20,5,inf,0.4,40"), "line 2, column no2: 'inf' is not a number"),
        (table("2020-03-01T09:00,A,10,20,5,1e3,0.4,40"), "line 2, column no2: '1e3' is not a number"),
        (table("2020-03-01T09:00,A,10,20,5,１２,0.4,40"), "line 2, column no2: '１２' is not a number"),
        (table('2020-03-01T09:00,A,10,20,5,"1,200",0.4,40'), "line 2, column no2: '1,200' is not a number"),
        (table("2020-03-01T09:00,A,10,20,5,12,0.4,99999"), "line 2, column o3: 99999 is no concentration but a filler"),
        (table("2020-03-01T09:00,A,9999,20,5,12,0.4,40"), "line 2, column pm2_5: 9999 is no concentration"),
        (table("2020-03-01T09:00,A,10,20,5,12,999.9,40"), "line 2, column co: 999.9 is no concentration"),
        (table("2020-03-01T09:00Z,A,10,20,5,12,0.4,40"), "line 2, column time: '2020-03-01T09:00Z' has an offset"),
        (table("2020-03-01T09:00+08:00,A,10,20,5,12,0.4,40"), "line 2, column time: '2020-03-01T09:00+08:00' has an"),
        (table("2020-02-30T09:00,A,10,20,5,12,0.4,40"), "line 2, column time: '2020-02-30T09:00' is in no calendar"),
        (table("2020-03-01T24:00,A,10,20,5,12,0.4,40"), "line 2, column time: '2020-03-01T24:00' is in no calendar"),
        (table("yesterday,A,10,20,5,12,0.4,40"), "line 2, column time: 'yesterday' is not a time"),
        (table("2020-03-01,A,10,20,5,12,0.4,40"), "line 2, column time: '2020-03-01' is not a time"),
        (table(",A,10,20,5,12,0.4,40"), "line 2, column time: empty"),
        (table("2020-03-01T09:00,,10,20,5,12,0.4,40"), "line 2, column place: empty"),
        (table(ROW) + "2020-03-01T09:00,A,10,2", "line 3, column pm10: 4 cells where there are 8 columns; is the file"),
        (table(ROW + ",7"), "line 2, column o3: 9 cells where there are 8 columns"),
        (table(ROW) + '2020-03-01T09:00,"A,10,20', "line 3: not CSV"),
        ((table(ROW) + f"2020-03-01T09:00,柳东,{CLEAN}\n").encode("gbk"), "line 3: the text is not UTF-8"),
        (table(ROW).encode("utf-16"), "line 1: the text is not UTF-8"),
    ],
)
def test_a_bad_table_is_refused_with_line_and_column(run: Run, bad: str | bytes, says: str) -> None:
    with pytest.raises(EmergencyError) as refused:
        run(bad, "--json")

    words = str(refused.value)
    assert f"air.csv: {says}" in words
    assert "\n" not in words


def test_nothing_is_printed_of_a_table_whose_last_line_is_bad(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(EmergencyError):
        run(table(ROW, "2020-03-01T09:00,A,x,20,5,12,0.4,40"))

    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([ROW, f"2020-03-01T09:00,A,{CLEAN}", ROW], "line 4, column time: A has 2020-03-01T08:00 already in line 2"),
        ([f"2020-03-01T08:30,A,{CLEAN}"], "line 2, column time: 2020-03-01T08:30 is not on the hour"),
    ],
)
def test_a_day_is_not_made_of_doubtful_hours(run: Run, rows: list[str], says: str) -> None:
    with pytest.raises(EmergencyError, match=says):
        run(table(*rows), "--period", "day")


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="no such file"):
        aqi.read_table(tmp_path / "none.csv")
    with pytest.raises(EmergencyError, match="cannot be read"):
        aqi.read_table(tmp_path)


def test_a_wrong_option_is_wrong_usage(run: Run) -> None:
    with pytest.raises(SystemExit) as left:
        run(table(ROW), "--standard", "gb3095")

    assert left.value.code == 2
