"""Planned reduction: what the words of a measure come to in kg/d, what is left out by name, and against which base."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from emergency.domain.arithmetic import Listed as One
from emergency.domain.arithmetic import cut_of, planned
from emergency.domain.arithmetic_targets import Base, Doubt, OddBase, Reach, Unit, checked, judge
from emergency.domain.level import Level
from emergency.domain.orders import Category
from emergency.domain.plan import Plan
from emergency.domain.reduction.entries import Baseline, Entry, Line, new_id
from emergency.domain.reduction.shares import Gap, Share, Way, share_of
from tests.world import DISTRICT, PLANS

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def a_line(text: str = "", name: str = "", **other: Any) -> Line:
    """A line with this measure at yellow."""
    return Line("表", 3, name=name, measures={"yellow": text} if text else {}, **other)


def an_entry(*lines: Line, category: Category = Category.LISTED, name: str = "样例厂") -> Entry:
    """An enterprise of these lines."""
    return Entry(DISTRICT, name, "brick_kiln", category, lines=lines)


@pytest.mark.parametrize(
    ("text", "line", "portion", "way"),
    [
        ("停产", {}, 1.0, Way.STOPPED),
        ("停产；国四及以下柴油货车停止使用", {}, 1.0, Way.STOPPED),
        ("喷涂工序停产", {"name": "喷涂"}, 1.0, Way.STOPPED),
        ("停2条生产线（共3条）", {}, 2 / 3, Way.EVEN),
        ("停1号窑（共2座）", {"devices": "隧道窑2座"}, 0.5, Way.EVEN),
        ("进窑砖坯减少50%", {}, 0.5, Way.LOAD),
        ("限产30%", {}, 0.3, Way.LOAD),
        ("投料量由960吨/日降至768吨/日", {}, 0.2, Way.LOAD),
        ("投料量由960吨/日降至768吨/日", {"baseline": Baseline(1200, "t/d")}, 0.36, Way.LOAD),
        ("产量不超过500吨/日", {"baseline": Baseline(1000, "吨/日")}, 0.5, Way.LOAD),
    ],
)
def test_words_that_say_a_share_of_the_line_come_to_it(
    text: str, line: dict[str, Any], portion: float, way: Way
) -> None:
    assert share_of(a_line(**line), text, alone=True) == Share(pytest.approx(portion), way)


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("视情况停破碎机", {}, Gap.UNREAD),
        ("停产；保温窑维持运行", {}, Gap.UNREAD),  # the second clause may take back what the first says
        ("自主减排", {}, Gap.VOLUNTARY),
        ("国四及以下柴油货车停止使用", {}, Gap.VEHICLES),
        ("二车间停产", {}, Gap.PART_UNKNOWN),
        ("喷涂工序停产", {}, Gap.PART_UNKNOWN),
        ("停2台破碎机（共4台）", {}, Gap.PART_UNKNOWN),
        ("停1号窑（共2座）", {"devices": "隧道窑2座、破碎机1台"}, Gap.PART_UNKNOWN),
        ("停2台（共4台）", {}, Gap.PART_UNKNOWN),
        ("运输车辆减少50%", {}, Gap.PART_UNKNOWN),
        ("用水由20吨降至10吨", {}, Gap.PART_UNKNOWN),
        ("降低30%", {}, Gap.PART_UNKNOWN),
        ("停2条生产线（共3条）；限产30%", {}, Gap.SEVERAL),
        ("产量不超过500吨/日", {}, Gap.NO_BASELINE),
        ("停1号窑（共2座）", {"name": "1号窑"}, Gap.WHOSE),
    ],
)
def test_words_that_leave_the_share_open_are_not_guessed(text: str, line: dict[str, Any], why: Gap) -> None:
    assert share_of(a_line(**line), text, alone=True) is why


def test_one_numbered_line_of_several_stops_whole_and_the_others_go_on() -> None:
    some = [a_line(name=name) for name in ("1#磨", "2#磨")]

    found = [share_of(one, "停1#磨（共2台）", alone=False) for one in some]

    assert found == [Share(1.0, Way.STOPPED), Share(0.0, Way.STOPPED)]


def test_the_amount_of_the_list_counts_before_ours_and_nothing_is_worked_out_beside_it() -> None:
    one = an_entry(
        a_line("停产", emitted={"so2": 10.0, "pm": 4.0}, cuts={"yellow": {"so2": 3.0}}),
        a_line("停产", emitted={"so2": 5.0}),
    )

    found = cut_of(one, "yellow")

    assert found.kg == {"so2": 3.0, "pm": 4.0}
    assert {(each.pollutant, each.way) for each in found.figures} == {("so2", Way.STATED), ("pm", Way.STOPPED)}
    assert found.lost == 1.0


def test_a_higher_level_goes_on_with_the_measure_below_and_never_beside_newer_words() -> None:
    texts = {"yellow": "限产30%", "red": "视情况停产"}
    one = an_entry(Line("表", 3, measures=texts, emitted={"nox": 100.0}, cuts={"yellow": {"nox": 25.0}}))

    assert [cut_of(one, level).kg for level in ("yellow", "orange", "red")] == [{"nox": 25.0}, {"nox": 25.0}, {}]
    assert [each.why for each in cut_of(one, "red").uncounted] == [Gap.UNREAD]


def test_a_stated_cut_above_the_normal_emission_is_not_counted() -> None:
    found = cut_of(an_entry(a_line("停产", emitted={"so2": 10.0}, cuts={"yellow": {"so2": 11.0}})), "yellow")

    assert found.kg == {}
    assert [(one.why, one.pollutants) for one in found.uncounted] == [(Gap.TOO_MUCH, ("so2",))]


def test_one_emission_of_several_lines_counts_only_where_all_cut_alike() -> None:
    alike = an_entry(a_line("停产", "一", emitted={"pm": 8.0}), a_line("停产", "二"))
    other = an_entry(a_line("停产", "一", emitted={"pm": 8.0}), a_line("限产50%", "二"))

    assert cut_of(alike, "yellow").kg == {"pm": 8.0}
    assert cut_of(other, "yellow").kg == {}
    assert [(one.line, one.why) for one in cut_of(other, "yellow").uncounted] == [("一", Gap.POOLED)]


def test_what_is_not_counted_is_named_and_long_stopped_ones_take_nothing_away() -> None:
    some = [
        One(new_id(DISTRICT, str(n)), one)
        for n, one in enumerate(
            [
                an_entry(a_line("停产", emitted={"pm": 8.0}), name="甲"),
                an_entry(a_line("停产"), name="乙"),
                an_entry(a_line(), name="丙"),
                an_entry(a_line("停产", emitted={"pm": 9.0}), category=Category.LONG_STOPPED, name="丁"),
            ]
        )
    ]

    found = planned(some)["yellow"]

    assert found.whole.kg == {"pm": 8.0}
    assert {one.name: one.why for one in found.uncounted} == {"乙": Gap.NO_EMISSION, "丙": Gap.NOT_IN_LIST}
    assert (found.whole.enterprises, found.long_stopped) == (3, 1)
    assert found.sectors["brick_kiln"] == found.towns[DISTRICT] == found.whole


# --- against the base


def a_plan(*, substitutes: bool = False) -> Plan:
    """The city's plan: 10, 20 and 30 % of each."""
    return replace(PLANS["liuzhou"], substitutes=substitutes)


