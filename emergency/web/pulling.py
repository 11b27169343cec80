"""The doors of a recipient's own system: it pulls its orders and answers them, by the use case of the phone page."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, g, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, TooManyRequests

from emergency.domain import ladder
from emergency.domain.orders import Action, Duty, current, live_at
from emergency.errors import EmergencyError, Refused
from emergency.services import answering
from emergency.store import Tx, pulling
from emergency.store.pulling import Own, Page, Sheet
from emergency.web import api, phone
from emergency.web.access import by_key, limited, the_system
from emergency.web.arriving import AcknowledgementIn, ObjectionIn, ProgressIn, read
from emergency.web.describing import V1
from emergency.web.keyed import once

bp = Blueprint("pulling", __name__)
bp.register_error_handler(EmergencyError, api.refused)
bp.register_error_handler(HTTPException, api.http)

MOST: Final = 100  # orders of one page
USUAL: Final = 20
PACE: Final = "120 per minute; 3600 per hour"  # of one key; a poll every ten seconds is 360 an hour
STAGES: Final = {"started": Action.START, "in_place": Action.SETTLE, "resumed": Action.RESUME}
BECAME: Final = {  # what the phone page says of an answer, for machines
    "thanks": ("recorded", "The answer is recorded."),
    "again": ("repeated", "It was answered before; nothing has changed."),
    "early": ("early", "No measure has begun; it is kept as received. Say it again when they have."),
    "over": ("ended", "The order had ended before this answer; it is kept, and nothing more is to be done."),
    "stale": (
        "older_revision",
        "The order has changed meanwhile. The answer is kept with its revision; read the new one and answer it.",
    ),
}


class BadPage(Refused):
    """The page asked for is none: a limit that is no number from 1 to 100, or ``after`` that is no order's id."""

    words_zh = "limit 应为1至100，after 应为上一页最后一条指令的 id"


@bp.errorhandler(TooManyRequests)
def too_often(error: TooManyRequests) -> ResponseReturnValue:
    """A key that asks faster than its pace waits for the next minute."""
    answer = api.problem(429, error.name, f"At most {PACE}, for each key.")
    answer.headers["Retry-After"] = "60"
    return answer


def _key() -> str:
    """Under what the calls of a key are counted: its hash, for limits are kept where others may look."""
    return "pull:" + hashlib.sha256(request.headers.get("Authorization", "").encode()).hexdigest()[:32]


def _own(tx: Tx) -> Mapping[UUID, Own]:
    return pulling.own(tx, the_system().settings.tied(g.machine))


# --- looking


@bp.get(f"{V1}/orders")
@by_key("orders")
@limited(PACE, by=_key)
def orders() -> ResponseReturnValue:
    """The orders of the key's own recipients, issued last first; 304 while nothing of the page has changed."""
    (limit, after), now = _asked(), the_system().clock.now()
    with the_system().store.reading() as tx:
        mine = _own(tx)
        found = pulling.page(tx, mine, limit=limit, after=after, now=now)
        if (same := _unchanged(found)) is not None:
            return same
        said = [_said(one, now) for one in pulling.sheets(tx, mine, found)]
    return _marked(found, {"orders": said, "next": said[-1]["id"] if found.more else None})


@bp.get(f"{V1}/orders/<uuid:order_id>")
@by_key("orders")
@limited(PACE, by=_key)
def order(order_id: UUID) -> ResponseReturnValue:
    """One of its orders; 304 while nothing of it has changed."""
    now = the_system().clock.now()
    with the_system().store.reading() as tx:
        mine = _own(tx)
        found = pulling.one(tx, mine, order_id, now=now)
        if (same := _unchanged(found)) is not None:
            return same
        (sheet,) = pulling.sheets(tx, mine, found)
    return _marked(found, _said(sheet, now))


def _asked() -> tuple[int, UUID | None]:
    limit, after = request.args.get("limit", str(USUAL)), request.args.get("after", "")
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:6]) <= MOST):
        raise BadPage(f"limit: a whole number from 1 to {MOST}")
    try:
        return int(limit), UUID(after) if after else None
    except ValueError:
        raise BadPage("after: the id of the last order of the page before") from None


def _unchanged(found: Page) -> Response | None:
    """304, if this is the page the caller has; a proxy that packs bodies makes our mark a weak one."""
    return _tagged(found, Response(status=304)) if request.if_none_match.contains_weak(found.mark) else None


def _marked(found: Page, said: dict[str, Any]) -> Response:
    return _tagged(found, jsonify(said))


def _tagged(found: Page, answer: Response) -> Response:
    answer.set_etag(found.mark)
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Vary"] = "Authorization"
    return answer


