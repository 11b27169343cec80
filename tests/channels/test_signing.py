"""The signature both sides check."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from emergency.channels import signing

NOW = datetime(2026, 1, 10, 8, 0, tzinfo=UTC)
BODY = '{"id":"1","text":"重污染"}'.encode()


def signed(at: datetime = NOW, body: bytes = BODY, key: str = "k") -> tuple[str, str]:
    timestamp = signing.stamp(at)
    return timestamp, signing.sign(key, timestamp, body)


def test_what_we_sign_we_let_in() -> None:
    timestamp, signature = signed()

    signing.check("k", timestamp, BODY, signature, now=NOW)


def test_the_signature_is_the_hmac_of_timestamp_stop_body() -> None:
    timestamp, signature = signed()

    assert timestamp == "1768032000"
    assert signature == hmac.new(b"k", b"1768032000." + BODY, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("minutes", [-5, 5])
def test_five_minutes_either_way_is_still_in_time(minutes: int) -> None:
    timestamp, signature = signed(NOW + timedelta(minutes=minutes))

    signing.check("k", timestamp, BODY, signature, now=NOW)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_second_more_is_not(seconds: int) -> None:
    timestamp, signature = signed(NOW + timedelta(seconds=seconds))

    with pytest.raises(signing.BadSignature, match="five minutes"):
        signing.check("k", timestamp, BODY, signature, now=NOW)


@pytest.mark.parametrize(
    ("key", "timestamp", "body", "signature"),
    [
        ("other", None, BODY, None),
        ("k", "1768032001", BODY, None),
        ("k", None, BODY + b" ", None),
        ("k", None, BODY, ""),
        ("k", None, BODY, "签名"),
        ("k", None, BODY, "0" * 64),
    ],
)
def test_anything_changed_keeps_it_out(key: str, timestamp: str | None, body: bytes, signature: str | None) -> None:
    good_timestamp, good_signature = signed()

    with pytest.raises(signing.BadSignature) as refused:
        signing.check(
            key,
            good_timestamp if timestamp is None else timestamp,
            body,
            good_signature if signature is None else signature,
            now=NOW,
        )

    assert good_signature not in str(refused.value)


def test_an_empty_key_opens_no_door() -> None:
    timestamp, signature = signed(key="")

    with pytest.raises(signing.BadSignature):
        signing.check("", timestamp, BODY, signature, now=NOW)


@pytest.mark.parametrize("timestamp", ["", "now", "1768032000.0", "-1", "１７６８０３２０００", "9" * 40])
def test_a_timestamp_that_is_no_count_of_seconds_keeps_it_out(timestamp: str) -> None:
    with pytest.raises(signing.BadSignature):
        signing.check("k", timestamp, BODY, signing.sign("k", timestamp, BODY), now=NOW)
