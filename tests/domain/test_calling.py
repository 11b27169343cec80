"""Whom to telephone first, and which calls can be meant."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from emergency.domain.calling import BadHour, Call, Line, NoName, NotSaid, Result, Why, by_urgency, checked, needed_by
from emergency.domain.ladder import Deadline
from emergency.domain.level import Level
from emergency.domain.orders import Order
from tests.builders import NOW, a_recipient, an_id, drawn_up

ORDER = drawn_up().order


def a_call(**how: object) -> Call:
    """A call that reached somebody."""
    fields: dict[str, object] = {
        "order_id": ORDER.id, "revision": 1, "spoke_to": "厂长", "phone": "00050000001", "result": Result.TOLD,
        "received": False, "remark": "", "by": "lj-duty", "called_at": NOW, "noted_at": NOW, **how,
    }  # fmt: skip
    return Call(**fields)  # type: ignore[arg-type]  # told by the test


def a_line(name: str, *, starts: datetime = NOW, level: Level = Level.YELLOW, calls: tuple[Call, ...] = ()) -> Line:
    """A line of the list whose first duty starts then."""
    duties = tuple(replace(one, starts_at=starts) for one in ORDER.duties)
    order: Order = replace(ORDER, id=an_id(name), number=name, level=level, duties=duties)
    return Line(order, a_recipient(name), Why.SILENT, Deadline.ACKNOWLEDGE, NOW, calls)


def test_who_must_act_soonest_is_called_first_and_who_was_told_last() -> None:
    soon, late = NOW + timedelta(hours=1), NOW + timedelta(hours=5)
    lines = [
        a_line("told", starts=NOW, calls=(a_call(),)),
        a_line("late", starts=late),
        a_line("soon yellow", starts=soon),
        a_line("soon red", starts=soon, level=Level.RED),
        a_line("nobody answered", starts=NOW, calls=(a_call(result=Result.NO_ANSWER),)),
    ]

    assert [one.order.number for one in by_urgency(lines)] == [
        "nobody answered", "soon red", "soon yellow", "late", "told",
    ]  # fmt: skip


def test_a_call_about_an_older_revision_does_not_count_for_what_is_asked_now() -> None:
    line = a_line("x", calls=(a_call(),))

    assert line.told
    assert not replace(line, order=replace(line.order, asks_from=2)).told


def test_an_order_without_a_mandatory_duty_is_needed_by_its_own_effect() -> None:
    order = replace(ORDER, duties=(), effective_at=NOW)

    assert needed_by(order) == NOW


@pytest.mark.parametrize(
    ("how", "refused"),
    [
        ({"spoke_to": ""}, NoName),
        ({"result": Result.NO_ANSWER, "received": True}, NotSaid),
        ({"called_at": NOW + timedelta(minutes=1)}, BadHour),
        ({"called_at": NOW - timedelta(minutes=1)}, BadHour),
    ],
)
def test_a_call_that_cannot_be_meant_is_refused(how: dict[str, object], refused: type[Exception]) -> None:
    with pytest.raises(refused):
        checked(a_call(**how), replace(ORDER, issued_at=NOW))


def test_a_call_in_the_minute_of_the_order_can_be_meant() -> None:
    order = replace(ORDER, issued_at=NOW.replace(second=40))

    assert checked(a_call(called_at=NOW.replace(second=0), noted_at=NOW + timedelta(minutes=1)), order)


def test_nobody_is_named_where_nobody_answered() -> None:
    assert checked(a_call(spoke_to="", result=Result.NO_ANSWER), ORDER)
