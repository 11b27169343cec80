"""Hours of air into adjoining 24-h windows, one row for each hour they may be anchored at, and into days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import accumulate
from math import ceil, lcm

from emergency.domain.air import (
    HIGHEST,
    POLLUTANTS,
    Amount,
    Period,
    Standard,
    as_written,
    index,
    standard_for,
    trigger_aqi,
)
from emergency.domain.air_daily import HOURS, DayOfValues, Hour, Stamp, daily
from emergency.domain.assessment import SHANGHAI
from emergency.domain.causes import figure, foreseen
from emergency.domain.forecast import Air, Cause, DayOfAir, Forecast, ForecastDay, Observation, Source

COUNTED = ("pm2_5", "pm10", "so2", "no2", "co")  # ozone gets a health notice and starts no orders (环大气〔2024〕6号)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class HourOfAir:
    """One hour of the run, ``at`` its end; ``values`` in µg/m³ and CO in mg/m³, and who says so."""

    at: datetime
    values: Mapping[str, float]
    source: Source
    feed: str = ""
    issued_at: datetime | None = None


def hours_joined(
    observed: Iterable[Observation], forecasts: Iterable[Forecast], *, now: datetime
) -> tuple[HourOfAir, ...]:
    """
    The measured hours up to ``now`` joined to what one source said of all others, oldest first, each hour once.

    ``forecasts`` are those of ONE source, oldest first: what it said last of an hour stands. Of two feeds that
    measured the same hour the one with more fine particles stands, as with days.
    """
    said = {
        hour.at: HourOfAir(hour.at, hour.values, Source.FORECAST, one.feed, one.issued_at)
        for one in forecasts
        for hour in one.hours
    }
    seen: dict[datetime, HourOfAir] = {}
    for one in observed:
        if one.period != "hour" or one.at > now or not one.values:
            continue
        told = HourOfAir(one.at, one.values, Source.OBSERVED, one.feed)
        if one.at not in seen or _fine(seen[one.at]) < _fine(told):
            seen[one.at] = told
    return tuple(hour for _, hour in sorted({**said, **seen}.items()))


def _fine(hour: HourOfAir) -> float:
    return hour.values.get("pm2_5", -1.0)


def windows(
    hours: Sequence[HourOfAir],
    standards: Sequence[Standard],
    *,
    causes: Mapping[date, Cause] | None = None,
    margins: Mapping[date, int] | None = None,
    anchors: Sequence[int] = range(HOURS),
) -> tuple[tuple[DayOfAir, ...], ...]:
    """
    For each anchor, an hour of the day, the adjoining, non-overlapping 24-h windows that begin at it; () without hours.

    A window is named by the day it begins on, and valued as a day is: 24-h means with the edition's completeness
    (HJ 663: 20 hours), ozone left out, the edition in force on the day it begins. A window without enough hours is
    left out: unknown, neither clean nor bad. ``causes`` says what drives a calendar day; a window takes that of the
    day with most of its hours, and of two halves the one driven by fine particles, else the first. ``margins`` says how
    far the upper bound of a forecast day lies above its index; a window's bound lies above its own by the margins of
    its days, each by the share of the window's hours that are foreseen and lie in that day, rounded up: what was
    measured is no longer uncertain. A window is observed only when all of its hours are.
    """
    if not hours or not standards:
        return ()
    laid = _Laid(hours)
    days = [laid.first + timedelta(days=n) for n in range(-1, len(laid.present) // HOURS)]
    return tuple(
        tuple(found for day in days if (found := _window(day, anchor, laid, standards, causes or {}, margins or {})))
        for anchor in anchors
    )


class _Laid:
    """
    The hours laid on one row from 00:00 of the first day, with sums from its beginning.

    Windows of all anchors share their hours, so each hour is added once; sums are whole numbers over one
    denominator, and every mean is exact.
    """

    def __init__(self, hours: Sequence[HourOfAir]) -> None:
        begins = {hour.at.astimezone(SHANGHAI) - _HOUR: hour for hour in hours}
        self.first = min(begins).date()
        origin = datetime(self.first.year, self.first.month, self.first.day, tzinfo=SHANGHAI)
        places = {at: divmod(at - origin, _HOUR) for at in begins}
        spoken = {place: begins[at] for at, (place, over) in places.items() if not over}  # off the hour: nobody's
        length = ((max(begins).date() - self.first).days + 1) * HOURS
        self.present: list[HourOfAir | None] = [spoken.get(place) for place in range(length)]
        self.counts = [0, *accumulate(hour is not None for hour in self.present)]
        self.foreseen = [0, *accumulate(hour is not None and hour.source is Source.FORECAST for hour in self.present)]
        self.sums = {
            name: _summed([hour.values.get(name) if hour else None for hour in self.present]) for name in COUNTED
        }

    def hours(self, first: int) -> int:
        """How many hours the window has that begins at this place of the row."""
        return self._between(self.counts, first, first + HOURS)

    def foreseen_hours(self, first: int, *, anchor: int) -> tuple[int, int]:
        """How many of the window's hours are foreseen: of the day it begins on, and of the next."""
        midnight = first + HOURS - anchor
        return self._between(self.foreseen, first, midnight), self._between(self.foreseen, midnight, first + HOURS)

    def mean(self, name: str, first: int, *, at_least: int) -> Fraction | None:
        """The window's mean, exact; None with fewer measured hours than that."""
        sums, counts, over = self.sums[name]
        count, total = (self._between(some, first, first + HOURS) for some in (counts, sums))
        return Fraction(total, count * over) if count and count >= at_least else None

    def told(self, first: int) -> HourOfAir:
        """The hour that speaks for the window: its last foreseen one, else its last."""
        inside = [hour for hour in self.present[max(first, 0) : first + HOURS] if hour is not None]
        return next((one for one in reversed(inside) if one.source is Source.FORECAST), inside[-1])

    def _between(self, sums: Sequence[int], first: int, until: int) -> int:
        end = len(self.present)
        return sums[min(max(until, 0), end)] - sums[min(max(first, 0), end)]


