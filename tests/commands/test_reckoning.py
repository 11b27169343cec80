"""python -m emergency recipients arithmetic, base, cheapest: one document each, and nothing by default."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emergency.__main__ import main
from tests.commands.test_recipients import a_path, url
from tests.services.test_arithmetic import LIST

__all__ = ["url"]  # the fixture


def run(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """The code and standard output, what the solver prints included."""
    code = main(["recipients", *words])
    return code, capfd.readouterr().out


def test_the_list_is_reckoned_and_a_base_entered_and_the_cheapest_measures_named(
    url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(capfd, "import", a_path(tmp_path, LIST), "--json")[0] == 0
    code, out = run(capfd, "arithmetic", "--area", "450206", "--json")
    first = json.loads(out)
    assert (code, first["bases"], first["levels"]["yellow"]["kg"]) == (0, {}, {"nox": 160.0, "pm": 300.0})
    assert {one["because"] for one in first["levels"]["yellow"]["pollutants"].values()} == {"no_base"}
    assert [one["name"] for one in first["levels"]["yellow"]["not_counted"]] == ["样例铸造厂"]

    words = ("--pollutant", "pm", "--amount", "146", "--year", "2023", "--source", "2023年源清单")
    assert run(capfd, "base", *words) == (0, "450200.450206 pm 2023: 146 t/a = 400.0 kg/d\n")

    code, out = run(capfd, "cheapest", "--level", "yellow", "--json")
    found = json.loads(out)
    assert (code, found["reached"], [one["name"] for one in found["chosen"]]) == (0, True, ["样例砖厂甲"])
    assert run(capfd, "base", "--pollutant", "nox", "--amount", "1460", *words[4:])[0] == 0
    code, out = run(capfd, "cheapest", "--level", "red", "--objective", "fewest")
    assert code == 1
    assert "not reached" in out
    assert "pm    300.0 kg/d, 75.00 % of 10 %: reached" in run(capfd, "arithmetic")[1]
