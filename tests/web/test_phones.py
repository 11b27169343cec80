"""The simulated phones take what the outbound contract describes, once, and ring on a page anybody can read."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from emergency.channels import signing
from emergency.clock import SetClock
from emergency.web.phones import Owner, create_phones
from emergency.web.phones_words import WORDS

KEY = "key-of-the-gateway"
NOW = datetime(2026, 1, 10, 9, 0, tzinfo=UTC)
CIVIL = datetime(2015, 2, 8, 9, 44, tzinfo=UTC)
OWNERS = [
    Owner(phone="00050000001", name="样例砖厂01甲", of="样例砖厂01", role="厂长"),
    Owner(phone="00050000003", name="样例砖厂02甲", of="样例砖厂02", role="厂长"),
]


class Pages(ThreadingHTTPServer):
    """Where receipts go; remembers what came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Remembering)
        self.came: queue.Queue[tuple[str, dict[str, str], bytes]] = queue.Queue()
        self.refusals = 0


class _Remembering(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Pages)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.refusals:
            self.server.refusals -= 1
            self.send_response(503)
        else:
            self.server.came.put((self.path, dict(self.headers), body))
            self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def pages() -> Iterator[Pages]:
    with Pages() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def phones(pages: Pages) -> Iterator[FlaskClient]:
    app = create_phones(
        key=KEY, public_url=f"http://127.0.0.1:{pages.server_port}", owners=OWNERS, civil=SetClock(CIVIL),
        wall=SetClock(NOW), legend={"zh": "本次为历史数据推演", "en": "A replay of past data"},
    )  # fmt: skip
    yield app.test_client()
    app.extensions["callbacks"].stop()


def a_message(**changes: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()), "to": OWNERS[0].phone, "text": "【推演】启动黄色预警响应", "lane": "urgent",
        "link": "http://127.0.0.1:8000/o/abcdefghjkmnpqrs", "revision": 1, "kind": "order",
        "order": str(uuid4()), "episode": str(uuid4()), **changes,
    }  # fmt: skip


def send(
    phones: FlaskClient, said: Any, *, key: str = KEY, at: datetime = NOW, once: str | None = None, to: str = "sms"
) -> tuple[int, Any]:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    stamp = signing.stamp(at)
    headers = {
        "Idempotency-Key": once if once is not None else said.get("id", "") if isinstance(said, dict) else "x",
        signing.TIMESTAMP: stamp,
        signing.SIGNATURE: signing.sign(key, stamp, body),
    }
    answer = phones.post(f"/gateway/{to}", data=body, headers=headers)
    return answer.status_code, answer.get_json()


def test_a_message_is_taken_with_a_receipt(phones: FlaskClient) -> None:
    status, said = send(phones, a_message())

    assert status == 200
    assert said["receipt"]


def test_a_repeat_under_the_same_key_rings_once_and_gets_the_same_receipt(phones: FlaskClient) -> None:
    message = a_message()

    first, second = send(phones, message), send(phones, message)

    assert (first[0], second[0]) == (200, 409)
    assert first[1]["receipt"] == second[1]["receipt"]
    assert len(phones.get("/inbox.json").get_json()["texts"]) == 1


@pytest.mark.parametrize(
    ("key", "at"), [("another key", NOW), (KEY, NOW - timedelta(minutes=6)), (KEY, NOW + timedelta(minutes=6))]
)
def test_what_is_not_signed_with_our_key_just_now_is_refused(phones: FlaskClient, key: str, at: datetime) -> None:
    status, _ = send(phones, a_message(), key=key, at=at)

    assert status == 401
    assert phones.get("/inbox.json").get_json() == {"texts": []}


NONSENSE = (b"no JSON", b"[]", b"null", b'"a"', {"to": ""}, {"text": None}, {"to": 5}, {"revision": "1"})


@pytest.mark.parametrize("said", [one if isinstance(one, bytes) else a_message(**one) for one in NONSENSE])
def test_a_message_that_makes_no_sense_is_refused_for_good(phones: FlaskClient, said: Any) -> None:
    status, _ = send(phones, said)

    assert status == 400


