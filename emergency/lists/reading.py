"""A list's file as sheets: XLSX read with suspicion, CSV in UTF-8 or GB 18030."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Final

from emergency.domain.reduction.sheets import Row, Sheet, Unworked
from emergency.errors import Refused
from emergency.feeds.records import NotReadable
from emergency.feeds.workbook import Formula, Size, is_workbook, read_workbook

LIST: Final = Size(unpacked=100_000_000, cells=1_000_000, rows=30_000)
"""A workbook of a whole city; a list of more enterprises than this comes as CSV, which is read row by row."""

MOST_BYTES: Final = 10 * 1024 * 1024  # of a file that comes over the web
MOST_LINES: Final = 400_000  # of a CSV
_LONGEST_FIELD: Final = 20_000  # characters of one cell of a CSV
CSV_SHEET: Final = "CSV"


class NoList(Refused):
    """The file is of no use as a whole."""

    words_zh = "文件无法作为减排清单读取"

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}", zh=f"{self.words_zh}（{where}：{reason}）")
        self.where, self.reason = where, reason


def read_file(raw: bytes) -> tuple[Sheet, ...]:
    """
    The visible sheets of the file, of a CSV its one.

    :raises NoList: no workbook, with macros or a password, a bomb, too large, or text in no encoding we know
    """
    try:
        if is_workbook(raw):
            return tuple(
                Sheet(one.name, tuple(Row(row.number, _cells(row.cells), row.repeated) for row in one.rows))
                for one in read_workbook(raw, LIST)
            )
        return (Sheet(CSV_SHEET, tuple(_lines(_text(raw)))),)
    except NotReadable as found:
        raise NoList(found.record.where, found.record.reason) from None


def _cells(cells: object) -> dict[int, object]:
    assert isinstance(cells, dict)
    return {
        column: Unworked(str(value)) if isinstance(value, Formula) else value
        for column, value in cells.items()
        if value != ""
    }


def _text(raw: bytes) -> str:
    if not raw.strip():
        raise NotReadable("the file", "", "the message is empty")
    if b"\x00" in raw:
        raise NotReadable(f"byte {raw.index(0)}", "", "binary, not text")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError as error:
            at = error.start
    raise NotReadable(f"byte {at}", raw[at : at + 8], "neither UTF-8 nor GB 18030")


def _lines(text: str) -> Iterator[Row]:
    """Rows by the line of the file they begin on; a cell that would be a formula is one here too."""
    first = text[: text.find("\n") if "\n" in text else len(text)]
    before = csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if "\t" in first else ",", strict=True)
    number = 0
    try:
        while True:
            begins = reader.line_num + 1
            row = next(reader, None)
            if row is None:
                return
            number += 1
            if number > MOST_LINES:
                raise NotReadable("the file", number, f"a filled cell below row {MOST_LINES}")
            cells: dict[int, object] = {
                column: Unworked(value) if value.startswith("=") else value
                for column, value in enumerate(row, 1)
                if value.strip()
            }
            if cells:
                yield Row(begins, cells)
    except csv.Error as error:
        raise NotReadable(f"row {reader.line_num}", "", f"not CSV: {error}") from None
    finally:
        csv.field_size_limit(before)
