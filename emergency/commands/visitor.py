"""Visiting our own pages as people do: sign in, open a page, fill its form, press its button."""

from __future__ import annotations

import http.client
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from emergency.errors import Refused, Unavailable

TIMEOUT_S: Final = 30.0
_ALERT: Final = r'<[^>]+(?:role="alert"|class="[^"]*\bbad\b[^"]*")[^>]*>(.*?)</(?:p|div|li|span)>'
_WORDS: Final = re.compile(_ALERT, re.DOTALL)


class NotTaken(Refused):
    """A page would not take what was pressed."""

    words_zh = "页面没有接受这次操作"


@dataclass(frozen=True)
class Reply:
    """What a server of ours said."""

    status: int
    body: bytes
    cookies: Mapping[str, str] = field(default_factory=dict)
    location: str = ""


class Line:
    """One kept-alive connection to one of our own servers on this machine, opened again when it was closed."""

    def __init__(self, address: str) -> None:
        place = urlsplit(address)
        self._host, self._port = place.hostname or "127.0.0.1", place.port or 80
        self._line: http.client.HTTPConnection | None = None

    def get(self, path: str) -> dict[str, Any]:
        """The JSON document at this path; an empty one when it cannot be had."""
        reply = self.ask("GET", path)
        return dict(json.loads(reply.body)) if reply.status == 200 else {}

    def post(self, path: str, form: Mapping[str, str]) -> int:
        """Post a form; the status, 0 when nobody answered."""
        body = urlencode(form).encode()
        return self.ask("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"}).status

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """What comes back; status 0 when nobody answered."""
        for _ in range(2):  # the server may have closed a line that was quiet for long
            try:
                line = self._line or http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_S)
                self._line = line
                line.request(method, path, body=body, headers=dict(headers or {}))
                answer = line.getresponse()
                cookies = dict(
                    one.split(";", 1)[0].split("=", 1) for one in answer.headers.get_all("Set-Cookie") or []
                )
                return Reply(answer.status, answer.read(), cookies, answer.headers.get("Location", ""))
            except (OSError, http.client.HTTPException):
                self.close()
        return Reply(0, b"")

    def close(self) -> None:
        """Hang up."""
        if self._line is not None:
            self._line.close()
            self._line = None


@dataclass
class Form:
    """A form of a page, with what stands in its fields."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    """The forms of a page as a browser would send them untouched: no files, no buttons, no unticked boxes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self._open: Form | None = None
        self._text: tuple[str, list[str]] | None = None
        self._select: tuple[str, list[tuple[str, bool]]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        name = said.get("name", "")
        if tag == "form":
            self._open = Form(said.get("action", ""))
            self.forms.append(self._open)
        elif self._open is None:
            return
        elif tag == "input" and name and said.get("type") not in ("submit", "button", "file", "image"):
            if said.get("type") not in ("checkbox", "radio") or "checked" in said:
                self._open.fields.append((name, said.get("value", "")))
        elif tag == "textarea":
            self._text = (name, [])
        elif tag == "select":
            self._select = (name, [])
        elif tag == "option" and self._select is not None:
            self._select[1].append((said.get("value", ""), "selected" in said))

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text[1].append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "textarea" and self._text is not None and self._open is not None:
            self._open.fields.append((self._text[0], "".join(self._text[1]).removeprefix("\n")))
            self._text = None
        elif tag == "select" and self._select is not None and self._open is not None:
            name, options = self._select
            chosen = [value for value, selected in options if selected] or [value for value, _ in options[:1]]
            self._open.fields += [(name, value) for value in chosen]
            self._select = None


def forms_in(page: str) -> list[Form]:
    """The forms of an HTML page."""
    reader = _Forms()
    reader.feed(page)
    return reader.forms


class Visitor:
    """One signed-in person at our own pages."""

    def __init__(self, address: str, login: str, password: str) -> None:
        self._line, self._cookies = Line(address), dict[str, str]()
        self.login, self._password = login, password
        self._signed_in = False

    def press(
        self, page: str, action: str, said: Mapping[str, str] | None = None, *, scan: tuple[str, bytes] | None = None
    ) -> str:
        """
        Open a page, change what ``said`` names in the form that goes to ``action``, and send it; where it leads.

        ``password`` is filled in wherever the form asks for one. ``scan``: the name and bytes of a file to send along.

        :raises NotTaken: the page is not for this person, has no such form, or refused it; in the page's words
        :raises Unavailable: nobody answers
        """
        if not self._signed_in:
            self._sign_in()
        form = self._form(page, action)
        told = dict(said or {})
        if any(name == "password" for name, _ in form.fields):
            told["password"] = self._password
        left = [(name, value) for name, value in form.fields if name not in told]
        reply = self._send(form.action, [*left, *told.items()], scan)
        if reply.status != 303:
            raise NotTaken(f"{self.login} at {page}: {reply.status} {_why(reply)}")
        return reply.location

    def leave(self) -> None:
        """Hang up."""
        self._line.close()

    def _sign_in(self) -> None:
        form = self._form("/sign-in", "/sign-in")
        fields = [(name, value) for name, value in form.fields if name not in ("login", "password")]
        reply = self._send(form.action, [*fields, ("login", self.login), ("password", self._password)], None)
        if reply.status != 303:
            raise NotTaken(f"{self.login} cannot sign in: {reply.status} {_why(reply)}")
        self._signed_in = True

    def _form(self, page: str, action: str) -> Form:
        reply = self._ask("GET", page)
        if reply.status != 200:
            raise NotTaken(f"{self.login} may not open {page}: {reply.status}")
        found = next((one for one in forms_in(reply.body.decode()) if urlsplit(one.action).path == action), None)
        if found is None:
            raise NotTaken(f"{page} offers {self.login} no form to {action}")
        return found

    def _send(self, action: str, fields: list[tuple[str, str]], scan: tuple[str, bytes] | None) -> Reply:
        if scan is None:
            body = urlencode(fields).encode()
            return self._ask("POST", action, body, {"Content-Type": "application/x-www-form-urlencoded"})
        edge = secrets.token_hex(12)
        parts = [_part(edge, f'name="{name}"', value.encode()) for name, value in fields]
        parts.append(_part(edge, f'name="scan"; filename="{scan[0]}"', scan[1]))
        body = b"".join(parts) + f"--{edge}--\r\n".encode()
        return self._ask("POST", action, body, {"Content-Type": f"multipart/form-data; boundary={edge}"})

    def _ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        cookie = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        reply = self._line.ask(method, path, body, {**(headers or {}), **({"Cookie": cookie} if cookie else {})})
        if reply.status == 0:
            raise Unavailable(f"nobody answers at {path}")
        self._cookies |= reply.cookies
        return reply


def _part(edge: str, disposition: str, value: bytes) -> bytes:
    return f"--{edge}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode() + value + b"\r\n"


def _why(reply: Reply) -> str:
    """The page's own words of refusal."""
    found = _WORDS.search(reply.body.decode("utf-8", "replace"))
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", found.group(1))).split())[:200] if found else ""
