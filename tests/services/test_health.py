"""A route is proved by a message to a number of our own, and one that is not proved is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from emergency.domain.health import Proof, Route, proof_of
from emergency.domain.messages import Kind, Later
from emergency.services import health
from tests.world import World, alone

EVERY = timedelta(minutes=3)
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def prove(world: World) -> bool:
    return alone(
        health.prove(world.store, "sms", world.phone, "13900000099", clock=world.clock, wall=world.wall, every=EVERY)
    )


def alarms(world: World) -> dict[str, str]:
    with world.store.reading() as tx:
        return {one.name: one.detail for one in tx.standing_alarms()}


def test_a_route_is_what_its_last_proof_says() -> None:
    def told(since: int | None, proved: int | None) -> Proof:
        ago = [None if one is None else NOW - timedelta(minutes=one) for one in (since, proved)]
        return proof_of(Route("sms", *ago), every=EVERY, wall=NOW)

    assert [told(None, None), told(5, None), told(10, None), told(60, 9), told(60, 10)] == [
        Proof.UNASKED, Proof.WAITING, Proof.UNPROVED, Proof.PROVED, Proof.UNPROVED
    ]  # fmt: skip


def test_a_probe_reaches_our_own_number_and_lies_in_no_post(world: World) -> None:
    assert prove(world)

    assert [(one.to, one.kind, one.link) for one in world.phone.sent] == [("13900000099", Kind.PROBE, "")]
    with world.store.reading() as tx:
        assert tx.outbox.oldest_ready() is None
        assert health.route_of("sms", tx.heartbeats()).proved_at == world.wall.now()


def test_a_route_that_fails_three_times_is_an_alarm_until_it_proves_itself(world: World) -> None:
    prove(world)
    for number in range(4):
        world.wall.forward(minutes=3)
        world.phone.fates = [Later("answered 503")]
        assert not prove(world)
        assert ("unproved:sms" in alarms(world)) == (number == 3)
    assert "sms 线路自 17:00 起未获验证：answered 503" in alarms(world)["unproved:sms"]

    world.wall.forward(minutes=3)
    prove(world)

    assert alarms(world) == {}


def test_a_channel_without_a_probe_address_says_that_it_is_unproved(world: World) -> None:
    told = health.told({"sms": {"url": "x"}}, {}, every=EVERY, wall=world.wall.now())

    assert told == {"sms": (True, "unproved: no probe address is set")}
