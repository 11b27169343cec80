"""Random deaths of worker, beat, pages and broker during one event after another, counted as the crash tests count."""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from emergency import clock
from emergency.commands.stack import heed_signals
from emergency.domain.episode import Decision
from emergency.errors import Unavailable
from tests.conftest import BROKER_URL, Databases
from tests.crash.running import Killed, Running, Tally, Told, beside

LONGEST_PAUSE_S = 1.5  # between two deaths
TIRED_S = 90.0  # what the last event of a round may take to go quiet


def main(argv: Sequence[str] | None = None) -> int:
    """Kill so many times; 0 when every promise was kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=0.0, help="end after so long, whatever the kills; 0 = never")
    parser.add_argument("--seed", type=int, default=2015)
    asked = parser.parse_args(argv)
    heed_signals()
    folder = Path(tempfile.mkdtemp(prefix="emergency-soak-"))
    try:
        return _soaked(folder, asked.kills, asked.seconds, random.Random(asked.seed))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _soaked(folder: Path, kills: int, seconds: float, dice: random.Random) -> int:
    databases = folder / "databases"
    databases.mkdir()
    running = Running(folder / "run", Databases(databases, "soak").copy(), broker_url=beside(BROKER_URL))
    told, ends_at = Told(running.where), clock.seconds() + (seconds or 1e9)
    broken: list[str] = []
    try:
        running.start("worker", "beat", "web")
        running.up()
        while told.killed.total() < kills and clock.seconds() < ends_at:
            tally = _round(running, told, dice, kills)
            told.tallies.append((tally, True))
            broken += tally.broken(knows_keys=True)
            print(f"{told.killed.total()} kills {dict(told.killed)}, event {len(told.tallies)}:", end=" ")
            print(f"{tally.duplicates} again on the wire, broken: {broken or 'nothing'}", flush=True)
    finally:
        running.close()
    print(told.line())
    return 1 if broken else 0


def _round(running: Running, told: Told, dice: random.Random, kills: int) -> Tally:
    """One event with deaths in it, until its post is empty; what came of it."""
    decision = running.signed_on_the_pages() if dice.random() < 0.3 else running.signed()
    decision = _signed_after_all(running, decision)
    found: list[Killed] = []
    for _ in range(dice.randint(2, 6)):
        if told.killed.total() >= kills:
            break
        clock.pause(dice.random() * LONGEST_PAUSE_S)
        name, held = _killed(running, dice)
        told.killed[name] += 1
        found.append(Killed(name, 0, held))
    running.until(running.quiet, "an empty post", seconds=TIRED_S)
    return replace(running.tally(decision), kills=tuple(found))


def _signed_after_all(running: Running, decision: Decision) -> Decision:
    """The decision signed: when the pages died before it was, a person presses again."""
    with running.world.store.reading() as tx:
        waits = tx.decision(decision.id).standing.value == "proposed"
    return running.world.sign(decision, by="lj-approver3") if waits else decision


def _killed(running: Running, dice: random.Random) -> tuple[str, frozenset[UUID]]:
    """One death, and its successor started as a supervisor would; who died and what was held."""
    names = ["child", "child", "child", "worker", "beat", "web", *(["broker"] if running.own_broker else ["flush"])]
    name = dice.choice(names)
    before = running.held()
    if name == "child":
        with contextlib.suppress(ProcessLookupError, Unavailable, AttributeError, ValueError):
            os.kill(int(running.holder().rpartition(":")[2]), signal.SIGKILL)
    elif name == "flush":
        running.redis("flushdb")
    elif name == "broker":
        running.kill("broker")
        running.start_broker()
    else:
        assert running.kill(name) == -signal.SIGKILL
        running.start(name)
    return name, before | running.held()


if __name__ == "__main__":
    sys.exit(main())
