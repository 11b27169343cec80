"""What drives a day's bad air, and the figure by which warnings count it: the one rule for all who ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final, NamedTuple

from emergency.domain.air import Amount, Index, Period, Standard, as_written, index, standard_for, trigger_aqi
from emergency.domain.forecast import Cause, DayOfAir, Forecast, ForecastDay, Source

POLLUTED_OVER: Final = 100  # HJ 633-2026 table 2: from 101 on the air is polluted
DUST_RATIO: Final = 2
"""
PM10 over PM2.5 above which a day that PM10 leads is suspected dust.

Assumed, no text names it for whole days. Two reasons: the daily limits of GB 3095 stand at 2 to 1 (150 to 75 µg/m³),
so that above it PM10 can be over its limit while PM2.5 is not; and haze is mostly fine particles, dust mostly coarse.
"""
SHOWS: Final = {Cause.O3: "o3", Cause.SAND_DUST: "pm10"}
"""Causes that show in a pollutant of their own; smoke, transport and fireworks are fine particles like any others."""
_PARTICLES: Final = frozenset({"pm2_5", "pm10"})


class Figure(NamedTuple):
    """
    A day as warnings count it, what drives it, and beside them the index that is published of it.

    ``aqi`` leaves out what does not count, None is unknown; ``primary`` are those that gave it, and on a day of ozone
    or dust, which give none, those that lead the published index. ``overall`` is the published index with ``leads``,
    its primary pollutants; None where the edition publishes none.
    """

    aqi: int | None
    primary: tuple[str, ...] = ()
    cause: Cause = Cause.PM2_5
    overall: int | None = None
    leads: tuple[str, ...] = ()

    @property
    def judged(self) -> int | None:
        """What a plan is asked of; the published index where a day that starts no orders has no other figure."""
        return self.overall if self.aqi is None and self.cause is not Cause.PM2_5 else self.aqi

    @property
    def published(self) -> int | None:
        """What people read of the day: the published index, or the figure where the edition publishes none."""
        return self.judged if self.overall is None else self.overall


def figure(
    standard: Standard, values: Mapping[str, Amount | None], *, expected: Cause | None = None
) -> Figure:
    """
    The figure and the cause of a day with these concentrations (24-h means, ``o3_8h``), by this edition.

    Ozone never counts, and it hides nobody: a day whose other pollutants are over 100 by themselves is theirs with
    their own figure, however bad the ozone. Only where they are not is a day of bad ozone an ozone day. Where PM10
    leads and has the ratio of dust, or dust was ``expected``, it is left out; what is then still over 100 is a day of
    fine particles all the same, and what is not is suspected sand-dust (环大气〔2024〕6号: health notices, no orders).
    Smoke, transport and fireworks that were expected are what drives a day of particles.

    :raises BadConcentration: a negative value, no number, or a name that is nobody's
    """
    told = index(standard, values, period=Period.DAY)
    aqi, as_published = trigger_aqi(standard, told), (told.aqi, told.primary)
    led_by_ozone = cause_of(told.primary, told.aqi or 0) is Cause.O3
    if aqi is None:  # gases are missing; where both particles were known and ozone leads, the day is known all the same
        of_ozone = led_by_ozone and all(told.iaqi[one] is not None for one in _PARTICLES)
        unknown = (None, told.primary, Cause.O3) if of_ozone else (None, (), Cause.PM2_5)
        return Figure(*unknown, *as_published)
    driver = Cause.PM2_5 if expected is None or expected in SHOWS else expected
    dusty = expected is Cause.SAND_DUST or (expected is None and _is_of_dust(told, values, aqi))
    if aqi > POLLUTED_OVER and dusty:
        without = trigger_aqi(standard, told, sand_dust=True)
        if without is None or without <= POLLUTED_OVER:
            return Figure(without, ("pm10",), Cause.SAND_DUST, *as_published)
        return Figure(without, _owners(standard, told, without, but=("o3", "pm10")), driver, *as_published)
    if aqi <= POLLUTED_OVER and led_by_ozone:
        return Figure(aqi, told.primary, Cause.O3, *as_published)
    owners = _owners(standard, told, aqi, but=("o3",)) if aqi > POLLUTED_OVER else told.primary
    return Figure(aqi, owners, driver, *as_published)


def measured(
    standard: Standard | None,
    values: Mapping[str, Amount | None],
    *,
    aqi: int,
    primary: tuple[str, ...],
    expected: Cause | None = None,
) -> Figure:
    """
    The figure and the cause of a day whose index was published and of which concentrations may be known.

    The published index stands unless ozone or dust leads it: then the figure is that of :func:`figure`, for which
    both particles must be known. Without them ozone that leads alone is an ozone day, a cause that was ``expected``
    stays unless its own pollutant is not among the primary ones, and fine particles over 100 by themselves make an
    ozone or dust day theirs.

    :raises BadConcentration: a negative value, no number, or a name that is nobody's
    """
    known = {name: value for name, value in values.items() if value is not None}
    shown = _shown(aqi, primary, expected)
    if standard is not None and known.keys() >= _PARTICLES:
        found = figure(standard, known, expected=expected)
        if found.judged is not None:
            return _beside_the_published(found, aqi, primary, shown)
    if standard is not None and shown in SHOWS and "pm2_5" in known:
        fine = index(standard, {"pm2_5": known["pm2_5"]}, period=Period.DAY).iaqi["pm2_5"]
        if fine is not None and fine > POLLUTED_OVER:
            return Figure(fine, ("pm2_5",), Cause.PM2_5, aqi, primary)
    return Figure(aqi, primary, shown, aqi, primary)


def _beside_the_published(found: Figure, aqi: int, primary: tuple[str, ...], shown: Cause) -> Figure:
    counted = found.judged or 0
    led_by_ozone = cause_of(primary, aqi) is Cause.O3
    left_out = led_by_ozone or found.aqi != found.overall
    cause = shown if led_by_ozone and counted <= POLLUTED_OVER else found.cause
    return Figure(counted if left_out else aqi, found.primary, cause, aqi, primary)


def foreseen(day: date, found: Figure, values: Mapping[str, float]) -> ForecastDay | None:
    """A predicted day of these concentrations with both its figures; None where it has no index."""
    judged, published = found.judged, found.published
    if judged is None or published is None:
        return None
    return ForecastDay(
        day,
        published,
        primary=found.leads or found.primary,
        cause=found.cause,
        pm2_5=values.get("pm2_5"),
        counted=None if judged == published else judged,
        values=values,
    )


def measured_day(
    day: date, found: Figure, *, pm2_5: float | None, feed: str = "", said_by: str = ""
) -> DayOfAir | None:
    """A measured day with this figure, as a plan judges it; None where it has none."""
    judged, published = found.judged, found.published
    if judged is None:
        return None
    return DayOfAir(
        day=day,
        aqi=judged,
        source=Source.OBSERVED,
        primary=found.leads or found.primary,
        cause=found.cause,
        pm2_5=pm2_5,
        feed=feed,
        overall=None if published == judged else published,
        said_by=said_by,
    )


class Word(NamedTuple):
    """What a person says drives a day as one source tells it, and who says so."""

    cause: Cause
    by: str


Words = Mapping[tuple[str, date], Word]
"""Source and day → the person's word; every other source keeps its own cause."""


