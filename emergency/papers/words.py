"""The words of papers, Chinese and English: labels, categories, checks, starts, and quantities as people say them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from emergency.domain.level import Level
from emergency.domain.reduction.quantities import Kind, Quantity

Both = tuple[str, str]

UNKNOWN: Final[Both] = ("未填报", "not given")
LABELS: Final[Mapping[str, Both]] = {
    "board": ("重污染天气应急减排公示牌", "Heavy-pollution emergency sign-board"),
    "plan": ("重污染天气应急响应操作方案", "Heavy-pollution emergency response plan"),
    "one_plant": ("一厂一策", "One enterprise, one plan"),
    "name": ("企业名称", "Enterprise"),
    "code": ("统一社会信用代码", "Credit code"),
    "grade": ("绩效等级", "Performance grade"),
    "category": ("企业类别", "Category"),
    "sector": ("行业", "Sector"),
    "address": ("生产地址", "Site"),
    "town": ("所在镇（街道）", "Town"),
    "responsible": ("应急责任人", "Responsible"),
    "phone": ("联系电话", "Telephone"),
    "tracker": ("跟踪落实单位", "Tracked by"),
    "listing": ("减排清单", "Reduction list"),
    "sample": ("样例数据，不是真实企业", "Sample data, not a real enterprise"),
    "counts_from": (
        "各级别措施分别列全；时限自该级别预警生效时起算。",
        "Each level's measures are listed whole; times count from the hour that level takes effect.",
    ),
    "scan": ("扫码核验本牌是否现行", "Scan to check that this board is current"),
    "complaints": ("投诉举报", "Complaints"),
    "no_order": ("长期停产，不下达减排指令", "Long stopped: gets no orders"),
    "page": ("第 {0} 页，共 {1} 页", "page {0} of {1}"),
    "basics": ("基本情况", "The enterprise"),
    "lines": ("生产线与基准", "Process lines and baselines"),
    "line": ("生产线（工序）", "Process line"),
    "devices": ("主要设备", "Devices"),
    "outlets": ("排放口", "Outlets"),
    "meters": ("电表", "Meters"),
    "baseline": ("基准值", "Baseline"),
    "period": ("基准时段", "Period"),
    "source": ("基准来源", "Source"),
    "emitted": ("正常排放量（kg/d）", "Emitted (kg/d)"),
    "measures": ("分级减排措施", "Measures by level"),
    "measure": ("减排措施", "Measure"),
    "quantity": ("定量", "In figures"),
    "starts": ("起始时限", "Starts"),
    "check": ("核查方式", "Check"),
    "who": ("责任人", "Responsible"),
    "cuts": ("本级减排量（kg/d）", "Cut at this level (kg/d)"),
    "contacts": ("联系人", "Contacts"),
    "order": ("顺序", "Order"),
    "person": ("姓名", "Name"),
    "role": ("职务", "Role"),
    "hours": ("时段", "Hours"),
    "any_hour": ("全天", "any time"),
    "permit": ("排污许可证编号", "Discharge permit"),
    "special_period": ("许可证载明特殊时段要求", "Permit carries the special-period clause"),
    "place": ("经纬度", "Longitude, latitude"),
    "note": ("备注", "Note"),
    "answers": ("接到指令后", "When an order comes"),
    "ack": ("答复「收到」", "Answer “received”"),
    "start": ("答复「已启动」", "Answer “started”"),
    "settle": ("答复「已落实」", "Answer “in place”"),
    "from_issue": ("指令下达后 {0}内", "within {0} of the order"),
    "from_start": ("措施起始时限后 {0}内", "within {0} of the measure's start"),
    "by_words": ("以文字为准", "as worded"),
    "whole": ("全厂", "whole plant"),
    "yes": ("是", "yes"),
    "no": ("否", "no"),
    "drawn": ("编制日期", "Drawn up on"),
    "no_lines": (
        "清单没有列出生产线，产能、设备和基准值未填报。",
        "The list names no process line: capacity, devices and baseline are not given.",
    ),
    "binds": (
        "本方案据减排清单和行业措施生成；预警期间以应急指令为准。",
        "Made from the reduction list and the sector's measures; in a warning the order itself counts.",
    ),
}
CATEGORIES: Final[Mapping[str, Both]] = {
    "listed": ("一般企业", "Ordinary"),
    "guaranteed": ("保障类", "Guaranteed supply"),
    "key_works": ("重点工程", "Key works"),
    "small_micro": ("小微涉气", "Small and micro"),
    "construction_site": ("施工工地", "Construction site"),
    "long_stopped": ("长期停产", "Long stopped"),
    "unit": ("成员单位", "Member unit"),
}
CHECKS: Final[Mapping[str, Both]] = {
    "stopped_by_deadline": ("按时停产", "Stopped in time"),
    "energy_cut": ("用电量下降", "Power down"),
    "treatment_on": ("治污设施同步运行", "Treatment running"),
    "cems_below_idle": ("在线监测低于停产水平", "CEMS below the idle mark"),
    "trucks_by_stage": ("门禁按排放阶段放行", "Gate by emission stage"),
    "photo_in_window": ("限时现场照片", "Photo in time"),
    "daily_report": ("日报", "Daily report"),
}
FORCES: Final[Mapping[str, Both]] = {
    "mandatory": ("强制", "Mandatory"), "voluntary": ("倡议", "Voluntary"), "health": ("健康防护", "Health"),
}  # fmt: skip
GRADES: Final[Mapping[str, Both]] = {
    "leading": ("引领性", "Leading"), "non_leading": ("非引领性", "Non-leading"), "": UNKNOWN,
}  # fmt: skip
POLLUTANTS: Final[Mapping[str, Both]] = {
    "so2": ("SO₂", "SO₂"), "nox": ("NOₓ", "NOₓ"), "pm": ("颗粒物", "PM"), "vocs": ("VOCs", "VOCs"),
}  # fmt: skip
LEVELS: Final[Mapping[Level, Both]] = {
    Level.YELLOW: ("黄色预警 ▲ Ⅲ级响应", "Yellow ▲ response III"),
    Level.ORANGE: ("橙色预警 ▲▲ Ⅱ级响应", "Orange ▲▲ response II"),
    Level.RED: ("红色预警 ▲▲▲ Ⅰ级响应", "Red ▲▲▲ response I"),
}
_STAGES: Final = ("", "一", "二", "三", "四", "五", "六")


def at(both: Both, lang: str) -> str:
    """One of the two."""
    return both[1 if lang == "en" else 0]


def label(key: str, lang: str) -> str:
    """A label of the papers."""
    return at(LABELS[key], lang)


def known(table: Mapping[str, Both], key: str, lang: str) -> str:
    """A code in words; one the table does not have stays as it is."""
    return at(table[key], lang) if key in table else key


def span(minutes: int, lang: str) -> str:
    """A span of time: «90 分钟», «2 小时», «1 小时 15 分钟»."""
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} {'h' if lang == 'en' else '小时'}"] if hours else []
    if rest or not hours:
        parts.append(f"{rest} {'min' if lang == 'en' else '分钟'}")
    return " ".join(parts)


def starts(after_min: int, lang: str) -> str:
    """By when a measure is to hold, counted from the level's effect."""
    if not after_min:
        return "from the hour of effect" if lang == "en" else "预警生效时起"
    return f"within {span(after_min, lang)} of effect" if lang == "en" else f"生效后 {span(after_min, lang)}内"


