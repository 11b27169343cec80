"""What forecasts were worth, and what a candidate plan would have said: read and exported, nothing is done here."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from emergency.domain.level import Level
from emergency.domain.people import Act
from emergency.domain.verification import FEWEST, THRESHOLDS, Figures, VerifiedDay, figures
from emergency.services import shadowing, verifying
from emergency.services.rules import NoAir
from emergency.store import Tx, desk, judging
from emergency.web import chart, showing
from emergency.web.access import open_to, the_system
from emergency.web.console import desk_area
from emergency.web.ordering import plain_cell
from emergency.web.words import N_, _, lang

bp = Blueprint("judging", __name__)

WINDOWS: Final = (30, 90, 365)  # days
DRAWN: Final = 14  # days of a picture: more would hide one another
LEADS: Final = (1, 2, 3)  # days ahead that are drawn and laid side by side
MOST_LINES: Final = 500


# --- what forecasts were worth


@dataclass(frozen=True)
class Row:
    """One day: what was measured, and what one source had said of it; None = nobody said."""

    day: date
    observed: int
    ahead: tuple[int | None, ...]


@bp.get("/console/forecasts")
@open_to(Act.SEE_DESK)
def forecasts() -> ResponseReturnValue:
    """Each source's figures by days ahead over a window, one source's days beside what came; or all as a file."""
    area, system = desk_area(), the_system()
    window = _window()
    with system.store.reading() as tx:
        place = system.rules.place_of(tx, area)
        first, last, days, found = verifying.figures_of(tx, place, days=window, now=showing.now())
        states = {one.name: one for one in desk.feeds(tx)}
    if request.args.get("format") == "csv":
        return _days_as_file(place, days)
    feeds = sorted({one.feed for one in found})
    feed = request.args.get("feed", "")
    feed = feed if feed in feeds else next(iter(feeds), "")
    rows = side_by_side([one for one in days if one.feed == feed])
    series = drawn(rows[-DRAWN:])
    return render_template(
        "console/forecasts.html",
        area=area,
        place=place,
        first=first,
        last=last,
        window=window,
        windows=WINDOWS,
        sources=[(name, states.get(name), [one for one in found if one.feed == name]) for name in feeds],
        feed=feed,
        rows=rows[::-1],
        leads=LEADS,
        drawn=DRAWN,
        picture=chart.air(series),
        series=[(chart.legend_mark(series, n), one.name) for n, one in enumerate(series)],
        thresholds=THRESHOLDS,
        fewest=FEWEST,
        by_hour=system.place.forecast_by,
        wall=system.wall.now(),
        skill=skill_words,
        share=share,
    )


def _window() -> int:
    said = request.args.get("days", "")
    return next((one for one in WINDOWS if said == str(one)), WINDOWS[1])


def skill_words(one: Figures) -> str:
    """Better or worse than saying that the day will be like the day of issue; nothing is said of too few days."""
    if one.skill is None:
        return _("无法计算")
    if one.skill_days < FEWEST:
        return _("样本不足，不作评判")
    if abs(one.skill) < 0.005:  # nought at the two digits that are shown
        return _("与持续性预报相当")
    return _("优于持续性预报") if one.skill > 0 else _("不如持续性预报")


def share(value: float | None, days: int) -> str:
    """A share with the days it was counted on; what rests on nothing says so."""
    return _("无法计算") if value is None else _("%(share)s（%(n)s 天）", share=f"{value:.0%}", n=days)


def side_by_side(days: Iterable[VerifiedDay]) -> list[Row]:
    """One source's days, each with what was said of it so many days ahead."""
    observed: dict[date, int] = {}
    said: dict[tuple[date, int], int] = {}
    for one in days:
        observed[one.day] = one.observed_aqi
        said[one.day, one.lead_days] = one.forecast_aqi
    return [Row(day, observed[day], tuple(said.get((day, lead)) for lead in LEADS)) for day in sorted(observed)]


def drawn(rows: Sequence[Row]) -> list[chart.Series]:
    """The measured line and one for each number of days ahead."""
    found = [chart.Series(_("实况"), tuple(chart.Point(one.day, one.observed) for one in rows), observed=True)]
    for n, lead in enumerate(LEADS):
        points = tuple(chart.Point(one.day, said) for one in rows if (said := one.ahead[n]) is not None)
        found.append(chart.Series(_("提前 %(lead)s 天预报", lead=lead), points))
    return [one for one in found if one.points]


DAY_COLUMNS: Final = (
    N_("数据源"), N_("地点"), N_("日期"), N_("提前天数"), N_("发布时间"), N_("预报 AQI"), N_("预报下限"),
    N_("预报上限"), N_("预报首要污染物"), N_("实况 AQI"), N_("实况首要污染物"), N_("发布当日实况 AQI"), N_("误差"),
)  # fmt: skip


