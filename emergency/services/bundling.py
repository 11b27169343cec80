"""Nobody gets more reminders in an hour than the plan says: what exceeds is one text that counts the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from uuid import UUID, uuid5

from emergency.domain.calling import CALL_LIST
from emergency.domain.exercise import marked
from emergency.domain.ladder import Rung, still_owed
from emergency.domain.letters import still_needed
from emergency.domain.messages import LANES, VOICE, Kind, Message, State, lane_of
from emergency.domain.orders import Contact, Order
from emergency.domain.plan import Plan
from emergency.services import speaking, wording
from emergency.services.rules import Rules
from emergency.store import Tx
from emergency.store import chasing as kept

HOUR = timedelta(hours=1)
NO_ROOM = timedelta(minutes=10)  # then a step whose people had enough is looked at again
BUNDLE = "bundle"  # the rung of a text that stands for several
GATHERS = timedelta(seconds=30)  # a bundle lies so long before it leaves, so that one sweep's batches fill one

# episode, channel, number, and whether it tells of the call list: an exercise never shares a text with what is real
Address = tuple[UUID, str, str, bool]


@dataclass(frozen=True)
class Step:
    """A step of the ladder about to be taken for one order, whom it tells and with what."""

    order: Order
    recipient: str
    contact: str
    rung: Rung
    due_at: datetime
    told: tuple[Contact, ...]
    messages: tuple[Message, ...]


@dataclass
class _Bundle:
    """One text in the making for one address: the orders it stands for."""

    message: Message
    contact: str
    names: list[str]
    parts: set[tuple[UUID, str, int]] = field(default_factory=set)  # order, deadline, revision
    put: bool = False


class PlanOf(Protocol):
    """Who knows the plan of an episode."""

    def plan(self, episode_id: UUID) -> Plan:
        """The plan the episode runs under."""
        ...


class Telling:
    """What one sweep tells, over all its batches: each address's bundle is known to the next batch."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._bundles: dict[Address, _Bundle] = {}

    def room(self, tx: Tx, around: PlanOf, steps: Sequence[Step], *, now: datetime) -> Room:
        """What the people of these steps may still be told in this hour."""
        return Room(tx, self._rules, around, steps, self._bundles, now=now)


class Room:
    """One batch's messages: singly as long as an address has room for more than one, then bundled."""

    def __init__(
        self,
        tx: Tx,
        rules: Rules,
        around: PlanOf,
        steps: Sequence[Step],
        bundles: dict[Address, _Bundle],
        *,
        now: datetime,
    ) -> None:
        self._tx, self._rules, self._around, self._bundles, self._now = tx, rules, around, bundles, now
        every = [message for step in steps for message in step.messages]
        self._wanted: dict[str, int] = {}
        for one in every:
            self._wanted[one.to] = self._wanted.get(one.to, 0) + 1
        self._told = kept.told_since(tx, set(self._wanted), since=now - HOUR) if every else {}
        self._singly: list[Message] = []
        self._grown: dict[Address, _Bundle] = {}

    def _left(self, message: Message) -> int | None:
        """How many more texts the address may get; None where the plan sets no number."""
        most = self._around.plan(message.episode_id).numbers.get("reminders_per_hour") if message.episode_id else None
        return None if most is None else most - self._told.get(message.to, 0)

    def _has_room(self, message: Message, *, calls: bool) -> bool:
        left = self._left(message)
        return calls or left is None or left > 0 or _address(message, calls) in self._bundles

    def takes(self, step: Step) -> bool:
        """Whether the step can be taken now: it tells nobody at all, or at least one who has room."""
        return not step.messages or any(self._has_room(one, calls=_calls(step)) for one in step.messages)

    def tell(self, step: Step) -> None:
        """Tell those of the step who have room."""
        for message in step.messages:
            calls = _calls(step)  # one text for all a sweep puts on the list, whatever else was said in the hour
            if not self._has_room(message, calls=calls):
                continue
            left, at = self._left(message), _address(message, calls)
            if calls or at in self._bundles or (left is not None and left <= 1 < self._wanted[message.to]):
                self._bundle(at, message, step)
            else:
                self._singly.append(message)
                self._told[message.to] = self._told.get(message.to, 0) + 1
            self._wanted[message.to] -= 1

    def _bundle(self, at: Address, message: Message, step: Step) -> None:
        if at not in self._bundles:
            single = replace(
                message,
                id=uuid5(message.id, "bundle"),
                kind=Kind.ESCALATION,
                lane=LANES[Kind.ESCALATION],
                order_id=None,
                link_id=None,
                rung=CALL_LIST if _calls(step) else BUNDLE,
                due_at=message.due_at + GATHERS,
            )
            self._bundles[at] = _Bundle(single, step.contact, [])
            self._told[message.to] = self._told.get(message.to, 0) + 1
        found = self._bundles[at]
        if step.recipient not in found.names:
            found.names.append(step.recipient)
        found.parts.add((step.order.id, step.rung.deadline, step.order.revision))
        self._grown[at] = found

    def close(self, *, together: int) -> None:
        """Put what was told in the post, and give the bundles that grew their new text."""
        put = [replace(one, lane=lane_of(one.kind, together=together)) for one in self._singly]
        for at, one in self._grown.items():
            text = _text(self._rules, one.message, one.names, contact=one.contact)
            if one.put and kept.reword(self._tx, one.message.id, text):
                continue
            if one.put:  # it has left already: another follows it
                one = replace(one, message=replace(one.message, id=uuid5(one.message.id, "another")))
            put.append(replace(one.message, text=text))
            self._bundles[at] = replace(one, put=True)
        self._tx.outbox.put(put)
        for at in self._grown:
            kept.keep_bundled(self._tx, self._bundles[at].message.id, self._bundles[at].parts)


