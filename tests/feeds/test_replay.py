"""Past air as if it were today: what is derived, what is known when, and that it is the same each time."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emergency.clock import SHANGHAI
from emergency.domain.assess import assess
from emergency.domain.forecast import Air, DayOfAir, Forecast, Source, joined
from emergency.errors import Misconfigured
from emergency.feeds.replay import LABEL, ReplayForecast, ReplayObserved, derived, read_air
from emergency.plans.plans import load_plans
from tests.feeds.bench import AIR, ROOT

LIUZHOU, BEIJING = AIR / "liuzhou-2015-02.csv", AIR / "beijing-2016-12.csv"
EVENINGS = {
    8: (134, 119, 186, 246),
    9: (120, 185, 209, 288),
    10: (193, 234, 297, 263),
    11: (229, 281, 263, 196),
    12: (271, 271, 201, 123),
    13: (269, 222, 122, 137),
    14: (221, 117, 112, 71),
}


def at(day: int, hour: int = 17, minute: int = 5) -> datetime:
    return datetime(2015, 2, day, hour, minute, tzinfo=SHANGHAI)


def forecast(now: datetime, path: Path = LIUZHOU) -> Forecast | None:
    feed = ReplayForecast("replay", "450200", path)
    found = feed.parse(feed.download(now=now).body, now=now)
    assert found.refused == ()
    return found.forecasts[0] if found.forecasts else None


def observed(now: datetime, path: Path = LIUZHOU) -> dict[date, int | None]:
    feed = ReplayObserved("replay_observed", "450200", path)
    found = feed.parse(feed.download(now=now).body, now=now)
    assert found.refused == ()
    return {one.at.astimezone(SHANGHAI).date(): one.aqi for one in found.observations}


def known(now: datetime, path: Path = LIUZHOU) -> Air:
    """What the plan's rule has before it at this hour."""
    past = [DayOfAir(day, aqi, Source.OBSERVED) for day, aqi in observed(now, path).items() if aqi is not None]
    return joined("450200", past, forecast(now, path), today=now.astimezone(SHANGHAI).date())


@pytest.mark.parametrize(("day", "figures"), EVENINGS.items())
def test_the_derived_figures_are_these(day: int, figures: tuple[int, ...]) -> None:
    found = forecast(at(day))

    assert found is not None
    assert [one.day.day for one in found.days] == [day, day + 1, day + 2, day + 3]
    assert tuple(one.aqi for one in found.days) == figures


@pytest.mark.parametrize(
    ("day", "level"), [(8, "yellow"), (9, "orange"), (10, "orange"), (11, "orange"), (12, "orange"), (13, "orange")]
)
def test_the_evenings_ask_for_yellow_and_then_orange(day: int, level: str) -> None:
    plan = load_plans(ROOT / "playbooks" / "plans")["mee-2024"]

    assert assess(plan, known(at(day))).level.word == level


def test_on_the_last_evening_every_day_ahead_is_below_150() -> None:
    assert max(EVENINGS[14][1:]) < 150


def test_it_is_labelled_as_what_it_is() -> None:
    found = forecast(at(9))

    assert found is not None
    assert (found.label, LABEL) == ("推演预报", "推演预报")
    assert found.issued_at == at(9, 17, 0)


def test_before_five_the_forecast_is_yesterdays() -> None:
    early, late = forecast(at(9, 16, 59)), forecast(at(9, 17, 0))

    assert early is not None
    assert late is not None
    assert early.issued_at == at(8, 17, 0)
    assert late.issued_at == at(9, 17, 0)


@pytest.mark.parametrize("path", [LIUZHOU, BEIJING])
def test_the_same_question_has_the_same_bytes(path: Path) -> None:
    now = datetime.combine(read_air(path)[8].day, datetime.min.time(), SHANGHAI)

    for kind in (ReplayForecast, ReplayObserved):
        assert kind("x", "1", path).download(now=now) == kind("x", "1", path).download(now=now)


def test_a_day_is_observed_once_it_is_over() -> None:
    assert max(observed(at(9, 23, 59))) == date(2015, 2, 8)
    assert max(observed(at(10, 0, 0))) == date(2015, 2, 9)


def test_nothing_is_said_before_the_first_day_or_long_after_the_last() -> None:
    for now in (at(1, 16, 0), datetime(2015, 3, 1, 18, tzinfo=SHANGHAI)):
        assert forecast(now) is None
    assert observed(at(1)) == {}


@given(
    aqi=st.integers(1, 500),
    seed=st.text(max_size=5),
    lead=st.integers(0, 3),
    permille=st.integers(0, 300),
)
def test_no_error_is_larger_than_stated(aqi: int, seed: str, lead: int, permille: int) -> None:
    found = derived(
        aqi, seed=seed, episode="e", issued_on=date(2015, 2, 1), day=date(2015, 2, 1 + lead), permille=permille
    )

    assert 1 <= found <= 500
    assert abs(found - aqi) <= aqi * permille * lead / 1000 + 0.5


def test_another_seed_is_another_forecast() -> None:
    first, last = date(2015, 2, 1), date(2015, 2, 4)

    found = {derived(400, seed=str(n), episode="e", issued_on=first, day=last, permille=50) for n in range(20)}

    assert len(found) > 5


def test_the_committed_air_is_what_its_readme_says() -> None:
    liuzhou, beijing = read_air(LIUZHOU), read_air(BEIJING)

    assert (liuzhou[0].day, liuzhou[-1].day, len(liuzhou)) == (date(2015, 2, 1), date(2015, 2, 20), 20)
    assert [one.aqi for one in liuzhou[8:17]] == [120, 193, 229, 271, 269, 221, 120, 120, 62]
    assert (beijing[0].day, beijing[-1].day, len(beijing)) == (date(2016, 12, 10), date(2016, 12, 28), 19)
    assert [one.aqi for one in beijing[7:12]] == [235, 270, 265, 411, 430]


@pytest.mark.parametrize(
    "line",
    [
        "2015-02-03,0,",
        "2015-02-03,501,",
        "2015-02-03,x,",
        "2015-02-03,1.5,",
        "2015-02-01,90,",
        "03/02/2015,90,",
        "2015-02-03",
    ],
)
def test_a_wrong_line_of_our_own_stops_with_its_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "air.csv"
    path.write_text(f"day,aqi,primary\n2015-02-02,90,pm2_5\n{line}\n")

    with pytest.raises(Misconfigured, match=r"air\.csv:3"):
        read_air(path)
