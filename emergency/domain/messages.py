"""One wording to one address by one channel: its states, its fate at the provider, and when to try again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from uuid import UUID

from emergency.domain.machine import Machine
from emergency.domain.naming import named


class State(StrEnum):
    """Where a message stands; «sent» and «delivered» are the provider's words, never the factory's."""

    READY = "ready"
    SENDING = "sending"
    SENT = "sent"  # 已送出
    DELIVERED = "delivered"  # 已送达
    FAILED = "failed"
    CANCELLED = "cancelled"


class Step(StrEnum):
    """What can happen to a message."""

    CLAIM = "claim"
    STUMBLE = "stumble"
    RECLAIM = "reclaim"
    TAKE = "take"
    RECEIPT = "receipt"  # the provider says it has it
    DELIVER = "deliver"  # it says that the phone has it
    RETURN = "return"  # it says that it could not be delivered
    GIVE_UP = "give_up"
    CANCEL = "cancel"
    SEND_AGAIN = "send_again"


MESSAGE: Machine[State, Step] = Machine(
    "message",
    {
        (State.READY, Step.CLAIM): State.SENDING,
        (State.SENDING, Step.STUMBLE): State.READY,
        (State.SENDING, Step.RECLAIM): State.READY,  # the worker died with it; goes again under the same key
        (State.SENDING, Step.TAKE): State.SENT,
        (State.SENDING, Step.GIVE_UP): State.FAILED,
        (State.READY, Step.GIVE_UP): State.FAILED,  # attempts used up
        (State.READY, Step.CANCEL): State.CANCELLED,  # they answered before the reminder left
        (State.SENDING, Step.CANCEL): State.SENDING,  # in flight: too late, counted as sent
        (State.READY, Step.RECEIPT): State.SENT,  # the receipt of an attempt we lost sight of
        (State.SENDING, Step.RECEIPT): State.SENT,
        (State.SENT, Step.RECEIPT): State.SENT,  # providers call twice
        (State.DELIVERED, Step.RECEIPT): State.DELIVERED,  # and out of order
        (State.FAILED, Step.RECEIPT): State.SENT,  # of an attempt nobody knew the fate of; what came back stays
        (State.CANCELLED, Step.RECEIPT): State.SENT,  # likewise
        (State.READY, Step.DELIVER): State.DELIVERED,
        (State.SENDING, Step.DELIVER): State.DELIVERED,
        (State.SENT, Step.DELIVER): State.DELIVERED,
        (State.DELIVERED, Step.DELIVER): State.DELIVERED,
        (State.FAILED, Step.DELIVER): State.DELIVERED,  # it got there after all
        (State.CANCELLED, Step.DELIVER): State.DELIVERED,  # of an attempt nobody knew the fate of
        (State.READY, Step.RETURN): State.FAILED,
        (State.SENDING, Step.RETURN): State.FAILED,
        (State.SENT, Step.RETURN): State.FAILED,  # a person sees it, and the next step of the ladder is taken
        (State.FAILED, Step.RETURN): State.FAILED,
        (State.DELIVERED, Step.RETURN): State.DELIVERED,  # a phone that has it has it
        (State.CANCELLED, Step.RETURN): State.CANCELLED,
        (State.FAILED, Step.SEND_AGAIN): State.READY,
    },
)


class Lane(IntEnum):
    """Urgent first; each lane has workers of its own so that bulk never delays an order."""

    URGENT = 0
    NORMAL = 1
    BULK = 2

    @property
    def word(self) -> str:
        """The lower-case name used in queues and payloads."""
        return self.name.lower()


class Kind(StrEnum):
    """What a message is about."""

    ORDER = "order"  # 应急指令
    REVISION = "revision"  # 调整
    INFORMATION = "information"  # 级别变化而措施不变
    REMINDER = "reminder"  # 催办
    ESCALATION = "escalation"  # 升级告知
    LIFTING = "lifting"  # 解除
    WITHDRAWAL = "withdrawal"  # 撤回
    PROPOSAL = "proposal"  # 待审批
    TASK = "task"  # 上报等内部任务
    ALARM = "alarm"
    CONSULTATION = "consultation"  # 会商
    BROADCAST = "broadcast"  # 滚动播报
    REPORT = "report"  # 日报、总结: asked for or missing
    PROBE = "probe"  # 线路自检: to a number of our own, kept nowhere


LANES = {
    Kind.ORDER: Lane.URGENT,
    Kind.REVISION: Lane.URGENT,
    Kind.LIFTING: Lane.URGENT,
    Kind.WITHDRAWAL: Lane.URGENT,
    Kind.PROPOSAL: Lane.URGENT,
    Kind.ALARM: Lane.URGENT,
    Kind.INFORMATION: Lane.NORMAL,
    Kind.ESCALATION: Lane.NORMAL,
    Kind.REMINDER: Lane.NORMAL,
    Kind.TASK: Lane.NORMAL,
    Kind.REPORT: Lane.BULK,
    Kind.BROADCAST: Lane.BULK,
    Kind.CONSULTATION: Lane.URGENT,
    Kind.PROBE: Lane.BULK,
}

PORTAL = "portal"  # a notice that waits in the recipient's own account
VOICE = "voice"  # a channel whose text is read out


def portal_address(recipient_id: UUID) -> str:
    """What a notice in the portal is addressed to: the recipient, whoever of it signs in."""
    return f"{PORTAL}:{recipient_id}"


STORM = 100  # so many told at once by one sweep are a storm


def lane_of(kind: Kind, *, together: int = 1) -> Lane:
    """The lane of a message that goes out with so many others: reminders, escalations and tasks in a storm are bulk."""
    stormy = together >= STORM and kind in (Kind.REMINDER, Kind.ESCALATION, Kind.TASK)
    return Lane.BULK if stormy else LANES[kind]


@dataclass(frozen=True)
class Message:
    """
    What goes out. ``id`` is also the Idempotency-Key, constant over attempts.

    ``about`` is the thing it speaks of (order or decision); ``link_id`` names the phone link whose token the sender
    works out at the moment of sending, so that no table holds a token. ``due_at`` is when it may next be tried (wall).
    """

    id: UUID
    kind: Kind
    channel: str
    lane: Lane
    to: str
    text: str
    area: str
    due_at: datetime
    episode_id: UUID | None = None
    order_id: UUID | None = None
    decision_id: UUID | None = None
    contact_id: UUID | None = None
    link_id: UUID | None = None
    revision: int = 0
    rung: str = ""
    state: State = State.READY
    attempts: int = 0
    put_at: datetime | None = None  # civil
    sent_at: datetime | None = None  # civil
    delivered_at: datetime | None = None  # civil
    receipt: str = ""
    because: str = ""
    provider: str = ""  # of a channel with several: which one has it, given when it is claimed
    waits_for: UUID | None = None  # the message of the same order and channel that it must not overtake
    waits_until: datetime | None = None  # wall: then it goes all the same
    exercise: bool = False  # of an exercise (演练): it leaves only to an address opened for that exercise
    link: str = ""  # filled by the sender only, never stored


@dataclass(frozen=True)
class Sent:
    """The provider has it and says so with a receipt of its own."""

    receipt: str


@dataclass(frozen=True)
class Later:
    """Busy, broken or unreachable: the same again, after ``retry_after`` seconds when the provider named them."""

    because: str
    retry_after: float | None = None


@dataclass(frozen=True)
class Never:
    """The provider says this address or text is wrong."""

    because: str


@dataclass(frozen=True)
class Uncertain:
    """Cut or timed out after the request left: nobody knows; repeated with the same provider under the same key."""

    because: str


@dataclass(frozen=True)
class ChannelFault:
    """Our key or address for the whole channel is wrong: the breaker opens, messages stay ready, a person is told."""

    because: str


Outcome = Sent | Later | Never | Uncertain | ChannelFault

MOST_ATTEMPTS = 12


def message_id(about: UUID, *, revision: int, kind: Kind, rung: str, channel: str, contact: UUID) -> UUID:
    """The message's one id: a later revision is never swallowed as a repeat, and no phone number rides in it."""
    return named(about, f"{revision}:{kind.value}:{rung}:{channel}:{contact}")


def least_lease(timeout_s: float) -> float:
    """
    The shortest lease, in seconds, under which a channel of this timeout can be drained: a send lasts at most twice
    the timeout, and half of one is left for waiting behind others of its claim.
    """
    return 2.5 * timeout_s


def wait_before(attempt: int, *, key: UUID, retry_after: float | None = None) -> timedelta:
    """
    How long before the next attempt: 1, 2, 4 … 300 s, spread by a hash of (message, attempt), never by dice.

    ``retry_after`` (seconds), when the provider named it, is the least.
    """
    base = min(300.0, float(2 ** min(attempt, 9)) / 2)
    spread = int.from_bytes(hashlib.sha256(f"{key}:{attempt}".encode()).digest()[:4], "big") / 2**32
    wait = base * (0.75 + spread / 2)
    return timedelta(seconds=max(wait, retry_after or 0.0))
