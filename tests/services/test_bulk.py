"""Thousands of orders cost hardly more statements than ten, and what is done in bulk keeps every promise."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, insert, select

from emergency.domain.episode import Decision, Fact
from emergency.domain.level import Level
from emergency.domain.machine import IllegalMove
from emergency.domain.messages import Lane
from emergency.domain.orders import Category, Status
from emergency.errors import Conflict, Unavailable
from emergency.services import decisions, dispatch, post
from emergency.store import Store, Tx, connect, listing, saving
from emergency.store.bulk import copy_in, table
from emergency.store.outbox import Outbox
from emergency.store.tables import AttemptRow, JournalRow
from tests.builders import a_recipient
from tests.world import DISTRICT, World


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    """What is sent to the database meanwhile, the beginning of a transaction aside."""
    said: list[str] = []

    def note(_: Any, __: Any, statement: str, *rest: Any) -> None:
        del rest
        if not statement.startswith("BEGIN"):
            said.append(statement)

    engines = {store._writer, store._reader}
    for one in engines:
        event.listen(one, "before_cursor_execute", note)
    try:
        yield said
    finally:
        for one in engines:
            event.remove(one, "before_cursor_execute", note)


@pytest.fixture
def another(databases: Any) -> Iterator[Callable[[], World]]:
    """World after world, each over a database of its own; the one before is over."""
    made: list[Store] = []

    def fresh() -> World:
        for one in made:
            one.dispose()
        made.append(connect(databases.copy()))
        return World(made[-1])

    yield fresh
    for one in made:
        one.dispose()


def with_kilns(world: World, count: int) -> Decision:
    """A proposal of the district that reaches so many kilns more."""
    world.store.run(lambda tx: tx.set_recipients([a_recipient(f"样例窑{n:05d}") for n in range(count)]))
    decision = world.bulletin(Level.YELLOW)
    assert decision is not None
    return decision


def test_a_signature_takes_as_many_statements_for_six_hundred_as_for_sixty(another: Callable[[], World]) -> None:
    counted = []
    for size in (60, 660):
        world = another()
        decision = with_kilns(world, size)
        with statements(world.store) as said:
            world.sign(decision, by="lj-approver3")
        assert len(world.orders()) > size
        counted.append(len(said))

    assert counted[1] - counted[0] <= 3


def test_each_further_order_sent_and_settled_takes_a_twentieth_of_a_statement(another: Callable[[], World]) -> None:
    counted = []
    for size in (60, 660):
        world = another()
        world.phone.connections = 64
        world.sign(with_kilns(world, size), by="lj-approver3")
        with statements(world.store) as said:
            world.deliver()
        assert len([one for one in world.phone.sent if one.order_id]) > size
        counted.append(len(said))

    assert (counted[1] - counted[0]) / 600 <= 0.05


def test_a_signature_given_twice_orders_once(world: World) -> None:
    decision = with_kilns(world, 3)
    signed = world.sign(decision, by="lj-approver3")
    before = world.orders()

    with pytest.raises(IllegalMove):
        world.sign(decision, by="lj-approver3")
    world.deliver()

    assert world.orders() == before
    told = [one.order_id for one in world.phone.sent if one.decision_id == signed.id and one.order_id]
    assert len(told) == len(set(told)) == len(before)


def test_the_same_rows_cannot_be_written_twice(world: World) -> None:
    decision = with_kilns(world, 3)
    by = world.person("lj-approver3")
    with world.store.reading() as tx:
        prepared = dispatch.prepare(tx, world.rules, decision, now=world.now)
    ready = dispatch.written_out(world.rules, decision, prepared, by=by, now=world.now).bundle
    assert ready is not None
    world.sign(decision, by="lj-approver3")

    with pytest.raises(Conflict):
        world.store.run(lambda tx: tx.save_all(ready))
    with pytest.raises(Conflict):
        world.store.run(lambda tx: tx.outbox.put_new(ready.messages))

    assert len(world.orders()) == len(prepared.drawn_up)


def test_what_was_signed_is_what_is_sent_whatever_changes_before_it_leaves(world: World) -> None:
    world.sign(with_kilns(world, 1), by="lj-approver3")
    renamed = replace(a_recipient("样例窑00000"), name="改了名的窑")
    world.store.run(lambda tx: tx.set_recipients([renamed]))

    world.deliver()

    (order,) = [one for one in world.orders() if one.recipient_id == renamed.id]
    (told,) = [one for one in world.phone.sent if one.order_id == order.id]
    assert "样例窑00000" in told.text
    assert "改了名的窑" not in told.text


class Interrupted(Store):
    """A store where somebody answers just before the next transaction begins, once."""

    def __init__(self, store: Store, answer: Any) -> None:
        super().__init__(store._writer, store._reader)
        self._answer, self.tried = answer, 0

    @contextmanager
    def transactions(self) -> Iterator[Tx]:
        """As ever, after the answer."""
        self.tried += 1
        if self.tried == 1:
            self._answer()
        with super().transactions() as tx:
            yield tx


def test_an_answer_that_comes_between_drawing_up_and_signing_is_kept_and_the_orders_are_drawn_up_anew(
    world: World,
) -> None:
    world.activated(Level.YELLOW)
    order = next(one for one in world.orders() if one.duties)
    raised = world.bulletin(Level.ORANGE, action="upgrade")
    assert raised is not None
    store = Interrupted(world.store, lambda: world.answer(order))

    decisions.sign(
        store, world.rules, raised.id, by=world.person("lj-approver2"), content=raised.content_sha, now=world.now
    )

    assert store.tried == 2, "the first signature met the answer and was drawn up again"
    now = world.order(order.id)
    assert (now.revision, now.level) == (2, Level.ORANGE)
    assert now.status in (Status.ISSUED, Status.ACKNOWLEDGED)
    with world.store.reading() as tx:
        assert tx.answered(order.id, 1, "acknowledge", world.recipient(order).contacts[0].name, None)


@pytest.mark.parametrize("change", ["telephone", "category", "left out", "added"])
def test_a_signature_that_meets_another_list_is_drawn_up_again_by_it(world: World, change: str) -> None:
    decision = with_kilns(world, 2)
    first = a_recipient("样例窑00000")
    moved = tuple(replace(one, phone=f"1{one.phone}") for one in first.contacts)
    changed = {
        "telephone": replace(first, contacts=moved),
        "category": replace(first, category=Category.LONG_STOPPED),
        "left out": first,
        "added": a_recipient("样例窑新增"),
    }[change]

    def meanwhile() -> None:
        with world.store.transactions() as tx:
            if change == "left out":
                listing.put(tx, [], [first], now=world.now)
            else:
                tx.set_recipients([changed])

    store = Interrupted(world.store, meanwhile)

    decisions.sign(
        store, world.rules, decision.id, by=world.person("lj-approver3"), content=decision.content_sha, now=world.now
    )

    assert store.tried == 2, "what was drawn up by the list before was not signed"
    world.deliver()
    its = [one for one in world.orders() if one.recipient_id == changed.id]
    assert len(its) == (0 if change in ("category", "left out") else 1)
    assert [one.to for one in world.phone.sent if its and one.order_id == its[0].id] == [
        changed.contacts[0].phone for _ in its
    ]


def test_what_a_sector_shares_is_drawn_up_once_and_says_the_same_for_each(world: World) -> None:
    world.sign(with_kilns(world, 4), by="lj-approver3")

    ids = {a_recipient(f"样例窑{n:05d}").id for n in range(4)}
    kilns = [one for one in world.orders() if one.recipient_id in ids]
    assert len({one.id for one in kilns}) == len({one.number for one in kilns}) == 4
    assert len({one.duties for one in kilns}) == 1
    assert all(one.next_rung == 0 for one in kilns), "silence is chased for each"
    with world.store.reading() as tx:
        revisions = [tx.revision(one.id, 1) for one in kilns]
    assert {one.duties for one in revisions} == {kilns[0].duties}


def test_a_line_written_in_bulk_is_the_line_written_by_itself(world: World) -> None:
    world.sign(with_kilns(world, 4), by="lj-approver3")
    raised = world.bulletin(Level.ORANGE, action="upgrade")
    assert raised is not None
    world.sign(raised, by="lj-approver2")

    journal = table(JournalRow)
    with world.store.reading() as tx:
        asked = select(journal).where(journal.c.what.in_(["order.order", "order.revision"]))
        lines = tx.connection.execute(asked).all()

    assert {line.what for line in lines} == {"order.order", "order.revision"}
    for line in lines:
        said = json.loads(line.entry)
        fact = Fact(
            said["what"], said["about"], said["by"], line.at, line.episode_id, said["area"],
            {**said["more"], "recipient": str(world.order(UUID(said["about"])).recipient_id)},
        )  # fmt: skip
        assert {name: getattr(line, name) for name in saving.journal_row(fact)} == saving.journal_row(fact)


def test_a_lane_with_two_places_has_two_senders_and_no_third(world: World) -> None:
    now = world.wall.now()
    with world.store.transactions() as tx:
        took = [
            tx.outbox.slot("sms", Lane.URGENT, holder=holder, now=now, place=place)
            for holder, place in (("first", 0), ("second", 0), ("second", 1), ("third", 0), ("third", 1))
        ]

    assert took == [True, False, True, False, False]


def test_a_channels_rate_is_one_for_all_its_lanes_and_senders(world: World) -> None:
    now = world.wall.now()
    with world.store.transactions() as tx:
        first, begin = tx.outbox.paced("sms", rate=2, most=500, now=now)
        tx.outbox.pace("sms", until=begin + timedelta(seconds=first / 2))
        second, _ = tx.outbox.paced("sms", rate=2, most=500, now=now)
        third, later = tx.outbox.paced("sms", rate=2, most=500, now=now + timedelta(seconds=1))

    assert (first, second, third) == (10, 0, 2)
    assert later == begin + timedelta(seconds=5), "whoever comes next goes on where the last one ended"


def test_a_channel_with_a_rate_sends_everything(world: World) -> None:
    world.phone.rate = 2000
    world.activated()

    with world.store.reading() as tx:
        counts = tx.outbox.counts(world.episode(DISTRICT).id)
    assert counts.get("ready", 0) == counts.get("sending", 0) == 0
    assert counts["sent"] > 0


class FullDisk(Store):
    """A store that lets messages be claimed and takes no answer."""

    @contextmanager
    def transactions(self) -> Iterator[Tx]:
        """As ever, until something is to be settled."""
        with super().transactions() as tx:
            tx.outbox = Unwritable(tx.connection, lease=self.lease)
            yield tx


class Unwritable(Outbox):
    """An outbox in which no answer can be written down."""

    def settle(self, settled: Any, *, wall: Any) -> None:
        """Refuse."""
        raise Unavailable("the disk is full")


def test_a_sender_whose_answers_cannot_be_written_down_stops_sending(world: World) -> None:
    world.sign(with_kilns(world, 900), by="lj-approver3")
    well, world.store = world.store, FullDisk(world.store._writer, world.store._reader)

    with pytest.raises(Unavailable):
        world.deliver()

    assert len(world.phone.sent) <= post.MOST_UNSETTLED + post.SETTLE_EVERY + world.phone.connections
    world.store = well
    world.forward(minutes=20)
    with world.store.reading() as tx:
        counts = tx.outbox.counts(world.episode().id)
    assert counts.get("ready", 0) == counts.get("sending", 0) == 0, "nothing is lost by it"


def test_what_is_written_in_bulk_reads_as_what_is_written_one_by_one(world: World) -> None:
    now = world.now.replace(microsecond=120)
    row = {
        "message_id": UUID(int=7), "attempt": 1, "outcome": "later", "because": "一\t二\n\\N %s", "at": now,
        "provider": "",
    }  # fmt: skip
    attempts = table(AttemptRow)

    with world.store.transactions() as tx:
        tx.connection.execute(insert(attempts), {**row, "attempt": 1})
        copy_in(tx.connection, attempts, [{**row, "attempt": 2}])
        copy_in(tx.connection, attempts, [{**row, "attempt": 3}, {**row, "attempt": 4, "because": ""}])
        kept = tx.connection.execute(select(attempts).order_by(attempts.c.attempt)).all()
        found = tx.connection.execute(select(attempts.c.attempt).where(attempts.c.at == now)).all()

    alike = [{name: getattr(one, name) for name in row if name != "attempt"} for one in kept]
    assert alike[0] == alike[1] == alike[2] == {**alike[3], "because": row["because"]}
    assert len(found) == 4
