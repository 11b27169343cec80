"""What a message from outside is turned into, and the sieve that holds back what cannot be."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from emergency.clock import SHANGHAI
from emergency.domain.causes import Figure
from emergency.domain.forecast import Forecast, Observation

Index = Callable[[date, Mapping[str, float]], Figure]
"""What a day's values come to by the standard in force on it, and what drives them; unknown where it cannot be had."""

NO_INDEX = "no index can be had from these pollutants alone"
HIGHEST_AQI = 500  # HJ 633-2026 4.1.1: the index runs from 1 to 500
HIGHEST_UGM3 = 10_000.0  # above any instrument's range (HJ 653-2021: PM up to 10 000 µg/m³); 99999 means «no value»
HIGHEST_CO_MGM3 = 150.0  # the top node of CO 1 h is 150 mg/m³; more is µg/m³ under the wrong name
OLDEST = timedelta(days=3)
FARTHEST = timedelta(days=16)  # the longest horizon among the sources

_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{0,20})?([eE][+-]?[0-9]{1,3})?")
_MISSING = frozenset({"", "-", "--", "—", "/", "na", "n/a", "null", "none"})
_POLLUTANTS = (  # first match wins: 臭氧1小时 and 臭氧8小时 are both the pollutant o3
    ("pm2_5", re.compile(r"pm\s*2[._p]?5|细颗粒物", re.I)),
    ("pm10", re.compile(r"pm\s*10|颗粒物", re.I)),
    ("o3", re.compile(r"o3|臭氧", re.I)),
    ("so2", re.compile(r"so2|二氧化硫", re.I)),
    ("no2", re.compile(r"no2|二氧化氮", re.I)),
    ("co", re.compile(r"\bco\b|一氧化碳", re.I)),
)


@dataclass(frozen=True)
class RefusedRecord:
    """One record that was not taken: where it stood in the message, what it said (cut short), and why not."""

    where: str
    value: str
    reason: str


@dataclass(frozen=True)
class Parsed:
    """All that a message gave: what was taken, what was refused, and the hash that names the message."""

    forecasts: tuple[Forecast, ...] = ()
    observations: tuple[Observation, ...] = ()
    refused: tuple[RefusedRecord, ...] = ()
    raw_sha256: str = ""


class NotReadable(ValueError):  # noqa: N818 - caught where it is raised; never leaves a feed
    """The whole message is of no use; ``where`` is the line or byte at which that showed."""

    def __init__(self, where: str, value: object, reason: str) -> None:
        super().__init__(f"{where}: {reason}")
        self.record = RefusedRecord(where, _short(value), reason)


class Sieve:
    """
    Takes the values of one message one by one and keeps a note of each that is refused; a bad one costs no other.

    ``now`` is the civil instant of parsing; days and instants far from it are refused.
    """

    def __init__(self, *, now: datetime) -> None:
        self.now, self.today = now.astimezone(UTC), now.astimezone(SHANGHAI).date()
        self._refused: list[RefusedRecord] = []

    @property
    def refused(self) -> tuple[RefusedRecord, ...]:
        """What was held back so far, in the order of the message."""
        return tuple(self._refused)

    def refuse(self, where: str, value: object, reason: str) -> None:
        """Note that this record is not taken."""
        self._refused.append(RefusedRecord(where, _short(value), reason))

    def concentration(
        self, where: str, value: object, *, most: float = HIGHEST_UGM3, unit: str = "µg/m³"
    ) -> float | None:
        """A concentration from 0 to ``most`` in ``unit``; None when it is missing (no note) or impossible (noted)."""
        number = self._number(where, value)
        if number is None:
            return None
        if number < 0:
            self.refuse(where, value, "a concentration is never negative")
        elif number > most:
            self.refuse(where, value, f"above {most:g} {unit}: a sign for «no value», or another unit")
        else:
            return float(number)
        return None

    def co(self, where: str, value: object) -> float | None:
        """Carbon monoxide in mg/m³; a figure that can only be µg/m³ is refused, not divided."""
        return self.concentration(where, value, most=HIGHEST_CO_MGM3, unit="mg/m³")

    def aqi(self, where: str, value: object, *, needed: bool = False) -> int | None:
        """A whole index from 1 to 500; None when it is missing (noted only when ``needed``) or impossible (noted)."""
        if needed and _is_missing(value):
            self.refuse(where, value, "the index is missing")
        number = self._number(where, value)
        if number is None:
            return None
        if not 1 <= number <= HIGHEST_AQI:
            self.refuse(where, value, f"an index runs from 1 to {HIGHEST_AQI}")
        elif number != number.to_integral_value():
            self.refuse(where, value, "an index is a whole number")
        else:
            return int(number)
        return None

    def day(
        self, where: str, value: object, *, after: date | None = None, past: timedelta = OLDEST
    ) -> date | None:
        """A calendar day near now, not older than ``past`` and later than ``after``; None and a note when it is not."""
        try:
            if not isinstance(value, str):
                raise ValueError
            found = date.fromisoformat(value.strip().replace("/", "-"))
        except ValueError:
            self.refuse(where, value, "not a day like 2026-01-10")
            return None
        if not self.today - past <= found <= self.today + FARTHEST:
            self.refuse(where, value, f"far from today, {self.today.isoformat()}")
        elif after is not None and found <= after:
            self.refuse(where, value, f"out of order: {after.isoformat()} stood before it")
        else:
            return found
        return None

    def instant(self, where: str, value: object, *, past: timedelta = OLDEST) -> datetime | None:
        """
        An instant not later than now (five minutes' grace) and not older than ``past``; None and a note when it is not.

        A text without an offset is Beijing time, as every Chinese source means it; a number is Unix seconds.
        """
        try:
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                raise ValueError
            if isinstance(value, str):
                found = datetime.fromisoformat(value.strip())
            else:
                found = datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            self.refuse(where, value, "not an instant")
            return None
        found = (found if found.tzinfo else found.replace(tzinfo=SHANGHAI)).astimezone(UTC)
        if found > self.now + timedelta(minutes=5):
            self.refuse(where, value, "in the future")
        elif found < self.now - past:
            self.refuse(where, value, "too old to be taken for news")
        else:
            return min(found, self.now)
        return None

    def pollutants(self, where: str, value: object) -> tuple[str, ...]:
        """The pollutants a source names as primary, in our words; an unknown name is noted and costs nothing else."""
        if _is_missing(value):
            return ()
        found: list[str] = []
        for word in re.split(r"[,，、;；\s]+", str(value).strip()):
            ours = next((name for name, pattern in _POLLUTANTS if pattern.search(word)), None)
            if ours is None:
                self.refuse(where, word, "no pollutant we know")
            elif ours not in found:
                found.append(ours)
        return tuple(found)

    def _number(self, where: str, value: object) -> Decimal | None:
        if _is_missing(value):
            return None
        text = str(value).strip()  # so that 0.1 stays 0.1
        if isinstance(value, str | int | float) and not isinstance(value, bool) and _NUMBER.fullmatch(text):
            return Decimal(text)
        if text.lower().lstrip("+-") in ("nan", "inf", "infinity"):
            self.refuse(where, value, "not a finite number")
        else:
            self.refuse(where, value, "not a number")
        return None


