"""Rows as a spreadsheet has them, and their cells as text that can be compared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

_WIDE: Final = {
    wide: wide - 0xFEE0
    for begin, end in (("０", "９"), ("Ａ", "Ｚ"), ("ａ", "ｚ"))
    for wide in range(ord(begin), ord(end) + 1)
} | {0x3000: " ", 0xA0: " "}
_BLANKS: Final = re.compile(r"\s+")
_NOTHING: Final = frozenset({"", "/", "\\", "-", "--", "—", "——", "无", "暂无", "n/a", "na", "none", "null"})


@dataclass(frozen=True)
class Unworked:
    """A formula; it is never worked out, and a row that needs its value is refused."""

    text: str


@dataclass(frozen=True)
class Row:
    """
    One row: its cells by column from 1, merged ones filled from the first.

    ``repeated``: columns whose merged cell began in a row above, so that a figure in it counts once.
    """

    number: int
    cells: Mapping[int, object]
    repeated: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Sheet:
    """A sheet with the rows that hold anything."""

    name: str
    rows: Sequence[Row]


def letters(column: int) -> str:
    """The column as a spreadsheet names it: 1 is A, 28 is AB."""
    said = ""
    while column:
        column, rest = divmod(column - 1, 26)
        said = chr(65 + rest) + said
    return said


def text_of(value: object) -> str:
    """
    What the cell says, full-width digits and letters made narrow; everything else stays as it was written.

    A float that is a whole number loses its «.0»: spreadsheets keep telephone numbers so.
    """
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Unworked):
        return value.text
    return str(value).translate(_WIDE).strip()


def plain(value: object) -> str:
    """The text for comparing: compatibility forms resolved (Ⅳ, （, ㎥), blanks cut out, small letters."""
    return _plain(text_of(value))


@lru_cache(maxsize=20_000)  # a list says the same few words thousands of times over
def _plain(said: str) -> str:
    return _BLANKS.sub("", unicodedata.normalize("NFKC", said)).lower()


def is_nothing(value: object) -> bool:
    """Whether the cell is empty or says so: a dash, a stroke, 无."""
    return plain(value) in _NOTHING
