"""A notice is over when its end was issued after it, whichever paper came in first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from emergency.domain.forecast import Bulletin
from emergency.domain.level import Level
from emergency.domain.papers import back_from, ended_by, over_by, place_in_series, standing, taken_back
from tests.builders import CITY, DISTRICT, NOW

NOTICE = Bulletin(
    id="11111111-1111-4111-8111-111111111111",
    area=DISTRICT,
    number="柳气预警〔2026〕9号",
    issuer="柳州市应急指挥部办公室",
    level=Level.ORANGE,
    areas_covered=(CITY,),
    issued_at=NOW,
    effective_at=NOW,
    received_at=NOW + timedelta(hours=2),
    expected_end_at=None,
    scan_sha256="0" * 64,
)
END = replace(NOTICE, action="withdraw", level=Level.NONE, number="柳气预警〔2026〕10号", received_at=NOW)


@pytest.mark.parametrize(("minutes", "ended"), [(1, True), (-1, False)])
def test_the_later_issue_decides_whatever_number_and_arrival_say(minutes: int, ended: bool) -> None:
    ending = replace(END, issued_at=NOW + timedelta(minutes=minutes))

    assert ended_by(NOTICE, ending) is ended
    assert ended_by(NOTICE, replace(ending, number="柳气预警〔2026〕8号")) is ended


@pytest.mark.parametrize(
    ("number", "ended"),
    [
        ("柳气预警〔2026〕10号", True),  # as figures, not as text
        ("柳气预警[2026]第10号", True),
        ("柳气预警〔2026〕9号", True),  # taken back under its own number
        ("柳气预警〔2026〕8号", False),
        ("柳气预警〔2025〕10号", False),
        ("柳应急〔2026〕10号", False),  # of another series: it arrived first
        ("特急", False),
    ],
)
def test_of_one_minute_the_number_decides(number: str, ended: bool) -> None:
    assert ended_by(NOTICE, replace(END, number=number)) is ended


def test_of_one_minute_and_no_series_the_arrival_decides() -> None:
    ending = replace(END, number="特急")

    assert not ended_by(NOTICE, ending)
    assert ended_by(NOTICE, replace(ending, received_at=NOTICE.received_at))


def test_only_an_end_ends_and_an_end_is_not_ended() -> None:
    later = NOW + timedelta(hours=1)

    assert not ended_by(NOTICE, replace(END, action="upgrade", issued_at=later))
    assert not ended_by(replace(NOTICE, action="release"), replace(END, issued_at=later))


@pytest.mark.parametrize("number", ["柳气预警2026-9", "〔二〇二六〕9号", ""])
def test_a_number_written_otherwise_has_no_place_in_a_series(number: str) -> None:
    assert place_in_series(number) is None


@pytest.mark.parametrize(
    ("action", "level", "minutes", "over"),
    [
        ("activate", Level.YELLOW, 5, True),
        ("activate", Level.ORANGE, 5, True),  # the same said again: the later paper holds
        ("activate", Level.YELLOW, -5, False),
        ("withdraw", Level.NONE, 5, True),
        ("extend", Level.ORANGE, 5, False),
    ],
)
def test_a_notice_is_over_by_what_was_issued_later_and_sets_or_ends_a_level(
    action: str, level: Level, minutes: int, over: bool
) -> None:
    other = replace(END, action=action, level=level, issued_at=NOW + timedelta(minutes=minutes))

    assert over_by(NOTICE, other) is over


def test_an_old_end_is_over_by_what_was_begun_after_it_and_an_adjustment_by_another_level_only() -> None:
    after = replace(NOTICE, issued_at=NOW + timedelta(minutes=5))

    assert over_by(END, after)
    assert not over_by(replace(NOTICE, action="amend"), after)
    assert over_by(replace(NOTICE, action="amend"), replace(after, action="upgrade", level=Level.RED))
    assert not over_by(NOTICE, NOTICE)


@pytest.mark.parametrize(
    ("action", "minutes", "over"), [("extend", 5, True), ("extend", -5, False), ("amend", 5, False)]
)
def test_of_two_extensions_the_one_issued_later_holds(action: str, minutes: int, over: bool) -> None:
    other = replace(NOTICE, action=action, issued_at=NOW + timedelta(minutes=minutes))

    assert over_by(replace(NOTICE, action="extend"), other) is over
    assert over_by(replace(NOTICE, action="extend", level=Level.NONE), replace(other, level=Level.NONE)) is over


def test_what_stands_is_the_latest_that_names_a_level_and_was_not_ended() -> None:
    raised = replace(NOTICE, action="upgrade", level=Level.RED, issued_at=NOW + timedelta(hours=1))
    longer = replace(NOTICE, action="extend", level=Level.NONE, issued_at=NOW + timedelta(hours=2))

    assert standing([longer, NOTICE, raised]) == raised
    assert standing([replace(END, issued_at=NOW + timedelta(hours=3)), raised, longer]) is None
    assert standing([NOTICE, replace(END, issued_at=NOW - timedelta(hours=3))]) == NOTICE
    assert standing([]) is None


def test_a_withdrawal_takes_back_the_change_of_its_number_with_what_rests_on_it_however_the_number_is_written() -> None:
    first = replace(NOTICE, id="1", number="柳气预警〔2026〕7号", level=Level.YELLOW)
    longer = replace(NOTICE, id="2", number="柳气预警〔2026〕8号", action="extend", level=Level.NONE)
    longer = replace(longer, issued_at=NOW + timedelta(hours=1), expected_end_at=NOW + timedelta(days=2))
    change = replace(NOTICE, id="3", action="upgrade", issued_at=NOW + timedelta(hours=2))
    adjusted = replace(change, id="4", action="amend", number="柳气预警〔2026〕11号")
    back = replace(END, id="5", number="柳气预警[2026]第9号", issued_at=NOW + timedelta(hours=3))
    some = [back, adjusted, longer, change, first]

    assert set(taken_back(some)) == {"3", "4", "5"}
    assert standing(some) == first
    found = back_from(some, back)
    assert found is not None
    assert (found.change, found.stands) == (change, replace(first, expected_end_at=longer.expected_end_at))
    assert standing([first, replace(back, number=first.number)]) is None
    assert standing([*some[1:], replace(back, number="柳气预警〔2026〕12号")]) is None, "of no known number it ends all"
    assert back_from([first, back], back) is None
