"""The words and figures a reduction list is read by: each with its basis, and a slip named by file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from emergency.domain.orders import Category
from emergency.errors import Misconfigured
from emergency.plans.listing import load_list_words
from tests.lists import WORDS
from tests.world import BOOK, PLACE, PLAYBOOKS

FILE = PLAYBOOKS / "listing.yaml"


def test_every_industry_has_a_playbook_and_every_category_a_word() -> None:
    assert set(WORDS.industry_words) <= set(BOOK)
    assert set(WORDS.category_words) == set(Category) - {Category.UNIT}


def test_the_bounds_are_of_areas_there_are_and_a_district_lies_inside_its_city() -> None:
    assert set(WORDS.bounds) <= {one.id for one in PLACE.areas}
    city, district = WORDS.bounds["450200"], WORDS.bounds["450200.450206"]
    assert city[0] <= district[0]
    assert district[2] <= city[2]


@pytest.mark.parametrize(
    ("right", "wrong", "why"),
    [
        ("    since: \"2019-09-01\"\n", "    since: \"2019-13-01\"\n", "month"),
        ("    west: 108.5\n", "    west: 118.5\n", "the bounds hold nothing"),
        ("brick_kiln: [砖瓦窑,", "brick_kiln: [锅炉, 砖瓦窑,", "锅炉 is called boiler and brick_kiln"),
        ("    grades: [A, B, C]\n", "    grades: []\n", "grades"),
        ("  guaranteed: [", "  guarantee: [", "guarantee"),
        ("  grades: [A+, A, leading]\n", "  grades: [A+, E]\n", "no scheme has the grade E"),
        ("  otherwise: 1\n", "  otherwise: 0\n", "greater than 0"),
    ],
)  # fmt: skip
def test_a_slip_is_named_by_file_and_line(tmp_path: Path, right: str, wrong: str, why: str) -> None:
    text = FILE.read_text("utf-8")
    assert right in text
    path = tmp_path / "listing.yaml"
    path.write_text(text.replace(right, wrong, 1), "utf-8")

    with pytest.raises(Misconfigured, match=rf"listing\.yaml:\d+: .*{why}"):
        load_list_words(path)
