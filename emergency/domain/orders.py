"""Who gets orders and what an order is: its duties, its revisions, where it stands, and what an answer makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from emergency.domain.level import Level
from emergency.domain.machine import Machine
from emergency.domain.naming import named
from emergency.errors import Refused


class RecipientKind(StrEnum):
    """Who gets orders: a listed enterprise, a bureau or town (unit), or a district below a city."""

    ENTERPRISE = "enterprise"
    UNIT = "unit"
    TOWN = "town"
    DISTRICT = "district"


class Category(StrEnum):
    """How the reduction list treats an enterprise (domain sheet 4.4)."""

    LISTED = "listed"  # 一般
    GUARANTEED = "guaranteed"  # 保障类
    KEY_WORKS = "key_works"  # 重点工程
    SMALL_MICRO = "small_micro"  # 小微涉气
    CONSTRUCTION_SITE = "construction_site"  # 施工工地
    LONG_STOPPED = "long_stopped"  # 长期停产: listed and inspectable, no order, no reduction counted
    UNIT = "unit"  # 成员单位


@dataclass(frozen=True)
class Contact:
    """One person to reach at a recipient; ``order`` 1 is told first."""

    id: UUID
    name: str
    role: str
    phone: str
    order: int = 1


@dataclass(frozen=True)
class Recipient:
    """An enterprise or unit that gets orders; enterprises come from the reduction list of their year."""

    id: UUID
    area: str
    kind: RecipientKind
    name: str
    sector: str
    category: Category
    grade: str = ""
    contacts: tuple[Contact, ...] = ()
    tracker: str = ""  # 跟踪落实单位
    measures: Mapping[str, tuple[str, ...]] | None = None  # own measures by level word, when the list gives them
    sample: bool = False  # made up, and marked so wherever it is shown
    permit_has_special_period: bool | None = None
    credit_code: str = ""  # 统一社会信用代码
    measures_whole: bool = False  # each level's own measures are all it asks, and are not added to the lower level's
    note: str = ""


@dataclass(frozen=True)
class Measure:
    """
    One line of a sector's playbook (减排措施).

    ``force``: mandatory | voluntary | health. ``starts_after_minutes`` counts from the level's effect, None where the
    line gives no start of its own; ``check`` names the evidence check it will be judged by. Measures of a higher level
    include the lower ones unless ``replaces``. ``starts_at`` is a moment of its own, where an amendment gave it one.
    """

    key: str
    level: Level
    text: str
    text_en: str = ""
    force: str = "mandatory"
    action: str = "limit"
    starts_after_minutes: int | None = None
    check: str = ""
    replaces: tuple[str, ...] = ()
    basis: str = "assumed"
    source: str = ""
    starts_at: datetime | None = None


@dataclass(frozen=True)
class Duty:
    """
    One measure in one order, with its own start; it binds over [starts_at, ends_at).

    ``exempt``: an officer ruled that this recipient need not do it; so it stays for as long as the duty stands.
    """

    key: str
    text: str
    force: str
    starts_at: datetime
    ends_at: datetime | None = None
    check: str = ""
    text_en: str = ""
    exempt: bool = False


class Status(StrEnum):
    """Where an order stands with its recipient; compliance is not among these."""

    ISSUED = "issued"
    ACKNOWLEDGED = "acknowledged"  # 收到
    STARTED = "started"  # 已启动
    IN_PLACE = "in_place"  # 已落实
    DECLINED = "declined"  # 无法执行 / 需协调
    EXEMPTED = "exempted"
    LIFTED = "lifted"
    WITHDRAWN = "withdrawn"
    RESUMED = "resumed"


class Action(StrEnum):
    """What can happen to an order."""

    ACKNOWLEDGE = "acknowledge"
    START = "start"
    SETTLE = "settle"
    DECLINE = "decline"
    EXEMPT = "exempt"
    UPHOLD = "uphold"
    REVISE = "revise"
    INFORM = "inform"
    LIFT = "lift"
    WITHDRAW = "withdraw"
    RESUME = "resume"
    REPORT = "report"  # 日报: what a unit did today; changes no status
    REISSUE = "reissue"


_LIVE = (
    Status.ISSUED,
    Status.ACKNOWLEDGED,
    Status.STARTED,
    Status.IN_PLACE,
    Status.DECLINED,
    Status.EXEMPTED,
)
LIVE = frozenset(_LIVE)
_BINDING = (Status.ISSUED, Status.ACKNOWLEDGED, Status.STARTED, Status.IN_PLACE)

ORDER: Machine[Status, Action] = Machine(
    "order",
    {
        (Status.ISSUED, Action.ACKNOWLEDGE): Status.ACKNOWLEDGED,
        (Status.ACKNOWLEDGED, Action.ACKNOWLEDGE): Status.ACKNOWLEDGED,  # people press twice
        (Status.STARTED, Action.ACKNOWLEDGE): Status.STARTED,  # a second contact reads later
        (Status.IN_PLACE, Action.ACKNOWLEDGE): Status.IN_PLACE,
        (Status.DECLINED, Action.ACKNOWLEDGE): Status.DECLINED,
        (Status.EXEMPTED, Action.ACKNOWLEDGE): Status.EXEMPTED,
        (Status.LIFTED, Action.ACKNOWLEDGE): Status.LIFTED,  # an answer that meets a lift re-opens nothing
        (Status.RESUMED, Action.ACKNOWLEDGE): Status.RESUMED,
        (Status.ISSUED, Action.START): Status.STARTED,
        (Status.ACKNOWLEDGED, Action.START): Status.STARTED,
        (Status.STARTED, Action.START): Status.STARTED,
        (Status.IN_PLACE, Action.START): Status.IN_PLACE,
        (Status.ISSUED, Action.SETTLE): Status.IN_PLACE,
        (Status.ACKNOWLEDGED, Action.SETTLE): Status.IN_PLACE,
        (Status.STARTED, Action.SETTLE): Status.IN_PLACE,
        (Status.IN_PLACE, Action.SETTLE): Status.IN_PLACE,
        (Status.ISSUED, Action.DECLINE): Status.DECLINED,
        (Status.ACKNOWLEDGED, Action.DECLINE): Status.DECLINED,
        (Status.STARTED, Action.DECLINE): Status.DECLINED,
        (Status.DECLINED, Action.DECLINE): Status.DECLINED,
        (Status.DECLINED, Action.START): Status.DECLINED,  # the duty binds until an officer has ruled: they may do it
        (Status.DECLINED, Action.SETTLE): Status.DECLINED,
        (Status.LIFTED, Action.START): Status.LIFTED,  # until a release signed for later takes effect
        (Status.LIFTED, Action.SETTLE): Status.LIFTED,
        (Status.LIFTED, Action.REPORT): Status.LIFTED,
        (Status.DECLINED, Action.EXEMPT): Status.EXEMPTED,
        (Status.DECLINED, Action.UPHOLD): Status.ISSUED,
        **{(status, Action.REVISE): Status.ISSUED for status in (*_BINDING, Status.EXEMPTED)},
        (Status.DECLINED, Action.REVISE): Status.DECLINED,  # an objection carries over to the new revision
        **{(status, Action.INFORM): status for status in _LIVE},
        (Status.ISSUED, Action.REPORT): Status.ACKNOWLEDGED,  # whoever reports has received it
        **{(status, Action.REPORT): status for status in _LIVE[1:]},
        **{(status, Action.LIFT): Status.LIFTED for status in _LIVE},
        (Status.LIFTED, Action.LIFT): Status.LIFTED,
        **{(status, Action.WITHDRAW): Status.WITHDRAWN for status in _LIVE},
        (Status.LIFTED, Action.RESUME): Status.RESUMED,
        (Status.LIFTED, Action.REISSUE): Status.ISSUED,
        (Status.RESUMED, Action.REISSUE): Status.ISSUED,
        (Status.WITHDRAWN, Action.REISSUE): Status.ISSUED,
    },
)


@dataclass(frozen=True)
class Order:
    """What one recipient must do in one episode; the duties are in its latest revision."""

    id: UUID
    episode_id: UUID
    recipient_id: UUID
    area: str
    number: str
    level: Level
    revision: int
    duties: tuple[Duty, ...]
    status: Status = Status.ISSUED
    issued_at: datetime | None = None
    effective_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    started_at: datetime | None = None  # 已启动, last said of something new: it holds for what had begun by then
    in_place_at: datetime | None = None  # the same of 已落实
    declined_because: str = ""
    lifted_at: datetime | None = None  # until then a release that was signed for later changes nothing
    resumed_at: datetime | None = None
    next_rung: int | None = None  # which step of the ladder comes next, None = nothing to chase
    next_rung_at: datetime | None = None  # civil
    escalated: int = 0  # steps taken so far in this revision
    asked_at: datetime | None = None  # from when 收到 counts, unless its notice was sent later
    start_by: datetime | None = None  # 已启动 is owed by then; None = not asked for, or nothing new to start
    in_place_by: datetime | None = None  # 已落实 is owed by then
    asks_from: int = 1  # the revision from which on an answer counts; information lines ask for none
    ending: tuple[Duty, ...] = ()  # what a change that is signed and still to come asks no more: each binds to its end
    version: int = 0


@dataclass(frozen=True)
class Revision:
    """What one decision changed for one order; unique by (order, decision), so drawing up twice makes the same row."""

    order_id: UUID
    number: int
    decision_id: UUID
    kind: str  # order | revision | information | lifting | withdrawal | reissue
    level: Level
    duties: tuple[Duty, ...]
    added: tuple[str, ...]
    dropped: tuple[str, ...]
    recorded_at: datetime
    effective_at: datetime


@dataclass(frozen=True)
class DrawnUp:
    """An order as this decision leaves it, and the revision that says what changed."""

    order: Order
    revision: Revision
    recipient: Recipient
    before: Order | None = None
    stood: tuple[Duty, ...] = ()  # what was in force when it takes effect, where that is not what was last told


class NothingToDo(Refused):
    """The answer fits nothing that this order still asks."""

    words_zh = "该指令已结束，无需再答复"


class SpokenFor(NothingToDo):
    """The answer fits nothing that this order asks, though it has not ended: of an exemption, or before its end."""

    words_zh = "该指令目前不需要这样的答复，请看页面上的最新情况"


class NotYet(Refused):
    """The recipient says it is running again before its release has taken effect."""

    words_zh = "解除尚未生效，在此之前请继续执行；生效后再答复“已恢复”"


def order_id(episode_id: UUID, recipient_id: UUID) -> UUID:
    """One order per (episode, recipient), however often it is drawn up."""
    return named(episode_id, f"order:{recipient_id}")


def live_at(order: Order, at: datetime) -> bool:
    """Whether the order binds at that instant: a release signed for later ends it when it takes effect, not before."""
    ends_at = order.lifted_at if order.status is Status.LIFTED else None
    return order.status in LIVE or (ends_at is not None and at < ends_at)


def binds(duty: Duty) -> bool:
    """Whether the duty obliges anybody: it is mandatory, nobody was exempted from it, and it comes to begin at all."""
    return duty.force == "mandatory" and not duty.exempt and (duty.ends_at is None or duty.starts_at < duty.ends_at)


def obliges(order: Order, at: datetime | None = None) -> list[Duty]:
    """The duties that oblige the recipient, begun or not; ``at``: less those a change has ended by then."""
    lasting = (one for one in order.ending if at is None or one.ends_at is None or at < one.ends_at)
    return [one for one in (*lasting, *order.duties) if binds(one)]


def current(order: Order, at: datetime) -> Order:
    """The order less what a change has ended by then."""
    lasting = tuple(one for one in order.ending if one.ends_at is None or at < one.ends_at)
    return order if len(lasting) == len(order.ending) else replace(order, ending=lasting)


def started(order: Order, duty: Duty) -> bool:
    """Whether the recipient said 已启动 of this duty: since it began, in whichever revision."""
    return order.started_at is not None and order.started_at >= duty.starts_at


def in_place(order: Order, duty: Duty) -> bool:
    """Whether the recipient said 已落实 of this duty: since it began, in whichever revision."""
    return order.in_place_at is not None and order.in_place_at >= duty.starts_at


def acknowledge(order: Order, *, by: str, now: datetime) -> Order:
    """Note who answered first; later answers change nothing. What was said of duties that stand still holds."""
    status = ORDER.after(order.status, Action.ACKNOWLEDGE)
    return _heard(order, by=by, now=now) if live_at(order, now) else replace(order, status=status)


def start(order: Order, *, by: str, now: datetime) -> Order:
    """
    Note that what has begun by now has been started; it counts as having received the order too.

    What begins later is asked for in its turn, and of what was said before nothing changes.
    """
    ORDER.after(order.status, Action.START)
    if says_anew(order, Action.START, now):
        order = replace(order, started_at=now)
    return _heard(order, by=by, now=now)


def settle(order: Order, *, by: str, now: datetime) -> Order:
    """Note that the recipient says all measures begun by now are in place; a promise, not a finding."""
    ORDER.after(order.status, Action.SETTLE)
    if says_anew(order, Action.SETTLE, now):
        order = replace(order, in_place_at=now)
    return start(order, by=by, now=now)


def unsaid(order: Order, action: Action, at: datetime | None = None) -> list[datetime]:
    """When those duties begin, or began, of which 已启动 (START) or 已落实 (SETTLE) was not said; ``at`` as above."""
    said = started if action is Action.START else in_place
    return [one.starts_at for one in obliges(order, at) if not said(order, one)]


def says_anew(order: Order, action: Action, at: datetime) -> bool:
    """Whether 已启动 or 已落实, said then, is news of any duty; once, where the order obliges to none."""
    if not obliges(order, at):
        return (order.started_at if action is Action.START else order.in_place_at) is None
    return any(begins <= at for begins in unsaid(order, action, at))


def too_early(order: Order, action: Action, at: datetime) -> bool:
    """Whether 已启动 or 已落实, said then, holds of nothing yet: what it was not said of begins later."""
    if action not in (Action.START, Action.SETTLE) or says_anew(order, action, at):
        return False
    return bool(unsaid(order, action, at))


def _comes_to(order: Order, now: datetime) -> Action:
    """
    What the order's answers come to, over all it obliges to: the least that holds for all of it; what a change will end
    counts while it binds, from its start on.
    """
    held = [one for one in order.ending if one.starts_at <= now and (one.ends_at is None or now < one.ends_at)]
    owing = [one for one in (*held, *order.duties) if binds(one)]
    if order.in_place_at is not None and all(in_place(order, one) for one in owing):
        return Action.SETTLE
    if order.started_at is not None and (not owing or any(started(order, one) for one in owing)):
        return Action.START
    return Action.ACKNOWLEDGE


def decline(order: Order, *, by: str, because: str, now: datetime) -> Order:
    """
    Note that the recipient cannot comply; the duty binds until an officer has ruled.

    :raises Refused: no reason was given
    """
    if not because.strip():
        raise Refused("an objection needs its reason", zh="请写明无法执行的原因")
    order = replace(order, status=ORDER.after(order.status, Action.DECLINE), declined_because=because.strip())
    return _received(order, by=by, now=now)


def _heard(order: Order, *, by: str, now: datetime) -> Order:
    """The order received, if it was not, and standing where all that was said of it puts it."""
    return _received(replace(order, status=ORDER.after(order.status, _comes_to(order, now))), by=by, now=now)


def _received(order: Order, *, by: str, now: datetime) -> Order:
    if order.acknowledged_at is not None:
        return order
    return replace(order, acknowledged_at=now, acknowledged_by=by)


def report(order: Order, *, by: str, words: str, now: datetime) -> Order:
    """
    Note a unit's daily report; it counts as having received the order.

    :raises Refused: the report says nothing
    """
    if not words.strip():
        raise Refused("a report needs its words", zh="请填写日报内容")
    return _received(replace(order, status=ORDER.after(order.status, Action.REPORT)), by=by, now=now)


def resume(order: Order, *, now: datetime) -> Order:
    """
    Note that a released recipient says it is running again.

    :raises NotYet: its release has not taken effect
    """
    status = ORDER.after(order.status, Action.RESUME)
    if live_at(order, now):
        raise NotYet(f"order {order.number} binds until {order.lifted_at}")
    return replace(order, status=status, resumed_at=now)


def rule(order: Order, *, exempt: bool) -> Order:
    """
    An officer's ruling on an objection: exempted from what is asked now, or upheld and issued again.

    What a later decision adds is not what the ruling was about: it binds.
    """
    ruled = replace(order, status=ORDER.after(order.status, Action.EXEMPT if exempt else Action.UPHOLD))
    if not exempt:
        return ruled
    duties, ending = (tuple(replace(one, exempt=True) for one in some) for some in (order.duties, order.ending))
    return replace(ruled, duties=duties, ending=ending)
