"""What the fan-out's figures are made of: each round beside its own floor, the middle one told, a void one never."""

from __future__ import annotations

from benchmarks.fanout import CONNECTIONS, DELAY_MS, OF_IDEAL, Round, Run, of_rounds

IDEAL = CONNECTIONS / (DELAY_MS / 1000)
SIZE = 1000


def a_round(of_floor: float, *, floor: float = IDEAL) -> Round:
    """A round that came to this share of its own floor."""
    seconds = SIZE / (of_floor * floor)
    return Round(floor, Run(seconds, 0, 0, seconds, 0, 100, 0, 0, SIZE, SIZE), SIZE)


def test_the_round_in_the_middle_is_told_and_not_the_best() -> None:
    told = of_rounds([a_round(0.9), a_round(0.3), a_round(0.5)], 0.45)

    assert round(float(str(told["of_floor"])), 6) == 0.5
    assert (told["floor_void"], told["rounds_void"]) == (False, 0)


def test_a_round_whose_own_floor_was_slow_counts_for_nothing() -> None:
    slow = a_round(0.95, floor=OF_IDEAL * IDEAL * 0.9)

    told = of_rounds([slow, a_round(0.4), a_round(0.5)], 0.45)

    assert round(float(str(told["of_floor"])), 6) == 0.4
    assert told["rounds_void"] == 1


def test_where_every_floor_was_slow_no_figure_is_told() -> None:
    told = of_rounds([a_round(0.9, floor=10.0)] * 3, 0.45)

    assert told["floor_void"] is True
    assert told["of_floor"] is told["orders_per_s"] is None
    assert "cpu_s_per_1000" not in told
