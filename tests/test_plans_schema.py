"""The published JSON Schema refuses by itself what the reader refuses, and takes every plan that is shipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator

from emergency.plans.plans import PLANS
from emergency.plans.reading import Unreadable, read_page
from tests.test_plans import CHILD, GOOD, WRONG

SCHEMA: Final = json.loads((PLANS.parent / "schema" / "plan.schema.json").read_text("utf-8"))
PUBLISHED: Final = Draft202012Validator(SCHEMA)
BEYOND: Final = (
    "id is", "range runs", "is not among sources", "whole_days are not", "does not come after", "is there twice",
    "a higher level must never", "before 2024-02", "out of range for month",
)
"""What hangs on the file's name, on two places at once, or on the calendar."""


def complaints(text: str, folder: Path) -> list[str]:
    """What the schema has against a plan's file."""
    path = folder / "any.yaml"
    path.write_text(text, "utf-8")
    data: Any = json.loads(json.dumps(read_page(path).data))
    return [one.message for one in PUBLISHED.iter_errors(data)]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", sorted(PLANS.glob("*.yaml")), ids=lambda one: one.stem)
def test_every_shipped_plan_fits_as_it_lies_there(path: Path, tmp_path: Path) -> None:
    assert complaints(path.read_text("utf-8"), tmp_path) == []


@pytest.mark.parametrize(("old", "new", "line", "word"), WRONG)
def test_what_the_reader_refuses_the_schema_refuses(old: str, new: str, line: int, word: str, tmp_path: Path) -> None:
    text = GOOD.replace(old, new, 1)
    try:
        found = complaints(text, tmp_path)
    except Unreadable:  # no YAML at all
        return

    assert bool(found) is bool(word and not any(one in word for one in BEYOND)), (line, found)


@pytest.mark.parametrize(
    ("more", "fits"),
    [
        ("", True),
        ("release: {aqi_not_over: {value: 100, basis: text, source: doc}}\n", True),
        ("deadlines: {ack_deadline_min: {unknown: true}}\n", True),
        ("ladder: [{step: a, after_minutes: 20, notify: town, by: [sms], basis: text, source: doc}]\n", True),
        ("release: {aqi_not_over: 100}\n", False),
        ("approval: {yellow: {rank: 1}}\n", False),
        ("colour: red\n", False),
        ('number_format: {value: "x{year}{year}", basis: text, source: doc}\n', False),
    ],
)
def test_a_lower_plan_says_only_what_it_says_otherwise(more: str, fits: bool, tmp_path: Path) -> None:
    assert (complaints(CHILD + more, tmp_path) == []) is fits


def test_a_plan_that_extends_nothing_is_whole(tmp_path: Path) -> None:
    child = CHILD.replace("extends: city\n", "")
    assert any("'levels' is a required property" in one for one in complaints(child, tmp_path))
    part = GOOD.replace("  whole_days: {value: 2, basis: text, source: doc}\n", "")
    assert part != GOOD
    assert any("whole_days" in one for one in complaints(part, tmp_path))
