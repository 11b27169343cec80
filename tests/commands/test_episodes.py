"""`episodes list` and `episodes show`: what a program reads of the episodes there are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emergency.__main__ import main
from emergency.domain.level import Level
from tests.world import DISTRICT, World


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    """The command finds the database where the environment says."""
    monkeypatch.setenv("EMERGENCY_DATABASE_URL", database_url)


def printed(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    """The one document the command prints, and nothing else."""
    capsys.readouterr()
    assert main(["episodes", *argv, "--json"]) == 0
    out = capsys.readouterr()
    assert out.err == ""
    return json.loads(out.out)


def test_with_no_episode_the_list_is_empty(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "list") == []


def test_the_list_has_every_episode_latest_first(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    for one in world.forecast(210, 220, 230):
        world.decide(one)
    world.clock.forward(minutes=5)
    district = world.activated(Level.YELLOW, deliver=False)

    found = printed(capsys, "list")

    assert [(one["area"], one["level"], one["phase"]) for one in found] == [
        (DISTRICT, "yellow", "active"),
        ("450200", "orange", "active"),
    ]
    assert [one["id"] for one in printed(capsys, "list", "--area", DISTRICT)] == [str(district.id)]


def test_one_episode_is_shown_with_decisions_orders_and_journal(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    episode = world.activated(Level.YELLOW, deliver=False)
    world.answer(world.orders()[0])

    found = printed(capsys, "show", str(episode.id))

    (decision,) = found["decisions"]
    assert (decision["move"], decision["standing"]) == ("activate", "approved")
    assert decision["proposed_by"] != decision["decided_by"]
    assert found["orders"] == {"acknowledged": 1, "issued": len(world.orders()) - 1}
    assert [one["what"] for one in found["journal"]][-1] == "order.acknowledged"


def test_without_json_it_is_readable(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    episode = world.activated(Level.YELLOW, deliver=False)

    assert main(["episodes", "list"]) == 0
    assert episode.number in capsys.readouterr().out
    assert main(["episodes", "show", str(episode.id)]) == 0
    shown = capsys.readouterr().out

    assert "activate yellow (rule: yellow)  approved" in shown
    assert "2015-02-08 17:05  decision.approved  lj-approver3" in shown


@pytest.mark.parametrize("said", ["nonsense", "00000000-0000-4000-8000-000000000000"])
def test_an_id_that_names_no_episode_is_one_readable_line(said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["episodes", "show", said]) == 1

    out = capsys.readouterr()
    assert out.out == ""
    assert said in out.err
    assert len(out.err.splitlines()) == 1


def test_a_word_is_missing_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["episodes"])

    assert stopped.value.code == 2
