"""A lower area's plan is laxer in none of its numbers: not in going down, in delays, or in who may sign how soon."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import create_model

from emergency.domain.plan import ExtensionRule
from emergency.plans.plan_sheet import Cell, DeadlinesSheet, PlanSheet, Said
from emergency.plans.plans import check, load_plans, plan_from_text
from emergency.plans.reading import Sheet
from emergency.plans.stricter import EACH, FIELDS, Free, Kept, Rule, Same, laxer
from tests.test_plans import CHILD, GOOD

ABOVE = """\
downgrade:
  hours_over: {value: 36, basis: text, source: doc}
  may_skip_levels: {value: true, basis: text, source: doc}
merge_gap_hours: {value: 36, basis: text, source: doc}
effective_delay_min:
  by_kind:
    transport_limit: {value: 720, basis: text, source: doc}
undecided:
  every_min: {value: 30, basis: text, source: doc}
  deputies: {value: true, basis: text, source: doc}
"""
RED = """\
approval:
  red:
    {{rank: 3, title: 指挥长, within_minutes: {within}, basis: text, source: doc, deputies: [{deputies}]}}
"""
DEPUTY = "{{title: 副指挥长, rank: {rank}, after_minutes: {after}, basis: text, source: doc}}"


def red(*, within: int, after: int, rank: int = 2) -> str:
    """An approval of red with one deputy, as lines of a plan."""
    return RED.format(within=within, deputies=DEPUTY.format(rank=rank, after=after))


def found(tmp_path: Path, child: str, *, above: str = ABOVE) -> list[str]:
    """What is wrong with a district's plan of these lines under the city's."""
    plain = "  red: {rank: 3, title: 指挥长, within_minutes: 60, basis: text, source: doc}\n"
    assert plain in GOOD
    city = GOOD.replace(plain, red_of_the_city())
    (tmp_path / "city.yaml").write_text(city + above, "utf-8")
    (tmp_path / "district.yaml").write_text(CHILD + child, "utf-8")
    return [f"{one.file.name}: {one.reason}" for one in check(tmp_path)]


def red_of_the_city() -> str:
    """The city's deputy may sign red after 45 of 60 minutes."""
    return red(within=60, after=45).partition("\n")[2]


@pytest.mark.parametrize(
    "line",
    [
        "downgrade: {hours_over: {value: 24, basis: text, source: doc}}\n",
        "merge_gap_hours: {value: 24, basis: text, source: doc}\n",
        "effective_delay_min: {by_kind: {transport_limit: {value: 900, basis: text, source: doc}}}\n",
        "undecided: {every_min: {value: 31, basis: text, source: doc}}\n",
        "undecided: {deputies: {value: false, basis: text, source: doc}}\n",
    ],
)
def test_going_down_sooner_merging_less_starting_later_and_reminding_less_are_laxer(tmp_path: Path, line: str) -> None:
    (problem,) = found(tmp_path, line)
    assert "is laxer than" in problem


def test_a_delay_for_a_kind_that_the_plan_above_starts_at_once_is_laxer(tmp_path: Path) -> None:
    (problem,) = found(tmp_path, "effective_delay_min: {by_kind: {stop: {value: 30, basis: text, source: doc}}}\n")
    assert "stop: 30 is laxer than city, which says nothing here" in problem


def test_stricter_numbers_of_the_same_kinds_are_taken(tmp_path: Path) -> None:
    lines = """\
downgrade: {hours_over: {value: 48, basis: text, source: doc}}
merge_gap_hours: {value: 48, basis: text, source: doc}
effective_delay_min: {by_kind: {transport_limit: {value: 60, basis: text, source: doc}}}
"""
    assert found(tmp_path, lines + red(within=45, after=30)) == []


def test_a_deputy_whose_turn_comes_sooner_before_the_end_or_who_is_lower_is_laxer(tmp_path: Path) -> None:
    for lines in (red(within=60, after=44), red(within=45, after=29), red(within=60, after=45, rank=1)):
        (problem,) = found(tmp_path, lines)
        assert "sooner than in city" in problem


def test_a_delay_for_a_kind_no_measure_has_is_refused(tmp_path: Path) -> None:
    some = found(tmp_path, "", above=ABOVE.replace("transport_limit", "traffic"))
    assert some
    assert all("no measure does 'traffic'" in one for one in some)


def test_the_plans_of_the_house_are_stricter_downwards() -> None:
    assert check() == []


EXTENSION = """\
extension:
  allowed: {value: true, basis: text, source: doc}
  longest_hours: {value: 48, basis: text, source: doc}
  rank: {value: 2, basis: text, source: doc}
daily_report_time: {value: "17:00", basis: text, source: doc}
daily_report_within_min: {value: 120, basis: text, source: doc}
"""
DUE_AT_ONCE = """\
evaluation_due_workdays: {value: 2, basis: text, source: doc}
evaluation_reminder_workdays: {value: 2, basis: text, source: doc}
"""


