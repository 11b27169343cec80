"""The pages of judging: figures with their sample, what is not computable said so, candidates side by side."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from emergency.clock import SHANGHAI
from emergency.domain.forecast import Forecast, ForecastDay
from emergency.domain.level import Level
from emergency.services import intake, shadowing, verifying
from tests.web.conftest import SignedIn
from tests.world import CITY, World

PAGES = ("/console/forecasts", "/console/shadow")
API = "/api/v1/verification"


def lived(world: World, days: int) -> None:
    """So many days of a source that says ten too much, verified."""
    for n in range(days):
        today = world.now.astimezone(SHANGHAI).date()
        ahead = tuple(ForecastDay(today + timedelta(days=lead), 110 + 20 * (n % 2)) for lead in (1, 2, 3))
        told = Forecast("bureau", "柳州", world.now, ahead)
        world.store.run(lambda tx, told=told: intake.keep_air(tx, [told], [], now=world.now))  # type: ignore[misc]  # mypy does not see the default
        world.observe(100)
        world.clock.forward(hours=24)
    verifying.verify_all(world.store, by_hour=20, now=world.now)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("login", ["city-duty", "lj-duty", "lj-reviewer", "city-approver3"])
def test_everybody_of_the_desk_and_the_review_may_look(signed_in: SignedIn, path: str, login: str) -> None:
    assert signed_in(login).get(path).status_code == 200


@pytest.mark.parametrize("path", [*PAGES, API])
def test_units_and_strangers_may_not(signed_in: SignedIn, client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code in (302, 401)
    assert signed_in("lj-duty").get(f"{path}?area={CITY}").status_code == (200 if path == API else 403)


def test_with_nothing_verified_the_page_says_what_it_waits_for(signed_in: SignedIn) -> None:
    assert "还没有可检验的预报" in signed_in("city-duty").get("/console/forecasts").text


def test_few_days_are_shown_with_the_word_that_they_decide_nothing(world: World, signed_in: SignedIn) -> None:
    lived(world, 4)

    page = signed_in("city-duty").get("/console/forecasts").text

    assert "样本 3 天，尚不足以判断" in page
    assert "样本不足，不作评判" not in page  # persistence was never wrong here
    assert "无法计算" in page
    assert "没有这样的天" in page


def test_enough_days_are_judged_drawn_and_exported(world: World, signed_in: SignedIn) -> None:
    lived(world, 14)
    browser = signed_in("city-duty")

    page = browser.get("/console/forecasts?days=30").text
    sheet = browser.get("/console/forecasts?format=csv").text

    assert "尚不足以判断" not in page
    assert "报对 0 · 漏报 0 · 空报 13" in page
    assert page.count('<svg class="chart" viewBox="0 0 520') == 1
    assert len(sheet.splitlines()) == 1 + 13 + 12 + 11
    assert browser.get("/console/forecasts?lang=en").status_code == 200


def test_programs_read_the_same_figures_and_null_where_nothing_can_be_computed(
    world: World, signed_in: SignedIn
) -> None:
    lived(world, 4)

    found = signed_in("city-duty").get(f"{API}?place=柳州&days=30").json
    assert found is not None

    assert (found["place"], [one["lead_days"] for one in found["figures"]]) == ("柳州", [1, 2, 3])
    first = found["figures"][0]
    assert (first["days"], first["enough"], first["skill"]) == (3, False, None)
    assert first["level_hit"][0]["false_alarms"] == 3
    assert first["level_hit"][3]["pod"] is None


@pytest.mark.parametrize("days", ["0", "x", "99999"])
def test_a_window_that_is_none_is_refused(signed_in: SignedIn, days: str) -> None:
    assert signed_in("city-duty").get(f"{API}?place=柳州&days={days}").status_code == 422


def test_the_review_shows_each_sources_figures_for_its_days(world: World, signed_in: SignedIn) -> None:
    world.activated(Level.YELLOW, deliver=False)
    lived(world, 4)
    episode = world.released()

    page = signed_in("lj-reviewer").get(f"/review/{episode.id}").text

    assert "报对 0 · 漏报 0 · 空报 3" in page
    assert "还没有核对过这几天的预报" not in page


def test_a_candidate_stands_beside_the_active_plan_and_its_differences_are_listed(
    world: World, signed_in: SignedIn
) -> None:
    world.forecast(160, 170, 120)
    shadowing.shadow_all(world.store, world.rules, {CITY: ("mee-2018",)}, now=world.now)
    browser = signed_in("city-duty")

    page = browser.get("/console/shadow").text
    sheet = browser.get("/console/shadow?format=csv").text

    assert "与现行不同" in page
    assert "仍不同" in page
    assert len(sheet.splitlines()) == 2


def test_an_area_without_candidates_is_told_where_they_are_named(signed_in: SignedIn) -> None:
    assert "本区域没有设置候选预案" in signed_in("lj-duty").get("/console/shadow").text
