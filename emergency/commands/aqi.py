"""`aqi FILE.csv`: the index of every hour or every day of a table of concentrations."""

from __future__ import annotations

import argparse
import csv
import gc
import io
import json
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NotRequired, TypedDict

from emergency.commands.packed import SUFFIX, unpacked
from emergency.domain.air import POLLUTANTS, VALUES, Amount, Index, Period, Standard, index, standard_for
from emergency.domain.air_daily import DayOfValues, Hour, Stamp, daily
from emergency.errors import Missing, Refused
from emergency.plans.standards import load_standards, standard_named

if TYPE_CHECKING:
    from argparse import ArgumentParser, _SubParsersAction

BY_DATE = "by-date"
REQUIRED = ("time", "place", *POLLUTANTS)
ABSENT = frozenset({"", "NA"})
NOT_MONITORED = "/"  # HJ 633-2026 5.3.2: never measured here by design
FILLER_FROM = {name: 999 if name == "co" else 9999 for name in VALUES}  # no air is so bad: loggers fill with nines

_NEVER: frozenset[str] = frozenset()
_REMEMBERED = 1 << 17  # a table says the same hours at every station, and the same few thousand figures in every cell

_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_TIME = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})[T ](\d{1,2})(?::(\d{2})(?::(\d{2}))?)?", re.ASCII)
_OFFSET = re.compile(r"(Z|[+-]\d{2}:?\d{2})$")


class BadTable(Refused):
    """The file cannot be read as hours of air; the words name the line and the column."""

    words_zh = "数据文件有误"


class Row(NamedTuple):
    """One line of the file, of hundreds of thousands: when (as written and as understood), where, what was measured."""

    line: int
    time: str
    at: datetime  # naive, Asia/Shanghai
    place: str
    values: Mapping[str, Amount | None]
    not_monitored: frozenset[str]


@dataclass(frozen=True)
class _Header:
    """The names of the columns, and where in a line those stand that are read."""

    names: tuple[str, ...]
    time: int
    place: int
    values: tuple[tuple[str, int], ...]


class Answer(TypedDict):
    """What is printed for one hour or one day; concentrations and hour counts only for a day."""

    time: str
    place: str
    standard: str
    iaqi: dict[str, int | None]
    aqi: int | None
    category: str | None
    primary: list[str]
    na_because: str | None
    missing: list[str]
    beyond: list[str]
    values: NotRequired[dict[str, float | None]]
    hours: NotRequired[dict[str, int]]
    because: NotRequired[dict[str, str]]


