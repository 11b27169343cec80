"""plans and assess as an outside program calls them: one JSON document, or one readable line and the right exit."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from emergency.__main__ import main

ROOT = Path(__file__).resolve().parents[2]


def said(capsys, *args):
    """Exit code, standard output and standard error of one command."""
    try:
        code = main([*args])
    except SystemExit as left:
        code = int(left.code or 0)
    out = capsys.readouterr()
    return code, out.out, out.err


def assessed(capsys, *args):
    code, out, err = said(capsys, "assess", *args, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


@pytest.mark.parametrize(
    ("days", "level", "response"),
    [
        ("210,310,220", "red", 1),
        ("160,170,180", "orange", 2),
        ("500", "yellow", 3),
        ("210,140,210", "yellow", 3),
        ("210,220,150,310", "orange", 2),
        ("90", "none", None),
    ],
)
def test_assess_prints_level_grounds_days_and_the_nearest_level(capsys, days, level, response):
    found = assessed(capsys, "--plan", "mee-2024", "--days", days, "--from", "2026-01-10")

    assert (found["level"], found["response_level"]) == (level, response)
    assert found["grounds"]
    assert found["days"][0]["day"] == "2026-01-10"
    assert [one["aqi"] for one in found["days"]] == [int(one) for one in days.split(",")]
    assert {"level", "missing"} <= set(found["nearest"])


def test_the_nearest_level_above_red_is_nothing(capsys):
    found = assessed(capsys, "--plan", "mee-2024", "--days", "210,310,220")

    assert found["nearest"]["level"] is None


def test_ozone_days_get_no_level(capsys):
    assert assessed(capsys, "--plan", "mee-2024", "--days", "210,310,220", "--primary", "o3")["level"] == "none"
    dusty = assessed(capsys, "--plan", "mee-2024", "--days", "500", "--primary", "pm10", "--cause", "sand_dust")
    assert dusty["level"] == "none"
    assert assessed(capsys, "--plan", "mee-2024", "--days", "500", "--primary", "pm10")["level"] == "yellow"


def test_days_are_judged_as_given_by_a_plan_that_runs_on_observation(capsys):
    found = assessed(capsys, "--plan", "xa-2014", "--days", "210,220")

    assert found["level"] == "orange"
    assert found["days"][0]["source"] == "observed"


def test_without_json_the_sentence_is_printed_in_both_languages(capsys):
    code, out, _ = said(capsys, "assess", "--plan", "liujiang", "--days", "160,170,180", "--from", "2026-01-10")

    assert code == 0
    assert out.startswith("orange, response level 2\n")
    assert "2026-01-10至2026-01-12连续3天 AQI > 150" in out
    assert "levels.orange.2" in out  # what it rests on without a text


@pytest.mark.parametrize(
    ("args", "code", "word"),
    [
        (("--plan", "nowhere", "--days", "160"), 1, "no plan is called 'nowhere'"),
        (("--plan", "mee-2024", "--days", "99999"), 1, "between 0 and 500"),
        (("--plan", "mee-2024", "--days", "9" * 5000), 1, "between 0 and 500"),
        (("--plan", "mee-2024", "--days=-5,160"), 1, "between 0 and 500"),
        (("--plan", "mee-2024", "--days", "160", "--from", "9999-12-31"), 1, "calendar"),
        (("--plan", "cd-2017", "--days", "160"), 1, "levels.orange"),
        (("--plan", "bj-2012", "--days", "310"), 1, "levels.red"),
        (("--plan", "mee-2024", "--days", "160,abc"), 2, "whole numbers"),
        (("--plan", "mee-2024", "--days", "160.5"), 2, "whole numbers"),
        (("--plan", "mee-2024", "--days", ""), 2, "whole numbers"),
        (("--plan", "mee-2024", "--days", "160,,170"), 2, "whole numbers"),
        (("--plan", "mee-2024", "--days", "１６０"), 2, "whole numbers"),
        (("--plan", "mee-2024", "--days", "160", "--from", "10.01.2026"), 2, "a day like"),
        (("--plan", "mee-2024", "--days", "160", "--from", "2026-02-30"), 2, "a day like"),
        (("--plan", "mee-2024", "--days", "160", "--primary", "dust"), 2, "dust"),
        (("--days", "160"), 2, "--plan"),
        (("--plan", "mee-2024"), 2, "--days"),
    ],
)
def test_bad_input_is_one_clear_line_and_the_right_exit(capsys, args, code, word):
    left, out, err = said(capsys, "assess", *args, "--json")

    assert (left, out) == (code, "")
    assert word in err.splitlines()[-1]
    assert "Traceback" not in err
    if code == 1:
        assert len(err.splitlines()) == 1


def test_list_names_every_plan(capsys):
    code, out, err = said(capsys, "plans", "list", "--json")

    assert (code, err) == (0, "")
    ids = {one["id"]: one for one in json.loads(out)}
    assert len(ids) == 15
    assert ids["liujiang"]["extends"] == "liuzhou"
    assert ids["cd-2017"]["unknown_levels"] == ["blue", "orange", "red"]
    assert "liujiang" in said(capsys, "plans", "list")[1]


def test_check_is_quiet_and_good_on_the_plans_of_the_house(capsys):
    code, out, err = said(capsys, "plans", "check", "--json")

    assert (code, err) == (0, "")
    assert json.loads(out) == {"ok": True, "problems": []}
    assert said(capsys, "plans", "check")[1] == "15 plans hold together\n"


def test_check_names_file_line_and_reason_and_fails(capsys, tmp_path):
    (tmp_path / "bad.yaml").write_text("id: bad\nid: worse\n")

    code, out, err = said(capsys, "plans", "--folder", str(tmp_path), "check", "--json")

    assert code == 1
    assert json.loads(out)["problems"] == [
        {"file": str(tmp_path / "bad.yaml"), "line": 2, "reason": 'found duplicate key "id"'}
    ]
    assert len(err.splitlines()) == 1
    assert "bad.yaml:2" in said(capsys, "plans", "--folder", str(tmp_path), "check")[1]


def test_show_prints_one_plan_with_what_it_does_not_know(capsys):
    code, out, _ = said(capsys, "plans", "show", "cd-2017", "--json")

    found = json.loads(out)
    assert code == 0
    assert found["plan"]["levels"]["yellow"]["any_of"][0]["all_of"][0]["metric"] == "pm2_5"
    assert "levels.red" in found["unknown"]
    code, out, _ = said(capsys, "plans", "show", "liujiang")
    assert code == 0
    assert "ack_deadline_min: 60  [recalled]" in out
    assert said(capsys, "plans", "show", "nowhere")[0] == 1


def test_diff_prints_what_changed(capsys):
    code, out, _ = said(capsys, "plans", "diff", "liuzhou", "liujiang", "--json")

    changes = {one["path"]: (one["before"], one["after"]) for one in json.loads(out)["changes"]}
    assert code == 0
    assert changes["deadlines.ack_deadline_min.value"] == (120, 60)
    assert "deadlines.ack_deadline_min.value: 120 -> 60" in said(capsys, "plans", "diff", "liuzhou", "liujiang")[1]
    assert said(capsys, "plans", "diff", "liuzhou", "nowhere")[0] == 1


@pytest.mark.parametrize(
    "words", [("assess",), ("plans",), ("plans", "list"), ("plans", "check"), ("plans", "show"), ("plans", "diff")]
)
def test_every_word_answers_help(capsys, words):
    code, out, _ = said(capsys, *words, "--help")

    assert code == 0
    assert out.startswith("usage:")


def test_no_word_or_a_wrong_one_is_wrong_usage(capsys):
    assert said(capsys, "plans")[0] == 2
    assert said(capsys, "plans", "burn")[0] == 2


def test_chinese_is_printed_whatever_the_locale_says():
    plain = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

    ran = subprocess.run(
        [sys.executable, "-m", "emergency", "assess", "--plan", "mee-2024", "--days", "210", "--json"],
        cwd=ROOT,
        env=plain,
        capture_output=True,
        check=True,
        timeout=60,
    )

    assert "黄色预警" in json.loads(ran.stdout.decode("utf-8"))["sentence_zh"]
    assert ran.stderr == b""


HEAD = "time,place,pm2_5,pm10,so2,no2,co,o3\n"


def hours_file(tmp_path, *stretches, place="柳州"):
    """Hours from 2025-11-01 00:00 on: stretches of (so many, PM2.5)."""
    figures = [pm for count, pm in stretches for _ in range(count)]
    rows = [f"2025-11-{1 + n // 24:02}T{n % 24:02}:00,{place},{pm},50,10,20,0.8,40\n" for n, pm in enumerate(figures)]
    file = tmp_path / "hours.csv"
    file.write_text(HEAD + "".join(rows), "utf-8")
    return str(file)


@pytest.fixture
def running(tmp_path):
    """A folder with a plan that runs on any 24 hours, and the one on calendar days it is made of."""
    folder = tmp_path / "plans"
    folder.mkdir()
    text = (ROOT / "playbooks" / "plans" / "mee-2024.yaml").read_text("utf-8")
    (folder / "mee-2024.yaml").write_text(text, "utf-8")
    hourly = text.replace("id: mee-2024\n", "id: by-the-hour\n")
    hourly = hourly.replace("\nlevels:\n", "\nruns_on: any_24_hours\nlevels:\n")
    (folder / "by-the-hour.yaml").write_text(hourly, "utf-8")
    return str(folder)


def test_hours_are_judged_by_windows_or_by_days_as_the_plan_runs(capsys, tmp_path, running):
    file = hours_file(tmp_path, (62, 20), (48, 117), (34, 20))

    by_hour = assessed(capsys, "--plan", "by-the-hour", "--folder", running, "--hours", file)
    by_day = assessed(capsys, "--plan", "mee-2024", "--folder", running, "--hours", file)

    assert (by_hour["level"], by_hour["anchor"], by_day["level"]) == ("yellow", 14, "none")
    bad = [one for one in by_hour["windows"] if one["aqi"] > 150]
    assert [one["begins"] for one in bad] == ["2025-11-03T14:00+08:00", "2025-11-04T14:00+08:00"]
    assert bad[-1]["ends"] == "2025-11-05T14:00+08:00"
    assert set(by_hour) - set(by_day) == {"anchor", "windows"}
    assert by_hour["grounds"][0]["holds"]


def test_hours_and_days_of_the_same_air_print_the_same_level_and_days(capsys, tmp_path):
    file = hours_file(tmp_path, (48, 180), (24, 20))

    hours = assessed(capsys, "--plan", "mee-2024", "--hours", file)
    days = assessed(capsys, "--plan", "mee-2024", "--days", "230,230,50", "--from", "2025-11-01")

    assert [(one["day"], one["aqi"]) for one in hours["days"]] == [(one["day"], one["aqi"]) for one in days["days"]]
    assert (hours["level"], hours["sentence_zh"]) == (days["level"], days["sentence_zh"])


def test_hours_of_another_cause_start_no_level(capsys, tmp_path):
    file = hours_file(tmp_path, (72, 180))

    assert assessed(capsys, "--plan", "mee-2024", "--hours", file, "--cause", "wildfire")["level"] == "none"


def test_hours_that_make_no_day_and_days_beside_hours_are_refused(capsys, tmp_path, running):
    file = hours_file(tmp_path, (12, 180))

    code, out, err = said(capsys, "assess", "--plan", "by-the-hour", "--folder", running, "--hours", file)
    assert (code, out) == (1, "")
    assert "no 24 h have enough hours" in err
    assert said(capsys, "assess", "--plan", "mee-2024", "--hours", file, "--days", "160")[0] == 2


@pytest.fixture
def books(tmp_path):
    """The plans and the place of the house, to be spoilt."""
    for name in ("plans", "places", "samples"):
        shutil.copytree(ROOT / "playbooks" / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "old", "new", "line"),
    [
        ("plans/liujiang.yaml", "authority: activates", "authority: issues", 6),
        ("plans/liujiang.yaml", "authority: activates\n", "", 5),  # what it does not say it has from the city's
    ],
)
def test_check_refuses_a_districts_plan_that_issues_warnings(capsys, books, file, old, new, line):
    spoilt = books / file
    spoilt.write_text(spoilt.read_text("utf-8").replace(old, new), "utf-8")

    code, out, _ = said(capsys, "plans", "--folder", str(books / "plans"), "check", "--json")

    (found,) = json.loads(out)["problems"]
    assert (code, found["file"], found["line"]) == (1, str(spoilt), line)
    assert "柳江区" in found["reason"]


def test_check_asks_the_places_that_are_named(capsys, books):
    places = books / "places" / "liuzhou.yaml"
    places.write_text(places.read_text("utf-8").replace("plan_id: liujiang", "plan_id: liuzhou"), "utf-8")
    house = str(ROOT / "playbooks" / "plans")

    assert said(capsys, "plans", "--folder", house, "check")[0] == 0
    code, out, _ = said(capsys, "plans", "--folder", house, "check", "--places", str(books / "places"))

    assert (code, out.count("may not")) == (1, 1)
    assert "liuzhou.yaml:6:" in out
