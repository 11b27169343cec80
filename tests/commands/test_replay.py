"""`python -m emergency replay`: what it prints, what it draws, what it refuses and where it says the fault lies."""

from __future__ import annotations

import argparse
import json
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from emergency.commands import replay
from emergency.commands.replay_picture import Row, drawn
from emergency.domain.level import Level
from emergency.errors import EmergencyError, Missing
from emergency.plans.plans import PLANS

AIR = Path(__file__).resolve().parents[2] / "playbooks" / "air"
WEEK = "day,aqi\n" + "".join(
    f"2015-02-{day:02},{aqi}\n" for day, aqi in enumerate((180, 80, 193, 229, 271, 269, 221, 120, 120), 8)
)
HOURS = "time,place,pm2_5,pm10,so2,no2,co,o3\n"
SVG = "{http://www.w3.org/2000/svg}"

Run = Callable[..., str]


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plans these tests name and no others: reading all of them takes longer than a replay."""
    folder = tmp_path_factory.mktemp("plans")
    for name in ("bj-2013", "bj-2016", "cd-2017", "jjj-2016", "mee-2024"):
        shutil.copy(PLANS / f"{name}.yaml", folder)
    return folder


@pytest.fixture
def run(plans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Write a table, replay it, give back what was printed."""

    def on(table: str | Path, *options: str, plan: str = "mee-2024") -> str:
        file = table if isinstance(table, Path) else tmp_path / "air.csv"
        if isinstance(table, str):
            file.write_text(table, "utf-8")
        parser = argparse.ArgumentParser()
        replay.register(parser.add_subparsers(dest="command"))
        words = ["replay", "--plan", plan, "--observations", str(file), "--folder", str(plans), *options]
        args = parser.parse_args(words)
        assert args.func(args) == 0
        return capsys.readouterr().out

    return on


def said(text: str) -> Any:
    """The one JSON document that was printed."""
    return json.loads(text)


def hours(place: str, day: str, pm2_5: str, *, count: int = 24, o3: str = "40") -> str:
    """Hourly rows of one day, all alike."""
    return "".join(f"{day}T{hour:02}:00,{place},{pm2_5},50,10,20,0.8,{o3}\n" for hour in range(count))


def test_the_document_has_the_promised_shape(run: Run) -> None:
    found = said(run(WEEK, "--place", "柳州", "--enterprises", "200", "--json"))

    assert (found["plan"], found["place"]) == ("mee-2024", "柳州")
    last = found["warnings"][-1]
    assert last["level"] == "orange"
    assert last["issued_at"] == "2015-02-09T17:00+08:00"
    assert last["effective_at"] == "2015-02-10T00:00+08:00"
    assert last["ended_at"] == "2015-02-15T00:00+08:00"
    assert last["release_signed_at"] == "2015-02-14T17:00+08:00"
    assert last["grounds"][0]["holds"]
    assert last["grounds"][0]["left"] >= last["grounds"][0]["right"]
    assert found["days"][2] == {
        "date": "2015-02-10", "aqi": 193, "trigger_aqi": 193, "level": "orange", "asked_for": "orange",
    }
    assert found["scores"]["days_at"] == {"none": 4, "yellow": 0, "orange": 5, "red": 0}
    assert found["scores"]["enterprise_days"] == 1000
    assert (found["scores"]["hits"], found["scores"]["misses"], found["scores"]["false_alarms"]) == (5, 0, 0)


def test_without_a_count_of_enterprises_the_cost_is_null(run: Run) -> None:
    assert said(run(WEEK, "--json"))["scores"]["enterprise_days"] is None


@pytest.mark.parametrize("options", [(), ("--json",), ("--forecast", "persistence", "--json")])
def test_a_run_repeated_is_byte_for_byte_the_same(run: Run, options: tuple[str, ...]) -> None:
    file = AIR / "beijing-2016-12.csv"

    assert run(file, *options, plan="bj-2016,mee-2024") == run(file, *options, plan="bj-2016,mee-2024")


def test_several_plans_are_compared_in_their_order(run: Run, tmp_path: Path) -> None:
    file = AIR / "beijing-2016-12.csv"

    table = run(file, plan="bj-2013,jjj-2016,mee-2024").splitlines()
    found = said(run(file, "--json", plan="bj-2013,jjj-2016,mee-2024"))

    assert table[1].split()[:5] == ["plan", "blue", "yellow", "orange", "red"]
    assert [line.split()[:5] for line in table[2:]] == [
        ["bj-2013", "2", "1", "4", "0"], ["jjj-2016", "0", "3", "1", "3"], ["mee-2024", "-", "2", "3", "4"],
    ]
    assert [one["plan"] for one in found["comparison"]] == ["bj-2013", "jjj-2016", "mee-2024"]
    assert [one["plan"] for one in found["plans"]] == ["bj-2013", "jjj-2016", "mee-2024"]
    assert found["comparison"][1]["days_at"]["red"] == 3
    assert found["plans"][1]["warnings"]


