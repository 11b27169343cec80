"""The index over whole arrays: the tables of ``domain.air`` read by numpy, with the same answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from emergency.domain.air import HIGHEST, POLLUTANTS, Category, Gauge, Period, Scale, Standard
from emergency.domain.air_daily import HOURS, SPAN

Steps = NDArray[np.int64]
Whole = Steps | NDArray[np.int32] | NDArray[np.int16]
Marks = NDArray[np.int16]

ABSENT = -1  # a concentration that is missing, in steps
NA = -1  # an index that is not published
_BEYOND, _MISSING = -1, -2  # in this order, so that a maximum prefers what was measured over what was not
_BLOCK = 1 << 15  # rows worked on at once: six columns and their answers stay in the cache
_COMMON = 840  # divisible by 1 … 8: 8-h means of any count compare as whole numbers
_THOUSANDTHS = 1000
_WORST = 1_000_000  # µg/m³; a gram of dust in a cubic metre, and still far from the end of 32 bits


@dataclass(frozen=True)
class Indices:
    """
    The indices of many rows.

    ``aqi``: the index, NA (-1) where none is published. ``iaqi``: by pollutant, negative where there is none.
    ``primary``: one bit for each of ``POLLUTANTS``, 0 where no pollutant is primary.
    """

    aqi: Marks
    iaqi: Mapping[str, Marks]
    primary: NDArray[np.uint8]

    def primary_of(self, row: int) -> tuple[str, ...]:
        """The primary pollutants of one row, by name."""
        return tuple(name for bit, name in enumerate(POLLUTANTS) if int(self.primary[row]) >> bit & 1)


@dataclass(frozen=True)
class _Shared:
    """Concentrations that are fractions of a step: sums over counts, exact; a count of 0 is missing."""

    steps: Steps
    over: Steps


def steps(scale: Scale, values: NDArray[np.float64]) -> NDArray[np.int32]:
    """
    Concentrations as people write them (NaN = missing) in whole steps of the scale, rounded where the edition rounds.

    :raises ValueError: negative or without bounds, finer than 0.001, or finer than a step where nothing is rounded
    """
    absent = np.isnan(values)
    if ((values < 0) | (values > _WORST)).any():
        raise ValueError(f"{scale.name}: a concentration is negative or above {_WORST:,}")
    fine = np.where(absent, 0.0, values) * _THOUSANDTHS
    exact = np.rint(fine)
    if (np.abs(fine - exact) > 1e-6 * np.maximum(1.0, np.abs(fine))).any():
        raise ValueError(f"{scale.name}: a concentration is finer than 0.001")
    whole, rest = np.divmod(exact.astype(np.int64) * scale.per_unit, _THOUSANDTHS)
    if scale.rounds:
        whole = _half_even(whole, rest, np.int64(_THOUSANDTHS))
    elif rest.any():
        raise ValueError(f"{scale.name}: a concentration is finer than a step; compute it with domain.air")
    return np.where(absent, ABSENT, whole).astype(np.int32)


def indices(standard: Standard, columns: Mapping[str, Whole], *, period: Period) -> Indices:
    """
    The index of every row, equal to ``air.index`` of it.

    ``columns``: by value name, concentrations in whole steps (µg/m³; CO 0.1 mg/m³), negative = missing; a column
    that is not there is missing in every row.

    :raises ValueError: the columns differ in length
    """
    rows = {len(column) for column in columns.values()}
    if len(rows) != 1:
        raise ValueError("columns of one length are needed")
    found = _empty(rows.pop())
    for start in range(0, len(found.aqi), _BLOCK):
        block = slice(start, start + _BLOCK)
        _fill(standard, period, {name: column[block] for name, column in columns.items()}, found, block)
    return found


def day_indices(standard: Standard, hours: Mapping[str, Whole]) -> Indices:
    """
    The daily index of every row of 24 hours, equal to ``air.index`` of ``air_daily.daily``.

    ``hours``: by pollutant, an array of (days, 24) whole steps, negative = missing.

    :raises ValueError: the arrays differ in shape, or a day has not 24 hours
    """
    shapes = {column.shape for column in hours.values()}
    if len(shapes) != 1 or (shape := shapes.pop())[1:] != (HOURS,):
        raise ValueError("arrays of one shape (days, 24) are needed")
    needs = standard.completeness
    values: dict[str, _Shared] = {}
    for name, column in hours.items():
        total, count = _totals(column)
        if name != "o3":
            values[name] = _Shared(total, np.where(count >= needs.hours_for_mean, count, 0))
            continue
        largest = column.max(axis=1).astype(np.int64)
        enough = (count >= needs.hours_for_max_1h) | (largest > needs.max_1h_or_over)
        values["o3"] = _Shared(largest, np.where(enough & (count > 0), 1, 0))
        values["o3_8h"] = _mda8(column, standard)
    found = _empty(shape[0])
    _fill(standard, Period.DAY, values, found, slice(None))
    return found


def bands(standard: Standard, aqi: Marks) -> NDArray[np.int8]:
    """The category of every index: its place in ``standard.categories``, NA (-1) where no index is published."""
    return _bands(standard.categories).take(aqi)


@lru_cache(maxsize=8)
def _bands(categories: tuple[Category, ...]) -> NDArray[np.int8]:
    """From 0 to the highest index, then what is not published: numpy reads index -1 from the end."""
    ends = [HIGHEST if one.up_to is None else one.up_to for one in categories]
    return np.array([*np.searchsorted(ends, np.arange(HIGHEST + 1)), NA], np.int8)


def _mda8(ozone: Whole, standard: Standard) -> _Shared:
    """The largest 8-h mean ending 08:00 to 24:00, as ``air_daily.mda8`` takes it."""
    needs = standard.completeness
    measured = ozone >= 0
    sums = np.cumsum(np.where(measured, ozone, 0).astype(np.int64), axis=1)
    counts = np.cumsum(measured, axis=1, dtype=np.int64)
    before = ((0, 0), (1, 0))
    sums, counts = np.pad(sums, before), np.pad(counts, before)
    total, count = sums[:, SPAN:] - sums[:, :-SPAN], counts[:, SPAN:] - counts[:, :-SPAN]
    valid = count >= needs.hours_for_8h
    means = np.where(valid, total * _COMMON // np.maximum(count, 1), -1)
    largest = means.max(axis=1)
    enough = (valid.sum(axis=1) >= needs.means_for_mda8) | (largest > needs.mda8_or_over * _COMMON)
    return _Shared(largest, np.where(enough & (largest >= 0), _COMMON, 0).astype(np.int64))


def _totals(column: Whole) -> tuple[Steps, Steps]:
    measured = column >= 0
    return np.where(measured, column, 0).sum(axis=1, dtype=np.int64), measured.sum(axis=1, dtype=np.int64)


def _empty(rows: int) -> Indices:
    return Indices(
        np.empty(rows, np.int16), {name: np.empty(rows, np.int16) for name in POLLUTANTS}, np.empty(rows, np.uint8)
    )


def _fill(
    standard: Standard,
    period: Period,
    columns: Mapping[str, Whole] | Mapping[str, _Shared],
    found: Indices,
    block: slice,
) -> None:
    """Answer the rows of one block, in place."""
    iaqi = _iaqi(standard.reports[period], columns, len(found.aqi[block]))
    aqi = iaqi[POLLUTANTS[0]].copy()
    for name in POLLUTANTS[1:]:
        np.maximum(aqi, iaqi[name], out=aqi)
    published = aqi >= 0
    if standard.publish_over is not None:
        incomplete = iaqi[POLLUTANTS[0]] == _MISSING
        for name in POLLUTANTS[1:]:
            incomplete |= iaqi[name] == _MISSING
        published &= ~incomplete | (aqi > standard.publish_over)
    primary = np.zeros(len(aqi), np.uint8)
    for bit, name in enumerate(POLLUTANTS):
        found.iaqi[name][block] = iaqi[name]
        primary |= (iaqi[name] == aqi).view(np.uint8) << np.uint8(bit)
    primary *= (published & (aqi > standard.primary_over)).view(np.uint8)
    np.maximum(aqi, np.int16(standard.lowest), out=aqi)
    found.aqi[block] = np.where(published, aqi, NA)
    found.primary[block] = primary


def _iaqi(
    gauges: tuple[Gauge, ...], columns: Mapping[str, Whole] | Mapping[str, _Shared], rows: int
) -> dict[str, Marks]:
    iaqi: dict[str, Marks] = {}
    spoken: dict[str, Marks] = {}
    for gauge in gauges:
        if (column := columns.get(gauge.value)) is None:
            continue
        marks = _of_shared(gauge.scale, column) if isinstance(column, _Shared) else _of_whole(gauge.scale, column)
        spoken[gauge.value] = marks
        if gauge.stands_in_for:
            other = spoken.get(gauge.stands_in_for)
            if other is None:
                continue
            marks = np.where(other == _BEYOND, marks, np.int16(_MISSING))
        before = iaqi.get(gauge.pollutant)
        iaqi[gauge.pollutant] = marks if before is None else np.maximum(before, marks)
    missing = np.full(rows, _MISSING, np.int16)
    return {name: iaqi.get(name, missing) for name in POLLUTANTS}


@lru_cache(maxsize=64)
def _table(scale: Scale) -> Marks:
    """The scale's own table, then what lies beyond it, then what is missing: numpy reads index -1 from the end."""
    above = _BEYOND if scale.above is None else scale.above
    known = [_BEYOND if one is None else one for one in scale.table]
    return np.array([*known, above, _MISSING], np.int16)


