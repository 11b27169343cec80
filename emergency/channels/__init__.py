"""The ways of reaching people: one file each, and the list of those that are set up."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Protocol

from emergency.channels.http import HttpChannel
from emergency.channels.several import Several
from emergency.clock import Clock, WallClock
from emergency.domain.exercise import WALL
from emergency.domain.messages import PORTAL, Message, Outcome
from emergency.errors import Misconfigured

__all__ = ["Channel", "build", "channel_of", "provider_of"]

_KNOWN = frozenset({"url", "key", "connections", "timeout", "kind", "senders", "rate", "probe"})
_FURTHER = re.compile("_[2-9]$")


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

    @property
    def providers(self) -> tuple[str, ...]:
        """The names of its providers, the one at home first; empty where there is only one."""
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

    CHANNEL_<NAME>_2_URL and so on (2 to 9) are further providers of the channel <NAME>, each with its own URL, KEY,
    CONNECTIONS, TIMEOUT and RATE. ``kind`` is ``http`` when it is not said. ``wall`` dates the signatures and is the
    machine's own time: a gateway knows nothing of a replay's clock.

    :raises Misconfigured: a URL or key is missing, a number is none, or a setting or kind is unknown
    """
    clock = wall or WallClock()
    if own := {PORTAL, WALL} & {channel_of(name.lower()) for name in settings}:
        raise Misconfigured(f"CHANNEL_{min(own).upper()}_URL: {min(own)} is the system's own and has no gateway")
    found: dict[str, list[HttpChannel]] = {}
    for name, said in sorted((name.lower(), said) for name, said in settings.items()):
        found.setdefault(channel_of(name), []).append(_http(name, said, allow, clock))
    for name, some in found.items():
        if some[0].name != name:
            raise Misconfigured(f"CHANNEL_{some[0].name.upper()}_URL: there is no CHANNEL_{name.upper()}_URL before it")
    return {name: some[0] if len(some) == 1 else Several(name, some) for name, some in found.items()}


def channel_of(provider: str) -> str:
    """The channel a provider belongs to: ``sms_2`` is one of ``sms``."""
    return _FURTHER.sub("", provider)


def provider_of(channels: Mapping[str, Channel], name: str) -> HttpChannel | Channel | None:
    """The provider of this name by itself; None when none is set up."""
    found = channels.get(channel_of(name))
    if isinstance(found, Several):
        return found.provider(name) if name in found.providers else None
    return found if found is not None and found.name == name else None


def _http(name: str, said: Mapping[str, str], allow: frozenset[str], wall: Clock) -> HttpChannel:
    prefix = f"CHANNEL_{name.upper()}"
    for unknown in sorted({word.lower() for word in said} - _KNOWN):
        raise Misconfigured(f"{prefix}_{unknown.upper()} is not a setting of a channel")
    if channel_of(name) != name and "senders" in {word.lower() for word in said}:
        raise Misconfigured(f"{prefix}_SENDERS: senders are the channel's, not a further provider's")
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