def register(subparsers: _SubParsersAction[ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "aqi",
        help="air quality index of hours or days in a CSV file",
        description="Index of every row, or every day, of a CSV file with the columns "
        "time,place,pm2_5,pm10,so2,no2,co,o3[,o3_8h] in µg/m³, CO in mg/m³.",
        epilog="Empty or NA is missing, / is not monitored by design. Times are local, without offset. "
        "A day needs 20 hours for a mean and takes ozone as its largest 8-h mean, made from the hours of o3; "
        "o3_8h is checked and not used.",
    )
    parser.add_argument("file", type=Path, metavar="FILE.csv")
    parser.add_argument(
        "--standard", choices=("hj633-2012", "hj633-2026", BY_DATE), default=BY_DATE,
        help="edition of the standard; by-date (default) takes the one in force on the day of each row",
    )
    parser.add_argument(
        "--period", choices=[one.value for one in Period], default=Period.HOUR.value,
        help="hour (default): every row by the hourly rule; day: hourly rows made into calendar days",
    )
    parser.add_argument(
        "--stamp", choices=[one.value for one in Stamp], default=Stamp.START.value,
        help="which end of the hour a time names: start (default, 00:00-23:00 make the day) or end (01:00-24:00)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of CSV")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """
    Read, compute, print.

    :raises BadTable: the file is not what it should be; nothing is printed then
    :raises Missing: there is no such file
    """
    standards = load_standards()
    if args.standard != BY_DATE:
        standards = (standard_named(args.standard, standards),)
    stamp = Stamp(args.stamp)
    with uncollected():
        rows = read_table(args.file)
        if args.period == Period.DAY.value:
            answers = list(_days(args.file, rows, standards, stamp))
        else:
            answers = [_hour(row, standards, stamp) for row in rows]
    if args.json:
        # an object a line: json.dump writes word by word, and a year of hours takes minutes to reach a pipe
        sys.stdout.write("[" + ",\n".join(json.dumps(one, ensure_ascii=False) for one in answers) + "]\n")
    else:
        _print_csv(answers)
    return 0


def _hour(row: Row, standards: Sequence[Standard], stamp: Stamp) -> Answer:
    begins = row.at if stamp is Stamp.START else row.at - timedelta(hours=1)
    standard = standard_for(begins.date(), standards)
    found = index(standard, row.values, period=Period.HOUR, not_monitored=row.not_monitored)
    return _answer(row.time, row.place, found)


def _days(file: Path, rows: Iterable[Row], standards: Sequence[Standard], stamp: Stamp) -> Iterator[Answer]:
    places: dict[str, list[Row]] = {}
    for row in rows:
        places.setdefault(row.place, []).append(row)
    for place, its in places.items():
        seen: dict[datetime, int] = {}
        for row in its:
            if row.at in seen:
                words = f", column time: {place} has {row.time} already in line {seen[row.at]}"
                raise _refuse(file, row.line, words)
            seen[row.at] = row.line
            if row.at.minute or row.at.second:
                raise _refuse(file, row.line, f", column time: {row.time} is not on the hour; a day is made of hours")
        never = frozenset.intersection(*(row.not_monitored for row in its))
        hours = (Hour(row.at, row.values) for row in its)
        for day in daily(hours, standards, stamped=stamp):
            yield _day(day, place, never)


def _day(day: DayOfValues, place: str, not_monitored: Collection[str]) -> Answer:
    found = index(day.standard, day.values, period=Period.DAY, not_monitored=not_monitored)
    values = {name: None if value is None else round(float(value), 3) for name, value in day.values.items()}
    answer = _answer(day.day.isoformat(), place, found)
    answer["values"], answer["hours"], answer["because"] = values, dict(day.hours), dict(day.because)
    return answer


def _answer(time: str, place: str, found: Index) -> Answer:
    return Answer(
        time=time, place=place, standard=found.standard, iaqi=dict(found.iaqi), aqi=found.aqi,
        category=found.category or None, primary=list(found.primary), na_because=found.na_because or None,
        missing=list(found.missing), beyond=list(found.beyond),
    )


def _print_csv(answers: Iterable[Answer]) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["time", "place", "standard", *(f"iaqi_{one}" for one in POLLUTANTS), "aqi", "category", "primary"])
    for one in answers:
        cells = [one["time"], one["place"], one["standard"], *one["iaqi"].values(), one["aqi"], one["category"]]
        out.writerow([*("NA" if cell is None else cell for cell in cells), "+".join(one["primary"])])


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the collector of cycles: rows make none, and it would walk over every million of them again and again."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def read_table(file: Path) -> list[Row]:
    """
    The rows of a CSV file in UTF-8, every cell checked; nothing is guessed and nothing repaired.

    Refused, with line and column: a column that is missing or twice, a line cut short, text in a number, a negative
    number, NaN, a logger's filler (9999, 99999), a time with an offset, without an hour or that no calendar has.

    :raises BadTable: see above
    :raises Missing: there is no such file
    """
    lines = csv.reader(io.StringIO(text_of(file), newline=""), strict=True)
    header, before = None, 0
    rows: list[Row] = []
    while True:
        try:
            cells = next(lines, None)
        except csv.Error as failed:
            raise BadTable(f"{file}: line {before + 1}: not CSV: {failed}") from None
        if cells is None:
            break
        line, before = before + 1, lines.line_num
        said = [cell.strip() for cell in cells]
        if header is None:
            header = _header(file, line, said)
        elif any(said):
            rows.append(_row(file, line, header, said))
    if header is None:
        raise BadTable(f"{file}: line 1: the file is empty; it needs the columns {','.join(REQUIRED)}")
    return rows


