"""Grades by their scheme, with the prefixes lists write before them."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emergency.domain.orders import Category
from emergency.domain.reduction.grades import Grade, graded, scheme_of, weakest
from emergency.domain.reduction.refusals import Unfit, Why
from tests.lists import MEE_2020, WORDS

SCHEMES = {one.id: one for one in WORDS.schemes}


@pytest.mark.parametrize(
    ("said", "letter", "local", "category"),
    [
        ("B", "B", False, None),
        ("b-级", "B-", False, None),
        ("民生豁免-B", "B", False, Category.GUARANTEED),
        ("民生豁免—引领性", "leading", False, Category.GUARANTEED),
        ("地方A级", "A", True, None),
        ("地方-非引领性", "non_leading", True, None),
        ("长期停产", "", False, Category.LONG_STOPPED),
        ("小微涉气", "", False, Category.SMALL_MICRO),
        ("非引领性企业", "non_leading", False, None),
        ("Ｃ类", "C", False, None),
        ("未评级", "", False, None),
        ("/", "", False, None),
    ],
)
def test_a_grade_is_read_with_its_prefix(said: str, letter: str, local: bool, category: Category | None) -> None:
    found = graded(said, MEE_2020)

    assert (found.letter, found.local, found.category) == (letter, local, category)


@pytest.mark.parametrize(
    ("scheme", "said"),
    [("mee-2026", "B-"), ("mee-2026", "引领性"), ("mee-2020", "A+"), ("mee-2019", "D"), ("mee-2020", "E")],
)
def test_a_grade_the_scheme_does_not_have_is_refused(scheme: str, said: str) -> None:
    with pytest.raises(Unfit) as refused:
        graded(said, SCHEMES[scheme])

    assert refused.value.why is Why.UNKNOWN_GRADE


def test_the_scheme_is_the_one_named_or_the_newest_in_force_on_the_day() -> None:
    assert scheme_of(WORDS.schemes, "", on=date(2024, 11, 1)).id == "mee-2020"
    assert scheme_of(WORDS.schemes, "", on=date(2026, 11, 1)).id == "mee-2026"
    assert scheme_of(WORDS.schemes, "2020年版技术指南", on=date(2026, 11, 1)).id == "mee-2020"
    assert scheme_of(WORDS.schemes, "", on=date(2015, 1, 1)).id == "mee-2019"
    with pytest.raises(Unfit):
        scheme_of(WORDS.schemes, "2035年版", on=date(2026, 11, 1))


@given(st.lists(st.sampled_from(MEE_2020.grades), min_size=1))
def test_an_enterprise_of_several_industries_has_the_lowest_grade(letters: list[str]) -> None:
    found = weakest([Grade(one, "mee-2020") for one in letters], SCHEMES)

    assert MEE_2020.grades.index(found.letter) == max(map(MEE_2020.grades.index, letters))
