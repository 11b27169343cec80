"""The rows of a reduction list read into enterprises; a bad cell is named and costs its enterprise, never another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

from emergency.domain.orders import Category
from emergency.domain.reduction import values
from emergency.domain.reduction.columns import LEVELS, heading_of
from emergency.domain.reduction.drafts import Cells, Draft, callers_of, line_of, says_nothing
from emergency.domain.reduction.entries import Entry, Line
from emergency.domain.reduction.grades import UNGRADED, Grade, Scheme, graded, scheme_of, weakest
from emergency.domain.reduction.quantities import Clause, Confidence, Kind, read_measure
from emergency.domain.reduction.refusals import LONGEST, Refusal, Why
from emergency.domain.reduction.sheets import Sheet, Unworked, is_nothing, plain

T = TypeVar("T")
_WITHOUT_CODE: Final = frozenset({Category.CONSTRUCTION_SITE, Category.KEY_WORKS})
_ALIKE: Final = ("town", "address", "longitude", "latitude", "permit", "special_period", "category", "phone", "tracker")
"""What every row of one enterprise says alike, where it says it at all."""


@dataclass(frozen=True)
class Ground:
    """
    What a list is read against.

    ``area``: its id and name; ``towns``: the name of every area in it → its id; ``sectors``: what an industry may be
    called → our sector; ``categories``: the same of categories; ``booked``: sectors with a playbook of their own;
    ``units``: who may be a tracker; ``bounds``: west, south, east, north, in degrees; ``on``: the day from which the
    list is to count.
    """

    area: str
    area_name: str
    towns: Mapping[str, str]
    sectors: Mapping[str, str]
    categories: Mapping[str, Category]
    schemes: Sequence[Scheme]
    on: date
    booked: frozenset[str] = frozenset()
    units: frozenset[str] = frozenset()
    bounds: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Listed:
    """
    What a workbook gave.

    ``rows``: how many were read; ``refused``: cells that were not taken; ``to_look_at``: cells that were, and want a
    person's eye; ``left_out``: keys and names of the enterprises that a refusal cost; ``without``: sheets with no table
    of enterprises; ``columns``: our words in the order of the file, what it called those we have none for among them.
    """

    entries: tuple[Entry, ...]
    refused: tuple[Refusal, ...]
    to_look_at: tuple[Refusal, ...]
    left_out: frozenset[str] = frozenset()
    rows: int = 0
    without: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


def read_list(sheets: Iterable[Sheet], ground: Ground) -> Listed:
    """The enterprises of all sheets that have a heading; hidden ones are not for the reader to know."""
    reader = _Reader(ground)
    for sheet in sheets:
        reader.take(sheet)
    return reader.done()


class _Reader:
    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.schemes = {one.id: one for one in ground.schemes}
        self.drafts: dict[str, Draft] = {}
        self.rows = 0
        self.without: list[str] = []
        self.sheets: list[str] = []
        self.columns: dict[str, None] = {}
        self.refused: list[Refusal] = []
        self.to_look_at: list[Refusal] = []
        self.left_out: set[str] = set()

    def take(self, sheet: Sheet) -> None:
        heading = heading_of(sheet)
        if heading is None:
            self.without.append(sheet.name)
            return
        self.sheets.append(sheet.name)
        for column, called in heading.called.items():
            self.columns[heading.columns.get(column) or called] = None
        current: Draft | None = None
        for row in sheet.rows[heading.below :]:
            cells = Cells(sheet.name, row, heading)
            if says_nothing(cells):
                continue
            self.rows += 1
            current = self._begun(cells, current)
            if current is not None:
                self._line(cells, current)

    def _begun(self, cells: Cells, current: Draft | None) -> Draft | None:
        """The enterprise this row is of: a new one, or one whose rows came before; None where nobody can tell."""
        name = cells.text("name")
        if not name and is_nothing(cells.raw("code")):
            if current is not None:
                return current
            cells.refuse("name", Why.NO_NAME)
            self.refused += cells.refused
            return None
        code = cells.taken("code", values.credit_code, "")
        if not name:
            cells.refuse("name", Why.NO_NAME)
        key = f"{code or plain(name)}\n{plain(cells.text('site'))}"
        return self.drafts.setdefault(key, Draft(cells, code))

    def _line(self, cells: Cells, draft: Draft) -> None:
        self._agrees(cells, draft)
        draft.join(cells)
        for column in sorted(cells.row.cells):
            if isinstance(cells.row.cells[column], Unworked) and column in cells.heading.columns:
                cells.refuse(cells.heading.columns[column], Why.FORMULA)
        scheme = cells.taken("scheme", lambda said: scheme_of(self.ground.schemes, said, on=self.ground.on), None)
        if scheme is not None:
            draft.grades.append(cells.taken("grade", lambda said: graded(said, scheme), UNGRADED))
        draft.lines.append(line_of(cells))

    @staticmethod
    def _agrees(cells: Cells, draft: Draft) -> None:
        """Rows of one enterprise that say different things about it are refused: nobody knows which is right."""
        if not draft.rows:
            return
        if plain(cells.text("name")) and plain(cells.text("name")) != plain(draft.first.text("name")):
            cells.refuse("code", Why.TWO_NAMES, draft.first.text("name"))
        for key in _ALIKE:
            said = plain(cells.text(key))
            before = draft.text(key)
            if said and before and said != plain(before):
                cells.refuse(key, Why.CONTRADICTS, before)

    def done(self) -> Listed:
        self._same_name_twice()
        entries = [entry for draft in self.drafts.values() if (entry := self._entry(draft)) is not None]
        return Listed(
            entries=tuple(entries),
            refused=tuple(sorted(self.refused, key=lambda one: (self.sheets.index(one.sheet), one.row))),
            to_look_at=tuple(sorted(self.to_look_at, key=lambda one: (self.sheets.index(one.sheet), one.row))),
            left_out=frozenset(self.left_out),
            rows=self.rows,
            without=tuple(self.without),
            columns=tuple(self.columns),
        )

    def _same_name_twice(self) -> None:
        """One name under two credit codes is a slip in one of them."""
        known: dict[tuple[str, str], Draft] = {}
        for draft in self.drafts.values():
            where = plain(draft.first.text("name")), plain(draft.first.text("site"))
            other = known.setdefault(where, draft)
            if other is not draft and where[0] and draft.code and other.code:
                for one, its in ((draft, other), (other, draft)):
                    one.refused.append(one.first.told("code", Why.TWO_CODES, its.code))

    def _entry(self, draft: Draft) -> Entry | None:
        made = self._made(draft)
        if draft.refused:
            self.refused += dict.fromkeys(draft.refused)
            self.left_out |= {one for one in (draft.code, draft.first.text("name")) if one}
            return None
        self._look_at(made, draft)
        return made

    def _made(self, draft: Draft) -> Entry:
        """The enterprise its rows come to; whatever is missing or wrong in it is noted on the draft."""
        first = draft.first
        grade = weakest(draft.grades, self.schemes)
        category = self._category(draft, grade)
        sector = self._sector(draft, category)
        longitude, latitude = self._place(draft)
        entry = Entry(
            area=self._area(draft),
            name=first.text("name"),
            sector=sector,
            category=category,
            code=draft.code,
            site=first.text("site"),
            address=draft.text("address"),
            longitude=longitude,
            latitude=latitude,
            grade=grade,
            permit=draft.text("permit"),
            special_period=draft.said("special_period").taken("special_period", values.yes_or_no, None),
            callers=callers_of(draft),
            tracker=self._tracker(draft),
            note="；".join(dict.fromkeys(one.text("note") for one in draft.rows if one.text("note"))),
            lines=tuple(draft.lines),
            read=_read(draft.lines),
        )
        if not entry.code and not draft.text("code") and category not in _WITHOUT_CODE:
            first.refuse("code", Why.NO_CODE)
        if not (entry.callers or draft.text("phone") or draft.text("duty_phone")):
            first.refuse("phone", Why.NO_PHONE)
        measured = any(one.measures for one in draft.lines) or sector in self.ground.booked
        if not measured and category is not Category.LONG_STOPPED and sector:
            first.refuse(next((one for one in LEVELS if one in first.at), "yellow"), Why.NOTHING_TO_DO)
        return entry

    def _area(self, draft: Draft) -> str:
        first, ground = draft.first, self.ground
        district = draft.text("district")
        if district and district not in ground.towns and not _is_called(district, ground.area_name):
            draft.said("district").refuse("district", Why.OTHER_AREA, district, ground.area_name)
            return ground.area
        said = draft.text("town")
        if not said:
            if ground.towns and "town" in first.at:
                first.refuse("town", Why.NO_TOWN)
            return ground.area
        found = [ground.towns[name] for name in (said, f"{said}镇", f"{said}乡", f"{said}街道") if name in ground.towns]
        if not found:
            draft.said("town").refuse("town", Why.UNKNOWN_TOWN, ground.area_name)
            return ground.area
        return found[0]

    def _category(self, draft: Draft, grade: Grade) -> Category:
        """What the column says, else what the grade's prefix or any of its lines' say."""
        said = draft.text("category")
        prefixed = next((one.category for one in draft.grades if one.category), grade.category)
        if not said:
            return prefixed or Category.LISTED
        found = self.ground.categories.get(plain(said))
        if found is None:
            draft.first.refuse("category", Why.UNKNOWN_CATEGORY)
            return Category.LISTED
        return prefixed if found is Category.LISTED and prefixed else found

    def _sector(self, draft: Draft, category: Category) -> str:
        said = draft.text("industry")
        if not said:
            if category in _WITHOUT_CODE:
                return "construction_site"
            draft.first.refuse("industry", Why.NO_INDUSTRY)
            return ""
        return self.ground.sectors.get(plain(said), said[:40])

    def _place(self, draft: Draft) -> tuple[float | None, float | None]:
        first = draft.said("longitude")
        longitude = first.taken("longitude", values.degrees, None)
        latitude = first.taken("latitude", values.degrees, None)
        for key, other in (("longitude", "latitude"), ("latitude", "longitude")):
            if first.text(other) and not first.text(key):
                first.refuse(key, Why.HALF_A_PLACE)
        if longitude is None or latitude is None or self.ground.bounds is None:
            return longitude, latitude
        west, south, east, north = self.ground.bounds
        inside = west <= longitude <= east, south <= latitude <= north
        if not all(inside) and west <= latitude <= east and south <= longitude <= north:
            first.refuse("longitude", Why.SWAPPED)
            return None, None
        for key, fits, least, most in (("longitude", inside[0], west, east), ("latitude", inside[1], south, north)):
            if not fits:
                first.refuse(key, Why.OUTSIDE, self.ground.area_name, f"{least:g}", f"{most:g}")
        return longitude, latitude

    def _tracker(self, draft: Draft) -> str:
        """The first of the units named that is one of ours; the others stand in the list all the same."""
        said = draft.text("tracker")
        names = [one.strip() for one in said.replace("，", "、").replace(",", "、").replace("；", "、").split("、")]
        return next((one for one in names if one in self.ground.units), "")

    def _look_at(self, entry: Entry, draft: Draft) -> None:
        first = draft.first
        if (said := draft.text("industry")) and entry.sector == said and entry.sector not in self.ground.booked:
            self.to_look_at.append(first.told("industry", Why.UNKNOWN_INDUSTRY))
        if draft.text("tracker") and not entry.tracker:
            self.to_look_at.append(first.told("tracker", Why.UNKNOWN_TRACKER))
        for cells, line in zip(draft.rows, draft.lines, strict=True):
            self.to_look_at += list(_doubts(cells, line))


def _is_called(said: str, name: str) -> bool:
    """Whether this is the area: 柳江区 is also 柳江 and 柳州市柳江区."""
    return said.endswith(name) or (len(said) > 1 and name.startswith(said))


def _read(lines: Sequence[Line]) -> Mapping[str, tuple[Clause, ...]]:
    found: dict[str, tuple[Clause, ...]] = {}
    for level in LEVELS:
        texts = dict.fromkeys(one.measures[level] for one in lines if level in one.measures)
        if clauses := tuple(clause for text in texts for clause in read_measure(text)):
            found[level] = clauses
    return found


def _doubts(cells: Cells, line: Line) -> Iterator[Refusal]:
    """What of this line's measures a person has to look at."""
    given = [level for level in LEVELS if level in line.measures]
    for level in given:
        for clause in read_measure(line.measures[level]):
            if clause.confidence is Confidence.UNREAD and clause.why is not None:
                told = cells.told(level, clause.why, *clause.about)
                yield Refusal(told.sheet, told.row, told.column, clause.text[:LONGEST], told.why, told.about)
            elif line.baseline is None and any(one.kind is Kind.CUT and not one.base for one in clause.quantities):
                yield cells.told(level, Why.NO_BASELINE)
    for level in LEVELS[LEVELS.index(given[0]) + 1 :] if given else ():
        if level not in line.measures and cells.at.get(level) is not None:
            yield cells.told(level, Why.LEVEL_MISSING)
