"""The advice by cause as data: published with its schema, checked with it, and refused by file and line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from emergency.__main__ import main
from emergency.errors import Misconfigured
from emergency.plans.advice import load_advice, schema
from emergency.plans.plans import PLANS
from tests.world import PLAYBOOKS

O3 = (PLAYBOOKS / "advice" / "o3.yaml").read_text("utf-8")


@pytest.fixture
def advice(tmp_path: Path) -> Path:
    """A folder with the advice of one cause, to be spoilt."""
    folder = tmp_path / "advice"
    folder.mkdir()
    (folder / "o3.yaml").write_text(O3, "utf-8")
    return folder


def test_the_published_schema_is_the_one_the_files_are_read_by(capsys: pytest.CaptureFixture[str]) -> None:
    published = json.loads((PLAYBOOKS / "schema" / "advice.schema.json").read_text("utf-8"))

    assert published == schema()
    assert main(["plans", "schema", "advice"]) == 0
    assert json.loads(capsys.readouterr().out) == published


def test_the_mark_is_published_with_its_bounds_and_what_it_rests_on() -> None:
    mark = schema()["$defs"]["OverSheet"]

    assert mark["required"] == ["aqi", "basis", "source"]
    assert (mark["properties"]["aqi"]["minimum"], mark["properties"]["aqi"]["maximum"]) == (50, 500)
    assert set(mark["properties"]["basis"]["enum"]) == {"text", "recalled", "assumed"}


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("  aqi: 150", "  aqi: 20", 6, "over.aqi"),
        ("  aqi: 150", "  aqi: '150'", 6, "over.aqi"),
        ("  basis: assumed\n  source: 中度", "  basis: guessed\n  source: 中度", 7, "over.basis"),
        ("  source: 中度污染（AQI大于150）起提示，城市可改\n", "", 5, "over.source"),
        ("cause: o3", "cause: ozone", 2, "cause"),
        ("cause: o3", "cause: wildfire", 2, "the file is called o3 and speaks of wildfire"),
        ("sector: district\n", "sector: district\n    stop: all\n", 44, "stop"),
        ("action: inspect", "action: stop", 38, "action"),
        ("  - sector: health\n    key: clinics-ready", "  - sector: education\n    key: school-outdoors", 28, "twice"),
    ],
)
def test_a_wrong_file_is_refused_by_file_line_and_place(
    advice: Path, old: str, new: str, line: int, reason: str
) -> None:
    assert old in O3
    (advice / "o3.yaml").write_text(O3.replace(old, new, 1), "utf-8")

    with pytest.raises(Misconfigured) as refused:
        load_advice(advice)

    assert f"o3.yaml:{line}: " in str(refused.value)
    assert reason in str(refused.value)


def test_plans_check_looks_at_the_advice_beside_the_plans_and_names_all_that_is_wrong(
    advice: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(PLANS, tmp_path / "plans")
    (advice / "o3.yaml").write_text(O3.replace("  aqi: 150", "  aqi: 20").replace("action: inspect", "action: stop"))

    assert main(["plans", "--folder", str(tmp_path / "plans"), "check"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert [one.split(": ")[0].rsplit("/", 1)[-1] for one in said] == ["o3.yaml:6", "o3.yaml:38"]
