"""What fan-out costs by one task for each recipient: an ORM insert, a commit and a POST without a session in each."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import requests
from celery import Celery, signals
from redis import Redis
from sqlalchemy import Engine, String, Text, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from benchmarks.floor import BODY
from benchmarks.gateway import ROOT, Gateway

CONCURRENCY = 8
PATIENCE_S = 240
QUEUE = "naive-fanout"
DATABASE, URL = "EMERGENCY_BENCH_NAIVE_DATABASE", "EMERGENCY_BENCH_NAIVE_GATEWAY"


class Base(DeclarativeBase):
    """A table of its own: nothing of the product is used here."""


class Sent(Base):
    """One order, written as most would write it."""

    __tablename__ = "naive_orders"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    recipient: Mapped[str] = mapped_column(String(80))
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12))


app = Celery("naive", broker=os.environ.get("EMERGENCY_TEST_BROKER_URL", ""))
app.conf.update(task_ignore_result=True, task_default_queue=QUEUE, broker_connection_retry_on_startup=False)
_engine: list[Any] = []


@signals.worker_process_init.connect  # type: ignore[untyped-decorator]  # Celery carries no types
def _own_connections(**_: Any) -> None:
    _engine[:] = [create_engine(os.environ[DATABASE])]


def _order(recipient: str) -> None:
    order = Sent(id=uuid4(), recipient=recipient, text="应急指令" * 60, state="ready")
    with Session(_engine[0]) as session:
        session.add(order)
        session.commit()
    answer = requests.post(
        os.environ[URL], data=BODY, timeout=10,
        headers={"Content-Type": "application/json", "Idempotency-Key": f"naive-{recipient}"},
    )
    answer.raise_for_status()


order = cast("Callable[..., Any]", app.task(name="naive.order")(_order))


@dataclass(frozen=True)
class Naive:
    """Orders a second, and CPU seconds of the producer, its workers and PostgreSQL; Redis is not counted."""

    per_s: float
    cpu_s: float


def measure(database: str, gateway: Gateway, size: int) -> Naive:
    """
    Send so many orders the naive way by Celery's prefork pool of eight, on a running Redis.

    :raises TimeoutError: they did not arrive in time
    """
    broker = os.environ["EMERGENCY_TEST_BROKER_URL"]
    redis = Redis.from_url(broker, socket_timeout=5, socket_connect_timeout=5)
    redis.delete(QUEUE)
    engine = create_engine(database)
    Base.metadata.create_all(engine)
    worker = subprocess.Popen(  # noqa: S603 - our own module, no input from outside
        [
            sys.executable, "-m", "celery", "-A", "benchmarks.naive", "worker", "-c", str(CONCURRENCY), "-Q", QUEUE,
            "--without-mingle", "--without-gossip", "--without-heartbeat", "-l", "error",
        ],
        cwd=ROOT,
        env={**os.environ, DATABASE: database, URL: gateway.url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        gateway.reset()
        app.send_task("naive.order", args=["warm"], queue=QUEUE)
        _until(lambda: gateway.counts().requests >= 1)
        time.sleep(0.5)
        gateway.reset()
        server = postgresql(engine)
        before, mine = _cpu(worker.pid) + cpu_of(server), time.process_time()
        begun = time.perf_counter()
        for number in range(size):
            app.send_task("naive.order", args=[str(number)], queue=QUEUE)
        _until(lambda: gateway.counts().requests >= size)
        took = time.perf_counter() - begun
        cpu = _cpu(worker.pid) + cpu_of(postgresql(engine) | server) - before + time.process_time() - mine
    finally:
        worker.terminate()
        try:
            worker.wait(20)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait(5)
        redis.delete(QUEUE)
        redis.close()
        engine.dispose()
    return Naive(size / took, cpu)


def _until(there: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not there():
        if time.monotonic() > ends:
            raise TimeoutError("the naive way did not arrive in time")
        time.sleep(0.05)


def cpu_of(pids: set[int]) -> float:
    """CPU seconds these processes have used so far."""
    ticks, found = os.sysconf("SC_CLK_TCK"), 0.0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                said = file.read().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue
        found += (int(said[11]) + int(said[12])) / ticks
    return found


def postgresql(engine: Engine) -> set[int]:
    """The processes of the database's server, for their CPU; none for SQLite, or where it runs on another machine."""
    if engine.dialect.name != "postgresql":
        return set()
    with engine.connect() as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    said = Path(f"/proc/{pid}/stat")
    if not said.exists():
        return set()
    parent = int(said.read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()[1])
    return {parent, *children_of(parent)}


def _cpu(parent: int) -> float:
    """CPU seconds of a process and its children."""
    return cpu_of({parent, *children_of(parent)})


def children_of(parent: int) -> set[int]:
    """The processes it has started."""
    found = set()
    for name in os.listdir("/proc"):
        if not re.fullmatch("[0-9]+", name):
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                if int(file.read().rsplit(")", 1)[1].split()[1]) == parent:
                    found.add(int(name))
        except (OSError, IndexError, ValueError):
            continue
    return found
