"""Passing on the notice of the level above (转发): due from its arrival, told to the desk, then to the desk above."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from emergency.domain import moving
from emergency.domain.consultation import Course
from emergency.domain.episode import Decision, Episode, Fact, Move, Phase, Standing, Task, due
from emergency.domain.forecast import Bulletin
from emergency.domain.level import Level
from emergency.domain.messages import Kind
from emergency.domain.orders import Recipient, RecipientKind
from emergency.domain.papers import Paper
from emergency.domain.people import Person, Role
from emergency.services import notices, replacing, telling
from emergency.services.rules import Rules
from emergency.services.telling import About
from emergency.store import Tx, consulting
from emergency.store.relaying import RELAY, over_by, owed

ABOVE: Final = "relay_below"  # the same seen from the desk above: that it is done there
_NAMESPACE: Final = UUID("a4b1f0ce-0f0a-4c4b-9a57-6a3d0c4be6a1")
_LETS_GO: Final = frozenset({Move.RELEASE, Move.WITHDRAW})
_PASSED_ON: Final = _LETS_GO | {Move.ACTIVATE, Move.UPGRADE, Move.DOWNGRADE, Move.EXTEND, Move.REOPEN, Move.AMEND}


@dataclass(frozen=True)
class Signed:
    """What the level above signed, as a desk below is to pass it on; it arrives with the signature."""

    number: str
    action: str
    issuer: str
    level: Level
    issued_at: datetime
    received_at: datetime


def owe(
    tx: Tx, rules: Rules, area: str, paper: Paper, *, now: datetime, episode_id: UUID | None, decision_id: UUID
) -> Task | None:
    """
    Note by when the area's desk must have passed the notice on by its own signature, and by when the desk above is told
    that it has not; None where the plan sets no time, or the same notice is noted already.

    The first is the plan's relay deadline, the second its activation deadline, never before the first.
    """
    plan = rules.plan_of(tx, area)
    relay, response = (plan.numbers.get(name) for name in ("order_relay_deadline_min", "activation_deadline_min"))
    if relay is None:
        return None
    found = uuid5(_NAMESPACE, f"{area}:{paper.number}:{paper.action}:{rules.exercise}")
    if tx.has_task(found):
        return None
    words, place = f"{paper.number} {paper.issuer}", tx.area(area).name
    own = Task(found, episode_id, area, RELAY, due(paper.received_at, relay), words, decision_id)
    tx.save(own, fact="task.opened", by="system", at=now)
    above = next((one for one in tx.above(area)[1:] if tx.area(one).plan_id), None)
    if above is not None:
        by = due(paper.received_at, max(relay, response or relay))
        higher = Task(_above(found), episode_id, above, ABOVE, by, f"{place}：{words}", decision_id)
        tx.save(higher, fact="task.opened", by="system", at=now, more={"of": area})
    return own


def _above(relay: UUID) -> UUID:
    return uuid5(relay, "above")


def announced(
    tx: Tx, rules: Rules, decision: Decision, some: Iterable[Recipient], *, by: Person, now: datetime
) -> None:
    """
    A signed decision reached these recipients: each district with a desk of its own must pass it on.

    What ends the response ends what was still to be passed on before it, and asks nothing of a district in which
    nothing is in force. What a district proposed on a notice that this ends or replaces lapses.
    """
    if decision.move not in _PASSED_ON:
        return
    notice = decision.notice
    level = decision.level_before if decision.move in _LETS_GO else decision.level
    at = decision.decided_at or now
    paper = Signed(notice.number, decision.move.value, notice.issuer, level, at, at)
    for recipient in some:
        area = rules.answers_for.get(recipient.id)
        if recipient.kind is not RecipientKind.DISTRICT or area is None:
            continue
        replacing.let_go(tx, rules, area, paper, by=by, now=now)
        if decision.move in _LETS_GO:
            end_idle(tx, area, exercise=rules.exercise, now=now)
            _done(tx, owed(tx, area, exercise=rules.exercise), by, now)
            running = tx.running_episode(area, rules.exercise)
            if running is None or running.phase is not Phase.ACTIVE:
                continue
        task = owe(tx, rules, area, paper, now=now, episode_id=decision.episode_id, decision_id=decision.id)
        if task is not None:
            _tell(tx, rules, task, paper, now=now)


def _tell(tx: Tx, rules: Rules, task: Task, paper: Paper, *, now: datetime) -> None:
    people = [
        one for one in tx.people()
        if one.area == task.area and one.active and one.role in (Role.DUTY_OFFICER, Role.APPROVER)
    ]  # fmt: skip
    text = notices.relay_due(rules, task, paper, area=tx.area(task.area).name)
    about = About(Kind.TASK, task.id, task.area, "arrived", task.episode_id, task.decision_id)
    telling.put(tx, rules, about, people, text, now=now)


def held(tx: Tx, episode: Episode) -> Bulletin | None:
    """
    The notice of the level above that an opening episode holds and nobody has signed; None where there is none, or the
    level above has ended it since.
    """
    if episode.phase is not Phase.OPENING:
        return None
    resting = [one for one in tx.decisions(episode.id) if one.bulletin_id is not None]
    last = resting[-1].bulletin_id if resting and not resting[-1].notice_replaced else None
    bulletin = tx.bulletin(last) if last is not None else None
    over = bulletin is None or over_by(tx, bulletin, exercise=episode.exercise) is not None
    return None if over else bulletin


def end_idle(tx: Tx, area: str, *, exercise: str, now: datetime) -> bool:
    """
    End an opening that has come to nothing: nobody is asked anything, nothing of it was signed or is being talked over,
    and no notice of the level above is held in it. Left open it would take the next spell for its own, under the plan
    of its day, and keep a reduction list from entering force. Whether it was ended.
    """
    episode = tx.running_episode(area, exercise)
    if episode is None or episode.phase is not Phase.OPENING or tx.waiting_decision(episode.id) is not None:
        return False
    signed = any(one.standing is Standing.APPROVED for one in tx.decisions(episode.id))  # an appeal, an advisory
    talked_over = any(one.course is Course.ASKING for one in consulting.of_episode(tx, episode.id))
    if signed or talked_over or held(tx, episode) is not None:
        return False
    tx.save(moving.came_to_nothing(episode, now=now), fact="episode.came_to_nothing", by="system", at=now)
    return True


def not_followed(tx: Tx, rules: Rules, decision: Decision, bulletin: Bulletin, *, by: Person, now: datetime) -> None:
    """
    Two people signed that this area starts nothing on the notice: it stays to be passed on, and the desk above is told
    at once, with the reason.
    """
    because = decision.override_because
    more = {"number": bulletin.number, "because": because}
    tx.note(Fact("bulletin.not_followed", bulletin.id, by.login, now, decision.episode_id, decision.area, more=more))
    above = next((one for one in tx.above(decision.area)[1:] if tx.area(one).plan_id), None)
    if above is None:
        return
    people = [one for one in tx.people() if one.area == above and one.active and one.role is Role.DUTY_OFFICER]
    text = notices.not_followed(rules, bulletin, area=tx.area(decision.area).name, because=because)
    about = About(Kind.TASK, decision.id, above, "not_followed", decision.episode_id, decision.id)
    telling.put(tx, rules, about, people, text, now=now)


def passed_on(tx: Tx, rules: Rules, bulletin: Bulletin, *, by: Person, now: datetime) -> None:
    """
    The desk signed on this notice, or does already what it asks: whatever had arrived by then is passed on with it.

    A number typed otherwise than the level above wrote it makes no difference: what counts is when it arrived.
    """
    relay = rules.plan_of(tx, bulletin.area).numbers.get("order_relay_deadline_min")
    if relay is not None:
        until = due(bulletin.received_at, relay)
        _done(tx, owed(tx, bulletin.area, until=until, exercise=rules.exercise), by, now)


def _done(tx: Tx, some: Iterable[UUID], by: Person, now: datetime) -> None:
    for one in some:
        for task_id in (one, _above(one)):
            tx.finish_tasks(task_id, by=by, now=now)
