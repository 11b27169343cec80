"""Past air as if it were today: what was measured, and forecasts derived from what came, for drills and demos only."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final

from emergency.clock import SHANGHAI
from emergency.domain.causes import cause_of
from emergency.domain.forecast import Forecast, ForecastDay, Observation
from emergency.errors import Misconfigured
from emergency.feeds.records import Parsed, Sieve, list_of, parsed, read_json, start_of, table_of
from emergency.feeds.sources import UNKNOWN, RawMessage, Validators

LABEL: Final = "推演预报"
ISSUED: Final = time(17, 0)  # Asia/Shanghai, every day of the episode; HJ 633-2026 5.2 wants it out by 20:00
DAYS: Final = 3
SEED: Final = "1"
ERROR_PERMILLE: Final = 50  # the largest error for one day of lead, so that ±15 % on the third day is the most
_LONGEST: Final = timedelta(days=400)  # a replay shows whole episodes, which are old by nature
_VALUES: Final = ("pm2_5", "pm10", "so2", "no2", "co", "o3", "o3_8h")


@dataclass(frozen=True)
class PastDay:
    """One line of ``playbooks/air``: a day as it was measured; ``aqi`` None where the source has none."""

    day: date
    aqi: int | None
    primary: tuple[str, ...]
    values: Mapping[str, float]


def read_air(path: Path) -> tuple[PastDay, ...]:
    """
    The days of an episode, in the order of the calendar.

    :raises Misconfigured: no such file, or a line that is not ``day,aqi,primary,…`` with whole AQI 1 to 500 or nothing
    """
    found: list[PastDay] = []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for line, row in enumerate(csv.DictReader(file), start=2):
                try:
                    one = PastDay(
                        day=date.fromisoformat(row["day"]),
                        aqi=int(row["aqi"]) if row["aqi"] else None,
                        primary=tuple(row["primary"].split()),
                        values={name: float(row[name]) for name in _VALUES if row.get(name)},
                    )
                except (KeyError, ValueError, TypeError, AttributeError) as error:
                    raise Misconfigured(f"{path}:{line}: {error}") from None
                if (one.aqi is not None and not 1 <= one.aqi <= 500) or (found and one.day <= found[-1].day):
                    raise Misconfigured(f"{path}:{line}: an index out of 1…500 or a day out of order")
                found.append(one)
    except OSError:
        raise Misconfigured(f"{path} cannot be read: no air of this episode") from None
    return tuple(found)


def derived(aqi: int, *, seed: str, episode: str, issued_on: date, day: date, permille: int) -> int:
    """
    The AQI a drill's forecast gives for ``day``: ``aqi`` × (1 + e · lead), rounded half up, from 1 to 500.

    ``lead`` counts whole days from the day of issue, so that day itself is as measured. e is one of the whole numbers
    from -``permille`` to +``permille``, over a thousand, drawn from SHA-256 of seed, episode and both days: the same
    question has one answer on every machine.
    """
    drawn = hashlib.sha256(f"{seed}:{episode}:{issued_on.isoformat()}:{day.isoformat()}".encode()).digest()
    e = int.from_bytes(drawn[:8], "big") % (2 * permille + 1) - permille
    return max(1, min(500, (aqi * (1000 + e * (day - issued_on).days) + 500) // 1000))


@dataclass(frozen=True)
class ReplayForecast:
    """
    A forecast each day at 17:00 Beijing time: the day itself and three more, derived from the later observations.

    It is far better than any real forecast and says so by its label. ``download`` gives the newest one issued by
    ``now`` and nothing that a forecaster of that hour could not have said but for the rule in :func:`derived`.
    """

    name: str
    place: str
    path: Path
    seed: str = SEED
    permille: int = ERROR_PERMILLE
    every_s: int = 600
    kind: str = "forecast"

    def download(self, *, now: datetime, known: Validators = UNKNOWN) -> RawMessage:
        """The newest forecast as JSON; without days before the first and after the last day of the episode."""
        local, episode = now.astimezone(SHANGHAI), self.path.stem
        issued_on = local.date() if local.time() >= ISSUED else local.date() - timedelta(days=1)
        past = {one.day: one for one in read_air(self.path)}
        wanted = [issued_on + timedelta(days=lead) for lead in range(DAYS + 1)]
        said = {
            "episode": episode,
            "label": LABEL,
            "rule": f"observed x (1 + e x lead), |e| <= {self.permille}/1000, seed {self.seed}",
            "issued_at": datetime.combine(issued_on, ISSUED, SHANGHAI).isoformat(),
            "days": [
                {
                    "day": day.isoformat(),
                    "aqi": derived(
                        aqi, seed=self.seed, episode=episode, issued_on=issued_on, day=day, permille=self.permille
                    ),
                    "primary": list(past[day].primary),
                }
                for day in wanted
                if issued_on in past and day in past and (aqi := past[day].aqi) is not None
            ],
        }
        return _canonical(said)

    def parse(self, raw: bytes, *, now: datetime) -> Parsed:
        """The forecast, labelled as derived; none before the first was issued."""
        return parsed(raw, self._read, now=now, may_be_empty=True)

    def _read(self, raw: bytes, sieve: Sieve) -> Parsed:
        document = table_of(read_json(raw), "the document")
        issued_at = sieve.instant("issued_at", document.get("issued_at"))
        days: list[ForecastDay] = []
        for at, entry in enumerate(list_of(document.get("days"), "days")):
            row, where = table_of(entry, f"days[{at}]"), f"days[{at}]"
            day = sieve.day(f"{where}.day", row.get("day"), after=days[-1].day if days else None)
            aqi = sieve.aqi(f"{where}.aqi", row.get("aqi"), needed=True)
            if day is not None and aqi is not None:
                primary = tuple(str(one) for one in list_of(row.get("primary"), f"{where}.primary"))
                days.append(ForecastDay(day, aqi, primary=primary, cause=cause_of(primary, aqi)))
        if issued_at is None or not days:
            return Parsed()
        return Parsed(forecasts=(Forecast(self.name, self.place, issued_at, tuple(days), label=LABEL),))


@dataclass(frozen=True)
class ReplayObserved:
    """The days of the episode that were over by ``now``, as measured; today is unknown until midnight."""

    name: str
    place: str
    path: Path
    every_s: int = 600
    kind: str = "observation"

    def download(self, *, now: datetime, known: Validators = UNKNOWN) -> RawMessage:
        """The finished days as JSON."""
        today = now.astimezone(SHANGHAI).date()
        days = [
            {"day": one.day.isoformat(), "aqi": one.aqi, "primary": list(one.primary), "values": dict(one.values)}
            for one in read_air(self.path)
            if one.day < today
        ]
        return _canonical({"episode": self.path.stem, "days": days})

    def parse(self, raw: bytes, *, now: datetime) -> Parsed:
        """One daily observation a day."""
        return parsed(raw, self._read, now=now, may_be_empty=True)

    def _read(self, raw: bytes, sieve: Sieve) -> Parsed:
        found: list[Observation] = []
        before: date | None = None
        for at, entry in enumerate(list_of(table_of(read_json(raw), "the document").get("days"), "days")):
            row, where = table_of(entry, f"days[{at}]"), f"days[{at}]"
            day = sieve.day(f"{where}.day", row.get("day"), after=before, past=_LONGEST)
            if day is None:
                continue
            values: dict[str, float] = {}
            for name, value in table_of(row.get("values"), f"{where}.values").items():
                take = sieve.co if name == "co" else sieve.concentration
                if name in _VALUES and (number := take(f"{where}.{name}", value)) is not None:
                    values[name] = number
            aqi = sieve.aqi(f"{where}.aqi", row.get("aqi"))
            primary = tuple(str(one) for one in list_of(row.get("primary"), f"{where}.primary"))
            found.append(Observation(self.name, self.place, start_of(day), "day", values, aqi, primary))
            before = day
        return Parsed(observations=tuple(found))


def _canonical(said: Mapping[str, object]) -> RawMessage:
    return RawMessage(json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode())
