"""A list as a version with dates: laid before a second person, in force, past; and how it differs from what stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from emergency.domain.machine import Machine
from emergency.domain.orders import Recipient
from emergency.domain.reduction.columns import LEVELS
from emergency.domain.reduction.entries import Entry, new_id, recipient_of
from emergency.domain.reduction.refusals import Refusal
from emergency.errors import Refused


class Stand(StrEnum):
    """Where a version of the list stands."""

    DRAFT = "draft"  # 待复核
    CONFIRMED = "confirmed"  # 已确认，待启用
    IN_FORCE = "in_force"  # 现行
    PAST = "past"  # 已被替代
    DROPPED = "dropped"  # 已作废


class Step(StrEnum):
    """What can happen to a version."""

    CONFIRM = "confirm"
    DROP = "drop"
    ENTER = "enter"
    REPLACE = "replace"


LISTING: Machine[Stand, Step] = Machine(
    "listing",
    {
        (Stand.DRAFT, Step.CONFIRM): Stand.CONFIRMED,
        (Stand.DRAFT, Step.DROP): Stand.DROPPED,
        (Stand.CONFIRMED, Step.DROP): Stand.DROPPED,
        (Stand.CONFIRMED, Step.ENTER): Stand.IN_FORCE,
        (Stand.IN_FORCE, Step.REPLACE): Stand.PAST,
    },
)


@dataclass(frozen=True)
class Listing:
    """
    One version of an area's reduction list.

    It counts from ``valid_from`` on, but a running episode keeps the version it began with: it enters force
    (``entered_at``) when none runs. ``based_on``: the version its differences were shown against, None for none.
    ``counts``: rows, added, changed, unchanged, removed, kept, refused, to_look_at. ``columns``: the file's, in its
    order. ``left_out``: codes and names of enterprises that a refusal cost; they stay as they stand.
    """

    id: UUID
    area: str
    name: str
    file_sha256: str
    valid_from: date
    columns: tuple[str, ...]
    counts: Mapping[str, int]
    laid_by: str
    laid_at: datetime
    stand: Stand = Stand.DRAFT
    based_on: UUID | None = None
    confirmed_by: str = ""
    confirmed_at: datetime | None = None
    entered_at: datetime | None = None
    ended_at: datetime | None = None
    because: str = ""
    refused: tuple[Refusal, ...] = ()
    to_look_at: tuple[Refusal, ...] = ()
    left_out: frozenset[str] = frozenset()
    version: int = 0


class SameHand(Refused):
    """Whoever laid the list down cannot confirm it."""

    words_zh = "导入人不能复核自己导入的清单，请由另一人确认"


class StillRefused(Refused):
    """Some rows were refused, and nobody said that the list counts without them."""

    words_zh = "清单中有未采用的行，请勾选“不含未采用的行”后再确认"


def confirmed(listing: Listing, *, by: str, without_refused: bool, now: datetime) -> Listing:
    """
    The list as a second person lets it count.

    :raises SameHand: it is the person who laid it down
    :raises StillRefused: rows were refused, and leaving them out was not said expressly
    """
    if by == listing.laid_by:
        raise SameHand(f"{by} laid this list down and cannot confirm it")
    return let_count(listing, by=by, without_refused=without_refused, now=now)


def let_count(listing: Listing, *, by: str, without_refused: bool, now: datetime) -> Listing:
    """
    The list as it counts from its day on.

    :raises StillRefused: as :func:`confirmed`
    """
    if listing.counts.get("refused") and not without_refused:
        raise StillRefused(f"{listing.counts['refused']} cells were refused")
    stand = LISTING.after(listing.stand, Step.CONFIRM)
    return replace(listing, stand=stand, confirmed_by=by, confirmed_at=now)


def dropped(listing: Listing, *, because: str, now: datetime) -> Listing:
    """
    The list as somebody lets it go before it counted.

    :raises Refused: no reason was given
    """
    if not because.strip():
        raise Refused("dropping a list needs its reason", zh="请写明作废的原因")
    stand = LISTING.after(listing.stand, Step.DROP)
    return replace(listing, stand=stand, because=because.strip()[:300], ended_at=now)


def entered(listing: Listing, *, now: datetime) -> Listing:
    """The list in force."""
    return replace(listing, stand=LISTING.after(listing.stand, Step.ENTER), entered_at=now)


def replaced(listing: Listing, *, now: datetime) -> Listing:
    """The list after the next has entered force."""
    return replace(listing, stand=LISTING.after(listing.stand, Step.REPLACE), ended_at=now)


# --- how it differs


@dataclass(frozen=True)
class Change:
    """One thing that differs for an enterprise: what (``measures.orange``, ``grade``, …), before and after."""

    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Matched:
    """An entry with the enterprise it becomes, and what changes for it; ``old`` is None for one that is new."""

    entry: Entry
    recipient: Recipient
    old: Recipient | None
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Differences:
    """What a list would do to the enterprises that stand: one that a refusal cost is ``kept`` as it is, not removed."""

    added: tuple[Matched, ...]
    changed: tuple[Matched, ...]
    unchanged: tuple[Matched, ...]
    removed: tuple[Recipient, ...]
    kept: tuple[Recipient, ...] = ()

    @property
    def after(self) -> tuple[Matched, ...]:
        """Every enterprise the list has."""
        return (*self.added, *self.changed, *self.unchanged)


def differences(
    entries: Iterable[Entry], standing: Sequence[Recipient], *, area: str, left_out: frozenset[str] = frozenset()
) -> Differences:
    """
    The list against the enterprises of its area: the same credit code, or without one the same name, is the same one.

    ``left_out``: codes and names of what a refusal cost.
    """
    known = _Known(standing)
    added: list[Matched] = []
    changed: list[Matched] = []
    unchanged: list[Matched] = []
    seen: set[UUID] = set()
    for entry in entries:
        old = known.same_as(entry, seen)
        new = recipient_of(entry, old.id if old else new_id(area, entry.key), sample=bool(old and old.sample))
        seen.add(new.id)
        found = tuple(_changes(old, new)) if old else ()
        (added if old is None else changed if found else unchanged).append(Matched(entry, new, old, found))
    gone = [one for one in standing if one.id not in seen]
    kept = [one for one in gone if {one.credit_code, one.name} & left_out]
    removed = [one for one in gone if one not in kept]
    return Differences(tuple(added), tuple(changed), tuple(unchanged), tuple(removed), tuple(kept))


class _Known:
    """The enterprises that stand, found again by credit code and name, by name, or by a credit code only one has."""

    def __init__(self, standing: Iterable[Recipient]) -> None:
        self._exact: dict[tuple[str, str], Recipient] = {}
        self._named: dict[str, Recipient] = {}
        self._coded: dict[str, list[Recipient]] = {}
        for one in standing:
            self._exact[one.credit_code, one.name] = one
            self._named.setdefault(one.name, one)
            self._coded.setdefault(one.credit_code, []).append(one)

    def same_as(self, entry: Entry, seen: set[UUID]) -> Recipient | None:
        coded = self._coded.get(entry.code, []) if entry.code and not entry.site else []
        for found in (
            self._exact.get((entry.code, entry.title)),
            self._named.get(entry.title),
            coded[0] if len(coded) == 1 else None,  # it has another name now
        ):
            if found is not None and found.id not in seen:
                return found
        return None


_SIMPLE = ("name", "area", "sector", "grade", "credit_code", "tracker", "note")


def _changes(old: Recipient, new: Recipient) -> Iterator[Change]:
    """What differs, in the order a reader asks for it."""
    for name in _SIMPLE:
        if getattr(old, name) != getattr(new, name):
            yield Change(name, str(getattr(old, name)), str(getattr(new, name)))
    if old.category is not new.category:
        yield Change("category", old.category.value, new.category.value)
    if old.permit_has_special_period is not new.permit_has_special_period:
        yield Change("special_period", _said(old.permit_has_special_period), _said(new.permit_has_special_period))
    before, after = _callable(old), _callable(new)
    if before != after:
        yield Change("contacts", before, after)
    for level in LEVELS:
        had, has = ("；".join((one.measures or {}).get(level, ())) for one in (old, new))
        if had != has:
            yield Change(f"measures.{level}", had, has)


def _said(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"


def _callable(one: Recipient) -> str:
    return "、".join(f"{who.name} {who.phone}".strip() for who in sorted(one.contacts, key=lambda who: who.order))
