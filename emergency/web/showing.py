"""How things are said on a page: moments, lengths of time, levels, counts, and the house's words for its states."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from flask import Flask, g
from markupsafe import Markup

from emergency.clock import SHANGHAI
from emergency.domain.level import Level
from emergency.errors import Refused
from emergency.web.access import the_system
from emergency.web.words import N_, _, lang

SHAPES: Final = {Level.NONE: "○", Level.BLUE: "◆", Level.YELLOW: "▲", Level.ORANGE: "▲▲", Level.RED: "▲▲▲"}
COLOURS: Final = {
    Level.NONE: N_("无预警"),
    Level.BLUE: N_("蓝色"),
    Level.YELLOW: N_("黄色"),
    Level.ORANGE: N_("橙色"),
    Level.RED: N_("红色"),
}
ROMAN: Final = {1: "Ⅰ", 2: "Ⅱ", 3: "Ⅲ", 4: "Ⅳ"}

# AQI categories of HJ 633-2012 and HJ 633-2026, annex A: the highest index of each, its class here, its name
CATEGORIES: Final = (
    (50, "a1", N_("优")),
    (100, "a2", N_("良")),
    (150, "a3", N_("轻度污染")),
    (200, "a4", N_("中度污染")),
    (300, "a5", N_("重度污染")),
    (10_000, "a6", N_("严重污染")),
)

# every list of words: its name, then code → Chinese
WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "phase": {
        "opening": N_("研判中"),
        "active": N_("响应中"),
        "released": N_("已解除"),
        "withdrawn": N_("已撤回"),
        "dismissed": N_("未启动"),
        "closed": N_("已归档"),
    },
    "move": {
        "appeal": N_("发出倡议"),
        "activate": N_("启动"),
        "upgrade": N_("升级"),
        "downgrade": N_("降级"),
        "extend": N_("延长"),
        "amend": N_("更正"),
        "release": N_("解除"),
        "withdraw": N_("撤回"),
        "dismiss": N_("不启动"),
        "reopen": N_("重新启动"),
        "close": N_("归档"),
    },
    "standing": {
        "suggested": N_("系统建议"),
        "proposed": N_("待审批"),
        "approved": N_("已签发"),
        "rejected": N_("已退回"),
        "lapsed": N_("已过期"),
        "superseded": N_("已被取代"),
    },
    # an order's way, furthest first; what stands apart comes last
    "bucket": {
        "in_place": N_("已落实"),
        "started": N_("已启动"),
        "acknowledged": N_("收到"),
        "delivered": N_("已送达"),
        "sent": N_("已送出"),
        "waiting": N_("待送出"),
        "silent": N_("未回应"),
        "declined": N_("无法执行"),
        "exempted": N_("已豁免"),
        "lifted": N_("已解除"),
        "withdrawn": N_("已撤回"),
        "resumed": N_("已恢复生产"),
    },
    "status": {
        "issued": N_("已下达"),
        "acknowledged": N_("收到"),
        "started": N_("已启动"),
        "in_place": N_("已落实"),
        "declined": N_("无法执行"),
        "exempted": N_("已豁免"),
        "lifted": N_("已解除"),
        "withdrawn": N_("已撤回"),
        "resumed": N_("已恢复生产"),
    },
    "action": {
        "acknowledge": N_("收到"),
        "start": N_("已启动"),
        "settle": N_("已落实"),
        "decline": N_("无法执行"),
        "exempt": N_("同意豁免"),
        "uphold": N_("维持指令"),
        "resume": N_("已恢复生产"),
    },
    "message": {
        "ready": N_("待送出"),
        "sending": N_("送出中"),
        "sent": N_("已送出"),
        "delivered": N_("已送达"),
        "failed": N_("送出失败"),
        "cancelled": N_("已取消"),
    },
    "kind": {
        "order": N_("应急指令"),
        "revision": N_("指令调整"),
        "reissue": N_("重新下达"),
        "information": N_("级别告知"),
        "reminder": N_("催办"),
        "escalation": N_("升级告知"),
        "lifting": N_("解除通知"),
        "withdrawal": N_("撤回通知"),
        "proposal": N_("待审批提醒"),
        "task": N_("任务提醒"),
        "alarm": N_("系统告警"),
    },
    "outcome": {
        "sent": N_("网关已接收"),
        "later": N_("稍后重试"),
        "never": N_("号码或内容被拒"),
        "uncertain": N_("结果不明"),
        "fault": N_("通道故障"),
    },
    "role": {
        "duty_officer": N_("值班员"),
        "approver": N_("审批人"),
        "inspector": N_("督查人员"),
        "reviewer": N_("评估人员"),
        "admin": N_("系统管理员"),
        "unit": N_("成员单位"),
        "enterprise": N_("企业"),
    },
    "recipient": {"enterprise": N_("企业"), "unit": N_("成员单位"), "town": N_("镇"), "district": N_("县区")},
    "category": {
        "listed": N_("一般企业"),
        "guaranteed": N_("保障类"),
        "key_works": N_("重点工程"),
        "small_micro": N_("小微涉气"),
        "construction_site": N_("施工工地"),
        "long_stopped": N_("长期停产"),
        "unit": N_("成员单位"),
    },
    "force": {"mandatory": N_("强制"), "voluntary": N_("倡议"), "health": N_("健康防护")},
    "via": {
        "phone": N_("手机链接"),
        "link": N_("手机链接"),
        "portal": N_("企业端"),
        "desk": N_("值班员代录"),
        "api": N_("接口"),
    },
    "task": {"upward_report": N_("上报"), "relay": N_("转发"), "summary": N_("总结"), "ruling": N_("裁定")},
    "source": {"observed": N_("实况"), "forecast": N_("预报")},
    "cause": {
        "pm2_5": N_("细颗粒物"),
        "o3": N_("臭氧"),
        "sand_dust": N_("沙尘"),
        "wildfire": N_("山火"),
        "cross_border": N_("境外传输"),
        "fireworks": N_("烟花爆竹"),
    },
    "notice": {
        "number": N_("文号"),
        "issuer": N_("发布单位"),
        "legal_basis": N_("依据"),
        "level": N_("级别"),
        "area": N_("范围"),
        "reason": N_("原因"),
        "effective_at": N_("生效时间"),
        "expected_end_at": N_("预计结束时间"),
        "contact": N_("联系方式"),
    },
    "notify": {
        "recipient": N_("责任人"),
        "second_contact": N_("第二联系人"),
        "tracker": N_("跟踪单位"),
        "town": N_("镇街"),
        "district_duty": N_("区值班室"),
        "city_duty": N_("市值班室"),
    },
}


def said(words: str, code: object) -> str:
    """The word of that list for that code; a code the list does not know is shown as it is."""
    plain = getattr(code, "value", code)
    found = WORDS[words].get(str(plain))
    return _(found) if found else str(plain)


def refusal(error: Refused) -> str:
    """A refusal in the reader's language."""
    return str(error) if lang() == "en" and str(error) else error.zh


