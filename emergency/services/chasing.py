"""Who is told next when nobody answers: the ladder's steps as they fall due, and reminders by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from uuid import UUID

from emergency.domain import ladder
from emergency.domain.calling import CALL_LIST
from emergency.domain.episode import Fact
from emergency.domain.messages import PORTAL, VOICE, Kind, portal_address
from emergency.domain.orders import Contact, NothingToDo, Order, Recipient, RecipientKind, live_at
from emergency.domain.people import Act, Person, Role, ask
from emergency.domain.plan import Plan
from emergency.domain.reaching import OF, WORDS, Lack, meant, passes_over
from emergency.errors import Refused
from emergency.services import speaking, wording
from emergency.services.bundling import NO_ROOM, Telling, with_room
from emergency.services.bundling import Step as _Step
from emergency.services.dispatch import message_for
from emergency.services.rules import Rules
from emergency.store import Store, Tx
from emergency.store import chasing as kept

BATCH = 200
NOBODY = "nobody"  # the kind of an alarm that somebody who must be told cannot be
LADDER_ROLES = frozenset({*OF, "district_duty", CALL_LIST})
_THEMSELVES = frozenset({"recipient", "second_contact"})


class Around:
    """Who is around the recipients of one sweep: desks, officers, trackers, towns; each read once, when asked for."""

    def __init__(self, tx: Tx, rules: Rules) -> None:
        self._tx, self._rules = tx, rules
        self._contacts: dict[str, str] = {}
        self._plans: dict[UUID, str] = {}

    @cached_property
    def _desks(self) -> frozenset[str]:
        return frozenset(one.id for one in self._tx.areas() if one.plan_id)

    @cached_property
    def _people(self) -> list[Person]:
        return self._tx.people()

    @cached_property
    def _units(self) -> list[Recipient]:
        return self._tx.recipients(kinds=[RecipientKind.UNIT, RecipientKind.TOWN])

    def desk(self, area: str) -> str:
        """The nearest area upward that has a plan of its own and so a duty desk."""
        return next((one for one in self._tx.above(area) if one in self._desks), area)

    def duty_officers(self, desk: str) -> list[Contact]:
        """The desk's duty officers as people to reach."""
        return [
            Contact(id=one.id, name=one.name, role=one.title or one.role.value, phone=one.phone)
            for one in self._people
            if one.area == desk and one.role is Role.DUTY_OFFICER and one.active and one.phone
        ]

    def call(self, desk: str) -> str:
        """Whom a reader calls at the desk."""
        if desk not in self._contacts:
            self._contacts[desk] = self._rules.desk_contact(self._tx, desk)
        return self._contacts[desk]

    def plan(self, episode_id: UUID) -> Plan:
        """The plan the episode runs under."""
        if episode_id not in self._plans:
            self._plans[episode_id] = self._tx.episode(episode_id).plan_id
        return self._rules.plan(self._plans[episode_id])

    def whom(self, role: str, recipient: Recipient) -> list[Contact]:
        """Who stands behind a ladder's word, for this recipient; empty when nobody can be reached."""
        reachable = sorted((one for one in recipient.contacts if one.phone), key=lambda one: one.order)
        match role:
            case "recipient":
                return reachable[:1]
            case "second_contact":
                return reachable[1:2]
            case "tracker":
                desk = self.desk(recipient.area)
                names = _names(recipient.tracker)
                return self._first_of(lambda unit: unit.name in names and self.desk(unit.area) == desk)
            case "town":
                town = RecipientKind.TOWN
                return self._first_of(
                    lambda unit: unit.kind is town and unit.area == recipient.area and unit.id != recipient.id
                )
            case _:
                return self.duty_officers(self.desk(recipient.area))

    def by_which(self, plan: Plan, rung: ladder.Rung, recipient: Recipient) -> list[tuple[Contact, str]]:
        """
        Whom the step tells by which channel: each person by every way of theirs that is set up, and the portal once for
        the recipient, if somebody of it signs in.
        """
        if passes_over(rung, plan.ladder, account=self.has_account(recipient)):
            return []
        ways = [one for one in self._rules.reachable(rung.by) if one != PORTAL or self.has_account(recipient)]
        ways = ways or [self._rules.first_channel]
        people = self.whom(rung.notify, recipient) if ways != [PORTAL] else []
        found = [(one, way) for one in people for way in ways if way != PORTAL]
        if PORTAL in ways:
            found.append((account_of(recipient), PORTAL))
        return found

    def reaches_nobody(self, plan: Plan, rung: ladder.Rung, recipient: Recipient) -> bool:
        """Whether the step should tell somebody about this recipient and would tell nobody."""
        return (
            meant(rung, recipient)
            and not passes_over(rung, plan.ladder, account=self.has_account(recipient))
            and not self.by_which(plan, rung, recipient)
        )

    def has_account(self, recipient: Recipient) -> bool:
        """Whether anybody signs in for this recipient."""
        return recipient.id in self._accounts

    @cached_property
    def _accounts(self) -> frozenset[UUID]:
        return frozenset(one.recipient_id for one in self._people if one.recipient_id and one.active)

    def _first_of(self, wanted: Callable[[Recipient], bool]) -> list[Contact]:
        return [one for unit in self._units if wanted(unit) for one in unit.contacts[:1] if one.phone]


