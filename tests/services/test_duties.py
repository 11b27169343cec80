"""Answers belong to a duty and its start: what was said of it holds through every revision, and no further."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from emergency.domain.binding import stretches
from emergency.domain.level import Level
from emergency.domain.orders import Action, Order, Status, current
from emergency.services import decisions, dispatch
from emergency.store import portal
from emergency.store.bulk import table
from emergency.store.tables import MessageRow, RungRow
from tests.statements import asked
from tests.world import World


def to(world: World, level: Level, action: str, *, hours: float) -> None:
    """The level changes by the city's notice, with effect in so many hours; signed, and on the phones."""
    decision = world.bulletin(level, action=action, effective_at=world.now + timedelta(hours=hours))
    assert decision is not None
    world.sign(decision, by="lj-approver3")
    world.deliver()


def bound(world: World, order: Order) -> dict[str, list[tuple[datetime, datetime | None]]]:
    """From when until when each duty of the order bound, by its key."""
    found: dict[str, list[tuple[datetime, datetime | None]]] = {}
    with world.store.reading() as tx:
        for one in stretches(portal.revisions(tx, order.id)):
            found.setdefault(one.key, []).append((one.starts_at, one.ends_at))
    return found


def texts(world: World, order: Order, kind: str) -> list[str]:
    """What was put for this order, of one kind."""
    lines = select(table(MessageRow)).where(MessageRow.order_id == order.id, MessageRow.kind == kind)
    with world.store.reading() as tx:
        return [row.text for row in tx.connection.execute(lines.order_by(MessageRow.revision))]


def steps(world: World, order: Order) -> list[str]:
    """The steps of the ladder that were taken for it."""
    with world.store.reading() as tx:
        rows = tx.connection.execute(
            select(RungRow.step).where(RungRow.order_id == order.id).order_by(RungRow.due_at)
        )
        return [row.step for row in rows]


def ruled(world: World, order: Order, *, exempt: bool) -> Order:
    return world.store.run(
        lambda tx: dispatch.rule_on(
            tx, world.rules, order.id, exempt=exempt, because="炉窑保温", by=world.person("lj-duty"), now=world.now
        )
    )


def test_what_was_in_place_stays_so_through_two_changes_without_an_answer(world: World) -> None:
    world.activated(Level.YELLOW)
    order = world.an_order()
    world.begun(order)
    world.answer(order, Action.SETTLE)
    to(world, Level.ORANGE, "upgrade", hours=3)
    world.clock.forward(minutes=20)
    to(world, Level.YELLOW, "downgrade", hours=3)

    changed = world.order(order.id)
    answered = world.answer(changed).order
    world.forward(hours=4, step=30)

    assert changed.revision == 3
    assert changed.status is Status.ISSUED, "what changed is to be read"
    assert changed.in_place_by is changed.start_by is None
    assert answered.status is Status.IN_PLACE, "and what was said of it before still holds"
    assert answered.next_rung_at is None
    assert steps(world, order) == []


def test_after_an_upgrade_only_what_it_added_is_owed(world: World) -> None:
    world.activated(Level.YELLOW)
    order = world.an_order()
    world.begun(order)
    world.answer(order, Action.SETTLE)
    to(world, Level.ORANGE, "upgrade", hours=3)

    changed = world.order(order.id)
    added = [one for one in changed.duties if one not in order.duties]
    received = world.answer(changed).order
    world.begun(changed)
    settled = world.answer(changed, Action.SETTLE).order

    assert added
    assert changed.in_place_by == max(one.starts_at for one in added) + timedelta(
        minutes=world.rules.plan("liujiang").numbers["in_place_deadline_min"]
    )
    assert received.status is Status.STARTED, "some of it is"
    assert settled.status is Status.IN_PLACE


def test_a_release_ends_what_a_change_it_overtook_would_have_ended_later(world: World) -> None:
    world.activated(Level.ORANGE)
    order = world.order_of("柳州地区水泥厂")
    world.begun(order)
    to(world, Level.YELLOW, "downgrade", hours=12)
    to(world, Level.NONE, "release", hours=10)

    ends = {end for some in bound(world, order).values() for _, end in some}

    assert ends == {world.order(order.id).lifted_at} == {world.now + timedelta(hours=10)}


