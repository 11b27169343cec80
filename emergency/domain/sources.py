"""What each source says of the coming days, side by side and never averaged, and where they do not agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from emergency.domain.assess import assess, highest, ongoing
from emergency.domain.assessment import SHANGHAI
from emergency.domain.causes import is_open
from emergency.domain.forecast import Air, DayOfAir, Forecast, Source
from emergency.domain.level import Level
from emergency.domain.plan import Plan, RunsOn
from emergency.errors import Refused


@dataclass(frozen=True)
class DaySaid:
    """
    One day as one source foresees it; ``level`` is what the plan gives this day alone, None where it cannot say.
    ``cause_open``: the source does not say enough to know what drives it, and a person should.
    """

    day: DayOfAir
    low: int | None
    level: Level | None
    cause_open: bool = False


@dataclass(frozen=True)
class SourceSays:
    """
    One source: when it was issued, its coming days, and the level its whole run gives under the plan.

    ``level`` is None where the plan refuses to judge it. ``decides``: the rule's verdict is this source's. ``late``:
    nothing newer came in the day before the last hour by which a forecast is to be out; a correction of an old issue is
    no newer one. ``corrected_at``: when what it says now came in the place of what was first issued.
    """

    feed: str
    label: str
    issued_at: datetime
    confidence: float | None
    days: Mapping[date, DaySaid]
    level: Level | None
    decides: bool = False
    late: bool = False
    corrected_at: datetime | None = None


@dataclass(frozen=True)
class Sources:
    """The sources of an area; ``apart`` are the days on which those that speak of it give different levels."""

    days: tuple[date, ...]
    says: tuple[SourceSays, ...]
    apart: tuple[date, ...]
    by_hour: int | None = None

    @property
    def disagree(self) -> bool:
        """Whether the whole runs of two sources give different levels."""
        return len({one.level for one in self.says if one.level is not None}) > 1


def is_late(issued_at: datetime, *, by_hour: int, now: datetime) -> bool:
    """Whether a source that owes a forecast each day by this hour (Asia/Shanghai) missed the last one."""
    here = now.astimezone(SHANGHAI)
    due = here.replace(hour=by_hour, minute=0, second=0, microsecond=0)
    if due > here:
        due -= timedelta(days=1)
    return issued_at <= due - timedelta(days=1)


def is_behind(newest: datetime, *, period: str, within_hours: int, now: datetime) -> bool:
    """
    Whether measurements stand still: ``newest`` is the end of the newest ``period`` a source gave.

    A source of hours owes each within so many hours of its end; one that gives days only owes one a day besides.
    """
    return now - newest > timedelta(hours=within_hours, days=period == "day")


def beside(
    plan: Plan, some: Sequence[tuple[Forecast, Air]], *, today: date, now: datetime, by_hour: int | None = None
) -> Sources:
    """
    Each source with its own joined run, judged by itself, as the rule judges it: the first with the highest level
    decides, and the others stay to be seen. ``by_hour``: when a day's forecast is to be out; None: nobody is late.
    """
    says = [_one(plan, forecast, air, today=today, now=now) for forecast, air in some]
    judged = [one for one in says if one.level is not None]
    decides = max(judged, key=lambda one: one.level or Level.NONE, default=None)
    days = tuple(sorted({day for one in says for day in one.days}))
    apart = tuple(
        day for day in days
        if len({said.level for one in says if (said := one.days.get(day)) and said.level is not None}) > 1
    )  # fmt: skip
    told = (
        replace(
            one,
            decides=one is decides,
            late=by_hour is not None and is_late(one.issued_at, by_hour=by_hour, now=now),
        )
        for one in says
    )
    return Sources(days, tuple(told), apart, by_hour)


def _one(plan: Plan, forecast: Forecast, air: Air, *, today: date, now: datetime) -> SourceSays:
    by_day = replace(plan, runs_on=RunsOn.CALENDAR_DAYS)  # one calendar day is a window of 24 hours under any plan
    low = {one.day: one.aqi_low for one in forecast.days}
    cause_open = {one.day for one in forecast.days if is_open(one)}
    days = {
        one.day: DaySaid(one, low.get(one.day), _alone(by_day, one), one.day in cause_open)
        for one in air.days
        if one.day >= today and one.source is Source.FORECAST
    }
    try:
        level: Level | None = assess(plan, ongoing(plan, air, today=today, now=now)).level
    except Refused:  # the rule says why beside the table; here it is a level that is not known
        level = None
    return SourceSays(
        forecast.feed, forecast.label, forecast.issued_at, forecast.confidence, days, level,
        corrected_at=forecast.corrected_at,
    )  # fmt: skip


def _alone(plan: Plan, day: DayOfAir) -> Level | None:
    try:
        return highest(plan, Air("", (day,)))
    except Refused:
        return None
