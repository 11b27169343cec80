"""The air quality index, exact: one rule, read from the tables of whichever edition was in force, in whole numbers."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from emergency.errors import Refused

POLLUTANTS = ("pm2_5", "pm10", "so2", "no2", "co", "o3")
"""The six pollutants in the order people print them; concentrations in µg/m³, CO in mg/m³."""

VALUES = frozenset(POLLUTANTS) | {"o3_8h", "so2_24h"}
"""Names a measured value may have: a pollutant, the 8-h mean of ozone, the 24-h mean beside an hour of SO2."""

Amount = int | Decimal | Fraction
"""A concentration, exact. A float is not: 4.05 mg/m³ is kept as 4.0499…; ``as_written`` gives back what was meant."""

SHANGHAI = ZoneInfo("Asia/Shanghai")

HIGHEST = 500  # where every edition's index ends
_LONGEST_WRITTEN = 13  # characters of a float; no instrument writes so many, and a quotient of whole numbers has more
_POLLUTED_OVER = 100  # up to here the air is excellent or good (HJ 633 annex A, both editions)


class BadConcentration(Refused):
    """The number cannot be a concentration, or nobody knows what it measures."""

    words_zh = "浓度数值无效"


class Period(StrEnum):
    """Which report is made: of one hour (实时报) or of one day (日报)."""

    HOUR = "hour"
    DAY = "day"


_HOUR = Period.HOUR  # an enum asks for its members anew each time, and ``index`` is asked for every hour


@dataclass(frozen=True)
class Scale:
    """
    The concentrations at which one pollutant, averaged over one time, reaches each mark of the index.

    ``nodes`` are whole numbers in the unit people write (µg/m³; CO mg/m³), ``marks`` the IAQI at each. ``above`` is
    the IAQI beyond the last node, None where the edition gives none. ``decimals`` is how far a concentration is
    written: 0, or 1 for CO. ``rounds``: the edition rounds concentrations before computing (GB/T 8170, half to even).
    """

    name: str
    nodes: tuple[int, ...]
    marks: tuple[int, ...]
    above: int | None
    decimals: int
    rounds: bool

    def index_of(self, value: Amount) -> int | None:
        """
        The individual index (IAQI) of this concentration, None beyond a table that ends without one.

        Between two nodes the index runs straight and is rounded up to a whole number (HJ 633-2012 6.2,
        HJ 633-2026 4.2.6): IAQI = ⌈(hi - lo) × (C - C_lo) / (C_hi - C_lo)⌉ + lo.

        :raises BadConcentration: negative, or not a number
        """
        if isinstance(value, float):
            raise BadConcentration(f"{value!r} is a float and not exact; say as_written({value!r})")
        try:
            amount, over = value.as_integer_ratio()
        except (ValueError, OverflowError):  # Decimal NaN and infinity
            raise BadConcentration(f"{value} is not a concentration") from None
        whole, rest = divmod(amount * self.per_unit, over)
        if whole < 0:
            raise BadConcentration(f"a concentration cannot be negative: {value}")
        if rest and self.rounds:
            whole, rest = whole + (2 * rest > over or (2 * rest == over and whole % 2)), 0
        if whole >= len(self.table):
            return self.above
        if not rest:
            return self.table[whole]
        return self._between(whole * over + rest, over)

    @cached_property
    def per_unit(self) -> int:
        """Steps in one unit: 1, or 10 for CO, whose concentrations are written to 0.1 mg/m³."""
        return int(10**self.decimals)

    @cached_property
    def table(self) -> tuple[int | None, ...]:
        """The index at every whole step from 0 to the last node, each computed once."""
        return tuple(self._between(step, 1) for step in range(self.nodes[-1] * self.per_unit + 1))

    @cached_property
    def known(self) -> Mapping[Amount | None, int | None]:
        """The same by concentration: equal numbers have equal hashes, so Decimal("61") finds what 61 does."""
        if self.decimals == 0:
            return dict(enumerate(self.table))
        return {Decimal(step) / self.per_unit: found for step, found in enumerate(self.table)}

    def _between(self, steps: int, over: int) -> int | None:
        """The index at ``steps / over`` steps; two whole numbers, because a ceiling forgives no rounding error."""
        at = [node * self.per_unit * over for node in self.nodes]
        if steps > at[-1]:
            return self.above
        upper = max(1, bisect_left(at, steps))
        rise, run = self.marks[upper] - self.marks[upper - 1], at[upper] - at[upper - 1]
        return self.marks[upper - 1] - (-rise * (steps - at[upper - 1]) // run)


@dataclass(frozen=True)
class Gauge:
    """
    One measured value of a report, the pollutant it speaks for and the scale it is read on.

    ``stands_in_for`` names the value it replaces where that one lies beyond its own scale (SO2 in HJ 633-2012).
    """

    value: str
    pollutant: str
    scale: Scale
    stands_in_for: str = ""


@dataclass(frozen=True)
class Gauges:
    """
    The gauges of one report laid out for reading, in the order of ``POLLUTANTS``.

    ``of``: by pollutant, its own gauge first; ``more``: what adds to that or stands in, where there is any. ``look_up``
    is flat (value, pollutant, where the index of a whole step is found), because ``index`` runs over it for every hour.
    """

    of: Mapping[str, tuple[Gauge, ...]]
    more: Mapping[str, tuple[Gauge, ...]]
    look_up: tuple[tuple[str, str, Callable[[Amount | None], int | None]], ...]

    @classmethod
    def laid_out(cls, gauges: Collection[Gauge]) -> Gauges:
        """Sort them; that every pollutant has one is made sure where the tables are loaded."""
        of = {name: tuple(one for one in gauges if one.pollutant == name) for name in POLLUTANTS}
        look_up = tuple((first.value, name, first.scale.known.get) for name, (first, *_) in of.items())
        return cls(of, {name: its[1:] for name, its in of.items() if its[1:]}, look_up)


@dataclass(frozen=True)
class Category:
    """A band of the index (空气质量指数类别) with its words and the standard's own colour; ``up_to`` None: no end."""

    id: str
    up_to: int | None
    grade: str
    zh: str
    en: str
    colour: str
    rgb: tuple[int, int, int]


