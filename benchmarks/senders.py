"""Sender processes as a measurement has them: started before, woken when there is something, asked what they used."""

from __future__ import annotations

import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO

from benchmarks.gateway import ROOT, Gateway

PATIENCE_S = 300


class Sender:
    """One sender process of one lane."""

    def __init__(self, url: str, to: Gateway, *, connections: int, lane: str, places: int) -> None:
        asked = [sys.executable, "-m", "benchmarks.sender", url, to.url, str(connections), lane, str(places)]
        self._process = subprocess.Popen(  # noqa: S603 - our own module, no input from outside
            asked, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def started(self) -> None:
        """Wait until it is ready."""
        self._heard()

    def wake(self) -> None:
        """Say «look now»."""
        into = _pipe(self._process.stdin)
        into.write("\n")
        into.flush()

    def drained(self) -> int:
        """Wait until it has come to an end of what there was; how many it settled."""
        return int(self._heard())

    def let_go(self) -> tuple[float, float]:
        """Its CPU seconds since it was ready, and its peak memory in MiB."""
        _pipe(self._process.stdin).close()
        cpu, peak = map(float, self._heard().split())
        self._process.wait(10)
        return cpu, peak

    def end(self) -> None:
        """Kill it, if it is still there; what it has not sent stays in the database that goes with it."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(10)
        _pipe(self._process.stdin).close()
        _pipe(self._process.stdout).close()

    def _heard(self) -> str:
        said = _pipe(self._process.stdout)
        if not select.select([said], [], [], PATIENCE_S)[0]:
            raise TimeoutError("a sender did not come to an end")
        return said.readline()


def _pipe(one: IO[str] | None) -> IO[str]:
    if one is None:
        raise TypeError("the process has no pipe")
    return one


@contextmanager
def senders(url: str, to: Gateway, *, connections: int, places: int, lane: str = "urgent") -> Iterator[list[Sender]]:
    """So many sender processes that share one lane and its connections, ready and asleep."""
    with ExitStack() as stack:
        made = []
        for _ in range(places):
            made.append(Sender(url, to, connections=connections, lane=lane, places=places))
            stack.callback(made[-1].end)
        for one in made:
            one.started()
        yield made
