"""The ladder's portal, voice and call list: each said in its own way, once, and only where it can be heard."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select

from emergency.channels.portal import Portal
from emergency.domain.ladder import Rung
from emergency.domain.messages import PORTAL, VOICE, Message, Sent, portal_address
from emergency.domain.orders import Order
from emergency.domain.plan import Rung as Step
from emergency.services import chasing
from emergency.store import saving
from emergency.store.loading import table
from emergency.store.tables import MessageRow
from tests.world import World, alone

Climbed = Callable[..., list[Message]]


@pytest.fixture
def climbed(world: World) -> Climbed:
    """What the ladder puts in the post when its only step is this one, for the order of a recipient with an account."""

    def climb(rung: Rung, *, channels: tuple[str, ...] = ("sms", VOICE, PORTAL)) -> list[Message]:
        plan = world.rules.plan("liujiang")
        plans = {**world.rules.plans, "liujiang": replace(plan, ladder=(rung,))}
        world.rules = replace(world.rules, plans=plans, channels=channels)
        world.activated()
        world.clock.forward(minutes=rung.after_minutes + 1)
        chasing.escalate_overdue(world.store, world.rules, now=world.now)
        with world.store.reading() as tx:
            rows = tx.connection.execute(select(table(MessageRow)).where(MessageRow.rung == rung.step))
            return [saving.message(row) for row in rows]

    return climb


def of_kiln(world: World) -> Order:
    """The order of the made-up kiln somebody can sign in for."""
    recipient = world.person("sample-kiln").recipient_id
    return next(one for one in world.orders() if one.recipient_id == recipient)


def test_a_portal_step_puts_one_notice_in_the_account_and_a_text_where_there_is_none(
    world: World, climbed: Climbed
) -> None:
    put = climbed(Step("remind", 30, "recipient", (PORTAL,)))

    kiln, other = of_kiln(world), next(one for one in world.orders() if one.recipient_id not in accounts(world))
    (notice,) = [one for one in put if one.order_id == kiln.id]
    assert (notice.channel, notice.to, notice.link_id) == (PORTAL, portal_address(kiln.recipient_id), None)
    (text,) = [one for one in put if one.order_id == other.id]
    assert (text.channel, text.to) == ("sms", world.recipient(other).contacts[0].phone)


def accounts(world: World) -> set[object]:
    """Recipients somebody signs in for."""
    with world.store.reading() as tx:
        return {one.recipient_id for one in tx.people()}


def test_portal_and_text_together_reach_the_recipient_by_both(world: World, climbed: Climbed) -> None:
    put = climbed(Step("remind", 30, "recipient", (PORTAL, "sms")))

    mine = [one for one in put if one.order_id == of_kiln(world).id]

    assert sorted(one.channel for one in mine) == [PORTAL, "sms"]
    assert len({one.text for one in mine}) == 1


def test_what_lies_in_the_portal_is_sent_and_never_delivered(world: World, climbed: Climbed) -> None:
    (notice, *_more) = climbed(Step("remind", 30, "recipient", (PORTAL,)))

    assert alone(Portal().send(notice)) == Sent(f"{PORTAL}-{notice.id}")


@pytest.mark.parametrize("notify", ["recipient", "second_contact", "district_duty"])
def test_a_voice_reads_a_short_text_without_link_or_figure(world: World, climbed: Climbed, notify: str) -> None:
    put = climbed(Step("call", 30, notify, (VOICE,)))

    assert put
    for one in put:
        assert one.channel == VOICE
        assert one.link_id is None
        assert not re.search(r"[0-9]|http|点链接签收", one.text), one.text
        assert len(one.text) <= 200


def test_a_voice_that_is_not_set_up_is_replaced_by_the_first_channel(world: World, climbed: Climbed) -> None:
    put = climbed(Step("call", 30, "recipient", (VOICE,)), channels=("sms",))

    assert {one.channel for one in put} == {"sms"}


def test_the_call_list_tells_the_desk_once_of_all_that_are_on_it(world: World, climbed: Climbed) -> None:
    put = climbed(Step("call_list", 30, "call_list", ("sms",)))
    chasing.escalate_overdue(world.store, world.rules, now=world.now)  # a sweep later in the hour adds no text

    to_desk = [one for one in put if one.to == world.person("lj-duty").phone]
    assert len(to_desk) == 1
    assert f"{len(world.orders())}家单位" in to_desk[0].text
    assert f"/console/episodes/{world.episode().id}/calls" in to_desk[0].text
    with world.store.reading() as tx:
        on_it = {row.order_id for row in tx.rungs_taken(world.episode().id) if row.notify == "call_list"}
    assert on_it == {one.id for one in world.orders()}


def test_a_portal_step_before_a_text_leaves_out_who_has_no_account_and_is_no_alarm(world: World) -> None:
    plan = world.rules.plan("liujiang")
    steps = (Step("portal", 15, "recipient", (PORTAL,)), Step("remind", 30, "recipient", ("sms",)))
    world.rules = replace(
        world.rules, plans={**world.rules.plans, "liujiang": replace(plan, ladder=steps)}, channels=("sms", PORTAL)
    )
    world.activated()

    world.clock.forward(minutes=16)
    chasing.escalate_overdue(world.store, world.rules, now=world.now)

    with world.store.reading() as tx:
        put = tx.connection.execute(select(table(MessageRow)).where(MessageRow.rung == "portal")).all()
        assert [one.name for one in tx.standing_alarms() if one.name.startswith("nobody:")] == []
    assert {one.channel for one in put} == {PORTAL}
    assert {one.order_id for one in put} == {one.id for one in world.orders() if one.recipient_id in accounts(world)}
