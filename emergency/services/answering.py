"""Answers back: what a recipient says of an order, kept once; what is plain and comes together is kept together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Event, Lock
from typing import Final
from uuid import UUID

from emergency.domain import ladder, orders
from emergency.domain.episode import Fact, Task, due
from emergency.domain.machine import IllegalMove
from emergency.domain.orders import Action, NothingToDo, Order, SpokenFor, Status, live_at, too_early
from emergency.errors import Conflict, Missing, Refused, Unavailable
from emergency.services.dispatch import CHASED, ruling_id
from emergency.services.links import token_sha256
from emergency.services.rules import Rules
from emergency.store import Store, Tx
from emergency.store.answering import TOGETHER, Asked, Heard, Said
from emergency.store.rulings import RULING

LONGEST: Final = 1000  # characters of a remark that are kept
PATIENCE_S: Final = 30.0  # with whoever is emptying the tray
GATHERS_S: Final = 0.005  # how long those are waited for who came together last time
PLAIN: Final = frozenset({Action.ACKNOWLEDGE, Action.START, Action.SETTLE})
_DEEDS: Final = {
    Action.ACKNOWLEDGE: "order.acknowledged",
    Action.START: "order.started",
    Action.SETTLE: "order.in_place",
    Action.DECLINE: "order.declined",
    Action.RESUME: "order.resumed",
    Action.REPORT: "order.reported",
}


@dataclass(frozen=True)
class Answered:
    """What became of an answer: ``first`` of its kind, ``stale`` when it was given to an older revision."""

    order: Order
    first: bool
    stale: bool
    ended: bool = False
    early: bool = False  # nothing it was said of has begun: it will be asked for in its turn


@dataclass(frozen=True)
class Pressed:
    """An answer as it comes from a phone: the hash of its link's token, and what was pressed of which revision."""

    token_sha256: str
    revision: int
    action: Action
    remark: str
    at: datetime

    @property
    def plain(self) -> bool:
        """Whether it is one of the three words nearly everybody says, with nothing in anybody's own words."""
        return self.action in PLAIN and not self.remark


def answer_by_link(
    tx: Tx, rules: Rules, token: str, *, revision: int, action: Action, remark: str = "", now: datetime
) -> Answered:
    """
    Take the answer of the contact a phone link belongs to, as :func:`answer` does.

    :raises Missing: no such link or revision; the link was taken back or has expired
    :raises NothingToDo: the order was withdrawn or asks nothing of this kind any more
    :raises Refused: «cannot comply» without a reason
    """
    return _by_itself(tx, rules, Pressed(token_sha256(token), revision, action, remark.strip(), now))


def answer(
    tx: Tx,
    rules: Rules,
    order_id: UUID,
    *,
    revision: int,
    action: Action,
    by: str,
    contact_id: UUID | None,
    via: str,
    remark: str = "",
    now: datetime,
    only_of: UUID | None = None,
) -> Answered:
    """
    Take what a recipient says of the revision it was shown; every waiting reminder stops with it.

    An answer to an older revision is kept with that revision and changes nothing; a repeat is kept once.

    :raises Missing: no such order or revision, or the order is not the recipient's ``only_of``
    :raises NothingToDo: the order was withdrawn or asks nothing of this kind any more
    :raises Refused: «cannot comply» without a reason
    """
    order = tx.order(order_id)
    if only_of is not None and order.recipient_id != only_of:
        raise Missing("not an order of theirs")
    said = Said(order_id, revision, action.value, by, contact_id, via, remark.strip(), now)
    return _taken(tx, rules, order, action, said)


def _by_itself(tx: Tx, rules: Rules, pressed: Pressed) -> Answered:
    asked = tx.asked_by(pressed.token_sha256)
    if asked.expires_at <= pressed.at:
        raise Missing("the link has expired")
    return _taken(tx, rules, asked.order, pressed.action, _said_by(asked, pressed))


def _said_by(asked: Asked, pressed: Pressed) -> Said:
    return Said(
        asked.order.id, pressed.revision, pressed.action.value, asked.name, asked.contact_id, "link", pressed.remark,
        pressed.at,
    )  # fmt: skip


