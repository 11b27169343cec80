"""A bulletin as people make them: a CSV or JSON table of days, from an address or a folder."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from emergency.domain.forecast import Cause, Forecast, ForecastDay
from emergency.feeds.records import NotReadable, Parsed, Sieve, cause_of, hour_of, list_of, parsed, read_json, table_of
from emergency.feeds.sources import Source

_NAMES: Final = {
    "日期": "day",
    "预报日期": "day",
    "date": "day",
    "aqi下限": "aqi_low",
    "aqi上限": "aqi_high",
    "首要污染物": "primary",
    "成因": "cause",
    "发布时间": "issued_at",
}
_CAUSES: Final = {
    "臭氧": Cause.O3,
    "沙尘": Cause.SAND_DUST,
    "山火": Cause.WILDFIRE,
    "跨境传输": Cause.CROSS_BORDER,
    "烟花爆竹": Cause.FIREWORKS,
    "细颗粒物": Cause.PM2_5,
}


@dataclass(frozen=True)
class Table:
    """
    Columns ``day``, ``aqi`` and, where known, ``aqi_low``, ``aqi_high``, ``primary``, ``cause``, ``issued_at``.

    Chinese headings are understood. UTF-8 or GB 18030; JSON is a list of such rows, or an object with ``issued_at`` and
    ``days``. ``issued_at`` stands in the first row. Without one the bulletin counts as issued at the full hour it was
    read in: a corrected table passes for a repeat until the next hour and no longer.
    """

    name: str
    place: str
    source: Source
    every_s: int = 900
    kind: str = "forecast"

    def download(self, *, now: datetime) -> bytes:
        """The file's bytes."""
        return self.source.read()

    def parse(self, raw: bytes, *, now: datetime) -> Parsed:
        """One forecast of the rows that could be taken; touches nothing."""
        return parsed(raw, self._read, now=now)

    def _read(self, raw: bytes, sieve: Sieve) -> Parsed:
        said, rows = _json(raw) if raw.lstrip()[:1] in (b"[", b"{") else _csv(raw, sieve)
        days: list[ForecastDay] = []
        before: date | None = None
        for at, (where, row) in enumerate(rows):
            if at == 0 and said is None:
                said = row.get("issued_at")
            found = self._day(where, row, before, sieve)
            if found is not None:
                days.append(found)
                before = found.day
        issued_at: datetime | None = hour_of(sieve.now)
        if said not in (None, ""):
            issued_at = sieve.instant("issued_at", said)
        if issued_at is None:  # a date that cannot be is a wrong or an old file, not a forecast of today
            return Parsed()
        return Parsed(forecasts=(Forecast(self.name, self.place, issued_at, tuple(days)),))

    @staticmethod
    def _day(where: str, row: Mapping[str, object], before: date | None, sieve: Sieve) -> ForecastDay | None:
        day = sieve.day(f"{where}, day", row.get("day"), after=before)
        aqi = sieve.aqi(f"{where}, aqi", row.get("aqi"), needed=True)
        low = sieve.aqi(f"{where}, aqi_low", row.get("aqi_low"))
        high = sieve.aqi(f"{where}, aqi_high", row.get("aqi_high"))
        primary = sieve.pollutants(f"{where}, primary", row.get("primary"))
        if day is None or aqi is None:
            return None
        cause = _cause(where, row.get("cause"), sieve) or cause_of(primary, aqi)
        if (low is not None and low > aqi) or (high is not None and high < aqi):
            sieve.refuse(where, f"{low}…{aqi}…{high}", "the index lies outside its own range; the range is not taken")
            low = high = None
        return ForecastDay(day, aqi, low, high, primary, cause)


def _cause(where: str, value: object, sieve: Sieve) -> Cause | None:
    word = str(value or "").strip().lower()
    if not word:
        return None
    if word in _CAUSES:
        return _CAUSES[word]
    try:
        return Cause(word)
    except ValueError:
        # an unknown word must not keep orders from going out: PM2.5 is the one cause that starts them
        sieve.refuse(f"{where}, cause", value, "no cause we know; taken as pm2_5")
        return Cause.PM2_5


Rows = Iterator[tuple[str, Mapping[str, object]]]


def _json(raw: bytes) -> tuple[object, Rows]:
    document = read_json(raw)
    said = None
    if isinstance(document, dict):
        said, document = document.get("issued_at"), document.get("days")
    entries = list_of(document, "days")
    return said, ((f"days[{at}]", _named(table_of(entry, f"days[{at}]"))) for at, entry in enumerate(entries))


def _csv(raw: bytes, sieve: Sieve) -> tuple[object, Rows]:
    reader = csv.reader(io.StringIO(_text(raw), newline=""), strict=True)
    try:
        heading = next(reader, [])
    except csv.Error as error:
        raise NotReadable("row 1", raw[:60], f"not CSV: {error}") from None
    names = [_NAMES.get(one.strip().lower(), one.strip().lower()) for one in heading]
    for needed in ("day", "aqi"):
        if needed not in names:
            raise NotReadable("row 1", raw[:60], f"no column {needed}")
    return None, _rows(reader, names, sieve)


def _rows(reader: Iterator[list[str]], names: list[str], sieve: Sieve) -> Rows:
    at = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise NotReadable(f"row {at + 1}", "", f"not CSV: {error}") from None
        if cells is None:
            return
        at += 1
        if len(cells) < len(names) and any(cells):  # a line cut short may have lost half a number too
            sieve.refuse(f"row {at}", ",".join(cells), f"{len(cells)} cells under {len(names)} headings")
        elif any(cell.strip() for cell in cells):
            yield f"row {at}", dict(zip(names, (cell.strip() for cell in cells), strict=False))


def _named(row: Mapping[str, object]) -> Mapping[str, object]:
    return {_NAMES.get(name.strip().lower(), name.strip().lower()): value for name, value in row.items()}


def _text(raw: bytes) -> str:
    if b"\x00" in raw:
        raise NotReadable(f"byte {raw.index(0)}", "", "binary, not text")
    for encoding in ("utf-8-sig", "gb18030"):  # what Excel in Chinese Windows writes
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError as error:
            at = error.start
    raise NotReadable(f"byte {at}", raw[at : at + 8], "neither UTF-8 nor GB 18030")
