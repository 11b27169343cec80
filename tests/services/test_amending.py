"""An adjustment inside a level: only those whose measures change hear of it, and it ends with its level."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from emergency.domain.amending import (
    Amendment,
    Change,
    NobodyNamed,
    NoCheck,
    NothingChanges,
    OnlyAmends,
    Scope,
    own_key,
)
from emergency.domain.episode import Decision, Move, Standing
from emergency.domain.level import Level
from emergency.domain.messages import Kind
from emergency.domain.orders import Order, Status
from emergency.domain.people import NotAllowed
from emergency.domain.signing import OwnProposal
from emergency.services import amending, decisions
from emergency.services.amending import NoReason, NoResponse
from emergency.store import Tx
from tests.world import DISTRICT, World

WORDS = "夜间停止原料装卸"
NIGHT = Amendment(Scope.SECTOR, Change.ADD, own_key(WORDS), ("brick_kiln",), WORDS, check="photo_in_window")


@pytest.fixture(autouse=True)
def _in_response(world: World) -> None:
    world.forecast(210, 220, 160)
    world.activated(Level.YELLOW)


def proposed(world: World, *changes: Amendment, by: str = "lj-duty", **how: object) -> Decision:
    """The district's officer puts an adjustment forward."""
    return world.store.run(
        lambda tx: amending.propose(
            tx, world.rules, area=DISTRICT, changes=changes, by=world.person(by), now=world.now,
            **{"reason": "夜间静稳，先停装卸", **how},  # type: ignore[arg-type]  # told by the test
        )
    )


def amended(world: World, *changes: Amendment) -> Decision:
    """Put forward by one and signed by another."""
    return world.sign(proposed(world, *changes), by="lj-approver3")


def kilns(world: World) -> list[Order]:
    """The orders of the brick kilns."""
    return [one for one in world.orders() if world.recipient(one).sector == "brick_kiln"]


def a_duty_of(order: Order) -> str:
    """The key of a measure it has."""
    return order.duties[0].key


def test_only_those_whose_measures_change_get_a_revision_and_everybody_else_hears_nothing(world: World) -> None:
    world.acknowledge_all(world.orders())
    before = {one.id: one for one in world.orders()}
    had = len(world.phone.sent)

    amended(world, NIGHT)
    world.deliver()

    changed = {one.id for one in kilns(world)}
    assert 0 < len(changed) < len(before)
    for one in world.orders():
        if one.id in changed:
            assert (one.revision, one.status) == (before[one.id].revision + 1, Status.ISSUED)
        else:
            assert one == before[one.id]
    told = [one for one in world.phone.sent[had:] if one.order_id is not None]
    assert {one.order_id for one in told} == changed
    assert {one.kind for one in told} == {Kind.REVISION}
    assert all(one.text.startswith(f"新增：1.{WORDS} 取消：无") for one in told)


def test_duties_that_are_not_touched_keep_their_start(world: World) -> None:
    before = kilns(world)[0]
    world.forward(hours=3, step=180)

    amended(world, NIGHT)

    after = world.order(before.id)
    assert after.duties[: len(before.duties)] == before.duties
    assert after.duties[-1].text == WORDS


def test_a_dropped_measure_leads_the_text_and_leaves_the_order(world: World) -> None:
    before = kilns(world)[0]
    key = a_duty_of(before)

    amended(world, Amendment(Scope.RECIPIENTS, Change.DROP, key, (str(before.recipient_id),)))
    world.deliver()

    after = world.order(before.id)
    assert key not in {one.key for one in after.duties}
    text = next(one.text for one in world.phone.sent if one.order_id == before.id and one.kind is Kind.REVISION)
    assert before.duties[0].text[:10] in text.partition("取消：")[2]
    assert all(one.revision == 1 for one in kilns(world) if one.id != before.id)


def test_a_moved_start_is_told_with_the_new_moment_and_nothing_is_said_to_end(world: World) -> None:
    before = kilns(world)[0]
    at = world.now + timedelta(hours=30)

    amended(world, Amendment(Scope.SECTOR, Change.RETIME, a_duty_of(before), ("brick_kiln",), starts_at=at))
    world.deliver()

    assert world.order(before.id).duties[0].starts_at == at
    text = next(one.text for one in world.phone.sent if one.order_id == before.id and one.kind is Kind.REVISION)
    assert text.startswith("新增：1.改自")
    assert "取消：无" in text


