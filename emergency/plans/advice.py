"""What is advised by cause: the playbook's files, checked; none of their duties stops or limits anybody."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from emergency.domain.advising import Advice, Book
from emergency.domain.forecast import Cause
from emergency.domain.level import Level
from emergency.domain.orders import Measure
from emergency.errors import Misconfigured
from emergency.plans.measures import Basis, Key
from emergency.plans.reading import Sheet, read_yaml


class _Over(Sheet):
    aqi: Annotated[int, Field(ge=50, le=500)]
    basis: Basis
    source: Annotated[str, Field(min_length=4)]


class _Line(Sheet):
    text: Annotated[str, Field(min_length=6, max_length=120)]
    text_en: Annotated[str, Field(min_length=12, max_length=320)]
    basis: Basis
    source: Annotated[str, Field(min_length=4)]


class _Duty(_Line):
    sector: Annotated[str, Field(pattern=r"^[a-z][a-z_]{2,39}$")]
    key: Key
    force: Literal["voluntary", "health", "mandatory"]
    action: Literal["relay", "patrol", "inspect", "advise", "report", "support", "dust_control"]


class _File(Sheet):
    cause: Literal["o3", "sand_dust", "wildfire", "cross_border", "fireworks"]
    name: Annotated[str, Field(min_length=2)]
    name_en: Annotated[str, Field(min_length=2)]
    over: _Over
    public: Annotated[tuple[_Line, ...], Field(min_length=1)]
    duties: tuple[_Duty, ...]


def load_advice(folder: Path) -> Book:
    """
    The advice of every cause that has a file.

    :raises Misconfigured: a file is wrong (path, line, reason), or is named unlike its cause
    """
    found: dict[Cause, Advice] = {}
    for path in sorted(folder.glob("*.yaml")):
        said = read_yaml(path, _File)
        if said.cause != path.stem:
            raise Misconfigured(f"{path}:1: the file is called {path.stem} and speaks of {said.cause}")
        duties: dict[str, tuple[Measure, ...]] = {}
        for one in said.duties:
            if any(one.key == other.key for other in duties.get(one.sector, ())):
                raise Misconfigured(f"{path}:1: {one.sector} is given {one.key} twice")
            duties[one.sector] = (*duties.get(one.sector, ()), _measure(one))
        found[Cause(said.cause)] = Advice(
            cause=Cause(said.cause),
            name=said.name,
            name_en=said.name_en,
            over=said.over.aqi,
            public=tuple(one.text for one in said.public),
            public_en=tuple(one.text_en for one in said.public),
            duties=duties,
        )
    return found


def _measure(one: _Duty) -> Measure:
    return Measure(
        key=one.key, level=Level.NONE, text=one.text, text_en=one.text_en, force=one.force, action=one.action,
        check="daily_report", basis=one.basis, source=one.source,
    )  # fmt: skip
