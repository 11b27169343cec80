"""What should exist and does not is found, mended once where it can be, and named where it cannot."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from emergency.domain.amending import Amendment, Change, Scope, own_key
from emergency.domain.level import Level
from emergency.domain.messages import Kind, Lane
from emergency.domain.orders import Order
from emergency.services import amending, auditing, chasing, dispatch, watch
from emergency.store import desk
from tests.statements import asked
from tests.world import DISTRICT, World


def audited(world: World) -> list[str]:
    return [
        one.partition(":")[0] for one in auditing.audit(world.store, world.rules, now=world.now, wall=world.wall.now())
    ]


def run(world: World, words: str, **values: object) -> int:
    with world.store.engine.begin() as connection:
        return connection.execute(text(words), values).rowcount


def key(world: World, order: Order) -> object:
    """An id as this database spells it."""
    return order.id.hex if world.store.dialect == "sqlite" else order.id


def looked(world: World) -> list[str]:
    return watch.look(world.store, world.rules, now=world.now, wall=world.wall.now())


def facts(world: World, what: str) -> int:
    with world.store.engine.connect() as connection:
        asked = text("SELECT count(*) FROM journal WHERE what = :what")
        return int(connection.execute(asked, {"what": what}).scalar_one())


def standing(world: World) -> set[str]:
    with world.store.reading() as tx:
        return {one.name.partition(":")[0] for one in tx.standing_alarms()}


def test_a_signed_warning_as_it_should_be_is_no_finding(world: World) -> None:
    world.activated(Level.YELLOW)
    watch.alive(world.store, "escalate", wall=world.wall.now())

    assert audited(world) == []


def test_a_notice_that_was_lost_is_put_again_once_and_told(world: World) -> None:
    world.activated(Level.YELLOW)
    first = world.orders()[0]
    run(world, "DELETE FROM messages WHERE order_id = :id", id=key(world, first))
    before = len(world.phone.sent)

    assert audited(world) == ["repaired"]
    assert audited(world) == []
    world.deliver()

    assert [one.order_id for one in world.phone.sent[before:]] == [first.id]
    assert world.phone.sent[-1].kind is Kind.ORDER
    assert facts(world, "order.notice_repaired") == 1
    assert "repaired" in standing(world)


def test_what_was_mended_stays_on_the_desk_for_an_hour(world: World) -> None:
    world.activated(Level.YELLOW)
    run(world, "DELETE FROM links")
    audited(world)
    world.clock.forward(minutes=50)
    audited(world)
    assert "repaired" in standing(world)

    world.clock.forward(minutes=20)
    audited(world)

    assert "repaired" not in standing(world)
    assert facts(world, "order.link_repaired") > 0


def test_a_cancelled_notice_is_put_again_as_long_as_nobody_answered(world: World) -> None:
    world.activated(Level.YELLOW, deliver=False)
    run(world, "UPDATE messages SET state = 'cancelled' WHERE kind = 'order'")

    assert audited(world) == ["repaired"]
    assert world.deliver() == facts(world, "order.notice_repaired") > 0


def test_an_escalation_whose_first_step_was_lost_is_taken_up_again(world: World) -> None:
    world.activated(Level.YELLOW)
    lost = run(world, "UPDATE orders SET next_rung = NULL, next_rung_at = NULL WHERE status = 'issued'")

    assert lost > 0
    assert audited(world) == ["repaired"]
    world.forward(hours=2)

    assert facts(world, "order.ladder_repaired") == lost
    assert facts(world, "order.escalated") >= lost


def test_an_approved_decision_without_its_orders_is_named(world: World) -> None:
    world.activated(Level.YELLOW)
    for name in ("messages", "links", "answers", "revisions", "orders"):
        run(world, f"DELETE FROM {name}")

    assert audited(world) == ["unissued"]


def test_a_recipient_that_should_have_an_order_and_has_none_is_named(world: World) -> None:
    world.activated(Level.YELLOW)
    lost = world.orders()[0]
    one = key(world, lost)
    for name in ("messages", "links", "revisions"):
        run(world, f"DELETE FROM {name} WHERE order_id = :id", id=one)
    run(world, "DELETE FROM orders WHERE id = :id", id=one)

    assert audited(world) == ["unordered"]


def test_an_order_that_an_upgrade_passed_by_is_named(world: World) -> None:
    world.activated(Level.YELLOW)
    before = world.orders()[0]
    world.forward(minutes=20)
    world.sign(world.bulletin(Level.ORANGE, number="2") or pytest.fail("no proposal"), by="lj-approver3")
    assert audited(world) == []
    after = world.order(before.id)
    one = {"id": key(world, before)}
    run(world, "DELETE FROM messages WHERE order_id = :id AND revision = 2", **one)
    run(world, "DELETE FROM revisions WHERE order_id = :id AND number = 2", **one)
    run(world, "UPDATE orders SET revision = 1, asks_from = 1 WHERE id = :id", **one)

    assert after.revision == 2
    assert audited(world) == ["unrevised"]


def test_an_adjustment_that_concerns_some_passes_nobody_by(world: World) -> None:
    world.activated(Level.YELLOW)
    world.forward(minutes=20)
    words = "夜间停止装卸"
    kilns = Amendment(Scope.SECTOR, Change.ADD, own_key(words), ("brick_kiln",), words, check="photo_in_window")
    by, now = world.person("lj-duty"), world.now
    decision = world.store.run(
        lambda tx: amending.propose(
            tx, world.rules, area=DISTRICT, by=by, changes=[kilns], reason="夜间静稳", now=now
        )
    )
    world.sign(decision, by="lj-approver3")

    assert {one.revision for one in world.orders()} == {1, 2}
    assert audited(world) == []


@pytest.mark.parametrize("end", ["release", "withdraw"])
def test_an_end_that_nobody_was_told_of_is_told_once(world: World, end: str) -> None:
    world.activated(Level.YELLOW)
    world.forward(minutes=20)
    how = {"effective_at": world.now} if end == "release" else {}
    decision = world.bulletin(Level.NONE, action=end, **how)
    world.sign(decision or pytest.fail("no proposal"), by="lj-approver3")
    lost = run(world, "DELETE FROM messages WHERE kind IN ('lifting', 'withdrawal')")
    world.deliver()
    before = len(world.phone.sent)

    assert audited(world) == ["repaired"]
    assert audited(world) == []
    world.deliver()

    told = [one for one in world.phone.sent[before:] if one.order_id is not None]
    assert len(told) == lost > 0
    assert {one.kind for one in told} == {Kind.LIFTING if end == "release" else Kind.WITHDRAWAL}


def test_an_end_of_long_ago_is_told_to_nobody_out_of_the_blue(world: World) -> None:
    world.activated(Level.YELLOW)
    world.released()
    run(world, "DELETE FROM messages WHERE kind = 'lifting'")
    world.clock.forward(hours=25)

    assert "repaired" not in audited(world)


def test_what_an_answered_order_still_owes_is_chased_though_its_next_step_was_lost(world: World) -> None:
    world.activated(Level.YELLOW)
    order = world.an_order("brick_kiln")
    world.answer(order)
    assert world.order(order.id).start_by is not None
    run(world, "UPDATE orders SET next_rung = NULL, next_rung_at = NULL WHERE id = :id", id=key(world, order))

    assert audited(world) == ["repaired"]
    assert audited(world) == []

    after = world.order(order.id)
    assert after.next_rung_at is not None
    assert after.start_by is not None
    assert after.next_rung_at >= after.start_by


def test_an_order_whose_steps_were_all_taken_is_left_alone(world: World) -> None:
    world.activated(Level.YELLOW)
    order = world.an_order("brick_kiln")
    world.answer(order)
    world.clock.forward(hours=30)
    for _ in range(3):
        chasing.escalate_overdue(world.store, world.rules, now=world.now)
    assert world.order(order.id).next_rung_at is None
    watch.alive(world.store, "escalate", wall=world.wall.now())

    assert "repaired" not in audited(world)


def test_orders_that_live_on_after_the_release_are_named(world: World) -> None:
    world.activated(Level.YELLOW)
    world.released()
    run(world, "UPDATE orders SET status = 'acknowledged' WHERE status = 'lifted'")

    assert audited(world) == ["unlifted"]


def test_steps_that_are_due_are_named_only_while_their_sweep_says_nothing(world: World) -> None:
    world.activated(Level.YELLOW)
    world.clock.forward(hours=3)
    watch.alive(world.store, "escalate", wall=world.wall.now())
    assert "steps" not in audited(world)

    world.wall.forward(minutes=2)

    assert "steps" in audited(world)


def test_a_lane_that_nobody_drains_is_named_and_one_that_is_held_is_not(world: World) -> None:
    world.activated(Level.YELLOW, deliver=False)
    world.wall.forward(minutes=2)
    with world.store.transactions() as tx:
        assert all(tx.outbox.slot("sms", lane, holder="somebody", now=world.wall.now()) for lane in Lane)
    assert audited(world) == []

    world.wall.forward(minutes=2)
    watch.alive(world.store, "escalate", wall=world.wall.now())

    assert audited(world) == ["unattended"]
    world.deliver()
    audited(world)
    assert "unattended" not in standing(world)


def test_what_a_dead_sender_holds_is_named_when_no_sweep_takes_it_back(world: World) -> None:
    world.activated(Level.YELLOW, deliver=False)
    world.store.run(lambda tx: tx.outbox.claim("sms", Lane.URGENT, limit=3, now=world.wall.now()))
    world.wall.forward(minutes=2)

    assert "leases" in audited(world)


def test_the_auditors_silence_is_an_alarm_and_its_word_ends_it(world: World) -> None:
    audited(world)
    for _ in range(5):
        world.wall.forward(minutes=1)
        told = looked(world)
    assert "quiet:audit" in told

    audited(world)
    looked(world)

    assert "quiet" not in standing(world)


def test_an_auditor_that_never_came_is_missed_too(world: World) -> None:
    told = []
    for _ in range(6):
        told += looked(world)
        world.wall.forward(minutes=1)

    assert "quiet:audit" in told


def test_the_auditor_misses_the_watcher(world: World) -> None:
    looked(world)
    told = []
    for _ in range(6):
        told += audited(world)
        world.wall.forward(minutes=1)

    assert "quiet" in told


def test_after_a_standstill_of_everything_neither_is_blamed_before_its_minute(world: World) -> None:
    looked(world)
    audited(world)
    world.wall.forward(minutes=30)

    assert "quiet:audit" not in looked(world)
    assert "quiet" not in audited(world)


def test_a_stopped_beat_silences_all_three(world: World) -> None:
    audited(world)
    looked(world)
    watch.sweep(world.store, wall=world.wall.now())
    with world.store.reading() as tx:
        assert watch.late(tx.heartbeats(), wall=world.wall.now()) == []
        gone = watch.late(tx.heartbeats(), wall=world.wall.now() + timedelta(minutes=5))

    assert [name for name, _ in gone] == ["sweep", "watch", "audit"]


def test_the_auditor_asks_no_more_when_there_are_more_orders(world: World) -> None:
    world.activated(Level.YELLOW)
    with asked(world.store.engine) as well:
        audited(world)
    run(world, "DELETE FROM messages WHERE order_id IS NOT NULL")
    run(world, "DELETE FROM links")
    with asked(world.store.engine) as mended:
        audited(world)

    with world.store.reading() as tx:
        assert len(tx.orders(world.episode().id)) > 10
        assert {name.partition(":")[0] for name, _, _ in desk.alarms(tx, DISTRICT)} == {"repaired"}
    assert len(mended) < len(well) + 20


def test_where_all_is_well_the_auditor_writes_only_that_it_looked_and_holds_no_lock_meanwhile(world: World) -> None:
    world.activated(Level.YELLOW)
    watch.alive(world.store, "escalate", wall=world.wall.now())

    with asked(world.store.engine) as said:
        audited(world)

    statements = [" ".join(statement.split()) for statement, _ in said]
    begun = next(n for n, one in enumerate(statements) if one.startswith("INSERT INTO heartbeats"))
    assert all(one.startswith("SELECT alarms.") for one in statements[begun + 1 :])


def test_the_auditor_loads_only_those_whom_the_episode_gave_no_order(world: World) -> None:
    world.activated(Level.YELLOW)
    ordered = {one.recipient_id for one in world.orders()}

    with world.store.reading() as tx:
        everybody = {one.id for one in dispatch.recipients_of(tx, DISTRICT)}
        loaded = {one.id for one in dispatch.recipients_of(tx, DISTRICT, unordered_in=world.episode().id)}

    assert ordered
    assert loaded == everybody - ordered
