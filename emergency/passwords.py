"""Passwords as argon2id hashes; nothing here ever returns or logs one."""

from __future__ import annotations

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher()


def hashed(password: str, *, quick: bool = False) -> str:
    """The argon2id hash to keep; ``quick`` (for replays and tests) spends almost nothing on it."""
    hasher = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1) if quick else _HASHER
    return hasher.hash(password)


@cache
def nobodys() -> str:
    """The hash of a password nobody has, to be tried where there is no such person: it takes as long as a real one."""
    return hashed(secrets.token_urlsafe(16))


def fits(password: str, kept: str) -> bool:
    """Whether the password is the one behind this hash."""
    try:
        return _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
