"""What an answer costs and what it must keep, whichever door it comes by."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import update

from emergency.domain.binding import stretches
from emergency.domain.episode import Move
from emergency.domain.level import Level
from emergency.domain.messages import Kind, State
from emergency.domain.orders import Action, Order, Status
from emergency.errors import Missing
from emergency.services import answering, dispatch
from emergency.services.answering import Answered
from emergency.store.tables import MessageRow
from tests.statements import asked
from tests.world import CITY, DISTRICT, World


def press(
    world: World, order: Order, action: Action = Action.ACKNOWLEDGE, remark: str = "", contact: int = 0
) -> Answered:
    """The contact presses a button of the phone link."""
    token = world.token(order, contact)
    return world.store.run(
        lambda tx: answering.answer_by_link(
            tx, world.rules, token, revision=order.revision, action=action, remark=remark, now=world.now
        )
    )


def test_one_answer_is_two_statements_on_postgresql_and_five_on_sqlite_and_a_repeat_no_more(world: World) -> None:
    world.activated()
    order = world.an_order()

    with asked(world.store.engine) as first:
        assert press(world, order).first
    with asked(world.store.engine) as again:
        assert not press(world, order).first

    assert len(first) == (2 if world.store.dialect == "postgresql" else 5)
    assert len(again) == (2 if world.store.dialect == "postgresql" else 3), (
        "read under the lock, find it kept already, cancel what waits"
    )


def aside(world: World, order: Order) -> list[tuple[str, str]]:
    """The facts of answers to the order that were kept and moved nothing, each with who gave it."""
    with world.store.reading() as tx:
        said = [json.loads(one) for one in tx.facts_about(str(order.id))]
    return [(one["what"], one["by"]) for one in said if one["what"].startswith("order.answered_")]


def answers(world: World, order: Order) -> int:
    """How many answers to the order are kept."""
    with world.store.reading() as tx:
        return tx.answer_count(order.id)


def test_a_second_contacts_same_answer_has_its_fact_once_and_costs_no_more_than_the_first(world: World) -> None:
    world.activated()
    order = world.an_order()
    first, second = world.recipient(order).contacts[:2]
    press(world, order)

    with asked(world.store.engine) as said:
        assert not press(world, order, contact=1).first
    press(world, order, contact=1)
    press(world, order)

    assert len(said) == (2 if world.store.dialect == "postgresql" else 4)
    assert aside(world, order) == [("order.answered_again", second.name)]
    assert answers(world, order) == 2
    assert world.order(order.id).acknowledged_by == first.name


def test_an_answer_that_meets_a_lift_has_its_fact_once(world: World) -> None:
    world.activated()
    order = world.an_order()
    world.released()
    lifted = world.order(order.id)

    with asked(world.store.engine) as said:
        answered = press(world, lifted)
    press(world, lifted)

    assert (answered.first, answered.ended) == (True, True)
    assert len(said) == (2 if world.store.dialect == "postgresql" else 3)
    assert aside(world, order) == [("order.answered_ended", world.recipient(order).contacts[0].name)]
    assert answers(world, order) == 1
    assert world.order(order.id) == lifted


def test_a_repeat_of_an_answer_to_an_old_revision_is_told_once(world: World) -> None:
    world.activated(Level.YELLOW)
    order = world.an_order("brick_kiln")
    decision = world.bulletin(Level.ORANGE, action="upgrade")
    assert decision is not None
    world.sign(decision, by="lj-approver3")

    stale = [press(world, order).stale for _ in range(2)]

    assert stale == [True, True]
    assert [what for what, _ in aside(world, order)] == ["order.answered_old_revision"]
    assert answers(world, order) == 1


def test_a_report_that_meets_a_lift_is_told_once_for_each_wording(world: World) -> None:
    world.activated()
    unit = next(one for one in world.orders() if world.recipient(one).kind.value == "unit")
    world.released()
    for words in ("巡查 12 家", "巡查 12 家", "巡查 15 家"):
        world.answer(world.order(unit.id), Action.REPORT, remark=words)

    assert [what for what, _ in aside(world, unit)] == ["order.answered_ended"] * 2
    assert answers(world, unit) == 2


def test_an_answer_keeps_its_row_its_line_of_the_journal_and_its_order_once_each(world: World) -> None:
    world.activated()
    order = world.an_order()

    for _ in range(3):
        press(world, order)

    with world.store.reading() as tx:
        assert tx.answer_count(order.id) == 1
        said = [json.loads(one) for one in tx.facts_about(str(order.id))]
    assert [one["what"] for one in said].count("order.acknowledged") == 1
    assert said[-1]["more"] == {"revision": 1, "via": "link", "remark": ""}
    kept = world.order(order.id)
    assert (kept.status, kept.version) == (Status.ACKNOWLEDGED, order.version + 1)
    assert kept.acknowledged_by == world.recipient(order).contacts[0].name
    assert kept.duties == order.duties


def test_an_answer_cancels_the_reminder_that_waits_and_leaves_what_is_under_way(world: World) -> None:
    world.activated()
    order = world.an_order()
    contact = world.recipient(order).contacts[0]
    reminders = [
        dispatch.message_for(world.rules, order, Kind.REMINDER, contact, "请答复", rung=rung, now=world.now)
        for rung in ("first", "second")
    ]
    world.store.run(lambda tx: tx.outbox.put(reminders))
    with world.store.transactions() as tx:
        under_way = update(MessageRow).where(MessageRow.id == reminders[1].id)
        tx.connection.execute(under_way.values(state=State.SENDING.value))

    press(world, order)

    with world.store.reading() as tx:
        assert [tx.message(one.id).state for one in reminders] == [State.CANCELLED, State.SENDING]


def test_a_link_answers_for_its_own_contact_until_it_expires_or_is_taken_back(world: World) -> None:
    world.activated()
    order = world.an_order()
    token = world.token(order)

    for wrong, at in ((token, world.now + timedelta(days=61)), (token[::-1], world.now)):
        with pytest.raises(Missing), world.store.transactions() as tx:
            answering.answer_by_link(tx, world.rules, wrong, revision=1, action=Action.ACKNOWLEDGE, now=at)

    assert world.order(order.id) == order


def test_an_order_is_answered_only_by_its_own_recipient(world: World) -> None:
    world.activated()
    order, other = world.orders()[:2]

    with pytest.raises(Missing), world.store.transactions() as tx:
        answering.answer(
            tx, world.rules, order.id, revision=1, action=Action.ACKNOWLEDGE, by="他人", contact_id=None, via="portal",
            now=world.now, only_of=other.recipient_id,
        )  # fmt: skip

    assert world.order(order.id) == order


def test_the_phone_link_lives_across_revisions_and_the_history_says_until_when_a_dropped_duty_bound(
    world: World,
) -> None:
    world.activated(Level.YELLOW)
    order = world.an_order("brick_kiln")
    world.clock.forward(hours=30)
    decision = world.bulletin(Level.ORANGE, action="upgrade")
    assert decision is not None
    world.sign(decision, by="lj-approver3")
    changed = world.order(order.id)

    assert press(world, changed).first, "the link of the first revision answers the second"
    with world.store.reading() as tx:
        revisions = [tx.revision(order.id, number) for number in (1, 2)]
    gone = [duty for duty in order.duties if duty.key in revisions[1].dropped]
    assert gone
    bound = {(duty.key, duty.text): duty.ends_at for duty in stretches(revisions)}
    assert all(bound[duty.key, duty.text] == revisions[1].effective_at for duty in gone)
    stayed = [duty for duty in changed.duties if duty in order.duties]
    assert all(bound[duty.key, duty.text] is None for duty in stayed)


def test_a_withdrawal_before_effect_cancels_what_waits_and_withdraws_every_order(world: World) -> None:
    suggested = world.forecast(230, 240, 190)[0]
    world.decide(suggested)

    world.decide(world.propose(Move.WITHDRAW, Level.NONE, reason="预报有误"))

    episode = world.episode(CITY)
    assert {one.status for one in world.orders(CITY)} == {Status.WITHDRAWN}
    world.deliver()
    kinds = {one.kind for one in world.phone.sent if one.episode_id == episode.id and one.order_id}
    assert kinds == {Kind.WITHDRAWAL}, "no order leaves any more"


def rulings(world: World) -> list[str]:
    """What still waits for an officer's ruling."""
    with world.store.reading() as tx:
        return [one.words for one in tx.open_tasks([DISTRICT]) if one.kind == "ruling"]


def test_an_objection_carries_over_a_revision_and_one_ruling_settles_it(world: World) -> None:
    world.activated(Level.YELLOW)
    order = world.an_order("brick_kiln")
    world.answer(order, Action.DECLINE, remark="窑温须三天才能降下来")
    world.clock.forward(hours=1)
    decision = world.bulletin(Level.ORANGE, action="upgrade")
    assert decision is not None
    world.sign(decision, by="lj-approver3")

    changed = world.order(order.id)
    assert (changed.revision, changed.status) == (2, Status.DECLINED)
    assert changed.declined_because == "窑温须三天才能降下来"
    assert changed.next_rung_at is not None, "whether they read what was added is asked all the same"
    assert world.answer(changed).order.next_rung_at is None, "nobody is chased further who waits for a ruling"
    assert len(rulings(world)) == 1
    world.store.run(
        lambda tx: dispatch.rule_on(
            tx, world.rules, order.id, exempt=True, because="分三天降温", by=world.person("lj-duty"), now=world.now
        )
    )
    assert rulings(world) == []