def read_json(raw: bytes) -> object:
    """
    The document, UTF-8 or as its byte-order mark says.

    :raises NotReadable: empty, cut, not JSON (an HTML page is called by its name), or nested beyond reason
    """
    start = raw[:200].lstrip()
    if not start:
        raise NotReadable("byte 0", raw, "the message is empty")
    if start[:1] == b"<":
        what = "an HTML page" if re.match(rb"<(!doctype\s+html|html)", start, re.I) else "markup"
        raise NotReadable("byte 0", start[:60], f"{what}, not JSON")
    try:
        return json.loads(raw)
    except json.JSONDecodeError as error:
        near = error.doc[max(0, error.pos - 20) : error.pos + 20]
        raise NotReadable(f"line {error.lineno} column {error.colno}", near, f"not JSON: {error.msg}") from None
    except UnicodeDecodeError as error:
        raise NotReadable(f"byte {error.start}", raw[error.start : error.start + 8], "not UTF-8") from None
    except (ValueError, RecursionError) as error:  # a number of ten thousand digits, ten thousand brackets
        raise NotReadable("the message", "", f"beyond reason: {type(error).__name__}") from None


def table_of(value: object, where: str) -> Mapping[str, object]:
    """
    A JSON object.

    :raises NotReadable: it is something else
    """
    if isinstance(value, dict):
        return value
    raise NotReadable(where, value, "an object was expected here")


def list_of(value: object, where: str) -> list[object]:
    """
    A JSON list.

    :raises NotReadable: it is something else
    """
    if isinstance(value, list):
        return value
    raise NotReadable(where, value, "a list was expected here")


def sha256(raw: bytes) -> str:
    """The name of a raw message."""
    return hashlib.sha256(raw).hexdigest()


def parsed(
    raw: bytes, read: Callable[[bytes, Sieve], Parsed], *, now: datetime, may_be_empty: bool = False
) -> Parsed:
    """
    What ``read`` made of the message, with every refusal noted and the message's hash on every record.

    A message that cannot be read at all comes back as a single refused record, and so does one that says nothing
    unless it ``may_be_empty``; nothing raises.
    """
    sieve, name = Sieve(now=now), sha256(raw)
    try:
        found = read(raw, sieve)
    except NotReadable as error:
        return Parsed(refused=(error.record,), raw_sha256=name)
    forecasts: list[Forecast] = []
    for one in found.forecasts:
        ahead = one.hours[-1].at > sieve.now if one.hours and not one.days else False
        if ahead or (one.days and one.days[-1].day >= sieve.today):
            forecasts.append(replace(one, raw_sha256=name))
        elif one.hours and not one.days and not may_be_empty:
            sieve.refuse("the message", one.hours[-1].at, "the last hour it speaks of is past")
        elif one.days and not may_be_empty:
            sieve.refuse("the message", one.days[-1].day, "the last day it speaks of is past")
    observations = tuple(replace(one, raw_sha256=name) for one in found.observations)
    if not (forecasts or observations or sieve.refused or may_be_empty):
        sieve.refuse("the message", raw, "holds no record")
    return Parsed(tuple(forecasts), observations, sieve.refused, name)


def hour_of(now: datetime) -> datetime:
    """The full hour, for sources that do not say when they were issued: asked twice within it, they say it once."""
    return now.replace(minute=0, second=0, microsecond=0)


def start_of(day: date) -> datetime:
    """The first instant of a calendar day in Shanghai, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)


def rounded(value: float) -> float:
    """A mean kept to three decimals, so that the order of adding does not show."""
    return round(value, 3) if math.isfinite(value) else value


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, str) and value.strip().lower() in _MISSING)


def _short(value: object) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return "".join(one if one.isprintable() else "·" for one in text[:80])
