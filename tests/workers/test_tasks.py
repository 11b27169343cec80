"""A task opens one use case; it may run twice, late, or for something that is no longer there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from config import Settings
from emergency import system
from emergency.clock import SHANGHAI, SharedClock
from emergency.domain.episode import Standing
from emergency.errors import Misconfigured
from emergency.store import desk
from emergency.system import System
from workers import app as workers_app
from workers import tasks

CITY = "450200"


ENVIRON = {
    "EMERGENCY_DRILL": "liuzhou-2015-02", "FEED_REPLAY_EPISODE": "liuzhou-2015-02", "FEED_REPLAY_SEED": "1",
    "CHANNEL_SMS_URL": "http://127.0.0.1:1/gateway/sms", "CHANNEL_SMS_KEY": "k" * 32,
    "EMERGENCY_WIRE_ALLOW": "127.0.0.1:1",
}  # fmt: skip


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> System:
    """What a worker reads before it forks."""
    folder = tmp_path_factory.mktemp("worker")
    clock_file = {"EMERGENCY_DATA_DIR": str(folder), "EMERGENCY_CLOCK_FILE": str(folder / "clock.json")}
    return system.build(Settings.from_env({**ENVIRON, **clock_file}))


@pytest.fixture
def running(ground: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Iterator[System]:
    """A child of a worker in a replay, over a database of its own; the first forecast has just come out."""
    civil = SharedClock(tmp_path / "clock.json")
    civil.turn_to(datetime(2015, 2, 8, 17, 0, 5, tzinfo=SHANGHAI), speed=1.0)
    mine = replace(ground, settings=replace(ground.settings, database_url=database_url), clock=civil)
    monkeypatch.setattr(workers_app, "_ground", [mine])
    monkeypatch.setattr(workers_app, "_built", {})
    yield workers_app.system()
    workers_app.let_go()


def test_a_forecast_that_came_is_weighed_and_becomes_a_suggestion(running: System) -> None:
    tasks.poll_feed(feed="replay")

    with running.store.reading() as tx:
        waiting = desk.waiting_decisions(tx, CITY)
    assert [(one.level.word, one.standing) for one in waiting] == [("yellow", Standing.SUGGESTED)]


def test_asking_a_feed_twice_makes_one_suggestion(running: System) -> None:
    tasks.poll_feed(feed="replay")
    tasks.poll_feed(feed="replay")
    tasks.weigh()

    with running.store.reading() as tx:
        assert len(desk.waiting_decisions(tx, CITY)) == 1


def test_a_feed_or_channel_taken_out_of_the_settings_harms_nobody(running: System) -> None:
    tasks.poll_feed(feed="gone", and_what="yesterday's queue says")
    tasks.drain(channel="gone", lane="urgent", more="of it")

    with running.store.reading() as tx:
        assert desk.waiting_decisions(tx, CITY) == ()


def test_a_gateway_that_is_down_leaves_the_message_to_be_tried_again(running: System) -> None:
    tasks.poll_feed(feed="replay")

    tasks.drain(channel="sms", lane="urgent")

    with running.store.reading() as tx:
        assert desk.post(tx, CITY).states == {"ready": 1}


@pytest.mark.parametrize("sweep", [tasks.escalate, tasks.lapse, tasks.sweep, tasks.look])
def test_a_sweep_with_nothing_to_do_may_run_twice(running: System, sweep: object) -> None:
    assert callable(sweep)
    sweep()
    sweep()


def test_a_sweep_leaves_its_heartbeat(running: System) -> None:
    tasks.sweep()

    with running.store.reading() as tx:
        assert "sweep" in tx.heartbeats()


def test_the_children_of_a_worker_share_no_connection_with_it(running: System) -> None:
    assert running.store is not workers_app._ground[0].store
    assert running.broker is not workers_app._ground[0].broker


def test_a_candidate_nobody_loaded_stops_the_start(tmp_path: Path) -> None:
    settings = Settings.from_env({"EMERGENCY_DATA_DIR": str(tmp_path)})
    shutil.copytree(settings.playbooks, tmp_path / "playbooks")
    file = tmp_path / "playbooks" / "places" / "liuzhou.yaml"
    file.write_text(file.read_text("utf-8").replace("shadow: [mee-2018]", "shadow: [no-such-plan]"), "utf-8")

    with pytest.raises(Misconfigured, match="no-such-plan"):
        system.build(replace(settings, playbooks=tmp_path / "playbooks"))


def test_a_districts_plan_that_issues_warnings_stops_the_start(tmp_path: Path) -> None:
    settings = Settings.from_env({"EMERGENCY_DATA_DIR": str(tmp_path)})
    shutil.copytree(settings.playbooks, tmp_path / "playbooks")
    file = tmp_path / "playbooks" / "plans" / "liujiang.yaml"
    file.write_text(file.read_text("utf-8").replace("authority: activates", "authority: issues"), "utf-8")

    with pytest.raises(Misconfigured, match=r"liujiang\.yaml:6: authority: .* 柳江区 \(450200\.450206, district\)"):
        system.build(replace(settings, playbooks=tmp_path / "playbooks"))


def test_an_area_whose_plan_nobody_loaded_stops_the_start(tmp_path: Path) -> None:
    settings = Settings.from_env({"EMERGENCY_DATA_DIR": str(tmp_path)})
    shutil.copytree(settings.playbooks, tmp_path / "playbooks")
    file = tmp_path / "playbooks" / "places" / "liuzhou.yaml"
    file.write_text(file.read_text("utf-8").replace("plan_id: liujiang", "plan_id: no-such-plan"), "utf-8")

    with pytest.raises(Misconfigured, match="no-such-plan"):
        system.build(replace(settings, playbooks=tmp_path / "playbooks"))


def test_the_auditor_says_once_a_day_whom_a_ladder_would_not_reach(running: System) -> None:
    tasks.audit()

    with running.store.reading() as tx:
        assert f"unreached:{CITY}" in {one.name for one in tx.standing_alarms()}
        first = tx.heartbeats()["unreached"]
    tasks.audit()
    with running.store.reading() as tx:
        assert tx.heartbeats()["unreached"] == first


def test_a_lease_too_short_for_a_channels_timeout_is_refused_at_the_start(tmp_path: Path) -> None:
    settings = Settings.from_env({"EMERGENCY_DATA_DIR": str(tmp_path)})
    sms = {"url": "https://gateway.example/", "key": "k", "timeout": "16"}

    with pytest.raises(Misconfigured, match=r"EMERGENCY_LEASE_SECONDS.*CHANNEL_SMS_TIMEOUT 16.*at least 40"):
        system.build(replace(settings, channels={"sms": sms}))

    assert system.build(replace(settings, channels={"sms": sms}, lease_seconds=40)).channels["sms"].timeout_s == 16
