"""An order asks each recipient for what changes for it, binds answers to a revision, and ends cleanly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emergency.domain import drawing, ladder, orders
from emergency.domain.level import Level
from emergency.domain.machine import IllegalMove
from emergency.domain.orders import LIVE, ORDER, Action, Category, DrawnUp, Measure, Order, Status
from emergency.domain.plan import Rung
from emergency.errors import Refused
from tests.builders import A_HIGHER, A_MEASURE, NOW, a_recipient, an_id, drawn_up

RUNGS = (
    Rung("remind", 30, "recipient", ("sms",)),
    Rung("second", 45, "second_contact", ("sms",)),
    Rung("town", 60, "town", ("sms",)),
    Rung("not_started", 1, "recipient", ("sms",), "start"),
    Rung("not_started_desk", 30, "district_duty", ("sms",), "start"),
    Rung("not_in_place", 1, "recipient", ("sms",), "in_place"),
)


@dataclass(frozen=True)
class Says:
    """A plan as the ladder reads it."""

    ladder: tuple[Rung, ...] = RUNGS
    numbers: Mapping[str, int] = field(
        default_factory=lambda: {"ack_deadline_min": 90, "start_deadline_min": 120, "in_place_deadline_min": 360}
    )


PLAN = Says()
SENT = ladder.Notice(sent_at=NOW)
ACK_ONLY = Says(ladder=RUNGS[:3])


def climb(order: Order, minutes: float, taken: list[ladder.Taken], *, notice: ladder.Notice = SENT) -> list[str]:
    """The steps that are due so many minutes after issue; they are taken."""
    turn = ladder.due(order, PLAN, notice=notice, taken=taken, now=NOW + timedelta(minutes=minutes))
    taken += [ladder.Taken(rung.step, order.revision, at) for rung, at in turn.steps]
    return [rung.step for rung, _ in turn.steps]


def chased(one: DrawnUp | None = None) -> Order:
    """An order, its hours reckoned and its ladder set up at issue; its duty starts seven hours and 120 min later."""
    return ladder.set_up(ladder.timed(one or drawn_up(), PLAN), PLAN, since=NOW)


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

    assert [one.key for one in drawing.measures_for(a_recipient(), Level.YELLOW, book)] == ["half-load", "cover"]
    assert [one.key for one in drawing.measures_for(a_recipient(), Level.ORANGE, book)] == ["cover", "stop"]
    assert drawing.measures_for(a_recipient(sector="unheard_of"), Level.RED, book) == ()


def test_an_enterprises_own_lines_come_before_its_sectors() -> None:
    own = a_recipient(measures={"yellow": ("1号窑停火",), "red": ("全厂停产",)})

    assert [one.text for one in drawing.measures_for(own, Level.ORANGE, {})] == ["1号窑停火"]
    assert [one.text for one in drawing.measures_for(own, Level.RED, {})] == ["1号窑停火", "全厂停产"]


def test_a_long_stopped_plant_gets_no_order() -> None:
    assert not drawing.eligible(a_recipient(category=Category.LONG_STOPPED), [A_MEASURE])
    assert not drawing.eligible(a_recipient(), [])
    assert drawing.eligible(a_recipient(), [A_MEASURE])


def test_the_first_answer_counts_and_later_ones_change_nothing() -> None:
    first = orders.acknowledge(drawn_up().order, by="甲", now=NOW)
    second = orders.acknowledge(first, by="乙", now=NOW + timedelta(minutes=5))

    assert second == first
    assert first.acknowledged_by == "甲"


def test_starting_is_having_received_too() -> None:
    order = drawn_up().order
    at = order.duties[0].starts_at
    started = orders.start(order, by="甲", now=at)

    assert started.acknowledged_at == started.started_at == at
    assert orders.settle(started, by="甲", now=at + timedelta(hours=1)).started_at == at


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
    order = ladder.set_up(drawn_up().order, PLAN, since=NOW)
    end = NOW + timedelta(days=2)
    lifted, revision = drawing.lift(order, decision_id=an_id("release"), effective_at=end, now=NOW)

    assert lifted.status is Status.LIFTED
    assert [duty.ends_at for duty in lifted.duties] == [end]
    assert lifted.next_rung_at == order.next_rung_at, "until it takes effect nothing changes"
    assert ladder.due(lifted, PLAN, notice=SENT, taken=(), now=end) == ladder.Turn((), None, None)
    assert revision.kind == "lifting"


def test_a_duty_that_never_began_is_not_given_a_negative_stretch() -> None:
    lifted, _ = drawing.lift(drawn_up().order, decision_id=an_id("release"), effective_at=NOW, now=NOW)

    assert all(duty.ends_at == duty.starts_at for duty in lifted.duties)


def test_a_lifted_order_is_issued_again_when_the_episode_reopens() -> None:
    lifted, _ = drawing.lift(
        orders.acknowledge(drawn_up().order, by="甲", now=NOW), decision_id=an_id("r"), effective_at=NOW, now=NOW
    )
    again = drawn_up(before=lifted, decision="reopen").order

    assert again.status is Status.ISSUED
    assert again.acknowledged_at is None
    assert again.lifted_at is None


def test_the_ladder_takes_each_step_once_and_in_order() -> None:
    order, taken = chased(), []

    steps = [climb(order, minutes, taken) for minutes in (29, 30, 31, 44, 45, 60, 600)]

    assert steps == [[], ["remind"], [], [], ["second"], ["town"], []]


def test_steps_missed_in_an_outage_make_one_message() -> None:
    order = chased()
    turn = ladder.due(order, PLAN, notice=SENT, taken=(), now=NOW + timedelta(minutes=50))

    assert [rung.step for rung, _ in turn.steps] == ["second"]
    assert turn.next_at == NOW + timedelta(minutes=60)


def test_receipt_is_counted_from_sending_and_not_from_issue() -> None:
    order, sent = chased(), ladder.Notice(sent_at=NOW + timedelta(minutes=25))

    assert climb(order, 54, [], notice=sent) == []
    assert climb(order, 55, [], notice=sent) == ["remind"]


def test_a_notice_that_does_not_leave_holds_the_ladder_for_the_answering_time_and_no_longer() -> None:
    order, stuck = chased(), ladder.Notice(on_its_way=True)

    assert climb(order, 90 + 29, [], notice=stuck) == []
    assert climb(order, 90 + 30, [], notice=stuck) == ["remind"]


def test_where_nothing_could_be_sent_the_ladder_counts_from_issue() -> None:
    assert climb(chased(), 30, [], notice=ladder.Notice()) == ["remind"]


def test_a_duty_that_starts_in_the_evening_is_not_chased_at_noon() -> None:
    order = chased()
    heard = ladder.heard(order, orders.acknowledge(order, by="甲", now=NOW))
    starts = 7 * 60 + 120

    assert heard.next_rung_at == NOW + timedelta(minutes=starts + 120)
    assert climb(heard, starts + 120, []) == []
    assert climb(heard, starts + 121, []) == ["not_started"], "received and not started is chased again"


def test_started_stops_the_chase_for_the_start_and_leaves_the_one_for_being_in_place() -> None:
    order = chased()
    begins = order.duties[0].starts_at
    started = ladder.heard(order, orders.start(order, by="甲", now=begins))
    settled = ladder.heard(started, orders.settle(started, by="甲", now=begins))

    assert climb(started, 9 * 60 + 361, []) == ["not_in_place"]
    assert settled.next_rung_at is None
    assert climb(settled, 90 * 24 * 60, []) == []


@pytest.mark.parametrize("exempt", [False, True])
def test_an_objection_and_an_exemption_stop_every_chase(exempt: bool) -> None:
    order = chased()
    declined = ladder.heard(order, orders.decline(order, by="甲", because="窑内有坯", now=NOW))
    after = orders.rule(declined, exempt=True) if exempt else declined

    assert after.next_rung_at is None
    assert climb(after, 90 * 24 * 60, []) == []


def test_a_word_that_moves_nothing_leaves_the_chase_as_it_is() -> None:
    order = chased()
    heard = ladder.heard(order, orders.acknowledge(order, by="甲", now=NOW))
    later = replace(heard, next_rung=4, next_rung_at=NOW + timedelta(days=1))

    assert ladder.heard(later, orders.acknowledge(later, by="乙", now=NOW)) == later


def test_a_revision_that_keeps_a_dutys_start_keeps_its_chase() -> None:
    first, taken = chased(), []
    assert climb(first, 9 * 60 + 121, taken) == ["town", "not_started"]
    also = replace(A_MEASURE, key="gate", text="门禁管控", starts_after_minutes=600)
    again = chased(drawn_up(before=first, decision="amend", measures=[A_MEASURE, also]))

    assert again.start_by == first.start_by
    assert "not_started" not in climb(again, 9 * 60 + 122, taken)
    assert "not_started_desk" in climb(again, 9 * 60 + 150, taken)


def test_what_was_said_to_be_started_is_not_asked_for_again_by_a_revision() -> None:
    started = orders.start(chased(), by="甲", now=NOW)
    one = drawn_up(level=Level.ORANGE, before=started, decision="upgrade")

    new = [duty.starts_at for duty in one.order.duties if duty.key in one.revision.added]
    assert chased(one).start_by == min(new) + timedelta(minutes=120)


def test_a_plan_that_does_not_say_asks_for_no_start() -> None:
    assert ladder.timed(drawn_up(), ACK_ONLY).start_by is None
    assert ladder.timed(drawn_up(), replace(PLAN, numbers={})).in_place_by is None


def test_an_upheld_order_owes_nothing_by_an_hour_that_passed_while_it_was_ruled_on() -> None:
    late = NOW + timedelta(days=1)
    upheld = ladder.upheld(chased(), PLAN, now=late)

    assert upheld.start_by == late + timedelta(minutes=120)
    assert upheld.next_rung_at == late + timedelta(minutes=30)


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
    lifted, _ = drawing.lift(
        drawn_up().order, decision_id=an_id("release"), effective_at=NOW + timedelta(days=1), now=NOW
    )
    again = drawn_up(before=lifted, now=NOW + timedelta(days=2), decision="reopen").order

    assert again.duties
    assert all(duty.ends_at is None and duty.starts_at > NOW + timedelta(days=2) for duty in again.duties)
