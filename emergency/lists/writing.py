"""A list written as a workbook: as it stands, with its own columns, or empty with a guide and words to choose from."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from emergency.domain.reduction.columns import HEADINGS, LEVELS, POLLUTANTS, is_amount
from emergency.domain.reduction.entries import Entry, Line
from emergency.plans.listing import ListWords

SHEET: Final = "应急减排清单"
_GUIDE: Final = "填写说明"
_CHOICES: Final = "选项"
_ASKED: Final = frozenset({"name", "code", "town", "industry", "phone"})
_FORMULA_BEGINS: Final = ("=", "+", "-", "@", "\t", "\r")
_LONGEST_ROW: Final = 5000  # rows that the template's choices reach
_LETTERS: Final = {"leading": "引领性", "non_leading": "非引领性"}
_TEXTS: Final = frozenset({"code", "phone", "duty_phone", "permit", "meters", "outlets"})

GUIDE: Final[Mapping[str, str]] = {
    "number": "可不填。",
    "district": "可不填；填写的须是本区名称，其他区县的行不予采用。",
    "town": "乡镇或街道名称，从下拉框选择。",
    "name": "企业全称。一家企业有几条生产线的，每条一行，企业信息可只填第一行，也可合并单元格。",
    "site": "同一信用代码有几个厂区时填写，用来区分。",
    "code": "18位，按文本填写；系统按GB 32100核对校验码。施工工地等没有的可空。",
    "address": "可不填。",
    "longitude": "十进制度，如 109.321000；须在本行政区范围内，经纬度同填或同空。",
    "latitude": "十进制度，如 24.215000。",
    "industry": "从下拉框选择；没有对应行业的可直接填写，措施以本表为准。",
    "scheme": "绩效等级依据的版本；不填按清单启用之日现行的版本。",
    "grade": "如 A、B、B-、C、D、引领性；前面可写“民生豁免-”“地方”，长期停产的写“长期停产”。",
    "category": "不填按绩效等级前的说明，否则为一般。",
    "permit": "可不填。",
    "special_period": "排污许可证是否载明特殊时段（重污染天气应对）要求：是、否，不清楚的空着。",
    "line": "生产线或工序名称；全厂一条的可空。",
    "devices": "可不填。",
    "outlets": "可不填；多个用顿号隔开。",
    "meters": "可不填；多个用顿号隔开。",
    "baseline": "按百分比减产的，填预警前的正常量，只填数字。",
    "baseline_unit": "如 吨/日。",
    "baseline_period": "如 2026-10-01至2026-10-31。",
    "baseline_source": "如 企业台账、用电量。",
    "yellow": "本级别的全部措施，写清停哪条线、共几条，或由多少降到多少，如“停2号线（共3条）”。",
    "orange": "同上。空着的沿用上一列的措施。",
    "red": "同上。",
    "contact": "第一个接到指令的人。",
    "role": "可不填。",
    "phone": "手机11位，或带区号的固定电话，按文本填写；多个用顿号隔开。",
    "duty_contact": "可不填。",
    "duty_phone": "24小时电话，可不填。",
    "duty_hours": "可不填。",
    "tracker": "本区成员单位或镇，名称须与系统中一致，从下拉框选择。",
    "note": "可不填。",
}
"""What belongs under each heading; of amounts of emission the same for all."""
_AMOUNT: Final = "千克/日，只填数字；几条线合并填写的只计一次。"
_LEAST: Final = tuple(
    one for one in HEADINGS if not one.startswith(("emitted_", "cut_")) and one not in ("number", "district")
)


def written(entries: Iterable[Entry], columns: Sequence[str]) -> bytes:
    """
    The list as a workbook with these columns (our words, or the file's own for what we have none for), a row a line.

    Each cell says what the file said, amounts as numbers; no cell can be taken for a formula.
    """
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(SHEET)
    keys = [one for one in columns if one]
    for at in range(1, len(keys) + 1):
        sheet.column_dimensions[get_column_letter(at)].width = 18
    sheet.freeze_panes = "A2"
    sheet.append([_headed(sheet, HEADINGS.get(one, one)) for one in keys])
    for entry in entries:
        for line in entry.lines:
            sheet.append([_cell(sheet, _value(one, line)) for one in keys])
    return _saved(book)


def tables(sheets: Mapping[str, Sequence[Sequence[str | float | None]]]) -> bytes:
    """These tables as a workbook, the first row of each its heading; no cell can be taken for a formula."""
    book = openpyxl.Workbook(write_only=True)
    for name, (heading, *rows) in sheets.items():
        sheet = book.create_sheet(name)
        for at in range(1, len(heading) + 1):
            sheet.column_dimensions[get_column_letter(at)].width = 18
        sheet.freeze_panes = "A2"
        sheet.append([_headed(sheet, str(said)) for said in heading])
        for row in rows:
            sheet.append([_cell(sheet, None if one == "" else one) for one in row])
    return _saved(book)


def _value(key: str, line: Line) -> str | float | None:
    """What stands under this heading in this line; an amount a merged cell said for several lines only in the first."""
    kind, _, pollutant = key.rpartition("_")
    if kind == "emitted":
        return line.emitted.get(pollutant)
    if kind.startswith("cut_"):
        return line.cuts.get(kind.removeprefix("cut_"), {}).get(pollutant)
    if key == "baseline":
        return None if line.baseline is None else line.baseline.value
    return line.cells.get(key)


def _headed(sheet: Any, said: str) -> Any:
    cell = WriteOnlyCell(sheet, value=said)
    cell.font = Font(bold=True)
    return cell


def _cell(sheet: Any, value: str | float | None) -> Any:
    """The value as a cell; text that begins like a formula is text for good, also when somebody edits it."""
    if not isinstance(value, str) or not value.startswith(_FORMULA_BEGINS):
        return value
    cell = WriteOnlyCell(sheet, value=value)
    cell.data_type = "s"
    cell.quotePrefix = True
    return cell


def template(words: ListWords, *, towns: Sequence[str], units: Sequence[str]) -> bytes:
    """An empty list with its headings, words to choose from in the cells, one sample line, and a guide."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = SHEET
    keys = [*_LEAST[: _LEAST.index("contact")], *_amounts(), *_LEAST[_LEAST.index("contact") :]]
    sheet.append([HEADINGS[one] for one in keys])
    sheet.append([_SAMPLE.get(one, towns[0] if one == "town" and towns else "") for one in keys])
    sheet.freeze_panes = "C2"
    for at, key in enumerate(keys, 1):
        letter = get_column_letter(at)
        sheet[f"{letter}1"].font = Font(bold=True)
        if key in _ASKED:
            sheet[f"{letter}1"].fill = PatternFill("solid", fgColor="FFF2CC")
        sheet.column_dimensions[letter].width = 40 if key in LEVELS else 18
        if key in _TEXTS:
            sheet.column_dimensions[letter].number_format = "@"
            for row in range(2, 202):
                sheet[f"{letter}{row}"].number_format = "@"
    _choices(book, sheet, keys, _chosen(words, towns, units))
    _guide(book, keys)
    return _saved(book)


def _amounts() -> Iterator[str]:
    yield from (f"emitted_{one}" for one in POLLUTANTS)
    yield from (f"cut_{level}_{one}" for level in LEVELS for one in POLLUTANTS)


def _chosen(words: ListWords, towns: Sequence[str], units: Sequence[str]) -> dict[str, Sequence[str]]:
    grades = dict.fromkeys(_LETTERS.get(one, one) for scheme in words.schemes for one in scheme.grades)
    return {
        "town": towns,
        "industry": list(words.industry_words.values()),
        "scheme": [one.name for one in words.schemes],
        "grade": [*grades, "长期停产"],
        "category": list(words.category_words.values()),
        "special_period": ["是", "否"],
        "tracker": units,
    }


def _choices(book: Any, sheet: Any, keys: Sequence[str], chosen: Mapping[str, Sequence[str]]) -> None:
    """Lists to choose from, on a hidden sheet: one inside a rule may have 255 characters only."""
    hidden = book.create_sheet(_CHOICES)
    hidden.sheet_state = "hidden"
    for at, (key, words) in enumerate(chosen.items(), 1):
        for row, word in enumerate(words, 1):
            hidden.cell(row=row, column=at, value=word)
        if not words:
            continue
        letter = get_column_letter(at)
        rule = DataValidation(
            type="list", formula1=f"={_CHOICES}!${letter}$1:${letter}${len(words)}", allow_blank=True,
            showErrorMessage=key in ("town", "category", "special_period"),
        )  # fmt: skip
        rule.error = "请从列表中选择"
        sheet.add_data_validation(rule)
        where = get_column_letter(keys.index(key) + 1)
        rule.add(f"{where}2:{where}{_LONGEST_ROW}")
    code = get_column_letter(keys.index("code") + 1)
    long = DataValidation(type="textLength", operator="equal", formula1="18", allow_blank=True, showErrorMessage=True)
    long.error = "统一社会信用代码为18位"
    sheet.add_data_validation(long)
    long.add(f"{code}2:{code}{_LONGEST_ROW}")
    amount = DataValidation(type="decimal", operator="greaterThanOrEqual", formula1="0", showErrorMessage=True)
    amount.error = "请填写不小于0的数"
    sheet.add_data_validation(amount)
    for key in keys:
        if is_amount(key):
            letter = get_column_letter(keys.index(key) + 1)
            amount.add(f"{letter}2:{letter}{_LONGEST_ROW}")


def _guide(book: Any, keys: Sequence[str]) -> None:
    guide = book.create_sheet(_GUIDE)
    guide.append(["列", "怎么填"])
    for key in keys:
        guide.append([HEADINGS[key], GUIDE.get(key, _AMOUNT)])
    guide.append(["示例", "第一行为虚构样例，填写时请删去。底色为黄的列必填。公式不计算，请填数值。"])
    guide.column_dimensions["A"].width = 26
    guide.column_dimensions["B"].width = 90
    for row in guide.iter_rows(min_row=2, min_col=2, max_col=2):
        row[0].alignment = Alignment(wrap_text=True)


_SAMPLE: Final[Mapping[str, str | float]] = {
    "name": "样例砖厂",
    "code": "91000000MA0000001R",
    "industry": "砖瓦窑",
    "grade": "C",
    "category": "一般",
    "line": "1号窑",
    "devices": "隧道窑1座",
    "baseline": 12,
    "baseline_unit": "万块/日",
    "baseline_period": "2026-10-01至2026-10-31",
    "baseline_source": "企业台账",
    "yellow": "进窑砖坯减少50%",
    "orange": "停1号窑（共2座）",
    "red": "停产",
    "contact": "样例甲",
    "role": "厂长",
    "phone": "00059990001",
    "note": "虚构样例",
}


def _saved(book: Any) -> bytes:
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


