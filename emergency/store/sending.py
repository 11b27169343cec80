"""The sender's side of the post: a place to send from, claims under a lease, and how sends went, by the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Boolean, Connection, and_, bindparam, case, delete, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from emergency.domain.copying import copied
from emergency.domain.messages import MOST_ATTEMPTS, Kind, Lane, Message, State, Uncertain
from emergency.store import sequence
from emergency.store.bulk import copy_in, table
from emergency.store.tables import AttemptRow, MessageRow, PaceRow, SlotRow

_MESSAGES = table(MessageRow)
_ATTEMPTS, _SLOTS = table(AttemptRow), table(SlotRow)
AHEAD = 6  # a paced channel claims a sixth of a lease ahead, so that the last of a claim leaves well within it
LEASE = timedelta(seconds=30)
DIED = "the sender died with it"
COUNTED = {"preserve_rowcount": True}  # an INSERT … ON CONFLICT tells how many rows it wrote only when asked to

_CLAIMED = (
    "kind", "id", "to", "text", "area", "episode_id", "order_id", "decision_id", "contact_id", "link_id", "revision",
    "rung", "attempts", "put_at", "exercise", "because", "provider",
)
_SETTLED = ("id", "attempts", "state", "due_at", "sent_at", "receipt", "because", "ambiguous")
_SETTLE = (
    update(_MESSAGES)
    .where(
        _MESSAGES.c.id == bindparam("b_id"),
        _MESSAGES.c.state == State.SENDING.value,
        _MESSAGES.c.attempts == bindparam("b_attempts"),
    )
    .values(
        **{name: bindparam(f"b_{name}") for name in _SETTLED[2:-1]},
        ambiguous=or_(
            bindparam("b_ambiguous", type_=Boolean()),
            and_(_MESSAGES.c.ambiguous, bindparam("b_state", type_=_MESSAGES.c.state.type) != State.SENT.value),
        ),
        attempts=bindparam("b_counted"),
        leased_until=None,
    )
)
# one statement for the whole batch: a hundred updates of one row each cost many times as much
_SETTLE_ARRAYS = text(
    """
    UPDATE messages SET attempts = settled.counted, leased_until = NULL, state = settled.state,
        due_at = settled.due_at, sent_at = settled.sent_at, receipt = settled.receipt, because = settled.because,
        ambiguous = settled.ambiguous OR (messages.ambiguous AND settled.state <> 'sent')
    FROM unnest(CAST(:id AS uuid[]), CAST(:attempts AS integer[]), CAST(:counted AS integer[]),
        CAST(:state AS text[]), CAST(:due_at AS timestamptz[]), CAST(:sent_at AS timestamptz[]),
        CAST(:receipt AS text[]), CAST(:because AS text[]), CAST(:ambiguous AS boolean[]))
        AS settled(id, attempts, counted, state, due_at, sent_at, receipt, because, ambiguous)
    WHERE messages.id = settled.id AND messages.state = 'sending' AND messages.attempts = settled.attempts
    """
)

_SENT_ARRAYS = text(  # the same where every one was taken, which is nearly always
    """
    UPDATE messages SET leased_until = NULL, state = 'sent', sent_at = :at, receipt = settled.receipt, because = '',
        ambiguous = false
    FROM unnest(CAST(:id AS uuid[]), CAST(:attempts AS integer[]), CAST(:receipt AS text[]))
        AS settled(id, attempts, receipt)
    WHERE messages.id = settled.id AND messages.state = 'sending' AND messages.attempts = settled.attempts
    """
)

# statements are built once: a sender says each many times a second, and building one costs as much as saying it
_THESE = and_(
    _MESSAGES.c.channel == bindparam("of_channel"),
    _MESSAGES.c.lane == bindparam("of_lane"),
    _MESSAGES.c.state == State.READY.value,
    _MESSAGES.c.waits_for.is_(None),
    _MESSAGES.c.due_at <= bindparam("now"),
)
_ANYTHING = select(_MESSAGES.c.id).where(_THESE).limit(1)
_CLAIM = (
    update(_MESSAGES)
    .where(
        _MESSAGES.c.id.in_(
            select(_MESSAGES.c.id)
            .where(_THESE)
            .order_by(_MESSAGES.c.due_at)
            .limit(bindparam("most"))
            .with_for_update(skip_locked=True)
        )
    )
    .values(state=State.SENDING.value, attempts=_MESSAGES.c.attempts + 1, leased_until=bindparam("until"))
    .returning(*(_MESSAGES.c[name] for name in _CLAIMED))
)
_KINDS = {kind.value: kind for kind in Kind}


@cache
def _take_slot(dialect: str) -> Any:
    """Insert a place, or take it over from its holder whose time is up; a place whose breaker is open stays."""
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(_SLOTS)
    taken = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["channel", "lane", "place"],
        set_={"holder": taken.holder, "leased_until": taken.leased_until},
        where=and_(
            or_(_SLOTS.c.holder == taken.holder, _SLOTS.c.leased_until <= bindparam("now")),
            or_(_SLOTS.c.broken_until.is_(None), _SLOTS.c.broken_until <= bindparam("now")),
        ),
    ).execution_options(**COUNTED)


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, State) else value


def _counted(one: Mapping[str, Any]) -> int:
    """The attempts as they count: the channel's own fault gives one back."""
    return int(one["attempts"]) - (0 if one.get("counts", True) else 1)


