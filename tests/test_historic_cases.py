"""The replay beside history: what was declared is found again, and where it is not, the reason is written down."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from emergency.commands.past_air import read_forecasts, read_past
from emergency.domain.air_daily import Stamp
from emergency.domain.assessment import SHANGHAI
from emergency.domain.declaring import Declaration
from emergency.domain.foresight import Archived, Foresight, Past, Perfect, Persistence
from emergency.domain.level import Level
from emergency.domain.replay import EVENING, walk
from emergency.errors import Misconfigured
from emergency.plans.cases import CASES, Case, Held, differences, load_cases
from emergency.plans.plans import load_plans
from emergency.plans.standards import load_standards

AIR = CASES.parents[1] / "air"
ALL = load_cases()
PLANS = load_plans()
STANDARDS = load_standards()


@cache
def measured(name: str) -> Past:
    """The air of one file, or of a folder of stations by the hour."""
    path = AIR / name if (AIR / name).is_dir() else AIR / f"{name}.csv"
    return read_past(path, place=None, standards=STANDARDS, stamp=Stamp.START).past


def air(case: Case) -> Past:
    """The days the case looks at and no others."""
    past = measured(case.air_file)
    days = tuple(one for one in past.days if case.first <= one.day <= case.last)
    return replace(past, days=days, first=case.first, last=case.last)


def replayed(case: Case) -> tuple[Declaration, ...]:
    """What the plan of the case makes of its air."""
    past = air(case)
    return walk(PLANS[case.plan], past, foresight(case, past), lead_days=-(-case.lead_hours // 24)).declarations


def foresight(case: Case, past: Past) -> Foresight:
    """Whoever foresees in this case."""
    if case.archive is None:
        return Perfect(past) if case.forecast == "perfect" else Persistence()
    issued = read_forecasts(AIR / f"{case.archive}.csv", place=None, standards=STANDARDS, stamp=Stamp.START)
    return Archived(case.archive, issued.days, issued.hours)


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
    assert {one.forecast for one in ALL} == {"perfect", "persistence", "archived"}
    assert len(ALL) >= 17


@pytest.mark.parametrize(
    ("name", "first_red", "last_red"),
    [("beijing-2015-12-19-red", date(2015, 12, 20), date(2015, 12, 22)),
     ("beijing-2016-12-red", date(2016, 12, 17), date(2016, 12, 21))],
)
def test_the_hours_of_the_stations_give_beijings_reds_to_the_plan_of_the_day(
    name: str, first_red: date, last_red: date
) -> None:
    """Declared from 2015-12-19 07:00 and 2016-12-16 20:00: hours of a day whose mean was not yet over 200."""
    case = next(one for one in ALL if one.name == name)

    [red] = [one for one in replayed(case) if one.level is Level.RED]

    assert (AIR / case.air_file).is_dir()
    assert case.declared is not None
    assert case.declared.effective_at is not None
    assert red.effective_at - case.declared.effective_at <= case.within
    spell = (last_red - first_red).days + 1
    assert set(red.days(until=last_red)) == {first_red + timedelta(days=n) for n in range(spell)}


def test_three_days_are_orange_by_the_wording_of_2015_and_red_was_declared() -> None:
    case = next(one for one in ALL if one.name == "beijing-2015-12-08-red")
    days = {one.day: one.aqi for one in air(case).days}

    assert [days[date(2015, 12, day)] > 200 for day in (6, 7, 8, 9, 10)] == [False, True, True, True, False]
    assert max(one.level for one in replayed(case)) is Level.ORANGE
    assert case.declared is not None
    assert case.declared.level is Level.RED


def test_the_archive_is_heard_and_knew_less_than_what_came() -> None:
    """On the evening of 2018-05-11 it said 86 for the 12th, which was measured at 173: nobody was warned."""
    case = next(one for one in ALL if one.forecast == "archived")
    past = air(case)
    evening = datetime.combine(date(2018, 5, 11), EVENING, SHANGHAI)

    said = {one.day: one.aqi for one in foresight(case, past).ahead(None, at=evening, days=3)}

    assert said == {date(2018, 5, 12): 86}
    assert {one.day: one.aqi for one in past.days}[date(2018, 5, 12)] == 173


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

    with pytest.raises(Misconfigured, match=r"historic\.yaml:12: cases\.0\.weather: unknown key"):
        load_cases(file)


def test_a_case_that_stands_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "historic.yaml"
    text = CASES.read_text("utf-8").replace("beijing-2016-12-red-72h", "beijing-2016-12-red")
    file.write_text(text, "utf-8")

    with pytest.raises(Misconfigured, match="two cases beijing-2016-12-red"):
        load_cases(file)


@pytest.mark.parametrize(
    ("was", "becomes", "words"),
    [
        ("    archive: beijing-2018-05-forecasts\n", "", "an archive belongs to the archived forecast"),
        ("    within_hours: 0\n", "", "hours may be off by within_hours"),
    ],
)
def test_a_case_without_what_its_forecast_or_its_hours_need_is_refused(
    tmp_path: Path, was: str, becomes: str, words: str
) -> None:
    file = tmp_path / "historic.yaml"
    file.write_text(CASES.read_text("utf-8").replace(was, becomes, 1), "utf-8")

    with pytest.raises(Misconfigured, match=words):
        load_cases(file)
