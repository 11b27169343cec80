"""Messages beside the change that caused them: put in its transaction, cancelled in another's, found by who asks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select, text, update
from sqlalchemy.orm import aliased

from emergency.domain.exercise import WALL, shut_out, walled
from emergency.domain.letters import RETURNED, Verdict
from emergency.domain.messages import ChannelFault, Kind, Message, State, Uncertain
from emergency.domain.receipts import Word, word_of
from emergency.store import saving, sequence, walling
from emergency.store.bulk import copy_in, table
from emergency.store.sending import COUNTED, LEASE, Sending
from emergency.store.tables import AttemptRow, MessageRow, OrderRow, ReceiptRow, RevisionRow
from emergency.store.tables_posting import SettlementRow

__all__ = ["COUNTED", "LEASE", "Outbox"]

_MESSAGES = table(MessageRow)
UNASKED = "whoever may have it could not be asked in time"


class Outbox(Sending):
    """The messages table as the use cases see it."""

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

    def cancel(self, order_id: UUID, kinds: Sequence[str]) -> int:
        """Cancel what still waits for this order, of these kinds; what is in flight stays and is counted."""
        done = self._connection.execute(
            update(MessageRow)
            .where(MessageRow.order_id == order_id, MessageRow.state == State.READY.value, MessageRow.kind.in_(kinds))
            .values(state=State.CANCELLED.value, because="answered or superseded")
        )
        return done.rowcount

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

    def cancel_revised(
        self, decision_id: UUID, episode_id: UUID, *, notices: Sequence[str], chased: Sequence[str], now: datetime
    ) -> None:
        """
        Cancel what the revisions of this decision leave out of date: unsent notices of these kinds, and unsent
        reminders where something else is asked now or nothing any more. They hold where the measures stay, and until a
        release that is signed for later. Bundles are looked at when they leave.
        """
        revised = select(RevisionRow.order_id).where(RevisionRow.decision_id == decision_id)
        goes_on = or_(
            RevisionRow.kind == "information", and_(RevisionRow.kind == "lifting", RevisionRow.effective_at > now)
        )
        self._connection.execute(
            update(MessageRow)
            .where(
                MessageRow.episode_id == episode_id,
                MessageRow.state == State.READY.value,
                or_(
                    and_(MessageRow.kind.in_(notices), MessageRow.order_id.in_(revised)),
                    and_(MessageRow.kind.in_(chased), MessageRow.order_id.in_(revised.where(~goes_on))),
                ),
            )
            .values(state=State.CANCELLED.value, because="superseded")
        )

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
        by_receipt = and_(  # spelt as its index is
            MessageRow.channel == channel, MessageRow.receipt == receipt, text("messages.receipt <> ''")
        )
        if provider:
            by_receipt = and_(by_receipt, MessageRow.provider.in_([provider, ""]))
        found = self._found(MessageRow.id == message_id if message_id else by_receipt)
        if message_id and found is not None and found.receipt not in ("", receipt):
            found = self._found(by_receipt) or found  # the receipt is another's: it is that one's word
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
        if known and found is not None and (word := word_of(says)):
            self._moved_on(found, receipt, word, civil)
        return known

    def _found(self, where: ColumnElement[bool]) -> Any:
        columns = (MessageRow.id, MessageRow.channel, MessageRow.receipt, MessageRow.order_id)
        return self._connection.execute(select(*columns).where(where).with_for_update()).first()

    def _moved_on(self, found: Any, receipt: str, word: Word, civil: datetime) -> None:
        """What the word does to its message; one that came back has the ladder of its order looked at now."""
        live = MessageRow.state.in_([State.READY.value, State.SENDING.value, State.SENT.value])
        doubted = and_(MessageRow.state.in_([State.FAILED.value, State.CANCELLED.value]), MessageRow.ambiguous)
        moved = {
            Word.TAKEN: (or_(MessageRow.state.in_([State.READY.value, State.SENDING.value]), doubted), State.SENT),
            Word.DELIVERED: (or_(live, doubted, MessageRow.state == State.FAILED.value), State.DELIVERED),
            Word.RETURNED: (or_(live, and_(MessageRow.state == State.FAILED.value, doubted)), State.FAILED),
        }
        where, state = moved[word]
        values: dict[str, Any] = {
            "state": state.value,
            "sent_at": func.coalesce(MessageRow.sent_at, civil),
            "receipt": case((MessageRow.receipt == "", receipt), else_=MessageRow.receipt),
            "leased_until": None,
            "ambiguous": False,
        }
        if word is Word.DELIVERED:
            values["delivered_at"] = civil
        if word is Word.RETURNED:
            values["because"] = RETURNED
        done = self._connection.execute(update(MessageRow).where(MessageRow.id == found.id, where).values(**values))
        if word is not Word.RETURNED:
            return
        if done.rowcount and found.order_id:
            self.hurry([found.order_id], civil=civil)
        elif not done.rowcount:  # called off meanwhile: it is in doubt no more
            called_off = and_(MessageRow.id == found.id, MessageRow.state == State.CANCELLED.value)
            self._connection.execute(update(MessageRow).where(called_off).values(ambiguous=False))

    def hurry(self, order_ids: Sequence[UUID], *, civil: datetime) -> None:
        """Have the ladder of these orders looked at now: a message of theirs reaches nobody."""
        # whoever has the order locked looks at its ladder by itself; to wait for it with the message in hand is no way
        # out
        free = select(OrderRow.id).where(OrderRow.id.in_(order_ids)).with_for_update(skip_locked=True)
        self._connection.execute(
            update(OrderRow).where(OrderRow.id.in_(free), OrderRow.next_rung_at > civil).values(next_rung_at=civil)
        )

    def counts(self, episode_id: UUID) -> dict[str, int]:
        """How many of the episode's messages stand where."""
        rows = self._connection.execute(
            select(MessageRow.state, func.count()).where(MessageRow.episode_id == episode_id).group_by(MessageRow.state)
        )
        return {str(row[0]): int(row[1]) for row in rows}

    def told(self, episode_id: UUID) -> dict[UUID, int]:
        """Order → the newest revision whose notice with its duties a provider took, or a person found arrived."""
        found_there = MessageRow.id.in_(
            select(SettlementRow.message_id).where(SettlementRow.verdict == Verdict.ARRIVED.value)
        )
        rows = self._connection.execute(
            select(MessageRow.order_id, func.max(MessageRow.revision))
            .where(
                MessageRow.episode_id == episode_id,
                or_(MessageRow.state.in_([State.SENT.value, State.DELIVERED.value]), found_there),
                MessageRow.kind.in_([Kind.ORDER.value, Kind.REVISION.value]),
            )
            .group_by(MessageRow.order_id)
        )
        return {row[0]: row[1] for row in rows if row[0] is not None}

    def give_up_doubted(self, *, before: datetime) -> list[UUID]:
        """
        Give up what is in doubt and was last tried before then, because whoever may have it cannot be asked; which.

        A person finds out then, and settles it; put back in the post, it is given as long again.
        """
        tried_since = exists().where(
            AttemptRow.message_id == MessageRow.id,
            AttemptRow.outcome == Uncertain.__name__.lower(),
            AttemptRow.at > before,
        )
        done = self._connection.execute(
            update(MessageRow)
            .where(
                text("(state = 'failed' OR ambiguous)"),  # spelt as its index is
                MessageRow.ambiguous,
                MessageRow.state == State.READY.value,
                or_(MessageRow.put_back_at.is_(None), MessageRow.put_back_at <= before),
                ~tried_since,
            )
            .values(state=State.FAILED.value, because=UNASKED)
            .returning(MessageRow.id)
        )
        return [row.id for row in done]

    def ambiguous(self, episode_id: UUID) -> list[UUID]:
        """Messages of the episode whose fate nobody knows: sent perhaps, by a sender that died or was cut off."""
        rows = self._connection.execute(
            select(MessageRow.id).where(
                MessageRow.episode_id == episode_id,
                MessageRow.ambiguous.is_(True),
                MessageRow.state.in_(
                    [State.READY.value, State.SENDING.value, State.FAILED.value, State.CANCELLED.value]
                ),
            )
        )
        return [row.id for row in rows]

    def perhaps_twice(self, episode_id: UUID) -> list[UUID]:
        """Messages of the episode that were sent again after an attempt whose fate nobody knows."""
        later = aliased(AttemptRow)
        again = exists().where(
            later.message_id == AttemptRow.message_id,
            later.id > AttemptRow.id,
            later.outcome != ChannelFault.__name__.lower(),
        )
        rows = self._connection.execute(
            select(MessageRow.id)
            .join(AttemptRow, AttemptRow.message_id == MessageRow.id)
            .where(
                MessageRow.episode_id == episode_id,
                AttemptRow.outcome == Uncertain.__name__.lower(),
                or_(AttemptRow.attempt < MessageRow.attempts, again),
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
        """Since when (wall) the oldest message has been waiting to leave; what lies at an exercise's wall does not."""
        found: datetime | None = self._connection.execute(
            select(func.min(MessageRow.due_at)).where(
                MessageRow.state == State.READY.value, MessageRow.waits_for.is_(None), MessageRow.channel != WALL
            )
        ).scalar()
        return found
