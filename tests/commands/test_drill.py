"""The drill command: every committed drill holds, and one that does not is named with its exit code."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from emergency.__main__ import main

PLAYBOOKS = Path(__file__).resolve().parents[2] / "playbooks"
NAMES = sorted(path.stem for path in (PLAYBOOKS / "drills").glob("*.yaml"))


def told(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, dict[str, object], str]:
    """The exit code, the JSON document, and what was said beside it."""
    code = main(["drill", *argv, "--json"])
    said = capsys.readouterr()
    return code, json.loads(said.out), said.err


@pytest.mark.parametrize("name", NAMES)
def test_every_committed_drill_comes_to_what_it_expects(capsys: pytest.CaptureFixture[str], name: str) -> None:
    code, document, beside = told(capsys, name)

    assert document["differences"] == []
    assert (code, document["ok"], beside) == (0, True, "")
    assert document["evenings"]


def test_the_borrowed_the_imagined_the_false_and_the_mixed_are_there() -> None:
    imagined = {"red-week", "false-alarm", "mixed-spell", "new-year", "cane-smoke", "from-abroad"}
    wanted = {"liuzhou-2015-02", "beijing-2015-12", *(f"imagined-{one}" for one in imagined)}
    assert wanted <= set(NAMES)


def test_liuzhou_goes_yellow_orange_and_is_released_on_the_fifteenth(capsys: pytest.CaptureFixture[str]) -> None:
    _, document, _ = told(capsys, "liuzhou-2015-02")
    got: list[dict[str, str]] = document["got"]  # type: ignore[assignment]  # JSON

    first, second, _last = [(one["level"], one["said_at"][:10]) for one in got]
    assert (first, second) == (("yellow", "2015-02-08"), ("orange", "2015-02-09"))
    assert got[2]["holds_at"] == "2015-02-15T00:00+08:00"


def test_ozone_and_dust_days_raise_no_level_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    _, document, _ = told(capsys, "imagined-mixed-spell")
    levels = [one["level"] for one in document["got"]]  # type: ignore[attr-defined]  # JSON

    assert levels == ["yellow", "none"]  # five days over 150 stand in the air, two of them by fine particles


@pytest.mark.parametrize(
    ("old", "new", "difference"),
    [
        ("{level: orange, said", "{level: red, said", "change 2: expected red, got orange"),
        ('said: "2015-02-09T17', 'said: "2015-02-09T20', "orange expected asked for at 2015-02-09 20:00"),
        ('holds: "2015-02-15T00', 'holds: "2015-02-14T12', "none expected in force at 2015-02-14 12:00"),
        ('evening: "2015-02-08", level: yellow', 'evening: "2015-02-08", level: none', "evening 2015-02-08"),
        ("standard:", 'advised: {"2015-02-10": o3}\nstandard:', "advice for 2015-02-10: expected o3, got none"),
    ],
)
def test_a_difference_is_named_and_the_command_fails(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, old: str, new: str, difference: str
) -> None:
    for folder in ("drills", "plans", "air", "advice"):
        shutil.copytree(PLAYBOOKS / folder, tmp_path / folder)
    file = tmp_path / "drills" / "liuzhou-2015-02.yaml"
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")

    code, document, beside = told(capsys, "liuzhou-2015-02", "--playbooks", str(tmp_path))

    assert (code, document["ok"]) == (1, False)
    assert difference in beside


def test_a_drill_that_is_not_there_is_refused_with_those_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drill", "../plans/liuzhou"]) == 1
    assert "imagined-red-week" in capsys.readouterr().err
