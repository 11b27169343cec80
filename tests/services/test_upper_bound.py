"""Where a plan lets the upper bound decide, the suggestion rests on the bound of what counts, and never on ozone's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from emergency.domain.assessment import SHANGHAI
from emergency.domain.episode import Decision, Move
from emergency.domain.forecast import Forecast, ForecastDay
from emergency.domain.level import Level
from emergency.services import intake
from tests.world import World


@pytest.fixture
def cautious(world: World) -> World:
    """A city whose plan lets the upper bound decide."""
    plan = replace(world.rules.plan("liuzhou"), high_decides=True)
    world.rules = replace(world.rules, plans={**world.rules.plans, "liuzhou": plan})
    return world


def heard(world: World, *, counted: int | None, aqi: int = 205, high: int = 240) -> list[Decision]:
    """What is suggested of one coming day that ozone leads, published with its upper bound."""
    tomorrow = world.now.astimezone(SHANGHAI).date() + timedelta(days=1)
    day = ForecastDay(tomorrow, aqi, aqi_high=high, primary=("o3",), counted=counted)
    told = Forecast(feed="bureau", place="柳州", issued_at=world.now, days=(day,))
    world.store.run(lambda tx: intake.keep_air(tx, [told], [], now=world.now))
    return intake.weigh_all(world.store, world.rules, now=world.now)


def test_a_day_of_bad_ozone_suggests_a_health_advisory_and_no_level_by_its_published_bound(cautious: World) -> None:
    (decision,) = heard(cautious, counted=110)
    assert (decision.move, decision.level) == (Move.ADVISE, Level.NONE)


def test_the_same_margin_above_what_counts_suggests_a_level(cautious: World) -> None:
    (decision,) = heard(cautious, counted=166)
    assert (decision.move, decision.level) == (Move.ACTIVATE, Level.YELLOW)


def test_a_bound_that_is_only_ozones_suggests_nothing(cautious: World) -> None:
    assert heard(cautious, counted=None, aqi=95) == []
