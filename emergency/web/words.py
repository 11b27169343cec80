"""The words of the pages: Chinese is written in the code, English stands complete in the catalogues beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from babel.messages.pofile import read_po
from flask import Flask, Response, current_app, g, has_request_context, request

from emergency.errors import Misconfigured

HERE: Final = Path(__file__).resolve().parent / "words"
LANGUAGES: Final = ("zh", "en")
COOKIE: Final = "lang"
A_YEAR: Final = 365 * 24 * 3600  # seconds


@cache
def catalogue(folder: Path = HERE, language: str = "en") -> Mapping[str, str]:
    """
    Every ``<language>-*.po`` of the folder as one table, Chinese to the language; read once in a process.

    :raises Misconfigured: two catalogues say different things for one sentence, or a placeholder was lost
    """
    found: dict[str, str] = {}
    for path in sorted(folder.glob(f"{language}-*.po")):
        with path.open("rb") as file:
            for one in read_po(file, locale=language):
                if not one.id or not one.string or not isinstance(one.id, str) or not isinstance(one.string, str):
                    continue
                if found.setdefault(one.id, one.string) != one.string:
                    raise Misconfigured(f"{path.name}: {one.id!r} is translated otherwise in another catalogue")
                if _holes(one.id) != _holes(one.string):
                    raise Misconfigured(f"{path.name}: {one.id!r} has other placeholders than its translation")
    return found


def _holes(said: str) -> set[str]:
    return {part.split(")")[0] for part in said.split("%(")[1:]}


def N_(said: str) -> str:  # noqa: N802 - gettext's own name for a word that is translated later
    """Mark a sentence of a table for the catalogues; ``_`` translates it when it is shown."""
    return said


def _(said: str, **values: object) -> str:
    """The sentence in the reader's language; ``%(name)s`` is filled only when values are given."""
    if lang() == "en":
        said = current_app.extensions["words"].get(said, said)
    return said % values if values else said


def lang() -> str:
    """The reader's language: ``zh`` or ``en``; Chinese where nobody is reading."""
    return str(g.get("lang", "zh")) if has_request_context() else "zh"


@contextmanager
def spoken(language: str) -> Iterator[None]:
    """Within it the reader's language is this one; for answers to machines, which say a thing in both."""
    before = lang()
    g.lang = language
    try:
        yield
    finally:
        g.lang = before


def other_language() -> str:
    """The address of this page in the other language."""
    wish = "zh" if lang() == "en" else "en"
    here = request.path if request.method in ("GET", "HEAD") else "/"
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "lang"]
    return f"{here}?{urlencode([*kept, ('lang', wish)])}"


def set_up(app: Flask) -> None:
    """Read the catalogues and choose a language for each request: ``?lang=``, then the cookie, then the browser's."""
    app.extensions["words"] = catalogue()
    app.jinja_env.globals.update(_=_, lang=lang, other_language=other_language)

    def choose() -> None:
        wishes = (request.args.get("lang", ""), request.cookies.get(COOKIE, ""))
        g.lang = next((wish for wish in wishes if wish in LANGUAGES), None) or _from_browser()

    def remember(response: Response) -> Response:
        if request.args.get("lang") in LANGUAGES:
            response.set_cookie(
                COOKIE,
                request.args["lang"],
                max_age=A_YEAR,
                samesite="Lax",
                httponly=True,
                secure=bool(app.config["SESSION_COOKIE_SECURE"]),
            )
        response.headers.setdefault("Content-Language", "en" if g.get("lang") == "en" else "zh-CN")
        return response

    app.before_request(choose)
    app.after_request(remember)


def _from_browser() -> str:
    if not request.accept_languages:
        return "zh"
    best = request.accept_languages.best_match(["zh-CN", "zh", "zh-Hans", "en"], default="zh")
    return "en" if best == "en" else "zh"
