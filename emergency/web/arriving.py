"""What machines send in, checked record by record: a bad one is refused with where and why and costs no other."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Final, Generic, Literal, NoReturn, TypeVar
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from emergency.clock import SHANGHAI
from emergency.domain.air import POLLUTANTS, VALUES, Standard, as_written, standard_for
from emergency.domain.amending import Amendment, Change, Scope
from emergency.domain.causes import contradicted, foreseen, measured
from emergency.domain.forecast import Cause, Forecast, ForecastDay, ForecastHour, Observation
from emergency.errors import Refused
from emergency.feeds import table

MOST: Final = 2000  # records of one delivery
MOST_BYTES: Final = 10 * 1024 * 1024  # of a bulletin as a file
HIGHEST_AQI: Final = 500  # HJ 633-2026 4.1.1: the index runs from 1 to 500
HIGHEST_UGM3: Final = 10_000.0  # above any instrument's range; 99999 means «no value»
HIGHEST_CO_MGM3: Final = 150.0  # the top node of CO 1 h; more is µg/m³ under the wrong name
AHEAD: Final = timedelta(minutes=5)  # by how much two machines' clocks may differ
OLDEST: Final = timedelta(days=30)
FARTHEST: Final = timedelta(days=16)  # the longest horizon of a forecast

NO_NUL: Final = r"^[^\x00]*$"  # PostgreSQL keeps no text with one

M = TypeVar("M", bound=BaseModel)
V = TypeVar("V")
Text = Annotated[str, Field(min_length=1, max_length=80)]
Aqi = Annotated[int, Field(ge=0, le=HIGHEST_AQI)]
Amount = Annotated[float, Field(ge=0, le=HIGHEST_UGM3, allow_inf_nan=False)]


class NotReadable(Refused):
    """The body as a whole is of no use."""

    words_zh = "内容无法读取"


@dataclass(frozen=True)
class Refusal:
    """One record that was not taken: where it stood, what it said (cut short), and why not."""

    where: str
    value: str
    reason: str


@dataclass(frozen=True)
class Sifted(Generic[V]):
    """What a delivery gave: the values that are good, and what was refused."""

    good: tuple[V, ...]
    refused: tuple[Refusal, ...]


class Strict(BaseModel):
    """Nothing is guessed: no text for a number, no unknown field."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def _not_co(values: Mapping[str, float]) -> Mapping[str, float]:
    unknown = sorted(values.keys() - VALUES)
    if unknown:
        raise ValueError(f"no such pollutant: {', '.join(unknown)}")
    if values.get("co", 0) > HIGHEST_CO_MGM3:
        raise ValueError("co is in mg/m³ and cannot be so high")
    return values


def _known(primary: list[str]) -> list[str]:
    unknown = [one for one in primary if one not in POLLUTANTS]
    if unknown:
        raise ValueError(f"no such pollutant: {', '.join(unknown)}; one of {', '.join(POLLUTANTS)}")
    return primary


Values = Annotated[dict[str, Amount], AfterValidator(_not_co)]
Primary = Annotated[list[Text], Field(max_length=6), AfterValidator(_known)]


class DayIn(Strict):
    """
    One predicted day: the index with its range where the source gives one, and what is known of the air behind it.

    ``values``: concentrations, 24-h means and ``o3_8h``, µg/m³ and CO in mg/m³; ``pm2_5`` is the same as one of them.
    Where both particles are among them ozone and dust, which count for no warning, are left out of what counts; where
    PM2.5 is known and nothing named or known gives the index, only what is known counts until a person has said what
    drives the day. ``cause``: as the source has it; where left out, what the primary pollutants and the concentrations
    show.
    """

    day: date
    aqi: Aqi
    aqi_low: Aqi | None = None
    aqi_high: Aqi | None = None
    primary: Primary = []
    cause: Cause | None = None
    pm2_5: Amount | None = None
    values: Values = {}

    def value(self, standards: Sequence[Standard]) -> ForecastDay:
        """
        The day.

        :raises ValueError: it lies outside its own range, gives PM2.5 twice and not alike, or has an index that all six
            concentrations contradict
        """
        if not (self.aqi_low or 0) <= self.aqi <= (HIGHEST_AQI if self.aqi_high is None else self.aqi_high):
            raise ValueError(f"days: {self.day} lies outside its own range")
        if self.pm2_5 is not None and self.values.get("pm2_5", self.pm2_5) != self.pm2_5:
            raise ValueError(f"days: {self.day} gives two figures of pm2_5")
        values = dict(self.values) if self.pm2_5 is None else {**self.values, "pm2_5": self.pm2_5}
        _agreeing(self.day, values, self.aqi, standards)
        standard = standard_for(self.day, standards) if standards else None
        exact = {name: as_written(value) for name, value in values.items()}
        found = measured(standard, exact, aqi=self.aqi, primary=tuple(self.primary), expected=self.cause)
        told = foreseen(self.day, found, values)
        said = ForecastDay(self.day, self.aqi) if told is None else told
        return replace(said, aqi_low=self.aqi_low, aqi_high=self.aqi_high, primary=found.leads)


