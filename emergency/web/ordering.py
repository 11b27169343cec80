"""The desk's orders: found by filter, written out as a file, looked into, chased, ruled on, sent again."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import quote
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from emergency.domain.exercise import LABEL
from emergency.domain.orders import Status
from emergency.domain.people import Act, Area
from emergency.errors import Missing, Refused
from emergency.services import chasing, dispatch, letters
from emergency.store import calling, desk, desk_orders
from emergency.web import showing
from emergency.web.access import ask_here, may_here, open_to, the_person, the_system
from emergency.web.console import PAGE, desk_area, page_asked, pages_of
from emergency.web.words import N_, _

bp = Blueprint("ordering", __name__)

MOST_ROWS: Final = 20_000  # of one file


@bp.get("/console/orders")
@open_to(Act.SEE_DESK)
def orders() -> ResponseReturnValue:
    """Orders found by filter, page by page, or all of them as a file."""
    wanted = _wanted()
    with the_system().store.reading() as tx:
        areas = {one.id: one for one in tx.areas()}
        if request.args.get("format") == "csv":
            label = tx.episode(wanted.episode_id).label if wanted.episode_id else ""
            return _as_csv(list(desk_orders.every(tx, wanted))[:MOST_ROWS], areas, label)
        page = page_asked()
        lines, total = desk_orders.found(tx, wanted, limit=PAGE, offset=(page - 1) * PAGE)
        towns, sectors = desk_orders.choices(tx, wanted.area, wanted.episode_id)
        about = tx.episode(wanted.episode_id) if wanted.episode_id else None
    if about is not None and not may_here(Act.SEE_DESK, about.area):
        about = None  # a desk above: its orders to recipients here are listed, the episode itself is theirs
    return render_template(
        "console/orders.html",
        lines=lines,
        total=total,
        page=page,
        pages=pages_of(total),
        wanted=wanted,
        areas=areas,
        towns=towns,
        sectors=sectors,
        episode=about,
        buckets=desk.BUCKETS,
    )


def _wanted() -> desk_orders.Wanted:
    said = request.args
    wanted = desk_orders.Wanted(
        area=desk_area(),
        status=said.get("status", ""),
        town=said.get("town", ""),
        sector=said.get("sector", ""),
        q=said.get("q", "").strip()[:80],
        escalated=said.get("escalated", "") == "1",
        answered=said.get("answered", ""),
        sort=said.get("sort", "number"),
    )
    try:
        return replace(wanted, episode_id=UUID(said["episode"])) if said.get("episode") else wanted
    except ValueError:
        raise Missing("no such episode") from None


COLUMNS: Final = (
    N_("指令编号"), N_("单位"), N_("区域"), N_("行业"), N_("级别"), N_("版本"), N_("状态"), N_("下达时间"),
    N_("收到时间"), N_("收到人"), N_("落实时间"), N_("升级次数"), N_("无法执行理由"), N_("样例数据"),
)  # fmt: skip


def _as_csv(lines: list[desk_orders.Line], areas: Mapping[str, Area], label: str) -> Response:
    """The list as a spreadsheet opens it; name and first line say when it is a replay or an exercise."""
    out = io.StringIO()
    writer = csv.writer(out)
    rules = the_system().rules
    if label := label or rules.label:
        writer.writerow([f"【{label}】", rules.origin or _("本文件来自演练，不是真实的应急指令。")])
    writer.writerow([_(one) for one in COLUMNS])
    for one in lines:
        cells = (
            one.number, one.name, showing.area_name(areas[one.area]), showing.sector(one.sector),
            showing.level_word(one.level), one.revision, showing.said("bucket", one.bucket),
            showing.full_moment(one.issued_at, ""), showing.full_moment(one.acknowledged_at, ""), one.acknowledged_by,
            showing.full_moment(one.in_place_at, ""), one.escalated, one.declined_because,
            _("样例") if one.sample else "",
        )  # fmt: skip
        writer.writerow([plain_cell(str(cell)) for cell in cells])
    response = Response("\ufeff" + out.getvalue(), mimetype="text/csv")  # the mark by which Excel knows UTF-8
    made = f"{showing.local(showing.now()):%Y%m%d-%H%M}"
    name = f"orders-{made}.csv"
    marked = f"; filename*=UTF-8''{quote(f'{label}-{name}')}" if label == LABEL else ""
    name = f"exercise-{name}" if label == LABEL else name  # for those who do not read the coded one
    response.headers["Content-Disposition"] = f"attachment; filename={name}{marked}"
    return response


def plain_cell(said: str) -> str:
    """A cell that no spreadsheet takes for a formula: free text came from outside."""
    return "'" + said if said.lstrip()[:1] in ("=", "+", "-", "@", "|", "%") or said[:1] in ("\t", "\r", "\n") else said


@bp.get("/console/orders/<uuid:order_id>")
@open_to(Act.SEE_DESK)
def order(order_id: UUID) -> ResponseReturnValue:
    """One order with all that was asked, answered, sent and chased."""
    return _order(order_id)


def _order(order_id: UUID, *, refused: str = "", because: str = "") -> str:
    with the_system().store.reading() as tx:
        file = desk_orders.file(tx, order_id)
        ours = may_here(Act.SEE_DESK, file.episode.area)
        if not ours:  # an order of a desk above, to a recipient of theirs
            ask_here(Act.SEE_DESK, file.order.area)
        page = {
            "file": file,
            "areas": {one.id: one for one in tx.areas()},
            "names": desk.names(tx),
            "calls": calling.calls(tx, order_id),
        }
    chaseable = ours and file.order.status is Status.ISSUED and may_here(Act.CHASE, file.order.area)
    rules_on = ours and file.order.status is Status.DECLINED and may_here(Act.RULE, file.order.area)
    return render_template(
        "console/order.html",
        **page,
        ours=ours,
        refused=refused,
        because=because,
        chaseable=chaseable,
        rules_on=rules_on,
    )


@bp.post("/console/orders/<uuid:order_id>/chase")
@open_to(Act.CHASE)
def chase(order_id: UUID) -> ResponseReturnValue:
    """Remind the recipient now."""
    system, person, at = the_system(), the_person(), showing.now()
    _of_our_desk(order_id)
    try:
        put = system.store.run(lambda tx: chasing.chase(tx, system.rules, order_id, by=person, now=at))
    except Refused as refused:
        return _again(order_id, refused)
    system.wake_drains()
    if put:
        flash(_("已向 %(n)d 位联系人发出催办。", n=put), "ok")
    else:
        flash(_("没有可用的联系电话，请人工联系。"), "bad")
    return redirect(url_for("ordering.order", order_id=order_id), 303)


@bp.post("/console/orders/<uuid:order_id>/ruling")
@open_to(Act.RULE)
def ruling(order_id: UUID) -> ResponseReturnValue:
    """Rule on an objection."""
    system, person, at = the_system(), the_person(), showing.now()
    exempt, because = request.form.get("ruling") == "exempt", request.form.get("because", "")[:1000]
    _of_our_desk(order_id)
    try:
        if request.form.get("ruling") not in ("exempt", "uphold"):
            raise Refused("a ruling is exempt or uphold", zh="请选择裁定结果")
        system.store.run(
            lambda tx: dispatch.rule_on(tx, system.rules, order_id, exempt=exempt, because=because, by=person, now=at)
        )
    except Refused as refused:
        return _again(order_id, refused, because=because)
    system.wake_drains()
    flash(_("已裁定：同意豁免。") if exempt else _("已裁定：维持指令，对方须重新答复。"), "ok")
    return redirect(url_for("ordering.order", order_id=order_id), 303)


@bp.post("/console/messages/<uuid:message_id>/again")
@open_to(Act.CHASE)
def send_again(message_id: UUID) -> ResponseReturnValue:
    """Put a failed message back in the post."""
    system, person, at = the_system(), the_person(), showing.now()
    because = request.form.get("because", "")
    with system.store.reading() as tx:
        message = tx.message(message_id)
    about = message.order_id
    if about is None:
        ask_here(Act.CHASE, message.area)
    else:
        _of_our_desk(about)
    try:
        system.store.run(
            lambda tx: letters.send_again(tx, system.rules, message_id, because=because, by=person, now=at)
        )
    except Refused as refused:
        if about is None:
            raise
        return _again(about, refused)
    system.wake_drains()
    flash(_("已放回待送出队列。"), "ok")
    return redirect(url_for("ordering.order", order_id=about) if about else url_for("console.now"), 303)


def _of_our_desk(order_id: UUID) -> None:
    """An order is chased and ruled on by the desk whose episode it belongs to, or one above."""
    with the_system().store.reading() as tx:
        ask_here(Act.SEE_DESK, tx.episode(tx.order(order_id).episode_id).area)


def _again(order_id: UUID, refused: Refused, *, because: str = "") -> ResponseReturnValue:
    return _order(order_id, refused=showing.refusal(refused), because=because), showing.status_of(refused)
