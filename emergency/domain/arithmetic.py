"""Planned reduction (减排量核算): what the list's measures take away in kg/d, by level, pollutant, sector and town."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum
from typing import Final
from uuid import UUID

from emergency.domain.orders import Category
from emergency.domain.reduction.columns import LEVELS, POLLUTANTS
from emergency.domain.reduction.entries import Entry, Line
from emergency.domain.reduction.shares import Gap, Share, Way, share_of

EXACT: Final = 1e-8  # of an amount: sums of decimal fractions that differ by less are the same


@dataclass(frozen=True)
class Listed:
    """One enterprise of the list in force, by the id its orders go by."""

    id: UUID
    entry: Entry


@dataclass(frozen=True)
class Figure:
    """So much of one pollutant in kg/d, and how it came about."""

    pollutant: str
    kg: float
    way: Way


@dataclass(frozen=True)
class Uncounted:
    """
    A measure that came to no amount: whose, of which line, in which words, and why.

    ``pollutants``: those it would have been worked out for; none where no emission is given at all.
    """

    name: str
    area: str
    sector: str
    level: str
    line: str
    text: str
    why: Gap
    pollutants: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cut:
    """
    What one enterprise's measures of one level take away.

    ``lost``: the largest share of its normal emission of a pollutant that goes, 0 to 1, which stands for the production
    it loses; None where the list gives a cut without the emission it is taken from.
    """

    figures: tuple[Figure, ...] = ()
    uncounted: tuple[Uncounted, ...] = ()
    lost: float | None = None

    @property
    def kg(self) -> dict[str, float]:
        """kg/d by pollutant; one that is not in it is not known, or not emitted."""
        some: dict[str, list[float]] = defaultdict(list)
        for one in self.figures:
            some[one.pollutant].append(one.kg)
        return {name: fsum(each) for name, each in some.items()}


def cut_of(entry: Entry, level: str) -> Cut:
    """
    What the enterprise's measures of this level take away.

    The list's own amount counts before ours, and where it gives one of a pollutant nothing is worked out beside it. A
    line without a measure at the level goes on with that of the level below, as its order does. A long-stopped
    enterprise takes nothing away.
    """
    if entry.category is Category.LONG_STOPPED:
        return Cut()
    if not any(one.measures or one.cuts for one in entry.lines):
        return Cut(uncounted=(_untold(entry, None, level, "", Gap.NOT_IN_LIST),))
    texts = [_standing(one.measures, level) for one in entry.lines]
    stated = [_stated(one, level) for one in entry.lines]
    worked = _Worked(entry, level, texts)
    figures: list[Figure] = []
    for name in POLLUTANTS:
        given = [one[name] for one in stated if name in one]
        normal = fsum(one.emitted.get(name, 0.0) for one in entry.lines)
        if given and normal and fsum(given) > normal * (1 + EXACT):
            worked.gaps[_first(stated, name), Gap.TOO_MUCH].append(name)
        elif given:
            figures += [Figure(name, one, Way.STATED) for one in given]
        else:
            figures += worked.out(name)
    if not any(stated):
        worked.without_emission()
    return Cut(tuple(figures), tuple(worked.untold()), _lost(entry, figures))


def _standing(by_level: Mapping[str, str], level: str) -> str:
    return next((by_level[one] for one in reversed(_upto(level)) if one in by_level), "")


def _stated(line: Line, level: str) -> Mapping[str, float]:
    """The list's own amounts at the level, or those of the level whose measure goes on; none beside newer words."""
    for one in reversed(_upto(level)):
        if one in line.cuts or one in line.measures:
            return line.cuts.get(one, {})
    return {}


def _upto(level: str) -> Sequence[str]:
    return LEVELS[: LEVELS.index(level) + 1]


def _first(stated: Sequence[Mapping[str, float]], name: str) -> int:
    return next(n for n, one in enumerate(stated) if name in one)


def _lost(entry: Entry, figures: Sequence[Figure]) -> float | None:
    shares = []
    for name in POLLUTANTS:
        cut = fsum(one.kg for one in figures if one.pollutant == name)
        normal = fsum(one.emitted.get(name, 0.0) for one in entry.lines)
        if cut and not normal:
            return None
        if cut:
            shares.append(min(1.0, cut / normal))
    return max(shares, default=0.0)


def _untold(
    entry: Entry, line: Line | None, level: str, text: str, why: Gap, pollutants: Iterable[str] = ()
) -> Uncounted:
    named = line.name if line is not None else ""
    return Uncounted(entry.title, entry.area, entry.sector, level, named, text, why, tuple(pollutants))


