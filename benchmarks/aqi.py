"""Rows a second from concentrations to index: the rule itself, the arrays, and a package of PyPI on the same rows."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from importlib import import_module
from time import perf_counter
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from emergency import vector
from emergency.domain.air import POLLUTANTS, Amount, Period, index
from emergency.plans.standards import load_standards

HOURS = 4 * 8766  # of four years
STATIONS = 12
SIZE = HOURS * STATIONS
ROUNDS = 3  # the best of them counts: on a shared machine the others measure the neighbours
PLAIN_SAMPLE = 60_000
PEER_SAMPLE = 5_000
MIDDLE = {"pm2_5": 60.0, "pm10": 90.0, "so2": 15.0, "no2": 45.0, "co": 10.0, "o3": 60.0}  # steps


class Rates(TypedDict):
    """Rows a second of each way, how they compare, and how many rows differed from the rule."""

    rows: int
    vectorised_rows_per_s: float
    days_rows_per_s: float
    plain_rows_per_s: float
    python_aqi_rows_per_s: float | None
    vectorised_against_python_aqi: float | None
    plain_against_python_aqi: float | None
    differences: int
    python_aqi_differs: float | None


def run(size: int = SIZE) -> Rates:
    """
    Measure on ``size`` hours of made-up air (log-normal, 3 % missing); four years of twelve stations by default.

    Plain Python and the package are timed on the first rows of the same arrays and scaled by their own count.
    """
    standard = load_standards()[0]
    columns = made_up(size)
    found = vector.indices(standard, columns, period=Period.HOUR)
    plain = as_rows(columns, min(size, PLAIN_SAMPLE))
    differences = sum(
        (int(found.aqi[at]) if found.aqi[at] != vector.NA else None) != index(standard, row, period=Period.HOUR).aqi
        for at, row in enumerate(plain)
    )
    days = {name: column[: size // 24 * 24].reshape(-1, 24) for name, column in columns.items()}
    vectorised = rate(size, lambda: vector.indices(standard, columns, period=Period.HOUR))
    by_rule = rate(len(plain), lambda: max(index(standard, row, period=Period.HOUR).aqi or 0 for row in plain))
    peer, differs = python_aqi(plain[:PEER_SAMPLE], found.aqi)
    return Rates(
        rows=size,
        vectorised_rows_per_s=vectorised,
        days_rows_per_s=rate(size // 24 * 24, lambda: vector.day_indices(standard, days)),
        plain_rows_per_s=by_rule,
        python_aqi_rows_per_s=peer,
        vectorised_against_python_aqi=vectorised / peer if peer else None,
        plain_against_python_aqi=by_rule / peer if peer else None,
        differences=differences,
        python_aqi_differs=differs,
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


def rate(rows: int, work: Callable[[], object]) -> float:
    """Rows a second, the best of some rounds."""
    took = []
    for _ in range(ROUNDS):
        start = perf_counter()
        work()
        took.append(perf_counter() - start)
    return rows / min(took)


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


def main() -> int:
    """Print the figures, as text or as one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=SIZE)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = run(asked.size)
    if asked.json:
        sys.stdout.write(json.dumps(found) + "\n")
    else:
        for name, value in found.items():
            shown = f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else "-"
            sys.stdout.write(f"{name:32} {shown:>14}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
