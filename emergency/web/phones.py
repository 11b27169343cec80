"""A wall of simulated phones: the provider's side of the gateway contract, for replays and for trying things out."""

from __future__ import annotations

import http.client
import json
import logging
import os
import queue
import re
import secrets
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID, uuid5

from flask import Flask, Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from emergency import clock
from emergency.channels import signing
from emergency.clock import Clock, SharedClock, WallClock
from emergency.web.phones_words import WORDS

log = logging.getLogger(__name__)

RECEIPTS: Final = UUID("1c7c1f5e-5c53-4a83-8f0a-7d7c3f4f8f11")
LONGEST_BODY: Final = 64 * 1024
CALLBACK_TRIES: Final = 8
CALLERS: Final = 3
ON_ONE_WALL: Final = 24
_CHANNEL: Final = re.compile(r"[a-z][a-z0-9_]{0,19}")


@dataclass(frozen=True)
class Owner:
    """Whose phone it is; all of them are made up."""

    phone: str
    name: str
    of: str  # the enterprise, unit or office
    role: str = ""


@dataclass(frozen=True)
class Text:
    """One message as it came; ``number`` counts arrivals, ``times`` how often the sender tried, ``at`` is civil."""

    number: int
    id: str
    receipt: str
    channel: str
    to: str
    text: str
    link: str
    kind: str
    order: str
    revision: int
    episode: str
    at: datetime
    read: bool = False
    times: int = 1


@dataclass(frozen=True)
class Phone:
    """One phone on the wall, its newest texts first."""

    owner: Owner
    texts: tuple[Text, ...]

    @property
    def unread(self) -> int:
        """How many texts nobody has looked at."""
        return sum(1 for one in self.texts if not one.read)


class Shelf:
    """What every phone has received; in memory, for as long as the simulator runs."""

    def __init__(self, owners: Iterable[Owner]) -> None:
        self._owners = {one.phone: one for one in owners}
        self._texts: dict[str, Text] = {}
        self._lock = threading.Lock()
        self.version = 0

    def take(self, key: str, channel: str, said: Mapping[str, Any], *, at: datetime) -> tuple[Text, bool]:
        """Keep a message once under its key; the text, and whether it is new."""
        with self._lock:
            self.version += 1
            if key in self._texts:
                self._texts[key] = replace(self._texts[key], times=self._texts[key].times + 1)
                return self._texts[key], False
            text = Text(
                number=len(self._texts) + 1, id=key, receipt=str(uuid5(RECEIPTS, key)), channel=channel,
                to=str(said["to"]), text=str(said["text"]), link=str(said.get("link") or ""),
                kind=str(said.get("kind") or ""), order=str(said.get("order") or ""),
                revision=int(said.get("revision") or 0), episode=str(said.get("episode") or ""), at=at,
            )
            self._texts[key] = text
            return text, True

    def read(self, phone: str) -> None:
        """Somebody looked at this phone."""
        with self._lock:
            self.version += 1
            for key, one in self._texts.items():
                if one.to == phone and not one.read:
                    self._texts[key] = replace(one, read=True)

    def since(self, number: int) -> list[Text]:
        """The texts that arrived after this one."""
        with self._lock:
            return list(self._texts.values())[number:]

    def phones(self, wanted: str = "") -> list[Phone]:
        """The phones that received something, unread first, then the latest; ``wanted``: part of a name or number."""
        by_phone: dict[str, list[Text]] = {}
        for one in self.since(0):
            by_phone.setdefault(one.to, []).append(one)
        found = [self._phone(number, texts) for number, texts in by_phone.items()]
        word = wanted.strip().casefold()
        if word:
            found = [p for p in found if word in f"{p.owner.phone} {p.owner.name} {p.owner.of}".casefold()]
        return sorted(found, key=lambda p: (not p.unread, -p.texts[0].number))

    def phone(self, number: str) -> Phone | None:
        """One phone; None when it neither belongs to anybody nor received anything."""
        texts = [one for one in self.since(0) if one.to == number]
        return self._phone(number, texts) if texts or number in self._owners else None

    def _phone(self, number: str, texts: list[Text]) -> Phone:
        return Phone(self._owners.get(number, Owner(number, "", "")), tuple(reversed(texts)))


