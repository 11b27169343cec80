"""What the wire lets out, what it lets in, and what it says when it does not."""

from __future__ import annotations

import asyncio
import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import cycle
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from emergency import wire, wire_pool
from emergency.errors import Misconfigured, Unavailable

PRIVATE = [
    "127.0.0.1",
    "127.255.0.9",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.2.7",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fd00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.1.2.3",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "2002:7f00:1::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
]


@pytest.fixture
def place(httpserver: HTTPServer) -> frozenset[str]:
    """The test server's place, allowed."""
    return frozenset({f"{httpserver.host}:{httpserver.port}"})


@pytest.fixture
def raw_server() -> Iterator[Callable[..., str]]:
    """A server that reads a request and says exactly these bytes; ``then_waits`` leaves the connection open."""
    threads: list[threading.Thread] = []
    over = threading.Event()

    def start(says: bytes, *, then_waits: bool = False) -> str:
        server = socket.create_server(("127.0.0.1", 0))

        def serve() -> None:
            with server:
                peer, _ = server.accept()
                with peer:
                    peer.recv(65536)
                    peer.sendall(says)
                    if then_waits:
                        over.wait(20)

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        return f"127.0.0.1:{server.getsockname()[1]}"

    yield start
    over.set()
    for thread in threads:
        thread.join(20)


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_off_the_public_internet_is_told(address: str) -> None:
    assert not wire.is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "223.5.5.5", "2400:3200::1", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_a_public_address_is_told(address: str) -> None:
    assert wire.is_public(address)


def test_the_document_comes_with_its_validators(httpserver: HTTPServer, place: frozenset[str]) -> None:
    httpserver.expect_request("/air").respond_with_data(
        "{}", headers={"ETag": '"7"', "Last-Modified": "Sat, 10 Jan 2026 08:00:00 GMT"}, content_type="application/json"
    )

    found = wire.fetch(httpserver.url_for("/air"), allow=place)

    assert found == wire.Fetched(200, b"{}", '"7"', "Sat, 10 Jan 2026 08:00:00 GMT", "application/json")


def test_an_unchanged_document_is_a_304_without_a_body(httpserver: HTTPServer, place: frozenset[str]) -> None:
    httpserver.expect_request("/air", headers={"If-None-Match": '"7"', "If-Modified-Since": "then"}).respond_with_data(
        "", 304, {"ETag": '"7"'}
    )

    found = wire.fetch(httpserver.url_for("/air"), etag='"7"', last_modified="then", allow=place)

    assert (found.status, found.body) == (304, b"")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "http://localhost:1/x", "http://[::1]:1/x", "http://2130706433:1/"])
def test_a_private_address_is_refused_before_anything_leaves(url: str) -> None:
    with pytest.raises(wire.OutOfBounds):
        wire.fetch(url)


def test_allowing_one_port_allows_no_other(httpserver: HTTPServer) -> None:
    with pytest.raises(wire.OutOfBounds):
        wire.fetch(httpserver.url_for("/"), allow=frozenset({f"{httpserver.host}:{httpserver.port + 1}"}))


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://x/", "gopher://x/", "/etc/passwd", "http://", "http://x:99999/", ""]
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(Misconfigured):
        wire.fetch(url)


