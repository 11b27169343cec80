"""The hours of a duty in words: by when it is to be started and in place, and from when until when it bound."""

from __future__ import annotations

from datetime import datetime

from flask import Flask

from emergency.domain.ladder import Deadline, owed_of
from emergency.domain.messages import Message, State
from emergency.domain.orders import Duty, Order, in_place, live_at, started
from emergency.web import showing
from emergency.web.access import the_system
from emergency.web.words import _


def owed_by(duty: Duty, order: Order, plan_id: str) -> str:
    """What was said of a duty, and by which hours its 已启动 and 已落实 are still owed; empty when neither is."""
    if not live_at(order, showing.now()):
        return ""
    if duty.exempt:
        return _("已豁免")
    said = _("已答复“已落实”") if in_place(order, duty) else _("已答复“已启动”") if started(order, duty) else ""
    hours = owed_of(order, duty, the_system().rules.plan(plan_id))
    words = {Deadline.START: _("%(at)s 前答复“已启动”"), Deadline.IN_PLACE: _("%(at)s 前答复“已落实”")}
    owed = [words[one] % {"at": _by(at)} for one, at in hours.items()]
    return _("，").join([said, *owed] if said else owed)


def _by(at: datetime) -> str:
    """The hour, and by how much it is over."""
    said = showing.clock_words(at, showing.now())
    return said if at > showing.now() else f"{said}（{showing.left(at)}）"


def bound(duty: Duty) -> str:
    """From when until when a duty bound, or binds."""
    since = showing.clock_words(duty.starts_at, showing.now())
    if duty.ends_at is not None:
        return _("%(since)s 至 %(until)s", since=since, until=showing.clock_words(duty.ends_at, showing.now()))
    if duty.starts_at > showing.now():
        return _("自 %(since)s 起，尚未开始", since=since)
    return _("自 %(since)s 起，至今有效", since=since)


def waiting(message: Message) -> str:
    """What a notice that has not left waits for; empty when it waits for none."""
    if message.waits_for is None or message.state is not State.READY:
        return ""
    if message.waits_until is None:
        return _("等前一条通知有结果后送出")
    left = message.waits_until - the_system().wall.now()
    return _("等前一条通知有结果后送出，最多再等 %(time)s", time=showing.length(max(left.total_seconds(), 0)))


def set_up(app: Flask) -> None:
    """Put these words in the templates' hands."""
    app.jinja_env.globals.update(owed_by=owed_by, bound=bound, waiting=waiting)