class HourIn(Strict):
    """One predicted hour, ``at`` its end: the index by the hourly method, concentrations in µg/m³ and CO in mg/m³."""

    at: AwareDatetime
    aqi: Aqi | None = None
    values: Values = {}


class ForecastIn(Strict):
    """One source's prediction for one place: its days, and their hours where it gives them."""

    place: Text
    issued_at: AwareDatetime
    days: Annotated[list[DayIn], Field(min_length=1, max_length=16)]
    label: Annotated[str, Field(max_length=40)] = ""
    confidence: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    hours: Annotated[list[HourIn], Field(max_length=16 * 24)] = []

    def value(self, feed: str, *, now: datetime, standards: Sequence[Standard] = ()) -> Forecast:
        """
        The forecast.

        :raises ValueError: its times are out of order or far from now, or a day or hour contradicts itself
        """
        _recent(self.issued_at, now)
        days = [one.day for one in self.days]
        first = self.issued_at.astimezone(SHANGHAI).date()
        if days != sorted(set(days)):
            raise ValueError("days: each day once, in order")
        if days[0] < first - timedelta(days=1) or days[-1] > first + FARTHEST:
            raise ValueError("days: too far from the day it was issued")
        return Forecast(
            feed=feed,
            place=self.place,
            issued_at=self.issued_at,
            days=tuple(one.value(standards) for one in self.days),
            label=self.label,
            confidence=self.confidence,
            hours=self._hours(),
        )

    def _hours(self) -> tuple[ForecastHour, ...]:
        times = [one.at.astimezone(UTC) for one in self.hours]
        if times != sorted(set(times)):
            raise ValueError("hours: each hour once, in order")
        if times and (times[0] < self.issued_at - timedelta(days=1) or times[-1] > self.issued_at + FARTHEST):
            raise ValueError("hours: too far from the time of issue")
        for at, one in zip(times, self.hours, strict=True):
            if at.minute or at.second or at.microsecond:
                raise ValueError(f"hours: {one.at.isoformat()} is not on the hour")
            if one.aqi is None and not one.values:
                raise ValueError(f"hours: {one.at.isoformat()} has neither aqi nor values")
        return tuple(ForecastHour(at, one.aqi, dict(one.values)) for at, one in zip(times, self.hours, strict=True))


class ObservationIn(Strict):
    """Measured air of one place: an hour (``at`` its end) or a day (``at`` its start), µg/m³ and CO in mg/m³."""

    place: Text
    at: AwareDatetime
    period: Literal["hour", "day"]
    values: Values = {}
    aqi: Aqi | None = None
    primary: Primary = []

    def value(self, feed: str, *, now: datetime, standards: Sequence[Standard] = ()) -> Observation:
        """
        The observation.

        :raises ValueError: its time is not the start of a day or the end of an hour, or far from now, or it is a day
            with an index that all six concentrations contradict
        """
        _recent(self.at, now)
        local = self.at.astimezone(SHANGHAI)
        if self.period == "day" and local.time() != time():
            raise ValueError("at: a day begins at 00:00 in Asia/Shanghai")
        if local.minute or local.second or local.microsecond:
            raise ValueError("at: not on the hour")
        if self.aqi is None and not self.values:
            raise ValueError("neither aqi nor values")
        if self.period == "day" and self.aqi is not None:
            _agreeing(local.date(), self.values, self.aqi, standards)
        return Observation(feed, self.place, self.at, self.period, dict(self.values), self.aqi, tuple(self.primary))


