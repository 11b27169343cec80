"""An assessment (研判): a level, every comparison behind it, and the same as data to be kept with a decision."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from operator import eq, ge, gt, le
from typing import Any
from zoneinfo import ZoneInfo

from emergency.domain.forecast import Cause, DayOfAir, Source
from emergency.domain.level import Level

SHANGHAI = ZoneInfo("Asia/Shanghai")


def end_of(day: date) -> datetime:
    """24:00 of a day in Asia/Shanghai as an instant in UTC."""
    return start_of(day + timedelta(days=1))


def start_of(day: date) -> datetime:
    """00:00 of a day in Asia/Shanghai as an instant in UTC."""
    return datetime.combine(day, clock_time(), SHANGHAI).astimezone(UTC)


_OPS: Mapping[str, Callable[[float, float], bool]] = {">=": ge, ">": gt, "==": eq, "<=": le}


@dataclass(frozen=True)
class Comparison:
    """
    One comparison made: so many days found in a row against so many asked for, or a figure against its mark.

    ``left`` is None where nobody knows it, and then the comparison does not hold.
    """

    level: Level
    clause: str
    what: str
    what_zh: str
    left: float | None
    right: float
    days: tuple[date, ...]
    op: str = ">="

    @property
    def holds(self) -> bool:
        """Whether it is as asked for."""
        return self.left is not None and _OPS[self.op](self.left, self.right)


@dataclass(frozen=True)
class Nearest:
    """The next higher level and what is missing to it; ``days_missing`` per condition of its nearest clause."""

    level: Level
    clause: str
    missing: str
    missing_en: str
    days_missing: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Assessment:
    """
    A level and its grounds (研判).

    ``days`` are all days judged, ``run`` those on which the clause rests, ``advisory`` those left out because their
    cause gets a health notice only. ``doubtful`` names the numbers of the plan the result rests on that were never
    read in a text. ``bulletin`` is the number of the notice heeded, when the level comes from above;
    ``takes_back`` that of the one change it takes back, while an earlier notice goes on.
    """

    plan_id: str
    plan_sha: str
    level: Level
    clause: str
    clause_text: str
    comparisons: tuple[Comparison, ...]
    days: tuple[DayOfAir, ...]
    run: tuple[date, ...]
    nearest: Nearest | None
    sentence_zh: str
    sentence_en: str
    doubtful: tuple[str, ...] = ()
    advisory: tuple[date, ...] = ()
    pre_level: str = ""
    bulletin: str = ""
    anchor: int | None = None  # the hour at which the 24-h windows begin; None: calendar days
    lasts_until: datetime | None = None  # where a run at another anchor ends after ``run``
    takes_back: str = ""

    @property
    def since(self) -> datetime | None:
        """The start of the run's first day or window, as an instant in UTC; None when no air triggers it."""
        return start_of(self.run[0]) + timedelta(hours=self.anchor or 0) if self.run else None

    @property
    def until(self) -> datetime | None:
        """The end of the spell, in UTC: of the run, or of one that outlasts it; None when no air triggered."""
        if self.lasts_until is not None:
            return self.lasts_until
        return end_of(self.run[-1]) + timedelta(hours=self.anchor or 0) if self.run else None

    @property
    def lead_days(self) -> int | None:
        """Days from the issue of the forecast to the first forecast day of the run; None when none is forecast."""
        first = next((one for one in self.days if one.day in self.run and one.issued_at is not None), None)
        if first is None or first.issued_at is None:
            return None
        return max(0, (first.day - first.issued_at.astimezone(SHANGHAI).date()).days)  # a window may be under way

    @property
    def grounds(self) -> tuple[Comparison, ...]:
        """The comparisons of the clause that decided; those of the whole table when none did."""
        return tuple(one for one in self.comparisons if one.clause == self.clause) if self.clause else self.comparisons


def without_air(plan_id: str, plan_sha: str, *, because: str) -> Assessment:
    """What stands in the place of a verdict while there is nothing to judge: that there are no data, and the reason."""
    return Assessment(
        plan_id=plan_id,
        plan_sha=plan_sha,
        level=Level.NONE,
        clause="",
        clause_text="",
        comparisons=(),
        days=(),
        run=(),
        nearest=None,
        sentence_zh=f"无可用数据：{because}",
        sentence_en=f"No data to go by: {because}",
    )


