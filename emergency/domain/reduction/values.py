"""What single cells hold: credit codes, telephone numbers, coordinates, amounts, yes and no."""

from __future__ import annotations

import re
from typing import Final

from emergency.domain.reduction.refusals import Unfit, Why
from emergency.domain.reduction.sheets import is_nothing, plain

CODE_LETTERS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100-2015 table 1: no I, O, S, V, Z
CODE_LENGTH: Final = 18
_ROUNDED: Final = re.compile(r"\d(\.\d+)?e\+?\d+")
_MOBILE: Final = re.compile(r"1[3-9]\d{9}")
_LANDLINE: Final = re.compile(r"0[1-9]\d{1,2}[1-9]\d{6,7}")
_NOBODYS: Final = re.compile(r"000\d{8}")  # can ring nowhere: samples and exercises
_DEGREES: Final = re.compile(r"(\d{1,3})[°度](?:(\d{1,2})['′分](?:(\d{1,2}(?:\.\d+)?)(?:\"|″|''|′′|秒)?)?)?[ensw]?")
_YES: Final = frozenset({"是", "有", "yes", "y", "true", "1", "√", "✓", "已载明"})
_NO: Final = frozenset({"否", "无", "没有", "no", "n", "false", "0", "×", "x", "未载明"})


def check_digit(first: str) -> str:
    """The last character of a credit code after its first seventeen (GB 32100-2015, 5.5: weights 3^(i-1) mod 31)."""
    total = sum(CODE_LETTERS.index(one) * pow(3, at, 31) for at, one in enumerate(first))
    return CODE_LETTERS[-total % 31]


def credit_code(value: object) -> str:
    """
    A unified social credit code (统一社会信用代码), blanks and full-width forms put right; empty where there is none.

    :raises Unfit: another length, a letter the code does not have, a check digit that does not fit
    """
    if is_nothing(value):
        return ""
    if isinstance(value, float) or _ROUNDED.fullmatch(plain(value)):
        raise Unfit(Why.CODE_ROUNDED)
    code = plain(value).upper().replace("-", "")
    if len(code) != CODE_LENGTH:
        raise Unfit(Why.CODE_LENGTH, len(code))
    if foreign := next((one for one in code if one not in CODE_LETTERS), ""):
        raise Unfit(Why.CODE_LETTERS, foreign)
    if code[-1] != (expected := check_digit(code[:-1])):
        raise Unfit(Why.CODE_DIGIT, expected)
    return code


def phones(value: object) -> tuple[str, ...]:
    """
    The telephone numbers of a cell as digits, in their order; none where it is empty.

    :raises Unfit: one of them is no mobile, no number with its area code, or was rounded by a spreadsheet
    """
    if is_nothing(value):
        return ()
    said = plain(value)
    if _ROUNDED.fullmatch(said):
        raise Unfit(Why.CODE_ROUNDED)
    found = tuple(_phone(one) for one in re.split(r"[/,;、,;|]|或", said) if one)
    return tuple(dict.fromkeys(found))


def _phone(said: str) -> str:
    digits = re.sub(r"[-()—\s]", "", said).removeprefix("+86")
    digits = digits.removeprefix("86") if len(digits) == 13 else digits
    if not any(kind.fullmatch(digits) for kind in (_MOBILE, _LANDLINE, _NOBODYS)):
        raise Unfit(Why.NOT_A_PHONE)
    return digits


def amount(value: object) -> float | None:
    """
    An amount of zero or more; None where the cell is empty.

    :raises Unfit: it is no number, or below zero
    """
    if is_nothing(value):
        return None
    try:
        found = float(plain(value).replace(",", ""))
    except ValueError:
        raise Unfit(Why.NOT_A_NUMBER) from None
    if found < 0:
        raise Unfit(Why.NEGATIVE)
    if not found < 1e12:  # inf and nan too
        raise Unfit(Why.NOT_A_NUMBER)
    return found


def degrees(value: object) -> float | None:
    """
    A coordinate in decimal degrees, also from 109°19′30″; None where the cell is empty.

    :raises Unfit: it is no coordinate
    """
    if is_nothing(value):
        return None
    said = plain(value).lstrip("东经北纬ensw:")
    if found := _DEGREES.fullmatch(said):
        whole, minutes, seconds = (float(one or 0) for one in found.groups())
        if minutes >= 60 or seconds >= 60:
            raise Unfit(Why.NOT_A_COORDINATE)
        return whole + minutes / 60 + seconds / 3600
    try:
        degree = float(said)
    except ValueError:
        raise Unfit(Why.NOT_A_COORDINATE) from None
    if not -180 <= degree <= 180:
        raise Unfit(Why.NOT_A_COORDINATE)
    return degree


def yes_or_no(value: object) -> bool | None:
    """
    Yes or no; None where the cell is empty.

    :raises Unfit: it says something else
    """
    said = plain(value)
    if said in _YES:
        return True
    if said in _NO:
        return False
    if is_nothing(value):
        return None
    raise Unfit(Why.NOT_YES_OR_NO)
