"""Asking the feeds: what is new is taken in once, and one that fails or asks to be left alone is asked later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from emergency import log as logs
from emergency.domain.forecast import Forecast, Observation
from emergency.errors import Misconfigured, Unavailable
from emergency.feeds.sources import UNKNOWN, RawMessage, Validators
from emergency.services import intake
from emergency.store import Store, Tx, feeding

log = logs.of(__name__)

LONGEST_PATIENCE = 4  # intervals between two questions to a feed that keeps failing
LONGEST_WAIT_S = 3600  # the same in seconds, and as long as any source may ask us to wait


class RefusedRecord(Protocol):
    """One record that was not taken in."""

    @property
    def where(self) -> str: ...

    @property
    def value(self) -> str: ...

    @property
    def reason(self) -> str: ...


class Parsed(Protocol):
    """What a feed made of one message."""

    @property
    def forecasts(self) -> Sequence[Forecast]: ...

    @property
    def observations(self) -> Sequence[Observation]: ...

    @property
    def refused(self) -> Sequence[RefusedRecord]: ...

    @property
    def raw_sha256(self) -> str: ...


class Feed(Protocol):
    """What polling needs of a feed: ``download`` touches the network, ``parse`` touches nothing."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def every_s(self) -> int: ...

    def download(self, *, now: datetime, known: Validators) -> RawMessage | None: ...

    def parse(self, raw: bytes, *, now: datetime) -> Parsed: ...


def poll(store: Store, feed: Feed, *, now: datetime, wall: datetime) -> int:
    """
    Ask one feed and take in what it says; how many things were new. A feed that fails is noted and blocks no other.

    A day's worth of trouble never loses what was good: refused records are kept with their reasons beside the others.
    One that has failed before is asked less often, and one that named a time (Retry-After) not before it: beat wakes
    it as always, and until it is due nothing is asked. A page that was had is asked for only if it changed since, also
    by a process that never saw it.
    """
    with store.reading() as tx:
        state = next((row for row in tx.feed_states() if row.name == feed.name), None)
        before = feeding.asked(tx, feed.name)
    if state is not None and state.failures and wall < due_again(state.tried_at, state.failures, feed.every_s):
        return 0
    if before.not_before is not None and wall < before.not_before:
        return 0
    try:
        message = feed.download(now=now, known=Validators(before.address, before.etag, before.last_modified))
    except (Unavailable, Misconfigured) as found:
        wait = found.retry_after if isinstance(found, Unavailable) else None
        because = str(found)
        store.run(lambda tx: _note_failure(tx, feed, because, wait=wait, now=now, wall=wall))
        log.warning("feed.failed", extra={"feed": feed.name, "because": because})
        return 0
    if message is None:
        store.run(lambda tx: _note_talk(tx, feed, news=False, now=now, wall=wall))
        return 0
    parsed = feed.parse(message.body, now=now)
    return store.run(lambda tx: take_in(tx, feed, message, parsed, now=now, wall=wall))


def due_again(tried_at: datetime, failures: int, every_s: int) -> datetime:
    """
    When a feed that has failed so often in a row is asked again.

    Its own interval after the first failure, then twice and four times that, but an hour at most where it is asked
    more often than that: air that comes back is known within the hour. A tenth is let go, because beat is never on the
    second.
    """
    waits = every_s * min(2 ** (failures - 1), LONGEST_PATIENCE)
    return tried_at + timedelta(seconds=0.9 * min(waits, max(every_s, LONGEST_WAIT_S)))


def take_in(tx: Tx, feed: Feed, message: RawMessage, parsed: Parsed, *, now: datetime, wall: datetime) -> int:
    """
    Keep a parsed message: each forecast and observation once, each refusal with where and why; how many were new.

    A message of which something was refused is asked for again as a whole: what it lacked may be understood later.
    """
    tx.keep_raw(sha256=parsed.raw_sha256, feed=feed.name, body=message.body, now=now)
    tx.keep_refused(
        feed.name, parsed.raw_sha256, [(one.where, one.value, one.reason) for one in parsed.refused], now=now
    )
    new = intake.keep_air(tx, parsed.forecasts, parsed.observations, now=now)
    _note_talk(tx, feed, news=new > 0, now=now, wall=wall, refused=len(parsed.refused))
    validators = UNKNOWN if parsed.refused else message.validators
    feeding.keep_validators(tx, feed.name, **validators._asdict())
    return new


def _note_failure(tx: Tx, feed: Feed, because: str, *, wait: float | None, now: datetime, wall: datetime) -> None:
    failures = next((row.failures for row in tx.feed_states() if row.name == feed.name), 0) + 1
    asks = "" if wait is None else f"; it asks to be left alone for {wait:.0f} s"
    tx.keep_feed(
        feed.name, kind=feed.kind, every_s=feed.every_s, tried_at=wall, failures=failures,
        because=f"{because[:450]}{asks}",
    )  # fmt: skip
    until = None if wait is None else wall + timedelta(seconds=min(wait, LONGEST_WAIT_S))
    feeding.wait_until(tx, feed.name, until)
    if failures >= 3:
        tx.raise_alarm(f"feed:{feed.name}", area="", detail=because[:300], now=now)


def _note_talk(tx: Tx, feed: Feed, *, news: bool, now: datetime, wall: datetime, refused: int = 0) -> None:
    because = f"{refused} records refused" if refused else ""
    columns = {
        "kind": feed.kind,
        "every_s": feed.every_s,
        "tried_at": wall,
        "talked_at": wall,
        "failures": 0,
        "because": because,
    }
    tx.keep_feed(feed.name, **columns, **({"news_at": wall} if news else {}))
    feeding.wait_until(tx, feed.name, None)
    tx.clear_alarm(f"feed:{feed.name}", now=now)