def bases(**kg: float) -> dict[str, Base]:
    """The whole emission in kg/d."""
    return {name: Base(DISTRICT, name, 2023, n, Unit.KG_A_DAY, "清单", "x", NOW) for name, n in kg.items()}


def reaches(plan: Plan, kg: dict[str, float], **whole: float) -> dict[str, tuple[Reach, Doubt | None]]:
    """What is said of each pollutant at yellow."""
    return {one.pollutant: (one.reach, one.because) for one in judge(plan, "yellow", kg, bases(**whole))}


def test_each_pollutant_is_held_against_its_own_base_and_none_is_zero_percent_without_one() -> None:
    found = judge(a_plan(), "yellow", {"so2": 10.0, "nox": 9.9, "pm": 5.0}, bases(so2=100, nox=100, vocs=50))

    said = {one.pollutant: (one.reach, one.because, one.pct, one.gap) for one in found}
    assert said["so2"] == (Reach.REACHED, None, 10.0, None)
    assert said["nox"] == (Reach.SHORT, None, pytest.approx(9.9), pytest.approx(0.1))
    assert said["pm"] == (Reach.UNKNOWN, Doubt.NO_BASE, None, None)
    assert said["vocs"] == (Reach.UNKNOWN, Doubt.NO_FIGURE, None, None)