@dataclass(frozen=True)
class Completeness:
    """
    What a daily value needs before it counts (数据有效性).

    A largest value that is short of hours still counts where it exceeds its limit: more hours could only raise it.
    """

    hours_for_mean: int  # hourly values of a 24-h mean
    hours_for_8h: int  # hourly values of an 8-h mean
    means_for_mda8: int  # 8-h means ending 08:00 to 24:00
    mda8_or_over: int  # µg/m³
    hours_for_max_1h: int
    max_1h_or_over: int  # µg/m³
    stations_percent: int  # of a city's stations


@dataclass(frozen=True)
class Standard:
    """
    One edition of the technical regulation on the index (技术规定), as written in ``playbooks/standards``.

    ``publish_over``: with a pollutant missing, the index of the others is published only above this mark
    (HJ 633-2026 5.3.1); None publishes it always. ``primary_over``: no primary pollutant at or below it. ``lowest``:
    where the edition's index begins, 1 in HJ 633-2026 (4.1.1); single indices begin at 0 in both.
    """

    id: str
    code: str
    name: str
    in_force_from: date
    reports: Mapping[Period, tuple[Gauge, ...]]
    categories: tuple[Category, ...]
    completeness: Completeness
    publish_over: int | None
    primary_over: int
    lowest: int = 0

    def category(self, aqi: int) -> Category:
        """
        The band this index lies in.

        :raises ValueError: below 0 or above 500
        """
        if not 0 <= aqi < len(self.bands):
            raise ValueError(f"{aqi} is no index")
        return self.bands[aqi]

    @cached_property
    def bands(self) -> tuple[Category, ...]:
        """The category of every index from 0 to 500."""
        ends = [HIGHEST if one.up_to is None else one.up_to for one in self.categories]
        return tuple(self.categories[bisect_left(ends, aqi)] for aqi in range(HIGHEST + 1))

    def gauges(self, period: Period) -> Gauges:
        """The values this report reads."""
        return self._hour if period is _HOUR else self._day

    @cached_property
    def _hour(self) -> Gauges:
        return Gauges.laid_out(self.reports[Period.HOUR])

    @cached_property
    def _day(self) -> Gauges:
        return Gauges.laid_out(self.reports[Period.DAY])


class Index(NamedTuple):
    """
    An index with everything that explains it; a tuple, because one is made for every hour of a replay.

    ``aqi`` None is the standard's NA and ``na_because`` says why; the single indices stand all the same.
    ``missing``: no value was given. ``beyond``: a value was given, and the edition has no index for one so high.
    """

    standard: str
    aqi: int | None
    iaqi: Mapping[str, int | None]
    primary: tuple[str, ...]
    category: str
    na_because: str = ""
    missing: tuple[str, ...] = ()
    beyond: tuple[str, ...] = ()


def as_written(value: Amount | float | str) -> Amount:
    """
    The number a person or an instrument wrote, or the mean of such numbers, exact.

    A float carries the shortest decimal that means it, so 4.05 comes back as 4.05 and not as 4.0499…. One that fills
    all its digits was never written: it is a quotient, and comes back as that (449/3 and not 149.66666666666666) where
    its denominator has at most six digits; two of those lie farther apart than floats do below 1,000.

    :raises BadConcentration: it is no finite number
    """
    if isinstance(value, int | Fraction):
        return value
    try:
        exact = value if isinstance(value, Decimal) else Decimal(repr(value) if isinstance(value, float) else value)
    except ArithmeticError:
        raise BadConcentration(f"{value!r} is not a number") from None
    if not exact.is_finite():
        raise BadConcentration(f"{value!r} is not a concentration")
    if isinstance(value, float) and len(repr(value)) > _LONGEST_WRITTEN:
        quotient = Fraction(value).limit_denominator(1_000_000)
        return quotient if float(quotient) == value else exact
    return exact


