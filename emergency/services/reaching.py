"""Before a ladder is needed: which of its steps would reach nobody, by desk and by recipient, and the alarms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from emergency.domain.ladder import Deadline, Rung, still_owed
from emergency.domain.messages import PORTAL
from emergency.domain.orders import Category, Order, Recipient, RecipientKind
from emergency.domain.plan import Plan
from emergency.domain.reaching import OF, WORDS, Lack, Shortfall, meant, takes_texts
from emergency.services import nagging
from emergency.services.chasing import LADDER_ROLES, NOBODY, Around
from emergency.services.dispatch import recipients_of
from emergency.services.rules import Rules
from emergency.store import Store, Tx
from emergency.store import chasing as kept
from emergency.store.desk import waiting_decisions

HOURLY: Final = timedelta(hours=1)
WHILE_IT_STANDS: Final = timedelta(minutes=10)
ALARM: Final = "unreached"
_BEAT: Final = "unreached"
_THEIRS: Final = frozenset({"recipient", "second_contact"})


def shortfalls(tx: Tx, rules: Rules, plan: Plan, area: str, *, wall: datetime) -> list[Shortfall]:
    """
    What is missing for the steps of this plan's ladder among those the area's desk gives orders to, the widest first:
    channels and desks, then what concerns most recipients.
    """
    around = Around(tx, rules)
    some = [one for one in recipients_of(tx, area) if one.category is not Category.LONG_STOPPED]
    broken = tx.outbox.broken(now=wall)
    found = [*_channels(rules, plan, broken), *_desk(around, plan, area)]
    by_lack: dict[Lack, tuple[dict[str, None], dict[str, Recipient]]] = {}
    lacking = _Lacking(rules, around, plan)
    for rung in plan.ladder:
        for recipient in some:
            if lack := lacking.of(rung, recipient):
                steps, missing = by_lack.setdefault(lack, ({}, {}))
                steps[rung.step] = None
                missing[str(recipient.id)] = recipient
    some_lack = [Shortfall(lack, tuple(steps), tuple(missing.values())) for lack, (steps, missing) in by_lack.items()]
    return [*found, *sorted(some_lack, key=lambda one: (-one.count, one.lack))]


def _channels(rules: Rules, plan: Plan, broken: dict[str, str]) -> list[Shortfall]:
    """The channels the ladder names and that are not set up, or whose breaker is open."""
    named = dict.fromkeys(way for rung in plan.ladder for way in rung.by)
    found = []
    for way in named:
        steps = tuple(rung.step for rung in plan.ladder if way in rung.by)
        if way not in rules.channels and way != PORTAL:
            found.append(Shortfall(Lack.CHANNEL, steps, channel=way))
        elif way in broken:
            found.append(Shortfall(Lack.BROKEN, steps, channel=way))
    return found


def _desk(around: Around, plan: Plan, area: str) -> list[Shortfall]:
    """The steps that tell the desk, where it has nobody to tell."""
    steps = tuple(rung.step for rung in plan.ladder if rung.notify not in OF)
    return [] if not steps or around.duty_officers(around.desk(area)) else [Shortfall(Lack.DUTY, steps)]


class _Lacking:
    """What one step lacks for one recipient; who stands behind a word is asked once for all who share it."""

    def __init__(self, rules: Rules, around: Around, plan: Plan) -> None:
        self._rules, self._around, self._plan = rules, around, plan
        self._beside: dict[tuple[str, ...], bool] = {}

    def of(self, rung: Rung, recipient: Recipient) -> Lack | None:
        """The lack of this step for this recipient; None when somebody would be told, or when nobody need be."""
        if rung.notify in _THEIRS:
            return self._of_the_recipient(rung, recipient)
        if rung.notify in OF and meant(rung, recipient):
            return OF[rung.notify] if self._nobody_beside(rung, recipient) else None
        return None

    def _of_the_recipient(self, rung: Rung, recipient: Recipient) -> Lack | None:
        if self._around.reaches_nobody(self._plan, rung, recipient):
            return OF[rung.notify] if any(one.phone for one in recipient.contacts) else Lack.PHONE
        told = self._around.by_which(self._plan, rung, recipient)
        texted_only = bool(told) and not any(way != "sms" or takes_texts(one.phone) for one, way in told)
        return Lack.MOBILE if texted_only else None

    def _nobody_beside(self, rung: Rung, recipient: Recipient) -> bool:
        itself = str(recipient.id) if recipient.kind is RecipientKind.TOWN else ""
        key = (rung.step, recipient.tracker if rung.notify == "tracker" else recipient.area, itself)
        if key not in self._beside:
            self._beside[key] = self._around.reaches_nobody(self._plan, rung, recipient)
        return self._beside[key]


def end_resolved(tx: Tx, rules: Rules, *, now: datetime) -> None:
    """
    End the alarms of nobody to be reached whose cause is gone: the list or the people have been completed, or whoever
    was missing need not be told any more.
    """
    around = Around(tx, rules)
    for alarm in tx.standing_alarms():
        kind, _, rest = alarm.name.partition(":")
        if kind != NOBODY:
            continue
        whom, _, area = rest.partition(":")
        if whom in LADDER_ROLES:
            stands = any(_still_nobody(tx, around, order, step) for order, step in kept.told_nobody(tx, area, whom))
        else:
            waiting = [one for one in waiting_decisions(tx, area) if one.area == area]
            stands = any(nagging.whose_turn(one).value == whom and not nagging.reachable(tx, one) for one in waiting)
        if not stands:
            tx.clear_alarm(alarm.name, now=now)


def _still_nobody(tx: Tx, around: Around, order: Order, step: str) -> bool:
    """Whether the order still owes what the step asked for, and it would still tell nobody."""
    if tx.exercise_of(order.episode_id):
        return False
    plan = around.plan(order.episode_id)
    rung = next((one for one in plan.ladder if one.step == step), None)
    return (
        rung is not None
        and still_owed(order, Deadline(rung.deadline))
        and around.reaches_nobody(plan, rung, tx.recipient(order.recipient_id))
    )


def look(store: Store, rules: Rules, *, now: datetime, wall: datetime) -> list[str]:
    """
    Ask of every desk whom its ladder would not reach, each hour and sooner while it lacks something, so that what was
    completed ends its alarm; the alarms that are new. One that stands is told once and not again each hour.
    """
    with store.reading() as tx:
        last = tx.heartbeats().get(_BEAT)
        standing = any(one.name.startswith(f"{ALARM}:") for one in tx.standing_alarms())
    if last is not None and wall - last[0] < (WHILE_IT_STANDS if standing else HOURLY):
        return []
    with store.reading() as tx:
        desks = [one.id for one in tx.areas() if one.plan_id]
        found = {area: shortfalls(tx, rules, rules.plan_of(tx, area), area, wall=wall) for area in desks}
    return store.run(lambda tx: _say(tx, found, now=now, wall=wall))


def _say(tx: Tx, found: dict[str, list[Shortfall]], *, now: datetime, wall: datetime) -> list[str]:
    tx.beat(_BEAT, at=wall)
    new = []
    for area, some in found.items():
        name = f"{ALARM}:{area}"
        if not some:
            tx.clear_alarm(name, now=now)
        elif tx.raise_alarm(name, area=area, detail=in_words(some)[:300], now=now):
            new.append(name)
    return new


def in_words(some: Sequence[Shortfall]) -> str:
    """What is missing as one sentence for a text message."""
    return "催办有够不到的步骤：" + "；".join(
        f"{one.count} 家{WORDS[one.lack]}" if one.count else f"{one.channel}{WORDS[one.lack]}" for one in some
    )
