"""Rows a second from concentrations to index and category: the rule, the arrays, and a package on the same rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from importlib import import_module
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import rate
from emergency import vector
from emergency.domain.air import POLLUTANTS, Amount, Period, index
from emergency.plans.standards import load_standards

HOURS = 4 * 8766  # of four years
STATIONS = 12
SIZE = HOURS * STATIONS
PLAIN_SAMPLE = 60_000
PEER_SAMPLE = 5_000
FLOOR = 5e6  # rows a second over arrays: four years of twelve stations while somebody moves a slider
PLAIN_FLOOR = 0.25e6  # by the rule itself: the same four years in the time it takes to read the file
PEER_TIMES = 100  # what arrays have to be of the package, or they are not worth a second implementation
MIDDLE = {"pm2_5": 60.0, "pm10": 90.0, "so2": 15.0, "no2": 45.0, "co": 10.0, "o3": 60.0}  # steps


class Rates(TypedDict):
    """Rows a second of each way beside its floor, how they compare, and how many rows differed from the rule."""

    rows: int
    vectorised_rows_per_s: float
    floor_vectorised_rows_per_s: float
    plain_rows_per_s: float
    floor_plain_rows_per_s: float
    hours_to_days_rows_per_s: float
    python_aqi_rows_per_s: float | None
    vectorised_times_python_aqi: float | None
    floor_vectorised_times_python_aqi: float
    plain_times_python_aqi: float | None
    rows_that_differ_from_the_rule: int
    share_python_aqi_differs: float | None
    floors_held: bool


def run(size: int = SIZE) -> Rates:
    """
    Measure on ``size`` hours of made-up air (log-normal, 3 % missing); four years of twelve stations by default.

    Arrays and rule answer index, single indices, primary pollutant and category of each row; the package answers the
    index. Plain Python and the package are timed on the first rows of the same arrays and scaled by their own count.
    """
    standard = load_standards()[0]
    columns = made_up(size)
    found = vector.indices(standard, columns, period=Period.HOUR)
    plain = as_rows(columns, min(size, PLAIN_SAMPLE))
    hour = Period.HOUR
    bands = [*(one.id for one in standard.categories), ""]  # the last is where no index is published
    ours = zip(found.aqi.tolist(), vector.bands(standard, found.aqi).tolist(), plain, strict=False)
    differences = 0
    for aqi, band, row in ours:
        rule = index(standard, row, period=hour)
        differences += (vector.NA if rule.aqi is None else rule.aqi, rule.category) != (aqi, bands[band])
    days = {name: column[: size // 24 * 24].reshape(-1, 24) for name, column in columns.items()}
    vectorised = rate(size, lambda: vector.bands(standard, vector.indices(standard, columns, period=hour).aqi))
    by_rule = rate(len(plain), lambda: Counter(index(standard, row, period=hour).category for row in plain))
    peer, differs = python_aqi(plain[:PEER_SAMPLE], found.aqi)
    times = vectorised / peer if peer else None
    return Rates(
        rows=size,
        vectorised_rows_per_s=vectorised,
        floor_vectorised_rows_per_s=FLOOR,
        plain_rows_per_s=by_rule,
        floor_plain_rows_per_s=PLAIN_FLOOR,
        hours_to_days_rows_per_s=rate(size // 24 * 24, lambda: vector.day_indices(standard, days)),
        python_aqi_rows_per_s=peer,
        vectorised_times_python_aqi=times,
        floor_vectorised_times_python_aqi=PEER_TIMES,
        plain_times_python_aqi=by_rule / peer if peer else None,
        rows_that_differ_from_the_rule=differences,
        share_python_aqi_differs=differs,
        floors_held=vectorised >= FLOOR and by_rule >= PLAIN_FLOOR and (times is None or times >= PEER_TIMES),
    )


def made_up(size: int) -> dict[str, NDArray[np.int32]]:
    """Columns of whole steps, the same at every run."""
    dice = np.random.default_rng(633)
    columns = {}
    for name in POLLUTANTS:
        steps = np.rint(MIDDLE[name] * dice.lognormal(0.0, 0.7, size)).astype(np.int32)
        columns[name] = np.where(dice.random(size) < 0.03, np.int32(vector.ABSENT), steps)
    return columns


def as_rows(columns: dict[str, NDArray[np.int32]], count: int) -> list[dict[str, Amount | None]]:
    """The first rows as the rule takes them: whole µg/m³, CO in decimal mg/m³."""
    written: dict[str, list[Amount | None]] = {
        name: [None if one < 0 else Decimal(one) / 10 if name == "co" else one for one in column[:count].tolist()]
        for name, column in columns.items()
    }
    return [dict(zip(written, row, strict=True)) for row in zip(*written.values(), strict=True)]


def python_aqi(rows: Sequence[dict[str, Amount | None]], ours: NDArray[np.int16]) -> tuple[float | None, float | None]:
    """The package's rate on the same rows, and the share of them it answers differently; None where not installed."""
    try:
        package, ids = import_module("aqi"), import_module("aqi.constants")
    except ImportError:
        return None, None
    theirs = {
        "pm2_5": ids.POLLUTANT_PM25, "pm10": ids.POLLUTANT_PM10, "so2": ids.POLLUTANT_SO2_1H,
        "no2": ids.POLLUTANT_NO2_1H, "co": ids.POLLUTANT_CO_1H, "o3": ids.POLLUTANT_O3_1H,
    }
    asked = [[(theirs[name], str(value)) for name, value in row.items() if value is not None] for row in rows]

    def answer() -> list[int | None]:
        answers: list[int | None] = []
        for one in asked:
            try:
                answers.append(int(package.to_aqi(one, algo=ids.ALGO_MEP)))
            except IndexError:  # it has no step above its top one
                answers.append(None)
        return answers

    differs = sum(one != int(its) for one, its in zip(answer(), ours, strict=False)) / len(asked)
    return rate(len(asked), answer), differs
