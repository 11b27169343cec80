"""A channel of two providers goes over from the one that fails, and never sends twice what one of them may have."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from emergency.channels import build
from emergency.channels.several import Several
from emergency.domain.letters import Verdict
from emergency.domain.messages import ChannelFault, Kind, Lane, Later, Message, Outcome, State, Uncertain
from emergency.errors import Misconfigured
from emergency.services import health, letters, post, watch
from emergency.store import letters as letters_kept
from emergency.store import providers
from emergency.store.outbox import UNASKED
from tests.world import DISTRICT, Phone, World, alone

NAMES = ("sms", "sms_2")


class Two(Several):
    """Two phones as the two providers of one channel."""

    def __init__(self) -> None:
        self.first, self.second = Phone("sms"), Phone("sms_2")
        super().__init__("sms", (self.first, self.second))  # type: ignore[arg-type]  # a phone is enough of a provider


def put(world: World, count: int) -> list[Message]:
    some = [
        Message(
            id=uuid4(), kind=Kind.ORDER, channel="sms", lane=Lane.URGENT, to=f"139{n:08d}", text="应急指令",
            area=DISTRICT, due_at=world.wall.now(), put_at=world.now,
        )
        for n in range(count)
    ]  # fmt: skip
    world.store.run(lambda tx: tx.outbox.put(some))
    return some


def drain(world: World, channel: Several, *, per_claim: int | None = None) -> None:
    going = post.drain(
        world.store, channel, lane=Lane.URGENT, links=world.rules.links, clock=world.clock, wall=world.wall,
        holder="one", per_claim=per_claim,
    )  # fmt: skip
    alone(going)


def preferred(world: World) -> str:
    with world.store.reading() as tx:
        return providers.preferred(tx, "sms", NAMES)


def alarms(world: World) -> set[str]:
    with world.store.reading() as tx:
        return {one.name for one in tx.standing_alarms()}


def prove(world: World, phone: Phone) -> None:
    alone(
        health.prove(
            world.store, phone.name, phone, "13900000099", clock=world.clock, wall=world.wall,
            every=timedelta(minutes=3), within=("sms", NAMES),
        )
    )  # fmt: skip


def failed_over(world: World, outcome: Outcome) -> Two:
    two = Two()
    two.first.fates = [outcome] * 40
    put(world, 8)
    drain(world, two)
    return two


def test_what_one_provider_refuses_goes_by_the_other_and_everybody_is_told(world: World) -> None:
    two = failed_over(world, Later("answered 503"))
    assert preferred(world) == "sms_2"
    assert "provider:sms" in alarms(world)

    world.wall.forward(minutes=1)
    drain(world, two)

    assert (len(two.first.sent), len({one.id for one in two.second.sent}), len(two.second.sent)) == (0, 8, 8)


def test_what_one_provider_may_have_stays_with_it_under_the_same_key(world: World) -> None:
    two = failed_over(world, Uncertain("cut"))
    assert preferred(world) == "sms_2"
    later = put(world, 3)
    two.first.fates = [Later("answered 503")] * 8  # a definite refusal after an uncertain one frees nothing

    for _ in range(3):
        world.wall.forward(minutes=1)
        drain(world, two)

    assert {one.id for one in two.second.sent} == {one.id for one in later}
    assert len(two.first.sent) == len({one.id for one in two.first.sent}) == 8


def test_a_wrong_key_of_one_provider_opens_its_breaker_only(world: World) -> None:
    two = Two()
    two.first.fates = [ChannelFault("answered 401")] * 99
    some = put(world, 8)

    for _ in range(3):
        drain(world, two)

    assert {one.id for one in two.second.sent} == {one.id for one in some}
    assert "channel:sms" not in alarms(world)


def test_when_both_are_broken_messages_stay_ready_and_a_person_is_told(world: World) -> None:
    two = Two()
    two.first.fates = [ChannelFault("answered 401")] * 99
    two.second.fates = [ChannelFault("answered 403")] * 99
    some = put(world, 8)
    for _ in range(3):
        drain(world, two)
    assert "channel:sms" in alarms(world)
    with world.store.reading() as tx:
        assert {tx.message(one.id).state for one in some} == {State.READY}
        assert {tx.message(one.id).attempts for one in some} == {0}

    two.first.fates, two.second.fates = [], []
    for _ in range(3):
        world.wall.forward(minutes=2)
        drain(world, two)

    assert {one.id for one in [*two.first.sent, *two.second.sent]} == {one.id for one in some}
    assert "channel:sms" not in alarms(world)


def test_a_channel_comes_home_after_three_good_proofs_and_ten_minutes(world: World) -> None:
    two = failed_over(world, Later("answered 503"))
    two.first.fates = []
    seen = []
    for _ in range(4):
        world.wall.forward(minutes=3)
        prove(world, two.first)
        seen.append(preferred(world))

    assert seen == ["sms_2", "sms_2", "sms_2", "sms"]
    assert "provider:sms" not in alarms(world)


def test_the_settings_name_a_second_provider_by_its_number() -> None:
    one = {"url": "https://a.example/", "key": "k", "rate": "9"}
    built = build({"sms": one, "sms_2": {**one, "timeout": "3", "rate": "5"}, "voice": one})

    assert {name: found.providers for name, found in built.items()} == {"sms": NAMES, "voice": ()}
    assert (built["sms"].timeout_s, built["sms"].rate) == (10.0, 5.0)
    for wrong in ({"sms_2": one}, {"sms": one, "sms_2": {**one, "senders": "2"}}):
        with pytest.raises(Misconfigured, match="CHANNEL_SMS_2"):
            build(wrong)


def test_what_a_provider_that_stays_out_may_have_is_left_to_a_person_who_settles_it(world: World) -> None:
    world.activated(deliver=False)
    two = Two()
    two.first.fates = [Uncertain("cut")]
    drain(world, two)
    with world.store.reading() as tx:
        (doubted,) = tx.outbox.ambiguous(world.episode().id)
    for _ in range(watch.DOUBT // timedelta(minutes=10) + 1):
        two.first.fates = [ChannelFault("answered 401")] * 400
        world.wall.forward(minutes=10)
        drain(world, two)
        watch.sweep(world.store, wall=world.wall.now())

    with world.store.reading() as tx:
        after = tx.message(doubted)
        (letter,) = letters_kept.letters(tx, [doubted])
    assert (after.state, after.because) == (State.FAILED, UNASKED)
    assert letter.unclear
    assert len(letter.attempts) < 8  # what is only held is no attempt
    assert doubted not in {one.id for one in two.second.sent}
    world.store.run(
        lambda tx: letters.settle(
            tx, world.rules, doubted, verdict=Verdict.LOST, because="已去电，未收到", by=world.person("lj-duty"),
            now=world.now,
        )
    )  # fmt: skip
    drain(world, two)
    assert after.text in {one.text for one in two.second.sent}


def test_a_doubt_that_a_person_puts_back_is_given_its_time_again_with_the_provider_that_may_have_it(
    world: World,
) -> None:
    world.activated(deliver=False)
    two = Two()
    two.first.fates = [Uncertain("cut")]
    drain(world, two)
    with world.store.reading() as tx:
        (doubted,) = tx.outbox.ambiguous(world.episode().id)
    world.wall.forward(seconds=watch.DOUBT.total_seconds() + 1)
    watch.sweep(world.store, wall=world.wall.now())
    two.first.fates = [ChannelFault("answered 401")] * 400
    world.store.run(
        lambda tx: letters.send_again(
            tx, world.rules, doubted, because="再试一次", by=world.person("lj-duty"), now=world.now
        )
    )
    drain(world, two)
    world.wall.forward(seconds=5)
    watch.sweep(world.store, wall=world.wall.now())
    with world.store.reading() as tx:
        assert tx.message(doubted).state is State.READY
        assert tx.outbox.ambiguous(world.episode().id) == [doubted]

    two.first.fates = []
    world.wall.forward(minutes=3)
    drain(world, two)

    with world.store.reading() as tx:
        after, twice = tx.message(doubted), tx.outbox.perhaps_twice(world.episode().id)
    assert (after.state, after.provider) == (State.SENT, "sms")
    assert doubted in {one.id for one in two.first.sent}
    assert doubted not in {one.id for one in two.second.sent}
    assert twice == [doubted]
