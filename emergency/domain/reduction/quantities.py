"""What a measure's words come to in figures: lines stopped, amounts and shares brought down, vehicles; or nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Final

from emergency.domain.reduction.refusals import Why
from emergency.domain.reduction.sheets import plain


class Kind(StrEnum):
    """In which way a measure is counted."""

    STOP = "stop"  # 停产: all of it, or ``named`` or ``count`` of ``of``
    BRING_DOWN = "bring_down"  # from → to in one unit
    CUT = "cut"  # by ``percent`` of the baseline
    AT_MOST = "at_most"  # not above ``to``
    BAN_VEHICLES = "ban_vehicles"  # emission stage ``stage`` and below
    VOLUNTARY = "voluntary"  # 自主减排: no figure is asked


class Confidence(StrEnum):
    """How sure the reading is; UNREAD wants a person."""

    SURE = "sure"  # every figure of the clause is accounted for, and the whole it is part of is named
    LIKELY = "likely"  # accounted for, but the whole or the thing it is taken from is not in the words
    UNREAD = "unread"


@dataclass(frozen=True)
class Quantity:
    """
    One measure in figures; what does not belong to its kind is None.

    ``percent``: of the baseline, that is cut (not that remains); ``at_least``: the figure is a floor (不低于);
    ``object``: the words for what is stopped or reduced; ``base``: those for what a share is taken from; ``stage``: 1
    to 6 for 国一 to 国六, banned with all below it.
    """

    kind: Kind
    object: str = ""
    base: str = ""
    count: int | None = None
    of: int | None = None
    named: tuple[int, ...] = ()
    start: float | None = None
    to: float | None = None
    unit: str = ""
    percent: float | None = None
    at_least: bool = False
    stage: int | None = None


@dataclass(frozen=True)
class Clause:
    """One clause of a measure as it was written, what was read of it, how surely, and why a person should look."""

    text: str
    quantities: tuple[Quantity, ...]
    confidence: Confidence
    why: Why | None = None
    about: tuple[str, ...] = ()


class _Quarrel(ValueError):  # noqa: N818 - of this module alone
    """The clause's own figures contradict each other."""


_N: Final = r"\d+(?:\.\d+)?"
_COUNT: Final = r"\d+|[一二两三四五六七八九十]{1,3}"
_PIECES: Final = "条|台|座|套|组|孔|个|部|炉"
_THINGS: Final = r"[一-鿿a-z]{0,12}?(?:线|窑|炉|磨|机|窑炉|设备|工序|生产线|锅炉|车间|烘房|喷房)"
_UNIT: Final = (
    r"(?:万块|万匹|万平方米|吨|公斤|千克|kg|立方米|m3|m³|方|千瓦时|kwh|万千瓦时|千瓦|kw|mw|块|炉|批次|批|车次|车|辆次|辆|t)"
    r"(?:/(?:日|天|d|h|小时|班|月))?"
)
_DIGITS: Final = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_STAGES: Final = {
    **{word: n for word, n in _DIGITS.items() if n <= 6}, "i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6,
    **{str(n): n for n in range(1, 7)},
}  # fmt: skip

_UNITS: Final = {
    "t": "吨", "kg": "千克", "公斤": "千克", "m3": "立方米", "m³": "立方米", "方": "立方米", "kwh": "千瓦时",
    "kw": "千瓦",
}  # fmt: skip