class Callbacks:
    """Receipts on their way back to the sender, signed; tried a few times, for a provider does not wait for ever."""

    def __init__(self, public_url: str, key: str, *, civil: Clock, wall: Clock) -> None:
        place = urlsplit(public_url)
        self._host, self._path = place.netloc, place.path
        self._tls = place.scheme == "https"
        self._key, self._civil, self._wall = key, civil, wall
        self._queue: queue.Queue[Text | None] = queue.Queue()
        self._callers: list[threading.Thread] = []
        self._stopped = threading.Event()

    def start(self) -> None:
        """Set the callers to work."""
        for _ in range(CALLERS):
            self._callers.append(threading.Thread(target=self._calling, daemon=True, name="receipts"))
            self._callers[-1].start()

    def stop(self) -> None:
        """Send the callers home; what has not been said yet is not said any more."""
        self._stopped.set()
        for _ in self._callers:
            self._queue.put(None)
        for one in self._callers:
            one.join()

    def put(self, text: Text) -> None:
        """Say later that this text lies on its phone."""
        self._queue.put(text)

    def _calling(self) -> None:
        while True:
            text = self._queue.get()
            if text is None or self._stopped.is_set():
                return
            for attempt in range(CALLBACK_TRIES):
                if self._call(text):
                    break
                if self._stopped.wait(min(8.0, 0.25 * 2**attempt)):
                    return
            else:
                log.warning("receipt.lost", extra={"message": text.id})

    def _call(self, text: Text) -> bool:
        said = {"receipt": text.receipt, "id": text.id, "status": "delivered", "at": self._civil.now().isoformat()}
        body = json.dumps(said).encode()
        stamp = signing.stamp(self._wall.now())
        headers = {
            "Content-Type": "application/json",
            signing.TIMESTAMP: stamp,
            signing.SIGNATURE: signing.sign(self._key, stamp, body),
        }
        line = (http.client.HTTPSConnection if self._tls else http.client.HTTPConnection)(self._host, timeout=10)
        try:
            line.request("POST", f"{self._path}/api/v1/receipts/{text.channel}", body=body, headers=headers)
            status = line.getresponse().status
        except (OSError, http.client.HTTPException):
            return False
        finally:
            line.close()
        return status < 500 and status != 429


