"""Plans side by side in one drawing: the index as a line above, below it a row of levels by day for each plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from itertools import groupby

from emergency.domain.air import HIGHEST
from emergency.domain.level import Level

# Height and word say the level; the colour only repeats it, for those who see it and where it is printed in colour.
FILL = {Level.BLUE: "#9ec5e8", Level.YELLOW: "#f4d95b", Level.ORANGE: "#ef9a3d", Level.RED: "#e2705f"}
WORD = {Level.BLUE: "蓝", Level.YELLOW: "黄", Level.ORANGE: "橙", Level.RED: "红"}
MARKS = (100, 150, 200, 300)  # of the index: where its categories and the plans' triggers lie

_LEFT, _RIGHT, _TOP = 110, 20, 46
_LINE = 180  # height of the index above
_ROW, _BAND = 62, 11  # a row's height, and what each level adds to a band's
_WIDEST, _A_DAY = 1400, 22  # at most so wide, at most so much for a day


@dataclass(frozen=True)
class Row:
    """One plan: its name and the level of each day."""

    name: str
    levels: tuple[Level, ...]


def drawn(title: str, days: Sequence[date], aqi: Sequence[int | None], rows: Sequence[Row]) -> str:
    """The whole picture as SVG; the same figures give the same bytes. Needs at least one day."""
    step = max(1.0, min(float(_A_DAY), _WIDEST / len(days)))
    width, bottom = _LEFT + step * len(days) + _RIGHT, _TOP + _LINE + 30
    height = bottom + _ROW * len(rows) + 46
    width = max(width, 520.0)
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" font-family="sans-serif" font-size="12" role="img" aria-labelledby="title">'
    )
    parts = [
        opening,
        f'<title id="title">{escape(title)}: AQI and warning levels, {days[0]} to {days[-1]}</title>',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="10" y="24" font-size="15">{escape(title)}　{days[0]} – {days[-1]}</text>',
        *_index(aqi, step),
        *_calendar(days, step, bottom + _ROW * len(rows)),
    ]
    for at, row in enumerate(rows):
        parts += _row(row, days, step, bottom + _ROW * at)
    parts += [*_legend(height - 14), "</svg>", ""]
    return "\n".join(parts)


def _height(aqi: int) -> float:
    return _TOP + _LINE * (1 - aqi / HIGHEST)


def _index(aqi: Sequence[int | None], step: float) -> Iterator[str]:
    """The index as a line, broken where a day has none."""
    right = _LEFT + step * len(aqi)
    for mark in MARKS:
        y = _height(mark)
        yield f'<line x1="{_LEFT}" x2="{right:g}" y1="{y:g}" y2="{y:g}" stroke="#999" stroke-dasharray="2 4"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:g}" text-anchor="end">{mark}</text>'
    yield f'<text x="10" y="{_TOP + 12}">AQI</text>'
    at = 0
    for known, group in groupby(aqi, key=lambda one: one is not None):
        figures = list(group)
        if known:
            points = " ".join(
                f"{_LEFT + step * (at + n + 0.5):.1f},{_height(one or 0):.1f}" for n, one in enumerate(figures)
            )
            dot = 'stroke-linecap="round" ' if len(figures) == 1 else ""
            if len(figures) == 1:
                points = f"{points} {points}"
            yield f'<polyline points="{points}" fill="none" stroke="#222" stroke-width="1.6" {dot}/>'
        at += len(figures)


def _calendar(days: Sequence[date], step: float, bottom: float) -> Iterator[str]:
    """A tick where a month begins, and every fifth day where there is room for it."""
    for at, day in enumerate(days):
        x = _LEFT + step * at
        if day.day == 1 or at == 0:
            yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{bottom:g}" stroke="#ccc"/>'
            if step * 28 >= 46 or day.month == 1 or at == 0:
                yield f'<text x="{x + 2:.1f}" y="{_TOP + _LINE + 16}" fill="#444">{day:%Y-%m}</text>'
        if step >= 9 and day.day % 5 == 0:
            middle = x + step / 2
            yield f'<text x="{middle:.1f}" y="{_TOP + _LINE + 28}" text-anchor="middle" font-size="10">{day.day}</text>'


def _row(row: Row, days: Sequence[date], step: float, top: float) -> Iterator[str]:
    """Bands of one level each, the higher the level the taller; every band says its level and days to whoever asks."""
    floor = top + _ROW - 10
    right = _LEFT + step * len(days)
    yield f'<text x="10" y="{floor - 16:g}">{escape(row.name)}</text>'
    yield f'<line x1="{_LEFT}" x2="{right:g}" y1="{floor:g}" y2="{floor:g}" stroke="#666"/>'
    at = 0
    for level, group in groupby(row.levels):
        count = len(list(group))
        if level is not Level.NONE:
            x, wide, tall = _LEFT + step * at, step * count, _BAND * int(level)
            said = f"{escape(row.name)} {level.word} {days[at]} – {days[at + count - 1]}"
            yield (
                f'<rect x="{x:.1f}" y="{floor - tall:g}" width="{wide:.1f}" height="{tall}" fill="{FILL[level]}" '
                f'stroke="#333" stroke-width="0.6"><title>{said}</title></rect>'
            )
            if wide >= 14:
                yield f'<text x="{x + wide / 2:.1f}" y="{floor - 2:g}" text-anchor="middle">{WORD[level]}</text>'
        at += count


def _legend(y: float) -> Iterator[str]:
    x = float(_LEFT)
    for level, word in WORD.items():
        tall = 4 * int(level)
        yield f'<rect x="{x:g}" y="{y - tall:g}" width="16" height="{tall}" fill="{FILL[level]}" stroke="#333"/>'
        yield f'<text x="{x + 22:g}" y="{y:g}">{word} {level.word}</text>'
        x += 96
