"""What every feed that reads one source has in common: its fields, how it downloads, and that parsing never raises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime

from emergency.feeds.records import Parsed, Sieve, parsed
from emergency.feeds.sources import UNKNOWN, RawMessage, Source, Validators


@dataclass(frozen=True)
class OneSource(ABC):
    """
    A feed called ``name`` of the air of ``place``, asked every ``every_s`` seconds.

    Each kind adds how it reads a message, and whatever else it needs by keyword.
    """

    name: str
    place: str
    source: Source
    every_s: int = 3600
    kind: str = "forecast"

    def download(self, *, now: datetime, known: Validators = UNKNOWN) -> RawMessage | None:
        """
        The newest raw message; None where it is still the one these validators know.

        :raises Unavailable: it cannot be had now
        :raises Misconfigured: it cannot be had until a setting is put right
        """
        return self.source.read(known)

    def parse(self, raw: bytes, *, now: datetime) -> Parsed:
        """What could be taken of the message, and every refusal; touches nothing and raises nothing."""
        return parsed(raw, self._read, now=now)

    @abstractmethod
    def _read(self, raw: bytes, sieve: Sieve) -> Parsed:
        """What the message gives; what it lacks is told to the sieve."""