@pytest.mark.parametrize(
    "line",
    [
        "extension: {longest_hours: {value: 72, basis: text, source: doc}}\n",
        "extension: {rank: {value: 1, basis: text, source: doc}}\n",
        "daily_report_within_min: {value: 180, basis: text, source: doc}\n",
    ],
)
def test_extending_further_by_a_lower_rank_and_chasing_reports_later_are_laxer(tmp_path: Path, line: str) -> None:
    (problem,) = found(tmp_path, line, above=EXTENSION)
    assert "is laxer than" in problem


def test_moving_an_end_on_where_the_plan_above_moves_none_is_laxer(tmp_path: Path) -> None:
    above = "extension: {allowed: {value: false, basis: text, source: doc}}\n"
    (problem,) = found(tmp_path, "extension: {allowed: {value: true, basis: text, source: doc}}\n", above=above)
    assert "extension.allowed: true is laxer than the false of city" in problem


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('daily_report_time: {value: "17:00", basis: text, source: doc}\n', "daily_report_within_min does not say"),
        ("evaluation_reminder_workdays: {value: 2, basis: text, source: doc}\n", "before there is anything"),
        (DUE_AT_ONCE, "before there is anything"),
    ],
)
def test_a_report_without_its_deadline_and_a_reminder_of_nothing_are_contradictions(
    tmp_path: Path, line: str, reason: str
) -> None:
    assert any(reason in problem for problem in found(tmp_path, "", above=line))


def test_a_plan_kept_before_extensions_had_figures_is_still_read() -> None:
    kept = load_plans()["liuzhou"]
    data = json.loads(kept.text)
    data["extension"] = {"value": True, "basis": "recalled", "source": "practice", "note": ""}

    assert plan_from_text(json.dumps(data)).extension == ExtensionRule(allowed=True)


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("downgrade: {hours_over: {value: 99, basis: text, source: doc}, may_skip_levels: {unknown: true}}\n",
         "downgrade.hours_over"),
        ("downgrade: {hours_over: {unknown: true}, may_skip_levels: {value: true, basis: text, source: doc}}\n",
         "downgrade.may_skip_levels"),
        ("effective_delay_min: {by_level: {red: {value: 1, basis: text, source: doc}}}\n",
         "effective_delay_min.by_level.red"),
        ("effective_delay_min: {by_kind: {stop: {value: 1, basis: text, source: doc}}}\n",
         "effective_delay_min.by_kind.stop"),
        ("deadlines: {measure_effective_min: {value: 1, basis: text, source: doc}}\n",
         "deadlines.measure_effective_min"),
        ("reminders_per_hour: {value: 60, basis: text, source: doc}\n", "reminders_per_hour"),
    ],
)  # fmt: skip
def test_a_rule_that_loosens_what_the_plan_above_is_silent_of_is_laxer(tmp_path: Path, line: str, place: str) -> None:
    (problem,) = found(tmp_path, line, above="")
    assert f"{place}: " in problem
    assert "is laxer than city, which says nothing here" in problem


def test_an_extension_signed_by_less_than_the_levels_own_approver_is_laxer(tmp_path: Path) -> None:
    ours = "extension: {{allowed: {{value: true, basis: text, source: doc}}, rank: {{value: {rank}, {basis}}}}}\n"
    basis = "basis: text, source: doc"

    (problem,) = found(tmp_path, ours.format(rank=2, basis=basis), above="")
    assert "extension.rank: 2 is laxer than the 3 by which city extends red" in problem
    assert found(tmp_path, ours.format(rank=3, basis=basis), above="") == []


STATED = """\
open_ended: {value: true, basis: text, source: doc}
reminders_per_hour: {value: 4, basis: text, source: doc}
effective_delay_min: {by_level: {red: {value: 60, basis: text, source: doc}}}
downgrade:
  hours_over: {value: 36, basis: text, source: doc}
  may_skip_levels: {value: false, basis: text, source: doc}
"""


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("open_ended: {value: false, basis: text, source: doc}\n", "open_ended: false is laxer than the true"),
        ("open_ended: {unknown: true}\n", "city says true here and this plan says nothing"),
        ("reminders_per_hour: {value: 3, basis: text, source: doc}\n", "reminders_per_hour: 3 is laxer than the 4"),
        ("effective_delay_min: {by_level: {red: {value: 61, basis: text, source: doc}}}\n", "red: 61 is laxer than"),
        ("effective_delay_min: {by_level: {yellow: {value: 1, basis: text, source: doc}}}\n", "yellow: 1 is laxer"),
        ("downgrade: {may_skip_levels: {value: true, basis: text, source: doc}}\n", "true is laxer than the false"),
    ],
)  # fmt: skip
def test_ending_by_itself_reminding_less_beginning_later_and_skipping_levels_are_laxer(
    tmp_path: Path, line: str, words: str
) -> None:
    (problem,) = found(tmp_path, line, above=STATED)
    assert words in problem