class TestRebinding:
    """A name that answers with a public address first and a private one a moment later."""

    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        asked: list[str] = []
        answers = cycle(["203.0.113.1", "127.0.0.1"])  # the first is documentation space; made public below

        def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    def test_fetch_connects_to_the_address_it_checked(self, asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        connected: list[object] = []

        def connect(address: object, *_: Any, **__: Any) -> socket.socket:
            connected.append(address)
            raise ConnectionRefusedError

        monkeypatch.setattr(wire, "create_connection", connect)
        monkeypatch.setattr(wire, "is_public", lambda address: address == "203.0.113.1")

        with pytest.raises(wire.NeverLeft):
            wire.fetch("http://rebind.example/")

        assert connected == [("203.0.113.1", 80)]
        assert asked == ["rebind.example"]


def test_a_name_with_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(_: str, port: int, *__: Any, **___: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in ("8.8.8.8", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    with pytest.raises(wire.OutOfBounds):
        wire.checked_addresses("both.example", 443, frozenset())


def test_the_pool_connects_only_to_checked_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(_: str, port: int, *__: Any, **___: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    async def post() -> None:
        async with wire_pool.Pool(timeout_s=1) as pool:
            await pool.post_json("http://inside.example:9/", b"{}", {})

    with pytest.raises(wire.OutOfBounds):
        asyncio.run(post())


def test_a_redirect_to_a_private_address_is_not_followed(httpserver: HTTPServer, place: frozenset[str]) -> None:
    httpserver.expect_request("/air").respond_with_data("", 302, {"Location": "http://169.254.169.254/latest/meta-data"})

    with pytest.raises(wire.OutOfBounds):
        wire.fetch(httpserver.url_for("/air"), allow=place)


def test_a_redirect_to_a_file_is_not_followed(httpserver: HTTPServer, place: frozenset[str]) -> None:
    httpserver.expect_request("/air").respond_with_data("", 302, {"Location": "file:///etc/passwd"})

    with pytest.raises(Misconfigured):
        wire.fetch(httpserver.url_for("/air"), allow=place)


def test_a_redirect_to_an_allowed_place_is_followed_without_our_key(httpserver: HTTPServer) -> None:
    seen: list[str | None] = []

    def take(request: Request) -> Response:
        seen.append(request.headers.get("X-QW-Api-Key"))
        return Response("there")

    with HTTPServer() as other:
        other.expect_request("/new").respond_with_handler(take)
        httpserver.expect_request("/air").respond_with_data("", 302, {"Location": other.url_for("/new")})
        allow = frozenset({f"{one.host}:{one.port}" for one in (httpserver, other)})

        found = wire.fetch(httpserver.url_for("/air"), headers={"X-QW-Api-Key": "secret"}, allow=allow)

    assert found.body == b"there"
    assert seen == [None]


def test_redirects_in_a_circle_come_to_an_end(httpserver: HTTPServer, place: frozenset[str]) -> None:
    httpserver.expect_request("/air").respond_with_data("", 307, {"Location": "/air"})

    with pytest.raises(Misconfigured, match="more than 3 times"):
        wire.fetch(httpserver.url_for("/air"), allow=place)


def test_a_document_larger_than_allowed_is_not_swallowed(httpserver: HTTPServer, place: frozenset[str]) -> None:
    httpserver.expect_request("/air").respond_with_data(b"x" * 200_001)

    with pytest.raises(Unavailable, match="more than 200000 bytes"):
        wire.fetch(httpserver.url_for("/air"), allow=place, max_bytes=200_000)


def test_a_small_message_that_unpacks_to_a_mountain_is_not_swallowed(
    httpserver: HTTPServer, place: frozenset[str]
) -> None:
    bomb = gzip.compress(bytes(100_000_000), 9)
    httpserver.expect_request("/air").respond_with_data(bomb, headers={"Content-Encoding": "gzip"})

    with pytest.raises(Unavailable, match="more than 200000 bytes"):
        wire.fetch(httpserver.url_for("/air"), allow=place, max_bytes=200_000)


def test_gzip_within_the_size_is_unpacked(httpserver: HTTPServer, place: frozenset[str]) -> None:
    httpserver.expect_request("/air").respond_with_data(gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"})

    assert wire.fetch(httpserver.url_for("/air"), allow=place).body == b"{}"


def test_gzip_that_is_none_is_the_sources_trouble(httpserver: HTTPServer, place: frozenset[str]) -> None:
    httpserver.expect_request("/air").respond_with_data(b"not gzip", headers={"Content-Encoding": "gzip"})

    with pytest.raises(Unavailable):
        wire.fetch(httpserver.url_for("/air"), allow=place)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_status_that_may_pass_says_later(httpserver: HTTPServer, place: frozenset[str], status: int) -> None:
    httpserver.expect_request("/air").respond_with_data("", status, {"Retry-After": "120"})

    with pytest.raises(Unavailable) as later:
        wire.fetch(httpserver.url_for("/air"), allow=place)

    assert later.value.retry_after == 120


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 206])
def test_a_status_that_will_not_pass_asks_for_the_operator(
    httpserver: HTTPServer, place: frozenset[str], status: int
) -> None:
    httpserver.expect_request("/air").respond_with_data("", status)

    with pytest.raises(Misconfigured, match=str(status)):
        wire.fetch(httpserver.url_for("/air"), allow=place)


def test_a_source_that_is_down_never_had_the_question() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        at = f"127.0.0.1:{nobody.getsockname()[1]}"

        with pytest.raises(wire.NeverLeft):
            wire.fetch(f"http://{at}/", allow=frozenset({at}))


def test_a_source_that_says_nothing_is_given_up(raw_server: Callable[..., str]) -> None:
    at = raw_server(b"", then_waits=True)

    with pytest.raises(wire.CutOff, match="did not answer"):
        wire.fetch(f"http://{at}/", allow=frozenset({at}), timeout=(1, 0.2))


def test_a_source_that_stops_in_mid_answer_is_given_up(raw_server: Callable[..., str]) -> None:
    at = raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", then_waits=True)

    with pytest.raises(wire.CutOff):
        wire.fetch(f"http://{at}/", allow=frozenset({at}), timeout=(1, 0.2))


def test_a_source_that_answers_for_ever_is_given_up(httpserver: HTTPServer, place: frozenset[str]) -> None:
    httpserver.expect_request("/air").respond_with_data(b"x" * 100_000)

    with pytest.raises(wire.CutOff, match="time was over"):
        wire.fetch(httpserver.url_for("/air"), allow=place, deadline=-1)


@pytest.mark.parametrize(
    ("at_once", "dripping"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", b"x" * 900),
        (b"HTTP/1.1 200 OK\r\n\r\n{", b"x" * 900),  # no length: a cut answer would look whole
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 150),
        (b"", b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 900),
        (b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nX-Long: ", b"x" * 900),
    ],
)
def test_a_source_that_drips_is_cut_when_its_time_is_over_wherever_it_stands(at_once: bytes, dripping: bytes) -> None:
    sent: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        at = f"127.0.0.1:{server.getsockname()[1]}"

        def serve() -> None:
            peer, _ = server.accept()
            with peer, suppress(OSError):
                peer.recv(65536)
                peer.sendall(at_once)
                for byte in dripping:
                    peer.sendall(bytes((byte,)))
                    sent.append(byte)
                    time.sleep(0.01)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(wire.CutOff, match="time was over"):
            wire.fetch(f"http://{at}/", allow=frozenset({at}), timeout=(1, 5), deadline=0.2)
        thread.join(20)

    assert len(sent) < len(dripping)  # it was hung up on, with most of it unsaid


@pytest.mark.parametrize(
    "says",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf",
        b"HTTP/1.1 200 O",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"",
    ],
    ids=["short", "short chunk", "cut in the head", "not HTTP", "hung up"],
)
def test_an_answer_cut_short_is_no_answer(raw_server: Callable[..., str], says: bytes) -> None:
    at = raw_server(says)

    with pytest.raises(Unavailable):
        wire.fetch(f"http://{at}/", allow=frozenset({at}))


def test_no_error_speaks_of_the_path_the_key_or_the_header(httpserver: HTTPServer, place: frozenset[str]) -> None:
    httpserver.expect_request("/v2.5/s3cret/daily").respond_with_data("", 404)
    words: list[str] = []

    for url in (httpserver.url_for("/v2.5/s3cret/daily?key=s3cret"), "http://user:s3cret@nobody.invalid/s3cret?k=s3cret"):
        with pytest.raises((Misconfigured, Unavailable)) as told:
            wire.fetch(url, headers={"Authorization": "s3cret"}, allow=place)
        words += [str(told.value), repr(told.value), str(told.value.__cause__)]

    assert not any("s3cret" in word for word in words)


def test_the_machines_proxy_settings_do_not_lead_round_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    with pytest.raises(wire.OutOfBounds):
        wire.fetch("http://10.0.0.1/")
