"""Orders out: drawn up, revised, lifted, ruled on, and what was said of their messages; nothing lost on the way."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from emergency.domain import advising as advice
from emergency.domain import amending, drawing, ladder, orders, starting
from emergency.domain.copying import copied
from emergency.domain.episode import Decision, Episode, Move, Standing, due
from emergency.domain.level import Level
from emergency.domain.messages import LANES, Kind, Message, message_id
from emergency.domain.orders import (
    LIVE,
    Contact,
    DrawnUp,
    Duty,
    Measure,
    Order,
    Recipient,
    RecipientKind,
    Revision,
    Status,
)
from emergency.domain.people import Act, Person, ask, within
from emergency.domain.plan import Plan
from emergency.errors import Conflict, Missing, Refused
from emergency.services import advising, effect, wording
from emergency.services.links import link_id, token_sha256
from emergency.services.rules import Rules
from emergency.store import Tx, addressed, rulings
from emergency.store.bundling import Bundle, bundle

LINK_LIVES = timedelta(days=60)  # longer than any episode on record; a link is revoked when its contact changes
CHASED = (Kind.REMINDER.value, Kind.ESCALATION.value)
_ENDS = (Move.RELEASE, Move.WITHDRAW, Move.DISMISS)  # every order ends with these
_AMENDS = ("revision", "information")
_HEARD = frozenset({Status.ACKNOWLEDGED, Status.STARTED, Status.IN_PLACE})  # it has answered what it was asked last
OPEN_NOTICES = (Kind.ORDER.value, Kind.REVISION.value, Kind.INFORMATION.value, Kind.BROADCAST.value)


@dataclass(frozen=True)
class Prepared:
    """
    What a decision gives to whom, drawn up outside the transaction; the versions say on what it rests.

    ``addressed``: the mark of all it may address, taken before they were read; None where that is not asked again.
    ``bundle``: all that its signature will write, once somebody signs (see :func:`written_out`).
    """

    decision_version: int
    drawn_up: tuple[DrawnUp, ...]
    not_ordered: tuple[Recipient, ...]
    bundle: Bundle | None = None
    addressed: str | None = None


@dataclass(frozen=True)
class Opened:
    """What a phone link opens."""

    order: Order
    revision: Revision
    recipient: Recipient
    contact: Contact | None
    expired: bool


def recipients_of(tx: Tx, area: str, *, unordered_in: UUID | None = None) -> list[Recipient]:
    """
    Whom this area's decisions address: what lies in it, less what belongs to a desk below it.

    A city reaches its bureaus and its districts, a district its bureaus, towns and enterprises; a town relays and
    gives no second order to a listed enterprise. ``unordered_in``: only those to whom this episode gave no order.
    """
    desks = [one.id for one in tx.areas() if one.plan_id and one.id != area and within(one.id, area)]
    found = tx.recipients([area], unordered_in=unordered_in)
    return [one for one in found if not any(within(one.area, desk) for desk in desks)]


@contextmanager
def _uncollected() -> Iterator[None]:
    """The collector rests: of a hundred thousand new values it would visit each many times, and none is garbage yet."""
    resting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if resting:
            gc.enable()


@_uncollected()
def prepare(tx: Tx, rules: Rules, decision: Decision, *, now: datetime) -> Prepared:
    """Draw up what this decision changes for each recipient, with its ladder set up; nothing is written."""
    before = addressed.mark(tx, decision.area)  # first, so that whoever changes while they are read is noticed
    return replace(_drawn_up(tx, rules, decision, now=now), addressed=before)


def _drawn_up(tx: Tx, rules: Rules, decision: Decision, *, now: datetime) -> Prepared:
    ladders = rules.plan(tx.episode(decision.episode_id).plan_id)
    standing = {one.recipient_id: one for one in tx.orders(decision.episode_id)}
    recipients = {one.id: one for one in recipients_of(tx, decision.area)}
    effective_at = max(decision.notice.effective_at or now, now)
    overtaken = effect.overtaken(tx, standing.values(), decision, effective_at)
    if decision.move in _ENDS:
        ended = tuple(
            _ended(
                one, recipients.get(one.recipient_id) or tx.recipient(one.recipient_id), decision, effective_at, now,
                stood=overtaken.get(one.id),
            )
            for one in standing.values()
            if one.status in LIVE
        )  # fmt: skip
        return Prepared(decision.version, ended, ())
    if decision.move is Move.ADVISE:
        advisory = advising.drawn(tx, rules, decision, list(recipients.values()), now=now)
        return Prepared(decision.version, tuple(_chased(one, ladders, now=now) for one in advisory), ())
    advised = advising.in_force(tx, decision.episode_id, now=now)
    changes, amended = amending.of(decision), amending.through(tx.decisions(decision.episode_id), decision)
    by_the_book, plan = not (advised or amended), rules.plan_of(tx, decision.area)
    books: dict[tuple[str, RecipientKind], tuple[Measure, ...]] = {}
    firsts: dict[tuple[str, RecipientKind], DrawnUp] = {}
    drawn: list[DrawnUp] = []
    spared: list[Recipient] = []
    for number, recipient in enumerate(recipients.values(), 1):
        if not amending.concerned(changes, recipient):
            continue  # an adjustment says nothing to those it does not name
        like = (recipient.sector, recipient.kind) if by_the_book and not recipient.measures else None
        if like is None:
            booked = starting.timed(rules.measures_for(recipient, decision), plan)
            measures = amending.amended(booked, recipient, decision.level, amended)
            measures = (*measures, *advice.measures_for(recipient, advised, rules.advice))
        elif (measures := books.get(like, ())) == () and like not in books:
            measures = books[like] = starting.timed(rules.measures_for(recipient, decision), plan)
        before = standing.get(recipient.id)
        if not drawing.eligible(recipient, measures):
            if before is None or before.status not in LIVE or not before.duties:
                spared.append(recipient)
                continue
            measures = ()  # nothing is asked of it any more, and it is told so
        numbered = before.number if before else f"{decision.notice.number}-{number:04d}"
        if before is None and like in firsts:
            drawn.append(drawing.alike(firsts[like], recipient, number=numbered))
            continue
        one = drawing.draw_up(
            recipient,
            episode_id=decision.episode_id,
            decision_id=decision.id,
            number=numbered,
            level=Level.NONE if decision.move is Move.APPEAL else decision.level,
            measures=measures,
            effective_at=effect.takes_effect(decision, before, effective_at),
            now=now,
            before=before,
            stood=overtaken.get(before.id) if before else None,
        )
        one = _chased(one, ladders, now=now)
        if before is None and like is not None:
            firsts[like] = one
        if not changes or one.revision.kind != "information":
            drawn.append(one)
    return Prepared(decision.version, tuple(drawn), tuple(spared))


def _ended(
    order: Order, recipient: Recipient, decision: Decision, effective_at: datetime, now: datetime,
    *, stood: tuple[Duty, ...] | None,
) -> DrawnUp:  # fmt: skip
    if decision.move is Move.WITHDRAW:
        after, revision = drawing.withdraw(order, decision_id=decision.id, effective_at=effective_at, now=now)
    else:
        after, revision = drawing.lift(
            order, decision_id=decision.id, effective_at=effective_at, now=now, stood=stood
        )
    return DrawnUp(after, revision, recipient, order)


@_uncollected()
def written_out(rules: Rules, decision: Decision, prepared: Prepared, *, by: Person, now: datetime) -> Prepared:
    """
    The same with all that signing it writes: orders, revisions, links, the journal's lines and the texts as they will
    be sent, worked out before the transaction so that it holds its locks for as long as the rows take and no longer.
    """
    return replace(prepared, bundle=_bundled(rules, decision, prepared, by=by, now=now))


def _bundled(rules: Rules, decision: Decision, prepared: Prepared, *, by: Person, now: datetime) -> Bundle:
    expires_at = now + LINK_LIVES
    links = [
        _link(rules, one.order.id, contact.id, expires_at)
        for one in prepared.drawn_up
        if one.before is None
        for contact in one.recipient.contacts
    ]
    messages = first_messages(rules, prepared.drawn_up, decision, now=now, due_at=rules.wall.now())
    return bundle(prepared.drawn_up, links=links, messages=messages, by=by.login, at=now)


def _link(rules: Rules, order_id: UUID, contact_id: UUID, expires_at: datetime) -> Mapping[str, Any]:
    found = link_id(order_id, contact_id)
    return {
        "id": found,
        "order_id": order_id,
        "contact_id": contact_id,
        "token_sha256": rules.links.kept(found),
        "expires_at": expires_at,
        "revoked_at": None,
    }


def revise_all(
    tx: Tx, rules: Rules, decision: Decision, episode: Episode, prepared: Prepared, *, by: Person, now: datetime
) -> None:
    """
    Commit what was drawn up: orders, revisions, links and messages, in the decision's own transaction.

    :raises Conflict: the decision, an order, a recipient or somebody's telephone changed since it was drawn up
    """
    if prepared.decision_version != decision.version - 1:
        raise Conflict(f"decision {decision.id} changed since its orders were drawn up")
    if prepared.addressed not in (None, addressed.mark(tx, decision.area)):
        raise Conflict(f"recipients or their contacts changed since the orders of {decision.id} were drawn up")
    ready = prepared.bundle or _bundled(rules, decision, prepared, by=by, now=now)
    tx.save_all(ready)
    if not (decision.move is Move.ADVISE or decision.amendments):  # else no other order changes
        if decision.move in _ENDS:
            fact = rulings.WITHDRAWN if decision.move is Move.WITHDRAW else rulings.LIFTED
            rulings.end(tx, episode.id, fact=fact, by=by, now=now)
        over: tuple[str, ...] = (Kind.BROADCAST.value,)
        over += (Kind.REPORT.value,) if decision.move in (Move.RELEASE, Move.WITHDRAW) else ()
        if decision.move is Move.WITHDRAW or (decision.move in _ENDS and (decision.notice.effective_at or now) <= now):
            over += CHASED  # nobody owes anything any more: bundles neither
        tx.outbox.cancel_for_episode(decision.episode_id, over)
    tx.outbox.cancel_revised(decision.id, decision.episode_id, notices=OPEN_NOTICES, chased=CHASED, now=now)
    wait = rules.plan(episode.plan_id).numbers.get("sequence_wait_min", 0)  # a plan that does not say lets none wait
    messages = _whole_to_the_untold(tx, rules, decision, prepared, ready.messages, now=now)
    tx.outbox.put_new(messages, waits_until=due(rules.wall.now(), wait))


def _whole_to_the_untold(
    tx: Tx, rules: Rules, decision: Decision, prepared: Prepared, messages: Sequence[Message], *, now: datetime
) -> Sequence[Message]:
    """
    The messages; whoever was never told what it was asked last gets its whole order, for what a change would amend has
    not reached it. What is in flight counts as not told: should it come back, this is all they will have had.

    Before a release that is signed for later goes the order it ends, with its end: it binds until then. Of one that
    ends at once nobody need hear what it was.
    """
    asked = {
        one.order.id: one
        for one in prepared.drawn_up
        if one.before is not None and _amends(one, now) and one.before.status not in _HEARD
    }
    if not asked:
        return messages
    told = tx.outbox.told(decision.episode_id)
    untold: Mapping[UUID | None, DrawnUp] = {
        found: one
        for found, one in asked.items()
        if one.before is not None and told.get(found, 0) < one.before.asks_from and one.order.duties
    }
    whole: list[Message] = []
    before = _governing(tx, decision) if decision.move is Move.RELEASE and untold else ()
    for message in messages:
        if (one := untold.get(message.order_id)) is None or (contact := first_contact(one.recipient)) is None:
            whole.append(message)
            continue
        own = _own(one.order, contact, Kind.ORDER, message.channel, "")
        if one.revision.kind in _AMENDS:
            text = wording.of_whole_order(rules, one, decision, now=now)
        else:
            given = next((given for given in before if given.level is one.order.level), decision)
            text = wording.of_order_that_ends(rules, one, given, now=now)
            whole.append(copied(message, waits_for=own["id"]))
        whole.append(copied(message, **own, kind=Kind.ORDER, lane=LANES[Kind.ORDER], text=text))
    return whole


def _amends(one: DrawnUp, now: datetime) -> bool:
    """Whether the revision tells of a change to an order that binds on, for a while at least."""
    if one.revision.kind != "lifting":
        return one.revision.kind in _AMENDS
    exempted, ends_at = one.before is not None and one.before.status is Status.EXEMPTED, one.revision.effective_at
    return not exempted and ends_at > now and any(duty.starts_at < ends_at for duty in one.order.duties)


def _governing(tx: Tx, decision: Decision) -> list[Decision]:
    """What was signed in the episode before this decision and asked something of recipients, the newest first."""
    signed = [
        one
        for one in tx.decisions(decision.episode_id)
        if one.standing is Standing.APPROVED and one.move not in _ENDS and one.id != decision.id
    ]
    signed.sort(key=lambda one: (one.move is not Move.ADVISE, one.decided_at or one.proposed_at), reverse=True)
    return signed


def _chased(one: DrawnUp, plan: Plan, *, now: datetime) -> DrawnUp:
    if one.order.status not in LIVE or one.revision.kind == "information":
        return one
    timed = ladder.timed(one, plan)
    return replace(one, order=ladder.set_up(timed, plan, since=now))


_KINDS = {
    "order": Kind.ORDER,
    "reissue": Kind.ORDER,
    "revision": Kind.REVISION,
    "information": Kind.INFORMATION,
    "lifting": Kind.LIFTING,
    "withdrawal": Kind.WITHDRAWAL,
}


def first_messages(
    rules: Rules, some: Iterable[DrawnUp], decision: Decision, *, now: datetime, due_at: datetime
) -> list[Message]:
    """The notice to each recipient's first contact; none where nobody can be reached (the auditor tells of it)."""
    found: list[Message] = []
    alike: dict[Kind, Message] = {}
    spelt: wording.Spelt = {}
    for one in some:
        if (contact := first_contact(one.recipient)) is None:
            continue
        order, kind = one.order, _KINDS[one.revision.kind]
        text = wording.of_order(rules, kind, one, decision, now=now, spelt=spelt)
        if kind in alike:
            own = _own(order, contact, kind, rules.first_channel, "")
            found.append(copied(alike[kind], text=text, **own))
            continue
        alike[kind] = message_for(
            rules, order, kind, contact, text, rung="", decision_id=decision.id, now=now, due_at=due_at
        )
        found.append(alike[kind])
    return found


