"""Every task: a door to one use case, with ids by name in and nothing out; it may run twice, late, or beside itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from emergency.channels import channel_of, provider_of
from emergency.domain.messages import Lane
from emergency.services import (
    auditing,
    chasing,
    exercising,
    health,
    intake,
    listing,
    nagging,
    polling,
    post,
    reaching,
    rounds,
    shadowing,
    verifying,
    watch,
)
from workers.app import awaited, holder, system, task


@task("poll_feed")
def poll_feed(*, feed: str, **_: Any) -> None:
    """Ask one feed what is new, and hold the plans against it."""
    s = system()
    found = s.feeds.get(feed)  # a feed taken out of the settings may still lie in yesterday's queue
    if found and polling.poll(s.store, found, now=s.clock.now(), wall=s.wall.now()):
        weigh()
        verify()


@task("weigh")
def weigh(**_: Any) -> None:
    """
    Hold the plans against the air there is; a day that ended may ask for a move without any new message.

    A reduction list whose day has come enters force first, so that an episode opening now has it from its beginning.
    """
    s = system()
    listing.enter_all(s.store, s.rules, now=s.clock.now())
    found = intake.weigh_all(s.store, s.rules, now=s.clock.now())
    found += exercising.weigh_all(s.store, s.rules, now=s.clock.now())
    if found:
        s.wake_drains()
    shadowing.shadow_all(s.store, s.rules, s.place.shadow, now=s.clock.now())


@task("verify")
def verify(**_: Any) -> None:
    """Hold what was forecast against the days that are over; asked again it finds nothing to do."""
    s = system()
    verifying.verify_all(s.store, by_hour=s.place.forecast_by, now=s.clock.now())


@task("drain")
def drain(*, channel: str, lane: str = "normal", **_: Any) -> None:
    """Send what is ready on one channel's lane until nothing is."""
    s = system()
    if found := s.channels.get(channel):
        into = Lane[lane.upper()]
        links, by = s.rules.links, holder()
        awaited(
            post.drain(
                s.store, found, lane=into, links=links, clock=s.clock, wall=s.wall, holder=by, rules=s.rules
            )
        )


@task("prove")
def prove(*, channel: str, **_: Any) -> None:
    """Prove one channel's route with a message to a number of our own."""
    s = system()
    found, address = provider_of(s.channels, channel), s.settings.channels.get(channel, {}).get("probe", "")
    if found and address:
        every = timedelta(seconds=s.settings.probe_seconds)
        names = s.channels[channel_of(channel)].providers
        within = (channel_of(channel), names) if names else None
        proof = health.prove(
            s.store, channel, found, address, clock=s.clock, wall=s.wall, every=every, within=within
        )
        awaited(proof)


@task("escalate")
def escalate(**_: Any) -> None:
    """Climb the ladders whose next step is due."""
    s = system()
    if chasing.escalate_overdue(s.store, s.rules, now=s.clock.now()):
        s.wake_drains()
    watch.alive(s.store, "escalate", wall=s.wall.now())


@task("lapse")
def lapse(**_: Any) -> None:
    """Nag about proposals nobody decided in time, and let go of those that can no longer take effect."""
    s = system()
    if nagging.lapse_overdue(s.store, s.rules, now=s.clock.now()):
        s.wake_drains()


@task("round")
def round_of_the_day(**_: Any) -> None:
    """Broadcast running warnings again, ask for reports, chase what is missing, remind of what comes due."""
    s = system()
    if rounds.go(s.store, s.rules, now=s.clock.now()):
        s.wake_drains()


@task("sweep")
def sweep(**_: Any) -> None:
    """Give back to the post what a dead worker held."""
    s = system()
    watch.sweep(s.store, wall=s.wall.now(), doubt=timedelta(seconds=s.settings.doubt_seconds))


@task("look")
def look(**_: Any) -> None:
    """Ask whether feeds talk, post moves and desks do their tasks; say so when they do not."""
    s = system()
    if watch.look(s.store, s.rules, now=s.clock.now(), wall=s.wall.now(), feeds=tuple(s.feeds.values())):
        s.wake_drains()


@task("audit")
def audit(**_: Any) -> None:
    """Hold what there is against what should be, and once a day the ladders; mend what can be mended, name the rest."""
    s = system()
    if auditing.audit(s.store, s.rules, now=s.clock.now(), wall=s.wall.now()):
        s.wake_drains()
    reaching.look(s.store, s.rules, now=s.clock.now(), wall=s.wall.now())
