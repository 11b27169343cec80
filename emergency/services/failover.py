"""A channel with several providers goes over from one that fails to one that does not, and says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from emergency.domain import failover
from emergency.domain.episode import Fact
from emergency.domain.failover import Preference, Provider
from emergency.domain.messages import Outcome
from emergency.store import Tx, providers

BY = "rule"
WHY = {"broken": "密钥或地址被拒", "errors": "连续出错", "slow": "响应过慢"}
Heard = Mapping[str, Sequence[tuple[Outcome, int]]]  # provider → its answers, each with its milliseconds


def note_sends(
    tx: Tx, channel: str, names: Sequence[str], heard: Heard, *, civil: datetime, wall: datetime, open_for: timedelta
) -> bool:
    """Write down these answers and go over where that is due; whether every provider's breaker is open now."""
    now, found = providers.locked(tx, channel, names)
    after = [failover.after_sends(one, heard.get(one.name, ()), wall=wall, open_for=open_for) for one in found]
    providers.keep(tx, channel, [one for one in after if one.name in heard])
    _decide(tx, channel, now, after, civil=civil, wall=wall)
    return all(failover.broken(one, wall=wall) for one in after)


def note_proof(
    tx: Tx,
    channel: str,
    names: Sequence[str],
    name: str,
    outcome: Outcome,
    took_ms: int,
    *,
    civil: datetime,
    wall: datetime,
    open_for: timedelta,
) -> None:
    """Write down a proof of one provider; enough good ones bring a channel home."""
    now, found = providers.locked(tx, channel, names)
    after = [
        failover.after_proof(one, outcome, took_ms, wall=wall, open_for=open_for) if one.name == name else one
        for one in found
    ]
    providers.keep(tx, channel, [one for one in after if one.name == name])
    _decide(tx, channel, now, after, civil=civil, wall=wall)


def _decide(
    tx: Tx, channel: str, now: Preference, found: Sequence[Provider], *, civil: datetime, wall: datetime
) -> None:
    then = failover.prefer(now, found, wall=wall)
    if then == now:
        return
    providers.keep_preference(tx, channel, then)
    more = {"from": now.name, "to": then.name, "because": then.because.value if then.because else ""}
    tx.note(Fact("channel.switched", channel, BY, civil, more=more))
    alarm = f"provider:{channel}"
    if then.name == found[0].name:
        tx.clear_alarm(alarm, now=civil)
        return
    failure = next((one.failure for one in found if one.name == now.name), "")
    why = WHY[then.because.value] if then.because else ""
    words = f"{channel} 通道已由 {now.name} 改走 {then.name}：{why}{'：' if failure else ''}{failure}"
    tx.raise_alarm(alarm, area="", detail=words[:300], now=civil)
