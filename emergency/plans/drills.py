"""A past or imagined episode as data: whose air, which place, what the rule should say, and how its phones behave."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator

from emergency.domain.drill import Expected
from emergency.domain.forecast import Cause, ForecastDay
from emergency.domain.level import Level
from emergency.domain.orders import Recipient
from emergency.errors import Misconfigured
from emergency.plans.places import recipient_id
from emergency.plans.reading import Page, Problem, Sheet, Unreadable, fit, read_page

Text = Annotated[str, Field(min_length=1)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,47}$")]
Minutes = Annotated[tuple[int, int], Field(description="from, to: civil minutes, both included")]
OtherCause = Literal["o3", "sand_dust", "wildfire", "cross_border", "fireworks"]
Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,47}$")]


class _Air(Sheet):
    file: Name
    city: Text
    seed: Text
    error_permille: Annotated[int, Field(ge=0, le=200)]
    issued_at: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    days_ahead: Annotated[int, Field(ge=1, le=7)]
    rule: Text


class _Expected(Sheet):
    evening: date
    level: Literal["none", "blue", "yellow", "orange", "red"]


class _Change(Sheet):
    """One change of level the walk must come to; ``said``: when the rule asks, ``holds``: since when it would hold."""

    level: Literal["none", "blue", "yellow", "orange", "red"]
    said: AwareDatetime
    holds: AwareDatetime | None = None
    within_hours: Annotated[float, Field(ge=0, le=48)] = 1


class _Said(Sheet):
    """A forecast written down as it was said, where it must not be derived from what came."""

    evening: date
    aqi: Annotated[tuple[Annotated[int, Field(ge=1, le=500)], ...], Field(min_length=1, max_length=7)]
    cause: Literal["pm2_5", "o3", "sand_dust", "wildfire", "cross_border", "fireworks"] = "pm2_5"


class _Way(Sheet):
    """One way of answering; minutes count from the message for ``read`` and ``acknowledge``, then from one another."""

    name: Name
    percent: Annotated[int, Field(ge=0, le=100)]
    read: Minutes
    acknowledge: Minutes
    start: Minutes | None = None
    in_place: Minutes | None = None

    @model_validator(mode="after")
    def _in_order(self) -> _Way:
        for found in (self.read, self.acknowledge, self.start, self.in_place):
            if found is not None and not 0 <= found[0] <= found[1]:
                raise ValueError(f"{self.name}: {found[0]} to {found[1]} minutes is no span")
        if self.in_place is not None and self.start is None:
            raise ValueError(f"{self.name}: what is never started cannot be in place")
        return self


class _Silent(Sheet):
    recipients: tuple[Key, ...]
    escalations: Annotated[int, Field(ge=1, le=9)]
    then: Name


class _Declines(Sheet):
    recipient: Key
    after: Minutes
    because: Text
    because_en: Text


class _Phones(Sheet):
    seed: Text
    ways: Annotated[tuple[_Way, ...], Field(min_length=1)]
    named: Name
    silent: _Silent
    declines: tuple[_Declines, ...] = ()
    resume: Minutes


class _Drill(Sheet):
    drill: Name
    title: Text
    title_en: Text
    label: Literal["推演", "演练"]
    place: Name
    plans: Annotated[Mapping[str, Name], Field(min_length=1)]
    air: _Air
    standard: Name
    begins: AwareDatetime
    ends: AwareDatetime
    legend: Text
    legend_en: Text
    origin: Text
    origin_en: Text
    expected: Annotated[tuple[_Expected, ...], Field(min_length=1)]
    expect: tuple[_Change, ...]
    causes: Mapping[str, OtherCause] = {}
    advised: Mapping[str, OtherCause] = {}
    forecasts: tuple[_Said, ...] = ()
    phones: _Phones | None = None


@dataclass(frozen=True)
class ForecastRule:
    """
    How the drill's forecasts come from the later measurements.

    ``error_permille``: the largest error for each day of lead, in thousandths; ``issued_at`` "HH:MM" in Asia/Shanghai;
    ``words`` say the rule to a reader.
    """

    seed: str
    error_permille: int
    issued_at: str
    days_ahead: int
    words: str


@dataclass(frozen=True)
class Way:
    """One way of answering an order on a simulated phone; spans are civil minutes, both ends included."""

    name: str
    percent: int
    read: tuple[int, int]
    acknowledge: tuple[int, int]
    start: tuple[int, int] | None
    in_place: tuple[int, int] | None


@dataclass(frozen=True)
class Declining:
    """What one sample says when it cannot comply, and how soon."""

    after: tuple[int, int]
    because: str
    because_en: str


@dataclass(frozen=True)
class Phones:
    """How the simulated phones behave; nothing here is drawn by dice."""

    seed: str
    ways: tuple[Way, ...]
    named: Way  # of everybody who is real
    silent: frozenset[UUID]
    silent_until: int  # escalations told about the order before a silent one answers
    silent_then: Way
    declining: Mapping[UUID, Declining]
    resume: tuple[int, int]


_SOON = Way("prompt", 100, (1, 4), (2, 8), (8, 40), (60, 240))
PROMPT = Phones("prompt", (_SOON,), _SOON, frozenset(), 1, _SOON, {}, (10, 90))
"""Phones of a drill that says nothing of them: everybody answers."""


@dataclass(frozen=True)
class Drill:
    """
    One drill.

    ``label`` marks every page, message and file. ``plans``: area id → plan id, the upper area first. ``air_file`` is
    the stem of a file in ``playbooks/air`` and ``air_city`` whose air it is, which need not be the place's.
    ``expected``: the day of an evening forecast → the level the rule should then say. ``expect``: the changes of level
    it must come to, each with its times; none where no warning may come. ``advised``: the days a health advisory must
    be asked for, and for what. ``causes``: what drives a day that is not driven by fine particles. ``forecasts``:
    evening → the days from it on as a forecast written down; empty = derived from what came. ``plays``: whether the
    file says how phones behave; without that no demo plays it.
    """

    name: str
    title: str
    title_en: str
    label: str
    place: Path
    plans: Mapping[str, str]
    air_file: str
    air_city: str
    forecast: ForecastRule
    standard: str
    begins_at: datetime
    ends_at: datetime
    legend: str
    legend_en: str
    origin: str
    origin_en: str
    expected: Mapping[date, Level]
    expect: tuple[Expected, ...]
    causes: Mapping[date, Cause]
    advised: Mapping[date, Cause]
    forecasts: Mapping[date, tuple[ForecastDay, ...]]
    phones: Phones
    plays: bool

    @property
    def areas(self) -> tuple[str, ...]:
        """The areas with an episode of their own, the upper one first."""
        return tuple(self.plans)


@dataclass(frozen=True)
class Behaviour:
    """
    What one simulated phone does about one revision of its order.

    ``acknowledges_after`` counts from the message, or, where ``escalations`` is above 0, from the last of that many
    escalations told about the order. ``starts_after`` counts from the acknowledgement, ``in_place_after`` from the
    start; None = never reports it. With ``declines_because`` it declines instead of acknowledging.
    """

    reads_after: timedelta
    acknowledges_after: timedelta
    starts_after: timedelta | None
    in_place_after: timedelta | None
    escalations: int = 0
    declines_because: str = ""
    declines_because_en: str = ""


def load_drill(path: Path) -> Drill:
    """
    The drill of a file in ``playbooks/drills``; its place is ``../places/<place>.yaml``.

    :raises Misconfigured: "path:line: reason"
    """
    page = read_page(path)
    said, problems = fit(_Drill, page.data, page.problem)
    if said is None:
        raise Unreadable(problems)
    if said.drill != path.stem:
        raise Misconfigured(f"{path}:1: the file is called {path.stem} and plays {said.drill}")
    if said.begins >= said.ends:
        raise Misconfigured(f"{path}:1: it ends before it begins")
    if problems := _out_of_order(said, page):
        raise Unreadable(problems)
    air = said.air
    return Drill(
        name=said.drill, title=said.title, title_en=said.title_en, label=said.label,
        place=path.parent.parent / "places" / f"{said.place}.yaml", plans=dict(said.plans),
        air_file=air.file, air_city=air.city,
        forecast=ForecastRule(
            seed=air.seed, error_permille=air.error_permille, issued_at=air.issued_at, days_ahead=air.days_ahead,
            words=air.rule,
        ),
        standard=said.standard, begins_at=said.begins, ends_at=said.ends, legend=said.legend,
        legend_en=said.legend_en, origin=said.origin, origin_en=said.origin_en,
        expected={one.evening: Level.named(one.level) for one in said.expected},
        expect=tuple(
            Expected(Level.named(one.level), one.said, one.holds, timedelta(hours=one.within_hours))
            for one in said.expect
        ),
        causes={date.fromisoformat(day): Cause(cause) for day, cause in said.causes.items()},
        advised={date.fromisoformat(day): Cause(cause) for day, cause in said.advised.items()},
        forecasts={one.evening: _days(one) for one in said.forecasts},
        phones=PROMPT if said.phones is None else _phones(said.phones, path),
        plays=said.phones is not None,
    )


def load_drills(folder: Path) -> dict[str, Drill]:
    """
    Every drill of the folder by name.

    :raises Misconfigured: "path:line: reason"
    """
    return {path.stem: load_drill(path) for path in sorted(folder.glob("*.yaml"))}


def _out_of_order(said: _Drill, page: Page) -> tuple[Problem, ...]:
    """What the model cannot see: changes outside the drill or out of order, days that are none."""
    found = []
    for n, one in enumerate(said.expect):
        if not said.begins <= one.said <= said.ends:
            found.append(page.problem(("expect", n, "said"), f"expect.{n}: is not within the drill"))
        if n and one.said < said.expect[n - 1].said:
            found.append(page.problem(("expect", n, "said"), f"expect.{n}: comes before the change above it"))
        if one.holds is not None and one.holds < one.said:
            found.append(page.problem(("expect", n, "holds"), f"expect.{n}: holds before the rule asks for it"))
    for key, days in (("causes", said.causes), ("advised", said.advised)):
        found += [page.problem((key, day), f"{key}.{day}: is not a day") for day in days if not _is_day(day)]
    return tuple(found)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _days(said: _Said) -> tuple[ForecastDay, ...]:
    cause = Cause(said.cause)
    days = (said.evening + timedelta(days=n) for n in range(len(said.aqi)))
    return tuple(ForecastDay(day, aqi, cause=cause) for day, aqi in zip(days, said.aqi, strict=True))


def _phones(said: _Phones, path: Path) -> Phones:
    if (total := sum(way.percent for way in said.ways)) != 100:
        raise Misconfigured(f"{path}:1: the ways of answering make {total} %, not 100")
    ways = {one.name: _way(one) for one in said.ways}
    for name in (said.named, said.silent.then):
        if name not in ways:
            raise Misconfigured(f"{path}:1: no way of answering is called {name}")
    if ways[said.named].in_place is None:
        raise Misconfigured(f"{path}:1: those who are real must be seen to comply, and {said.named} never does")
    return Phones(
        seed=said.seed, ways=tuple(ways.values()), named=ways[said.named],
        silent=frozenset(recipient_id(key) for key in said.silent.recipients),
        silent_until=said.silent.escalations, silent_then=ways[said.silent.then],
        declining={
            recipient_id(one.recipient): Declining(one.after, one.because, one.because_en) for one in said.declines
        },
        resume=said.resume,
    )


def _way(said: _Way) -> Way:
    return Way(said.name, said.percent, said.read, said.acknowledge, said.start, said.in_place)


def behaviour_of(drill: Drill, recipient: Recipient, *, revision: int = 1) -> Behaviour:
    """
    What the recipient's simulated phone does about this revision; the same question has the same answer everywhere.

    Whoever is real (``sample`` False) answers promptly and is never silent, declining or late, whatever the file says:
    no demo may show a real firm in breach. A decliner declines its first revision only.
    """
    phones, draw = drill.phones, _Draw(drill.phones.seed, recipient.id, revision)
    declining = phones.declining.get(recipient.id) if recipient.sample and revision == 1 else None
    silent = recipient.sample and recipient.id in phones.silent
    if not recipient.sample:
        way = phones.named
    elif silent:
        way = phones.silent_then
    else:
        way = _way_at(phones.ways, draw.number("way", 100))
    reads = draw.minutes("read", way.read)
    answers = max(reads, draw.minutes("acknowledge", declining.after if declining else way.acknowledge))
    return Behaviour(
        reads_after=reads, acknowledges_after=answers,
        starts_after=draw.minutes("start", way.start) if way.start and not declining else None,
        in_place_after=draw.minutes("in_place", way.in_place) if way.in_place and not declining else None,
        escalations=phones.silent_until if silent else 0,
        declines_because=declining.because if declining else "",
        declines_because_en=declining.because_en if declining else "",
    )


def resumes_after(drill: Drill, recipient: Recipient) -> timedelta:
    """How long after the lifting notice the recipient's simulated phone says that work has resumed."""
    return _Draw(drill.phones.seed, recipient.id, 0).minutes("resume", drill.phones.resume)


def _way_at(ways: tuple[Way, ...], percentile: int) -> Way:
    for way in ways:
        if percentile < way.percent:
            return way
        percentile -= way.percent
    return ways[-1]


@dataclass(frozen=True)
class _Draw:
    """Numbers that belong to (seed, recipient, revision, question): SHA-256, no dice."""

    seed: str
    recipient: UUID
    revision: int

    def number(self, about: str, below: int) -> int:
        said = f"{self.seed}:{self.recipient}:{self.revision}:{about}"
        return int.from_bytes(hashlib.sha256(said.encode()).digest()[:8], "big") % below

    def minutes(self, about: str, span: tuple[int, int]) -> timedelta:
        first, last = span
        return timedelta(minutes=first + self.number(about, last - first + 1))
