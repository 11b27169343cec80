"""The pages of units and enterprises that sign in: their own orders, now and before, answered as on the phone."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from emergency.domain.orders import Action, live_at
from emergency.domain.people import Act
from emergency.errors import Missing, Refused
from emergency.services import answering, reporting
from emergency.services.answering import Answered
from emergency.services.rules import Rules
from emergency.store import Tx
from emergency.store import portal as asking
from emergency.store import reporting as kept
from emergency.web import phone, reports, showing
from emergency.web.access import open_to, the_person, the_system
from emergency.web.words import N_, _

bp = Blueprint("portal", __name__)

BACK = {
    "thanks": N_("答复已经记录，谢谢。"),
    "again": N_("此前已经答复过，记录没有变化。"),
    "early": N_("措施还没有开始，您的答复已留存并记为收到。措施开始后请再答复一次。"),
    "over": N_("指令在您答复之前已经结束；答复已经留存，不需要再做什么。"),
    "stale": N_("指令刚刚有了新的内容。您的答复已随之前的版本留存，请看过新内容后再答复一次。"),
}


def _own() -> UUID:
    """
    The recipient this account answers for.

    :raises Missing: the account is tied to none
    """
    recipient_id = the_person().recipient_id
    if recipient_id is None:
        raise Missing("the account answers for nobody")
    return recipient_id


@bp.get("/portal")
@open_to(Act.ANSWER_OWN)
def home() -> ResponseReturnValue:
    """What is asked of us now, and what was before."""
    recipient_id = the_person().recipient_id
    if recipient_id is None:
        return render_template("portal/nobody.html")
    with the_system().store.reading() as tx:
        own, now = asking.own_orders(tx, recipient_id), showing.now()
        recipient = tx.recipient(recipient_id)
        notices = asking.notices(tx, recipient_id, now=now)
        owed = kept.missing_of(tx, recipient_id)
    return render_template(
        "portal/home.html",
        recipient=recipient,
        notices=notices,
        owed=[(one, reports.said_of(one.wanted)) for one in owed],
        running=[(one, phone.state_of(one.order, recipient)) for one in own if live_at(one.order, now)],
        before=[(one, phone.state_of(one.order, recipient)) for one in own if not live_at(one.order, now)],
    )


@bp.get("/portal/orders/<uuid:order_id>")
@open_to(Act.ANSWER_OWN)
def order(order_id: UUID) -> ResponseReturnValue:
    """One of our orders, with the answers that are open."""
    return _page(order_id)


@bp.post("/portal/orders/<uuid:order_id>/answer")
@open_to(Act.ANSWER_OWN)
def answer(order_id: UUID) -> ResponseReturnValue:
    """Answer one of our orders, in the name of whoever has signed in."""
    system, now, own = the_system(), showing.now(), _own()
    try:
        said = phone.said_in(request.form)
        done = system.store.run(partial(_answered, rules=system.rules, order_id=order_id, said=said, own=own, now=now))
    except Refused as refused:
        typed = request.form.get("remark", "")[: phone.LONGEST]
        return _page(order_id, error=showing.refusal(refused), typed=typed), 422
    kind = phone.kind_of(done)
    flash(_(BACK[kind]), "wait" if kind == "stale" else "ok")
    return redirect(url_for("portal.order", order_id=order_id), 303)


def _answered(tx: Tx, *, rules: Rules, order_id: UUID, said: phone.Said, own: UUID, now: datetime) -> Answered:
    by = the_person().name
    if said.action is Action.REPORT:
        filing = reports.filing_in(request.form, revision=said.revision, words=said.remark)
        return reporting.file(tx, rules, order_id, filing, by=by, via="portal", only_of=own, now=now)
    return answering.answer(
        tx, rules, order_id, revision=said.revision, action=said.action, by=by, contact_id=None, via="portal",
        remark=said.remark, now=now, only_of=own,
    )  # fmt: skip


def _page(order_id: UUID, *, error: str = "", typed: str = "") -> str:
    with the_system().store.reading() as tx:
        sheet = asking.sheet(tx, order_id)
        form = reports.form_of(tx, sheet, request.form)
    if sheet.order.recipient_id != _own():
        raise Missing("not an order of theirs")
    return render_template(
        "portal/order.html",
        sheet=sheet,
        state=phone.state_of(sheet.order, sheet.recipient),
        buttons=phone.buttons(sheet.order),
        may_decline=sheet.order.status in phone.MAY_DECLINE,
        decline_word=phone.decline_word(sheet.recipient),
        **phone.reported(form),
        refused_action=request.form.get("action", ""),
        call=phone.phone_in(sheet.decision.notice.contact),
        error=error,
        typed=typed,
        duty_text=phone.duty_text,
        answer_word=phone.answer_word,
        at_words=phone.at_words,
    )
