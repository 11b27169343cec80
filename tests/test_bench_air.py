"""What the benchmarks of the index and the replay print is true of the rule, however quick the machine is."""

from __future__ import annotations

import json

import pytest

from benchmarks import aqi, replay
from benchmarks.__main__ import GROUPS, main


def test_the_rows_that_are_timed_are_answered_as_the_rule_answers_them() -> None:
    found = aqi.run(2000)

    assert (found["rows"], found["rows_that_differ_from_the_rule"]) == (2000, 0)
    assert found["vectorised_rows_per_s"] > found["plain_rows_per_s"] > 0


def test_a_replayed_winter_is_declared_alike_when_repeated() -> None:
    found = replay.by_days(1)

    assert found["winters"] == 1
    assert found["repeats_equal"]
    assert found["declarations"] > 0


def test_a_winter_by_any_24_hours_is_walked_over_windows() -> None:
    [past] = replay.as_windows(replay.made_up(1), 1, 4)

    assert [len(row) for row in past.hourly.rows] == [4] * 5 + [3] * 15 + [4] * 4  # 20 hours are enough at either end
    assert replay.by_any_24_hours(1, days=4) > 0


def test_the_document_has_every_group_and_says_what_nothing_can_measure(capsys: pytest.CaptureFixture[str]) -> None:
    assert {"fanout", "fanout_sqlite", "growth", "ack", "aqi", "replay", "evidence"} <= set(GROUPS)

    assert main(["--json", "--only", "evidence"]) == 0

    found = json.loads(capsys.readouterr().out)["evidence"]
    assert (found["of_bare_sql"], found["rows_per_s"], found["peak_mib"]) == (None, None, None)
    assert found["because"]
