"""A bulletin as people make them: an XLSX, CSV or JSON table of days, from an address, a folder or an upload."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from emergency.domain.air import Standard, standard_for
from emergency.domain.causes import cause_of
from emergency.domain.forecast import Cause, Forecast, ForecastDay
from emergency.feeds import cells
from emergency.feeds.cells import Line
from emergency.feeds.lines import lines_of
from emergency.feeds.one_source import OneSource
from emergency.feeds.records import Parsed, Sieve, hour_of
from emergency.feeds.sources import UNKNOWN, RawMessage, Validators
from emergency.feeds.workbook import Formula, template

Categories = Callable[[date], Mapping[str, tuple[int, int]]]
"""The words for bands of the index (轻度污染) with both ends of each, by the standard in force on a day."""

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
    in an XLSX the heading is sought below the title, and in both the days may lie across the top instead; JSON is a
    list of such rows, or an object with ``issued_at`` and ``days``. Where only a range or a band is given, the index is
    its middle, rounded up, and both ends are kept.

    A row that names a place (柳州市, 柳州) speaks of it, one that names none of ``place``: each gets its own forecast.
    ``issued_at`` stands in the first row or in the title; else ``issued`` is it, and without that
    the full hour the table was read in: a corrected one passes for a repeat until the next hour and no longer.
    """

    every_s: int = 900
    categories: Categories = no_categories
    issued: datetime | None = None
    label: str = ""

    def _read(self, raw: bytes, sieve: Sieve) -> Parsed:
        said, lines = lines_of(raw, sieve)
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


class _AtHand:
    """The source of a table whose bytes are here already."""

    def read(self, known: Validators = UNKNOWN) -> RawMessage:
        """Nothing is fetched."""
        return RawMessage(b"", known)


def read(
    raw: bytes, *, feed: str, place: str, categories: Categories, issued: datetime | None, now: datetime
) -> Parsed:
    """What a table says that was sent in, XLSX, CSV or JSON by its content: as much as one from a feed, no more."""
    return Table(feed, place, _AtHand(), categories=categories, issued=issued).parse(raw, now=now)


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