def _taken(tx: Tx, rules: Rules, order: Order, action: Action, said: Said) -> Answered:
    """The one way of every answer, whichever door it came by; the order's row is locked."""
    if action not in _DEEDS:
        raise Refused(f"{action.value} is not an answer", zh="无法识别的答复")
    if not 1 <= said.revision <= order.revision:
        raise Missing("no such revision")
    said = replace(said, remark=said.remark[:LONGEST])
    reports = action is Action.REPORT  # two reports in other words are two reports
    if said.revision < order.asks_from:
        new = tx.keep_aside(said, _aside("order.answered_old_revision", order, said), in_these_words=reports)
        return Answered(order, first=new, stale=True)
    if not live_at(order, said.at) and action is not Action.RESUME:  # an answer that meets a lift re-opens nothing
        new = tx.keep_aside(said, _aside("order.answered_ended", order, said), in_these_words=reports)
        return Answered(order, first=new, stale=False, ended=True)
    after, early = _after(order, action, said), too_early(order, action, said.at)
    if after == order and not reports:
        tx.keep_aside(said, _aside("order.answered_again", order, said), cancels=True)
        return Answered(order, first=False, stale=False, early=early)
    if reports and not tx.keep_answer(said, in_these_words=True) and after == order:
        tx.outbox.cancel(order.id, CHASED)
        return Answered(order, first=False, stale=False)
    kept = tx.save_answered(order, after, None if reports else said, _deed(order, action, said))
    if action is Action.DECLINE and order.status is not Status.DECLINED:
        _ask_for_ruling(tx, rules, kept, now=said.at)
    return Answered(kept, first=True, stale=False, early=early)


def _after(order: Order, action: Action, said: Said) -> Order:
    """
    The order as this answer leaves it, what it was chased for included.

    :raises NothingToDo: the order asks nothing of this kind any more
    :raises Refused: «cannot comply» or a report without words
    """
    try:
        return ladder.heard(order, _moved(order, action, said))
    except IllegalMove as found:
        raise (SpokenFor if live_at(order, said.at) else NothingToDo)(str(found)) from found


def _moved(order: Order, action: Action, said: Said) -> Order:
    match action:
        case Action.ACKNOWLEDGE:
            return orders.acknowledge(order, by=said.by, now=said.at)
        case Action.START:
            return orders.start(order, by=said.by, now=said.at)
        case Action.SETTLE:
            return orders.settle(order, by=said.by, now=said.at)
        case Action.REPORT:
            return orders.report(order, by=said.by, words=said.remark, now=said.at)
        case Action.DECLINE:
            return orders.decline(order, by=said.by, because=said.remark, now=said.at)
        case _:
            return orders.resume(order, now=said.at)


def _deed(order: Order, action: Action, said: Said) -> Fact:
    more = {"revision": said.revision, "via": said.via, "remark": said.remark[:200]}
    if too_early(order, action, said.at):  # nothing of it has begun: it was received, and that is all
        return _fact(_DEEDS[Action.ACKNOWLEDGE], order, said, {**more, "action": said.action})
    return _fact(_DEEDS[action], order, said, more)


def _aside(what: str, order: Order, said: Said) -> Fact:
    """The fact of an answer that is kept and moves nothing."""
    more = {"revision": said.revision, "current": order.revision, "action": said.action, "via": said.via}
    return _fact(what, order, said, {**more, "remark": said.remark[:200]})


def _fact(what: str, order: Order, said: Said, more: Mapping[str, object]) -> Fact:
    return Fact(what, str(order.id), said.by, said.at, order.episode_id, order.area, more)


def _ask_for_ruling(tx: Tx, rules: Rules, order: Order, *, now: datetime) -> None:
    plan = rules.plan(tx.episode(order.episode_id).plan_id)
    task = Task(
        id=ruling_id(order.id, order.revision),
        episode_id=order.episode_id,
        area=rules.desk_of(tx, order.area),
        kind=RULING,
        due_at=due(now, plan.ruling_deadline_min),
        words=f"{order.number}: {order.declined_because}"[:300],
    )
    tx.save(task, fact="task.opened", by="system", at=now, more={"order": str(order.id)})


# --- plain answers that come together