def quantity(one: Quantity, lang: str) -> str:
    """A quantity in figures and as few words as can be."""
    english = lang == "en"
    match one.kind:
        case Kind.STOP if one.named:
            names = "、".join(f"{n}#" for n in one.named)
            return _of(f"{'stop' if english else '停'} {names} {one.object}".strip(), one.of, english=english)
        case Kind.STOP if one.count is not None:
            return _of(f"{'stop' if english else '停'} {one.count} {one.object}".strip(), one.of, english=english)
        case Kind.STOP:
            whole = "stop the whole plant" if english else "全厂停产"
            return f"{'stop' if english else '停'} {one.object}" if one.object else whole
        case Kind.BRING_DOWN if one.start is not None and one.to is not None:
            return f"{one.start:g} → {one.to:g} {one.unit}（−{100 * (1 - one.to / one.start):.0f}%）"
        case Kind.CUT if one.percent is not None:
            return f"{one.object} {'≥' if one.at_least else ''}−{one.percent:g}%".strip()
        case Kind.AT_MOST if one.to is not None:
            return f"{one.object} ≤ {one.to:g} {one.unit}".strip()
        case Kind.BAN_VEHICLES if one.stage is not None:
            return f"no National {one.stage} or older" if english else f"禁用国{_STAGES[one.stage]}及以下"
        case _:
            return "voluntary, no figure" if english else "自主减排，不定量"


def _of(said: str, of: int | None, *, english: bool) -> str:
    if of is None:
        return said
    return f"{said} of {of}" if english else f"{said}（共 {of}）"
