"""Beat wakes what must be woken, nothing piles up, and every task is a name somebody answers to."""

from __future__ import annotations

import inspect
import os

import pytest

from config import Settings
from emergency.broker import DEFAULT_QUEUE, EXPIRES_S, LANES
from workers import app as workers_app
from workers import tasks
from workers.app import app, configured, timetable

CHANNELS = ("sms", "voice")
FEEDS = {"bureau": 600, "station": 60}


def test_every_lane_of_every_channel_is_drained_on_its_own_queue() -> None:
    found = timetable(5, CHANNELS, FEEDS)

    drains = [one for one in found.values() if one["task"] == "drain"]
    assert {(one["kwargs"]["channel"], one["kwargs"]["lane"]) for one in drains} == {
        (channel, lane) for channel in CHANNELS for lane in LANES
    }
    assert all(one["options"]["queue"] == one["kwargs"]["lane"] for one in drains)


def test_every_feed_is_asked_as_often_as_it_says() -> None:
    found = timetable(5, CHANNELS, FEEDS)

    assert {one["kwargs"]["feed"]: one["schedule"] for one in found.values() if one["task"] == "poll_feed"} == FEEDS


def test_only_channels_with_a_probe_address_are_proved_as_often_as_the_settings_say() -> None:
    found = timetable(5, CHANNELS, FEEDS, probed=("sms",), probe_seconds=240)

    proofs = [(one["kwargs"]["channel"], one["schedule"]) for one in found.values() if one["task"] == "prove"]
    assert proofs == [("sms", 240)]


def test_the_auditor_is_woken_each_minute() -> None:
    assert timetable(5, CHANNELS, FEEDS)["audit"]["schedule"] == 60


@pytest.mark.parametrize("task", ["sweep", "escalate", "lapse"])
def test_the_sweeps_run_as_often_as_the_settings_say(task: str) -> None:
    found = timetable(2, CHANNELS, FEEDS)

    assert found[task]["schedule"] == 2


def test_every_wake_up_expires_so_that_none_pile_up() -> None:
    for one in timetable(1, CHANNELS, FEEDS).values():
        assert EXPIRES_S <= one["options"]["expires"] <= max(EXPIRES_S, one["schedule"])


def test_every_name_in_the_timetable_is_a_task() -> None:
    app.loader.import_module("workers.tasks")

    wanted = {one["task"] for one in timetable(5, CHANNELS, FEEDS, probed=CHANNELS).values()}

    assert wanted <= set(app.tasks)


def test_every_queue_named_is_one_that_workers_listen_to() -> None:
    wanted = {one["options"]["queue"] for one in timetable(5, CHANNELS, FEEDS).values()}

    assert wanted <= {queue.name for queue in app.conf.task_queues}


def test_no_two_queues_share_an_exchange() -> None:
    """On a shared exchange every queue would get every message."""
    assert {queue.name: (queue.exchange.name, queue.routing_key) for queue in app.conf.task_queues} == {
        name: (name, name) for name in (*LANES, DEFAULT_QUEUE)
    }


def test_tasks_take_their_ids_by_name_and_forgive_what_they_do_not_know() -> None:
    for name, one in vars(tasks).items():
        if hasattr(one, "apply_async") and getattr(one, "__module__", "") == "workers.tasks":
            kinds = {parameter.kind for parameter in inspect.signature(one.run).parameters.values()}
            assert inspect.Parameter.VAR_KEYWORD in kinds, name
            assert inspect.Parameter.POSITIONAL_OR_KEYWORD not in kinds, name


def test_no_result_is_kept_and_a_lost_task_comes_back() -> None:
    conf = configured(Settings.from_env({"EMERGENCY_BROKER_URL": "redis://127.0.0.1:1/0"})).conf

    assert conf.result_backend is None
    assert conf.task_ignore_result
    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost
    assert conf.worker_prefetch_multiplier == 1


def test_a_task_is_never_given_to_a_second_worker_while_the_first_may_still_have_it() -> None:
    conf = configured(Settings.from_env({})).conf

    assert conf.task_soft_time_limit < conf.task_time_limit < conf.broker_transport_options["visibility_timeout"]


def test_one_loop_serves_every_sending_of_a_process() -> None:
    async def which() -> int:
        import asyncio

        return id(asyncio.get_running_loop())

    assert workers_app.awaited(which()) == workers_app.awaited(which())


def test_the_holder_names_this_process() -> None:
    assert workers_app.holder().endswith(f":{os.getpid()}")