def _said(one: Sheet, now: datetime) -> dict[str, Any]:
    """An order as JSON: what it asks with the hours, what is owed by when, and what was said of it."""
    order, notice, live = one.order, one.decision.notice, live_at(one.order, now)
    return {
        "id": str(order.id), "number": order.number,
        "recipient": {"id": str(one.own.id), "name": one.own.name, "credit_code": one.own.credit_code},
        "episode_id": str(order.episode_id), "area": order.area, "label": one.episode.label or the_system().rules.label,
        "level": order.level.word, "status": order.status.value, "live": live,
        "revision": order.revision, "answer_from_revision": order.asks_from, "kind": one.latest.kind,
        "issued_at": _at(order.issued_at), "effective_at": _at(one.latest.effective_at),
        "expected_end_at": _at(one.episode.expected_end_at),
        "measures": [_measure(one, duty, live=live) for duty in one.duties],
        "dropped": list(one.asking.dropped) if one.asking.kind == "revision" else [],
        "owed": _hours(ladder.owed(current(order, now), _plan(one), one.notice)) if live else {},
        "said": {
            "acknowledged_at": _at(order.acknowledged_at), "acknowledged_by": order.acknowledged_by,
            "started_at": _at(order.started_at), "in_place_at": _at(order.in_place_at),
            "declined_because": order.declined_because, "resumed_at": _at(order.resumed_at),
        },
        "notice": {"number": notice.number, "issuer": notice.issuer, "contact": notice.contact},
    }  # fmt: skip


def _measure(one: Sheet, duty: Duty, *, live: bool) -> dict[str, Any]:
    """One measure over [starts_at, ends_at); no end = it binds until further notice."""
    added = one.asking.kind == "revision" and duty.ends_at is None and duty.key in one.asking.added
    return {
        "key": duty.key, "text": duty.text, "text_en": duty.text_en, "force": duty.force, "check": duty.check,
        "starts_at": _at(duty.starts_at), "ends_at": _at(duty.ends_at), "added": added,
        "owed": _hours(ladder.owed_of(one.order, duty, _plan(one))) if live else {},
    }  # fmt: skip


def _plan(one: Sheet) -> ladder.Says:
    return the_system().rules.plan(one.episode.plan_id)


def _hours(owed: Mapping[ladder.Deadline, datetime]) -> dict[str, str | None]:
    return {deadline.value: _at(by) for deadline, by in owed.items()}


def _at(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


# --- answering


@bp.post(f"{V1}/orders/<uuid:order_id>/acknowledgement")
@by_key("orders")
@limited(PACE, by=_key)
def acknowledge(order_id: UUID) -> ResponseReturnValue:
    """收到."""
    return _answered(order_id, read(AcknowledgementIn, request.get_data()), Action.ACKNOWLEDGE)


@bp.post(f"{V1}/orders/<uuid:order_id>/progress")
@by_key("orders")
@limited(PACE, by=_key)
def progress(order_id: UUID) -> ResponseReturnValue:
    """已启动, 已落实 or 已恢复."""
    said = read(ProgressIn, request.get_data())
    return _answered(order_id, said, STAGES[said.stage], said.remark)


@bp.post(f"{V1}/orders/<uuid:order_id>/objection")
@by_key("orders")
@limited(PACE, by=_key)
def objection(order_id: UUID) -> ResponseReturnValue:
    """无法执行."""
    said = read(ObjectionIn, request.get_data())
    return _answered(order_id, said, Action.DECLINE, said.because)


def _answered(order_id: UUID, said: AcknowledgementIn, action: Action, remark: str = "") -> ResponseReturnValue:
    """Take the answer for the recipient whose order it is, and say what became of it and how the order stands now."""
    system, now = the_system(), the_system().clock.now()

    def take(tx: Tx) -> dict[str, Any]:
        mine = _own(tx)
        whose = pulling.one(tx, mine, order_id, now=now).orders[0].recipient_id
        by = f"{said.by.strip() or mine[whose].name[:40]}（{g.machine[:20]}）"  # who, and by which key
        done = answering.answer(
            tx, system.rules, order_id, revision=said.revision, action=action, by=by, contact_id=None, via="api",
            remark=remark, now=now, only_of=whose,
        )  # fmt: skip
        outcome, detail = BECAME[phone.kind_of(done)]
        (sheet,) = pulling.sheets(tx, mine, pulling.one(tx, mine, order_id, now=now))
        return {"outcome": outcome, "detail": detail, "order": _said(sheet, now)}

    return jsonify(once(take, now=now))
