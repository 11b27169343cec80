"""The floor under every fan-out: one bare asyncio client, keep-alive connections, no database, bodies of real size."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from typing import cast

BODY = json.dumps(
    {
        "id": "8d2a6d0e-5a5e-5a0b-9f64-2a2f4a1f0c11", "to": "13900000000", "text": "应急指令" * 60,
        "link": "https://liujiang.example/o/abcdefghijkmnopq", "lane": "urgent",
        "order": "0c2a6d0e-5a5e-5a0b-9f64-2a2f4a1f0c22", "revision": 1,
        "episode": "1c2a6d0e-5a5e-5a0b-9f64-2a2f4a1f0c33", "kind": "order",
    },
    ensure_ascii=False,
).encode()


class _Client(asyncio.Protocol):
    """One connection that posts the next message as soon as the last was answered."""

    def __init__(self, floor: _Floor) -> None:
        self._floor, self._waiting = floor, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        if self._waiting.endswith(b"}"):  # the gateway's answer is one small object
            self._waiting = b""
            self._floor.answered += 1
            self._next()

    def _next(self) -> None:
        floor = self._floor
        if floor.left:
            floor.left -= 1
            self._transport.write(floor.head % floor.left + BODY)
        else:
            self._transport.close()
            floor.open -= 1
            if not floor.open:
                floor.done.set_result(None)


class _Floor:
    def __init__(self, size: int, connections: int, port: int) -> None:
        self.left, self.answered, self.open = size, 0, connections
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.head = (
            b"POST /send HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/json\r\n"
            b"Idempotency-Key: floor-%%d\r\nContent-Length: %d\r\n\r\n" % (port, len(BODY))
        )


async def _run(port: int, size: int, connections: int) -> None:
    loop = asyncio.get_running_loop()
    floor = _Floor(size, connections, port)
    begun = time.perf_counter()
    for _ in range(connections):
        await loop.create_connection(lambda: _Client(floor), "127.0.0.1", port)
    await floor.done
    took = time.perf_counter() - begun
    used = resource.getrusage(resource.RUSAGE_SELF)
    sys.stdout.write(f"{floor.answered / took} {used.ru_utime + used.ru_stime}\n")


if __name__ == "__main__":
    asyncio.run(_run(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
