"""Working days: weekdays less public holidays, with the days made up for them (调休), as a calendar names them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

SATURDAY = 5


@dataclass(frozen=True)
class Calendar:
    """
    Weekdays of rest, and days of a weekend on which people work, of the years whose arrangement was announced.

    Of any other year only the weekends are known: days are counted by those, and ``unannounced`` names the years, so
    that whoever relies on the day can be told.
    """

    rest: frozenset[date] = frozenset()
    work: frozenset[date] = frozenset()
    years: frozenset[int] = frozenset()

    def unannounced(self, first: date, last: date) -> tuple[int, ...]:
        """The years between two days, theirs included, whose holidays nobody has entered."""
        return tuple(year for year in range(first.year, last.year + 1) if year not in self.years)

    def works(self, day: date) -> bool:
        """Whether it is a working day."""
        return day in self.work or (day.weekday() < SATURDAY and day not in self.rest)

    def after(self, day: date, count: int) -> date:
        """The working day so many after this day, which does not count itself."""
        return self._counted(day, count, timedelta(days=1))

    def before(self, day: date, count: int) -> date:
        """The working day so many before this day."""
        return self._counted(day, count, timedelta(days=-1))

    def due(self, ended: datetime, count: int, *, zone: tzinfo) -> date:
        """The day by whose end something is due so many working days after this moment; 00:00 ends the day before."""
        return self.after((ended - timedelta(microseconds=1)).astimezone(zone).date(), count)

    def _counted(self, day: date, count: int, step: timedelta) -> date:
        while count > 0:
            day += step
            count -= self.works(day)
        return day
