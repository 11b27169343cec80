"""What people read: notices from playbooks/wording, filled with plain values and never with anything that runs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import Field

from emergency.clock import SHANGHAI
from emergency.domain.level import Level
from emergency.errors import Misconfigured
from emergency.plans.reading import Sheet, read_yaml

LANGS = ("zh", "en")

_HEADER = re.compile(r"#\s*(at most|fields):\s*(.*?)\s*$")
_DECLARED = re.compile(r"([a-z][a-z_]*)(\?)? ([0-9]+)")
_PLACE = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"[a-z][a-z_]*")

Text = Annotated[str, Field(min_length=1)]


class _Both(Sheet):
    """One thing said in both languages."""

    zh: Text
    en: Text

    def said(self, lang: str) -> str:
        return self.zh if lang == "zh" else self.en


class _Words(Sheet):
    levels: Mapping[str, _Both]
    moves: Mapping[str, _Both]
    tasks: Mapping[str, _Both]
    banners: Mapping[str, str]
    instant: _Both
    dated_instant: _Both
    until: _Both
    open_ended: _Both
    nothing: _Both
    item: _Both
    between: _Both
    in_all: _Both
    moved: _Both
    going_on: _Both
    starting: _Both
    papers: Mapping[str, _Both]


@dataclass(frozen=True)
class Slot:
    """One field of a notice: how many characters it may fill, and whether it may stay blank."""

    name: str
    room: int
    may_be_blank: bool = False


@dataclass(frozen=True)
class Template:
    """One notice in one language, parsed: literal texts and the slots between them."""

    name: str
    lang: str
    path: Path
    slots: Mapping[str, Slot]
    pieces: tuple[str | Slot, ...]
    longest: int  # characters: the literal text and every slot full

    @cached_property
    def pattern(self) -> str:
        """The notice as ``str.format_map`` takes it."""
        said = (one.replace("{", "{{").replace("}", "}}") if isinstance(one, str) else f"{{{one.name}}}"
                for one in self.pieces)  # fmt: skip
        return "".join(said)

    @cached_property
    def closed(self) -> Mapping[str, str]:
        """The slots the notice itself closes with a full stop, and that stop: a value that is a sentence has one."""
        return {
            slot.name: text[0]
            for slot, text in pairwise(self.pieces)
            if isinstance(slot, Slot) and isinstance(text, str) and text[0] in _STOPS
        }

    @cached_property
    def needed(self) -> tuple[str, ...]:
        """The slots that may not stay blank."""
        return tuple(one.name for one in self.slots.values() if not one.may_be_blank)


class Wording:
    """Every notice in every language, and the words for levels, moves and times that go into them."""

    def __init__(self, notices: Mapping[tuple[str, str], Template], words: _Words) -> None:
        self._notices = notices
        self._words = words
        # ten thousand orders of one decision carry a dozen lists of measures and two instants
        self._list, self._moment = lru_cache(maxsize=2048)(self._listed), lru_cache(maxsize=512)(self._told)
        self._later, self._end = lru_cache(maxsize=2048)(self._starting), lru_cache(maxsize=512)(self._until)

    @property
    def names(self) -> tuple[str, ...]:
        """The notices there are, in the order of the alphabet."""
        return tuple(sorted({name for name, _ in self._notices}))

    def template(self, name: str, lang: str) -> Template:
        """
        The notice as parsed, for those who want to know its slots.

        :raises Misconfigured: there is no such notice in this language
        """
        try:
            return self._notices[name, lang]
        except KeyError:
            raise Misconfigured(f"there is no notice {name!r} in language {lang!r}") from None

    def fill(self, name: str, lang: str, **fields: str | int) -> str:
        """
        The notice with its fields as plain text.

        A value is one line: control characters, line ends and invisible marks become blanks or go, and what is longer
        than its slot ends in «…»; a full stop at its end goes where the notice puts one. Braces, percent signs and
        angle brackets in a value mean nothing and stay as they are; whoever puts the text on a page escapes it there.

        :raises Misconfigured: no such notice, a field too many, a field missing, or one blank that may not be
        """
        notice = self.template(name, lang)
        if not fields.keys() <= notice.slots.keys():
            raise Misconfigured(f"{notice.path}: has no field {', '.join(sorted(set(fields) - set(notice.slots)))}")
        values = dict.fromkeys(notice.slots, "")
        for said, value in fields.items():
            values[said] = _fitting(value, notice.slots[said].room, notice.closed.get(said, ""))
        if not all(map(values.get, notice.needed)):
            lacking = [said for said in notice.needed if not values[said]]
            missing = [said for said in lacking if said not in fields]
            needs = f"needs {', '.join(missing)}" if missing else f"{', '.join(lacking)} may not be blank"
            raise Misconfigured(f"{notice.path}: {needs}")
        return notice.pattern.format_map(values).strip()

    def instant(self, at: datetime, lang: str, *, dated: bool = False) -> str:
        """
        The instant as people in Asia/Shanghai say it: 11月23日18:00; with the year when ``dated``.

        :raises ValueError: the instant is naive
        """
        if at.tzinfo is None:
            raise ValueError("an instant needs its zone")
        return self._moment(at, lang, dated)

    def _told(self, at: datetime, lang: str, dated: bool) -> str:
        here = at.astimezone(SHANGHAI)
        pattern = self._words.dated_instant if dated else self._words.instant
        parts = {
            "year": str(here.year), "month": str(here.month), "day": str(here.day),
            "hour": f"{here.hour:02d}", "minute": f"{here.minute:02d}", "month_name": _MONTHS[here.month - 1],
        }
        return _PLACE.sub(lambda found: parts[found[1]], pattern.said(lang))

    def until(self, at: datetime | None, lang: str, *, dated: bool = False) -> str:
        """The expected end as a phrase; None is 另行通知."""
        return self._end(at, lang, dated)

    def _until(self, at: datetime | None, lang: str, dated: bool) -> str:
        if at is None:
            return self._words.open_ended.said(lang)
        return _PLACE.sub(lambda _: self.instant(at, lang, dated=dated), self._words.until.said(lang))

    def moved(self, at: datetime, text: str, lang: str) -> str:
        """A measure that stays and starts at another time than was told before."""
        return _say(self._words.moved.said(lang), at=self.instant(at, lang), text=plain(text))

    def going_on(self, text: str, lang: str) -> str:
        """A measure that goes on although its end had been told."""
        return _say(self._words.going_on.said(lang), text=plain(text))

    def starting(self, at: datetime, text: str, lang: str) -> str:
        """A measure that begins later than the level it belongs to."""
        return self._later(at, text, lang)

    def _starting(self, at: datetime, text: str, lang: str) -> str:
        return _say(self._words.starting.said(lang), at=self.instant(at, lang), text=plain(text))

    def level(self, level: Level, lang: str) -> str:
        """The level with its response level: 黄色（Ⅲ级）."""
        return self._words.levels[level.word].said(lang)

    def move(self, word: str, lang: str) -> str:
        """
        What a decision does, by the word of its move.

        :raises Misconfigured: no such move
        """
        try:
            return self._words.moves[word].said(lang)
        except KeyError:
            raise Misconfigured(f"there is no word for the move {word!r}") from None

    def task(self, kind: str, lang: str) -> str:
        """
        What a task of the desk is called.

        :raises Misconfigured: no such kind of task
        """
        try:
            return self._words.tasks[kind].said(lang)
        except KeyError:
            raise Misconfigured(f"there is no word for the task {kind!r}") from None

    def paper(self, kind: str, lang: str) -> str:
        """
        What a report of a unit is called.

        :raises Misconfigured: no such report
        """
        try:
            return self._words.papers[kind].said(lang)
        except KeyError:
            raise Misconfigured(f"there is no word for the report {kind!r}") from None

    def banner(self, label: str, lang: str) -> str:
        """
        What stands before every text of a replay or an exercise; nothing before those of a real episode.

        :raises Misconfigured: a label nobody has a banner for, which must never go out unmarked
        """
        if not label:
            return ""
        try:
            return self.fill(self._words.banners[label], lang)
        except KeyError:
            raise Misconfigured(f"there is no banner for the label {label!r}") from None

    def several(self, items: Sequence[str], lang: str, *, room: int) -> str:
        """
        As many whole items, numbered, as ``room`` characters hold, and how many there are in all when some are left.

        No items are 无. If not even the first fits, it is cut: the page behind the link has them all.
        """
        return self._list(tuple(items), lang, room)

    def _listed(self, items: tuple[str, ...], lang: str, room: int) -> str:
        if not items:
            return self._words.nothing.said(lang)
        between = self._words.between.said(lang)
        lines = [
            _say(self._words.item.said(lang), number=number, text=plain(item)) for number, item in enumerate(items, 1)
        ]
        for shown in range(len(lines), 0, -1):
            text = between.join(lines[:shown]) + self._left(len(lines), shown, lang)
            if len(text) <= room:
                return text
        tail = self._left(len(lines), 1, lang)
        return cut(lines[0], max(1, room - len(tail))) + tail

    def _left(self, count: int, shown: int, lang: str) -> str:
        return "" if shown == count else _say(self._words.in_all.said(lang), count=count)


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DROPPED = frozenset({"Cf", "Cs", "Co", "Cn"})  # invisible marks, among them those that turn the reading direction
_STOPS = frozenset("。.")
_BLANKED = frozenset({"Cc", "Zl", "Zp", "Zs"})


def plain(value: str) -> str:
    """The value as one line of visible characters."""
    if value.isprintable():  # nothing to drop and no blank but the common one, as nearly always
        return " ".join(value.split()) if " " in value else value
    kinds = ((char, unicodedata.category(char)) for char in value)
    shown = "".join(" " if kind in _BLANKED else char for char, kind in kinds if kind not in _DROPPED)
    return " ".join(shown.split())


@lru_cache(maxsize=1024)  # of the fields of ten thousand orders all but the name and the number are the same
def _fitting(value: str | int, room: int, stop: str) -> str:
    return cut(plain(str(value)).removesuffix(stop), room)


def cut(value: str, room: int) -> str:
    """The value if it fits, else its beginning and «…», ``room`` characters in all."""
    return value if len(value) <= room else value[: room - 1].rstrip() + "…"


def _say(pattern: str, **parts: str | int) -> str:
    return _PLACE.sub(lambda found: str(parts[found[1]]), pattern)


def load_wording(folder: Path) -> Wording:
    """
    Every ``<notice>.<lang>.txt`` and ``words.yaml`` of the folder.

    A file begins with ``#`` lines: what the notice is, ``# at most: N`` characters, and ``# fields: name room, name?
    room`` (``?`` = may be blank). That the notice with every slot full stays within N is worked out here, once, and not
    found out in the night it is sent.

    :raises Misconfigured: "path:line: reason" - a field unknown, unused or missing, a stray brace, a text too long, a
        language missing, fields that differ between the languages
    """
    words = read_yaml(folder / "words.yaml", _Words)
    _whole(folder / "words.yaml", words)
    notices: dict[tuple[str, str], Template] = {}
    for path in sorted(folder.glob("*.txt")):
        name, _, lang = path.name.removesuffix(".txt").rpartition(".")
        if lang not in LANGS or not _NAME.fullmatch(name):
            raise Misconfigured(f"{path}:1: a notice's file is called <notice>.<{'|'.join(LANGS)}>.txt")
        notices[name, lang] = _parsed(path, name, lang)
    if not notices:
        raise Misconfigured(f"{folder}:1: no notices here")
    for (name, lang), notice in notices.items():
        for other in LANGS:
            twin = notices.get((name, other))
            if twin is None:
                raise Misconfigured(f"{notice.path}:1: {name} is missing in language {other!r}")
            if {(one.name, one.may_be_blank) for one in twin.slots.values()} != {
                (one.name, one.may_be_blank) for one in notice.slots.values()
            }:
                raise Misconfigured(f"{notice.path}:1: the fields of {name} differ between {lang!r} and {other!r}")
    for label, name in words.banners.items():
        if (name, "zh") not in notices:
            raise Misconfigured(f"{folder / 'words.yaml'}:1: the banner of {label} is {name}, which is not there")
    return Wording(notices, words)


def _whole(path: Path, words: _Words) -> None:
    if lacking := sorted(level.word for level in Level if level.word not in words.levels):
        raise Misconfigured(f"{path}:1: no words for level {', '.join(lacking)}")
    known = {
        "instant": {"month", "day", "hour", "minute", "month_name"},
        "dated_instant": {"year", "month", "day", "hour", "minute", "month_name"},
        "until": {"at"}, "item": {"number", "text"}, "in_all": {"count"}, "moved": {"at", "text"},
        "going_on": {"text"}, "starting": {"at", "text"},
    }
    for field, names in known.items():
        for lang in LANGS:
            if unknown := set(_PLACE.findall(getattr(words, field).said(lang))) - names:
                raise Misconfigured(f"{path}:1: {field}.{lang} asks for {', '.join(sorted(unknown))}")


def _parsed(path: Path, name: str, lang: str) -> Template:
    try:
        lines = path.read_text("utf-8").splitlines()
    except UnicodeDecodeError:
        raise Misconfigured(f"{path}:1: is not UTF-8") from None
    head = next((n for n, line in enumerate(lines) if not line.startswith("#")), len(lines))
    said = {found[1]: (found[2], n + 1) for n, line in enumerate(lines[:head]) if (found := _HEADER.fullmatch(line))}
    if "at most" not in said or "fields" not in said:
        raise Misconfigured(f"{path}:1: the file must begin with its «# at most:» and «# fields:» lines")
    slots = _slots(path, *said["fields"])
    most, most_line = said["at most"]
    if not most.isdecimal():
        raise Misconfigured(f"{path}:{most_line}: at most how many characters? {most!r} is no number")
    pieces: list[str | Slot] = []
    for number, line in enumerate(lines[head:], head + 1):
        pieces += _pieces(path, number, line, slots)
        pieces.append("\n")
    body = _trimmed(pieces)
    if not body:
        raise Misconfigured(f"{path}:{head + 1}: the notice says nothing")
    if unused := sorted(set(slots) - {one.name for one in body if isinstance(one, Slot)}):
        raise Misconfigured(f"{path}:{said['fields'][1]}: {', '.join(unused)} is declared and nowhere used")
    longest = sum(len(one) if isinstance(one, str) else one.room for one in body)
    if longest > int(most):
        raise Misconfigured(f"{path}:{most_line}: may grow to {longest} characters, more than {most}")
    return Template(name=name, lang=lang, path=path, slots=slots, pieces=body, longest=longest)


def _slots(path: Path, declared: str, line: int) -> dict[str, Slot]:
    slots: dict[str, Slot] = {}
    for part in filter(None, (one.strip() for one in declared.split(","))):
        found = _DECLARED.fullmatch(part)
        if found is None or int(found[3]) < 1:
            raise Misconfigured(f"{path}:{line}: {part!r} is not «name room» or «name? room»")
        if found[1] in slots:
            raise Misconfigured(f"{path}:{line}: {found[1]} is declared twice")
        slots[found[1]] = Slot(found[1], int(found[3]), may_be_blank=bool(found[2]))
    return slots


def _pieces(path: Path, number: int, line: str, slots: Mapping[str, Slot]) -> list[str | Slot]:
    pieces: list[str | Slot] = []
    end = 0
    for found in _PLACE.finditer(line):
        if found[1] not in slots:
            raise Misconfigured(f"{path}:{number}: {found[0]} is not among the declared fields")
        pieces += [line[end : found.start()], slots[found[1]]]
        end = found.end()
    pieces.append(line[end:])
    for piece in pieces:
        if isinstance(piece, str) and ("{" in piece or "}" in piece):
            raise Misconfigured(f"{path}:{number}: a brace that closes or opens nothing")
    return [piece for piece in pieces if piece]


def _trimmed(pieces: Sequence[str | Slot]) -> tuple[str | Slot, ...]:
    kept = list(pieces)
    while kept and isinstance(kept[-1], str) and not kept[-1].strip():
        kept.pop()
    while kept and isinstance(kept[0], str) and not kept[0].strip():
        kept.pop(0)
    return tuple(kept)