def with_words(forecast: Forecast, words: Words, standards: Sequence[Standard]) -> Forecast:
    """The forecast with the causes people set for days of this source; the others as the source has them."""
    said = {day: word for (feed, day), word in words.items() if feed == forecast.feed}
    if not any(one.day in said for one in forecast.days):
        return forecast
    days = (_with_word(one, said[one.day], standards) if one.day in said else one for one in forecast.days)
    return replace(forecast, days=tuple(days))


def _with_word(day: ForecastDay, word: Word, standards: Sequence[Standard]) -> ForecastDay:
    counted = _as_said(standard_for(day.day, standards), day.values, word.cause) if standards else None
    counted = day.counted if counted is None else counted
    return replace(day, cause=word.cause, counted=None if counted == day.aqi else counted, said_by=word.by)


def with_fine_counted(forecast: Forecast, standards: Sequence[Standard]) -> Forecast:
    """
    The forecast of a source that gives the index and PM2.5 but names no primary pollutant, with what counts of a
    polluted day whose fine particles are not over 100 by themselves: their own index.

    Something else leads such a day, ozone or coarse dust for all one knows, and a source that does not say what starts
    no orders. Where fine particles are over 100 the index stands as given: they may well lead it. A day of which a
    person said what drives it is theirs.
    """
    if not standards or not any(_led_by_others(one, standards) for one in forecast.days):
        return forecast
    days = (replace(one, counted=fine) if (fine := _led_by_others(one, standards)) else one for one in forecast.days)
    return replace(forecast, days=tuple(days))


