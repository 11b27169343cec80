"""The pages of planned reduction: is the list enough, of which base, what is not counted, what is cheapest."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Final

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from emergency.domain.arithmetic import Sum
from emergency.domain.arithmetic_choice import Objective
from emergency.domain.arithmetic_targets import LONGEST, Unit
from emergency.domain.people import Act, Area
from emergency.domain.reduction.columns import LEVELS, POLLUTANTS
from emergency.errors import Refused, Unavailable
from emergency.lists import writing
from emergency.services import arithmetic
from emergency.services import listing as lists
from emergency.services.arithmetic import Reckoning
from emergency.store import desk
from emergency.system import list_words
from emergency.web import showing
from emergency.web.access import limited, open_to, the_person, the_system
from emergency.web.arithmetic_words import (
    amount,
    doubt_word,
    gap_word,
    objective_word,
    pollutant,
    reach_word,
    share,
    way_word,
)
from emergency.web.console import desk_area
from emergency.web.fields import BadForm
from emergency.web.listing import XLSX
from emergency.web.ordering import plain_cell
from emergency.web.words import _

bp = Blueprint("arithmetic", __name__)
for _word in (amount, doubt_word, gap_word, objective_word, pollutant, reach_word, share, way_word):
    bp.add_app_template_filter(_word, _word.__name__)

SHOWN: Final = 200  # lines of what is not counted on a page; a download has all
MOST: Final = 600  # measures that a page may choose from; the solver takes seconds for so many
TRIES: Final = "20 per minute"

Rows = list[list[str | float | None]]


@bp.get("/console/lists/arithmetic")
@open_to(Act.SEE_DESK)
def reckoning() -> ResponseReturnValue:
    """What the list comes to at each level, against what the plan asks of the area's whole emission."""
    return _page()


def _page(*, refused: str = "", typed: Mapping[str, str] | None = None) -> str:
    area = desk_area()
    system = the_system()
    with system.store.reading() as tx:
        found = arithmetic.reckon(tx, system.rules, area)
        areas, names = {one.id: one for one in tx.areas()}, desk.names(tx)
        own = lists.area_of(tx, system.rules, the_person())
    return render_template(
        "console/arithmetic.html",
        found=found,
        area=area,
        areas=areas,
        names=names,
        own=own == area,
        levels=LEVELS,
        pollutants=POLLUTANTS,
        units=list(Unit),
        objectives=list(Objective),
        shown=SHOWN,
        longest=LONGEST,
        refused=refused,
        typed=typed or {"year": str(showing.local(showing.now()).year - 1)},
    )


@bp.post("/console/lists/arithmetic")
@open_to(Act.ENTER_LIST)
def enter() -> ResponseReturnValue:
    """Enter the whole emission of one pollutant, or take back what was entered; it counts at once."""
    system, person, said = the_system(), the_person(), request.form
    name, because = said.get("pollutant", ""), said.get("source", "")
    try:
        if said.get("take_back"):
            system.store.run(
                lambda tx: arithmetic.take_back(
                    tx, area=lists.area_of(tx, system.rules, person), pollutant=name, because=because, by=person,
                    now=system.clock.now(),
                )
            )  # fmt: skip
            flash(_("已撤回，该污染物的全社会排放量按未知处理。"), "ok")
        else:
            year, kg, unit = _year(said), _amount(said), _unit(said)
            system.store.run(
                lambda tx: arithmetic.enter(
                    tx, area=lists.area_of(tx, system.rules, person), pollutant=name, year=year, amount=kg, unit=unit,
                    source=because, by=person, now=system.clock.now(),
                )
            )  # fmt: skip
            flash(_("已录入，核算结果随即更新。"), "ok")
    except Refused as refused:
        return _page(refused=showing.refusal(refused), typed=said), showing.status_of(refused)
    return redirect(url_for("arithmetic.reckoning"), 303)


def _year(said: Mapping[str, str]) -> int:
    found = said.get("year", "")
    if not (found.isascii() and found.isdecimal() and len(found) == 4):
        raise BadForm("no year was given", zh=_("请填写四位年份"))
    return int(found)


def _amount(said: Mapping[str, str]) -> float:
    try:
        return float(said.get("amount", ""))
    except ValueError:
        raise BadForm("no amount was given", zh=_("请填写排放量，只填数字")) from None


def _unit(said: Mapping[str, str]) -> Unit:
    try:
        return Unit(said.get("unit", ""))
    except ValueError:
        raise BadForm("no unit was chosen", zh=_("请选择单位")) from None