_CLAUSES: Final = re.compile(r"[;。\n]+|(?:(?<=^)|(?<=[;。\n]))\s*(?:\(?\d{1,2}\)|\d{1,2}[、.](?!\d)|[①-⑳])")
_DEPENDS: Final = re.compile(
    r"不停|不限产|除外|除.+外|或|视情况|视污染|原则上|适当|尽量|必要时|酌情|可停|可不|免于|豁免|不得停|左右|约\d|非停"
    r"|停产(?:时|期间|后|前)|恢复|错峰|夜间|白天|昼间|时段|轮流|轮停|交替|\d%?[-~—–至]\d+(?:\.\d+)?%"
    r"|^1、\d{1,2}[#号]"  # item 1 about line 2, or lines 1 and 2
)
_FROM_TO: Final = re.compile(
    rf"(?P<object>[一-鿿a-z]{{0,16}}?)(?:由|从)(?:原来?的?|正常的?|平时的?)?(?P<a>{_N})(?P<ua>{_UNIT})?"
    rf"(?:下?降低?|压?减少?|下?调整?|压缩|控制)(?:至|到|为)(?P<b>{_N})(?P<ub>{_UNIT})"
)
_CUT: Final = re.compile(
    r"(?P<object>[一-鿿a-z0-9#]{0,20}?)"
    r"(?:下调|调低|减少|降低|压减|削减|限产|限制生产|减产|下降|压降|限|降|减|(?<![\d%])[-−–])(?:负荷|产能|产量)?(?:比例)?(?:为)?"
    rf"(?P<least>不低于|不少于|至少|大于等于|≥|>=|达到?)?(?P<n>{_N})%(?P<above>以上|\(含\)以上)?"
)
_REMAINS: Final = re.compile(
    rf"(?P<object>[一-鿿a-z]{{0,20}}?)(?:下?降低?|压?减少?|下?调|限产|控制|压缩)(?:至|到|在)(?P<n>{_N})%(?:以内|以下)?"
)
_HALVED: Final = re.compile(r"(?P<object>[一-鿿a-z]{0,20}?)减半")
_AT_MOST: Final = re.compile(
    rf"(?P<object>[一-鿿a-z]{{0,20}}?)(?:不得?超过|不高于|不大于|≤|<=|控制在)(?P<n>{_N})(?P<unit>{_UNIT})(?:以内|以下)?"
)
_STOP_WORDS: Final = r"(?:停止(?:运行|使用|生产)?|停产|停用|停运|关停|停机|停窑|停炉|停)"
_NAMES: Final = r"\d{1,2}(?:[#号]?[、,和及与]\d{1,2})*"
_WHOLE_BEFORE: Final = rf"(?P<of>{_COUNT})(?:{_PIECES})(?P<object>{_THINGS})(?:中的?|,)?"
_STOP_NAMED: Final = re.compile(
    rf"(?:(?P<of>{_COUNT})(?:{_PIECES})(?:{_THINGS})?中的?)?(?:{_STOP_WORDS}(?P<names>{_NAMES})[#号](?P<object>{_THINGS})"
    rf"|(?P<names2>{_NAMES})[#号](?P<object2>{_THINGS}){_STOP_WORDS})"
)
_STOP_COUNTED: Final = re.compile(
    rf"(?:(?P<of>{_COUNT})(?:{_PIECES})(?P<whole>{_THINGS})(?:中的?|,)?)?{_STOP_WORDS}(?:其中的?)?(?P<n>{_COUNT})(?:{_PIECES})"
    rf"(?P<object>{_THINGS})?"
)
_STOP_OF: Final = re.compile(
    rf"{_STOP_WORDS}(?P<of>{_COUNT})(?:{_PIECES})(?P<object>{_THINGS})(?:中的?|里的?)(?P<n>{_COUNT})(?:{_PIECES})"
)
_OUT_OF: Final = re.compile(rf"\(?(?:共|总共|合计|现有|全厂共?)(?:有)?(?P<of>{_COUNT})(?:{_PIECES})(?:{_THINGS})?\)?")
_STOP_ALL: Final = re.compile(r"(?:全厂|全部|全线|企业|整厂|工地)*(?:停产|停工|停止生产|停止一切生产活动)")
_STOP_THING: Final = re.compile(
    r"(?:停止|暂停|停用|停运)(?P<object>[一-鿿a-z]{2,16}?(?:工序|作业|施工|设备|生产|环节|生产线|运输|线|窑|炉|磨|机))"
    r"|(?P<object2>[一-鿿a-z]{2,16}?(?:工序|作业|施工|设备|环节|生产线|线|窑|炉|磨|机))(?:全部)?(?:停止|停产|停运|停用|暂停)(?:运行|使用|生产)?"
)
_STAGE: Final = r"国(?P<stage>iii|ii|iv|vi|i|v|[一二三四五六1-6])(?:排放标准|标准|阶段)?"
_VEHICLES: Final = r"(?P<object>[一-鿿\-()]{0,16}?(?:货车|柴油车|卡车|机械|车)辆?)"
_BAN: Final = r"(?:禁止|停止|停用|禁用|不得|严禁|暂停|限制|不使用|禁行)"
_BAN_BELOW: Final = re.compile(
    rf"(?P<ban>{_BAN})?(?:使用|进出厂?|驶入)?{_STAGE}(?P<below>\(含\)以下|\(含\)及以下|及其?以下|以下){_VEHICLES}"
    rf"(?P<ban2>{_BAN})?(?:使用|进出厂?|运输|上路|通行|作业)?"
)
_ALLOW_FROM: Final = re.compile(
    rf"(?:只|仅|全部|必须|应)(?:允许|能|可|准)?(?:使用|采用)?{_STAGE}(?:\(含\))?及?以上{_VEHICLES}(?:运输|进出厂?|使用)?"
)
_VOLUNTARY: Final = re.compile(r"自主减排|自主采取减排措施|鼓励自主减排")