def test_the_text_says_levels_hours_and_figures(run: Run) -> None:
    found = run(WEEK, "--enterprises", "3")

    assert "upgrade   orange issued 2015-02-09 17:00  in force 2015-02-10 00:00 to 2015-02-15 00:00" in found
    assert "hits 5, misses 0, false alarms 0" in found
    assert "enterprise-days of restriction 15" in found


def test_a_lowering_is_told_with_the_test_it_rests_on(run: Run) -> None:
    spell = "day,aqi\n" + "".join(
        f"2015-02-{day:02},{aqi}\n" for day, aqi in enumerate((90, 220, 310, 230, 180, 170, 165, 90, 90, 90), 9)
    )

    red, orange = said(run(spell, "--json"))["warnings"][-2:]

    assert (red["level"], orange["level"], orange["step"]) == ("red", "orange", "downgrade")
    assert red["outlived_en"] is None
    assert orange["outlived_en"].startswith("2015-02-13 to 2015-02-14 are not over AQI 200")
    assert said(run(spell, "--json"))["scores"]["downgrades"] == 1
    line = "downgrade orange issued 2015-02-12 17:00  in force 2015-02-13 00:00 to 2015-02-16 00:00"
    assert f"{line}\n    {orange['outlived_zh']}" in run(spell)


def test_a_short_lead_sees_less(run: Run) -> None:
    file = AIR / "beijing-2016-12.csv"

    def red_from(hours: str) -> str:
        found = said(run(file, "--lead-hours", hours, "--json", plan="bj-2016"))
        return next(str(one["issued_at"]) for one in found["warnings"] if one["level"] == "red")

    assert red_from("72") == red_from("49") == "2016-12-18T17:00+08:00"
    assert red_from("48") == "2016-12-19T17:00+08:00"
    assert red_from("120") == "2016-12-16T17:00+08:00"


def test_the_issue_hour_can_be_set(run: Run) -> None:
    assert said(run(WEEK, "--issue-hour", "10", "--json"))["warnings"][0]["issued_at"] == "2015-02-08T10:00+08:00"


# hours


def test_hours_become_days_by_the_edition_in_force(run: Run) -> None:
    """PM2.5 61 is 83 by the edition of 2012 and 101 by that of 2026, in force from 1 March."""
    found = said(run(HOURS + hours("a", "2026-02-28", "61") + hours("a", "2026-03-01", "61"), "--json"))

    assert [one["aqi"] for one in found["days"]] == [83, 101]


def test_several_places_are_one_city_and_one_can_be_chosen(run: Run) -> None:
    table = HOURS + hours("a", "2016-01-01", "100") + hours("b", "2016-01-01", "200")

    city, one = said(run(table, "--json")), said(run(table, "--place", "b", "--json"))

    assert (city["place"], city["days"][0]["aqi"]) == ("mean of 2 places", 200)
    assert city["places"] == ["a", "b"]
    assert (one["place"], one["days"][0]["aqi"]) == ("b", 250)


def test_a_city_with_too_few_stations_has_no_figure_that_day(run: Run) -> None:
    table = HOURS + hours("a", "2016-01-01", "100") + hours("b", "2016-01-01", "100") + hours("a", "2016-01-02", "100")

    found = said(run(table, "--json"))

    assert [one["trigger_aqi"] for one in found["days"]] == [132, None]
    assert found["scores"]["days_without_figure"] == 1


def test_a_day_short_of_hours_has_no_figure(run: Run) -> None:
    table = HOURS + hours("a", "2016-01-01", "100") + hours("a", "2016-01-02", "300", count=19)

    assert [one["trigger_aqi"] for one in said(run(table, "--json"))["days"]] == [132, None]


def test_ozone_starts_no_warning_from_hours(run: Run) -> None:
    found = said(run(HOURS + hours("a", "2016-06-01", "30", o3="300"), "--json"))

    assert found["days"][0]["aqi"] > 200
    assert found["days"][0]["trigger_aqi"] == 50
    assert found["warnings"] == []


