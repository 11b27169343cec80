"""Before a ladder is needed: which of its steps would reach nobody, by desk and by recipient, and the daily alarm."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from emergency.domain.ladder import Rung
from emergency.domain.messages import PORTAL
from emergency.domain.orders import Category, Contact, Recipient, RecipientKind
from emergency.domain.plan import Plan
from emergency.domain.reaching import Lack, Shortfall, takes_texts
from emergency.services.chasing import Around
from emergency.services.dispatch import recipients_of
from emergency.services.rules import Rules
from emergency.store import Store, Tx

DAILY: Final = timedelta(days=1)
ALARM: Final = "unreached"
_BEAT: Final = "unreached"
_OF_THE_RECIPIENT: Final = {"recipient": Lack.PHONE, "second_contact": Lack.SECOND}
_BESIDE_IT: Final = {"tracker": Lack.TRACKER, "town": Lack.TOWN}
_WORDS: Final = {
    Lack.CHANNEL: "渠道未设置",
    Lack.BROKEN: "渠道已熔断",
    Lack.DUTY: "没有可联系的值班员",
    Lack.PHONE: "没有电话",
    Lack.MOBILE: "只有座机，收不到短信",
    Lack.ACCOUNT: "没有平台账号",
    Lack.SECOND: "没有第二联系人",
    Lack.TRACKER: "没有可联系的跟踪单位",
    Lack.TOWN: "所在镇没有可联系的网格员",
}


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
    lacking = _Lacking(rules, around, broken)
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
    others = {*_OF_THE_RECIPIENT, *_BESIDE_IT}
    steps = tuple(rung.step for rung in plan.ladder if rung.notify not in others)
    return [] if not steps or around.duty_officers(around.desk(area)) else [Shortfall(Lack.DUTY, steps)]


class _Lacking:
    """What one step lacks for one recipient; who stands behind a word is asked once for all who share it."""

    def __init__(self, rules: Rules, around: Around, broken: dict[str, str]) -> None:
        self._rules, self._around, self._broken = rules, around, broken
        self._beside: dict[tuple[str, str, str], list[Contact]] = {}

    def of(self, rung: Rung, recipient: Recipient) -> Lack | None:
        """The lack of this step for this recipient; None when somebody would be told, or when nobody need be."""
        if rung.notify in _OF_THE_RECIPIENT:
            return self._of_the_recipient(rung, recipient)
        if rung.notify in _BESIDE_IT and _is_followed(rung, recipient):
            people = self._beside_it(rung.notify, recipient)
            return None if people else _BESIDE_IT[rung.notify]
        return None

    def _of_the_recipient(self, rung: Rung, recipient: Recipient) -> Lack | None:
        ways = {way for way in rung.by if way in self._rules.channels or way == PORTAL}
        if PORTAL in ways and self._around.has_account(recipient):
            return None
        if ways == {PORTAL}:
            return Lack.ACCOUNT
        people = self._around.whom(rung.notify, recipient)
        if not people:
            return _OF_THE_RECIPIENT[rung.notify] if any(one.phone for one in recipient.contacts) else Lack.PHONE
        by_text_only = (ways - {PORTAL} or {self._rules.first_channel}) == {"sms"}
        return Lack.MOBILE if by_text_only and not takes_texts(people[0].phone) else None

    def _beside_it(self, notify: str, recipient: Recipient) -> list[Contact]:
        itself = str(recipient.id) if recipient.kind is RecipientKind.TOWN else ""
        key = (notify, recipient.tracker if notify == "tracker" else recipient.area, itself)
        if key not in self._beside:
            self._beside[key] = self._around.whom(notify, recipient)
        return self._beside[key]


def _is_followed(rung: Rung, recipient: Recipient) -> bool:
    """Whether anybody is meant to follow this recipient up: an enterprise always, a unit where its line names one."""
    return recipient.kind is RecipientKind.ENTERPRISE or (rung.notify == "tracker" and bool(recipient.tracker))


def look(store: Store, rules: Rules, *, now: datetime, wall: datetime) -> list[str]:
    """Ask once a day of every desk whom its ladder would not reach; the alarms that are new."""
    with store.reading() as tx:
        last = tx.heartbeats().get(_BEAT)
    if last is not None and wall - last[0] < DAILY:
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
        f"{one.count} 家{_WORDS[one.lack]}" if one.count else f"{one.channel}{_WORDS[one.lack]}" for one in some
    )
