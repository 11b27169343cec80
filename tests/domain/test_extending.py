"""An end is moved on as the plan lets it: whether at all, how far at once, signed by whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from emergency.domain import extending
from emergency.domain.episode import Decision, Move
from emergency.domain.extending import EndsTooLate, EndsTooSoon, NoEnd, NotExtendable, within_the_plan
from emergency.domain.level import Level
from emergency.domain.plan import ExtensionRule, Plan
from emergency.errors import Refused
from tests.builders import NOW, a_notice, a_suggestion
from tests.world import PLANS

ANNOUNCED = NOW + timedelta(hours=10)
RULE = ExtensionRule(allowed=True, longest_hours=72)
PLAN = replace(PLANS["liuzhou"], extension=RULE, open_ended=False)


def to(end: datetime | None, **how: object) -> Decision:
    """An extension to this end."""
    notice = a_notice(expected_end_at=end, open_ended=end is None)
    return a_suggestion(move=Move.EXTEND, level_before=Level.YELLOW, notice=notice, **how)


def refused(plan: Plan, decision: Decision) -> type[Refused] | None:
    """What the plan says against it."""
    try:
        within_the_plan(plan, decision, ANNOUNCED, now=NOW)
    except Refused as found:
        return type(found)
    return None


@pytest.mark.parametrize(
    ("hours", "said"),
    [(72, None), (73, EndsTooLate), (1, None), (0, EndsTooSoon), (-1, EndsTooSoon)],
)
def test_one_extension_reaches_beyond_the_announced_end_and_no_further_than_the_plan_allows(
    hours: int, said: type[Refused] | None
) -> None:
    assert refused(PLAN, to(ANNOUNCED + timedelta(hours=hours))) is said


def test_the_hours_count_from_now_where_the_announced_end_is_over() -> None:
    late = ANNOUNCED + timedelta(hours=5)

    assert extending.latest_end(PLAN, ANNOUNCED, now=late) == late + timedelta(hours=72)
    assert extending.latest_end(PLAN, None, now=NOW) == NOW + timedelta(hours=72)


def test_a_plan_that_lets_no_end_be_moved_refuses_and_one_that_does_not_say_allows() -> None:
    end = ANNOUNCED + timedelta(days=20)

    assert refused(replace(PLAN, extension=ExtensionRule(allowed=False)), to(end)) is NotExtendable
    assert refused(replace(PLAN, extension=None), to(end)) is None


def test_an_open_end_is_for_plans_that_know_one() -> None:
    assert refused(PLAN, to(None)) is NoEnd
    assert refused(replace(PLAN, open_ended=True), to(None)) is None


def test_what_the_level_above_announced_and_what_is_no_extension_are_not_measured_by_it() -> None:
    far = ANNOUNCED + timedelta(days=20)

    assert refused(PLAN, to(far, bulletin_id=uuid4())) is None
    assert refused(PLAN, replace(to(far), move=Move.UPGRADE)) is None


def test_the_plan_may_name_who_signs_an_extension_else_the_levels_own_approver_does() -> None:
    named = replace(PLAN, extension=replace(RULE, rank=1))

    assert extending.rank_needed(named, Move.EXTEND, Level.RED) == 1
    assert extending.rank_needed(named, Move.UPGRADE, Level.RED) == 3
    assert extending.rank_needed(PLAN, Move.EXTEND, Level.RED) == 3


def test_the_rules_own_extension_ends_where_the_plan_stops_it() -> None:
    far, near = ANNOUNCED + timedelta(days=9), ANNOUNCED + timedelta(hours=1)

    assert extending.capped(PLAN, far, ANNOUNCED, now=NOW) == ANNOUNCED + timedelta(hours=72)
    assert extending.capped(PLAN, near, ANNOUNCED, now=NOW) == near
    assert extending.capped(replace(PLAN, extension=None), far, ANNOUNCED, now=NOW) == far
    assert extending.capped(PLAN, None, ANNOUNCED, now=NOW) is None
