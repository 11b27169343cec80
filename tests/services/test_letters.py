"""Dead letters: sent again or settled by a person with a reason, never past what superseded them, never «delivered»."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import delete, event, or_, select

from emergency.domain import drawing
from emergency.domain.letters import NeededNoMore, OnItsWay, Settled, Verdict
from emergency.domain.messages import MOST_ATTEMPTS, Message, Never, Outcome, Sent, State, Uncertain
from emergency.domain.orders import NothingToDo
from emergency.domain.people import NotAllowed
from emergency.services import letters
from emergency.services.letters import NoReason
from emergency.store import letters as kept
from emergency.store.letters import Fate, Wanted
from emergency.store.tables import JournalRow, MessageRow
from tests.world import DISTRICT, World


def failed(world: World, fate: Outcome, *, messages: int = 1) -> list[Message]:
    """The district activated, the first so many of its notices refused by the gateway."""
    world.phone.fates = [fate] * messages
    world.activated()
    with world.store.reading() as tx:
        return [tx.message(one) for one in tx.outbox.failed(world.episode().id)]


def perhaps_twice(world: World) -> list[Message]:
    """Notices that went out again after an attempt whose fate nobody knows."""
    world.phone.fates = [Uncertain("cut"), Uncertain("cut")]
    world.activated()
    world.wall.forward(minutes=5)
    world.deliver()
    with world.store.reading() as tx:
        return [tx.message(one) for one in tx.outbox.perhaps_twice(world.episode().id)]


def listed(world: World, fate: Fate) -> dict[UUID, kept.Letter]:
    """The district's letters of this fate."""
    with world.store.reading() as tx:
        found, total = kept.found(tx, Wanted(DISTRICT, fate), limit=1000)
        assert total == len(found) == kept.counts(tx, Wanted(DISTRICT))[fate]
    return {one.message.id: one for one in found}


def send_again(world: World, message_id: UUID, because: str = "号码已更正", by: str = "lj-duty") -> None:
    """One letter back in the post."""
    person, now = world.person(by), world.now
    world.store.run(lambda tx: letters.send_again(tx, world.rules, message_id, because=because, by=person, now=now))


def settle(world: World, message_id: UUID, verdict: Verdict, because: str = "电话核实", by: str = "lj-duty") -> None:
    """One letter settled."""
    person, now = world.person(by), world.now
    world.store.run(
        lambda tx: letters.settle(tx, world.rules, message_id, verdict=verdict, because=because, by=person, now=now)
    )


def facts(world: World, what: str) -> list[str]:
    """The journal's lines of this fact, as kept."""
    with world.store.reading() as tx:
        return [row.entry for row in tx.connection.execute(select(JournalRow.entry).where(JournalRow.what == what))]


def test_a_failed_message_can_be_sent_again_by_a_person_who_says_why(world: World) -> None:
    (one,) = failed(world, Never("blocked"))

    send_again(world, one.id)
    world.deliver()

    assert one.id in {sent.id for sent in world.phone.sent}
    assert ["号码已更正" in entry for entry in facts(world, "message.sent_again")] == [True]
    with pytest.raises(NothingToDo):
        send_again(world, one.id)


def test_nothing_is_sent_again_or_settled_without_a_reason_or_by_another_desk(world: World) -> None:
    (one,) = failed(world, Never("blocked"))

    for act in (
        lambda by, why: send_again(world, one.id, why, by),
        lambda by, why: settle(world, one.id, Verdict.ARRIVED, why, by),
    ):
        with pytest.raises(NoReason):
            act("lj-duty", "  ")
        with pytest.raises(NotAllowed):
            act("lj-reviewer", "试试")
    assert list(listed(world, Fate.FAILED)) == [one.id]


def test_what_no_longer_holds_is_not_sent_again(world: World) -> None:
    (one,) = failed(world, Never("blocked"))
    world.released()

    with pytest.raises(NeededNoMore):
        send_again(world, one.id)
    with pytest.raises(NeededNoMore):
        settle(world, one.id, Verdict.LOST)
    settle(world, one.id, Verdict.ASIDE)

    assert listed(world, Fate.FAILED) == {}
    assert list(listed(world, Fate.SETTLED)) == [one.id]