class _Worked:
    """The lines of one enterprise at one level, what is worked out of them, and what cannot be."""

    def __init__(self, entry: Entry, level: str, texts: Sequence[str]) -> None:
        self.entry, self.level, self.texts = entry, level, texts
        alone = len(entry.lines) == 1
        self.shares = [
            share_of(line, text, alone=alone) if text else None
            for line, text in zip(entry.lines, texts, strict=True)
        ]
        self.gaps: dict[tuple[int, Gap], list[str]] = defaultdict(list)

    def out(self, name: str) -> Iterator[Figure]:
        """
        The cuts of one pollutant.

        An amount that a merged cell says for several lines stands in the first of them; the lines below that give no
        emission may be part of it, and then it counts only where all cut alike.
        """
        for first, others in self._pools(name):
            whole = self.entry.lines[first].emitted[name]
            some = [self.shares[n] for n in (first, *others)]
            gaps = [(n, one) for n, one in zip((first, *others), some, strict=True) if isinstance(one, Gap)]
            if gaps:
                for n, why in gaps:
                    self.gaps[n, why].append(name)
                continue
            portions = {one.portion if isinstance(one, Share) else 0.0 for one in some}
            ways = [one.way for one in some if isinstance(one, Share)]
            if len(portions) > 1:
                self.gaps[first, Gap.POOLED].append(name)
            elif ways:
                yield Figure(name, whole * portions.pop(), max(ways, key=list(Way).index))

    def _pools(self, name: str) -> Iterator[tuple[int, list[int]]]:
        pool: tuple[int, list[int]] | None = None
        for n, line in enumerate(self.entry.lines):
            if name in line.emitted:
                if pool is not None:
                    yield pool
                pool = n, []
            elif pool is not None and not line.emitted:
                pool[1].append(n)
        if pool is not None:
            yield pool

    def without_emission(self) -> None:
        """Note the lines that ask for something, and whose emission no line gives."""
        if any(one.emitted for one in self.entry.lines):
            return
        for n, share in enumerate(self.shares):
            if share is not None:
                self.gaps[n, share if isinstance(share, Gap) else Gap.NO_EMISSION] += ()

    def untold(self) -> Iterator[Uncounted]:
        for (n, why), names in self.gaps.items():
            yield _untold(self.entry, self.entry.lines[n], self.level, self.texts[n], why, names)


# --- sums


@dataclass(frozen=True)
class Sum:
    """
    Amounts in kg/d by pollutant: in all, by the way they came about, and how many enterprises have a figure.

    ``enterprises``: how many there are of which anything is asked, with or without a figure.
    """

    kg: Mapping[str, float] = field(default_factory=dict)
    ways: Mapping[Way, Mapping[str, float]] = field(default_factory=dict)
    counted: Mapping[str, int] = field(default_factory=dict)
    enterprises: int = 0


@dataclass(frozen=True)
class Planned:
    """
    What the list comes to at one level: whole, by sector and by town, and what is not counted in it.

    ``long_stopped``: enterprises the list has as stopped for long, which take nothing away.
    """

    level: str
    whole: Sum
    sectors: Mapping[str, Sum]
    towns: Mapping[str, Sum]
    uncounted: tuple[Uncounted, ...]
    long_stopped: int = 0


def planned(some: Iterable[Listed]) -> dict[str, Planned]:
    """What the enterprises' measures take away at each level, in the order of the list."""
    tallies = {level: _Tally(level) for level in LEVELS}
    for one in some:
        for level, tally in tallies.items():
            tally.take(one.entry, cut_of(one.entry, level))
    return {level: tally.done() for level, tally in tallies.items()}


class _Tally:
    def __init__(self, level: str) -> None:
        self.level, self.long_stopped = level, 0
        self.uncounted: list[Uncounted] = []
        self.whole = _Adding()
        self.sectors: dict[str, _Adding] = defaultdict(_Adding)
        self.towns: dict[str, _Adding] = defaultdict(_Adding)

    def take(self, entry: Entry, cut: Cut) -> None:
        if entry.category is Category.LONG_STOPPED:
            self.long_stopped += 1
            return
        self.uncounted += cut.uncounted
        if not cut.figures and not cut.uncounted:
            return  # nothing is asked of it at this level
        for one in (self.whole, self.sectors[entry.sector], self.towns[entry.area]):
            one.take(cut)

    def done(self) -> Planned:
        sectors, towns = (
            {key: one.done() for key, one in sorted(some.items())} for some in (self.sectors, self.towns)
        )
        return Planned(self.level, self.whole.done(), sectors, towns, tuple(self.uncounted), self.long_stopped)


class _Adding:
    def __init__(self) -> None:
        self.figures: list[Figure] = []
        self.counted: Counter[str] = Counter()
        self.enterprises = 0

    def take(self, cut: Cut) -> None:
        self.enterprises += 1
        self.figures += cut.figures
        self.counted.update({one.pollutant for one in cut.figures})

    def done(self) -> Sum:
        some: dict[tuple[Way, str], list[float]] = defaultdict(list)
        for one in self.figures:
            some[one.way, one.pollutant].append(one.kg)
        ways = {
            way: {name: fsum(some[way, name]) for name in POLLUTANTS if (way, name) in some}
            for way in Way
            if any(way is one for one, _ in some)
        }
        kg = {name: fsum(n for (_, one), each in some.items() if one == name for n in each) for name in self.counted}
        return Sum({one: kg[one] for one in POLLUTANTS if one in kg}, ways, dict(self.counted), self.enterprises)
