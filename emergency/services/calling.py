"""The call list of an episode: whom to telephone and what to say, and what came of each call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid5

from emergency.domain.calling import CALL_LIST, Call, Line, checked, owes
from emergency.domain.episode import Fact
from emergency.domain.ladder import Deadline
from emergency.domain.orders import Action, NothingToDo
from emergency.domain.people import Act, Person, ask
from emergency.domain.plan import Plan
from emergency.errors import Missing
from emergency.services import answering
from emergency.services.rules import Rules
from emergency.store import Tx
from emergency.store import calling as kept

LONGEST = 500  # characters of a remark
LONGEST_NAME = 60  # characters of whom was spoken to


def steps_to_it(plan: Plan) -> Mapping[str, Deadline]:
    """The plan's steps that put an order on the call list, each with what it asks for."""
    return {one.step: Deadline(one.deadline) for one in plan.ladder if one.notify == CALL_LIST}


def call_list(tx: Tx, rules: Rules, episode_id: UUID, *, now: datetime) -> list[Line]:
    """Whom to telephone about this episode, the most urgent first."""
    plan = rules.plan(tx.episode(episode_id).plan_id)
    return kept.call_list(tx, episode_id, steps_to_it(plan), now=now)


def note(tx: Tx, rules: Rules, episode_id: UUID, call: Call, *, by: Person, now: datetime) -> bool:
    """
    Keep what came of a call; False when it was kept before. A call is no 收到: only when the other side said so in so
    many words is it taken as an answer by telephone, under their name with the caller's beside it, as of now.

    :raises NotAllowed: the person may not chase for this desk
    :raises Missing: no such order or revision in this episode
    :raises NoName, NotSaid, BadHour: see :func:`emergency.domain.calling.checked`
    :raises NothingToDo: the recipient owes nothing any more
    """
    order = tx.order(call.order_id)
    if order.episode_id != episode_id or not 1 <= call.revision <= order.revision:
        raise Missing("not an order of this episode, or no such revision of it")
    ask(by, Act.CHASE, tx.episode(episode_id).area)
    ask(by, Act.CHASE, order.area)
    call = checked(_trimmed(call, by=by, now=now), order)
    call_id = uuid5(order.id, f"{call.by}:{call.called_at.isoformat()}:{call.result}:{call.spoke_to}:{call.received}")
    if owes(order) is None:
        raise NothingToDo(f"order {order.number} owes nothing", zh="对方已答复完毕，无需再打电话")
    if not kept.keep(tx, call_id, call):
        return False
    more = {
        "revision": call.revision,
        "result": call.result.value,
        "spoke_to": call.spoke_to,
        "received": call.received,
        "called_at": call.called_at,
        "remark": call.remark[:200],
    }
    tx.note(Fact("order.called", str(order.id), by.login, now, order.episode_id, order.area, more))
    if call.received:
        _taken_by_phone(tx, rules, call, by=by, now=now)
    return True


def _taken_by_phone(tx: Tx, rules: Rules, call: Call, *, by: Person, now: datetime) -> None:
    answering.answer(
        tx,
        rules,
        call.order_id,
        revision=call.revision,
        action=Action.ACKNOWLEDGE,
        by=call.spoke_to,
        contact_id=None,
        via="phone",
        remark=f"{by.name}电话登记",
        now=now,
    )


def _trimmed(call: Call, *, by: Person, now: datetime) -> Call:
    return replace(
        call,
        spoke_to=call.spoke_to.strip()[:LONGEST_NAME],
        phone=call.phone.strip()[:40],
        remark=call.remark.strip()[:LONGEST],
        by=by.login,
        noted_at=now,
    )
