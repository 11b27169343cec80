"""A provider's word about a message, at any time and however it is spelt."""

from __future__ import annotations

from uuid import UUID

import pytest

from emergency.domain.letters import RETURNED, NeededNoMore, Verdict
from emergency.domain.level import Level
from emergency.domain.messages import Kind, Lane, Message, Never, State, Uncertain
from emergency.domain.orders import Order
from emergency.domain.receipts import Word, word_of
from emergency.services import dispatch, letters, watch
from emergency.store import chasing
from emergency.store import letters as kept
from emergency.store.letters import Fate, Wanted
from tests.world import DISTRICT, PLACE, World


def says(world: World, word: str, *, receipt: str = "", message_id: UUID | None = None) -> bool:
    """The provider says it."""
    return world.store.run(
        lambda tx: dispatch.note_receipt(
            tx, "sms", receipt, message_id=message_id, says=word, civil=world.now, wall=world.wall.now()
        )
    )


def stands(world: World, message_id: UUID) -> Message:
    """The message as it stands."""
    with world.store.reading() as tx:
        return tx.message(message_id)


def notice(world: World, order: Order) -> Message:
    """The notice the recipient's telephone got first."""
    return next(one for one in world.phone.sent if one.order_id == order.id and one.kind is Kind.ORDER)


def reclaimed(world: World) -> Message:
    """A first notice whose sender died with it, back in the post."""
    world.activated(deliver=False)
    with world.store.transactions() as tx:
        (held,) = tx.outbox.claim("sms", Lane.URGENT, limit=1, now=world.wall.now())
    world.wall.forward(seconds=31)
    watch.sweep(world.store, wall=world.wall.now())
    return held


def fates(world: World, message_id: UUID) -> set[Fate]:
    """On which lists of the page of dead letters it stands."""
    with world.store.reading() as tx:
        return {
            fate
            for fate in Fate
            if message_id in {one.message.id for one in kept.found(tx, Wanted(DISTRICT, fate), limit=500)[0]}
        }


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("delivered", Word.DELIVERED), ("Delivered", Word.DELIVERED), ("DELIVRD", Word.DELIVERED),
        ("UNDELIV", Word.RETURNED), ("failed", Word.RETURNED), ("undelivered", Word.RETURNED),
        ("expired", Word.RETURNED), ("accepted", Word.TAKEN), ("sent", Word.TAKEN),
        ("unknown", None), ("read", None), ("", None),
    ],
)  # fmt: skip
def test_a_status_is_known_by_its_word_however_it_is_spelt(said: str, word: Word | None) -> None:
    assert word_of(said) is word


@pytest.mark.parametrize("word", ["failed", "UNDELIV"])
def test_what_came_back_is_a_dead_letter_and_the_next_step_is_taken_at_once(world: World, word: str) -> None:
    world.activated()
    signing_in = {one.recipient_id for one in PLACE.people}
    order, other = [one for one in world.orders() if one.recipient_id not in signing_in][:2]
    first = notice(world, order)

    world.clock.forward(minutes=2)
    assert says(world, word, receipt=f"r-{first.id}")
    world.sweep()
    world.sweep()

    after = stands(world, first.id)
    assert (after.state, after.because) == (State.FAILED, RETURNED)
    assert fates(world, first.id) == {Fate.FAILED}
    steps = [one.rung for one in world.phone.sent if one.order_id == order.id and one.kind is Kind.REMINDER]
    assert steps == ["remind"]  # there is no account its portal could tell
    assert not [one for one in world.phone.sent if one.order_id == other.id and one.kind is Kind.REMINDER]

    for rung in ("remind", "voice"):  # where no voice is set up it is a text too
        says(world, word, receipt=next(f"r-{one.id}" for one in world.phone.sent if one.rung == rung))
        world.sweep()
        world.sweep()
    with world.store.reading() as tx:
        taken = [row.step for row in tx.rungs_taken(order.episode_id) if row.order_id == order.id]
    assert "second_contact" in taken
    assert "tracker" not in taken


def test_what_came_back_goes_anew_under_another_key(world: World) -> None:
    world.activated()
    first = notice(world, world.orders()[0])
    says(world, "failed", receipt=f"r-{first.id}")

    world.store.run(
        lambda tx: letters.send_again(
            tx, world.rules, first.id, because="已换号", by=world.person("lj-duty"), now=world.now
        )
    )
    world.deliver()

    assert [one.id for one in world.phone.sent].count(first.id) == 1
    assert world.phone.sent[-1].text == first.text
    assert fates(world, first.id) == {Fate.SETTLED}


