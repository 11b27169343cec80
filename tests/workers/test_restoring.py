"""A broker that goes away while wake-ups are unacknowledged must not take the worker with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Connection
from kombu.transport import redis

from emergency.broker import spelt
from emergency.commands import stack as stacks
from emergency.commands.stack import Stack
from workers import app as workers_app  # noqa: F401 - importing it is what sets kombu right


@pytest.fixture
def place(tmp_path: Path) -> Iterator[str]:
    with Stack(tmp_path, os.environ) as stack:
        yield spelt(stacks.start_broker(stack)).kombu


def taken_and_unacknowledged(connection: Connection) -> redis.Channel:
    queue = connection.SimpleQueue("wakes")
    queue.put("one")
    taken = queue.get(timeout=5)
    assert taken.channel.qos._delivered
    return taken.channel


def test_a_channel_closed_after_its_connection_is_gone_raises_nothing(place: str) -> None:
    connection = Connection(place)
    channel = taken_and_unacknowledged(connection)

    connection.transport.client = None  # what Celery's consumer has done by the time the channel is closed
    channel.close()

    assert channel.closed
    assert not channel.qos._delivered


def test_a_channel_closed_in_peace_puts_back_what_it_had(place: str) -> None:
    connection = Connection(place)

    taken_and_unacknowledged(connection).close()

    with Connection(place) as other:
        assert other.SimpleQueue("wakes").get(timeout=5).payload == "one"
