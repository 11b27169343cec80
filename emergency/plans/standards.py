"""Editions of the index standard: from the files a lawyer reads to the values the rule computes with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from emergency.domain.air import POLLUTANTS, VALUES, Category, Completeness, Gauge, Period, Scale, Standard
from emergency.errors import Misconfigured
from emergency.plans.reading import Sheet, read_yaml

FOLDER = Path(__file__).resolve().parents[2] / "playbooks" / "standards"

Whole = Annotated[int, Field(ge=0)]


class _Sourced(Sheet):
    """A figure says where it was read; ``assumed`` is our own reading and to be checked."""

    basis: Literal["text", "recalled", "assumed"]
    source: Annotated[str, Field(min_length=1)]


class _InForce(_Sourced):
    since: date = Field(alias="from")


class _Inputs(_Sourced):
    rounded: bool
    decimals: dict[str, Annotated[int, Field(ge=0, le=3)]]

    @model_validator(mode="after")
    def _names_all(self) -> Self:
        if self.decimals.keys() != set(POLLUTANTS):
            raise ValueError(f"decimals must name exactly {', '.join(POLLUTANTS)}")
        return self


class _Above(_Sourced):
    index: Annotated[int, Field(ge=1, le=500)] | None


class _Table(_Sourced):
    pollutant: Literal["pm2_5", "pm10", "so2", "no2", "co", "o3"]
    nodes: Annotated[list[Whole], Field(min_length=2)]
    above: _Above

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.nodes[0] != 0 or any(low >= high for low, high in pairwise(self.nodes)):
            raise ValueError("nodes must start at 0 and rise")
        return self


class _Reading(Sheet):
    value: str
    table: str
    stands_in_for: str = ""


class _Report(_Sourced):
    readings: Annotated[list[_Reading], Field(min_length=1)]


class _Reports(Sheet):
    hour: _Report
    day: _Report


class _Missing(_Sourced):
    publish_over: Whole | None


class _Primary(_Sourced):
    over: Whole


class _Lowest(_Sourced):
    """Where the index begins; an edition that names no range begins where its tables do."""

    index: Literal[0, 1]


class _Band(Sheet):
    id: str
    up_to: Whole | None
    grade: str
    zh: str
    en: str
    colour: str
    rgb: Annotated[list[Annotated[int, Field(ge=0, le=255)]], Field(min_length=3, max_length=3)]


class _Bands(_Sourced):
    list: Annotated[list[_Band], Field(min_length=1)]

    @model_validator(mode="after")
    def _cover_everything(self) -> Self:
        ends = [band.up_to for band in self.list]
        finite = [end for end in ends[:-1] if end is not None]
        if ends[-1] is not None or len(finite) != len(ends) - 1 or finite != sorted(set(finite)):
            raise ValueError("up_to must rise, and only the last band has no end")
        return self


class _Hours(_Sourced):
    hours: Annotated[int, Field(ge=1, le=24)]


class _Mda8(_Sourced):
    means: Annotated[int, Field(ge=1, le=17)]
    or_over: Whole


class _Max1h(_Hours):
    or_over: Whole


class _City(_Sourced):
    stations_percent: Annotated[int, Field(ge=1, le=100)]


class _Complete(Sheet):
    mean_24h: _Hours
    mean_8h: _Hours
    mda8: _Mda8
    max_1h: _Max1h
    city: _City


class _File(Sheet):
    id: str
    code: str
    name: str
    in_force: _InForce
    marks: Annotated[list[Whole], Field(min_length=2)]
    inputs: _Inputs
    tables: dict[str, _Table]
    reports: _Reports
    missing: _Missing
    primary: _Primary
    lowest: _Lowest
    categories: _Bands
    completeness: _Complete

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.marks[0] != 0 or self.marks != sorted(set(self.marks)):
            raise ValueError("marks must start at 0 and rise")
        for name, table in self.tables.items():
            if len(table.nodes) > len(self.marks):
                raise ValueError(f"table {name} has more nodes than there are marks")
            top = self.marks[len(table.nodes) - 1]
            if table.above.index is not None and table.above.index < top:
                raise ValueError(f"table {name} falls from {top} to {table.above.index} above its last node")
        for period, report in (("hour", self.reports.hour), ("day", self.reports.day)):
            before: set[str] = set()
            for reading in report.readings:
                if reading.table not in self.tables:
                    raise ValueError(f"report {period}: there is no table {reading.table}")
                if reading.value not in VALUES:
                    raise ValueError(f"report {period}: nothing measured is called {reading.value}")
                if reading.stands_in_for and reading.stands_in_for not in before:
                    raise ValueError(f"report {period}: {reading.value} stands in for a value that is not before it")
                before.add(reading.value)
            if {self.tables[reading.table].pollutant for reading in report.readings} != set(POLLUTANTS):
                raise ValueError(f"report {period} does not read every pollutant")
        return self

    def standard(self) -> Standard:
        """The value the rule computes with; sources stay in the file."""
        scales = {
            name: Scale(
                name=name, nodes=tuple(table.nodes), marks=tuple(self.marks[: len(table.nodes)]),
                above=table.above.index, decimals=self.inputs.decimals[table.pollutant], rounds=self.inputs.rounded,
            )
            for name, table in self.tables.items()
        }

        def gauges(report: _Report) -> tuple[Gauge, ...]:
            return tuple(
                Gauge(one.value, self.tables[one.table].pollutant, scales[one.table], one.stands_in_for)
                for one in report.readings
            )

        needs = self.completeness
        return Standard(
            id=self.id, code=self.code, name=self.name, in_force_from=self.in_force.since,
            reports={Period.HOUR: gauges(self.reports.hour), Period.DAY: gauges(self.reports.day)},
            categories=tuple(
                Category(one.id, one.up_to, one.grade, one.zh, one.en, one.colour, (one.rgb[0], one.rgb[1], one.rgb[2]))
                for one in self.categories.list
            ),
            completeness=Completeness(
                hours_for_mean=needs.mean_24h.hours, hours_for_8h=needs.mean_8h.hours,
                means_for_mda8=needs.mda8.means, mda8_or_over=needs.mda8.or_over,
                hours_for_max_1h=needs.max_1h.hours, max_1h_or_over=needs.max_1h.or_over,
                stations_percent=needs.city.stations_percent,
            ),
            publish_over=self.missing.publish_over, primary_over=self.primary.over, lowest=self.lowest.index,
        )


def load_standard(path: Path) -> Standard:
    """
    One edition from its file.

    :raises Misconfigured: the file is wrong, with its line
    """
    standard = read_yaml(path, _File).standard()
    if standard.id != path.stem:
        raise Misconfigured(f"{path}: says it is {standard.id}; the file must have that name")
    return standard


def load_standards(folder: Path = FOLDER) -> tuple[Standard, ...]:
    """
    Every edition, the oldest first.

    :raises Misconfigured: a file is wrong, there is none, or two editions start on one day
    """
    found = sorted((load_standard(path) for path in sorted(folder.glob("*.yaml"))), key=lambda one: one.in_force_from)
    if not found:
        raise Misconfigured(f"{folder}: no edition of the index standard")
    for one, other in pairwise(found):
        if one.in_force_from == other.in_force_from:
            raise Misconfigured(f"{folder}: {one.id} and {other.id} come into force on the same day")
    return tuple(found)


def standard_named(name: str, standards: Iterable[Standard]) -> Standard:
    """
    The edition with this id.

    :raises Misconfigured: there is none
    """
    known = {one.id: one for one in standards}
    try:
        return known[name]
    except KeyError:
        raise Misconfigured(f"no index standard is called {name}; there are {', '.join(known)}") from None
