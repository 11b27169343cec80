"""One sender process for measuring: drains a lane of the sms channel again and again until its input closes."""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import threading
from pathlib import Path

from benchmarks.city import PUBLIC_URL, SECRET
from emergency.channels import build
from emergency.clock import WallClock
from emergency.domain.messages import Lane
from emergency.services import post
from emergency.services.links import Links
from emergency.store import connect

PAUSE_S = 0.02  # between two looks at an empty lane; the product is woken by its broker instead


async def _drain(url: str, gateway: str, connections: str, lane: Lane, senders: str) -> None:
    wall, links = WallClock(), Links(SECRET.encode(), PUBLIC_URL)
    said = {"sms": {"url": gateway, "key": "made-up-for-measuring", "connections": connections, "senders": senders}}
    channel = build(said, frozenset({gateway.split("/")[2]}), wall=wall)["sms"]
    store, over = connect(url), threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    before = resource.getrusage(resource.RUSAGE_SELF)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while not over.is_set():
        by = f"bench-{os.getpid()}"
        done = await post.drain(store, channel, lane=lane, links=links, clock=wall, wall=wall, holder=by)
        if not done:
            await asyncio.sleep(PAUSE_S)
    await channel.close()
    store.dispose()
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    sys.stdout.write(f"{spent} {_peak_mib()}\n")


def _peak_mib() -> float:
    """The most memory this process has held; getrusage would tell its parent's, which it was for a moment."""
    said = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return int(said.split("VmHWM:")[1].split()[0]) / 1024


if __name__ == "__main__":
    asyncio.run(_drain(sys.argv[1], sys.argv[2], sys.argv[3], Lane[sys.argv[4].upper()], sys.argv[5]))