@bp.get("/console/lists/arithmetic/cheapest")
@open_to(Act.SEE_DESK)
@limited(TRIES, by=lambda: the_person().login)
def cheapest() -> ResponseReturnValue:
    """The cheapest measures that come to what a level asks; a help, and nothing is kept of it."""
    area, system = desk_area(), the_system()
    level, wanted = request.args.get("level", ""), request.args.get("objective", "")
    refused, found, status = "", None, 200
    try:
        if level not in LEVELS or wanted not in list(Objective):
            raise BadForm("no level and meaning of cheapest were chosen", zh=_("请选择预警级别和测算目标"))
        guard = list_words(system.settings).guard
        found = arithmetic.propose(
            system.store, system.rules, guard, area, level=level, objective=Objective(wanted), most=MOST
        )
    except Refused as no:
        refused, status = showing.refusal(no), showing.status_of(no)
    except Unavailable:
        refused, status = _("求解程序没有安装或没有完成，其他核算不受影响。"), 503
    with system.store.reading() as tx:
        areas = {one.id: one for one in tx.areas()}
    page = render_template("console/arithmetic_cheapest.html", found=found, refused=refused, area=area, areas=areas)
    return page, status


# --- downloads


@bp.get("/console/lists/arithmetic.<kind>")
@open_to(Act.SEE_DESK)
def download(kind: str) -> ResponseReturnValue:
    """All of it as a workbook, or as one table in CSV; no cell of either is a formula."""
    area, system = desk_area(), the_system()
    with system.store.reading() as tx:
        found = arithmetic.reckon(tx, system.rules, area)
        areas = {one.id: one for one in tx.areas()}
    if kind == "xlsx":
        tables = (_asked(found), _parts(found, areas), _left(found, areas))
        sheets = dict(zip((_("减排比例"), _("行业和乡镇"), _("未计入")), tables, strict=True))
        return _as_file(writing.tables(sheets), XLSX, "xlsx")
    if kind != "csv":
        return redirect(url_for("arithmetic.reckoning", area=area), 303)
    out = io.StringIO()
    rows = csv.writer(out)
    for table in (_asked(found), _parts(found, areas), _left(found, areas)):
        for row in table:
            rows.writerow([plain_cell(one) if isinstance(one, str) else one for one in row])
        rows.writerow([])
    # the mark by which Excel knows UTF-8
    return _as_file(("\ufeff" + out.getvalue()).encode(), "text/csv; charset=utf-8", "csv")


def _as_file(body: bytes, kind: str, ending: str) -> Response:
    response = Response(body, content_type=kind)
    response.headers["Content-Disposition"] = f"attachment; filename=reduction.{ending}"
    return response


def _asked(found: Reckoning) -> Rows:
    heading: list[str | float | None] = [
        _("级别"), _("污染物"), _("计划减排量（kg/d）"), _("全社会排放量（kg/d）"), _("减排比例（%）"),
        _("要求比例（%）"),
        _("要求减排量（kg/d）"), _("结果"), _("缺口（kg/d）"), _("说明"), _("排放量年份"), _("排放量来源"),
    ]  # fmt: skip
    rows: Rows = [heading]
    for level in LEVELS:
        for one in found.judged[level]:
            base = one.base
            why = doubt_word(one.because) if one.because else _("按SO2与NOx合计") if one.together else ""
            rows.append(
                [
                    showing.level_word(level), pollutant(one.pollutant), one.planned,
                    base.kg_per_day if base else None, one.pct, one.asked_pct, one.asked, reach_word(one.reach),
                    one.gap, why, base.year if base else None, base.source if base else "",
                ]
            )  # fmt: skip
    return rows


def _parts(found: Reckoning, areas: Mapping[str, Area]) -> Rows:
    heading: list[str | float | None] = [_("级别"), _("行业或乡镇"), _("名称"), _("企业数")]
    rows: Rows = [[*heading, *(f"{pollutant(one)} kg/d" for one in POLLUTANTS)]]
    for level in LEVELS:
        for kind, name, one in _named(found, level, areas):
            kg = [one.kg.get(each) for each in POLLUTANTS]
            rows.append([showing.level_word(level), kind, name, float(one.enterprises), *kg])
    return rows


def _named(found: Reckoning, level: str, areas: Mapping[str, Area]) -> Iterator[tuple[str, str, Sum]]:
    for key, one in found.levels[level].sectors.items():
        yield _("行业"), showing.sector(key), one
    for key, one in found.levels[level].towns.items():
        yield _("乡镇"), showing.area_name(areas[key]), one


def _left(found: Reckoning, areas: Mapping[str, Area]) -> Rows:
    heading = (_("级别"), _("企业"), _("乡镇"), _("行业"), _("生产线"), _("措施"), _("为什么没有计入"))
    rows: Rows = [list(heading)]
    for level in LEVELS:
        rows += (
            [
                showing.level_word(level), one.name, showing.area_name(areas[one.area]), showing.sector(one.sector),
                one.line, one.text, gap_word(one.why),
            ]
            for one in found.levels[level].uncounted
        )  # fmt: skip
    return rows
