"""How a gateway and we know each other: an HMAC over the timestamp and the body, good for five minutes."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from functools import lru_cache

from emergency.errors import Refused

SIGNATURE = "X-Signature"
TIMESTAMP = "X-Timestamp"
WINDOW = timedelta(minutes=5)


class BadSignature(Refused):
    """Not signed with our key, or signed too long ago; the words never say which key was expected."""

    words_zh = "签名无效或已过期"


def stamp(now: datetime) -> str:
    """The timestamp header for this instant: whole Unix seconds, in decimal digits."""
    return str(int(now.timestamp()))


def sign(key: str, timestamp: str, body: bytes) -> str:
    """The signature header: lower-case hex HMAC-SHA256 (RFC 2104) over ``timestamp``, a full stop and ``body``."""
    mac = _keyed(key).copy()
    mac.update(timestamp.encode() + b"." + body)
    return mac.hexdigest()


@lru_cache(maxsize=64)  # a channel signs thousands of messages with one key
def _keyed(key: str) -> hmac.HMAC:
    return hmac.new(key.encode(), digestmod=hashlib.sha256)


def check(key: str, timestamp: str, body: bytes, signature: str, *, now: datetime) -> None:
    """
    Let a signed body in.

    The signature is compared in constant time, and before the clock is asked, so that a stranger learns nothing from
    how long or in which words we refuse. ``now`` is wall time: the two machines' clocks may differ by five minutes.

    :raises BadSignature: no key is set, the signature does not fit, or the timestamp is more than five minutes off
    """
    fits = hmac.compare_digest(sign(key, timestamp, body).encode(), signature.strip().lower().encode())
    if not key or not fits:
        raise BadSignature("the signature does not fit", zh="签名无效")
    # only ASCII digits, and not many of them: int() would also take "１２" and a number no clock can hold
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise BadSignature("the timestamp is not whole Unix seconds", zh="时间戳无效")
    if abs(now.timestamp() - int(timestamp)) > WINDOW.total_seconds():
        raise BadSignature("the timestamp is more than five minutes away", zh="签名已过期")
