"""Which notice of the level above ended which: by when they were issued, then by their numbers, whatever came first."""

from __future__ import annotations

import re
from typing import Final

from emergency.domain.forecast import Bulletin

ENDS: Final = frozenset({"release", "withdraw"})
_NUMBER: Final = re.compile(r"(.*?)\s*[〔［\[（(]\s*(\d{4})\s*[〕］\]）)]\s*第?\s*(\d+)\s*号?")


def ended_by(notice: Bulletin, ending: Bulletin) -> bool:
    """
    Whether the level above issued this ending after that notice, whichever of them came in first.

    Papers give the minute. Within one minute the number decides, where both are of one series (a notice is also taken
    back under its own number), and else which arrived first. What ends is not ended itself.
    """
    if notice.action in ENDS or ending.action not in ENDS:
        return False
    if ending.issued_at != notice.issued_at:
        return ending.issued_at > notice.issued_at
    before, after = place_in_series(notice.number), place_in_series(ending.number)
    if before is not None and after is not None and before[0] == after[0]:
        return after >= before
    return ending.received_at >= notice.received_at


def place_in_series(number: str) -> tuple[str, int, int] | None:
    """Series, year and running number of a 文号 (柳气预警〔2015〕3号); None where it is written in another way."""
    found = _NUMBER.fullmatch(number.strip())
    return None if found is None else (found[1], int(found[2]), int(found[3]))
