"""Figures that are not renewed, and a feed that nobody ever asked, are alarms like a feed that does not answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from emergency.domain.forecast import Forecast, ForecastDay, Observation
from emergency.feeds.sources import UNKNOWN, Validators
from emergency.services import intake, polling, watch
from tests.services.test_polling import Flaky
from tests.world import World


def looked(world: World, feeds: Sequence[Flaky] | None = None) -> list[str]:
    """The alarms that are new when the watch looks, with forecasts due by 20:00 and measured hours within four."""
    rules = replace(world.rules, forecast_by=20, measured_within=4)
    found = watch.look(world.store, rules, now=world.now, wall=world.wall.now(), feeds=feeds)
    return [one for one in found if one.startswith(("late:", "silent:"))]


def poll(world: World, feed: Flaky) -> None:
    polling.poll(world.store, feed, now=world.now, wall=world.wall.now())


def days_go_by(world: World, days: int) -> None:
    world.clock.forward(minutes=days * 24 * 60)
    world.wall.forward(minutes=days * 24 * 60)


def standing(world: World) -> dict[str, str]:
    with world.store.reading() as tx:
        return {one.name: one.detail for one in tx.standing_alarms() if one.name.startswith(("late:", "silent:"))}


def test_a_feed_that_answers_for_days_with_the_same_old_forecast_is_late_until_a_new_one_comes(world: World) -> None:
    feed = Flaky(name="bureau", answers=True)
    world.forecast(60, 60, 60)
    poll(world, feed)
    assert looked(world, [feed]) == []

    days_go_by(world, 5)
    poll(world, feed)
    assert looked(world, [feed]) == ["late:bureau"]
    assert looked(world, [feed]) == []  # told once
    assert standing(world) == {"late:bureau": "数据源 bureau 应每日 20 时前给出新预报，最近一次发布于 02-08 17:05"}

    world.forecast(60, 60, 60)
    looked(world, [feed])
    assert standing(world) == {}


def test_a_forecast_of_today_is_not_late_before_tomorrows_hour(world: World) -> None:
    feed = Flaky(name="bureau", answers=True)
    world.forecast(60, 60, 60)
    poll(world, feed)
    world.clock.forward(minutes=26 * 60 + 54)  # 19:59 of the next day
    world.wall.forward(minutes=1)
    assert looked(world, [feed]) == []
    world.clock.forward(minutes=1)
    assert looked(world, [feed]) == ["late:bureau"]


def test_a_feed_that_answers_and_never_gave_anything_is_late(world: World) -> None:
    feed = Flaky(name="empty", answers=True)
    poll(world, feed)
    assert looked(world, [feed]) == ["late:empty"]


def test_a_source_that_says_unchanged_for_days_is_late_by_its_issue_time(world: World) -> None:
    @dataclass
    class Unchanged(Flaky):
        def download(self, *, now: datetime, known: Validators = UNKNOWN) -> None:
            self.asked.append(now)

    feed = Unchanged(name="bureau")
    world.forecast(60, 60, 60)
    poll(world, feed)
    assert looked(world, [feed]) == []

    for _day in range(2):
        days_go_by(world, 1)
        poll(world, feed)
        looked(world, [feed])

    assert list(standing(world)) == ["late:bureau"]


def test_a_correction_of_an_old_issue_is_no_new_forecast(world: World) -> None:
    feed, at = Flaky(name="bureau", answers=True), world.now
    world.forecast(60, 60, 60)
    poll(world, feed)
    days_go_by(world, 2)
    poll(world, feed)
    days = tuple(ForecastDay(world.now.date() + timedelta(days=n), 60) for n in range(3))
    world.store.run(lambda tx: intake.keep_air(tx, [Forecast("bureau", "柳州", at, days)], [], now=world.now))

    assert looked(world, [feed]) == ["late:bureau"]


def measured(world: World, *, hours_ago: int, place: str = "柳州", period: str = "hour") -> None:
    at = world.now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours_ago)
    one = Observation("stations", place, at, period, {"pm2_5": 30.0})
    world.store.run(lambda tx: intake.keep_air(tx, [], [one], now=world.now))


def test_measurements_are_never_late_forecasts(world: World) -> None:
    feed = Flaky(name="stations", kind="observation", answers=True)
    measured(world, hours_ago=0)
    poll(world, feed)
    assert looked(world, [feed]) == []


def test_a_feed_that_answers_and_gives_no_new_hour_is_late_until_one_comes(world: World) -> None:
    feed = Flaky(name="stations", kind="observation", answers=True)
    measured(world, hours_ago=0)
    for minutes, alarms in ((0, []), (235, []), (6, ["late:stations"]), (60, [])):
        world.clock.forward(minutes=minutes)
        measured(world, hours_ago=0, place="柳州:1870A")  # one station talks on, and the city has no mean
        poll(world, feed)
        assert looked(world, [feed]) == alarms
    assert standing(world)["late:stations"] == "数据源 stations 应在 4 小时内给出新的实况，最新数据截至 02-08 17:00"

    measured(world, hours_ago=1)
    looked(world, [feed])
    assert standing(world) == {}


def test_a_feed_of_days_owes_one_a_day(world: World) -> None:
    feed = Flaky(name="stations", kind="observation", answers=True)
    world.observe(90, until=-1)
    for hours, alarms in ((0, []), (10, []), (2, ["late:stations"])):  # 17:05, 03:05, 05:05
        world.clock.forward(minutes=60 * hours)
        poll(world, feed)
        assert looked(world, [feed]) == alarms


def test_a_feed_of_measurements_that_only_ever_answered_nonsense_is_late(world: World) -> None:
    feed = Flaky(name="stations", kind="observation", answers=True)
    poll(world, feed)
    assert looked(world, [feed]) == ["late:stations"]
    assert standing(world) == {"late:stations": "数据源 stations 应在 4 小时内给出新的实况，从未给出数据"}


def test_a_configured_feed_that_nobody_ever_asked_is_missed_after_its_periods(world: World) -> None:
    feed = Flaky(name="bureau", answers=True)
    assert looked(world, [feed]) == []
    world.wall.forward(minutes=31)
    assert looked(world, [feed]) == ["silent:bureau"]
    assert "从未被查询" in standing(world)["silent:bureau"]

    poll(world, feed)
    looked(world, [feed])
    assert "silent:bureau" not in standing(world)


def test_a_feed_that_was_taken_out_of_the_settings_alarms_nobody(world: World) -> None:
    gone = Flaky(name="gone", answers=True)
    poll(world, gone)
    days_go_by(world, 1)
    assert "silent:gone" in looked(world, [gone])
    looked(world, [])
    assert standing(world) == {}