class Tray:
    """
    Takes the answers of phones; the plain ones that come at the same time share one transaction.

    Whoever lays one down while nobody empties the tray empties it, and takes with its own whatever lies in it; those
    who come meanwhile wait, and theirs are the next lot, emptied by the first of them. So a lone answer waits for
    nobody, and the more come the fewer commits each of them costs. No answer is told before the transaction that keeps
    it has committed.
    """

    def __init__(self, store: Store, rules: Rules, *, patience_s: float = PATIENCE_S) -> None:
        self._store, self._rules, self._patience_s = store, rules, patience_s
        self._lock = Lock()
        self._lying: list[_Lying] = []
        self._emptying = False
        self._expected, self._gathered = 1, Event()  # as many as were here last time, and that they are

    def take(self, pressed: Pressed) -> Answered:
        """
        Take one answer, as :func:`answer_by_link` does.

        :raises Missing: no such link or revision; the link was taken back or has expired
        :raises NothingToDo: the order was withdrawn or asks nothing of this kind any more
        :raises Refused: «cannot comply» without a reason
        :raises Unavailable: the database did not answer, or whoever empties the tray did not come to an end
        """
        answered = self._laid(_Lying(pressed)) if pressed.plain else None
        return answered or self._store.run(lambda tx: _by_itself(tx, self._rules, pressed))

    def _laid(self, mine: _Lying) -> Answered | None:
        """What became of it in its lot; None when it must be looked at by itself."""
        with self._lock:
            self._lying.append(mine)
            waits, self._emptying = self._emptying, True
            if len(self._lying) >= self._expected:
                self._gathered.set()
        if waits and not mine.called.wait(self._patience_s):
            self._take_back(mine)
        if not mine.over:
            self._gather()
            self._empty()
        return mine.answered

    def _gather(self) -> None:
        """Wait a moment for those who came together last time: under load they come again, alone nobody waits."""
        with self._lock:
            if len(self._lying) >= self._expected:
                return
            self._gathered.clear()
        self._gathered.wait(GATHERS_S)

    def _take_back(self, mine: _Lying) -> None:
        """
        Take one out of the tray that has waited too long, unless it was called just now.

        :raises Unavailable: it was not
        """
        with self._lock:
            if mine.called.is_set():
                return
            self._lying = [one for one in self._lying if one is not mine]
        raise Unavailable(f"the answers before this one were not kept within {self._patience_s:.0f} s")

    def _empty(self) -> None:
        """Take what lies in the tray, then call those whose answers it was and the one who empties it next."""
        with self._lock:
            lot, self._lying = self._lying[:TOGETHER], self._lying[TOGETHER:]
        try:
            self._keep(lot)
        finally:
            with self._lock:
                for one in lot:
                    one.over = True
                called = [*self._lying[:1], *lot]
                self._expected = min(TOGETHER, len(lot) + len(self._lying))
                self._emptying = bool(self._lying)
                for one in called:
                    one.called.set()

    def _keep(self, lot: Sequence[_Lying]) -> None:
        try:
            with self._store.transactions() as tx:
                answered = taken_together(tx, [one.pressed for one in lot])
        except Conflict:  # somebody saved one of these orders in between: each looks for itself
            return
        for one, its in zip(lot, answered, strict=True):
            one.answered = its


@dataclass
class _Lying:
    """An answer in the tray, what became of it, and how its giver is called: when it is over, or to empty the tray."""

    pressed: Pressed
    answered: Answered | None = None
    over: bool = False
    called: Event = field(default_factory=Event)


def taken_together(tx: Tx, some: Sequence[Pressed]) -> list[Answered | None]:
    """
    Take these plain answers in as many statements as one would cost; None for each that must be looked at by itself.

    That is one whose order is locked or has another answer here, whose link is no good, or that was given to an older
    revision or an order that is over: what spoils one of them never costs its neighbours.

    :raises Conflict: an order was saved since it was read; nothing is kept
    """
    asked = tx.asked_together({one.token_sha256 for one in some})
    heard: dict[UUID, Heard] = {}
    answered: list[Answered | None] = []
    for pressed in some:
        found = asked.get(pressed.token_sha256)
        one = None if found is None or found.order.id in heard else _heard(found, pressed)
        if one is None:
            answered.append(None)
            continue
        heard[one.before.id] = one
        early = too_early(one.before, pressed.action, pressed.at)
        answered.append(Answered(one.kept, first=one.moved, stale=False, early=early))
    tx.save_together(list(heard.values()))
    return answered


def _heard(asked: Asked, pressed: Pressed) -> Heard | None:
    """What the press comes to; None where it is not simply the next word, or the same again, of a live order."""
    order, said = asked.order, _said_by(asked, pressed)
    in_time = asked.expires_at > pressed.at
    if not (in_time and live_at(order, pressed.at) and order.asks_from <= pressed.revision <= order.revision):
        return None
    try:
        after = _after(order, pressed.action, said)
    except Refused:
        return None
    same = after == order
    fact = _aside("order.answered_again", order, said) if same else _deed(order, pressed.action, said)
    return Heard(order, after, said, fact)
