"""Who is told next when nobody answers: three deadlines of an order, each with its own steps of the plan's ladder."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from emergency.domain.orders import (
    Action,
    DrawnUp,
    Duty,
    Order,
    Status,
    binds,
    current,
    in_place,
    live_at,
    obliges,
    started,
    unsaid,
)


class Deadline(StrEnum):
    """What a recipient owes by some hour; a step of the ladder belongs to one of them."""

    ACKNOWLEDGE = "acknowledge"  # 收到
    START = "start"  # 已启动
    IN_PLACE = "in_place"  # 已落实


_UNDER_WAY = frozenset({Status.ISSUED, Status.ACKNOWLEDGED, Status.STARTED, Status.LIFTED})
_SAYS: Mapping[Deadline, Action] = {Deadline.START: Action.START, Deadline.IN_PLACE: Action.SETTLE}
_NUMBERS: Mapping[Deadline, str] = {
    Deadline.START: "start_deadline_min",
    Deadline.IN_PLACE: "in_place_deadline_min",
}


def still_owed(order: Order, deadline: Deadline, *, begun_by: datetime | None = None) -> bool:
    """
    Whether the recipient has not yet said what this deadline asks for; ``begun_by``: of what had begun by then.

    收到 is owed of each revision that asks, of one with an objection to an earlier one too; 已启动 and 已落实 of each
    duty, since it began; all of them until a release takes effect, for whoever asks keeps to :func:`live_at`.
    """
    if deadline is Deadline.ACKNOWLEDGE:
        unread = order.acknowledged_at is None and order.status in (Status.DECLINED, Status.LIFTED)
        return order.status is Status.ISSUED or unread
    begin = unsaid(order, _SAYS[deadline]) if order.status in _UNDER_WAY else []
    return any(begun_by is None or at <= begun_by for at in begin)


class Rung(Protocol):
    """One step of a plan's ladder: of which deadline, how long after it began to count, whom to tell, by which ways."""

    @property
    def step(self) -> str: ...

    @property
    def after_minutes(self) -> int: ...

    @property
    def notify(self) -> str: ...

    @property
    def by(self) -> tuple[str, ...]: ...

    @property
    def deadline(self) -> str: ...


class Says(Protocol):
    """What the ladder needs of a plan."""

    @property
    def ladder(self) -> Sequence[Rung]: ...

    @property
    def numbers(self) -> Mapping[str, int]: ...


@dataclass(frozen=True)
class Notice:
    """
    How far the notice of what is asked has come: when it was first sent, and whether one is still on its way.

    ``returned``: the steps whose messages their provider could not deliver, the notice itself among them as "".
    """

    sent_at: datetime | None = None
    on_its_way: bool = False
    returned: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Taken:
    """A step that was taken for an order, in which of its revisions, when it had been due, and how many it told."""

    step: str
    revision: int
    due_at: datetime
    told: int = 1


@dataclass(frozen=True)
class Turn:
    """What is due for one order now, and when to look again; None when nothing will fall due any more."""

    steps: tuple[tuple[Rung, datetime], ...]  # each with the moment it was due
    next_rung: int | None
    next_at: datetime | None


STALE = timedelta(days=1)  # a reminder of progress so late is for the inspection and the review, not for a phone
LOOK_AGAIN = timedelta(minutes=1)  # while a notice is on its way, nobody knows yet from when 收到 counts


def timed(one: DrawnUp, plan: Says) -> Order:
    """
    The order with the hours by which it is owed 已启动 and 已落实, counted from its mandatory duties' own starts.

    已启动 from the first that starts, 已落实 from the last, of those it was not said of; what stood before and was said
    to be started or in place stays so, in however many revisions. A plan that does not say, or whose ladder has no step
    for it, asks for neither.
    """
    asking = replace(one.order, start_by=None, in_place_by=None)
    return replace(
        asking,
        start_by=_counted(asking, plan, Deadline.START),
        in_place_by=_counted(asking, plan, Deadline.IN_PLACE),
    )