def as_data(assessment: Assessment) -> dict[str, object]:
    """The whole explanation as JSON-ready data, the shape kept with a decision; :func:`from_data` reads it back."""
    return {
        "plan_id": assessment.plan_id,
        "plan_sha": assessment.plan_sha,
        "level": assessment.level.word,
        "response_level": assessment.level.response,
        "clause": assessment.clause,
        "clause_text": assessment.clause_text,
        "comparisons": [_comparison(one) for one in assessment.comparisons],
        "days": [_day(assessment, one) for one in assessment.days],
        "nearest": _nearest(assessment.nearest),
        "sentence_zh": assessment.sentence_zh,
        "sentence_en": assessment.sentence_en,
        "doubtful": list(assessment.doubtful),
        "pre_level": assessment.pre_level,
        "bulletin": assessment.bulletin,
        "lead_days": assessment.lead_days,
        **({"takes_back": assessment.takes_back} if assessment.takes_back else {}),
        **({} if assessment.anchor is None else {"anchor": assessment.anchor}),  # calendar plans are kept as ever
        **({} if assessment.lasts_until is None else {"lasts_until": assessment.lasts_until.isoformat()}),
    }


def grounds(assessment: Assessment) -> list[dict[str, object]]:
    """The deciding comparisons as data: those of the clause that held, or of every clause when none did."""
    return [_comparison(one) for one in assessment.grounds]


def from_data(data: Mapping[str, Any]) -> Assessment:
    """The assessment that :func:`as_data` wrote down."""
    return Assessment(
        plan_id=data["plan_id"],
        plan_sha=data["plan_sha"],
        level=Level.named(data["level"]),
        clause=data["clause"],
        clause_text=data["clause_text"],
        comparisons=tuple(
            Comparison(
                level=Level.named(one["level"]),
                clause=one["clause"],
                what=one["what"],
                what_zh=one["what_zh"],
                left=one["left"],
                op=one["op"],
                right=one["right"],
                days=_dates(one["days"]),
            )
            for one in data["comparisons"]
        ),
        days=tuple(
            DayOfAir(
                day=date.fromisoformat(one["day"]),
                aqi=one["aqi"],
                source=Source(one["source"]),
                aqi_high=one["aqi_high"],
                primary=tuple(one["primary"]),
                cause=Cause(one["cause"]),
                pm2_5=one["pm2_5"],
                feed=one["feed"],
                issued_at=datetime.fromisoformat(one["issued_at"]) if one["issued_at"] else None,
                overall=one.get("overall"),
                said_by=one.get("said_by", ""),
            )
            for one in data["days"]
        ),
        run=_dates([one["day"] for one in data["days"] if one["in_run"]]),
        nearest=_nearest_from(data["nearest"]),
        sentence_zh=data["sentence_zh"],
        sentence_en=data["sentence_en"],
        doubtful=tuple(data["doubtful"]),
        advisory=_dates([one["day"] for one in data["days"] if one["advisory"]]),
        pre_level=data["pre_level"],
        bulletin=data["bulletin"],
        anchor=data.get("anchor"),
        lasts_until=datetime.fromisoformat(data["lasts_until"]) if "lasts_until" in data else None,
        takes_back=data.get("takes_back", ""),
    )


def _comparison(one: Comparison) -> dict[str, object]:
    return {
        "level": one.level.word,
        "clause": one.clause,
        "what": one.what,
        "what_zh": one.what_zh,
        "left": one.left,
        "op": one.op,
        "right": one.right,
        "holds": one.holds,
        "days": [day.isoformat() for day in one.days],
    }


def _day(assessment: Assessment, one: DayOfAir) -> dict[str, object]:
    return {
        "day": one.day.isoformat(),
        "aqi": one.aqi,
        "aqi_high": one.aqi_high,
        "pm2_5": one.pm2_5,
        "primary": list(one.primary),
        "cause": one.cause.value,
        "source": one.source.value,
        "feed": one.feed,
        "issued_at": one.issued_at.isoformat() if one.issued_at else None,
        "in_run": one.day in assessment.run,
        "advisory": one.day in assessment.advisory,
        **({} if one.overall is None else {"overall": one.overall}),  # days of one figure are kept as ever
        **({"said_by": one.said_by} if one.said_by else {}),
    }


def _nearest(one: Nearest | None) -> dict[str, object]:
    """Always an object, so that a reader may ask it for its level; both are empty when nothing is higher."""
    if one is None:
        return {"level": None, "clause": "", "missing": "", "missing_en": "", "days_missing": []}
    return {
        "level": one.level.word,
        "clause": one.clause,
        "missing": one.missing,
        "missing_en": one.missing_en,
        "days_missing": [{"what": what, "days": days} for what, days in one.days_missing],
    }


def _nearest_from(data: Mapping[str, Any]) -> Nearest | None:
    if data["level"] is None:
        return None
    return Nearest(
        level=Level.named(data["level"]),
        clause=data["clause"],
        missing=data["missing"],
        missing_en=data["missing_en"],
        days_missing=tuple((one["what"], one["days"]) for one in data["days_missing"]),
    )


def _dates(days: Sequence[str]) -> tuple[date, ...]:
    return tuple(date.fromisoformat(one) for one in days)
