"""Phone links: sixteen unguessable characters for one order and one contact; only their hash is kept."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from emergency.domain.naming import named

_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"  # 57 without 0 O 1 I l: people copy them by hand


_PAIRS = tuple(one + two for two in _LETTERS for one in _LETTERS)  # two places at a time, the lower one first
_HALF, _TOKENS = len(_LETTERS) ** 8, len(_LETTERS) ** 16


def _eight(number: int) -> str:
    """Eight places of a number in base 57, the lowest first."""
    number, one = divmod(number, len(_PAIRS))
    number, two = divmod(number, len(_PAIRS))
    four, three = divmod(number, len(_PAIRS))
    return _PAIRS[one] + _PAIRS[two] + _PAIRS[three] + _PAIRS[four]


@dataclass(frozen=True)
class Links:
    """
    Makes the token of a link from its id and the installation's secret.

    A token is 16 letters of 57 (93 bits) drawn by HMAC-SHA256, so that the sender can work it out at the moment of
    sending and no table, queue or log ever holds one.
    """

    secret: bytes
    public_url: str

    def token(self, link_id: UUID) -> str:
        """The sixteen characters."""
        # not hmac.digest: that lets go of the interpreter lock each time, and a sender would queue for it each time
        drawn = self._keyed.copy()
        drawn.update(link_id.bytes)
        number = int.from_bytes(drawn.digest(), "big") % _TOKENS  # the lowest sixteen places
        high, low = divmod(number, _HALF)
        return _eight(low) + _eight(high)

    @cached_property
    def _keyed(self) -> hmac.HMAC:
        """The key worked in once: thousands of tokens are drawn with it."""
        return hmac.new(self.secret, b"phone-link:", "sha256")

    def address(self, link_id: UUID) -> str:
        """The whole address as it stands in a text message."""
        return f"{self.public_url.rstrip('/')}/o/{self.token(link_id)}"

    def kept(self, link_id: UUID) -> str:
        """What the table keeps of it."""
        return token_sha256(self.token(link_id))


def token_sha256(token: str) -> str:
    """The hash by which a token is found."""
    return hashlib.sha256(token.encode()).hexdigest()


def link_id(order_id: UUID, contact_id: UUID) -> UUID:
    """One link per order and contact; it lives across revisions."""
    return named(order_id, f"link:{contact_id}")
