"""What stands where in a paper: values into the strings a template sets; nothing here is taken for markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from emergency.domain.boards import LEVELS, Board, EnterprisePlan, Hotline, Step
from emergency.domain.level import Level
from emergency.domain.reduction.entries import Baseline, Caller, Line
from emergency.papers import words
from emergency.papers.words import Both, at, known, label

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f‎‏‪-‮⁦-⁩]")
_UNBROKEN: Final = re.compile(r"([!-~]{20})(?=[!-~])")  # a run without a blank would run out of its cell
_NO_SPACE: Final = "\u200b"
_COLOURS: Final = {  # of the band, and of the words on it
    Level.YELLOW: ("#f2c100", "#16202a"), Level.ORANGE: ("#c2500b", "#ffffff"), Level.RED: ("#b3261e", "#ffffff"),
}  # fmt: skip


@dataclass(frozen=True)
class Ground:
    """
    What papers are made with: names of sectors by key, names of grading schemes by id, where to complain.

    ``label`` and ``origin`` mark papers of a replay; ``lang``: zh or en.
    """

    sectors: Mapping[str, Both] = field(default_factory=dict)
    schemes: Mapping[str, str] = field(default_factory=dict)
    complaints: Hotline | None = None
    label: str = ""
    origin: str = ""
    lang: str = "zh"

    def say(self, key: str) -> str:
        """A label in the paper's language."""
        return label(key, self.lang)

    def or_unknown(self, said: str) -> str:
        """What was said, or that nobody has said it."""
        return plain(said) or at(words.UNKNOWN, self.lang)


def plain(said: str) -> str:
    """Words from outside as one line: no control characters, and a place to break in what has none."""
    return _UNBROKEN.sub(rf"\1{_NO_SPACE}", _CONTROL.sub("", re.sub(r"\s+", " ", said)).strip())


def frame(ground: Ground) -> dict[str, Any]:
    """What every paper has: its language, its mark, the words of its foot."""
    return {
        "lang": ground.lang,
        "label": plain(ground.label),
        "origin": plain(ground.origin),
        "page": ground.say("page").split("{0}")[0],
        "of": ground.say("page").split("{0}")[1].split("{1}")[0],
        "last": ground.say("page").split("{1}")[1],
    }


def board(one: Board, ground: Ground, *, address: str, code: str) -> dict[str, Any]:
    """A sign-board; ``address``: where it is checked, ``code``: the same as an SVG picture."""
    return {
        "title": ground.say("board"),
        "name": plain(one.recipient.name),
        "facts": facts(one, ground),
        "levels": [_level(one, level, ground) for level in LEVELS],
        "sample": ground.say("sample") if one.recipient.sample else "",
        "counts_from": ground.say("counts_from"),
        "complaints": [ground.say("complaints"), *_complaints(ground)],
        "scan": ground.say("scan"),
        "address": plain(address),
        "code": code,
        "version": _version(one, ground),
    }


def plan(one: EnterprisePlan, ground: Ground, *, address: str, code: str, drawn: date) -> dict[str, Any]:
    """A response plan."""
    its = one.board
    return {
        "title": ground.say("plan"),
        "kind": ground.say("one_plant"),
        "name": plain(its.recipient.name),
        "sample": ground.say("sample") if its.recipient.sample else "",
        "scan": ground.say("scan"),
        "address": plain(address),
        "code": code,
        "cover": [[ground.say("listing"), _version(its, ground)], [ground.say("drawn"), drawn.isoformat()]],
        "binds": ground.say("binds"),
        "basics": [ground.say("basics"), [*facts(its, ground), *_more_facts(one, ground)]],
        "lines": _lines(one.lines, ground),
        "measures": ground.say("measures"),
        "heads": [
            ground.say(key) for key in ("line", "measure", "quantity", "starts", "check", "who")
        ],
        "levels": [_planned(one, level, ground) for level in LEVELS],
        "counts_from": ground.say("counts_from"),
        "answers": [ground.say("answers"), _answers(one, ground)],
        "contacts": _contacts(one.callers, ground),
        "complaints": [ground.say("complaints"), *_complaints(ground)],
    }


def facts(one: Board, ground: Ground) -> list[list[str]]:
    """What a board says of the enterprise itself, each with its label."""
    recipient, who = one.recipient, one.responsible
    town = one.town.name_en if ground.lang == "en" and one.town.name_en else one.town.name
    sector = ground.sectors.get(recipient.sector)
    said = {
        "code": recipient.credit_code,
        "grade": _grade(one, ground),
        "category": known(words.CATEGORIES, recipient.category.value, ground.lang),
        "sector": at(sector, ground.lang) if sector else recipient.sector,
        "town": town,
        "address": " · ".join(filter(None, (one.site, one.address))),
        "responsible": f"{who.name}（{who.role}）" if who and who.role else who.name if who else "",
        "phone": who.phone if who else "",
        "tracker": recipient.tracker,
        "listing": _listed(one),
    }
    return [[ground.say(key), ground.or_unknown(words_)] for key, words_ in said.items()]


def _grade(one: Board, ground: Ground) -> str:
    found = known(words.GRADES, one.recipient.grade, ground.lang)
    if not one.recipient.grade:
        return found
    local = ("local " if ground.lang == "en" else "地方 ") if one.local else ""
    scheme = ground.schemes.get(one.scheme, one.scheme)
    return f"{local}{found}（{scheme}）" if scheme else f"{local}{found}"


