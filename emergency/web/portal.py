"""The pages of units and enterprises that sign in: their own orders, now and before, answered as on the phone."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from emergency.domain.orders import LIVE
from emergency.domain.people import Act
from emergency.errors import Missing, Refused
from emergency.services import answering
from emergency.store import portal as asking
from emergency.web import phone, showing
from emergency.web.access import open_to, the_person, the_system
from emergency.web.words import N_, _

bp = Blueprint("portal", __name__)

BACK = {
    "thanks": N_("答复已经记录，谢谢。"),
    "again": N_("此前已经答复过，记录没有变化。"),
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
        own = asking.own_orders(tx, recipient_id)
        recipient = tx.recipient(recipient_id)
        notices = asking.notices(tx, recipient_id)
    return render_template(
        "portal/home.html",
        recipient=recipient,
        notices=notices,
        running=[(one, phone.state_of(one.order, recipient)) for one in own if one.order.status in LIVE],
        before=[(one, phone.state_of(one.order, recipient)) for one in own if one.order.status not in LIVE],
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
    system, person, now, own = the_system(), the_person(), showing.now(), _own()
    try:
        said = phone.said_in(request.form)
        done = system.store.run(
            lambda tx: answering.answer(
                tx,
                system.rules,
                order_id,
                revision=said.revision,
                action=said.action,
                by=person.name,
                contact_id=None,
                via="portal",
                remark=said.remark,
                now=now,
                only_of=own,
            )
        )
    except Refused as refused:
        typed = request.form.get("remark", "")[: phone.LONGEST]
        return _page(order_id, error=showing.refusal(refused), typed=typed), 422
    kind = phone.kind_of(done)
    flash(_(BACK[kind]), "wait" if kind == "stale" else "ok")
    return redirect(url_for("portal.order", order_id=order_id), 303)


def _page(order_id: UUID, *, error: str = "", typed: str = "") -> str:
    with the_system().store.reading() as tx:
        sheet = asking.sheet(tx, order_id)
    if sheet.order.recipient_id != _own():
        raise Missing("not an order of theirs")
    return render_template(
        "portal/order.html",
        sheet=sheet,
        state=phone.state_of(sheet.order, sheet.recipient),
        buttons=phone.buttons(sheet.order),
        may_decline=sheet.order.status in phone.MAY_DECLINE,
        decline_word=phone.decline_word(sheet.recipient),
        may_report=phone.may_report(sheet.order, sheet.recipient),
        refused_action=request.form.get("action", ""),
        call=phone.phone_in(sheet.decision.notice.contact),
        error=error,
        typed=typed,
        duty_text=phone.duty_text,
        answer_word=phone.answer_word,
        at_words=phone.at_words,
    )
