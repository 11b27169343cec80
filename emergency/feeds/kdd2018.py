"""Archived hourly forecasts of the KDD Cup 2018: 48 hours of three pollutants for each station, times in UTC."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from emergency.domain.forecast import Forecast, ForecastHour
from emergency.feeds.one_source import OneSource
from emergency.feeds.records import NotReadable, Parsed, Sieve, rounded

_HEADING: Final = ["test_id", "PM2.5", "PM10", "O3"]
_NAMES: Final = ("pm2_5", "pm10", "o3")
_HOURS: Final = 48
_CITY: Final = "_aq"  # Beijing's stations end so; the others of a submission are London's

Hours = dict[int, dict[str, float]]


@dataclass(frozen=True)
class Kdd2018(OneSource):
    """
    One submission: a row ``station#hour`` for each of 48 hours, µg/m³ throughout.

    A submission names no date. By the competition's rule hour 0 is 00:00 UTC of the day after it was handed in, so
    ``issued`` has to be said by whoever keeps the file. An hour's figure is named by its end, as the national service
    names what it publishes. A station's place is ``place`` and its name, ``110000:dongsi_aq``, and ``place`` itself
    gets the plain mean; a station without all its hours was cut and is refused.
    """

    issued: str = field(kw_only=True)
    every_s: int = 86_400

    def _read(self, raw: bytes, sieve: Sieve) -> Parsed:
        stations = _stations(raw, sieve)
        issued_at = sieve.instant("issued", self.issued)
        if issued_at is None:
            return Parsed()
        day = issued_at.astimezone(UTC).date() + timedelta(days=1)
        first = datetime(day.year, day.month, day.day, tzinfo=UTC)
        whole: dict[str, Hours] = {}
        for station, hours in stations.items():
            if len(hours) == _HOURS:
                whole[station] = hours
            else:
                sieve.refuse(station, len(hours), f"not all of its {_HOURS} hours")
        found = {f"{self.place}:{station}": hours for station, hours in whole.items()}
        if whole:
            found[self.place] = _mean(whole)
        return Parsed(
            forecasts=tuple(
                Forecast(self.name, place, issued_at, (), hours=_ending(first, hours)) for place, hours in found.items()
            )
        )


def _stations(raw: bytes, sieve: Sieve) -> Mapping[str, Hours]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotReadable(f"byte {error.start}", raw[error.start : error.start + 8], "not UTF-8") from None
    found: dict[str, Hours] = {}
    try:
        rows = csv.reader(io.StringIO(text, newline=""), strict=True)
        if next(rows, []) != _HEADING:
            raise NotReadable("row 1", raw[:60], f"another heading than {','.join(_HEADING)}")
        for at, row in enumerate(rows, 2):
            station, _, hour = (row[0] if row else "").partition("#")
            if not station.endswith(_CITY):
                continue
            known = hour.isascii() and hour.isdigit() and len(hour) < 3 and int(hour) < _HOURS
            if len(row) != len(_HEADING) or not known or int(hour) in found.get(station, {}):
                sieve.refuse(f"row {at}", ",".join(row), f"no station#hour below {_HOURS} with its three figures")
                continue
            values = {
                name: value
                for name, said in zip(_NAMES, row[1:], strict=True)
                if (value := sieve.concentration(f"row {at}, {name}", said)) is not None
            }
            found.setdefault(station, {})[int(hour)] = values
    except csv.Error as error:
        raise NotReadable("the message", "", f"not CSV: {error}") from None
    return found


def _mean(stations: Mapping[str, Hours]) -> Hours:
    """The plain mean of the stations that have a figure, hour by hour."""
    found: Hours = {}
    for hour in range(_HOURS):
        found[hour] = {}
        for name in _NAMES:
            values = [one[hour][name] for one in stations.values() if name in one[hour]]
            if values:
                found[hour][name] = rounded(sum(values) / len(values))
    return found


def _ending(first: datetime, hours: Hours) -> tuple[ForecastHour, ...]:
    return tuple(
        ForecastHour(first + timedelta(hours=hour), values=hours[hour]) for hour in sorted(hours) if hours[hour]
    )