def owed(order: Order, plan: Says, notice: Notice) -> dict[Deadline, datetime]:
    """
    By which hours the recipient's words are still owed of the order as a whole; empty where none is.

    收到 by the plan's minutes after it was asked for, or after its notice was sent where that was later.
    """
    said = (Deadline.START, Deadline.IN_PLACE)
    found = {one: by for one in said if (by := owed_by(order, plan, one)) is not None}
    asked, minutes = order.asked_at or order.issued_at, plan.numbers.get("ack_deadline_min")
    if asked is None or minutes is None or not still_owed(order, Deadline.ACKNOWLEDGE):
        return found
    return {Deadline.ACKNOWLEDGE: max(asked, notice.sent_at or asked) + timedelta(minutes=minutes), **found}


def owed_of(order: Order, duty: Duty, plan: Says) -> dict[Deadline, datetime]:
    """By which hours 已启动 and 已落实 are still owed of one duty; empty where neither is asked for, or it is said."""
    owed = {}
    for deadline, said in ((Deadline.START, started), (Deadline.IN_PLACE, in_place)):
        after, whole = _after(plan, deadline), owed_by(order, plan, deadline)
        if whole is None or after is None or not binds(duty) or said(order, duty):
            continue
        given = whole > (_counted(order, plan, deadline) or whole)  # a ruling gave the order more time
        owed[deadline] = whole if given else duty.starts_at + after
    return owed


def owed_by(order: Order, plan: Says, deadline: Deadline) -> datetime | None:
    """By when the order owes this next; None where it is not asked for, or was said of every duty."""
    first = order.start_by if deadline is Deadline.START else order.in_place_by
    if first is None or not still_owed(order, deadline):
        return None
    return max(first, _counted(order, plan, deadline) or first)


def _counted(order: Order, plan: Says, deadline: Deadline) -> datetime | None:
    after, said = _after(plan, deadline), started if deadline is Deadline.START else in_place
    if after is None:
        return None
    owing = [one for one in obliges(order) if not said(order, one)]
    # what ends before its own hour has come is asked by none
    hours = [by for one in owing if (by := one.starts_at + after) and (one.ends_at is None or by < one.ends_at)]
    return (min if deadline is Deadline.START else max)(hours, default=None)


def _after(plan: Says, deadline: Deadline) -> timedelta | None:
    """How long after a duty's start the plan asks for it; None where no step of the ladder does."""
    minutes = plan.numbers.get(_NUMBERS[deadline])
    if minutes is None or not any(rung.deadline == deadline for rung in plan.ladder):
        return None
    return timedelta(minutes=minutes)


def set_up(order: Order, plan: Says, *, since: datetime) -> Order:
    """The order with its first step due; 收到 counts from ``since`` until the notice is known to have been sent."""
    order = replace(order, asked_at=since, escalated=0)
    if not still_owed(order, Deadline.ACKNOWLEDGE):
        return stopped(order)
    turn = due(order, plan, notice=Notice(), taken=(), now=None)
    return replace(order, next_rung=turn.next_rung, next_rung_at=turn.next_at)


def upheld(order: Order, plan: Says, *, now: datetime) -> Order:
    """The order after a ruling that upholds it: asked anew from now, and no hour is owed that passed meanwhile."""

    def later(by: datetime | None, number: str) -> datetime | None:
        return None if by is None else max(by, now + timedelta(minutes=plan.numbers.get(number, 0)))

    order = replace(
        order,
        start_by=later(order.start_by, "start_deadline_min"),
        in_place_by=later(order.in_place_by, "in_place_deadline_min"),
    )
    return set_up(order, plan, since=now)


