"""What units report (日报, 总结): who owes which for which day, what a filed one says, and what is still missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID, uuid5

from emergency.domain.orders import LIVE, Duty, Order, Recipient, RecipientKind, Status, live_at
from emergency.errors import Refused

DAILY_CHECK = "daily_report"  # the check of a measure that is proved by one report a day
FIGURES = ("inspected", "problems", "corrected")  # 检查数, 发现问题, 已整改
MOST = 1_000_000  # of anything a unit counts in a day


class NoWords(Refused):
    """A report that says nothing."""

    words_zh = "请写明做了什么"


class NotAsked(Refused):
    """Nobody asks this recipient for a report of that kind and day."""

    words_zh = "没有要求您填报这一天的日报或总结，请重新选择"


class BadFigure(Refused):
    """A figure that counts nothing."""

    words_zh = "数字请填 0 或正整数；整改数不能多于发现的问题数"


class Paper(StrEnum):
    """Which report it is."""

    DAILY = "daily"  # 日报
    SUMMARY = "summary"  # 总结, after the end


@dataclass(frozen=True)
class Wanted:
    """One report that a recipient may file: which, and for which day; a summary's is the day it is due."""

    paper: Paper
    day: date

    @property
    def word(self) -> str:
        """How a form names it."""
        return f"{self.paper.value}:{self.day.isoformat()}"


@dataclass(frozen=True)
class Report:
    """
    One report of one recipient: asked for, chased once when it is missing at ``due_at``, filed and perhaps filed anew.

    ``asked_at`` None: it came before anybody asked. What was filed before stays in the journal.
    """

    id: UUID
    order_id: UUID
    episode_id: UUID
    area: str
    recipient_id: UUID
    paper: Paper
    day: date
    due_at: datetime
    asked_at: datetime | None = None
    chased_at: datetime | None = None
    filed_at: datetime | None = None
    filed_by: str = ""
    via: str = ""
    words: str = ""
    figures: Mapping[str, int] = field(default_factory=dict)
    version: int = 0

    @property
    def wanted(self) -> Wanted:
        """Which report of which day it is."""
        return Wanted(self.paper, self.day)


def fresh(order: Order, wanted: Wanted, *, due_at: datetime, asked_at: datetime | None) -> Report:
    """The report of this order as it is asked for, or begun unasked; the same one whoever makes it."""
    return Report(
        id=uuid5(order.id, f"report:{wanted.word}"),
        order_id=order.id,
        episode_id=order.episode_id,
        area=order.area,
        recipient_id=order.recipient_id,
        paper=wanted.paper,
        day=wanted.day,
        due_at=due_at,
        asked_at=asked_at,
    )


def reports(recipient: Recipient) -> bool:
    """Whether it reports at all: bureaus, towns and districts do, an enterprise answers its measures."""
    return recipient.kind is not RecipientKind.ENTERPRISE


def owes_daily(order: Order, *, at: datetime) -> bool:
    """Whether a duty that is proved by a report a day bound at that moment, by an order given before it."""
    given = order.issued_at is not None and order.issued_at <= at
    return given and live_at(order, at) and any(_reported(duty, at) for duty in order.duties)


def _reported(duty: Duty, at: datetime) -> bool:
    return duty.check == DAILY_CHECK and duty.starts_at <= at and (duty.ends_at is None or at < duty.ends_at)


def owes_summary(order: Order) -> bool:
    """Whether its response is over, so that its unit sums up what it did; what was taken back is not summed up."""
    return order.status in (Status.LIFTED, Status.RESUMED)


def choices(order: Order, recipient: Recipient, some: Iterable[Report], *, today: date) -> tuple[Wanted, ...]:
    """
    The reports it may file now, the one that is most likely meant first: the last that was asked for and is missing,
    then today's, then what was filed before and may be filed anew.
    """
    if not reports(recipient):
        return ()
    mine = sorted(some, key=lambda one: one.day, reverse=True)
    if order.status in LIVE:
        wanted = [one.wanted for one in mine if one.paper is Paper.DAILY]
        missing = [one.wanted for one in mine if one.paper is Paper.DAILY and one.filed_at is None]
        return tuple(dict.fromkeys((*missing, Wanted(Paper.DAILY, today), *wanted)))
    return tuple(one.wanted for one in mine if one.paper is Paper.SUMMARY or one.filed_at is None)


def figures_in(said: Mapping[str, str]) -> dict[str, int]:
    """
    The figures of a form; one that is left out is not nought.

    :raises BadFigure: one is no whole number of things, or more was put right than found
    """
    found: dict[str, int] = {}
    for name in FIGURES:
        typed = said.get(name, "").strip()
        if not typed:
            continue
        if not (typed.isascii() and typed.isdigit() and int(typed) <= MOST):
            raise BadFigure(f"{name} is {typed[:20]!r}, not a count")
        found[name] = int(typed)
    if found.get("corrected", 0) > found.get("problems", MOST):
        raise BadFigure("more was corrected than found")
    return found


def filed(
    report: Report, *, words: str, figures: Mapping[str, int], by: str, via: str, now: datetime
) -> Report:
    """
    The report with what its recipient says; said again, the last word holds.

    :raises NoWords: it says nothing
    """
    if not words.strip():
        raise NoWords("a report needs its words")
    return replace(report, filed_at=now, filed_by=by, via=via, words=words.strip(), figures=dict(figures))


def missing(some: Sequence[Report]) -> tuple[Report, ...]:
    """Those that were asked for and did not come."""
    return tuple(one for one in some if one.asked_at is not None and one.filed_at is None)
