"""Daily reports and summaries on the pages: the form of a phone or of the portal, and what the desk sees of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from emergency.domain.episode import Episode
from emergency.domain.reporting import FIGURES, Paper, Report, Wanted, choices, figures_in, missing
from emergency.services import rebroadcasting
from emergency.services.reporting import Filing
from emergency.services.rules import Rules
from emergency.store import Tx
from emergency.store import reporting as kept
from emergency.store.portal import OrderSheet
from emergency.web import showing
from emergency.web.words import N_, _

DAYS_SHOWN: Final = 7
COUNTED: Final[Mapping[str, str]] = {
    "inspected": N_("检查数"),
    "problems": N_("发现问题数"),
    "corrected": N_("已整改数"),
}


@dataclass(frozen=True)
class Form:
    """What a unit may file now, the likeliest first; what it has filed; and what it typed, where that was refused."""

    choices: tuple[tuple[str, str], ...]  # value, words
    filed: tuple[Report, ...]
    missing: tuple[Report, ...]
    typed: Mapping[str, str]


@dataclass(frozen=True)
class Sheet:
    """The reports of one day, or the summaries, as the desk sees them."""

    paper: Paper
    day: date
    filed: tuple[Report, ...]
    missing: tuple[Report, ...]

    @property
    def wanted(self) -> Wanted:
        """Which report of which day it is."""
        return Wanted(self.paper, self.day)


@dataclass(frozen=True)
class Desk:
    """What is repeated and reported in one episode; ``again_every`` None: its plan repeats nothing."""

    sheets: tuple[Sheet, ...]
    names: Mapping[str, str]  # recipient id → name
    again_every: timedelta | None
    again_times: int
    again_at: datetime | None


def said_of(wanted: Wanted) -> str:
    """Which report it is, in words."""
    day = wanted.day.isoformat()
    return _("%(day)s 日报", day=day) if wanted.paper is Paper.DAILY else _("总结（%(day)s 前）", day=day)


def counted(report: Report) -> str:
    """The figures of a report in words; nothing where it gives none."""
    return " · ".join(f"{_(COUNTED[name])} {report.figures[name]}" for name in FIGURES if name in report.figures)


def form_of(tx: Tx, sheet: OrderSheet, typed: Mapping[str, str]) -> Form:
    """The form of one order for its reader."""
    some = kept.of_order(tx, sheet.order.id)
    may = choices(sheet.order, sheet.recipient, some, today=showing.local(showing.now()).date())
    return Form(
        choices=tuple((one.word, said_of(one)) for one in may),
        filed=tuple(one for one in some if one.filed_at is not None),
        missing=missing(some),
        typed={name: typed.get(name, "")[:20] for name in ("of", *FIGURES)},
    )


def filing_in(form: Mapping[str, str], *, revision: int, words: str) -> Filing:
    """
    The report a form carries.

    :raises BadFigure: a figure counts nothing
    """
    return Filing(form.get("of", "")[:30], revision, words, figures_in(form))


def on_the_desk(tx: Tx, rules: Rules, episode: Episode) -> Desk:
    """What is repeated and reported in this episode: the last days, each with what came and what is missing."""
    some = kept.of_episode(tx, episode.id)
    shown = list(dict.fromkeys((one.paper, one.day) for one in some))[:DAYS_SHOWN]
    whom = tx.recipients_called({one.recipient_id for one in some})
    again = kept.broadcasts(tx, episode.id)
    return Desk(
        sheets=tuple(
            Sheet(
                paper,
                day,
                tuple(one for one in some if (one.paper, one.day) == (paper, day) and one.filed_at is not None),
                missing([one for one in some if (one.paper, one.day) == (paper, day)]),
            )
            for paper, day in shown
        ),
        names={str(one.id): one.name for one in whom},
        again_every=rebroadcasting.every(rules, episode),
        again_times=again.times,
        again_at=again.last_at,
    )
