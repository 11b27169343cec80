"""Plans are read whole or refused by file, line and reason; a lower area may only be stricter."""

import hashlib
import json
from datetime import date
from pathlib import Path
from textwrap import dedent

import pytest

from emergency.domain.level import Level
from emergency.domain.plan import Basis
from emergency.errors import Misconfigured, Missing
from emergency.plans.plan_sheet import schema
from emergency.plans.plans import PLANS, check, diff, load_plans, named, plan_from_text
from emergency.plans.reading import Sheet, Unreadable, read_yaml

IDS = """mee-2024 mee-2018 mep-2017 jjj-2016 bj-2012 bj-2013 bj-2015 bj-2016 bj-2018 bj-2023 sh-2014 xa-2014 cd-2017
liuzhou liujiang"""

GOOD = """\
id: city
name: 示例市重污染天气应急预案
name_en: Sample city plan
authority: issues
sources: {doc: 示例文件}
levels:
  yellow:
    any_of:
      - {all_of: [{over: 200}], basis: text, source: doc}
  red:
    any_of:
      - {all_of: [{over: 200, for_hours: 72}, {over: 300}], basis: text, source: doc}
deadlines:
  ack_deadline_min: {value: 60, basis: text, source: doc}
approval:
  yellow: {rank: 1, title: 主任, within_minutes: 120, basis: text, source: doc}
  red: {rank: 3, title: 指挥长, within_minutes: 60, basis: text, source: doc}
ladder:
  - {step: remind, after_minutes: 30, notify: recipient, by: [sms], basis: text, source: doc}
  - {step: district, after_minutes: 90, notify: district_duty, by: [sms], basis: text, source: doc}
release:
  aqi_not_over: {value: 200, basis: text, source: doc}
  hours_over: {value: 36, basis: text, source: doc}
  whole_days: {value: 2, basis: text, source: doc}
"""
CHILD = """\
id: district
name: 示例区预案
name_en: Sample district plan
extends: city
authority: activates
"""
LADDER = """\
ladder:
  - {{step: a, after_minutes: 20, notify: recipient, by: {ways}, basis: text, source: doc}}
  - {{step: b, after_minutes: 60, notify: town, by: [sms], basis: text, source: doc}}
  - {{step: c, after_minutes: {last}, notify: district_duty, by: [sms], basis: text, source: doc}}
"""

