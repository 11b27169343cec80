"""Passwords as argon2id hashes; nothing here ever returns or logs one."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher()


def hashed(password: str, *, quick: bool = False) -> str:
    """The argon2id hash to keep; ``quick`` (for replays and tests) spends almost nothing on it."""
    hasher = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1) if quick else _HASHER
    return hasher.hash(password)


def fits(password: str, kept: str) -> bool:
    """Whether the password is the one behind this hash."""
    try:
        return _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
