"""Messages beside the change that caused them: put in its transaction, claimed by lease, settled by compare-and-set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, and_, bindparam, case, delete, func, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from emergency.domain.exercise import shut_out, walled
from emergency.domain.messages import MOST_ATTEMPTS, Kind, Lane, Message, State, Uncertain
from emergency.store import saving, sequence, walling
from emergency.store.bulk import copy_in, table
from emergency.store.tables import AttemptRow, MessageRow, PaceRow, ReceiptRow, SlotRow

_MESSAGES = table(MessageRow)
_ATTEMPTS = table(AttemptRow)
AHEAD = 6  # a paced channel claims a sixth of a lease ahead, so that the last of a claim leaves well within it
_AT_ONCE = 500  # orders named in one statement
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
        **{name: bindparam(f"b_{name}") for name in _SETTLED[2:]}, attempts=bindparam("b_counted"), leased_until=None
    )
)
# one statement for the whole batch: a hundred updates of one row each cost many times as much
_SETTLE_ARRAYS = text(
    """
    UPDATE messages SET attempts = settled.counted, leased_until = NULL, state = settled.state,
        due_at = settled.due_at, sent_at = settled.sent_at, receipt = settled.receipt, because = settled.because,
        ambiguous = settled.ambiguous
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


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, State) else value


def _counted(one: Mapping[str, Any]) -> int:
    """The attempts as they count: the channel's own fault gives one back."""
    return int(one["attempts"]) - (0 if one.get("counts", True) else 1)


