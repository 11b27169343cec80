"""Which provider of a channel sends next: decided from what was heard of each, without flapping."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from emergency.domain.messages import ChannelFault, Later, Outcome, Uncertain

KEPT = 50  # the last answers that are looked at
IN_A_ROW = 5  # errors one after the other
LEAST = 20  # below so many answers a share says nothing
SHARE = 0.5  # of the last LEAST answers that were errors
SLOW_MS = 5_000  # for 95 in 100
STAY = timedelta(minutes=10)  # after going over, before anything but a breaker or an error moves it again
GOOD_PROOFS = 3  # in a row, before one that was left counts as well again


class Unfit(StrEnum):
    """Why a provider should not send."""

    BROKEN = "broken"  # its key or address is refused: the breaker is open
    ERRORS = "errors"
    SLOW = "slow"


@dataclass(frozen=True)
class Heard:
    """One answer: whether it was an error, and how long it took."""

    error: bool
    took_ms: int


@dataclass(frozen=True)
class Provider:
    """One gateway of a channel, as its last answers show it; ``good_proofs``: in a row (instants are wall time)."""

    name: str
    recent: tuple[Heard, ...] = ()
    good_proofs: int = 0
    failed_at: datetime | None = None
    failure: str = ""
    broken_until: datetime | None = None


@dataclass(frozen=True)
class Preference:
    """Who sends now, since when, and why it is not the one before; no ``since``: it was never otherwise."""

    name: str
    since: datetime | None = None
    because: Unfit | None = None


def heard(outcome: Outcome, took_ms: int) -> Heard:
    """An answer as it counts: a wrong number is the message's error, not the provider's."""
    return Heard(isinstance(outcome, Later | ChannelFault | Uncertain), took_ms)


def after_sends(
    one: Provider, some: Iterable[tuple[Outcome, int]], *, wall: datetime, open_for: timedelta
) -> Provider:
    """The provider after these answers (each with its milliseconds), oldest first."""
    for outcome, took_ms in some:
        now = heard(outcome, took_ms)
        one = replace(one, recent=(*one.recent, now)[-KEPT:])
        if now.error:
            one = replace(one, good_proofs=0, failed_at=wall, failure=getattr(outcome, "because", "")[:300])
        if isinstance(outcome, ChannelFault):
            one = replace(one, broken_until=wall + open_for)
        elif not now.error:
            one = replace(one, broken_until=None)
    return one


def after_proof(one: Provider, outcome: Outcome, took_ms: int, *, wall: datetime, open_for: timedelta) -> Provider:
    """The provider after a proof; GOOD_PROOFS quick ones in a row and what was held against it is forgotten."""
    one = after_sends(one, [(outcome, took_ms)], wall=wall, open_for=open_for)
    if one.recent[-1].error or took_ms > SLOW_MS:
        return replace(one, good_proofs=0)
    good = one.good_proofs + 1
    return replace(one, good_proofs=good, recent=() if good == GOOD_PROOFS else one.recent)


def p95(one: Provider) -> int | None:
    """How long 95 in 100 of its last answers took at most, in milliseconds; None: nothing was heard."""
    took = sorted(answer.took_ms for answer in one.recent)
    return took[-(-95 * len(took) // 100) - 1] if took else None


def unfit(one: Provider, *, wall: datetime) -> Unfit | None:
    """What speaks against this provider now; None: nothing does."""
    if broken(one, wall=wall):
        return Unfit.BROKEN
    errors = [answer.error for answer in one.recent]
    if len(errors) >= IN_A_ROW and all(errors[-IN_A_ROW:]):
        return Unfit.ERRORS
    if len(errors) >= LEAST and sum(errors[-LEAST:]) >= SHARE * LEAST:
        return Unfit.ERRORS
    slowest = p95(one)
    return Unfit.SLOW if len(errors) >= LEAST and slowest is not None and slowest > SLOW_MS else None


def broken(one: Provider, *, wall: datetime) -> bool:
    """Whether its breaker is open."""
    return one.broken_until is not None and one.broken_until > wall


def prefer(now: Preference, providers: Sequence[Provider], *, wall: datetime) -> Preference:
    """
    Who sends from here on; ``providers`` in the order of the settings, the first one at home.

    It goes over at once from a broken or failing provider to one that nothing speaks against, from a slow one only
    after STAY. Where something speaks against every one it stays, but for a breaker, and looks again after STAY.
    It returns home after STAY, once home has proved itself GOOD_PROOFS times in a row.
    """
    by_name = {one.name: one for one in providers}
    home = providers[0]
    current = by_name.get(now.name)
    if current is None:  # taken out of the settings
        return Preference(home.name, wall)
    rested = now.since is None or wall - now.since >= STAY
    against = unfit(current, wall=wall)
    if against is None:
        back = current is not home and rested and home.good_proofs >= GOOD_PROOFS and not unfit(home, wall=wall)
        return Preference(home.name, wall) if back else now
    others = [one for one in providers if one is not current]
    fit = next((one for one in others if unfit(one, wall=wall) is None), None)
    if fit is not None and (rested or against is not Unfit.SLOW):
        return Preference(fit.name, wall, against)
    unbroken = next((one for one in others if not broken(one, wall=wall)), None)
    if unbroken is not None and (against is Unfit.BROKEN or (rested and against is Unfit.ERRORS)):
        return Preference(unbroken.name, wall, against)
    return now
