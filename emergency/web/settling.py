"""Settling an alarm by hand, from the desk where it is shown."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from emergency.domain.people import Act
from emergency.errors import Missing, Refused
from emergency.services import settling
from emergency.web import showing
from emergency.web.access import open_to, the_person, the_system
from emergency.web.words import _

bp = Blueprint("settling", __name__)
LONGEST_NAME = 200  # characters of an alarm's name
bp.app_template_global("alarm_by_hand")(settling.by_hand)


@bp.post("/console/alarms/settle")
@open_to(Act.SEE_DESK)
def settle() -> ResponseReturnValue:
    """Settle the alarm that is named, for the reason given."""
    system, person, at = the_system(), the_person(), showing.now()
    name, because = request.form.get("name", "")[:LONGEST_NAME], request.form.get("because", "")[:500]
    try:
        system.store.run(lambda tx: settling.settle(tx, name, because=because, by=person, now=at))
    except Missing:
        flash(_("这项告警已经结束。"), "ok")
    except Refused as refused:
        if showing.status_of(refused) == 403:
            raise
        flash(showing.refusal(refused), "bad")
    else:
        flash(_("告警已了结，理由已记入大事记。"), "ok")
    return redirect(url_for("console.now"), 303)
