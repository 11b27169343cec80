"""The replay beside history: what was declared is found again, and where it is not, the reason is written down."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from emergency.commands.past_air import read_past
from emergency.domain.air_daily import Stamp
from emergency.domain.declaring import Declaration
from emergency.domain.foresight import Past, Perfect, Persistence
from emergency.domain.replay import walk
from emergency.errors import Misconfigured
from emergency.plans.cases import CASES, Case, Held, differences, load_cases
from emergency.plans.plans import load_plans
from emergency.plans.standards import load_standards

AIR = CASES.parents[1] / "air"
ALL = load_cases()
PLANS = load_plans()
STANDARDS = load_standards()


def air(case: Case) -> Past:
    """The days the case looks at and no others."""
    file = AIR / f"{case.air_file}.csv"
    past = read_past(file, place=None, standards=STANDARDS, stamp=Stamp.START).past
    days = tuple(one for one in past.days if case.first <= one.day <= case.last)
    return replace(past, days=days, first=case.first, last=case.last)


def replayed(case: Case) -> tuple[Declaration, ...]:
    """What the plan of the case makes of its air."""
    past = air(case)
    foresight = Perfect(past) if case.forecast == "perfect" else Persistence()
    return walk(PLANS[case.plan], past, foresight, lead_days=-(-case.lead_hours // 24)).declarations


def held(one: Declaration) -> Held:
    """A declaration in the shape of the table."""
    return Held(one.level, one.issued_at, one.effective_at, one.ended_at)


@pytest.mark.parametrize("case", ALL, ids=lambda one: one.name)
def test_the_replay_gives_the_levels_and_hours_written_beside_history(case: Case) -> None:
    assert tuple(held(one) for one in replayed(case)) == case.got


@pytest.mark.parametrize("case", ALL, ids=lambda one: one.name)
def test_every_difference_from_what_was_declared_has_its_reason_and_no_reason_stands_idle(case: Case) -> None:
    assert differences(case, replayed(case)) == set(case.mismatch)


@pytest.mark.parametrize("case", ALL, ids=lambda one: one.name)
def test_every_day_of_a_case_has_its_figure(case: Case) -> None:
    assert len(air(case).days) == (case.last - case.first).days + 1


def test_the_table_holds_what_history_is_asked_for() -> None:
    reds = {one.name for one in ALL if one.declared and one.declared.level.word == "red" and not one.mismatch}

    assert {"beijing-2016-12-red", "shijiazhuang-2016-12-red", "tianjin-2015-12-red"} <= reds
    assert len(ALL) >= 10


def test_on_the_evening_of_the_thirteenth_a_lower_figure_alone_releases_nothing() -> None:
    """The forecast reads 221, 120, 120 and the run behind it still asks for orange; the 14th signs the release."""
    case = next(one for one in ALL if one.name == "liuzhou-2015-02-mee-2024")

    last = replayed(case)[-1]

    assert last.released_at is not None
    assert last.released_at.isoformat() == "2015-02-14T09:00:00+00:00"
    assert last.ended_at is not None
    assert last.ended_at.isoformat() == "2015-02-14T16:00:00+00:00"


def test_a_case_with_a_word_nobody_knows_is_refused_by_its_line(tmp_path: Path) -> None:
    text = CASES.read_text("utf-8").replace("plan: bj-2013", "plan: bj-2013\n    weather: calm", 1)
    file = tmp_path / "historic.yaml"
    file.write_text(text, "utf-8")

    with pytest.raises(Misconfigured, match=r"historic\.yaml:11: cases\.0\.weather: unknown key"):
        load_cases(file)


def test_a_case_that_stands_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "historic.yaml"
    text = CASES.read_text("utf-8").replace("beijing-2016-12-red-72h", "beijing-2016-12-red")
    file.write_text(text, "utf-8")

    with pytest.raises(Misconfigured, match="two cases beijing-2016-12-red"):
        load_cases(file)
