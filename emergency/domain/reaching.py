"""Which steps of a ladder would reach nobody, found before the night they are needed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from emergency.domain.ladder import Rung
from emergency.domain.messages import PORTAL
from emergency.domain.orders import Recipient, RecipientKind
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
    SECOND = "second"  # there is no second contact
    TRACKER = "tracker"  # the unit that follows it up is not named, or has no number
    TOWN = "town"  # the town has no grid worker with a number


OF: Final[Mapping[str, Lack]] = {
    "recipient": Lack.PHONE, "second_contact": Lack.SECOND, "tracker": Lack.TRACKER, "town": Lack.TOWN,
}  # fmt: skip
"""What a step lacks that tells nobody, by whom it is to tell; whoever else it names sits at the desk."""

WORDS: Final[Mapping[Lack, str]] = {
    Lack.CHANNEL: "渠道未设置",
    Lack.BROKEN: "渠道已熔断",
    Lack.DUTY: "没有可联系的值班员",
    Lack.PHONE: "没有电话",
    Lack.MOBILE: "只有座机，收不到短信",
    Lack.SECOND: "没有第二联系人",
    Lack.TRACKER: "没有可联系的跟踪单位",
    Lack.TOWN: "所在镇没有可联系的网格员",
}
"""As a text message says it."""


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


def meant(rung: Rung, recipient: Recipient) -> bool:
    """
    Whether the step has anybody to tell about this recipient: a town looks after enterprises, a tracker after a unit
    only where its line names one. A step that is not meant for it lacks nothing and is nobody's alarm.
    """
    if rung.notify in ("tracker", "town") and recipient.kind is not RecipientKind.ENTERPRISE:
        return rung.notify == "tracker" and bool(recipient.tracker)
    return True


def passes_over(rung: Rung, ladder: Sequence[Rung], *, account: bool) -> bool:
    """
    Whether a step by the portal alone leaves out who has no account there, because a later step of the same deadline
    reaches the same people in another way; without one it goes by the first channel instead.
    """
    if account or set(rung.by) != {PORTAL}:
        return False
    return any(
        (one.deadline, one.notify) == (rung.deadline, rung.notify)
        and one.after_minutes > rung.after_minutes
        and set(one.by) != {PORTAL}
        for one in ladder
    )
