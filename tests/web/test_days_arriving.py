"""A day sent as JSON: one fact has one verdict, whichever field it stands in, and what contradicts itself refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from emergency.domain.assess import assess
from emergency.domain.causes import is_open, with_fine_counted
from emergency.domain.forecast import Cause, Forecast, ForecastDay, joined
from emergency.domain.level import Level
from emergency.plans.plans import load_plans
from emergency.plans.standards import load_standards
from emergency.web.arriving import DayIn, ObservationIn
from emergency.web.refusals import because

STANDARDS = load_standards()
PLAN = load_plans()["liuzhou"]
NOW = datetime(2015, 2, 8, 9, tzinfo=UTC)
CLEAN = {"pm2_5": 10, "pm10": 10, "so2": 5, "no2": 20, "co": 0.6, "o3_8h": 20}


def a_day(n: int = 1, **said: Any) -> ForecastDay:
    """The day so many days ahead, as a machine says it."""
    day = (NOW.date() + timedelta(days=n)).isoformat()
    return DayIn.model_validate({"day": day, **said}, strict=False).value(STANDARDS)


def level(**said: Any) -> Level:
    """What the plan makes of three such days."""
    sent = Forecast("bureau", "柳州", NOW, tuple(a_day(n, **said) for n in (1, 2, 3)))
    return assess(PLAN, joined("柳州", [], with_fine_counted(sent, STANDARDS), today=NOW.date())).level


@pytest.mark.parametrize("more", [{}, {"cause": "pm2_5"}, {"cause": "o3"}, {"primary": ["o3"]}, {"primary": ["pm2_5"]}])
@pytest.mark.parametrize("pm2_5", [0, 40, 76, 160, 300])
def test_pm2_5_by_itself_and_among_the_concentrations_is_the_same_fact(pm2_5: int, more: dict[str, Any]) -> None:
    by_itself, among = a_day(aqi=210, pm2_5=pm2_5, **more), a_day(aqi=210, values={"pm2_5": pm2_5}, **more)

    assert by_itself == among
    table = ForecastDay(
        by_itself.day, 210, primary=tuple(more.get("primary", ())), cause=Cause(more.get("cause", "pm2_5")),
        pm2_5=float(pm2_5),
    )  # fmt: skip
    (of_table,) = with_fine_counted(Forecast("bureau", "柳州", NOW, (table,)), STANDARDS).days
    assert (of_table.cause, of_table.counted, is_open(of_table)) == (
        by_itself.cause, by_itself.counted, is_open(by_itself),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "counted", "cause", "left_open"),
    [
        ({"pm2_5": 40}, 57, Cause.PM2_5, True),
        ({"values": {"pm2_5": 40, "pm10": 70}}, 60, Cause.PM2_5, True),
        ({"values": {"pm2_5": 40, "pm10": 70}, "cause": "o3"}, 60, Cause.O3, False),
        ({"values": {"pm2_5": 40, "o3_8h": 280}}, 57, Cause.PM2_5, True),  # 203: not quite
        ({"values": {"pm2_5": 40, "o3_8h": 315}}, 210, Cause.O3, False),
        ({"values": {"o3_8h": 315}}, 210, Cause.O3, False),
        ({"values": {"pm2_5": 40, "pm10": 70, "o3_8h": 280}}, 60, Cause.O3, False),
        ({"values": {"pm2_5": 40, "pm10": 70, "o3_8h": 160}}, 60, Cause.PM2_5, True),
    ],
)
def test_an_index_that_nothing_which_counts_can_give_starts_no_orders(
    said: dict[str, Any], counted: int, cause: Cause, left_open: bool
) -> None:
    found = a_day(aqi=210, **said)

    assert (found.aqi if found.counted is None else found.counted, found.cause) == (counted, cause)
    assert is_open(found) is left_open
    assert level(aqi=210, **said) is Level.NONE


@pytest.mark.parametrize(
    "said",
    [
        {"pm2_5": 160, "cause": "o3"},
        {"pm2_5": 160, "primary": ["o3"]},
        {"pm2_5": 160, "primary": ["o3", "pm2_5"], "cause": "o3"},
        {"values": {"pm2_5": 160, "o3_8h": 280}},
        {"values": {"pm2_5": 160}},
        {"values": {"pm2_5": 160, "o3_8h": 315}},
        {"values": {"pm10": 70}},  # PM2.5 is not known: the index most likely speaks of it
        {"values": {"o3_8h": 280}},
        {},
    ],
)
def test_heavy_fine_particles_are_hidden_by_no_field(said: dict[str, Any]) -> None:
    assert level(aqi=210, **said) is Level.ORANGE


def test_a_day_of_which_pm2_5_is_not_known_waits_for_a_person_where_what_is_known_gives_it_not() -> None:
    days = [a_day(aqi=210, values=known) for known in ({"o3_8h": 280}, {"pm10": 70}, {})]

    assert [is_open(one) for one in days] == [True, True, False]


def test_fine_particles_above_the_index_count_at_least_by_themselves() -> None:
    found = a_day(aqi=50, values={"pm2_5": 300})

    assert (found.aqi, found.counted) == (50, 350)
    assert level(aqi=50, pm2_5=300) is level(aqi=90, primary=["o3"], pm2_5=300) is Level.RED
    assert level(aqi=50, values={"pm10": 450}) is Level.NONE  # it may be dust


@pytest.mark.parametrize(
    ("aqi", "values", "gives"), [(50, {**CLEAN, "pm2_5": 300, "pm10": 310}, 350), (400, CLEAN, 25)]
)
def test_a_day_whose_six_concentrations_contradict_its_index_is_refused_by_name(
    aqi: int, values: dict[str, float], gives: int
) -> None:
    refused = f"2015-02-09 has aqi {aqi}, and {gives} by its own six concentrations"

    with pytest.raises(ValueError, match=refused):
        a_day(aqi=aqi, values=values)
    with pytest.raises(ValueError, match=refused):
        a_day(aqi=aqi, pm2_5=values["pm2_5"], values={name: its for name, its in values.items() if name != "pm2_5"})
    seen = {"place": "柳州", "at": "2015-02-09T00:00:00+08:00", "period": "day", "aqi": aqi, "values": values}
    with pytest.raises(ValueError, match=refused):
        ObservationIn.model_validate(seen, strict=False).value("s", now=NOW + timedelta(days=1), standards=STANDARDS)

    assert a_day(aqi=gives, values=values).aqi == gives


def test_the_refusal_says_both_figures_in_chinese(app: Flask) -> None:
    with pytest.raises(ValueError) as refused:
        a_day(aqi=400, values=CLEAN)

    with app.test_request_context():
        assert because(str(refused.value)) == (
            "2015-02-09 的 AQI 为 400，而按其六项浓度（HJ 633-2012）应为 25，相互矛盾，未采用"
        )
