"""How things are said on a page: moments, lengths of time, levels, counts, and the house's words for its states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask, g, request, url_for
from markupsafe import Markup

from emergency.clock import SHANGHAI
from emergency.domain.episode import Episode, Phase
from emergency.domain.level import Level
from emergency.domain.messages import PORTAL
from emergency.domain.people import Area, NotAllowed
from emergency.errors import Refused
from emergency.plans.measures import load_sectors
from emergency.services import counting
from emergency.services.chasing import LADDER_ROLES, NOBODY
from emergency.services.reaching import ALARM
from emergency.web.access import the_system
from emergency.web.vocabulary import ALARMS, CATEGORIES, COLOURS, ROMAN, SHAPES, WORDS
from emergency.web.words import _, lang


def said(words: str, code: object) -> str:
    """The word of that list for that code; a code the list does not know is shown as it is."""
    plain = getattr(code, "value", code)
    found = WORDS[words].get(str(plain))
    return _(found) if found else str(plain)


def phase_word(episode: Episode) -> str:
    """The phase of an episode; a release that is signed for later is not yet one."""
    if episode.phase is Phase.RELEASED and episode.released_at is not None and episode.released_at > now():
        return _("已签发解除，待生效")
    return said("phase", episode.phase)


@cache
def _sectors(folder: Path) -> Mapping[str, tuple[str, str]]:
    return {key: (one.name, one.name_en) for key, one in load_sectors(folder).items()}


def sector(key: str) -> str:
    """The sector's name as its playbook has it; one without a playbook is shown by its key."""
    found = _sectors(the_system().settings.playbooks / "measures").get(key)
    return key if found is None else found[1 if lang() == "en" else 0]


def area_name(one: Area) -> str:
    """The area's name in the reader's language."""
    return one.name_en if lang() == "en" and one.name_en else one.name


def refusal(error: Refused) -> str:
    """A refusal in the reader's language."""
    return str(error) if lang() == "en" and str(error) else error.zh


def status_of(error: Refused) -> int:
    """The HTTP status of a refusal: 403 where the person may not, 422 where the thing may not."""
    return 403 if isinstance(error, NotAllowed) else 422


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


def length_of(value: Sized | timedelta | float) -> int | str:
    """The length of a list as its count, of a time in words: templates ask both by the one name."""
    return len(value) if isinstance(value, Sized) else length(value)


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


def nearest_words(assessment: Mapping[str, Any]) -> str:
    """What is missing to the next higher level; empty when nothing is higher or the sentence says it already."""
    nearest = assessment.get("nearest") or {}
    if not nearest.get("level"):
        return ""
    missing = str((lang() == "en" and nearest.get("missing_en")) or nearest.get("missing") or "")
    return "" if not missing or missing in sentence(assessment) else f"{level_word(str(nearest['level']))}：{missing}"


def stamp(said_at: str | None) -> Markup:
    """A moment kept as ISO text in JSON."""
    return moment(datetime.fromisoformat(said_at) if said_at else None)


def masked(number_or_name: str) -> str:
    """A telephone number with its middle hidden: enough to tell two apart, too little to copy; or the portal."""
    if number_or_name.startswith(f"{PORTAL}:"):
        return _("单位账号")
    return number_or_name if len(number_or_name) < 8 else f"{number_or_name[:3]}****{number_or_name[-4:]}"


def here(**changes: object) -> str:
    """The address of this page with some of its questions changed; None drops one."""
    kept = {name: value for name, value in request.args.items() if name not in changes}
    asked = {**kept, **{name: str(value) for name, value in changes.items() if value is not None}}
    return f"{request.path}?{urlencode(asked)}" if asked else request.path


_NAMED = frozenset({"feed", "silent", "late", "unattended", "unproved", counting.ALARM})  # their words name one


def alarm(name: str, areas: Mapping[str, Area]) -> str:
    """An alarm in words, from its name: what kind it is, and of whom or where."""
    kind, _sep, rest = name.partition(":")
    words = ALARMS.get(kind)
    if words is None:
        return name
    if kind != NOBODY:
        return f"{_(words)} {rest if kind in _NAMED else ''}".strip()
    role, _sep, area = rest.partition(":")
    whom = said("notify" if role in WORDS["notify"] else "role", role)
    where = area_name(areas[area]) if area in areas else area
    return f"{_(words)} {whom} · {where}"


def alarm_link(name: str) -> str:
    """Where somebody goes about an alarm: the orders of its episode, the page of feeds; empty where there is none."""
    kind, _sep, rest = name.partition(":")
    if kind in ("unissued", "unordered", "unnoticed", "repaired", "steps", "unlifted"):
        return url_for("ordering.orders", episode=rest.partition(":")[0])
    if kind == "unreached":
        return url_for("reaching.reach", area=rest)
    if kind == NOBODY and rest.partition(":")[0] in LADDER_ROLES:
        return url_for("reaching.reach", area=rest.partition(":")[2])
    return url_for("console.feeds") if kind in ("feed", "silent", "late") else ""


def alarm_detail(name: str, detail: str) -> str:
    """What an alarm says besides its words; empty where the words, or in English the page behind them, say it all."""
    kind = name.partition(":")[0]
    return "" if kind == NOBODY or (kind in (ALARM, counting.ALARM) and lang() != "zh") else detail


def alarm_groups(
    alarms: Sequence[tuple[str, str, datetime]], areas: Mapping[str, Area]
) -> list[tuple[str, int, datetime]]:
    """Alarms of one kind told once: in words (its own when it is the only one), how many, since when the first."""
    found: dict[str, list[tuple[str, datetime]]] = {}
    for name, _detail, since in alarms:
        found.setdefault(name.partition(":")[0], []).append((name, since))
    return [
        (_(ALARMS[kind]) if len(some) > 1 and kind in ALARMS else alarm(some[0][0], areas), len(some), some[0][1])
        for kind, some in found.items()
    ]


def set_up(app: Flask) -> None:
    """Put the words of this module in the templates' hands."""
    app.jinja_env.filters.update(
        moment=moment, full_moment=full_moment, day=day_words, length=length_of, left=left, ago=ago,
        level=level_badge, level_word=level_word, number=number, swatch=swatch, local=local, stamp=stamp, masked=masked,
    )  # fmt: skip
    app.jinja_env.globals.update(
        said=said, phase_word=phase_word, now=now, sentence=sentence, sector=sector, area_name=area_name,
        nearest_words=nearest_words, full_moment=full_moment, WORDS=WORDS, here=here, alarm=alarm,
        alarm_link=alarm_link, alarm_groups=alarm_groups, alarm_detail=alarm_detail,
    )  # fmt: skip
