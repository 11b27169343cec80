"""What the pages of reduction lists say of a refusal, a change and a quantity, in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from emergency.domain.reduction.refusals import Refusal, Why
from emergency.domain.reduction.versions import Stand
from emergency.web.words import N_, _, lang

REASONS: Final[Mapping[Why, str]] = {
    Why.FORMULA: "是公式，系统不计算公式，请改填数值",
    Why.NO_NAME: "缺少企业名称",
    Why.NO_CODE: "缺少统一社会信用代码",
    Why.CODE_LENGTH: "统一社会信用代码应为18位，此处{0}位",
    Why.CODE_LETTERS: "统一社会信用代码中不会出现“{0}”",
    Why.CODE_DIGIT: "校验码不符，按GB 32100应为“{0}”",
    Why.CODE_ROUNDED: "数字已被表格软件取整，请按文本填写",
    Why.TWO_NAMES: "与“{0}”的信用代码相同",
    Why.TWO_CODES: "同名企业另有信用代码{0}",
    Why.OTHER_AREA: "属于{0}，本清单是{1}的",
    Why.NO_TOWN: "缺少乡镇",
    Why.UNKNOWN_TOWN: "{0}没有这个乡镇",
    Why.NO_INDUSTRY: "缺少行业",
    Why.NOTHING_TO_DO: "各级别都没有措施，该行业也没有现成的措施",
    Why.UNKNOWN_CATEGORY: "没有这个企业类别",
    Why.UNKNOWN_GRADE: "{0}没有这个绩效等级",
    Why.UNKNOWN_SCHEME: "没有这个绩效分级版本",
    Why.NOT_A_PHONE: "不是电话号码",
    Why.NO_PHONE: "没有可联系的电话",
    Why.NOT_A_NUMBER: "不是数字",
    Why.NEGATIVE: "数量不能为负",
    Why.NOT_A_COORDINATE: "不是以度表示的经纬度",
    Why.HALF_A_PLACE: "经度和纬度须同时填写",
    Why.SWAPPED: "经度和纬度填反了",
    Why.OUTSIDE: "不在{0}范围内（{1}至{2}）",
    Why.NOT_YES_OR_NO: "请填“是”或“否”",
    Why.CONTRADICTS: "同一企业另一行写的是“{0}”",
    Why.UNREAD_MEASURE: "读不出数量",
    Why.AMBIGUOUS_MEASURE: "视条件而定（“{0}”），不能换算成数量",
    Why.PARTLY_READ_MEASURE: "其中的数“{0}”没有读懂",
    Why.CONFLICTING_MEASURE: "数字互相矛盾：{0}",
    Why.UNKNOWN_INDUSTRY: "没有该行业的现成措施，以清单中的措施为准",
    Why.UNKNOWN_TRACKER: "没有这个单位，届时无人跟踪落实",
    Why.NO_BASELINE: "按比例减产，但没有基准值",
    Why.LEVEL_MISSING: "本级别没有措施，沿用下一级别的",
}
STANDS: Final[Mapping[Stand, str]] = {
    Stand.DRAFT: N_("待复核"),
    Stand.CONFIRMED: N_("已确认，待启用"),
    Stand.IN_FORCE: N_("现行"),
    Stand.PAST: N_("已被替代"),
    Stand.DROPPED: N_("已作废"),
}
CHANGES: Final[Mapping[str, str]] = {
    "name": N_("名称"),
    "area": N_("乡镇"),
    "sector": N_("行业"),
    "grade": N_("绩效等级"),
    "credit_code": N_("统一社会信用代码"),
    "tracker": N_("跟踪落实单位"),
    "note": N_("备注"),
    "category": N_("企业类别"),
    "special_period": N_("许可证载明特殊时段要求"),
    "contacts": N_("联系人"),
    "measures.yellow": N_("黄色预警措施"),
    "measures.orange": N_("橙色预警措施"),
    "measures.red": N_("红色预警措施"),
}


def why(told: Refusal) -> str:
    """The reason in the reader's language."""
    return told.reason if lang() == "en" else REASONS[told.why].format(*told.about)


def stand_word(stand: Stand) -> str:
    """Where a version stands, in the reader's language."""
    return _(STANDS[stand])


def change_word(what: str) -> str:
    """What changes for an enterprise, in the reader's language."""
    return _(CHANGES[what])
