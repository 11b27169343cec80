"""The feeds as set up for tests, and the instant at which a saved message is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

from emergency import feeds
from emergency.clock import SHANGHAI
from emergency.domain.causes import Figure

ROOT = Path(__file__).parents[2]
AIR = ROOT / "playbooks" / "air"
PAYLOADS = ROOT / "tests" / "payloads" / "forecast"
KINDS = ("caiyun", "cnemc", "kdd2018", "openmeteo", "qweather", "replay", "replay_observed", "table", "waqi")


def an_index(_: date, values: Mapping[str, float]) -> Figure:
    """A made-up index, one more than the largest value: enough to see what it was given."""
    worst = max(values, key=lambda name: values[name])
    return Figure(min(500, round(values[worst]) + 1), ("o3" if worst == "o3_8h" else worst,))


def bands(_: date) -> Mapping[str, tuple[int, int]]:
    """The bands a bulletin names most."""
    return {"优": (1, 50), "良": (51, 100), "轻度污染": (101, 150), "中度污染": (151, 200)}


def a_feed(kind: str, *, allow: frozenset[str] = frozenset(), index: feeds.Index = an_index, **said: str) -> feeds.Feed:
    """A feed of this kind that is set up as it should be; change one thing."""
    settings = {"kind": kind, "url": "https://air.example/", "area": "柳州市", "episode": "liuzhou-2015-02", **said}
    settings.setdefault("issued", "2018-05-03T23:00+08:00")
    return feeds.build({kind: settings}, allow, place="450200", index=index, air=AIR, categories=bands)[kind]


def read_at(path: Path) -> datetime:
    """A minute before midnight of the day in the file's name, Beijing time."""
    found = re.search(r"\d{4}-\d\d-\d\d", path.name)
    assert found is not None, f"{path.name} needs the day it is read on in its name"
    return datetime.fromisoformat(f"{found[0]}T23:59").replace(tzinfo=SHANGHAI)


def read(kind: str, name: str, index: feeds.Index = an_index) -> feeds.Parsed:
    """What the feed makes of one saved message."""
    path = PAYLOADS / kind / name
    return a_feed(kind, index=index).parse(path.read_bytes(), now=read_at(path))


