"""Which column holds what: headings of one to three rows, merged or not, as bureaus word them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from emergency.domain.reduction.sheets import Row, Sheet, plain, text_of

LEVELS: Final = ("yellow", "orange", "red")
POLLUTANTS: Final = ("so2", "nox", "pm", "vocs")
POLLUTANT_WORDS: Final = {"so2": "SO2", "nox": "NOx", "pm": "颗粒物", "vocs": "VOCs"}
LEVEL_WORDS: Final = {"yellow": "黄色", "orange": "橙色", "red": "红色"}
_TITLE_ROWS: Final = 15  # a heading stands within the first so many filled rows
_TALLEST: Final = 3  # rows of one heading

HEADINGS: Final[Mapping[str, str]] = {
    "number": "序号",
    "district": "县（市、区）",
    "town": "乡镇",
    "name": "企业名称",
    "site": "厂区",
    "code": "统一社会信用代码",
    "address": "详细地址",
    "longitude": "经度",
    "latitude": "纬度",
    "industry": "行业",
    "scheme": "绩效分级版本",
    "grade": "绩效等级",
    "category": "企业类别",
    "permit": "排污许可证编号",
    "special_period": "许可证载明特殊时段要求",
    "line": "生产线（工序）",
    "devices": "主要设备",
    "outlets": "排放口编号",
    "meters": "电表编号",
    "baseline": "基准值",
    "baseline_unit": "基准单位",
    "baseline_period": "基准时段",
    "baseline_source": "基准来源",
    **{level: f"{word}预警减排措施" for level, word in LEVEL_WORDS.items()},
    **{f"emitted_{one}": f"{word}正常排放量（kg/d）" for one, word in POLLUTANT_WORDS.items()},
    **{
        f"cut_{level}_{one}": f"{said}预警{word}减排量（kg/d）"
        for level, said in LEVEL_WORDS.items()
        for one, word in POLLUTANT_WORDS.items()
    },
    "contact": "联系人",
    "role": "职务",
    "phone": "联系电话",
    "duty_contact": "值班联系人",
    "duty_phone": "值班电话",
    "duty_hours": "值班时段",
    "tracker": "跟踪落实单位",
    "note": "备注",
}
"""Our word for a column, and the heading it has in what we write; what others call it is in :data:`_CALLED`."""

_CALLED: Final[Mapping[str, tuple[str, ...]]] = {
    "number": ("序号", "编号", "no", "no."),
    "district": ("县(市、区)", "县市区", "区县", "县区", "所在区县", "所属区县", "县", "区"),
    "town": ("乡镇", "所在乡镇", "所属乡镇", "乡镇街道", "乡(镇)", "镇", "所在镇", "属地", "属地乡镇"),
    "name": ("企业名称", "单位名称", "名称", "企业", "项目名称", "工地名称", "企业全称", "排污单位名称"),
    "site": ("厂区", "厂区名称", "分厂", "生产地点"),
    "code": ("统一社会信用代码", "社会信用代码", "信用代码", "统一信用代码", "组织机构代码"),
    "address": ("详细地址", "地址", "企业地址", "生产地址", "所在地"),
    "longitude": ("经度", "东经", "中心经度", "lon", "longitude"),
    "latitude": ("纬度", "北纬", "中心纬度", "lat", "latitude"),
    "industry": ("行业", "行业类型", "所属行业", "行业类别", "行业名称", "指南行业", "涉及行业", "绩效分级行业"),
    "scheme": ("绩效分级版本", "分级指南", "分级版本"),
    "grade": ("绩效等级", "绩效分级", "绩效级别", "等级", "分级", "绩效评级", "绩效分级结果", "级别"),
    "category": ("企业类别", "管控类别", "类别", "企业类型", "管控类型", "清单类别"),
    "permit": ("排污许可证编号", "排污许可证号", "许可证编号", "排污许可编号", "排污许可证"),
    "special_period": ("许可证载明特殊时段要求", "特殊时段要求", "是否载明特殊时段", "许可证特殊时段要求", "特殊时段"),
    "line": ("生产线", "生产线名称", "工序", "生产工序", "产线", "生产线/工序", "生产线(工序)", "工序名称", "涉气工序"),
    "devices": ("主要设备", "生产设备", "设备", "主要生产设备", "设备名称"),
    "outlets": ("排放口编号", "排放口", "排口编号", "排污口编号"),
    "meters": ("电表编号", "电表", "电表号", "用电户号"),
    "baseline": ("基准值", "基准负荷", "正常日产量", "日均产量", "基准产量"),
    "baseline_unit": ("基准单位", "产量单位", "单位"),
    "baseline_period": ("基准时段", "基准期"),
    "baseline_source": ("基准来源", "数据来源"),
    "contact": ("联系人", "负责人", "企业联系人", "环保负责人", "联系人姓名", "企业负责人", "责任人"),
    "role": ("职务", "联系人职务"),
    "phone": ("联系电话", "电话", "手机", "手机号", "手机号码", "联系方式", "联系人电话", "负责人电话"),
    "duty_contact": ("值班联系人", "24小时联系人", "值班人员"),
    "duty_phone": ("值班电话", "24小时电话", "24小时联系电话", "24小时值班电话"),
    "duty_hours": ("值班时段", "联系时段"),
    "tracker": ("跟踪落实单位", "监管单位", "责任单位", "跟踪单位", "监管部门", "行业主管部门"),
    "note": ("备注", "说明", "备注说明"),
}
_BY_NAME: Final = {plain(said): key for key, some in _CALLED.items() for said in some}
_LEVELS: Final = (
    ("yellow", re.compile(r"黄|(?<!i)iii级|三级")),
    ("orange", re.compile(r"橙|(?<!i)ii级|二级")),
    ("red", re.compile(r"红|(?<!i)i级|一级")),
)
_POLLUTANTS: Final = (
    ("so2", re.compile(r"so2|二氧化硫")),
    ("nox", re.compile(r"nox|氮氧化物")),
    ("vocs", re.compile(r"vocs?|挥发性有机物")),
    ("pm", re.compile(r"pm|颗粒物|烟粉尘|烟尘|粉尘")),
)
_BRACKETS: Final = re.compile(r"\([^()]*\)")
_SHARES: Final = re.compile(r"比例|占比|%|合计|小计")


@dataclass(frozen=True)
class Heading:
    """Where the table of a sheet begins: our word for each column, what it is called there, and its first row."""

    columns: Mapping[int, str]  # column → our word; one we do not know is not in it
    called: Mapping[int, str]  # column → the heading as written, its rows joined
    below: int  # index of the first row under the heading

    def place(self, column: int) -> str:
        """What the heading says of this column."""
        return self.called.get(column, "")


def is_amount(key: str) -> bool:
    """Whether a number stands under this heading, and no words."""
    return key == "baseline" or key.startswith(("emitted_", "cut_"))


def known_as(heading: str) -> str:
    """Our word for a heading; empty where we have none."""
    said = plain(heading).strip("*:")
    bare = _BRACKETS.sub("", said).strip("*:") or said
    found = _BY_NAME.get(said) or _BY_NAME.get(bare)
    if found:
        return found
    level = next((key for key, words in _LEVELS if words.search(said)), "")
    pollutant = next((key for key, words in _POLLUTANTS if words.search(bare)), "")
    if _SHARES.search(said):
        return ""
    if level and pollutant:
        return f"cut_{level}_{pollutant}"
    if level:
        return "" if "减排量" in said else level
    return f"emitted_{pollutant}" if pollutant and "排放量" in bare and "减" not in bare else ""


def heading_of(sheet: Sheet) -> Heading | None:
    """
    The heading that names most columns, of the fewest rows; None where the sheet has no table of enterprises.

    A group's word over several columns («应急减排措施» over 黄色, 橙色, 红色) is read with what stands below it.
    """
    best: Heading | None = None
    for height in range(1, _TALLEST + 1):
        for start in range(min(_TITLE_ROWS, len(sheet.rows) - height + 1)):
            found = _read(sheet.rows[start : start + height], start + height)
            if _is_a_list(found) and (best is None or len(found.columns) > len(best.columns)):
                best = found
    return best


def _read(rows: Sequence[Row], below: int) -> Heading:
    columns: dict[int, str] = {}
    called: dict[int, str] = {}
    for column in sorted({at for row in rows for at in row.cells}):
        parts = list(_parts(rows, column))
        ends = ["".join(parts[at:]) for at in range(len(parts))]
        key = next((key for said in ends if (key := known_as(said))), "")
        called[column] = next((said for said in reversed(ends) if key and known_as(said) == key), "".join(parts))
        if key and key not in columns.values():
            columns[column] = key
    return Heading(columns, called, below)


def _parts(rows: Sequence[Row], column: int) -> Iterator[str]:
    """What stands over this column, from the top; a word merged downward is said once."""
    last = ""
    for row in rows:
        said = text_of(row.cells.get(column))
        if said and said != last:
            yield said
            last = said


def _is_a_list(found: Heading) -> bool:
    """Whether it names enterprises and something of what they are or do."""
    keys = set(found.columns.values())
    return "name" in keys and bool(keys & {"code", "industry", "grade", *LEVELS}) and len(keys) >= 3