def test_ozone_starts_no_warning_from_days_that_carry_the_other_concentrations(run: Run) -> None:
    table = "day,aqi,primary,pm2_5,pm10\n2016-06-01,240,o3,35,50\n2016-06-02,240,pm2_5,190,200\n"

    found = said(run(table, "--json"))

    assert [(one["aqi"], one["trigger_aqi"]) for one in found["days"]] == [(240, 50), (240, 240)]


def test_days_of_ozone_alone_get_an_advisory_where_nothing_else_is_known(run: Run) -> None:
    table = "day,aqi,primary\n" + "".join(f"2025-06-0{day},240,o3\n" for day in range(1, 5))

    assert said(run(table, "--json"))["warnings"] == []


def test_the_lead_of_hours_is_counted_to_the_first_bad_hour(run: Run) -> None:
    day = "".join(f"2016-01-02T{hour:02}:00,a,{20 if hour < 3 else 250},50,10,20,0.8,40\n" for hour in range(24))
    table = HOURS + hours("a", "2016-01-01", "30") + day + hours("a", "2016-01-03", "30")

    assert said(run(table, "--json"))["scores"]["mean_lead_hours"] == 3.0


def test_the_lead_to_an_hour_named_by_its_end_is_counted_to_its_start(run: Run) -> None:
    late = "".join(f"2016-01-02T{hour:02}:00,a,{20 if hour <= 3 else 250},50,10,20,0.8,40\n" for hour in range(1, 24))
    table = HOURS + hours("a", "2016-01-01", "30") + hours("a", "2016-01-02", "250", count=1) + late

    assert said(run(table, "--stamp", "end", "--json"))["scores"]["mean_lead_hours"] == 3.0


def test_an_hour_too_few_stations_measured_begins_no_bad_air(run: Run) -> None:
    table = HOURS + "".join(
        hours(place, day, pm2_5) for place in "ab" for day, pm2_5 in (("2016-01-01", "30"), ("2016-01-02", "250"))
    )
    table = "".join(
        line for line in table.splitlines(keepends=True) if not line.startswith(tuple(
            f"2016-01-02T0{hour}:00,b" for hour in range(4)
        ))
    )

    assert said(run(table, "--json"))["scores"]["mean_lead_hours"] == 4.0


def test_hours_named_by_their_end_belong_to_the_day_before(run: Run) -> None:
    table = HOURS + "".join(f"2016-01-01T{hour:02}:00,a,100,50,10,20,0.8,40\n" for hour in range(1, 24))
    table += "2016-01-02T00:00,a,100,50,10,20,0.8,40\n"

    assert [one["date"] for one in said(run(table, "--stamp", "end", "--json"))["days"]] == ["2016-01-01"]
    assert len(said(run(table, "--json"))["days"]) == 2


def test_the_city_of_the_stations_gives_the_days_of_the_committed_file(run: Run) -> None:
    """Two stations that mirror each other around a mean give the mean's index and the mean's warning."""
    rows = "".join(
        hours("a", f"2016-01-0{day}", str(low)) + hours("b", f"2016-01-0{day}", str(high))
        for day, (low, high) in enumerate([(20, 40), (170, 190), (170, 190), (170, 190), (20, 40), (20, 40)], 1)
    )
    days = "day,aqi\n" + "".join(
        f"2016-01-0{day},{aqi}\n" for day, aqi in enumerate((50, 230, 230, 230, 50, 50), 1)
    )

    ours, theirs = said(run(HOURS + rows, "--json")), said(run(days, "--json"))

    assert [one["trigger_aqi"] for one in ours["days"]] == [one["trigger_aqi"] for one in theirs["days"]]
    assert [one["effective_at"] for one in ours["warnings"]] == [one["effective_at"] for one in theirs["warnings"]]


# archived forecasts


def test_an_archived_forecast_is_heard_on_its_evening(run: Run, tmp_path: Path) -> None:
    archive = tmp_path / "archive.csv"
    archive.write_text("issued_at,day,aqi\n2015-02-08T16:00,2015-02-09,80\n2015-02-08T16:00,2015-02-10,90\n"
                       "2015-02-09T08:00:00+00:00,2015-02-10,260\n2015-02-09T16:00,2015-02-11,260\n", "utf-8")

    found = said(run(WEEK, "--forecast", str(archive), "--json"))

    assert found["forecast"] == "archive.csv"
    assert found["warnings"][0]["issued_at"] == "2015-02-09T17:00+08:00"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("2015-02-08T16:00,2015-02-09,80\n" * 2, "line 3, column day: 2015-02-09 comes twice"),
        ("2015-02-08T16:00,2015-02-07,80\n", "line 2, column day: 2015-02-07 was over when this was issued"),
        ("yesterday,2015-02-09,80\n", "line 2, column issued_at: 'yesterday' is not a time"),
        ("2015-02-08T16:00,2015-02-09,501\n", "line 2, column aqi: '501' is no index"),
    ],
)
def test_a_broken_archive_is_refused_by_line_and_column(run: Run, tmp_path: Path, rows: str, words: str) -> None:
    archive = tmp_path / "archive.csv"
    archive.write_text("issued_at,day,aqi\n" + rows, "utf-8")

    with pytest.raises(EmergencyError) as refused:
        run(WEEK, "--forecast", str(archive))

    assert words in str(refused.value)


