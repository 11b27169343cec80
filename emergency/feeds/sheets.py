"""A workbook (XLSX) as rows of text, read with suspicion: nothing in it is run, expanded or guessed at."""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from typing import Final

from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell, MergedCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from emergency.feeds.records import NotReadable, Sieve

ZIP: Final = b"PK\x03\x04"
OLE: Final = b"\xd0\xcf\x11\xe0"  # the old .xls, and every workbook with a password
MOST_PARTS, MOST_BYTES, MOST_ROWS, MOST_COLUMNS = 200, 30_000_000, 2_000, 60
HEADING_WITHIN: Final = 20  # a title, an issuer and a number may stand above the heading

Named = Mapping[str, str]


def is_workbook(raw: bytes) -> bool:
    """Whether the bytes are a workbook or pretend to be one."""
    return raw.startswith((ZIP, OLE))


def rows_of(raw: bytes, sieve: Sieve, names: Mapping[str, str], needed: Sequence[str]) -> Iterator[tuple[str, Named]]:
    """
    Each line under the heading of the first sheet that has one, as (place, column → text); places are ``Sheet!row``.

    The heading may lie under a title and take two lines; merged cells count for every cell they cover; digits of full
    width, Excel's own dates and numbers become plain text. A formula is refused with its cell: what it would come to
    depends on who opens the file.

    :raises NotReadable: not a workbook, with a password, with macros, too large when unpacked, with XML entities, or
        without a heading that names what is ``needed``
    """
    _checked(raw)
    try:
        book = load_workbook(io.BytesIO(raw), data_only=False, keep_links=False)
    except Exception as error:  # noqa: BLE001 - openpyxl raises whatever a broken part makes it stumble over
        raise NotReadable("the workbook", "", f"cannot be opened: {type(error).__name__}") from None
    try:
        for sheet in book.worksheets:
            if sheet.max_row > MOST_ROWS or sheet.max_column > MOST_COLUMNS:
                size = f"{sheet.max_row} × {sheet.max_column}"
                raise NotReadable(sheet.title, size, f"more than {MOST_ROWS} rows or {MOST_COLUMNS} columns")
            covered = _covered(sheet)
            found = _heading(sheet, covered, names, needed)
            if found is not None:
                yield from _lines(sheet, covered, *found, sieve)
                return
    finally:
        book.close()
    raise NotReadable(
        book.sheetnames[0] if book.sheetnames else "the workbook", "", f"no heading with {' and '.join(needed)}"
    )


def _checked(raw: bytes) -> None:
    """
    Look at the archive before anything unpacks it.

    :raises NotReadable: it is none, or not one we open
    """
    if raw.startswith(OLE):
        raise NotReadable("the workbook", "", "has a password or is an old .xls; save it as .xlsx without one")
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            parts = archive.infolist()
            if len(parts) > MOST_PARTS or sum(one.file_size for one in parts) > MOST_BYTES:
                raise NotReadable(
                    "the workbook", "", f"unpacks to more than {MOST_BYTES // 1_000_000} MB or {MOST_PARTS} parts"
                )
            for one in parts:
                if one.flag_bits & 1:
                    raise NotReadable(one.filename, "", "has a password")
                if one.filename.endswith("vbaProject.bin"):
                    raise NotReadable(one.filename, "", "has macros; save it as .xlsx without them")
                with archive.open(one) as part:  # the size a part declares may be a lie: read no more than is allowed
                    body = part.read(MOST_BYTES + 1)
                if len(body) > MOST_BYTES:
                    raise NotReadable(one.filename, "", "is larger than it says")
                if one.filename.endswith((".xml", ".rels")) and re.search(rb"<!(doctype|entity)", body, re.I):
                    raise NotReadable(one.filename, "", "declares XML entities, which no workbook needs")
            if "[Content_Types].xml" not in archive.namelist():
                raise NotReadable("the file", raw[:20], "an archive, but no workbook")
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, OSError, ValueError) as error:
        if isinstance(error, NotReadable):
            raise
        raise NotReadable("the workbook", "", f"is damaged or cut: {type(error).__name__}") from None
    except Exception as error:  # noqa: BLE001 - zlib.error and its kin have no common parent
        raise NotReadable("the workbook", "", f"is damaged: {type(error).__name__}") from None


