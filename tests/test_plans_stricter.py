"""A lower area's plan is laxer in none of its numbers: not in going down, in delays, or in who may sign how soon."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emergency.domain.plan import ExtensionRule
from emergency.plans.plans import check, load_plans, plan_from_text
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
    assert "stop starts later" in problem


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
    assert "does not let an end be moved on" in problem


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
