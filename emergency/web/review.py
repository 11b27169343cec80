"""The review of an episode: drafted from the record, its figures linked to their rows, its lessons signed by two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from statistics import median
from typing import Final
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from emergency.clock import SHANGHAI
from emergency.domain.episode import Phase, Standing
from emergency.domain.flags import Mark
from emergency.domain.people import Act, may
from emergency.domain.review import Review, Span, Stage
from emergency.domain.review import spans as spans_of
from emergency.errors import Refused
from emergency.services import reviews
from emergency.services.evaluating import EVALUATION
from emergency.store import Tx, record
from emergency.store.judging import issued
from emergency.store.record import Record
from emergency.web import chart, consulting, judging, showing
from emergency.web.access import ask_here, confirmed, open_to, the_person, the_system
from emergency.web.words import N_, _

bp = Blueprint("review", __name__)

REVIEWED: Final = frozenset({Phase.RELEASED, Phase.WITHDRAWN, Phase.CLOSED})
ROUTINE: Final = tuple(
    f"order.{one}"
    for one in (
        *("order", "revision", "reissue", "information", "lifting", "withdrawal"),
        *("acknowledged", "started", "in_place", "resumed", "escalated", "chase_ended"),
        *("answered_old_revision", "answered_again", "answered_ended"),
    )
)  # one line for each order: counted above, not told one by one
REASONED: Final = frozenset({Mark.ABOVE_RULE, Mark.BELOW_RULE, Mark.WARNED_IN_CALM, Mark.LET_GO_UNCALM})
LEADS: Final = (1, 2, 3)  # days between a forecast and the day it speaks of
STAGES: Final = {
    Stage.DRAFTED: N_("已起草，待签字"),
    Stage.SIGNED: N_("已签字，待复核"),
    Stage.COUNTERSIGNED: N_("已复核归档"),
}


@dataclass(frozen=True)
class DayBeside:
    """One day: what was measured, and what was predicted one, two and three days ahead; None = nobody said."""

    day: date
    observed: int | None
    ahead: tuple[int | None, ...]
    label: str


@dataclass(frozen=True)
class Step:
    """One of the three pens: whether it may be taken up now, and why not."""

    name: str
    word: str
    open: bool
    because: str


@bp.get("/review")
@open_to(Act.SEE_REVIEW)
def home() -> ResponseReturnValue:
    """Every episode of the person's area, and how far its review is."""
    with the_system().store.reading() as tx:
        found = record.reviewable(tx, the_person().area)
        drilled = record.reviewable(tx, the_person().area, exercises=True)
    return render_template("review/home.html", found=found, drilled=drilled, stages=STAGES, reviewed=REVIEWED)


@bp.get("/review/<uuid:episode_id>")
@open_to(Act.SEE_REVIEW)
def paper(episode_id: UUID) -> ResponseReturnValue:
    """One review as a paper."""
    return _paper(episode_id)


@bp.post("/review/<uuid:episode_id>/draft")
@open_to(Act.DRAFT_REVIEW)
def draft(episode_id: UUID) -> ResponseReturnValue:
    """Count from the record, with the lessons people wrote."""
    lessons = request.form.get("lessons", "")[:20000]
    told = _("已按记录起草，图表和数字已重新统计。")
    return _done(
        episode_id,
        lambda tx: reviews.draft(
            tx, the_system().rules, episode_id, by=the_person(), now=showing.now(), lessons=lessons
        ),
        told,
        typed=lessons,
    )


@bp.post("/review/<uuid:episode_id>/signature")
@open_to(Act.SIGN_REVIEW)
def sign(episode_id: UUID) -> ResponseReturnValue:
    """The first signature."""
    return _signed(episode_id, reviews.sign, _("已签字，等待另一人复核。"))


