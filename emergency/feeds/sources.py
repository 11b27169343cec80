"""Where a feed's raw message comes from: a page on the network, or a file that somebody puts into a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from emergency import wire
from emergency.errors import Misconfigured, Unavailable


class Source(Protocol):
    """Whoever can hand over the newest raw message."""

    def read(self) -> bytes:
        """
        The newest message; the same one again is harmless.

        :raises Unavailable: it cannot be had now
        :raises Misconfigured: it cannot be had until a setting is put right
        """
        ...


class Page:
    """
    A document at an address, asked for conditionally once it was had: an unchanged one costs a line, not a download.

    A key goes where ``{key}`` stands in the address, else into the header ``key_header``.
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
        self._headers = {key_header: key} if key and key_header and "{key}" not in url else {}
        self._allow, self._max_bytes = allow, max_bytes
        self._last: wire.Fetched | None = None

    def read(self) -> bytes:
        """The document as it is now."""
        last = self._last
        found = wire.fetch(
            self._url,
            headers=self._headers,
            max_bytes=self._max_bytes,
            etag=last.etag if last else "",
            last_modified=last.last_modified if last else "",
            allow=self._allow,
        )
        if found.status == 304:
            if last is None:
                raise Unavailable("the source says «unchanged» to a first question")
            return last.body
        self._last = found if found.etag or found.last_modified else None
        return found.body


class Folder:
    """The file last put into a folder (by name when two are of one age), or one file."""

    def __init__(self, path: Path, *, endings: tuple[str, ...] = (".csv", ".json"), max_bytes: int = 2_000_000) -> None:
        self._path, self._endings, self._max_bytes = path, endings, max_bytes

    def read(self) -> bytes:
        """The file's bytes."""
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
        return raw

    def _newest(self) -> Path:
        if not self._path.is_dir():
            return self._path
        # a name with a leading dot is a file still being written or an editor's leavings
        files = [one for one in self._path.iterdir() if one.suffix.lower() in self._endings and one.name[0] not in ".~"]
        if not files:
            raise Unavailable(f"{self._path} holds no bulletin yet")
        return max(files, key=lambda one: (one.stat().st_mtime_ns, one.name))