def test_a_key_that_is_not_the_messages_own_is_refused(phones: FlaskClient) -> None:
    assert send(phones, a_message(), once=str(uuid4()))[0] == 400
    assert send(phones, a_message(), once="")[0] == 400


def test_a_receipt_comes_back_signed_by_the_channel_it_came_by(phones: FlaskClient, pages: Pages) -> None:
    message = a_message()
    _, said = send(phones, message, to="voice")

    path, headers, body = pages.came.get(timeout=10)

    assert path == "/api/v1/receipts/voice"
    signing.check(KEY, headers[signing.TIMESTAMP], body, headers[signing.SIGNATURE], now=NOW)
    told = json.loads(body)
    assert (told["receipt"], told["id"], told["status"]) == (said["receipt"], message["id"], "delivered")
    assert datetime.fromisoformat(told["at"]) == CIVIL


def test_a_receipt_is_tried_again_while_the_sender_cannot_take_it(phones: FlaskClient, pages: Pages) -> None:
    pages.refusals = 1
    send(phones, a_message())

    assert pages.came.get(timeout=10)[0] == "/api/v1/receipts/sms"


def test_the_wall_shows_the_unread_first_and_says_that_none_of_it_is_real(phones: FlaskClient) -> None:
    send(phones, a_message(to=OWNERS[0].phone, text="第一条"))
    send(phones, a_message(to=OWNERS[1].phone, text="第二条"))
    phones.post(f"/phone/{OWNERS[1].phone}/read")

    page = phones.get("/").text

    assert page.index("第一条") < page.index("第二条")
    assert "模拟手机 · 推演" in page
    assert "本次为历史数据推演" in page
    assert "02-08 17:44" in page


def test_the_wall_is_complete_in_english(phones: FlaskClient) -> None:
    send(phones, a_message())

    page = phones.get("/?lang=en").text

    assert "Simulated phones" in page
    assert "A replay of past data" in page
    assert 'lang="en"' in page


def test_both_languages_have_the_same_words() -> None:
    assert WORDS["zh"].keys() == WORDS["en"].keys()
    assert WORDS["zh"]["kinds"].keys() == WORDS["en"]["kinds"].keys()  # type: ignore[attr-defined]  # both are mappings


@pytest.mark.parametrize("wanted", ["样例砖厂02", "00050000003", "样例砖厂02甲"])
def test_a_phone_is_found_by_organisation_number_or_name(phones: FlaskClient, wanted: str) -> None:
    send(phones, a_message(to=OWNERS[0].phone, text="第一条"))
    send(phones, a_message(to=OWNERS[1].phone, text="第二条"))

    page = phones.get("/", query_string={"q": wanted}).text

    assert "第二条" in page
    assert "第一条" not in page


def test_a_text_is_shown_as_it_was_written_and_never_as_markup(phones: FlaskClient) -> None:
    send(phones, a_message(text="<script>alert(1)</script>", link="javascript:alert(1)"))

    page = phones.get(f"/phone/{OWNERS[0].phone}").text

    assert "&lt;script&gt;alert(1)" in page
    assert "javascript:" not in page


def test_a_phone_nobody_has_is_not_found(phones: FlaskClient) -> None:
    assert phones.get("/phone/00099999999").status_code == 404
    assert phones.get(f"/phone/{OWNERS[0].phone}").status_code == 200


def test_many_phones_fill_more_than_one_page(phones: FlaskClient) -> None:
    for n in range(30):
        send(phones, a_message(to=f"000600000{n:02d}", text=f"第{n}条"))

    assert "第29条" in phones.get("/").text
    assert "第0条" in phones.get("/?page=2").text
    assert phones.get("/?page=9").status_code == 200


def test_no_page_of_a_phone_gives_its_links_away(phones: FlaskClient) -> None:
    answer = phones.get("/")

    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "script-src 'nonce-" in answer.headers["Content-Security-Policy"]
