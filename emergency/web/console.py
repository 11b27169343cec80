"""The duty desk: what holds now, what comes next, who is silent; episodes, tasks and feeds behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from emergency.domain.assessment import as_data
from emergency.domain.episode import Decision, Episode, Phase, Standing
from emergency.domain.people import Act, Area, Person, within
from emergency.domain.plan import Authority
from emergency.domain.review import spans
from emergency.domain.signing import rank_now
from emergency.errors import Missing, Refused
from emergency.services import decisions, watch
from emergency.services.rules import NoAir
from emergency.store import Tx, advising, consulting, desk, desk_orders, exercising, letters, relaying, rulings
from emergency.web import chart, reports, showing
from emergency.web.access import ask_here, may_here, open_to, the_person, the_system
from emergency.web.words import _

bp = Blueprint("console", __name__)

PAGE: Final = 50  # rows
SILENT_SHOWN: Final = 12
DAYS_BACK: Final = timedelta(days=7)


def page_asked() -> int:
    """Which page of a list is asked for, from 1."""
    said = request.args.get("page", "1")
    return max(1, min(int(said), 10_000)) if said.isdecimal() else 1


def pages_of(total: int, size: int = PAGE) -> int:
    """How many pages that makes."""
    return max(1, -(-total // size))


@dataclass(frozen=True)
class Step:
    """The one thing to do next: what the button says, where it leads, and why."""

    words: str
    path: str
    because: str = ""
    presses: bool = True  # False: nothing waits for this person


def desk_area() -> str:
    """
    The area whose desk is looked at: the one in the address, else the person's own.

    :raises NotAllowed: it is neither theirs nor below theirs
    """
    area = request.args.get("area") or the_person().area
    ask_here(Act.SEE_DESK, area)
    return area


def exercise_in(tx: Tx, area: str) -> str:
    """
    The running exercise that the request names, when it covers the area; empty for what is real.

    :raises Missing: no such exercise runs here
    """
    said = request.values.get("exercise", "")
    if said and not any(one.id == said and within(area, one.area) for one in exercising.running(tx)):
        raise Missing("no such exercise runs here")
    return said


@bp.get("/console")
@open_to(Act.SEE_DESK)
def now() -> ResponseReturnValue:
    """What holds now and what comes next."""
    area = desk_area()
    system = the_system()
    with system.store.reading() as tx:
        areas = {one.id: one for one in tx.areas()}
        if area not in areas:
            tx.area(area)  # says that it is missing
        plan = system.rules.plan_of(tx, area)
        episode = desk.current_episode(tx, system.rules.desk_of(tx, area))
        ours = episode is not None and within(episode.area, area)  # a town sees the level it is under, not its desk
        told = tx.decisions(episode.id) if episode and ours else []
        waiting = next((one for one in reversed(told) if one.standing in (Standing.SUGGESTED, Standing.PROPOSED)), None)
        signed = next((one for one in reversed(told) if one.standing is Standing.APPROVED), None)
        verdict, no_air = verdict_of(tx, area)
        slices = desk.answers(tx, episode.id, area="" if ours else area) if episode else ()
        tally = desk.counted(slices).get("", {})
        advised = advising.standing(tx, now=showing.now(), area=system.rules.desk_of(tx, area))
        page = {
            "area": areas[area],
            "desks": [one for one in areas.values() if one.plan_id and within(one.id, the_person().area)],
            "areas": areas,
            "plan": plan,
            "issues": plan.authority is Authority.ISSUES,
            "episode": episode,
            "ours": ours,
            "waiting": waiting,
            "signed": signed,
            "advised": advised[-1] if advised else None,
            "verdict": verdict,
            "no_air": no_air,
            "picture": picture(tx, area, verdict),
            "deadlines": desk.deadlines(tx, area, episode if ours else None),
            "post": desk.post(tx, area),
            "alarms": desk.alarms(tx, area),
            "tally": tally,
            "by_place": ranked(desk.counted(slices, by="area")),
            "by_sector": ranked(desk.counted(slices, by="sector")),
            "silent": desk_orders.silent(tx, episode.id, area=episode.area if ours else area, limit=SILENT_SHOWN)
            if episode
            else (),
            "journal": desk.journal(tx, area=area, limit=30),
            "feeds": desk.feeds(tx),
            "names": desk.names(tx),
            "wall": system.wall.now(),
            "stopped": [one for one in watch.late(tx.heartbeats(), wall=system.wall.now()) if one[0] == "sweep"],
        }
    page["step"] = next_step(areas[area], episode, waiting, tally, issues=bool(page["issues"]))
    return render_template("console/now.html", **page)


def verdict_of(tx: Tx, area: str, exercise: str = "") -> tuple[Mapping[str, Any] | None, str]:
    """What the plan's rule says of the air now, as data; or why it can say nothing."""
    try:
        rules = the_system().rules.in_exercise(exercise)
        return as_data(rules.assess_now(tx, area, now=showing.now())), ""
    except NoAir as found:
        return None, showing.refusal(found)
    except Refused as found:  # a plan whose cells nobody has seen refuses by name
        return None, showing.refusal(found)


