"""Who is there: areas, people with a sign-in, and everybody who gets orders, read from one place file and its lists."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID, uuid5

from pydantic import Field

from emergency.domain.boards import Hotline
from emergency.domain.orders import Category, Contact, Recipient, RecipientKind
from emergency.domain.people import Area, Person, Role, within
from emergency.errors import Misconfigured
from emergency.plans.reading import Sheet, read_yaml

NAMESPACE = UUID("5f6b2b0e-6d0f-5d1f-9a53-4c9c1f2f3a10")
"""Every id of a place comes from here and from a key in its file, so that loading twice gives the same ids."""

NOBODY = re.compile(r"000[0-9]{8}")
"""
Numbers that can belong to nobody: eleven digits that begin with 000.

Mainland mobile numbers begin with 1, and numbers with an area code begin with one 0 and a digit from 1 on. Dialled as
they stand, 00 opens an international call and a third 0 would begin a country code; ITU-T E.164 gives none with 0.
"""

COLUMNS = (
    "key", "name", "area", "sector", "grade", "category", "tracker", "permit_has_special_period",
    "manager", "manager_role", "manager_phone", "officer", "officer_role", "officer_phone", "yellow", "orange", "red",
    "note",
)
"""A list's columns; lines by level, parted by ``|``, are the enterprise's own (一厂一策); where empty, its sector's."""

_MAY_BE_EMPTY = frozenset({"grade", "permit_has_special_period", "yellow", "orange", "red", "note"})
_LEVELS = ("yellow", "orange", "red")
_YES_NO: Mapping[str, bool | None] = {"yes": True, "no": False, "": None}

Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,47}$")]
Text = Annotated[str, Field(min_length=1, max_length=120)]
Basis = Literal["text", "recalled", "assumed"]


class _Area(Sheet):
    id: Annotated[str, Field(pattern=r"^[0-9]{6}(\.[a-z0-9]+)*$")]
    name: Text
    name_en: Text
    kind: Literal["city", "district", "town", "village"]
    plan_id: str | None = None
    shadow: tuple[Key, ...] = ()
    basis: Basis
    source: Text


class _ForecastBy(Sheet):
    hour: Annotated[int, Field(ge=1, le=24)]
    basis: Basis
    source: Text


class _MeasuredWithin(Sheet):
    hours: Annotated[int, Field(ge=1, le=48)]
    basis: Basis
    source: Text


class _Complaints(Sheet):
    name: Text
    phone: Annotated[str, Field(pattern=r"^[0-9][0-9-]{2,18}$")]
    basis: Basis
    source: Text


class _Person(Sheet):
    login: Key
    name: Text
    area: str
    role: Role
    rank: Annotated[int, Field(ge=0, le=3)] = 0
    title: Text
    phone: str = ""
    recipient: Key | None = None


class _Contact(Sheet):
    name: Text
    role: Text
    phone: str


class _Recipient(Sheet):
    key: Key
    area: str
    kind: RecipientKind
    name: Text
    sector: str
    category: Category
    grade: str = ""
    tracker: str = ""
    answers_for: str | None = None
    permit_has_special_period: bool | None = None
    contacts: Annotated[tuple[_Contact, ...], Field(min_length=1, max_length=4)]
    note: str = ""


class _Place(Sheet):
    place: Key
    made_up_phones: bool
    forecast_by: _ForecastBy
    measured_within: _MeasuredWithin
    complaints: _Complaints | None = None  # printed on sign-boards
    areas: Annotated[tuple[_Area, ...], Field(min_length=1)]
    people: Annotated[tuple[_Person, ...], Field(min_length=1)]
    recipients: Annotated[tuple[_Recipient, ...], Field(min_length=1)]
    lists: tuple[str, ...] = ()


