"""Planned reduction against what the plan asks of the area's whole emission; without a base nobody can say."""

from __future__ import annotations

from calendar import isleap
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from math import isfinite
from typing import Final

from emergency.domain.arithmetic import EXACT
from emergency.domain.level import Level
from emergency.domain.plan import Plan
from emergency.domain.reduction.columns import POLLUTANTS
from emergency.errors import Refused

PAIR: Final = ("so2", "nox")  # what may stand in for each other (环办大气函〔2019〕648号)
OLDEST: Final = 2000  # the first year an inventory is taken from
LONGEST: Final = 200  # characters of a source or a reason


class Unit(StrEnum):
    """In what an inventory gives an amount."""

    TONNES_A_YEAR = "t/a"
    KG_A_DAY = "kg/d"


@dataclass(frozen=True)
class Base:
    """
    The area's whole emission (全社会排放量) of one pollutant, of which year, and who says so.

    ``amount`` is as the inventory has it; None takes an earlier word back.
    """

    area: str
    pollutant: str
    year: int
    amount: float | None
    unit: Unit
    source: str
    by: str
    at: datetime

    @property
    def kg_per_day(self) -> float | None:
        """The mean of a day of its year in kg: t/a × 1000 ÷ the days of the year."""
        if self.amount is None or self.unit is Unit.KG_A_DAY:
            return self.amount
        return self.amount * 1000 / (366 if isleap(self.year) else 365)


class OddBase(Refused):
    """A base that cannot be meant."""

    words_zh = "排放基数填写有误"


def checked(base: Base, *, today: date) -> Base:
    """
    The base as it may be kept.

    :raises OddBase: no such pollutant, an amount that is none or not above zero, a year before 2000 or to come, or no
        source
    """
    if base.pollutant not in POLLUTANTS:
        raise OddBase(f"no pollutant is called {base.pollutant!r}", zh="请选择污染物")
    if base.amount is not None and not (isfinite(base.amount) and 0 < base.amount < 1e12):
        raise OddBase("the amount must be above zero; leave out what is not known", zh="排放量须大于零；不清楚的不要填")
    if not OLDEST <= base.year <= today.year:
        raise OddBase(f"the year must lie between {OLDEST} and {today.year}", zh=f"年份须在{OLDEST}至{today.year}之间")
    if not base.source.strip() or len(base.source.strip()) > LONGEST:
        raise OddBase(f"a source of 1 to {LONGEST} characters", zh=f"请写明来源或理由，不超过 {LONGEST} 字")
    return base


class Reach(StrEnum):
    """Whether the planned reduction comes to what the plan asks."""

    REACHED = "reached"
    SHORT = "short"
    UNKNOWN = "unknown"


class Doubt(StrEnum):
    """Why nobody can say."""

    NO_LIST = "no_list"
    NO_BASE = "no_base"
    NO_RATE = "no_rate"  # the plan asks for no share at this level
    NO_FIGURE = "no_figure"  # no measure of the list came to an amount
    OVER = "over"  # more is planned than is emitted: one of both is wrong
    PARTNER = "partner"  # the other of SO2 and NOx may stand in, and its base is not known


@dataclass(frozen=True)
class Judged:
    """
    One pollutant at one level: amounts in kg/d, shares in percent of the base, None where not known.

    ``gap``: what is missing to what is asked, None where it is reached or not known; ``together``: reached because the
    shares of SO2 and NOx add up to those asked for both.
    """

    level: str
    pollutant: str
    reach: Reach
    because: Doubt | None = None
    planned: float | None = None
    base: Base | None = None
    pct: float | None = None
    asked_pct: float | None = None
    asked: float | None = None
    gap: float | None = None
    together: bool = False


def judge(
    plan: Plan, level: str, kg: Mapping[str, float], bases: Mapping[str, Base], *, listed: bool = True
) -> tuple[Judged, ...]:
    """
    Each pollutant at this level against the plan's share of its base.

    Where the plan lets SO2 and NOx stand in for each other, both are reached when the sum of their shares is not below
    the sum asked for both. ``listed``: whether a list is in force at all.
    """
    asked = plan.reductions.get(Level.named(level), {})
    found = {one: _judged(level, one, kg.get(one), bases.get(one), asked.get(one), listed) for one in POLLUTANTS}
    if plan.substitutes:
        found |= _together(*(found[one] for one in PAIR))
    return tuple(found.values())


def _judged(
    level: str, name: str, kg: float | None, base: Base | None, asked_pct: float | None, listed: bool
) -> Judged:
    whole = base.kg_per_day if base else None
    pct = None if kg is None or whole is None else 100 * kg / whole
    asked = None if asked_pct is None or whole is None else whole * asked_pct / 100
    doubt = (
        Doubt.NO_LIST if not listed
        else Doubt.NO_RATE if asked_pct is None
        else Doubt.NO_BASE if whole is None
        else Doubt.NO_FIGURE if kg is None
        else Doubt.OVER if kg > whole * (1 + EXACT)
        else None
    )  # fmt: skip
    gap, reach = None, Reach.UNKNOWN
    if doubt is None and kg is not None and asked is not None:
        reach = Reach.REACHED if kg >= asked * (1 - EXACT) else Reach.SHORT
        gap = asked - kg if reach is Reach.SHORT else None
    return Judged(level, name, reach, doubt, kg, base, pct, asked_pct, asked, gap)


def _together(one: Judged, other: Judged) -> dict[str, Judged]:
    """The pair by the sum of its shares; where one is not known, the other cannot be called short."""
    pair = {each.pollutant: each for each in (one, other)}
    if Reach.UNKNOWN in (one.reach, other.reach):
        return {
            name: replace(each, reach=Reach.UNKNOWN, because=Doubt.PARTNER, gap=None)
            if each.reach is Reach.SHORT
            else each
            for name, each in pair.items()
        }
    shares = (one.pct or 0) + (other.pct or 0)
    if shares < ((one.asked_pct or 0) + (other.asked_pct or 0)) * (1 - EXACT):
        return pair
    return {
        name: replace(each, reach=Reach.REACHED, gap=None, together=each.reach is not Reach.REACHED)
        for name, each in pair.items()
    }
