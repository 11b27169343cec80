"""The doctor names what is ill, wrong words are refused in one line, and a migration can be run again."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from config import Settings
from emergency.__main__ import main
from emergency.broker import LANES
from emergency.clock import WallClock
from emergency.commands import stack
from emergency.store import connect
from tests.world import PLACE

ILL_WITHOUT_A_BROKER = {"broker", "workers", "beat", "watch", "audit", "channels"}


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str) -> str:
    """An environment that names a seeded database and nothing else."""
    for name in ("EMERGENCY_BROKER_URL", "EMERGENCY_ENV", "EMERGENCY_SECRET_KEY", "EMERGENCY_DRILL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("EMERGENCY_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("EMERGENCY_DATABASE_URL", database_url)
    return database_url


def examined(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, dict[str, object]], bool]:
    code = main(["doctor", "--json", *words])
    said = json.loads(capsys.readouterr().out)
    return code, {one["name"]: one for one in said["checks"]}, said["ok"]


@pytest.mark.usefixtures("here")
def test_the_doctor_says_of_each_part_whether_it_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    code, checks, ok = examined(capsys)

    assert (code, ok) == (1, False)
    assert {name for name, one in checks.items() if not one["ok"]} == ILL_WITHOUT_A_BROKER
    assert {"settings", "secret", "plans", "clock", "database", "migrations"} <= set(checks)


def test_the_doctor_sees_that_beat_ticks(here: str, capsys: pytest.CaptureFixture[str]) -> None:
    store = connect(Settings.from_env({"EMERGENCY_DATABASE_URL": here}).database_url)
    with store.transactions() as tx:
        tx.beat("sweep", at=WallClock().now())

    fresh, _, _ = examined(capsys, "--only", "beat")
    with store.transactions() as tx:
        tx.beat("sweep", at=WallClock().now() - timedelta(minutes=5))
    late, checks, _ = examined(capsys, "--only", "beat")
    store.dispose()

    assert (fresh, late) == (0, 1)
    assert set(checks) == {"beat"}


@pytest.mark.usefixtures("here")
def test_the_doctor_names_a_key_that_is_tied_to_nobody(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("API_KILN_KEY", "k" * 32)
    monkeypatch.setenv("API_KILN_SCOPES", "orders")
    monkeypatch.setenv("API_KILN_RECIPIENT", f"{PLACE.recipients[0].id},91450200MA5K8X1N0C")

    code, checks, _ = examined(capsys, "--only", "key:kiln")

    assert code == 1
    assert checks["key:kiln"]["detail"] == "no recipient called 91450200MA5K8X1N0C"


@pytest.mark.usefixtures("here")
def test_a_database_that_was_never_migrated_is_named_and_nothing_is_asked_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EMERGENCY_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.db'}")

    _, checks, _ = examined(capsys)

    assert not checks["migrations"]["ok"]
    assert "beat" not in checks


@pytest.mark.usefixtures("here")
def test_a_wrong_setting_is_the_doctors_first_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EMERGENCY_SWEEP_SECONDS", "often")

    code, checks, _ = examined(capsys)

    assert code == 1
    assert "EMERGENCY_SWEEP_SECONDS" in str(checks["settings"]["detail"])


@pytest.mark.usefixtures("here")
def test_migrating_again_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    heads = []
    for _ in range(2):
        assert main(["migrate", "--json"]) == 0
        heads.append(json.loads(capsys.readouterr().out)["head"])

    assert heads[0] == heads[1]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["doctor", "--only", "no-such-check"], "no-such-check"),
        (["worker"], "EMERGENCY_BROKER_URL"),
        (["demo", "--speed", "0"], "--speed"),
        (["demo", "--episode", "no-such-drill"], "no-such-drill"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(
    words: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 1

    said = capsys.readouterr().err
    assert named in said
    assert said.count("\n") == 1


@pytest.mark.usefixtures("here")
def test_a_lane_nobody_knows_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("EMERGENCY_BROKER_URL", "redis://127.0.0.1:1/0")

    assert main(["worker", "--lanes", "urgent,express"]) == 1
    assert "express" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["0", "65535", "99999", "-1"])
def test_a_port_that_is_none_is_wrong_usage(port: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--port", port])

    assert ended.value.code == 2


def test_a_worker_without_lanes_listens_to_all_and_with_lanes_to_those() -> None:
    everything = stack.worker_command(queues=(), concurrency=2, beat=True)
    one = stack.worker_command(queues=LANES[:1], concurrency=2, beat=False)

    assert "--queues" not in everything
    assert "--hostname" not in everything
    assert one[one.index("--hostname") + 1] == "urgent@%h", "two on one host are told apart"
    assert "--beat" in everything
    assert one[one.index("--queues") + 1] == "urgent"
    assert "--beat" not in one


def test_an_access_log_that_somebody_turns_on_holds_no_phone_link() -> None:
    """A path is a token under /o/…, and so is a referrer."""
    from gunicorn.config import Config
    from gunicorn.glogging import Logger

    logged = stack.ACCESS_LOG[stack.ACCESS_LOG.index("--access-logformat") + 1]
    said = {"PATH_INFO": "/o/a-token", "RAW_URI": "/o/a-token", "HTTP_REFERER": "https://x.example/o/a-token"}
    atoms = Logger(Config()).atoms(
        type("Answer", (), {"status": "200 OK", "sent": 3, "headers": []})(),
        type("Asked", (), {"headers": []})(),
        {"REQUEST_METHOD": "GET", "SERVER_PROTOCOL": "HTTP/1.1", "QUERY_STRING": "", **said},
        timedelta(seconds=1),
    )

    assert "a-token" in atoms["U"]
    assert "a-token" not in logged % atoms