def standard_for(day: date, standards: Iterable[Standard]) -> Standard:
    """
    The edition in force on this civil day of Asia/Shanghai; an instant is turned into its day there first.

    Days before the first edition take the first: replaying an old winter needs an index, and no older one exists.

    :raises ValueError: there is no edition at all
    """
    if isinstance(day, datetime):
        day = day.astimezone(SHANGHAI).date() if day.tzinfo else day.date()
    editions = sorted(standards, key=lambda one: one.in_force_from)
    if not editions:
        raise ValueError("no edition of the index standard was given")
    return next((one for one in reversed(editions) if one.in_force_from <= day), editions[0])


def index(
    standard: Standard,
    values: Mapping[str, Amount | None],
    *,
    period: Period,
    not_monitored: Collection[str] = (),
) -> Index:
    """
    The index of one place for one hour or one day.

    ``values`` holds concentrations by name; absent or None is missing. An hour takes the six one-hour means and reads
    PM on the 24-h scale; a day takes 24-h means with ``o3_8h`` (MDA8), in HJ 633-2012 also ``o3``, its largest hour.
    ``not_monitored`` are pollutants this place never measures by design (HJ 633-2026 5.3.2): they are not missing.

    :raises BadConcentration: a negative value, no number, or a name that is nobody's
    """
    gauges = standard.gauges(period)
    given = values.get
    iaqi: dict[str, int | None] = {}
    for name, pollutant, known in gauges.look_up:
        iaqi[pollutant] = known(given(name))
    marks = [*iaqi.values()]
    if None not in marks and len(values) == len(marks):
        highest = max(marks)  # type: ignore[type-var]  # None is not among them; a list without it costs as much again
        return _published(standard, iaqi, highest, (), ())  # type: ignore[arg-type]  # as above
    if not values.keys() <= VALUES:
        raise BadConcentration(f"no such measured value: {', '.join(sorted(values.keys() - VALUES))}")
    return _one_by_one(standard, gauges, values, iaqi, not_monitored)


def _one_by_one(
    standard: Standard,
    gauges: Gauges,
    values: Mapping[str, Amount | None],
    iaqi: dict[str, int | None],
    not_monitored: Collection[str],
) -> Index:
    """The index where the tables alone did not answer: a value missing, between two steps or beyond, or one more."""
    missing: tuple[str, ...] = ()
    beyond: tuple[str, ...] = ()
    highest = -1
    for name, found in iaqi.items():
        if found is None or name in gauges.more:
            its = gauges.of[name] if found is None else gauges.more[name]
            found, spoke = _heard(its, values, found)
            iaqi[name] = found
            if found is None:
                if spoke:
                    beyond += (name,)
                elif name not in not_monitored:
                    missing += (name,)
                continue
        if found > highest:
            highest = found
    if highest < 0:
        because = "no pollutant has an index"
    elif missing and standard.publish_over is not None and highest <= standard.publish_over:
        because = f"{', '.join(missing)} missing and no other index above {standard.publish_over} ({standard.code})"
    else:
        return _published(standard, iaqi, highest, missing, beyond)
    return Index(standard.id, None, iaqi, (), "", because, missing, beyond)


def _heard(
    gauges: Iterable[Gauge], values: Mapping[str, Amount | None], found: int | None
) -> tuple[int | None, bool]:
    """
    The index of a pollutant after these gauges have spoken, and whether any did: the larger counts.

    A stand-in speaks only where the value it replaces was measured, and counts only where that one has no index.
    """
    spoke = False
    for gauge in gauges:
        value, other = values.get(gauge.value), gauge.stands_in_for
        if value is None or (other and values.get(other) is None):
            continue
        spoke = True
        if not other or found is None:
            its = gauge.scale.index_of(value)
            found = its if found is None or (its is not None and its > found) else found
    return found, spoke


def _published(
    standard: Standard, iaqi: dict[str, int | None], aqi: int, missing: tuple[str, ...], beyond: tuple[str, ...]
) -> Index:
    """The largest single index with its owners and its band."""
    primary: tuple[str, ...] = ()
    aqi = aqi or standard.lowest  # single indices are whole numbers, so that nothing else lies below 1
    if aqi > standard.primary_over:
        for name, its in iaqi.items():
            if its == aqi:
                primary += (name,)
    return Index(standard.id, aqi, iaqi, primary, standard.bands[aqi].id, "", missing, beyond)


def trigger_aqi(standard: Standard, found: Index, *, sand_dust: bool = False) -> int | None:
    """
    The index that counts for warnings: without O3, and on a sand-dust day without PM10 (环大气〔2024〕6号).

    Ozone gets a health notice and dust is nobody's emission, so neither may start orders. None = unknown: the
    edition's rule for missing pollutants holds for those that count, and where no particle was measured the gases
    alone say nothing about a heavy day unless they are themselves above 100.
    """
    particles = ("pm2_5",) if sand_dust else ("pm2_5", "pm10")
    counted = {one: found.iaqi[one] for one in (*particles, "so2", "no2", "co")}
    known = [its for its in counted.values() if its is not None]
    if not known:
        return None
    highest = max(known)
    if standard.publish_over is not None and highest <= standard.publish_over and counted.keys() & set(found.missing):
        return None
    if highest <= _POLLUTED_OVER and all(counted[one] is None for one in particles):
        return None
    return highest or standard.lowest
