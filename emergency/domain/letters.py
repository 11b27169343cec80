"""Messages that gave up, and those whose fate nobody knows: who still needs one, and what a person rules of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from uuid import uuid5

from emergency.domain.messages import Kind, Message, State
from emergency.domain.orders import LIVE, Order, Status
from emergency.errors import Refused


class Verdict(StrEnum):
    """What a person found out about one message that the provider's word leaves open."""

    ARRIVED = "arrived"  # 核实已送达: they have it, so nothing more goes out
    LOST = "lost"  # 核实未送达: they have not, so it goes out anew
    ASIDE = "aside"  # 无需再送: nobody needs it any more


class Settled(Refused):
    """Somebody has settled it, or the provider's receipt has."""

    words_zh = "这条通知已有结论，无需再处理"


class NeededNoMore(Refused):
    """What it says no longer holds: a later revision, an answer or the release came since."""

    words_zh = "这条通知的内容已不再适用（已有新版本、已答复或已解除），不能再送"


class OnItsWay(Refused):
    """It has not given up: it goes again by itself under the same key."""

    words_zh = "这条通知还在自动重试，请等结果出来"


RETURNED = "the provider could not deliver it"


def came_back(message: Message) -> bool:
    """Whether the provider had it and says it could not be delivered; under its key it would swallow a repeat."""
    return message.state is State.FAILED and message.sent_at is not None


_OWING = frozenset({Status.ISSUED, Status.ACKNOWLEDGED, Status.STARTED})
_OVER = frozenset({Status.WITHDRAWN, Status.RESUMED})
_TELLS = frozenset({Kind.ORDER, Kind.REVISION})
_AFTER: Mapping[Kind, frozenset[Status]] = {
    Kind.LIFTING: frozenset({Status.LIFTED, Status.RESUMED}),
    Kind.WITHDRAWAL: frozenset({Status.WITHDRAWN}),
}


def still_needed(message: Message, order: Order | None) -> bool:
    """Whether what the message says of its order still holds; one about no order holds until somebody lays it by."""
    if order is None:
        return True
    if message.kind in _AFTER:
        return order.status in _AFTER[message.kind]
    if message.kind is Kind.INFORMATION:
        return order.status in LIVE and message.revision == order.revision
    # a revision after an objection, and a release that is signed for later, leave the chase on: its next step is due
    on = order.status not in _OVER and order.next_rung_at is not None
    if message.kind in _TELLS:
        return (order.status in LIVE or on) and message.revision >= order.asks_from
    chased = order.status in _OWING or on
    return chased and message.revision >= order.asks_from and _since_the_last_word(message, order)


def _since_the_last_word(message: Message, order: Order) -> bool:
    """Whether it was put after whatever the recipient answered last: an answer ends every chase before it."""
    words = [at for at in (order.acknowledged_at, order.started_at) if at is not None]
    return not words or message.put_at is None or message.put_at > max(words)


def anew(message: Message, *, now: datetime, wall: datetime) -> Message:
    """
    The same words to the same address under another id: a provider that knows the first key would swallow a repeat.

    It waits for nobody, because a person has looked at what stands.
    """
    return replace(
        message,
        id=uuid5(message.id, f"anew:{message.attempts}"),
        state=State.READY,
        attempts=0,
        due_at=wall,
        put_at=now,
        sent_at=None,
        delivered_at=None,
        receipt="",
        because="",
        provider="",
        waits_for=None,
        waits_until=None,
    )
