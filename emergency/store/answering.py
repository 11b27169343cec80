"""An answer in as few statements as can be: the order under its lock, then everything that follows at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Connection, TextClause, and_, bindparam, select, text

from emergency.domain.orders import Order
from emergency.errors import Conflict, Missing
from emergency.store import saving
from emergency.store.bulk import table
from emergency.store.tables import AnswerRow, ContactRow, JournalRow, LinkRow, OrderRow, RecipientRow

_ORDERS, _LINKS, _CONTACTS, _RECIPIENTS = (table(row) for row in (OrderRow, LinkRow, ContactRow, RecipientRow))


@dataclass(frozen=True)
class Asked:
    """What a phone link asks: the order, its row locked, and in whose name the link answers."""

    order: Order
    contact_id: UUID | None
    name: str
    expires_at: datetime


@dataclass(frozen=True)
class Said:
    """What somebody said of one revision of an order."""

    order_id: UUID
    revision: int
    action: str
    by: str
    contact_id: UUID | None
    via: str
    remark: str
    at: datetime


def asked(connection: Connection, token_sha256: str) -> Asked:
    """
    The order behind a link, locked before anything else is: an answer, a reminder and a release meet there.

    :raises Missing: no such link, or it was taken back
    """
    row = connection.execute(_ASKED, {"token_sha256": token_sha256}).first()
    if row is None or row.revoked_at is not None:
        raise Missing("no such link, or it was taken back")
    contact_id = row.link_contact_id if row.contact_name is not None else None
    return Asked(saving.order(row), contact_id, row.contact_name or row.recipient_name, row.expires_at)


def keep(connection: Connection, said: Said, *, in_these_words: bool) -> bool:
    """
    Keep what was said, once for each person, revision and answer (and remark, ``in_these_words``); whether it was new.

    Hold the order's lock: then nobody else can say it in between.
    """
    done = connection.execute(_KEEP, {**vars(said), "any_words": not in_these_words})
    return done.first() is not None


def save(connection: Connection, before: Order, after: Order, said: Said | None, line: Mapping[str, Any]) -> None:
    """
    Save the answered order by compare-and-set with its ``line`` of the journal, keep what was said (None: it is kept
    already), and cancel the reminders that wait.

    :raises Conflict: somebody saved the order since it was loaded
    """
    values = {name: getattr(after, name) for name in _TOUCHED} | {
        "status": after.status.value, "saved_id": before.id, "seen": before.version,
    }  # fmt: skip
    words = {} if said is None else {**vars(said), "any_words": True}
    if connection.dialect.name == "postgresql":  # one round trip instead of four
        at_once = _SAVE_AT_ONCE if said is None else _KEEP_AND_SAVE_AT_ONCE
        saved = connection.execute(at_once, {**values, **words, **line}).scalar_one()
    else:
        if said is not None:
            connection.execute(_KEEP, words)
        connection.execute(_CANCEL, {"saved_id": before.id})
        saved = connection.execute(_SAVE, values).rowcount
        connection.execute(_TELL, dict(line))
    if saved != 1:
        raise Conflict(f"order {before.id} was saved by somebody else since version {before.version}")


# --- the statements, each built once

_ASKED = (
    select(
        _ORDERS,
        _LINKS.c.contact_id.label("link_contact_id"),
        _LINKS.c.expires_at,
        _LINKS.c.revoked_at,
        _CONTACTS.c.name.label("contact_name"),
        _RECIPIENTS.c.name.label("recipient_name"),
    )
    .select_from(
        _LINKS.join(_ORDERS, _ORDERS.c.id == _LINKS.c.order_id)
        .join(_RECIPIENTS, _RECIPIENTS.c.id == _ORDERS.c.recipient_id)
        .outerjoin(
            _CONTACTS, and_(_CONTACTS.c.id == _LINKS.c.contact_id, _CONTACTS.c.recipient_id == _RECIPIENTS.c.id)
        )
    )
    .where(_LINKS.c.token_sha256 == bindparam("token_sha256"))
    .with_for_update(of=_ORDERS)
)

# what a recipient's word may change of an order; its level, revision and duties are a decision's alone
_TOUCHED = (
    "status", "acknowledged_at", "acknowledged_by", "started_at", "in_place_at", "declined_because", "resumed_at",
    "next_rung", "next_rung_at",
)  # fmt: skip
_SAID = ("order_id", "revision", "action", "by", "contact_id", "via", "remark", "at")
_FACT = ("what", "about", "episode_id", "area", "by", "at", "entry", "sha256")


def _listed(names: tuple[str, ...], how: str) -> str:
    return ", ".join(how.format(name) for name in names)


_KEEPING = f"""
    INSERT INTO answers ({_listed(_SAID, '"{}"')}) SELECT {_listed(_SAID, ":{}")}
    WHERE NOT EXISTS (
        SELECT 1 FROM answers AS earlier
        WHERE earlier.order_id = :order_id AND earlier.revision = :revision AND earlier.action = :action
            AND earlier."by" = :by AND (:any_words OR earlier.remark = :remark)
    )
    RETURNING 1
"""  # noqa: S608 - our own column names
_CANCELLING = """
    UPDATE messages SET state = 'cancelled', because = 'answered or superseded'
    WHERE order_id = :saved_id AND state = 'ready' AND kind IN ('reminder', 'escalation')
"""
_SAVING = f"""
    UPDATE orders SET {_listed(_TOUCHED, '"{0}" = :{0}')}, version = version + 1
    WHERE id = :saved_id AND version = :seen
"""  # noqa: S608 - our own column names
_TELLING = f"""
    INSERT INTO journal ({_listed(_FACT, '"{}"')}) VALUES ({_listed(_FACT, ":{}")})
"""  # noqa: S608 - our own column names


def _typed(said: str) -> TextClause:
    """The statement with the type of each of its values, so that both databases read them alike."""
    columns = {one.name: one.type for row in (JournalRow, AnswerRow, OrderRow) for one in table(row).c}
    types = {**columns, "saved_id": columns["order_id"], "seen": columns["version"], "any_words": Boolean()}
    clause = text(said)
    return clause.bindparams(*(bindparam(name, type_=types[name]) for name in clause._bindparams))


def _at_once(keeping: str) -> TextClause:
    kept = f"kept AS ({keeping})," if keeping else ""
    return _typed(
        f"""
        WITH {kept} saved AS ({_SAVING} RETURNING 1), told AS ({_TELLING}), cancelled AS ({_CANCELLING})
        SELECT count(*) FROM saved
        """  # noqa: S608 - our own statements
    )


_KEEP, _CANCEL, _SAVE, _TELL = (_typed(one) for one in (_KEEPING, _CANCELLING, _SAVING, _TELLING))
_KEEP_AND_SAVE_AT_ONCE, _SAVE_AT_ONCE = _at_once(_KEEPING), _at_once("")