IN_FORCE = "in_force: {%s, basis: text, source: doc}"
WRONG = [
    ("authority: issues", "authority: rules", 4, "authority"),
    ("authority: issues", "authority: issues\nauthority: activates", 5, "duplicate key"),
    ("authority: issues", "authority: issues\ncolour: red", 5, "colour: unknown key"),
    ("authority: issues", f"authority: issues\n{IN_FORCE % 'since: 2024-13'}", 5, "in_force.since"),
    ("authority: issues", f"authority: issues\n{IN_FORCE % 'since: 2024-02-30'}", 5, "out of range for month"),
    ("authority: issues", f"authority: issues\n{IN_FORCE % 'since: 2024-02, until: 2001-01'}", 5, "before 2024-02"),
    ("name_en: Sample city plan\n", "", 1, "name_en: field required"),
    ("id: city", "id: town", 1, "id is 'town'"),
    ("{over: 200}", "{over: '200'}", 9, "over"),
    ("{over: 200}", "{over: 200, at_least: 201}", 9, "exactly one of over, at_least, range"),
    ("{over: 200}", "{range: [300, 201]}", 9, "range runs from the lower"),
    ("{over: 200}", "{over: 200, for_days: 2}", 9, "for_days: unknown key"),
    ("{over: 200}", "{over: 200, for_hours: 0}", 9, "for_hours"),
    ("{over: 200}", "{over: 200, metric: pm1}", 9, "metric"),
    ("source: doc}\n  red", "source: nowhere}\n  red", 9, "'nowhere' is not among sources"),
    ("basis: text, source: doc}\n  red", "basis: sure, source: doc}\n  red", 9, "basis"),
    ("  yellow:\n    any_of:", "  violet:\n    any_of:", 7, "violet"),
    ("{value: 60, basis: text, source: doc}", "{value: 60}", 14, "needs its basis"),
    ("{value: 60, basis: text, source: doc}", "{value: -1, basis: text, source: doc}", 14, "ack_deadline_min"),
    ("{value: 60, basis: text, source: doc}", "{value: true, basis: text, source: doc}", 14, "ack_deadline_min"),
    ("{value: 60, basis: text, source: doc}", "{unknown: true, value: 60}", 14, "unknown: true goes without"),
    ("{value: 60, basis: text, source: doc}", "{}", 14, "needs a value, or unknown: true"),
    ("value: 36", "value: 48", 24, "whole_days are not strictly more than hours_over"),
    ("red: {rank: 3", "red: {rank: 1", 0, ""),
    ("yellow: {rank: 1", "yellow: {rank: 4", 16, "rank"),
    ("after_minutes: 90", "after_minutes: 30", 20, "district does not come after remind"),
    ("step: district", "step: remind", 20, "is there twice"),
    ("for_hours: 72}, {over: 300}", "for_hours: 24}", 9, "a higher level must never be easier"),
]
"""A change of the plan, with the line and a word of what is wrong with it; no word: nothing is."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "city.yaml").write_text(GOOD, "utf-8")
    return tmp_path


def changed(folder: Path, old: str, new: str) -> list[tuple[str, int, str]]:
    """The problems of the city's plan after one change."""
    assert old in GOOD
    (folder / "city.yaml").write_text(GOOD.replace(old, new, 1), "utf-8")
    return [(one.file.name, one.line, one.reason) for one in check(folder)]


def added(folder: Path, text: str) -> list[tuple[str, int, str]]:
    """The problems of a district's plan with these lines after its five."""
    (folder / "district.yaml").write_text(CHILD + dedent(text), "utf-8")
    return [(one.file.name, one.line, one.reason) for one in check(folder)]


def test_every_plan_of_the_house_is_there_and_holds_together():
    assert check() == []
    assert set(load_plans()) == set(IDS.split())


def test_every_threshold_and_number_says_on_what_it_rests():
    for plan in load_plans().values():
        assert all(clause.path in plan.marks for clauses in plan.levels.values() for clause in clauses)
        assert all(name in plan.marks for name in (*plan.numbers, *plan.texts))
        assert {mark.source for mark in plan.marks.values()} <= set(plan.sources)


def test_the_city_and_the_district_claim_no_threshold_they_have_not_read():
    for plan_id in ("liuzhou", "liujiang"):
        plan = load_plans()[plan_id]
        marks = [plan.marks[clause.path].basis for clauses in plan.levels.values() for clause in clauses]
        assert marks
        assert set(marks) == {Basis.ASSUMED}
        assert all(plan.marks[name].basis is not Basis.TEXT for name in plan.numbers)


def test_the_published_schema_is_the_one_the_files_are_read_by():
    published = PLANS.parent / "schema" / "plan.schema.json"

    assert json.loads(published.read_text("utf-8")) == schema()


def test_the_hash_is_of_the_text_and_the_text_reads_back_as_the_same_plan():
    for plan in load_plans().values():
        assert plan.sha == hashlib.sha256(plan.text.encode()).hexdigest()
        assert plan_from_text(plan.text) == plan


def test_a_text_that_is_no_plan_is_refused():
    with pytest.raises(Misconfigured, match="kept plan"):
        plan_from_text("{}")
    with pytest.raises(Misconfigured, match="kept plan"):
        plan_from_text("not even JSON")


def test_the_hash_tells_meaning_and_not_spelling(folder):
    before = load_plans(folder)["city"].sha
    (folder / "city.yaml").write_text("# a word\n" + GOOD.replace("{over: 200}", "{ over: 200.0, for_hours: 24 }", 1))
    assert load_plans(folder)["city"].sha == before

    (folder / "city.yaml").write_text(GOOD.replace("{over: 200}", "{over: 201}", 1))
    assert load_plans(folder)["city"].sha != before


