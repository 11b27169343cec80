"""Chased again after 收到 without 已启动, bundled beyond the hour's number, and never about what was answered."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select

from emergency.domain.level import Level
from emergency.domain.messages import Kind, Lane, State
from emergency.domain.orders import Action, Status
from emergency.services import chasing
from emergency.store.tables import MessageRow
from tests.world import World


def climb(world: World) -> None:
    """One sweep of the ladder."""
    chasing.escalate_overdue(world.store, world.rules, now=world.now)


def reminders(world: World, kind: str, order_id: object) -> list[str]:
    """The steps an order has taken so far whose name begins so."""
    with world.store.reading() as tx:
        order = world.order(order_id)  # type: ignore[arg-type]  # an order's id
        return sorted(
            row.step
            for row in tx.rungs_taken(order.episode_id)
            if row.order_id == order_id and row.step.startswith(kind)
        )


def test_receipt_without_a_start_is_chased_again_once_the_duty_should_have_started(world: World) -> None:
    world.activated()
    order = world.an_order()
    kept = world.answer(order).order
    assert kept.start_by is not None

    world.clock.forward(minutes=(kept.start_by - world.now).total_seconds() / 60 - 1)
    climb(world)
    assert reminders(world, "start", order.id) == []
    world.clock.forward(minutes=2)
    climb(world)
    climb(world)
    assert reminders(world, "start", order.id) == ["start_portal"]
    world.clock.forward(minutes=5)
    climb(world)

    assert reminders(world, "start", order.id) == ["start_portal", "start_remind"]
    with world.store.reading() as tx:
        assert tx.order(order.id).status is Status.ACKNOWLEDGED


def test_an_answer_stops_every_reminder_that_waits_about_the_start(world: World) -> None:
    world.activated()
    order = world.an_order()
    kept = world.answer(order).order
    assert kept.start_by is not None
    world.clock.forward(minutes=(kept.start_by - world.now) / timedelta(minutes=1) + 6)
    climb(world)

    world.answer(order, Action.START)
    with world.store.transactions() as tx:
        taken = [
            one
            for lane in Lane
            for one in tx.outbox.claim("sms", lane, limit=500, now=world.wall.now() + timedelta(hours=1))
        ]

    assert [one for one in taken if one.order_id == order.id and one.kind in (Kind.REMINDER, Kind.ESCALATION)] == []


def test_an_answer_while_its_reminder_is_in_flight_ends_the_chase_and_is_kept(world: World) -> None:
    world.activated()
    order = world.an_order()
    world.clock.forward(minutes=31)
    climb(world)
    with world.store.transactions() as tx:
        flying = [one for lane in Lane for one in tx.outbox.claim("sms", lane, limit=500, now=world.wall.now())]
    assert [one for one in flying if one.order_id == order.id]

    kept = world.answer(order).order
    world.clock.forward(minutes=60)
    climb(world)

    assert kept.status is Status.ACKNOWLEDGED
    assert reminders(world, "", order.id) == ["remind"]


def test_nobody_gets_more_reminders_in_an_hour_than_the_plan_says_and_every_order_has_its_step(world: World) -> None:
    world.activated()
    most = world.rules.plan("liujiang").reminders_per_hour
    before = len(world.phone.sent)

    world.clock.forward(minutes=91)
    climb(world)
    world.wall.forward(minutes=1)
    world.deliver()

    new = [one for one in world.phone.sent[before:] if one.kind in (Kind.REMINDER, Kind.ESCALATION)]
    assert max(Counter(one.to for one in new).values()) == most
    bundle = next(one for one in new if one.to == world.person("lj-duty").phone and one.rung == "bundle")
    silent = [one for one in world.orders() if one.escalated]
    assert len(silent) == len(world.orders()), "each order's step is on record, bundled or not"
    assert f"尚有{len(silent) - most + 1}件" in bundle.text
    assert "/portal" in bundle.text


def test_where_a_step_reaches_nobody_the_desk_that_owns_the_plan_is_told(world: World) -> None:
    world.activated()

    world.forward(minutes=80)

    with world.store.reading() as tx:
        nobody = [one for one in tx.standing_alarms() if one.name.startswith("nobody:")]
    assert nobody
    told = [one.text for one in world.phone.to(world.person("lj-duty").phone) if one.kind is Kind.ALARM]
    assert any("：没有第二联系人，自" in text for text in told)
    assert not any("nobody" in text for text in told), "what a desk in Liuzhou reads is Chinese"


def waiting(world: World) -> set[object]:
    """The orders whose reminder lies in the post."""
    with world.store.reading() as tx:
        asked = select(MessageRow.order_id).where(MessageRow.rung == "remind", MessageRow.state == State.READY.value)
        return set(tx.connection.execute(asked).scalars())


@pytest.mark.parametrize(
    ("level", "action", "hours"),
    [(Level.YELLOW, "extend", 0), (Level.ORANGE, "upgrade", 3), (Level.NONE, "release", 9)],
)
def test_a_signature_calls_off_only_reminders_of_what_it_changes(
    world: World, level: Level, action: str, hours: int
) -> None:
    world.activated()
    world.forward(minutes=25, step=5)
    world.clock.forward(minutes=6)
    world.wall.forward(minutes=6)
    climb(world)
    before = waiting(world)
    assert before

    effective_at = world.now + timedelta(hours=hours)
    end = {} if level is Level.NONE else {"expected_end_at": world.now + timedelta(days=3)}
    decision = world.bulletin(level, action=action, effective_at=effective_at, **end)
    assert decision is not None
    world.sign(decision, by="lj-approver3")

    asked_anew = {one.id for one in world.orders() if one.asks_from == 2}
    assert bool(asked_anew) is (action == "upgrade")
    assert waiting(world) == before - asked_anew