def account_of(recipient: Recipient) -> Contact:
    """The recipient's own account as somebody to reach: whoever of it signs in."""
    return Contact(id=recipient.id, name=recipient.name, role="", phone=portal_address(recipient.id))


def _names(tracker: str) -> frozenset[str]:
    parts = tracker.replace("，", "、").replace(",", "、").split("、")
    return frozenset(part.strip() for part in parts if part.strip())


class HadEnough(Refused):
    """Nobody is reminded more often in an hour than the plan says, by hand neither."""

    words_zh = "该单位这一小时收到的催办已达预案上限，请改为电话联系"


def chase(tx: Tx, rules: Rules, order_id: UUID, *, by: Person, now: datetime) -> int:
    """
    Remind a recipient by hand, now; how many messages went into the post.

    :raises NotAllowed: the person may not chase here
    :raises NothingToDo: it has answered
    :raises HadEnough: everybody it could be told by has had the plan's number for this hour
    """
    order = tx.order(order_id)
    ask(by, Act.CHASE, order.area)
    if not (live_at(order, now) and ladder.still_owed(order, ladder.Deadline.ACKNOWLEDGE)):
        raise NothingToDo(f"order {order.number} is {order.status.value}", zh="对方已答复，无需催办")
    recipient = tx.recipient(order.recipient_id)
    around = Around(tx, rules)
    contact = around.call(around.desk(order.area))
    reachable = [one for one in recipient.contacts if one.phone]
    people = with_room(tx, around.plan(order.episode_id), reachable, now=now)
    if reachable and not people:
        raise HadEnough(f"everybody of order {order.number} was reminded often enough this hour")
    put = [
        message_for(
            rules,
            order,
            Kind.REMINDER,
            one,
            wording.of_reminder(rules, order, recipient, contact=contact, now=now),
            rung=f"hand-{now:%Y%m%d%H%M}",
            now=now,
        )
        for one in people
    ]
    tx.outbox.put(put)
    tx.note(Fact("order.chased", str(order.id), by.login, now, order.episode_id, order.area, {"messages": len(put)}))
    return len(put)


def escalate_overdue(store: Store, rules: Rules, *, now: datetime, batch: int = BATCH) -> int:
    """Take every step of the ladder that is due; how many were taken. Each is taken once however often we sweep."""
    with store.reading() as tx:
        if not tx.orders_to_chase(now=now, limit=1):
            return 0
    taken, told = 0, Telling(rules)
    while True:
        done = store.run(partial(_escalate, rules=rules, now=now, limit=batch, before=taken, told=told))
        taken += done
        if done < batch:
            return taken


