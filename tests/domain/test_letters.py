"""Which messages still hold of their order, and what goes out anew under another key."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from emergency.domain.letters import anew, still_needed
from emergency.domain.messages import Kind, Lane, Message, State
from emergency.domain.orders import Order, Status
from tests.builders import DISTRICT, NOW, an_id, drawn_up

ORDER: Order = replace(drawn_up().order, revision=3, asks_from=2)


def a_message(kind: Kind, *, revision: int = 2) -> Message:
    """A message of this kind about the order."""
    return Message(
        id=an_id("message"), kind=kind, channel="sms", lane=Lane.URGENT, to="00050000001", text="…", area=DISTRICT,
        due_at=NOW, put_at=NOW, order_id=ORDER.id, revision=revision,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "revision", "status", "needed"),
    [
        (Kind.ORDER, 2, Status.ISSUED, True),
        (Kind.ORDER, 1, Status.ISSUED, False),  # a later revision asks for something else
        (Kind.REVISION, 2, Status.DECLINED, True),
        (Kind.REVISION, 2, Status.LIFTED, False),
        (Kind.REVISION, 2, Status.WITHDRAWN, False),
        (Kind.INFORMATION, 3, Status.IN_PLACE, True),
        (Kind.INFORMATION, 2, Status.IN_PLACE, False),  # told anew since
        (Kind.LIFTING, 3, Status.LIFTED, True),
        (Kind.LIFTING, 3, Status.ISSUED, False),  # reopened since
        (Kind.WITHDRAWAL, 3, Status.WITHDRAWN, True),
        (Kind.REMINDER, 2, Status.ISSUED, True),
        (Kind.REMINDER, 2, Status.IN_PLACE, False),
        (Kind.ESCALATION, 1, Status.ISSUED, False),
    ],
)
def test_a_message_holds_while_its_order_stands_as_it_says(
    kind: Kind, revision: int, status: Status, needed: bool
) -> None:
    assert still_needed(a_message(kind, revision=revision), replace(ORDER, status=status)) is needed


def test_an_answer_ends_every_reminder_that_was_put_before_it_and_none_put_after() -> None:
    order = replace(ORDER, status=Status.ACKNOWLEDGED, acknowledged_at=NOW)

    before = replace(a_message(Kind.REMINDER), put_at=NOW - timedelta(minutes=1))
    after = replace(a_message(Kind.REMINDER), put_at=NOW + timedelta(minutes=1))

    assert not still_needed(before, order)
    assert still_needed(after, order)


def test_what_is_about_no_order_is_needed_until_somebody_lays_it_by() -> None:
    assert still_needed(a_message(Kind.PROPOSAL), None)


def test_what_goes_out_anew_says_the_same_to_the_same_address_under_another_key() -> None:
    sent = replace(
        a_message(Kind.ORDER), state=State.SENT, attempts=2, receipt="r-1", provider="sms_2", waits_for=an_id("before")
    )

    one = anew(sent, now=NOW, wall=NOW)

    assert one.id != sent.id
    assert (one.to, one.text, one.order_id, one.revision) == (sent.to, sent.text, sent.order_id, sent.revision)
    assert (one.state, one.attempts, one.receipt, one.provider, one.waits_for) == (State.READY, 0, "", "", None)
    assert anew(replace(sent, attempts=3), now=NOW, wall=NOW).id != one.id
