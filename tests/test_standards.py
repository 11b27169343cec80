"""The editions of the index standard as files: they load, and a wrong one stops the start with its place."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from emergency.domain.air import POLLUTANTS, Period
from emergency.errors import Misconfigured
from emergency.plans.standards import FOLDER, load_standard, load_standards, standard_named

NEW = FOLDER / "hj633-2026.yaml"


def edited(tmp_path: Path, before: str, after: str) -> Path:
    """The 2026 file with one thing changed."""
    text = NEW.read_text("utf-8")
    assert text.count(before) >= 1, f"the file no longer says {before!r}"
    file = tmp_path / NEW.name
    file.write_text(text.replace(before, after, 1), "utf-8")
    return file


def test_both_editions_load_with_the_day_they_came_into_force() -> None:
    assert [(one.id, one.in_force_from) for one in load_standards()] == [
        ("hj633-2012", date(2016, 1, 1)),
        ("hj633-2026", date(2026, 3, 1)),
    ]


def test_an_hour_reads_six_values_and_a_day_of_2012_seven() -> None:
    old, new = load_standards()

    assert [one.value for one in new.reports[Period.HOUR]] == list(POLLUTANTS)
    assert [one.value for one in new.reports[Period.DAY]] == [*POLLUTANTS[:-1], "o3_8h"]
    assert [one.value for one in old.reports[Period.DAY]] == [*POLLUTANTS, "o3_8h"]
    assert [one.stands_in_for for one in old.reports[Period.HOUR] if one.stands_in_for] == ["so2"]


def test_every_figure_of_a_file_names_its_basis_and_source() -> None:
    for file in FOLDER.glob("*.yaml"):
        text = "\n".join(line for line in file.read_text("utf-8").splitlines() if not line.startswith("#"))

        assert text.count("basis: ") == text.count("source: ")
        assert text.count("basis: ") > 30


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("nodes: [0, 50, 120, 250", "nodes: [0, 50, 250, 250", "nodes must start at 0 and rise"),
        ("nodes: [0, 50, 120, 250", "nodes: [1, 50, 120, 250", "nodes must start at 0 and rise"),
        ("nodes: [0, 50, 120, 250", "nodes: [0, 50, 120.5, 250", "nodes"),
        ("marks: [0, 50, 100", "marks: [0, 100, 50", "marks must start at 0 and rise"),
        ("index: 200, basis: text", "index: 150, basis: text", "falls from 200 to 150"),
        ("{value: o3, table: o3_1h}", "{value: o3, table: o3_2h}", "there is no table o3_2h"),
        ("{value: o3, table: o3_1h}", "{value: ozone, table: o3_1h}", "nothing measured is called ozone"),
        ("      - {value: o3, table: o3_1h}\n", "", "does not read every pollutant"),
        ("up_to: null", "up_to: 400", "only the last band has no end"),
        ("up_to: 150", "up_to: 90", "up_to must rise"),
        ("rounded: true", "rounded: maybe", "rounded"),
        ("rounded: true", "rounded: true\n  surprise: 1", "surprise: unknown key"),
        ("basis: text, source", "basis: hearsay, source", "basis"),
        (", basis: text, source: \"HJ 633-2026 4.3.1\"", "", "primary.basis: field required"),
        ("hours: 20", "hours: 25", "hours"),
        ("publish_over: 100", "publish_over: -1", "publish_over"),
        ("co: 1, o3: 0}", "co: 1}", "decimals must name exactly"),
        ("  - {id: excellent", "  - {id: excellent, id: good", "duplicate key"),
        ("id: hj633-2026", "id: hj633-2025", "the file must have that name"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused_in_words(
    tmp_path: Path, before: str, after: str, says: str
) -> None:
    with pytest.raises(Misconfigured, match=r"hj633-2026\.yaml") as refused:
        load_standard(edited(tmp_path, before, after))

    assert says in str(refused.value)


def test_a_wrong_value_is_named_with_its_line(tmp_path: Path) -> None:
    file = edited(tmp_path, "nodes: [0, 50, 120, 250", "nodes: [0, 50, x, 250")
    line = 1 + file.read_text("utf-8").split("nodes: [0, 50, x")[0].count("\n")

    with pytest.raises(Misconfigured, match=f":{line}: "):
        load_standard(file)


def test_two_editions_of_one_day_are_refused(tmp_path: Path) -> None:
    for name in ("hj633-2026", "hj633-2027"):
        text = NEW.read_text("utf-8").replace("id: hj633-2026", f"id: {name}", 1)
        (tmp_path / f"{name}.yaml").write_text(text, "utf-8")

    with pytest.raises(Misconfigured, match="on the same day"):
        load_standards(tmp_path)


def test_a_folder_without_editions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no edition"):
        load_standards(tmp_path)


def test_an_edition_is_found_by_its_id_or_the_known_ones_are_named() -> None:
    standards = load_standards()

    assert standard_named("hj633-2012", standards) is standards[0]
    with pytest.raises(Misconfigured, match="hj633-2012, hj633-2026"):
        standard_named("gb3095", standards)