def now() -> datetime:
    """The civil moment this page is made at; one moment for the whole page."""
    if "now" not in g:
        g.now = the_system().clock.now()
    at: datetime = g.now
    return at


def local(at: datetime) -> datetime:
    """The moment as the wall clock in Liuzhou shows it."""
    return at.astimezone(SHANGHAI)


def clock_words(at: datetime, reference: datetime) -> str:
    """今天 18:00, 昨天 06:30, 11-23 18:00, or with its year when that is another."""
    here, there = local(at), local(reference)
    apart = (here.date() - there.date()).days
    hour = f"{here:%H:%M}"
    if apart in (-1, 0, 1):
        return f"{(_('昨天'), _('今天'), _('明天'))[apart + 1]} {hour}"
    return f"{here:%m-%d} {hour}" if here.year == there.year else f"{here:%Y-%m-%d} {hour}"


def moment(at: datetime | None, empty: str = "—") -> Markup:
    """A moment with its machine-readable form; an empty one says so."""
    if at is None:
        return Markup('<span class="none">{}</span>').format(empty)
    full = f"{local(at):%Y-%m-%d %H:%M:%S}"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(at.isoformat(), full, clock_words(at, now()))


def full_moment(at: datetime | None, empty: str = "—") -> str:
    """The moment with year and minute, for papers and files."""
    return empty if at is None else f"{local(at):%Y-%m-%d %H:%M}"