class ReceiptIn(BaseModel):
    """A provider's callback; fields we do not know are left alone, because providers add them without asking."""

    model_config = ConfigDict(strict=True, frozen=True)

    receipt: Annotated[str, Field(min_length=1, max_length=200)]
    status: Annotated[str, Field(min_length=1, max_length=20)]
    id: Annotated[str, Field(max_length=80)] = ""

    @property
    def message_id(self) -> UUID | None:
        """Our own id, when it is one; the receipt alone will do otherwise."""
        try:
            return UUID(self.id)
        except ValueError:
            return None


class ApprovalIn(Strict):
    """
    A signature under a proposal. Where the rule has moved on since, ``rule_now`` repeats the key under which that was
    shown, and ``because`` says why it is signed all the same.
    """

    content: Annotated[str, Field(min_length=64, max_length=64)]
    password: Annotated[str, Field(min_length=1, max_length=200)]
    rule_now: Annotated[str, Field(max_length=20)] = ""
    because: Annotated[str, Field(max_length=500)] = ""


class RejectionIn(Strict):
    """A refusal of a proposal."""

    because: Annotated[str, Field(min_length=1, max_length=1000)]


class AmendmentIn(Strict):
    """One change of measures inside a level: for whom, what; words and check of a line of the book may be left out."""

    scope: Literal["all", "sector", "kind", "recipients"]
    change: Literal["add", "drop", "reword", "retime"]
    names: Annotated[tuple[Text, ...], Field(max_length=500)] = ()
    key: Annotated[str, Field(max_length=80)] = ""
    text: Annotated[str, Field(max_length=120)] = ""
    text_en: Annotated[str, Field(max_length=320)] = ""
    force: Literal["mandatory", "voluntary", "health"] = "mandatory"
    check: Annotated[str, Field(max_length=40)] = ""
    starts_at: AwareDatetime | None = None
    stays: bool = False

    def value(self) -> Amendment:
        """The change as the rules know it."""
        said = self.model_dump(exclude={"scope", "change"})
        return Amendment(scope=Scope(self.scope), change=Change(self.change), **said)


class ProposalIn(Strict):
    """A person's own proposal; ``amendments`` go with the move «amend», which leaves the level as it is."""

    area: Text
    move: Literal[
        "appeal", "advise", "activate", "upgrade", "downgrade", "extend", "amend", "release", "withdraw", "dismiss",
        "reopen",
    ]  # fmt: skip
    level: Literal["none", "blue", "yellow", "orange", "red"] = "none"
    reason: Annotated[str, Field(max_length=500)] = ""
    override_because: Annotated[str, Field(max_length=500)] = ""
    number: Annotated[str, Field(max_length=80)] = ""
    effective_at: AwareDatetime | None = None
    expected_end_at: AwareDatetime | None = None
    open_ended: bool | None = None
    amendments: Annotated[tuple[AmendmentIn, ...], Field(max_length=40)] = ()

    @model_validator(mode="after")
    def _level_stays(self) -> ProposalIn:
        if self.amendments and (self.move != "amend" or self.level != "none"):
            raise ValueError("amendments go with the move «amend» and with no level: the level stays")
        if self.amendments and (self.expected_end_at or self.open_ended is not None):
            raise ValueError("amendments leave the announced end as it is; «extend» moves it")
        return self


class AcknowledgementIn(Strict):
    """收到, of the revision that was read; ``by`` names the person who answers for the recipient, if one does."""

    revision: Annotated[int, Field(ge=1, le=99_999)]
    by: Annotated[str, Field(max_length=40, pattern=NO_NUL)] = ""


class ProgressIn(AcknowledgementIn):
    """已启动, 已落实, or after the end 已恢复."""

    stage: Literal["started", "in_place", "resumed"]
    remark: Annotated[str, Field(max_length=1000, pattern=NO_NUL)] = ""