def first_contact(recipient: Recipient) -> Contact | None:
    """Whom to tell first."""
    if len(recipient.contacts) == 1:
        return recipient.contacts[0] if recipient.contacts[0].phone else None
    return min((one for one in recipient.contacts if one.phone), key=lambda one: one.order, default=None)


def message_for(
    rules: Rules,
    order: Order,
    kind: Kind,
    contact: Contact,
    text: str,
    *,
    rung: str,
    now: datetime,
    decision_id: UUID | None = None,
    channel: str | None = None,
    with_link: bool = True,
    due_at: datetime | None = None,
    since: datetime | None = None,
) -> Message:
    """
    One message about an order, with the id that makes a repeat harmless; ``since``: the hour its step counts from, for
    the same step from another hour is no repeat.
    """
    way = channel or rules.first_channel
    own = _own(order, contact, kind, way, rung if since is None else f"{rung}@{since.isoformat()}")
    return Message(
        **{**own, "link_id": own["link_id"] if with_link else None},
        kind=kind,
        channel=way,
        lane=LANES[kind],
        text=text,
        due_at=due_at or rules.wall.now(),
        put_at=now,
        episode_id=order.episode_id,
        decision_id=decision_id,
        rung=rung,
    )


def _own(order: Order, contact: Contact, kind: Kind, way: str, rung: str) -> dict[str, Any]:
    """What a message about one order has that another of the same decision has not, the text aside."""
    return {
        "id": message_id(order.id, revision=order.revision, kind=kind, rung=rung, channel=way, contact=contact.id),
        "to": contact.phone,
        "area": order.area,
        "order_id": order.id,
        "contact_id": contact.id,
        "link_id": link_id(order.id, contact.id),
        "revision": order.revision,
    }