def due(order: Order, plan: Says, *, notice: Notice, taken: Collection[Taken], now: datetime | None) -> Turn:
    """
    The steps that are due at ``now``, and when to look next; ``now`` None asks only for the first moment of all.

    A step that follows one whose message came back is due at once: nobody waits for the answer to what nobody got.
    Steps missed while everything was down are not told one after another: of each deadline only the furthest one due
    is taken. A step that was taken is not taken again, nor after a revision that kept the hour it hangs on; but of
    another hour it is another step: of a duty that begins later, or of what an officer asked anew. Each step comes with
    the moment the plan gives it, which is later than now where it is hurried.
    """
    rungs = list(plan.ladder)
    steps: list[tuple[Rung, datetime]] = []
    coming: list[tuple[datetime, int]] = []
    ends_at = order.lifted_at if order.status is Status.LIFTED else None
    order = order if now is None else current(order, now)
    if now is not None and ends_at is not None and not live_at(order, now):
        return Turn((), None, None)
    for deadline in Deadline:
        since = _since(order, plan, deadline, notice)
        if since is None:
            continue
        mine = [(since + timedelta(minutes=one.after_minutes), at) for at, one in enumerate(rungs)
                if one.deadline == deadline]  # fmt: skip
        given = {number: at for at, number in mine}
        if now is not None and notice.returned:
            opening = deadline is Deadline.ACKNOWLEDGE and "" in notice.returned
            told_nobody = {one.step for one in taken if not one.told and one.revision == order.revision}
            mine = _hurried(mine, rungs, notice.returned | told_nobody, now, back=opening)
        over = [one for one in mine if now is not None and one[0] <= now]
        coming += [one for one in mine if one not in over]
        if over:
            at, number = max(over)
            stale = deadline is not Deadline.ACKNOWLEDGE and now is not None and now - at > STALE
            counts_from = order.asked_at or since if deadline is Deadline.ACKNOWLEDGE else given[number]
            if not stale and not any(one.step == rungs[number].step and one.due_at >= counts_from for one in taken):
                steps.append((rungs[number], given[number]))
    if now is not None and notice.on_its_way and still_owed(order, Deadline.ACKNOWLEDGE):
        coming.append((now + LOOK_AGAIN, order.next_rung or 0))
    coming = [one for one in coming if ends_at is None or one[0] < ends_at]
    if not coming:
        return Turn(tuple(steps), None, None)
    first, next_rung = min(coming)
    return Turn(tuple(steps), next_rung, first)


def _hurried(
    mine: Sequence[tuple[datetime, int]],
    rungs: Sequence[Rung],
    returned: Collection[str],
    now: datetime,
    *,
    back: bool,
) -> list[tuple[datetime, int]]:
    """These steps, each with its moment; now for one that follows what came back (``back``: the notice itself)."""
    found = []
    for at, number in sorted(mine):
        found.append((min(at, now) if back else at, number))
        back = rungs[number].step in returned
    return found


def _since(order: Order, plan: Says, deadline: Deadline, notice: Notice) -> datetime | None:
    """From when the steps of this deadline count; None when it is not owed."""
    if deadline is not Deadline.ACKNOWLEDGE:
        return owed_by(order, plan, deadline)
    asked = order.asked_at or order.issued_at
    if asked is None or not still_owed(order, deadline):
        return None
    if notice.sent_at is not None:
        return max(asked, notice.sent_at)
    if notice.on_its_way:  # a post that stands still must not silence the ladder for ever
        return asked + timedelta(minutes=plan.numbers.get("ack_deadline_min", 0))
    return asked


def heard(before: Order, after: Order) -> Order:
    """
    The order after its recipient's word: what it was chased for ends, and what it still owes is looked at in its turn.

    A word that moves nothing leaves the chase as it is.
    """
    if after == before:
        return after
    asked = ((after.start_by, Action.START), (after.in_place_by, Action.SETTLE))
    looks = [
        max(by, min(begin))
        for by, word in asked
        if by is not None and after.status in _UNDER_WAY and (begin := unsaid(after, word))
    ]
    return replace(after, next_rung=0, next_rung_at=min(looks)) if looks else stopped(after)


def stopped(order: Order) -> Order:
    """The order with nothing left to chase."""
    return replace(order, next_rung=None, next_rung_at=None)
