"""Warnings that were really declared, beside what a replay of the same days makes of them, and why the two differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, model_validator

from emergency.domain.declaring import Declaration
from emergency.domain.level import Level
from emergency.plans.reading import Sheet, read_yaml

CASES = Path(__file__).resolve().parents[2] / "playbooks" / "cases" / "historic.yaml"

Text = Annotated[str, Field(min_length=1)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,47}$")]
Word = Literal["blue", "yellow", "orange", "red"]
Difference = Literal["level", "start", "end"]


class _Air(Sheet):
    file: Name
    first: date
    last: date


class _Declared(Sheet):
    level: Word
    effective_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    source: Text
    note: str = ""


class _Got(Sheet):
    level: Word
    issued_at: AwareDatetime
    effective_at: AwareDatetime
    ended_at: AwareDatetime | None


class _Mismatch(Sheet):
    what: Difference
    because: Text


class _Case(Sheet):
    case: Name
    title: Text
    place: Text
    air: _Air
    plan: Name
    forecast: Literal["perfect", "persistence", "archived"]
    archive: Name | None = None
    lead_hours: Annotated[int, Field(ge=1, le=240)]
    declared: _Declared | None = None
    within_hours: Annotated[int, Field(ge=0, le=48)] | None = None
    got: tuple[_Got, ...]
    mismatch: tuple[_Mismatch, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> _Case:
        if len({one.what for one in self.mismatch}) < len(self.mismatch):
            raise ValueError("a difference is explained once")
        if self.mismatch and self.declared is None:
            raise ValueError("where nothing was declared nothing can differ")
        if (self.declared is None) is not (self.within_hours is None):
            raise ValueError("hours may be off by within_hours, which belongs to what was declared")
        if (self.forecast == "archived") is not (self.archive is not None):
            raise ValueError("an archive belongs to the archived forecast and to no other")
        return self


class _Book(Sheet):
    cases: Annotated[tuple[_Case, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_once(self) -> _Book:
        names = [one.case for one in self.cases]
        if twice := next((name for name in names if names.count(name) > 1), ""):
            raise ValueError(f"there are two cases {twice}")
        return self


@dataclass(frozen=True)
class Held:
    """One level with its hours; an hour that is not known is None."""

    level: Level
    issued_at: datetime | None
    effective_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class Case:
    """
    One historic case: the air, the plan and the foresight to replay, and what has to come out.

    ``air_file``: a file or a folder of stations in ``playbooks/air``, where the forecasts of ``archive`` are as well.
    ``got`` is the whole answer expected; ``mismatch`` gives the reason for every way in which it differs from
    ``declared`` (None: nothing is known to have been declared), each by its word: level, start, end.
    """

    name: str
    title: str
    air_file: str
    first: date
    last: date
    plan: str
    forecast: str
    archive: str | None
    lead_hours: int
    declared: Held | None
    within: timedelta
    got: tuple[Held, ...]
    mismatch: dict[str, str]


def load_cases(path: Path = CASES) -> tuple[Case, ...]:
    """
    The historic cases, in the order of the file.

    :raises Unreadable: (a Misconfigured) the file is wrong; "path:line: reason"
    """
    return tuple(_case(one) for one in read_yaml(path, _Book).cases)


def differences(case: Case, declarations: Sequence[Declaration]) -> set[str]:
    """
    In what a replay differs from what was declared: the highest level reached, when that level began, when all ended.

    The beginning is that of the declared level; where it was never reached, of the highest that was. Hours differ when
    they lie further apart than the case allows; what is not known of history differs from nothing.
    """
    if case.declared is None:
        return set()
    if not declarations:
        return {"level"}
    highest = max(declarations, key=lambda one: one.level)
    same = next((one for one in declarations if one.level is case.declared.level), highest)
    found = set() if highest.level is case.declared.level else {"level"}
    for word, told, ours in (
        ("start", case.declared.effective_at, same.effective_at),
        ("end", case.declared.ended_at, declarations[-1].ended_at),
    ):
        if told is not None and (ours is None or abs(ours - told) > case.within):
            found.add(word)
    return found


def _case(one: _Case) -> Case:
    said = one.declared
    return Case(
        name=one.case,
        title=one.title,
        air_file=one.air.file,
        first=one.air.first,
        last=one.air.last,
        plan=one.plan,
        forecast=one.forecast,
        archive=one.archive,
        lead_hours=one.lead_hours,
        declared=Held(Level.named(said.level), None, said.effective_at, said.ended_at) if said else None,
        within=timedelta(hours=one.within_hours or 0),
        got=tuple(Held(Level.named(each.level), each.issued_at, each.effective_at, each.ended_at) for each in one.got),
        mismatch={each.what: each.because for each in one.mismatch},
    )
