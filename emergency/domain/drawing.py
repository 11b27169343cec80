"""What a decision gives to each recipient: an order drawn up, revised where something changes for it, or ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from emergency.domain.copying import copied
from emergency.domain.level import Level
from emergency.domain.orders import (
    LIVE,
    ORDER,
    Action,
    Category,
    DrawnUp,
    Duty,
    Measure,
    Order,
    Recipient,
    Revision,
    Status,
    live_at,
    order_id,
)


def eligible(recipient: Recipient, measures: Sequence[Measure]) -> bool:
    """Whether the recipient gets an order: a long-stopped plant stays on the list and gets none."""
    return recipient.category is not Category.LONG_STOPPED and bool(measures)


def measures_for(recipient: Recipient, level: Level, book: Mapping[str, Sequence[Measure]]) -> tuple[Measure, ...]:
    """
    What this recipient does at this level: its own lines from the list where they exist, else its sector's playbook.

    Measures of a higher level include the lower ones, less what they replace; where a list writes out each level whole
    (``measures_whole``), those of the highest level it has up to this one are all there is.
    """
    if recipient.measures:
        return _own(recipient, level)
    found = [one for one in book.get(recipient.sector, ()) if one.level <= level]
    replaced = {key for one in found for key in one.replaces}
    return tuple(one for one in found if one.key not in replaced)


def _own(recipient: Recipient, level: Level) -> tuple[Measure, ...]:
    given = [(Level.named(word), texts) for word, texts in (recipient.measures or {}).items()]
    given = sorted((at, texts) for at, texts in given if at <= level)
    lines: dict[str, Measure] = {}
    for at, texts in given:
        for n, text in enumerate(texts, 1):
            one = Measure(
                key=f"{at.word}-{n}", level=at, text=text, action="none", basis="text", source="reduction list"
            )
            if not recipient.measures_whole:
                lines[one.key] = one
            else:
                lines.setdefault(text, one)  # what a higher level says again in the same words is the same duty
    if recipient.measures_whole and given:
        last = set(given[-1][1])
        return tuple(one for one in lines.values() if one.text in last)
    return tuple(lines.values())


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


def overtakes(before: Order, effective_at: datetime) -> bool:
    """
    Whether what takes effect then comes before what was signed last for this order, or at the same hour, from midnight
    on as most changes do: its change then never does.
    """
    last = before.lifted_at if before.status is Status.LIFTED else before.effective_at
    return before.status is not Status.WITHDRAWN and last is not None and last >= effective_at


def _stood(before: Order | None, effective_at: datetime) -> tuple[Duty, ...]:
    """What the order asks as its last revision left it; what was lifted by then begins anew."""
    if before is None or not live_at(before, effective_at):
        return ()
    return before.duties


def _spared(duties: tuple[Duty, ...], before: Order | None) -> tuple[Duty, ...]:
    """The duties, those exempt of which the recipient was exempted before: a ruling outlives every change of level."""
    if before is None or before.status not in LIVE:
        return duties
    whole = before.status is Status.EXEMPTED
    spared = {(one.key, one.text) for one in (*before.ending, *before.duties) if whole or one.exempt}
    return tuple(replace(one, exempt=one.exempt or (one.key, one.text) in spared) for one in duties)


def _ending(
    duties: tuple[Duty, ...],
    before: Order,
    effective_at: datetime,
    overtaken: tuple[Duty, ...] | None,
    *,
    now: datetime,
) -> tuple[Duty, ...]:
    """What binds until the change takes effect, though the change asks it no more, or from another hour on."""
    kept = {(one.key, one.text, one.starts_at) for one in duties}
    held = (*before.ending, *before.duties) if live_at(before, now) else ()
    return tuple(
        replace(one, ends_at=min(effective_at, one.ends_at or effective_at))
        for one in (held if overtaken is None else overtaken)
        if (one.key, one.text, one.starts_at) not in kept
        and one.starts_at < effective_at
        and now < min(effective_at, one.ends_at or effective_at)
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
    stood: tuple[Duty, ...] | None = None,
) -> DrawnUp:
    """
    The order this decision gives to one recipient: a first order, a revision, or a line of information.

    A recipient whose measures stay gets information and keeps its status; one whose measures change must answer anew.
    What stands keeps its start, and with it what was answered of it. ``stood``: what is in force when it takes effect,
    where that is not what the recipient was last told, because a change signed before would come later.
    """
    told = before.duties if before and before.status in LIVE else ()
    given, stood = stood, _stood(before, effective_at) if stood is None else stood
    duties = _spared(duties_from(measures, effective_at=effective_at, before=stood), before)
    ending = _ending(duties, before, effective_at, given, now=now) if before else ()
    added, dropped = difference(told, duties)
    if told:  # what ends at another hour than was told is news too
        dropped = (*dropped, *(key for key in difference(stood, duties)[1] if key not in dropped))
    all_exempt = before is not None and before.status is Status.EXEMPTED and all(one.exempt for one in duties)
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
            started_at=before.started_at if stood else None,
            in_place_at=before.in_place_at if stood else None,
            lifted_at=None,
            resumed_at=None,
            escalated=0,
            asks_from=before.revision + 1,
            ending=ending,
        )
        kind = "reissue"
    elif added or dropped:
        order = replace(
            before,
            status=ORDER.after(before.status, Action.INFORM if all_exempt else Action.REVISE),
            level=level,
            revision=before.revision + 1,
            duties=duties,
            issued_at=now,
            effective_at=effective_at,
            acknowledged_at=None,
            acknowledged_by="",
            escalated=0,
            asks_from=before.revision + 1,
            ending=ending,
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
    return DrawnUp(order, revision, recipient, before, given or ())


def alike(first: DrawnUp, recipient: Recipient, *, number: str) -> DrawnUp:
    """
    The same first order for another recipient that must do the very same: only whose it is, and its number, differ.

    Thousands of plants of one sector share their measures; drawing each up anew would cost ten times as much.
    """
    found = order_id(first.order.episode_id, recipient.id)
    whose = {"id": found, "recipient_id": recipient.id, "area": recipient.area, "number": number}
    order, revision = copied(first.order, **whose), copied(first.revision, order_id=found)
    return copied(first, order=order, revision=revision, recipient=recipient)


def lift(
    order: Order, *, decision_id: UUID, effective_at: datetime, now: datetime, stood: tuple[Duty, ...] | None = None
) -> tuple[Order, Revision]:
    """
    Release the recipient: every duty ends at ``effective_at``, and from then on nothing is chased any more.

    ``stood`` as in :func:`draw_up`.
    """
    if stood is not None:
        order = replace(order, duties=stood, ending=())
    ended, revision = _end(order, Action.LIFT, "lifting", decision_id=decision_id, effective_at=effective_at, now=now)
    if order.next_rung_at is not None and order.next_rung_at < effective_at:
        ended = replace(ended, next_rung=order.next_rung, next_rung_at=order.next_rung_at)
    return ended, revision


def withdraw(order: Order, *, decision_id: UUID, effective_at: datetime, now: datetime) -> tuple[Order, Revision]:
    """Take the order back as wrong or never in effect: no hour of it is judged."""
    return _end(order, Action.WITHDRAW, "withdrawal", decision_id=decision_id, effective_at=effective_at, now=now)


def _end(
    order: Order, action: Action, kind: str, *, decision_id: UUID, effective_at: datetime, now: datetime
) -> tuple[Order, Revision]:
    duties = tuple(replace(duty, ends_at=max(effective_at, duty.starts_at)) for duty in order.duties)
    held = order.ending if action is Action.LIFT else ()
    ended = replace(
        order,
        ending=tuple(replace(one, ends_at=min(effective_at, one.ends_at or effective_at)) for one in held),
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
