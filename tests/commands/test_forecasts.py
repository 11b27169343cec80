"""`forecasts verify`: an operator catches up and reads what each source was worth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emergency.__main__ import main
from tests.world import World


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path) -> None:
    """The command finds the database where the environment says."""
    monkeypatch.setenv("EMERGENCY_DATABASE_URL", database_url)
    monkeypatch.setenv("EMERGENCY_DATA_DIR", str(tmp_path))


def printed(capsys: pytest.CaptureFixture[str], *more: str) -> Any:
    """The one document the command prints, and nothing else."""
    capsys.readouterr()
    assert main(["forecasts", "verify", "--json", *more]) == 0
    out = capsys.readouterr()
    assert out.err == ""
    return json.loads(out.out)


def test_it_catches_up_once_and_prints_each_place(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.observe(100)
    world.forecast(120)
    world.clock.forward(hours=24)
    world.observe(110)

    [first], [second] = printed(capsys, "--days", "30")["places"], printed(capsys)["places"]

    assert (first["place"], first["written"], second["written"]) == ("柳州", 1, 0)
    assert first["figures"] == []  # the air of 2015 lies outside of a window up to yesterday


def test_without_forecasts_there_is_no_place(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys) == {"days": 90, "places": []}
