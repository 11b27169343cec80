"""One sender process for measuring: drains a lane of the sms channel each time it is told to, until its input ends."""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from pathlib import Path

from benchmarks.city import PUBLIC_URL, SECRET
from emergency.channels import build
from emergency.clock import WallClock
from emergency.domain.messages import Lane
from emergency.services import post
from emergency.services.links import Links
from emergency.store import connect


async def _drain(url: str, gateway: str, connections: str, lane: Lane, senders: str) -> None:
    """A line is a wake-up, as the broker's is in the product; what was settled is said in answer to each."""
    wall, links = WallClock(), Links(SECRET.encode(), PUBLIC_URL)
    said = {"sms": {"url": gateway, "key": "made-up-for-measuring", "connections": connections, "senders": senders}}
    channel = build(said, frozenset({gateway.split("/")[2]}), wall=wall)["sms"]
    store = connect(url)
    before = resource.getrusage(resource.RUSAGE_SELF)
    _say("ready")
    while await asyncio.to_thread(sys.stdin.readline):
        by = f"bench-{os.getpid()}"
        done = await post.drain(store, channel, lane=lane, links=links, clock=wall, wall=wall, holder=by)
        _say(str(done))
    await channel.close()
    store.dispose()
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    _say(f"{spent} {_peak_mib()}")


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def _peak_mib() -> float:
    """The most memory this process has held; getrusage would tell its parent's, which it was for a moment."""
    said = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return int(said.split("VmHWM:")[1].split()[0]) / 1024


if __name__ == "__main__":
    asyncio.run(_drain(sys.argv[1], sys.argv[2], sys.argv[3], Lane[sys.argv[4].upper()], sys.argv[5]))