@lru_cache(maxsize=20_000)  # plants of one sector say the same
def read_measure(text: str) -> tuple[Clause, ...]:
    """
    The clauses of a measure with what each comes to; nothing is guessed.

    A clause is read only where each of its figures is accounted for, none contradicts another, and nothing in it makes
    it depend on a case («或», «除外», «视情况»); else its confidence is UNREAD and its ``why`` says what a person must
    settle.
    """
    return tuple(_clause(one) for one in _parted(text))


def _parted(text: str) -> Iterator[str]:
    rest = text.replace("；", ";").replace("\r", "\n")
    for one in _CLAUSES.split(rest):
        if one and (said := one.strip(" ,，、.;；。\t\n")):
            yield said


def _clause(text: str) -> Clause:
    said = plain(text).replace("，", ",")
    if found := _DEPENDS.search(said):
        return Clause(text, (), Confidence.UNREAD, Why.AMBIGUOUS_MEASURE, (found[0],))
    try:
        quantities, rest = _read(said)
    except _Quarrel as quarrel:
        return Clause(text, (), Confidence.UNREAD, Why.CONFLICTING_MEASURE, (str(quarrel),))
    if not quantities:
        return Clause(text, (), Confidence.UNREAD, Why.UNREAD_MEASURE)
    if left := re.search(rf"{_N}", rest):
        return Clause(text, (), Confidence.UNREAD, Why.PARTLY_READ_MEASURE, (left[0],))
    sure = all(_is_whole(one) for one in quantities)
    return Clause(text, tuple(quantities), Confidence.SURE if sure else Confidence.LIKELY)


def _is_whole(one: Quantity) -> bool:
    """Whether the words name all that the figure needs: its whole, its unit, its object."""
    match one.kind:
        case Kind.STOP:
            return one.of is not None or (one.count is None and not one.named and not one.object)
        case Kind.BRING_DOWN | Kind.BAN_VEHICLES:
            return True
        case Kind.CUT | Kind.AT_MOST:
            return bool(one.object)
        case Kind.VOLUNTARY:
            return True


def _read(said: str) -> tuple[list[Quantity], str]:
    """All quantities of the clause and what is left of it; each pattern takes its words away from the next."""
    found: list[Quantity] = []
    total: int | None = None
    rest = said
    if out_of := _OUT_OF.search(rest):
        total = _counted(out_of["of"])
        rest = rest[: out_of.start()] + "," + rest[out_of.end() :]
    for pattern, make in _PATTERNS:
        while hit := pattern.search(rest):
            found.append(make(hit))
            rest = rest[: hit.start()] + ";" + rest[hit.end() :]
    return list(_checked(found, total)), rest


def _checked(found: list[Quantity], total: int | None) -> Iterator[Quantity]:
    """The quantities with the whole they are part of; a share said beside two amounts only has to agree with them."""
    down = [one for one in found if one.kind is Kind.BRING_DOWN]
    stops = [one for one in found if one.kind is Kind.STOP and (one.count is not None)]
    if total is not None and len(stops) != 1:
        raise _Quarrel(f"{total}")
    for one in found:
        if one.kind is Kind.CUT and not one.object and len(down) == 1:
            _agree(down[0], one)
            continue
        if one.kind is Kind.STOP and one.count is not None:
            of = total if total is not None else one.of
            if one.of is not None and total is not None and one.of != total:
                raise _Quarrel(f"{one.of} ≠ {total}")
            if of is not None and (one.count > of or any(name > of for name in one.named)):
                raise _Quarrel(f"{max(one.count, *one.named, 0)} > {of}")
            yield replace(one, of=of)
            continue
        yield one


def _agree(down: Quantity, share: Quantity) -> None:
    assert down.start is not None
    assert down.to is not None
    assert share.percent is not None
    worked = 100 * (1 - down.to / down.start)
    if abs(worked - share.percent) > 1 and not (share.at_least and worked >= share.percent):
        raise _Quarrel(f"{down.start:g} → {down.to:g} = -{worked:.0f}% ≠ -{share.percent:g}%")


def _counted(said: str) -> int:
    """A count in digits or in Chinese up to 99."""
    if said.isdigit():
        return int(said)
    tens, ten, ones = said.rpartition("十")
    if ten:
        return (_DIGITS.get(tens, 1) if tens else 1) * 10 + (_DIGITS.get(ones, 0) if ones else 0)
    return _DIGITS[said[-1]]


def unit_of(said: str | None) -> str:
    """A unit as we write it: t and 吨 are one, and so are /d, /天 and /日; empty for none."""
    whole, stroke, per = (said or "").partition("/")
    return _UNITS.get(whole, whole) + stroke + {"d": "日", "天": "日", "h": "小时"}.get(per, per)