Covered = Mapping[tuple[int, int], tuple[int, int]]


def _covered(sheet: Worksheet) -> Covered:
    """Each cell that a merged range covers → the cell that holds its value."""
    found = {}
    for span in sheet.merged_cells.ranges:
        for row in range(span.min_row, min(span.max_row, MOST_ROWS) + 1):
            for column in range(span.min_col, min(span.max_col, MOST_COLUMNS) + 1):
                found[row, column] = (span.min_row, span.min_col)
    return found


def _cell(sheet: Worksheet, covered: Covered, row: int, column: int) -> Cell | MergedCell:
    return sheet.cell(*covered.get((row, column), (row, column)))


def _heading(
    sheet: Worksheet, covered: Covered, names: Mapping[str, str], needed: Sequence[str]
) -> tuple[int, list[str]] | None:
    """The last line of the heading and what each column is called; None where the sheet has none."""
    columns = range(1, sheet.max_column + 1)
    for row in range(1, min(sheet.max_row, HEADING_WITHIN) + 1):
        upper = [plain(_cell(sheet, covered, row, one)) for one in columns]
        lower = [plain(_cell(sheet, covered, row + 1, one)) for one in columns] if row < sheet.max_row else upper
        both = [_joined(one, other) for one, other in zip(upper, lower, strict=True)]
        for last, said in ((row, upper), (row + 1, both)):
            found = [names.get(_word(one), _word(one)) for one in said]
            if all(one in found for one in needed):
                # a second line of the heading repeats what is merged over both and adds what stands under it
                further = [names.get(_word(one), _word(one)) for one in both]
                if last == row and both != upper and any(_word(one) in names for one in lower if one):
                    return row + 1, further
                return last, found
    return None


def _joined(upper: str, lower: str) -> str:
    return upper if upper == lower or not lower else f"{upper}{lower}"


def _word(said: str) -> str:
    return (
        re.sub(r"[\s（(].*$", "", said.strip().lower()) if "下限" not in said and "上限" not in said else said.lower()
    )


def _lines(
    sheet: Worksheet, covered: Covered, heading: int, names: list[str], sieve: Sieve
) -> Iterator[tuple[str, Named]]:
    for row in range(heading + 1, sheet.max_row + 1):
        where = f"{sheet.title}!{row}"
        said: dict[str, str] = {}
        formula = False
        for column, name in enumerate(names, 1):
            cell = _cell(sheet, covered, row, column)
            if cell.data_type == "f":
                sieve.refuse(f"{sheet.title}!{cell.coordinate}", cell.value, "a formula; put its value in its place")
                formula = True
            elif name and (name not in said or not said[name]):
                said[name] = plain(cell)
        filled = [one for one in said.values() if one]
        if not formula and len(filled) > 1:  # a single cell is a remark under the table
            yield where, said


def plain(cell: Cell | MergedCell) -> str:
    """A cell's value as one line of text: a date as 2026-01-10, a number without its trailing .0."""
    value = cell.value
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return " ".join(unicodedata.normalize("NFKC", str(value)).split())


def template(
    columns: Sequence[tuple[str, str]], example: Sequence[Sequence[object]], choices: Mapping[str, Sequence[str]]
) -> bytes:
    """
    A workbook to fill in: a sheet with the headings and one example line, and a sheet that says what each column wants.

    ``columns``: heading and what belongs under it; ``choices``: heading → the words it takes.
    """
    book = Workbook()
    sheet = book.active
    if not isinstance(sheet, Worksheet):
        raise TypeError("a new workbook has a sheet")
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
