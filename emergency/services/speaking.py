"""What is said aloud: by a voice that reads a text out, and by a person with a telephone in hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from emergency.domain.calling import needed_by
from emergency.domain.ladder import Deadline, Rung
from emergency.domain.orders import Contact, Order, Recipient
from emergency.domain.speaking import spelt
from emergency.services.rules import Rules
from emergency.services.wording import LANG, to_call

_THEMSELVES: Final = frozenset({"recipient", "second_contact"})
_MISSING: Final[Mapping[str, str]] = {
    Deadline.ACKNOWLEDGE.value: "签收",
    Deadline.START.value: "启动",
    Deadline.IN_PLACE.value: "落实",
}
_WORDS: Final[Mapping[Deadline, Mapping[str, str]]] = {
    Deadline.ACKNOWLEDGE: {"zh": "收到", "en": "received"},
    Deadline.START: {"zh": "已启动", "en": "started"},
    Deadline.IN_PLACE: {"zh": "已落实", "en": "in place"},
}


def of_rung(rules: Rules, rung: Rung, order: Order, recipient: Recipient, *, contact: str) -> str:
    """A step of the ladder as a voice reads it: what is missing, of whom, and whom to call; no link, no figures."""
    words = rules.wording
    told = {
        "banner": words.banner(rules.label, LANG),
        "recipient": recipient.name,
        "order_number": order.number,
        "level": words.level(order.level, LANG),
        "missing": _MISSING[rung.deadline],
        "contact": contact,
    }
    if rung.notify in _THEMSELVES:
        return spelt(words.fill("spoken", LANG, **told))
    first = min(recipient.contacts, key=lambda one: one.order, default=None)
    return spelt(words.fill("spoken_about", LANG, **told, recipient_contact=_reached(first)))


def bundled(rules: Rules, names: Sequence[str], *, contact: str) -> str:
    """The reminders beyond an hour's number, as a voice reads them."""
    banner = rules.wording.banner(rules.label, LANG)
    first = "、".join(names[:3])
    return spelt(
        rules.wording.fill("spoken_bundled", LANG, banner=banner, count=len(names), first=first, contact=contact)
    )


def listed(rules: Rules, episode_id: UUID | None, names: Sequence[str], *, contact: str) -> str:
    """That these are on the desk's call list now, and where it is."""
    return rules.wording.fill(
        "call_list",
        LANG,
        banner=rules.wording.banner(rules.label, LANG),
        count=len(names),
        first="、".join(names[:3]),
        page=f"{rules.links.public_url.rstrip('/')}/console/episodes/{episode_id}/calls",
        contact=to_call(contact),
    )


def to_say(
    rules: Rules, order: Order, recipient: Recipient, *, issuer: str, owes: Deadline, contact: str, lang: str = LANG
) -> str:
    """What a duty officer says on the telephone, in the reader's language."""
    words = rules.wording
    starts = needed_by(order)
    duties = [one.text_en if lang == "en" and one.text_en else one.text for one in order.duties]
    between = "; " if lang == "en" else "；"
    return words.fill(
        "to_say",
        lang,
        banner=words.banner(rules.label, lang),
        issuer=issuer,
        recipient=recipient.name,
        level=words.level(order.level, lang),
        order_number=order.number,
        measures=between.join(one.rstrip("。.；;") for one in duties) or "—",
        starts="—" if starts is None else words.instant(starts, lang),
        missing=_WORDS[owes][lang],
        contact=to_call(contact),
    )


def _reached(contact: Contact | None) -> str:
    return "单位联系人" if contact is None else f"{contact.name} {contact.phone}"
