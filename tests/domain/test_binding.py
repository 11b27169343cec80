"""The revisions of an order say from when until when each of its duties bound."""

from __future__ import annotations

from datetime import timedelta

from emergency.domain import drawing
from emergency.domain.binding import dropped_by, stretches
from emergency.domain.level import Level
from tests.builders import A_MEASURE, NOW, an_id, drawn_up

LATER = NOW + timedelta(days=2)
SIGNED = LATER - timedelta(hours=7)  # what is drawn up takes effect seven hours on


def test_a_dropped_duty_ends_when_the_revision_that_drops_it_takes_effect() -> None:
    first = drawn_up()
    second = drawn_up(level=Level.ORANGE, before=first.order, decision="upgrade", now=SIGNED)

    bound = {duty.key: (duty.starts_at, duty.ends_at) for duty in stretches([first.revision, second.revision])}

    assert bound["half-load"] == (first.order.duties[0].starts_at, LATER)
    assert bound["stop"][1] is None
    assert [duty.ends_at for duty in dropped_by(first.order.duties, second.revision)] == [LATER]


def test_a_duty_dropped_before_it_began_never_bound() -> None:
    first = drawn_up()
    second = drawn_up(level=Level.ORANGE, before=first.order, decision="upgrade")

    assert [duty.key for duty in stretches([first.revision, second.revision])] == ["stop"]
    (gone,) = dropped_by(first.order.duties, second.revision)
    assert gone.ends_at == gone.starts_at, "an empty stretch, not a negative one"


def test_a_line_of_information_ends_nothing() -> None:
    first = drawn_up()
    told = drawn_up(level=Level.ORANGE, before=first.order, measures=[A_MEASURE], decision="up", now=SIGNED)

    assert stretches([first.revision, told.revision]) == first.order.duties


def test_what_a_lifting_ends_ends_at_its_effect_and_of_a_withdrawn_order_nothing_bound() -> None:
    first = drawn_up()
    _, lifted = drawing.lift(first.order, decision_id=an_id("release"), effective_at=LATER, now=LATER)
    _, taken_back = drawing.withdraw(first.order, decision_id=an_id("withdraw"), effective_at=LATER, now=LATER)

    assert [duty.ends_at for duty in stretches([lifted, first.revision])] == [LATER]
    assert stretches([first.revision, taken_back]) == ()


def test_a_withdrawal_leaves_what_had_ended_before_the_order_was_issued_again() -> None:
    first = drawn_up()
    lifted, lifting = drawing.lift(first.order, decision_id=an_id("release"), effective_at=LATER, now=LATER)
    again = drawn_up(before=lifted, decision="reopen", now=LATER + timedelta(hours=5))
    _, taken_back = drawing.withdraw(
        again.order, decision_id=an_id("withdraw"), effective_at=LATER + timedelta(hours=20), now=LATER
    )

    assert again.revision.kind == "reissue"
    bound = stretches([first.revision, lifting, again.revision, taken_back])
    assert [(duty.starts_at, duty.ends_at) for duty in bound] == [(first.order.duties[0].starts_at, LATER)]