def _of_whole(scale: Scale, column: Whole) -> Marks:
    table = _table(scale)
    return table.take(np.clip(column, ABSENT, len(table) - 2))


def _of_shared(scale: Scale, column: _Shared) -> Marks:
    over = np.maximum(column.over, 1)
    whole, rest = np.divmod(column.steps, over)
    if scale.rounds:
        marks = _of_whole(scale, _half_even(whole, rest, over))
    else:
        nodes = np.array(scale.nodes, np.int64) * scale.per_unit
        heights = np.array(scale.marks, np.int64)
        # a node is a whole step, so a value between two steps lies in the bracket of the lower one
        low = np.clip(np.searchsorted(nodes, whole, side="right") - 1, 0, len(nodes) - 2)
        rise, run = heights[low + 1] - heights[low], (nodes[low + 1] - nodes[low]) * over
        between = heights[low] - (-rise * (column.steps - nodes[low] * over) // run)
        inside = (whole < nodes[-1]) | ((whole == nodes[-1]) & (rest == 0))
        marks = np.where(inside, between, _BEYOND if scale.above is None else scale.above).astype(np.int16)
    return np.where(column.over > 0, marks, np.int16(_MISSING))


def _half_even(whole: Steps, rest: Steps, over: Steps | np.int64) -> Steps:
    """Whole steps rounded half to even (GB/T 8170)."""
    up: NDArray[np.bool_] = (2 * rest > over) | ((2 * rest == over) & (whole % 2 == 1))
    return np.add(whole, up, dtype=np.int64)
