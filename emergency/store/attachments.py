"""Files kept by their hash, outside everything the web server shows by itself."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import filetype

from emergency.errors import Missing, Refused

MOST_BYTES: Final = 10 * 1024 * 1024
ACCEPTED: Final = frozenset({"application/pdf", "image/png", "image/jpeg"})


class NotAccepted(Refused):
    """The file is empty, too large, or not what scans are made of."""

    words_zh = "扫描件须为 PDF、PNG 或 JPEG，且不超过 10 MB"


@dataclass(frozen=True)
class Kept:
    """A file as it lies there; its name is the SHA-256 of its bytes."""

    sha256: str
    content_type: str
    size: int


def keep(data_dir: Path, body: bytes) -> Kept:
    """
    Keep the bytes once, under their hash; what they are is read from the bytes and never from a name.

    :raises NotAccepted: empty, larger than 10 MB, or neither PDF, PNG nor JPEG
    """
    kind = filetype.guess_mime(body[:8192]) if body else None
    if kind not in ACCEPTED or len(body) > MOST_BYTES:
        raise NotAccepted(f"{len(body)} bytes of {kind or 'nothing known'} are not accepted")
    sha256 = hashlib.sha256(body).hexdigest()
    path = _place(data_dir, sha256)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.draft")
        with draft.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())  # the row that names it is committed next and must not outlive it
        draft.replace(path)
    return Kept(sha256, str(kind), len(body))


def kept_at(data_dir: Path, sha256: str) -> Path:
    """
    Where the file lies.

    :raises Missing: no such file, or its name is not a hash
    """
    if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        raise Missing("no such file")
    path = _place(data_dir, sha256)
    if not path.is_file():
        raise Missing("no such file")
    return path


def _place(data_dir: Path, sha256: str) -> Path:
    return data_dir / "files" / sha256[:2] / sha256
