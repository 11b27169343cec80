"""WAQI (aqicn.org): its figures are US sub-indices, which are no Chinese index and no concentrations either."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from emergency.domain.causes import foreseen
from emergency.domain.forecast import Forecast, ForecastDay
from emergency.feeds.one_source import OneSource
from emergency.feeds.records import (
    NO_INDEX,
    Index,
    NotReadable,
    Parsed,
    Sieve,
    hour_of,
    list_of,
    read_json,
    table_of,
)

_POLLUTANTS = {"pm25": "pm2_5", "pm10": "pm10", "o3": "o3_8h", "so2": "so2", "no2": "no2", "co": "co"}
_MICROGRAMS, _MILLIGRAMS = frozenset({"µg/m³", "μg/m³", "ug/m3"}), frozenset({"mg/m³", "mg/m3"})
_REASON = "a US sub-index, no concentration: it cannot be turned into the Chinese index"


@dataclass(frozen=True)
class Waqi(OneSource):
    """
    Days of one station, taken only where an entry says its unit and the unit is one of mass.

    The public service gives ``{"avg": 182, "day": …}`` without a unit, a US sub-index. Turning it back into a
    concentration would need the edition of the US table behind each figure, which the answer does not name, so those
    entries are refused one by one, with that reason; a bridge that adds ``"unit": "µg/m³"`` is taken.
    """

    index: Index = field(kw_only=True)

    def _read(self, raw: bytes, sieve: Sieve) -> Parsed:
        document = table_of(read_json(raw), "the document")
        if document.get("status") != "ok":
            said = document.get("data", document.get("status"))
            raise NotReadable("status", said, "the provider refuses the question")
        data = table_of(document.get("data"), "data")
        if isinstance(data.get("aqi"), int):
            sieve.refuse("data.aqi", data["aqi"], "the US index, not the Chinese one")
        if "forecast" not in data:
            return Parsed()
        daily = table_of(table_of(data["forecast"], "data.forecast").get("daily"), "data.forecast.daily")
        found: dict[date, dict[str, float]] = {}
        for theirs, entries in daily.items():
            where = f"data.forecast.daily.{theirs}"
            if theirs not in _POLLUTANTS:
                sieve.refuse(where, "", "no pollutant of the index")
                continue
            for at, entry in enumerate(list_of(entries, where)):
                taken = self._entry(f"{where}[{at}]", theirs, entry, sieve)
                if taken is not None:
                    found.setdefault(taken[0], {})[_POLLUTANTS[theirs]] = taken[1]
        days: list[ForecastDay] = []
        for day in sorted(found):
            said = foreseen(day, self.index(day, found[day]), found[day])
            if said is None:
                sieve.refuse(f"data.forecast.daily, {day}", found[day], NO_INDEX)
            else:
                days.append(said)
        return Parsed(forecasts=(Forecast(self.name, self.place, hour_of(sieve.now), tuple(days)),))

    @staticmethod
    def _entry(where: str, theirs: str, entry: object, sieve: Sieve) -> tuple[date, float] | None:
        if not isinstance(entry, dict):
            sieve.refuse(where, entry, "an object was expected here")
            return None
        unit = entry.get("unit")
        if unit is None:
            sieve.refuse(f"{where}.avg, {entry.get('day')}", entry.get("avg"), _REASON)
            return None
        if unit not in _MICROGRAMS | _MILLIGRAMS:
            sieve.refuse(f"{where}.unit", unit, "no unit of mass we know")
            return None
        day = sieve.day(f"{where}.day", entry.get("day"))
        value = sieve.concentration(f"{where}.avg", entry.get("avg"))
        if day is None or value is None:
            return None
        in_milligrams = unit in _MILLIGRAMS
        if theirs == "co":
            return day, value if in_milligrams else value / 1000
        return day, value * 1000 if in_milligrams else value
