"""In which size of type a board fits its page, reckoned from its words: setting each one on trial takes megabytes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

SIZES: Final = (26.0, 24.0, 22.0, 20.0, 18.0, 16.5, 15.0, 13.5, 12.0, 11.0, 10.0)  # pt; less is not read at a gate
_MM: Final = 72 / 25.4  # points
_WIDTH, _HEIGHT = 390 * _MM, 269 * _MM  # of A3 across, less the margins of templates/board.typ
_CODE: Final = 56 * _MM  # the code, with the words below it
_LINE: Final = 1.26  # em from one line to the next
_WIDE: Final = 0x2E80  # from here on characters take a whole em
_ROOMY: Final = 1.05  # lines end early: a break is not always where the line is full


def size_for(board: Mapping[str, Any], *, marked: str) -> float:
    """
    The largest size in which the board fits a page, in points; the smallest where it fits in none, and goes on on a
    second. ``board``: as it is filled, ``marked``: the mark of a replay above it.
    """
    return next((one for one in SIZES if _height(board, marked, one) <= _HEIGHT), SIZES[-1])


def _height(board: Mapping[str, Any], marked: str, size: float) -> float:
    """The height it takes in points, each part as board.typ sets it."""
    width, beside = _WIDTH / size, (_WIDTH - _CODE) / size
    head = 1.2 + _LINE * 2 * _lines(board["name"], beside / 2.05) + 2.3
    head += (0.9 + _LINE * _lines(marked, beside)) if marked else 0
    head += 2.4 if board["sample"] else 0
    facts: Sequence[tuple[str, str]] = board["facts"]
    named = [max((_em(key) for key, _ in facts[n::2]), default=0) for n in (0, 1)]
    room = (beside - sum(named) - 3 * 0.9) / 2
    said = [_lines(words, room) for _, words in facts]
    head += sum(0.1 + _LINE * max(said[n : n + 2]) for n in range(0, len(said), 2))
    column = width / 3 - 2 * 0.8 - 1.5
    columns = max(_column(one, column) for one in board["levels"])
    tail = 1.5 + _LINE * (1.5 + _lines(board["counts_from"], width / 2))
    return max(head * size, _CODE) + (2.8 + columns + 1.6 + tail + 1.8) * size


def _column(level: Mapping[str, Any], room: float) -> float:
    steps: Iterable[Sequence[str]] = level["steps"]
    return sum(
        _LINE * _lines(f"{line} {text}" if line else text, room) + _LINE * 0.9 * _lines(when, room / 0.85) + 0.75
        for line, text, when in steps
    ) + (_LINE if level["none"] else 0)


def _lines(said: str, room: float) -> int:
    return max(1, math.ceil(_em(said) * _ROOMY / max(room, 1)))


def _em(said: str) -> float:
    """The width of words in em, on the generous side."""
    return sum(1.0 if ord(one) >= _WIDE else 0.6 for one in said)
