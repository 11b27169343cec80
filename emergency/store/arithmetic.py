"""Whole emissions as officers entered them, and the enterprises of the lists that are in force in an area."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import insert, select

from emergency.domain.arithmetic import Listed
from emergency.domain.arithmetic_targets import Base, Unit
from emergency.domain.people import path_of, within
from emergency.domain.reduction.versions import Listing
from emergency.store import listing
from emergency.store.bulk import table
from emergency.store.tables_arithmetic import EmissionBaseRow
from emergency.store.tx import Tx


def add(tx: Tx, base: Base) -> None:
    """Write this word down; it counts from now on over every earlier one of the same area and pollutant."""
    tx.connection.execute(insert(table(EmissionBaseRow)).values(**{**vars(base), "unit": base.unit.value}))


def last(tx: Tx, area: str) -> dict[str, Base]:
    """The last word on each pollutant of exactly this area, one that was taken back among them."""
    rows = table(EmissionBaseRow).c
    names = (rows.area, rows.pollutant, rows.year, rows.amount, rows.unit, rows.source, rows.by, rows.at)
    asked = select(*names).where(rows.area == area).order_by(rows.id)
    found = (dict(one._mapping) for one in tx.connection.execute(asked))
    return {one["pollutant"]: Base(**{**one, "unit": Unit(one["unit"])}) for one in found}


def in_force(tx: Tx, area: str) -> list[Listing]:
    """The lists in force that may have enterprises of the area: its own, those above and those below, by area."""
    some = listing.all_in_force(tx)
    return [one for one in some if one.area in path_of(area) or within(one.area, area)]


def enterprises(tx: Tx, area: str) -> Iterator[Listed]:
    """The enterprises of these lists that lie in the area, each once, list by list in the order of its file."""
    seen = set()
    for one in in_force(tx, area):
        for recipient_id, entry in listing.listed(tx, one.id):
            if within(entry.area, area) and recipient_id not in seen:
                seen.add(recipient_id)
                yield Listed(recipient_id, entry)