class Outbox:
    """The messages table as the use cases see it."""

    def __init__(self, connection: Connection, *, lease: timedelta = LEASE) -> None:
        self._connection, self._lease = connection, lease
        self._dialect = connection.dialect.name

    def put(self, messages: Iterable[Message]) -> int:
        """
        Put messages in the post; one that lies there already under its id stays as it is. How many were given.

        Those of an exercise go behind the wall here, whoever put them, unless two people opened their address.
        """
        rows = [saving.message_row(one) for one in self._walled(list(messages))]
        if rows:
            self._connection.execute(self._insert_new(MessageRow), rows)
        return len(rows)

    def put_new(self, messages: Sequence[Message], *, waits_until: datetime | None = None) -> None:
        """
        Put a decision's messages in the post by the thousand; one that amends a notice which has not settled waits
        for it, at most ``waits_until``.

        :raises IntegrityError: one of them lies there already
        """
        behind = sequence.behind(self._connection, self._walled(messages), until=waits_until)
        copy_in(self._connection, _MESSAGES, [saving.message_row(one) for one in behind])

    def shut_out(self, some: Sequence[Message], *, channel: str) -> frozenset[UUID]:
        """Which of these may not leave by this channel: an exercise's whose address two people have not opened."""
        of = walling.belongs_to(self._connection, some)
        return shut_out(some, of, walling.opened(self._connection, set(of.values())), channel=channel)

    def _walled(self, messages: Sequence[Message]) -> list[Message]:
        of = walling.belongs_to(self._connection, messages)
        opened = walling.opened(self._connection, set(of.values()))
        return [
            walled(one, opened.get(of.get(one.id, ""), ())) if one.exercise or one.id in of else one for one in messages
        ]

    def slot(self, channel: str, lane: Lane, *, holder: str, now: datetime, place: int = 0) -> bool:
        """
        Take (or keep) a place from which this lane of this channel is drained; False when another holds it.

        A channel whose breaker is open gives no place until its time has passed.
        """
        table = SlotRow.__table__
        until = now + self._lease
        row = {
            "channel": channel,
            "lane": int(lane),
            "place": place,
            "holder": holder,
            "leased_until": until,
            "because": "",
        }
        statement = self._insert(SlotRow).values(**row, broken_until=None).execution_options(**COUNTED)
        done = self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=["channel", "lane", "place"],
                set_={"holder": holder, "leased_until": until},
                where=and_(
                    or_(table.c.holder == holder, table.c.leased_until <= now),
                    or_(table.c.broken_until.is_(None), table.c.broken_until <= now),
                ),
            )
        )
        return bool(done.rowcount)

    def anything(self, channel: str, lane: Lane, *, now: datetime) -> bool:
        """Whether this lane of this channel has anything to send now."""
        found = self._connection.execute(
            select(MessageRow.id)
            .where(
                MessageRow.channel == channel, MessageRow.lane == int(lane), MessageRow.state == State.READY.value,
                MessageRow.waits_for.is_(None), MessageRow.due_at <= now,
            )
            .limit(1)
        ).first()
        return found is not None

    def leave_slot(self, channel: str, lane: Lane, *, holder: str, now: datetime) -> None:
        """Give the place back."""
        table = SlotRow.__table__
        self._connection.execute(
            update(SlotRow)
            .where(table.c.channel == channel, table.c.lane == int(lane), table.c.holder == holder)
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
        table = SlotRow.__table__
        self._connection.execute(
            update(SlotRow).where(table.c.channel == channel).values(broken_until=until, because=because[:500])
        )

    def broken(self, *, now: datetime) -> dict[str, str]:
        """The channels whose breaker is open now, and why."""
        table = SlotRow.__table__
        rows = self._connection.execute(select(table.c.channel, table.c.because).where(table.c.broken_until > now))
        return {row.channel: row.because for row in rows}

    def close_breaker(self, channel: str) -> None:
        """Close the breaker: the channel has taken a message again."""
        table = SlotRow.__table__
        self._connection.execute(
            update(SlotRow)
            .where(table.c.channel == channel, table.c.broken_until.is_not(None))
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
        until, given = now + self._lease, self._stays_or(preferred, known) if preferred else {}
        chosen = (
            select(MessageRow.id)
            .where(
                MessageRow.channel == channel,
                MessageRow.lane == int(lane),
                MessageRow.state == State.READY.value,
                MessageRow.waits_for.is_(None),
                MessageRow.due_at <= now,
            )
            .order_by(MessageRow.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        rows = self._connection.execute(
            update(MessageRow)
            .where(MessageRow.id.in_(chosen))
            .values(state=State.SENDING.value, attempts=MessageRow.attempts + 1, leased_until=until, **given)
            .returning(*(_MESSAGES.c[name] for name in _CLAIMED))
        )
        same: dict[str, Any] = {"channel": channel, "lane": lane, "state": State.SENDING, "due_at": now}
        return [Message(kind=Kind(kind), **dict(zip(_CLAIMED[1:], rest, strict=True)), **same) for kind, *rest in rows]

    @staticmethod
    def _stays_or(preferred: str, known: Sequence[str]) -> dict[str, Any]:
        uncertain = (
            select(AttemptRow.id)
            .where(AttemptRow.message_id == MessageRow.id, AttemptRow.outcome == Uncertain.__name__.lower())
            .exists()
        )
        stays = and_(MessageRow.attempts > 0, MessageRow.provider.in_(known), uncertain)
        return {"provider": case((stays, MessageRow.provider), else_=preferred)}

    def settle(self, settled: Sequence[dict[str, Any]], *, wall: datetime) -> None:
        """
        Write down how sends went: each with id, attempts (mine), state, due_at, sent_at, receipt, because, ambiguous;
        ``counts`` False gives the attempt back, because the channel's own fault is not the message's.

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

    def cancel(self, order_id: UUID, kinds: Sequence[str]) -> int:
        """Cancel what still waits for this order, of these kinds; what is in flight stays and is counted."""
        done = self._connection.execute(
            update(MessageRow)
            .where(MessageRow.order_id == order_id, MessageRow.state == State.READY.value, MessageRow.kind.in_(kinds))
            .values(state=State.CANCELLED.value, because="answered or superseded")
        )
        return done.rowcount

    def cancel_all(self, order_ids: Sequence[UUID], kinds: Sequence[str]) -> None:
        """Cancel what still waits for these orders, of these kinds, a few hundred orders at a time."""
        for start in range(0, len(order_ids), _AT_ONCE):
            self._connection.execute(
                update(MessageRow)
                .where(
                    MessageRow.order_id.in_(order_ids[start : start + _AT_ONCE]),
                    MessageRow.state == State.READY.value,
                    MessageRow.kind.in_(kinds),
                )
                .values(state=State.CANCELLED.value, because="answered or superseded")
            )

    def cancel_for_episode(self, episode_id: UUID, kinds: Sequence[str]) -> int:
        """Cancel what still waits in the whole episode, of these kinds."""
        done = self._connection.execute(
            update(MessageRow)
            .where(
                MessageRow.episode_id == episode_id, MessageRow.state == State.READY.value, MessageRow.kind.in_(kinds)
            )
            .values(state=State.CANCELLED.value, because="superseded")
        )
        return done.rowcount

    def cancel_for_decision(self, decision_id: UUID) -> int:
        """Cancel what still waits about a decision that is decided."""
        done = self._connection.execute(
            update(MessageRow)
            .where(
                MessageRow.decision_id == decision_id,
                MessageRow.state == State.READY.value,
                MessageRow.order_id.is_(None),
            )
            .values(state=State.CANCELLED.value, because="decided")
        )
        return done.rowcount

    def send_again(self, message_id: UUID, *, now: datetime) -> int:
        """Put a failed message back in the post, by a person's hand."""
        done = self._connection.execute(
            update(MessageRow)
            .where(MessageRow.id == message_id, MessageRow.state == State.FAILED.value)
            .values(state=State.READY.value, due_at=now, attempts=0)
        )
        return done.rowcount

    def note_receipt(
        self,
        channel: str,
        receipt: str,
        *,
        message_id: UUID | None,
        says: str,
        civil: datetime,
        wall: datetime,
        provider: str = "",
    ) -> bool:
        """
        Keep a provider's callback and move its message on; False when it belongs to nothing we know.

        It may come early, late, twice or for a message that was reclaimed; none of these does harm.
        """
        where = (
            MessageRow.id == message_id
            if message_id
            else and_(MessageRow.channel == channel, MessageRow.receipt == receipt)
        )
        if provider and not message_id:
            where = and_(where, MessageRow.provider.in_([provider, ""]))
        found = self._connection.execute(
            select(MessageRow.id, MessageRow.channel).where(where).with_for_update()
        ).first()
        known = found is not None and found.channel == channel
        self._connection.execute(
            self._insert_new(ReceiptRow),
            {
                "channel": provider or channel,
                "receipt": receipt,
                "message_id": found.id if known and found else None,
                "says": says,
                "known": known,
                "at": wall,
            },
        )
        if not known or found is None or says != "delivered":
            return known
        self._connection.execute(
            update(MessageRow)
            .where(
                MessageRow.id == found.id,
                MessageRow.state.in_([State.READY.value, State.SENDING.value, State.SENT.value]),
            )
            .values(
                state=State.DELIVERED.value,
                delivered_at=civil,
                sent_at=func.coalesce(MessageRow.sent_at, civil),
                receipt=receipt,
                leased_until=None,
                ambiguous=False,
            )
        )
        return True

    def counts(self, episode_id: UUID) -> dict[str, int]:
        """How many of the episode's messages stand where."""
        rows = self._connection.execute(
            select(MessageRow.state, func.count()).where(MessageRow.episode_id == episode_id).group_by(MessageRow.state)
        )
        return {str(row[0]): int(row[1]) for row in rows}

    def ambiguous(self, episode_id: UUID) -> list[UUID]:
        """Messages of the episode whose fate nobody knows: sent perhaps, by a sender that died or was cut off."""
        rows = self._connection.execute(
            select(MessageRow.id).where(
                MessageRow.episode_id == episode_id,
                MessageRow.ambiguous.is_(True),
                MessageRow.state.in_([State.READY.value, State.SENDING.value, State.FAILED.value]),
            )
        )
        return [row.id for row in rows]

    def perhaps_twice(self, episode_id: UUID) -> list[UUID]:
        """Messages of the episode that were sent again after an attempt whose fate nobody knows."""
        rows = self._connection.execute(
            select(MessageRow.id)
            .join(AttemptRow, AttemptRow.message_id == MessageRow.id)
            .where(
                MessageRow.episode_id == episode_id,
                AttemptRow.outcome == Uncertain.__name__.lower(),
                AttemptRow.attempt < MessageRow.attempts,
            )
            .distinct()
        )
        return [row.id for row in rows]

    def failed(self, episode_id: UUID) -> list[UUID]:
        """Messages of the episode that a person must look at."""
        rows = self._connection.execute(
            select(MessageRow.id).where(MessageRow.episode_id == episode_id, MessageRow.state == State.FAILED.value)
        )
        return [row.id for row in rows]

    def waiting(self, *, now: datetime) -> list[tuple[str, int]]:
        """The channels and lanes that have something to send now."""
        rows = self._connection.execute(
            select(MessageRow.channel, MessageRow.lane)
            .where(MessageRow.state == State.READY.value, MessageRow.waits_for.is_(None), MessageRow.due_at <= now)
            .distinct()
        )
        return [(channel, lane) for channel, lane in rows]

    def on_the_way(self, *, now: datetime) -> int:
        """How many messages could leave now or are leaving; what gathers, waits or is retried later is not counted."""
        found = self._connection.execute(
            select(func.count()).where(
                or_(
                    MessageRow.state == State.SENDING.value,
                    and_(
                        MessageRow.state == State.READY.value,
                        MessageRow.due_at <= now,
                        MessageRow.waits_for.is_(None),
                    ),
                )
            )
        ).scalar()
        return int(found or 0)

    def oldest_ready(self) -> datetime | None:
        """Since when (wall) the oldest message has been waiting to leave."""
        found: datetime | None = self._connection.execute(
            select(func.min(MessageRow.due_at)).where(
                MessageRow.state == State.READY.value, MessageRow.waits_for.is_(None)
            )
        ).scalar()
        return found

    def forget_slots(self) -> None:
        """Give every place back; for tests that stop a sender the hard way."""
        self._connection.execute(delete(SlotRow))

    def _insert(self, row: type[Any]) -> Any:
        return (postgresql if self._dialect == "postgresql" else sqlite).insert(row.__table__)

    def _insert_new(self, row: type[Any]) -> Any:
        return self._insert(row).on_conflict_do_nothing()
