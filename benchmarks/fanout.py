"""From a signature to the last order settled, beside a bare client, the naive way, and ten times the size."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine, text

from benchmarks import naive
from benchmarks.city import Ready, databases, ready
from benchmarks.gateway import ROOT, Gateway, gateway
from benchmarks.senders import PATIENCE_S, Sender, senders
from emergency.services import decisions

SIZE = 10_000
CONNECTIONS = 64
DELAY_MS = 5.0
PLACES = 2  # sender processes that share one lane on PostgreSQL; SQLite has one writer and so one sender
ROUNDS = 3  # the best counts and the median is told: on a shared machine the others measure the neighbours
NAIVE_SIZE = 1_000
OF_FLOOR, TIMES_NAIVE, CPU_OF_NAIVE = 0.45, 10.0, 1 / 15


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


def run(size: int = SIZE) -> Mapping[str, object]:
    """The fan-out beside its floor and the naive way, on PostgreSQL where EMERGENCY_TEST_DATABASE_URL names one."""
    with gateway(DELAY_MS) as to:
        floors, rounds = [], []
        for _ in range(ROUNDS):
            floors.append(floor(to, size))
            rounds.append(fan_out("fanout", to, size))
        other = _naive(to)
    best = min(rounds, key=lambda one: one.seconds)
    floor_per_s = max(per_s for per_s, _ in floors)
    ratios = sorted(size / one.seconds / per_s for one, (per_s, _) in zip(rounds, floors, strict=True))
    told: dict[str, object] = {
        "size": size,
        "connections": CONNECTIONS,
        "on": _on("fanout"),
        "floor_per_s": floor_per_s,
        "floor_void": floor_per_s < 0.8 * CONNECTIONS / (DELAY_MS / 1000),
        "orders_per_s": size / best.seconds,
        "of_floor": ratios[-1],
        "of_floor_median": ratios[len(ratios) // 2],
        "wanted_of_floor": OF_FLOOR,
        **_parts(best, size),
        "cpu_s_per_1000_median": sorted(one.cpu_s for one in rounds)[len(rounds) // 2] * 1000 / size,
    }
    if other is None:
        return {**told, "times_naive": None, "naive_void": "no Redis: EMERGENCY_TEST_BROKER_URL is not set"}
    per_s, cpu = other
    void = per_s < 0.03 * floor_per_s
    return {
        **told,
        "naive_per_s": per_s,
        "naive_cpu_s_per_1000": cpu,
        "naive_void": "below 0.03 of the floor" if void else "",
        "times_naive": size / best.seconds / per_s,
        "wanted_times_naive": TIMES_NAIVE,
        "cpu_of_naive": best.cpu_s * 1000 / size / cpu,
        "wanted_cpu_of_naive": CPU_OF_NAIVE,
    }


def run_sqlite(size: int = SIZE) -> Mapping[str, object]:
    """The same on a SQLite file with one sender."""
    with gateway(DELAY_MS) as to:
        pairs = [(floor(to, size)[0], fan_out("fanout_sqlite", to, size)) for _ in range(ROUNDS)]
    ratios = sorted(size / one.seconds / per_s for per_s, one in pairs)
    best = min((one for _, one in pairs), key=lambda one: one.seconds)
    return {
        "size": size,
        "floor_per_s": max(per_s for per_s, _ in pairs),
        "orders_per_s": size / best.seconds,
        "of_floor": ratios[-1],
        "of_floor_median": ratios[len(ratios) // 2],
        "wanted_of_floor": 0.35,
        **_parts(best, size),
    }


def run_growth(size: int = 100_000) -> Mapping[str, object]:
    """Ten times as many: what an order costs, and what the senders hold in memory."""
    with gateway(DELAY_MS) as to:
        small = [fan_out("growth", to, max(1, size // 10)) for _ in range(ROUNDS)]
        large = fan_out("growth", to, size)
    each = min(one.cpu_s for one in small) / max(1, size // 10)
    return {
        "size": size,
        "on": _on("growth"),
        "cpu_100k_over_10k": large.cpu_s / size / each,
        "wanted_at_most": 1.15,
        "database_cpu_100k_over_10k": _over(large.database_cpu_s / size, small, size),
        "peak_mib": large.peak_mib,
        "wanted_peak_mib": 256,
        "signer_peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        **_parts(large, size),
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


def _over(each: float, small: list[Run], size: int) -> float | None:
    least = min(one.database_cpu_s for one in small) / max(1, size // 10)
    return each / least if least else None


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
        server = _server(city)
        database, mine = naive.cpu_of(server), time.process_time()
        begun, here = time.perf_counter(), time.monotonic()
        decisions.sign(
            city.store, city.rules, city.decision.id,
            by=city.approver, content=city.decision.content_sha, now=city.now,
        )
        signed, sign_cpu = time.perf_counter() - begun, time.process_time() - mine
        _through(city, awake)
        took = time.perf_counter() - begun
        spent = naive.cpu_of(_server(city) | server) - database
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


def _server(city: Ready) -> set[int]:
    """The processes of PostgreSQL on this machine, for their CPU; none for SQLite."""
    if city.store.dialect != "postgresql":
        return set()
    with city.store.engine.connect() as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    said = Path(f"/proc/{pid}/stat")
    if not said.exists():  # it runs elsewhere
        return set()
    parent = int(said.read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()[1])
    return {parent, *naive.children_of(parent)}


def _naive(to: Gateway) -> tuple[float, float] | None:
    """Orders a second and CPU seconds per thousand of the naive way, PostgreSQL's own included; None without Redis."""
    if not os.environ.get("EMERGENCY_TEST_BROKER_URL"):
        return None
    with databases("naive") as url:
        engine = create_engine(url)
        engine.dispose()
        found = naive.measure(url, to, NAIVE_SIZE)
    return found.per_s, found.cpu_s * 1000 / NAIVE_SIZE
