"""Sign-boards and response plans of enterprises, and the signed address by which anybody may check a board."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from emergency.domain import boards
from emergency.domain.boards import Board, EnterprisePlan
from emergency.domain.orders import Recipient, RecipientKind
from emergency.domain.people import path_of
from emergency.domain.reduction.entries import Entry
from emergency.domain.reduction.versions import Listing
from emergency.errors import Missing
from emergency.services.links import Links
from emergency.services.rules import Rules
from emergency.store import Tx
from emergency.store import listing as kept

MAC_BYTES: Final = 10  # 80 bits: nobody guesses one at the pace the page allows
LETTERS: Final = 46  # of a token in base64url, without the padding


@dataclass(frozen=True)
class Checked:
    """
    What a board's address comes to.

    ``board``: the board where every word on it still holds, else None. ``listing``: the version of the list that counts
    for the enterprise now, None where it stands on none.
    """

    board: Board | None
    listing: Listing | None


def board(tx: Tx, rules: Rules, recipient_id: UUID) -> Board:
    """
    The sign-board of one enterprise as it is to hang now.

    :raises Missing: no such enterprise, or it is off the list
    """
    return _with_entry(tx, rules, recipient_id)[0]


def plan(tx: Tx, rules: Rules, recipient_id: UUID) -> EnterprisePlan:
    """
    The response plan of one enterprise.

    :raises Missing: no such enterprise, or it is off the list
    """
    found, entry = _with_entry(tx, rules, recipient_id)
    numbers = rules.plan_of(tx, found.recipient.area).numbers
    answers = (
        numbers.get("ack_deadline_min"), numbers.get("start_deadline_min"), numbers.get("in_place_deadline_min")
    )  # fmt: skip
    return boards.plan_of(found, entry=entry, answers=answers)


def _with_entry(tx: Tx, rules: Rules, recipient_id: UUID) -> tuple[Board, Entry | None]:
    found = _boards(tx, rules, tx.recipients_called([recipient_id]))
    if not found:
        raise Missing("no such enterprise is on the list")
    return found[0]


def boards_of(tx: Tx, rules: Rules, ids: Sequence[UUID]) -> list[Board]:
    """The sign-boards of these enterprises, in the order asked for; what is none, or off the list, is left out."""
    by_id = {one.id: one for one in tx.recipients_called(ids)}
    return [one for one, _ in _boards(tx, rules, [by_id[each] for each in ids if each in by_id])]


def _boards(tx: Tx, rules: Rules, some: Sequence[Recipient]) -> list[tuple[Board, Entry | None]]:
    some = [one for one in some if one.kind is RecipientKind.ENTERPRISE]
    off = kept.off_list(tx, [one.id for one in some])
    some = [one for one in some if one.id not in off]
    towns = {one.id: one for one in tx.areas()}
    found = _listed(tx, some)
    plans = {area: rules.plan_of(tx, area) for area in {one.area for one in some}}
    made = []
    for one in some:
        listing, entry = found.get(one.id, (None, None))
        made.append(
            (
                boards.board_of(
                    one, town=towns[one.area], book=rules.book, plan=plans[one.area], listing=listing, entry=entry
                ),
                entry,
            )
        )
    return made


def _listed(tx: Tx, some: Sequence[Recipient]) -> Mapping[UUID, tuple[Listing, Entry]]:
    """Each with the list in force it stands in: that of its own area, or of the nearest above."""
    found: dict[UUID, tuple[Listing, Entry]] = {}
    areas = {area for one in some for area in path_of(one.area)}
    for area in sorted(areas, key=len, reverse=True):
        wanting = [one.id for one in some if one.id not in found and area in path_of(one.area)]
        listing = kept.in_force(tx, area) if wanting else None
        if listing is not None:
            for recipient_id, entry in kept.entries_of(tx, listing.id, wanting).items():
                found[recipient_id] = (listing, entry)
    return found


# --- the address


def address(links: Links, one: Board) -> str:
    """
    Where anybody may check a board: the enterprise and the seal of its words, signed with the installation's secret.

    Nothing is stored: the page makes the board anew, and a seal that differs says that a newer one should hang there.
    """
    said = one.recipient.id.bytes + boards.seal(one)
    token = base64.urlsafe_b64encode(said + _mac(links, said)).decode().rstrip("=")
    return f"{links.public_url.rstrip('/')}/b/{token}"


def check(tx: Tx, rules: Rules, token: str) -> Checked:
    """
    What a board's address comes to now.

    :raises Missing: the address was not signed here
    """
    recipient_id, seal = _read(rules.links, token)
    try:
        now = board(tx, rules, recipient_id)
    except Missing:
        return Checked(None, None)
    listing = kept.called(tx, now.listing_id) if now.listing_id else None
    return Checked(now if hmac.compare_digest(boards.seal(now), seal) else None, listing)


def _read(links: Links, token: str) -> tuple[UUID, bytes]:
    try:
        raw = base64.b64decode(token.encode("ascii") + b"==", altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raw = b""
    said, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
    if len(token) != LETTERS or not hmac.compare_digest(_mac(links, said), mac):
        raise Missing("no board has this address")
    return UUID(bytes=said[:16]), said[16:]


def _mac(links: Links, said: bytes) -> bytes:
    return hmac.digest(links.secret, b"sign-board:" + said, "sha256")[:MAC_BYTES]
