"""The demo, whole: real processes on a stack of their own play a past episode, and nothing stays behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emergency import clock
from emergency.commands.player import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "emergency", "demo")
BROKER = "EMERGENCY_BROKER_URL"  # a demo given one shares it; here each has its own

pytestmark = pytest.mark.skipif(
    "EMERGENCY_TEST_DATABASE_URL" in os.environ, reason="a demo brings its own stack: one run of the suite proves it"
)


def two_free_ports() -> int:
    """A port that is free, with the next one free too."""
    for _ in range(50):
        with socket.create_server(("127.0.0.1", 0)) as one:
            port: int = one.getsockname()[1]
            try:
                with socket.create_server(("127.0.0.1", port + 1)):
                    return port
            except OSError:
                continue
    raise AssertionError("no two neighbouring ports are free")


class Demo:
    """One demo, and what it said."""

    def __init__(
        self, folder: Path, *words: str, port: int | None = None, by_make: bool = False, **environ: str
    ) -> None:
        self.port = port or two_free_ports()
        self.folder, self._err = folder, folder / "stderr"
        kept = {name: value for name, value in os.environ.items() if name != BROKER}
        with self._err.open("wb") as err:
            words = ("--no-browser", "--port", str(self.port), *words)
            self.process = subprocess.Popen(
                ["make", "--no-print-directory", "run", f"ARGS={' '.join(words)}"] if by_make else [*COMMAND, *words],
                cwd=ROOT, stdout=subprocess.PIPE, stderr=err,
                env={**kept, "EMERGENCY_DATA_DIR": str(folder), **environ},
            )  # fmt: skip

    @property
    def said(self) -> str:
        """What it told on standard error so far."""
        return self._err.read_text("utf-8")

    def until(self, words: str, *, seconds: float = 90) -> None:
        """Wait until it has said this."""
        until = clock.seconds() + seconds
        while words not in self.said:
            assert self.process.poll() is None, self.said
            assert clock.seconds() < until, f"never said {words!r}:\n{self.said}"
            clock.pause(0.1)

    def children(self) -> dict[str, int]:
        """Its own processes by a word of their command line."""
        found = {}
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(path.read_text().rpartition(")")[2].split()[1])
                line = (path.parent / "cmdline").read_text().replace("\0", " ")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if parent == self.process.pid:
                names = {"valkey": "broker", "--queues urgent": "worker-urgent", "--queues normal": "worker",
                         "running:web_app": "web", "phones:": "phones"}  # fmt: skip
                found |= {name: int(path.parent.name) for word, name in names.items() if word in line}
        return found

    def summary(self, *, seconds: float) -> tuple[int, dict[str, Any]]:
        """How it ended, and the JSON document it ended with."""
        out, _ = self.process.communicate(timeout=seconds)
        return self.process.returncode, json.loads(out)

    def end(self) -> None:
        """End it if it has not ended, and bury it."""
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate(timeout=30)


@pytest.fixture
def demos(tmp_path: Path) -> Iterator[list[Demo]]:
    started: list[Demo] = []
    yield started
    for demo in started:
        demo.end()


def start(
    demos: list[Demo], folder: Path, *words: str, port: int | None = None, by_make: bool = False, **environ: str
) -> Demo:
    demos.append(Demo(folder, *words, port=port, by_make=by_make, **environ))
    return demos[-1]


@pytest.mark.timeout(600)
def test_the_episode_is_played_to_its_close_and_comes_to_what_it_must(tmp_path: Path, demos: list[Demo]) -> None:
    demo = start(demos, tmp_path, "--autopilot", "--exit-when-closed", "--speed", "20000", by_make=True)

    code, found = demo.summary(seconds=580)

    assert found["problems"] == []
    assert (code, found["ok"], found["replay"]) == (0, True, True)
    assert found["orders"]["total"] == found["orders"]["eligible"] > 200
    assert found["lifted"] == found["live_at_release"] == found["orders"]["total"]
    assert found["closed_plant_orders"] == 0
    assert found["proposers_differ"]
    assert len(set(found["review"]["signed_by"])) == 2
    assert found["escalated"] >= 3
    assert found["delivered"] > found["orders"]["total"]
    levels = [(one["area"], one["level"]) for one in found["levels"]]
    assert levels[:2] == [("450200", "yellow"), ("450200", "orange")]
    assert ("450200.450206", "orange") in levels
    assert all(one["issued_at"] <= one["effective_at"] <= one["ended_at"] for one in found["levels"])
    assert "历史数据推演" in demo.said
    assert not list(tmp_path.glob("demo-*"))


@pytest.mark.timeout(150)
def test_without_a_worker_nothing_is_delivered_and_the_run_says_so(tmp_path: Path, demos: list[Demo]) -> None:
    demo = start(demos, tmp_path, "--autopilot", "--exit-when-closed", "--without-worker")

    code, found = demo.summary(seconds=PATIENCE_S + 90)

    assert code == 1
    assert (found["ok"], found["delivered"]) == (False, 0)
    assert any("workers do nothing" in problem for problem in found["problems"])


@pytest.mark.timeout(200)
def test_a_worker_lost_in_mid_run_ends_it_in_time_and_is_named(tmp_path: Path, demos: list[Demo]) -> None:
    demo = start(demos, tmp_path, "--autopilot", "--exit-when-closed")
    demo.until("录入上级通知")

    os.killpg(demo.children()["worker"], signal.SIGKILL)
    code, found = demo.summary(seconds=PATIENCE_S + 60)

    assert code == 1
    assert any("worker" in problem for problem in found["problems"])


@pytest.mark.timeout(120)
def test_by_hand_the_clock_waits_for_a_person_and_ctrl_c_ends_everything(tmp_path: Path, demos: list[Demo]) -> None:
    demo = start(demos, tmp_path)
    demo.until("时钟等人：柳州市值班员提出")
    children = demo.children()

    demo.process.send_signal(signal.SIGINT)
    demo.process.communicate(timeout=40)

    assert set(children) == {"broker", "worker-urgent", "worker", "web", "phones"}
    assert demo.process.returncode == 0
    assert [name for name, pid in children.items() if Path(f"/proc/{pid}").exists()] == []
    assert not list(tmp_path.glob("demo-*"))


@pytest.mark.parametrize("which", [0, 1])
def test_a_taken_port_is_one_clear_line_before_anything_has_started(
    tmp_path: Path, demos: list[Demo], which: int
) -> None:
    port = two_free_ports()
    with socket.create_server(("127.0.0.1", port + which)):
        demo = start(demos, tmp_path, port=port)
        demo.process.communicate(timeout=60)

    assert demo.process.returncode == 1
    assert demo.said.count("\n") == 1
    assert f"port {port + which} " in demo.said
    assert not list(tmp_path.glob("demo-*"))


def test_production_never_plays_a_demo(tmp_path: Path, demos: list[Demo]) -> None:
    demo = start(demos, tmp_path, EMERGENCY_ENV="production")
    demo.process.communicate(timeout=60)

    assert demo.process.returncode == 1
    assert "production" in demo.said


def test_a_drill_that_is_not_there_is_named_with_those_that_are(tmp_path: Path, demos: list[Demo]) -> None:
    demo = start(demos, tmp_path, "--episode", "../../etc/passwd")
    demo.process.communicate(timeout=60)

    assert demo.process.returncode == 1
    assert "liuzhou-2015-02" in demo.said
