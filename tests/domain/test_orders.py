"""An order asks each recipient for what changes for it, binds answers to a revision, and ends cleanly."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emergency.domain import ladder, orders
from emergency.domain.level import Level
from emergency.domain.machine import IllegalMove
from emergency.domain.orders import LIVE, ORDER, Action, Category, Measure, Status
from emergency.domain.plan import Rung
from emergency.errors import Refused
from tests.builders import A_HIGHER, A_MEASURE, NOW, a_recipient, an_id, drawn_up

RUNGS = (
    Rung("remind", 30, "recipient", ("sms",)),
    Rung("second", 45, "second_contact", ("sms",)),
    Rung("town", 60, "town", ("sms",)),
)


def test_an_order_has_one_id_however_often_it_is_drawn_up() -> None:
    assert drawn_up().order.id == drawn_up(decision="another").order.id


def test_a_duty_starts_when_its_measure_says_and_not_at_issue() -> None:
    one = drawn_up()

    assert one.order.duties[0].starts_at == NOW + timedelta(hours=7, minutes=120)


def test_a_changed_measure_makes_a_revision_that_says_what_is_added_and_dropped() -> None:
    before = orders.acknowledge(drawn_up().order, by="甲", now=NOW)
    one = drawn_up(level=Level.ORANGE, before=before, decision="upgrade")

    assert (one.revision.kind, one.revision.number) == ("revision", 2)
    assert (one.revision.added, one.revision.dropped) == (("stop",), ("half-load",))
    assert one.order.status is Status.ISSUED
    assert one.order.acknowledged_at is None
    assert one.order.asks_from == 2


def test_an_unchanged_measure_makes_a_line_of_information_and_asks_for_no_new_answer() -> None:
    before = orders.acknowledge(drawn_up().order, by="甲", now=NOW)
    one = drawn_up(level=Level.ORANGE, before=before, measures=[A_MEASURE], decision="upgrade")

    assert one.revision.kind == "information"
    assert one.order.status is Status.ACKNOWLEDGED
    assert one.order.asks_from == 1
    assert one.order.duties == before.duties


def test_a_duty_that_stays_keeps_its_start() -> None:
    before = drawn_up().order
    later = NOW + timedelta(days=1)
    both = [A_MEASURE, replace(A_HIGHER, replaces=())]
    one = drawn_up(level=Level.ORANGE, before=before, measures=both, now=later, decision="upgrade")

    assert one.order.duties[0] == before.duties[0]
    assert one.order.duties[1].starts_at == later + timedelta(hours=7, minutes=240)


def test_higher_levels_include_lower_measures_less_what_they_replace() -> None:
    book = {"brick_kiln": [A_MEASURE, Measure("cover", Level.YELLOW, "覆盖物料"), A_HIGHER]}

    assert [one.key for one in orders.measures_for(a_recipient(), Level.YELLOW, book)] == ["half-load", "cover"]
    assert [one.key for one in orders.measures_for(a_recipient(), Level.ORANGE, book)] == ["cover", "stop"]
    assert orders.measures_for(a_recipient(sector="unheard_of"), Level.RED, book) == ()


def test_an_enterprises_own_lines_come_before_its_sectors() -> None:
    own = a_recipient(measures={"yellow": ("1号窑停火",), "red": ("全厂停产",)})

    assert [one.text for one in orders.measures_for(own, Level.ORANGE, {})] == ["1号窑停火"]
    assert [one.text for one in orders.measures_for(own, Level.RED, {})] == ["1号窑停火", "全厂停产"]


def test_a_long_stopped_plant_gets_no_order() -> None:
    assert not orders.eligible(a_recipient(category=Category.LONG_STOPPED), [A_MEASURE])
    assert not orders.eligible(a_recipient(), [])
    assert orders.eligible(a_recipient(), [A_MEASURE])


def test_the_first_answer_counts_and_later_ones_change_nothing() -> None:
    first = orders.acknowledge(drawn_up().order, by="甲", now=NOW)
    second = orders.acknowledge(first, by="乙", now=NOW + timedelta(minutes=5))

    assert second == first
    assert first.acknowledged_by == "甲"


def test_starting_is_having_received_too() -> None:
    started = orders.start(drawn_up().order, by="甲", now=NOW)

    assert started.acknowledged_at == started.started_at == NOW
    assert orders.settle(started, by="甲", now=NOW + timedelta(hours=1)).started_at == NOW


def test_cannot_comply_needs_a_reason_and_binds_until_ruled() -> None:
    with pytest.raises(Refused):
        orders.decline(drawn_up().order, by="甲", because="  ", now=NOW)

    declined = orders.decline(drawn_up().order, by="甲", because="窑内有坯", now=NOW)

    assert declined.status in LIVE
    assert orders.rule(declined, exempt=True).status is Status.EXEMPTED
    assert orders.rule(declined, exempt=False).status is Status.ISSUED


def test_an_objection_carries_over_to_the_next_revision() -> None:
    declined = orders.decline(drawn_up().order, by="甲", because="窑内有坯", now=NOW)
    one = drawn_up(level=Level.ORANGE, before=declined, decision="upgrade")

    assert one.order.status is Status.DECLINED
    assert one.order.declined_because == "窑内有坯"


def test_lifting_ends_every_duty_and_the_chase() -> None:
    order = ladder.set_up(drawn_up().order, RUNGS, since=NOW)
    end = NOW + timedelta(days=2)
    lifted, revision = orders.lift(order, decision_id=an_id("release"), effective_at=end, now=NOW)

    assert lifted.status is Status.LIFTED
    assert [duty.ends_at for duty in lifted.duties] == [end]
    assert lifted.next_rung is None
    assert revision.kind == "lifting"


def test_a_duty_that_never_began_is_not_given_a_negative_stretch() -> None:
    lifted, _ = orders.lift(drawn_up().order, decision_id=an_id("release"), effective_at=NOW, now=NOW)

    assert all(duty.ends_at == duty.starts_at for duty in lifted.duties)


def test_a_lifted_order_is_issued_again_when_the_episode_reopens() -> None:
    lifted, _ = orders.lift(
        orders.acknowledge(drawn_up().order, by="甲", now=NOW), decision_id=an_id("r"), effective_at=NOW, now=NOW
    )
    again = drawn_up(before=lifted, decision="reopen").order

    assert again.status is Status.ISSUED
    assert again.acknowledged_at is None
    assert again.lifted_at is None


def test_the_ladder_takes_each_step_once_and_in_order() -> None:
    order = ladder.set_up(drawn_up().order, RUNGS, since=NOW)
    taken = []
    for minutes in (29, 30, 44, 45, 60, 600):
        order, rung = ladder.climbed(order, RUNGS, now=NOW + timedelta(minutes=minutes))
        taken.append(rung.step if rung else None)

    assert taken == [None, "remind", None, "second", "town", None]
    assert order.next_rung is None


def test_steps_missed_in_an_outage_make_one_message() -> None:
    order = ladder.set_up(drawn_up().order, RUNGS, since=NOW)

    order, rung = ladder.climbed(order, RUNGS, now=NOW + timedelta(minutes=50))

    assert rung is not None
    assert rung.step == "second"
    assert order.next_rung_at == NOW + timedelta(minutes=60)


def test_nobody_who_answered_is_chased() -> None:
    order = orders.acknowledge(ladder.set_up(drawn_up().order, RUNGS, since=NOW), by="甲", now=NOW)

    assert ladder.climbed(order, RUNGS, now=NOW + timedelta(days=90)) == (order, None)


@given(st.lists(st.sampled_from(list(Action)), max_size=12))
def test_whatever_is_done_a_lifted_order_is_never_live_without_being_issued_again(acts: list[Action]) -> None:
    status, reissued = Status.LIFTED, False
    for act in acts:
        try:
            status = ORDER.after(status, act)
        except IllegalMove:
            continue
        reissued = reissued or act is Action.REISSUE

    assert (status in LIVE) <= reissued


def test_a_reopened_order_begins_anew_and_the_lifted_hours_stay_unjudged() -> None:
    lifted, _ = orders.lift(
        drawn_up().order, decision_id=an_id("release"), effective_at=NOW + timedelta(days=1), now=NOW
    )
    again = drawn_up(before=lifted, now=NOW + timedelta(days=2), decision="reopen").order

    assert again.duties
    assert all(duty.ends_at is None and duty.starts_at > NOW + timedelta(days=2) for duty in again.duties)