def _led_by_others(day: ForecastDay, standards: Sequence[Standard]) -> int | None:
    """The index of the day's fine particles alone where something else must lead it; else None."""
    told = day.primary or day.values or day.said_by or day.counted is not None or day.cause is not Cause.PM2_5
    if told or day.pm2_5 is None or day.aqi <= POLLUTED_OVER:
        return None
    exact = {"pm2_5": as_written(day.pm2_5)}
    fine = index(standard_for(day.day, standards), exact, period=Period.DAY).iaqi["pm2_5"]
    return fine if fine is not None and fine <= POLLUTED_OVER else None


def is_open(day: ForecastDay) -> bool:
    """
    Whether the source leaves open what drives a polluted day, so that a person should say: PM10 alone leads it and
    nobody knows whether as dust, or something leads it that is not named and no fine particles.
    """
    if day.aqi <= POLLUTED_OVER or day.values or day.said_by or day.cause is not Cause.PM2_5:
        return False
    return day.primary == ("pm10",) or (not day.primary and day.counted is not None)


def measured_as_said(found: Figure, standard: Standard | None, values: Mapping[str, Amount], cause: Cause) -> Figure:
    """The figure of a measured day of which a person says what drives it."""
    counted = None if standard is None else _as_said(standard, values, cause)
    return found._replace(aqi=found.aqi if counted is None else counted, cause=cause)


def _as_said(standard: Standard, values: Mapping[str, Amount | float], cause: Cause) -> int | None:
    """Without ozone, and without PM10 where that is dust; None where these concentrations give no figure."""
    if not values.keys() >= _PARTICLES:
        return None
    exact = {name: as_written(value) for name, value in values.items()}
    return trigger_aqi(standard, index(standard, exact, period=Period.DAY), sand_dust=cause is Cause.SAND_DUST)


def cause_of(primary: tuple[str, ...], aqi: int) -> Cause:
    """What drives a day told without concentrations or cause: ozone that leads a polluted day alone, else particles."""
    return Cause.O3 if primary == ("o3",) and aqi > POLLUTED_OVER else Cause.PM2_5


def set_aside(primary: tuple[str, ...]) -> Cause | None:
    """What a published index stands for that is led by a pollutant which counts for no warning; None: by others."""
    return next((cause for cause, pollutant in SHOWS.items() if primary == (pollutant,)), None)


def _shown(aqi: int, primary: tuple[str, ...], expected: Cause | None) -> Cause:
    """The cause by the primary pollutants where they speak for themselves, else the one foreseen."""
    if cause_of(primary, aqi) is Cause.O3:
        return Cause.O3
    if expected is None or (expected in SHOWS and primary and SHOWS[expected] not in primary):
        return Cause.PM2_5
    return expected


def _is_of_dust(told: Index, values: Mapping[str, Amount | None], aqi: int) -> bool:
    """Whether PM10 alone gives the figure, in the ratio of dust; without both concentrations nobody can say."""
    fine, coarse = values.get("pm2_5"), values.get("pm10")
    leads = [name for name, its in told.iaqi.items() if name != "o3" and its == aqi] == ["pm10"]
    return leads and fine is not None and coarse is not None and coarse > DUST_RATIO * fine


def _owners(standard: Standard, told: Index, aqi: int, *, but: tuple[str, ...]) -> tuple[str, ...]:
    owners = (name for name, its in told.iaqi.items() if its == aqi and name not in but)
    return tuple(owners) if aqi > standard.primary_over else ()