# refusals


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("", "the file is empty"),
        ("date,aqi\n2015-02-08,80\n", "line 1: column day is missing; the columns are date,aqi"),
        ("day,aqi\n2015-02-08,80\n2015-02-08,90\n", "line 3, column day: 2015-02-08 comes after 2015-02-08"),
        ("day,aqi\n2015-02-30,80\n", "line 2, column day: '2015-02-30' is not a day"),
        ("day,aqi\n2015-02-08,-1\n", "line 2, column aqi: '-1' is no index"),
        ("day,aqi\n2015-02-08,80.5\n", "line 2, column aqi: '80.5' is no index"),
        ("day,aqi\n2015-02-08,80,7\n", "line 2: 3 cells where there are 2 columns"),
        ("day,aqi,aqi\n2015-02-08,80,80\n", "line 1: column aqi is there 2 times"),
        ("day,aqi,pm2_5\n2015-02-08,80,nan\n", "line 2, column pm2_5: 'nan' is not a concentration"),
        ("day,aqi\n2015-02-08,\n", "there is no day with an index"),
        ("day,place,aqi\n2015-02-08,a,80\n2015-02-09,b,80\n", "line 3, column place: a and b"),
        ('day,aqi\n"2015-02-08,80\n', "line 2: not CSV"),
        (HOURS + hours("a", "2016-01-01", "x"), "line 2, column pm2_5: 'x' is not a number"),
        (HOURS + hours("a", "2016-01-01", "9") * 2, "line 26: a has 2016-01-01T00:00:00 already"),
        ("time,place,pm2_5\n2016-01-01T00:00,a,9\n", "line 1: column pm10 is missing"),
    ],
)
def test_a_broken_table_is_refused_in_a_line_that_names_the_place(
    run: Run, capsys: pytest.CaptureFixture[str], table: str, words: str
) -> None:
    with pytest.raises(EmergencyError) as refused:
        run(table)

    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("table", [HOURS + hours("a", "2016-01-01", "9"), "day,place,aqi\n2016-01-01,a,80\n"])
def test_a_place_the_file_does_not_know_is_missing(run: Run, table: str) -> None:
    with pytest.raises(Missing, match="no place is called 'z'; there are a"):
        run(table, "--place", "z")


