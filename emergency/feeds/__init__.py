"""The sources of forecasts and observations: one file each, and the list of those that are set up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from emergency.errors import Misconfigured
from emergency.feeds.cnemc import Cnemc
from emergency.feeds.daily_index import Caiyun, QWeather
from emergency.feeds.kdd2018 import Kdd2018
from emergency.feeds.openmeteo import OpenMeteo
from emergency.feeds.records import Index, Parsed, RefusedRecord
from emergency.feeds.replay import ERROR_PERMILLE, SEED, ReplayForecast, ReplayObserved
from emergency.feeds.sources import UNKNOWN, Folder, Page, RawMessage, Source, Validators
from emergency.feeds.table import Categories, Table, no_categories
from emergency.feeds.waqi import Waqi

__all__ = ["Feed", "Index", "Parsed", "RefusedRecord", "build"]

_KNOWN = frozenset({"url", "key", "kind", "every", "place", "area", "episode", "seed", "error", "issued"})


class Feed(Protocol):
    """A source of forecasts or observations: ``download`` touches the outside, ``parse`` touches nothing."""

    @property
    def name(self) -> str:
        """What it is called on pages and in the journal."""
        ...

    @property
    def kind(self) -> str:
        """What it gives: forecast or observation."""
        ...

    @property
    def every_s(self) -> int:
        """Seconds between two questions."""
        ...

    def download(self, *, now: datetime, known: Validators = UNKNOWN) -> RawMessage | None:
        """
        The newest raw message; None where it is still the one these validators know. The same one again is harmless.

        :raises Unavailable: it cannot be had now
        :raises Misconfigured: it cannot be had until a setting is put right
        """
        ...

    def parse(self, raw: bytes, *, now: datetime) -> Parsed:
        """What the message gives; a bad record is refused and costs no other, and nothing raises."""
        ...


def build(
    settings: Mapping[str, Mapping[str, str]],
    allow: frozenset[str] = frozenset(),
    *,
    place: str,
    index: Index,
    air: Path,
    categories: Categories = no_categories,
) -> Mapping[str, Feed]:
    """
    The feeds that FEED_<NAME>_URL, _KEY, _KIND, _EVERY, _PLACE … describe, by lower-case name.

    ``kind`` is the name itself where it is not said: openmeteo, qweather, caiyun, waqi, cnemc, table, kdd2018, replay,
    replay_observed. ``place`` is whose air it is where a feed does not say; ``index`` gives AQI and primary pollutants
    of a day's values, for sources that have only concentrations; ``air`` is the folder with past episodes;
    ``categories`` the words for bands of the index, for tables that give a band instead of a figure.

    :raises Misconfigured: a setting is missing, unknown or no number
    """
    names = sorted(settings)
    about = (allow, place, index, air, categories)
    return {one.lower(): _One(one.lower(), settings[one], *about).built() for one in names}


@dataclass(frozen=True)
class _One:
    """The settings of one feed on their way to becoming it."""

    name: str
    said: Mapping[str, str]
    allow: frozenset[str]
    default_place: str
    index: Index
    air: Path
    categories: Categories

    def built(self) -> Feed:
        for unknown in sorted(self.said.keys() - _KNOWN):
            raise Misconfigured(f"{self._setting(unknown)} is not a setting of a feed")
        kind = self.said.get("kind") or self.name
        if kind not in _KINDS:
            raise Misconfigured(f"{self._setting('kind')}: there is no feed of the kind {kind!r}")
        return _KINDS[kind](self)

    def openmeteo(self) -> Feed:
        return OpenMeteo(self.name, self.place, self._page(), self._every(3600), index=self.index)

    def qweather(self) -> Feed:
        return QWeather(self.name, self.place, self._page("X-QW-Api-Key"), self._every(3600))

    def caiyun(self) -> Feed:
        return Caiyun(self.name, self.place, self._page(), self._every(3600))

    def waqi(self) -> Feed:
        return Waqi(self.name, self.place, self._page(), self._every(3600), index=self.index)

    def cnemc(self) -> Feed:
        source = self._source(max_bytes=16_000_000, endings=(".xml",))
        return Cnemc(self.name, self.place, source, self._every(600), area=self._need("area"))

    def table(self) -> Feed:
        source, every = self._source(endings=(".csv", ".json", ".xlsx")), self._every(900)
        return Table(self.name, self.place, source, every, categories=self.categories)

    def kdd2018(self) -> Feed:
        source = self._source(endings=(".csv",))
        return Kdd2018(self.name, self.place, source, self._every(86_400), issued=self._need("issued"))

    def replay(self) -> Feed:
        return ReplayForecast(
            self.name,
            self.place,
            self._episode(),
            seed=self.said.get("seed") or SEED,
            permille=self._whole("error", ERROR_PERMILLE, 0, 300),
            every_s=self._every(600),
        )

    def replay_observed(self) -> Feed:
        return ReplayObserved(self.name, self.place, self._episode(), self._every(600))

    @property
    def place(self) -> str:
        return self.said.get("place") or self.default_place

    def _setting(self, field: str) -> str:
        return f"FEED_{self.name.upper()}_{field.upper()}"

    def _need(self, field: str) -> str:
        found = self.said.get(field, "").strip()
        if not found:
            raise Misconfigured(f"{self._setting(field)} is not set")
        return found

    def _page(self, key_header: str = "", *, max_bytes: int = 2_000_000) -> Source:
        url, key = self._need("url"), self.said.get("key", "").strip()
        if not url.startswith(("http://", "https://")):
            raise Misconfigured(f"{self._setting('url')} must begin with http:// or https://")
        if key and "{key}" not in url and not key_header:
            raise Misconfigured(f"{self._setting('url')} has no {{key}} where the key would go")
        if not key and "{key}" in url:
            raise Misconfigured(f"{self._setting('key')} is not set, and the address has a place for it")
        return Page(url, key=key, key_header=key_header, allow=self.allow, max_bytes=max_bytes)

    def _source(self, *, endings: tuple[str, ...], max_bytes: int = 2_000_000) -> Source:
        """A page, or where the address is a file: URL or a plain path, a folder or file of this machine."""
        url = self._need("url")
        if url.startswith(("http://", "https://")):
            return self._page("Authorization", max_bytes=max_bytes)
        path = Path(unquote(urlsplit(url).path)) if url.startswith("file://") else Path(url)
        return Folder(path, endings=endings, max_bytes=max_bytes)

    def _episode(self) -> Path:
        episode = self._need("episode")
        path = self.air / f"{episode}.csv"
        if path.parent != self.air or not path.is_file():  # «../../etc/passwd» is no episode
            raise Misconfigured(f"{self._setting('episode')}: there is no past air called {episode!r}")
        return path

    def _every(self, otherwise: int) -> int:
        return self._whole("every", otherwise, 1, 86_400)

    def _whole(self, field: str, otherwise: int, least: int, most: int) -> int:
        text = self.said.get(field) or str(otherwise)
        if not (text.isascii() and text.isdigit() and len(text) < 8 and least <= int(text) <= most):
            raise Misconfigured(f"{self._setting(field)} must be a whole number from {least} to {most}")
        return int(text)


_KINDS: Mapping[str, Callable[[_One], Feed]] = {
    "openmeteo": _One.openmeteo,
    "qweather": _One.qweather,
    "caiyun": _One.caiyun,
    "waqi": _One.waqi,
    "cnemc": _One.cnemc,
    "table": _One.table,
    "kdd2018": _One.kdd2018,
    "replay": _One.replay,
    "replay_observed": _One.replay_observed,
}