def test_the_same_fields_made_stricter_are_taken(tmp_path: Path) -> None:
    lines = """\
open_ended: {value: true, basis: text, source: doc}
reminders_per_hour: {value: 6, basis: text, source: doc}
effective_delay_min: {by_level: {red: {value: 0, basis: text, source: doc}}}
downgrade: {hours_over: {value: 48, basis: text, source: doc}}
"""
    assert found(tmp_path, lines, above=STATED) == []


@pytest.mark.parametrize(
    ("above", "line"),
    [
        (EXTENSION, "daily_report_time: {unknown: true}\n"),
        (DUE_AT_ONCE.replace("value: 2", "value: 9", 1), "evaluation_reminder_workdays: {unknown: true}\n"),
    ],
)
def test_a_report_or_a_reminder_of_the_plan_above_is_not_left_out(tmp_path: Path, above: str, line: str) -> None:
    (problem,) = found(tmp_path, line, above=above)
    assert "this plan says nothing" in problem


def test_each_refusal_names_file_line_and_reason_in_both_languages(tmp_path: Path) -> None:
    (tmp_path / "city.yaml").write_text(GOOD + STATED, "utf-8")
    (tmp_path / "district.yaml").write_text(CHILD + "open_ended: {value: false, basis: text, source: doc}\n", "utf-8")

    (problem,) = check(tmp_path)
    assert (problem.file.name, problem.line) == ("district.yaml", CHILD.count("\n") + 1)
    assert problem.zh == "open_ended：false 比上级预案 city 的 true 宽松"
    assert str(problem).endswith(f"district.yaml:6: {problem.zh} / {problem.reason}")


PROVENANCE = {*Said.model_fields, "unknown"}


def leaves(annotation: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Every path of the schema at which a plan can state something, but for on what it rests."""
    if isinstance(annotation, type) and issubclass(annotation, Cell):
        yield ".".join(path)
    elif isinstance(annotation, type) and issubclass(annotation, Sheet):
        for name, field in annotation.model_fields.items():
            if name not in PROVENANCE:
                yield from leaves(field.annotation, (*path, name))
    elif get_origin(annotation) is dict:
        yield from leaves(get_args(annotation)[1], (*path, EACH))
    elif get_origin(annotation) is tuple and is_sheet(get_args(annotation)[0]):
        yield from leaves(get_args(annotation)[0], (*path, EACH))
    elif inner := [one for one in get_args(annotation) if is_sheet(one)]:
        yield from leaves(inner[0], path)
    else:
        yield ".".join(path)


def is_sheet(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Sheet)


WHOLE = {path for path, rule in FIELDS.items() if isinstance(rule, Same)} | {"levels.*.any_of.*.all_of"}


def forgotten(schema: type[PlanSheet], table: Mapping[str, Rule]) -> list[str]:
    """Fields of a schema that no line of the table speaks of; what is compared whole has all its parts compared."""
    return [
        path
        for path in leaves(schema)
        if path not in table and not any(path.startswith(f"{one}.") for one in WHOLE & table.keys())
    ]


def test_every_field_of_a_plan_is_compared_with_the_plan_above_or_free_for_a_reason() -> None:
    fields = list(leaves(PlanSheet))

    assert len(fields) > 60
    assert forgotten(PlanSheet, FIELDS) == []
    assert [one for one in FIELDS if one not in fields and one not in WHOLE] == []
    assert all(rule.why for rule in FIELDS.values() if isinstance(rule, Free | Kept))


def test_a_field_that_was_forgotten_is_noticed() -> None:
    later = create_model("Later", __base__=DeadlinesSheet, new_min=(Cell[int] | None, None))
    wider = create_model("Wider", __base__=PlanSheet, deadlines=(later, later()), new=(Cell[bool] | None, None))

    assert forgotten(wider, FIELDS) == ["deadlines.new_min", "new"]
    assert forgotten(PlanSheet, {path: rule for path, rule in FIELDS.items() if path != "pre_level"})


def test_no_plan_is_laxer_than_itself() -> None:
    for plan in load_plans().values():
        sheet = PlanSheet.model_validate_json(plan.text, strict=True)
        assert list(laxer(sheet, sheet)) == []
