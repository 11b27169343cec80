"""What waits for a person: it is told to those who can take the next step, nagged about when late, and let go of."""

from __future__ import annotations

from datetime import datetime

from emergency.domain import episode as episodes
from emergency.domain.episode import Decision, Fact, Standing
from emergency.domain.people import Role
from emergency.services import advising, deputies, telling, wording
from emergency.services.rules import Rules
from emergency.store import Store, Tx


def lapse_overdue(store: Store, rules: Rules, *, now: datetime) -> int:
    """
    Nag about suggestions and proposals nobody decided in time, let go of those that can no longer take effect, and tell
    deputies whose turn has come; how many were met.

    A proposal is never dropped because somebody slept: it lapses only when its own end has passed.
    """
    ended = advising.end_overdue(store, now=now) + deputies.tell_due(store, rules, now=now)
    with store.reading() as tx:
        if not tx.overdue_decisions(now=now):
            return ended
    met = store.run(lambda tx: sum(_nag_or_lapse(tx, rules, one, now=now) for one in tx.overdue_decisions(now=now)))
    return ended + met


def _nag_or_lapse(tx: Tx, rules: Rules, decision: Decision, *, now: datetime) -> int:
    if decision.notice.expected_end_at is not None and decision.notice.expected_end_at <= now:
        tx.save(episodes.lapse(decision, now=now), fact="decision.lapsed", by="system", at=now)
        tx.clear_alarm(f"undecided:{decision.id}", now=now)
        return 1
    if tx.exercise_of(decision.episode_id):
        return 0  # the exercise's own page shows what waits; a real desk has no alarm from it
    name = f"undecided:{decision.id}"
    words = f"{decision.move.value} {decision.level.word}: due {decision.decide_by.isoformat()}"
    if tx.raise_alarm(name, area=decision.area, detail=words, now=now):
        tx.note(Fact("decision.overdue", str(decision.id), "system", now, decision.episode_id, decision.area))
        role = Role.APPROVER if decision.standing is Standing.PROPOSED else Role.DUTY_OFFICER
        tell(tx, rules, decision, role, rung="overdue", now=now, any_rank=True)
        return 1
    return 0


def tell(
    tx: Tx, rules: Rules, decision: Decision, role: Role, *, rung: str, now: datetime, any_rank: bool = False
) -> None:
    """Tell those at the desk who can take the next step."""
    people = [
        one
        for one in tx.people()
        if one.area == decision.area
        and one.role is role
        and one.active
        and one.phone
        and (role is not Role.APPROVER or any_rank or one.rank >= decision.rank_needed)
        and one.id != decision.proposed_by
    ]
    if not people and not tx.exercise_of(decision.episode_id):
        tx.raise_alarm(
            f"nobody:{role.value}:{decision.area}",
            area=decision.area,
            now=now,
            detail=f"nobody can be reached as {role.value} for {decision.move.value} {decision.level.word}",
        )
    proposer = tx.person(decision.proposed_by) if decision.proposed_by else None
    text = wording.of_waiting(rules, decision, proposer=proposer)
    telling.put(tx, rules, telling.of_decision(decision, rung=rung), people, text, now=now)
