"""What forecasts were worth: each predicted day beside what was measured, counted by source and days ahead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from itertools import groupby
from typing import Final

from emergency.domain.forecast import Forecast, Observation

SHANGHAI: Final = timezone(timedelta(hours=8))
THRESHOLDS: Final = (100, 150, 200, 300)
"""Daily AQI a day must exceed to count as an event: the bounds of HJ 633's categories, where plans set their marks."""
FEWEST: Final = 10  # days below which figures are shown with the word that they decide nothing yet; set by us
FARTHEST: Final = 14  # days ahead; no source we know says more


@dataclass(frozen=True)
class Measured:
    """A day as it was measured, when it was over."""

    aqi: int
    primary: tuple[str, ...] = ()


@dataclass(frozen=True)
class VerifiedDay:
    """
    What a source said of a day ``lead_days`` before it, and what came.

    ``persistence_aqi`` is the day of issue as measured; None when that was not measured.
    """

    feed: str
    place: str
    day: date
    lead_days: int
    issued_at: datetime
    forecast_aqi: int
    observed_aqi: int
    forecast_low: int | None = None
    forecast_high: int | None = None
    forecast_primary: tuple[str, ...] = ()
    observed_primary: tuple[str, ...] = ()
    persistence_aqi: int | None = None

    @property
    def error(self) -> int:
        """Forecast less observed: positive = the source said worse than came."""
        return self.forecast_aqi - self.observed_aqi

    @property
    def key(self) -> tuple[str, date, int]:
        """What tells one from another at a place."""
        return self.feed, self.day, self.lead_days


@dataclass(frozen=True)
class Contingency:
    """
    The four counts of one threshold: said and came, came unsaid, said and did not come, neither.

    A ratio over nothing cannot be computed and is None, never 0.
    """

    over: int
    hits: int
    misses: int
    false_alarms: int
    correct_rejections: int

    @property
    def pod(self) -> float | None:
        """Probability of detection: hits / (hits + misses)."""
        return _ratio(self.hits, self.hits + self.misses)

    @property
    def far(self) -> float | None:
        """False alarm ratio: false alarms / (hits + false alarms)."""
        return _ratio(self.false_alarms, self.hits + self.false_alarms)

    @property
    def csi(self) -> float | None:
        """Critical success index: hits / (hits + misses + false alarms)."""
        return _ratio(self.hits, self.hits + self.misses + self.false_alarms)


@dataclass(frozen=True)
class Figures:
    """
    What one source was worth so many days ahead; every figure with the days it was counted on.

    ``bias``: mean of forecast - observed. ``mae``: mean of its size. ``primary_hit_rate``: share of the days on which
    both named a primary pollutant and named one in common. ``skill``: 1 - MAE / MAE of persistence, both over the same
    ``skill_days``; None without such days, or where persistence made no error at all. ``in_range``: share of the days
    with a range whose measured AQI lay inside it, bounds included.
    """

    feed: str
    lead_days: int
    days: int
    bias: float
    mae: float
    bands: tuple[Contingency, ...]
    primary_hit_rate: float | None
    primary_days: int
    skill: float | None
    skill_days: int
    in_range: float | None
    range_days: int

    @property
    def enough(self) -> bool:
        """Whether there are days enough to speak of more than chance."""
        return self.days >= FEWEST

    def band(self, over: int) -> Contingency:
        """The counts of this threshold."""
        return next(one for one in self.bands if one.over == over)


def measured(observations: Iterable[Observation], *, until: date) -> dict[date, Measured]:
    """
    Each day before ``until`` as measured; of two feeds the worse, as the rule takes it.

    A day whose index could not be had is left out, and the day under way is not over: neither is verified.
    """
    found: dict[date, Measured] = {}
    for one in observations:
        day = one.at.astimezone(SHANGHAI).date()
        if one.period != "day" or one.aqi is None or day >= until:
            continue
        if day not in found or found[day].aqi < one.aqi:
            found[day] = Measured(one.aqi, tuple(one.primary))
    return found