@dataclass(frozen=True)
class Place:
    """
    One place's areas, people and recipients.

    ``answers_for``: recipient id → the area it answers for, where a city's recipient is a district with a desk of its
    own. Recipients with ``sample`` False are real units and firms; only their contacts and phones are made up.
    ``shadow``: area → the plans that are only asked what they would say beside its own. ``forecast_by``: the hour by
    which a day's forecast is to be out; ``measured_within``: the hours within which a measured hour is to be had.
    ``complaints``: where anybody may complain of a plant, None where nobody says.
    """

    areas: tuple[Area, ...]
    people: tuple[Person, ...]
    recipients: tuple[Recipient, ...]
    answers_for: Mapping[UUID, str]
    shadow: Mapping[str, tuple[str, ...]]
    forecast_by: int
    measured_within: int
    complaints: Hotline | None = None


def recipient_id(key: str) -> UUID:
    """The recipient's id from its key in the place file or list."""
    return uuid5(NAMESPACE, f"recipient:{key}")


def person_id(login: str) -> UUID:
    """The person's id from the sign-in name."""
    return uuid5(NAMESPACE, f"person:{login}")


def load_place(path: Path) -> Place:
    """
    The place, with the enterprises of every list it names.

    :raises Misconfigured: "path:line: reason" for a wrong value; for what several values get wrong together (an area
        that is not there, a phone given twice, a tracker nobody is, a number that could ring somewhere) the file
    """
    said = read_yaml(path, _Place)
    areas = _areas(said)
    recipients = tuple(_recipient(one) for one in said.recipients)
    for name in said.lists:
        recipients += tuple(_listed((path.parent / name).resolve()))
    people = tuple(
        Person(
            id=person_id(one.login), login=one.login, name=one.name, area=one.area, role=one.role, rank=one.rank,
            title=one.title, phone=one.phone, recipient_id=recipient_id(one.recipient) if one.recipient else None,
        )
        for one in said.people
    )
    answers_for = {recipient_id(one.key): one.answers_for for one in said.recipients if one.answers_for}
    place = Place(
        areas=areas, people=people, recipients=recipients, answers_for=answers_for,
        shadow={one.id: one.shadow for one in said.areas if one.shadow}, forecast_by=said.forecast_by.hour,
        measured_within=said.measured_within.hours,
        complaints=Hotline(said.complaints.name, said.complaints.phone) if said.complaints else None,
    )  # fmt: skip
    if wrong := next(_quarrels(place, made_up_phones=said.made_up_phones), None):
        raise Misconfigured(f"{path}:1: {wrong}")
    return place


def areas_of(path: Path) -> tuple[Area, ...]:
    """
    The areas of a place file alone, as they are written.

    :raises Misconfigured: the file is wrong
    """
    return _areas(read_yaml(path, _Place))


def _areas(said: _Place) -> tuple[Area, ...]:
    return tuple(
        Area(id=one.id, name=one.name, kind=one.kind, plan_id=one.plan_id, name_en=one.name_en) for one in said.areas
    )


def _contacts(owner: UUID, told: Iterable[tuple[str, str, str]]) -> tuple[Contact, ...]:
    return tuple(
        Contact(id=uuid5(owner, f"contact:{n}"), name=name, role=role, phone=phone, order=n)
        for n, (name, role, phone) in enumerate(told, 1)
    )


def _recipient(said: _Recipient) -> Recipient:
    found = recipient_id(said.key)
    return Recipient(
        id=found, area=said.area, kind=said.kind, name=said.name, sector=said.sector, category=said.category,
        grade=said.grade, tracker=said.tracker, note=said.note,
        contacts=_contacts(found, ((one.name, one.role, one.phone) for one in said.contacts)),
        permit_has_special_period=said.permit_has_special_period,
    )


def _listed(path: Path) -> Iterator[Recipient]:
    """
    The enterprises of a list file: UTF-8 CSV with :data:`COLUMNS`, all of them samples and named so.

    :raises Misconfigured: "path:line: reason"
    """
    try:
        rows = csv.DictReader(io.StringIO(path.read_text("utf-8")), strict=True)
    except OSError as failed:
        raise Misconfigured(f"{path}:1: cannot be read: {failed.strerror}") from None
    except UnicodeDecodeError:
        raise Misconfigured(f"{path}:1: is not UTF-8") from None
    try:
        if tuple(rows.fieldnames or ()) != COLUMNS:
            raise Misconfigured(f"{path}:1: the columns must be {','.join(COLUMNS)}")
        for row in rows:
            yield _from_row(row, f"{path}:{rows.line_num}")
    except csv.Error as bad:
        raise Misconfigured(f"{path}:{rows.line_num}: not CSV: {bad}") from None