def test_a_phone_that_has_it_has_it_and_what_came_back_is_not_merely_sent(world: World) -> None:
    world.activated()
    one, two = (notice(world, order) for order in world.orders()[:2])

    for word in ("delivered", "failed", "sent"):
        says(world, word, receipt=f"r-{one.id}")
    for word in ("failed", "sent", "unknown"):
        says(world, word, receipt=f"r-{two.id}")

    assert (stands(world, one.id).state, stands(world, two.id).state) == (State.DELIVERED, State.FAILED)
    says(world, "DELIVRD", receipt=f"r-{two.id}")
    assert stands(world, two.id).state is State.DELIVERED


@pytest.mark.parametrize("word", ["accepted", "sent"])
def test_what_was_taken_back_and_is_said_to_be_taken_is_sent_and_does_not_go_again(world: World, word: str) -> None:
    held = reclaimed(world)

    says(world, word, receipt="r9", message_id=held.id)
    world.deliver()

    after = stands(world, held.id)
    assert (after.state, after.receipt) == (State.SENT, "r9")
    assert held.id not in {one.id for one in world.phone.sent}
    with world.store.reading() as tx:
        assert tx.outbox.ambiguous(world.episode().id) == []


def test_what_gave_up_in_doubt_and_arrived_is_no_dead_letter(world: World) -> None:
    world.phone.fates = [Uncertain("timed out")]
    world.activated()
    with world.store.reading() as tx:
        (doubted,) = tx.outbox.ambiguous(world.episode().id)
    for _ in range(11):
        world.wall.forward(minutes=7)
        world.phone.fates = [Uncertain("timed out")]
        world.deliver()
    assert stands(world, doubted).state is State.FAILED

    says(world, "delivered", receipt="r9", message_id=doubted)

    assert stands(world, doubted).state is State.DELIVERED
    assert fates(world, doubted) == {Fate.SETTLED}


def test_a_receipt_of_one_message_under_the_id_of_another_is_its_own_messages(world: World) -> None:
    world.activated()
    one, two = (notice(world, order) for order in world.orders()[:2])

    assert says(world, "delivered", receipt=f"r-{one.id}", message_id=two.id)

    assert (stands(world, one.id).state, stands(world, two.id).state) == (State.DELIVERED, State.SENT)
    assert stands(world, two.id).receipt == f"r-{two.id}"


def test_a_notice_in_doubt_that_is_superseded_stays_in_doubt_until_somebody_knows(world: World) -> None:
    world.phone.fates = [Uncertain("timed out")]
    world.activated()
    with world.store.reading() as tx:
        (doubted,) = tx.outbox.ambiguous(world.episode().id)
    decision = world.bulletin(Level.ORANGE, action="upgrade")
    assert decision is not None
    world.sign(decision, by="lj-approver3")
    assert stands(world, doubted).state is State.CANCELLED

    with world.store.reading() as tx:
        assert tx.outbox.ambiguous(world.episode().id) == [doubted]
    assert fates(world, doubted) == {Fate.UNCLEAR}
    with pytest.raises(NeededNoMore):
        settle(world, doubted, Verdict.LOST)
    settle(world, doubted, Verdict.ARRIVED)
    assert fates(world, doubted) == {Fate.SETTLED}


def test_the_receipt_of_a_superseded_notice_in_doubt_still_counts(world: World) -> None:
    world.phone.fates = [Uncertain("timed out")]
    world.activated()
    with world.store.reading() as tx:
        (doubted,) = tx.outbox.ambiguous(world.episode().id)
    world.released()

    says(world, "delivered", receipt="r9", message_id=doubted)

    assert stands(world, doubted).state is State.DELIVERED


def settle(world: World, message_id: UUID, verdict: Verdict) -> None:
    """The duty officer has called."""
    world.store.run(
        lambda tx: letters.settle(
            tx, world.rules, message_id, verdict=verdict, because="已去电", by=world.person("lj-duty"), now=world.now
        )
    )


def test_after_a_notice_refused_for_good_the_next_step_is_taken_at_once(world: World) -> None:
    world.activated(deliver=False)
    world.phone.fates = [Never("no such number")]
    world.deliver()
    with world.store.reading() as tx:
        (dead,) = tx.outbox.failed(world.episode().id)
        refused = tx.message(dead).order_id
    assert refused is not None

    world.clock.forward(minutes=2)
    for _ in range(3):
        world.sweep()

    with world.store.reading() as tx:
        assert {row.order_id for row in tx.rungs_taken(world.episode().id)} == {refused}
    letters_of = [one for one in world.phone.sent if one.kind is Kind.REMINDER]
    assert {one.order_id for one in letters_of} == {refused}

    world.store.run(
        lambda tx: letters.settle(
            tx, world.rules, dead, verdict=Verdict.ARRIVED, because="已当面送达", by=world.person("lj-duty"),
            now=world.now,
        )
    )  # fmt: skip
    with world.store.reading() as tx:
        assert chasing.notices(tx, [tx.order(refused)])[refused].returned == frozenset()
