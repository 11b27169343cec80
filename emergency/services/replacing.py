"""A proposal lapses when the level above takes back, ends or replaces the notice it rests on before it was signed."""

from __future__ import annotations

from datetime import datetime

from emergency.domain import signing, undecided
from emergency.domain.deputising import begun
from emergency.domain.episode import Decision
from emergency.domain.messages import Kind, Lane
from emergency.domain.papers import Paper, replaced_by
from emergency.domain.people import Person, Role
from emergency.services import deputies, notices, telling
from emergency.services.rules import Rules
from emergency.services.telling import About
from emergency.store import Tx


def let_go(tx: Tx, rules: Rules, area: str, newer: Paper, *, by: Person, now: datetime) -> Decision | None:
    """
    Let lapse what waits in the area on an older notice than this, tell those it waited for, and end its alarm; None
    where nothing does. What is in force stays as it is.
    """
    episode = tx.running_episode(area, rules.exercise) or tx.latest_episode(area, rules.exercise)
    waiting = tx.waiting_decision(episode.id) if episode is not None else None
    if waiting is None or waiting.bulletin_id is None or not replaced_by(tx.bulletin(waiting.bulletin_id), newer):
        return None
    lapsed = signing.lapse(waiting, now=now, because=f"{newer.issuer}《{newer.number}》")
    more = {"number": newer.number, "issuer": newer.issuer, "action": newer.action, "level": newer.level}
    lapsed = tx.save(lapsed, fact="decision.notice_replaced", by=by.login, at=now, more=more)
    tx.outbox.cancel_for_decision(waiting.id)
    tx.clear_alarm(f"undecided:{waiting.id}", now=now)
    people = _waited_for(tx, rules, waiting, now=now)
    about = About(Kind.TASK, waiting.id, area, "replaced", waiting.episode_id, waiting.id, lane=Lane.URGENT)
    telling.put(tx, rules, about, people, notices.replaced(rules, waiting, newer), now=now)
    return lapsed


def _waited_for(tx: Tx, rules: Rules, waiting: Decision, *, now: datetime) -> list[Person]:
    """Its proposer, those who could take the next step, and the deputies whose turn had come."""
    plan, people = rules.plan_of(tx, waiting.area), tx.people()
    ranks = deputies.ranks(plan, waiting)
    asked = {one.id for one in undecided.whom(waiting, people, rule=plan.undecided, deputies=ranks, now=now)}
    turns = {one.rank for one in begun(waiting.deputies, now=now)}
    asked |= {one.id for one in people if one.area == waiting.area and one.role is Role.APPROVER and one.rank in turns}
    return [one for one in people if one.active and (one.id in asked or one.id == waiting.proposed_by)]
