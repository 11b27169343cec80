"""A ruling that nobody gave before its order ended is owed by nobody, and no alarm says it is."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from emergency.domain.episode import Move, Task
from emergency.domain.level import Level
from emergency.domain.machine import IllegalMove
from emergency.domain.orders import Action, Order, Status
from emergency.errors import Conflict
from emergency.services import dispatch
from emergency.store import rulings
from tests.statements import asked
from tests.world import CITY, DISTRICT, World

BECAUSE = "窑内有坯"


def declined(world: World, order: Order) -> Task:
    """The recipient cannot comply; the ruling it asks for."""
    world.answer(order, Action.DECLINE, remark=BECAUSE)
    with world.store.reading() as tx:
        return tx.task(dispatch.ruling_id(order.id, order.revision))


def task(world: World, one: Task) -> Task:
    """The task as it stands."""
    with world.store.reading() as tx:
        return tx.task(one.id)


def alarmed(world: World, one: Task) -> bool:
    """Whether an alarm stands for it."""
    with world.store.reading() as tx:
        return f"task:{one.id}" in [alarm.name for alarm in tx.standing_alarms()]


def told(world: World, one: Task) -> list[tuple[str, str]]:
    """The facts about it, each with who."""
    with world.store.reading() as tx:
        return [(fact["what"], fact["by"]) for fact in map(json.loads, tx.facts_about(str(one.id)))]


@pytest.mark.parametrize(
    ("action", "status", "fact"),
    [("release", Status.LIFTED, rulings.LIFTED), ("withdraw", Status.WITHDRAWN, rulings.WITHDRAWN)],
)
def test_an_overdue_ruling_ends_with_its_order_alarm_and_all(
    world: World, action: str, status: Status, fact: str
) -> None:
    world.activated()
    order = world.an_order()
    ruling = declined(world, order)
    world.clock.forward(minutes=world.rules.plan("liujiang").ruling_deadline_min + 1)
    world.sweep()
    assert alarmed(world, ruling)

    decision = world.bulletin(Level.NONE, action=action, effective_at=world.now)
    assert decision is not None
    world.sign(decision, by="lj-approver3")

    assert world.order(order.id).status is status
    kept = task(world, ruling)
    assert (kept.done_at, kept.done_by) == (world.now, world.person("lj-approver3").id)
    assert not alarmed(world, ruling)
    assert told(world, ruling) == [("task.opened", "system"), (fact, "lj-approver3")]
    with pytest.raises(IllegalMove):
        world.store.run(
            lambda tx: dispatch.rule_on(
                tx, world.rules, order.id, exempt=True, because="同意", by=world.person("lj-duty"), now=world.now
            )
        )


def test_a_ruling_that_was_not_due_yet_never_becomes_an_alarm_after_the_release(world: World) -> None:
    world.activated()
    ruling = declined(world, world.an_order())

    world.released()
    world.clock.forward(minutes=world.rules.plan("liujiang").ruling_deadline_min + 1)
    world.sweep()

    assert task(world, ruling).alarmed_at is None
    assert not alarmed(world, ruling)


def test_where_the_city_does_not_start_the_rulings_of_its_appeal_end(world: World) -> None:
    world.forecast(120, 193, 229)
    world.decide(world.propose(Move.APPEAL, Level.NONE, override_because="先行倡议"))
    ruling = declined(world, world.orders(CITY)[0])

    world.decide(world.propose(Move.DISMISS, Level.NONE, override_because="冷空气提前"))

    assert task(world, ruling).done_at == world.now
    assert told(world, ruling)[-1] == (rulings.LIFTED, "city-approver3")


def test_a_change_of_level_ends_no_ruling_and_a_release_ends_those_of_its_own_episode_only(world: World) -> None:
    world.forecast(120, 193, 229)
    world.decide(world.propose(Move.APPEAL, Level.NONE, override_because="先行倡议"))
    of_the_city = declined(world, world.orders(CITY)[0])
    world.activated(Level.YELLOW)
    ruling = declined(world, world.an_order("brick_kiln"))

    decision = world.bulletin(Level.ORANGE, action="upgrade")
    assert decision is not None
    world.sign(decision, by="lj-approver3")
    assert task(world, ruling).done_at is None
    world.released()

    assert task(world, ruling).done_at == world.now
    assert task(world, of_the_city).done_at is None


def test_a_release_that_is_not_kept_ends_no_ruling(world: World) -> None:
    world.activated()
    ruling = declined(world, world.an_order())
    decision = world.bulletin(Level.NONE, action="release", effective_at=world.now)
    assert decision is not None
    with world.store.reading() as tx:
        prepared = dispatch.prepare(tx, world.rules, decision, now=world.now)
    world.answer(world.orders(DISTRICT)[-1])

    signed = replace(decision, version=decision.version + 1)
    by, episode = world.person("lj-approver3"), world.episode()
    with pytest.raises(Conflict), world.store.transactions() as tx:
        dispatch.revise_all(tx, world.rules, signed, episode, prepared, by=by, now=world.now)

    assert task(world, ruling).done_at is None


def test_three_rulings_end_in_as_many_statements_as_one(world: World) -> None:
    world.activated()
    first, *others = [one for one in world.orders() if one.duties][:4]
    ruling = declined(world, first)
    counts = []
    for rest in ([], others):
        for order in rest:
            declined(world, order)
        with asked(world.store.engine) as said, world.store.transactions() as tx:
            rulings.end(tx, first.episode_id, fact=rulings.LIFTED, by=None, now=world.now)
        counts.append(len(said))

    assert counts == ([3, 2] if world.store.dialect == "postgresql" else [3, 3]), "many lines are copied in unseen"
    later = world.now + timedelta(minutes=1)
    with asked(world.store.engine) as said, world.store.transactions() as tx:
        rulings.end(tx, first.episode_id, fact=rulings.LIFTED, by=None, now=later)
    assert len(said) == 1, "nobody waits any more"
    assert task(world, ruling).done_at == world.now


def test_what_else_the_desk_owes_does_not_end_with_the_orders(world: World) -> None:
    world.decide(world.forecast(210, 220, 160)[0])
    ruling = declined(world, next(one for one in world.orders(CITY) if one.duties))

    world.decide(world.propose(Move.WITHDRAW, Level.NONE, reason="预报有误"))

    with world.store.reading() as tx:
        owed = [one.kind for one in tx.open_tasks([CITY]) if one.episode_id == ruling.episode_id]
    assert task(world, ruling).done_at == world.now
    assert owed.count("upward_report") == 2, "of the start and of the withdrawal"