def _summed(values: Sequence[float | None]) -> tuple[list[int], list[int], int]:
    """Running sums as whole numbers over one denominator, and running counts."""
    ratios = [None if one is None else as_written(one).as_integer_ratio() for one in values]
    over = lcm(*{ratio[1] for ratio in ratios if ratio})
    wholes = (ratio[0] * (over // ratio[1]) if ratio else 0 for ratio in ratios)
    return [0, *accumulate(wholes)], [0, *accumulate(ratio is not None for ratio in ratios)], over


def _window(
    day: date,
    anchor: int,
    laid: _Laid,
    standards: Sequence[Standard],
    causes: Mapping[date, Cause],
    margins: Mapping[date, int],
) -> DayOfAir | None:
    first = (day - laid.first).days * HOURS + anchor
    standard = standard_for(day, standards)
    enough = standard.completeness.hours_for_mean
    if laid.hours(first) < enough:
        return None
    means = {name: laid.mean(name, first, at_least=enough) for name in COUNTED}
    found = valued(day, means, standard, cause=driver(day, anchor, causes), told=laid.told(first))
    if found is None or not margins:
        return found
    foreseen_hours = laid.foreseen_hours(first, anchor=anchor)
    return replace(found, aqi_high=_bound(found, foreseen_hours, laid.hours(first), margins))


def valued(
    day: date, means: Mapping[str, Fraction | None], standard: Standard, *, cause: Cause, told: HourOfAir
) -> DayOfAir | None:
    """The window of these means, in the words of the hour that speaks for it; None where they make no index."""
    found = index(standard, means, period=Period.DAY)
    aqi = trigger_aqi(standard, found, sand_dust=cause is Cause.SAND_DUST)
    if aqi is None:
        return None
    fine = means["pm2_5"]
    return DayOfAir(
        day=day,
        aqi=aqi,
        source=told.source,
        primary=tuple(name for name in COUNTED if found.iaqi.get(name) == aqi) if aqi > standard.primary_over else (),
        cause=cause,
        pm2_5=None if fine is None else round(float(fine), 1),
        feed=told.feed,
        issued_at=told.issued_at,
    )


def _bound(
    window: DayOfAir, foreseen_hours: tuple[int, int], hours: int, margins: Mapping[date, int]
) -> int | None:
    """The upper bound of a window; None where no foreseen hour of it lies in a day that has one."""
    of_days = zip((window.day, window.day + timedelta(days=1)), foreseen_hours, strict=True)
    shares = [margins[day] * count for day, count in of_days if count and day in margins]
    return min(HIGHEST, window.aqi + ceil(Fraction(sum(shares), hours))) if shares else None


def driver(day: date, anchor: int, causes: Mapping[date, Cause]) -> Cause:
    """What drives the window that begins on this day at this hour; :func:`windows` says how."""
    return causes.get(_speaking(day, anchor, causes), Cause.PM2_5)


def _speaking(day: date, anchor: int, causes: Mapping[date, Cause]) -> date:
    """The calendar day that speaks for a window: the one with most of its hours, of two halves as ``windows`` says."""
    after = day + timedelta(days=1)
    if anchor * 2 == HOURS:
        fine = [one for one in (day, after) if causes.get(one, Cause.PM2_5) is Cause.PM2_5]
        return fine[0] if fine else day
    return day if anchor * 2 < HOURS else after


def margins_of(days: Iterable[DayOfAir]) -> dict[date, int]:
    """How far the upper bound of each day that has one, not ozone's, lies above its index."""
    bounds = ((one, one.aqi_high) for one in days if not one.high_is_ozones)
    return {one.day: max(0, high - one.published) for one, high in bounds if high is not None}


def anchored(air: Air, hours: Sequence[HourOfAir], standards: Sequence[Standard]) -> Air:
    """
    The same air with its rows of windows.

    The row anchored at 00:00 is filled with the calendar days that have no hours: they are windows too, so that a
    day which only a daily forecast reaches is still judged.
    """
    causes, days = {one.day: one.cause for one in air.days}, {one.day: one for one in air.days}
    rows = windows(hours, standards, causes=causes, margins=margins_of(air.days))
    if not rows:
        return air
    rows = tuple(
        tuple(_beside(one, days.get(_speaking(one.day, anchor, causes))) for one in row)
        for anchor, row in enumerate(rows)
    )
    filled = tuple(one for _, one in sorted({**days, **{one.day: one for one in rows[0]}}.items()))
    return replace(air, anchored=(filled, *rows[1:]))


def _beside(window: DayOfAir, day: DayOfAir | None) -> DayOfAir:
    """
    The window with what the day that speaks for it has besides a figure: who set its cause, and its published index
    where ozone or dust is left out of the window's own; its upper bound, of what counts till then, goes with that.
    """
    if day is not None and day.said_by:
        window = replace(window, said_by=day.said_by)
    if day is None or day.overall is None or day.overall <= window.aqi:
        return window
    high = None if window.aqi_high is None else day.overall + window.aqi_high - window.aqi
    return replace(window, overall=day.overall, primary=day.primary, aqi_high=high)


def days_of(hours: Iterable[HourOfAir], standards: Sequence[Standard]) -> tuple[ForecastDay, ...]:
    """The calendar days these hours make by the daily method, with what drives each; none without an index."""
    whole = [Hour(one.at, _exact(one)) for one in hours if not one.at.minute and not one.at.second]
    found = (_made(one) for one in daily(whole, standards, stamped=Stamp.END))
    return tuple(one for one in found if one is not None)


def with_days(forecast: Forecast, standards: Sequence[Standard]) -> Forecast:
    """The forecast of a source that gives hours only, with the days they make by the daily method; others as given."""
    if forecast.days or not forecast.hours or not standards:
        return forecast
    return replace(forecast, days=days_of(hours_joined((), [forecast], now=forecast.issued_at), standards))


def _exact(hour: HourOfAir) -> dict[str, Amount]:
    return {name: as_written(value) for name, value in hour.values.items() if name in POLLUTANTS}


def _made(one: DayOfValues) -> ForecastDay | None:
    exact = {name: value for name, value in one.values.items() if value is not None}
    found = figure(one.standard, exact)
    values = {name: float(value) for name, value in exact.items()}
    return foreseen(one.day, found, values)
