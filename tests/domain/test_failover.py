"""Which provider sends is decided from what was heard of each, and never to and fro."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from emergency.domain.failover import (
    GOOD_PROOFS,
    IN_A_ROW,
    LEAST,
    SLOW_MS,
    STAY,
    Heard,
    Preference,
    Provider,
    Unfit,
    p95,
    prefer,
    unfit,
)

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
GOOD, BAD, LATE = Heard(False, 50), Heard(True, 50), Heard(False, SLOW_MS + 1)


def provider(name: str, *recent: Heard, **more: int) -> Provider:
    return Provider(name, recent, **more)


def broken(name: str) -> Provider:
    return replace(Provider(name), broken_until=NOW + timedelta(seconds=1))


def test_errors_in_a_row_or_half_of_the_last_and_slowness_speak_against_a_provider() -> None:
    told = [
        (BAD,) * (IN_A_ROW - 1),
        (BAD,) * IN_A_ROW,
        (GOOD, BAD) * (LEAST // 2),
        (GOOD, GOOD, BAD) * LEAST,
        (GOOD,) * 94 + (LATE,) * 6,
        (GOOD,) * 95 + (LATE,) * 5,
        (LATE,) * (LEAST - 1),
    ]

    found = [unfit(provider("a", *recent), wall=NOW) for recent in told]

    assert found == [None, Unfit.ERRORS, Unfit.ERRORS, None, Unfit.SLOW, None, None]
    assert p95(provider("a", *[Heard(False, n) for n in range(1, 101)])) == 95
    assert p95(provider("a")) is None


def test_it_goes_over_at_once_on_errors_and_only_after_a_stay_on_slowness() -> None:
    moved = Preference("a", NOW - STAY + timedelta(seconds=1))
    failing, slow, well = provider("a", *[BAD] * IN_A_ROW), provider("a", *[LATE] * LEAST), provider("b")

    assert prefer(moved, [failing, well], wall=NOW) == Preference("b", NOW, Unfit.ERRORS)
    assert prefer(moved, [slow, well], wall=NOW) == moved
    assert prefer(moved, [slow, well], wall=NOW + STAY) == Preference("b", NOW + STAY, Unfit.SLOW)


def test_it_comes_home_after_a_stay_and_enough_good_proofs_and_not_before() -> None:
    away, other = Preference("b", NOW, Unfit.ERRORS), provider("b")
    proved = provider("a", good_proofs=GOOD_PROOFS)

    assert prefer(away, [proved, other], wall=NOW + STAY - timedelta(seconds=1)) == away
    assert prefer(away, [replace(proved, good_proofs=GOOD_PROOFS - 1), other], wall=NOW + STAY) == away
    assert prefer(away, [proved, other], wall=NOW + STAY) == Preference("a", NOW + STAY)


def test_where_something_speaks_against_both_it_does_not_go_to_and_fro() -> None:
    bad = [provider(name, *[BAD] * IN_A_ROW) for name in "ab"]
    now, moves = Preference("a"), 0
    for second in range(1800):
        then = prefer(now, bad, wall=NOW + timedelta(seconds=second))
        now, moves = then, moves + (then != now)

    assert moves == 3, "once at once, then once in ten minutes"


def test_both_broken_stays_and_one_broken_goes_to_whatever_is_not() -> None:
    home = Preference("a")

    assert prefer(home, [broken("a"), broken("b")], wall=NOW) == home
    failing = provider("b", *[BAD] * IN_A_ROW)
    assert prefer(home, [broken("a"), failing], wall=NOW) == Preference("b", NOW, Unfit.BROKEN)
