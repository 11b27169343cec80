"""Files of past air and of past forecasts, read as days a plan is walked over; nothing guessed, nothing repaired."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from emergency.clock import SHANGHAI
from emergency.commands.aqi import BadTable, text_of
from emergency.commands.past_stations import hours_of, of_stations
from emergency.domain.air import HIGHEST, POLLUTANTS, Amount, Period, Standard, index, standard_for, trigger_aqi
from emergency.domain.air_daily import HOURS, BadHours, DayOfValues, Hour, Stamp, city_mean, daily
from emergency.domain.causes import cause_of, figure, measured, measured_day
from emergency.domain.forecast import DayOfAir, Forecast, Source
from emergency.domain.foresight import Past
from emergency.domain.replay_hours import by_the_hour
from emergency.domain.windows import HourOfAir, days_of
from emergency.errors import Missing

T = TypeVar("T")
_ABSENT = frozenset({"", "NA"})
_WHOLE = re.compile(r"[0-9]{1,3}")
_NUMBER = re.compile(r"[0-9]{1,5}(\.[0-9]{1,6})?")
_COUNTED = tuple(name for name in POLLUTANTS if name != "o3")  # ozone starts no orders (环大气〔2024〕6号)


@dataclass(frozen=True)
class Measured:
    """Past air with what explains it: the published index of each day, ozone among it, and the places it comes from."""

    past: Past
    published: Mapping[date, int | None]
    places: tuple[str, ...]


@dataclass(frozen=True)
class Issued:
    """Archived forecasts by the instant of issue: the days each spoke of, and the hours where it gave hours."""

    days: Mapping[datetime, tuple[DayOfAir, ...]]
    hours: Mapping[datetime, tuple[HourOfAir, ...]] = field(default_factory=dict)


def read_past(
    path: Path, *, place: str | None, standards: Sequence[Standard], stamp: Stamp, windows: bool = False
) -> Measured:
    """
    The air of one place out of a CSV file, hourly (``time,place,pm2_5,…``, or a station's ``year,month,day,hour,…``) or
    daily (``day,aqi[,place][,primary]…``); or out of a folder of stations by the hour. Any of them may be packed (.gz).

    Hours are made into days by the edition in force on each; without ``place`` several places are one city, by the
    plain mean of what its stations measured. In a daily file the index is taken as it stands, but where ozone or dust
    leads it the trigger is computed from the other concentrations, if they are there. ``windows``:
    hours are also laid into 24-h windows, for plans that run on any 24 hours.

    :raises BadTable: a line is not what it should be; the words name line and column
    :raises Missing: there is no such file, or no such place in it
    """
    header = {} if path.is_dir() else next(_lines(path), (1, {}))[1]
    if path.is_dir() or "time" in header or of_stations(header):
        return read_hours(path, place=place, standards=standards, stamp=stamp, windows=windows)
    return _of_days(path, place, standards)


def read_forecasts(file: Path, *, place: str | None, standards: Sequence[Standard] = (), stamp: Stamp) -> Issued:
    """
    Archived forecasts: ``issued_at,day,aqi[,place][,aqi_high][,pm2_5][,primary]``, or by the hour
    ``issued_at,time,pm2_5[,place][,pm10][,so2][,no2][,co][,o3]``, whose days are made of their hours.

    ``issued_at`` without an offset is local (Asia/Shanghai).

    :raises BadTable: a line is not what it should be
    :raises Missing: there is no such file
    """
    if "time" in next(_lines(file), (1, {}))[1]:
        return _issued_hours(file, place, standards, stamp)
    found: dict[datetime, dict[date, DayOfAir]] = {}
    for line, row in _of_place(file, _columns(file, ("issued_at", "day", "aqi")), place):
        issued_at = _cell(file, line, row, "issued_at", _instant)
        day, aqi = _cell(file, line, row, "day", _date), _cell(file, line, row, "aqi", _aqi)
        if day < issued_at.astimezone(SHANGHAI).date():
            raise BadTable(f"{file}: line {line}, column day: {day} was over when this was issued")
        said = found.setdefault(issued_at, {})
        if day in said:
            raise BadTable(f"{file}: line {line}, column day: {day} comes twice in the forecast of {row['issued_at']}")
        if aqi is not None:
            high = _cell(file, line, row, "aqi_high", _aqi) if "aqi_high" in row else None
            primary = tuple(row.get("primary", "").split())
            pm2_5 = _cell(file, line, row, "pm2_5", _amount) if "pm2_5" in row else None
            said[day] = DayOfAir(
                day, aqi, Source.FORECAST, aqi_high=high, primary=primary, cause=cause_of(primary, aqi),
                pm2_5=None if pm2_5 is None else float(pm2_5), feed=file.stem, issued_at=issued_at,
            )
    return Issued({at: tuple(said[day] for day in sorted(said)) for at, said in found.items()})


def _issued_hours(file: Path, place: str | None, standards: Sequence[Standard], stamp: Stamp) -> Issued:
    found: dict[datetime, dict[datetime, HourOfAir]] = {}
    shift = timedelta(hours=1 if stamp is Stamp.START else 0)
    for line, row in _of_place(file, _columns(file, ("issued_at", "time", "pm2_5")), place):
        issued_at = _cell(file, line, row, "issued_at", _instant)
        ends = (_cell(file, line, row, "time", _instant).astimezone(SHANGHAI) + shift).astimezone(UTC)
        values = {name: _cell(file, line, row, name, _amount) for name in POLLUTANTS if name in row}
        said = found.setdefault(issued_at, {})
        if ends in said:
            raise BadTable(f"{file}: line {line}, column time: {row['time']} comes twice in that forecast")
        known = {name: float(value) for name, value in values.items() if value is not None}
        said[ends] = HourOfAir(ends, known, Source.FORECAST, file.stem, issued_at)
    hours = {at: tuple(said[end] for end in sorted(said)) for at, said in found.items()}
    days = {at: Forecast(file.stem, place or "", at, days_of(some, standards)) for at, some in hours.items()}
    return Issued({at: tuple(day.of_air(said) for day in said.days) for at, said in days.items()}, hours)


def read_hours(
    path: Path, *, place: str | None, standards: Sequence[Standard], stamp: Stamp, windows: bool = True
) -> Measured:
    """
    The air of one place out of hours (``past_stations.hours_of``), as :func:`read_past` reads them.

    :raises BadTable: a line is not what it should be; the words name file, line and column
    :raises Missing: there is no such file, or no such place in it
    """
    stations = hours_of(path)
    if place is not None:
        _known(path, place, set(stations))
        stations = {place: stations[place]}
    days: dict[str, dict[date, DayOfValues]] = {}
    for name, hours in stations.items():
        try:
            days[name] = {one.day: one for one in daily(hours, standards, stamped=stamp)}
        except BadHours as wrong:
            raise BadTable(f"{path}: {name}: {wrong}") from None
    published: dict[date, int | None] = {}
    found: list[DayOfAir] = []
    for day in sorted(set().union(*days.values())):
        standard = standard_for(day, standards)
        values = _of_city(standard, [dict(its[day].values) if day in its else {} for its in days.values()])
        reckoned = figure(standard, values)
        published[day] = reckoned.overall
        pm2_5 = values.get("pm2_5")
        told = measured_day(day, reckoned, pm2_5=None if pm2_5 is None else round(float(pm2_5), 3))
        if told is not None:
            found.append(told)
    words = next(iter(stations)) if len(stations) == 1 else f"mean of {len(stations)} places"
    past = _spanning(Past(words, tuple(found), _Hourly(stations, standards, stamp)), published)
    if windows:
        past = replace(past, hourly=by_the_hour(found, _city_hours(stations, standards, stamp), standards))
    return Measured(past, published, tuple(stations))


def _of_city(standard: Standard, stations: Sequence[Mapping[str, Amount | None]]) -> Mapping[str, Amount | None]:
    """One station speaks for itself; several by their mean."""
    return stations[0] if len(stations) == 1 else city_mean(standard, stations).values


def _city_hours(
    stations: Mapping[str, Sequence[Hour]], standards: Sequence[Standard], stamp: Stamp
) -> Iterator[HourOfAir]:
    """Each hour of the city by the mean of what its stations measured in it."""
    shift = timedelta(hours=1 if stamp is Stamp.START else 0)
    by_hour: dict[datetime, list[Mapping[str, Amount | None]]] = {}
    for hours in stations.values():
        for one in hours:
            by_hour.setdefault(one.at + shift, []).append({name: one.values.get(name) for name in _COUNTED})
    for ends, its in by_hour.items():
        silent: list[Mapping[str, Amount | None]] = [{}] * (len(stations) - len(its))
        standard = standard_for((ends - timedelta(hours=1)).date(), standards)
        values = _of_city(standard, [*its, *silent])
        known = {name: float(value) for name, value in values.items() if value is not None}
        yield HourOfAir(ends.replace(tzinfo=SHANGHAI).astimezone(UTC), known, Source.OBSERVED)


class _Hourly(Mapping[date, tuple[int | None, ...]]):
    """
    The hourly index without ozone, 24 a day: the warning's lead is counted to the first bad hour.

    Reckoned when a day is asked for: scores look at the day a stretch of bad air begins, a few of thousands.
    """

    def __init__(self, stations: Mapping[str, Sequence[Hour]], standards: Sequence[Standard], stamp: Stamp) -> None:
        self._standards, self._count = standards, len(stations)
        self._measured: dict[date, list[tuple[int, Hour]]] = {}
        shift = timedelta(hours=1 if stamp is Stamp.END else 0)
        for hours in stations.values():
            for one in hours:
                begins = one.at - shift
                self._measured.setdefault(begins.date(), []).append((begins.hour, one))

    def __getitem__(self, day: date) -> tuple[int | None, ...]:
        standard = standard_for(day, self._standards)
        by_hour: dict[int, list[Mapping[str, Amount | None]]] = {}
        for hour, one in self._measured[day]:
            by_hour.setdefault(hour, []).append({name: one.values.get(name) for name in _COUNTED})
        found: list[int | None] = [None] * HOURS
        for hour, its in by_hour.items():
            silent: list[Mapping[str, Amount | None]] = [{}] * (self._count - len(its))
            reckoned = index(standard, _of_city(standard, [*its, *silent]), period=Period.HOUR)
            found[hour] = trigger_aqi(standard, reckoned)
        return tuple(found)

    def __iter__(self) -> Iterator[date]:
        return iter(self._measured)

    def __len__(self) -> int:
        return len(self._measured)


def _of_days(file: Path, place: str | None, standards: Sequence[Standard]) -> Measured:
    published: dict[date, int | None] = {}
    found: list[DayOfAir] = []
    seen: set[str] = set()
    before: date | None = None
    for line, row in _of_place(file, _columns(file, ("day", "aqi")), place):
        seen.add(row.get("place", ""))
        if len(seen) > 1:
            names = " and ".join(sorted(seen))
            raise BadTable(f"{file}: line {line}, column place: {names}; the mean of indices is none: name one place")
        day = _cell(file, line, row, "day", _date)
        if before is not None and day <= before:
            raise BadTable(f"{file}: line {line}, column day: {day} comes after {before}; each day once, in order")
        before = day
        published[day] = aqi = _cell(file, line, row, "aqi", _aqi)
        primary = tuple(row.get("primary", "").split())
        values = {name: _cell(file, line, row, name, _amount) for name in _COUNTED if name in row}
        if aqi is not None:
            reckoned = measured(standard_for(day, standards), values, aqi=aqi, primary=primary)
            pm2_5 = values.get("pm2_5")
            told = measured_day(day, reckoned, pm2_5=None if pm2_5 is None else float(pm2_5))
            found += [told] if told is not None else []
    name = place or next(iter(seen), "") or file.stem
    return Measured(_spanning(Past(name, tuple(found)), published), published, (name,))


def _spanning(past: Past, days: Mapping[date, object]) -> Past:
    """The past with the span of all days of the file, those without a figure among them."""
    return replace(past, first=min(days, default=None), last=max(days, default=None))


def _lines(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The header (as names to themselves), then every line that is not empty, by its number."""
    lines = csv.reader(io.StringIO(text_of(file), newline=""), strict=True)
    names: tuple[str, ...] = ()
    while True:
        line = lines.line_num + 1
        try:
            cells = next(lines, None)
        except csv.Error as failed:
            raise BadTable(f"{file}: line {line}: not CSV: {failed}") from None
        if cells is None:
            return
        said = [cell.strip() for cell in cells]
        if not names:
            names = tuple(said)
            if twice := next((name for name in names if names.count(name) > 1), ""):
                raise BadTable(f"{file}: line {line}: column {twice} is there {names.count(twice)} times")
            yield line, dict(zip(names, names, strict=True))
        elif any(said):
            if len(said) != len(names):
                raise BadTable(f"{file}: line {line}: {len(said)} cells where there are {len(names)} columns")
            yield line, dict(zip(names, said, strict=True))


def _columns(file: Path, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    lines = _lines(file)
    line, header = next(lines, (1, {}))
    for name in needed:
        if name not in header:
            there = f"the columns are {','.join(header)}" if header else "the file is empty"
            raise BadTable(f"{file}: line {line}: column {name} is missing; {there}")
    yield from lines


def _of_place(
    file: Path, lines: Iterator[tuple[int, dict[str, str]]], place: str | None
) -> Iterator[tuple[int, dict[str, str]]]:
    """The lines of this place; all of them where the file knows no places or none was asked for."""
    others: set[str] = set()
    found = False
    for line, row in lines:
        if place is None or row.get("place", place) == place:
            found = True
            yield line, row
        else:
            others.add(row["place"])
    if place is not None and others and not found:
        _known(file, place, others)


def _known(file: Path, place: str, places: set[str]) -> None:
    if place not in places:
        raise Missing(f"{file}: no place is called {place!r}; there are {', '.join(sorted(places))}")


def _cell(file: Path, line: int, row: Mapping[str, str], name: str, read: Callable[[str], T]) -> T:
    try:
        return read(row[name])
    except ValueError as wrong:
        raise BadTable(f"{file}: line {line}, column {name}: {wrong}") from None


def _date(said: str) -> date:
    try:
        return date.fromisoformat(said if re.fullmatch(r"\d{4}-\d\d-\d\d", said, re.ASCII) else "")
    except ValueError:
        raise ValueError(f"{said!r} is not a day like 2026-01-10") from None


def _instant(said: str) -> datetime:
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        raise ValueError(f"{said!r} is not a time like 2026-01-10T17:00") from None
    return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)


def _aqi(said: str) -> int | None:
    if said in _ABSENT:
        return None
    if not _WHOLE.fullmatch(said) or int(said) > HIGHEST:
        raise ValueError(f"{said!r} is no index; whole numbers from 0 to {HIGHEST}, empty or NA where there is none")
    return int(said)


def _amount(said: str) -> Decimal | None:
    if said in _ABSENT:
        return None
    if not _NUMBER.fullmatch(said):
        raise ValueError(f"{said!r} is not a concentration")
    return Decimal(said)
