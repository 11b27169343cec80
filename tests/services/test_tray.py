"""Answers that come together are kept together, each of them once, and none pays for its neighbour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from threading import Event, Thread
from uuid import uuid4

import pytest
from sqlalchemy import insert, select

from emergency import store as stores
from emergency.domain.episode import Fact
from emergency.domain.level import Level
from emergency.domain.messages import Kind, State
from emergency.domain.orders import Action, Order, Status
from emergency.errors import Conflict, Missing, Unavailable
from emergency.services import dispatch
from emergency.services.answering import Answered, Pressed, Tray, taken_together
from emergency.services.links import token_sha256
from emergency.store import Store, Tx, chasing, connect, saving
from emergency.store.answering import Heard, Said
from emergency.store.bulk import table
from emergency.store.tables import AnswerRow, JournalRow, MessageRow
from tests.statements import asked, read_whole
from tests.world import World

WAITING = 300  # messages for others; that they change nothing is seen at any number, and these cost no time


def press(world: World, order: Order, action: Action = Action.ACKNOWLEDGE, contact: int = 0) -> Pressed:
    """What the phone of one contact sends for the order as it stands."""
    return Pressed(token_sha256(world.token(order, contact)), order.revision, action, "", world.now)


def together(world: World, *some: Pressed) -> list[Answered | None]:
    """Take them in one transaction."""
    with world.store.transactions() as tx:
        return taken_together(tx, some)


def reminded(world: World, some: Sequence[Order]) -> None:
    """Put a reminder for each of them in the post."""
    put = [
        dispatch.message_for(
            world.rules, one, Kind.REMINDER, world.recipient(one).contacts[0], "请答复", rung="first", now=world.now
        )
        for one in some
    ]
    world.store.run(lambda tx: tx.outbox.put(put))


def kept(world: World) -> tuple[int, int]:
    """How many answers there are, and how many lines of 收到 in the journal."""
    with world.store.reading() as tx:
        answers = len(tx.connection.execute(select(table(AnswerRow))).all())
        lines = select(table(JournalRow)).where(JournalRow.what == "order.acknowledged")
        return answers, len(tx.connection.execute(lines).all())


def test_five_answers_are_as_many_statements_as_one(world: World) -> None:
    world.activated()
    some = world.orders()[:6]
    reminded(world, some)

    with asked(world.store.engine) as one:
        together(world, press(world, some[0]))
    with asked(world.store.engine) as five:
        answered = together(world, *(press(world, order) for order in some[1:]))

    assert len(one) == len(five) == (2 if world.store.dialect == "postgresql" else 5)
    assert [each.first for each in answered if each] == [True] * 5
    assert kept(world) == (6, 6)
    with world.store.reading() as tx:
        waiting = select(MessageRow.id).where(MessageRow.kind == "reminder", MessageRow.state == State.READY.value)
        assert not tx.connection.execute(waiting).all(), "no answered order is reminded"


def test_an_answer_kept_among_others_is_the_answer_kept_by_itself(world: World) -> None:
    world.activated()
    alone, among, other = world.orders()[:3]
    world.begun(alone, among)

    by_itself = world.answer(alone, Action.START).order
    one, _ = together(world, press(world, among, Action.START), press(world, other))

    assert one is not None
    assert one.order == world.order(among.id)
    own = {
        "id",
        "recipient_id",
        "number",
        "area",
        "duties",
        "acknowledged_by",
        "next_rung_at",
        "start_by",
        "in_place_by",
    }
    same = {name: value for name, value in vars(one.order).items() if name not in own}
    assert same == {name: value for name, value in vars(by_itself).items() if name not in own}
    with world.store.reading() as tx:
        lines = tx.facts_about(str(among.id))
        rows = tx.connection.execute(select(table(JournalRow)).where(JournalRow.about == str(among.id))).all()
    assert len(rows) == len(lines)
    contact = world.recipient(among).contacts[0]
    fact = Fact(
        "order.started", str(among.id), contact.name, world.now, among.episode_id, among.area,
        {"revision": 1, "via": "link", "remark": ""},
    )  # fmt: skip
    last = max(rows, key=lambda row: row.id)
    assert {name: getattr(last, name) for name in saving.journal_row(fact)} == saving.journal_row(fact)


def test_a_repeat_among_others_is_answered_kindly_kept_once_and_stops_the_reminder(world: World) -> None:
    world.activated()
    order, other = world.orders()[:2]
    together(world, press(world, order))
    reminded(world, [order])

    again, first = together(world, press(world, order), press(world, other))

    assert again is not None
    assert first is not None
    assert (again.first, again.stale, first.first) == (False, False, True)
    assert kept(world) == (2, 2)
    assert again.order == world.order(order.id)
    with world.store.reading() as tx:
        waiting = select(MessageRow.id).where(MessageRow.kind == "reminder", MessageRow.state == State.READY.value)
        assert not tx.connection.execute(waiting).all()


def test_a_second_contacts_same_answer_among_others_has_its_fact_once_in_no_more_statements(world: World) -> None:
    world.activated()
    order, other, third = world.orders()[:3]
    together(world, press(world, order))

    with asked(world.store.engine) as said:
        again, first = together(world, press(world, order, contact=1), press(world, other))
    together(world, press(world, order, contact=1), press(world, third))

    assert again is not None
    assert first is not None
    assert (again.first, again.order, first.first) == (False, world.order(order.id), True)
    assert len(said) == (2 if world.store.dialect == "postgresql" else 5)
    with world.store.reading() as tx:
        told = select(table(JournalRow)).where(JournalRow.what == "order.answered_again")
        (line,) = tx.connection.execute(told).all()
    contact = world.recipient(order).contacts[1]
    fact = Fact(
        "order.answered_again", str(order.id), contact.name, world.now, order.episode_id, order.area,
        {"revision": 1, "current": 1, "action": "acknowledge", "via": "link", "remark": ""},
    )  # fmt: skip
    assert {name: getattr(line, name) for name in saving.journal_row(fact)} == saving.journal_row(fact)
    assert kept(world) == (4, 3)


def test_what_spoils_one_answer_costs_its_neighbours_nothing(world: World) -> None:
    world.activated(Level.YELLOW)
    changed = world.an_order("brick_kiln")
    old = press(world, changed)
    decision = world.bulletin(Level.ORANGE, action="upgrade")
    assert decision is not None
    world.sign(decision, by="lj-approver3")
    good, two, late, exempted = [one for one in world.orders() if one.duties and one.id != changed.id][:4]
    world.answer(exempted, Action.DECLINE, remark="窑内有坯")
    world.store.run(
        lambda tx: dispatch.rule_on(
            tx, world.rules, exempted.id, exempt=True, because="保温", by=world.person("lj-duty"), now=world.now
        )
    )
    lot = [
        old,  # of a revision that asks no more
        press(world, good),
        press(world, two),
        press(world, two, Action.START, contact=1),  # another of the same order
        replace(press(world, late), token_sha256=token_sha256("A" * 16)),  # no such link
        replace(press(world, late), at=world.now + timedelta(days=61)),  # it has expired
        press(world, world.order(exempted.id), Action.SETTLE),  # nothing is asked of it
    ]

    answered = together(world, *lot)

    assert [one is not None for one in answered] == [False, True, True, False, False, False, False]
    assert world.order(good.id).status is world.order(two.id).status is Status.ACKNOWLEDGED
    assert world.order(late.id) == late


def test_an_order_that_somebody_holds_is_left_to_itself_and_nobody_waits_for_it(world: World) -> None:
    if world.store.dialect != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    world.activated()
    held, free = world.orders()[:2]

    with world.store.transactions() as tx:
        tx.order(held.id)  # locked until the end
        answered = together(world, press(world, held), press(world, free))

    assert [one is not None for one in answered] == [False, True]


def test_a_lot_that_met_another_save_keeps_nothing_of_itself(world: World) -> None:
    world.activated()
    order, other = world.orders()[:2]
    contact = world.recipient(order).contacts[0]
    heard = []
    for one in (order, other):
        said = Said(one.id, 1, "acknowledge", contact.name, contact.id, "link", "", world.now)
        fact = Fact("order.acknowledged", str(one.id), contact.name, world.now, one.episode_id, one.area)
        heard.append(Heard(one, replace(one, status=Status.ACKNOWLEDGED), said, fact))
    world.answer(other)
    before = kept(world)

    with pytest.raises(Conflict), world.store.transactions() as tx:
        tx.save_together(heard)

    assert kept(world) == before
    assert world.order(order.id) == order


class Contested(Store):
    """A store in which somebody else always saves first when many are saved at once."""

    def __init__(self, store: Store) -> None:
        super().__init__(store._writer, store._reader)
        self.lots = 0

    @contextmanager
    def transactions(self) -> Iterator[Tx]:
        """As ever, until many are to be saved."""
        with super().transactions() as tx:
            tx.save_together = self._too_late  # type: ignore[method-assign]  # the point of it
            yield tx

    def _too_late(self, _some: Sequence[Heard]) -> None:
        self.lots += 1
        raise Conflict("saved by somebody else meanwhile")


def test_where_a_lot_cannot_be_kept_each_answer_is_taken_by_itself(world: World) -> None:
    world.activated()
    order = world.an_order()
    store = Contested(world.store)

    answered = Tray(store, world.rules).take(press(world, order))

    assert store.lots == 1
    assert answered.first
    assert world.order(order.id).status is Status.ACKNOWLEDGED


def test_many_who_press_at_once_are_each_answered_once_and_repeats_kindly(world: World) -> None:
    world.activated()
    some = world.orders()[:12]
    tray = Tray(world.store, world.rules)
    presses = [press(world, one) for one in some for _ in range(3)]

    with ThreadPoolExecutor(12) as threads:
        answered = list(threads.map(tray.take, presses))

    assert Counter(one.first for one in answered) == {True: 12, False: 24}
    assert kept(world) == (12, 12)
    assert {world.order(one.id).status for one in some} == {Status.ACKNOWLEDGED}


def test_an_answer_in_ones_own_words_and_a_bad_link_are_told_through_the_tray_as_ever(world: World) -> None:
    world.activated()
    order = world.an_order()
    tray = Tray(world.store, world.rules)

    declined = tray.take(replace(press(world, order, Action.DECLINE), remark="窑内有坯"))
    with pytest.raises(Missing):
        tray.take(replace(press(world, order), token_sha256=token_sha256("A" * 16)))

    assert declined.first
    assert world.order(order.id).declined_because == "窑内有坯"


class Standing(Store):
    """A store whose first transaction does not begin before it is let."""

    def __init__(self, store: Store, let: Event) -> None:
        super().__init__(store._writer, store._reader)
        self._let = let

    @contextmanager
    def transactions(self) -> Iterator[Tx]:
        """As ever, once it is let."""
        self._let.wait(5)
        with super().transactions() as tx:
            yield tx


def test_who_waits_too_long_behind_others_is_told_so_and_nothing_is_kept_of_it(world: World) -> None:
    world.activated()
    first, second = world.orders()[:2]
    let = Event()
    tray = Tray(Standing(world.store, let), world.rules, patience_s=0.02)
    stuck = Thread(target=tray.take, args=[press(world, first)])
    stuck.start()
    while not tray._emptying:
        pass

    with pytest.raises(Unavailable):
        tray.take(press(world, second))
    let.set()
    stuck.join()

    assert world.order(first.id).status is Status.ACKNOWLEDGED
    assert world.order(second.id) == second
    assert tray.take(press(world, second)).first, "and the tray is as good as new"


def test_what_an_answer_asks_is_found_by_an_index_however_many_messages_wait(world: World) -> None:
    world.activated()
    some = world.orders()[:3]
    reminded(world, some)
    with world.store.transactions() as tx:
        like = dict(tx.connection.execute(select(table(MessageRow)).limit(1)).mappings().one())
        bulk = [{**like, "id": uuid4(), "order_id": uuid4(), "state": "ready"} for _ in range(WAITING)]
        tx.connection.execute(insert(table(MessageRow)), bulk)

    with asked(world.store.engine) as said:
        together(world, press(world, some[0]), press(world, some[1]))
        world.answer(some[2], Action.START)

    assert read_whole(world.store.engine, said) == []
    assert read_whole(world.store.engine, [("SELECT id FROM messages WHERE rung = 'x'", ())]) == ["messages"]


def test_another_process_that_writes_is_waited_for_and_not_for_ever(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    if world.store.dialect != "sqlite":
        pytest.skip("PostgreSQL has many writers at a time")
    world.activated()
    order = world.an_order()
    other = connect(str(world.store.engine.url))  # as in another process: it knows nothing of our queue
    monkeypatch.setattr(stores, "PATIENCE_S", 0.05)

    with other.transactions(), pytest.raises(Unavailable):
        world.answer(order)

    assert world.answer(order).first
    other.dispose()


def test_how_many_reminders_an_address_was_given_is_found_by_an_index(world: World) -> None:
    world.activated()
    some = world.orders()[:3]
    reminded(world, some)
    number = world.recipient(some[0]).contacts[0].phone

    with asked(world.store.engine) as said, world.store.transactions() as tx:
        told = chasing.told_since(tx, {number}, since=world.now - timedelta(hours=1))

    assert told == {number: 1}
    assert read_whole(world.store.engine, said) == []
