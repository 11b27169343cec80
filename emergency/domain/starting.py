"""When a measure begins to bind: the plan's time for its kind, else its own, else the plan's for any measure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from emergency.domain.orders import Measure


class Says(Protocol):
    """What the start of a measure needs of a plan."""

    @property
    def numbers(self) -> Mapping[str, int]: ...

    def kind_delay_min(self, kind: str) -> int | None: ...


def delay_min(measure: Measure, plan: Says) -> int:
    """
    Minutes from the level's effect to the start of this measure.

    The plan is the authority's word and goes before the playbook's; a line that gives no start of its own, as the lines
    of a reduction list, begins when the plan says of any measure, and at once where it says nothing.
    """
    kind = plan.kind_delay_min(measure.action)
    if kind is not None:
        return kind
    if measure.starts_after_minutes is not None:
        return measure.starts_after_minutes
    return plan.numbers.get("measure_effective_min", 0)


def timed(measures: Iterable[Measure], plan: Says) -> tuple[Measure, ...]:
    """The measures, each with the delay the plan comes to."""
    return tuple(replace(one, starts_after_minutes=delay_min(one, plan)) for one in measures)
