"""The call list of an episode: whom to telephone, what to say, what came of it; on screen, on paper and as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from emergency.domain.calling import Call, Line, Result, needed_by
from emergency.domain.episode import Episode
from emergency.domain.exercise import LABEL
from emergency.domain.people import Act, within
from emergency.errors import Refused
from emergency.services import calling, speaking
from emergency.store import Tx, desk
from emergency.store import calling as kept
from emergency.web import showing
from emergency.web.access import ask_here, may_here, open_to, the_person, the_system
from emergency.web.console import page_asked, pages_of
from emergency.web.fields import for_field, moment_in
from emergency.web.ordering import plain_cell
from emergency.web.vocabulary import WORDS
from emergency.web.words import N_, _, lang

bp = Blueprint("calling", __name__)

PAGE: Final = 25  # lines, each with what to say and a form
RESULTS: Final = {one: WORDS["call"][one.value] for one in Result}
WHY: Final = {"nobody": N_("没有可送达的号码"), "failed": N_("通知全部送出失败"), "silent": N_("逐级告知后仍未答复")}
OWES: Final = {"acknowledge": N_("收到"), "start": N_("已启动"), "in_place": N_("已落实")}


@bp.get("/console/episodes/<uuid:episode_id>/calls")
@open_to(Act.SEE_DESK)
def calls(episode_id: UUID) -> ResponseReturnValue:
    """The list page by page; all of it on paper or as a file when asked for."""
    shown = _shown(episode_id)
    if request.args.get("format") == "csv":
        return _as_csv(shown["episode"], shown["lines"], shown)
    if request.args.get("format") == "print":
        return render_template("console/calls_paper.html", **shown)
    return _page(shown)


def _shown(episode_id: UUID) -> dict[str, Any]:
    system, town = the_system(), request.args.get("town", "")
    with system.store.reading() as tx:
        episode = tx.episode(episode_id)
        reach = _reach(tx, episode)
        listed = calling.call_list(tx, system.rules, episode_id, now=system.clock.now())
        everybody = [one for one in listed if within(one.order.area, reach)]
        lines = [one for one in everybody if not town or within(one.order.area, town)]
        return {
            "episode": episode,
            "lines": lines,
            "total": len(lines),
            "town": town,
            "towns": sorted({one.order.area for one in everybody}),
            "areas": {one.id: one for one in tx.areas()},
            "names": desk.names(tx),
            "counts": kept.counts(tx, episode_id, reach),
            "ours": reach == episode.area,
            "say": _what_to_say(tx, episode),
            "results": RESULTS,
            "why": WHY,
            "owes": OWES,
            "needed_by": needed_by,
        }


def _reach(tx: Tx, episode: Episode) -> str:
    """
    Of which area the caller may read the list: all of a desk's own, and a town under it its own recipients.

    :raises NotAllowed: another desk's, whether above or beside
    """
    own = the_person().area
    if not may_here(Act.SEE_DESK, episode.area) and the_system().rules.desk_of(tx, own) == episode.area:
        return own
    ask_here(Act.SEE_DESK, episode.area)
    return episode.area


def _page(shown: dict[str, Any], *, refused: str = "", about: UUID | None = None) -> str:
    pages = pages_of(shown["total"], PAGE)
    page = min(page_asked(), pages)
    desk_area = shown["episode"].area
    return render_template(
        "console/calls.html",
        **{**shown, "lines": shown["lines"][(page - 1) * PAGE : page * PAGE]},
        page=page,
        pages=pages,
        may_note=lambda line: may_here(Act.CHASE, desk_area) and may_here(Act.CHASE, line.order.area),
        at=for_field(showing.now()),
        refused=refused,
        about=about,
        typed=request.form,
    )


def _what_to_say(tx: Tx, episode: Episode) -> Any:
    rules = the_system().rules.in_exercise(episode.exercise)
    issuer, contact = rules.plan(episode.plan_id).texts.get("issuer", ""), rules.desk_contact(tx, episode.area)
    spoken = "en" if lang() == "en" else "zh"

    def say(line: Line) -> str:
        return speaking.to_say(
            rules, line.order, line.recipient, issuer=issuer, owes=line.owes, contact=contact, lang=spoken
        )

    return say


@bp.post("/console/episodes/<uuid:episode_id>/calls/<uuid:order_id>")
@open_to(Act.CHASE)
def note(episode_id: UUID, order_id: UUID) -> ResponseReturnValue:
    """Keep what came of a call."""
    system, person, now = the_system(), the_person(), showing.now()
    with system.store.reading() as tx:
        ask_here(Act.CHASE, tx.episode(episode_id).area)
    try:
        call = _call_in(order_id, now=now)
        new = system.store.run(lambda tx: calling.note(tx, system.rules, episode_id, call, by=person, now=now))
    except Refused as refused:
        if showing.status_of(refused) == 403:
            raise
        page = _page(_shown(episode_id), refused=showing.refusal(refused), about=order_id)
        return page, showing.status_of(refused)
    if not new:
        flash(_("这次通话此前已经登记。"), "wait")
    elif call.received:
        flash(_("已登记，并记下对方在电话中答复“收到”。"), "ok")
    else:
        flash(_("已登记。电话通知不等于“收到”，对方仍须答复。"), "ok")
    kept_filter = {name: request.args[name] for name in ("town", "page") if request.args.get(name)}
    return redirect(url_for("calling.calls", episode_id=episode_id) + _query(kept_filter), 303)


def _query(kept_filter: Mapping[str, str]) -> str:
    return "?" + "&".join(f"{name}={quote(value)}" for name, value in kept_filter.items()) if kept_filter else ""


def _call_in(order_id: UUID, *, now: datetime) -> Call:
    """
    The call as the form gave it.

    :raises Refused: no such result, no such revision, or no hour
    """
    said = request.form
    revision, result = said.get("revision", ""), said.get("result", "")
    if result not in {one.value for one in Result} or not (revision.isascii() and revision.isdigit()):
        raise Refused("a call came to told, no answer or wrong number", zh="请选择通话结果")
    return Call(
        order_id=order_id,
        revision=int(revision[:6]),
        spoke_to=said.get("spoke_to", ""),
        phone=said.get("phone", ""),
        result=Result(result),
        received=said.get("received", "") == "1",
        remark=said.get("remark", ""),
        by="",
        called_at=moment_in(said, "called_at"),
        noted_at=now,
    )


COLUMNS: Final = (
    N_("单位"), N_("指令编号"), N_("区域"), N_("级别"), N_("尚未答复"), N_("最早起算时间"), N_("原因"), N_("联系人"),
    N_("怎么说"), N_("已打电话"), N_("样例数据"),
)  # fmt: skip


def _as_csv(episode: Episode, lines: list[Line], shown: Mapping[str, Any]) -> Response:
    """The whole list as a spreadsheet opens it; no cell of it is a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    if label := episode.label or the_system().rules.label:
        writer.writerow([f"【{label}】", _("本文件来自演练，不是真实的应急指令。")])
    writer.writerow([_(one) for one in COLUMNS])
    for one in lines:
        people = "；".join(f"{who.name}（{who.role}）{who.phone or _('无电话')}" for who in one.recipient.contacts)
        cells = (
            one.recipient.name, one.order.number, showing.area_name(shown["areas"][one.order.area]),
            showing.level_word(one.order.level), _(OWES[one.owes.value]),
            showing.full_moment(needed_by(one.order), ""), _(WHY[one.why.value]), people, shown["say"](one),
            "；".join(_call_words(call) for call in one.calls), _("样例") if one.recipient.sample else "",
        )  # fmt: skip
        writer.writerow([plain_cell(str(cell)) for cell in cells])
    response = Response("\ufeff" + out.getvalue(), mimetype="text/csv")  # the mark by which Excel knows UTF-8
    name = f"calls-{showing.local(showing.now()):%Y%m%d-%H%M}.csv"
    marked = f"; filename*=UTF-8''{quote(f'{label}-{name}')}" if label == LABEL else ""
    name = f"exercise-{name}" if label == LABEL else name
    response.headers["Content-Disposition"] = f"attachment; filename={name}{marked}"
    return response


def _call_words(call: Call) -> str:
    return f"{showing.full_moment(call.called_at)} {_(RESULTS[call.result])} {call.spoke_to}".strip()