@pytest.mark.parametrize("hours", [8, 12])  # before the change that it overtakes, and at the very same hour
def test_what_never_stopped_is_one_stretch_and_keeps_its_answers(world: World, hours: int) -> None:
    world.activated(Level.ORANGE)
    order = world.order_of("柳州地区水泥厂")
    world.begun(order)
    world.answer(order, Action.SETTLE)
    first = {one.key: [(one.starts_at, None)] for one in order.duties}
    to(world, Level.YELLOW, "downgrade", hours=12)
    assert len(world.order(order.id).duties) < len(order.duties)
    to(world, Level.ORANGE, "upgrade", hours=hours)

    again = world.order(order.id)

    assert bound(world, order) == first
    assert {one.key: one.starts_at for one in again.duties} == {key: some[0][0] for key, some in first.items()}
    assert world.answer(again).order.status is Status.IN_PLACE
    assert "继续执行：" in texts(world, order, "revision")[-1]


def test_what_ends_sooner_than_was_told_is_told_anew(world: World) -> None:
    world.activated(Level.RED)
    order = world.order_of("柳州地区水泥厂")
    world.begun(order)
    to(world, Level.ORANGE, "downgrade", hours=12)
    gone = [one for one in order.duties if one.key not in {each.key for each in world.order(order.id).duties}]
    to(world, Level.YELLOW, "downgrade", hours=8)

    with world.store.reading() as tx:
        sheet = portal.sheet(tx, order.id)
    assert gone
    assert {one.key for one in gone} <= {one.key for one in sheet.dropped}
    assert all(bound(world, order)[one.key] == [(one.starts_at, world.now + timedelta(hours=8))] for one in gone)
    assert {one.ends_at for one in sheet.dropped if one.key in {each.key for each in gone}} == {
        world.now + timedelta(hours=8)
    }


def test_until_a_release_takes_effect_the_order_is_live(world: World) -> None:
    world.activated(Level.YELLOW)
    order, silent = world.an_order(), world.an_order("brick_kiln")
    world.answer(order)
    to(world, Level.NONE, "release", hours=24)
    world.begun(order, silent)
    world.answer(silent)
    lifted = world.order(order.id)
    answered = world.answer(lifted, Action.SETTLE)
    world.forward(hours=3, step=30)

    assert lifted.status is Status.LIFTED
    assert (answered.ended, answered.order.in_place_at) == (False, world.now - timedelta(hours=3))
    assert steps(world, order) == []
    assert any(one.startswith("start") for one in steps(world, silent)), "what still binds is chased"


def test_when_a_release_has_taken_effect_nothing_is_chased_or_taken(world: World) -> None:
    world.activated(Level.YELLOW)
    order = world.an_order()
    world.answer(order)
    to(world, Level.NONE, "release", hours=2)
    world.forward(hours=30, step=120)

    answered = world.answer(world.order(order.id), Action.SETTLE)

    assert answered.ended
    assert steps(world, order) == []
    assert world.order(order.id).next_rung_at is None


def test_an_objection_to_one_revision_leaves_the_next_to_be_read(world: World) -> None:
    world.activated(Level.YELLOW)
    order = world.an_order()
    world.answer(order, Action.DECLINE, remark="设备不能急停")
    to(world, Level.ORANGE, "upgrade", hours=3)
    world.forward(hours=1, step=10)

    changed = world.order(order.id)
    read = world.answer(changed).order
    world.begun(changed)
    started = world.answer(changed, Action.START).order

    assert changed.status is read.status is started.status is Status.DECLINED
    assert steps(world, order), "whether the added duties were read is asked"
    assert read.acknowledged_at is not None
    assert started.started_at is not None, "it binds until an officer has ruled, so they may say that they do it"
    assert started.next_rung_at is None


