"""A wake-up never waits long, never fails its caller, and reaches the right queue when there is a broker."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from emergency import clock
from emergency.broker import EXPIRES_S, PATIENCE_S, Broker, queue_for, spelt
from emergency.commands.stack import Stack, start_broker
from emergency.errors import Misconfigured

BROKER_URL = os.environ.get("EMERGENCY_TEST_BROKER_URL", "")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[str]:
    """The broker the suite is run on: the one that is named, else an embedded one."""
    if BROKER_URL:
        with Redis.from_url(spelt(BROKER_URL).redis) as client:
            client.delete("urgent")
        yield BROKER_URL
        return
    with Stack(tmp_path, os.environ) as stack:
        yield start_broker(stack)


@pytest.fixture
def black_hole() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as place:  # takes connections in and never says a word
        yield f"redis://127.0.0.1:{place.getsockname()[1]}/0"


@pytest.mark.parametrize(
    "said", ["unix:///r/b.sock?db=3", "redis+socket:///r/b.sock?virtual_host=3", "redis+unix:///r/b.sock?db=3"]
)
def test_one_socket_is_spelt_as_each_library_wants_it(said: str) -> None:
    spellings = spelt(said)

    assert spellings.kombu == "redis+socket:///r/b.sock?virtual_host=3"
    assert spellings.redis == "unix:///r/b.sock?db=3"
    assert spellings.limits == "redis+unix:///r/b.sock?db=3"


def test_a_tcp_address_is_the_same_in_every_library() -> None:
    spellings = spelt("redis://:pw@cache:6379/2")

    assert {spellings.kombu, spellings.redis, spellings.limits} == {"redis://:pw@cache:6379/2"}


@pytest.mark.parametrize("said", ["amqp://x", "redis://", "unix://", "nonsense"])
def test_an_address_of_another_kind_is_refused(said: str) -> None:
    with pytest.raises(Misconfigured, match="EMERGENCY_BROKER_URL"):
        spelt(said)


def test_draining_goes_to_the_queue_of_its_lane_and_all_else_to_the_common_one() -> None:
    assert queue_for("drain", {"channel": "sms", "lane": "urgent"}) == "urgent"
    assert queue_for("drain", {"channel": "sms", "lane": "no such lane"}) == "default"
    assert queue_for("escalate", {"lane": "urgent"}) == "default"


def test_with_no_broker_a_wake_up_is_nothing() -> None:
    broker = Broker("")

    assert not broker.wake("escalate")
    assert not broker.ping()
    assert broker.workers() == ()


def test_a_wake_up_lies_in_its_queue_with_an_expiry(running: str) -> None:
    broker = Broker(running)

    assert broker.ping()
    assert broker.wake("drain", channel="sms", lane="urgent")

    with Redis.from_url(spelt(running).redis) as client:
        lying = client.lrange("urgent", 0, -1)
    assert len(lying) == 1
    message = json.loads(lying[0])
    assert message["headers"]["task"] == "drain"
    assert message["headers"]["expires"] is not None
    assert EXPIRES_S <= 5


def test_a_wake_up_to_a_broker_that_has_gone_says_so_and_raises_nothing(tmp_path: Path) -> None:
    with Stack(tmp_path, os.environ) as stack:
        broker = Broker(start_broker(stack))
        assert broker.wake("escalate")
    assert not broker.wake("escalate")


def test_a_refused_connection_costs_the_caller_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as place:
        port = place.getsockname()[1]
    broker = Broker(f"redis://127.0.0.1:{port}/0")

    before = clock.seconds()

    assert not broker.wake("escalate")
    assert clock.seconds() - before < PATIENCE_S + 0.5


def test_a_black_hole_costs_one_caller_its_patience_and_the_next_nothing(black_hole: str) -> None:
    broker = Broker(black_hole)

    before = clock.seconds()
    assert not broker.wake("escalate")
    first = clock.seconds() - before
    for _ in range(5):
        assert not broker.wake("escalate")
    rest = clock.seconds() - before - first

    assert first < PATIENCE_S + 0.3
    assert rest < 0.1
    assert not broker.ping()
