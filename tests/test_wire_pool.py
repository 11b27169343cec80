"""Kept connections: what they carry, when they are used again, and when nobody may use them any more."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from emergency.errors import Misconfigured
from emergency.wire import CutOff, NeverLeft
from emergency.wire_pool import Answer, Pool

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CERTIFICATE = Path(__file__).parent / "payloads" / "wire" / "self-signed.pem"


class Gateway:
    """A server that says the next of its answers to each request, and remembers what was asked on which connection."""

    def __init__(self, *answers: bytes, hangs_up: bool = False, waits_s: float = 0.0) -> None:
        self.answers, self.hangs_up, self.waits_s = list(answers), hangs_up, waits_s
        self.asked: list[tuple[int, bytes]] = []
        self.connections = 0
        self.port = 0

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/send?to=x"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection until it ends."""
        self.connections += 1
        mine = self.connections
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                self.asked.append((mine, head + await reader.readexactly(length)))
                await asyncio.sleep(self.waits_s)
                writer.write(self.answers.pop(0))
                await writer.drain()
                if self.hangs_up:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def listening(gateway: Gateway, *, encrypted: ssl.SSLContext | None = None) -> AsyncIterator[Gateway]:
    server = await asyncio.start_server(gateway.serve, "127.0.0.1", 0, ssl=encrypted)
    gateway.port = server.sockets[0].getsockname()[1]
    async with server:
        yield gateway


def run(gateway: Gateway, work: Callable[[Pool], Awaitable[None]], *, timeout_s: float = 5.0, **said: int) -> None:
    async def through() -> None:
        async with listening(gateway), Pool(allow=at(gateway), timeout_s=timeout_s, **said) as pool:
            await work(pool)

    asyncio.run(through())


def at(gateway: Gateway) -> frozenset[str]:
    return frozenset({f"127.0.0.1:{gateway.port}"})


def test_one_connection_carries_message_after_message() -> None:
    gateway = Gateway(OK, OK, OK)

    async def work(pool: Pool) -> None:
        for number in range(3):
            assert await pool.post_json(gateway.url, b"%d" % number, {"Idempotency-Key": "k"}) == Answer(200, b"ok")

    run(gateway, work)

    assert gateway.connections == 1
    assert [said[-1:] for _, said in gateway.asked] == [b"0", b"1", b"2"]


def test_the_request_is_what_a_gateway_can_read() -> None:
    gateway = Gateway(OK)

    async def work(pool: Pool) -> None:
        await pool.post_json(gateway.url, b"{}", {"Idempotency-Key": "k"})

    run(gateway, work)

    head, _, body = gateway.asked[0][1].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    assert first == "POST /send?to=x HTTP/1.1"
    assert dict(line.split(": ") for line in lines) == {
        "Host": f"127.0.0.1:{gateway.port}",
        "User-Agent": "heavy-pollution-emergency/1",
        "Accept-Encoding": "identity",
        "Content-Type": "application/json",
        "Idempotency-Key": "k",
        "Content-Length": "2",
    }
    assert body == b"{}"


@pytest.mark.parametrize(
    "first",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        OK + OK,  # more than was asked for: the next answer would be told to the wrong message
    ],
    ids=["close", "HTTP/1.0", "two at once"],
)
def test_a_connection_that_may_not_be_kept_is_not_used_again(first: bytes) -> None:
    gateway = Gateway(first, OK)

    async def work(pool: Pool) -> None:
        for _ in range(2):
            assert (await pool.post_json(gateway.url, b"{}", {})).body == b"ok"

    run(gateway, work)

    assert gateway.connections == 2


def test_an_answer_nobody_asked_for_any_more_is_told_to_nobody() -> None:
    """The first is given up before its answer comes; the second must not hear what was meant for the first."""
    late = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate"
    gateway = Gateway(late, OK, waits_s=0.05)

    async def work(pool: Pool) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await pool.post_json(gateway.url, b"1", {})
        gateway.waits_s = 0.0
        await asyncio.sleep(0.05)
        assert (await pool.post_json(gateway.url, b"2", {})).body == b"ok"

    run(gateway, work)

    assert gateway.connections == 2


@pytest.mark.parametrize(
    ("says", "body"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"ok"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n", b"ok"),
        (b"HTTP/1.0 200 OK\r\n\r\nok", b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
    ids=["continue", "chunked", "until it hangs up", "nothing"],
)
def test_each_way_of_ending_an_answer_is_understood(says: bytes, body: bytes) -> None:
    gateway = Gateway(says, hangs_up=True)

    async def work(pool: Pool) -> None:
        assert (await pool.post_json(gateway.url, b"{}", {})).body == body

    run(gateway, work)


@pytest.mark.parametrize(
    "says",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"x" * 200_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        b"",
    ],
    ids=["short", "short chunk", "cut in the head", "another protocol", "endless head", "two lengths", "hung up"],
)
def test_what_is_no_whole_answer_leaves_it_open_who_has_the_message(says: bytes) -> None:
    gateway = Gateway(says, hangs_up=True)

    async def work(pool: Pool) -> None:
        with pytest.raises(CutOff):
            await pool.post_json(gateway.url, b"{}", {})

    run(gateway, work)


def test_waiting_in_vain_for_a_free_connection_is_never_having_left() -> None:
    gateway = Gateway(OK, waits_s=0.2)

    async def work(pool: Pool) -> None:
        first, second = await asyncio.gather(
            *(pool.post_json(gateway.url, b"{}", {}) for _ in range(2)), return_exceptions=True
        )
        assert isinstance(first, CutOff)
        assert isinstance(second, NeverLeft)

    run(gateway, work, connections=1, timeout_s=0.05)

    assert len(gateway.asked) == 1


def test_a_header_that_would_begin_another_is_refused() -> None:
    gateway = Gateway(OK)

    async def work(pool: Pool) -> None:
        for value in ("k\r\nX-Evil: 1", "k\n", "指令"):
            with pytest.raises(Misconfigured):
                await pool.post_json(gateway.url, b"{}", {"Idempotency-Key": value})

    run(gateway, work)

    assert gateway.asked == []


def test_a_certificate_of_nobody_we_know_is_the_channels_fault_and_nothing_is_said() -> None:
    encrypted = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    encrypted.load_cert_chain(CERTIFICATE)
    gateway = Gateway(OK)

    async def work() -> None:
        async with listening(gateway, encrypted=encrypted), Pool(allow=at(gateway), timeout_s=2) as pool:
            with pytest.raises(Misconfigured, match="certificate"):
                await pool.post_json(gateway.url.replace("http:", "https:"), b"{}", {})

    asyncio.run(work())

    assert gateway.asked == []


def test_a_gateway_that_speaks_no_tls_never_had_the_message() -> None:
    gateway = Gateway(OK)

    async def work(pool: Pool) -> None:
        with pytest.raises(NeverLeft):
            await pool.post_json(gateway.url.replace("http:", "https:"), b"{}", {})

    run(gateway, work, timeout_s=0.3)

    assert gateway.asked == []
