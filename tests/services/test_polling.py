"""A feed that fails is asked less often, never forgotten, and as before once it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from emergency.errors import Unavailable
from emergency.feeds import Parsed
from emergency.services import intake
from tests.world import World


@dataclass
class Flaky:
    """A feed that answers or does not, and counts how often it was asked."""

    name: str = "flaky"
    kind: str = "forecast"
    every_s: int = 600
    answers: bool = False
    asked: list[datetime] = field(default_factory=list)

    def download(self, *, now: datetime) -> bytes:
        """Nothing, or the same empty message."""
        self.asked.append(now)
        if not self.answers:
            raise Unavailable("the source answered 503")
        return b""

    def parse(self, raw: bytes, *, now: datetime) -> Parsed:
        """A message without news."""
        return Parsed(raw_sha256="0" * 64)


def beat(world: World, feed: Flaky, *, times: int) -> int:
    """Wake it so often at its own interval; how often it was asked."""
    before = len(feed.asked)
    for _ in range(times):
        now = world.clock.now()
        intake.poll(world.store, feed, now=now, wall=now)
        world.clock.forward(minutes=10)
    return len(feed.asked) - before


def test_a_feed_that_keeps_failing_is_asked_at_once_then_ever_less_often_up_to_a_cap(world: World) -> None:
    feed = Flaky()

    beat(world, feed, times=15)

    pairs = zip(feed.asked, feed.asked[1:], strict=False)
    minutes = [round((later - one).total_seconds() / 60) for one, later in pairs]
    assert minutes == [10, 20, 40, 40]


def test_a_feed_that_answers_again_is_asked_at_its_own_interval(world: World) -> None:
    feed = Flaky()
    beat(world, feed, times=4)

    feed.answers = True
    beat(world, feed, times=4)

    assert beat(world, feed, times=5) == 5


@pytest.mark.parametrize(("every_s", "minutes"), [(600, 36), (1800, 54), (3600, 54), (21_600, 324)])
def test_no_feed_waits_longer_than_an_hour_or_its_own_interval(every_s: int, minutes: int) -> None:
    at = datetime.fromisoformat("2026-01-10T08:00:00+00:00")

    assert intake.due_again(at, 50, every_s) - at == timedelta(minutes=minutes)
