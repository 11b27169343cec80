"""The three kinds of file a bulletin comes as, read as lines: one for each day of each place, whichever way it lies."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from emergency.feeds import across, cells
from emergency.feeds.cells import Line
from emergency.feeds.records import NotReadable, Sieve, list_of, read_json, table_of
from emergency.feeds.workbook import Row, Sheet, is_workbook, read_workbook

_UNIT_WORDS: Final = re.compile(r"g\s*/\s*m|微克|毫克|pp[bm]|无量纲|单位|^[-—/]$", re.I)


def lines_of(raw: bytes, sieve: Sieve) -> tuple[object, Iterable[Line]]:
    """What the file says of its issue, if it does outside the rows, and the rows."""
    if is_workbook(raw):
        return _of_workbook(read_workbook(raw), sieve)
    return _json(raw) if raw.lstrip()[:1] in (b"[", b"{") else _csv(raw, sieve)


def _of_workbook(sheets: tuple[Sheet, ...], sieve: Sieve) -> tuple[object, Iterable[Line]]:
    said: object = None
    found: list[Line] = []
    for sheet in sheets:
        top, days = _heading_of(sheet), None
        if top is None:
            days = across.heading_of(sheet.rows, today=sieve.today)
            top = None if days is None else days.at
        if top is None:
            continue
        for row in sheet.rows[:top]:
            said = said or next((one for value in row.cells.values() if (one := cells.issue_of(value))), None)
        if days is None:
            found += _below(*_joined(sheet.rows, top), sieve)
        else:
            found += across.lines(days, sheet.rows[top + 1 :], sieve, place=Row.place)
    if not found and not sieve.refused:
        names = ", ".join(one.name for one in sheets)
        raise NotReadable("the workbook", names, "no sheet has a heading with a day and an index, and rows below it")
    return said, found


def _heading_of(sheet: Sheet) -> int | None:
    """Which of the first rows names a day and an index."""
    for at, row in enumerate(sheet.rows[:cells.TITLE_ROWS]):
        names = {cells.heading(one) for one in row.cells.values()}
        if "day" in names and names & cells.INDEXED:
            return at
    return None


def _joined(rows: tuple[Row, ...], top: int) -> tuple[Row, tuple[Row, ...]]:
    """
    The heading and the rows below it; a second line of the heading says more of columns merged above it.

    Merged cells come filled: 预报日期 stands in both lines, and AQI over 下限 and 上限 makes AQI下限 and AQI上限.
    """
    upper, below = rows[top], rows[top + 1 :]
    if not below:
        return upper, below
    both = {at: _one_heading(said, below[0].cells.get(at)) for at, said in upper.cells.items()}
    if any(cells.heading(one) in cells.FIELDS and one != upper.cells[at] for at, one in both.items()):
        return Row(upper.sheet, upper.number, both), below[1:]
    return upper, below


def _one_heading(upper: object, lower: object) -> object:
    if lower in (None, "") or lower == upper:
        return upper
    return f"{upper}{lower}" if isinstance(lower, str) and not any(one.isdigit() for one in lower) else upper


def _below(top: Row, rows: Iterable[Row], sieve: Sieve) -> Iterator[Line]:
    names: dict[int, str] = {}
    for column, value in sorted(top.cells.items()):
        name = cells.heading(value)
        if name in cells.FIELDS and name not in names.values():
            names[column] = name
    unit = next((cells.unit_of(top.cells[at]) for at, name in names.items() if name == "pm2_5"), "")
    unit = "" if unit.startswith(("pm", "细")) else unit
    mass = cells.factor(unit)
    told = mass is not None
    for at, row in enumerate(rows):
        values = {name: row.cells.get(column) for column, name in names.items()}
        if at == 0 and _is_units(values):
            mass = cells.factor(cells.unit_of(values.get("pm2_5"))) if values.get("pm2_5") else mass
            told = mass is not None
            continue
        if len({str(one) for one in row.cells.values() if one not in (None, "")}) < 2:
            continue  # a remark under the table
        addresses = {name: row.place(column) for column, name in names.items()}
        if not told:
            sieve.refuse(addresses["pm2_5"], values.get("pm2_5"), "another unit than µg/m³")
            told = True
        yield Line(f"{row.sheet}!{row.number}", values, addresses, mass)


def _is_units(values: Mapping[str, object]) -> bool:
    """Whether a row under the heading only says units: no day in it, and every cell of it a unit."""
    if values.get("day") not in (None, "", "单位"):
        return False
    said = [str(one) for name, one in values.items() if name != "day" and one not in (None, "")]
    return bool(said) and all(_UNIT_WORDS.search(one) for one in said)


def _json(raw: bytes) -> tuple[object, Iterable[Line]]:
    document = read_json(raw)
    said = None
    if isinstance(document, dict):
        said, document = document.get("issued_at"), document.get("days")
    entries = list_of(document, "days")
    return said, (Line(f"days[{at}]", _named(table_of(one, f"days[{at}]"))) for at, one in enumerate(entries))


def _csv(raw: bytes, sieve: Sieve) -> tuple[object, Iterable[Line]]:
    reader = csv.reader(io.StringIO(_text(raw), newline=""), strict=True)
    try:
        top = next(reader, [])
    except csv.Error as error:
        raise NotReadable("row 1", raw[:60], f"not CSV: {error}") from None
    names = [cells.heading(one) for one in top]
    if days := across.heading_of([_row(1, top)], today=sieve.today):
        rows = (_row(at, row) for at, row in _whole(reader, len(names), sieve))
        return None, across.lines(days, rows, sieve, place=_place)
    if "day" not in names:
        raise NotReadable("row 1", raw[:60], "no column day")
    if not cells.INDEXED & {*names}:
        raise NotReadable("row 1", raw[:60], "no column aqi")
    units = [one for one in top if cells.heading(one) == "pm2_5" and "(" in str(cells.plain(one))]
    mass = cells.factor(cells.unit_of(units[0]) if units else "")
    return None, (
        Line(f"row {at}", dict(zip(names, row, strict=False)), mass=mass)
        for at, row in _whole(reader, len(names), sieve)
    )


def _row(at: int, row: Sequence[str]) -> Row:
    return Row("", at, {column: cell.strip() for column, cell in enumerate(row, 1) if cell.strip()})


def _place(row: Row, column: int) -> str:
    return f"row {row.number}, column {column}"


def _whole(reader: Iterator[list[str]], columns: int, sieve: Sieve) -> Iterator[tuple[int, list[str]]]:
    """The rows below the heading by their number, cells without blanks; empty ones left out, short ones refused."""
    at = 1
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise NotReadable(f"row {at + 1}", "", f"not CSV: {error}") from None
        if row is None:
            return
        at += 1
        if len(row) < columns and any(row):  # a line cut short may have lost half a number too
            sieve.refuse(f"row {at}", ",".join(row), f"{len(row)} cells under {columns} headings")
        elif any(cell.strip() for cell in row):
            yield at, [cell.strip() for cell in row]


def _named(row: Mapping[str, object]) -> Mapping[str, object]:
    return {cells.heading(name): value for name, value in row.items()}


def _text(raw: bytes) -> str:
    if b"\x00" in raw:
        raise NotReadable(f"byte {raw.index(0)}", "", "binary, not text")
    for encoding in ("utf-8-sig", "gb18030"):  # what Excel in Chinese Windows writes
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError as error:
            at = error.start
    raise NotReadable(f"byte {at}", raw[at : at + 8], "neither UTF-8 nor GB 18030")
