"""A bulletin as people make them: an XLSX, CSV or JSON table of days, from an address, a folder or an upload."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from emergency.domain.air import Standard, standard_for
from emergency.domain.causes import cause_of
from emergency.domain.forecast import Cause, Forecast, ForecastDay
from emergency.feeds import cells
from emergency.feeds.one_source import OneSource
from emergency.feeds.records import NotReadable, Parsed, Sieve, hour_of, list_of, read_json, table_of
from emergency.feeds.workbook import Formula, Row, Sheet, is_workbook, read_workbook, template

Categories = Callable[[date], Mapping[str, tuple[int, int]]]
"""The words for bands of the index (轻度污染) with both ends of each, by the standard in force on a day."""

_TITLE_ROWS: Final = 15  # how far down a heading may stand; above it are a title, a number and a date of issue
_FIELDS: Final = frozenset(
    {"day", "aqi", "aqi_low", "aqi_high", "category", "primary", "pm2_5", "cause", "issued_at", "place"}
)
_UNIT_WORDS: Final = re.compile(r"g\s*/\s*m|微克|毫克|pp[bm]|无量纲|单位|^[-—/]$", re.I)
_CAUSES: Final = {
    "臭氧": Cause.O3,
    "沙尘": Cause.SAND_DUST,
    "山火": Cause.WILDFIRE,
    "跨境传输": Cause.CROSS_BORDER,
    "烟花爆竹": Cause.FIREWORKS,
    "细颗粒物": Cause.PM2_5,
}


def bands_of(standards: Sequence[Standard]) -> Categories:
    """The words for bands by the edition in force on a day; none without an edition."""
    if not standards:
        return no_categories

    def found(day: date) -> Mapping[str, tuple[int, int]]:
        bands = standard_for(day, standards).bands
        ends: dict[str, list[int]] = {}
        for aqi in range(1, len(bands)):
            ends.setdefault(bands[aqi].zh, []).append(aqi)
        return {word: (some[0], some[-1]) for word, some in ends.items()}

    return found


def no_categories(_: date) -> Mapping[str, tuple[int, int]]:
    """Without a standard no word for a band is understood."""
    return {}


@dataclass(frozen=True)
class Table(OneSource):
    """
    Columns for the day and the index and, where known, its range or band, primary pollutant, cause, PM2.5, place.

    Our names (``day``, ``aqi``, ``aqi_low``, ``aqi_high``, ``primary``, ``cause``, ``pm2_5``, ``place``,
    ``issued_at``) and the usual Chinese headings are understood. A CSV is UTF-8 or GB 18030 with its heading on top;
    in an XLSX the heading is sought below the title; JSON is a list of such rows, or an object with ``issued_at`` and
    ``days``. Where only a range or a band is given, the index is its middle, rounded up, and both ends are kept.

    A row that names a place (柳州市, 柳州) speaks of it, one that names none of ``place``: each gets its own forecast.
    ``issued_at`` stands in the first row or in the title; else ``issued`` is it, and without that
    the full hour the table was read in: a corrected one passes for a repeat until the next hour and no longer.
    """

    every_s: int = 900
    categories: Categories = no_categories
    issued: datetime | None = None
    label: str = ""

    def _read(self, raw: bytes, sieve: Sieve) -> Parsed:
        said, lines = _lines(raw, sieve)
        days: dict[str, list[ForecastDay]] = {}
        for at, line in enumerate(lines):
            if at == 0 and said is None:
                said = line.values.get("issued_at")
            place = self._whose(line)
            before = days[place][-1].day if days.get(place) else None
            found = self._day(line, before, sieve)
            if found is not None:
                days.setdefault(place, []).append(found)
        issued_at: datetime | None = self.issued or hour_of(sieve.now)
        if said not in (None, ""):
            issued_at = sieve.instant("issued_at", said.isoformat() if isinstance(said, date) else said)
        if issued_at is None:  # a date that cannot be is a wrong or an old file, not a forecast of today
            return Parsed()
        return Parsed(
            forecasts=tuple(
                Forecast(self.name, place, issued_at, tuple(some), label=self.label) for place, some in days.items()
            )
        )

    def _whose(self, line: Line) -> str:
        """The name feeds know a city by: 柳州 for 柳州市."""
        return str(cells.plain(line.values.get("place")) or "").removesuffix("市") or self.place

    def _day(self, line: Line, before: date | None, sieve: Sieve) -> ForecastDay | None:
        values, where = line.values, line.where
        for name, value in values.items():
            if isinstance(value, Formula):
                sieve.refuse(where(name), value, "a formula is not worked out: put its value there")
                return None
        day = sieve.day(where("day"), cells.day_of(values.get("day"), today=sieve.today), after=before)
        low = sieve.aqi(where("aqi_low"), cells.plain(values.get("aqi_low")))
        high = sieve.aqi(where("aqi_high"), cells.plain(values.get("aqi_high")))
        aqi, ends = self._aqi(line, day, (low, high), sieve)
        primary = sieve.pollutants(where("primary"), cells.names_of(values.get("primary")))
        if day is None or aqi is None:
            return None
        low, high = ends
        cause = _cause(where("cause"), values.get("cause"), sieve) or cause_of(primary, aqi)
        if (low is not None and low > aqi) or (high is not None and high < aqi):
            said = f"{low}…{aqi}…{high}"
            sieve.refuse(where(""), said, "the index lies outside its own range; the range is not taken")
            low = high = None
        return ForecastDay(day, aqi, low, high, primary, cause, self._pm2_5(line, sieve))

    def _aqi(
        self, line: Line, day: date | None, ends: tuple[int | None, int | None], sieve: Sieve
    ) -> tuple[int | None, tuple[int | None, int | None]]:
        """The index with both ends: a number, else the middle of a range, of two ends or of a band."""
        values, (low, high) = line.values, ends
        bands = self.categories(day or sieve.today)
        said = values.get("aqi")
        field_, found = "aqi", cells.range_of(said, bands)
        if found is None and said in (None, "") and low is not None and high is not None:
            field_, found = "aqi_low", (low, high)
        if found is None and said in (None, "") and values.get("category") not in (None, ""):
            field_, said = "category", values["category"]
            found = cells.range_of(said, bands)
            if found is None:
                sieve.refuse(line.where(field_), said, "no band of the index is called so")
                return None, ends
        if found is None:
            return sieve.aqi(line.where("aqi"), cells.plain(said), needed=True), ends
        lowest, highest = (sieve.aqi(line.where(field_), one) for one in found)
        if lowest is None or highest is None:
            return None, ends
        if lowest > highest:
            sieve.refuse(line.where(field_), said, "the range runs backwards")
            return None, ends
        return -(-(lowest + highest) // 2), (lowest, highest)

    @staticmethod
    def _pm2_5(line: Line, sieve: Sieve) -> float | None:
        value = cells.plain(line.values.get("pm2_5"))
        if value in (None, "") or line.mass is None:
            return None
        found = sieve.concentration(line.where("pm2_5"), value)
        return None if found is None else found * line.mass


def _cause(where: str, value: object, sieve: Sieve) -> Cause | None:
    word = str(cells.plain(value) or "").lower()
    if not word:
        return None
    if word in _CAUSES:
        return _CAUSES[word]
    try:
        return Cause(word)
    except ValueError:
        # an unknown word must not keep orders from going out: PM2.5 is the one cause that starts them
        sieve.refuse(where, value, "no cause we know; taken as pm2_5")
        return Cause.PM2_5


# --- the three kinds of file as lines


@dataclass(frozen=True)
class Line:
    """One row under its headings; ``mass`` makes µg/m³ of its concentrations, None when their unit is unknown."""

    row: str
    values: Mapping[str, object]
    addresses: Mapping[str, str] = field(default_factory=dict)
    mass: float | None = 1.0

    def where(self, name: str) -> str:
        """How the cell of this name is called in a note of refusal."""
        return self.addresses.get(name) or (f"{self.row}, {name}" if name else self.row)


def _lines(raw: bytes, sieve: Sieve) -> tuple[object, Iterable[Line]]:
    """What the file says of its issue, if it does outside the rows, and the rows."""
    if is_workbook(raw):
        return _of_workbook(read_workbook(raw), sieve)
    return _json(raw) if raw.lstrip()[:1] in (b"[", b"{") else _csv(raw, sieve)


def _of_workbook(sheets: tuple[Sheet, ...], sieve: Sieve) -> tuple[object, Iterable[Line]]:
    said: object = None
    found: list[Line] = []
    for sheet in sheets:
        top = _heading_of(sheet)
        if top is None:
            continue
        for row in sheet.rows[:top]:
            said = said or next((one for value in row.cells.values() if (one := cells.issue_of(value))), None)
        found += _below(*_joined(sheet.rows, top), sieve)
    if not found and not sieve.refused:
        names = ", ".join(one.name for one in sheets)
        raise NotReadable("the workbook", names, "no sheet has a heading with a day and an index, and rows below it")
    return said, found


def _heading_of(sheet: Sheet) -> int | None:
    """Which of the first rows names a day and an index."""
    for at, row in enumerate(sheet.rows[:_TITLE_ROWS]):
        names = {cells.heading(one) for one in row.cells.values()}
        if "day" in names and names & {"aqi", "aqi_low", "category"}:
            return at
    return None


def _joined(rows: tuple[Row, ...], top: int) -> tuple[Row, tuple[Row, ...]]:
    """
    The heading and the rows below it; a second line of the heading says more of columns merged above it.

    Merged cells come filled: 预报日期 stands in both lines, and AQI over 下限 and 上限 makes AQI下限 and AQI上限.
    """
    upper, below = rows[top], rows[top + 1 :]
    if not below:
        return upper, below
    both = {at: _one_heading(said, below[0].cells.get(at)) for at, said in upper.cells.items()}
    if any(cells.heading(one) in _FIELDS and one != upper.cells[at] for at, one in both.items()):
        return Row(upper.sheet, upper.number, both), below[1:]
    return upper, below


def _one_heading(upper: object, lower: object) -> object:
    if lower in (None, "") or lower == upper:
        return upper
    return f"{upper}{lower}" if isinstance(lower, str) and not any(one.isdigit() for one in lower) else upper


def _below(top: Row, rows: Iterable[Row], sieve: Sieve) -> Iterator[Line]:
    names: dict[int, str] = {}
    for column, value in sorted(top.cells.items()):
        name = cells.heading(value)
        if name in _FIELDS and name not in names.values():
            names[column] = name
    unit = next((cells.unit_of(top.cells[at]) for at, name in names.items() if name == "pm2_5"), "")
    unit = "" if unit.startswith(("pm", "细")) else unit
    mass = cells.factor(unit)
    told = mass is not None
    for at, row in enumerate(rows):
        values = {name: row.cells.get(column) for column, name in names.items()}
        if at == 0 and _is_units(values):
            mass = cells.factor(cells.unit_of(values.get("pm2_5"))) if values.get("pm2_5") else mass
            told = mass is not None
            continue
        if len({str(one) for one in row.cells.values() if one not in (None, "")}) < 2:
            continue  # a remark under the table
        addresses = {name: row.place(column) for column, name in names.items()}
        if not told:
            sieve.refuse(addresses["pm2_5"], values.get("pm2_5"), "another unit than µg/m³")
            told = True
        yield Line(f"{row.sheet}!{row.number}", values, addresses, mass)


def _is_units(values: Mapping[str, object]) -> bool:
    """Whether a row under the heading only says units: no day in it, and every cell of it a unit."""
    if values.get("day") not in (None, "", "单位"):
        return False
    said = [str(one) for name, one in values.items() if name != "day" and one not in (None, "")]
    return bool(said) and all(_UNIT_WORDS.search(one) for one in said)


def _json(raw: bytes) -> tuple[object, Iterable[Line]]:
    document = read_json(raw)
    said = None
    if isinstance(document, dict):
        said, document = document.get("issued_at"), document.get("days")
    entries = list_of(document, "days")
    return said, (Line(f"days[{at}]", _named(table_of(one, f"days[{at}]"))) for at, one in enumerate(entries))


def _csv(raw: bytes, sieve: Sieve) -> tuple[object, Iterable[Line]]:
    reader = csv.reader(io.StringIO(_text(raw), newline=""), strict=True)
    try:
        top = next(reader, [])
    except csv.Error as error:
        raise NotReadable("row 1", raw[:60], f"not CSV: {error}") from None
    names = [cells.heading(one) for one in top]
    if "day" not in names:
        raise NotReadable("row 1", raw[:60], "no column day")
    if not {"aqi", "aqi_low", "category"} & {*names}:
        raise NotReadable("row 1", raw[:60], "no column aqi")
    units = [one for one in top if cells.heading(one) == "pm2_5" and "(" in str(cells.plain(one))]
    unit = cells.unit_of(units[0]) if units else ""
    return None, _rows(reader, names, cells.factor(unit), sieve)


def _rows(reader: Iterator[list[str]], names: list[str], mass: float | None, sieve: Sieve) -> Iterator[Line]:
    at = 1
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise NotReadable(f"row {at + 1}", "", f"not CSV: {error}") from None
        if row is None:
            return
        at += 1
        if len(row) < len(names) and any(row):  # a line cut short may have lost half a number too
            sieve.refuse(f"row {at}", ",".join(row), f"{len(row)} cells under {len(names)} headings")
        elif any(cell.strip() for cell in row):
            yield Line(f"row {at}", dict(zip(names, (cell.strip() for cell in row), strict=False)), mass=mass)


def _named(row: Mapping[str, object]) -> Mapping[str, object]:
    return {cells.heading(name): value for name, value in row.items()}


def _text(raw: bytes) -> str:
    if b"\x00" in raw:
        raise NotReadable(f"byte {raw.index(0)}", "", "binary, not text")
    for encoding in ("utf-8-sig", "gb18030"):  # what Excel in Chinese Windows writes
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError as error:
            at = error.start
    raise NotReadable(f"byte {at}", raw[at : at + 8], "neither UTF-8 nor GB 18030")


TEMPLATE: Final = (
    ("日期", "预报的日期，如 2026-01-11 或 1月11日，每天一行，按先后顺序。"),
    ("AQI", "AQI 预报值，1—500 的整数；只有范围时写 120~150，或留空并填下限和上限。"),
    ("AQI下限", "预报范围的下限，可不填。"),
    ("AQI上限", "预报范围的上限，可不填；预案规定以上限研判时使用。"),
    ("首要污染物", "如 PM2.5、臭氧8小时；多个用顿号隔开，可不填。"),
    ("成因", "只有不是细颗粒物引起的日子才需要填；臭氧、沙尘、山火、跨境传输、烟花爆竹只作健康提示。"),
    ("发布时间", "预报发布的时间，如 2026-01-10 16:30，填在第一行即可。"),
)
"""The columns of the table to fill in, with what belongs under each."""


def template_xlsx(*, today: date) -> bytes:
    """A workbook to fill in, with three example days after ``today``, a guide, and the causes to choose from."""
    return template(TEMPLATE, _example(today), {"成因": tuple(_CAUSES)})


def template_csv(*, today: date) -> bytes:
    """The same as CSV, as Excel on Chinese Windows opens it."""
    kept = io.StringIO(newline="")
    writer = csv.writer(kept)
    writer.writerow([heading for heading, _ in TEMPLATE])
    writer.writerows(_example(today))
    return kept.getvalue().encode("utf-8-sig")


def _example(today: date) -> list[list[object]]:
    days = [(today + timedelta(days=n)).isoformat() for n in (1, 2, 3)]
    return [
        [days[0], 165, 150, 180, "PM2.5", "", f"{today.isoformat()} 16:30"],
        [days[1], 178, 160, 195, "PM2.5", "", ""],
        [days[2], 130, 115, 145, "臭氧8小时", "臭氧", ""],
    ]
