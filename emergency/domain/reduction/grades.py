"""Performance grades (绩效分级) by the scheme that gave them, with the prefixes a list writes before them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from emergency.domain.orders import Category
from emergency.domain.reduction.refusals import Unfit, Why
from emergency.domain.reduction.sheets import is_nothing, plain

_PREFIXES: Final = (
    (re.compile(r"民生豁免|民生保障|保障民生|保障类|民生"), Category.GUARANTEED),
    (re.compile(r"重点工程|重点项目"), Category.KEY_WORKS),
    (re.compile(r"小微涉气|小微"), Category.SMALL_MICRO),
    (re.compile(r"长期停产|停产企业|已停产"), Category.LONG_STOPPED),
)
_LOCAL: Final = re.compile(r"地方|省级|自治区")
_UNGRADED: Final = frozenset({"", "未评级", "未定级", "不参评", "不评级", "其他", "未分级", "不参与绩效分级"})
_LEADING: Final = {"引领性": "leading", "引领": "leading", "非引领性": "non_leading", "非引领": "non_leading"}


@dataclass(frozen=True)
class Scheme:
    """One edition of the grading rules: the grades it has, best first, and from when it counts."""

    id: str
    name: str
    since: date
    grades: tuple[str, ...]


@dataclass(frozen=True)
class Grade:
    """
    A grade as its scheme has it; empty where the enterprise has none.

    ``local``: given under a province's own guide and not the national one. ``category``: what a prefix says of how the
    list treats the enterprise, None where there was no prefix.
    """

    letter: str
    scheme: str
    local: bool = False
    category: Category | None = None


UNGRADED: Final = Grade("", "")


def scheme_of(schemes: Sequence[Scheme], said: object, *, on: date) -> Scheme:
    """
    The scheme a cell names by its id or name; where it names none, the newest in force on the day, before the first
    (in a replay of older air) the first.

    :raises Unfit: there is no such scheme
    """
    wanted = plain(said)
    for one in schemes:
        if wanted and wanted in (plain(one.id), plain(one.name)):
            return one
    if wanted:
        raise Unfit(Why.UNKNOWN_SCHEME)
    by_age = sorted(schemes, key=lambda one: one.since)
    return next((one for one in reversed(by_age) if one.since <= on), by_age[0])


def graded(value: object, scheme: Scheme) -> Grade:
    """
    The grade a cell gives: «民生豁免-B», «地方A», «长期停产», «B-级», «非引领性企业».

    :raises Unfit: the scheme has no such grade
    """
    said = "" if is_nothing(value) else plain(value)
    category: Category | None = None
    for words, meant in _PREFIXES:
        if words.search(said):
            category, said = category or meant, words.sub("", said)
    local = bool(_LOCAL.search(said))
    said = re.sub(r"[()·:_—]|企业|类", "", _LOCAL.sub("", said)).lstrip("-/、,")
    if said in _UNGRADED:
        return Grade("", "", local, category)
    said = said.replace("级", "")
    letter = _LEADING.get(said, said.upper())
    if letter not in scheme.grades:
        raise Unfit(Why.UNKNOWN_GRADE, scheme.name)
    return Grade(letter, scheme.id, local, category)


def weakest(some: Sequence[Grade], schemes: Mapping[str, Scheme]) -> Grade:
    """An enterprise graded in several industries has the lowest of its grades; an ungraded line says nothing."""
    known = [one for one in some if one.letter]
    if not known:
        return some[0] if some else UNGRADED
    return max(known, key=lambda one: schemes[one.scheme].grades.index(one.letter))
