"""The plan as a value: what it knows it says, what it does not know it refuses to say."""

from datetime import date, time

import pytest

from emergency.domain.forecast import Cause, DayOfAir, Source
from emergency.domain.level import Level
from emergency.domain.plan import Authority, Clause, Spell, UnknownCell, doubtful, nested
from emergency.plans.plans import load_plans


@pytest.fixture(scope="module")
def plans():
    return load_plans()


def test_a_number_the_plan_does_not_know_is_refused_by_name_in_both_languages(plans):
    with pytest.raises(UnknownCell) as refused:
        _ = plans["mee-2024"].ack_deadline_min

    assert "mee-2024" in str(refused.value)
    assert "ack_deadline_min" in str(refused.value)
    assert "ack_deadline_min" in refused.value.zh


def test_the_district_has_every_number_that_running_an_episode_asks_for(plans):
    plan = plans["liujiang"]

    asked = [
        plan.activation_deadline_min,
        plan.order_relay_deadline_min,
        plan.ack_deadline_min,
        plan.start_deadline_min,
        plan.in_place_deadline_min,
        plan.measure_effective_min,
        plan.upward_report_min,
        plan.ruling_deadline_min,
        plan.summary_due_workdays,
        plan.evaluation_due_workdays,
        plan.merge_gap_hours,
    ]

    assert all(number > 0 for number in asked)
    assert plan.daily_report_time == time(17, 0)
    assert plan.issuer
    assert plan.legal_basis
    for level in (Level.YELLOW, Level.ORANGE, Level.RED):
        assert plan.approval(level).rank == {Level.YELLOW: 1, Level.ORANGE: 2, Level.RED: 3}[level]
        assert plan.rebroadcast_hours(level) > 0
        assert plan.lead_time_hours(level) == 24
        assert plan.effective_delay_min(level) == 0
    assert plan.ladder[0].notify == "recipient"
    assert plan.ladder[-1].notify == "district_duty"


def test_the_city_issues_and_the_district_only_activates(plans):
    assert plans["liuzhou"].authority is Authority.ISSUES
    assert plans["liujiang"].authority is Authority.ACTIVATES
    assert plans["liujiang"].extends == "liuzhou"


def test_a_release_is_signed_like_the_lowest_level(plans):
    assert plans["liujiang"].approval(Level.NONE) == plans["liujiang"].approval(Level.YELLOW)


def test_a_plan_without_approvals_refuses_to_say_who_signs(plans):
    with pytest.raises(UnknownCell, match=r"approval\.none"):
        plans["mee-2024"].approval(Level.NONE)
    with pytest.raises(UnknownCell, match=r"rebroadcast_hours\.blue"):
        plans["liujiang"].rebroadcast_hours(Level.BLUE)
    with pytest.raises(UnknownCell, match=r"reduction_pct\.red\.so2"):
        plans["mee-2024"].reduction_pct(Level.RED, "so2")


def test_reductions_rise_with_the_level(plans):
    plan = plans["liujiang"]

    assert [plan.reduction_pct(level, "vocs") for level in (Level.YELLOW, Level.ORANGE, Level.RED)] == [10, 20, 30]


def test_the_number_of_a_notice_bears_year_and_serial(plans):
    assert plans["liujiang"].numbered(2026, 3) == "柳江气响应〔2026〕3号"


def test_a_plan_names_a_delay_for_the_kinds_it_speaks_of_and_for_no_other(plans):
    assert plans["liujiang"].kind_delay_min("transport_limit") == 720
    assert plans["liujiang"].kind_delay_min("limit") is None


def test_doubtful_names_what_does_not_rest_on_a_text_and_nothing_else(plans):
    assert doubtful(plans["mee-2024"], "levels") == ()
    assert doubtful(plans["mee-2024"], "causes") == ("causes.fireworks",)
    assert doubtful(plans["liujiang"], "ack_deadline_min", "levels.red") == ("levels.red.1", "ack_deadline_min")
    assert doubtful(plans["liujiang"], "ack_deadline") == ()  # a path is whole steps, not the start of a word


def test_spells_are_nested_the_same_way_however_they_were_written():
    long, bad = Spell(200, 72), Spell(300, 24)

    assert nested([bad, long]) == nested([long, bad]) == (long, bad)
    assert Clause("a", (bad, long)).spells == (long, bad)


@pytest.mark.parametrize(("hours", "days"), [(1, 1), (24, 1), (25, 2), (48, 2), (73, 4), (96, 4)])
def test_a_begun_day_counts_whole(hours, days):
    assert Spell(200, hours).days == days


def test_over_is_strict_and_a_grade_takes_its_lower_end():
    assert not Spell(200).asks(200)
    assert Spell(200).asks(201)
    assert Spell(201, strict=False, up_to=300).asks(201)
    assert not Spell(201, strict=False, up_to=300).asks(200)
    assert Spell(201, strict=False, up_to=300).asks(350)  # a worse day never counts for less


def test_only_the_upper_bound_rule_lets_the_upper_bound_decide(plans):
    day = DayOfAir(date(2026, 1, 1), 190, Source.FORECAST, aqi_high=210)

    assert plans["liuzhou"].value(day, Spell(1).metric) == 190
    assert plans["liuzhou"].orders(day)
    assert not plans["liuzhou"].orders(DayOfAir(date(2026, 1, 1), 190, Source.FORECAST, cause=Cause.O3))
