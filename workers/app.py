"""The Celery application: its manners, its queues and its timetable."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar, cast

from celery import Celery, signals
from celery.beat import Scheduler
from kombu.entity import Exchange, Queue

from config import Settings
from emergency import log, steps
from emergency.broker import DEFAULT_QUEUE, EXPIRES_S, LANES, Broker, queue_for, spelt
from emergency.store import connect
from emergency.system import System, build
from workers import die_with, restoring

T = TypeVar("T")
Door = TypeVar("Door", bound=Callable[..., None])

LOOK_EVERY_S: Final = 60
AUDIT_EVERY_S: Final = 60
WEIGH_EVERY_S: Final = 60
VERIFY_EVERY_S: Final = 900  # the work of a day; a daily entry would never come due where beat is restarted daily

_ground: list[System] = []  # read once before the fork: plans and playbooks are the same for every child
_built: dict[int, System] = {}
_loops: dict[int, asyncio.AbstractEventLoop] = {}


def system() -> System:
    """
    The system of this process.

    What is read from files comes from the parent; the store and the broker, which hold connections, are opened after
    the fork, once for each process.
    """
    pid = os.getpid()
    if pid not in _built:
        _built.clear()
        read = _ground[0] if _ground else build(Settings.from_env(os.environ))
        settings = read.settings
        store = connect(settings.database_url, lease=settings.lease)
        _built[pid] = replace(read, store=store, broker=Broker(settings.broker_url))
    return _built[pid]


def awaited(work: Coroutine[Any, Any, T]) -> T:
    """
    What the coroutine comes to, run on this process's one event loop.

    The loop lives in a thread of its own, started after the fork, because the channels' kept-alive connections belong
    to it and would be lost with a loop for every task.
    """
    pid = os.getpid()
    if pid not in _loops:
        _loops.clear()
        _loops[pid] = asyncio.new_event_loop()
        threading.Thread(target=_loops[pid].run_forever, name="loop", daemon=True).start()
    running = asyncio.run_coroutine_threadsafe(work, _loops[pid])
    try:
        return running.result()
    finally:
        running.cancel()  # a time limit raised here must not leave the sending going on behind our back


def holder() -> str:
    """How this process signs what it holds for a while."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}"


def timetable(
    sweep_seconds: float,
    channels: Iterable[str],
    feeds: Mapping[str, int],
    *,
    probed: Iterable[str] = (),
    probe_seconds: float = 180.0,
) -> dict[str, dict[str, Any]]:
    """
    What beat wakes, and how often (seconds); ``feeds``: name → its own interval; ``probed``:
    channels with an address to prove them by.

    Every wake-up expires before the next but one, so that a pause leaves no pile; a second beat does no harm, because
    every sweep claims what it takes.
    """

    def entry(task: str, every: float, **kwargs: str) -> dict[str, Any]:
        options = {"queue": queue_for(task, kwargs), "expires": max(EXPIRES_S, every)}
        return {"task": task, "schedule": every, "kwargs": kwargs, "options": options}

    sweeps = {task: entry(task, sweep_seconds) for task in ("sweep", "escalate", "lapse")}
    drains = {
        f"drain {channel} {lane}": entry("drain", sweep_seconds, channel=channel, lane=lane)
        for channel in sorted(channels)
        for lane in LANES
    }
    polls = {f"poll {name}": entry("poll_feed", every, feed=name) for name, every in sorted(feeds.items())}
    proofs = {f"prove {name}": entry("prove", probe_seconds, channel=name) for name in sorted(probed)}
    rest = {
        "weigh": entry("weigh", WEIGH_EVERY_S),
        "look": entry("look", LOOK_EVERY_S),
        "round": entry("round", LOOK_EVERY_S),
        "audit": entry("audit", AUDIT_EVERY_S),
        "verify": entry("verify", VERIFY_EVERY_S),
    }
    return {**sweeps, **drains, **polls, **proofs, **rest}


class Timetable(Scheduler):  # type: ignore[misc]  # Celery carries no types
    """Celery's plain scheduler, which keeps nothing between runs, over the timetable of this installation."""

    def setup_schedule(self) -> None:
        """Take the timetable up when beat starts, and not when the application is merely imported."""
        s = system()
        feeds = {name: feed.every_s for name, feed in s.feeds.items()}
        probed = [name for name, said in s.settings.channels.items() if said.get("probe")]
        every = s.settings.probe_seconds
        self.update_from_dict(
            timetable(s.settings.sweep_seconds, s.channels, feeds, probed=probed, probe_seconds=every)
        )

    def tick(self, *how: Any, **more: Any) -> float:
        """Send what is due; seconds until the next is."""
        steps.at("beat_tick")
        return float(super().tick(*how, **more))


def _queue(name: str) -> Queue:
    """A queue with an exchange of its own: on a shared one every queue would get every message."""
    return Queue(name, Exchange(name), routing_key=name)  # type: ignore[no-untyped-call]  # kombu carries no types


def configured(settings: Settings) -> Celery:
    """
    The application under these settings.

    No result backend: asking for results is what hangs a caller when Redis is down. Late acknowledgement with one task
    in hand, because every task may run twice; visibility above the hard time limit, because below it a long task would
    be given to a second worker while the first still has it.

    :raises Misconfigured: the broker's address is in no known form
    """
    restoring.install()
    made = Celery("emergency", include=["workers.tasks"])
    made.conf.update(
        broker_url=spelt(settings.broker_url).kombu if settings.broker_url else None,
        result_backend=None,
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_time_limit=240,
        task_soft_time_limit=220,
        task_create_missing_queues=False,
        task_default_queue=DEFAULT_QUEUE,
        task_queues=[_queue(name) for name in (*LANES, DEFAULT_QUEUE)],
        worker_prefetch_multiplier=1,
        worker_soft_shutdown_timeout=3,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "visibility_timeout": 300, "unacked_restore_interval": 5, "unacked_restore_throttle": 1,
            "socket_connect_timeout": 5, "socket_keepalive": True,
        },
        beat_scheduler="workers.app:Timetable",
        beat_max_loop_interval=1,
        enable_utc=True,
        timezone=settings.timezone,
    )
    return made


app = configured(Settings.from_env(os.environ))


def task(name: str) -> Callable[[Door], Door]:
    """Make a function a task of this name; it can still be called as what it is."""
    return cast("Callable[[Door], Door]", app.task(name=name))


@signals.setup_logging.connect  # type: ignore[untyped-decorator]  # Celery carries no types
def _speak_json(**_: Any) -> None:
    log.set_up()


@signals.worker_init.connect  # type: ignore[untyped-decorator]  # as above
def _read_before_the_fork(**_: Any) -> None:
    """Read plans and playbooks once; a wrong line stops the worker here, before it has children."""
    _ground.append(build(Settings.from_env(os.environ)))


@signals.worker_process_shutdown.connect  # type: ignore[untyped-decorator]  # as above
def let_go(**_: Any) -> None:
    """Close what this process has opened: the channels' connections and the store's."""
    found = _built.pop(os.getpid(), None)
    if found is not None:
        if os.getpid() in _loops:
            for channel in found.channels.values():
                awaited(channel.close())
        found.store.dispose()


@signals.worker_process_init.connect  # type: ignore[untyped-decorator]  # as above
def _belong_to_the_worker(**_: Any) -> None:
    """A child that outlived a killed worker would go on sending with nobody to answer to."""
    die_with(os.getppid(), signal.SIGKILL)
