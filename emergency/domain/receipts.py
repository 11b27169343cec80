"""What a provider's word about a message comes to; words nobody knows come to nothing."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Word(StrEnum):
    """What a receipt says."""

    TAKEN = "taken"  # the provider has it and is at it
    DELIVERED = "delivered"  # the phone has it
    RETURNED = "returned"  # it could not be delivered, and the provider tries no more


# the states of SMPP 3.4, 5.2.28, in full and as its receipts spell them (appendix B), and what HTTP gateways say
_SAID: Final[Mapping[str, Word]] = {
    **dict.fromkeys(("accepted", "acceptd", "sent", "taken", "submitted", "queued", "enroute"), Word.TAKEN),
    **dict.fromkeys(("delivered", "delivrd"), Word.DELIVERED),
    **dict.fromkeys(
        ("failed", "undelivered", "undeliverable", "undeliv", "expired", "deleted", "rejected", "rejectd"),
        Word.RETURNED,
    ),
}


def word_of(says: str) -> Word | None:
    """What this status means, however it is capitalised; None: nothing we know."""
    return _SAID.get(says.strip().lower())
