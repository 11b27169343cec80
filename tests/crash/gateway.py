"""A gateway in the test's own process that counts what reaches it, and can be slow, forgetful or deadly."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

from emergency import clock


class Gateway:
    """
    Takes messages over HTTP and remembers them.

    ``requests``: how often each key was on the wire. ``applied``: how often each effect (this text to this number about
    this revision) was carried out. A gateway that ``knows_keys`` carries out each key once; one that does not, each
    request. ``strike`` is called in the middle of the next request, which is then never answered.
    """

    def __init__(self, *, knows_keys: bool = True, delay_s: float = 0.02) -> None:
        self.knows_keys, self.delay_s = knows_keys, delay_s
        self.requests: Counter[UUID] = Counter()
        self.applied: Counter[tuple[Any, ...]] = Counter()
        self.strike: Callable[[], None] | None = None
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.place = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def take(self, key: UUID, said: dict[str, Any]) -> Callable[[], None] | None:
        """Count a request; what is to be done in its middle, if anything is."""
        effect = (said["to"], said["order"], said["revision"], said["kind"], said["text"])
        with self._lock:
            if not (self.knows_keys and self.requests[key]):
                self.applied[effect] += 1
            self.requests[key] += 1
            strike, self.strike = self.strike, None
        return strike

    def close(self) -> None:
        """Take nothing any more."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                key = UUID(self.headers["Idempotency-Key"])
                strike = gateway.take(key, said)
                if strike is not None:
                    self.close_connection = True
                    strike()
                    return
                clock.pause(gateway.delay_s)
                body = json.dumps({"receipt": f"r-{key}"}).encode()
                head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                try:
                    self.wfile.write(head.encode() + body)
                except OSError:  # whoever asked is dead
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def handle(self) -> None:
                with suppress(ConnectionError):  # as above, while its next request was waited for
                    super().handle()

        return Handler