def text_of(file: Path) -> str:
    """
    The words of a file in UTF-8, with or without a byte order mark, packed with gzip where its name ends in .gz.

    :raises BadTable: it cannot be read, or is not UTF-8 from some line on
    :raises BadPack: it cannot be unpacked
    :raises Missing: there is no such file
    """
    try:
        raw = unpacked(file) if file.name.endswith(SUFFIX) else file.read_bytes()
    except FileNotFoundError:
        raise Missing(f"{file}: no such file") from None
    except OSError as failed:
        raise BadTable(f"{file}: cannot be read: {failed.strerror}") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as failed:
        line = raw.count(b"\n", 0, failed.start) + 1
        raise BadTable(f"{file}: line {line}: the text is not UTF-8; save the file as CSV UTF-8") from None


def _refuse(file: Path, line: int, words: str) -> BadTable:
    return BadTable(f"{file}: line {line}{words}")


def _header(file: Path, line: int, names: Sequence[str]) -> _Header:
    for name in REQUIRED:
        if name not in names:
            raise _refuse(file, line, f": column {name} is missing; the columns are {','.join(names)}")
    for name in (*REQUIRED, *VALUES):
        if names.count(name) > 1:
            raise _refuse(file, line, f": column {name} is there {names.count(name)} times")
    read = tuple((name, at) for at, name in enumerate(names) if name in VALUES)
    return _Header(tuple(names), names.index("time"), names.index("place"), read)


def _row(file: Path, line: int, header: _Header, said: Sequence[str]) -> Row:
    names = header.names
    if len(said) != len(names):
        cut = "; is the file cut off?" if len(said) < len(names) else ""
        after = names[len(said) - 1] if len(said) < len(names) else names[-1]
        raise _refuse(file, line, f", column {after}: {len(said)} cells where there are {len(names)} columns{cut}")
    time, place = said[header.time], said[header.place]
    try:
        at = _moment(time)
    except ValueError as wrong:
        raise _refuse(file, line, f", column time: {wrong}") from None
    if not place:
        raise _refuse(file, line, ", column place: empty")
    values: dict[str, Amount | None] = {}
    for name, column in header.values:
        try:
            values[name] = concentration(name, said[column])
        except ValueError as wrong:
            raise _refuse(file, line, f", column {name}: {wrong}") from None
    never = _NEVER
    if NOT_MONITORED in said:
        never = frozenset(name for name, column in header.values if said[column] == NOT_MONITORED)
    return Row(line, time, at, place, values, never)


@lru_cache(maxsize=_REMEMBERED)
def _moment(said: str) -> datetime:
    if not said:
        raise ValueError("empty")
    if (match := _TIME.fullmatch(said)) is None:
        if _TIME.match(said) and _OFFSET.search(said):
            raise ValueError(f"{said!r} has an offset; times are local, without one")
        raise ValueError(f"{said!r} is not a time like 2026-01-10T08:00")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - local by the promise of the format
    except ValueError:
        raise ValueError(f"{said!r} is in no calendar or on no clock") from None


@lru_cache(maxsize=_REMEMBERED)
def concentration(name: str, said: str, per: int = 1) -> Amount | None:
    """
    What a cell says was measured, in µg/m³ and CO in mg/m³; None where it is missing or not monitored.

    ``per``: how many of the unit it is written in make one of these.

    :raises ValueError: it is no number, negative, or a logger's filler
    """
    if said in ABSENT or said == NOT_MONITORED:
        return None
    if _NUMBER.fullmatch(said) is None:
        if said.startswith("-") and _NUMBER.fullmatch(said[1:]):
            raise ValueError(f"{said} is negative")
        raise ValueError(f"{said!r} is not a number")
    amount = Decimal(said) / per
    if amount >= FILLER_FROM[name]:
        raise ValueError(f"{said} is no concentration but a filler; leave the cell empty or write NA")
    return amount