def test_reminders_of_those_an_adjustment_does_not_touch_go_on(world: World) -> None:
    with world.store.reading() as tx:
        waiting = {one.id: one.next_rung_at for one in tx.orders(world.episode().id)}

    amended(world, NIGHT)

    changed = {one.id for one in kilns(world)}
    assert all(one.next_rung_at == waiting[one.id] for one in world.orders() if one.id not in changed)


def test_what_has_not_left_yet_for_others_still_leaves(world: World) -> None:
    world.sign(world.bulletin(Level.ORANGE) or pytest.fail("no decision"), by="lj-approver3")  # nothing delivered yet

    amended(world, replace(NIGHT, names=("brick_kiln",)))
    world.deliver()

    silent = [one for one in world.orders() if not [m for m in world.phone.sent if m.order_id == one.id]]
    upgraded = [m for m in world.phone.sent if m.kind in (Kind.REVISION, Kind.INFORMATION)]
    whole = [m for m in world.phone.sent if m.kind is Kind.ORDER and m.revision == 3]  # the upgrade never reached them
    assert not silent
    assert whole
    assert {m.order_id for m in whole} <= {one.id for one in kilns(world)}
    assert {m.order_id for m in upgraded + whole} == {one.id for one in world.orders()}


def test_an_adjustment_lives_on_through_an_extension(world: World) -> None:
    amended(world, NIGHT)
    before = {one.id: one.duties for one in world.orders()}

    decision = world.bulletin(Level.NONE, action="extend", expected_end_at=world.now + timedelta(days=4))
    assert decision is not None
    world.sign(decision, by="lj-approver3")

    assert {one.id: one.duties for one in world.orders()} == before


@pytest.mark.parametrize("stays", [False, True])
def test_a_change_of_level_ends_it_and_says_so_unless_it_was_signed_to_stay(world: World, stays: bool) -> None:
    amended(world, replace(NIGHT, stays=stays))
    kiln = kilns(world)[0]

    decision = world.bulletin(Level.ORANGE)
    assert decision is not None
    world.sign(decision, by="lj-approver3")
    world.deliver()

    assert (NIGHT.key in {one.key for one in world.order(kiln.id).duties}) is stays
    with world.store.reading() as tx:
        dropped = tx.revision(kiln.id, world.order(kiln.id).revision).dropped
    assert (NIGHT.key in dropped) is not stays


def test_those_named_whose_measures_do_not_change_hear_nothing_either(world: World) -> None:
    kiln = kilns(world)[0]

    amended(world, Amendment(Scope.ALL, Change.DROP, a_duty_of(kiln)))

    had = {one.id for one in kilns(world) if one.revision == 2}
    assert kiln.id in had
    assert {one.revision for one in world.orders() if one.id not in had} == {1}


def test_an_announced_end_stays_through_an_adjustment(world: World) -> None:
    ends = world.now + timedelta(days=4)
    longer = world.bulletin(Level.NONE, action="extend", expected_end_at=ends)
    assert longer is not None
    world.sign(longer, by="lj-approver3")

    amended(world, NIGHT)

    assert world.episode().expected_end_at == ends


def test_what_one_adjustment_added_another_takes_back(world: World) -> None:
    before = kilns(world)[0]
    amended(world, NIGHT)
    world.forward(minutes=20)

    amended(world, replace(NIGHT, change=Change.DROP))

    assert world.order(before.id).duties == before.duties
    assert world.order(before.id).revision == 3


def test_whoever_has_nothing_left_to_do_is_told_so(world: World) -> None:
    before = kilns(world)[0]
    all_of_it = [
        Amendment(Scope.RECIPIENTS, Change.DROP, one.key, (str(before.recipient_id),)) for one in before.duties
    ]

    amended(world, *all_of_it)

    after = world.order(before.id)
    assert (after.duties, after.revision, after.status) == ((), 2, Status.ISSUED)


