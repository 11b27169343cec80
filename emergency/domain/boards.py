"""What an enterprise's sign-board (公示牌) and its response plan (一厂一策) hold, before anybody sets them in type."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from emergency.domain.drawing import eligible, measures_for
from emergency.domain.level import Level
from emergency.domain.orders import Measure, Recipient
from emergency.domain.people import Area
from emergency.domain.reduction.entries import Caller, Entry, Line, said_by_level
from emergency.domain.reduction.quantities import Clause, Confidence, read_measure
from emergency.domain.reduction.versions import Listing
from emergency.domain.starting import Says, timed

LEVELS: Final = (Level.YELLOW, Level.ORANGE, Level.RED)
SEAL_BYTES: Final = 8


@dataclass(frozen=True)
class Hotline:
    """Where anybody may complain of a plant: how the service is called, and its telephone number."""

    name: str
    phone: str


@dataclass(frozen=True)
class Step:
    """
    One measure as it is posted.

    ``line``: the process line that does it, empty for the whole plant or where nobody says; ``after_min``: minutes from
    the level's effect to its start; ``read``: its clauses in figures, empty where the words alone count; ``check``: by
    what it is judged, empty where nobody says.
    """

    text: str
    text_en: str
    force: str
    after_min: int
    line: str = ""
    check: str = ""
    read: tuple[Clause, ...] = ()


@dataclass(frozen=True)
class Board:
    """
    The sign-board of one enterprise; empty or None is unknown and printed as such.

    ``steps``: for each of :data:`LEVELS` all it does at that level, None where neither the list nor a playbook says.
    ``ordered``: whether it gets orders at all (a long-stopped plant gets none). ``listing``: the version of the list
    that counts, None where the enterprise stands in no list.
    """

    recipient: Recipient
    town: Area
    steps: Mapping[Level, tuple[Step, ...] | None]
    ordered: bool
    site: str = ""
    address: str = ""
    scheme: str = ""
    local: bool = False
    listing_id: UUID | None = None
    listing_name: str = ""
    valid_from: date | None = None

    @property
    def responsible(self) -> Caller | None:
        """Who answers for the measures: the first to be called; None where nobody is named."""
        first = min(self.recipient.contacts, key=lambda one: one.order, default=None)
        return None if first is None else Caller(first.name, first.role, first.phone)


@dataclass(frozen=True)
class EnterprisePlan:
    """
    One enterprise's response plan: its board, and what the list says of it beyond.

    ``answers``: minutes to 收到 from the order's issue, and to 已启动 and 已落实 from a measure's start; None: the plan
    of the area does not say.
    """

    board: Board
    lines: tuple[Line, ...]
    callers: tuple[Caller, ...]
    permit: str
    special_period: bool | None
    longitude: float | None
    latitude: float | None
    note: str
    answers: tuple[int | None, int | None, int | None]


def board_of(
    recipient: Recipient,
    *,
    town: Area,
    book: Mapping[str, Sequence[Measure]],
    plan: Says,
    listing: Listing | None,
    entry: Entry | None,
) -> Board:
    """
    The board of an enterprise as orders would be drawn up for it now.

    ``entry``: what ``listing`` says of it; both are None for one that stands in no list.
    """
    said = said_by_level(entry.lines) if entry else {}
    doing: dict[str, tuple[str, ...]] = {}
    steps: dict[Level, tuple[Step, ...] | None] = {}
    for level in LEVELS:
        doing = _lines_of(said[level.word]) if level.word in said else doing
        found = timed(measures_for(recipient, level, book), plan)
        steps[level] = tuple(_step(one, doing.get(one.text, ())) for one in found) or None
    return Board(
        recipient=recipient,
        town=town,
        steps=steps,
        ordered=any(eligible(recipient, measures_for(recipient, level, book)) for level in LEVELS),
        site=entry.site if entry else "",
        address=entry.address if entry else "",
        scheme=entry.grade.scheme if entry else "",
        local=bool(entry and entry.grade.local),
        listing_id=listing.id if listing else None,
        listing_name=listing.name if listing else "",
        valid_from=listing.valid_from if listing else None,
    )


def plan_of(board: Board, *, entry: Entry | None, answers: tuple[int | None, int | None, int | None]) -> EnterprisePlan:
    """The response plan around a board."""
    recipient = board.recipient
    by_order = sorted(recipient.contacts, key=lambda one: one.order)
    hours = {one.phone: one.hours for one in entry.callers} if entry else {}
    return EnterprisePlan(
        board=board,
        lines=entry.lines if entry else (),
        callers=tuple(Caller(one.name, one.role, one.phone, hours.get(one.phone, "")) for one in by_order),
        permit=entry.permit if entry else "",
        special_period=recipient.permit_has_special_period,
        longitude=entry.longitude if entry else None,
        latitude=entry.latitude if entry else None,
        note=recipient.note,
        answers=answers,
    )


def _lines_of(said: Sequence[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """The text of a measure → the lines that do it; one of the whole plant has none."""
    found: dict[str, tuple[str, ...]] = {}
    for line, text in said:
        if line:
            found[text] = (*found.get(text, ()), line)
    return found


def _step(one: Measure, lines: tuple[str, ...]) -> Step:
    # the list's own words, without the name that was put before them
    words = one.text.removeprefix(f"{lines[0]}：") if len(lines) == 1 else one.text
    return Step(
        text=words,
        text_en=one.text_en,
        force=one.force,
        after_min=one.starts_after_minutes or 0,
        line="、".join(dict.fromkeys(lines)),
        check=one.check,
        read=tuple(each for each in read_measure(words) if each.confidence is not Confidence.UNREAD),
    )


def seal(board: Board) -> bytes:
    """
    Eight bytes that change when anything does that a printed board says of the enterprise.

    They stand in the code on boards that hang for a season: what is sealed, and in which order, must not change, or
    every board at every gate would be called out of date.
    """
    said = json.dumps(list(_sealed(board)), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(said.encode()).digest()[:SEAL_BYTES]


def _sealed(board: Board) -> Iterator[object]:
    one, who = board.recipient, board.responsible
    yield 1
    yield str(one.id)
    yield str(board.listing_id or "")
    yield [one.name, one.credit_code, one.area, one.sector, one.category.value, one.grade, one.tracker]
    yield [board.site, board.address, board.scheme, board.local]
    yield [who.name, who.role, who.phone] if who else []
    for level in LEVELS:
        yield [level.word, [[each.line, each.text, each.force, each.after_min] for each in board.steps[level] or ()]]