def _escalate(tx: Tx, rules: Rules, *, now: datetime, limit: int, told: Telling, before: int = 0) -> int:
    some = tx.orders_to_chase(now=now, limit=limit)
    around = Around(tx, rules)
    recipients = {one.id: one for one in tx.recipients_called({order.recipient_id for order in some})}
    notices, taken = kept.notices(tx, some), kept.taken(tx, some)
    steps: list[_Step] = []
    later: dict[UUID, ladder.Turn] = {}
    for order in some:
        notice, had = notices.get(order.id, ladder.Notice()), taken.get(order.id, [])
        turn = ladder.due(order, around.plan(order.episode_id), notice=notice, taken=had, now=now)
        later[order.id] = turn
        for rung, due_at in turn.steps:
            steps.append(_step(rules, around, order, recipients[order.recipient_id], rung, due_at, now=now))
    room = told.room(tx, around, steps, now=now)
    postponed: set[UUID] = set()
    for step in steps:
        order = step.order
        # everybody it would tell has had enough for this hour: it is taken later; the call list waits for nobody
        if step.rung.notify != CALL_LIST and not room.takes(step):
            postponed.add(order.id)
            continue
        if not tx.keep_rung(
            order, step.rung.step, notify=step.rung.notify, told=len(step.told), due_at=step.due_at, now=now
        ):
            continue
        room.tell(step)
        if not step.told and not tx.exercise_of(order.episode_id):
            recipient = recipients[order.recipient_id]
            if around.reaches_nobody(around.plan(order.episode_id), step.rung, recipient):
                _tell_of_nobody(tx, around, step, recipient, now=now)
        more = {"step": step.rung.step, "notify": step.rung.notify, "told": len(step.told), "due_at": step.due_at}
        if order.id not in later:  # a second deadline of the same order
            tx.note(Fact("order.escalated", str(order.id), "system", now, order.episode_id, order.area, more))
            continue
        turn = later.pop(order.id)
        if not step.told and notices.get(order.id, ladder.Notice()).returned:  # the one after it is due as well
            turn = replace(turn, next_rung=turn.next_rung or 0, next_at=now)
        escalated = order.escalated + sum(1 for one in steps if one.order is order)
        after = replace(order, escalated=escalated, next_rung=turn.next_rung, next_rung_at=turn.next_at)
        tx.save(after, fact="order.escalated", by="system", at=now, more=more)
    room.close(together=before + len(some))
    for one in postponed & later.keys():
        at = min(now + NO_ROOM, later[one].next_at or now + NO_ROOM)
        later[one] = replace(later[one], next_rung=later[one].next_rung or 0, next_at=at)
    kept.look_again(tx, later)
    return len(some)


def _step(
    rules: Rules,
    around: Around,
    order: Order,
    recipient: Recipient,
    rung: ladder.Rung,
    due_at: datetime,
    *,
    now: datetime,
) -> _Step:
    told = around.by_which(around.plan(order.episode_id), rung, recipient)
    themselves = rung.notify in _THEMSELVES
    contact = around.call(around.desk(order.area))
    since = due_at - timedelta(minutes=rung.after_minutes)
    text = wording.of_rung(rules, rung, order, recipient, contact=contact, owed_by=since, now=now)
    aloud = speaking.of_rung(rules, rung, order, recipient, contact=contact) if VOICE in rung.by else text
    messages = tuple(
        message_for(
            rules,
            order,
            Kind.REMINDER if themselves else Kind.ESCALATION,
            one,
            aloud if channel == VOICE else text,
            rung=rung.step,
            since=since,
            now=now,
            channel=channel,
            with_link=themselves and channel not in (VOICE, PORTAL),
        )
        for one, channel in told
    )
    people = tuple(dict.fromkeys(one for one, _channel in told))
    return _Step(order, recipient.name, contact, rung, due_at, people, messages)


def _tell_of_nobody(tx: Tx, around: Around, step: _Step, recipient: Recipient, *, now: datetime) -> None:
    """
    The plan's owner is told that a step reaches nobody; where it is the owner's own desk, every desk is. The alarm ends
    when somebody can be told or need not be any more (:func:`emergency.services.reaching.end_resolved`).
    """
    order, role = step.order, step.rung.notify
    words = f"{recipient.name}：{WORDS[OF.get(role, Lack.DUTY)]}"
    area = "" if role == "district_duty" else around.desk(order.area)
    tx.raise_alarm(f"{NOBODY}:{role}:{order.area}", area=area, now=now, detail=words)