def verified(
    place: str, forecasts: Sequence[Forecast], came: Mapping[date, Measured], *, by_hour: int
) -> list[VerifiedDay]:
    """
    Every predicted day that was measured, once for each source and number of days ahead.

    Of several issues of one day the last before ``by_hour`` o'clock (Asia/Shanghai) counts, in its last revision known
    by then: what the desk had in hand when it decided, for a correction of an earlier issue takes no later one's place.
    Where a source had said nothing by then, the first it said afterwards counts. A forecast for its own day of issue is
    no forecast and is left out. A correction counts from when it came, for the day of its issue: one that came after
    the hour makes no source better than it was.
    """
    chosen: dict[tuple[str, date], Forecast] = {}
    for one in sorted(forecasts, key=lambda one: one.said_at):
        chosen.setdefault((one.feed, _issued_on(one)), one)
    for one in sorted(forecasts, key=lambda one: (one.issued_at, one.said_at)):
        said_at = one.said_at.astimezone(SHANGHAI)
        if said_at.date() == _issued_on(one) and said_at.hour < by_hour:
            chosen[one.feed, _issued_on(one)] = one
    found = [
        VerifiedDay(
            feed=feed,
            place=place,
            day=said.day,
            lead_days=(said.day - issued_on).days,
            issued_at=one.issued_at,
            forecast_aqi=said.aqi,
            observed_aqi=came[said.day].aqi,
            forecast_low=said.aqi_low,
            forecast_high=said.aqi_high,
            forecast_primary=tuple(said.primary),
            observed_primary=came[said.day].primary,
            persistence_aqi=came[issued_on].aqi if issued_on in came else None,
        )
        for (feed, issued_on), one in chosen.items()
        for said in one.days
        if said.day in came and 1 <= (said.day - issued_on).days <= FARTHEST
    ]
    return sorted({one.key: one for one in found}.values(), key=lambda one: one.key)


def _issued_on(one: Forecast) -> date:
    return one.issued_at.astimezone(SHANGHAI).date()


def figures(days: Iterable[VerifiedDay]) -> tuple[Figures, ...]:
    """The figures of each source for each number of days ahead; nothing where nothing was verified."""

    def group(one: VerifiedDay) -> tuple[str, int]:
        return one.feed, one.lead_days

    return tuple(_figures(feed, lead, list(some)) for (feed, lead), some in groupby(sorted(days, key=group), key=group))


def _figures(feed: str, lead: int, days: Sequence[VerifiedDay]) -> Figures:
    named = [one for one in days if one.forecast_primary and one.observed_primary]
    agreed = [one for one in named if set(one.forecast_primary) & set(one.observed_primary)]
    ranged = [(one.forecast_low, one.observed_aqi, one.forecast_high) for one in days]
    inside = [low <= came <= high for low, came, high in ranged if low is not None and high is not None]
    lasting = [one.persistence_aqi - one.observed_aqi for one in days if one.persistence_aqi is not None]
    beside = [one.error for one in days if one.persistence_aqi is not None]
    return Figures(
        feed=feed,
        lead_days=lead,
        days=len(days),
        bias=sum(one.error for one in days) / len(days),
        mae=_mae([one.error for one in days]),
        bands=tuple(_counted(over, days) for over in THRESHOLDS),
        primary_hit_rate=_ratio(len(agreed), len(named)),
        primary_days=len(named),
        skill=1 - _mae(beside) / _mae(lasting) if any(lasting) else None,
        skill_days=len(lasting),
        in_range=_ratio(sum(inside), len(inside)),
        range_days=len(inside),
    )


def _counted(over: int, days: Sequence[VerifiedDay]) -> Contingency:
    pairs = [(one.forecast_aqi > over, one.observed_aqi > over) for one in days]
    return Contingency(
        over,
        hits=pairs.count((True, True)),
        misses=pairs.count((False, True)),
        false_alarms=pairs.count((True, False)),
        correct_rejections=pairs.count((False, False)),
    )


def _mae(errors: Sequence[int]) -> float:
    return sum(abs(one) for one in errors) / len(errors)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
