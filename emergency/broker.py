"""Knocking on the workers' door: a wake-up that may be lost, never waits long and never fails its caller."""

from __future__ import annotations

import logging
import os
import queue
import threading
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from celery import Celery
from kombu.exceptions import OperationalError
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from emergency import clock
from emergency.errors import Misconfigured

log = logging.getLogger(__name__)

PATIENCE_S: Final = 0.3  # what a caller may lose to a broker that does not answer
AWAY_S: Final = 2.0  # how long a broker that did not answer is left alone, so that only one caller pays
EXPIRES_S: Final = 5  # a wake-up nobody took is worth nothing once the next sweep has run
LANES: Final = ("urgent", "normal", "bulk")
DEFAULT_QUEUE: Final = "default"
_SOCKET_S: Final = 0.25


def queue_for(task: str, kwargs: dict[str, Any]) -> str:
    """The queue of a task: draining goes to its lane's own workers, everything else to the common queue."""
    lane = kwargs.get("lane")
    return lane if task == "drain" and lane in LANES else DEFAULT_QUEUE


@dataclass(frozen=True)
class Spellings:
    """One broker address as each library wants to read it."""

    kombu: str
    redis: str
    limits: str


def spelt(url: str) -> Spellings:
    """
    The three spellings of one setting; a TCP address is the same in all, a socket's path is not.

    :raises Misconfigured: neither redis://, rediss:// nor a unix socket
    """
    parts = urlsplit(url)
    if parts.scheme in ("redis", "rediss") and parts.hostname:
        return Spellings(kombu=url, redis=url, limits=url)
    if parts.scheme in ("unix", "redis+socket", "redis+unix") and parts.path:
        options = dict(parse_qsl(parts.query))
        number = options.pop("virtual_host", None) or options.pop("db", None) or "0"
        path, rest = quote(parts.path), urlencode(options)
        tail = f"&{rest}" if rest else ""
        return Spellings(
            kombu=f"redis+socket://{path}?virtual_host={number}{tail}",
            redis=f"unix://{path}?db={number}{tail}",
            limits=f"redis+unix://{path}?db={number}{tail}",
        )
    raise Misconfigured("EMERGENCY_BROKER_URL: redis://…, rediss://… or unix:///path is wanted")


@dataclass
class _Knock:
    task: str
    kwargs: dict[str, Any]
    done: threading.Event
    reached: bool = False


class Broker:
    """
    The one way from a use case to the workers.

    Wake-ups are handed to one thread of this process, so that a broker behind a black hole costs one caller the
    patience above and no more; while one is stuck, and for a moment after one failed, the next ones are dropped at
    once. Nothing is lost by it: what must be done stands in the database, and the sweeps find it.
    """

    def __init__(self, url: str) -> None:
        self.spellings = spelt(url) if url else None
        self._lock = threading.Lock()
        self._pid = 0
        self._knocks: queue.Queue[_Knock] = queue.Queue(maxsize=1)
        self._stuck = threading.Event()
        self._away_until = 0.0

    def wake(self, task: str, **kwargs: Any) -> bool:
        """Whether a worker was told to look now; False when there is no broker or it did not answer in time."""
        if self.spellings is None:
            return False
        knock = _Knock(task, kwargs, threading.Event())
        with self._lock:
            self._attend()
            if self._stuck.is_set() or clock.seconds() < self._away_until:
                return False
            try:
                self._knocks.put_nowait(knock)
            except queue.Full:
                return False
            answered = knock.done.wait(PATIENCE_S)
            if not answered:
                self._stuck.set()
                log.warning("broker.slow", extra={"task": task})
        return knock.reached

    def ping(self) -> bool:
        """Whether the broker answers, asked once and briefly."""
        if self.spellings is None:
            return False
        once = Retry(NoBackoff(), 0)  # the library's own habit is ten tries of five seconds
        client: Redis = Redis.from_url(
            self.spellings.redis, socket_timeout=_SOCKET_S, socket_connect_timeout=_SOCKET_S, retry=once
        )
        try:
            return bool(client.ping())
        except RedisError:
            return False
        finally:
            client.close()

    def workers(self, *, patience_s: float = 1.0) -> tuple[str, ...]:
        """The names of the workers that answer within ``patience_s`` seconds; none when the broker does not."""
        if not self.ping():
            return ()
        with self._app() as app:
            answers: list[dict[str, Any]] = app.control.ping(timeout=patience_s)
        return tuple(sorted(name for answer in answers for name in answer))

    def _attend(self) -> None:
        """Start the knocking thread in this process; a thread of the parent does not come along in a fork."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._knocks, self._stuck = queue.Queue(maxsize=1), threading.Event()
            threading.Thread(target=self._knocking, args=(self._knocks, self._stuck), daemon=True).start()

    def _knocking(self, knocks: queue.Queue[_Knock], stuck: threading.Event) -> None:
        app = self._app()
        while True:
            knock = knocks.get()
            try:
                app.send_task(
                    knock.task, kwargs=knock.kwargs, queue=queue_for(knock.task, knock.kwargs), expires=EXPIRES_S,
                    ignore_result=True, retry=True, retry_policy={"max_retries": 0},
                )
                knock.reached = True
            except (OperationalError, RedisError, OSError) as error:
                self._away_until = clock.seconds() + AWAY_S
                log.warning("broker.unreached", extra={"task": knock.task, "because": type(error).__name__})
            stuck.clear()
            knock.done.set()

    def _app(self) -> Celery:
        """A sender of its own, so that neither web nor services meet the workers' application."""
        assert self.spellings is not None
        app = Celery("knock", broker=self.spellings.kombu, set_as_current=False)
        app.conf.update(
            result_backend=None,
            task_ignore_result=True,
            broker_transport_options={
                "socket_timeout": _SOCKET_S, "socket_connect_timeout": _SOCKET_S, "retry_on_timeout": False,
            },
            broker_connection_timeout=_SOCKET_S,
        )
        return app
