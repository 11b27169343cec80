"""Providers that give the Chinese index by day: QWeather (和风) and Caiyun (彩云)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

from emergency.domain.causes import cause_of
from emergency.domain.forecast import Forecast, ForecastDay
from emergency.feeds.one_source import OneSource
from emergency.feeds.records import NotReadable, Parsed, Sieve, hour_of, list_of, read_json, table_of


@dataclass(frozen=True)
class QWeather(OneSource):
    """Five days of AQI for one place; every number is a string, and «NA» is no primary pollutant."""

    def _read(self, raw: bytes, sieve: Sieve) -> Parsed:
        document = table_of(read_json(raw), "the document")
        if str(document.get("code")) != "200":  # their code, inside an HTTP 200
            raise NotReadable("code", document.get("code"), "the provider refuses the question")
        issued_at = sieve.instant("updateTime", document.get("updateTime"))
        if issued_at is None:
            return Parsed()
        days: list[ForecastDay] = []
        before: date | None = None
        for at, entry in enumerate(list_of(document.get("daily"), "daily")):
            where = f"daily[{at}]"
            if not isinstance(entry, dict):
                sieve.refuse(where, entry, "an object was expected here")
                continue
            day = sieve.day(f"{where}.fxDate", entry.get("fxDate"), after=before)
            aqi = sieve.aqi(f"{where}.aqi", entry.get("aqi"), needed=True)
            if day is None or aqi is None:
                continue
            primary = sieve.pollutants(f"{where}.primary", entry.get("primary"))
            days.append(ForecastDay(day, aqi, primary=primary, cause=cause_of(primary, aqi)))
            before = day
        return Parsed(forecasts=(Forecast(self.name, self.place, issued_at, tuple(days)),))


@dataclass(frozen=True)
class Caiyun(OneSource):
    """
    Three to fifteen days of mean index («chn») and mean PM2.5 for one point.

    ``max`` and ``min`` are the day's hourly extremes, no range of the daily index, so they become neither ``aqi_low``
    nor ``aqi_high``. «usa» is another country's scale and is not read. A fraction is rounded up as HJ 633 rounds.
    It names no primary pollutant: ``causes.with_fine_counted`` says what then counts of a day, by its PM2.5.
    ``server_time`` is when the question was answered, so a forecast counts as issued at the full hour of it.
    """

    def _read(self, raw: bytes, sieve: Sieve) -> Parsed:
        document = table_of(read_json(raw), "the document")
        if document.get("status") != "ok":
            said = document.get("error", document.get("status"))
            raise NotReadable("status", said, "the provider refuses the question")
        if document.get("tzshift") not in (None, 28800):
            raise NotReadable("tzshift", document.get("tzshift"), "its days are not Beijing's days")
        air = document
        for step in ("result", "daily", "air_quality"):
            air = table_of(air.get(step), step)
        issued_at = sieve.instant("server_time", document.get("server_time"))
        if issued_at is None:
            return Parsed()
        pm2_5 = self._pm2_5(air, sieve)
        days: list[ForecastDay] = []
        before: date | None = None
        for at, entry in enumerate(list_of(air.get("aqi"), "air_quality.aqi")):
            where = f"air_quality.aqi[{at}]"
            average = entry.get("avg") if isinstance(entry, dict) else None
            if not isinstance(entry, dict) or not isinstance(average, dict):
                sieve.refuse(where, entry, "an object with avg.chn was expected here")
                continue
            day = sieve.day(f"{where}.date", _day(entry.get("date")), after=before)
            chn = average.get("chn")
            if isinstance(chn, float) and math.isfinite(chn):
                chn = math.ceil(chn)
            aqi = sieve.aqi(f"{where}.avg.chn", chn, needed=True)
            if day is not None and aqi is not None:
                days.append(ForecastDay(day, aqi, pm2_5=pm2_5.get(day)))
                before = day
        return Parsed(forecasts=(Forecast(self.name, self.place, hour_of(issued_at), tuple(days)),))

    @staticmethod
    def _pm2_5(air: dict[str, object] | object, sieve: Sieve) -> dict[date, float]:
        found: dict[date, float] = {}
        entries = table_of(air, "air_quality").get("pm25", [])
        for at, entry in enumerate(list_of(entries, "air_quality.pm25")):
            where = f"air_quality.pm25[{at}]"
            if not isinstance(entry, dict):
                sieve.refuse(where, entry, "an object was expected here")
                continue
            value = sieve.concentration(f"{where}.avg", entry.get("avg"))
            day = sieve.day(f"{where}.date", _day(entry.get("date")))
            if value is not None and day is not None:
                found[day] = value
        return found


def _day(value: object) -> object:
    """The day of «2025-02-27T00:00+08:00»; anything else goes to the sieve as it is."""
    return value.partition("T")[0] if isinstance(value, str) else value
