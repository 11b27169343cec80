"""The calendar of working days: public holidays and the days made up for them, year by year, as they were announced."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from emergency.domain.plan import Basis
from emergency.domain.workdays import Calendar
from emergency.plans.reading import Sheet, read_yaml

Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class _Year(Sheet):
    """One year's announcement: stretches of rest, first and last day, and days of a weekend on which people work."""

    basis: Basis
    source: Annotated[str, Field(min_length=4)]
    rest: tuple[tuple[Day, Day], ...]
    work: tuple[Day, ...] = ()

    @model_validator(mode="after")
    def _meant(self) -> _Year:
        rest = {day for first, last in self.rest for day in _days(first, last)}
        if any(first > last for first, last in self.rest):
            raise ValueError("a stretch of rest ends before it begins")
        if both := sorted(day.isoformat() for day in map(date.fromisoformat, self.work) if day in rest):
            raise ValueError(f"{', '.join(both)} is both rest and work")
        return self


class _Years(Sheet):
    years: dict[Annotated[str, Field(pattern=r"^\d{4}$")], _Year]

    @model_validator(mode="after")
    def _in_their_year(self) -> _Years:
        for year, said in self.years.items():
            for day in (*(one for pair in said.rest for one in pair), *said.work):
                if not day.startswith(year):
                    raise ValueError(f"{day} stands under {year}")
        return self


def _days(first: str, last: str) -> Iterator[date]:
    day, end = date.fromisoformat(first), date.fromisoformat(last)
    while day <= end:
        yield day
        day += timedelta(days=1)


def load_workdays(path: Path) -> Calendar:
    """
    The calendar of the file; of a year that is not there only the weekends are known.

    :raises Misconfigured: the file is wrong (path, line, reason)
    """
    years = read_yaml(path, _Years).years
    return Calendar(
        rest=frozenset(day for year in years.values() for first, last in year.rest for day in _days(first, last)),
        work=frozenset(date.fromisoformat(day) for year in years.values() for day in year.work),
        years=frozenset(map(int, years)),
    )
