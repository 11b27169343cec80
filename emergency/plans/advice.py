"""What is advised by cause: the playbook's files, checked; none of their duties stops or limits anybody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from emergency.domain.advising import Advice, Book
from emergency.domain.forecast import Cause
from emergency.domain.level import Level
from emergency.domain.orders import Measure
from emergency.plans.measures import Basis, Key
from emergency.plans.reading import DIALECT, Page, Problem, Sheet, Unreadable, fit, read_page


class OverSheet(Sheet):
    """The daily index above which a day of the cause is advised of, with what the figure rests on."""

    aqi: Annotated[int, Field(ge=50, le=500, description="daily AQI; the advice begins above it")]
    basis: Basis
    source: Annotated[str, Field(min_length=4)]


class LineSheet(Sheet):
    """One line of advice to the public."""

    text: Annotated[str, Field(min_length=6, max_length=120)]
    text_en: Annotated[str, Field(min_length=12, max_length=320)]
    basis: Basis
    source: Annotated[str, Field(min_length=4)]


class DutySheet(LineSheet):
    """What the units of one sector do; no action that stops or limits anybody is to be had."""

    sector: Annotated[str, Field(pattern=r"^[a-z][a-z_]{2,39}$")]
    key: Key
    force: Literal["voluntary", "health", "mandatory"]
    action: Literal["relay", "patrol", "inspect", "advise", "report", "support", "dust_control"]


class AdviceSheet(Sheet):
    """A file of ``playbooks/advice``: what is advised of when a day's air is bad for one cause."""

    cause: Literal["o3", "sand_dust", "wildfire", "cross_border", "fireworks"]
    name: Annotated[str, Field(min_length=2)]
    name_en: Annotated[str, Field(min_length=2)]
    over: OverSheet
    public: Annotated[tuple[LineSheet, ...], Field(min_length=1)]
    duties: tuple[DutySheet, ...]


def schema() -> dict[str, Any]:
    """The JSON Schema of a file of advice, as published in playbooks/schema/advice.schema.json."""
    return {"$schema": DIALECT, **AdviceSheet.model_json_schema(mode="validation")}


def load_advice(folder: Path) -> Book:
    """
    The advice of every cause that has a file.

    :raises Unreadable: (a Misconfigured) everything wrong with any file, each with path, line and reason
    """
    read = [_read(path) for path in sorted(folder.glob("*.yaml"))]
    if problems := [one for _, found in read for one in found]:
        raise Unreadable(problems)
    return {one.cause: one for one, _ in read if one is not None}


def check(folder: Path) -> tuple[Problem, ...]:
    """Everything wrong with the advice of this folder; nothing where it can be loaded."""
    try:
        load_advice(folder)
    except Unreadable as wrong:
        return wrong.problems
    return ()


def _read(path: Path) -> tuple[Advice | None, tuple[Problem, ...]]:
    try:
        page = read_page(path)
    except Unreadable as wrong:
        return None, wrong.problems
    said, problems = fit(AdviceSheet, page.data, page.problem)
    if said is not None:
        problems = tuple(_contradictions(said, page))
    return (None, problems) if said is None or problems else (_advice(said), ())


def _contradictions(said: AdviceSheet, page: Page) -> Iterator[Problem]:
    """What the model cannot see: a file named unlike its cause, and a duty given to a sector twice."""
    if said.cause != page.path.stem:
        yield page.problem(("cause",), f"the file is called {page.path.stem} and speaks of {said.cause}")
    seen: set[tuple[str, str]] = set()
    for place, one in enumerate(said.duties):
        if (one.sector, one.key) in seen:
            yield page.problem(("duties", place, "key"), f"{one.sector} is given {one.key} twice")
        seen.add((one.sector, one.key))


def _advice(said: AdviceSheet) -> Advice:
    sectors = dict.fromkeys(one.sector for one in said.duties)
    return Advice(
        cause=Cause(said.cause),
        name=said.name,
        name_en=said.name_en,
        over=said.over.aqi,
        public=tuple(one.text for one in said.public),
        public_en=tuple(one.text_en for one in said.public),
        duties={
            sector: tuple(_measure(one) for one in said.duties if one.sector == sector) for sector in sectors
        },
    )


def _measure(one: DutySheet) -> Measure:
    return Measure(
        key=one.key, level=Level.NONE, text=one.text, text_en=one.text_en, force=one.force, action=one.action,
        check="daily_report", basis=one.basis, source=one.source,
    )  # fmt: skip
