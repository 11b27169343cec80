"""A gateway's answers, one by one, and what goes out to it."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from emergency import channels
from emergency.channels import signing
from emergency.channels.http import HttpChannel, outcome
from emergency.clock import SetClock
from emergency.domain.messages import ChannelFault, Kind, Lane, Later, Message, Never, Outcome, Sent, Uncertain
from emergency.errors import Misconfigured
from emergency.wire_pool import Answer

NOW = datetime(2026, 1, 10, 8, 0, tzinfo=UTC)
PAYLOADS = sorted((Path(__file__).parents[1] / "payloads" / "channel" / "http").glob("*.json"))
OUTCOMES = {one.__name__: one for one in (Sent, Later, Never, Uncertain, ChannelFault)}
KEY = "a-key-nobody-may-see"


def a_message(**changes: Any) -> Message:
    said: dict[str, Any] = {
        "id": UUID("11111111-1111-4111-8111-111111111111"),
        "kind": Kind.ORDER,
        "channel": "sms",
        "lane": Lane.URGENT,
        "to": "13800000000",
        "text": "【柳江应急】橙色预警，请按指令停产。",
        "area": "450206",
        "due_at": NOW,
        "order_id": UUID("22222222-2222-4222-8222-222222222222"),
        "episode_id": UUID("33333333-3333-4333-8333-333333333333"),
        "revision": 2,
        "link": "http://127.0.0.1:8000/o/abcdefghijklmnop",
    }
    return Message(**{**said, **changes})


def a_channel(url: str, *, timeout_s: float = 5.0) -> HttpChannel:
    place = url.removeprefix("http://").partition("/")[0]
    return HttpChannel("sms", url, KEY, wall=SetClock(NOW), timeout_s=timeout_s, allow=frozenset({place}))


def sent(channel: channels.Channel, *messages: Message) -> list[Outcome]:
    async def send() -> list[Outcome]:
        try:
            return [await channel.send(one) for one in messages]
        finally:
            await channel.close()

    return asyncio.run(send())


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda one: one.stem)
def test_each_answer_has_its_outcome(path: Path, httpserver: HTTPServer) -> None:
    said = json.loads(path.read_text(encoding="utf-8"))
    httpserver.expect_request("/send").respond_with_data(said["body"], said["status"], said["headers"])

    (found,) = sent(a_channel(httpserver.url_for("/send")), a_message())

    assert type(found) is OUTCOMES[said["outcome"]]
    if "retry_after" in said:
        assert isinstance(found, Later)
        assert found.retry_after == said["retry_after"]


def test_the_gateway_gets_what_the_contract_says(httpserver: HTTPServer) -> None:
    seen: list[Request] = []

    def take(request: Request) -> Response:
        request.get_data(cache=True)
        seen.append(request)
        return Response('{"receipt": "r-1"}')

    httpserver.expect_request("/send", method="POST").respond_with_handler(take)
    message = a_message()

    found = sent(a_channel(httpserver.url_for("/send")), message, message)

    assert found == [Sent("r-1"), Sent("r-1")]
    assert json.loads(seen[0].get_data()) == {
        "id": str(message.id),
        "to": message.to,
        "text": message.text,
        "link": message.link,
        "lane": "urgent",
        "order": str(message.order_id),
        "revision": 2,
        "episode": str(message.episode_id),
        "kind": "order",
    }
    assert {one.headers["Idempotency-Key"] for one in seen} == {str(message.id)}
    assert seen[0].get_data() == seen[1].get_data()
    assert seen[0].headers["Content-Type"] == "application/json"
    for one in seen:
        signing.check(KEY, one.headers["X-Timestamp"], one.get_data(), one.headers["X-Signature"], now=NOW)
        assert message.to not in str(one.headers)


def test_a_message_about_no_order_says_null() -> None:
    said = json.loads(channels.http.payload(a_message(order_id=None, episode_id=None, kind=Kind.ALARM)))

    assert (said["order"], said["episode"], said["kind"]) == (None, None, "alarm")


def test_a_refused_connection_never_left() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/send"

        (found,) = sent(a_channel(url), a_message())

    assert isinstance(found, Later)


def test_a_name_nobody_has_never_left() -> None:
    (found,) = sent(a_channel("http://gateway.invalid:9/send"), a_message())

    assert isinstance(found, Later)


@pytest.fixture
def listening() -> Iterator[Callable[[bytes], str]]:
    """A gateway that reads one request, says these bytes, and then: hangs when they are empty, else hangs up."""
    started: list[tuple[socket.socket, threading.Thread]] = []
    over = threading.Event()

    def start(says: bytes) -> str:
        server = socket.create_server(("127.0.0.1", 0))

        def serve() -> None:
            with server:
                peer, _ = server.accept()
                with peer:
                    peer.recv(65536)
                    if says:
                        peer.sendall(says.removeprefix(b"-"))
                    else:
                        over.wait(20)

        thread = threading.Thread(target=serve)
        thread.start()
        started.append((server, thread))
        return f"http://127.0.0.1:{server.getsockname()[1]}/send"

    yield start
    over.set()
    for _, thread in started:
        thread.join(20)


@pytest.mark.parametrize(
    "says",
    [
        b"",
        b"-",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"receipt": "r',
        b"SSH-2.0-OpenSSH_9.6\r\n",
    ],
    ids=["silent", "hung up", "cut in the head", "cut in the body", "not HTTP"],
)
def test_cut_after_the_request_left_is_uncertain(listening: Callable[[bytes], str], says: bytes) -> None:
    (found,) = sent(a_channel(listening(says), timeout_s=0.3), a_message())

    assert isinstance(found, Uncertain)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/send", "http://localhost:9/send", "http://[::1]:9/x", "http://169.254.169.254/latest"]
)
def test_a_private_gateway_that_nobody_allowed_is_the_channels_fault(url: str) -> None:
    channel = HttpChannel("sms", url, KEY, wall=SetClock(NOW), timeout_s=1)

    (found,) = sent(channel, a_message())

    assert isinstance(found, ChannelFault)
    assert "allowed places" in found.because


def test_no_outcome_speaks_of_the_key_or_the_path(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/token-in-path").respond_with_data("", 500)
    urls = [httpserver.url_for("/token-in-path?key=secret"), "http://gateway.invalid:9/token-in-path?key=secret"]

    found = [sent(a_channel(url), a_message())[0] for url in urls]

    for one in found:
        assert not any(word in repr(one) for word in ("token-in-path", "secret", KEY, "13800000000"))


def test_an_endless_answer_is_not_swallowed(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/send").respond_with_data(b'{"receipt": "r"' + b" " * 3_000_000 + b"}")

    (found,) = sent(a_channel(httpserver.url_for("/send")), a_message())

    assert isinstance(found, Uncertain)


def test_one_channel_serves_a_second_loop_after_the_first_is_gone(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/send").respond_with_data('{"receipt": "r"}')
    channel = a_channel(httpserver.url_for("/send"))

    assert sent(channel, a_message()) + sent(channel, a_message()) == [Sent("r"), Sent("r")]


def test_no_more_sends_are_in_flight_than_the_channel_has_connections() -> None:
    inside, most, lock = 0, 0, threading.Lock()
    pair = threading.Barrier(2, timeout=5)  # breaks, and answers 500, unless two are inside together

    def take(_: Request) -> Response:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        pair.wait()
        with lock:
            inside -= 1
        return Response('{"receipt": "r"}')

    with HTTPServer(threaded=True) as gateway:
        gateway.expect_request("/send").respond_with_handler(take)
        place = f"{gateway.host}:{gateway.port}"
        channel = HttpChannel(
            "sms", gateway.url_for("/send"), KEY, wall=SetClock(NOW), connections=2, allow=frozenset({place})
        )

        async def send_all() -> list[Outcome]:
            try:
                return list(await asyncio.gather(*(channel.send(a_message()) for _ in range(6))))
            finally:
                await channel.close()

        assert asyncio.run(send_all()) == [Sent("r")] * 6
    assert most == 2


def test_a_retry_after_that_is_a_date_is_counted_from_the_answers_own_date(listening: Callable[[bytes], str]) -> None:
    url = listening(
        b"HTTP/1.1 503 Busy\r\nDate: Sat, 10 Jan 2026 08:00:00 GMT\r\n"
        b"Retry-After: Sat, 10 Jan 2026 08:01:30 GMT\r\nContent-Length: 0\r\n\r\n"
    )

    (found,) = sent(a_channel(url), a_message())

    assert found == Later("answered 503", 90.0)


@pytest.mark.parametrize("status", range(200, 600))
def test_every_status_without_a_receipt_is_something_but_sent(status: int) -> None:
    assert not isinstance(outcome(Answer(status, b"")), Sent)


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 302])
def test_a_receipt_beside_a_refusal_is_no_receipt(status: int) -> None:
    assert not isinstance(outcome(Answer(status, b'{"receipt": "r"}')), Sent)


def test_channels_are_built_by_name_from_their_settings() -> None:
    built = channels.build(
        {
            "sms": {"url": "https://sms.example/send", "key": "k"},
            "voice": {"url": "https://voice.example/", "key": "k", "connections": "4", "timeout": "2.5"},
            "post": {"url": "https://post.example/", "key": "k", "senders": "2", "rate": "50"},
        }
    )

    assert list(built) == ["post", "sms", "voice"]
    assert (built["post"].senders, built["post"].rate) == (2, 50.0)
    assert (built["sms"].senders, built["sms"].rate) == (1, 0.0), "one sender, and as they come"
    assert (built["sms"].connections, built["sms"].timeout_s) == (32, 10.0)
    assert (built["voice"].name, built["voice"].connections, built["voice"].timeout_s) == ("voice", 4, 2.5)


@pytest.mark.parametrize(
    ("said", "setting"),
    [
        ({"key": "k"}, "CHANNEL_SMS_URL"),
        ({"url": "https://x.example/"}, "CHANNEL_SMS_KEY"),
        ({"url": "ftp://x.example/", "key": "k"}, "CHANNEL_SMS_URL"),
        ({"url": "https://x.example/", "key": "k", "connections": "0"}, "CHANNEL_SMS_CONNECTIONS"),
        ({"url": "https://x.example/", "key": "k", "timeout": "nan"}, "CHANNEL_SMS_TIMEOUT"),
        ({"url": "https://x.example/", "key": "k", "senders": "0"}, "CHANNEL_SMS_SENDERS"),
        ({"url": "https://x.example/", "key": "k", "rate": "-1"}, "CHANNEL_SMS_RATE"),
        ({"url": "https://x.example/", "key": "k", "timeout": "soon"}, "CHANNEL_SMS_TIMEOUT"),
        ({"url": "https://x.example/", "key": "k", "kind": "pigeon"}, "CHANNEL_SMS_KIND"),
        ({"url": "https://x.example/", "key": "k", "ulr": "x"}, "CHANNEL_SMS_ULR"),
    ],
)
def test_a_wrong_setting_is_named_and_no_value_is(said: dict[str, str], setting: str) -> None:
    with pytest.raises(Misconfigured, match=setting) as refused:
        channels.build({"sms": said})

    assert "x.example" not in str(refused.value)


def test_any_text_is_spelt_as_json_spells_it() -> None:
    awkward = "引号\" 反斜杠\\ 换行\n 制表\t 零\x00 表情🙂 半个\ud800"

    said = channels.http.payload(a_message(text=awkward, to='1"3\\', link="http://x/o/a?b=<c>"))

    found = json.loads(said)
    assert found["text"] == awkward.replace("\ud800", "?")
    assert (found["to"], found["link"]) == ('1"3\\', "http://x/o/a?b=<c>")
    assert list(found) == ["id", "to", "text", "link", "lane", "order", "revision", "episode", "kind"]