def _from_row(row: Mapping[str, str | None], where: str) -> Recipient:
    cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
    if None in row or any(row.get(name) is None for name in COLUMNS):
        raise Misconfigured(f"{where}: {len(COLUMNS)} cells are wanted")
    for name in COLUMNS:
        if name not in _MAY_BE_EMPTY and not cells[name]:
            raise Misconfigured(f"{where}: {name} is empty")
    if not cells["name"].startswith("样例"):
        raise Misconfigured(f"{where}: {cells['name']} is not marked as a sample in its own name")
    try:
        category = Category(cells["category"])
        permit = _YES_NO[cells["permit_has_special_period"]]
    except (ValueError, KeyError) as bad:
        raise Misconfigured(f"{where}: {bad} is not a word this column knows") from None
    found = recipient_id(cells["key"])
    own = {word: tuple(part.strip() for part in cells[word].split("|")) for word in _LEVELS if cells[word]}
    return Recipient(
        id=found, area=cells["area"], kind=RecipientKind.ENTERPRISE, name=cells["name"], sector=cells["sector"],
        category=category, grade=cells["grade"], tracker=cells["tracker"], measures=own or None, sample=True,
        permit_has_special_period=permit, note=cells["note"],
        contacts=_contacts(
            found,
            (
                (cells["manager"], cells["manager_role"], cells["manager_phone"]),
                (cells["officer"], cells["officer_role"], cells["officer_phone"]),
            ),
        ),
    )


def _quarrels(place: Place, *, made_up_phones: bool) -> Iterator[str]:
    """What the parts of a place get wrong about each other."""
    areas = {one.id: one for one in place.areas}
    for area in place.areas:
        above = area.id.rpartition(".")[0]
        if above and above not in areas:
            yield f"area {area.id} lies below {above}, which is not there"
        if area.id in place.shadow and (area.plan_id is None or area.plan_id in place.shadow[area.id]):
            yield f"area {area.id} can try a plan only beside another one of its own"
    yield from _twice("area", (one.id for one in place.areas))
    yield from _twice("sign-in", (one.login for one in place.people))
    yield from _twice("recipient", (one.name for one in place.recipients))
    yield from _twice("recipient's key", (str(one.id) for one in place.recipients))
    known = {one.id: one for one in place.recipients}
    names = {one.name for one in place.recipients if one.kind is not RecipientKind.ENTERPRISE}
    for recipient in place.recipients:
        if recipient.area not in areas:
            yield f"{recipient.name} is in {recipient.area}, which is not there"
        if recipient.tracker and recipient.tracker not in names:
            yield f"{recipient.name} is tracked by {recipient.tracker}, which is no unit here"
    for person in place.people:
        if person.area not in areas:
            yield f"{person.login} is in {person.area}, which is not there"
        if (person.role in (Role.UNIT, Role.ENTERPRISE)) != (person.recipient_id is not None):
            yield f"{person.login} is {person.role.value}: a recipient's account names its recipient, and only that"
        if person.recipient_id is not None and person.recipient_id not in known:
            yield f"{person.login} answers for a recipient that is not there"
        elif person.recipient_id is not None and not within(known[person.recipient_id].area, person.area):
            yield f"{person.login} answers for a recipient outside of {person.area}"
    for target in place.answers_for.values():
        if target not in areas:
            yield f"a recipient answers for {target}, which is not there"
    phones = [one.phone for recipient in place.recipients for one in recipient.contacts]
    phones += [one.phone for one in place.people if one.phone and one.recipient_id is None]
    yield from _twice("phone", phones)
    if made_up_phones and (ringing := next((one for one in phones if not NOBODY.fullmatch(one)), None)):
        yield f"the phones here are made up, and {ringing} could belong to somebody"


def _twice(what: str, values: Iterable[str]) -> Iterator[str]:
    for value, times in Counter(values).items():
        if times > 1:
            yield f"the {what} {value} is given {times} times"
