"""An XLSX workbook as rows of plain cells: bombs, macros and locked files are refused before openpyxl sees them."""

from __future__ import annotations

import io
import posixpath
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, Final
from xml.parsers import expat

import openpyxl
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter, range_boundaries
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation

from emergency.feeds.records import NotReadable

MOST_ENTRIES: Final = 400
MOST_COLUMNS: Final = 200
DEEPEST: Final = 60  # elements inside elements; a workbook's own parts have about ten
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_XML: Final = (".xml", ".rels", ".vml")
_MACROS: Final = re.compile(r"vbaproject|macrosheets|activex", re.I)
_BROKEN: Final = (  # what zipfile and openpyxl raise over bytes that are no workbook
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    InvalidFileException,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class Size:
    """How large a workbook may be: bytes of all its parts together, cells, and rows of a sheet."""

    unpacked: int = 40_000_000  # a bulletin of a region's towns has some 200 kB
    cells: int = 200_000
    rows: int = 5_000


BULLETIN: Final = Size()


@dataclass(frozen=True)
class Formula:
    """A cell that would have to be worked out; it never is."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Row:
    """
    One row of a sheet: its cells by column from 1 (dates as date or datetime), merged ones filled from the first.

    ``repeated``: columns whose merged cell began in a row above.
    """

    sheet: str
    number: int
    cells: Mapping[int, object]
    repeated: frozenset[int] = frozenset()

    def place(self, column: int) -> str:
        """The cell's address as Excel says it: 预报!C5."""
        return f"{self.sheet}!{get_column_letter(column)}{self.number}"


@dataclass(frozen=True)
class Sheet:
    """A visible sheet with the rows that hold anything."""

    name: str
    rows: tuple[Row, ...]


def is_workbook(raw: bytes) -> bool:
    """Whether the bytes begin as an XLSX, or as the older and the locked kinds, which are refused by name."""
    return raw.startswith((b"PK\x03\x04", b"PK\x05\x06", _OLE))


def read_workbook(raw: bytes, most: Size = BULLETIN) -> tuple[Sheet, ...]:
    """
    The visible sheets. Formulas come as :class:`Formula` and are never worked out; links and macros are never followed.

    :raises NotReadable: no XLSX, locked, with macros, a bomb, or larger than ``most``; the words say which
    """
    if raw.startswith(_OLE):
        raise NotReadable("the file", "", "an .xls or a workbook with a password: save it as .xlsx without one")
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            looked = _looked_over(archive, most)
    except NotReadable:
        raise
    except _BROKEN:
        raise NotReadable("the file", "", "cut or damaged: no XLSX workbook") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of styles and extensions it does not keep; we keep none
            book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=False, keep_links=False)
            found = tuple(
                Sheet(one.title, tuple(_rows(one, looked.merged.get(looked.parts.get(one.title, ""), ()), most)))
                for one in book.worksheets
                if one.sheet_state == "visible"
            )
            book.close()
    except NotReadable:
        raise
    except _BROKEN as error:
        raise NotReadable("the file", "", f"no workbook that could be read ({type(error).__name__})") from None
    return found


# --- before anything is unpacked


@dataclass
class _Looked:
    """What a first look through the parts gave: which part is which sheet, and its merged ranges."""

    most: Size
    parts: dict[str, str] = field(default_factory=dict)
    merged: dict[str, list[str]] = field(default_factory=dict)
    targets: dict[str, str] = field(default_factory=dict)
    sheets: dict[str, str] = field(default_factory=dict)
    cells: int = 0


def _looked_over(archive: zipfile.ZipFile, most: Size) -> _Looked:
    entries = archive.infolist()
    names = [one.filename for one in entries]
    if len(entries) > MOST_ENTRIES:
        raise NotReadable("the file", len(entries), f"more than {MOST_ENTRIES} parts inside")
    if len(set(names)) != len(names):
        raise NotReadable("the file", "", "two parts of one name inside")
    # the archive's own word is enough: zipfile unpacks no byte more than it says
    if sum(one.file_size for one in entries) > most.unpacked:
        raise NotReadable("the file", "", f"more than {most.unpacked // 1_000_000} MB when unpacked")
    if any(one.flag_bits & 1 for one in entries):
        raise NotReadable("the file", "", "an archive with a password")
    if "xl/workbook.xml" not in names or "[Content_Types].xml" not in names:
        raise NotReadable("the file", ", ".join(names[:3]), "an archive, but no XLSX workbook")
    looked = _Looked(most)
    for name in names:
        if _MACROS.search(name):
            raise NotReadable(name, "", "a workbook with macros: save it as .xlsx")
        if name.lower().endswith(_XML):
            body = archive.read(name)
            if name == "[Content_Types].xml" and b"macroEnabled" in body:
                raise NotReadable(name, "", "a workbook with macros: save it as .xlsx")
            _look_into(name, body, looked)
    looked.parts = {
        title: posixpath.normpath(posixpath.join("xl", looked.targets.get(key, ""))).removeprefix("/")
        for title, key in looked.sheets.items()
    }
    return looked


