"""What was predicted, what was measured, what the level above announced; and the run of days a plan judges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from emergency.domain.air import HIGHEST
from emergency.domain.level import Level


class Cause(StrEnum):
    """What drives a day's bad air; only PM2.5-driven days start stop and limit orders (环大气〔2024〕6号)."""

    PM2_5 = "pm2_5"
    O3 = "o3"
    SAND_DUST = "sand_dust"
    WILDFIRE = "wildfire"
    CROSS_BORDER = "cross_border"
    FIREWORKS = "fireworks"


class Source(StrEnum):
    """Where a day's figure comes from; the two are told apart on every page."""

    OBSERVED = "observed"
    FORECAST = "forecast"


@dataclass(frozen=True)
class ForecastDay:
    """
    One predicted calendar day in Asia/Shanghai: the index people read, with its primary pollutants, and what drives it.

    ``aqi_low``/``aqi_high`` when the source gives a range. A source that gives concentrations has two figures of a day:
    ``counted`` leaves out what counts for no warning (ozone, dust-driven PM10), None where it is the index itself.
    ``values``: the concentrations it was reckoned from, µg/m³ and CO in mg/m³. ``said_by``: the person who set the
    cause; empty where it is as the source has it.
    """

    day: date
    aqi: int
    aqi_low: int | None = None
    aqi_high: int | None = None
    primary: tuple[str, ...] = ()
    cause: Cause = Cause.PM2_5
    pm2_5: float | None = None  # µg/m³, 24-h mean
    counted: int | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    said_by: str = ""

    def of_air(self, said: Forecast) -> DayOfAir:
        """The day as a plan judges it, in the words of the forecast that ``said`` it."""
        return DayOfAir(
            day=self.day,
            aqi=self.aqi if self.counted is None else self.counted,
            source=Source.FORECAST,
            aqi_high=self.aqi_high,
            primary=self.primary,
            cause=self.cause,
            pm2_5=self.pm2_5,
            feed=said.feed,
            issued_at=said.issued_at,
            overall=None if self.counted is None else self.aqi,
            said_by=self.said_by,
        )


@dataclass(frozen=True)
class ForecastHour:
    """One predicted hour, ``at`` its end in UTC; ``aqi`` by the hourly method, ``values`` in µg/m³ and CO in mg/m³."""

    at: datetime
    aqi: int | None = None
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Forecast:
    """
    One source's prediction for one place, as issued: days, hours, or both.

    ``label`` says what kind of forecast it is when it is not an ordinary one (推演预报 for a derived one);
    ``raw_sha256`` names the message it was read from. ``corrected_at``: when this content came in the place of what
    the source had said under the same issue time; None where it stands as first issued.
    """

    feed: str
    place: str
    issued_at: datetime
    days: tuple[ForecastDay, ...]
    label: str = ""
    confidence: float | None = None
    raw_sha256: str = ""
    hours: tuple[ForecastHour, ...] = ()
    corrected_at: datetime | None = None

    @property
    def said_at(self) -> datetime:
        """From when on the source is taken to have said just this: a correction counts from its arrival."""
        return self.corrected_at or self.issued_at


@dataclass(frozen=True)
class Observation:
    """
    Measured air of one place: an hour (``period`` "hour", ``at`` = its end) or a day ("day", ``at`` = its start).

    ``values``: pollutant → concentration, µg/m³ and CO in mg/m³; a missing pollutant is absent. ``aqi`` is the
    published or computed index, None when it could not be had.
    """

    feed: str
    place: str
    at: datetime
    period: str
    values: Mapping[str, float] = field(default_factory=dict)
    aqi: int | None = None
    primary: tuple[str, ...] = ()
    standard: str = ""
    raw_sha256: str = ""


@dataclass(frozen=True)
class DayOfAir:
    """
    One day of the run a plan judges: the AQI that counts (an integer), where it comes from, and what drives it.

    ``overall`` is the index that is published of the day with ``primary``, where that is another figure: ozone or
    dust, which count for no warning, are in it. Health advisories go by it. ``said_by``: the person who set the cause.
    """

    day: date
    aqi: int
    source: Source
    aqi_high: int | None = None
    primary: tuple[str, ...] = ()
    cause: Cause = Cause.PM2_5
    pm2_5: float | None = None
    feed: str = ""
    issued_at: datetime | None = None
    overall: int | None = None
    said_by: str = ""

    @property
    def published(self) -> int:
        """The index people read of the day."""
        return self.aqi if self.overall is None else self.overall

    @property
    def high_is_ozones(self) -> bool:
        """Whether ozone alone leads a day of one figure, so that its upper bound says nothing of what counts."""
        return self.overall is None and self.aqi_high is not None and self.primary == ("o3",)

    @property
    def counted_high(self) -> int | None:
        """
        The upper bound of the figure that counts; None where there is none, or only ozone's.

        ``aqi_high`` is the bound of the published index. On a day of two figures the one that counts is as uncertain
        as the published one: it has the same margin, and ends where the scale does.
        """
        if self.aqi_high is None or self.high_is_ozones:
            return None
        return min(HIGHEST, self.aqi + max(0, self.aqi_high - self.published))


@dataclass(frozen=True)
class Air:
    """
    Observed days joined to forecast days, in the order of the calendar, each day once.

    ``anchored``, where hours are at hand: for each hour of the day the same air in 24-h windows that begin at it, each
    named by the day it begins on; a plan that runs on any 24 hours judges these.
    """

    place: str
    days: tuple[DayOfAir, ...]
    anchored: tuple[tuple[DayOfAir, ...], ...] = ()

    def __iter__(self) -> Iterator[DayOfAir]:
        return iter(self.days)


def joined(place: str, observed: Iterable[DayOfAir], forecast: Forecast | None, *, today: date) -> Air:
    """
    The observed run joined to the forecast: a fresh forecast alone always looks lower near the end of a spell.

    Days before ``today`` are observed where a measurement exists; ``today`` and later come from the forecast, and
    where the forecast says nothing of today, today's observation so far stands.
    """
    past = {one.day: one for one in observed if one.day <= today}
    ahead: dict[date, DayOfAir] = {}
    if forecast is not None:
        ahead = {one.day: one.of_air(forecast) for one in forecast.days if one.day >= today}
    return Air(place, tuple(days for _, days in sorted({**past, **ahead}.items())))


@dataclass(frozen=True)
class Bulletin:
    """
    The level above's announcement (上级预警通知), as entered by the duty desk from the paper or a feed.

    ``expected_end_at`` None means 另行通知: open until it is announced. The relay deadline runs from ``received_at``.
    """

    id: str
    area: str  # the receiving area
    number: str
    issuer: str
    level: Level
    areas_covered: tuple[str, ...]
    issued_at: datetime
    effective_at: datetime
    received_at: datetime
    expected_end_at: datetime | None
    scan_sha256: str
    action: str = "activate"  # activate | upgrade | downgrade | extend | amend | withdraw | release
    reason: str = ""
