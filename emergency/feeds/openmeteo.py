"""Open-Meteo air quality (CAMS): hourly concentrations, made into days and indexed by the edition in force."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from emergency.clock import SHANGHAI
from emergency.domain.causes import foreseen
from emergency.domain.forecast import Forecast, ForecastDay, ForecastHour
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
    rounded,
    start_of,
    table_of,
)

_POLLUTANTS = {
    "pm2_5": "pm2_5",
    "pm10": "pm10",
    "sulphur_dioxide": "so2",
    "nitrogen_dioxide": "no2",
    "carbon_monoxide": "co",
    "ozone": "o3",
}
_MICROGRAMS = frozenset({"μg/m³", "µg/m³", "ug/m3", "ug/m³"})  # the sign is Greek mu in some answers, micro in others
_HOURS_FOR_MEAN = 20  # GB 3095-2012 table 4, kept by GB 3095-2026: hourly values of a daily mean
_HOURS_FOR_8H, _MEANS_FOR_MDA8 = 6, 14  # the same table; HJ 663-2013: 8-h means that end from 08:00 to 24:00

Slots = dict[str, list[float | None]]
"""Pollutant → the 24 hours of one day, None where there is no value."""


@dataclass(frozen=True)
class OpenMeteo(OneSource):
    """
    The hourly forecast of one point. The address must ask for all six pollutants, or clean days have no index.

    The answer does not say when the model ran, so a forecast counts as issued at the full hour it was asked for.
    """

    index: Index = field(kw_only=True)

    def _read(self, raw: bytes, sieve: Sieve) -> Parsed:
        document = table_of(read_json(raw), "the document")
        if document.get("error"):
            raise NotReadable("error", document.get("reason"), "the provider refuses the question")
        hours, told = _hours(document, sieve)
        days: list[ForecastDay] = []
        near: list[date] = []
        for day in sorted(hours):
            where = f"hourly, {day.isoformat()}"
            if sieve.day(where, day.isoformat()) is None:
                continue
            near.append(day)
            values = _of_the_day(hours[day])
            found = foreseen(day, self.index(day, values), values) if values else None
            if found is not None:
                days.append(found)
            elif values:
                sieve.refuse(where, values, NO_INDEX)
            elif told[day] >= _HOURS_FOR_MEAN:  # with fewer, the message simply begins or ends in mid-day
                sieve.refuse(where, "", f"no pollutant has the {_HOURS_FOR_MEAN} hours a daily mean needs")
        # hours beside no day at all would be made into days elsewhere, of pollutants that gave no index here
        by_hour = tuple(_by_the_hour({day: hours[day] for day in near})) if days else ()
        return Parsed(forecasts=(Forecast(self.name, self.place, hour_of(sieve.now), tuple(days), hours=by_hour),))


def _hours(document: object, sieve: Sieve) -> tuple[dict[date, Slots], Counter[date]]:
    """Days in Shanghai with their hours, and how many hours of each day the message speaks of at all."""
    top = table_of(document, "the document")
    hourly, units = table_of(top.get("hourly"), "hourly"), table_of(top.get("hourly_units"), "hourly_units")
    offset = top.get("utc_offset_seconds")
    if not isinstance(offset, int) or isinstance(offset, bool) or abs(offset) > 14 * 3600:
        raise NotReadable("utc_offset_seconds", offset, "hours are of no use without their offset")
    columns = {}
    times = list_of(hourly.get("time"), "hourly.time")
    for theirs, ours in _POLLUTANTS.items():
        if theirs not in hourly:
            continue
        where, column = f"hourly.{theirs}", list_of(hourly[theirs], f"hourly.{theirs}")
        if units.get(theirs) not in _MICROGRAMS:
            sieve.refuse(where, units.get(theirs), "another unit than µg/m³")
        elif len(column) != len(times):
            sieve.refuse(where, len(column), f"{len(times)} hours but another number of values")
        else:
            columns[ours] = column
    hours: dict[date, Slots] = {}
    told: Counter[date] = Counter()
    before: datetime | None = None
    for at, text in enumerate(times):
        instant = _instant(f"hourly.time[{at}]", text, offset, before, sieve)
        if instant is None:
            continue
        before, local = instant, instant.astimezone(SHANGHAI)
        told[local.date()] += 1
        slots = hours.setdefault(local.date(), {ours: [None] * 24 for ours in _POLLUTANTS.values()})
        for ours, column in columns.items():
            value = sieve.concentration(f"hourly.{ours}[{at}] {text}", column[at])
            slots[ours][local.hour] = value / 1000 if value is not None and ours == "co" else value
    return hours, told


def _by_the_hour(hours: Mapping[date, Slots]) -> Iterator[ForecastHour]:
    """
    The hours of these days, halves of days among them, each named by its end.

    A figure stands at the beginning of its hour in the answer, as the days are cut there: 00:00 is the first of a day.
    """
    for day in sorted(hours):
        for hour in range(24):
            values = {name: slots[hour] for name, slots in hours[day].items()}
            said = {name: value for name, value in values.items() if value is not None}
            if said:
                yield ForecastHour(start_of(day) + timedelta(hours=hour + 1), values=said)


def _instant(where: str, text: object, offset: int, before: datetime | None, sieve: Sieve) -> datetime | None:
    try:
        found = datetime.strptime(str(text), "%Y-%m-%dT%H:%M").replace(tzinfo=UTC) - timedelta(seconds=offset)
    except (ValueError, OverflowError):
        sieve.refuse(where, text, "not an hour like 2026-01-10T05:00")
        return None
    if before is not None and found <= before:
        sieve.refuse(where, text, "out of order")
        return None
    return found


def _of_the_day(slots: Slots) -> dict[str, float]:
    """The daily values that have enough hours: 24-h means, the largest hour of ozone and its largest 8-h mean."""
    found: dict[str, float] = {}
    for name, values in slots.items():
        measured = [one for one in values if one is not None]
        if len(measured) < _HOURS_FOR_MEAN:
            continue
        if name == "o3":
            found["o3"] = max(measured)
            if (largest := _mda8(values)) is not None:
                found["o3_8h"] = rounded(largest)
        else:
            found[name] = rounded(sum(measured) / len(measured))
    return found


def _mda8(ozone: Sequence[float | None]) -> float | None:
    spans = [[one for one in ozone[end - 8 : end] if one is not None] for end in range(8, len(ozone) + 1)]
    means = [sum(span) / len(span) for span in spans if len(span) >= _HOURS_FOR_8H]
    return max(means) if len(means) >= _MEANS_FOR_MDA8 else None
