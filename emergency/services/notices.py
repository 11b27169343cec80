"""Fills the notices of what is passed on, broadcast again, asked of units and coming due, when a message is put."""

from __future__ import annotations

from emergency.domain.episode import Decision, Episode, Task
from emergency.domain.forecast import Bulletin
from emergency.domain.orders import Order, Recipient
from emergency.domain.papers import Paper
from emergency.domain.reporting import Report
from emergency.services.rules import Rules
from emergency.services.wording import LANG, to_call


def relay_due(rules: Rules, task: Task, paper: Paper, *, area: str) -> str:
    """That the level above has announced something which this desk must pass on, and by when."""
    words = rules.wording
    return words.fill(
        "bulletin_relay_due",
        LANG,
        banner=words.banner(rules.label, LANG),
        issuer=paper.issuer,
        number=paper.number,
        move=words.move(paper.action, LANG),
        level=words.level(paper.level, LANG),
        received_at=words.instant(paper.received_at, LANG),
        area=area,
        due_at=words.instant(task.due_at, LANG),
    )


def not_followed(rules: Rules, bulletin: Bulletin, *, area: str, because: str) -> str:
    """That an area below starts nothing on a notice of the desk above, to that desk."""
    words = rules.wording
    told = {"area": area, "number": bulletin.number, "reason": because}
    return words.fill("not_followed", LANG, banner=words.banner(rules.label, LANG), **told)


def replaced(rules: Rules, decision: Decision, newer: Paper) -> str:
    """That a proposal has lapsed with the notice it rests on, and by which newer one, to those it waited for."""
    words = rules.wording
    level = {"level": words.level(decision.level, LANG)} if decision.level else {}
    return words.fill(
        "notice_replaced",
        LANG,
        banner=words.banner(rules.label, LANG),
        area=decision.notice.area,
        move=words.move(decision.move.value, LANG),
        issuer=newer.issuer,
        number=newer.number,
        action=words.move(newer.action, LANG),
        **level,
    )


def rebroadcast(rules: Rules, episode: Episode, decision: Decision) -> str:
    """A running warning broadcast again: what holds, since and until when, and what everybody is asked to do."""
    words, notice = rules.wording, decision.notice
    return words.fill(
        "rebroadcast",
        LANG,
        banner=words.banner(rules.label, LANG),
        issuer=notice.issuer,
        number=notice.number,
        area=notice.area,
        level=words.level(episode.level, LANG),
        since=words.instant(episode.effective_at or decision.proposed_at, LANG),
        until=words.until(episode.expected_end_at, LANG),
        actions=words.several(
            [*rules.public_actions(episode.level), rules.health_advice(episode.level)], LANG, room=120
        ),
        contact=to_call(notice.contact),
    )


def report_asked(
    rules: Rules, report: Report, order: Order, recipient: Recipient, *, late: bool, contact: str
) -> str:
    """That a unit is asked for its daily report or summary, or that it is missing."""
    words = rules.wording
    return words.fill(
        "report_missing" if late else "report_asked",
        LANG,
        banner=words.banner(rules.label, LANG),
        recipient=recipient.name,
        order_number=order.number,
        paper=words.paper(report.paper.value, LANG),
        due_at=words.instant(report.due_at, LANG),
        contact=to_call(contact),
    )


def task_coming(rules: Rules, task: Task) -> str:
    """That a task of the desk is coming due."""
    words = rules.wording
    return words.fill(
        "task_coming",
        LANG,
        banner=words.banner(rules.label, LANG),
        task=words.task(task.kind, LANG),
        what=task.words,
        due_at=words.instant(task.due_at, LANG),
    )
