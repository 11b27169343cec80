"""The page of the channels: each provider, whether it is preferred, proved and well, and what waits."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from emergency.domain.exercise import WALL
from emergency.domain.failover import Provider, broken, p95
from emergency.domain.health import proof_of
from emergency.domain.messages import PORTAL, Lane
from emergency.domain.people import Act
from emergency.services import health
from emergency.store import channel_desk, providers
from emergency.web.access import open_to, the_system

bp = Blueprint("routes", __name__)


@bp.get("/console/channels")
@open_to(Act.SEE_DESK)
def channels() -> ResponseReturnValue:
    """How every channel and each of its providers is doing."""
    system = the_system()
    wall, every = system.wall.now(), timedelta(seconds=system.settings.probe_seconds)
    with system.store.reading() as tx:
        beats, known, posts = tx.heartbeats(), providers.all_of(tx), channel_desk.posts(tx, now=wall)
    found = []
    for name, channel in sorted(system.channels.items()):
        if name in (PORTAL, WALL):  # of our own: nothing of them can break
            continue
        preference, heard = known.get(name, (None, {}))
        lines = []
        for each in channel.providers or (name,):
            one = heard.get(each, Provider(each))
            probed = bool(system.settings.channels.get(each, {}).get("probe"))
            missed = beats.get(f"missed:{each}")
            last = max(
                (said for said in ((one.failed_at, one.failure), missed) if said is not None and said[0] is not None),
                default=None,
            )
            lines.append(
                {
                    "name": each,
                    "preferred": each == (preference.name if preference else name),
                    "proof": proof_of(health.route_of(each, beats), every=every, wall=wall).value
                    if probed
                    else "unasked",
                    "proved": beats.get(f"proved:{each}"),
                    "p95": p95(one),
                    "failure": last,
                    "broken": broken(one, wall=wall) or bool(posts.get(name) and posts[name].broken),
                }
            )
        found.append((name, lines, posts.get(name, channel_desk.Post({}))))
    return render_template("console/channels.html", found=found, lanes=list(Lane), wall=wall)