def create_phones(
    *, key: str, public_url: str, owners: Iterable[Owner] = (), civil: Clock | None = None, wall: Clock | None = None,
    legend: Mapping[str, str] | None = None, status: Path | None = None,
) -> Flask:
    """
    The simulator as a small application of its own.

    ``key``: what senders sign with and receipts are signed with. ``legend``: by language, whose data the replay shows.
    ``status``: a small JSON file in which whoever turns the clock says whether it runs or waits, and for whom.
    """
    app = Flask("emergency.web.phones", root_path=str(Path(__file__).parent))
    app.config["MAX_CONTENT_LENGTH"] = LONGEST_BODY
    wall = wall or WallClock()
    civil = civil or wall
    shelf = Shelf(owners)
    callbacks = Callbacks(public_url, key, civil=civil, wall=wall)
    callbacks.start()
    app.extensions["callbacks"] = callbacks

    @app.before_request
    def _language() -> None:
        g.lang = "en" if request.args.get("lang") == "en" else "zh"
        g.nonce = secrets.token_urlsafe(12)

    @app.context_processor
    def _words() -> dict[str, Any]:
        words = WORDS[g.lang]
        return {
            "w": words, "lang": g.lang, "nonce": g.nonce, "desk": public_url, "now": civil.now(),
            "legend": (legend or {}).get(g.lang, ""), "status": _status(status),
        }

    @app.template_filter("local")
    def _local(at: datetime) -> str:
        return at.astimezone(clock.SHANGHAI).strftime("%m-%d %H:%M")

    @app.after_request
    def _careful(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = (
            f"default-src 'self'; script-src 'nonce-{g.get('nonce', '')}'; style-src 'self'; base-uri 'none'; "
            "frame-ancestors 'none'; form-action 'self'"
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"  # a phone link in a Referer would be a signature given away
        response.headers["Cache-Control"] = "no-store" if request.endpoint != "static" else "max-age=3600"
        return response

    @app.post("/gateway/<channel>")
    def gateway(channel: str) -> ResponseReturnValue:
        """Take a message over, as the outbound contract says."""
        body = request.get_data()
        header = request.headers
        try:
            signing.check(
                key, header.get(signing.TIMESTAMP, ""), body, header.get(signing.SIGNATURE, ""), now=wall.now()
            )
        except signing.BadSignature as refusal:
            return {"error": str(refusal)}, 401
        once = header.get("Idempotency-Key", "")
        said = _said(body)
        if not _CHANNEL.fullmatch(channel) or said is None or not once or said.get("id") != once:
            return {"error": "a message needs id, to and text, and its id as Idempotency-Key"}, 400
        text, new = shelf.take(once, channel, said, at=civil.now())
        if new:
            callbacks.put(text)
        return {"receipt": text.receipt}, 200 if new else 409

    @app.get("/")
    def wall_of_phones() -> str:
        """Every phone that received something."""
        wanted = request.args.get("q", "")[:80]
        found = shelf.phones(wanted)
        page = min(max(request.args.get("page", 1, type=int), 1), max(1, -(-len(found) // ON_ONE_WALL)))
        shown = found[(page - 1) * ON_ONE_WALL : page * ON_ONE_WALL]
        return render_template(
            "phones/wall.html", phones=shown, total=len(found), unread=sum(p.unread for p in found), q=wanted,
            page=page, pages=max(1, -(-len(found) // ON_ONE_WALL)), version=shelf.version,
        )

    @app.get("/phone/<number>")
    def one_phone(number: str) -> ResponseReturnValue:
        """One phone and all that lies on it."""
        phone = shelf.phone(number)
        status = 200 if phone else 404
        return render_template("phones/phone.html", phone=phone, number=number, version=shelf.version), status

    @app.post("/phone/<number>/read")
    def read(number: str) -> ResponseReturnValue:
        """Mark what lies on a phone as seen."""
        shelf.read(number)
        return redirect(url_for("one_phone", number=number, lang="en" if g.lang == "en" else None), 303)

    @app.get("/inbox.json")
    def inbox() -> ResponseReturnValue:
        """What arrived after the numbered text: how the people who hold the phones read them."""
        texts = shelf.since(max(0, request.args.get("after", 0, type=int)))
        return {"texts": [{**asdict(one), "at": one.at.isoformat()} for one in texts]}

    @app.get("/healthz")
    def healthz() -> ResponseReturnValue:
        """That the simulator runs."""
        return {"ok": True}

    return app


def _said(body: bytes) -> Mapping[str, Any] | None:
    try:
        said = json.loads(body)
    except ValueError:
        return None
    fine = isinstance(said, dict) and all(isinstance(said.get(name), str) and said[name] for name in ("to", "text"))
    revision = said.get("revision") if isinstance(said, dict) else None
    return said if fine and (revision is None or isinstance(revision, int)) else None


def _status(file: Path | None) -> dict[str, Any]:
    if file is None or not file.exists():
        return {}
    return dict(json.loads(file.read_text("utf-8")))


def from_env() -> Flask:
    """The simulator as PHONES_KEY, _PUBLIC_URL, _OWNERS (a JSON file), _CLOCK and _STATUS (files) describe it."""
    file = os.environ.get("PHONES_OWNERS", "")
    said = json.loads(Path(file).read_text("utf-8")) if file else {}
    at, status = os.environ.get("PHONES_CLOCK", ""), os.environ.get("PHONES_STATUS", "")
    return create_phones(
        key=os.environ["PHONES_KEY"],
        public_url=os.environ.get("PHONES_PUBLIC_URL", "http://127.0.0.1:8000"),
        owners=[Owner(**one) for one in said.get("owners", [])],
        civil=SharedClock(Path(at)) if at else None,
        legend=said.get("legend"),
        status=Path(status) if status else None,
    )
