"""A row under its heading, and an enterprise while its rows are read: what they say and what of it cannot be taken."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from emergency.domain.reduction import values
from emergency.domain.reduction.columns import HEADINGS, LEVELS, POLLUTANTS, Heading, is_amount
from emergency.domain.reduction.entries import Baseline, Caller, Line
from emergency.domain.reduction.grades import Grade
from emergency.domain.reduction.refusals import LONGEST, Refusal, Unfit, Why
from emergency.domain.reduction.sheets import Row, Unworked, is_nothing, letters, plain, text_of

T = TypeVar("T")
_CALLERS: Final = (("contact", "phone", "role", ""), ("duty_contact", "duty_phone", "", "duty_hours"))


@dataclass
class Cells:
    """One row under its heading, and the notes of what in it cannot be taken."""

    sheet: str
    row: Row
    heading: Heading
    refused: list[Refusal] = field(default_factory=list)
    at: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.at = {key: column for column, key in self.heading.columns.items()}

    def raw(self, key: str) -> object:
        """The cell as the spreadsheet has it; None where it or its column is not there."""
        column = self.at.get(key)
        return None if column is None else self.row.cells.get(column)

    def text(self, key: str) -> str:
        """What the cell says; nothing where it says so."""
        value = self.raw(key)
        return "" if is_nothing(value) else text_of(value)

    def told(self, key: str, why: Why, *about: object) -> Refusal:
        """A note about this cell; one whose column is missing names the heading it would have."""
        column = self.at.get(key)
        named = HEADINGS.get(key, key) if column is None else f"{letters(column)} {self.heading.place(column)}"
        value = text_of(self.raw(key))[:LONGEST]
        return Refusal(self.sheet, self.row.number, named, value, why, tuple(str(one) for one in about))

    def refuse(self, key: str, why: Why, *about: object) -> None:
        """Note that this cell cannot be taken."""
        self.refused.append(self.told(key, why, *about))

    def taken(self, key: str, read: Callable[[object], T], otherwise: T) -> T:
        """What ``read`` makes of the cell; a note and ``otherwise`` where it cannot."""
        if isinstance(self.raw(key), Unworked):
            return otherwise  # noted once for the row
        try:
            return read(self.raw(key))
        except Unfit as unfit:
            self.refuse(key, unfit.why, *unfit.about)
            return otherwise

    def once(self, key: str) -> float | None:
        """An amount that a merged cell says for several rows counts in the first of them."""
        if self.at.get(key) in self.row.repeated:
            return None
        return self.taken(key, values.amount, None)


@dataclass
class Draft:
    """An enterprise while its rows are read."""

    first: Cells
    code: str
    rows: list[Cells] = field(default_factory=list)
    grades: list[Grade] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)

    def join(self, cells: Cells) -> None:
        """Take a row in; what is noted of it from now on is noted of the enterprise."""
        self.refused += cells.refused
        cells.refused = self.refused
        self.rows.append(cells)

    def said(self, key: str) -> Cells:
        """The first row that says something under this heading, else the first of all."""
        return next((one for one in self.rows if one.text(key)), self.first)

    def text(self, key: str) -> str:
        """What the first row that says it says."""
        return self.said(key).text(key)


_BESIDES: Final = re.compile(r"(合计|总计|小计|注[:1一、]|备注[:：]|说明[:：]|填表|制表|审核|填报)")


def says_nothing(cells: Cells) -> bool:
    """
    Whether the row is about no enterprise: empty but for a running number, the columns numbered, a total, a remark or
    a line of signatures below the table.
    """
    said = {key: one for key, at in cells.at.items() if not is_nothing(one := cells.row.cells.get(at))}
    if set(said) <= {"number"}:
        return True
    if len(said) > 3 and all(plain(one).isdecimal() for one in said.values()):
        return True
    if any(_BESIDES.match(plain(said[key])) for key in ("number", "name") if key in said):
        return True
    return len(said) > 2 and len({text_of(one) for one in said.values()}) == 1  # one remark merged over the row


def line_of(cells: Cells) -> Line:
    """The process line a row describes, with its measures as they are written."""
    cuts = {
        level: found
        for level in LEVELS
        if (found := {one: n for one in POLLUTANTS if (n := cells.once(f"cut_{level}_{one}")) is not None})
    }
    base = cells.once("baseline")
    return Line(
        sheet=cells.sheet,
        row=cells.row.number,
        name=cells.text("line"),
        industry=cells.text("industry"),
        devices=cells.text("devices"),
        outlets=cells.text("outlets"),
        meters=cells.text("meters"),
        baseline=None
        if base is None
        else Baseline(
            base, cells.text("baseline_unit"), cells.text("baseline_period"), cells.text("baseline_source")
        ),
        measures={level: said for level in LEVELS if (said := cells.text(level))},
        emitted={one: n for one in POLLUTANTS if (n := cells.once(f"emitted_{one}")) is not None},
        cuts=cuts,
        cells=_said(cells),
    )


def _said(cells: Cells) -> Mapping[str, str]:
    """All that the row says but its amounts, which are numbers and stand elsewhere."""
    named = {
        cells.heading.columns.get(column) or cells.heading.place(column): text_of(value)
        for column, value in sorted(cells.row.cells.items())
    }
    return {key: said for key, said in named.items() if key and not is_amount(key)}


def callers_of(draft: Draft) -> tuple[Caller, ...]:
    """Everybody who can be called, the contact first; the same number is told once."""
    found: dict[str, Caller] = {}
    none: tuple[str, ...] = ()
    for who, number, role, hours in _CALLERS:
        cells = draft.said(number)
        numbers = cells.taken(number, values.phones, none)
        names = [one for one in cells.text(who).replace("/", "、").replace("，", "、").split("、") if one.strip()]
        for n, phone in enumerate(numbers):
            name = names[n] if len(names) == len(numbers) else (names[0] if names else "")
            said = Caller(name.strip(), cells.text(role) if role else "", phone, cells.text(hours) if hours else "")
            found.setdefault(phone, said)
    return tuple(found.values())
