"""Whom an area's decisions address, as one mark: another once somebody is added, left out, or called elsewhere."""

from __future__ import annotations

import hashlib

from sqlalchemy import Text, cast, select

from emergency.store.bulk import table
from emergency.store.desk import below
from emergency.store.tables import ContactRow, RecipientRow
from emergency.store.tx import Tx

_RECIPIENTS, _CONTACTS = table(RecipientRow), table(ContactRow)
_AT_ONCE = 2000  # rows read at a time


def mark(tx: Tx, area: str) -> str:
    """
    A mark of every recipient in the area and its people, in so many statements however many there are.

    Plain rows in a fixed order, hashed as they come: no value is built of any, for this is asked inside a signature.
    """
    inside = below(_RECIPIENTS.c.area, area)
    plain = [cast(one, Text) if one.name == "measures" else one for one in _RECIPIENTS.c]
    people = select(_CONTACTS).join(_RECIPIENTS, _RECIPIENTS.c.id == _CONTACTS.c.recipient_id).where(inside)
    found = hashlib.sha256()
    for asked in (
        select(*plain).where(inside).order_by(_RECIPIENTS.c.id),
        people.order_by(_CONTACTS.c.id),
    ):
        for some in tx.connection.execute(asked).partitions(_AT_ONCE):
            found.update(repr([tuple(row) for row in some]).encode())
    return found.hexdigest()
