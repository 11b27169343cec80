"""Dead letters: put back in the post by a person who says why, and what nobody knows settled by whoever found out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from emergency.domain.episode import Fact
from emergency.domain.letters import NeededNoMore, OnItsWay, Settled, Verdict, anew, came_back, still_needed
from emergency.domain.messages import State
from emergency.domain.orders import NothingToDo
from emergency.domain.people import Act, Person, ask
from emergency.errors import Missing, Refused
from emergency.services.rules import Rules
from emergency.store import Tx
from emergency.store import letters as kept
from emergency.store.letters import Letter, Settlement

LONGEST = 500  # characters of a reason


class NoReason(Refused):
    """What a person does to a message by hand says why."""

    words_zh = "请写明理由"


@dataclass(frozen=True)
class Again:
    """How many went back in the post, and how many stayed because nobody needs them any more."""

    went: int
    left: int


def ours(letter: Letter, by: Person) -> None:
    """
    Let the person act on a letter: the desk of its episode, or one above.

    :raises NotAllowed: it is of another desk
    """
    ask(by, Act.CHASE, letter.desk)
    ask(by, Act.CHASE, letter.message.area)


def send_again(tx: Tx, rules: Rules, message_id: UUID, *, because: str, by: Person, now: datetime) -> None:
    """
    Put a message that gave up back in the post under its own key: a provider that has it sends it no second time. One
    that came back from its provider goes anew under another key.

    :raises Missing: no such message
    :raises NotAllowed: the person may not chase for its desk
    :raises NoReason: no reason was given
    :raises NeededNoMore: a later revision, an answer or the release came since
    :raises NothingToDo: it has not given up
    """
    reason, letter = _reason(because), _letter(tx, message_id)
    ours(letter, by)
    if letter.message.state is not State.FAILED:
        raise NothingToDo(f"message {message_id} is {letter.message.state.value}", zh="该通知并未失败，无需重发")
    if not still_needed(letter.message, letter.order):
        raise NeededNoMore("what the message says no longer holds")
    _put_back(tx, rules, [letter], because=reason, by=by, now=now)


def send_all_again(tx: Tx, rules: Rules, ids: Sequence[UUID], *, because: str, by: Person, now: datetime) -> Again:
    """
    The same of many; those nobody needs any more stay where they are.

    :raises NotAllowed: one of them is of a desk that is not the person's
    :raises NoReason: no reason was given
    """
    reason = _reason(because)
    went = left = 0
    for start in range(0, len(ids), kept.AT_ONCE):
        some = kept.letters(tx, ids[start : start + kept.AT_ONCE])
        for one in some:
            ours(one, by)
        needed = [one for one in some if still_needed(one.message, one.order)]
        gone = _put_back(tx, rules, needed, because=reason, by=by, now=now)
        went, left = went + gone, left + len(some) - gone
    return Again(went, left)


def _put_back(tx: Tx, rules: Rules, some: Iterable[Letter], *, because: str, by: Person, now: datetime) -> int:
    about, wall = {one.message.id: one for one in some}, rules.wall.now()
    back = [one.message for one in about.values() if came_back(one.message)]
    went = kept.put_back(tx, [one for one in about if one not in {message.id for message in back}], wall=wall)
    for message in back:  # its provider would swallow it under its old key
        kept.keep_settlement(tx, message.id, Settlement(Verdict.LOST, because, by.login, wall))
    tx.outbox.put([anew(message, now=now, wall=wall) for message in back])
    went += [message.id for message in back]
    tx.note_all(_fact("message.sent_again", about[one], by, now, because=because) for one in went)
    return len(went)


def settle(
    tx: Tx, rules: Rules, message_id: UUID, *, verdict: Verdict, because: str, by: Person, now: datetime
) -> None:
    """
    Settle by a person's word what the post leaves open: they have it, they have not and it goes out anew under another
    key, or nobody needs it any more. It never becomes «delivered»: that is the provider's word.

    :raises Missing: no such message
    :raises NotAllowed: the person may not chase for its desk
    :raises NoReason: no reason was given
    :raises OnItsWay: it has not given up and goes again by itself
    :raises Settled: there is nothing to settle
    :raises NeededNoMore: it did not arrive, and what it says no longer holds
    """
    reason = _reason(because)
    tx.message(message_id)  # whoever settles it at the same moment waits
    letter = _letter(tx, message_id)
    ours(letter, by)
    if letter.message.state in (State.READY, State.SENDING):
        raise OnItsWay("the message goes again by itself")
    open_still = letter.unclear or (letter.message.state is State.FAILED and not letter.settlements)
    if not open_still:
        raise Settled("there is nothing to settle")
    called_off = letter.message.state is State.CANCELLED  # what superseded it says more
    if verdict is Verdict.LOST and (called_off or not still_needed(letter.message, letter.order)):
        raise NeededNoMore("what the message says no longer holds")
    wall = rules.wall.now()
    kept.keep_settlement(tx, message_id, Settlement(verdict, reason, by.login, wall))
    if verdict is Verdict.LOST:
        tx.outbox.put([anew(letter.message, now=now, wall=wall)])
    tx.note(_fact("message.settled", letter, by, now, because=reason, verdict=verdict.value))


def _letter(tx: Tx, message_id: UUID) -> Letter:
    found = kept.letters(tx, [message_id])
    if not found:
        raise Missing("no such message")
    return found[0]


def _reason(because: str) -> str:
    if not because.strip():
        raise NoReason("what is done to a message by hand says why")
    return because.strip()[:LONGEST]


def _fact(what: str, letter: Letter, by: Person, now: datetime, **more: str) -> Fact:
    one = letter.message
    order = {"order": str(one.order_id)} if one.order_id else {}
    return Fact(what, str(one.id), by.login, now, one.episode_id, one.area, {**order, **more})
