"""From a signature to the last order settled, beside a bare client, the naive way, and ten times the size."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median_low

from sqlalchemy import text

from benchmarks import naive
from benchmarks.city import Ready, databases, ready
from benchmarks.gateway import ROOT, Gateway, gateway
from benchmarks.senders import PATIENCE_S, Sender, senders
from emergency.services import decisions

SIZE = 10_000
CONNECTIONS = 64
DELAY_MS = 5.0
PLACES = 2  # sender processes that share one lane on PostgreSQL; SQLite has one writer and so one sender
ROUNDS = 3  # each beside a floor of its own; the median counts
OF_IDEAL = 0.8  # a floor below this share of connections ÷ latency measured its neighbours: its round is void
NAIVE_SIZE = 1_000
OF_FLOOR, TIMES_NAIVE, CPU_OF_NAIVE = 0.45, 10.0, 1 / 15
NOT_COUNTED = "Celery, beat, sweeps and ladder, Redis: the senders are processes of their own, woken through a pipe"


@dataclass(frozen=True)
class Run:
    """One fan-out: seconds from the signature on, CPU seconds of all but the gateway, the senders' peak memory."""

    seconds: float
    sign_s: float
    sign_cpu_s: float
    senders_cpu_s: float
    database_cpu_s: float
    peak_mib: float
    first_s: float
    last_s: float
    requests: int
    distinct: int

    @property
    def cpu_s(self) -> float:
        """CPU seconds of signing, sending and the database."""
        return self.sign_cpu_s + self.senders_cpu_s + self.database_cpu_s


@dataclass(frozen=True)
class Round:
    """One run beside the floor that was measured just before it."""

    floor_per_s: float
    run: Run
    size: int

    @property
    def void(self) -> bool:
        """Whether the floor itself was too slow to say anything."""
        return self.floor_per_s < OF_IDEAL * CONNECTIONS / (DELAY_MS / 1000)

    @property
    def of_floor(self) -> float:
        """The run's pace over that of its own floor."""
        return self.size / self.run.seconds / self.floor_per_s


def middle(rounds: Sequence[Round], by: Callable[[Round], float]) -> Round | None:
    """The round in the middle by some figure, the lower of two; void ones do not count, None where all are."""
    sound = [one for one in rounds if not one.void]
    if not sound:
        return None
    wanted = median_low([by(one) for one in sound])
    return next(one for one in sound if by(one) == wanted)


def of_rounds(rounds: Sequence[Round], wanted: float) -> dict[str, object]:
    """What the rounds came to: the one in the middle by its share of its own floor, and nothing where all are void."""
    told = middle(rounds, lambda one: one.of_floor)
    return {
        "size": rounds[0].size,
        "floor_per_s": told.floor_per_s if told else max(one.floor_per_s for one in rounds),
        "floor_void": told is None,
        "rounds": len(rounds),
        "rounds_void": sum(one.void for one in rounds),
        "orders_per_s": told.size / told.run.seconds if told else None,
        "of_floor": told.of_floor if told else None,
        "wanted_of_floor": wanted,
        **(_parts(told.run, told.size) if told else {}),
    }


def _round(name: str, to: Gateway, size: int) -> Round:
    per_s, _ = floor(to, size)
    return Round(per_s, fan_out(name, to, size), size)


def run(size: int = SIZE) -> Mapping[str, object]:
    """The fan-out beside its floor and the naive way, on PostgreSQL where EMERGENCY_TEST_DATABASE_URL names one."""
    with gateway(DELAY_MS) as to:
        rounds = [_round("fanout", to, size) for _ in range(ROUNDS)]
        other = _naive(to)
    told: dict[str, object] = {
        **of_rounds(rounds, OF_FLOOR), "connections": CONNECTIONS, "on": _on("fanout"), "not_counted": NOT_COUNTED,
    }  # fmt: skip
    if other is None:
        return {**told, "times_naive": None, "naive_void": "no Redis: EMERGENCY_TEST_BROKER_URL is not set"}
    ours, (per_s, cpu) = middle(rounds, lambda one: one.of_floor), other
    void = ours is None or per_s < 0.03 * ours.floor_per_s
    beside = None if ours is None or void else ours
    return {
        **told,
        "naive_per_s": per_s,
        "naive_cpu_s_per_1000": cpu,
        "naive_void": "every floor is void, or the naive way is below 0.03 of it" if void else "",
        "times_naive": size / beside.run.seconds / per_s if beside else None,
        "wanted_times_naive": TIMES_NAIVE,
        "cpu_of_naive": beside.run.cpu_s * 1000 / size / cpu if beside else None,
        "wanted_cpu_of_naive": CPU_OF_NAIVE,
    }


def run_sqlite(size: int = SIZE) -> Mapping[str, object]:
    """The same on a SQLite file with one sender."""
    with gateway(DELAY_MS) as to:
        return of_rounds([_round("fanout_sqlite", to, size) for _ in range(ROUNDS)], 0.35)


