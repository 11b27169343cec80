"""While nobody decides: when those who can are told again, and who else hears of it once the plan's time is over."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from emergency.domain.deputising import begun
from emergency.domain.episode import Decision, Standing
from emergency.domain.people import Person, Role
from emergency.domain.plan import Undecided


def next_at(rule: Undecided | None, *, after: datetime, decide_by: datetime) -> datetime | None:
    """
    When people are told next: an interval later, or at the deadline where that comes first.

    Where the plan gives no interval they are told at the deadline and not again (None).
    """
    if rule is None:
        return decide_by if after < decide_by else None
    later = after + timedelta(minutes=rule.every_minutes)
    return decide_by if after < decide_by < later else later


def whom(
    decision: Decision, people: Iterable[Person], *, rule: Undecided | None, deputies: Collection[int], now: datetime
) -> tuple[Person, ...]:
    """
    Who of the desk's people is told at this step; ``deputies``: the ranks of the plan's deputies for this level.

    Before the deadline those who can take the next step: duty officers put forward, approvers of enough rank sign. From
    the deadline on a suggestion goes to those approvers too, and an interval later to the deputies where the plan says
    so; a proposal goes to the deputies whose turn has come.
    """
    waits = decision.standing is Standing.SUGGESTED
    late = now >= decision.decide_by
    further = late and rule is not None and rule.deputies
    if waits:
        long_late = rule is not None and now >= decision.decide_by + timedelta(minutes=rule.every_minutes)
        ranks = set(deputies) if further and long_late else set()
    else:
        ranks = {one.rank for one in begun(decision.deputies, now=now)} if further else set()
    return tuple(
        one
        for one in people
        if one.area == decision.area
        and one.active
        and one.id != decision.proposed_by
        and (
            (waits and one.role is Role.DUTY_OFFICER)
            or (
                one.role is Role.APPROVER
                and (one.rank in ranks or ((late or not waits) and one.rank >= decision.rank_needed))
            )
        )
    )
