"""Phone links: sixteen unguessable characters for one order and one contact; only their hash is kept."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID, uuid5

_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"  # 57 without 0 O 1 I l: people copy them by hand


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
        number = int.from_bytes(hmac.new(self.secret, b"phone-link:" + link_id.bytes, hashlib.sha256).digest(), "big")
        letters = []
        for _ in range(16):
            number, place = divmod(number, len(_LETTERS))
            letters.append(_LETTERS[place])
        return "".join(letters)

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
    return uuid5(order_id, f"link:{contact_id}")
