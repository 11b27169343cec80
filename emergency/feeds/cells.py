"""What people write into the cells of a bulletin: days without a year, ranges, words for bands, units in headings."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

_HEADINGS: Final = {
    "日期": "day",
    "预报日期": "day",
    "预报时段": "day",
    "date": "day",
    "aqi": "aqi",
    "aqi值": "aqi",
    "aqi预报": "aqi",
    "aqi预报值": "aqi",
    "aqi范围": "aqi",
    "aqi预报范围": "aqi",
    "aqi指数": "aqi",
    "空气质量指数": "aqi",
    "空气质量指数aqi": "aqi",
    "预报aqi": "aqi",
    "aqi下限": "aqi_low",
    "aqi上限": "aqi_high",
    "空气质量等级": "category",
    "空气质量级别": "category",
    "空气质量类别": "category",
    "空气质量": "category",
    "等级": "category",
    "级别": "category",
    "首要污染物": "primary",
    "pm2.5": "pm2_5",
    "pm2.5浓度": "pm2_5",
    "细颗粒物浓度": "pm2_5",
    "成因": "cause",
    "发布时间": "issued_at",
    "起报时间": "issued_at",
    "城市": "place",
    "地区": "place",
    "区域": "place",
    "县区": "place",
    "县（区）": "place",
    "区县": "place",
    "乡镇": "place",
    "place": "place",
}
TITLE_ROWS: Final = 15  # how far down a heading may stand; above it are a title, a number and a date of issue
FIELDS: Final = frozenset(
    {"day", "aqi", "aqi_low", "aqi_high", "category", "primary", "pm2_5", "cause", "issued_at", "place"}
)
INDEXED: Final = frozenset({"aqi", "aqi_low", "category"})  # one of these a table of forecasts must have
_ISSUED: Final = re.compile(
    r"(?:发布|制作|起报|预报)(?:时间|日期)\s*[:：]?\s*(\d{4})\s*[年/-]\s*(\d{1,2})\s*[月/-]\s*(\d{1,2})\s*日?\s*"
    r"(\d{1,2})\s*[时:：点]\s*(\d{1,2})?"
)
_FULL: Final = re.compile(r"(\d{4})\s*[年/.-]\s*(\d{1,2})\s*[月/.-]\s*(\d{1,2})\s*日?")
_SHORT: Final = re.compile(r"(\d{1,2})\s*月\s*(\d{1,2})\s*日")
_AFTER_DAY: Final = re.compile(r"\s*[(（]?\s*(?:周|星期)[一二三四五六日天]\s*[)）]?$|\s*[(（][^()（）]*[)）]$")
_RANGE: Final = re.compile(r"(\d{1,3})\s*(?:~|-|–|—|∼|〜|至|到)\s*(\d{1,3})")
_TO: Final = re.compile(r"\s*(?:~|-|–|—|∼|〜|至|到|或)\s*")
_UNIT: Final = re.compile(r"[(（]([^()（）]*)[)）]")
_MICROGRAMS: Final = frozenset({"", "μg/m3", "ug/m3", "微克/立方米", "微克每立方米"})
_MILLIGRAMS: Final = frozenset({"mg/m3", "毫克/立方米", "毫克每立方米"})


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


def plain(value: object) -> object:
    """Text with full-width digits, letters and signs made narrow and blanks cut; anything else as it is."""
    return unicodedata.normalize("NFKC", value).strip() if isinstance(value, str) else value


def heading(value: object) -> str:
    """Our word for a column's heading, or the heading itself; a unit in brackets is no part of it."""
    text = re.sub(r"\s+", "", str(plain(value) or "")).lower()
    return _HEADINGS.get(text) or _HEADINGS.get(_UNIT.sub("", text)) or text


def unit_of(value: object) -> str:
    """The unit a heading or a line of units names, in brackets or alone."""
    text = re.sub(r"\s+", "", str(plain(value) or "")).replace("µ", "μ")
    found = _UNIT.search(text)
    return (found[1] if found else text).removeprefix("单位:").lower()


def factor(unit: str) -> float | None:
    """What makes µg/m³ of this unit; None when it is no unit of mass we know."""
    if unit in _MICROGRAMS:
        return 1.0
    return 1000.0 if unit in _MILLIGRAMS else None


def day_of(value: object, *, today: date) -> object:
    """
    The day as 2026-01-10 where it can only be one day; anything else comes back as it was, to be refused.

    «1月10日» has no year: it is the one nearest to ``today``, and a forecast is never half a year away.
    """
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, str):
        return value
    text = _AFTER_DAY.sub("", str(plain(value)))
    if found := _FULL.fullmatch(text):
        return f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}"
    if found := _SHORT.fullmatch(text):
        near = [_day(year, int(found[1]), int(found[2])) for year in (today.year - 1, today.year, today.year + 1)]
        days = [one for one in near if one is not None]
        return min(days, key=lambda one: abs(one - today)).isoformat() if days else value
    return text


def is_day(value: object, *, today: date) -> bool:
    """Whether this can only be one day."""
    found = day_of(value, today=today)
    try:
        return isinstance(found, str) and bool(date.fromisoformat(found))
    except ValueError:
        return False


def range_of(value: object, categories: Mapping[str, tuple[int, int]]) -> tuple[int, int] | None:
    """Both ends of «120~150» or of «轻度至中度污染»; None where the cell is no range."""
    text = str(plain(value)) if isinstance(value, str) else ""
    if found := _RANGE.fullmatch(text):
        return int(found[1]), int(found[2])
    words = [one.removesuffix("级") for one in _TO.split(text) if one]
    bands = [_band(one, categories) for one in words]
    if not bands or len(bands) > 2 or None in bands:
        return None
    known = [one for one in bands if one is not None]
    return known[0][0], known[-1][1]


def names_of(value: object) -> object:
    """Pollutants with one kind of comma between them: people write 或, 和, / and 无."""
    text = plain(value)
    if not isinstance(text, str):
        return text
    return None if text in ("无", "-", "—") else re.sub(r"\s*(?:或|和|与|及|/)\s*", "、", text)


def issue_of(value: object) -> str | None:
    """The instant of issue a title names («发布时间：2026年1月10日16时»), Beijing time; None where it names none."""
    found = _ISSUED.search(str(plain(value))) if isinstance(value, str) else None
    if found is None:
        return None
    year, month, day, hour, minute = (int(one or 0) for one in found.groups())
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}"


def _band(word: str, categories: Mapping[str, tuple[int, int]]) -> tuple[int, int] | None:
    return categories.get(word) or categories.get(f"{word}污染")


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