def test_an_exemption_holds_for_what_it_was_given_for_and_for_nothing_added(world: World) -> None:
    world.activated(Level.YELLOW)
    order = world.an_order()
    world.answer(order, Action.DECLINE, remark="设备不能急停")
    ruled(world, order, exempt=True)
    to(world, Level.ORANGE, "upgrade", hours=3)
    more = world.order(order.id)
    world.clock.forward(minutes=20)
    to(world, Level.YELLOW, "downgrade", hours=2)

    spared = {one.key for one in order.duties}
    assert {one.key for one in more.duties if one.exempt} == spared
    assert more.status is Status.ISSUED
    assert more.start_by is not None
    assert world.order(order.id).start_by is None, "of what is left nothing binds"


def test_dropping_some_of_what_was_exempted_ends_no_exemption(world: World) -> None:
    world.activated(Level.ORANGE)
    order = world.an_order()
    world.answer(order, Action.DECLINE, remark="设备不能急停")
    ruled(world, order, exempt=True)
    to(world, Level.YELLOW, "downgrade", hours=3)
    world.forward(hours=12, step=60)

    changed = world.order(order.id)

    assert (changed.revision, changed.status) == (2, Status.EXEMPTED)
    assert all(one.exempt for one in changed.duties)
    assert steps(world, order) == []


def test_started_holds_for_what_had_begun_and_the_rest_is_asked_in_its_turn(world: World) -> None:
    world.activated(Level.ORANGE)
    order = world.order_of("柳州地区水泥厂")
    starts = sorted({one.starts_at for one in order.duties})
    world.clock.turn_to(starts[0] + timedelta(minutes=6))
    first = world.answer(order, Action.START).order
    world.forward(hours=6, step=20)

    assert len(starts) > 1
    assert first.status is Status.STARTED
    assert first.next_rung_at is not None
    assert "start_remind" in steps(world, order)


def test_in_place_hours_before_anything_begins_is_received_and_asked_again(world: World) -> None:
    world.activated(Level.YELLOW)
    order = world.an_order()
    early = world.answer(order, Action.SETTLE)
    again = world.answer(order, Action.SETTLE)

    assert early.early
    assert early.first
    assert (early.order.status, early.order.in_place_at) == (Status.ACKNOWLEDGED, None)
    assert (again.early, again.first) == (True, False)
    world.begun(order)
    assert world.answer(order, Action.SETTLE).order.status is Status.IN_PLACE


def test_an_extension_ends_no_change_that_is_still_to_come(world: World) -> None:
    world.activated(Level.ORANGE)
    order = world.order_of("柳州地区水泥厂")
    world.begun(order)
    to(world, Level.YELLOW, "downgrade", hours=12)
    at = world.now + timedelta(hours=12)
    before = bound(world, order)
    world.clock.forward(minutes=20)
    to(world, Level.YELLOW, "extend", hours=0)

    assert bound(world, order) == before
    assert {end for some in before.values() for _, end in some} == {at, None}


def test_two_statements_more_tell_what_stood_however_many_orders_a_change_overtakes(world: World) -> None:
    world.activated(Level.RED)
    to(world, Level.ORANGE, "downgrade", hours=12)
    drawn = []
    for hours in (14, 8):
        decision = world.bulletin(Level.YELLOW, action="downgrade", effective_at=world.now + timedelta(hours=hours))
        assert decision is not None
        with world.store.transactions() as tx, asked(world.store.engine) as statements:
            prepared = dispatch.prepare(tx, world.rules, decision, now=world.now)
        drawn.append((len(statements), len([one for one in prepared.drawn_up if one.stood])))
        world.store.run(
            lambda tx, of=decision: decisions.reject(  # type: ignore[misc]  # one at a time may wait
                tx, of.id, by=world.person("lj-approver3"), because="时间有误", now=world.now
            )
        )

    (apart, none), (overtaking, some) = drawn
    assert (none, overtaking) == (0, apart + 2)
    assert some > 100


