"""The call list: whom no message reached or who said nothing, in the order in which somebody should pick up a phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from emergency.domain.ladder import Deadline, still_owed
from emergency.domain.orders import Order, Recipient, obliges
from emergency.errors import Refused

CALL_LIST = "call_list"  # whom a step of the ladder tells when no message helps any more: the desk, to pick up a phone


class Result(StrEnum):
    """What came of one call."""

    TOLD = "told"  # 已通知
    NO_ANSWER = "no_answer"  # 无人接听
    WRONG_NUMBER = "wrong_number"  # 号码错误


class Why(StrEnum):
    """Why somebody must be called: what the post or the ladder came to."""

    NOBODY = "nobody"  # there is no number a message could go to
    FAILED = "failed"  # every notice gave up
    SILENT = "silent"  # the ladder came to its last step


class NoName(Refused):
    """A call that reached somebody says whom."""

    words_zh = "请写明接听人姓名"


class NotSaid(Refused):
    """Nobody was reached, so nobody can have said 收到."""

    words_zh = "没有接通，不能登记“收到”"


class BadHour(Refused):
    """The call lies in the future, or before there was anything to tell."""

    words_zh = "通话时间应在指令下达之后、现在之前"


@dataclass(frozen=True)
class Call:
    """One call: to whom, when, by whom, and what came of it; ``received`` when they said 收到 in so many words."""

    order_id: UUID
    revision: int
    spoke_to: str
    phone: str
    result: Result
    received: bool
    remark: str
    by: str
    called_at: datetime
    noted_at: datetime


@dataclass(frozen=True)
class Line:
    """One order whose recipient must be called: why, since when, what is owed, and the calls so far, newest first."""

    order: Order
    recipient: Recipient
    why: Why
    owes: Deadline
    since: datetime
    calls: tuple[Call, ...] = ()

    @property
    def told(self) -> bool:
        """Whether somebody there was told of the revision that asks."""
        return any(one.result is Result.TOLD and one.revision >= self.order.asks_from for one in self.calls)


def owes(order: Order, *, begun_by: datetime | None = None) -> Deadline | None:
    """What the recipient owes next, of what had begun by then where that is given; None when it owes nothing."""
    return next((one for one in Deadline if still_owed(order, one, begun_by=begun_by)), None)


def needed_by(order: Order) -> datetime | None:
    """By which hour something must stand: the first duty's start, as the order's deadlines have it."""
    starts = [one.starts_at for one in obliges(order)]
    return min(starts, default=order.effective_at)


def by_urgency(lines: Sequence[Line]) -> list[Line]:
    """
    Whom to call first: those nobody has told yet, and of them who must act soonest, then the higher level, then who has
    waited longest.
    """
    return sorted(
        lines,
        key=lambda one: (
            one.told,
            needed_by(one.order) or one.since,
            -one.order.level.value,
            one.since,
            one.order.number,
        ),
    )


def checked(call: Call, order: Order) -> Call:
    """
    The call, if it can be meant.

    :raises NoName: somebody was told and nobody is named
    :raises NotSaid: 收到 without having reached anybody
    :raises BadHour: it lies in the future, or before the order
    """
    if call.result is Result.TOLD and not call.spoke_to:
        raise NoName("a call that reached somebody says whom")
    if call.received and call.result is not Result.TOLD:
        raise NotSaid("nobody was reached, so nobody said they have it")
    begun = order.issued_at and order.issued_at.replace(second=0, microsecond=0)  # a form says the minute
    if call.called_at > call.noted_at or (begun is not None and call.called_at < begun):
        raise BadHour("a call is made after the order and not in the future")
    return call