class ObjectionIn(AcknowledgementIn):
    """无法执行, with the reason; what the order asks binds until an officer has ruled."""

    because: Annotated[str, Field(min_length=1, max_length=1000, pattern=NO_NUL)]


def _agreeing(day: date, values: Mapping[str, float], aqi: int, standards: Sequence[Standard]) -> None:
    if not standards:
        return
    standard = standard_for(day, standards)
    other = contradicted(standard, {name: as_written(value) for name, value in values.items()}, aqi)
    if other is not None:
        raise ValueError(f"days: {day} has aqi {aqi}, and {other} by its own six concentrations ({standard.code})")


def _recent(at: datetime, now: datetime) -> None:
    if at > now + AHEAD:
        raise ValueError("its time lies ahead of now")
    if at < now - OLDEST:
        raise ValueError(f"older than {OLDEST.days} days")


def is_table(body: bytes) -> bool:
    """Whether these bytes are a bulletin in rows (XLSX, CSV) and no JSON, whatever their header says they are."""
    start = body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    return bool(start) and start[:1] not in (b"{", b"[")


def of_table(
    body: bytes, *, feed: str, place: str, issued_at: str, categories: table.Categories, now: datetime
) -> Sifted[Forecast]:
    """
    The forecasts of a bulletin sent as a file, read as the upload page reads it, and each refusal with its cell.

    ``place`` is whose air a row is of that names none; ``issued_at`` counts where the file names no time of issue, and
    where that is empty the full hour of arrival.

    :raises NotReadable: the time of issue is none or far from now
    """
    issued = _issued(issued_at, now) if issued_at else None
    found = table.read(body, feed=feed, place=place, categories=categories, issued=issued, now=now)
    return Sifted(found.forecasts, tuple(Refusal(one.where, one.value, one.reason) for one in found.refused))


def _issued(said: str, now: datetime) -> datetime:
    try:
        found = datetime.fromisoformat(said)
        if found.tzinfo is None:
            raise ValueError("a time without its zone")
        _recent(found, now)
    except ValueError as wrong:
        raise NotReadable(f"issued_at: {wrong}", zh="issued_at 应为近期的发布时间，带时区") from None
    return found.astimezone(UTC)


def read(model: type[M], body: bytes) -> M:
    """
    The body as this model.

    :raises NotReadable: it is no such JSON; the words say where
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as found:
        raise NotReadable("; ".join(f"{where}: {why}" for where, why in _told(found))) from found


def sifted(body: bytes, name: str, model: type[M], value: Callable[[M], V]) -> Sifted[V]:
    """
    The records under ``name``, each checked by itself.

    :raises NotReadable: the body is no JSON object with such a list, or the list is too long
    """
    said = _parsed(body)
    records = said.get(name) if isinstance(said, dict) else None
    if not isinstance(records, list):
        raise NotReadable(f"an object with a list called {name!r} is wanted", zh=f"需要含有 {name} 列表的 JSON 对象")
    if len(records) > MOST:
        raise NotReadable(f"{len(records)} records at once; {MOST} at most", zh=f"一次最多 {MOST} 条")
    good: list[V] = []
    refused: list[Refusal] = []
    for place, one in enumerate(records):
        where = f"{name}[{place}]"
        try:
            good.append(value(model.model_validate_json(json.dumps(one))))
        except ValidationError as found:
            refused += [Refusal(f"{where}.{at}".rstrip("."), _short(one), why) for at, why in _told(found)]
        except ValueError as found:
            refused.append(Refusal(where, _short(one), str(found)))
    return Sifted(tuple(good), tuple(refused))


def _parsed(body: bytes) -> Any:
    def no_number(said: str) -> NoReturn:
        raise ValueError(f"{said} is not a number in JSON")

    try:
        return json.loads(body, parse_constant=no_number)
    except (ValueError, RecursionError) as found:
        raise NotReadable(f"not readable as JSON: {found}"[:200], zh="不是可读的 JSON") from found


def _told(found: ValidationError) -> list[tuple[str, str]]:
    return [(".".join(map(str, one["loc"])), one["msg"]) for one in found.errors(include_url=False)]


def _short(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)[:120]
