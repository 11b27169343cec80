"""What single cells hold, as spreadsheets and people leave them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from emergency.domain.reduction import values
from emergency.domain.reduction.refusals import Unfit, Why
from tests.lists import code

BODIES = st.text(values.CODE_LETTERS, min_size=17, max_size=17)


@given(BODIES)
def test_the_check_digit_is_the_one_an_independent_library_finds(first: str) -> None:
    assert values.check_digit(first) == uscc.calc_check_digit(first)


@given(BODIES, st.integers(0, 16), st.sampled_from(values.CODE_LETTERS))
def test_one_wrong_character_anywhere_is_noticed(first: str, at: int, other: str) -> None:
    whole = first + values.check_digit(first)
    slipped = whole[:at] + other + whole[at + 1 :]

    if other == whole[at]:
        assert values.credit_code(slipped) == whole
    else:
        with pytest.raises(Unfit):
            values.credit_code(slipped)


def test_a_credit_code_in_full_width_small_letters_and_blanks_is_the_same_code() -> None:
    narrow = code(1)
    wide = "".join(chr(ord(one) + 0xFEE0) for one in narrow)

    for said in (narrow, wide, narrow.lower(), f" {narrow[:9]} {narrow[9:]} "):
        assert values.credit_code(said) == narrow
    assert [values.credit_code(one) for one in (None, "", "/", "无")] == [""] * 4


@pytest.mark.parametrize(
    ("said", "why", "about"),
    [
        ("450221600123456", Why.CODE_LENGTH, ("15",)),
        ("91000000MA000001OT", Why.CODE_LETTERS, ("O",)),
        (9.1e17, Why.CODE_ROUNDED, ()),
        ("9.1E+17", Why.CODE_ROUNDED, ()),
    ],
)
def test_what_is_no_credit_code_is_refused_with_the_reason(said: object, why: Why, about: tuple[str, ...]) -> None:
    with pytest.raises(Unfit) as refused:
        values.credit_code(said)

    assert (refused.value.why, refused.value.about) == (why, about)


@pytest.mark.parametrize(
    ("said", "numbers"),
    [
        (13800138000.0, ("13800138000",)),
        (13800138000, ("13800138000",)),
        ("１３８００１３８０００", ("13800138000",)),
        ("138-0013-8000 / 0772-7210001", ("13800138000", "07727210001")),
        ("+86 13800138000", ("13800138000",)),
        ("00059990001、00059990001", ("00059990001",)),
        ("—", ()),
        (None, ()),
    ],
)
def test_telephone_numbers_are_digits_however_the_cell_keeps_them(said: object, numbers: tuple[str, ...]) -> None:
    assert values.phones(said) == numbers


@pytest.mark.parametrize("said", ["12345", "1.38E+10", 1.39e5, "见备注", "13800138000/12", "7210001"])
def test_what_nobody_could_dial_is_refused(said: object) -> None:
    with pytest.raises(Unfit):
        values.phones(said)


@pytest.mark.parametrize(
    ("said", "degree"),
    [
        (109.32, 109.32), ("109.32", 109.32), ("东经109°19′30″", 109.325), ("109°30′", 109.5), ("24°９'", 24.15),
        ("", None),
    ],
)
def test_coordinates_are_degrees(said: object, degree: float | None) -> None:
    assert values.degrees(said) == (None if degree is None else pytest.approx(degree))


@pytest.mark.parametrize("said", ["109°75′", "柳江", "1093200"])
def test_what_is_no_coordinate_is_refused(said: object) -> None:
    with pytest.raises(Unfit):
        values.degrees(said)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_an_amount_is_finite_and_never_below_zero(said: float) -> None:
    try:
        found = values.amount(said)
    except Unfit:
        assert not 0 <= said < 1e12
    else:
        assert found is not None
        assert 0 <= found < 1e12