def test_a_ruling_outlives_a_change_that_never_came(world: World) -> None:
    world.activated(Level.ORANGE)
    order = world.order_of("柳州地区水泥厂")
    world.begun(order)
    world.answer(order, Action.DECLINE, remark="炉窑保温")
    ruled(world, order, exempt=True)
    world.clock.forward(hours=1)
    to(world, Level.YELLOW, "downgrade", hours=8)
    to(world, Level.ORANGE, "upgrade", hours=2)

    again = world.order(order.id)

    assert again.duties
    assert [one.key for one in again.duties if not one.exempt] == []
    assert (again.start_by, again.in_place_by) == (None, None)


def test_a_duty_that_begins_later_is_chased_by_every_step_again(world: World) -> None:
    world.activated(Level.ORANGE)
    order = world.order_of("柳州地区水泥厂")
    world.answer(order)
    first, *_, last = sorted({one.starts_at for one in order.duties if one.force == "mandatory"})
    world.clock.turn_to(first + timedelta(hours=2))
    world.forward(minutes=61, step=5)
    before = steps(world, order)
    world.answer(order, Action.START)

    world.clock.turn_to(last + timedelta(hours=2))
    world.forward(minutes=125, step=5)  # the desk has had enough in an hour of all that are silent

    assert [one for one in before if one.startswith("start")]
    assert [one for one in steps(world, order)[len(before) :] if one.startswith("start")] == before
    assert len(set(texts(world, order, "reminder"))) == 2, "each names its own hour"


def test_what_is_upheld_is_asked_anew_by_every_step(world: World) -> None:
    world.activated(Level.YELLOW)
    order = world.an_order()
    world.forward(minutes=125, step=5)
    before = steps(world, order)
    world.answer(order, Action.DECLINE, remark="不能停")
    ruled(world, order, exempt=False)

    world.forward(minutes=125, step=5)

    assert "call_list" in before
    assert steps(world, order) == before * 2


def test_what_a_change_still_to_come_will_end_binds_and_is_asked_for_until_then(world: World) -> None:
    world.activated(Level.ORANGE)
    order = world.order_of("柳州地区水泥厂")
    world.answer(order)
    later = max(one.starts_at for one in order.duties if one.force == "mandatory")
    first = min(one.starts_at for one in order.duties if one.force == "mandatory")
    world.clock.turn_to(first + timedelta(hours=1))
    world.answer(order, Action.START)
    to(world, Level.YELLOW, "downgrade", hours=12)  # before the last of them has ended
    gone = {one.key for one in order.duties} - {one.key for one in world.order(order.id).duties}
    world.answer(order)

    mine = world.order(order.id)
    world.forward(hours=14, step=20)

    assert {one.key for one in mine.ending} == gone
    assert all(one.ends_at == first + timedelta(hours=13) for one in mine.ending)
    assert later < first + timedelta(hours=13)
    asked_for = [one for one in steps(world, order) if one.startswith("start")]
    assert asked_for, "what begins before the change takes effect is chased"


def test_what_a_change_has_ended_is_owed_no_more(world: World) -> None:
    world.activated(Level.ORANGE)
    order = world.order_of("柳州地区水泥厂")
    world.answer(order)
    to(world, Level.YELLOW, "downgrade", hours=20)
    ended = world.now + timedelta(hours=20)

    world.clock.turn_to(ended + timedelta(hours=12))
    mine = current(world.order(order.id), world.now)
    kept = world.order(order.id)
    settled = world.answer(kept, Action.SETTLE).order

    assert kept.ending
    assert mine.ending == ()
    assert settled.status is Status.IN_PLACE


def test_a_release_before_a_change_takes_effect_ends_what_the_change_had_dropped(world: World) -> None:
    world.activated(Level.ORANGE)
    order = world.order_of("柳州地区水泥厂")
    to(world, Level.YELLOW, "downgrade", hours=20)
    to(world, Level.NONE, "release", hours=30)

    mine = world.order(order.id)

    assert {one.ends_at for one in mine.ending} == {world.now + timedelta(hours=20)}
    assert {one.ends_at for one in mine.duties} == {world.now + timedelta(hours=30)}
