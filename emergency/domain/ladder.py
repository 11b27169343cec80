"""Who is told next when nobody answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from emergency.domain.orders import Order, Status


class Rung(Protocol):
    """One step of a plan's ladder: how long after issue, whom to tell, by which channels."""

    @property
    def step(self) -> str: ...

    @property
    def after_minutes(self) -> int: ...

    @property
    def notify(self) -> str: ...

    @property
    def by(self) -> tuple[str, ...]: ...


def set_up(order: Order, rungs: Sequence[Rung], *, since: datetime) -> Order:
    """The order with its first step due, counted from ``since``."""
    if not rungs or order.status is not Status.ISSUED:
        return stopped(order)
    return replace(order, next_rung=0, next_rung_at=since + timedelta(minutes=rungs[0].after_minutes), escalated=0)


def climbed(order: Order, rungs: Sequence[Rung], *, now: datetime) -> tuple[Order, Rung | None]:
    """
    The order after its due step, and that step; None when the step is not due or nobody is waiting any more.

    Steps missed while everything was down are not told one after another: only the furthest one due is taken.
    """
    if (
        order.next_rung is None
        or order.next_rung_at is None
        or order.next_rung_at > now
        or order.status is not Status.ISSUED
    ):
        return order, None
    base = order.next_rung_at - timedelta(minutes=rungs[order.next_rung].after_minutes)
    step = order.next_rung
    while step + 1 < len(rungs) and base + timedelta(minutes=rungs[step + 1].after_minutes) <= now:
        step += 1
    following = step + 1
    after = replace(
        order,
        escalated=order.escalated + 1,
        next_rung=following if following < len(rungs) else None,
        next_rung_at=base + timedelta(minutes=rungs[following].after_minutes) if following < len(rungs) else None,
    )
    return after, rungs[step]


def stopped(order: Order) -> Order:
    """The order with nothing left to chase."""
    return replace(order, next_rung=None, next_rung_at=None)
