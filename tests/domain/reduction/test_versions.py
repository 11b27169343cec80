"""A list as a version: two hands, its place in time, and what it changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from emergency.domain.drawing import measures_for
from emergency.domain.level import Level
from emergency.domain.machine import IllegalMove
from emergency.domain.orders import Recipient
from emergency.domain.reduction import versions
from emergency.domain.reduction.entries import Entry, texts_by_level
from emergency.domain.reduction.versions import LISTING, Listing, SameHand, Stand, StillRefused, differences
from emergency.errors import Refused
from tests.lists import a_line, code, read
from tests.world import DISTRICT

NOW = datetime(2024, 11, 1, 2, tzinfo=UTC)
DRAFT = Listing(
    id=UUID(int=1), area=DISTRICT, name="2024", file_sha256="0" * 64, valid_from=date(2024, 11, 1), columns=(),
    counts={"refused": 2}, laid_by="lj-duty", laid_at=NOW,
)  # fmt: skip


def an_entry(**other: object) -> Entry:
    """One good enterprise, valid but for what is said otherwise."""
    (found,) = read(a_line(**other)).entries
    return found


def standing(*some: Entry) -> list[Recipient]:
    """These as they stand after a first list."""
    return [one.recipient for one in differences(some, [], area=DISTRICT).added]


def test_whoever_laid_a_list_down_does_not_confirm_it_and_refused_rows_are_left_out_expressly() -> None:
    with pytest.raises(SameHand):
        versions.confirmed(DRAFT, by="lj-duty", without_refused=True, now=NOW)
    with pytest.raises(StillRefused):
        versions.confirmed(DRAFT, by="lj-approver3", without_refused=False, now=NOW)

    found = versions.confirmed(DRAFT, by="lj-approver3", without_refused=True, now=NOW)

    assert (found.stand, found.confirmed_by) == (Stand.CONFIRMED, "lj-approver3")


def test_a_version_is_dropped_with_a_reason_and_only_before_it_counts() -> None:
    with pytest.raises(Refused):
        versions.dropped(DRAFT, because=" ", now=NOW)
    assert versions.dropped(DRAFT, because="文件有误", now=NOW).stand is Stand.DROPPED
    with pytest.raises(IllegalMove):
        versions.dropped(replace(DRAFT, stand=Stand.IN_FORCE), because="文件有误", now=NOW)


def test_nothing_comes_back_from_the_past() -> None:
    assert not LISTING.open_to(Stand.PAST)
    assert not LISTING.open_to(Stand.DROPPED)


def test_the_same_list_again_changes_nothing() -> None:
    one, two = an_entry(), an_entry(name="样例砖厂乙", code=code(2))

    found = differences([two, one], standing(one, two), area=DISTRICT)

    assert (found.added, found.changed, found.removed) == ((), (), ())
    assert len(found.unchanged) == 2


def test_what_changes_is_said_field_by_field() -> None:
    found = differences(
        [an_entry(grade="B", orange="停产", phone="00059990002")], standing(an_entry()), area=DISTRICT
    )

    assert [(one.what, one.before, one.after) for one in found.changed[0].changes] == [
        ("grade", "C", "B"),
        ("contacts", "样例甲 00059990001", "样例甲 00059990002"),
        ("measures.orange", "停1号窑（共2座）", "停产"),
    ]


def test_an_enterprise_keeps_its_id_under_a_new_name_and_with_a_code_it_did_not_have() -> None:
    before = standing(an_entry())[0]

    renamed = differences([an_entry(name="样例新厂")], [before], area=DISTRICT).changed[0]
    coded = differences([an_entry()], [replace(before, credit_code="")], area=DISTRICT).changed[0]

    assert renamed.recipient.id == before.id == coded.recipient.id
    assert [one.what for one in (*renamed.changes, *coded.changes)] == ["name", "credit_code"]


def test_what_the_list_has_no_more_is_removed_and_what_a_refusal_cost_stays() -> None:
    gone, slipped = an_entry(), an_entry(name="样例砖厂乙", code=code(2))
    left_out = read(a_line(name="样例砖厂乙", code=code(2), grade="F")).left_out

    found = differences([], standing(gone, slipped), area=DISTRICT, left_out=left_out)

    assert [one.name for one in found.removed] == ["样例砖厂甲"]
    assert [one.name for one in found.kept] == ["样例砖厂乙"]


def test_each_level_of_a_list_is_all_that_is_asked_and_a_level_left_out_is_the_one_below() -> None:
    (listed,) = standing(an_entry(orange="", red="停产"))

    asked = {
        level: [(one.key, one.text) for one in measures_for(listed, level, {})]
        for level in (Level.BLUE, Level.YELLOW, Level.ORANGE, Level.RED)
    }

    assert asked == {
        Level.BLUE: [],
        Level.YELLOW: [("yellow-1", "进窑砖坯减少50%")],
        Level.ORANGE: [("yellow-1", "进窑砖坯减少50%")],
        Level.RED: [("red-1", "停产")],
    }


def test_a_measure_said_again_at_a_higher_level_is_the_same_duty() -> None:
    (listed,) = standing(an_entry(orange="进窑砖坯减少50%"))

    assert [one.key for one in measures_for(listed, Level.ORANGE, {})] == ["yellow-1"]


def test_a_line_without_a_measure_at_a_level_goes_on_with_the_one_below_while_others_change() -> None:
    line = an_entry().lines[0]
    one, two = replace(line, name="1号窑"), replace(line, name="破碎", measures={"yellow": "停1台"})

    assert texts_by_level([one, two])["orange"] == ("停1号窑（共2座）", "破碎：停1台")


def test_lines_of_different_measures_are_told_apart_by_name() -> None:
    line = an_entry().lines[0]
    one, two = replace(line, name="1号窑"), replace(line, name="2号窑", measures={"yellow": "停产"})

    assert texts_by_level([one, two])["yellow"] == ("1号窑：进窑砖坯减少50%", "2号窑：停产")
    assert texts_by_level([one, replace(two, measures=one.measures)])["red"] == ("停产",)
