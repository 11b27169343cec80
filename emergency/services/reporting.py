"""Daily reports and summaries of units (日报, 总结): asked for at the plan's hour, chased once, filed from anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from emergency.clock import SHANGHAI
from emergency.domain import reporting as rule
from emergency.domain.assessment import end_of
from emergency.domain.episode import Episode, Fact, Phase
from emergency.domain.messages import Kind
from emergency.domain.orders import LIVE, Action, Order, Recipient
from emergency.domain.plan import Plan
from emergency.domain.repeating import last_hour
from emergency.domain.reporting import NotAsked, NoWords, Paper, Report, Wanted
from emergency.services import answering, counting, notices
from emergency.services.answering import Answered
from emergency.services.dispatch import message_for
from emergency.services.links import token_sha256
from emergency.services.rules import Rules
from emergency.store import Tx, portal
from emergency.store import reporting as kept


@dataclass(frozen=True)
class Filing:
    """A report as a form gives it: which, in what words, with what counted; ``revision`` is the one they were shown."""

    wanted: str
    revision: int
    words: str
    figures: Mapping[str, int]


def ask_due(tx: Tx, rules: Rules, *, now: datetime) -> int:
    """
    Ask every unit that owes a daily report today, or a summary after the end, for it; how many were asked.

    Each is asked once, however often we look; who filed before the hour is not asked, and hours that passed while
    everything was down ask for the last of them only.
    """
    asked = 0
    for episode in kept.episodes_in(tx, [Phase.ACTIVE, Phase.RELEASED]):
        plan = rules.plans.get(episode.plan_id)
        owed = list(_owed(tx, rules, plan, episode, now=now)) if plan else []
        new = [one for one in owed if kept.ask(tx, one[0])]
        asked += len(new)
        if new and episode.released_at is not None and not episode.exercise:
            counting.tell(tx, rules, episode.released_at, new[0][0].day, now=now)
        if new:
            marked = rules.in_exercise(episode.exercise)
            for report, order, recipient in new:
                _tell(tx, marked, report, order, recipient, late=False, now=now)
            more = {"paper": new[0][0].paper, "day": new[0][0].day.isoformat(), "count": len(new)}
            tx.note(Fact("reports.asked", str(episode.id), "system", now, episode.id, episode.area, more))
    return asked


def _owed(
    tx: Tx, rules: Rules, plan: Plan, episode: Episode, *, now: datetime
) -> Iterator[tuple[Report, Order, Recipient]]:
    """What the units of the episode owe at this moment."""
    if episode.phase is Phase.ACTIVE:
        if "daily_report_time" not in plan.texts:
            return
        at = last_hour(plan.daily_report_time, now=now, zone=SHANGHAI)
        wanted = Wanted(Paper.DAILY, at.astimezone(SHANGHAI).date())
        due_at = now + timedelta(minutes=plan.daily_report_within_min)
        for order, recipient in kept.of_units(tx, episode.id):
            if rule.owes_daily(order, at=at):
                yield rule.fresh(order, wanted, due_at=due_at, asked_at=now), order, recipient
        return
    due = summary_due(rules, plan, episode)
    if due is None or episode.released_at is None or not episode.released_at <= now < end_of(due):
        return
    for order, recipient in kept.of_units(tx, episode.id):
        if rule.owes_summary(order):
            yield rule.fresh(order, Wanted(Paper.SUMMARY, due), due_at=end_of(due), asked_at=now), order, recipient


def summary_due(rules: Rules, plan: Plan, episode: Episode) -> date | None:
    """The day by which each unit sums up, in working days after the end; None where the plan does not say."""
    workdays = plan.numbers.get("summary_due_workdays")
    if workdays is None or episode.released_at is None:
        return None
    return rules.calendar.due(episode.released_at, workdays, zone=SHANGHAI)


def chase_missing(tx: Tx, rules: Rules, *, now: datetime) -> int:
    """
    Chase once what was asked for and is missing, the second contact too; how many were chased.

    A report nobody needs any more is chased by nobody: of a response that ended, of an order that was lifted, of a
    summary whose response began again.
    """
    some = kept.to_chase(tx, now=now)
    if not some:
        return 0
    episodes = {one: portal.episode(tx, one) for one in {report.episode_id for report in some}}  # looked at, not held
    orders = {one.id: (one, who) for episode in episodes for one, who in kept.of_units(tx, episode)}
    still: dict[UUID, list[Report]] = {}
    for report in some:
        episode, (order, recipient) = episodes[report.episode_id], orders[report.order_id]
        if _still_owed(rules, report, order, episode):
            still.setdefault(episode.id, []).append(report)
            _tell(tx, rules.in_exercise(episode.exercise), report, order, recipient, late=True, now=now)
    kept.note_chased(tx, some, now=now)
    for episode_id, reports in still.items():
        episode = episodes[episode_id]
        names = [orders[one.order_id][1].name for one in reports]
        more = {"paper": reports[0].paper, "day": reports[0].day.isoformat(), "count": len(names), "missing": names}
        tx.note(Fact("reports.chased", str(episode_id), "system", now, episode_id, episode.area, more))
    return sum(map(len, still.values()))


def _still_owed(rules: Rules, report: Report, order: Order, episode: Episode) -> bool:
    if report.paper is Paper.DAILY:
        return episode.phase is Phase.ACTIVE and order.status in LIVE
    plan = rules.plans.get(episode.plan_id)
    due = summary_due(rules, plan, episode) if plan else None
    return episode.phase is Phase.RELEASED and report.day == due


def _tell(
    tx: Tx, rules: Rules, report: Report, order: Order, recipient: Recipient, *, late: bool, now: datetime
) -> None:
    reachable = sorted((one for one in recipient.contacts if one.phone), key=lambda one: one.order)
    contact = rules.desk_contact(tx, rules.desk_of(tx, order.area))
    text = notices.report_asked(rules, report, order, recipient, late=late, contact=contact)
    rung = f"{report.paper.value}-{report.day.isoformat()}-{'late' if late else 'asked'}"
    tx.outbox.put(
        message_for(rules, order, Kind.REPORT, one, text, rung=rung, now=now)
        for one in reachable[: 2 if late else 1]
    )


def file_by_link(tx: Tx, rules: Rules, token: str, filing: Filing, *, now: datetime) -> Answered:
    """
    Take a report from a phone link, as :func:`file` does.

    :raises Missing: no such link or revision; the link was taken back or has expired
    :raises NotAsked, NoWords: see :func:`file`
    """
    done = answering.answer_by_link(
        tx, rules, token, revision=filing.revision, action=Action.REPORT, remark=_words(filing), now=now
    )
    by = tx.asked_by(token_sha256(token)).name
    _keep(tx, done.order, filing, by=by, via="link", now=now)
    return done


def file(
    tx: Tx, rules: Rules, order_id: UUID, filing: Filing, *, by: str, via: str, only_of: UUID, now: datetime
) -> Answered:
    """
    Take a report of one of the recipient's own orders: it counts as an answer, and for the day it names.

    :raises Missing: no such order or revision, or it is not the recipient's ``only_of``
    :raises NotAsked: nobody asks for that report
    :raises NoWords: it says nothing
    """
    done = answering.answer(
        tx, rules, order_id, revision=filing.revision, action=Action.REPORT, by=by, contact_id=None, via=via,
        remark=_words(filing), now=now, only_of=only_of,
    )  # fmt: skip
    _keep(tx, done.order, filing, by=by, via=via, now=now)
    return done


def _words(filing: Filing) -> str:
    if not filing.words.strip():
        raise NoWords("a report needs its words")
    return filing.words.strip()


def _keep(tx: Tx, order: Order, filing: Filing, *, by: str, via: str, now: datetime) -> None:
    before = {one.wanted: one for one in kept.of_order(tx, order.id)}
    today = now.astimezone(SHANGHAI).date()
    may = rule.choices(order, tx.recipient(order.recipient_id), before.values(), today=today)
    wanted = next((one for one in may if one.word == filing.wanted), None) if filing.wanted else next(iter(may), None)
    if wanted is None:
        raise NotAsked(f"no report {filing.wanted!r} is asked of order {order.number}")
    report = before.get(wanted) or rule.fresh(order, wanted, due_at=now, asked_at=None)
    report = rule.filed(report, words=filing.words, figures=filing.figures, by=by, via=via, now=now)
    more = {
        "paper": wanted.paper, "day": wanted.day.isoformat(), "words": report.words, "figures": dict(report.figures),
        "via": via,
    }  # fmt: skip
    kept.keep(tx, report, fact="report.filed", by=by, at=now, more=more)
    tx.outbox.cancel(order.id, (Kind.REPORT.value,))
