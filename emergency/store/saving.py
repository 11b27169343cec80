"""Rows to values and values to rows, a plain function each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from emergency.domain.consultation import Consultation, Paper, Voice
from emergency.domain.copying import copied
from emergency.domain.deputising import Turn
from emergency.domain.episode import Decision, Episode, Fact, Move, Notice, Phase, Standing, Task
from emergency.domain.flags import Flag
from emergency.domain.forecast import Bulletin, Cause, Forecast, ForecastDay, ForecastHour, Observation
from emergency.domain.level import Level
from emergency.domain.messages import Kind, Lane, Message, State
from emergency.domain.orders import Category, Contact, Duty, Order, Recipient, RecipientKind, Revision, Status
from emergency.domain.people import Area, Person, Role
from emergency.domain.review import Review, Span, Stage, Tally

Row = Any  # sqlalchemy.Row of one of our tables; its columns are read by name


_PLAIN = frozenset({str, int, bool, float})


def plain(value: Any) -> Any:
    """The value as JSON keeps it: levels by word, moments and days in ISO, ids as text."""
    if value is None or type(value) in _PLAIN:  # by far the most, in a journal of ten thousand orders
        return value
    if isinstance(value, Level):
        return value.word
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | frozenset | set):
        return [plain(one) for one in value]
    return value


def _moment(said: str | None) -> datetime | None:
    return datetime.fromisoformat(said) if said else None


def area(row: Row) -> Area:
    """A node of the tree."""
    return Area(id=row.id, name=row.name, kind=row.kind, plan_id=row.plan_id, name_en=row.name_en)


def person(row: Row) -> Person:
    """Somebody with a sign-in."""
    return Person(
        id=row.id,
        login=row.login,
        name=row.name,
        area=row.area,
        role=Role(row.role),
        rank=row.rank,
        title=row.title,
        phone=row.phone,
        recipient_id=row.recipient_id,
        active=row.active,
    )


def person_row(one: Person) -> dict[str, Any]:
    """The columns of a person, less the password."""
    return {**{f.name: getattr(one, f.name) for f in fields(Person)}, "role": one.role.value}


def contact(row: Row) -> Contact:
    """One person to reach."""
    return Contact(id=row.id, name=row.name, role=row.role, phone=row.phone, order=row.order)


_NOBODY = Recipient(UUID(int=0), "", RecipientKind.UNIT, "", "", Category.UNIT)
_RECIPIENT = tuple(f.name for f in fields(Recipient) if f.name != "contacts")


def recipient(row: Row, contacts: tuple[Contact, ...]) -> Recipient:
    """An enterprise or unit with its contacts in their order."""
    measures = None if row.measures is None else {word: tuple(texts) for word, texts in row.measures.items()}
    columns = {name: getattr(row, name) for name in _RECIPIENT}
    read = {"kind": RecipientKind(row.kind), "category": Category(row.category), "measures": measures}
    return copied(_NOBODY, **{**columns, **read, "contacts": contacts})


def recipient_row(one: Recipient) -> dict[str, Any]:
    """The columns of a recipient."""
    columns = {f.name: getattr(one, f.name) for f in fields(Recipient) if f.name != "contacts"}
    measures = None if one.measures is None else {word: list(texts) for word, texts in one.measures.items()}
    return {**columns, "kind": one.kind.value, "category": one.category.value, "measures": measures}


def contact_row(one: Contact, recipient_id: UUID) -> dict[str, Any]:
    """The columns of a contact."""
    return {**asdict(one), "recipient_id": recipient_id}


def forecast(row: Row) -> Forecast:
    """A forecast as issued."""
    days = tuple(
        ForecastDay(
            **{
                **day,
                "day": date.fromisoformat(day["day"]),
                "cause": Cause(day["cause"]),
                "primary": tuple(day["primary"]),
            }
        )
        for day in row.days
    )
    return Forecast(
        feed=row.feed,
        place=row.place,
        issued_at=row.issued_at,
        days=days,
        label=row.label,
        confidence=row.confidence,
        raw_sha256=row.raw_sha256,
        hours=tuple(ForecastHour(**{**one, "at": datetime.fromisoformat(one["at"])}) for one in row.hours),
        corrected_at=row.received_at if row.revision > 1 else None,
    )


def forecast_row(one: Forecast) -> dict[str, Any]:
    """The columns of a forecast, less its id, its revision and the hour it came."""
    return {
        "feed": one.feed,
        "place": one.place,
        "issued_at": one.issued_at,
        "days": [plain(asdict(day)) for day in one.days],
        "label": one.label,
        "confidence": one.confidence,
        "raw_sha256": one.raw_sha256,
        "hours": [plain(asdict(hour)) for hour in one.hours],
    }


def observation(row: Row) -> Observation:
    """Measured air."""
    return Observation(
        feed=row.feed,
        place=row.place,
        at=row.at,
        period=row.period,
        values=row.values,
        aqi=row.aqi,
        primary=tuple(row.primary),
        standard=row.standard,
        raw_sha256=row.raw_sha256,
    )


def bulletin(row: Row) -> Bulletin:
    """The level above's announcement."""
    return Bulletin(
        id=str(row.id),
        area=row.area,
        number=row.number,
        issuer=row.issuer,
        level=Level(row.level),
        areas_covered=tuple(row.areas_covered),
        issued_at=row.issued_at,
        effective_at=row.effective_at,
        received_at=row.received_at,
        expected_end_at=row.expected_end_at,
        scan_sha256=row.scan_sha256,
        action=row.action,
        reason=row.reason,
    )


