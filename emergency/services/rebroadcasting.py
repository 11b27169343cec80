"""A warning in force is broadcast again to units at its plan's interval (滚动播报), each step once, none after it."""

from __future__ import annotations

from datetime import datetime, timedelta

from emergency.domain.episode import Decision, Episode, Fact, Move, Phase, Standing
from emergency.domain.level import Level
from emergency.domain.messages import Kind
from emergency.domain.orders import LIVE
from emergency.domain.repeating import last_step
from emergency.services import notices
from emergency.services.dispatch import first_contact, message_for
from emergency.services.rules import Rules
from emergency.store import Tx
from emergency.store import reporting as kept

_TELLS_ALL = frozenset({Move.ACTIVATE, Move.UPGRADE, Move.DOWNGRADE, Move.EXTEND, Move.REOPEN})


def repeat_due(tx: Tx, rules: Rules, *, now: datetime) -> int:
    """Broadcast every running warning whose interval has passed again; how many messages. Missed steps are one."""
    running = [one for one in kept.episodes_in(tx, [Phase.ACTIVE]) if one.level is not Level.NONE]
    return sum(_repeat(tx, rules.in_exercise(one.exercise), one, now=now) for one in running)


def every(rules: Rules, episode: Episode) -> timedelta | None:
    """The interval of the level that holds, by the plan loaded under the episode's name; None where it names none."""
    plan = rules.plans.get(episode.plan_id)
    hours = plan.by_level.get("rebroadcast_hours", {}).get(episode.level) if plan else None
    return None if hours is None else timedelta(hours=hours)


def told_last(decisions: list[Decision]) -> Decision | None:
    """The last signed decision that told everybody of the level: the interval counts from its effect."""
    signed = [one for one in decisions if one.standing is Standing.APPROVED and one.move in _TELLS_ALL]
    return max(signed, key=lambda one: one.decided_at or one.proposed_at, default=None)


def _repeat(tx: Tx, rules: Rules, episode: Episode, *, now: datetime) -> int:
    interval, decision = every(rules, episode), told_last(tx.decisions(episode.id))
    if interval is None or decision is None:
        return 0
    since = max(one for one in (decision.decided_at, decision.notice.effective_at, decision.proposed_at) if one)
    due_at = last_step(since, interval, now=now)
    if due_at is None:
        return 0
    units = [(order, one) for order, one in kept.of_units(tx, episode.id) if order.status in LIVE]
    reached = [(order, contact) for order, one in units if (contact := first_contact(one)) is not None]
    if not kept.keep_broadcast(tx, episode, due_at, told=len(reached), now=now):
        return 0
    text = notices.rebroadcast(rules, episode, decision)
    rung = f"again-{due_at:%Y%m%d%H%M}"
    put = tx.outbox.put(
        message_for(rules, order, Kind.BROADCAST, contact, text, rung=rung, now=now, decision_id=decision.id)
        for order, contact in reached
    )
    more = {"due_at": due_at, "level": episode.level, "told": put}
    tx.note(Fact("episode.broadcast_again", str(episode.id), "system", now, episode.id, episode.area, more))
    return put
