"""Reduction lists as rows: versions with their enterprises, the one in force, and the change from one to the next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, and_, delete, func, insert, or_, select, update

from emergency.domain.episode import Fact, Phase
from emergency.domain.orders import Category, Recipient, RecipientKind
from emergency.domain.reduction.entries import Baseline, Caller, Entry, Line
from emergency.domain.reduction.grades import Grade
from emergency.domain.reduction.quantities import Clause, Confidence, Kind, Quantity
from emergency.domain.reduction.refusals import Refusal, Why
from emergency.domain.reduction.versions import Listing, Matched, Stand
from emergency.errors import Conflict, Missing
from emergency.store.bulk import copy_in, table
from emergency.store.desk import below
from emergency.store.tables import ContactRow, EpisodeRow, LinkRow, RecipientRow
from emergency.store.tables_listing import ListedRow, ListingRow
from emergency.store.tx import Tx

MOST_NOTES: Final = 1_000  # of each kind kept with a version; the count says how many there were
_AT_ONCE: Final = 500  # ids in one statement: SQLite takes 32,766 parameters


def add(tx: Tx, listing: Listing, some: Iterable[tuple[str, Matched]], *, fact: Fact) -> Listing:
    """Keep a new version with its enterprises, each with what it would change, and the fact."""
    kept = replace(listing, version=1)
    tx.connection.execute(insert(table(ListingRow)), _listing_row(kept))
    rows = [
        {
            "listing_id": listing.id,
            "recipient_id": one.recipient.id,
            "number": number,
            "name": one.recipient.name,
            "change": change,
            "entry": _entry_row(one.entry),
        }
        for number, (change, one) in enumerate(some, 1)
    ]
    copy_in(tx.connection, table(ListedRow), rows)
    tx.note(fact)
    return kept


def save(tx: Tx, listing: Listing, *, fact: Fact) -> Listing:
    """
    Keep where the version stands now, with the fact.

    :raises Conflict: somebody saved it since it was loaded
    """
    kept = replace(listing, version=listing.version + 1)
    columns = {name: value for name, value in _listing_row(kept).items() if name != "id"}
    done = tx.connection.execute(
        update(table(ListingRow))
        .where(ListingRow.id == listing.id, ListingRow.version == listing.version)
        .values(**columns)
    )
    if done.rowcount != 1:
        raise Conflict(f"listing {listing.id} was saved by somebody else since version {listing.version}")
    tx.note(fact)
    return kept


def called(tx: Tx, listing_id: UUID) -> Listing:
    """
    One version.

    :raises Missing: no such version
    """
    found = tx.connection.execute(select(table(ListingRow)).where(ListingRow.id == listing_id)).first()
    if found is None:
        raise Missing("no such list")
    return _listing(found)


def of_area(tx: Tx, area: str, *, limit: int = 100) -> list[Listing]:
    """The versions of this area and below, the latest first."""
    asked = select(table(ListingRow)).where(below(ListingRow.area, area))
    rows = tx.connection.execute(asked.order_by(ListingRow.laid_at.desc(), ListingRow.id).limit(limit))
    return [_listing(row) for row in rows]


def in_force(tx: Tx, area: str) -> Listing | None:
    """The version of exactly this area that counts now; None before the first."""
    asked = select(table(ListingRow)).where(ListingRow.area == area, ListingRow.stand == Stand.IN_FORCE.value)
    found = tx.connection.execute(asked).first()
    return None if found is None else _listing(found)


def all_in_force(tx: Tx) -> list[Listing]:
    """The versions that count now, one for each area that has any, by area."""
    asked = select(table(ListingRow)).where(ListingRow.stand == Stand.IN_FORCE.value).order_by(ListingRow.area)
    return [_listing(row) for row in tx.connection.execute(asked)]


def due(tx: Tx, *, on: date) -> list[Listing]:
    """Confirmed versions whose day has come, the earliest first."""
    asked = select(table(ListingRow)).where(ListingRow.stand == Stand.CONFIRMED.value, ListingRow.valid_from <= on)
    rows = tx.connection.execute(asked.order_by(ListingRow.valid_from, ListingRow.confirmed_at))
    return [_listing(row) for row in rows]


def entries(tx: Tx, listing_id: UUID) -> list[Entry]:
    """The enterprises of a version as they were read, in the order of its file."""
    asked = select(ListedRow.entry).where(ListedRow.listing_id == listing_id).order_by(ListedRow.number)
    return [_entry(body) for body in tx.connection.execute(asked).scalars()]


def listed(tx: Tx, listing_id: UUID) -> Iterator[tuple[UUID, Entry]]:
    """The enterprises of a version with the ids their orders go by, in the order of its file, a few at a time."""
    asked = select(ListedRow.recipient_id, ListedRow.entry).where(ListedRow.listing_id == listing_id)
    rows = tx.connection.execute(asked.order_by(ListedRow.number).execution_options(yield_per=_AT_ONCE))
    return ((recipient_id, _entry(body)) for recipient_id, body in rows)


def entries_of(tx: Tx, listing_id: UUID, recipient_ids: Sequence[UUID]) -> dict[UUID, Entry]:
    """These enterprises as a version has them; one that it does not have is left out."""
    asked = select(ListedRow.recipient_id, ListedRow.entry).where(ListedRow.listing_id == listing_id)
    return {
        row.recipient_id: _entry(row.entry)
        for some in _parts(recipient_ids)
        for row in tx.connection.execute(asked.where(ListedRow.recipient_id.in_(some)))
    }


def off_list(tx: Tx, recipient_ids: Sequence[UUID]) -> set[UUID]:
    """Those of these recipients that no list has any more."""
    asked = select(RecipientRow.id).where(RecipientRow.off_list.is_(True))
    return {
        one
        for some in _parts(recipient_ids)
        for one in tx.connection.execute(asked.where(RecipientRow.id.in_(some))).scalars()
    }


def found(tx: Tx, area: str, *, q: str = "", limit: int | None = None, offset: int = 0) -> tuple[list[UUID], int]:
    """
    Enterprises on the list of an area and below, by town and name, and how many there are in all.

    ``q``: part of a name or credit code.
    """
    asked = select(RecipientRow.id).where(
        RecipientRow.off_list.is_(False),
        RecipientRow.kind == RecipientKind.ENTERPRISE.value,
        below(RecipientRow.area, area),
    )
    if q:
        searched = (RecipientRow.name, RecipientRow.credit_code)
        asked = asked.where(or_(*[column.contains(q, autoescape=True) for column in searched]))
    total = tx.connection.execute(select(func.count()).select_from(asked.subquery())).scalar_one()
    some = asked.order_by(RecipientRow.area, RecipientRow.name, RecipientRow.id).limit(limit).offset(offset)
    return list(tx.connection.execute(some).scalars()), total


def running(tx: Tx, areas: Sequence[str], *, released_since: datetime) -> bool:
    """Whether an episode of these areas runs, or was let go so lately that it may come back."""
    asked = select(EpisodeRow.id).where(
        EpisodeRow.area.in_(areas),
        or_(
            EpisodeRow.phase.in_([Phase.OPENING.value, Phase.ACTIVE.value]),
            and_(EpisodeRow.phase == Phase.RELEASED.value, EpisodeRow.released_at >= released_since),
        ),
    )
    return tx.connection.execute(asked.limit(1)).first() is not None


def enterprises(tx: Tx, area: str) -> list[Recipient]:
    """The enterprises and sites of an area that a list has now, with those they are called by."""
    return tx.recipients([area], kinds=[RecipientKind.ENTERPRISE])


def put(tx: Tx, some: Sequence[Recipient], gone: Sequence[Recipient], *, now: datetime) -> None:
    """
    Let the list count: its enterprises in place with their contacts, those it has no more off the list.

    Contacts who are named no more are let go with their phone links; a row stays for the orders that name it.
    """
    tx.set_recipients(some)
    ids, kept = [one.id for one in some], {two.id for one in some for two in one.contacts}
    for some_ids in _parts(ids):
        tx.connection.execute(update(table(RecipientRow)).where(RecipientRow.id.in_(some_ids)).values(off_list=False))
        asked = select(ContactRow.id).where(ContactRow.recipient_id.in_(some_ids))
        left = [one for one in tx.connection.execute(asked).scalars() if one not in kept]
        for contacts in _parts(left):
            links = update(table(LinkRow)).where(LinkRow.contact_id.in_(contacts), LinkRow.revoked_at.is_(None))
            tx.connection.execute(links.values(revoked_at=now))
            tx.connection.execute(delete(table(ContactRow)).where(ContactRow.id.in_(contacts)))
    for some_ids in _parts([one.id for one in gone]):
        tx.connection.execute(update(table(RecipientRow)).where(RecipientRow.id.in_(some_ids)).values(off_list=True))


def _parts(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    return (ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE))


# --- rows and values


def _listing_row(one: Listing) -> dict[str, Any]:
    whole = {name: value for name, value in vars(one).items() if name not in ("refused", "to_look_at", "left_out")}
    notes = {
        "refused": [vars(told) for told in one.refused[:MOST_NOTES]],
        "to_look_at": [vars(told) for told in one.to_look_at[:MOST_NOTES]],
        "left_out": sorted(one.left_out),
    }
    return {
        **whole, "stand": one.stand.value, "columns": list(one.columns), "counts": dict(one.counts), "notes": notes
    }  # fmt: skip


def _listing(row: Row[Any]) -> Listing:
    said = dict(row._mapping)  # SQLAlchemy's documented way to a row's names
    notes = said.pop("notes")
    return Listing(
        **{
            **said,
            "stand": Stand(said["stand"]),
            "columns": tuple(said["columns"]),
            "refused": tuple(map(_refusal, notes["refused"])),
            "to_look_at": tuple(map(_refusal, notes["to_look_at"])),
            "left_out": frozenset(notes["left_out"]),
        }
    )


def _refusal(said: Mapping[str, Any]) -> Refusal:
    known = Why.__members__.values()
    why = next((one for one in known if one.value == said["why"]), Why.UNREAD_MEASURE)
    return Refusal(**{**said, "why": why, "about": tuple(said["about"])})


def _entry_row(one: Entry) -> dict[str, Any]:
    return {
        **vars(one),
        "grade": vars(one.grade),
        "callers": [vars(who) for who in one.callers],
        "lines": [
            {**vars(line), "baseline": None if line.baseline is None else vars(line.baseline)} for line in one.lines
        ],
        "read": {
            level: [{**vars(clause), "quantities": [vars(each) for each in clause.quantities]} for clause in clauses]
            for level, clauses in one.read.items()
        },
    }


def _entry(said: Mapping[str, Any]) -> Entry:
    grade = said["grade"]
    return Entry(
        **{
            **said,
            "category": Category(said["category"]),
            "grade": Grade(**{**grade, "category": None if grade["category"] is None else Category(grade["category"])}),
            "callers": tuple(Caller(**who) for who in said["callers"]),
            "lines": tuple(
                Line(**{**line, "baseline": None if line["baseline"] is None else Baseline(**line["baseline"])})
                for line in said["lines"]
            ),
            "read": {level: tuple(map(_clause, clauses)) for level, clauses in said["read"].items()},
        }
    )


def _clause(said: Mapping[str, Any]) -> Clause:
    return Clause(
        said["text"],
        tuple(
            Quantity(**{**one, "kind": Kind(one["kind"]), "named": tuple(one["named"])}) for one in said["quantities"]
        ),
        Confidence(said["confidence"]),
        None if said["why"] is None else Why(said["why"]),
        tuple(said["about"]),
    )