def next_step(
    area: Area, episode: Episode | None, waiting: Decision | None, tally: Mapping[str, int], *, issues: bool
) -> Step:
    """The one button of the desk, for the person who looks at it."""
    person = the_person()
    if waiting is not None:
        return _about_waiting(waiting, person)
    if episode is not None and tally.get("declined") and may_here(Act.RULE, area.id):
        words = _("裁定 %(n)d 家“无法执行”", n=tally["declined"])
        return Step(words, url_for("ordering.orders", episode=episode.id, status="declined", area=area.id))
    if episode is not None and tally.get("silent") and may_here(Act.CHASE, area.id):
        words = _("联系 %(n)d 家未回应单位", n=tally["silent"])
        path = url_for("ordering.orders", episode=episode.id, status="silent", area=area.id, sort="-escalated")
        return Step(words, path)
    if episode is not None and episode.phase in (Phase.RELEASED, Phase.WITHDRAWN):
        return Step(_("查看后评估"), f"/review/{episode.id}", _("过程已结束，后评估签字后归档"))
    if not issues and may_here(Act.ENTER_BULLETIN, area.id):
        path = url_for("bulletins.new_bulletin", area=area.id)
        return Step(_("录入上级预警通知"), path, _("收到市级通知后从这里开始"))
    return Step("", "", _("目前没有等待您处理的事项"), presses=False)


def _about_waiting(waiting: Decision, person: Person) -> Step:
    path = url_for("deciding.decision", decision_id=waiting.id)
    what = f"{showing.said('move', waiting.move)} {showing.level_word(waiting.level)}"
    if waiting.standing is Standing.SUGGESTED and may_here(Act.PROPOSE, waiting.area):
        return Step(_("核对规则建议：%(what)s", what=what), path, _("由您提出后，另一人审批才生效"))
    another = waiting.proposed_by != person.id
    if waiting.standing is Standing.PROPOSED and may_here(Act.DECIDE, waiting.area) and another:
        if person.rank >= rank_now(waiting, now=showing.now()):
            because = _("规则结论已变化，请先核对") if waiting.rule_now else showing.left(waiting.decide_by)
            return Step(_("审批：%(what)s", what=what), path, because)
        return Step(_("查看待审批建议"), path, _("您的审批权限不足，须由更高级别负责人审批"))
    return Step(_("查看待办建议：%(what)s", what=what), path, _("正在等待另一位有权限的人处理"))


def ranked(counted: Mapping[str, Mapping[str, int]]) -> list[tuple[str, Mapping[str, int], int]]:
    """Lines for the bars: who has most that is silent or declined first, then the most orders."""
    lines = [(name, line, sum(line.values())) for name, line in counted.items()]
    return sorted(lines, key=lambda one: (-(one[1]["silent"] + one[1]["declined"]), -one[2], one[0]))


def picture(tx: Tx, area: str, verdict: Mapping[str, Any] | None) -> dict[str, Any]:
    """The air panel: one series for each source, the days the rule rests on shaded."""
    place = the_system().rules.place_of(tx, area)
    today = showing.local(showing.now()).date()
    measured: dict[str, list[chart.Point]] = {}
    for one in tx.observed_days(place, since=today - DAYS_BACK, until=today):
        if one.aqi is not None:
            measured.setdefault(one.feed, []).append(chart.Point(showing.local(one.at).date(), one.aqi))
    series = [chart.Series(f"{_('实况')} {feed}", tuple(points), observed=True) for feed, points in measured.items()]
    series = series or [chart.Series(_("实况"), (), observed=True)]
    issued = tx.latest_forecasts(place, now=showing.now())
    for forecast in issued:
        points = [chart.Point(day.day, day.aqi, day.aqi_low, day.aqi_high) for day in forecast.days]
        name = f"{forecast.label or _('预报')} {forecast.feed}"
        series.append(chart.Series(name, tuple(points), label=forecast.label))
    run = {date.fromisoformat(one["day"]) for one in (verdict or {}).get("days", ()) if one["in_run"]}
    return {
        "place": place,
        "svg": chart.air(series, run=run, today=today),
        "series": series,
        "marks": [chart.legend_mark(series, place) for place in range(len(series))],
        "days": sorted({point.day for one in series for point in one.points}),
        "issued": issued,
        **sources_of(tx, area),
    }


