"""What each recipient must do because of a decision: drawn up, revised where something changes, answered, lifted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid5

from emergency.domain.level import Level
from emergency.domain.machine import Machine
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
    """One measure in one order, with its own start; it binds over [starts_at, ends_at)."""

    key: str
    text: str
    force: str
    starts_at: datetime
    ends_at: datetime | None = None
    check: str = ""
    text_en: str = ""


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
    started_at: datetime | None = None
    in_place_at: datetime | None = None
    declined_because: str = ""
    lifted_at: datetime | None = None
    resumed_at: datetime | None = None
    next_rung: int | None = None  # which step of the ladder comes next, None = nothing to chase
    next_rung_at: datetime | None = None  # civil
    escalated: int = 0  # steps taken so far in this revision
    asked_at: datetime | None = None  # from when 收到 counts, unless its notice was sent later
    start_by: datetime | None = None  # 已启动 is owed by then; None = not asked for, or nothing new to start
    in_place_by: datetime | None = None  # 已落实 is owed by then
    asks_from: int = 1  # the revision from which on an answer counts; information lines ask for none
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


class NothingToDo(Refused):
    """The answer fits nothing that this order still asks."""

    words_zh = "该指令已结束，无需再答复"


def order_id(episode_id: UUID, recipient_id: UUID) -> UUID:
    """One order per (episode, recipient), however often it is drawn up."""
    return uuid5(episode_id, f"order:{recipient_id}")


def eligible(recipient: Recipient, measures: Sequence[Measure]) -> bool:
    """Whether the recipient gets an order: a long-stopped plant stays on the list and gets none."""
    return recipient.category is not Category.LONG_STOPPED and bool(measures)


def measures_for(recipient: Recipient, level: Level, book: Mapping[str, Sequence[Measure]]) -> tuple[Measure, ...]:
    """
    What this recipient does at this level: its own lines from the list where they exist, else its sector's playbook.

    Measures of a higher level include the lower ones, less what they replace.
    """
    if recipient.measures:
        own = [
            Measure(
                key=f"{word}-{n}", level=Level.named(word), text=text, action="none", basis="text",
                source="reduction list",
            )
            for word, texts in recipient.measures.items()
            for n, text in enumerate(texts, 1)
            if Level.named(word) <= level
        ]
        return tuple(sorted(own, key=lambda one: (one.level, one.key)))
    found = [one for one in book.get(recipient.sector, ()) if one.level <= level]
    replaced = {key for one in found for key in one.replaces}
    return tuple(one for one in found if one.key not in replaced)


def duties_from(
    measures: Iterable[Measure], *, effective_at: datetime, before: Sequence[Duty] = ()
) -> tuple[Duty, ...]:
    """
    The duties that start with this level; one that stood already keeps its start, unless it was given another that is
    still to come.
    """
    standing = {duty.key: duty for duty in before}
    return tuple(
        standing[one.key]
        if one.key in standing and _stands(standing[one.key], one, effective_at)
        else Duty(
            key=one.key,
            text=one.text,
            text_en=one.text_en,
            force=one.force,
            check=one.check,
            starts_at=effective_at + timedelta(minutes=one.starts_after_minutes or 0)
            if one.starts_at is None
            else max(one.starts_at, effective_at),  # signed late: nothing binds before it was announced
        )
        for one in measures
    )


def _stands(duty: Duty, measure: Measure, effective_at: datetime) -> bool:
    """Whether the duty is this measure as it stands: in the same words, with the same start or one that is over."""
    if duty.text != measure.text:
        return False
    at = measure.starts_at
    return at is None or at == duty.starts_at or (at <= effective_at and duty.starts_at <= effective_at)


def difference(old: Sequence[Duty], new: Sequence[Duty]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """
    Keys of the duties added and dropped; the wording leads with them.

    One that only starts at another time counts as added and is not dropped: it goes on, from then.
    """
    before, after = {(d.key, d.text, d.starts_at) for d in old}, {(d.key, d.text) for d in new}
    return (
        tuple(d.key for d in new if (d.key, d.text, d.starts_at) not in before),
        tuple(d.key for d in old if (d.key, d.text) not in after),
    )


def draw_up(
    recipient: Recipient,
    *,
    episode_id: UUID,
    decision_id: UUID,
    number: str,
    level: Level,
    measures: Sequence[Measure],
    effective_at: datetime,
    now: datetime,
    before: Order | None = None,
) -> DrawnUp:
    """
    The order this decision gives to one recipient: a first order, a revision, or a line of information.

    A recipient whose measures stay gets information and keeps its status; one whose measures change must answer anew.
    """
    old = before.duties if before and before.status in LIVE else ()  # what was lifted begins anew
    duties = duties_from(measures, effective_at=effective_at, before=old)
    added, dropped = difference(old, duties)
    if before is None:
        order = Order(
            id=order_id(episode_id, recipient.id),
            episode_id=episode_id,
            recipient_id=recipient.id,
            area=recipient.area,
            number=number,
            level=level,
            revision=1,
            duties=duties,
            issued_at=now,
            effective_at=effective_at,
        )
        kind = "order"
    elif before.status not in LIVE:
        order = replace(
            before,
            status=ORDER.after(before.status, Action.REISSUE),
            level=level,
            revision=before.revision + 1,
            duties=duties,
            issued_at=now,
            effective_at=effective_at,
            acknowledged_at=None,
            acknowledged_by="",
            started_at=None,
            in_place_at=None,
            lifted_at=None,
            resumed_at=None,
            escalated=0,
            asks_from=before.revision + 1,
        )
        kind = "reissue"
    elif added or dropped:
        order = replace(
            before,
            status=ORDER.after(before.status, Action.REVISE),
            level=level,
            revision=before.revision + 1,
            duties=duties,
            issued_at=now,
            effective_at=effective_at,
            acknowledged_at=None,
            acknowledged_by="",
            started_at=None,
            in_place_at=None,
            escalated=0,
            asks_from=before.revision + 1,
        )
        kind = "revision"
    else:
        order = replace(
            before, level=level, revision=before.revision + 1, status=ORDER.after(before.status, Action.INFORM)
        )
        kind = "information"
    revision = Revision(
        order_id=order.id,
        number=order.revision,
        decision_id=decision_id,
        kind=kind,
        level=level,
        duties=duties,
        added=added,
        dropped=dropped,
        recorded_at=now,
        effective_at=effective_at,
    )
    return DrawnUp(order, revision, recipient, before)


def alike(first: DrawnUp, recipient: Recipient, *, number: str) -> DrawnUp:
    """
    The same first order for another recipient that must do the very same: only whose it is, and its number, differ.

    Thousands of plants of one sector share their measures; drawing each up anew would cost ten times as much.
    """
    found = order_id(first.order.episode_id, recipient.id)
    whose = {"id": found, "recipient_id": recipient.id, "area": recipient.area, "number": number}
    order, revision = Order(**{**vars(first.order), **whose}), Revision(**{**vars(first.revision), "order_id": found})
    return DrawnUp(order, revision, recipient)


def acknowledge(order: Order, *, by: str, now: datetime) -> Order:
    """Note who answered first; later answers change nothing."""
    status = ORDER.after(order.status, Action.ACKNOWLEDGE)
    if order.acknowledged_at is not None or status not in LIVE:
        return replace(order, status=status)
    return replace(order, status=status, acknowledged_at=now, acknowledged_by=by)


def start(order: Order, *, by: str, now: datetime) -> Order:
    """Note that the measures have been started; it counts as having received the order too."""
    order = replace(order, status=ORDER.after(order.status, Action.START))
    return _heard(replace(order, started_at=order.started_at or now), by=by, now=now)


def settle(order: Order, *, by: str, now: datetime) -> Order:
    """Note that the recipient says all measures are in place; a promise, not a finding."""
    order = replace(order, status=ORDER.after(order.status, Action.SETTLE))
    order = replace(order, started_at=order.started_at or now, in_place_at=order.in_place_at or now)
    return _heard(order, by=by, now=now)


def decline(order: Order, *, by: str, because: str, now: datetime) -> Order:
    """
    Note that the recipient cannot comply; the duty binds until an officer has ruled.

    :raises Refused: no reason was given
    """
    if not because.strip():
        raise Refused("an objection needs its reason", zh="请写明无法执行的原因")
    order = replace(order, status=ORDER.after(order.status, Action.DECLINE), declined_because=because.strip())
    return _heard(order, by=by, now=now)


def _heard(order: Order, *, by: str, now: datetime) -> Order:
    if order.acknowledged_at is not None:
        return order
    return replace(order, acknowledged_at=now, acknowledged_by=by)


def lift(order: Order, *, decision_id: UUID, effective_at: datetime, now: datetime) -> tuple[Order, Revision]:
    """Release the recipient: every duty ends at ``effective_at``, nothing is chased any more."""
    return _end(order, Action.LIFT, "lifting", decision_id=decision_id, effective_at=effective_at, now=now)


def withdraw(order: Order, *, decision_id: UUID, effective_at: datetime, now: datetime) -> tuple[Order, Revision]:
    """Take the order back as wrong or never in effect: no hour of it is judged."""
    return _end(order, Action.WITHDRAW, "withdrawal", decision_id=decision_id, effective_at=effective_at, now=now)


def _end(
    order: Order, action: Action, kind: str, *, decision_id: UUID, effective_at: datetime, now: datetime
) -> tuple[Order, Revision]:
    duties = tuple(replace(duty, ends_at=max(effective_at, duty.starts_at)) for duty in order.duties)
    ended = replace(
        order,
        status=ORDER.after(order.status, action),
        revision=order.revision + 1,
        duties=duties,
        lifted_at=effective_at,
        next_rung=None,
        next_rung_at=None,
    )
    revision = Revision(
        order_id=order.id,
        number=ended.revision,
        decision_id=decision_id,
        kind=kind,
        level=Level.NONE,
        duties=duties,
        added=(),
        dropped=tuple(duty.key for duty in duties),
        recorded_at=now,
        effective_at=effective_at,
    )
    return ended, revision


def report(order: Order, *, by: str, words: str, now: datetime) -> Order:
    """
    Note a unit's daily report; it counts as having received the order.

    :raises Refused: the report says nothing
    """
    if not words.strip():
        raise Refused("a report needs its words", zh="请填写日报内容")
    return _heard(replace(order, status=ORDER.after(order.status, Action.REPORT)), by=by, now=now)


def resume(order: Order, *, now: datetime) -> Order:
    """Note that a released recipient says it is running again."""
    return replace(order, status=ORDER.after(order.status, Action.RESUME), resumed_at=now)


def rule(order: Order, *, exempt: bool) -> Order:
    """An officer's ruling on an objection: exempted, or upheld and issued again."""
    return replace(order, status=ORDER.after(order.status, Action.EXEMPT if exempt else Action.UPHOLD))
