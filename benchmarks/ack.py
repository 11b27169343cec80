"""收到 at speed: the product's own server and a bare Flask on the same server, asked by 16 and by 64 connections."""

from __future__ import annotations

import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import cast
from wsgiref.types import WSGIApplication

from sqlalchemy import create_engine, text

from benchmarks import city
from emergency.clock import WallClock
from emergency.domain.messages import Kind
from emergency.services import decisions, dispatch
from emergency.services.links import link_id

SIZE = 6000  # orders; each connection count answers its half, in ROUNDS parts
ROUNDS = 3
CONNECTIONS = (16, 64)
REPEATED = 10  # of so many answers one is given twice
PROCESSES, THREADS = 2, 16  # as `serve` starts them; the floor has the same
BARE_FOR = 3  # bare requests for each answer: they are over sooner
OF_BARE_FLASK = 0.12
P99_MS = {"postgresql": 150.0, "sqlite": 300.0}
PATIENCE_S = 120.0  # for one part; a server that hangs must not hang the figures
HERE = Path(__file__).resolve().parents[1]
BODY = b"revision=1&action=acknowledge"
TICKS = os.sysconf("SC_CLK_TCK")


def bare() -> WSGIApplication:
    """The floor: Flask that says ok."""
    from flask import Flask  # only the floor's own processes need it

    app = Flask("bare")

    @app.post("/ok")
    def ok() -> str:
        return "ok"

    return app


@dataclass(frozen=True)
class Load:
    """What one part of the load came to."""

    requests: int
    took_s: float
    spans_ms: Sequence[float]
    kinds: Sequence[str]  # where each answer led: ?said=…, or the status when it was none of ours
    cpu_s: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.took_s


class _Client(asyncio.Protocol):
    """One kept-alive connection that posts the next request as soon as the last was answered."""

    def __init__(self, load: _Load) -> None:
        self._load, self._got = load, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, parted, body = self._got.partition(b"\r\n\r\n")
        if not parted:
            return
        lines = head.split(b"\r\n")
        fields = {name.strip().lower(): value.strip() for name, _, value in (one.partition(b":") for one in lines[1:])}
        if len(body) < int(fields.get(b"content-length", b"0")):
            return
        self._got = b""
        status = lines[0].split(b" ")[1].decode()
        led = fields.get(b"location", b"").partition(b"said=")[2].decode()
        self._load.spans_ms.append((time.perf_counter() - self._since) * 1000)
        self._load.kinds.append(led if status == "303" and led else status)
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        load = self._load
        load.open -= 1
        if exc is not None or (self._got and not load.left):
            load.kinds.append("lost")
        if not load.open and not load.done.done():
            load.done.set_result(None)

    def _next(self) -> None:
        load = self._load
        if not load.left:
            self._transport.close()
            return
        path = load.left.pop()
        self._since = time.perf_counter()
        self._transport.write(
            b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: %d\r\n\r\n" % (path.encode(), len(BODY)) + BODY
        )


class _Load:
    def __init__(self, paths: Sequence[str], connections: int) -> None:
        self.left, self.open = list(reversed(paths)), connections
        self.spans_ms: list[float] = []
        self.kinds: list[str] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()


async def _posted(port: int, paths: Sequence[str], connections: int) -> tuple[float, _Load]:
    load = _Load(paths, connections)
    begun = time.perf_counter()
    for _ in range(connections):
        await asyncio.get_running_loop().create_connection(lambda: _Client(load), "127.0.0.1", port)
    async with asyncio.timeout(PATIENCE_S):
        await load.done
    return time.perf_counter() - begun, load


@dataclass(frozen=True)
class _Server:
    port: int
    process: subprocess.Popen[bytes]

    def ask(self, paths: Sequence[str], connections: int) -> Load:
        before = self._cpu_s()
        took, load = asyncio.run(_posted(self.port, paths, connections))
        return Load(len(paths), took, load.spans_ms, load.kinds, self._cpu_s() - before)

    def _cpu_s(self) -> float:
        """What the server's processes have used so far; 0 where the machine does not say."""
        used = 0
        for said in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                parts = said.read_text().rpartition(")")[2].split()
                if int(parts[1]) == self.process.pid or said.parent.name == str(self.process.pid):
                    used += int(parts[11]) + int(parts[12])
        return used / TICKS


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def _server(command: Sequence[str], port: int, environ: dict[str, str]) -> Iterator[_Server]:
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 - our own argument list, no shell
            [sys.executable, "-m", *command], cwd=HERE, env={**os.environ, **environ}, stdout=said, stderr=said
        )
        try:
            until = time.monotonic() + 30
            while True:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                if process.poll() is not None or time.monotonic() > until:
                    said.seek(0)
                    raise RuntimeError(f"the server did not start: {said.read().decode()[-800:]}")
                time.sleep(0.1)
            time.sleep(1.5)  # both processes have read their playbooks
            yield _Server(port, process)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)


@contextmanager
def _bare_server() -> Iterator[_Server]:
    port = _free_port()
    command = (
        "gunicorn", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--workers", str(PROCESSES),
        "--threads", str(THREADS), "--no-control-socket", "benchmarks.ack:bare()",
    )  # fmt: skip
    with _server(command, port, {}) as server:
        yield server


@contextmanager
def _product(url: str, folder: str) -> Iterator[_Server]:
    port = _free_port()
    command = ("emergency", "serve", "--port", str(port), "--processes", str(PROCESSES), "--threads", str(THREADS))
    environ = {
        "EMERGENCY_DATABASE_URL": url, "EMERGENCY_DATA_DIR": folder, "EMERGENCY_SECRET_KEY": city.SECRET,
        "EMERGENCY_PUBLIC_URL": city.PUBLIC_URL, "EMERGENCY_BROKER_URL": "", "EMERGENCY_ENV": "development",
    }  # fmt: skip
    with _server(command, port, environ) as server:
        yield server


