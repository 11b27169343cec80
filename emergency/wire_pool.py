"""Keep-alive connections for mass sending: a small protocol over a kept HTTP parser, behind the guards of the wire."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from types import TracebackType
from urllib.parse import quote, unquote

import httptools

from emergency.errors import Misconfigured
from emergency.wire import (
    USER_AGENT,
    CutOff,
    NeverLeft,
    checked_addresses,
    is_literal,
    place,
    port_of,
    retry_after,
    split,
)

KEPT_S = 15.0  # an idle connection is not used again after so long: many gateways close theirs at about that age
LOOKED_UP_S = 10.0  # a gateway that closes after each answer must not cost a look-up for each message
CONNECTING_S = 3.0
MOST_OVERHEAD = 65_536  # bytes of an answer beyond its body: head, chunk sizes, trailers
_WHERE_IT_ENDS = (b"content-length", b"transfer-encoding")
_HEARD = frozenset({*_WHERE_IT_ENDS, b"retry-after", b"date"})


@dataclass(frozen=True)
class Answer:
    """What a gateway answered to a POST; ``retry_after`` in seconds, at most ``wire.LONGEST_RETRY_AFTER``."""

    status: int
    body: bytes
    retry_after: float | None = None


class Pool:
    """
    Keep-alive connections for mass sending: at most ``connections`` at once, all of one running loop.

    A request lasts at most ``timeout_s``, waiting for a free connection included. Redirects are answers, not followed.
    An answer is cut after ``max_bytes`` and fails to parse, which is what it deserves.
    """

    def __init__(
        self,
        *,
        connections: int = 32,
        timeout_s: float = 10.0,
        max_bytes: int = 65_536,
        allow: frozenset[str] = frozenset(),
    ) -> None:
        self.connections, self.timeout_s = connections, timeout_s
        self._max_bytes, self._allow = max_bytes, allow
        self._loop: asyncio.AbstractEventLoop | None = None
        self._free = asyncio.Semaphore(connections)
        self._idle: dict[tuple[str, str, int], deque[_Connection]] = {}
        self._found: dict[tuple[str, int], tuple[float, list[str]]] = {}

    async def __aenter__(self) -> Pool:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def post_json(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """
        POST these bytes as JSON.

        :raises NeverLeft: refused, unresolvable or no connection in time; nobody has it
        :raises CutOff: timed out or cut after the connection was had; nobody knows
        :raises Misconfigured: the address or a header is wrong, or the certificate does not fit
        :raises OutOfBounds: the address is not of the public internet and not allowed
        """
        way = _way(url, self._allow)
        request = way.request(body, headers)
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._begin_on(loop)
        ends_at = loop.time() + self.timeout_s
        free = self._free
        await self._take(free, way, ends_at)
        try:
            connection = self._waiting_on(way, loop.time()) or await self._connected(way, ends_at)
            answer = await self._asked(connection, way, request, ends_at)
        finally:
            free.release()
        if connection.usable:
            self._keep(connection, way, loop)
        return answer

    async def close(self) -> None:
        """Close every idle connection; the next request opens others, on whatever loop is then running."""
        gone, self._idle, self._loop = self._idle, {}, None
        self._found.clear()
        for some in gone.values():
            for one in some:
                one.close()
        await asyncio.sleep(0)  # a closed transport lets go of its socket in the loop's next round

    def _begin_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """Connections cannot be carried to another loop: those of the one before went with it."""
        self._loop, self._idle, self._free = loop, {}, asyncio.Semaphore(self.connections)

    def _keep(self, connection: _Connection, way: _Way, loop: asyncio.AbstractEventLoop) -> None:
        if loop is not self._loop:
            connection.close()  # the pool was closed meanwhile
            return
        connection.idle_since = loop.time()
        self._idle.setdefault(way.origin, deque()).append(connection)

    async def _take(self, free: asyncio.Semaphore, way: _Way, ends_at: float) -> None:
        if not free.locked():
            await free.acquire()  # at once
            return
        try:
            async with asyncio.timeout_at(ends_at):
                await free.acquire()
        except TimeoutError:
            raise NeverLeft(f"{way.place} gave no connection within {self.timeout_s:g} s") from None

    def _waiting_on(self, way: _Way, now: float) -> _Connection | None:
        """The connection that was used last, so that those not needed any more grow old; old ones are closed."""
        idle = self._idle.get(way.origin)
        while idle and (idle[0].idle_since < now - KEPT_S or not idle[0].usable):
            idle.popleft().close()
        while idle:
            if (found := idle.pop()).usable:
                return found
        return None

    async def _connected(self, way: _Way, ends_at: float) -> _Connection:
        loop = asyncio.get_running_loop()
        within = min(CONNECTING_S, self.timeout_s)
        try:
            async with asyncio.timeout_at(min(ends_at, loop.time() + within)):
                for address in await self._addresses(way):
                    if (found := await self._opened(way, address)) is not None:
                        return found
        except TimeoutError:
            raise NeverLeft(f"{way.place} gave no connection within {within:g} s") from None
        raise NeverLeft(f"{way.place} cannot be reached")

    async def _addresses(self, way: _Way) -> list[str]:
        """Where to connect, each checked; a name is looked up again after :data:`LOOKED_UP_S`."""
        if is_literal(way.host):
            return checked_addresses(way.host, way.port, self._allow)
        loop = asyncio.get_running_loop()
        good_until, found = self._found.get((way.host, way.port), (0.0, []))
        if good_until < loop.time():
            found = await loop.run_in_executor(None, checked_addresses, way.host, way.port, self._allow)
            self._found[way.host, way.port] = loop.time() + LOOKED_UP_S, found
        return found

    async def _opened(self, way: _Way, address: str) -> _Connection | None:
        """A connection to this address; None when there is no route, nobody listens or the handshake broke."""
        encrypted = _tls() if way.encrypted else None
        named = way.host if encrypted else None
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: _Connection(self._max_bytes), address, way.port, ssl=encrypted, server_hostname=named
            )
        except ssl.SSLCertVerificationError:
            raise Misconfigured(f"{way.place} shows a certificate that does not fit") from None
        except OSError:
            return None
        return connection

    async def _asked(self, connection: _Connection, way: _Way, request: bytes, ends_at: float) -> Answer:
        try:
            return await connection.ask(request, ends_at)
        except TimeoutError:
            raise CutOff(f"{way.place} did not answer within {self.timeout_s:g} s") from None
        except _CutError as error:
            raise CutOff(f"{way.place} {error}") from None


class _CutError(Exception):
    """The connection was had and no whole answer; the words follow the place's name."""