def _version(one: Board, ground: Ground) -> str:
    return ground.or_unknown(_listed(one))


def _listed(one: Board) -> str:
    return " · ".join(filter(None, (one.listing_name, one.valid_from.isoformat() if one.valid_from else "")))


def _complaints(ground: Ground) -> list[str]:
    one = ground.complaints
    return [plain(one.name), plain(one.phone)] if one else ["", at(words.UNKNOWN, ground.lang)]


def _level(one: Board, level: Level, ground: Ground) -> dict[str, Any]:
    steps = (one.steps[level] or ()) if one.ordered else ()
    return {
        **_head(level, ground),
        "none": _none(one, level, ground),
        "steps": [[_line(each), _text(each, ground), _when(each, ground)] for each in steps],
    }


def _head(level: Level, ground: Ground) -> dict[str, str]:
    fill, ink = _COLOURS[level]
    return {"word": at(words.LEVELS[level], ground.lang), "fill": fill, "ink": ink}


def _none(one: Board, level: Level, ground: Ground) -> str:
    """Why a level is empty: the plant gets no orders, or nobody has said what it does."""
    if not one.ordered and any(one.steps.values()):
        return ground.say("no_order")
    return "" if one.steps[level] else at(words.UNKNOWN, ground.lang)


def _line(one: Step) -> str:
    return plain(one.line)


def _text(one: Step, ground: Ground) -> str:
    return plain(one.text_en if ground.lang == "en" and one.text_en else one.text)


def _when(one: Step, ground: Ground) -> str:
    starts = words.starts(one.after_min, ground.lang)
    return starts if one.force == "mandatory" else f"{starts} · {known(words.FORCES, one.force, ground.lang)}"


def _more_facts(one: EnterprisePlan, ground: Ground) -> list[list[str]]:
    place = "" if one.longitude is None or one.latitude is None else f"{one.longitude:.5f}, {one.latitude:.5f}"
    special = "" if one.special_period is None else ground.say("yes" if one.special_period else "no")
    said = {"permit": one.permit, "special_period": special, "place": place, "note": one.note}
    return [[ground.say(key), ground.or_unknown(words_)] for key, words_ in said.items()]


def _lines(some: Sequence[Line], ground: Ground) -> dict[str, Any]:
    heads = ("line", "devices", "outlets", "meters", "baseline", "period", "source", "emitted")
    rows = [
        [
            ground.or_unknown(said)
            for said in (
                one.name, one.devices, one.outlets, one.meters, _amount(one.baseline),
                one.baseline.period if one.baseline else "", one.baseline.source if one.baseline else "",
                _amounts(one.emitted, ground),
            )
        ]
        for one in some
    ]  # fmt: skip
    return {
        "title": ground.say("lines"),
        "heads": [ground.say(key) for key in heads],
        "rows": rows,
        "none": "" if rows else ground.say("no_lines"),
    }


def _amount(one: Baseline | None) -> str:
    return "" if one is None else f"{one.value:g} {one.unit}".strip()


def _amounts(some: Mapping[str, float], ground: Ground) -> str:
    return " ".join(f"{known(words.POLLUTANTS, key, ground.lang)} {value:g}" for key, value in some.items())


def _planned(one: EnterprisePlan, level: Level, ground: Ground) -> dict[str, Any]:
    its, who = one.board, one.board.responsible
    steps = (its.steps[level] or ()) if its.ordered else ()
    cuts: dict[str, float] = {}
    for line in one.lines:
        for key, value in line.cuts.get(level.word, {}).items():
            cuts[key] = cuts.get(key, 0.0) + value
    return {
        **_head(level, ground),
        "none": _none(its, level, ground),
        "rows": [
            [
                _line(each) or ground.say("whole") if one.lines else at(words.UNKNOWN, ground.lang),
                _text(each, ground),
                plain(_figures(each, ground)),
                _when(each, ground),
                ground.or_unknown(known(words.CHECKS, each.check, ground.lang)),
                ground.or_unknown(who.name if who else ""),
            ]
            for each in steps
        ],
        "cuts": f"{ground.say('cuts')}：{ground.or_unknown(_amounts(cuts, ground))}" if its.ordered else "",
    }


def _figures(one: Step, ground: Ground) -> str:
    found = [words.quantity(each, ground.lang) for clause in one.read for each in clause.quantities]
    return "；".join(found) or ground.say("by_words")


def _answers(one: EnterprisePlan, ground: Ground) -> list[list[str]]:
    asked: Iterable[tuple[str, str, int | None]] = zip(
        ("ack", "start", "settle"), ("from_issue", "from_start", "from_start"), one.answers, strict=True
    )
    return [
        [
            ground.say(key),
            at(words.UNKNOWN, ground.lang)
            if minutes is None
            else ground.say(since).format(words.span(minutes, ground.lang)),
        ]
        for key, since, minutes in asked
    ]


def _contacts(some: Sequence[Caller], ground: Ground) -> dict[str, Any]:
    return {
        "title": ground.say("contacts"),
        "heads": [ground.say(key) for key in ("order", "person", "role", "phone", "hours")],
        "rows": [
            [
                str(n), ground.or_unknown(one.name), ground.or_unknown(one.role), ground.or_unknown(one.phone),
                plain(one.hours) or ground.say("any_hour"),
            ]
            for n, one in enumerate(some, 1)
        ],
        "none": "" if some else at(words.UNKNOWN, ground.lang),
    }  # fmt: skip
