"""Which days get a health advisory instead of orders, what it says, and who does what because of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from emergency.domain.assessment import Assessment, end_of, start_of
from emergency.domain.causes import set_aside
from emergency.domain.episode import Decision, Move
from emergency.domain.forecast import Cause, DayOfAir
from emergency.domain.level import Level
from emergency.domain.orders import Duty, Measure, Recipient, RecipientKind
from emergency.errors import Refused

NO_PLANTS = frozenset({RecipientKind.UNIT, RecipientKind.TOWN, RecipientKind.DISTRICT})


class NothingToAdvise(Refused):
    """No day ahead asks for a health advisory."""

    words_zh = "未来没有需要发布健康提示的日子"


@dataclass(frozen=True)
class Advice:
    """
    What is advised when a day's air is bad for one cause (健康提示).

    ``over``: the daily AQI above which a day is advised; ``duties``: sector → what its units do. None of them is a
    stop or a limit: days of such a cause start no emergency response (环大气〔2024〕6号).
    """

    cause: Cause
    name: str
    name_en: str
    over: int
    public: tuple[str, ...]
    public_en: tuple[str, ...]
    duties: Mapping[str, tuple[Measure, ...]] = field(default_factory=dict)


Book = Mapping[Cause, Advice]


@dataclass(frozen=True)
class AdvisedDay:
    """One day that is advised of, and why."""

    day: date
    cause: Cause
    aqi: int


def asked(assessment: Assessment, book: Book, *, today: date) -> tuple[AdvisedDay, ...]:
    """The days from ``today`` on that the plan leaves to an advisory and whose air is over the mark for their cause."""
    left = ((one, _left_to(assessment, one)) for one in assessment.days if one.day >= today)
    return tuple(
        AdvisedDay(one.day, cause, one.published)
        for one, cause in left
        if cause is not None and cause in book and max(one.published, one.aqi_high or 0) > book[cause].over
    )


def _left_to(assessment: Assessment, one: DayOfAir) -> Cause | None:
    """
    The cause for which a day is left to an advisory; None where it is not.

    That of a day which starts no orders, and ozone or dust where it leads the published index of a day whose other
    pollutants are bad by themselves and yet raise no level: the public breathes all of it.
    """
    if one.day in assessment.advisory:
        return one.cause
    led = one.overall is not None and one.day not in assessment.run
    return set_aside(one.primary) if led else None


def fresh(days: Iterable[AdvisedDay], before: Iterable[AdvisedDay]) -> bool:
    """Whether a day is among them that was not advised of for this cause before."""
    told = {(one.day, one.cause) for one in before}
    return any((one.day, one.cause) not in told for one in days)


def begins(days: Sequence[AdvisedDay], *, now: datetime) -> datetime:
    """From when the advice is meant: the first of its days, and never before now."""
    return max(now, start_of(min(one.day for one in days)))


def ends(days: Sequence[AdvisedDay]) -> datetime:
    """24:00 of the last day advised of."""
    return end_of(max(one.day for one in days))


def sentences(days: Sequence[AdvisedDay], book: Book) -> tuple[str, str]:
    """Why there is an advisory, in both languages; it names no level, for there is none."""
    zh = "、".join(f"{one.day}（{book[one.cause].name}，AQI {one.aqi}）" for one in days)
    en = ", ".join(f"{one.day} ({book[one.cause].name_en}, AQI {one.aqi})" for one in days)
    return (
        f"{zh}空气质量较差，按规定发布健康提示，不因此启动应急响应。",
        f"Poor air on {en}: a health advisory, which starts no emergency response.",
    )


def lines(days: Iterable[AdvisedDay], book: Book, *, english: bool = False) -> tuple[str, ...]:
    """What everybody is advised to do, each line once, cause by cause."""
    causes = dict.fromkeys(one.cause for one in days if one.cause in book)
    said = [line for one in causes for line in (book[one].public_en if english else book[one].public)]
    return tuple(dict.fromkeys(said))


def measures_for(recipient: Recipient, days: Iterable[AdvisedDay], book: Book) -> tuple[Measure, ...]:
    """What a unit, town or district does because of these days; an enterprise never gets anything from them."""
    if recipient.kind not in NO_PLANTS:
        return ()
    causes = dict.fromkeys(one.cause for one in days if one.cause in book)
    return tuple(
        replace(line, key=f"{one.value}-{line.key}")
        for one in causes
        for line in book[one].duties.get(recipient.sector, ())
    )


def as_it_stands(duties: Iterable[Duty], level: Level) -> tuple[Measure, ...]:
    """The duties of a standing order as measures, so that adding to it leaves every one of them as it was."""
    return tuple(
        Measure(one.key, level, one.text, one.text_en, one.force, check=one.check) for one in duties
    )


def as_data(days: Iterable[AdvisedDay]) -> list[dict[str, object]]:
    """The days as they are kept with the decision, under ``advice``, and so under its signature."""
    return [{"day": one.day.isoformat(), "cause": one.cause.value, "aqi": one.aqi} for one in days]


def of(decision: Decision) -> tuple[AdvisedDay, ...]:
    """The days a decision advises of; none for any other move."""
    said: Any = decision.assessment.get("advice", ()) if decision.move is Move.ADVISE else ()
    return tuple(AdvisedDay(date.fromisoformat(one["day"]), Cause(one["cause"]), one["aqi"]) for one in said)
