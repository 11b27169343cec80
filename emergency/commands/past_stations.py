"""The hours of a city's stations out of a file or a folder of files, packed or not; read whole or not at all."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from pathlib import Path

from emergency.commands.aqi import BadTable, concentration, read_table, text_of
from emergency.commands.packed import SUFFIX
from emergency.domain.air import Amount
from emergency.domain.air_daily import Hour
from emergency.errors import Missing

Stations = dict[str, list[Hour]]

CLOCK = ("year", "month", "day", "hour")
COLUMNS = {"PM2.5": "pm2_5", "PM10": "pm10", "SO2": "so2", "NO2": "no2", "CO": "co", "O3": "o3"}
REQUIRED = (*CLOCK, *COLUMNS, "station")
PER = {"co": 1000}  # these files have CO in µg/m³, and everybody else in mg/m³
_DIGITS = re.compile(r"[0-9]{1,4}")
_TABLES = (".csv", f".csv{SUFFIX}")


def of_stations(header: Mapping[str, object] | Sequence[str]) -> bool:
    """Whether these are the columns of a station's file: ``year,month,day,hour,PM2.5,…,station``."""
    return "station" in header and "hour" in header


def hours_of(path: Path) -> Stations:
    """
    The hours of each station: of a table ``time,place,pm2_5,…``, of a station's file, or of a folder of either.

    Of a folder every ``.csv`` and ``.csv.gz`` is read, in the order of their names, and all have the same columns;
    other files in it are left alone. A station may be spread over several files, an hour of it stands in one.

    :raises BadTable: a file is not what it should be, by file, line and column; nothing of the others counts then
    :raises BadPack: a packed file breaks off, is none, or holds too much
    :raises Missing: there is no such file, or no table in the folder
    """
    files = _tables(path) if path.is_dir() else [path]
    first = _header(files[0])
    found: dict[str, dict[datetime, Hour]] = {}
    for file in files:
        if (header := _header(file)) != first:
            raise BadTable(f"{file}: line 1: {_apart(header, first)}, unlike {files[0].name}")
        if not _added(found, file, header):
            raise BadTable(f"{file}: line 2: no hour of any station")
    return {station: list(its.values()) for station, its in found.items()}


def _added(found: dict[str, dict[datetime, Hour]], file: Path, header: Sequence[str]) -> int:
    """How many hours of this file were put to those found so far; each hour of a station stands once."""
    count = 0
    for line, station, hour in _rows(file, header):
        its = found.setdefault(station, {})
        if hour.at in its:
            raise BadTable(f"{file}: line {line}: {station} has {hour.at.isoformat()} already")
        its[hour.at] = hour
        count += 1
    return count


def _tables(folder: Path) -> list[Path]:
    found = sorted(one for one in folder.iterdir() if one.name.endswith(_TABLES))
    if not found:
        raise Missing(f"{folder}: no file of a station in it; they end in {' or '.join(_TABLES)}")
    return found


def _header(file: Path) -> tuple[str, ...]:
    try:
        cells = next(csv.reader(io.StringIO(text_of(file), newline=""), strict=True), [])
    except csv.Error as failed:
        raise BadTable(f"{file}: line 1: not CSV: {failed}") from None
    return tuple(cell.strip() for cell in cells)


def _apart(header: Sequence[str], other: Sequence[str]) -> str:
    """In what the columns of two files differ, in words."""
    more, less = [one for one in header if one not in other], [one for one in other if one not in header]
    if more or less:
        return "; ".join(words for words in (_named("more", more), _named("missing", less)) if words)
    return f"the columns are {','.join(header)}"


def _named(how: str, columns: Sequence[str]) -> str:
    return f"column{'s' * (len(columns) > 1)} {','.join(columns)} {how}" if columns else ""


def _rows(file: Path, header: Sequence[str]) -> Iterator[tuple[int, str, Hour]]:
    if of_stations(header):
        return _of_station(file)
    return ((row.line, row.place, Hour(row.at, row.values)) for row in read_table(file))


def _of_station(file: Path) -> Iterator[tuple[int, str, Hour]]:
    """Every line of a station's file with its number; concentrations in µg/m³ and CO in mg/m³."""
    lines = csv.reader(io.StringIO(text_of(file), newline=""), strict=True)
    names = [cell.strip() for cell in next(lines, [])]
    for name in REQUIRED:
        if names.count(name) != 1:
            there = "is missing" if name not in names else f"is there {names.count(name)} times"
            raise BadTable(f"{file}: line 1: column {name} {there}")
    clock = itemgetter(*(names.index(name) for name in CLOCK))
    measured = [(name, names.index(column), column, PER.get(name, 1)) for column, name in COLUMNS.items()]
    place = names.index("station")
    for line, cells in _cells(file, lines, width=len(names)):
        try:
            at = _moment(*clock(cells))
        except ValueError as wrong:
            raise BadTable(f"{file}: line {line}, columns {','.join(CLOCK)}: {wrong}") from None
        if not (station := cells[place].strip()):
            raise BadTable(f"{file}: line {line}, column station: empty")
        values: dict[str, Amount | None] = {}
        for name, column, title, per in measured:
            try:
                values[name] = concentration(name, cells[column].strip(), per)
            except ValueError as wrong:
                raise BadTable(f"{file}: line {line}, column {title}: {wrong}") from None
        yield line, station, Hour(at, values)


def _cells(file: Path, lines: Iterator[list[str]], *, width: int) -> Iterator[tuple[int, list[str]]]:
    line = 1
    while True:
        line += 1
        try:
            said = next(lines, None)
        except csv.Error as failed:
            raise BadTable(f"{file}: line {line}: not CSV: {failed}") from None
        if said is None:
            return
        if len(said) == width:
            yield line, said
        elif any(map(str.strip, said)):
            cut = "; is the file cut off?" if len(said) < width else ""
            raise BadTable(f"{file}: line {line}: {len(said)} cells where there are {width} columns{cut}")


@lru_cache(maxsize=1 << 17)
def _moment(year: str, month: str, day: str, hour: str) -> datetime:
    said = [one.strip() for one in (year, month, day, hour)]
    if not all(_DIGITS.fullmatch(one) for one in said):
        raise ValueError(f"{'-'.join(said)} is not a year, a month, a day and an hour")
    y, m, d, h = map(int, said)
    try:
        return datetime(y, m, d, h)  # noqa: DTZ001 - local by the promise of the format
    except ValueError:
        raise ValueError(f"{'-'.join(said)} is in no calendar or on no clock") from None
