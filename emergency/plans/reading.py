"""A YAML file becomes a checked value, or a refusal that names file, line and reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import Final, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq, TaggedScalar
from ruamel.yaml.constructor import DuplicateKeyError, RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from emergency.errors import Misconfigured

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"  # of every schema published in playbooks/schema
M = TypeVar("M", bound=BaseModel)
Step = str | int
Loc = tuple[Step, ...]


class Sheet(BaseModel):
    """The ground of every model read from playbooks/: strict types, no unknown keys, no change afterwards."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


@dataclass(frozen=True)
class Problem:
    """One thing wrong in one file; ``line`` counts from 1, ``zh`` is the reason in Chinese where there is one."""

    file: Path
    line: int
    reason: str
    zh: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {f'{self.zh} / ' if self.zh else ''}{self.reason}"


class Unreadable(Misconfigured):
    """A file of playbooks/ is wrong; ``problems`` holds everything found, the words name the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{problems[0]}{more}")
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Page:
    """A YAML file as plain data, and the line of each of its values."""

    path: Path
    data: Mapping[str, object]
    lines: Mapping[Loc, int] = field(repr=False)

    def has(self, loc: Loc) -> bool:
        """Whether the file itself says something at this place."""
        return loc in self.lines

    def line(self, loc: Loc) -> int:
        """The line of this place, or of the nearest place around it that the file has."""
        for end in range(len(loc), 0, -1):
            if loc[:end] in self.lines:
                return self.lines[loc[:end]]
        return 1

    def problem(self, loc: Loc, reason: str, zh: str = "") -> Problem:
        """A problem at this place of this file."""
        return Problem(self.path, self.line(loc), reason, zh)


def read_yaml(path: Path, model: type[M]) -> M:
    """
    The file as a value of ``model``; unknown keys are refused at every depth, types are strict.

    Types are those of JSON: a date or an enum member is written as its text, a tuple as a list.

    :raises Unreadable: (a Misconfigured) "path:line: reason"
    """
    page = read_page(path)
    value, problems = fit(model, page.data, page.problem)
    if value is None:
        raise Unreadable(problems)
    return value


def read_page(path: Path) -> Page:
    """
    The file as plain data with lines: one mapping, no repeated key, no alias, no tag.

    :raises Unreadable: it is missing, not UTF-8, not YAML, or uses what is left out here on purpose
    """
    try:
        text = path.read_text("utf-8")
    except OSError as failed:
        raise Unreadable([Problem(path, 1, f"cannot be read: {failed.strerror}")]) from None
    except UnicodeDecodeError:
        raise Unreadable([Problem(path, 1, "is not UTF-8")]) from None
    return _page(path, text)


@lru_cache(maxsize=256)  # more files than playbooks/ has: read again as it stands, a file is not parsed again
def _page(path: Path, text: str) -> Page:
    try:
        yaml = YAML(typ="rt")
        yaml.Constructor = _DatesStayText
        root = yaml.load(text)
    except DuplicateKeyError as twice:
        raise Unreadable([Problem(path, _mark(twice), f"{twice.problem}".split(" with value")[0])]) from None
    except MarkedYAMLError as bad:
        raise Unreadable([Problem(path, _mark(bad), f"not YAML: {bad.context or ''} {bad.problem or ''}")]) from None
    except YAMLError as bad:
        raise Unreadable([Problem(path, 1, f"not YAML: {str(bad).splitlines()[0]}")]) from None
    except RecursionError:
        raise Unreadable([Problem(path, 1, "is nested too deep")]) from None
    if not isinstance(root, CommentedMap):
        raise Unreadable([Problem(path, 1, "must hold one mapping of keys to values")])
    plain = _Plain(path)
    data = plain.of(root, ())
    if not isinstance(data, dict):
        raise Unreadable([Problem(path, 1, "must hold one mapping of keys to values")])
    return Page(path, data, plain.lines)


def fit(
    model: type[M], data: Mapping[str, object], at: Callable[[Loc, str], Problem]
) -> tuple[M | None, tuple[Problem, ...]]:
    """
    Plain data as a value of ``model``, or None with everything wrong about it; ``at`` says where a place was written.

    The data goes through JSON because pydantic's strict JSON mode takes a list for a tuple and a text for a date or
    an enum member, and still refuses "5" for 5 and 1 for true.
    """
    try:
        value = model.model_validate_json(json.dumps(data, ensure_ascii=False), strict=True, extra="forbid")
    except ValidationError as wrong:
        found = [
            at(one["loc"], _reason(one["loc"], one["msg"], one["type"])) for one in wrong.errors(include_url=False)
        ]
        return None, tuple(dict.fromkeys(found))
    return value, ()


def _reason(loc: Loc, message: str, kind: str) -> str:
    where = ".".join(str(step) for step in loc) or "file"
    if kind == "extra_forbidden":
        return f"{where}: unknown key"
    return f"{where}: {message.removeprefix('Value error, ')[:1].lower()}{message.removeprefix('Value error, ')[1:]}"


def _mark(error: MarkedYAMLError) -> int:
    mark = error.problem_mark or error.context_mark
    return int(mark.line) + 1 if mark is not None else 1


class _DatesStayText(RoundTripConstructor):
    """Leaves dates as they are written, so that a wrong one is refused by the model, with its line."""


_DatesStayText.add_constructor("tag:yaml.org,2002:timestamp", RoundTripConstructor.construct_scalar)


class _Plain:
    """Turns ruamel's round-trip nodes into plain data while noting each line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: dict[Loc, int] = {(): 1}
        self._seen: set[int] = set()

    def of(self, node: object, loc: Loc) -> object:
        if isinstance(node, CommentedMap | CommentedSeq):
            if id(node) in self._seen:  # an alias hides what a reader should see, and a few of them fill the memory
                self._refuse(loc, "anchors and aliases are not used here")
            self._seen.add(id(node))
            if node.tag.value is not None:
                self._refuse(loc, "tags (!) are not used here")
            return self._mapping(node, loc) if isinstance(node, CommentedMap) else self._list(node, loc)
        return self._scalar(node, loc)

    def _mapping(self, node: CommentedMap, loc: Loc) -> dict[str, object]:
        if node.merge:
            self._refuse(loc, "merge keys (<<) are not used here")
        plain: dict[str, object] = {}
        for key, value in node.items():
            if isinstance(key, bool) or not isinstance(key, str | int):
                self._refuse(loc, f"a key must be a text, not {key!r}")
            name = str(key)
            at = (*loc, name)
            self.lines[at] = int(node.lc.key(key)[0]) + 1
            if name in plain:
                self._refuse(at, f"found duplicate key {name!r}")
            plain[name] = self.of(value, at)
        return plain

    def _list(self, node: CommentedSeq, loc: Loc) -> list[object]:
        plain: list[object] = []
        for index, value in enumerate(node):
            at = (*loc, index)
            self.lines[at] = int(node.lc.item(index)[0]) + 1
            plain.append(self.of(value, at))
        return plain

    def _scalar(self, node: object, loc: Loc) -> object:
        if isinstance(node, TaggedScalar):
            self._refuse(loc, "tags (!) are not used here")
        if node is None or isinstance(node, bool):
            return node
        if isinstance(node, str):
            return str(node)
        if isinstance(node, int):
            return int(node)
        if isinstance(node, float) and isfinite(node):
            return float(node)
        return self._refuse(loc, f"{node!r} is not a text, a number, a date, true, false or empty")

    def _refuse(self, loc: Loc, reason: str) -> NoReturn:
        line = max((self.lines[loc[:end]] for end in range(len(loc) + 1) if loc[:end] in self.lines), default=1)
        raise Unreadable([Problem(self.path, line, reason)])
