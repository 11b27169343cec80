"""The national hourly publication (CNEMC): XML that is not well formed, and ozone in odd places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from emergency.domain.forecast import Observation
from emergency.feeds.one_source import OneSource
from emergency.feeds.records import NotReadable, Parsed, Sieve, rounded

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
_WANTED: Final = frozenset(
    {*_FIELDS, "AQI", "Area", "IsPublish", "PositionName", "PrimaryPollutant", "StationCode", "TimePoint"}
)


@dataclass(frozen=True)
class Cnemc(OneSource):
    """
    Hours of every station of one city (``area``, as the service writes it: 柳州市), and their plain mean.

    The service is called GetAQIDataPublishLives. A station's place is ``place`` and its code, ``450200:1001A``; the
    mean's place is ``place``. The mean has no index of its own and comes only when every station of the city speaks of
    the same hour (while the service is updating, half of them are an hour behind), with the pollutants that at least
    ``stations_percent`` of them measured.
    """

    area: str = field(kw_only=True)
    every_s: int = 600
    stations_percent: int = 75  # HJ 663-2013: the share of a city's stations without which it has no value
    kind: str = "observation"

    def _read(self, raw: bytes, sieve: Sieve) -> Parsed:
        stations: list[Observation] = []
        records = [one for one in _records(raw) if one[1].get("Area") == self.area]
        for line, record in records:
            found = self._station(f"line {line}, station {record.get('StationCode', '?')}", record, sieve)
            if found is not None:
                stations.append(found)
        if not records:
            sieve.refuse("the message", self.area, "no station of this area")
        hours = {record.get("TimePoint") for _, record in records}
        city = self._city(stations, of=len(records)) if len(hours) == 1 else ()
        return Parsed(observations=(*stations, *city))

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

    def _city(self, stations: list[Observation], *, of: int) -> tuple[Observation, ...]:
        means: dict[str, float] = {}
        for name in _FIELDS.values():
            measured = [one.values[name] for one in stations if name in one.values]
            if measured and len(measured) * 100 >= self.stations_percent * of:
                means[name] = rounded(sum(measured) / len(measured))
        return (Observation(self.name, self.place, stations[0].at, "hour", means),) if means else ()


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
        parser.Parse(raw.replace(b"&mdash;", "—".encode()), True)  # HTML's name for «missing», which XML does not know
    except expat.ExpatError as error:
        near = raw.splitlines()[error.lineno - 1 : error.lineno]
        at = f"line {error.lineno} column {error.offset}"
        raise NotReadable(at, b"".join(near).strip()[:60], f"not XML: {expat.ErrorString(error.code)}") from None
    if not found:
        raise NotReadable("the message", raw[:60], f"holds no {_RECORD}")
    return found


def _local(name: str) -> str:
    return name.rpartition(":")[2]
