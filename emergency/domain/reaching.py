"""Which steps of a ladder would reach nobody, found before the night they are needed."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from emergency.domain.orders import Recipient
from emergency.domain.people import within

# 0772-3212345: an area code of three or four digits; a number that begins so takes no text message
_LANDLINE: Final = re.compile(r"(\+?86-?)?0[1-9]\d{1,2}-?\d{7,8}(-\d{1,6})?")


class Lack(StrEnum):
    """What is missing for a step, as a desk would mend it."""

    CHANNEL = "channel"  # a way the plan names is not set up
    BROKEN = "broken"  # a way is set up and its breaker is open
    DUTY = "duty"  # the desk has no duty officer with a number
    PHONE = "phone"  # nobody of the recipient has a number
    MOBILE = "mobile"  # the number is a landline and the step goes by text message only
    ACCOUNT = "account"  # the step goes by the portal only, and nobody signs in for the recipient
    SECOND = "second"  # there is no second contact
    TRACKER = "tracker"  # the unit that follows it up is not named, or has no number
    TOWN = "town"  # the town has no grid worker with a number


@dataclass(frozen=True)
class Shortfall:
    """One thing that is missing: for which steps, for which recipients, and of which channel where it is one."""

    lack: Lack
    steps: tuple[str, ...]
    recipients: tuple[Recipient, ...] = ()
    channel: str = ""

    @property
    def count(self) -> int:
        """How many recipients it concerns; a channel or an empty desk concerns everybody and counts none."""
        return len(self.recipients)

    def within(self, area: str) -> Shortfall:
        """The same for the recipients of this area and below only."""
        return replace(self, recipients=tuple(one for one in self.recipients if within(one.area, area)))


def takes_texts(number: str) -> bool:
    """Whether a text message can go to this number: it is none of a desk's telephone."""
    return bool(number) and not _LANDLINE.fullmatch(number.replace(" ", ""))
