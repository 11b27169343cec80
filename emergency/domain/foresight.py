"""The air of one place as it was measured, and whoever says on an evening what the next days will be."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Protocol

from emergency.domain import replay_hours as by_hour
from emergency.domain.assessment import SHANGHAI
from emergency.domain.forecast import DayOfAir, Source
from emergency.domain.replay_hours import Hourly, Rows
from emergency.domain.windows import HourOfAir, margins_of

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Past:
    """
    The air of one place as it was measured.

    ``days``: in the order of the calendar, each with the AQI that triggers (without ozone); a day nobody has figures
    for is absent. ``hours``: where hours were measured, the 24 hourly indices of a day, None = missing. ``first`` and
    ``last``: the span looked at, where it is longer than the days that have figures. ``hourly``: the same air in 24-h
    windows, for a plan that runs on any 24 hours; of no use to others.
    """

    place: str
    days: tuple[DayOfAir, ...]
    hours: Mapping[date, tuple[int | None, ...]] = field(default_factory=dict)
    first: date | None = None
    last: date | None = None
    hourly: Hourly = field(default_factory=Hourly)


class Foresight(Protocol):
    """Whoever says on an evening what the next days will be."""

    @property
    def name(self) -> str:
        """How it is called in the answer: perfect, persistence, or the archive's name."""

    def ahead(self, today: DayOfAir | None, *, at: datetime, days: int) -> tuple[DayOfAir, ...]:
        """
        The days foreseen at this instant, in order and marked FORECAST; it may know fewer than ``days`` after today.

        ``today`` is the day under way as measured, None where it was not.
        """

    def rows_ahead(self, past: Hourly, *, at: datetime, days: int) -> Rows:
        """For each anchor the windows from the one under way on: measured up to this instant, foreseen after it."""


class Perfect:
    """Foresight of what really came: the rule alone is tried, and no forecaster's error."""

    name = "perfect"

    def __init__(self, past: Past) -> None:
        self._days = {one.day: replace(one, source=Source.FORECAST, feed=self.name) for one in past.days}
        self._rows = by_hour.as_foreseen(past.hourly.rows, feed=self.name)

    def ahead(self, today: DayOfAir | None, *, at: datetime, days: int) -> tuple[DayOfAir, ...]:
        """The days as they were measured later; none after the last of them."""
        first = at.astimezone(SHANGHAI).date()
        wanted = (first + timedelta(days=n) for n in range(1, days + 1))
        return tuple(self._days[day] for day in wanted if day in self._days)

    def rows_ahead(self, past: Hourly, *, at: datetime, days: int) -> Rows:
        """The windows as they were measured later."""
        return by_hour.cut(self._rows, at=at)


class Persistence:
    """Tomorrow is as today: the forecast anybody can make, and the floor every real one has to beat."""

    name = "persistence"

    def ahead(self, today: DayOfAir | None, *, at: datetime, days: int) -> tuple[DayOfAir, ...]:
        """Today repeated; nothing where today was not measured."""
        if today is None:
            return ()
        return tuple(
            replace(today, day=today.day + timedelta(days=n), source=Source.FORECAST, feed=self.name)
            for n in range(1, days + 1)
        )

    def rows_ahead(self, past: Hourly, *, at: datetime, days: int) -> Rows:
        """The last 24 hours repeated."""
        return by_hour.repeated_rows(past, at=at, days=days, feed=self.name)


class Archived:
    """
    Forecasts as they were issued then, by the instant of issue.

    An evening takes the newest one of the last 24 hours: an older one is yesterday's opinion, and a forecaster who
    said nothing today foresaw nothing.
    """

    def __init__(
        self,
        name: str,
        issued: Mapping[datetime, Sequence[DayOfAir]],
        hours: Mapping[datetime, Sequence[HourOfAir]] | None = None,
    ) -> None:
        self.name = name
        self._hours = hours or {}
        self._said = sorted({**dict.fromkeys(self._hours, ()), **issued}.items())
        self._issued_at = [at for at, _ in self._said]

    def ahead(self, today: DayOfAir | None, *, at: datetime, days: int) -> tuple[DayOfAir, ...]:
        """The newest forecast's days from today on, today among them where it speaks of it."""
        newest = self._newest(at)
        if newest is None:
            return ()
        first = at.astimezone(SHANGHAI).date()
        return tuple(one for one in self._said[newest][1] if first <= one.day <= first + timedelta(days=days))

    def rows_ahead(self, past: Hourly, *, at: datetime, days: int) -> Rows:
        """The newest forecast's hours after what was measured; none where it was given by the day only."""
        newest = self._newest(at)
        issued_at, its_days = self._said[newest] if newest is not None else (at, ())
        return by_hour.foreseen_rows(past, self._hours.get(issued_at, ()), at=at, margins=margins_of(its_days))

    def _newest(self, at: datetime) -> int | None:
        newest = bisect_right(self._issued_at, at) - 1
        return None if newest < 0 or self._issued_at[newest] <= at - _DAY else newest