class _Connection(asyncio.Protocol):
    """One keep-alive connection with the parser of its answers; one request at a time."""

    def __init__(self, max_bytes: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._max_bytes = max_bytes
        self._asked: asyncio.Future[Answer] | None = None
        self._body: list[bytes] = []
        self._heard: dict[bytes, bytes] = {}
        self._size, self._received, self._head_read = 0, 0, False
        self.idle_since, self.usable = 0.0, True

    async def ask(self, request: bytes, ends_at: float) -> Answer:
        """
        The answer to this request, by ``ends_at`` of the loop's clock.

        :raises TimeoutError: there was none by then
        :raises _CutError: the connection ended first, or what came was no HTTP
        """
        self._body, self._heard = [], {}
        self._size, self._received, self._head_read = 0, 0, False
        asked: asyncio.Future[Answer] = self._loop.create_future()
        self._asked = asked
        timer = self._loop.call_at(ends_at, self._too_late)
        self._transport.write(request)
        try:
            return await asked
        finally:
            timer.cancel()
            if asked.cancelled():  # whoever asked gave up: another must not be given what comes late
                self._asked = None
                self.close()

    def close(self) -> None:
        """Let go of the connection at once."""
        self.usable = False
        self._transport.abort()

    # --- what the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # of a stream it is one

    def data_received(self, data: bytes) -> None:
        """Bytes of the answer, or of something nobody asked for."""
        if self._asked is None:
            self.close()
            return
        self._received += len(data)
        if self._received > self._max_bytes + MOST_OVERHEAD:
            self._fail(_CutError("answered without end"))
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(_CutError("answered something that is not HTTP"))

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is over; an answer that ends with it is whole then."""
        self.usable = False
        if self._asked is None:
            return
        if error is None and self._head_read and not any(name in self._heard for name in _WHERE_IT_ENDS):
            self._whole()
        else:
            why = f" ({type(error).__name__})" if error else ""
            self._fail(_CutError(f"cut the connection{why}"))

    # --- what the parser calls

    def on_message_begin(self) -> None:
        """An answer begins; a second one nobody asked for ends the connection."""
        if self._asked is None:
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One line of the head."""
        if (known := name.lower()) in _HEARD:
            self._heard[known] = value

    def on_headers_complete(self) -> None:
        """The head is read; a «100 Continue» is not the answer yet."""
        self._head_read = self._parser.get_status_code() >= 200

    def on_body(self, part: bytes) -> None:
        """A part of the body; of what is longer than allowed the beginning."""
        if self._asked is None:
            return
        self._body.append(part)
        self._size += len(part)
        if self._size > self._max_bytes:
            self._whole()
            self.close()

    def on_message_complete(self) -> None:
        """The answer is whole."""
        if self._head_read and self._asked is not None:
            self.usable = self.usable and self._parser.should_keep_alive()
            self._whole()
            if not self.usable:
                self.close()

    # --- underneath

    def _whole(self) -> None:
        wait = None
        if b"retry-after" in self._heard:
            said = {name.decode("ascii").title(): value.decode("latin-1") for name, value in self._heard.items()}
            wait = retry_after(said)
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        answer = Answer(self._parser.get_status_code(), body[: self._max_bytes], wait)
        asked, self._asked = self._asked, None
        if asked is not None and not asked.done():
            asked.set_result(answer)

    def _fail(self, error: Exception) -> None:
        asked, self._asked = self._asked, None
        if asked is not None and not asked.done():
            asked.set_exception(error)
        self.close()

    def _too_late(self) -> None:
        self._fail(TimeoutError())


@dataclass(frozen=True)
class _Way:
    """An address taken apart, and the part of a request's head that is the same for all."""

    place: str
    host: str
    port: int
    encrypted: bool
    head: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """What a kept connection belongs to."""
        return ("https" if self.encrypted else "http"), self.host, self.port

    def request(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        """
        The request as it is written.

        :raises Misconfigured: a header holds a line end or a letter no header may have
        """
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        if lines.count("\n") != len(headers) or lines.count("\r") != len(headers):
            raise Misconfigured("a header is not well formed")
        try:
            return f"{self.head}{lines}Content-Length: {len(body)}\r\n\r\n".encode("latin-1") + body
        except UnicodeEncodeError:
            raise Misconfigured("a header is not well formed") from None


@lru_cache(maxsize=64)  # a channel sends thousands of messages to one address
def _way(url: str, allow: frozenset[str]) -> _Way:
    """
    Take an address apart.

    :raises Misconfigured: it is no URL of the web
    :raises OutOfBounds: it names an address that is not of the public internet and not allowed
    """
    parts = split(url)
    host, port = parts.hostname or "", port_of(parts)
    if is_literal(host):
        checked_addresses(host, port, allow)
    try:
        name = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        raise Misconfigured("the address is not a URL") from None
    named = f"[{name}]" if ":" in name else name
    at = named if parts.port in (None, 443 if parts.scheme == "https" else 80) else f"{named}:{port}"
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    if parts.query:
        target += "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    head = (
        f"POST {target} HTTP/1.1\r\nHost: {at}\r\nUser-Agent: {USER_AGENT}\r\n"
        "Accept-Encoding: identity\r\nContent-Type: application/json\r\n"
    )
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        head += f"Authorization: Basic {base64.b64encode(pair.encode()).decode('ascii')}\r\n"
    return _Way(place(parts), name, port, parts.scheme == "https", head)


@cache
def _tls() -> ssl.SSLContext:
    """The machine's own authorities; made once, because reading them takes longer than many messages."""
    found = ssl.create_default_context()
    found.set_alpn_protocols(["http/1.1"])
    return found
