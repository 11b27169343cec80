"""The national hourly publication (CNEMC): XML that is not well formed, and ozone in odd places."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html.entities import html5
from typing import Final
from xml.parsers import expat

from emergency.domain.air import as_written
from emergency.domain.air_daily import mean
from emergency.domain.forecast import Observation
from emergency.feeds.one_source import OneSource
from emergency.feeds.records import NotReadable, Parsed, Sieve

# Their field → ours. From 2017 on the service has the ozone fields exchanged: O3_24h and O3_8h_24h carry the CURRENT
# 1-h and 8-h values, O3 and O3_8h the day's largest so far (seen in 9,000 station-hours against the official AQI).
_FIELDS: Final = {
    "PM2_5": "pm2_5",
    "PM10": "pm10",
    "SO2": "so2",
    "NO2": "no2",
    "CO": "co",
    "O3_24h": "o3",
    "O3_8h_24h": "o3_8h",
}
_RECORD: Final = "AQIDataPublishLive"
_NO_CHARACTER: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # XML 1.0, 2.2: none may stand in a document
_AMPERSAND: Final = re.compile(rb"&(#[0-9]{1,8};|#[xX][0-9a-fA-F]{1,8};|[A-Za-z][A-Za-z0-9]{0,30};)?")
_WANTED: Final = frozenset(
    {*_FIELDS, "AQI", "Area", "IsPublish", "PositionName", "PrimaryPollutant", "StationCode", "TimePoint"}
)


@dataclass(frozen=True)
class Cnemc(OneSource):
    """
    Hours of every station of one city (``area``, as the service writes it: 柳州市), and their plain mean.

    The service is called GetAQIDataPublishLives. A station's place is ``place`` and its code, ``450200:1001A``; the
    mean's place is ``place``. The mean has no index of its own; it is that of the hour of which at least
    ``stations_percent`` of the city's stations speak (while the service is updating, half of them are an hour behind,
    and it waits), with the pollutants that so many of them measured.
    """

    area: str = field(kw_only=True)
    every_s: int = 600
    stations_percent: int = 75  # HJ 663-2013: the share of a city's stations without which it has no value
    kind: str = "observation"

    def _read(self, raw: bytes, sieve: Sieve) -> Parsed:
        stations: dict[tuple[str, datetime], Observation] = {}
        records = [one for one in _records(raw) if one[1].get("Area") == self.area]
        for line, record in records:
            where = f"line {line}, station {record.get('StationCode', '?')}"
            found = self._station(where, record, sieve)
            if found is not None and stations.setdefault((found.place, found.at), found) is not found:
                sieve.refuse(where, record.get("TimePoint"), "the station stands twice: the first was taken")
        if not records:
            sieve.refuse("the message", self.area, "no station of this area")
        of = len({record.get("StationCode") or line for line, record in records})
        return Parsed(observations=(*stations.values(), *self._city(list(stations.values()), of=of)))

    def _station(self, where: str, record: Mapping[str, str], sieve: Sieve) -> Observation | None:
        code, published = record.get("StationCode", ""), record.get("IsPublish", "true")
        if not code:
            sieve.refuse(where, record.get("PositionName", ""), "a station without a code")
            return None
        if published != "true":
            sieve.refuse(where, published, "marked as not published")
            return None
        at = sieve.instant(f"{where}, TimePoint", record.get("TimePoint"))
        if at is None:
            return None
        values: dict[str, float] = {}
        for theirs, ours in _FIELDS.items():
            take = sieve.co if ours == "co" else sieve.concentration
            value = take(f"{where}, {theirs}", record.get(theirs))
            if value is not None:
                values[ours] = value
        aqi = sieve.aqi(f"{where}, AQI", record.get("AQI"))
        if aqi is None and not values:
            sieve.refuse(where, "", "nothing was measured")
            return None
        return Observation(
            feed=self.name,
            place=f"{self.place}:{code}",
            at=at,
            period="hour",
            values=values,
            aqi=aqi,
            primary=sieve.pollutants(f"{where}, PrimaryPollutant", record.get("PrimaryPollutant")),
        )

    def _city(self, stations: list[Observation], *, of: int) -> list[Observation]:
        found: list[Observation] = []
        for at in sorted({one.at for one in stations}):
            here = [one for one in stations if one.at == at]
            means: dict[str, float] = {}
            for name in _FIELDS.values():
                measured = [as_written(one.values[name]) for one in here if name in one.values]
                if (exact := mean(measured, at_least=1)) is not None and self._enough(measured, of):
                    means[name] = float(exact)  # in full: 24 of them are added up, and a mark may lie just there
            if means and self._enough(here, of):
                found.append(Observation(self.name, self.place, at, "hour", means))
        return found

    def _enough(self, some: Sequence[object], of: int) -> bool:
        return len(some) * 100 >= self.stations_percent * of


def _records(raw: bytes) -> list[tuple[int, dict[str, str]]]:
    """
    Every station's fields with the line it begins on; a message cut short gives none of them.

    :raises NotReadable: not XML, cut, or with a document type, whose entities could be bombs or reach into files
    """
    found: list[tuple[int, dict[str, str]]] = []
    text: list[str] = []
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def begin(name: str, _: object) -> None:
        text.clear()
        if _local(name) == _RECORD:
            found.append((parser.CurrentLineNumber, {}))

    def end(name: str) -> None:
        if found and _local(name) in _WANTED:
            found[-1][1].setdefault(_local(name), "".join(text).strip())
        text.clear()

    def refuse_doctype(*_: object) -> None:
        raise NotReadable(f"line {parser.CurrentLineNumber}", "<!DOCTYPE", "a document type is not taken")

    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.CharacterDataHandler = text.append
    parser.StartDoctypeDeclHandler = refuse_doctype
    parser.EntityDeclHandler = parser.ExternalEntityRefHandler = refuse_doctype  # type: ignore[assignment]  # it never returns
    try:
        parser.Parse(_mended(raw), True)
    except expat.ExpatError as error:
        near = raw.splitlines()[error.lineno - 1 : error.lineno]
        at = f"line {error.lineno} column {error.offset}"
        raise NotReadable(at, b"".join(near).strip()[:60], f"not XML: {expat.ErrorString(error.code)}") from None
    if not found:
        raise NotReadable("the message", raw[:60], f"holds no {_RECORD}")
    return found


def _mended(raw: bytes) -> bytes:
    """The message with what XML does not know made harmless, on the same lines: a slip costs a field, not a city."""
    return _AMPERSAND.sub(_reference, _NO_CHARACTER.sub(b"", raw))


def _reference(found: re.Match[bytes]) -> bytes:
    """A reference as XML may read it: HTML's names («&mdash;» is «missing») by number, a bare «&» as itself."""
    said = found[1] or b""
    if said in (b"amp;", b"lt;", b"gt;", b"quot;", b"apos;"):
        return found[0]
    if not said.startswith(b"#"):
        named = html5.get(said.decode()) if said else None
        return b"&amp;" + said if named is None else "".join(f"&#{ord(one)};" for one in named).encode()
    number = int(said[2:-1], 16) if said[1:2] in b"xX" else int(said[1:-1])
    lawful = number in (0x9, 0xA, 0xD) or 0x20 <= number <= 0xD7FF or 0xE000 <= number <= 0xFFFD
    return f"&#{number};".encode() if lawful or 0x10000 <= number <= 0x10FFFF else b""


def _local(name: str) -> str:
    return name.rpartition(":")[2]
