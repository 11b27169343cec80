"""The ways of reaching people: one file each, and the list of those that are set up."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

from emergency.channels.http import HttpChannel
from emergency.clock import Clock, WallClock
from emergency.domain.messages import Message, Outcome
from emergency.errors import Misconfigured

__all__ = ["Channel", "build"]

_KNOWN = frozenset({"url", "key", "connections", "timeout", "kind", "senders", "rate", "probe"})


class Channel(Protocol):
    """
    A way of handing one message to one address.

    Keep no more than ``connections`` sends in flight. A send lasts at most twice ``timeout_s`` (waiting for a
    connection, then for the answer); start none with less lease left.
    """

    @property
    def name(self) -> str:
        """What a plan's ladder calls it: sms, voice, portal …"""
        ...

    @property
    def connections(self) -> int:
        """How many sends it takes at once."""
        ...

    @property
    def timeout_s(self) -> float:
        """Seconds it waits for a connection, and again for an answer."""
        ...

    @property
    def senders(self) -> int:
        """How many processes may drain one lane of it at once, each with its share of the connections."""
        ...

    @property
    def rate(self) -> float:
        """Messages a second at most, over all lanes and processes; 0 = as they come."""
        ...

    async def send(self, message: Message) -> Outcome:
        """Hand it over once and say what became of it."""
        ...

    async def close(self) -> None:
        """Let go of what it holds open."""
        ...


def build(
    settings: Mapping[str, Mapping[str, str]], allow: frozenset[str] = frozenset(), *, wall: Clock | None = None
) -> Mapping[str, Channel]:
    """
    The channels that CHANNEL_<NAME>_URL, _KEY, _CONNECTIONS, _SENDERS, _RATE, _TIMEOUT and _KIND describe, by
    lower-case name.

    ``kind`` is ``http`` when it is not said. ``wall`` dates the signatures and is the machine's own time: a gateway
    knows nothing of a replay's clock.

    :raises Misconfigured: a URL or key is missing, a number is none, or a setting or kind is unknown
    """
    clock = wall or WallClock()
    return {name.lower(): _http(name.lower(), said, allow, clock) for name, said in sorted(settings.items())}


def _http(name: str, said: Mapping[str, str], allow: frozenset[str], wall: Clock) -> Channel:
    prefix = f"CHANNEL_{name.upper()}"
    for unknown in sorted({word.lower() for word in said} - _KNOWN):
        raise Misconfigured(f"{prefix}_{unknown.upper()} is not a setting of a channel")
    if (kind := said.get("kind", "http")) != "http":
        raise Misconfigured(f"{prefix}_KIND: there is no channel of the kind {kind!r}")
    for needed in ("url", "key"):
        if not said.get(needed, "").strip():
            raise Misconfigured(f"{prefix}_{needed.upper()} is not set, and no message leaves unsigned")
    if not said["url"].startswith(("http://", "https://")):
        raise Misconfigured(f"{prefix}_URL must begin with http:// or https://")
    return HttpChannel(
        name,
        said["url"].strip(),
        said["key"].strip(),
        wall=wall,
        connections=int(_number(f"{prefix}_CONNECTIONS", said.get("connections") or "32", 1, 512)),
        timeout_s=_number(f"{prefix}_TIMEOUT", said.get("timeout") or "10", 0.1, 60),
        senders=int(_number(f"{prefix}_SENDERS", said.get("senders") or "1", 1, 16)),
        rate=_number(f"{prefix}_RATE", said.get("rate") or "0", 0, 100_000),
        allow=allow,
    )


def _number(setting: str, text: str, least: float, most: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not least <= number <= most:
        raise Misconfigured(f"{setting} must be a number from {least:g} to {most:g}")
    return number