def day_words(on: date | str) -> str:
    """A calendar day as 11-23."""
    return f"{date.fromisoformat(on) if isinstance(on, str) else on:%m-%d}"


def length(span: timedelta | float) -> str:
    """A length of time in its two largest words: 2 天 4 小时, 42 分钟, 8 秒."""
    seconds = int(abs(span.total_seconds() if isinstance(span, timedelta) else span))
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    minutes = rest // 60
    if days:
        return _("%(n)d 天", n=days) + (" " + _("%(n)d 小时", n=hours) if hours else "")
    if hours:
        return _("%(n)d 小时", n=hours) + (" " + _("%(n)d 分钟", n=minutes) if minutes else "")
    return _("%(n)d 分钟", n=minutes) if minutes else _("%(n)d 秒", n=seconds)


def left(at: datetime) -> str:
    """还剩 42 分钟, or 已超 5 分钟."""
    span = at - now()
    return _("还剩 %(time)s", time=length(span)) if span > timedelta() else _("已超 %(time)s", time=length(span))


def ago(at: datetime | None) -> str:
    """How long since."""
    if at is None:
        return _("从未")
    span = now() - at
    return _("刚刚") if span < timedelta(seconds=5) else _("%(time)s前", time=length(span))


def level_word(level: Level | int | str) -> str:
    """黄色 ▲ Ⅲ级, for text without colour."""
    one = as_level(level)
    if one.response is None:
        return _(COLOURS[one])
    return f"{_(COLOURS[one])} {SHAPES[one]} {_('%(roman)s级', roman=ROMAN[one.response])}"


def as_level(level: Level | int | str) -> Level:
    """A level from its value, number or word."""
    if isinstance(level, Level):
        return level
    return Level.named(level) if isinstance(level, str) else Level(level)


def level_badge(level: Level | int | str, size: str = "") -> Markup:
    """The level as word, shape and colour together, never one of them alone."""
    one = as_level(level)
    rank = "" if one.response is None else _("%(roman)s级", roman=ROMAN[one.response])
    form = Markup('<span class="level level-{word} {size}"><i aria-hidden="true">{shape}</i> {name} {rank}</span>')
    return form.format(word=one.word, size=size, shape=SHAPES[one], name=_(COLOURS[one]), rank=rank)


def aqi_class(aqi: int) -> tuple[str, str]:
    """The class and the name of the AQI's category."""
    for most, name, words in CATEGORIES:
        if aqi <= most:
            return name, _(words)
    raise AssertionError("unreachable")


def swatch(aqi: int | None) -> Markup:
    """The AQI's category colour as a small square with its name beside; never confused with a warning's colour."""
    if aqi is None:
        return Markup('<span class="none">—</span>')
    name, words = aqi_class(aqi)
    return Markup('<span class="aqi"><i class="swatch {}" aria-hidden="true"></i>{}</span>').format(name, words)


def number(value: float | None, digits: int = 0) -> str:
    """A figure with its thousands apart."""
    return "—" if value is None else f"{value:,.{digits}f}"


def sentence(assessment: Mapping[str, Any]) -> str:
    """The assessment's one sentence in the reader's language."""
    return str(assessment.get(f"sentence_{lang()}") or assessment.get("sentence_zh") or "")


def nearest_words(nearest: object) -> str:
    """What is missing to the next higher level, in the reader's language; empty when there is no higher one."""
    if not isinstance(nearest, Mapping) or not nearest:
        return ""
    missing = nearest.get(f"missing_{lang()}") or nearest.get("missing") or ""
    return f"{level_word(str(nearest.get('level')))}：{missing}"


def set_up(app: Flask) -> None:
    """Put the words of this module in the templates' hands."""
    app.jinja_env.filters.update(
        moment=moment, full_moment=full_moment, day=day_words, length=length, left=left, ago=ago,
        level=level_badge, level_word=level_word, number=number, swatch=swatch, local=local,
    )  # fmt: skip
    app.jinja_env.globals.update(said=said, now=now, sentence=sentence, nearest_words=nearest_words, WORDS=WORDS)