def as_they_stand(tx: Tx, rules: Rules, claimed: Sequence[Message]) -> list[Message]:
    """
    What was claimed and still holds: a bundle names those only who still owe what it was put for, and where nobody
    does, it is called off. Only a claim with a bundle in it asks anything.
    """
    found = kept.bundled(tx, ids) if (ids := {one.id for one in claimed if one.rung in (BUNDLE, CALL_LIST)}) else {}
    over: set[UUID] = set()
    anew: dict[UUID, Message] = {}
    for one in claimed:
        if (parts := found.get(one.id)) is None:
            continue
        owing = [part for part in parts if _owes(part, one)]
        if not owing:
            over.add(one.id)
        elif len(owing) < len(parts):
            contact = rules.desk_contact(tx, rules.desk_of(tx, owing[0].order.area))
            names = list(dict.fromkeys(part.recipient for part in owing))
            text = _text(rules, one, names, contact=contact)
            kept.reword(tx, one.id, text, state=State.SENDING)
            anew[one.id] = replace(one, text=marked(text) if one.exercise else text)
    if over:
        kept.call_off(tx, over)
    return [anew.get(one.id, one) for one in claimed if one.id not in over]


def _owes(part: kept.Part, bundle: Message) -> bool:
    put_for = replace(bundle, revision=part.revision)
    return still_owed(part.order, part.deadline) and still_needed(put_for, part.order)


def _text(rules: Rules, bundle: Message, names: Sequence[str], *, contact: str) -> str:
    if bundle.rung == CALL_LIST:
        return speaking.listed(rules, bundle.episode_id, names, contact=contact)
    if bundle.channel == VOICE:
        return speaking.bundled(rules, names, contact=contact)
    return wording.bundled(rules, names, contact=contact)


def _calls(step: Step) -> bool:
    return step.rung.notify == CALL_LIST


def _address(message: Message, calls: bool) -> Address:
    return (message.episode_id or message.id, message.channel, message.to, calls)


class Reached(Protocol):
    """Somebody with a telephone."""

    @property
    def phone(self) -> str:
        """Its number; empty where there is none."""
        ...


R = TypeVar("R", bound=Reached)


def with_room(tx: Tx, plan: Plan, people: Sequence[R], *, now: datetime) -> list[R]:
    """Those of these people who may be reminded once more in this hour; all where the plan sets no number."""
    most = plan.numbers.get("reminders_per_hour")
    told = kept.told_since(tx, {one.phone for one in people if one.phone}, since=now - HOUR)
    return [one for one in people if one.phone and (most is None or told.get(one.phone, 0) < most)]
