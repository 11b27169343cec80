"""Each channel's route is proved every few minutes with a message to a number of our own; one that is not is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import NAMESPACE_URL, uuid5

from emergency.clock import SHANGHAI, Clock, seconds
from emergency.domain.health import Proof, Route, proof_of
from emergency.domain.messages import LANES, Kind, Message, Outcome, Sent
from emergency.services import failover
from emergency.services.post import BREAKER_OPEN
from emergency.services.watch import Beats
from emergency.store import Store, Tx

TEXT = "线路自检，无需处理。"


class Provable(Protocol):
    """What a proof needs of a channel."""

    async def send(self, message: Message) -> Outcome:
        """Hand it over once and say what became of it."""
        ...


def route_of(channel: str, beats: Beats) -> Route:
    """What the last proofs of this channel have shown."""
    since, proved = beats.get(f"asked:{channel}"), beats.get(f"proved:{channel}")
    return Route(channel, since[0] if since else None, proved[0] if proved else None)


async def prove(
    store: Store,
    name: str,
    channel: Provable,
    address: str,
    *,
    clock: Clock,
    wall: Clock,
    every: timedelta,
    within: tuple[str, Sequence[str]] | None = None,
) -> bool:
    """
    Send one message to our own address and write down what came of it; whether the route proved itself.

    ``within``: the channel whose provider this is and the names of all of them, where it has several. No transaction
    is open while it is on its way; asked twice within a minute the gateway sees one message.
    """
    now = wall.now()
    store.run(lambda tx: _asked(tx, name, now))
    begun = seconds()
    outcome = await channel.send(_message(name, address, now))
    took_ms = round((seconds() - begun) * 1000)
    store.run(lambda tx: _noted(tx, name, outcome, took_ms, civil=clock.now(), wall=wall.now(), every=every))
    if within is not None:
        of, names = within
        store.run(
            lambda tx: failover.note_proof(
                tx, of, names, name, outcome, took_ms, civil=clock.now(), wall=wall.now(), open_for=BREAKER_OPEN
            )
        )
    return isinstance(outcome, Sent)


def _message(name: str, address: str, now: datetime) -> Message:
    return Message(
        id=uuid5(NAMESPACE_URL, f"probe:{name}:{now:%Y%m%d%H%M}"),
        kind=Kind.PROBE,
        channel=name,
        lane=LANES[Kind.PROBE],
        to=address,
        text=TEXT,
        area="",
        due_at=now,
    )


def _asked(tx: Tx, name: str, now: datetime) -> None:
    """Since when this route is being asked: the first time counts."""
    if f"asked:{name}" not in tx.heartbeats():
        tx.beat(f"asked:{name}", at=now)


def _noted(
    tx: Tx, name: str, outcome: Outcome, took_ms: int, *, civil: datetime, wall: datetime, every: timedelta
) -> None:
    alarm = f"unproved:{name}"
    if isinstance(outcome, Sent):
        tx.beat(f"proved:{name}", at=wall, detail=f"{took_ms} ms")
        tx.clear_alarm(alarm, now=civil)
        return
    because = getattr(outcome, "because", "")[:200]
    tx.beat(f"missed:{name}", at=wall, detail=because)
    route = route_of(name, tx.heartbeats())
    if proof_of(route, every=every, wall=wall) is Proof.UNPROVED:
        last = route.proved_at or route.since or wall
        words = f"{name} 线路自 {last.astimezone(SHANGHAI):%H:%M} 起未获验证：{because}"
        tx.raise_alarm(alarm, area="", detail=words[:300], now=civil)


def told(
    channels: Mapping[str, Mapping[str, str]], beats: Beats, *, every: timedelta, wall: datetime
) -> dict[str, tuple[bool, str]]:
    """Each channel's route in words, and whether it is well: unproved is not, and never asked is nobody's knowledge."""
    found = {}
    for name, said in sorted(channels.items()):
        route = route_of(name, beats)
        if not said.get("probe"):
            found[name] = (True, "unproved: no probe address is set")
            continue
        proof = proof_of(route, every=every, wall=wall)
        last = beats.get(f"proved:{name}")
        words = f"proved {(wall - last[0]).total_seconds():.0f} s ago in {last[1]}" if last else "not proved yet"
        missed = beats.get(f"missed:{name}")
        why = f"; last failure: {missed[1]}" if missed and (last is None or missed[0] > last[0]) else ""
        found[name] = (proof is not Proof.UNPROVED, f"{words}{why}")
    return found
