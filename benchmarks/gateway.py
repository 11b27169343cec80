"""A message gateway for measuring: one process, a fixed delay before each answer, and a count of what reached it."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import cast

ROOT = Path(__file__).resolve().parents[1]
_KEY = re.compile(rb"\r\nidempotency-key: *([^\r]+)", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


class _Counted:
    """What has reached the gateway since the last reset."""

    def __init__(self) -> None:
        self.keys: Counter[bytes] = Counter()
        self.first_at = self.last_at = 0.0


class _Connection(asyncio.Protocol):
    """One keep-alive connection; requests on it are answered in order, each after the delay."""

    def __init__(self, counted: _Counted, delay_s: float) -> None:
        self._counted, self._delay_s, self._waiting = counted, delay_s, b""
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while (end := self._waiting.find(b"\r\n\r\n")) >= 0:
            head = self._waiting[:end]
            found = _LENGTH.search(head)
            whole = end + 4 + (int(found[1]) if found else 0)
            if len(self._waiting) < whole:
                return
            self._waiting = self._waiting[whole:]
            self._taken(head)

    def _taken(self, head: bytes) -> None:
        counted = self._counted
        if head.startswith(b"GET /counts"):
            keys = counted.keys
            said = {
                "requests": keys.total(), "distinct": len(keys),
                "first_at": counted.first_at, "last_at": counted.last_at,
            }
            self._answer(json.dumps(said).encode())
            return
        if head.startswith(b"GET /reset"):
            counted.keys.clear()
            counted.first_at = 0.0
            self._answer(b"{}")
            return
        key = _KEY.search(head)
        name = key[1] if key else b"-"
        counted.keys[name] += 1
        counted.last_at = self._loop.time()
        counted.first_at = counted.first_at or counted.last_at
        self._loop.call_later(self._delay_s, self._answer, b'{"receipt":"' + name + b'"}')

    def _answer(self, body: bytes) -> None:
        if not self._transport.is_closing():
            head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            self._transport.write(head + body)


async def _serve(delay_s: float) -> None:
    counted, loop = _Counted(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(counted, delay_s), "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)  # until whoever started it lets go


@dataclass(frozen=True)
class Counts:
    """Requests and distinct keys that reached the gateway; instants on the machine's monotonic clock, in seconds."""

    requests: int
    distinct: int
    first_at: float
    last_at: float


@dataclass(frozen=True)
class Gateway:
    """A running gateway on this machine."""

    port: int
    delay_s: float

    @property
    def url(self) -> str:
        """Where messages are posted to."""
        return f"http://127.0.0.1:{self.port}/send"

    def counts(self) -> Counts:
        """What has reached it since the last reset."""
        return Counts(**self._asked("/counts"))

    def reset(self) -> None:
        """Forget what has reached it."""
        self._asked("/reset")

    def _asked(self, path: str) -> dict[str, float]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path)
        said = json.loads(connection.getresponse().read())
        connection.close()
        return cast("dict[str, float]", said)


@contextmanager
def gateway(delay_ms: float) -> Iterator[Gateway]:
    """A gateway in a process of its own that answers each message after so many milliseconds."""
    process = subprocess.Popen(  # noqa: S603 - our own module, no input from outside
        [sys.executable, "-m", "benchmarks.gateway", str(delay_ms)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Gateway(int(process.stdout.readline()), delay_ms / 1000)  # type: ignore[union-attr]  # it is a pipe
    finally:
        process.stdin.close()  # type: ignore[union-attr]  # it is a pipe
        process.wait(10)
        process.stdout.close()  # type: ignore[union-attr]  # it is a pipe


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1]) / 1000))
