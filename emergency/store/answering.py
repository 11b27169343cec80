"""An answer in as few statements as can be, and many in the same: the orders locked, then all that follows at once."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Connection, Integer, TextClause, Uuid, and_, bindparam, select, text

from emergency.domain.episode import Fact
from emergency.domain.orders import Order
from emergency.errors import Conflict, Missing
from emergency.store import saving
from emergency.store.bulk import table
from emergency.store.tables import AnswerRow, ContactRow, Instant, JournalRow, LinkRow, OrderRow, RecipientRow

TOGETHER = 32  # answers in one statement, at most
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


@dataclass(frozen=True)
class Heard:
    """One answer among many: the order before it and after, what was said, and its fact."""

    before: Order
    after: Order
    said: Said
    fact: Fact

    @property
    def moved(self) -> bool:
        """Whether it changes the order; one that does not is told only if it was not said before."""
        return self.after != self.before

    @property
    def kept(self) -> Order:
        """The order with the version its save gives it."""
        return saving.bumped(self.after) if self.moved else self.after


def asked(connection: Connection, token_sha256: str) -> Asked:
    """
    The order behind a link, locked before anything else is: an answer, a reminder and a release meet there.

    :raises Missing: no such link, or it was taken back
    """
    row = connection.execute(_ASKED, {"token_sha256": token_sha256}).first()
    if row is None or row.revoked_at is not None:
        raise Missing("no such link, or it was taken back")
    return _asked(row)


def asked_together(connection: Connection, tokens_sha256: Collection[str]) -> dict[str, Asked]:
    """
    The orders behind these links, locked, by the link's hash; without those somebody else holds, so that nobody waits
    for one with others in hand, and without links that are unknown or were taken back.
    """
    if connection.dialect.name == "postgresql":
        rows = connection.execute(_ASKED_TOGETHER_UNLESS_LOCKED, {"tokens": list(tokens_sha256)})
    else:
        rows = connection.execute(_ASKED_TOGETHER, {"tokens": json.dumps(list(tokens_sha256))})
    return {row.token_sha256: _asked(row) for row in rows if row.revoked_at is None}


def _asked(row: saving.Row) -> Asked:
    contact_id = row.link_contact_id if row.contact_name is not None else None
    return Asked(saving.order(row), contact_id, row.contact_name or row.recipient_name, row.expires_at)


def keep(connection: Connection, said: Said, *, in_these_words: bool) -> bool:
    """
    Keep what was said, once for each person, revision and answer (and remark, ``in_these_words``); whether it was new.

    Hold the order's lock: then nobody else can say it in between. Its line of the journal is that of the order's save.
    """
    done = connection.execute(_KEEP, {**vars(said), "any_words": not in_these_words})
    return done.first() is not None


def keep_aside(
    connection: Connection, said: Said, line: Mapping[str, Any], *, in_these_words: bool, cancels: bool
) -> bool:
    """
    Keep what was said and moves nothing as :func:`keep` does, with its ``line`` of the journal if it is new; whether
    it was. ``cancels``: it is an answer all the same, and no reminder waits after it.
    """
    words = {**vars(said), "any_words": not in_these_words}
    waiting = {"saved_id": said.order_id} if cancels else {}
    if connection.dialect.name == "postgresql":  # one round trip instead of three
        at_once = _KEEP_ASIDE_AND_CANCEL if cancels else _KEEP_ASIDE
        return bool(connection.execute(at_once, {**words, **line, **waiting}).scalar_one())
    new = connection.execute(_KEEP, words).first() is not None
    if cancels:
        connection.execute(_CANCEL, waiting)
    if new:
        connection.execute(_TELL, dict(line))
    return new


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


def save_together(connection: Connection, some: Sequence[Heard]) -> None:
    """
    Do for many orders, each of them once, what :func:`save` does for one; where an answer moved nothing, what
    :func:`keep_aside` does.

    :raises Conflict: somebody saved one of the orders since it was loaded
    """
    if not some:
        return
    rows = {"heard": _encoded([_row(one) for one in some])}
    if connection.dialect.name == "postgresql":
        saved = connection.execute(_ALL_TOGETHER, rows).scalar_one()
    else:
        new = {UUID(row.order_id) for row in connection.execute(_KEEP_TOGETHER, rows)}
        connection.execute(_CANCEL_TOGETHER, rows)
        saved = len(connection.execute(_SAVE_TOGETHER, rows).all())
        told = [_row(one) for one in some if one.moved or one.before.id in new]
        connection.execute(_TELL_TOGETHER, {"heard": _encoded(told)})
    if saved != sum(one.moved for one in some):
        raise Conflict("one of the orders was saved by somebody else meanwhile")


def _row(one: Heard) -> dict[str, Any]:
    touched = {name: getattr(one.after, name) for name in _TOUCHED} | {"status": one.after.status.value}
    line = saving.journal_row(one.fact)
    return {**touched, **vars(one.said), **line, "seen": one.before.version, "moved": one.moved}


def _spelt(value: datetime | UUID) -> str:
    """The value as both databases read it: an id as hex, a moment in UTC and without a zone, as SQLite keeps it."""
    if isinstance(value, UUID):
        return value.hex
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


_encoded = json.JSONEncoder(ensure_ascii=False, default=_spelt).encode


# --- the statements, each built once

_ASKING = select(
    _ORDERS,
    _LINKS.c.token_sha256,
    _LINKS.c.contact_id.label("link_contact_id"),
    _LINKS.c.expires_at,
    _LINKS.c.revoked_at,
    _CONTACTS.c.name.label("contact_name"),
    _RECIPIENTS.c.name.label("recipient_name"),
).select_from(
    _LINKS.join(_ORDERS, _ORDERS.c.id == _LINKS.c.order_id)
    .join(_RECIPIENTS, _RECIPIENTS.c.id == _ORDERS.c.recipient_id)
    .outerjoin(_CONTACTS, and_(_CONTACTS.c.id == _LINKS.c.contact_id, _CONTACTS.c.recipient_id == _RECIPIENTS.c.id))
)
_ASKED = _ASKING.where(_LINKS.c.token_sha256 == bindparam("token_sha256")).with_for_update(of=_ORDERS)
_ASKED_TOGETHER = _ASKING.where(text("links.token_sha256 IN (SELECT value FROM json_each(:tokens))"))
_ASKED_TOGETHER_UNLESS_LOCKED = _ASKING.where(
    text("links.token_sha256 = ANY(CAST(:tokens AS varchar[]))")
).with_for_update(of=_ORDERS, skip_locked=True)

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


def _aside(cancelling: str) -> TextClause:
    cancelled = f", cancelled AS ({cancelling})" if cancelling else ""
    return _typed(
        f"""
        WITH kept AS ({_KEEPING}), told AS (
            INSERT INTO journal ({_listed(_FACT, '"{}"')}) SELECT {_listed(_FACT, ":{}")} FROM kept
        ){cancelled}
        SELECT count(*) FROM kept
        """  # noqa: S608 - our own statements
    )


_KEEP, _CANCEL, _SAVE, _TELL = (_typed(one) for one in (_KEEPING, _CANCELLING, _SAVING, _TELLING))
_KEEP_AND_SAVE_AT_ONCE, _SAVE_AT_ONCE = _at_once(_KEEPING), _at_once("")
_KEEP_ASIDE_AND_CANCEL, _KEEP_ASIDE = _aside(_CANCELLING), _aside("")

# --- the same for many: their columns come as one value, so that each statement stays one and is prepared once

_FLAGS = {"seen": Integer(), "moved": Boolean()}
_COLUMNS = {one.name: one.type for row in (JournalRow, AnswerRow, OrderRow) for one in table(row).c} | _FLAGS
_IN_ONE = tuple(dict.fromkeys((*_SAID, *_TOUCHED, *_FACT, *_FLAGS)))


def _sql_type(kind: Any) -> str:
    """How PostgreSQL calls the type of one of our columns."""
    for known, called in ((Instant, "timestamp"), (Uuid, "uuid"), (Boolean, "boolean"), (Integer, "integer")):
        if isinstance(kind, known):
            return called
    return "text"


_PICKED = _listed(_IN_ONE, """json_extract(value, '$.{0}') AS "{0}\"""")
_TYPED = ", ".join(f'"{name}" {_sql_type(_COLUMNS[name])}' for name in _IN_ONE)
_READ = ", ".join(
    f'"{name}" AT TIME ZONE \'UTC\' AS "{name}"' if isinstance(_COLUMNS[name], Instant) else f'"{name}"'
    for name in _IN_ONE
)
_ONE_BY_ONE = f"(SELECT {_PICKED} FROM json_each(:heard)) AS heard"  # noqa: S608 - our own column names
# its LIMIT says how few they are: PostgreSQL takes any JSON for a hundred rows, and would read whole tables for them
_AS_ROWS = f"""
    SELECT {_READ} FROM jsonb_to_recordset(CAST(:heard AS jsonb)) AS one({_TYPED}) LIMIT {TOGETHER}
"""  # noqa: S608 - our own column names


