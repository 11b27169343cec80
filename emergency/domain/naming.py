"""Ids that follow from what they stand for."""

from __future__ import annotations

from hashlib import sha1
from typing import Final
from uuid import UUID, SafeUUID, uuid5

_FIXED: Final = uuid5(UUID(int=0), "").int & ((0xF000 << 64) | (0xC000 << 48))  # the bits of version and variant
_FREE: Final = ~((0xF000 << 64) | (0xC000 << 48)) & ((1 << 128) - 1)


def named(within: UUID, name: str) -> UUID:
    """
    The version 5 UUID of a name within another id (RFC 9562, 5.5): what ``uuid.uuid5`` gives, at a third of its cost.

    A signature names three things for each of thousands of orders.
    """
    digest = sha1(within.bytes + name.encode(), usedforsecurity=False).digest()
    made = object.__new__(UUID)
    object.__setattr__(made, "int", int.from_bytes(digest[:16], "big") & _FREE | _FIXED)
    object.__setattr__(made, "is_safe", SafeUUID.unknown)
    return made