@bp.post("/review/<uuid:episode_id>/countersignature")
@open_to(Act.SIGN_REVIEW)
def countersign(episode_id: UUID) -> ResponseReturnValue:
    """The second signature, which closes the episode."""
    return _signed(episode_id, reviews.countersign, _("已复核签字，本次应急过程归档。"))


class WrongPassword(Refused):
    """A signature needs the signer's own password."""

    words_zh = "密码不正确，没有签字"


class ReadAnother(Refused):
    """What is being signed is not what was read."""

    words_zh = "评估内容在您阅读之后有变化，请重新核对后再签"


def _signed(episode_id: UUID, pen: Callable[..., Review], told: str) -> ResponseReturnValue:
    read = request.form.get("version", "")
    if not confirmed(request.form.get("password", "")[:200]):
        return _paper(
            episode_id, refused=showing.refusal(WrongPassword("The password is wrong; nothing was signed"))
        ), 403

    def under(tx: Tx) -> Review:
        before = tx.review_of(episode_id)
        if before is not None and str(before.version) != read:
            raise ReadAnother("The review changed after you read it; please read it again before you sign")
        return pen(tx, episode_id, by=the_person(), now=showing.now())

    return _done(episode_id, under, told)


def _done(episode_id: UUID, use_case: Callable[[Tx], Review], told: str, *, typed: str = "") -> ResponseReturnValue:
    with the_system().store.reading() as tx:
        ask_here(Act.SEE_REVIEW, tx.episode(episode_id).area)
    try:
        the_system().store.run(use_case)
    except Refused as refused:
        return _paper(episode_id, refused=showing.refusal(refused), typed=typed), 422
    flash(told, "ok")
    return redirect(url_for("review.paper", episode_id=episode_id), 303)


def _paper(episode_id: UUID, *, refused: str = "", typed: str = "") -> str:
    system = the_system()
    with system.store.reading() as tx:
        kept = record.record(tx, episode_id)
        ask_here(Act.SEE_REVIEW, kept.area.id)
        lines = record.journal(tx, episode_id, limit=400, leave_out=ROUTINE)
        talks = consulting.along(tx, episode_id)
        place = system.rules.in_exercise(kept.episode.exercise).place_of(tx, kept.area.id)
        days = beside(tx, place, kept)
        worth = judging.along(tx, place, [one.day for one in days])
        stored = kept.review.tally.flags if kept.review else None
        flags = stored if stored is not None else reviews.flags(tx, system.rules, episode_id)
    approved = [one for one in kept.decisions if one.standing is Standing.APPROVED]
    spans = kept.review.tally.spans if kept.review else spans_of(kept.decisions)
    return render_template(
        "review/paper.html",
        kept=kept,
        talks=talks,
        worth=worth,
        review=kept.review,
        spans=spans,
        flags=flags,
        reasoned=REASONED,
        approved=approved,
        summary=summary(kept, spans, days),
        days=days,
        picture=picture(days),
        lasting=showing.length,
        held=_held,
        bias=bias(days),
        lines=lines,
        steps=steps(kept),
        stages=STAGES,
        refused=refused,
        typed=typed,
        median=median(kept.minutes) if kept.minutes else None,
        origin=system.rules.origin,
        over=kept.episode.phase in REVIEWED,
        owed=next((one for one in reversed(kept.tasks) if one.kind == EVALUATION), None),
        counted=lambda some: sum(some.values()),
    )