def test_a_file_that_is_not_text_is_refused_by_its_line(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "gbk.csv"
    file.write_bytes("day,aqi,primary\n2016-01-01,80,细颗粒物\n".encode("gb18030"))

    with pytest.raises(EmergencyError, match="line 2: the text is not UTF-8"):
        run(file)


def test_files_that_are_not_there_are_missing(run: Run, tmp_path: Path) -> None:
    with pytest.raises(Missing, match="no such file"):
        run(tmp_path / "no-such.csv")
    with pytest.raises(Missing, match="neither perfect nor persistence nor a file"):
        run(WEEK, "--forecast", "no-such.csv")


def test_unknown_plans_and_unknown_cells_are_refused_by_name(run: Run) -> None:
    with pytest.raises(Missing, match="no plan is called 'mee-1999'"):
        run(WEEK, plan="mee-2024,mee-1999")
    with pytest.raises(EmergencyError, match=r"cd-2017: .*levels\.red"):
        run(WEEK, plan="mee-2024,cd-2017")


@pytest.mark.parametrize(
    "options",
    [
        ("--lead-hours", "0"),
        ("--lead-hours", "three"),
        ("--issue-hour", "24"),
        ("--enterprises", "-1"),
        ("--plan", ","),
    ],
)
def test_wrong_usage_leaves_with_two(run: Run, options: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as left:
        run(WEEK, *options)

    assert left.value.code == 2


# the picture


def test_the_picture_has_a_row_for_each_plan_and_says_levels_without_colour(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "levels.svg"

    run(AIR / "beijing-2016-12.csv", "--picture", str(file), plan="bj-2013,jjj-2016,mee-2024")

    root = ET.fromstring(file.read_text("utf-8"))
    texts = [one.text for one in root.iter(f"{SVG}text")]
    assert {"bj-2013", "jjj-2016", "mee-2024", "AQI"} <= set(texts)
    assert texts.count("红") == 2
    titles = [one.text for one in root.iter(f"{SVG}title")]
    assert "jjj-2016 red 2016-12-19 – 2016-12-21" in titles
    tall = {one[0].text: float(one.attrib["height"]) for one in root.iter(f"{SVG}rect") if len(one)}
    assert tall["jjj-2016 red 2016-12-19 – 2016-12-21"] > tall["jjj-2016 orange 2016-12-18 – 2016-12-18"]


def test_the_line_of_the_index_breaks_where_nothing_was_measured() -> None:
    days = [date(2016, 1, day) for day in range(1, 6)]

    picture = drawn("a & b", days, [100, 200, None, 300, None], [Row("p", (Level.NONE,) * 5)])

    root = ET.fromstring(picture)
    lines = [one.attrib["points"].split() for one in root.iter(f"{SVG}polyline")]
    assert [len(set(one)) for one in lines] == [2, 1]


def test_a_picture_that_cannot_be_written_is_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(EmergencyError, match="No such file or directory"):
        run(WEEK, "--picture", str(tmp_path / "nowhere" / "a.svg"))


# a plan that runs on any 24 hours


@pytest.fixture
def by_the_hour(plans: Path) -> str:
    """The national guidance, counting any 24 hours."""
    text = (PLANS / "mee-2024.yaml").read_text("utf-8").replace("id: mee-2024\n", "id: by-the-hour\n")
    (plans / "by-the-hour.yaml").write_text(text.replace("\nlevels:\n", "\nruns_on: any_24_hours\nlevels:\n"), "utf-8")
    return "by-the-hour"


def across_midnight(place: str = "a") -> str:
    """48 bad hours from 14:00 on the 3rd of ten days."""
    return HOURS + "".join(
        f"2025-11-{1 + n // 24:02}T{n % 24:02}:00,{place},{117 if 62 <= n < 110 else 20},50,10,20,0.8,40\n"
        for n in range(240)
    )


@pytest.mark.parametrize(("forecast", "level"), [("perfect", "yellow"), ("persistence", "orange")])
def test_a_plan_on_any_24_hours_is_replayed_in_the_same_shape_and_the_same_twice(
    run: Run, by_the_hour: str, forecast: str, level: str
) -> None:
    printed = run(across_midnight(), "--forecast", forecast, "--json", plan=by_the_hour)
    hourly, daily = said(printed), said(run(across_midnight(), "--forecast", forecast, "--json"))

    assert printed == run(across_midnight(), "--forecast", forecast, "--json", plan=by_the_hour)
    assert (set(hourly), set(hourly["scores"])) == (set(daily), set(daily["scores"]))
    assert [one["level"] for one in hourly["warnings"]] == [level]


def test_hours_archived_then_are_heard_on_their_evening(run: Run, by_the_hour: str, tmp_path: Path) -> None:
    archive = tmp_path / "archive.csv"
    rows = [line.split(",") for line in across_midnight().splitlines()[1:]]
    archive.write_text(
        "issued_at,time,pm2_5\n" + "".join(f"2025-11-03T16:00,{at},{pm}\n" for at, _, pm, *_ in rows[64:]), "utf-8"
    )

    found = said(run(across_midnight(), "--forecast", str(archive), "--json", plan=by_the_hour))

    assert [one["issued_at"] for one in found["warnings"]] == ["2025-11-03T17:00+08:00"]
    archive.write_text("issued_at,time,pm2_5\n" + "2025-11-03T16:00,2025-11-03T17:00,9\n" * 2, "utf-8")
    with pytest.raises(EmergencyError, match=r"line 3, column time: .* comes twice"):
        run(across_midnight(), "--forecast", str(archive), plan=by_the_hour)


def test_stations_speak_for_the_city_hour_by_hour_and_days_alone_are_refused(run: Run, by_the_hour: str) -> None:
    two = across_midnight() + across_midnight("b").removeprefix(HOURS)

    assert [one["level"] for one in said(run(two, "--json", plan=by_the_hour))["warnings"]] == ["yellow"]
    with pytest.raises(EmergencyError, match="any 24 hours"):
        run(WEEK, plan=by_the_hour)
