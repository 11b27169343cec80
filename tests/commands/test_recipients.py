"""python -m emergency recipients import: what it prints, what it keeps, and how it says no."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emergency.__main__ import main
from emergency.commands import boards
from emergency.store import connect
from emergency.store import listing as kept
from tests.conftest import Databases
from tests.lists import ugly
from tests.papers.reading import pages
from tests.services.test_listing import GOOD
from tests.world import DISTRICT

EXPECTED = Path(__file__).resolve().parents[1] / "payloads" / "lists" / "ugly.expected.json"


@pytest.fixture
def url(databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The seeded database, as the environment says."""
    found = databases.copy()
    monkeypatch.setenv("EMERGENCY_DATABASE_URL", found)
    monkeypatch.setenv("EMERGENCY_DATA_DIR", str(tmp_path))
    return found


def a_path(folder: Path, body: bytes, name: str = "list.xlsx") -> str:
    """The body as a file."""
    path = folder / name
    path.write_bytes(body)
    return str(path)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, object], str]:
    """The code, the one document on standard output, and standard error."""
    code = main(["recipients", *words])
    told = capsys.readouterr()
    return code, json.loads(told.out), told.err


def names(url: str) -> set[str]:
    """The enterprises that get orders now."""
    store = connect(url)
    with store.reading() as tx:
        found = {one.name for one in kept.enterprises(tx, DISTRICT)}
    store.dispose()
    return found


def test_a_dry_run_says_what_would_change_and_changes_nothing(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = names(url)

    code, found, _ = said(capsys, "import", a_path(tmp_path, GOOD), "--dry-run", "--json")

    assert (code, found["read"], found["added"], found["removed"], found["errors"]) == (0, 2, 2, len(before), [])
    assert found["stand"] is None
    assert names(url) == before


def test_a_good_list_is_put_in_place_and_again_it_changes_nothing(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = a_path(tmp_path, GOOD)

    first = said(capsys, "import", path, "--area", "450206", "--json")
    again = said(capsys, "import", path, "--json")

    assert (first[0], first[1]["added"], first[1]["stand"]) == (0, 2, "in_force")
    assert (again[1]["added"], again[1]["changed"], again[1]["unchanged"], again[1]["removed"]) == (0, 0, 2, 0)
    assert names(url) == {"样例砖厂甲", "样例砖厂乙"}


def test_every_slip_of_the_ugly_workbook_is_found_where_it_is(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found, told = said(capsys, "import", a_path(tmp_path, ugly()), "--from", "2024-11-01", "--json", "--dry-run")

    expected = json.loads(EXPECTED.read_text("utf-8"))
    assert (code, told) == (0, "")
    assert {name: found[name] for name in expected} == expected


def test_one_refused_cell_keeps_the_whole_list_out_unless_it_is_said(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, before = a_path(tmp_path, ugly()), names(url)

    code, found, told = said(capsys, "import", path, "--json")
    assert (code, found["stand"]) == (1, None)
    assert "nothing was kept" in told
    assert len(told.splitlines()) == 1
    assert names(url) == before

    code, found, _ = said(capsys, "import", path, "--keep-good", "--json")
    assert (code, found["stand"], found["read"]) == (0, "in_force", 5)


def test_without_json_each_refusal_is_a_line(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["recipients", "import", a_path(tmp_path, ugly()), "--from", "2024-11-01", "--dry-run"])

    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("refused")]

    assert len(lines) == 7
    assert "工业源 10 C 统一社会信用代码" in lines[0]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["import", "no-such.xlsx"], "no-such.xlsx"),
        (["import", "HERE", "--area", "999999"], "999999"),
        (["export", "--out", "HERE"], "no list"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], why: str
) -> None:
    path = a_path(tmp_path, GOOD)

    assert main(["recipients", *[path if one == "HERE" else one for one in words]]) == 1

    told = capsys.readouterr().err
    assert why in told
    assert len(told.splitlines()) == 1


def test_the_template_and_the_list_in_force_are_written_as_files(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["recipients", "import", a_path(tmp_path, GOOD)])
    template, out = tmp_path / "template.xlsx", tmp_path / "out.xlsx"

    assert main(["recipients", "template", "--out", str(template)]) == 0
    assert main(["recipients", "export", "--out", str(out)]) == 0
    capsys.readouterr()

    found = said(capsys, "import", str(out), "--dry-run", "--json")[1]
    assert (found["unchanged"], found["changed"]) == (2, 0)
    assert said(capsys, "import", str(template), "--dry-run", "--json")[1]["read"] == 1


@pytest.mark.parametrize(("word", "name"), [("board", "样例砖厂01"), ("plan", "样例砖厂01")])
def test_a_paper_is_written(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], word: str, name: str
) -> None:
    out = tmp_path / "paper.pdf"

    assert main(["recipients", word, name, "--out", str(out)]) == 0
    assert "1  " in capsys.readouterr().out
    assert name in pages(out.read_bytes())[0].text


def test_all_boards_of_a_town_are_written_in_parts(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boards, "MOST_BOARDS", 4)
    with_one = ["recipients", "board", "--area", "百朋镇", "--out", str(tmp_path / "boards.pdf")]

    assert main(with_one) == 0

    parts = sorted(tmp_path.glob("boards-*.pdf"))
    told = capsys.readouterr().out.splitlines()
    assert len(parts) == len(told) >= 2
    assert len(pages(parts[0].read_bytes())) == 4


def test_a_name_that_is_nobody_s_or_several_s_is_refused(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("没有的厂", "砖厂"):
        assert main(["recipients", "plan", name, "--out", str(tmp_path / "paper.pdf")]) != 0
    assert not (tmp_path / "paper.pdf").exists()
