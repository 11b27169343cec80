"""Nothing lost, nothing doubled, an answer stops the chase, and a late answer re-opens nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emergency.domain.level import Level
from emergency.domain.messages import ChannelFault, Kind, Lane, Later, Never, State, Uncertain
from emergency.domain.orders import Action, NothingToDo, Status
from emergency.errors import Missing, Refused
from emergency.services import chasing, dispatch
from tests.world import DISTRICT, World


def test_an_answer_stops_the_ladder(world: World) -> None:
    world.activated()
    order = world.an_order()
    world.answer(order)
    number = world.recipient(order).contacts[0].phone
    already = len(world.phone.to(number))

    world.forward(hours=5)

    assert len(world.phone.to(number)) == already
    assert world.order(order.id).escalated == 0


def test_silence_climbs_to_the_second_contact_the_tracker_or_town_and_the_desk(world: World) -> None:
    world.activated()
    order = world.an_order()
    recipient = world.recipient(order)

    world.forward(hours=3)

    with world.store.reading() as tx:
        steps = [row for row in tx.rungs_taken(order.episode_id) if row.order_id == order.id]
    assert [row.notify for row in sorted(steps, key=lambda row: row.taken_at)] == [
        rung.notify for rung in world.rules.plan("liujiang").ladder if rung.deadline == "acknowledge"
    ]
    assert len({row.step for row in steps}) == len(steps)
    assert world.phone.to(recipient.contacts[1].phone), "the second contact was told"
    told = [one.rung for one in world.phone.to(world.person("lj-duty").phone) if one.order_id or one.rung]
    assert told.count("bundle") == 1, "the desk hears of everybody who is silent in one text beyond the hour's number"
    assert "district" in told


def test_a_restart_of_everything_during_a_wait_fires_the_step_once(world: World) -> None:
    world.activated()
    order = world.an_order()
    world.clock.forward(hours=1)

    for _ in range(3):
        chasing.escalate_overdue(world.store, world.rules, now=world.now)

    with world.store.reading() as tx:
        taken = [row for row in tx.rungs_taken(order.episode_id) if row.order_id == order.id]
    assert len(taken) == 1, "steps missed in an outage make one message"


def test_a_months_old_answered_order_wakes_nobody(world: World) -> None:
    world.activated()
    world.acknowledge_all(world.orders())
    already = len(world.phone.sent)

    world.clock.forward(days=120)
    world.sweep()

    chased = [one for one in world.phone.sent[already:] if one.kind in (Kind.REMINDER, Kind.ESCALATION)]
    assert chased == []


def test_an_answer_that_races_a_release_re_opens_nothing(world: World) -> None:
    world.activated()
    order = world.an_order()
    world.released()

    answered = world.answer(order, revision=1, action=Action.ACKNOWLEDGE)

    assert answered.stale or answered.ended
    assert world.order(order.id).status is Status.LIFTED


def test_an_answer_to_an_old_revision_is_kept_there_and_changes_nothing(world: World) -> None:
    world.activated(Level.YELLOW)
    order = world.an_order("brick_kiln")
    decision = world.bulletin(Level.ORANGE, action="upgrade")
    assert decision is not None
    world.sign(decision, by="lj-approver3")

    answered = world.answer(order, revision=1)

    assert answered.stale
    assert world.order(order.id).status is Status.ISSUED
    assert world.order(order.id).next_rung is not None, "the new revision still waits for its own answer"


def test_a_second_different_answer_to_the_same_revision_moves_on(world: World) -> None:
    world.activated()
    order = world.an_order()
    world.begun(order)
    world.answer(order)

    world.answer(order, Action.START)
    kept = world.answer(order, Action.SETTLE)

    assert kept.order.status is Status.IN_PLACE
    assert kept.order.acknowledged_at == world.now


def test_a_repeated_answer_is_answered_kindly_and_kept_once(world: World) -> None:
    world.activated()
    order = world.an_order()

    assert world.answer(order).first
    again = world.answer(order)

    assert not again.first
    with world.store.reading() as tx:
        assert tx.answer_count(order.id) == 1


def test_an_answer_keeps_all_other_facts(world: World) -> None:
    world.activated()
    order = world.an_order()
    world.answer(order, Action.START)
    before = world.order(order.id)

    world.answer(order, by="another contact")

    assert world.order(order.id) == before


def test_an_unknown_revision_is_refused(world: World) -> None:
    world.activated()

    with pytest.raises(Missing):
        world.answer(world.an_order(), revision=9)


def test_a_withdrawn_order_takes_no_answer(world: World) -> None:
    world.activated()
    order = world.an_order()
    decision = world.bulletin(Level.YELLOW, action="withdraw")
    assert decision is not None
    world.sign(decision, by="lj-approver3")

    assert world.answer(order, revision=world.order(order.id).revision).ended
    assert world.order(order.id).status is Status.WITHDRAWN


def test_what_has_not_left_when_the_release_is_signed_is_not_sent(world: World) -> None:
    world.activated(deliver=False)

    world.released()

    kinds = {one.kind.value for one in world.phone.sent if one.order_id is not None}
    assert kinds == {"lifting"}


def test_everybody_live_is_lifted_and_told(world: World) -> None:
    world.activated()
    live = dispatch.in_force(world.orders())

    world.released()

    assert {one.id for one in live} == {one.id for one in world.orders() if one.status is Status.LIFTED}
    lifted = [one.order_id for one in world.phone.sent if one.kind.value == "lifting"]
    assert sorted(map(str, lifted)) == sorted(str(one.id) for one in live)


def test_a_recipient_may_say_it_runs_again(world: World) -> None:
    world.activated()
    order = world.an_order()
    world.released()

    kept = world.answer(world.order(order.id), Action.RESUME)

    assert kept.order.status is Status.RESUMED


def test_a_busy_gateway_is_tried_again_and_a_wrong_number_is_not(world: World) -> None:
    world.phone.fates = [Later("busy", retry_after=60), Never("no such number")]
    world.activated()
    with world.store.reading() as tx:
        counts = tx.outbox.counts(world.episode().id)
    assert counts["ready"] == 1
    assert counts["failed"] == 1

    world.wall.forward(seconds=61)
    world.deliver()

    with world.store.reading() as tx:
        assert tx.outbox.counts(world.episode().id).get("ready", 0) == 0


def test_an_uncertain_send_goes_again_under_the_same_key_and_is_shown_as_such(world: World) -> None:
    world.phone.fates = [Uncertain("cut after the request left")]
    world.activated()
    with world.store.reading() as tx:
        (unsure,) = tx.outbox.ambiguous(world.episode().id)
    world.wall.forward(minutes=10)
    world.deliver()

    assert [one.id for one in world.phone.sent if one.id == unsure] == [unsure]
    with world.store.reading() as tx:
        assert tx.outbox.ambiguous(world.episode().id) == []


def test_a_channels_own_fault_opens_its_breaker_and_costs_no_message(world: World) -> None:
    world.phone.fates = [ChannelFault("401: the key expired")]
    world.activated()

    with world.store.reading() as tx:
        counts = tx.outbox.counts(world.episode().id)
    assert counts.get("failed", 0) == 0
    assert counts["ready"] > 0

    world.wall.forward(minutes=2)
    world.deliver()

    with world.store.reading() as tx:
        counts = tx.outbox.counts(world.episode().id)
    assert counts.get("ready", 0) == 0
    assert counts["sent"] == len(world.orders())


def test_a_message_left_in_sending_by_a_dead_worker_is_sent_by_the_next(world: World) -> None:
    world.activated(deliver=False)
    with world.store.transactions() as tx:
        lost = tx.outbox.claim("sms", Lane.URGENT, limit=5, now=world.wall.now())
    assert len(lost) == 5
    world.deliver()
    assert not {one.id for one in lost} & {one.id for one in world.phone.sent}, "its lease has not run out"

    world.forward(minutes=1)

    sent = [one.id for one in world.phone.sent]
    assert {one.id for one in lost} <= set(sent)
    assert len(sent) == len(set(sent))


def test_what_went_out_again_after_its_sender_died_is_listed_and_what_never_left_twice_is_not(world: World) -> None:
    world.activated(deliver=False)
    with world.store.transactions() as tx:
        held = tx.outbox.claim("sms", Lane.URGENT, limit=3, now=world.wall.now())
    world.wall.forward(seconds=31)

    world.sweep()

    with world.store.reading() as tx:
        twice = tx.outbox.perhaps_twice(world.episode().id)
    of_the_episode = {one.id for one in held if one.episode_id == world.episode().id}
    assert of_the_episode
    assert set(twice) == of_the_episode


def test_a_settle_that_comes_after_reclaim_changes_nothing(world: World) -> None:
    world.activated(deliver=False)
    with world.store.transactions() as tx:
        (slow,) = tx.outbox.claim("sms", Lane.URGENT, limit=1, now=world.wall.now())
    world.forward(minutes=1)
    row = {
        "id": slow.id,
        "attempts": slow.attempts,
        "state": State.FAILED,
        "due_at": world.wall.now(),
        "sent_at": None,
        "receipt": "",
        "because": "too late",
        "ambiguous": False,
        "outcome": "never",
    }

    with world.store.transactions() as tx:
        tx.outbox.settle([row], wall=world.wall.now())

    with world.store.reading() as tx:
        assert tx.message(slow.id).state is State.SENT


def test_receipts_out_of_order_repeated_and_for_unknown_ids_do_no_harm(world: World) -> None:
    world.activated()
    message = next(one for one in world.phone.sent if one.order_id is not None)

    def receive(receipt: str) -> bool:
        return world.store.run(
            lambda tx: dispatch.note_receipt(
                tx, "sms", receipt, message_id=None, says="delivered", civil=world.now, wall=world.wall.now()
            )
        )

    assert receive(f"r-{message.id}")
    assert receive(f"r-{message.id}")
    assert not receive("r-never-heard-of")
    with world.store.reading() as tx:
        kept = tx.message(message.id)
    assert kept.state is State.DELIVERED
    assert kept.delivered_at == world.now


def test_a_receipt_before_the_settle_counts(world: World) -> None:
    world.activated(deliver=False)
    with world.store.transactions() as tx:
        (early,) = tx.outbox.claim("sms", Lane.URGENT, limit=1, now=world.wall.now())

    world.store.run(
        lambda tx: dispatch.note_receipt(
            tx, "sms", "r-early", message_id=early.id, says="delivered", civil=world.now, wall=world.wall.now()
        )
    )
    world.forward(minutes=1)

    assert early.id not in {one.id for one in world.phone.sent}
    with world.store.reading() as tx:
        assert tx.message(early.id).state is State.DELIVERED


def test_one_lane_of_a_channel_has_one_drainer(world: World) -> None:
    world.activated(deliver=False)
    with world.store.transactions() as tx:
        assert tx.outbox.slot("sms", Lane.URGENT, holder="first", now=world.wall.now())
    with world.store.transactions() as tx:
        assert not tx.outbox.slot("sms", Lane.URGENT, holder="second", now=world.wall.now())
        assert tx.outbox.slot("sms", Lane.URGENT, holder="second", now=world.wall.now() + timedelta(seconds=31))


def test_a_phone_link_opens_one_order_and_reading_changes_nothing(world: World) -> None:
    world.activated()
    order = world.an_order()
    token = world.token(order)
    assert len(token) == 16

    with world.store.reading() as tx:
        opened = dispatch.open_link(tx, token, now=world.now)
        expired = dispatch.open_link(tx, token, now=world.now + timedelta(days=61))

    assert (opened.order.id, opened.contact, opened.expired) == (order.id, world.recipient(order).contacts[0], False)
    assert expired.expired
    with pytest.raises(Missing), world.store.reading() as tx:
        dispatch.open_link(tx, token[::-1], now=world.now)


def test_an_objection_opens_a_ruling_with_a_deadline(world: World) -> None:
    world.activated()
    order = world.an_order()
    with pytest.raises(Refused):
        world.answer(order, Action.DECLINE)

    world.answer(order, Action.DECLINE, remark="窑内有坯")

    with world.store.reading() as tx:
        (task,) = [one for one in tx.open_tasks([DISTRICT]) if one.kind == "ruling"]
    assert task.due_at == world.now + timedelta(minutes=world.rules.plan("liujiang").ruling_deadline_min)
    assert world.order(order.id).status is Status.DECLINED


def test_a_reminder_by_hand_reaches_every_contact_and_nobody_who_answered(world: World) -> None:
    world.activated()
    order = world.an_order()

    put = world.store.run(
        lambda tx: chasing.chase(tx, world.rules, order.id, by=world.person("lj-duty"), now=world.now)
    )
    world.deliver()
    world.answer(order)

    assert put == len(world.recipient(order).contacts)
    with pytest.raises(NothingToDo):
        world.store.run(lambda tx: chasing.chase(tx, world.rules, order.id, by=world.person("lj-duty"), now=world.now))


def test_reminders_by_hand_keep_to_the_plans_number_for_an_hour(world: World) -> None:
    world.activated()
    order = world.an_order()
    most = world.rules.plan("liujiang").numbers["reminders_per_hour"]

    def by_hand() -> int:
        world.clock.forward(minutes=2)
        return world.store.run(
            lambda tx: chasing.chase(tx, world.rules, order.id, by=world.person("lj-duty"), now=world.now)
        )

    assert all(by_hand() for _ in range(most))
    with pytest.raises(chasing.HadEnough):
        by_hand()
    world.deliver()

    number = world.recipient(order).contacts[0].phone
    assert len([one for one in world.phone.to(number) if one.kind is Kind.REMINDER]) == most
    world.clock.forward(hours=1)
    assert by_hand()


def test_a_reminder_waiting_in_the_post_is_cancelled_by_the_answer(world: World) -> None:
    world.activated()
    order = world.an_order()
    world.clock.forward(minutes=61)
    chasing.escalate_overdue(world.store, world.rules, now=world.now)

    world.answer(order)
    world.deliver()

    chased = [
        one for one in world.phone.sent if one.order_id == order.id and one.kind.value in ("reminder", "escalation")
    ]
    assert chased == []


def test_the_number_to_call_is_never_cut_off(world: World) -> None:
    world.activated()
    world.forward(hours=2)
    number = world.person("lj-duty").phone

    texts = [one.text for one in world.phone.sent if one.order_id is not None]
    assert texts
    assert all(text.rstrip().endswith(number) or number in text for text in texts)


def test_a_breaker_closes_when_the_channel_takes_a_message_again(world: World) -> None:
    world.phone.fates = [ChannelFault("401: the key expired")]
    world.activated()
    with world.store.reading() as tx:
        assert tx.outbox.broken(now=world.wall.now()) == {"sms": "401: the key expired"}
        assert [one.name for one in tx.standing_alarms()] == ["channel:sms"]

    world.wall.forward(minutes=2)
    world.deliver()

    with world.store.reading() as tx:
        assert tx.outbox.broken(now=world.wall.now()) == {}
        assert tx.standing_alarms() == []


def test_a_channels_own_fault_uses_up_no_attempt(world: World) -> None:
    world.activated(deliver=False)
    for _ in range(20):
        world.phone.fates = [ChannelFault("401: the key expired")]
        world.deliver()
        world.wall.forward(minutes=2)
    world.deliver()

    with world.store.reading() as tx:
        counts = tx.outbox.counts(world.episode().id)
    assert counts.get("failed", 0) == 0
    assert counts["sent"] == len(world.orders())


def test_an_alarm_is_told_to_the_desks_once_while_it_lasts(world: World) -> None:
    world.store.run(
        lambda tx: tx.keep_feed(
            "bureau",
            kind="forecast",
            every_s=600,
            tried_at=world.wall.now(),
            talked_at=world.wall.now(),
            failures=0,
            because="",
        )
    )
    world.forward(hours=2, step=30)

    told = [one for one in world.phone.sent if one.kind.value == "alarm"]
    assert {one.to for one in told} == {world.person(login).phone for login in ("city-duty", "lj-duty")}
    assert len(told) == 2
    assert "bureau" in told[0].text


def test_a_units_daily_report_is_kept_each_day_and_changes_no_status(world: World) -> None:
    world.activated()
    order = next(one for one in world.orders() if world.recipient(one).kind.value == "unit")
    with pytest.raises(Refused):
        world.answer(order, Action.REPORT, remark=" ")

    world.answer(order, Action.REPORT, remark="检查工地12处，整改2处")
    world.answer(order, Action.REPORT, remark="检查工地12处，整改2处")
    world.forward(hours=24, step=720)
    world.answer(world.order(order.id), Action.REPORT, remark="检查工地9处，未见问题")

    kept = world.order(order.id)
    assert (kept.status, kept.next_rung) == (Status.ACKNOWLEDGED, None)
    with world.store.reading() as tx:
        assert tx.answer_count(order.id) == 2