def open_link(tx: Tx, token: str, *, now: datetime) -> Opened:
    """
    What the link shows; opening it changes nothing.

    :raises Missing: no such link, or it was revoked
    """
    link = tx.link_for(token_sha256(token))
    if link.revoked_at is not None:
        raise Missing("the link was revoked")
    order = tx.order(link.order_id)
    recipient = tx.recipient(order.recipient_id)
    contact = next((one for one in recipient.contacts if one.id == link.contact_id), None)
    return Opened(order, tx.revision(order.id, order.revision), recipient, contact, expired=link.expires_at <= now)


def ruling_id(order_id: UUID, revision: int) -> UUID:
    """The task to rule on an objection that was made to this revision."""
    return uuid5(order_id, f"ruling:{revision}")


def rule_on(tx: Tx, rules: Rules, order_id: UUID, *, exempt: bool, because: str, by: Person, now: datetime) -> Order:
    """
    An officer's ruling on an objection: exempted, or upheld and to be answered again.

    :raises NotAllowed: the person may not rule here
    :raises Refused: no reason was given
    """
    order = tx.order(order_id)
    ask(by, Act.RULE, order.area)
    if not because.strip():
        raise Refused("a ruling needs its reason", zh="请写明裁定理由")
    ruled = orders.rule(order, exempt=exempt)
    if not exempt:
        ruled = ladder.upheld(ruled, rules.plan(tx.episode(order.episode_id).plan_id), now=now)
    kept = tx.save(
        ruled, fact="order.exempted" if exempt else "order.upheld", by=by.login, at=now, more={"because": because}
    )
    for revision in range(1, order.revision + 1):  # an objection carries over: it may have been made to an earlier one
        tx.finish_tasks(ruling_id(order.id, revision), by=by, now=now)
    return kept


def note_receipt(
    tx: Tx,
    channel: str,
    receipt: str,
    *,
    message_id: UUID | None,
    says: str,
    civil: datetime,
    wall: datetime,
    provider: str = "",
) -> bool:
    """
    A provider's word about one message; early, late, twice or unknown, it does no harm. Whether it was known.

    ``provider``: who says it, where the channel has several and the same receipt may be the word of either.
    """
    return tx.outbox.note_receipt(
        channel, receipt, message_id=message_id, says=says, civil=civil, wall=wall, provider=provider
    )


def in_force(some: Iterable[Order]) -> list[Order]:
    """Those orders that bind."""
    return [one for one in some if one.status in LIVE]


def figures(prepared: Prepared) -> Mapping[str, Any]:
    """Counts and first names by what happens, for the page that asks for a signature."""
    by_kind: dict[str, list[str]] = {}
    for one in prepared.drawn_up:
        by_kind.setdefault(one.revision.kind, []).append(one.recipient.name)
    return {kind: {"count": len(names), "first": names[:3]} for kind, names in by_kind.items()}
