"""What drives a day's bad air, and the figure by which warnings count it: the one rule for all who ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
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
_HALF_STEP: Final = {"co": Fraction(1, 20)}
"""Half of the last place concentrations are published with: 0.1 mg/m³ of CO, else 1 µg/m³ (HJ 633, both editions)."""
_ONE: Final = 1  # a source that rounds the index to the nearest, and not up as HJ 633 does, is at most one below


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

    Who leads it is whom the source names, else those whose own concentration gives the index, within what rounding
    leaves open. The published index stands unless

    * ozone or dust leads it: then the figure is that of :func:`figure`, for which both particles must be known. Without
      them ozone that leads alone is an ozone day, a cause that was ``expected`` stays unless others are among the
      primary ones, and fine particles over 100 by themselves make an ozone or dust day theirs;
    * nobody leads it though PM2.5 is known: then only what is known counts, and a person is to say what drives the day
      (:func:`is_open`). Without PM2.5 the index stands, for that is what it most likely speaks of;
    * what counts is over 100 by its own concentration and leads no index as published: then at least that counts.

    :raises BadConcentration: a negative value, no number, or a name that is nobody's
    """
    known = {name: value for name, value in values.items() if value is not None}
    if standard is None or not known:
        return Figure(aqi, primary, _shown(aqi, primary, expected), aqi, primary)
    leads = primary or _giving(standard, known, aqi)
    shown = _shown(aqi, leads, expected)
    if known.keys() >= _PARTICLES:
        found = figure(standard, known, expected=expected)
        if found.judged is not None:
            return _beside_the_published(standard, known, found, aqi=aqi, leads=leads, shown=shown)
    iaqi = index(standard, known, period=Period.DAY).iaqi
    fine = iaqi["pm2_5"]
    if shown in SHOWS:
        if fine is not None and fine > POLLUTED_OVER:
            return Figure(fine, ("pm2_5",), Cause.PM2_5, aqi, leads)
        return Figure(aqi, leads, shown, aqi, leads)
    but = {"o3"} if fine is not None else {"o3", "pm10"}  # PM10 alone may be dust: it raises no index that was sent
    own = max((its for name, its in iaqi.items() if name not in but and its is not None), default=0)
    if _nobody_gives(aqi, leads, shown, fine) or _is_over(standard, known, own, aqi=aqi, leads=leads):
        return Figure(own, (), shown, aqi, leads)
    return Figure(aqi, leads, shown, aqi, leads)


def _beside_the_published(
    standard: Standard,
    known: Mapping[str, Amount],
    found: Figure,
    *,
    aqi: int,
    leads: tuple[str, ...],
    shown: Cause,
) -> Figure:
    counted = found.judged or 0
    if shown in SHOWS:
        return Figure(counted, found.primary, shown if counted <= POLLUTED_OVER else found.cause, aqi, leads)
    if found.cause not in SHOWS and _nobody_gives(aqi, leads, shown, counted):
        return Figure(counted, (), shown, aqi, leads)
    left_out = found.aqi != found.overall or _is_over(standard, known, counted, aqi=aqi, leads=leads)
    return Figure(counted if left_out else aqi, found.primary, found.cause, aqi, leads)


def _nobody_gives(aqi: int, leads: tuple[str, ...], shown: Cause, fine: int | None) -> bool:
    """Whether a polluted day's index is led by nobody who is named or known, fine particles being among the known."""
    return aqi > POLLUTED_OVER and not leads and shown is Cause.PM2_5 and fine is not None


def _giving(standard: Standard, values: Mapping[str, Amount], aqi: int) -> tuple[str, ...]:
    """The pollutants whose concentrations give this index by themselves, each within its rounding."""
    if aqi <= standard.primary_over:
        return ()
    low, high = (_moved(standard, values, by).iaqi for by in (-1, 1))
    return tuple(
        name for name, most in high.items()
        if (least := low[name]) is not None and most is not None and least - _ONE <= aqi <= most
    )  # fmt: skip


def _is_over(
    standard: Standard, values: Mapping[str, Amount], counted: int, *, aqi: int, leads: tuple[str, ...]
) -> bool:
    """
    Whether what counts is over 100 and above the published index, by more than rounding leaves open.

    Where a pollutant that counts leads it the index is the authority's own figure of just that: means of what stations
    published often give another, by 30 and more.
    """
    if counted <= max(aqi, POLLUTED_OVER) or {*leads} - {"o3"}:
        return False
    low = _moved(standard, values, -1).iaqi
    return max((its for name, its in low.items() if name != "o3" and its is not None), default=0) - _ONE > aqi