def run_growth(size: int = 100_000) -> Mapping[str, object]:
    """Ten times as many: what an order costs, and what the senders hold in memory; void where the machine was busy."""
    tenth = max(1, size // 10)
    with gateway(DELAY_MS) as to:
        some = [_round("growth", to, tenth) for _ in range(ROUNDS)]
        large = _round("growth", to, size)
    small, many = middle(some, lambda one: one.run.cpu_s), large.run
    beside = None if small is None or large.void else small.run
    told = {"size": size, "on": _on("growth"), "floor_void": beside is None, "wanted_at_most": 1.15}
    return {
        **told,
        "rounds_void": sum(one.void for one in [*some, large]),
        "cpu_100k_over_10k": many.cpu_s / size / (beside.cpu_s / tenth) if beside else None,
        "database_cpu_100k_over_10k": many.database_cpu_s / size / (beside.database_cpu_s / tenth)
        if beside and beside.database_cpu_s
        else None,
        "peak_mib": many.peak_mib,
        "wanted_peak_mib": 256,
        "signer_peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "not_counted": NOT_COUNTED,
        **_parts(many, size),
    }


def run_slow_gateway(size: int = 5_000) -> Mapping[str, object]:
    """A gateway that takes 100 ms: when the first message reaches it, and the last."""
    with gateway(100.0) as to:
        found = fan_out("slow", to, size)
    return {
        "size": size,
        "first_s": found.first_s,
        "wanted_first_s": 2.0,
        "last_s": found.last_s,
        "wanted_last_s": 15.0,
        "connections": CONNECTIONS,
    }


def _parts(one: Run, size: int) -> dict[str, object]:
    return {
        "cpu_s_per_1000": one.cpu_s * 1000 / size,
        "sign_cpu_s_per_1000": one.sign_cpu_s * 1000 / size,
        "send_cpu_s_per_1000": one.senders_cpu_s * 1000 / size,
        "database_cpu_s_per_1000": one.database_cpu_s * 1000 / size,
        "signed_after_s": one.sign_s,
        "first_after_s": one.first_s,
        "last_after_s": one.last_s,
        "settled_after_s": one.seconds,
        "senders_peak_mib": one.peak_mib,
        "duplicates": one.requests - one.distinct,
    }


def _on(name: str) -> str:
    return "postgresql" if os.environ.get("EMERGENCY_TEST_DATABASE_URL") and not name.endswith("sqlite") else "sqlite"


def floor(to: Gateway, size: int) -> tuple[float, float]:
    """Messages a second of one bare client, and its CPU seconds."""
    done = subprocess.run(  # noqa: S603 - our own module, no input from outside
        [sys.executable, "-m", "benchmarks.floor", str(to.port), str(size), str(CONNECTIONS)],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=True,
    )
    per_s, cpu = map(float, done.stdout.split())
    return per_s, cpu


def fan_out(name: str, to: Gateway, size: int) -> Run:
    """Sign for so many recipients and wait until every message is settled; the clock starts with the signature."""
    with ExitStack() as stack:
        url = stack.enter_context(databases(name))
        city = stack.enter_context(ready(url, size))
        places = PLACES if city.store.dialect == "postgresql" else 1
        awake = stack.enter_context(senders(url, to, connections=CONNECTIONS, places=places))
        to.reset()
        server = naive.postgresql(city.store.engine)
        database, mine = naive.cpu_of(server), time.process_time()
        begun, here = time.perf_counter(), time.monotonic()
        decisions.sign(
            city.store, city.rules, city.decision.id,
            by=city.approver, content=city.decision.content_sha, now=city.now,
        )
        signed, sign_cpu = time.perf_counter() - begun, time.process_time() - mine
        _through(city, awake)
        took = time.perf_counter() - begun
        spent = naive.cpu_of(naive.postgresql(city.store.engine) | server) - database
        counts = to.counts()
        used = [one.let_go() for one in awake]
        _check(city, size, counts.distinct)
    return Run(
        seconds=took,
        sign_s=signed,
        sign_cpu_s=sign_cpu,
        senders_cpu_s=sum(cpu for cpu, _ in used),
        database_cpu_s=spent,
        peak_mib=sum(peak for _, peak in used),
        first_s=counts.first_at - here,
        last_s=counts.last_at - here,
        requests=counts.requests,
        distinct=counts.distinct,
    )


def _through(city: Ready, awake: Sequence[Sender]) -> None:
    """Wake the senders, as a signature does, until nothing waits and nothing is on its way."""
    ends = time.monotonic() + PATIENCE_S
    left = text("SELECT 1 FROM messages WHERE state IN ('ready', 'sending') LIMIT 1")
    while True:
        for one in awake:
            one.wake()
        for one in awake:
            one.drained()
        with city.store.engine.connect() as connection:
            if connection.execute(left).first() is None:
                return
        if time.monotonic() > ends:
            raise TimeoutError("the post did not come to an end")
        time.sleep(0.05)


def _check(city: Ready, size: int, distinct: int) -> None:
    with city.store.engine.connect() as connection:
        sent = connection.execute(text("SELECT count(*) FROM messages WHERE state = 'sent'")).scalar()
        orders = connection.execute(text("SELECT count(*) FROM orders")).scalar()
    if not (sent == orders == distinct == size):
        raise AssertionError(f"{size} recipients: {orders} orders, {sent} sent, {distinct} at the gateway")


def _naive(to: Gateway) -> tuple[float, float] | None:
    """Orders a second and CPU seconds per thousand of the naive way, PostgreSQL's own included; None without Redis."""
    if not os.environ.get("EMERGENCY_TEST_BROKER_URL"):
        return None
    with databases("naive") as url:
        found = naive.measure(url, to, NAIVE_SIZE)
    return found.per_s, found.cpu_s * 1000 / NAIVE_SIZE