def test_ten_times_a_tenth_is_one_whole() -> None:
    assert reaches(a_plan(), {"pm": sum([0.1] * 10)}, pm=10.0)["pm"] == (Reach.REACHED, None)


def test_more_planned_than_emitted_is_a_doubt_and_so_is_a_level_without_a_rate() -> None:
    assert reaches(a_plan(), {"pm": 11.0}, pm=10.0)["pm"] == (Reach.UNKNOWN, Doubt.OVER)
    silent = replace(a_plan(), reductions={Level.RED: a_plan().reductions[Level.RED]})
    assert reaches(silent, {"pm": 1.0}, pm=10.0)["pm"] == (Reach.UNKNOWN, Doubt.NO_RATE)
    assert {one.because for one in judge(a_plan(), "red", {}, {}, listed=False)} == {Doubt.NO_LIST}


def test_so2_and_nox_stand_in_for_each_other_only_where_the_plan_says_so() -> None:
    kg = {"so2": 16.0, "nox": 4.0}
    strict = reaches(a_plan(), kg, so2=100, nox=100)
    shared = judge(a_plan(substitutes=True), "yellow", kg, bases(so2=100, nox=100))

    assert (strict["so2"][0], strict["nox"][0]) == (Reach.REACHED, Reach.SHORT)
    assert [(one.reach, one.together) for one in shared[:2]] == [(Reach.REACHED, False), (Reach.REACHED, True)]
    lower = reaches(a_plan(substitutes=True), {"so2": 16.0, "nox": 3.9}, so2=100, nox=100)
    assert lower["nox"] == (Reach.SHORT, None)


def test_where_the_partner_is_not_known_nobody_is_called_short() -> None:
    found = reaches(a_plan(substitutes=True), {"so2": 4.0, "nox": 4.0}, so2=100)

    assert found["so2"] == (Reach.UNKNOWN, Doubt.PARTNER)
    assert found["nox"] == (Reach.UNKNOWN, Doubt.NO_BASE)
    assert reaches(a_plan(substitutes=True), {"so2": 12.0}, so2=100)["so2"] == (Reach.REACHED, None)


def test_tonnes_a_year_are_a_mean_day_of_their_year() -> None:
    one = Base(DISTRICT, "so2", 2023, 365.0, Unit.TONNES_A_YEAR, "源清单", "x", NOW)

    assert one.kg_per_day == 1000.0
    assert replace(one, year=2024, amount=366.0).kg_per_day == 1000.0


@pytest.mark.parametrize(
    "other",
    [{"amount": 0.0}, {"amount": -1.0}, {"amount": float("nan")}, {"year": 2027}, {"year": 1999}, {"source": " "},
     {"pollutant": "co"}],
)  # fmt: skip
def test_a_base_that_cannot_be_meant_is_refused(other: dict[str, Any]) -> None:
    one = Base(DISTRICT, "so2", 2023, 365.0, Unit.TONNES_A_YEAR, "源清单", "x", NOW)

    assert checked(one, today=date(2026, 11, 24)) == one
    with pytest.raises(OddBase):
        checked(replace(one, **other), today=date(2026, 11, 24))
