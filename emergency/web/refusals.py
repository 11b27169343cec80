"""Why a record of a feed was not taken, in Chinese: the notes are kept in English beside the record."""

from __future__ import annotations

import re
from typing import Final

from emergency.web.words import lang

REASONS: Final = {
    "no index can be had from these pollutants alone": "仅凭这些污染物得不出 AQI",
    "a US sub-index, no concentration: it cannot be turned into the Chinese index": "是美国分指数，不能换算为我国 AQI",
    "a concentration is never negative": "浓度不能为负",
    "a document type is not taken": "含有 DOCTYPE 或实体声明，不予读取",
    "a filled cell below row (.+)": "第 {0} 行以下仍有内容，超出一份预报的篇幅",
    "a formula is not worked out: put its value there": "是公式，系统不计算公式，请改填数值",
    "a list was expected here": "此处应为列表",
    "a station without a code": "站点没有编码",
    "a workbook with macros: save it as .xlsx": "工作簿含有宏，请另存为 .xlsx",
    "a second row for the same figure": "同一项目出现两行，后一行未采用",
    "above (.+): a sign for «no value», or another unit": "大于 {0}，应为缺测标记或单位有误",
    "an .xls or a workbook with a password: save it as .xlsx without one": "旧版 .xls 或加密工作簿，请另存为 .xlsx",
    "an archive with a password": "加密的压缩包",
    "an archive, but no XLSX workbook": "是压缩包，但不是 XLSX 工作簿",
    "an index is a whole number": "AQI 应为整数",
    "an index runs from 1 to (.+)": "AQI 应在 1 至 {0} 之间",
    "an object was expected here": "此处应为对象",
    "an object with avg.chn was expected here": "此处应为含 avg.chn 的对象",
    "another heading than (.+)": "表头应为 {0}",
    "another unit than µg/m³": "单位不是 µg/m³",
    "beyond reason: (.+)": "结构异常，无法读取（{0}）",
    "binary, not text": "是二进制内容，不是文本",
    "cut or damaged: no XLSX workbook": "文件不完整或已损坏，不是 XLSX 工作簿",
    "elements inside elements without end": "XML 层层嵌套，不予读取",
    "far from today, (.+)": "与今天（{0}）相差过远",
    "holds no record": "没有任何记录",
    "holds no (.+)": "没有 {0}",
    "hours are of no use without their offset": "缺少时区，无法使用逐小时数据",
    "in the future": "晚于当前时间",
    "its days are not Beijing's days": "日期不是北京时间的日期",
    "marked as not published": "标记为未发布",
    "more than (.+) MB when unpacked": "解压后超过 {0} MB",
    "more than (.+) cells": "超过 {0} 个单元格",
    "more than (.+) parts inside": "内含文件超过 {0} 个",
    "neither UTF-8 nor GB 18030": "既不是 UTF-8 也不是 GB 18030 编码",
    "no band of the index is called so": "没有这个空气质量等级",
    "no cause we know; taken as pm2_5": "成因无法识别，按细颗粒物处理",
    "no column aqi": "缺少 AQI 列",
    "no column day": "缺少日期列",
    "no pollutant has the (.+) hours a daily mean needs": "没有一项污染物满足日均值所需的 {0} 小时",
    "no pollutant of the index": "不是 AQI 的污染物",
    "no pollutant we know": "污染物无法识别",
    "no sheet has a heading with a day and an index, and rows below it": "没有工作表含日期和 AQI 的表头及数据行",
    "no station of this area": "没有本地的站点",
    "no station#hour below (.+) with its three figures": "应为“站点#小时”（小于 {0}）及三个数值",
    "no unit of mass we know": "不是可识别的质量浓度单位",
    r"no workbook that could be read \((.+)\)": "工作簿无法读取（{0}）",
    "not CSV: (.+)": "不是有效的 CSV（{0}）",
    "not JSON: (.+)": "不是有效的 JSON（{0}）",
    "not UTF-8": "不是 UTF-8 编码",
    "not XML: (.+)": "不是有效的 XML（{0}）",
    "not a day like 2026-01-10": "不是日期，应如 2026-01-10 或 1月10日",
    "not a finite number": "不是有限的数",
    "not a number": "不是数字",
    "not all of its (.+) hours": "不足 {0} 小时",
    "not an hour like 2026-01-10T05:00": "不是时刻，应如 2026-01-10T05:00",
    "not an instant": "不是时间",
    "nothing was measured": "没有监测值",
    "out of order": "时间顺序有误",
    "out of order: (.+) stood before it": "日期顺序有误，前面已有 {0}",
    "the US index, not the Chinese one": "美国 AQI，不是我国 AQI",
    "the index is missing": "缺少 AQI",
    "the index lies outside its own range; the range is not taken": "AQI 不在其范围之内，范围未采用",
    "the last day it speaks of is past": "最后一天已过",
    "the last hour it speaks of is past": "最后一小时已过",
    "the message is empty": "内容为空",
    "the provider refuses the question": "数据提供方拒绝了请求",
    "the range runs backwards": "范围的下限大于上限",
    "the station stands twice: the first was taken": "站点重复出现，采用第一条",
    "too old to be taken for news": "时间过早，不作为新预报",
    "two parts of one name inside": "内含重名的文件",
    r"days: (\S+) has aqi (\d+), and (\d+) by its own six concentrations \((.+)\)": (
        "{0} 的 AQI 为 {1}，而按其六项浓度（{3}）应为 {2}，相互矛盾，未采用"
    ),
    r"(\S+) cells under (\S+) headings": "{1} 列表头下只有 {0} 个单元格",
    "(.+) hours but another number of values": "数值个数与 {0} 个小时不符",
    "an HTML page, not JSON": "是网页，不是 JSON",
    "markup, not JSON": "是标记文本，不是 JSON",
}
_PATTERNS: Final = [(re.compile(said), zh) for said, zh in REASONS.items()]


def because(reason: str) -> str:
    """The reason in the reader's language; one we have no Chinese for stays as it was kept."""
    if lang() == "en":
        return reason
    for pattern, zh in _PATTERNS:
        if found := pattern.fullmatch(reason):
            return zh.format(*found.groups())
    return reason