def test_a_child_has_what_its_parent_says_and_its_own_on_top(folder):
    assert added(folder, "deadlines: {ack_deadline_min: {value: 30, basis: text, source: doc}}\n") == []

    plans = load_plans(folder)
    assert plans["district"].ack_deadline_min == 30
    assert plans["district"].levels == plans["city"].levels
    assert plans["district"].ladder == plans["city"].ladder


def test_a_stated_value_is_replaced_whole(folder):
    added(folder, "deadlines: {ack_deadline_min: {unknown: true, note: lost}}\n")

    (problem,) = check(folder)

    assert problem.line == 6
    assert "says nothing" in problem.reason  # and not: unknown goes without value


def test_the_difference_of_two_plans_is_named_by_place(folder):
    added(folder, "deadlines: {ack_deadline_min: {value: 30, basis: recalled, source: doc}}\n")
    plans = load_plans(folder)

    found = {one.path: (one.before, one.after) for one in diff(plans["city"], plans["district"])}

    assert found["deadlines.ack_deadline_min.value"] == (60, 30)
    assert found["deadlines.ack_deadline_min.basis"] == ("text", "recalled")
    assert found["authority"] == ("issues", "activates")
    assert not [path for path in found if path.startswith("levels")]
    assert diff(plans["city"], plans["city"]) == ()


def test_an_unknown_plan_is_missing_and_the_words_list_what_there_is(folder):
    with pytest.raises(Missing, match="city"):
        named(load_plans(folder), "nowhere")


def test_loading_refuses_a_folder_with_one_bad_file_and_says_everything(folder):
    (folder / "a.yaml").write_text("id: a\nid: b\n")
    (folder / "b.yaml").write_text("- 1\n")

    with pytest.raises(Misconfigured) as refused:
        load_plans(folder)

    assert isinstance(refused.value, Unreadable)
    assert len(refused.value.problems) == 2
    assert "a.yaml:2: found duplicate key" in str(refused.value)


@pytest.mark.parametrize(("old", "new", "line", "word"), WRONG)
def test_each_kind_of_error_is_named_with_file_line_and_reason(folder, old, new, line, word):
    found = changed(folder, old, new)

    if not word:
        assert found == []  # equal ranks are no contradiction
        return
    assert ("city.yaml", line) in {(file, at) for file, at, _ in found}
    assert any(word in reason for _, at, reason in found if at == line), found


def test_a_higher_level_signed_by_a_lower_rank_is_refused(folder):
    found = changed(folder, "yellow: {rank: 1", "yellow: {rank: 3")
    assert found == []

    text = GOOD.replace("yellow: {rank: 1", "yellow: {rank: 3").replace("red: {rank: 3", "red: {rank: 2")
    (folder / "city.yaml").write_text(text, "utf-8")
    (problem,) = check(folder)

    assert (problem.line, problem.reason) == (17, "red is signed by a lower rank than yellow")


def test_a_deputy_who_comes_after_the_deadline_is_refused(folder):
    deputy = "deputies: [{title: 副, rank: 2, after_minutes: 61, basis: text, source: doc}]"

    found = changed(folder, "within_minutes: 60,", f"within_minutes: 60, {deputy},")

    assert [(line, "deputy" in reason) for _, line, reason in found] == [(17, True)]


def test_cutting_less_at_a_higher_level_is_refused(folder):
    cuts = """
    reduction_pct:
      yellow: {so2: 10, nox: 10, pm: 10, vocs: 10, basis: text, source: doc}
      red: {so2: 30, nox: 30, pm: 30, vocs: 5, basis: text, source: doc}
    """

    found = added(folder, cuts)

    assert found == [("district.yaml", 9, "red cuts less vocs than the level below")]


