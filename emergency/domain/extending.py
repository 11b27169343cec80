"""Moving an announced end on (延长): whether the plan lets it, how far at once, and who signs it."""

from __future__ import annotations

from datetime import datetime, timedelta

from emergency.domain.episode import Decision, Move
from emergency.domain.level import Level
from emergency.domain.plan import Plan
from emergency.errors import Refused


class NotExtendable(Refused):
    """The plan lets no end be moved on."""

    words_zh = "预案不允许延长，请解除后按新的研判重新启动"


class EndsTooSoon(Refused):
    """An extension that does not reach beyond the end it moves."""

    words_zh = "延长后的结束时间须晚于原定结束时间"


class EndsTooLate(Refused):
    """An extension longer than the plan allows at once."""

    words_zh = "延长的时间超过预案规定的最长时间"


class NoEnd(Refused):
    """An extension without an end, under a plan that knows no open one."""

    words_zh = "预案没有“另行通知”，延长须写明结束时间"


def allowed(plan: Plan) -> bool:
    """Whether the plan lets an end be moved on; one that does not say forbids nothing."""
    return plan.extension is None or plan.extension.allowed


def latest_end(plan: Plan, announced: datetime | None, *, now: datetime) -> datetime | None:
    """The latest end that one extension may announce, counted from the announced one; None where none is set."""
    if plan.extension is None or plan.extension.longest_hours is None:
        return None
    return max(announced or now, now) + timedelta(hours=plan.extension.longest_hours)


def capped(plan: Plan, end: datetime | None, announced: datetime | None, *, now: datetime) -> datetime | None:
    """The end an extension would announce by the air, no later than the plan allows at once."""
    latest = latest_end(plan, announced, now=now)
    return end if end is None or latest is None else min(end, latest)


def rank_needed(plan: Plan, move: Move, level: Level) -> int:
    """The rank that signs a move at this level; an extension's own where the plan names one."""
    if move is Move.EXTEND and plan.extension is not None and plan.extension.rank is not None:
        return plan.extension.rank
    return plan.approval(level).rank


def within_the_plan(plan: Plan, decision: Decision, announced: datetime | None, *, now: datetime) -> None:
    """
    What a person proposes as an extension. ``announced``: the end it would move.

    A bulletin's end is the level above's, whatever this area's plan says of its own.

    :raises NotExtendable, EndsTooSoon, EndsTooLate, NoEnd: as they say
    """
    if decision.move is not Move.EXTEND or decision.bulletin_id is not None:
        return
    if not allowed(plan):
        raise NotExtendable(f"{plan.id} lets no end be moved on")
    end = decision.notice.expected_end_at
    if end is None:
        if plan.extension is not None and not plan.open_ended:
            raise NoEnd(f"{plan.id} knows no open end, so an extension names one")
        return
    if announced is not None and end <= announced:
        raise EndsTooSoon(f"{end.isoformat()} is not after the announced {announced.isoformat()}")
    latest = latest_end(plan, announced, now=now)
    if latest is not None and end > latest:
        hours = (plan.extension and plan.extension.longest_hours) or 0
        raise EndsTooLate(
            f"one extension reaches {hours} h at most, until {latest.isoformat()}",
            zh=f"一次最多延长 {hours} 小时，请改为更早的结束时间；到期前可再次延长",
        )
