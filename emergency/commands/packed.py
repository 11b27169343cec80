"""Files packed with gzip, unpacked with suspicion: no further than a limit, and told by line where they break off."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from emergency.errors import Refused

SUFFIX = ".gz"
LARGEST = 64 << 20  # bytes unpacked: the hours of a station for a century, and no trouble for a small machine
_AT_ONCE = 1 << 20


class BadPack(Refused):
    """A packed file that cannot be unpacked; the words name the line up to which it could."""

    words_zh = "压缩文件损坏、不完整或解压后过大"


def unpacked(file: Path, *, largest: int = LARGEST) -> bytes:
    """
    The whole of a packed file.

    :raises BadPack: it is no gzip file, breaks off, or holds more than ``largest`` bytes
    :raises OSError: it cannot be opened or read
    """
    parts: list[bytes] = []
    size = lines = 0
    try:
        with gzip.open(file) as stream:
            while part := stream.read(_AT_ONCE):
                size, lines = size + len(part), lines + part.count(b"\n")
                if size > largest:
                    raise BadPack(f"{file}: line {lines + 1}: there are more than {largest:,} bytes in it")
                parts.append(part)
    except (EOFError, zlib.error, gzip.BadGzipFile) as failed:
        raise BadPack(f"{file}: line {lines + 1}: cannot be unpacked from here on: {failed}") from None
    return b"".join(parts)
