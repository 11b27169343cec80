"""A feed that fails is asked less often, never forgotten, and as before once it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from emergency.errors import Unavailable
from emergency.feeds import Parsed
from emergency.feeds.sources import UNKNOWN, RawMessage, Validators
from emergency.services import polling
from emergency.store import feeding
from tests.feeds.bench import PAYLOADS, a_feed, read_at
from tests.world import World


@dataclass
class Flaky:
    """A feed that answers or does not, and counts how often it was asked."""

    name: str = "flaky"
    kind: str = "forecast"
    every_s: int = 600
    answers: bool = False
    asked: list[datetime] = field(default_factory=list)

    def download(self, *, now: datetime, known: Validators = UNKNOWN) -> RawMessage:
        """Nothing, or the same empty message."""
        self.asked.append(now)
        if not self.answers:
            raise Unavailable("the source answered 503")
        return RawMessage(b"")

    def parse(self, raw: bytes, *, now: datetime) -> Parsed:
        """A message without news."""
        return Parsed(raw_sha256="0" * 64)


def beat(world: World, feed: Flaky, *, times: int) -> int:
    """Wake it so often at its own interval; how often it was asked."""
    before = len(feed.asked)
    for _ in range(times):
        now = world.clock.now()
        polling.poll(world.store, feed, now=now, wall=now)
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

    assert polling.due_again(at, 50, every_s) - at == timedelta(minutes=minutes)


OK = PAYLOADS / "qweather" / "ok-2020-08-06.json"
MIXED = PAYLOADS / "qweather" / "mixed-values-2020-08-06.json"
VALIDATORS = {"ETag": '"7"', "Last-Modified": "Thu, 06 Aug 2020 01:28:00 GMT"}


@dataclass
class Bureau:
    """A provider on the network: what it answers next, and the conditions and the hour of every question."""

    server: HTTPServer
    answers: list[Response] = field(default_factory=list)
    asked: list[tuple[str | None, str | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server.expect_request("/air").respond_with_handler(self._take)

    def _take(self, request: Request) -> Response:
        self.asked.append((request.headers.get("If-None-Match"), request.headers.get("If-Modified-Since")))
        return self.answers.pop(0)

    def poll(self, world: World, *, minutes: float = 0, query: str = "") -> int:
        """A process that never saw the provider asks it so many minutes later; how many things were new."""
        world.wall.forward(minutes=minutes)
        place = f"{self.server.host}:{self.server.port}"
        feed = a_feed("qweather", allow=frozenset({place}), url=f"http://{place}/air{query}")
        return polling.poll(world.store, feed, now=read_at(OK), wall=world.wall.now())


@pytest.fixture
def bureau(httpserver: HTTPServer) -> Bureau:
    """A provider with one good answer and its validators."""
    return Bureau(httpserver, [Response(OK.read_bytes(), headers=VALIDATORS)])


def test_the_validators_of_a_page_outlive_the_process_that_asked(world: World, bureau: Bureau) -> None:
    bureau.answers += [Response(status=304), Response(status=304)]

    assert [bureau.poll(world), bureau.poll(world, minutes=60), bureau.poll(world, minutes=60)] == [1, 0, 0]
    given = (VALIDATORS["ETag"], VALIDATORS["Last-Modified"])
    assert bureau.asked == [(None, None), given, given]
    with world.store.reading() as tx:
        (state,) = tx.feed_states()
    assert (state.failures, state.talked_at) == (0, world.wall.now())


def test_the_validators_of_one_address_are_not_sent_to_another(world: World, bureau: Bureau) -> None:
    bureau.answers.append(Response(OK.read_bytes()))
    bureau.poll(world)
    bureau.poll(world, minutes=60, query="?of=elsewhere")

    assert bureau.asked[-1] == (None, None)


def test_a_message_of_which_something_was_refused_is_asked_for_again_as_a_whole(world: World, bureau: Bureau) -> None:
    bureau.answers = [Response(MIXED.read_bytes(), headers=VALIDATORS), Response(OK.read_bytes())]
    bureau.poll(world)
    bureau.poll(world, minutes=60)

    assert bureau.asked == [(None, None), (None, None)]


def test_a_provider_that_asks_to_be_left_alone_is_and_by_every_process(world: World, bureau: Bureau) -> None:
    bureau.answers.insert(0, Response("slow down", status=429, headers={"Retry-After": "600"}))
    feed_interval_is_over = 3600 / 60 * 0.9

    bureau.poll(world)
    with world.store.reading() as tx:
        asked, (state,) = feeding.asked(tx, "qweather"), tx.feed_states()
    assert asked.not_before == world.wall.now() + timedelta(seconds=600)
    assert state.because.endswith("; it asks to be left alone for 600 s")
    bureau.poll(world, minutes=feed_interval_is_over)
    assert len(bureau.asked) == 2
    with world.store.reading() as tx:
        assert feeding.asked(tx, "qweather").not_before is None


@pytest.mark.parametrize(("said", "wait"), [("86400", 900), ("-5", None), ("soon", None), ("0", 0)])
def test_no_retry_after_parks_a_feed_for_longer_than_the_wire_allows(
    world: World, bureau: Bureau, said: str, wait: int | None
) -> None:
    bureau.answers.insert(0, Response(status=503, headers={"Retry-After": said}))
    bureau.poll(world)

    with world.store.reading() as tx:
        not_before = feeding.asked(tx, "qweather").not_before
    assert not_before == (None if wait is None else world.wall.now() + timedelta(seconds=wait))


def test_a_feed_asked_every_minute_waits_as_long_as_its_provider_asks(world: World) -> None:
    @dataclass
    class Busy(Flaky):
        every_s: int = 60

        def download(self, *, now: datetime, known: Validators = UNKNOWN) -> RawMessage:
            self.asked.append(now)
            raise Unavailable("answered 429", retry_after=600.0)

    feed = Busy()
    assert beat(world, feed, times=1) == 1
    world.clock.forward(minutes=-1)
    assert beat(world, feed, times=1) == 0  # nine minutes later
    world.clock.forward(minutes=1)
    assert beat(world, feed, times=1) == 1
