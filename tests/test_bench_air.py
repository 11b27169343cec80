"""What the benchmarks of the index and the replay print is true of the rule, however quick the machine is."""

from __future__ import annotations

from benchmarks import aqi, replay


def test_the_rows_that_are_timed_are_answered_as_the_rule_answers_them() -> None:
    found = aqi.run(2000)

    assert (found["rows"], found["rows_that_differ_from_the_rule"]) == (2000, 0)
    assert found["vectorised_rows_per_s"] > found["plain_rows_per_s"] > 0


def test_a_replayed_winter_is_declared_alike_when_repeated() -> None:
    found = replay.run(1)

    assert found["winters"] == 1
    assert found["repeats_equal"]
    assert found["declarations"] > 0