def test_two_people_adjust_and_the_end_stays_as_it_was_announced(world: World) -> None:
    ends = world.episode().expected_end_at
    decision = proposed(world, NIGHT)

    assert decision.standing is Standing.PROPOSED
    assert (decision.move, decision.level) == (Move.AMEND, Level.YELLOW)
    with pytest.raises((OwnProposal, NotAllowed)):
        world.sign(decision, by="lj-duty")
    assert {one.revision for one in world.orders()} == {1}

    world.sign(decision, by="lj-approver3")

    assert world.episode().expected_end_at == ends
    assert world.episode().level is Level.YELLOW


def test_the_preview_counts_those_who_will_hear_of_it_and_nobody_else(world: World) -> None:
    decision = proposed(world, NIGHT)

    with world.store.reading() as tx:
        seen = decisions.preview(tx, world.rules, decision.id, now=world.now)

    assert set(seen.figures) == {"revision"}
    assert seen.figures["revision"]["count"] == len(kilns(world))


def test_a_measure_of_the_book_comes_with_its_words_check_and_delay(world: World) -> None:
    line = next(one for one in world.rules.book["brick_kiln"] if one.level is Level.RED)

    decision = proposed(world, Amendment(Scope.SECTOR, Change.ADD, line.key, ("brick_kiln",)))

    (said,) = decision.amendments
    assert (said["text"], said["check"], said["force"]) == (line.text, line.check, line.force)
    assert (said["starts_at"] is None) == (line.starts_after_minutes == 0)


def test_an_adjustment_that_reaches_nobody_is_refused_by_what_is_wrong_with_it(world: World) -> None:
    with pytest.raises(NothingChanges):
        proposed(world, replace(NIGHT, change=Change.DROP))
    with pytest.raises(NobodyNamed):
        proposed(world, replace(NIGHT, names=("volcanoes",)))
    with pytest.raises(NobodyNamed):
        proposed(world, replace(NIGHT, scope=Scope.RECIPIENTS, names=(str(UUID(int=1)),)))
    with pytest.raises(NoCheck):
        proposed(world, replace(NIGHT, check="somebody looks"))
    with pytest.raises(NoReason):
        proposed(world, NIGHT, reason=" ")
    with pytest.raises(NotAllowed):
        proposed(world, NIGHT, by="lj-reviewer")


def test_no_other_move_changes_single_measures(world: World) -> None:
    def extended(tx: Tx) -> Decision:
        return decisions.propose(
            tx, world.rules, area=DISTRICT, move=Move.EXTEND, level=Level.YELLOW, by=world.person("lj-duty"),
            now=world.now, open_ended=True, override_because="本区要求", amendments=[NIGHT],
        )  # fmt: skip

    with pytest.raises(OnlyAmends):
        world.store.run(extended)


def test_nothing_is_adjusted_where_nothing_runs(world: World) -> None:
    world.released()

    with pytest.raises(NoResponse):
        proposed(world, NIGHT)


def test_the_citys_bulletin_of_an_adjustment_is_filled_in_by_the_officer_and_then_signed(world: World) -> None:
    left = world.bulletin(Level.YELLOW, action="amend", effective_at=world.now)

    assert left is not None
    assert (left.move, left.standing, left.proposed_by) == (Move.AMEND, Standing.SUGGESTED, None)

    decision = proposed(world, NIGHT, decision_id=left.id)
    assert decision.id == left.id
    assert decision.bulletin_id == left.bulletin_id
    world.sign(decision, by="lj-approver3")

    assert all(one.revision == 2 for one in kilns(world))
    assert {one.revision for one in world.orders() if one not in kilns(world)} == {1}


def test_what_they_have_now_is_counted_with_what_an_adjustment_left(world: World) -> None:
    amended(world, NIGHT)

    with world.store.reading() as tx:
        found = amending.standing(tx, world.rules, world.episode(), Scope.SECTOR, ["brick_kiln"])

    assert found.count >= len(kilns(world))
    mine = next(one for one in found.has if one.measure.key == NIGHT.key)
    assert mine.starts_at is not None
    assert not {one.measure.key for one in found.offered} & {one.measure.key for one in found.has}
