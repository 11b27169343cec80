"""Every task: a door to one use case, with ids by name in and nothing out; it may run twice, late, or beside itself."""

from __future__ import annotations

from typing import Any

from emergency.services import decisions, dispatch, intake, watch
from workers.app import app, system


@app.task(name="poll_feed")
def poll_feed(*, feed: str, **_: Any) -> None:
    """Ask one feed what is new, and weigh it."""
    intake.poll(system(), feed)


@app.task(name="weigh")
def weigh(**_: Any) -> None:
    """Hold the plans against the air there is; a day that ended may ask for a move without any new message."""
    intake.weigh_all(system())


@app.task(name="drain")
def drain(*, channel: str, lane: str = "normal", **_: Any) -> None:
    """Send what is ready on one channel's lane until nothing is."""
    dispatch.drain(system(), channel, lane)


@app.task(name="escalate")
def escalate(**_: Any) -> None:
    """Climb the ladders whose next step is due."""
    dispatch.escalate_overdue(system())


@app.task(name="lapse")
def lapse(**_: Any) -> None:
    """Note which proposals nobody decided in time."""
    decisions.lapse_overdue(system())


@app.task(name="look")
def look(**_: Any) -> None:
    """Ask whether feeds talk, post moves and beat ticks; say so when they do not."""
    watch.look(system())
