"""The index over arrays is the index of each row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

import numpy as np
import pytest

from emergency import vector
from emergency.domain.air import POLLUTANTS, Amount, Period, Scale, Standard, index
from emergency.domain.air_daily import Hour, Stamp, daily
from emergency.plans.standards import load_standards

OLD, NEW = load_standards()
EDITIONS = pytest.mark.parametrize("standard", [OLD, NEW], ids=lambda one: one.id)
STEPS = {"co": 10}  # steps in one unit; 1 for the others
TOP = {"pm2_5": 520, "pm10": 620, "so2": 2700, "no2": 4000, "co": 1600, "o3": 1300, "o3_8h": 900, "so2_24h": 2700}


def amount(name: str, steps: int) -> Amount | None:
    """The concentration a number of steps stands for."""
    if steps < 0:
        return None
    return Decimal(steps) / STEPS[name] if name in STEPS else steps


def assert_same(standard: Standard, period: Period, columns: dict[str, list[int]]) -> int:
    """Compare every row with the rule itself; how many rows there were."""
    found = vector.indices(standard, {name: np.array(its, np.int32) for name, its in columns.items()}, period=period)
    rows = len(next(iter(columns.values())))
    for row in range(rows):
        values = {name: amount(name, its[row]) for name, its in columns.items()}
        ours = index(standard, values, period=period)
        assert (int(found.aqi[row]) if found.aqi[row] != vector.NA else None) == ours.aqi, values
        assert found.primary_of(row) == ours.primary, values
        for name in POLLUTANTS:
            assert (int(found.iaqi[name][row]) if found.iaqi[name][row] >= 0 else None) == ours.iaqi[name], values
    return rows


@EDITIONS
@pytest.mark.parametrize("period", list(Period))
def test_every_node_and_its_neighbours_have_the_same_index(standard: Standard, period: Period) -> None:
    names = [gauge.value for gauge in standard.reports[period]]
    columns: dict[str, list[int]] = {name: [] for name in names}
    for gauge in standard.reports[period]:
        for node in gauge.scale.nodes:
            for near in (-1, 0, 1):
                for other in names:
                    columns[other].append(node * gauge.scale.per_unit + near if other == gauge.value else 1)

    assert assert_same(standard, period, columns) > 120


@EDITIONS
@pytest.mark.parametrize("period", list(Period))
def test_random_rows_have_the_same_index(standard: Standard, period: Period) -> None:
    dice = Random(20260301)
    names = [gauge.value for gauge in standard.reports[period]]
    columns = {
        name: [-1 if dice.random() < 0.1 else int(TOP[name] * dice.random() ** 3) for _ in range(4000)]
        for name in names
    }

    assert_same(standard, period, columns)


@EDITIONS
@pytest.mark.parametrize("period", list(Period))
def test_air_without_anything_in_it_has_the_same_index(standard: Standard, period: Period) -> None:
    names = [gauge.value for gauge in standard.reports[period]]

    assert_same(standard, period, {name: [0, 0, 0] if name != "no2" else [0, 1, -1] for name in names})


@EDITIONS
def test_every_index_has_the_category_the_rule_gives_it(standard: Standard) -> None:
    every = np.arange(-1, 501, dtype=np.int16)

    found = vector.bands(standard, every).tolist()

    assert found[0] == vector.NA
    assert [standard.categories[one] for one in found[1:]] == [standard.category(aqi) for aqi in range(501)]


def test_a_column_that_is_not_there_is_missing_everywhere() -> None:
    assert_same(NEW, Period.HOUR, {"pm2_5": [60, 61, 500], "pm10": [-1, 10, 20]})


def test_rows_beyond_one_block_are_answered_too() -> None:
    many = vector._BLOCK * 2 + 7
    column = np.arange(many) % 600

    found = vector.indices(OLD, {"pm2_5": column}, period=Period.HOUR)

    assert int(found.aqi[-1]) == index(OLD, {"pm2_5": int(column[-1])}, period=Period.HOUR).aqi
    assert np.array_equal(found.aqi[:600], found.aqi[600:1200])


def days_of(dice: Random, name: str, days: int) -> list[list[int]]:
    """Days of 24 hours around one height each, some of them with many hours missing."""
    kept = []
    for _ in range(days):
        height, gaps = TOP[name] * dice.random() ** 2, dice.choice([0.0, 0.05, 0.17, 0.4])
        kept.append([-1 if dice.random() < gaps else int(height * dice.uniform(0.5, 1.5)) for _ in range(24)])
    return kept


@EDITIONS
def test_days_have_the_same_index_as_hour_by_hour(standard: Standard) -> None:
    dice = Random(633)
    columns = {name: days_of(dice, name, 600) for name in POLLUTANTS}

    found = vector.day_indices(standard, {name: np.array(its, np.int32) for name, its in columns.items()})

    first = datetime(2019, 1, 1)  # noqa: DTZ001 - naive is Asia/Shanghai here
    hours = (
        Hour(first + timedelta(hours=n), {name: amount(name, columns[name][n // 24][n % 24]) for name in POLLUTANTS})
        for n in range(600 * 24)
    )
    ours = [index(one.standard, one.values, period=Period.DAY) for one in daily(hours, [standard], stamped=Stamp.START)]
    assert [int(its) if its != vector.NA else None for its in found.aqi] == [one.aqi for one in ours]
    assert [found.primary_of(row) for row in range(600)] == [one.primary for one in ours]
    for name in POLLUTANTS:
        assert [int(its) if its >= 0 else None for its in found.iaqi[name]] == [one.iaqi[name] for one in ours]
    assert sum(one.aqi is None for one in ours) < 500
    assert {name for one in ours for name in one.missing} == set(POLLUTANTS)


@EDITIONS
def test_a_mean_half_a_step_beyond_a_table_lies_beyond_it(standard: Standard) -> None:
    half = {"pm2_5": [500, 501] * 12, "so2": [2620, 2621] * 12, "o3": [800, 801] * 12, "co": [600, 601] * 12}

    found = vector.day_indices(standard, {name: np.array([its], np.int32) for name, its in half.items()})

    # the hour of 801 gives ozone 301 in 2012; in 2026 the 8-h mean of 800.5 rounds to 800, the last node
    assert {name: int(found.iaqi[name][0]) for name in half} == {
        "pm2_5": 500, "so2": 500, "o3": 301 if standard is OLD else 300, "co": 500,
    }


def scale_of(standard: Standard, name: str) -> Scale:
    """The hourly scale of one pollutant."""
    return next(one.scale for one in standard.reports[Period.HOUR] if one.value == name)


def test_written_concentrations_become_steps_as_the_edition_rounds_them() -> None:
    written = [60.5, 61.5, 60.501, 4.0, float("nan")]

    assert vector.steps(scale_of(NEW, "pm2_5"), np.array(written)).tolist() == [60, 62, 61, 4, -1]
    assert vector.steps(scale_of(NEW, "co"), np.array([4.05, 4.15, 4.25, 1.15, 0.25])).tolist() == [40, 42, 42, 12, 2]
    assert vector.steps(scale_of(OLD, "co"), np.array([0.1, 0.7, 29.9])).tolist() == [1, 7, 299]


@pytest.mark.parametrize(
    ("standard", "written"),
    [(OLD, [60.5]), (NEW, [-1.0]), (NEW, [float("inf")]), (NEW, [60.00049]), (NEW, [1e10])],
)
def test_what_is_no_step_is_refused(standard: Standard, written: Sequence[float]) -> None:
    with pytest.raises(ValueError, match="pm2_5_24h"):
        vector.steps(scale_of(standard, "pm2_5"), np.array(written))


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="one length"):
        vector.indices(NEW, {"pm2_5": np.array([1]), "pm10": np.array([1, 2])}, period=Period.HOUR)
    with pytest.raises(ValueError, match="24"):
        vector.day_indices(NEW, {"pm2_5": np.zeros((2, 23), np.int32)})
