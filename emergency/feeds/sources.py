"""Where a feed's raw message comes from: a page on the network, or a file that somebody puts into a folder."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final, NamedTuple, Protocol
from urllib.parse import quote

from emergency import wire
from emergency.errors import Misconfigured, Unavailable


class Validators(NamedTuple):
    """What tells whether a page has changed since it was had (RFC 9110, 8.8), and the hash of its address."""

    address: str = ""
    etag: str = ""
    last_modified: str = ""


UNKNOWN: Final = Validators()
LONGEST_ETAG: Final = 500  # characters; a longer one is no validator that a row should carry about
LONGEST_DATE: Final = 80


class RawMessage(NamedTuple):
    """A raw message as it came, and what to ask with so that it comes again only when it has changed."""

    body: bytes
    validators: Validators = UNKNOWN


class Source(Protocol):
    """Whoever can hand over the newest raw message."""

    def read(self, known: Validators = UNKNOWN) -> RawMessage | None:
        """
        The newest message; None where it is still the one these validators know. The same one again is harmless.

        :raises Unavailable: it cannot be had now
        :raises Misconfigured: it cannot be had until a setting is put right
        """
        ...


class Page:
    """
    A document at an address, asked for conditionally once it was had: an unchanged one costs a line, not a download.

    It remembers nothing: whoever asks brings the validators, and those of another address are not sent. A key goes
    where ``{key}`` stands in the address, else into the header ``key_header``.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str = "",
        key_header: str = "",
        allow: frozenset[str] = frozenset(),
        max_bytes: int = 2_000_000,
    ) -> None:
        self._url = url.replace("{key}", quote(key, safe=""))
        self._address = hashlib.sha256(url.encode()).hexdigest()  # as it is set, so that no key is in it
        self._headers = {key_header: key} if key and key_header and "{key}" not in url else {}
        self._allow, self._max_bytes = allow, max_bytes

    def read(self, known: Validators = UNKNOWN) -> RawMessage | None:
        """The document as it is now; None where it is unchanged."""
        ours = known if known.address == self._address else UNKNOWN
        found = wire.fetch(
            self._url,
            headers=self._headers,
            max_bytes=self._max_bytes,
            etag=ours.etag,
            last_modified=ours.last_modified,
            allow=self._allow,
        )
        if found.status == 304:
            if not (ours.etag or ours.last_modified):
                raise Unavailable("the source says «unchanged» to a first question")
            return None
        return RawMessage(found.body, self._validators(found))

    def _validators(self, found: wire.Fetched) -> Validators:
        etag = found.etag if len(found.etag) <= LONGEST_ETAG else ""
        last_modified = found.last_modified if len(found.last_modified) <= LONGEST_DATE else ""
        return Validators(self._address, etag, last_modified) if etag or last_modified else UNKNOWN


class Folder:
    """The file last put into a folder (by name when two are of one age), or one file."""

    def __init__(self, path: Path, *, endings: tuple[str, ...] = (".csv", ".json"), max_bytes: int = 2_000_000) -> None:
        self._path, self._endings, self._max_bytes = path, endings, max_bytes

    def read(self, known: Validators = UNKNOWN) -> RawMessage:
        """The file, whole: a folder has no validators."""
        try:
            newest = self._newest()
            with newest.open("rb") as file:
                raw = file.read(self._max_bytes + 1)
        except FileNotFoundError:
            raise Misconfigured(f"{self._path} does not exist") from None
        except OSError as error:
            raise Unavailable(f"{self._path} cannot be read: {error.strerror}") from None
        if len(raw) > self._max_bytes:
            raise Unavailable(f"{newest.name} is larger than {self._max_bytes} bytes")
        return RawMessage(raw)

    def _newest(self) -> Path:
        if not self._path.is_dir():
            return self._path
        # a name with a leading dot is a file still being written or an editor's leavings
        files = [one for one in self._path.iterdir() if one.suffix.lower() in self._endings and one.name[0] not in ".~"]
        if not files:
            raise Unavailable(f"{self._path} holds no bulletin yet")
        return max(files, key=lambda one: (one.stat().st_mtime_ns, one.name))