def _keeping_all(heard: str) -> str:
    # OFFSET has PostgreSQL look for each by itself, by the index
    return f"""
        INSERT INTO answers ({_listed(_SAID, '"{}"')}) SELECT {_listed(_SAID, 'heard."{}"')} FROM {heard}
        WHERE NOT EXISTS (
            SELECT 1 FROM answers AS earlier
            WHERE earlier.order_id = heard.order_id AND earlier.revision = heard.revision
                AND earlier.action = heard.action AND earlier."by" = heard."by"
            LIMIT 1 OFFSET 0
        )
        RETURNING order_id
    """  # noqa: S608 - our own column names


def _saving_all(heard: str) -> str:
    return f"""
        UPDATE orders SET {_listed(_TOUCHED, '"{0}" = heard."{0}"')}, version = orders.version + 1
        FROM {heard} WHERE orders.id = heard.order_id AND orders.version = heard.seen AND heard.moved
        RETURNING 1
    """  # noqa: S608 - our own column names


def _telling_all(heard: str) -> str:
    return f"""
        INSERT INTO journal ({_listed(_FACT, '"{}"')}) SELECT {_listed(_FACT, 'heard."{}"')} FROM {heard}
    """  # noqa: S608 - our own column names


_KEEP_TOGETHER, _SAVE_TOGETHER, _TELL_TOGETHER = (
    text(one(_ONE_BY_ONE)) for one in (_keeping_all, _saving_all, _telling_all)
)
_CANCEL_TOGETHER = text(
    f"""
    UPDATE messages SET state = 'cancelled', because = 'answered or superseded'
    WHERE order_id IN (SELECT heard.order_id FROM {_ONE_BY_ONE})
        AND state = 'ready' AND kind IN ('reminder', 'escalation')
    """  # noqa: S608 - our own names
)
# Which messages wait is asked of each order by itself, and they are locked there: thus PostgreSQL goes by the order's
# index and the message's key, and never by the state, however many messages wait for others and whatever it believes.
_ALL_TOGETHER = text(
    f"""
    WITH heard AS MATERIALIZED ({_AS_ROWS}), kept AS ({_keeping_all("heard")}),
        saved AS ({_saving_all("heard")}),
        told AS ({_telling_all("heard")} WHERE heard.moved OR heard.order_id IN (SELECT order_id FROM kept)),
        cancelled AS (
            UPDATE messages SET state = 'cancelled', because = 'answered or superseded'
            WHERE id = ANY(ARRAY(
                SELECT waiting.id FROM heard CROSS JOIN LATERAL (
                    SELECT id FROM messages
                    WHERE order_id = heard.order_id AND state = 'ready' AND kind IN ('reminder', 'escalation')
                    OFFSET 0 FOR UPDATE
                ) AS waiting
            ))
        )
    SELECT count(*) FROM saved
    """  # noqa: S608 - our own statements
)