def test_a_deadline_to_be_in_place_before_one_to_start_is_refused(folder):
    found = added(
        folder,
        """\
        deadlines:
          start_deadline_min: {value: 120, basis: text, source: doc}
          in_place_deadline_min: {value: 60, basis: text, source: doc}
        """,
    )

    assert found == [("district.yaml", 8, "in_place_deadline_min comes before start_deadline_min")]


def test_a_stage_below_the_warnings_that_makes_a_warning_is_refused(folder):
    found = added(folder, "pre_level: {name: 提示, name_en: note, all_of: [{over: 200}], basis: text, source: doc}\n")

    assert any("already makes a warning" in reason for _, _, reason in found)


def test_a_notice_number_without_its_year_is_refused(folder):
    found = added(folder, 'number_format: {value: "示〔{serial}〕号 {who}", basis: text, source: doc}\n')

    assert any("number_format needs {year} and {serial}" in reason for _, _, reason in found)


def test_a_parent_that_is_not_there_is_named_at_its_line(folder):
    (folder / "district.yaml").write_text(CHILD.replace("extends: city", "extends: county"), "utf-8")

    (problem,) = check(folder)

    assert (problem.file.name, problem.line) == ("district.yaml", 4)
    assert "county" in problem.reason


def test_plans_that_extend_each_other_in_a_ring_are_refused(folder):
    (folder / "city.yaml").write_text(GOOD + "extends: district\n", "utf-8")
    (folder / "district.yaml").write_text(CHILD, "utf-8")

    assert {one.file.name for one in check(folder)} == {"city.yaml", "district.yaml"}
    assert all("comes back to itself" in one.reason for one in check(folder))


def test_a_wrong_value_taken_over_from_the_parent_is_named_where_it_stands(folder):
    (folder / "city.yaml").write_text(GOOD.replace("value: 60", "value: x"), "utf-8")
    (folder / "district.yaml").write_text(CHILD, "utf-8")

    assert {(one.file.name, one.line) for one in check(folder)} == {("city.yaml", 14)}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("levels: {yellow: {any_of: [{all_of: [{over: 150}], basis: text, source: doc}]}}", "keeps the colours"),
        ("levels: {yellow: {unknown: true}}", "keeps the colours"),
        (
            "levels: {orange: {any_of: [{all_of: [{over: 200, for_hours: 48}], basis: text, source: doc}]}}",
            "orange has another threshold",
        ),
        ("high_decides: {value: true, basis: text, source: doc}", "high_decides is other"),
        ("causes: {o3: {gets: advisory, basis: text, source: doc}}", "o3 leads to something else"),
        ("deadlines: {ack_deadline_min: {value: 61, basis: text, source: doc}}", "61 is laxer than the 60 of city"),
        (
            "approval: {red: {rank: 2, title: 副, within_minutes: 60, basis: text, source: doc}}",
            "2 is laxer than the 3 of city",
        ),
        (
            "approval: {red: {rank: 3, title: 长, within_minutes: 90, basis: text, source: doc}}",
            "90 is laxer than the 60 of city",
        ),
        ("ladder: []", "recipient is told later or by fewer ways"),
        (LADDER.format(ways="[sms]", last=91), "district_duty is told later"),
        ("release: {hours_over: {value: 24, basis: text, source: doc}}", "24 is laxer than the 36 of city"),
        ("release: {aqi_not_over: {value: 201, basis: text, source: doc}}", "201 is laxer than the 200 of city"),
    ],
)
def test_a_lower_area_may_not_be_laxer_nor_move_a_colour(folder, text, word):
    found = added(folder, text + "\n")

    assert found
    assert all(file == "district.yaml" and line >= 6 for file, line, _ in found)
    assert any(word in reason for _, _, reason in found), found


