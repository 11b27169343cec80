"""What drives each day, source by source, and the form on which an officer sets or corrects it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from emergency.domain.forecast import Cause
from emergency.domain.people import Act
from emergency.errors import Refused
from emergency.services import causing, uploading
from emergency.store import desk
from emergency.web import showing
from emergency.web.access import open_to, the_person, the_system
from emergency.web.fields import BadForm
from emergency.web.words import _

bp = Blueprint("causing", __name__)

AS_THE_SOURCE = "as_source"


@bp.get("/console/causes")
@open_to(Act.ENTER_AIR)
def causes() -> ResponseReturnValue:
    """The days of late and to come, each source by itself, and the form."""
    return _page()


def _page(*, refused: str = "", typed: Mapping[str, str] | None = None) -> str:
    system = the_system()
    with system.store.reading() as tx:
        place, _area = uploading.ask_for(tx, system.rules, the_person())
        days, names = causing.told(tx, system.rules, place, now=showing.now()), desk.names(tx)
    return render_template(
        "console/causes.html",
        whose=place,
        days=days,
        names=names,
        causes=list(Cause),
        as_the_source=AS_THE_SOURCE,
        longest=causing.LONGEST_REASON,
        refused=refused,
        typed=typed or {"which": request.args.get("which", "")},
    )


@bp.post("/console/causes")
@open_to(Act.ENTER_AIR)
def say() -> ResponseReturnValue:
    """Set what drives one source's day; the rule weighs the air anew, and what is signed stays."""
    system, said = the_system(), request.form
    try:
        feed, day = _which(said.get("which", ""))
        cause = _cause(said.get("cause", ""))
        system.store.run(
            lambda tx: causing.say(
                tx, system.rules, feed=feed, day=day, cause=cause, because=said.get("because", ""),
                by=the_person(), now=showing.now(),
            )
        )  # fmt: skip
    except Refused as refused:
        return _page(refused=showing.refusal(refused), typed=said), showing.status_of(refused)
    system.broker.wake("weigh")
    flash(_("成因已记录，规则随即重新研判；已签发的决定不变。"), "ok")
    return redirect(url_for("causing.causes"), 303)


def _which(said: str) -> tuple[str, date]:
    """The source and the day of one line of the table."""
    day, _dot, feed = said.partition(":")
    try:
        return feed, date.fromisoformat(day)
    except ValueError:
        raise BadForm("no source's day was chosen", zh=_("请选择来源和日期")) from None


def _cause(said: str) -> Cause | None:
    if said == AS_THE_SOURCE:
        return None
    try:
        return Cause(said)
    except ValueError:
        raise BadForm("no cause was chosen", zh=_("请选择成因")) from None
