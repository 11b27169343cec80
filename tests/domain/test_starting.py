"""A measure begins when the plan says of its kind, else when its own line says, else when the plan says of any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from emergency.domain import ladder
from emergency.domain.drawing import measures_for
from emergency.domain.level import Level
from emergency.domain.orders import Measure
from emergency.domain.plan import Rung
from emergency.domain.starting import delay_min, timed
from tests.builders import A_MEASURE, NOW, a_recipient, drawn_up

EFFECT = NOW + timedelta(hours=7)  # of what the builders draw up


@dataclass(frozen=True)
class Says:
    """A plan as the start of a measure and the ladder read it."""

    kinds: Mapping[str, int] = field(default_factory=lambda: {"transport_limit": 720})
    numbers: Mapping[str, int] = field(
        default_factory=lambda: {"measure_effective_min": 90, "start_deadline_min": 60, "in_place_deadline_min": 300}
    )
    ladder: tuple[Rung, ...] = (
        Rung("not_started", 1, "recipient", ("sms",), "start"),
        Rung("not_in_place", 1, "recipient", ("sms",), "in_place"),
    )

    def kind_delay_min(self, kind: str) -> int | None:
        """The delay of a kind the plan names."""
        return self.kinds.get(kind)


@pytest.mark.parametrize(
    ("action", "own", "minutes"),
    [
        ("transport_limit", 120, 720),  # the plan's word on the kind goes before the line's own
        ("transport_limit", None, 720),
        ("limit", 240, 240),
        ("limit", 0, 0),  # at once is a start of its own
        ("limit", None, 90),
    ],
)
def test_the_plan_on_the_kind_goes_before_the_line_and_the_line_before_the_plan_on_any(
    action: str, own: int | None, minutes: int
) -> None:
    measure = replace(A_MEASURE, action=action, starts_after_minutes=own)

    assert delay_min(measure, Says()) == minutes
    assert [one.starts_after_minutes for one in timed([measure], Says())] == [minutes]


def test_under_a_plan_that_says_nothing_a_line_without_a_start_begins_with_the_level() -> None:
    assert delay_min(replace(A_MEASURE, starts_after_minutes=None), Says(numbers={})) == 0


def test_a_line_of_the_reduction_list_gives_no_start_and_is_of_no_kind() -> None:
    own = a_recipient(measures={"yellow": ("1号窑停火",)})
    (line,) = measures_for(own, Level.YELLOW, {})

    assert delay_min(line, Says(kinds={"limit": 1, "stop": 2})) == 90


def test_the_deadlines_of_an_order_count_from_the_starts_its_measures_come_to() -> None:
    some = [
        Measure(key="gate", level=Level.YELLOW, text="国3及以下货车不得进场", action="transport_limit"),
        Measure(key="cover", level=Level.YELLOW, text="料堆覆盖", action="dust_control", starts_after_minutes=0),
    ]
    order = ladder.timed(drawn_up(measures=timed(some, Says())), Says())

    assert {duty.key: duty.starts_at for duty in order.duties} == {
        "gate": EFFECT + timedelta(hours=12),
        "cover": EFFECT,
    }
    assert order.start_by == EFFECT + timedelta(minutes=60)
    assert order.in_place_by == EFFECT + timedelta(hours=12, minutes=300)
