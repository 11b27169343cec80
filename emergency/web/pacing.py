"""How often one link may be used, counted in this process: no thread, no broker, a few microseconds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

MOST_KEPT: Final = 50_000  # keys; whoever makes up so many addresses in an hour makes the counting begin anew


class Pace:
    """
    So many uses of one key in each span of time.

    Every process counts for itself, so that several allow as many times more; against guessing stands the length of
    the token, and this only keeps one link from being hammered.
    """

    def __init__(self, limits: Sequence[tuple[int, timedelta]]) -> None:
        self._limits = limits
        self._used: dict[str, list[tuple[datetime, int]]] = {}  # key → since when and how often, for each limit
        self._lock = Lock()

    def allows(self, key: str, *, now: datetime) -> bool:
        """Count one use; False when it is one too many."""
        with self._lock:
            if len(self._used) >= MOST_KEPT:
                self._forget(now)
            used = self._used.setdefault(key, [(now, 0)] * len(self._limits))
            allowed = True
            for n, (most, span) in enumerate(self._limits):
                since, count = used[n]
                if now - since >= span:
                    since, count = now, 0
                used[n] = (since, count + 1)
                allowed = allowed and count < most
            return allowed

    def _forget(self, now: datetime) -> None:
        longest = max(span for _, span in self._limits)
        self._used = {key: used for key, used in self._used.items() if now - used[-1][0] < longest}
        if len(self._used) >= MOST_KEPT:
            self._used = {}
