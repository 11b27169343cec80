"""What share of a line's emission a measure takes away, as far as its words say; nothing is guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from emergency.domain.reduction.entries import Line
from emergency.domain.reduction.quantities import Clause, Confidence, Kind, Quantity, read_measure, unit_of
from emergency.domain.reduction.sheets import plain


class Way(StrEnum):
    """How a cut in kg/d came about, the surest first."""

    STATED = "stated"  # the list gives the amount itself
    STOPPED = "stopped"  # the whole line stops, and its emission with it
    LOAD = "load"  # its load goes down by a share, and the emission is taken to go down by the same
    EVEN = "even"  # so many of so many stop, and they are taken to be alike


class Gap(StrEnum):
    """Why a measure's cut is not counted."""

    NOT_IN_LIST = "not_in_list"  # the list has no measure; that of the sector applies
    UNREAD = "unread"  # part of the words came to no figure, and may bear on the rest
    VOLUNTARY = "voluntary"  # 自主减排: no figure is asked
    VEHICLES = "vehicles"  # what vehicles and machines emit is not in the list
    PART_UNKNOWN = "part_unknown"  # which share of the line this is, the list does not say
    SEVERAL = "several"  # several cuts at once come to no one share
    NO_BASELINE = "no_baseline"  # «not above» so much, without a baseline in the same unit
    WHOSE = "whose"  # whether the emission is this line's or that of all of them, the list does not say
    NO_EMISSION = "no_emission"  # no normal emission is given
    POOLED = "pooled"  # one emission is given for several lines that do not cut alike
    TOO_MUCH = "too_much"  # the list states a cut above the normal emission


@dataclass(frozen=True)
class Share:
    """``portion``: how much of the line's normal emission goes, 0 to 1."""

    portion: float
    way: Way


_ALL: Final = re.compile(r"(?:全厂|全部|全线|企业|整厂|工地|该企业|生产线)*(?:停产|停工|停止生产|停止一切生产活动)")
_LOAD: Final = re.compile(r"负荷|产量|产能|生产(?!用)|投料|喂料|进料|给料|入料|砖坯|进窑|入窑|炉次|批次")
_NOT_LOAD: Final = re.compile(r"车|运输|用水|洒水")
_LOAD_UNITS: Final = frozenset(
    {"吨", "千克", "立方米", "块", "万块", "万匹", "万平方米", "炉", "批", "批次", "千瓦", "千瓦时", "万千瓦时", "mw"}
)
_ENDINGS: Final = re.compile(r"(?:工序|作业|生产线|环节|设备|线)+$")
_LINES: Final = frozenset({"", "线", "产线", "生产线"})
_SEVERAL_THINGS: Final = re.compile(r"[、,;]|和|及|与")


def share_of(line: Line, text: str, *, alone: bool) -> Share | Gap:
    """
    The share of the line's normal emission that this measure takes away; or why nobody can say.

    A share of the load is taken for the same share of the emission, and one of three for a third, because that is how
    a list is drawn up (可操作、可监测、可核查: «停3条中的1条»); the way is told, so that a reader can set it apart. A
    clause that came to no figure leaves all of the measure out: it may take back what another says. ``alone``: the
    enterprise has no other line, so that an emission beside a line's number may be that of all of them.
    """
    clauses = read_measure(text)
    if not clauses or any(one.confidence is Confidence.UNREAD for one in clauses):
        return Gap.UNREAD
    every = [(clause, one) for clause in clauses for one in clause.quantities]
    if any(_stops_all(clause, one) for clause, one in every):
        return Share(1.0, Way.STOPPED)
    some = [(clause, one) for clause, one in every if one.kind not in (Kind.BAN_VEHICLES, Kind.VOLUNTARY)]
    if not some:
        return Gap.VOLUNTARY if any(one.kind is Kind.VOLUNTARY for _, one in every) else Gap.VEHICLES
    if len(some) > 1:
        return Gap.SEVERAL
    ((clause, one),) = some
    match one.kind:
        case Kind.STOP:
            return _stopped(line, one, alone=alone)
        case Kind.CUT:
            assert one.percent is not None
            words = one.object or (plain(clause.text) if len(clause.quantities) == 1 else "")
            return Share(one.percent / 100, Way.LOAD) if _is_load(words) else Gap.PART_UNKNOWN
        case _:
            return _brought_down(line, one)


def _stops_all(clause: Clause, one: Quantity) -> bool:
    """Whether the words say all of it and nothing but: in «二车间停产» another word stands before the stop."""
    whole = one.kind is Kind.STOP and one.count is None and not one.object
    return whole and _ALL.fullmatch(plain(clause.text)) is not None


def _is_load(words: str) -> bool:
    """Whether this is what goes through the line, or comes out of it: not its vehicles, not its water."""
    return bool(re.search(r"限产|减产|限制生产", words) or _LOAD.search(words)) and not _NOT_LOAD.search(words)


def _stopped(line: Line, one: Quantity, *, alone: bool) -> Share | Gap:
    if one.count is None:
        return Share(1.0, Way.STOPPED) if one.object and _same(line.name, one.object) else Gap.PART_UNKNOWN
    number = _number(line.name)
    if one.named and number is not None and _belongs(line.name, one.object):
        if alone and one.of not in (None, 1):
            return Gap.WHOSE
        return Share(1.0 if number in one.named else 0.0, Way.STOPPED)
    known = one.object and (_belongs(line.name, one.object) or _one_thing(line.devices, one.object))
    if one.of is None or not known:  # «停2台（共4台）»: of what, it does not say
        return Gap.PART_UNKNOWN
    return Share(one.count / one.of, Way.STOPPED if one.count == one.of else Way.EVEN)


def _same(name: str, thing: str) -> bool:
    ours, theirs = _ENDINGS.sub("", plain(name)), _ENDINGS.sub("", plain(thing))
    return bool(ours) and ours == theirs


def _number(name: str) -> int | None:
    """The one number in a line's name: 2 in «2#磨»; None where there is none, or more than one."""
    found = re.findall(r"\d+", plain(name))
    return int(found[0]) if len(found) == 1 else None


def _belongs(name: str, thing: str) -> bool:
    return plain(thing) in _LINES or plain(thing) in plain(name)


def _one_thing(devices: str, thing: str) -> bool:
    """Whether the devices are of this one kind alone: «隧道窑2座», and no crusher beside them."""
    said = plain(devices)
    return bool(thing) and plain(thing) in said and not _SEVERAL_THINGS.search(said)


def _brought_down(line: Line, one: Quantity) -> Share | Gap:
    """From the recorded baseline in the same unit, else from the amount the words begin with."""
    assert one.to is not None
    base, unit = line.baseline, unit_of(one.unit)
    if unit.partition("/")[0] not in _LOAD_UNITS or (one.object and not _is_load(one.object)):
        return Gap.PART_UNKNOWN
    start = one.start
    if base is not None and unit_of(plain(base.unit)) == unit and base.value > 0:
        start = base.value
    if start is None:
        return Gap.NO_BASELINE
    return Share(max(0.0, 1 - one.to / start), Way.LOAD)