def _issued(url: str, size: int) -> list[str]:
    """Where the recipients of a signed warning answer, each with a reminder of its own waiting in the post."""
    with city.ready(url, size) as ready:
        signed = decisions.sign(
            ready.store, ready.rules, ready.decision.id, by=ready.approver, content=ready.decision.content_sha,
            now=ready.now,
        )  # fmt: skip
        with ready.store.transactions() as tx:
            recipients = {one.id: one for one in tx.recipients()}
            orders = tx.orders(signed.episode_id)
            asked = [(one, contact) for one in orders for contact in recipients[one.recipient_id].contacts[:1]]
            tx.outbox.put(
                dispatch.message_for(
                    ready.rules, order, Kind.REMINDER, contact, "请尽快答复", rung="first", now=ready.now
                )
                for order, contact in asked
            )
        made = [ready.rules.links.token(link_id(order.id, contact.id)) for order, contact in asked]
    engine = create_engine(url)
    with engine.begin() as connection:  # the warning is of a past winter: let its links live on today's clock
        until = WallClock().now() + timedelta(days=1)
        connection.execute(text("UPDATE links SET expires_at = :until"), {"until": until.replace(tzinfo=None)})
    engine.dispose()
    return [f"/o/{one}/answer" for one in made]


def _kept(url: str) -> dict[str, int]:
    engine = create_engine(url)
    counts = {
        "rows": "SELECT count(*) FROM answers",
        "journal_entries": "SELECT count(*) FROM journal WHERE what = 'order.acknowledged'",
        "orders_answered": "SELECT count(*) FROM orders WHERE status = 'acknowledged'",
        "reminders_cancelled": "SELECT count(*) FROM messages WHERE kind = 'reminder' AND state = 'cancelled'",
    }
    with engine.connect() as connection:
        found = {name: int(connection.execute(text(asked)).scalar_one()) for name, asked in counts.items()}
    engine.dispose()
    return found


def _of(spans: Sequence[float], share: float) -> float:
    return sorted(spans)[min(len(spans) - 1, int(len(spans) * share))]


def _cpu_ms(some: Sequence[Load]) -> float:
    return 1000 * sum(one.cpu_s for one in some) / sum(one.requests for one in some)


def _measured(url: str, size: int) -> dict[str, object]:
    """One database: the product and the floor take turns, so that a neighbour's noise meets both."""
    part = max(1, size // (len(CONNECTIONS) * ROUNDS))
    with tempfile.TemporaryDirectory(prefix="emergency-ack-") as folder:
        paths = _issued(url, part * len(CONNECTIONS) * ROUNDS)
        found: dict[str, object] = {}
        everything: list[Load] = []
        with _bare_server() as floor, _product(url, folder) as product:
            for server, warm in ((floor, "/ok"), (product, "/o/aaaaaaaaaaaaaaaa/answer")):
                server.ask([warm] * 64, 16)
            left = list(paths)
            for connections in CONNECTIONS:
                loads, floors = [], []
                for _ in range(ROUNDS):
                    mine, left = left[:part], left[part:]
                    floors.append(floor.ask(["/ok"] * part * BARE_FOR, connections))
                    loads.append(product.ask([*mine, *mine[::REPEATED]], connections))
                everything += loads
                spans = [span for one in loads for span in one.spans_ms]
                found |= {
                    f"c{connections}_per_s": statistics.median(one.rate for one in loads),
                    f"c{connections}_bare_per_s": statistics.median(one.rate for one in floors),
                    f"c{connections}_of_bare_flask": statistics.median(
                        one.rate / below.rate for one, below in zip(loads, floors, strict=True)
                    ),
                    f"c{connections}_p50_ms": _of(spans, 0.50),
                    f"c{connections}_p99_ms": _of(spans, 0.99),
                    f"c{connections}_bare_p99_ms": _of([span for one in floors for span in one.spans_ms], 0.99),
                    f"c{connections}_cpu_ms": _cpu_ms(loads),
                    f"c{connections}_bare_cpu_ms": _cpu_ms(floors),
                }
    kinds = [kind for one in everything for kind in one.kinds]
    kept = _kept(url)
    return {
        "of_bare_flask": min(cast("float", found[f"c{one}_of_bare_flask"]) for one in CONNECTIONS),
        "p99_ms": cast("float", found[f"c{max(CONNECTIONS)}_p99_ms"]),
        "wanted_of_bare_flask": OF_BARE_FLASK,
        "wanted_p99_ms": P99_MS["postgresql" if url.startswith("postgresql") else "sqlite"],
        "answered_with": "303 to the order's page, as a phone gets it",
        **found,
        "orders": len(paths),
        "thanked": kinds.count("thanks"),
        "thanked_again": kinds.count("again"),
        "answered_otherwise": len(kinds) - kinds.count("thanks") - kinds.count("again"),
        **kept,
        "agree": {len(paths), kinds.count("thanks"), *kept.values()} == {len(paths)},
    }


def run(size: int = SIZE) -> dict[str, object]:
    """The figures, of PostgreSQL first where there is one, and of SQLite under names of their own."""
    with city.databases("ack_sqlite") as url:
        on_sqlite = _measured(url, size)
    if not os.environ.get("EMERGENCY_TEST_DATABASE_URL"):
        return {"database": "sqlite", **on_sqlite}
    with city.databases("ack") as url:
        on_postgresql = _measured(url, size)
    return {"database": "postgresql", **on_postgresql, **{f"sqlite_{name}": one for name, one in on_sqlite.items()}}
