"""The Celery application: its manners, its queues and its timetable."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Mapping
from typing import Any, Final

from celery import Celery, signals
from kombu import Queue

from config import Settings
from emergency import log
from emergency.broker import DEFAULT_QUEUE, EXPIRES_S, LANES, queue_for, spelt
from emergency.errors import Misconfigured
from emergency.system import System, build
from workers import die_with

WATCH_EVERY_S: Final = 60
WEIGH_EVERY_S: Final = 60
POLL_EVERY_S: Final = 600  # unless FEED_<NAME>_EVERY says otherwise

_built: dict[int, System] = {}


def system() -> System:
    """The system of this process: built once, and after the fork, so that no connection is shared with the parent."""
    pid = os.getpid()
    if pid not in _built:
        _built.clear()
        _built[pid] = build(Settings.from_env(os.environ))
    return _built[pid]


def timetable(sweep_seconds: float, channels: Iterable[str], feeds: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """
    What beat wakes, and how often (seconds); ``feeds``: name → its own interval.

    Every wake-up expires before the next but one, so that a pause leaves no pile; a second beat does no harm, because
    every sweep claims what it takes.
    """

    def entry(task: str, every: float, **kwargs: str) -> dict[str, Any]:
        options = {"queue": queue_for(task, kwargs), "expires": max(EXPIRES_S, every)}
        return {"task": task, "schedule": every, "kwargs": kwargs, "options": options}

    sweeps = {f"{task}": entry(task, sweep_seconds) for task in ("escalate", "lapse")}
    drains = {
        f"drain {channel} {lane}": entry("drain", sweep_seconds, channel=channel, lane=lane)
        for channel in sorted(channels)
        for lane in LANES
    }
    polls = {f"poll {name}": entry("poll_feed", every, feed=name) for name, every in sorted(feeds.items())}
    rest = {"weigh": entry("weigh", WEIGH_EVERY_S), "look": entry("look", WATCH_EVERY_S)}
    return {**sweeps, **drains, **polls, **rest}


def intervals(settings: Settings) -> dict[str, int]:
    """
    How often each feed is asked, in seconds.

    :raises Misconfigured: FEED_<NAME>_EVERY is no whole number of seconds
    """
    every = {name: said.get("every", str(POLL_EVERY_S)) for name, said in settings.feeds.items()}
    for name, seconds in every.items():
        if not seconds.isdigit() or int(seconds) < 1:
            raise Misconfigured(f"FEED_{name.upper()}_EVERY: {seconds!r} is not a whole number of seconds")
    return {name: int(seconds) for name, seconds in every.items()}


def configured(settings: Settings) -> Celery:
    """
    The application under these settings.

    No result backend: asking for results is what hangs a caller when Redis is down. Late acknowledgement with one task
    in hand, because every task may run twice; visibility above the hard time limit, because below it a long task would
    be given to a second worker while the first still has it.

    :raises Misconfigured: the broker's address is in no known form
    """
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
        task_queues=[Queue(name) for name in (*LANES, DEFAULT_QUEUE)],
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
        beat_scheduler="celery.beat:Scheduler",
        beat_max_loop_interval=1,
        beat_schedule=timetable(settings.sweep_seconds, settings.channels, intervals(settings)),
        enable_utc=True,
        timezone=settings.timezone,
    )
    return made


app = configured(Settings.from_env(os.environ))


@signals.setup_logging.connect
def _speak_json(**_: Any) -> None:
    log.set_up()


@signals.worker_process_init.connect
def _belong_to_the_worker(**_: Any) -> None:
    """A child that outlived a killed worker would go on sending with nobody to answer to."""
    die_with(os.getppid(), signal.SIGKILL)