def steps(kept: Record) -> tuple[Step, ...]:
    """What the reader may do to this review now, and where they may not, why."""
    person, review, stage = the_person(), kept.review, kept.review.stage if kept.review else None
    drafts = may(person, Act.DRAFT_REVIEW, kept.area.id)
    signs = may(person, Act.SIGN_REVIEW, kept.area.id)
    closed = _("评估已复核，过程已归档。")
    if kept.episode.phase not in REVIEWED:
        why = _("应急过程还没有解除，解除后才能评估。")
        return (Step("draft", _("起草评估"), False, why),)
    if stage is Stage.COUNTERSIGNED:
        return (Step("closed", _("已归档"), False, closed),)
    drafting = Step(
        "draft", _("重新统计并保存") if review else _("按记录起草"), drafts and stage is not Stage.SIGNED, ""
    )
    if stage is Stage.SIGNED:
        drafting = Step("draft", drafting.word, False, _("已有人签字，内容不能再改。"))
    elif not drafts:
        drafting = Step("draft", drafting.word, False, _("起草由值班员或评估人员进行。"))
    if not signs:
        why_not = _("签字由审批人或评估人员进行。")
    elif review is None:
        why_not = _("还没有起草。")
    elif stage is Stage.SIGNED and review.signed_by == person.id:
        why_not = _("您已签过字，复核须由另一人进行。")
    else:
        why_not = ""
    if stage is Stage.SIGNED:
        return (drafting, Step("countersign", _("复核签字并归档"), not why_not, why_not))
    return (drafting, Step("sign", _("签字"), not why_not, why_not))


def beside(tx: Tx, place: str, kept: Record) -> tuple[DayBeside, ...]:
    """Measured and predicted air of the episode's days, one day before it to one day after."""
    first = (kept.episode.effective_at or kept.episode.opened_at).astimezone(SHANGHAI).date() - timedelta(days=1)
    last = (kept.episode.released_at or showing.now()).astimezone(SHANGHAI).date() + timedelta(days=1)
    last = min(last, first + timedelta(days=62))
    observed: dict[date, int] = {}
    for one in tx.observed_days(place, since=first, until=last):
        if one.aqi is not None:
            day = one.at.astimezone(SHANGHAI).date()
            observed[day] = max(one.aqi, observed.get(day, 0))
    since = datetime.combine(first - timedelta(days=max(LEADS) + 1), time(), SHANGHAI)
    said: dict[tuple[date, int], tuple[datetime, int, str]] = {}
    for forecast in issued(tx, place, since=since, until=showing.now()):
        said_on = forecast.said_at.astimezone(SHANGHAI).date()
        for ahead in forecast.days:
            key = (ahead.day, (ahead.day - said_on).days)
            if key not in said or said[key][0] <= forecast.said_at:
                said[key] = (forecast.said_at, ahead.aqi, forecast.label)
    found = []
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        rows = [said.get((day, lead)) for lead in LEADS]
        label = next((row[2] for row in rows if row), "")
        found.append(DayBeside(day, observed.get(day), tuple(row[1] if row else None for row in rows), label))
    return tuple(one for one in found if one.observed is not None or any(one.ahead))


def picture(days: Sequence[DayBeside]) -> Markup:
    """Measured air and the forecast of the day before, drawn together."""
    observed = tuple(chart.Point(one.day, one.observed) for one in days if one.observed is not None)
    ahead = tuple(chart.Point(one.day, one.ahead[0]) for one in days if one.ahead[0] is not None)
    label = next((one.label for one in days if one.label), "")
    found = [chart.Series(_("实况"), observed, observed=True), chart.Series(_("提前 1 天预报"), ahead, label=label)]
    return chart.air([one for one in found if one.points])


def bias(days: Sequence[DayBeside]) -> tuple[tuple[int, int, float, float], ...]:
    """For each lead: days compared, mean error (forecast - observed) and mean absolute error, in AQI points."""
    found = []
    for place, lead in enumerate(LEADS):
        errors = [
            said - one.observed for one in days if one.observed is not None and (said := one.ahead[place]) is not None
        ]
        if errors:
            mean = sum(errors) / len(errors)
            found.append((lead, len(errors), mean, sum(abs(error) for error in errors) / len(errors)))
    return tuple(found)


