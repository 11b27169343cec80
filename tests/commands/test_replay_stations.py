"""`replay --observations FOLDER`: a file for each station, packed or not, is one city; a bad one is named by line."""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emergency.commands import replay
from emergency.commands.packed import LARGEST
from emergency.errors import EmergencyError, Missing
from emergency.plans.plans import PLANS

HEADER = "No,year,month,day,hour,PM2.5,PM10,SO2,NO2,CO,O3,TEMP,station\n"

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plans these tests name and no others."""
    folder = tmp_path_factory.mktemp("plans")
    for name in ("bj-2013", "jjj-2016", "mee-2024"):
        shutil.copy(PLANS / f"{name}.yaml", folder)
    return folder


@pytest.fixture
def run(plans: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Replay what stands there, give back what was printed."""

    def on(path: Path, *options: str, plan: str = "mee-2024") -> str:
        parser = argparse.ArgumentParser()
        replay.register(parser.add_subparsers(dest="command"))
        args = parser.parse_args(
            ["replay", "--plan", plan, "--observations", str(path), "--folder", str(plans), "--json", *options]
        )
        assert args.func(args) == 0
        return capsys.readouterr().out

    return on


def rows(station: str, *days: tuple[int, str], count: int = 24, co: str = "800") -> str:
    """Hours of these days of January 2016, all alike within a day."""
    return "".join(
        f"{day * 24 + hour},2016,1,{day},{hour},{pm2_5},50,10,20,{co},40,-1.8,{station}\n"
        for day, pm2_5 in days
        for hour in range(count)
    )