def bulletin_row(one: Bulletin) -> dict[str, Any]:
    """The columns of a bulletin, less who entered it and when."""
    columns = {f.name: getattr(one, f.name) for f in fields(Bulletin)}
    return {**columns, "id": UUID(one.id), "level": int(one.level), "areas_covered": list(one.areas_covered)}


def episode(row: Row) -> Episode:
    """An episode."""
    columns = {f.name: getattr(row, f.name) for f in fields(Episode)}
    return Episode(**{**columns, "phase": Phase(row.phase), "level": Level(row.level)})


def episode_row(one: Episode) -> dict[str, Any]:
    """The columns of an episode."""
    return {
        **{f.name: getattr(one, f.name) for f in fields(Episode)},
        "phase": one.phase.value,
        "level": int(one.level),
    }


def notice(said: Mapping[str, Any]) -> Notice:
    """A notice from its JSON."""
    moments = {name: _moment(said[name]) for name in ("effective_at", "expected_end_at", "issued_at")}
    return Notice(**{**said, **moments, "level": Level.named(said["level"])})


def decision(row: Row) -> Decision:
    """A decision with its notice."""
    columns = {f.name: getattr(row, f.name) for f in fields(Decision)}
    return Decision(
        **{
            **columns,
            "move": Move(row.move),
            "level": Level(row.level),
            "level_before": Level(row.level_before),
            "rule_says": Level(row.rule_says),
            "notice": notice(row.notice),
            "standing": Standing(row.standing),
            "doubtful": tuple(row.doubtful),
            "amendments": tuple(row.amendments),
            "consulted": tuple(row.consulted),
            "deputies": tuple(Turn(**{**one, "since": datetime.fromisoformat(one["since"])}) for one in row.deputies),
        }
    )


def decision_row(one: Decision) -> dict[str, Any]:
    """The columns of a decision."""
    columns = {f.name: getattr(one, f.name) for f in fields(Decision)}
    return {
        **columns,
        "move": one.move.value,
        "level": int(one.level),
        "level_before": int(one.level_before),
        "rule_says": int(one.rule_says),
        "assessment": plain(one.assessment),
        "against": plain(one.against),
        "notice": plain(vars(one.notice)),
        "standing": one.standing.value,
        "doubtful": list(one.doubtful),
        "amendments": [plain(change) for change in one.amendments],
        "consulted": [plain(named) for named in one.consulted],
        "deputies": [plain(asdict(turn)) for turn in one.deputies],
    }


def duties(said: list[Any]) -> tuple[Duty, ...]:
    """Duties from their JSON."""
    return tuple(
        Duty(**{**one, "starts_at": datetime.fromisoformat(one["starts_at"]), "ends_at": _moment(one["ends_at"])})
        for one in said
    )


def duties_json(some: tuple[Duty, ...]) -> list[Any]:
    """Duties as JSON keeps them."""
    return [
        {
            "key": one.key,
            "text": one.text,
            "force": one.force,
            "starts_at": one.starts_at.isoformat(),
            "ends_at": one.ends_at.isoformat() if one.ends_at else None,
            "check": one.check,
            "text_en": one.text_en,
            **({"exempt": True} if one.exempt else {}),
        }
        for one in some
    ]


_ORDER = tuple(f.name for f in fields(Order))
_NONE: list[Any] = []  # one value for all, so that it is spelt once


def _duties_of(row: Row) -> dict[str, tuple[Duty, ...]]:
    return {"duties": duties(row.duties), "ending": duties(row.ending)}


def order(row: Row) -> Order:
    """An order."""
    columns = {name: getattr(row, name) for name in _ORDER}
    return Order(**{**columns, "level": Level(row.level), "status": Status(row.status), **_duties_of(row)})