class Sending:
    """The messages table as a sender sees it."""

    def __init__(self, connection: Connection, *, lease: timedelta = LEASE) -> None:
        self._connection, self._lease = connection, lease
        self._dialect = connection.dialect.name

    def slot(self, channel: str, lane: Lane, *, holder: str, now: datetime, place: int = 0) -> bool:
        """
        Take (or keep) a place from which this lane of this channel is drained; False when another holds it.

        A channel whose breaker is open gives no place until its time has passed.
        """
        row = {
            "channel": channel,
            "lane": int(lane),
            "place": place,
            "holder": holder,
            "leased_until": now + self._lease,
            "broken_until": None,
            "because": "",
        }
        return bool(self._connection.execute(_take_slot(self._dialect), {**row, "now": now}).rowcount)

    def anything(self, channel: str, lane: Lane, *, now: datetime) -> bool:
        """Whether this lane of this channel has anything to send now."""
        these = {"of_channel": channel, "of_lane": int(lane), "now": now}
        return self._connection.execute(_ANYTHING, these).first() is not None

    def leave_slot(self, channel: str, lane: Lane, *, holder: str, now: datetime) -> None:
        """Give the place back."""
        self._connection.execute(
            update(_SLOTS)
            .where(_SLOTS.c.channel == channel, _SLOTS.c.lane == int(lane), _SLOTS.c.holder == holder)
            .values(leased_until=now)
        )

    def paced(self, channel: str, *, rate: float, most: int, now: datetime) -> tuple[int, datetime]:
        """
        How many of this channel's messages may be claimed now at ``rate`` a second, and from when they may leave, one
        every 1/rate. The channel's row stays locked until the transaction ends; :meth:`pace` says how many it were.
        """
        self._connection.execute(self._insert_new(PaceRow), {"channel": channel, "taken_until": now})
        asked = select(PaceRow.taken_until).where(PaceRow.channel == channel).with_for_update()
        begin = max(now, self._connection.execute(asked).scalar_one())
        ahead = max(self._lease.total_seconds() / AHEAD, 1 / rate)
        left = ahead - (begin - now).total_seconds()
        return max(0, min(most, int(left * rate + 1e-6))), begin

    def pace(self, channel: str, *, until: datetime) -> None:
        """Speak for the channel's rate until then."""
        self._connection.execute(update(PaceRow).where(PaceRow.channel == channel).values(taken_until=until))

    def break_channel(self, channel: str, *, until: datetime, because: str) -> None:
        """Open the breaker: the channel's own key or address is wrong; its messages stay ready."""
        self._connection.execute(
            update(_SLOTS).where(_SLOTS.c.channel == channel).values(broken_until=until, because=because[:500])
        )

    def broken(self, *, now: datetime) -> dict[str, str]:
        """The channels whose breaker is open now, and why."""
        asked = select(_SLOTS.c.channel, _SLOTS.c.because).where(_SLOTS.c.broken_until > now)
        rows = self._connection.execute(asked)
        return {row.channel: row.because for row in rows}

    def close_breaker(self, channel: str) -> None:
        """Close the breaker: the channel has taken a message again."""
        self._connection.execute(
            update(_SLOTS)
            .where(_SLOTS.c.channel == channel, _SLOTS.c.broken_until.is_not(None))
            .values(broken_until=None, because="")
        )

    def claim(
        self, channel: str, lane: Lane, *, limit: int, now: datetime, preferred: str = "", known: Sequence[str] = ()
    ) -> list[Message]:
        """
        Take up to ``limit`` ready messages under a lease, oldest due first; other claimers get others.

        They come with what a sender needs: what happened to them before stays in the table. Where the channel has
        several providers each is given the ``preferred`` one, but a message of which one may have taken an earlier
        attempt stays with that one while it is ``known``: another would not know its key.
        """
        statement = _CLAIM.values(**self._stays_or(preferred, known)) if preferred else _CLAIM
        these = {"of_channel": channel, "of_lane": int(lane), "now": now}
        rows = self._connection.execute(statement, {**these, "most": limit, "until": now + self._lease}).all()
        if not rows:
            return []
        pattern = Message(
            channel=channel, lane=lane, state=State.SENDING, due_at=now, kind=Kind.ORDER, id=rows[0].id, to="", text="",
            area="",
        )  # fmt: skip
        return [copied(pattern, kind=_KINDS[row[0]], **dict(zip(_CLAIMED[1:], row[1:], strict=True))) for row in rows]

    @staticmethod
    def _stays_or(preferred: str, known: Sequence[str]) -> dict[str, Any]:
        uncertain = (
            select(AttemptRow.id)
            .where(AttemptRow.message_id == MessageRow.id, AttemptRow.outcome == Uncertain.__name__.lower())
            .exists()
        )
        tried = or_(MessageRow.attempts > 0, MessageRow.ambiguous)  # put back by a person, its attempts count anew
        stays = and_(tried, MessageRow.provider.in_(known), uncertain)
        return {"provider": case((stays, MessageRow.provider), else_=preferred)}

    def settle(self, settled: Sequence[dict[str, Any]], *, wall: datetime) -> None:
        """
        Write down how sends went: each with id, attempts (mine), state, due_at, sent_at, receipt, because, ambiguous;
        ``counts`` False gives the attempt back, because the channel's own fault is not the message's; ``begun`` False
        says that there was none, so none is written down. A doubt about an earlier attempt stays until one is taken.

        Compare-and-set: a row that was reclaimed meanwhile, or moved on by a receipt, keeps what it has.
        """
        if not settled:
            return
        if self._dialect == "postgresql" and all(one["state"] is State.SENT and not one["because"] for one in settled):
            self._connection.execute(
                _SENT_ARRAYS,
                {
                    "id": [one["id"] for one in settled],
                    "attempts": [one["attempts"] for one in settled],
                    "receipt": [one["receipt"] for one in settled],
                    "at": settled[0]["sent_at"],
                },
            )
        elif self._dialect == "postgresql":
            columns = {name: [_plain(one[name]) for one in settled] for name in _SETTLED}
            columns["counted"] = [_counted(one) for one in settled]
            self._connection.execute(_SETTLE_ARRAYS, columns)
        else:
            self._connection.execute(
                _SETTLE,
                [
                    {f"b_{name}": _plain(one[name]) for name in _SETTLED} | {"b_counted": _counted(one)}
                    for one in settled
                ],
            )
        sequence.move_up(self._connection, [one["id"] for one in settled])
        copy_in(
            self._connection,
            _ATTEMPTS,
            [
                {
                    "message_id": one["id"],
                    "attempt": one["attempts"],
                    "outcome": one["outcome"],
                    "because": one["because"],
                    "at": wall,
                    "provider": one.get("provider", ""),
                }
                for one in settled
                if one.get("begun", True)
            ],
        )

    def reclaim(self, *, now: datetime) -> int:
        """
        Make ready again what a dead worker left in sending; how many.

        The attempt is written down as uncertain, so that what goes out a second time can be told from what does not.
        """
        lost = self._connection.execute(
            update(MessageRow)
            .where(MessageRow.state == State.SENDING.value, MessageRow.leased_until <= now)
            .values(
                state=case((MessageRow.attempts >= MOST_ATTEMPTS, State.FAILED.value), else_=State.READY.value),
                leased_until=None,
                ambiguous=True,
                due_at=now,
                because=DIED,
            )
            .returning(MessageRow.id, MessageRow.attempts, MessageRow.provider)
        ).all()
        same = {"outcome": Uncertain.__name__.lower(), "because": DIED, "at": now}
        copy_in(
            self._connection,
            _ATTEMPTS,
            [{"message_id": one.id, "attempt": one.attempts, "provider": one.provider, **same} for one in lost],
        )
        return len(lost)

    def forget_slots(self) -> None:
        """Give every place back; for tests that stop a sender the hard way."""
        self._connection.execute(delete(_SLOTS))

    def _insert(self, row: type[Any]) -> Any:
        return (postgresql if self._dialect == "postgresql" else sqlite).insert(row.__table__)

    def _insert_new(self, row: type[Any]) -> Any:
        return self._insert(row).on_conflict_do_nothing()
