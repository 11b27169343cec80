"""Bulletins with the days across the top: what is said of a day stands below it, one row for each kind of figure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from emergency.feeds import cells
from emergency.feeds.cells import Line
from emergency.feeds.records import Sieve
from emergency.feeds.workbook import Row

_LABELS: Final = frozenset({"day", "place", "项目", "预报项目", "要素", "预报要素", "指标", "内容", ""})
"""What may head the columns left of the days; any other word there heads something else than a table of days."""


@dataclass(frozen=True)
class Days:
    """The row that names the days: where it stands, the day of each column, and the columns left of them."""

    at: int
    days: Mapping[int, object]
    label: int  # the column that says what a row holds
    place: int | None  # the column that says whose air it is


@dataclass
class _Told:
    """What the rows say of one place: kind of figure → the row it stands in."""

    row: Row
    rows: dict[str, Row] = field(default_factory=dict)


def heading_of(rows: Sequence[Row], *, today: date) -> Days | None:
    """Which of the first rows names days from its second column on; None where none does."""
    for at, row in enumerate(rows[: cells.TITLE_ROWS]):
        filled = {column: value for column, value in row.cells.items() if value not in (None, "")}
        days = {column: value for column, value in filled.items() if cells.is_day(value, today=today)}
        left = [column for column in filled if column not in days and days and column < min(days)]
        if not days or min(days) == 1 or any(cells.heading(filled[one]) not in _LABELS for one in left):
            continue
        place = next((one for one in left if cells.heading(filled[one]) == "place"), None)
        labels = [one for one in range(1, min(days)) if one != place]
        if len({str(one) for one in days.values()}) == len(days):
            return Days(at, days, labels[-1] if labels else min(days) - 1, place)
    return None


def lines(top: Days, rows: Iterable[Row], sieve: Sieve, *, place: Callable[[Row, int], str]) -> Iterator[Line]:
    """
    One line for each day of each place, in the order they stand in.

    Where no row names a kind of figure, the column left of the days names places and the cells are the index.
    ``place`` is how a cell is called in a note of refusal. Rows that say nothing known are remarks.
    """
    below = list(rows)
    if not any(_kind(row, top) for row in below):
        top = replace(top, place=top.label)
    for told in _by_place(top, below, sieve, place).values():
        mass = _mass(told.rows.get("pm2_5"), top, sieve, place)
        for column, day in sorted(top.days.items()):
            values = {name: row.cells.get(column) for name, row in told.rows.items()}
            if all(value in (None, "") for value in values.values()):
                continue
            said = {**values, "day": day, "place": _whose(told.row, top)}
            addresses = {name: place(row, column) for name, row in told.rows.items()}
            yield Line(place(told.row, column), said, addresses, mass)


def _by_place(
    top: Days, rows: Iterable[Row], sieve: Sieve, place: Callable[[Row, int], str]
) -> Mapping[object, _Told]:
    found: dict[object, _Told] = {}
    for row in rows:
        name = _kind(row, top) or ("aqi" if top.label == top.place and _whose(row, top) else "")
        if not name or len({str(one) for one in row.cells.values() if one not in (None, "")}) < 2:
            continue  # a remark under the table
        told = found.setdefault(_whose(row, top), _Told(row))
        if name in told.rows:
            sieve.refuse(place(row, top.label), row.cells.get(top.label), "a second row for the same figure")
        else:
            told.rows[name] = row
    return found


def _kind(row: Row, top: Days) -> str:
    """The kind of figure this row holds, by its label; empty where it is none of a bulletin's."""
    name = cells.heading(row.cells.get(top.label))
    return name if name in cells.FIELDS - {"day", "place"} else ""


def _whose(row: Row, top: Days) -> object:
    return None if top.place is None else row.cells.get(top.place)


def _mass(row: Row | None, top: Days, sieve: Sieve, place: Callable[[Row, int], str]) -> float | None:
    """What makes µg/m³ of the concentrations in this row; None, told once, when its label names another unit."""
    label = "" if row is None else str(cells.plain(row.cells.get(top.label)) or "")
    mass = cells.factor(cells.unit_of(label) if "(" in label else "")
    if mass is None and row is not None:
        sieve.refuse(place(row, top.label), label, "another unit than µg/m³")
    return mass