def sources_of(tx: Tx, area: str, exercise: str = "") -> dict[str, Any]:
    """What each source says, for the table of sources, with how its feed is doing."""
    rules = the_system().rules.in_exercise(exercise)
    found = rules.sources_now(tx, area, now=showing.now())
    return {"sources": found, "doing": {one.name: one for one in desk.feeds(tx)}}


@bp.get("/console/episodes")
@open_to(Act.SEE_DESK)
def episodes() -> ResponseReturnValue:
    """Every episode of the area and below."""
    area, page = desk_area(), page_asked()
    with the_system().store.reading() as tx:
        some, total = desk.episodes(tx, area, limit=PAGE, offset=(page - 1) * PAGE)
        areas = {one.id: one for one in tx.areas()}
    pages = pages_of(total)
    return render_template("console/episodes.html", episodes=some, total=total, page=page, pages=pages, areas=areas)


@bp.get("/console/episodes/<uuid:episode_id>")
@open_to(Act.SEE_DESK)
def episode(episode_id: UUID) -> ResponseReturnValue:
    """One episode: what was decided on which grounds, whom it reached, what happened."""
    with the_system().store.reading() as tx:
        found = tx.episode(episode_id)
        ask_here(Act.SEE_DESK, found.area)
        told = tx.decisions(episode_id)
        slices = desk.answers(tx, episode_id)
        page = {
            "episode": found,
            "areas": {one.id: one for one in tx.areas()},
            "decisions": told,
            "spans": spans(told),
            "tally": desk.counted(slices).get("", {}),
            "by_place": ranked(desk.counted(slices, by="area")),
            "post": desk.post(tx, found.area, episode_id),
            "unclear": letters.count(tx, letters.Wanted(found.area, episode_id=episode_id), letters.Fate.UNCLEAR),
            "journal": desk.journal(tx, episode_id=episode_id, limit=200),
            "reports": reports.on_the_desk(tx, the_system().rules, found),
            "paper_words": reports.said_of,
            "counted": reports.counted,
            "names": desk.names(tx),
        }
    return render_template("console/episode.html", **page)


@bp.get("/console/feeds")
@open_to(Act.SEE_DESK)
def feeds() -> ResponseReturnValue:
    """How every feed is doing, and the records that were not taken in."""
    with the_system().store.reading() as tx:
        page = {"feeds": desk.feeds(tx), "refused": desk.refused_records(tx), "wall": the_system().wall.now()}
    return render_template("console/feeds.html", **page)


@bp.get("/console/tasks")
@open_to(Act.SEE_DESK)
def tasks() -> ResponseReturnValue:
    """What the desk must do by when, and what it has done."""
    area = desk_area()
    with the_system().store.reading() as tx:
        done = desk.tasks(tx, area, done=True, limit=30)
        page = {
            "open": desk.tasks(tx, area),
            "done": done,
            "ended": rulings.ended(tx, [one.id for one in done]),
            "decisions": desk.waiting_decisions(tx, area),
            "unfollowed": relaying.left(tx, [one.id for one in tx.areas() if within(one.id, area)]),
            "consultations": [one for one in consulting.of_area(tx, area) if one.concluded_at is None],
            "areas": {one.id: one for one in tx.areas()},
            "names": desk.names(tx),
        }
    return render_template("console/tasks.html", **page)


@bp.post("/console/tasks/<uuid:task_id>/done")
@open_to(Act.PROPOSE)
def task_done(task_id: UUID) -> ResponseReturnValue:
    """Note that a task is done."""
    system, person, at = the_system(), the_person(), showing.now()
    try:
        system.store.run(lambda tx: decisions.task_done(tx, task_id, by=person, now=at))
    except Refused as refused:
        if showing.status_of(refused) == 403:
            raise
        flash(showing.refusal(refused), "bad")
    else:
        flash(_("已记为完成。"), "ok")
    return redirect(url_for("console.tasks"), 303)