def _thing(said: str | None) -> str:
    return (said or "").strip(",;:的将把对使按较比()-")


def _bring_down(hit: re.Match[str]) -> Quantity:
    before, after = float(hit["a"]), float(hit["b"])
    first, last = unit_of(hit["ua"]) or unit_of(hit["ub"]), unit_of(hit["ub"])
    if first.partition("/")[0] != last.partition("/")[0] or ("/" in first and "/" in last and first != last):
        raise _Quarrel(f"{hit['ua']} ≠ {hit['ub']}")
    if after >= before:
        raise _Quarrel(f"{before:g} → {after:g}")
    return Quantity(Kind.BRING_DOWN, _thing(hit["object"]), start=before, to=after, unit=max(first, last, key=len))


def _share(percent: float) -> float:
    if not 0 < percent <= 100:
        raise _Quarrel(f"{percent:g}%")
    return percent


def _cut(hit: re.Match[str]) -> Quantity:
    least = hit["least"] not in (None, "达", "达到") or bool(hit["above"])
    return _less(hit, float(hit["n"]), at_least=least)


def _remains(hit: re.Match[str]) -> Quantity:
    return _less(hit, 100 - _share(float(hit["n"])))


def _halved(hit: re.Match[str]) -> Quantity:
    return _less(hit, 50.0)


def _less(hit: re.Match[str], percent: float, *, at_least: bool = False) -> Quantity:
    """A share of what stands before it: «生产负荷较预警前负荷» is the load, taken from the load before the warning."""
    what, _, base = re.sub("比(?!例)", "较", hit["object"]).partition("较")
    return Quantity(
        Kind.CUT, _thing(what), _thing(base), percent=_share(percent), unit="%", at_least=at_least
    )


def _at_most(hit: re.Match[str]) -> Quantity:
    return Quantity(Kind.AT_MOST, _thing(hit["object"]), to=float(hit["n"]), unit=unit_of(hit["unit"]))


def _stop_named(hit: re.Match[str]) -> Quantity:
    names = tuple(int(one) for one in re.findall(r"\d+", hit["names"] or hit["names2"]))
    of = _counted(hit["of"]) if hit["of"] else None
    thing = _thing(hit["object"] or hit["object2"])
    return Quantity(Kind.STOP, thing, count=len(set(names)), of=of, named=tuple(sorted(set(names))))


def _stop_counted(hit: re.Match[str]) -> Quantity:
    of = _counted(hit["of"]) if hit["of"] else None
    return Quantity(Kind.STOP, _thing(hit["object"] or hit["whole"]), count=_counted(hit["n"]), of=of)


def _stop_of(hit: re.Match[str]) -> Quantity:
    return Quantity(Kind.STOP, _thing(hit["object"]), count=_counted(hit["n"]), of=_counted(hit["of"]))


def _stop_all(_: re.Match[str]) -> Quantity:
    return Quantity(Kind.STOP)


def _stop_thing(hit: re.Match[str]) -> Quantity:
    return Quantity(Kind.STOP, _thing(hit["object"] or hit["object2"]))


def _ban_below(hit: re.Match[str]) -> Quantity:
    if not (hit["ban"] or hit["ban2"]):
        raise _Quarrel(hit[0])
    stage = _STAGES[hit["stage"]] - (hit["below"] == "以下")
    if stage < 1:
        raise _Quarrel(hit[0])
    return Quantity(Kind.BAN_VEHICLES, _thing(hit["object"]), stage=stage)


def _allow_from(hit: re.Match[str]) -> Quantity:
    stage = _STAGES[hit["stage"]] - 1
    if stage < 1:
        raise _Quarrel(hit[0])
    return Quantity(Kind.BAN_VEHICLES, _thing(hit["object"]), stage=stage)


def _voluntary(_: re.Match[str]) -> Quantity:
    return Quantity(Kind.VOLUNTARY)


_PATTERNS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Quantity]], ...]] = (
    (_VOLUNTARY, _voluntary),
    (_ALLOW_FROM, _allow_from),
    (_BAN_BELOW, _ban_below),
    (_FROM_TO, _bring_down),
    (_REMAINS, _remains),
    (_CUT, _cut),
    (_HALVED, _halved),
    (_AT_MOST, _at_most),
    (_STOP_NAMED, _stop_named),
    (_STOP_OF, _stop_of),
    (_STOP_COUNTED, _stop_counted),
    (_STOP_THING, _stop_thing),
    (_STOP_ALL, _stop_all),
)
