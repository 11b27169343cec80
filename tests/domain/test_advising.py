"""Days that get a health advisory: which they are, what is said, and that no plant ever gets anything from them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from emergency.domain import advising
from emergency.domain.advising import AdvisedDay
from emergency.domain.assess import assess
from emergency.domain.calm import calm
from emergency.domain.forecast import Air, Cause, DayOfAir, Source
from emergency.domain.level import Level
from emergency.domain.orders import RecipientKind
from emergency.plans.advice import load_advice
from tests.builders import a_recipient
from tests.world import PLANS, PLAYBOOKS

BOOK = load_advice(PLAYBOOKS / "advice")
MONDAY = date(2026, 4, 6)
NOW = datetime(2026, 4, 5, 9, 0, tzinfo=UTC)
PLAN = PLANS["liuzhou"]
OTHER_CAUSES = [one for one in Cause if one is not Cause.PM2_5]


def air(*aqi: int, causes: dict[int, Cause] | None = None) -> Air:
    """Forecast days from Monday on, of fine particles where no cause is named."""
    return Air(
        "柳州",
        tuple(
            DayOfAir(MONDAY + timedelta(days=n), value, Source.FORECAST, cause=(causes or {}).get(n, Cause.PM2_5))
            for n, value in enumerate(aqi)
        ),
    )


@pytest.mark.parametrize("cause", OTHER_CAUSES)
def test_days_of_another_cause_are_advised_of_and_start_no_level(cause: Cause) -> None:
    said = assess(PLAN, air(260, 270, 280, causes=dict.fromkeys(range(3), cause)))

    days = advising.asked(said, BOOK, today=MONDAY)

    assert said.level is Level.NONE
    assert [one.day for one in days] == [MONDAY + timedelta(days=n) for n in range(3)]
    assert {one.cause for one in days} == {cause}


def test_a_dust_day_inside_a_spell_breaks_the_run_and_is_the_only_one_advised_of() -> None:
    spell = air(210, 320, 220, causes={1: Cause.SAND_DUST})

    said = assess(PLAN, spell)

    assert said.level is Level.YELLOW  # two single days over 200, never three in a row
    assert [one.day for one in advising.asked(said, BOOK, today=MONDAY)] == [MONDAY + timedelta(days=1)]


def test_a_day_at_its_mark_is_not_advised_of_and_one_above_it_is() -> None:
    mark = BOOK[Cause.O3].over
    causes = {0: Cause.O3, 1: Cause.O3}

    days = advising.asked(assess(PLAN, air(mark, mark + 1, causes=causes)), BOOK, today=MONDAY)

    assert [one.aqi for one in days] == [mark + 1]


def test_a_day_that_is_over_is_not_advised_of_any_more() -> None:
    said = assess(PLAN, air(260, 260, causes=dict.fromkeys(range(2), Cause.O3)))

    assert [one.day for one in advising.asked(said, BOOK, today=MONDAY + timedelta(days=1))] == [
        MONDAY + timedelta(days=1)
    ]


def test_only_a_day_or_cause_that_is_new_asks_again() -> None:
    first = AdvisedDay(MONDAY, Cause.O3, 190)

    assert not advising.fresh([replace(first, aqi=240)], [first])  # a worse figure for the same day is no new advice
    assert advising.fresh([AdvisedDay(MONDAY + timedelta(days=1), Cause.O3, 190)], [first])
    assert advising.fresh([AdvisedDay(MONDAY, Cause.SAND_DUST, 190)], [first])


@pytest.mark.parametrize("cause", OTHER_CAUSES)
def test_no_enterprise_gets_anything_from_an_advisory(cause: Cause) -> None:
    days = [AdvisedDay(MONDAY, cause, 300)]
    for sector in BOOK[cause].duties:
        plant = a_recipient(kind=RecipientKind.ENTERPRISE, sector=sector)
        assert advising.measures_for(plant, days, BOOK) == ()
        assert advising.measures_for(replace(plant, kind=RecipientKind.UNIT), days, BOOK)


@pytest.mark.parametrize("cause", OTHER_CAUSES)
def test_no_duty_of_an_advisory_stops_or_limits_anybody(cause: Cause) -> None:
    actions = {line.action for lines in BOOK[cause].duties.values() for line in lines}

    assert not actions & {"stop", "limit"}


def test_fireworks_are_for_police_and_towns() -> None:
    assert {"public_security", "town"} <= set(BOOK[Cause.FIREWORKS].duties)


def test_each_line_of_advice_is_said_once_in_both_languages() -> None:
    days = [AdvisedDay(MONDAY + timedelta(days=n), cause, 200) for n, cause in enumerate(OTHER_CAUSES)]

    for english in (False, True):
        lines = advising.lines(days, BOOK, english=english)
        assert len(lines) == len(set(lines)) > 0


def test_advice_lasts_to_the_end_of_its_last_day_and_never_begins_before_now() -> None:
    days = [AdvisedDay(MONDAY + timedelta(days=2), Cause.O3, 200), AdvisedDay(MONDAY, Cause.O3, 200)]
    late = datetime(2026, 4, 6, 3, 0, tzinfo=UTC)

    assert advising.begins(days, now=NOW) == datetime(2026, 4, 5, 16, 0, tzinfo=UTC)
    assert advising.begins(days, now=late) == late
    assert advising.ends(days) == datetime(2026, 4, 8, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize("cause", OTHER_CAUSES)
def test_standing_orders_go_on_through_fireworks_and_end_through_what_no_plant_caused(cause: Cause) -> None:
    ahead = air(120, 250, 260, 90, causes={1: cause, 2: cause})

    met = calm(PLAN, ahead, now=datetime(2026, 4, 6, 9, 0, tzinfo=UTC)).met  # Monday evening; Tuesday and Wednesday

    assert met is (cause is not Cause.FIREWORKS)