def _moved(standard: Standard, values: Mapping[str, Amount], by: int) -> Index:
    """The index of the lowest (``by`` -1) or highest (1) values that are published as these."""
    steps = {name: by * _HALF_STEP.get(name, Fraction(1, 2)) for name in values}
    exact = {name: max(Fraction(0), Fraction(value) + steps[name]) for name, value in values.items()}
    return index(standard, exact, period=Period.DAY)


def contradicted(standard: Standard, values: Mapping[str, Amount], aqi: int) -> int | None:
    """
    The index that the concentrations of all six pollutants give a day, where the published one is another by more than
    rounding explains; None where they agree, or where one is missing or beyond its scale and so could explain it.

    :raises BadConcentration: a negative value, no number, or a name that is nobody's
    """
    told = index(standard, values, period=Period.DAY)
    if told.aqi is None or told.missing or told.beyond:
        return None
    low, high = (_moved(standard, values, by) for by in (-1, 1))
    if low.aqi is None or high.aqi is None or high.beyond:
        return None
    return None if low.aqi - _ONE <= max(aqi, standard.lowest) <= high.aqi else told.aqi


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
    counted: int | None = day.aqi
    if not (is_open(day) and word.cause not in SHOWS):
        told = _as_said(standard_for(day.day, standards), day.values, word.cause) if standards else None
        counted = day.counted if told is None else told
    return replace(day, cause=word.cause, counted=None if counted == day.aqi else counted, said_by=word.by)


def with_fine_counted(forecast: Forecast, standards: Sequence[Standard]) -> Forecast:
    """
    The forecast of a source that gives the index and no concentration but PM2.5, each day with its cause and what
    counts of it by :func:`measured`: one fact has one verdict, whichever field and feed it came by.
    """
    if not standards:
        return forecast
    days = tuple(_with_fine(one, standards) for one in forecast.days)
    return forecast if days == forecast.days else replace(forecast, days=days)


def _with_fine(day: ForecastDay, standards: Sequence[Standard]) -> ForecastDay:
    if day.values or day.said_by or day.counted is not None:
        return day
    expected = None if day.cause is Cause.PM2_5 else day.cause
    known = {} if day.pm2_5 is None else {"pm2_5": as_written(day.pm2_5)}
    found = measured(standard_for(day.day, standards), known, aqi=day.aqi, primary=day.primary, expected=expected)
    return replace(day, cause=found.cause, counted=None if found.judged == day.aqi else found.judged)


def is_open(day: ForecastDay) -> bool:
    """
    Whether the source leaves open what drives a polluted day, so that a person should say: PM10 alone leads it and
    nobody knows whether as dust, or nothing that is named or known leads it.
    """
    if day.aqi <= POLLUTED_OVER or day.said_by or day.cause is not Cause.PM2_5:
        return False
    if day.primary == ("pm10",):
        return not day.values.keys() >= _PARTICLES
    if day.primary:
        return False
    counts_less = day.counted is not None and day.counted < day.aqi
    return counts_less or (bool(day.values) and "pm2_5" not in day.values)


def is_left_open(day: DayOfAir) -> bool:
    """Whether nothing that is named or known gives a measured day's published index, so that a person should say."""
    if day.published <= POLLUTED_OVER or day.said_by or day.primary or day.cause is not Cause.PM2_5:
        return False
    return day.aqi < day.published


def measured_as_said(found: Figure, standard: Standard | None, values: Mapping[str, Amount], cause: Cause) -> Figure:
    """
    The figure of a measured day of which a person says what drives it; the published index is then that of particles
    where it was left open whose it is.
    """
    if found.cause is Cause.PM2_5 and not found.leads and cause not in SHOWS:
        return found._replace(aqi=max(found.aqi or 0, found.overall or 0), cause=cause)
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
    """
    The cause by the primary pollutants where they speak for themselves, else the one foreseen: ozone or dust only where
    none leads the day with them that counts.
    """
    if cause_of(primary, aqi) is Cause.O3:
        return Cause.O3
    if expected is None:
        return Cause.PM2_5
    if expected not in SHOWS or not primary:
        return expected
    others = {*primary} - {SHOWS[expected], "o3"}
    return expected if SHOWS[expected] in primary and not others else Cause.PM2_5


def _is_of_dust(told: Index, values: Mapping[str, Amount | None], aqi: int) -> bool:
    """Whether PM10 alone gives the figure, in the ratio of dust; without both concentrations nobody can say."""
    fine, coarse = values.get("pm2_5"), values.get("pm10")
    leads = [name for name, its in told.iaqi.items() if name != "o3" and its == aqi] == ["pm10"]
    return leads and fine is not None and coarse is not None and coarse > DUST_RATIO * fine


def _owners(standard: Standard, told: Index, aqi: int, *, but: tuple[str, ...]) -> tuple[str, ...]:
    owners = (name for name, its in told.iaqi.items() if its == aqi and name not in but)
    return tuple(owners) if aqi > standard.primary_over else ()