def order_row(one: Order, duties: list[Any] | None = None) -> dict[str, Any]:
    """The columns of an order; ``duties`` as JSON, where they are at hand."""
    spelt = duties_json(one.duties) if duties is None else duties
    ending = duties_json(one.ending) if one.ending else _NONE
    return {**vars(one), "level": int(one.level), "status": one.status.value, "duties": spelt, "ending": ending}


def revision(row: Row) -> Revision:
    """A revision."""
    return Revision(
        order_id=row.order_id,
        number=row.number,
        decision_id=row.decision_id,
        kind=row.kind,
        level=Level(row.level),
        duties=duties(row.duties),
        added=tuple(row.added),
        dropped=tuple(row.dropped),
        recorded_at=row.recorded_at,
        effective_at=row.effective_at,
    )


def revision_row(one: Revision, duties: list[Any]) -> dict[str, Any]:
    """The columns of a revision, with its duties as JSON."""
    return {
        **vars(one),
        "level": int(one.level),
        "duties": duties,
    }


_MESSAGE = tuple(f.name for f in fields(Message) if f.name != "link")


def message(row: Row) -> Message:
    """A message, without its link."""
    columns = {name: getattr(row, name) for name in _MESSAGE}
    return Message(**{**columns, "kind": Kind(row.kind), "lane": Lane(row.lane), "state": State(row.state)})


def message_row(one: Message) -> dict[str, Any]:
    """The columns of a message."""
    columns = {
        **vars(one),
        "kind": one.kind.value,
        "lane": int(one.lane),
        "state": one.state.value,
        "leased_until": None,
        "ambiguous": False,
    }
    del columns["link"]
    return columns


_canonical = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode


def journal_row(fact: Fact) -> dict[str, Any]:
    """A line of the journal: canonical JSON with its hash, and the columns it is found by."""
    entry = _canonical(
        {
            "what": fact.what,
            "about": fact.about,
            "by": fact.by,
            "at": fact.at.isoformat(),
            "area": fact.area,
            "episode": str(fact.episode_id) if fact.episode_id else None,
            "more": plain(fact.more),
        }
    )
    return {
        "what": fact.what,
        "about": fact.about,
        "episode_id": fact.episode_id,
        "area": fact.area,
        "by": fact.by,
        "at": fact.at,
        "entry": entry,
        "sha256": hashlib.sha256(entry.encode()).hexdigest(),
    }


def task(row: Row) -> Task:
    """Something a person must do by a time."""
    return Task(**{f.name: getattr(row, f.name) for f in fields(Task)})


def task_row(one: Task) -> dict[str, Any]:
    """The columns of a task."""
    return {f.name: getattr(one, f.name) for f in fields(Task)}


def consultation(row: Row, voices: Sequence[Voice], papers: Sequence[Paper]) -> Consultation:
    """A consultation with all that was said in it and laid before it."""
    columns = {f.name: getattr(row, f.name) for f in fields(Consultation) if f.name not in ("voices", "papers")}
    level = None if row.level is None else Level(row.level)
    papers = sorted(papers, key=lambda one: (one.at, one.sha256))
    return Consultation(**{**columns, "level": level, "voices": tuple(voices), "papers": tuple(papers)})


def consultation_row(one: Consultation) -> dict[str, Any]:
    """The columns of a consultation; who was asked, their words and the files have rows of their own."""
    columns = {f.name: getattr(one, f.name) for f in fields(Consultation) if f.name not in ("voices", "papers")}
    level = None if one.level is None else int(one.level)
    return {**columns, "assessment": plain(one.assessment), "level": level}


def tally(said: Mapping[str, Any]) -> Tally:
    """A tally from its JSON."""
    spans = tuple(
        Span(
            one["level"],
            datetime.fromisoformat(one["since"]),
            _moment(one["until"]),
            withdrawn=one.get("withdrawn", False),
        )
        for one in said["spans"]
    )
    flags = None if said.get("flags") is None else tuple(Flag(**one) for one in said["flags"])
    return Tally(**{**said, "spans": spans, "doubtful": tuple(said["doubtful"]), "flags": flags})


def review(row: Row) -> Review:
    """A review with its figures."""
    columns = {f.name: getattr(row, f.name) for f in fields(Review)}
    return Review(**{**columns, "stage": Stage(row.stage), "tally": tally(row.tally)})


def review_row(one: Review) -> dict[str, Any]:
    """The columns of a review."""
    columns = {f.name: getattr(one, f.name) for f in fields(Review)}
    return {**columns, "stage": one.stage.value, "tally": plain(asdict(one.tally))}


def bumped(one: Any) -> Any:
    """The value with the version its save will have."""
    return replace(one, version=one.version + 1)
