"""An alarm that nothing takes back by itself is settled by a person, for a reason that the journal keeps."""

from __future__ import annotations

from datetime import datetime

from emergency.domain.episode import Fact
from emergency.domain.people import Act, Person, ask
from emergency.errors import Missing, Refused
from emergency.store import Tx

BY_HAND = frozenset({"exercise-wall"})
"""Kinds that tell of what happened: no sweep can see that the cause is gone, as it sees that a feed talks again."""


class EndsByItself(Refused):
    """The alarm stands as long as its cause does."""

    words_zh = "该告警在原因消除后自动结束，不能人工了结"


class NoReason(Refused):
    """Nothing is settled without saying why."""

    words_zh = "请写明了结告警的理由"


def by_hand(name: str) -> bool:
    """Whether an alarm of this name waits for a person."""
    return name.partition(":")[0] in BY_HAND


def settle(tx: Tx, name: str, *, because: str, by: Person, now: datetime) -> None:
    """
    Settle an alarm; whoever sees it may. The same thing met again later is a new alarm.

    :raises Missing: no such alarm stands
    :raises NotAllowed: the person does not see the desk it stands at
    :raises EndsByItself: it ends when its cause does
    :raises NoReason: no reason is given
    """
    alarm = next((one for one in tx.standing_alarms() if one.name == name), None)
    if alarm is None:
        raise Missing("no such alarm stands")
    ask(by, Act.SEE_DESK, alarm.area or by.area)  # one without an area stands at every desk
    if not by_hand(name):
        raise EndsByItself(f"{name} ends when its cause does")
    if not because.strip():
        raise NoReason("an alarm is settled for a reason")
    if not tx.clear_alarm(name, now=now):
        raise Missing("somebody settled it a moment ago")
    more = {"because": because.strip(), "detail": alarm.detail, "since": alarm.since}
    tx.note(Fact("alarm.settled", name, by.login, now, area=alarm.area, more=more))
