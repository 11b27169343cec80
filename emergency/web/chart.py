"""The air as a picture: observed against forecast days, the warning marks, and the days the rule rests on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from markupsafe import Markup, escape

from emergency.web.showing import aqi_class
from emergency.web.vocabulary import CATEGORIES
from emergency.web.words import _

WIDTH, HEIGHT = 520, 290
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 18, 42  # room for the figures around the plot
MARKS: Final = (150, 200, 300)  # daily AQI at which the plans' thresholds lie
SHAPES: Final = ("circle", "triangle", "square", "diamond")


@dataclass(frozen=True)
class Point:
    """One day of one source; ``low``/``high`` when the source gives a range."""

    day: date
    aqi: int
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True)
class Series:
    """One source's days; ``label`` says what kind of figure it is when it is not an ordinary one (推演预报)."""

    name: str
    points: tuple[Point, ...]
    observed: bool = False
    label: str = ""


def air(series: Sequence[Series], *, run: Collection[date] = (), today: date | None = None) -> Markup:
    """The chart as one SVG with a title and a sentence for those who do not see it; empty when there is no day."""
    days = sorted({point.day for one in series for point in one.points})
    if not days:
        return Markup("")
    step = (WIDTH - LEFT - RIGHT) / max(len(days), 1)
    at = {day: LEFT + step * (place + 0.5) for place, day in enumerate(days)}
    top = max(320, *(max(point.aqi, point.high or 0) + 20 for one in series for point in one.points))

    def height(aqi: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - aqi / top)

    parts = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="air-title air-words">',
        f'<title id="air-title">{escape(_("日AQI：实况与预报"))}</title>',
        f'<desc id="air-words">{escape(spoken(series))}</desc>',
    ]
    if shaded := [day for day in days if day in run]:
        first, last = at[shaded[0]] - step / 2, at[shaded[-1]] + step / 2
        parts.append(
            f'<rect class="run" x="{first:.1f}" y="{TOP}" width="{last - first:.1f}" height="{HEIGHT - TOP - BOTTOM}"/>'
            f'<text x="{first + 4:.1f}" y="{TOP + 13}">{escape(_("规则依据日"))}</text>'
        )
    parts += _scale(top, height)
    if today in at:
        x = at[today]
        parts.append(
            f'<line class="today" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
            f'<text class="strong" x="{x:.1f}" y="{HEIGHT - 4}" text-anchor="middle">{escape(_("今天"))}</text>'
        )
    every = -(-len(days) // 9)  # no more dates than fit side by side
    for place, day in enumerate(days):
        if place % every == 0:
            parts.append(f'<text x="{at[day]:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{day:%m-%d}</text>')
    for place, one in enumerate(series):
        parts += _drawn(one, place, at, height)
    parts += _figures(series, at, height)
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704 - every word in it was escaped above


def _scale(top: float, height: Callable[[float], float]) -> list[str]:
    parts, low = [], 0
    for most, name, _words in CATEGORIES:
        high = min(most, int(top))
        if low < high:
            y, tall = height(high), height(low) - height(high)
            parts.append(f'<rect class="{name}-fill" x="{LEFT - 8}" y="{y:.1f}" width="5" height="{tall:.1f}"/>')
        low = most
    for mark in (0, 50, 100, *MARKS):
        kind = "mark-line" if mark in MARKS else ("axis" if mark == 0 else "grid")
        word = ' class="strong"' if mark in MARKS else ""
        y = height(mark)
        parts.append(
            f'<line class="{kind}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text{word} x="{LEFT - 13}" y="{y + 4.5:.1f}" text-anchor="end">{mark}</text>'
        )
    return parts


def _drawn(one: Series, place: int, at: Mapping[date, float], height: Callable[[float], float]) -> list[str]:
    colour = f"s{place % 4}"
    points = sorted(one.points, key=lambda point: point.day)
    line = " ".join(f"{at[point.day]:.1f},{height(point.aqi):.1f}" for point in points)
    parts = [f'<polyline class="line {colour}{"" if one.observed else " guess"}" points="{line}"/>']
    for point in points:
        x, y = at[point.day], height(point.aqi)
        if point.low is not None and point.high is not None:
            parts.append(
                f'<line class="spread {colour}" x1="{x:.1f}" x2="{x:.1f}" '
                f'y1="{height(point.low):.1f}" y2="{height(point.high):.1f}"/>'
            )
        words = f"{one.name} {point.day:%m-%d} AQI {point.aqi} {aqi_class(point.aqi)[1]}"
        drawn = shape(SHAPES[place % 4], colour, x, y, hollow=not one.observed)
        parts.append(f"<g><title>{escape(words)}</title>{drawn}</g>")
    return parts


def _figures(series: Sequence[Series], at: Mapping[date, float], height: Callable[[float], float]) -> list[str]:
    """The figure of each day once, the highest any source gives, above all marks so that none is hidden."""
    highest: dict[date, int] = {}
    for one in series:
        for point in one.points:
            highest[point.day] = max(point.aqi, highest.get(point.day, 0))
    return [
        f'<text class="strong figure" x="{at[day]:.1f}" y="{height(aqi) - 10:.1f}" text-anchor="middle">{aqi}</text>'
        for day, aqi in highest.items()
    ]


def shape(kind: str, colour: str, x: float, y: float, *, hollow: bool, size: float = 5) -> str:
    """The mark of one source; sources are told apart by shape as well as by colour."""
    css = f"{colour} hollow" if hollow else colour
    if kind == "circle":
        return f'<circle class="{css}" cx="{x:.1f}" cy="{y:.1f}" r="{size}"/>'
    if kind == "square":
        return f'<rect class="{css}" x="{x - size:.1f}" y="{y - size:.1f}" width="{2 * size}" height="{2 * size}"/>'
    far = size * 1.3
    corners = {
        "triangle": ((0, -far), (far, size), (-far, size)),
        "diamond": ((0, -far), (far, 0), (0, far), (-far, 0)),
    }[kind]
    return f'<polygon class="{css}" points="{" ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)}"/>'


def legend_mark(series: Sequence[Series], place: int) -> Markup:
    """The line and mark of one source, for the legend."""
    one, colour = series[place], f"s{place % 4}"
    drawn = shape(SHAPES[place % 4], colour, 11, 6, hollow=not one.observed, size=4)
    line = f'<line class="line {colour}{"" if one.observed else " guess"}" x1="0" x2="22" y1="6" y2="6"/>'
    mark = f'<svg viewBox="0 0 22 12" class="chart" aria-hidden="true">{line}{drawn}</svg>'
    return Markup(mark)  # noqa: S704 - made of our own words and figures only


def spoken(series: Sequence[Series]) -> str:
    """The chart in words."""
    told = []
    for one in series:
        days = sorted(one.points, key=lambda point: point.day)
        told.append(f"{one.name}：" + "，".join(f"{point.day:%m-%d} {point.aqi}" for point in days))
    return "；".join(told)
