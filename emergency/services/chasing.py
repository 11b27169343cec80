"""Who is told next when nobody answers: the ladder's steps as they fall due, and reminders by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import cached_property, partial
from uuid import UUID

from emergency.domain import ladder
from emergency.domain.episode import Fact
from emergency.domain.messages import Kind, lane_of
from emergency.domain.orders import Contact, NothingToDo, Order, Recipient, RecipientKind, Status
from emergency.domain.people import Act, Person, Role, ask
from emergency.services import wording
from emergency.services.dispatch import message_for
from emergency.services.rules import Rules
from emergency.store import Store, Tx

BATCH = 200
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

    def rungs(self, episode_id: UUID) -> tuple[ladder.Rung, ...]:
        """The ladder of the plan the episode runs under."""
        if episode_id not in self._plans:
            self._plans[episode_id] = self._tx.episode(episode_id).plan_id
        return self._rules.plan(self._plans[episode_id]).ladder

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

    def _first_of(self, wanted: Callable[[Recipient], bool]) -> list[Contact]:
        return [one for unit in self._units if wanted(unit) for one in unit.contacts[:1] if one.phone]


def _names(tracker: str) -> frozenset[str]:
    parts = tracker.replace("，", "、").replace(",", "、").split("、")
    return frozenset(part.strip() for part in parts if part.strip())


def chase(tx: Tx, rules: Rules, order_id: UUID, *, by: Person, now: datetime) -> int:
    """
    Remind a recipient by hand, now; how many messages went into the post.

    :raises NotAllowed: the person may not chase here
    :raises NothingToDo: it has answered
    """
    order = tx.order(order_id)
    ask(by, Act.CHASE, order.area)
    if order.status is not Status.ISSUED:
        raise NothingToDo(f"order {order.number} is {order.status.value}", zh="对方已答复，无需催办")
    recipient = tx.recipient(order.recipient_id)
    around = Around(tx, rules)
    contact = around.call(around.desk(order.area))
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
        for one in recipient.contacts
        if one.phone
    ]
    tx.outbox.put(put)
    tx.note(Fact("order.chased", str(order.id), by.login, now, order.episode_id, order.area, {"messages": len(put)}))
    return len(put)


def escalate_overdue(store: Store, rules: Rules, *, now: datetime, batch: int = BATCH) -> int:
    """Take every step of the ladder that is due; how many were taken. Each is taken once however often we sweep."""
    with store.reading() as tx:
        if not tx.orders_to_chase(now=now, limit=1):
            return 0
    taken = 0
    while True:
        done = store.run(partial(_escalate, rules=rules, now=now, limit=batch, before=taken))
        taken += done
        if done < batch:
            return taken


def _escalate(tx: Tx, rules: Rules, *, now: datetime, limit: int, before: int = 0) -> int:
    some = tx.orders_to_chase(now=now, limit=limit)
    around = Around(tx, rules)
    recipients = {one.id: one for one in tx.recipients_called({order.recipient_id for order in some})}
    for order in some:
        _climb(tx, rules, around, order, recipients[order.recipient_id], now=now, together=before + len(some))
    return len(some)


def _climb(
    tx: Tx, rules: Rules, around: Around, order: Order, recipient: Recipient, *, now: datetime, together: int = 1
) -> None:
    after, rung = ladder.climbed(order, around.rungs(order.episode_id), now=now)
    if rung is None:
        tx.save(ladder.stopped(order), fact="order.chase_ended", by="system", at=now)
        return
    desk = around.desk(order.area)
    told = around.whom(rung.notify, recipient)
    themselves = rung.notify in _THEMSELVES
    text = wording.of_rung(rules, rung.notify, order, recipient, contact=around.call(desk), now=now)
    messages = [
        message_for(
            rules,
            order,
            Kind.REMINDER if themselves else Kind.ESCALATION,
            one,
            text,
            rung=rung.step,
            now=now,
            channel=channel,
            with_link=themselves,
        )
        for one in told
        for channel in rules.reachable(rung.by)
    ]
    due_at = order.next_rung_at or now
    if tx.keep_rung(order, rung.step, notify=rung.notify, told=len(told), due_at=due_at, now=now):
        tx.outbox.put(replace(one, lane=lane_of(one.kind, together=together)) for one in messages)
    if not told and not tx.exercise_of(order.episode_id):
        words = f"{recipient.name}: nobody can be reached as {rung.notify}"
        tx.raise_alarm(f"nobody:{rung.notify}:{order.area}", area=desk, now=now, detail=words)
    tx.save(
        after,
        fact="order.escalated",
        by="system",
        at=now,
        more={"step": rung.step, "notify": rung.notify, "told": len(told), "due_at": order.next_rung_at},
    )
