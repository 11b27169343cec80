"""An enterprise as the list has it: who it is, its lines, and what each line does at each level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid5

from emergency.domain.orders import Category, Contact, Recipient, RecipientKind
from emergency.domain.reduction.columns import LEVELS
from emergency.domain.reduction.grades import UNGRADED, Grade
from emergency.domain.reduction.quantities import Clause

NO_LINE = ""


@dataclass(frozen=True)
class Baseline:
    """The load before any warning that shares are taken from: how much, in what, over which days, and who says so."""

    value: float
    unit: str = ""
    period: str = ""
    source: str = ""


@dataclass(frozen=True)
class Line:
    """
    One process line (生产线、工序) of an enterprise, with its measures as they are written.

    ``measures``: level word → the text; ``emitted`` and ``cuts``: kg/d by pollutant, and by level and pollutant;
    ``cells``: all that the row says but amounts, by our word for its column or by the heading of one we have none for.
    ``row`` and ``sheet`` say where it was read.
    """

    sheet: str
    row: int
    name: str = NO_LINE
    industry: str = ""
    devices: str = ""
    outlets: str = ""
    meters: str = ""
    baseline: Baseline | None = None
    measures: Mapping[str, str] = field(default_factory=dict)
    emitted: Mapping[str, float] = field(default_factory=dict)
    cuts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    cells: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Caller:
    """Somebody of the enterprise to call; ``hours``: when, empty for any time."""

    name: str
    role: str
    phone: str
    hours: str = ""


@dataclass(frozen=True)
class Entry:
    """
    One enterprise or site of the list.

    ``code`` may be empty for a site; ``site`` tells apart places of one enterprise. ``read``: level word → the clauses
    of its measures over all lines with what they come to; the text itself stands in ``lines``.
    """

    area: str
    name: str
    sector: str
    category: Category
    code: str = ""
    site: str = ""
    address: str = ""
    longitude: float | None = None
    latitude: float | None = None
    grade: Grade = UNGRADED
    permit: str = ""
    special_period: bool | None = None
    callers: tuple[Caller, ...] = ()
    tracker: str = ""
    note: str = ""
    lines: tuple[Line, ...] = ()
    read: Mapping[str, tuple[Clause, ...]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What tells it from every other on the list: its credit code or name, with the site where there are two."""
        return f"{self.code or self.name}{'·' if self.site else ''}{self.site}"

    @property
    def title(self) -> str:
        """Its name with the site where there are two."""
        return f"{self.name}（{self.site}）" if self.site else self.name


def new_id(area: str, key: str) -> UUID:
    """The id of an enterprise that no list of the area had before."""
    return uuid5(_NAMESPACE, f"{area}:{key}")


_NAMESPACE = UUID("0b8a2f8e-43d5-5f0c-9a0b-6a1b8f4f5f21")


def texts_by_level(lines: Iterable[Line]) -> dict[str, tuple[str, ...]]:
    """
    What the enterprise does at each level, line by line; one text for all of its lines is said once.

    A line without a measure of its own at a level goes on with that of the level below.
    """
    return {level: tuple(dict.fromkeys(text for _, text in said)) for level, said in said_by_level(lines).items()}


def said_by_level(lines: Iterable[Line]) -> dict[str, tuple[tuple[str, str], ...]]:
    """The same, each text beside the name of the line that does it; the name is empty where all lines do it."""
    standing: dict[int, tuple[str, str]] = {}
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    lines = tuple(lines)
    for level in LEVELS:
        standing |= {n: (one.name, one.measures[level]) for n, one in enumerate(lines) if level in one.measures}
        said = [standing[n] for n in sorted(standing)]
        alike = len({text for _, text in said}) == 1
        whole = alike and len(said) == len(lines) > 1
        if said:
            found[level] = tuple(
                (NO_LINE if whole else name, text if alike or not name or name in text else f"{name}：{text}")
                for name, text in said
            )
    return found


def recipient_of(entry: Entry, recipient_id: UUID, *, sample: bool = False) -> Recipient:
    """The enterprise as orders are drawn up for it."""
    contacts: Sequence[Contact] = [
        Contact(id=uuid5(recipient_id, f"listed:{one.phone}"), name=one.name, role=one.role, phone=one.phone, order=n)
        for n, one in enumerate(entry.callers, 1)
    ]
    return Recipient(
        id=recipient_id,
        area=entry.area,
        kind=RecipientKind.ENTERPRISE,
        name=entry.title,
        sector=entry.sector,
        category=entry.category,
        grade=entry.grade.letter,
        contacts=tuple(contacts),
        tracker=entry.tracker,
        measures=texts_by_level(entry.lines) or None,
        measures_whole=True,
        sample=sample,
        permit_has_special_period=entry.special_period,
        credit_code=entry.code,
        note=entry.note,
    )