def packed(file: Path, text: str) -> None:
    file.write_bytes(gzip.compress(text.encode(), mtime=0))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two stations that mirror each other around 180 µg/m³ on three days."""
    some = tmp_path / "stations"
    some.mkdir()
    (some / "README.md").write_text("# where it is from\n", "utf-8")
    (some / "a.csv").write_text(HEADER + rows("a", (1, "20"), (2, "170"), (3, "170"), (4, "170"), (5, "20")), "utf-8")
    packed(some / "b.csv.gz", HEADER + rows("b", (1, "40"), (2, "190"), (3, "190"), (4, "190"), (5, "40")))
    return some


def test_a_folder_of_stations_is_the_city_that_a_table_of_places_is(run: Run, folder: Path, tmp_path: Path) -> None:
    table = "time,place,pm2_5,pm10,so2,no2,co,o3\n"
    for place, low, high in (("a", 20, 170), ("b", 40, 190)):
        for day in range(1, 6):
            pm2_5 = high if day in (2, 3, 4) else low
            table += "".join(f"2016-01-0{day}T{h:02}:00,{place},{pm2_5},50,10,20,0.8,40\n" for h in range(24))
    file = tmp_path / "table.csv"
    file.write_text(table, "utf-8")

    assert run(folder) == run(file)
    found = json.loads(run(folder))
    assert (found["place"], found["places"]) == ("mean of 2 places", ["a", "b"])
    assert [one["aqi"] for one in found["days"]] == [50, 230, 230, 230, 50]
    assert found["warnings"][-1]["level"] == "orange"


def test_carbon_monoxide_of_these_files_is_in_micrograms(run: Run, tmp_path: Path) -> None:
    """14 mg/m³ is an index of 150; read as milligrams it would be beyond every scale."""
    (tmp_path / "a.csv").write_text(HEADER + rows("a", (1, "9"), co="14000"), "utf-8")

    assert [one["aqi"] for one in json.loads(run(tmp_path))["days"]] == [150]


def test_a_station_may_be_spread_over_files_and_one_can_be_chosen(run: Run, folder: Path) -> None:
    (folder / "c.csv").write_text(HEADER + rows("b", (6, "NA"), (7, "30")), "utf-8")

    found = json.loads(run(folder, "--place", "b"))

    assert found["places"] == ["b"]
    assert [one["trigger_aqi"] for one in found["days"]] == [57, 240, 240, 240, 57, 50, 50]
    with pytest.raises(Missing, match="no place is called 'z'; there are a, b"):
        run(folder, "--place", "z")


def test_too_few_hours_and_too_few_stations_give_no_figure(run: Run, folder: Path) -> None:
    """On the 6th one station of two measured; on the 7th both, for 19 hours."""
    (folder / "a-2.csv").write_text(HEADER + rows("a", (6, "90")) + rows("a", (7, "90"), count=19), "utf-8")
    (folder / "b-2.csv").write_text(HEADER + rows("b", (7, "90"), count=19), "utf-8")

    found = json.loads(run(folder))

    assert [one["trigger_aqi"] for one in found["days"][5:]] == [None, None]
    assert found["scores"]["days_without_figure"] == 2


def test_one_file_of_a_station_is_read_as_the_folder_is(run: Run, folder: Path) -> None:
    assert json.loads(run(folder / "b.csv.gz"))["days"] == json.loads(run(folder, "--place", "b"))["days"]


@pytest.mark.parametrize(("plan", "level"), [("bj-2013", "yellow"), ("jjj-2016", "yellow"), ("mee-2024", "orange")])
def test_a_folder_is_replayed_the_same_twice(run: Run, folder: Path, plan: str, level: str) -> None:
    once = run(folder, plan=plan)

    assert once == run(folder, plan=plan)
    assert json.loads(once)["warnings"][-1]["level"] == level


# refusals


def spoilt(text: str, was: str, becomes: str) -> str:
    assert was in text
    return text.replace(was, becomes, 1)


CLOCK = "columns year,month,day,hour"
GOOD = HEADER + rows("c", (1, "20"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (spoilt(GOOD, "2016,1,1,0,20", "2016,1,1,0,x"), "c.csv: line 2, column PM2.5: 'x' is not a number"),
        (spoilt(GOOD, "2016,1,1,3,20", "2016,1,1,3,-1"), "c.csv: line 5, column PM2.5: -1 is negative"),
        (spoilt(GOOD, ",800,", ",9999999,"), "c.csv: line 2, column CO: 9999999 is no concentration but a filler"),
        (spoilt(GOOD, "2016,1,1,3,", "2016,2,30,3,"), f"line 5, {CLOCK}: 2016-2-30-3 is in no calendar"),
        (spoilt(GOOD, "2016,1,1,3,", "2016,1,1,24,"), f"line 5, {CLOCK}: 2016-1-1-24 is in no calendar"),
        (spoilt(GOOD, "2016,1,1,3,", "2016,1,,3,"), f"line 5, {CLOCK}: 2016-1--3 is not a year"),
        (spoilt(GOOD, "-1.8,c", "-1.8, "), "c.csv: line 2, column station: empty"),
        (GOOD[:-9], "c.csv: line 25: 11 cells where there are 13 columns; is the file cut off?"),
        (spoilt(GOOD, "2016,1,1,3,", "2016,1,1,2,"), "c.csv: line 5: c has 2016-01-01T02:00:00 already"),
        (HEADER + rows("a", (1, "20")), "c.csv: line 2: a has 2016-01-01T00:00:00 already"),
        (HEADER, "c.csv: line 2: no hour of any station"),
        ("", "c.csv: line 1: columns No,year,month"),
        (spoilt(GOOD, ",O3,", ",ozone,"), "c.csv: line 1: column ozone more; column O3 missing, unlike a.csv"),
        ("time,place,pm2_5,pm10,so2,no2,co,o3\n", "c.csv: line 1: columns time,place,pm2_5"),
        (spoilt(GOOD, "2016,1,1,3,", '2016,1,"1,3,'), "c.csv: line 5: not CSV"),
    ],
)
def test_a_bad_file_among_good_ones_is_named_by_its_line_and_nothing_is_printed(
    run: Run, folder: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    (folder / "c.csv").write_text(text, "utf-8")

    with pytest.raises(EmergencyError) as refused:
        run(folder)

    assert words in str(refused.value)
    assert str(folder / "c.csv") in str(refused.value)
    assert capsys.readouterr().out == ""


def test_every_file_without_a_column_is_refused_by_the_first(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(spoilt(GOOD, ",O3,", ",ozone,"), "utf-8")

    with pytest.raises(EmergencyError, match=r"a\.csv: line 1: column O3 is missing"):
        run(tmp_path)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (gzip.compress(GOOD.encode(), mtime=0)[:-40], r"line \d+: cannot be unpacked from here on: .*ended before"),
        (b"not packed at all\n", r"line 1: cannot be unpacked from here on: Not a gzipped file"),
        (gzip.compress(b"\n" * (LARGEST + 1), compresslevel=1, mtime=0), r"line \d+: there are more than 67,108,864"),
        (gzip.compress("年\n".encode("gb18030"), mtime=0), r"line 1: the text is not UTF-8"),
    ],
    ids=["cut off", "no gzip", "bomb", "not UTF-8"],
)
def test_a_pack_that_is_broken_or_swells_is_refused_by_its_line(run: Run, folder: Path, raw: bytes, words: str) -> None:
    (folder / "c.csv.gz").write_bytes(raw)

    with pytest.raises(EmergencyError, match=rf"c\.csv\.gz: {words}"):
        run(folder)


def test_a_folder_without_a_station_is_missing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("nothing yet\n", "utf-8")

    with pytest.raises(Missing, match=r"no file of a station in it; they end in \.csv or \.csv\.gz"):
        run(tmp_path)


def test_a_folder_within_is_no_file_and_is_refused(run: Run, folder: Path) -> None:
    (folder / "z.csv").mkdir()

    with pytest.raises(EmergencyError, match=r"z\.csv: cannot be read"):
        run(folder)
