"""What each sector does at each level: the playbook's lines, checked and ready to be drawn up into orders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator

from emergency.domain.level import Level
from emergency.domain.orders import Measure
from emergency.errors import Misconfigured
from emergency.plans.reading import Sheet, read_yaml

CHECKS = frozenset(
    {
        "stopped_by_deadline",  # power under the idle mark from the start of the duty on, no restart
        "energy_cut",  # energy a day at most baseline × (1 - cut)
        "treatment_on",  # no hour in which the line runs and its treatment does not
        "cems_below_idle",  # stack flow and emission under the idle mark, on valid hours only
        "trucks_by_stage",  # the gate log lets in nothing older than the stage named
        "photo_in_window",  # a photo taken at the place within the duty's hours
        "daily_report",  # one report a day by the hour the plan names
    }
)
"""Names a line may give as ``check``; a mandatory line must give one, for an order nobody can verify is a wish."""

_WEAKEST_FIRST = ("assumed", "recalled", "text")

Basis = Literal["text", "recalled", "assumed"]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{2,39}$")]
Action = Literal[
    "stop", "limit", "reduce_batches", "fuel_switch", "treatment_up", "transport_limit", "dust_control",
    "relay", "patrol", "inspect", "advise", "report", "support", "none",
]
ACTIONS: tuple[str, ...] = get_args(Action)


class _Starts(Sheet):
    """On what the file's ``starts_after_minutes`` rest."""

    basis: Basis
    source: Annotated[str, Field(min_length=4)]


class _Line(Sheet):
    key: Key
    level: Literal["blue", "yellow", "orange", "red"]
    force: Literal["mandatory", "voluntary", "health"]
    action: Action
    starts_after_minutes: Annotated[int, Field(ge=0, le=2880)] | None = None  # None: when the plan says of any measure
    check: str = ""
    text: Annotated[str, Field(min_length=6, max_length=120)]
    text_en: Annotated[str, Field(min_length=12, max_length=320)]
    replaces: tuple[Key, ...] = ()
    terms: Annotated[Mapping[str, int], Field(default_factory=dict)]
    basis: Basis
    source: Annotated[str, Field(min_length=4)]

    @field_validator("check")
    @classmethod
    def _known(cls, check: str) -> str:
        if check and check not in CHECKS:
            raise ValueError(f"no check is called {check!r}; known: {', '.join(sorted(CHECKS))}")
        return check


class _File(Sheet):
    sector: Annotated[str, Field(pattern=r"^[a-z][a-z_]{2,39}$")]
    name: Annotated[str, Field(min_length=2)]
    name_en: Annotated[str, Field(min_length=2)]
    starts: _Starts
    measures: Annotated[tuple[_Line, ...], Field(min_length=1)]

    @field_validator("measures")
    @classmethod
    def _consistent(cls, lines: tuple[_Line, ...]) -> tuple[_Line, ...]:
        levels: dict[str, Level] = {}
        for line in lines:
            if line.key in levels:
                raise ValueError(f"{line.key} is given twice")
            levels[line.key] = Level.named(line.level)
        for line in lines:
            if line.force == "mandatory" and not line.check:
                raise ValueError(f"{line.key} is mandatory and names no check")
            for key in line.replaces:
                if key not in levels:
                    raise ValueError(f"{line.key} replaces {key}, which this sector does not have")
                if levels[key] >= levels[line.key]:
                    raise ValueError(f"{line.key} replaces {key}, which is not of a lower level")
            for term, number in line.terms.items():
                if str(number) not in line.text or str(number) not in line.text_en:
                    raise ValueError(f"{line.key}: {term} is {number}, and the words of both languages do not say so")
        return lines


@dataclass(frozen=True)
class Sector:
    """
    One sector's playbook.

    ``terms``: measure key → what its check is judged by, for instance ``{"cut_percent": 10}`` for ``energy_cut``.
    """

    key: str
    name: str
    name_en: str
    measures: tuple[Measure, ...]
    terms: Mapping[str, Mapping[str, int]]


def load_sectors(folder: Path) -> Mapping[str, Sector]:
    """
    Every sector's playbook, by its key, in the order of the file names.

    A measure's ``basis`` is the weaker of the two it rests on, what it asks and how soon it starts, and its ``source``
    names both, so that no line looks surer than its least sure number.

    :raises Misconfigured: a file is wrong (path, line, reason), is named unlike its sector, or there is none
    """
    found: dict[str, Sector] = {}
    for path in sorted(folder.glob("*.yaml")):
        said = read_yaml(path, _File)
        if said.sector != path.stem:
            raise Misconfigured(f"{path}:1: the file is called {path.stem} and speaks of sector {said.sector}")
        found[said.sector] = Sector(
            key=said.sector, name=said.name, name_en=said.name_en,
            measures=tuple(_measure(line, said.starts) for line in said.measures),
            terms={line.key: dict(line.terms) for line in said.measures if line.terms},
        )
    if not found:
        raise Misconfigured(f"{folder}:1: no sector's measures here")
    return found


def load_measures(folder: Path) -> Mapping[str, tuple[Measure, ...]]:
    """
    The book: sector → its measures over all levels, keys unique inside a sector.

    :raises Misconfigured: as :func:`load_sectors`
    """
    return {key: sector.measures for key, sector in load_sectors(folder).items()}


def _measure(line: _Line, starts: _Starts) -> Measure:
    counted = bool(line.starts_after_minutes)
    basis = min(line.basis, starts.basis, key=_WEAKEST_FIRST.index) if counted else line.basis
    return Measure(
        key=line.key, level=Level.named(line.level), text=line.text, text_en=line.text_en, force=line.force,
        action=line.action, starts_after_minutes=line.starts_after_minutes, check=line.check,
        replaces=line.replaces, basis=basis,
        source=f"{line.source}；起算时间：{starts.source}" if counted else line.source,
    )
