"""What an evening of a replay sees by the hour: rows of 24-h windows, measured up to it and foreseen after it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from fractions import Fraction

from emergency.domain.air import Standard, as_written, standard_for
from emergency.domain.air_daily import HOURS, mean
from emergency.domain.assess import ongoing
from emergency.domain.assessment import SHANGHAI, start_of
from emergency.domain.forecast import Air, Cause, DayOfAir, Source
from emergency.domain.plan import Plan
from emergency.domain.windows import COUNTED, HourOfAir, anchored, driver, valued, windows

Rows = tuple[tuple[DayOfAir, ...], ...]
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Hourly:
    """
    The measured hours of one place, oldest first, with the windows they make at each anchor.

    Windows that nobody has enough hours for are absent, as days are.
    """

    hours: tuple[HourOfAir, ...] = ()
    rows: Rows = ()
    standards: Sequence[Standard] = ()
    causes: Mapping[date, Cause] = field(default_factory=dict)

    def between(self, after: datetime, until: datetime) -> tuple[HourOfAir, ...]:
        """The hours that end after the one instant and not after the other."""
        first = bisect_right(self.hours, after, key=lambda one: one.at)
        return self.hours[first : bisect_right(self.hours, until, key=lambda one: one.at)]


def by_the_hour(days: Sequence[DayOfAir], hours: Iterable[HourOfAir], standards: Sequence[Standard]) -> Hourly:
    """These measured hours with their windows; the row at 00:00 is filled with the days that no hours reach."""
    in_order = tuple(sorted(hours, key=lambda one: one.at))
    rows = anchored(Air("", tuple(days)), in_order, standards).anchored
    return Hourly(in_order, rows, standards, {one.day: one.cause for one in days})


def under_way(at: datetime, anchor: int) -> date:
    """The day on which the window began that is under way at this instant."""
    here = at.astimezone(SHANGHAI)
    return here.date() if here.hour >= anchor else here.date() - _DAY


def foreseen_rows(
    past: Hourly, foreseen: Sequence[HourOfAir], *, at: datetime, margins: Mapping[date, int] | None = None
) -> Rows:
    """
    The windows under way at this instant and all later ones: measured up to it, foreseen after it.

    ``margins``: how far the upper bound of a foreseen day lies above its index.
    """
    known = past.between(at - _DAY, at)
    ahead = [one for one in foreseen if one.at > at]
    rows = windows([*known, *ahead], past.standards, causes=past.causes, margins=margins) or ((),) * HOURS
    return tuple(_since(row, under_way(at, anchor)) for anchor, row in enumerate(rows))


def as_foreseen(rows: Rows, *, feed: str) -> Rows:
    """The same windows as somebody would have foreseen them who knew what came."""
    return tuple(tuple(replace(one, source=Source.FORECAST, feed=feed) for one in row) for row in rows)


def cut(rows: Rows, *, at: datetime) -> Rows:
    """The windows under way at this instant and all later ones."""
    return tuple(_since(row, under_way(at, anchor)) for anchor, row in enumerate(rows))


def repeated_rows(past: Hourly, *, at: datetime, days: int, feed: str) -> Rows:
    """
    The windows from the one under way at this instant to the last that is over so many days later, all going on as is.

    Foreseen are the last 24 measured hours, over and over; what was not measured stays absent.
    """
    repeated = _Repeated(past, at=at, feed=feed)
    last = at.astimezone(SHANGHAI).date() + timedelta(days=days)
    return tuple(repeated.row(anchor, last - (_DAY if anchor else timedelta())) for anchor in range(HOURS))


class _Repeated:
    """
    The windows of 24 hours that come again and again.

    Each is the same hours turned round, with the same mean, so it is valued once and not at every anchor of every day.
    """

    def __init__(self, past: Hourly, *, at: datetime, feed: str) -> None:
        self._past, self._at, self._feed = past, at, feed
        self._hours = [one for one in past.between(at - _DAY, at) if not one.at.minute and not one.at.second]
        self._rows: dict[tuple[date, date, bool, bool], tuple[DayOfAir, ...]] = {}
        self._foreseen: dict[tuple[date, Cause], DayOfAir | None] = {}
        self._values: dict[tuple[str, Cause], DayOfAir | None] = {}

    def row(self, anchor: int, last: date) -> tuple[DayOfAir, ...]:
        """The windows that begin at this hour, from the one under way to that of the last day; none without hours."""
        if not self._hours or not self._past.standards:
            return ()
        began = under_way(self._at, anchor)
        half = began, last, anchor * 2 < HOURS, anchor * 2 > HOURS  # within it windows differ by their hour alone
        if half not in self._rows:
            found = (self._window(day, driver(day, anchor, self._past.causes)) for day in _from_to(began, last))
            self._rows[half] = tuple(one for one in found if one is not None)
        row = self._rows[half]
        if row and self._hours[0].at > start_of(began) + anchor * _HOUR:
            newest = self._hours[-1]  # no hour from before this window comes again within it: it is measured alone
            alone = replace(row[0], source=newest.source, feed=newest.feed, issued_at=newest.issued_at)
            return (alone, *row[1:])
        return row

    def _window(self, day: date, cause: Cause) -> DayOfAir | None:
        if (day, cause) not in self._foreseen:
            standard = standard_for(day, self._past.standards)
            value = self._valued(day, standard, cause)
            self._foreseen[day, cause] = value and replace(value, day=day, source=Source.FORECAST, feed=self._feed)
        return self._foreseen[day, cause]

    def _valued(self, day: date, standard: Standard, cause: Cause) -> DayOfAir | None:
        """The value of these hours by this edition, for whatever day."""
        enough = standard.completeness.hours_for_mean
        if len(self._hours) < enough:
            return None
        if (standard.id, cause) not in self._values:
            means = {name: self._mean(name, enough) for name in COUNTED}
            self._values[standard.id, cause] = valued(day, means, standard, cause=cause, told=self._hours[-1])
        return self._values[standard.id, cause]

    def _mean(self, name: str, enough: int) -> Fraction | None:
        measured = [one.values.get(name) for one in self._hours]
        return mean([None if one is None else as_written(one) for one in measured], at_least=enough)


class Spells:
    """The measured windows of the spells that may still go on, evening by evening."""

    def __init__(self, plan: Plan, past: Hourly) -> None:
        self._plan, self._past = plan, past
        self._kept: Rows = ((),) * HOURS

    def seen(self, ahead: Rows, days: Sequence[DayOfAir], *, now: datetime) -> Rows:
        """
        The rows this evening judges: the spells that still go on, then the windows from the one under way on.

        ``ahead`` are those, ``days`` the calendar days from today on: the row at 00:00 takes those no hours reach.
        """
        began = [under_way(now, anchor) for anchor in range(HOURS)]
        at_midnight = {**{one.day: one for one in days if one.day >= began[0]}, **{one.day: one for one in ahead[0]}}
        rows = (tuple(one for _, one in sorted(at_midnight.items())), *ahead[1:])
        joined = tuple(
            (*kept, *_over(measured, after=kept[-1].day if kept else None, before=day), *row)
            for kept, measured, row, day in zip(self._kept, self._past.rows, rows, began, strict=True)
        )
        here = now.astimezone(SHANGHAI)
        found = ongoing(self._plan, Air("", (), joined), today=here.date(), now=now).anchored
        self._kept = tuple(
            tuple(one for one in row if one.day < day) for row, day in zip(found, began, strict=True)
        )
        return found


def within(rows: Rows, *, last: date) -> Rows:
    """The windows that are over by 24:00 of this day."""
    return tuple(
        row[: bisect_right(row, last - (_DAY if anchor else timedelta()), key=lambda one: one.day)]
        for anchor, row in enumerate(rows)
    )


def quiet(plan: Plan, rows: Rows) -> bool:
    """Whether no window passes any mark of the plan: most evenings of a winter, told without judging each row."""
    spells = {spell for clauses in plan.levels.values() for clause in clauses for spell in clause.spells}
    for metric in {one.metric for one in spells}:
        values = [plan.value(one, metric) for row in rows for one in row]
        known = [one for one in values if one is not None]
        if len(known) < len(values):
            return False  # the rule refuses by name
        if known and any(one.asks(max(known)) for one in spells if one.metric is metric):
            return False
    return any(rows)


def touched(run: Sequence[DayOfAir], *, anchor: int) -> list[date]:
    """The days of the calendar of which any hour lies in this run of windows."""
    return _from_to(run[0].day, run[-1].day + (_DAY if anchor else timedelta()))


def _from_to(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _since(row: tuple[DayOfAir, ...], day: date) -> tuple[DayOfAir, ...]:
    return row[bisect_left(row, day, key=lambda one: one.day) :]


def _over(row: tuple[DayOfAir, ...], *, after: date | None, before: date) -> tuple[DayOfAir, ...]:
    """The measured windows that ended since the evening before; of a spell that broke, none from before."""
    end = bisect_left(row, before, key=lambda one: one.day)
    first = bisect_left(row, before - _DAY, key=lambda one: one.day)
    return tuple(one for one in row[first:end] if after is None or one.day > after)
