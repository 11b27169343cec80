"""What was heard of each provider of a channel, and which one is preferred, in rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from emergency.domain.failover import Heard, Preference, Provider, Unfit
from emergency.store.bulk import table
from emergency.store.tables_posting import ProviderRow
from emergency.store.tx import Tx

_PROVIDERS = table(ProviderRow)


def all_of(tx: Tx) -> dict[str, tuple[Preference | None, dict[str, Provider]]]:
    """Channel → who is preferred (None: the first of the settings) and what was heard of each; one statement."""
    found: dict[str, tuple[Preference | None, dict[str, Provider]]] = {}
    for row in tx.connection.execute(select(_PROVIDERS).order_by(_PROVIDERS.c.channel, _PROVIDERS.c.name)):
        preference, providers = found.get(row.channel, (None, {}))
        found[row.channel] = (_preference(row) or preference, {**providers, row.name: _provider(row)})
    return found


def preferred(tx: Tx, channel: str, names: Sequence[str]) -> str:
    """Who sends on this channel now; the first of the settings until it was ever otherwise."""
    asked = select(_PROVIDERS.c.name).where(
        _PROVIDERS.c.channel == channel, _PROVIDERS.c.preferred_since.is_not(None), _PROVIDERS.c.name.in_(names)
    )
    return tx.connection.execute(asked).scalar() or names[0]


def broken(tx: Tx, channel: str, *, now: datetime) -> frozenset[str]:
    """The providers of this channel whose breaker is open."""
    asked = select(_PROVIDERS.c.name).where(_PROVIDERS.c.channel == channel, _PROVIDERS.c.broken_until > now)
    return frozenset(tx.connection.execute(asked).scalars())


def locked(tx: Tx, channel: str, names: Sequence[str]) -> tuple[Preference, list[Provider]]:
    """The channel's preference and providers, in the order of the names, locked until the transaction ends."""
    insert = (postgresql if tx.connection.dialect.name == "postgresql" else sqlite).insert(_PROVIDERS)
    fresh = {"recent": [], "good_proofs": 0, "failure": "", "because": ""}
    rows = [{"channel": channel, "name": name, **fresh} for name in sorted(names)]
    tx.connection.execute(insert.on_conflict_do_nothing(), rows)
    asked = (
        select(_PROVIDERS).where(_PROVIDERS.c.channel == channel).order_by(_PROVIDERS.c.name).with_for_update()
    )
    found = {row.name: row for row in tx.connection.execute(asked)}
    preference = next((one for one in map(_preference, found.values()) if one), Preference(names[0]))
    return preference, [_provider(found[name]) for name in names]


def keep(tx: Tx, channel: str, some: Sequence[Provider]) -> None:
    """Keep what was heard of these."""
    for one in some:
        tx.connection.execute(
            update(_PROVIDERS)
            .where(_PROVIDERS.c.channel == channel, _PROVIDERS.c.name == one.name)
            .values(
                recent=[[int(answer.error), answer.took_ms] for answer in one.recent],
                good_proofs=one.good_proofs,
                failed_at=one.failed_at,
                failure=one.failure,
                broken_until=one.broken_until,
            )
        )


def keep_preference(tx: Tx, channel: str, now: Preference) -> None:
    """Keep who is preferred; every other one is not."""
    of_channel = update(_PROVIDERS).where(_PROVIDERS.c.channel == channel)
    tx.connection.execute(of_channel.values(preferred_since=None, because=""))
    tx.connection.execute(
        of_channel.where(_PROVIDERS.c.name == now.name).values(
            preferred_since=now.since, because=now.because.value if now.because else ""
        )
    )


def _provider(row: Any) -> Provider:
    return Provider(
        name=row.name,
        recent=tuple(Heard(bool(error), took_ms) for error, took_ms in row.recent),
        good_proofs=row.good_proofs,
        failed_at=row.failed_at,
        failure=row.failure,
        broken_until=row.broken_until,
    )


def _preference(row: Any) -> Preference | None:
    if row.preferred_since is None:
        return None
    return Preference(row.name, row.preferred_since, Unfit(row.because) if row.because else None)
