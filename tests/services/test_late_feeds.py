"""A forecast that is not renewed, and a feed that nobody ever asked, are alarms like one that does not answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from emergency.services import polling, watch
from tests.services.test_polling import Flaky
from tests.world import World


def looked(world: World, feeds: Sequence[Flaky] | None = None) -> list[str]:
    """The alarms that are new when the watch looks, with forecasts due by 20:00."""
    rules = replace(world.rules, forecast_by=20)
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


def test_measurements_are_never_late_forecasts(world: World) -> None:
    feed = Flaky(name="stations", kind="observation", answers=True)
    poll(world, feed)
    assert looked(world, [feed]) == []


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