def test_all_of_a_filter_go_again_each_with_its_fact_but_those_nobody_needs(world: World) -> None:
    answered, *_others = failed(world, Never("blocked"), messages=3)
    order = next(one for one in world.orders() if one.id == answered.order_id)
    with world.store.transactions() as tx:
        lifted, _revision = drawing.lift(order, decision_id=order.id, effective_at=world.now, now=world.now)
        tx.save(replace(lifted, revision=order.revision), fact="order.lifting", by="test", at=world.now)

    with world.store.reading() as tx:
        every = kept.every(tx, Wanted(DISTRICT, because="blocked"), desk=DISTRICT)
    done = world.store.run(
        lambda tx: letters.send_all_again(
            tx, world.rules, every, because="网关恢复", by=world.person("lj-duty"), now=world.now
        )
    )

    assert (done.went, done.left) == (2, 1)
    assert len(facts(world, "message.sent_again")) == 2
    assert world.deliver() == 2
    assert set(listed(world, Fate.FAILED)) == {answered.id}


def test_what_may_have_gone_twice_is_listed_apart_until_somebody_settles_it(world: World) -> None:
    twice = perhaps_twice(world)
    assert len(twice) == 2
    assert {one.id for one in twice} == set(listed(world, Fate.UNCLEAR))
    assert listed(world, Fate.FAILED) == {}

    settle(world, twice[0].id, Verdict.ARRIVED)

    assert set(listed(world, Fate.UNCLEAR)) == {twice[1].id}
    (settled,) = listed(world, Fate.SETTLED).values()
    assert (settled.settlements[0].verdict, settled.settlements[0].by) == (Verdict.ARRIVED, "lj-duty")
    assert settled.message.state is State.SENT  # «delivered» stays the provider's word
    assert ['"verdict":"arrived"' in entry for entry in facts(world, "message.settled")] == [True]
    with pytest.raises(Settled):
        settle(world, twice[0].id, Verdict.LOST)


def test_what_did_not_arrive_goes_out_anew_under_a_key_no_provider_knows(world: World) -> None:
    (lost, _other) = perhaps_twice(world)
    before = len(world.phone.to(lost.to))

    settle(world, lost.id, Verdict.LOST)
    world.deliver()

    went = world.phone.to(lost.to)
    assert len(went) == before + 1
    assert went[-1].id != lost.id
    assert (went[-1].text, went[-1].kind, went[-1].order_id) == (lost.text, lost.kind, lost.order_id)


def test_a_providers_receipt_settles_it_too(world: World) -> None:
    (one, _other) = perhaps_twice(world)

    world.store.run(
        lambda tx: tx.outbox.note_receipt(
            "sms", one.receipt, message_id=None, says="delivered", civil=world.now, wall=world.wall.now()
        )
    )

    assert one.id in listed(world, Fate.SETTLED)
    assert one.id not in listed(world, Fate.UNCLEAR)


def test_an_unclear_send_that_still_goes_by_itself_waits_for_its_result(world: World) -> None:
    world.phone.fates = [Uncertain("cut")]
    world.activated()
    (going,) = listed(world, Fate.UNCLEAR)

    with pytest.raises(OnItsWay):
        settle(world, going, Verdict.ARRIVED)


def test_a_send_that_ended_unclear_is_no_plain_failure(world: World) -> None:
    world.phone.fates = [Uncertain("cut")] * MOST_ATTEMPTS
    world.activated(deliver=False)
    with world.store.transactions() as tx:  # one letter, so that all the cuts are its own
        first = world.an_order()
        others = or_(MessageRow.order_id != first.id, MessageRow.order_id.is_(None))
        tx.connection.execute(delete(MessageRow).where(others))
    for _ in range(MOST_ATTEMPTS):
        world.deliver()
        world.wall.forward(minutes=10)

    (one,) = listed(world, Fate.UNCLEAR).values()

    assert one.message.state is State.FAILED
    assert listed(world, Fate.FAILED) == {}
    assert len(one.attempts) == MOST_ATTEMPTS
    assert all(attempt.wait for attempt in one.attempts[:-1])
    assert one.attempts[-1].wait is None
    send_again(world, one.message.id)
    world.phone.fates = [Sent("r")]
    assert world.deliver() == 1


@pytest.mark.parametrize("fate", Fate)
def test_letters_are_found_without_reading_every_message(world: World, fate: Fate) -> None:
    if world.store.dialect != "sqlite":
        pytest.skip("PostgreSQL reads a small table whole, whatever its indexes")
    asked: list[tuple[str, object]] = []

    with world.store.reading() as tx:
        event.listen(tx.connection, "before_cursor_execute", lambda *said: asked.append((said[2], said[3])))
        kept.count(tx, Wanted(DISTRICT), fate)
        statement, values = asked[0]
        plan = [row[3] for row in tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]

    assert plan
    whole = [one for one in plan if one.startswith("SCAN messages") and "ix_messages_state_failed" not in one]
    assert whole == [], plan