def _look_into(name: str, body: bytes, looked: _Looked) -> None:
    """One part read for what must not be in it: document types with their entities, endless depth, endless cells."""
    parser, depth, cell = expat.ParserCreate(), 0, ""

    def begin(tag: str, said: Mapping[str, str]) -> None:
        nonlocal depth, cell
        depth += 1
        if depth > DEEPEST:
            raise NotReadable(name, tag, "elements inside elements without end")
        match tag.rpartition(":")[2]:
            case "c" if name.startswith("xl/worksheets/"):
                looked.cells, cell = looked.cells + 1, said.get("r", "")
                if looked.cells > looked.most.cells:
                    raise NotReadable(name, "", f"more than {looked.most.cells} cells")
            case "v" | "is" | "f" if name.startswith("xl/worksheets/"):
                _within_bounds(name, cell, looked.most)
            case "mergeCell":
                looked.merged.setdefault(name, []).append(said.get("ref", ""))
            case "sheet" if name == "xl/workbook.xml":
                key = next((value for key, value in said.items() if key.endswith(":id")), "")
                looked.sheets[said.get("name", "")] = key
            case "Relationship" if name == "xl/_rels/workbook.xml.rels":
                target = said.get("Target", "")
                looked.targets[said.get("Id", "")] = target.removeprefix("/xl/")

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    def refuse(*_: object) -> None:
        raise NotReadable(name, "<!DOCTYPE", "a document type is not taken")

    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise NotReadable(
            f"{name}, line {error.lineno}", "", f"not XML: {expat.ErrorString(error.code)}"
        ) from None


def _within_bounds(name: str, cell: str, most: Size) -> None:
    number = cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    if len(cell) - len(number) > 3 or (number.isdecimal() and (len(number) > 7 or int(number) > most.rows)):
        raise NotReadable(f"{name}, {cell[:20]}", "", f"a filled cell below row {most.rows}")


# --- the cells


def _rows(sheet: Any, merged: Iterable[str], most: Size) -> Iterator[Row]:
    """Rows that hold something; ``sheet`` is openpyxl's, which carries no types."""
    sheet.reset_dimensions()  # the file's own word for its size may be short, and then rows would be lost
    found: dict[int, dict[int, object]] = {}
    repeated: dict[int, set[int]] = {}
    for line in sheet.iter_rows(max_row=most.rows, max_col=MOST_COLUMNS):
        for one in line:
            if one.value is not None:
                found.setdefault(one.row, {})[one.column] = _value(one)
    for left, top, right, bottom in _areas(merged, most):
        value = found.get(top, {}).get(left)
        if value is None:
            continue
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                cells = found.setdefault(row, {})
                if column not in cells:
                    cells[column] = value
                    if row > top:
                        repeated.setdefault(row, set()).add(column)
    return (
        Row(sheet.title, number, cells, frozenset(repeated.get(number, ()))) for number, cells in sorted(found.items())
    )


def _value(cell: Any) -> object:
    value = cell.value
    if cell.data_type == "f":
        return Formula(str(getattr(value, "text", value) or "="))
    if isinstance(value, datetime):
        return value.date() if value.time() == time() else value
    if isinstance(value, bool | int | float | str | date):
        return value
    return str(value)


def _areas(merged: Iterable[str], most: Size) -> Iterator[tuple[int, int, int, int]]:
    """Merged ranges cut to what is read, and no more cells of them than a sheet may have."""
    filled = 0
    for ref in merged:
        left, top, right, bottom = range_boundaries(ref)
        if None in (left, top, right, bottom):
            continue  # whole columns or rows: nobody merges a table's own cells so
        right, bottom = min(right, MOST_COLUMNS), min(bottom, most.rows)
        filled += max(0, right - left + 1) * max(0, bottom - top + 1)
        if filled > most.cells:
            raise NotReadable("the file", ref, f"more than {most.cells} cells")
        yield left, top, right, bottom


# --- one to fill in


def template(
    columns: Sequence[tuple[str, str]], example: Sequence[Sequence[object]], choices: Mapping[str, Sequence[str]]
) -> bytes:
    """
    A workbook to fill in: a sheet with the headings and one example line, and a sheet that says what each column wants.

    ``columns``: heading and what belongs under it; ``choices``: heading → the words it takes.
    """
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "预报"
    sheet.append([heading for heading, _ in columns])
    for line in example:
        sheet.append(list(line))
    sheet.freeze_panes = "A2"
    for at, (heading, _) in enumerate(columns, 1):
        letter = get_column_letter(at)
        sheet[f"{letter}1"].font = Font(bold=True)
        sheet.column_dimensions[letter].width = 16
        if heading in choices:
            allowed = DataValidation(type="list", formula1='"' + ",".join(choices[heading]) + '"', allow_blank=True)
            sheet.add_data_validation(allowed)
            allowed.add(f"{letter}2:{letter}200")
    guide = book.create_sheet("填写说明")
    guide.append(["列", "填什么"])
    for heading, says in columns:
        guide.append([heading, says])
    guide.column_dimensions["B"].width = 80
    for row in guide.iter_rows(min_row=2, min_col=2, max_col=2):
        row[0].alignment = Alignment(wrap_text=True)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()