def _days_as_file(place: str, days: Sequence[VerifiedDay]) -> Response:
    return _as_file(
        "forecasts",
        DAY_COLUMNS,
        (
            (
                one.feed, place, one.day.isoformat(), one.lead_days, showing.full_moment(one.issued_at),
                one.forecast_aqi, one.forecast_low, one.forecast_high, " ".join(one.forecast_primary),
                one.observed_aqi, " ".join(one.observed_primary), one.persistence_aqi, one.error,
            )
            for one in days
        ),
    )  # fmt: skip


def along(tx: Tx, place: str, days: Sequence[date]) -> dict[str, Any]:
    """What a review shows of the forecasts for its days: each source's figures one to three days ahead."""
    found = judging.verified_days(tx, place, since=min(days), until=max(days)) if days else []
    return {
        "figures": [one for one in figures(found) if one.lead_days in LEADS],
        "thresholds": THRESHOLDS,
        "share": share,
    }


# --- candidate plans


@bp.get("/console/shadow")
@open_to(Act.SEE_DESK)
def shadow() -> ResponseReturnValue:
    """The active plan and its candidates side by side now, and the log of where they differed; or that as a file."""
    area, system = desk_area(), the_system()
    plans = system.rules.plans
    candidates = [one for one in system.place.shadow.get(area, ()) if one in plans]
    with system.store.reading() as tx:
        found = judging.shadows(tx, area, differing=True, limit=MOST_LINES)
        if request.args.get("format") == "csv":
            return _log_as_file(found)
        active = system.rules.plan_of(tx, area)
        latest = {one: judging.latest_shadow(tx, area, one) for one in candidates}
        now = _now(tx, area, candidates)
        here = tx.area(area)
    return render_template(
        "console/shadow.html",
        area=here,
        plans=plans,
        plan_name=plan_name,
        asked_words=asked_words,
        active=active,
        candidates=candidates,
        now_said=now,
        latest=latest,
        standing={one.id for one in latest.values() if one is not None},
        found=found,
        most=MOST_LINES,
    )


def _now(tx: Tx, area: str, candidates: Sequence[str]) -> list[tuple[str, shadowing.Said]]:
    """The active plan's word and each candidate's, of the air as it is; empty where there is none to judge."""
    rules = the_system().rules
    active = rules.plan_of(tx, area)
    at = showing.now()
    try:
        found = [(active.id, shadowing.say(tx, rules, area, now=at))]
        for one in candidates:
            other = shadowing.under(rules, active, rules.plan(one))
            found.append((one, shadowing.say(tx, other, area, now=at)))
    except NoAir:
        return []
    return found


def plan_name(plan_id: str) -> str:
    """The plan's name in the reader's language; its id when it is loaded no longer."""
    found = the_system().rules.plans.get(plan_id)
    if found is None:
        return plan_id
    return found.name_en if lang() == "en" and found.name_en else found.name


def asked_words(asks: str | None) -> str:
    """The move a plan would have suggested, in words; a dash where it was not asked."""
    if asks is None:
        return "—"
    if asks == shadowing.UNKNOWN:
        return _("不作判断")
    move, _sep, level = asks.partition(" ")
    words = showing.said("move", move) if move else _("不建议变动")
    return f"{words} {showing.level_word(level)}" if level else words


LOG_COLUMNS: Final = (
    N_("候选预案"), N_("现行预案"), N_("候选结论"), N_("现行结论"), N_("候选建议"), N_("现行建议"), N_("开始"),
    N_("最近一次"), N_("说明"), N_("候选预案文本指纹"), N_("现行预案文本指纹"),
)  # fmt: skip


def _log_as_file(found: Sequence[judging.Shadow]) -> Response:
    def word(level: Level | None) -> str:
        return _("不作判断") if level is None else showing.level_word(level)

    return _as_file(
        "shadow",
        LOG_COLUMNS,
        (
            (
                plan_name(one.plan_id), plan_name(one.active_plan_id), word(one.level), word(one.active_level),
                asked_words(one.asks), asked_words(one.active_asks),
                showing.full_moment(one.since), showing.full_moment(one.seen_at),
                one.sentence_en if lang() == "en" else one.sentence_zh, one.plan_sha, one.active_plan_sha,
            )
            for one in found
        ),
    )  # fmt: skip


def _as_file(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A table as a spreadsheet opens it; the first line says when it is a replay."""
    out = io.StringIO()
    writer = csv.writer(out)
    if label := the_system().rules.label:
        writer.writerow([f"【{label}】", the_system().rules.origin])
    writer.writerow([_(one) for one in columns])
    for row in rows:
        writer.writerow([_cell(one) for one in row])
    response = Response("\ufeff" + out.getvalue(), mimetype="text/csv")  # the mark by which Excel knows UTF-8
    made = f"{showing.local(showing.now()):%Y%m%d-%H%M}"
    response.headers["Content-Disposition"] = f"attachment; filename={name}-{made}.csv"
    return response


def _cell(value: object) -> object:
    if value is None:
        return ""
    return plain_cell(value) if isinstance(value, str) else value
