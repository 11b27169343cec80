"""One link may be used only so often, and no other pays for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from emergency.web import pacing
from emergency.web.pacing import Pace

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_one_too_many_is_refused_until_its_span_is_over_and_others_are_not() -> None:
    pace = Pace([(2, MINUTE), (3, timedelta(hours=1))])

    assert [pace.allows("a", now=NOW) for _ in range(3)] == [True, True, False]
    assert pace.allows("b", now=NOW)
    assert not pace.allows("a", now=NOW + MINUTE), "the longer span counts on"
    assert pace.allows("a", now=NOW + timedelta(hours=1))


def test_made_up_keys_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "MOST_KEPT", 10)
    pace = Pace([(1, MINUTE)])

    for number in range(100):
        pace.allows(str(number), now=NOW)

    assert len(pace._used) <= 10
