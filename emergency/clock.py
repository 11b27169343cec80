"""The only module that asks the time: civil time may be turned or run fast, wall time never."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Whoever can say what time it is."""

    def now(self) -> datetime:
        """The instant, aware, in UTC."""
        ...


class WallClock:
    """The machine's own time: leases, retries, breakers and rates run on it."""

    def now(self) -> datetime:
        """The instant, aware, in UTC."""
        return datetime.now(UTC)


class SetClock:
    """A clock that stands where it is put; tests turn it by hand."""

    def __init__(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError("a clock is set to an aware instant")
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        """Where the clock was put."""
        return self._at

    def turn_to(self, at: datetime) -> None:
        """Put the clock at this instant."""
        self._at = at.astimezone(UTC)

    def forward(self, **kwargs: float) -> None:
        """Move on by a timedelta's words: minutes=10, hours=5."""
        self._at += timedelta(**kwargs)


class SharedClock:
    """
    A civil clock that several processes read from one small file: where it stood, since when, how fast it runs.

    A replay turns it; every process of the replay sees the turn at its next question. A missing file means the
    machine's own time, so that a demo's settings cannot stop a production clock.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._civil = self._wall = 0.0
        self._speed = 1.0

    def now(self) -> datetime:
        """The civil instant, aware, in UTC."""
        self._read()
        wall = time.time()
        if self._stamp is None:
            return datetime.fromtimestamp(wall, UTC)
        return datetime.fromtimestamp(self._civil + max(0.0, wall - self._wall) * self._speed, UTC)

    def turn_to(self, at: datetime, *, speed: float) -> None:
        """Put the clock at ``at`` and let it run ``speed`` civil seconds a second from here on; never backwards."""
        if at < self.now() and self._stamp is not None:
            raise ValueError("a civil clock is never turned back")
        draft = self._path.with_suffix(f".{os.getpid()}.draft")
        draft.write_text(json.dumps({"civil": at.timestamp(), "wall": time.time(), "speed": speed}))
        draft.replace(self._path)

    def run_at(self, speed: float) -> None:
        """Keep the hour and change only how fast it goes."""
        self.turn_to(self.now(), speed=speed)

    def _read(self) -> None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._stamp = None
            return
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp != self._stamp:
            said = json.loads(self._path.read_text())
            self._civil, self._wall, self._speed = said["civil"], said["wall"], said["speed"]
            self._stamp = stamp


def seconds() -> float:
    """A steadily rising count of seconds, for measuring how long something took."""
    return time.monotonic()


def pause(for_seconds: float) -> None:
    """Wait, in wall time."""
    time.sleep(for_seconds)