def summary(kept: Record, spans: Sequence[Span], days: Sequence[DayBeside]) -> list[str]:
    """The review in about ten lines, each from a count; what the record does not know is left out, never guessed."""
    episode, status = kept.episode, kept.by_status
    orders = sum(status.values())
    approved = [one for one in kept.decisions if one.standing is Standing.APPROVED]
    apart = [one for one in approved if one.override_because]
    lines = [_("%(area)s于 %(at)s 启动应急响应，编号 %(number)s。", area=kept.area.name, number=episode.number,
               at=showing.full_moment(episode.effective_at))]  # fmt: skip
    if spans:
        held = "；".join(
            _("%(level)s %(time)s", level=showing.level_word(one.level), time=_held(one, showing.now()))
            for one in spans
        )
        lines.append(_("各级别持续：%(held)s。", held=held))
    measured = [one for one in days if one.observed is not None]
    if measured:
        worst = max(measured, key=lambda one: one.observed or 0)
        lines.append(_("期间实况日 AQI 最高 %(aqi)s（%(day)s）。", aqi=worst.observed, day=worst.day.isoformat()))
    if any(one.proposed_by == one.decided_by for one in approved):
        lines.append(_("共 %(n)s 项审批事项签发，其中有提出与签发为同一人的，须核查。", n=len(approved)))
    else:
        lines.append(_("共 %(n)s 项审批事项签发，每项的提出人与签发人均不相同。", n=len(approved)))
    if apart:
        lines.append(_("其中 %(n)s 项与规则结论不同，均写明理由。", n=len(apart)))
    late = [one for one in approved if one.decided_at and one.decided_at > one.decide_by]
    lines.append(_("按时签发 %(n)s 项，超过预案时限 %(late)s 项。", n=len(approved) - len(late), late=len(late)))
    lines.append(_("共下达指令 %(n)s 件。", n=orders))
    if kept.taken_back:
        lines.append(_("本次预警已撤回：响应时长计为零，其间的答复和催办不作评价。"))
    silent = kept.asked - len(kept.minutes)
    if kept.asked or not kept.taken_back:
        lines.append(
            _("要求答复 %(asked)s 次，答复 %(got)s 次，始终未答复 %(silent)s 次；答复用时中位数 %(minutes)s 分钟。",
              asked=kept.asked, got=len(kept.minutes), silent=silent,
              minutes=showing.number(median(kept.minutes), 1) if kept.minutes else "—")
        )  # fmt: skip
    told = sum(one.orders for one in kept.rungs)
    if told:
        lines.append(_("升级告知 %(n)s 次。", n=told))
    elif not kept.taken_back:
        lines.append(_("没有需要升级告知的指令。"))
    failed = sum(states.get("failed", 0) for states in kept.messages.values())
    lines.append(_("通知共 %(n)s 条，送出失败 %(failed)s 条。",
                   n=sum(sum(states.values()) for states in kept.messages.values()), failed=failed))  # fmt: skip
    if episode.released_at and kept.taken_back:
        at, back = showing.full_moment(episode.released_at), status.get("withdrawn", 0)
        lines.append(_("%(at)s 撤回；已撤回指令 %(n)s 件。", at=at, n=back))
    elif episode.released_at:
        at, lifted, resumed = (
            showing.full_moment(episode.released_at),
            status.get("lifted", 0),
            status.get("resumed", 0),
        )
        lines.append(_("%(at)s 解除；已解除 %(n)s 件，已恢复生产 %(resumed)s 件。", at=at, n=lifted, resumed=resumed))
    doubtful = sorted({name for one in approved for name in one.doubtful})
    if doubtful:
        lines.append(_("依据中有 %(n)s 项参数待与预案原文核对，见下文“参数待核”。", n=len(doubtful)))
    return lines


def _held(span: Span, now: datetime) -> str:
    if span.withdrawn:
        return _("已撤回，不计时长")
    if span.until is not None and span.until <= span.since:
        return _("生效前已被替代")
    words = showing.length((span.until or now) - span.since)
    return words if span.until else _("%(time)s（仍在持续）", time=words)
