"""One contract for every feed, over what the outside really sent."""

from __future__ import annotations

import hashlib
import json
import math
import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emergency.feeds import Parsed
from tests.feeds.bench import KINDS, PAYLOADS, a_feed, read_at

MESSAGES = sorted(one for one in PAYLOADS.glob("*/*") if one.is_file())
KNOWN = {"pm2_5", "pm10", "so2", "no2", "co", "o3", "o3_8h"}


def parsed(path: Path) -> Parsed:
    return a_feed(path.parent.name).parse(path.read_bytes(), now=read_at(path))


def named(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def check(found: Parsed) -> None:
    """What holds for every message, good or bad."""
    for forecast in found.forecasts:
        days = [one.day for one in forecast.days]
        hours = [one.at for one in forecast.hours]
        assert days or hours
        assert days == sorted(set(days))
        assert hours == sorted(set(hours))
        assert all(one.values and one.values.keys() <= KNOWN for one in forecast.hours)
        assert forecast.issued_at.utcoffset() == timedelta(0)
        for day in forecast.days:
            assert type(day.aqi) is int
            assert 1 <= day.aqi <= 500
            assert {*day.primary} <= KNOWN
    for one in found.observations:
        assert one.period in ("hour", "day")
        assert one.at.utcoffset() == timedelta(0)
        assert one.values.keys() <= KNOWN
        assert all(math.isfinite(value) and 0 <= value <= 10_000 for value in one.values.values())
    for refused in found.refused:
        assert refused.where
        assert refused.reason
        assert len(refused.value) <= 80
        assert refused.value.isprintable()
    assert {one.raw_sha256 for one in found.forecasts} | {one.raw_sha256 for one in found.observations} <= {
        found.raw_sha256
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_feed_has_good_and_broken_messages_to_be_tried_on(kind: str) -> None:
    names = [one.name for one in (PAYLOADS / kind).iterdir()]

    assert any(one.startswith("ok") for one in names)
    assert any(one.startswith("broken") for one in names)


@pytest.mark.parametrize("path", [one for one in MESSAGES if one.name.startswith("ok")], ids=named)
def test_a_good_message_gives_records_and_no_refusal(path: Path) -> None:
    found = parsed(path)

    check(found)
    assert found.forecasts or found.observations
    assert found.refused == ()
    assert found.raw_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("path", [one for one in MESSAGES if one.name.startswith("mixed")], ids=named)
def test_a_bad_record_costs_no_good_one(path: Path) -> None:
    found = parsed(path)

    check(found)
    assert found.forecasts or found.observations
    assert found.refused


@pytest.mark.parametrize("path", [one for one in MESSAGES if one.name.startswith(("broken", "refused"))], ids=named)
def test_a_bad_message_gives_refusals_and_nothing_else(path: Path) -> None:
    found = parsed(path)

    check(found)
    assert (found.forecasts, found.observations) == ((), ())
    assert found.refused
    if path.name.startswith("broken"):
        assert len(found.refused) == 1


@pytest.mark.parametrize("path", MESSAGES, ids=named)
def test_the_same_message_twice_is_the_same_records(path: Path) -> None:
    assert parsed(path) == parsed(path)


@pytest.mark.parametrize("path", [one for one in MESSAGES if one.name.startswith("ok")], ids=named)
def test_a_message_cut_anywhere_raises_nothing(path: Path) -> None:
    raw, feed, now = path.read_bytes(), a_feed(path.parent.name), read_at(path)

    for at in sorted({0, 1, 2, *range(3, len(raw), max(1, len(raw) // 40)), len(raw) - 1}):
        found = feed.parse(raw[:at], now=now)
        check(found)
        if path.suffix != ".csv" and raw[at:].strip():  # every line of a CSV is whole in itself
            assert (found.forecasts, found.observations) == ((), ())
            assert len(found.refused) == 1


@pytest.mark.parametrize("path", [one for one in MESSAGES if one.suffix == ".json" and "ok" in one.name], ids=named)
@pytest.mark.parametrize(
    "bad", ["-1", "NaN", "Infinity", "-Infinity", "99999", '"重度"', "true", "[]", "{}", "1e999", '"1_0"', '"５"']
)
def test_no_number_that_cannot_be_gets_through_anywhere(path: Path, bad: str) -> None:
    text = path.read_text(encoding="utf-8")
    feed, now = a_feed(path.parent.name), read_at(path)
    spots = list(re.finditer(r"(?<=[:\[,]) ?-?\d+(\.\d+)?(?=[,\]}\s])", text))

    for spot in spots[:: max(1, len(spots) // 30)]:
        spoilt = (text[: spot.start()] + " " + bad + text[spot.end() :]).encode()
        check(feed.parse(spoilt, now=now))


@pytest.mark.parametrize("kind", KINDS)
@given(raw=st.binary(max_size=300))
def test_no_bytes_at_all_make_a_feed_raise(kind: str, raw: bytes) -> None:
    found = a_feed(kind).parse(raw, now=read_at(Path("2026-01-10")))

    check(found)
    assert found.refused


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def enclosed(kind: str, x: object) -> dict[str, object]:
    """A message of this kind that is right but for ``x`` inside."""
    if kind == "openmeteo":
        return {
            "hourly": {"time": x, "pm2_5": x},
            "hourly_units": {"pm2_5": "µg/m³"},
            "utc_offset_seconds": 0,
        }
    if kind == "qweather":
        return {"code": "200", "updateTime": "2026-01-10T09:00+08:00", "daily": x}
    if kind == "caiyun":
        air = {"aqi": x, "pm25": x}
        return {"status": "ok", "server_time": 1768032000, "result": {"daily": {"air_quality": air}}}
    if kind == "waqi":
        return {"status": "ok", "data": {"aqi": x, "forecast": {"daily": {"pm25": x, "pm10": x}}}}
    if kind == "replay_observed":
        return {"days": x}
    return {"issued_at": "2026-01-10T09:00+08:00", "days": x}


JSON_KINDS = [one for one in KINDS if one not in ("cnemc", "kdd2018")]


@pytest.mark.parametrize("kind", JSON_KINDS)
@given(inner=JSON)
def test_no_shape_inside_the_envelope_makes_a_feed_raise(kind: str, inner: object) -> None:
    raw = json.dumps(enclosed(kind, inner)).encode()

    check(a_feed(kind).parse(raw, now=read_at(Path("2026-01-10"))))


@pytest.mark.parametrize("kind", JSON_KINDS)
def test_nesting_without_end_is_refused_as_a_whole(kind: str) -> None:
    found = a_feed(kind).parse(b"[" * 200_000, now=read_at(Path("2026-01-10")))

    assert len(found.refused) == 1


@pytest.mark.parametrize("kind", JSON_KINDS)
def test_a_sign_in_page_is_called_one(kind: str) -> None:
    found = a_feed(kind).parse(b"\n<!doctype HTML><html>sign in</html>", now=read_at(Path("2026-01-10")))

    assert [one.where for one in found.refused] == ["row 1" if kind == "table" else "byte 0"]
    assert kind == "table" or "an HTML page" in found.refused[0].reason


@pytest.mark.parametrize(
    "path", [one for one in MESSAGES if one.name.startswith("ok") and "replay" not in one.parent.name], ids=named
)
def test_last_years_message_is_not_taken_for_news(path: Path) -> None:
    found = a_feed(path.parent.name).parse(path.read_bytes(), now=read_at(path) + timedelta(days=365))

    assert (found.forecasts, found.observations) == ((), ())
    assert found.refused