@pytest.mark.parametrize(
    "text",
    [
        "deadlines: {ack_deadline_min: {value: 10, basis: text, source: doc}}",
        "deadlines: {start_deadline_min: {value: 10, basis: text, source: doc}}",
        "approval: {yellow: {rank: 2, title: 副, within_minutes: 30, basis: text, source: doc}}",
        "release: {hours_over: {value: 40, basis: text, source: doc}}",
        "levels: {yellow: {any_of: [{all_of: [{over: 200}], basis: recalled, source: doc, text: 同上}]}}",
        LADDER.format(ways="[sms, wecom]", last=90),
    ],
)
def test_a_lower_area_may_be_stricter(folder, text):
    assert added(folder, text + "\n") == []


def test_whoever_stands_below_an_area_that_only_activates_issues_nothing(folder):
    assert added(folder, "") == []
    town = CHILD.replace("id: district", "id: town").replace("extends: city", "extends: district")
    (folder / "town.yaml").write_text(town.replace("activates", "issues"), "utf-8")

    (problem,) = check(folder)

    assert (problem.file.name, problem.line) == ("town.yaml", 5)


def test_a_folder_without_plans_is_a_problem_and_not_an_empty_answer(tmp_path):
    assert "holds no plan" in check(tmp_path)[0].reason
    assert "not a folder" in check(tmp_path / "nowhere")[0].reason
    with pytest.raises(Misconfigured):
        load_plans(tmp_path)


def test_a_level_nobody_has_seen_is_known_as_unknown():
    plan = load_plans()["cd-2017"]

    assert plan.unknown_levels == (Level.BLUE, Level.ORANGE, Level.RED)
    assert list(plan.levels) == [Level.YELLOW]


class _Small(Sheet):
    count: int = 0
    names: tuple[str, ...] = ()
    at: str = ""
    day: date | None = None


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("count: 1\ncount: 2\n", 2, "duplicate key"),
        ("count: 1\ncunt: 2\n", 2, "unknown key"),
        ("count: 'one'\n", 1, "integer"),
        ("count: 1.5\n", 1, "integer"),
        ("count: yes\n", 1, "integer"),
        ("names:\n  - a\n  - 2\n", 3, "string"),
        ("count: &a 1\nnames: [*b]\n", 2, "not YAML"),
        ("at: &a [b]\nnames: *a\n", 2, "aliases"),
        ("names:\n  <<: {a: b}\n", 1, "merge"),
        ("at: !!python/name:os.system x\n", 1, "tags"),
        ("at: !mine {a: 1}\n", 1, "tags"),
        ("count: .inf\n", 1, "inf"),
        ("count: 1\nday: 2026-13-45\n", 2, "month"),
        ("count: [\n", 2, "not YAML"),
        ("count: 1\n---\ncount: 2\n", 2, "document"),
        ("? [a]\n: 1\n", 1, "a key must be a text"),
        ("", 1, "one mapping"),
        ("- 1\n", 1, "one mapping"),
        ("[" * 1000, 1, "too deep"),
        ("at: \x07\n", 1, "not YAML"),
    ],
)
def test_a_yaml_file_is_refused_at_its_line(tmp_path, text, line, word):
    path = tmp_path / "small.yaml"
    path.write_text(text)

    with pytest.raises(Misconfigured) as refused:
        read_yaml(path, _Small)

    assert f"small.yaml:{line}: " in str(refused.value)
    assert word in str(refused.value)


def test_a_yaml_file_that_is_not_there_or_not_text_is_refused(tmp_path):
    (tmp_path / "bytes.yaml").write_bytes(b"at: \xff\xfe\n")

    with pytest.raises(Misconfigured, match="cannot be read"):
        read_yaml(tmp_path / "none.yaml", _Small)
    with pytest.raises(Misconfigured, match="not UTF-8"):
        read_yaml(tmp_path / "bytes.yaml", _Small)


def test_a_good_yaml_file_becomes_its_value(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text("count: 3\nnames: [甲, 乙]\nat: 22:00\nday: 2026-01-02\n", "utf-8")

    assert read_yaml(path, _Small) == _Small(count=3, names=("甲", "乙"), at="22:00", day=date(2026, 1, 2))
