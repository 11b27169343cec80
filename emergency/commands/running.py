"""Running it: the pages, the workers, the tables, a check of everything, and the demo that plays a past episode."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final
from wsgiref.types import WSGIApplication

from config import DEVELOPMENT_SECRET, LEAST_SECRET, Settings
from emergency import log, system
from emergency.broker import LANES, Broker
from emergency.clock import WallClock
from emergency.commands import demo, stack
from emergency.domain.exercise import WALL
from emergency.domain.messages import PORTAL
from emergency.errors import EmergencyError, Misconfigured
from emergency.plans import plans
from emergency.services import health, watch
from emergency.store import desk, migrating, pulling
from emergency.system import System
from emergency.web import create_app

BEATS_MISSED: Final = 6  # sweeps; beat is late when the last one is older
LEAST_BEAT: Final = timedelta(seconds=30)
FEED_SILENT_AFTER: Final = 3  # of its own periods


def register(subparsers: Any) -> None:
    """Offer demo, serve, worker, migrate and doctor."""
    _demo(subparsers.add_parser("demo", help="play a past episode on a stack of its own"))
    serve = subparsers.add_parser("serve", help="the pages and the API")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=_port, default=8000)
    serve.add_argument("--threads", type=int, default=16, help="requests at once in each process")
    serve.add_argument("--processes", type=int, default=2)
    serve.set_defaults(func=run_serve)
    worker = subparsers.add_parser("worker", help="a Celery worker, for all lanes or some, with or without beat")
    worker.add_argument(
        "--lanes", default="",
        help=f"comma-separated: {', '.join((*LANES, 'default'))}. Without it one worker serves all and no lane has "
        "capacity of its own: bulk and sweeps may then hold all its children, so run `--lanes urgent` beside it",
    )  # fmt: skip
    worker.add_argument("--concurrency", type=int, default=4)
    ticking = worker.add_mutually_exclusive_group()
    ticking.add_argument("--beat", action="store_true", help="tick here too")
    ticking.add_argument("--beat-only", action="store_true", help="tick, and work on nothing")
    worker.set_defaults(func=run_worker)
    migrate = subparsers.add_parser("migrate", help="bring the database to the newest migration")
    migrate.add_argument("--json", action="store_true")
    migrate.set_defaults(func=run_migrate)
    doctor = subparsers.add_parser("doctor", help="ask every part whether it is well")
    doctor.add_argument("--json", action="store_true")
    doctor.add_argument("--only", default="", help="comma-separated names of checks")
    doctor.set_defaults(func=run_doctor)


def _demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--episode", default=demo.EPISODE, help="a drill of playbooks/drills")
    parser.add_argument("--port", type=_port, default=8000, help="the pages; the phones take the next one")
    parser.add_argument("--speed", type=float, default=None, help="civil seconds in a second while things happen")
    parser.add_argument("--no-browser", action="store_true")
    parser.add_argument("--autopilot", action="store_true", help="the made-up people decide by themselves")
    parser.add_argument("--exit-when-closed", action="store_true", help="end with a JSON summary on standard output")
    parser.add_argument("--without-worker", action="store_true", help="start no worker: nothing must be delivered")
    parser.add_argument("--keep", action="store_true", help="leave the run's data under var/ when it ends")
    parser.set_defaults(func=run_demo)


def _port(said: str) -> int:
    number = int(said)
    if not 1 <= number <= 65534:
        raise argparse.ArgumentTypeError("a port is between 1 and 65534")
    return number


def run_demo(args: argparse.Namespace) -> int:
    """Play an episode; 0 when it ended as it must."""
    asked = demo.Asked(
        episode=args.episode, port=args.port, speed=args.speed, browser=not args.no_browser, autopilot=args.autopilot,
        exit_when_closed=args.exit_when_closed, worker=not args.without_worker, keep=args.keep,
    )
    return demo.play(asked, os.environ)


def web_app() -> WSGIApplication:
    """The pages over the system the environment describes; gunicorn calls this in each of its processes."""
    log.set_up()
    return create_app(system.build(Settings.from_env(os.environ)))


def run_serve(args: argparse.Namespace) -> int:
    """Become gunicorn."""
    Settings.from_env(os.environ)  # refuse a wrong setting in one line, before there are processes to refuse it in
    return _become(
        [
            sys.executable, "-m", "gunicorn", "--bind", f"{args.host}:{args.port}", "--worker-class", "gthread",
            "--workers", str(args.processes), "--threads", str(args.threads), "--graceful-timeout", "10",
            "--no-control-socket", *stack.ACCESS_LOG, "emergency.commands.running:web_app()",
        ]
    )


def run_worker(args: argparse.Namespace) -> int:
    """
    Become a Celery worker, or beat.

    :raises Misconfigured: no broker is set, or a lane is unknown
    """
    settings = Settings.from_env(os.environ)
    if not settings.broker_url:
        raise Misconfigured("EMERGENCY_BROKER_URL is not set; `demo` brings a broker of its own, a worker needs one")
    if args.beat_only:
        return _become([sys.executable, "-m", "celery", "-A", "workers.app", "beat", "--loglevel=INFO", "--pidfile="])
    lanes = [one.strip() for one in args.lanes.split(",") if one.strip()]
    if unknown := sorted(set(lanes) - {*LANES, "default"}):
        raise Misconfigured(f"--lanes: there is no lane called {unknown[0]!r}")
    return _become(stack.worker_command(queues=lanes, concurrency=args.concurrency, beat=args.beat))


def _become(argv: Sequence[str]) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")  # Celery's soft shutdown: hand back what is in hand, and go
    os.execv(argv[0], list(argv))  # noqa: S606 - our own argument list, no shell


def run_migrate(args: argparse.Namespace) -> int:
    """Bring the tables up to date."""
    head = system.migrate(Settings.from_env(os.environ))
    print(json.dumps({"head": head}) if args.json else f"the database is at {head}")
    return 0


@dataclass(frozen=True)
class Check:
    """One question of the doctor's, and its answer."""

    name: str
    ok: bool
    detail: str


def run_doctor(args: argparse.Namespace) -> int:
    """Ask every part; 0 when all are well."""
    wanted = {one.strip() for one in args.only.split(",") if one.strip()}
    found = [one for one in examine() if not wanted or one.name in wanted]
    if wanted and not found:
        raise Misconfigured(f"--only: there is no check called {', '.join(sorted(wanted))}")
    ok = all(one.ok for one in found)
    if args.json:
        print(json.dumps({"ok": ok, "checks": [asdict(one) for one in found]}, ensure_ascii=False))
    else:
        for one in found:
            print(f"{'ok  ' if one.ok else 'BAD '} {one.name}: {one.detail}")
    return 0 if ok else 1


def examine() -> list[Check]:
    """Every check there is, in the order in which one rests on the other."""
    try:
        settings = Settings.from_env(os.environ)
        built = system.build(settings)
    except Misconfigured as found:
        return [Check("settings", ok=False, detail=str(found))]
    try:
        return _examined(settings, built)
    finally:
        built.store.dispose()


def _examined(settings: Settings, built: System) -> list[Check]:
    checks = [Check("settings", ok=True, detail="production" if settings.production else "development")]
    checks += [_asked("secret", lambda: _secret(settings)), _asked("plans", lambda: _plans(settings))]
    checks += [_asked("clock", lambda: _clock(built))]
    checks += [_asked("database", lambda: _database(built)), _asked("migrations", lambda: _migrations(settings))]
    if not all(one.ok for one in checks[-2:]):
        return checks  # what follows is kept in tables that are not there
    checks += [_asked("broker", lambda: _broker(built.broker)), _asked("workers", lambda: _workers(built.broker))]
    checks += [_asked("beat", lambda: _beat(built)), _asked("watch", lambda: _speaks(built, "watch"))]
    return [*checks, _asked("audit", lambda: _speaks(built, "audit")), *_tied(built), *_outside(built)]


def _asked(name: str, question: Callable[[], tuple[bool, str]]) -> Check:
    try:
        ok, detail = question()
    except EmergencyError as found:
        ok, detail = False, str(found)
    return Check(name, ok, detail)


def _secret(settings: Settings) -> tuple[bool, str]:
    if settings.secret_key == DEVELOPMENT_SECRET:
        return not settings.production, "the public one of development; phone links could be forged"
    return len(settings.secret_key) >= LEAST_SECRET, f"{len(settings.secret_key)} characters"


def _plans(settings: Settings) -> tuple[bool, str]:
    folder = settings.playbooks / "plans"
    problems = plans.check(folder)
    return not problems, str(problems[0]) if problems else f"{len(plans.load_plans(folder))} plans"


def _clock(built: System) -> tuple[bool, str]:
    apart = (built.clock.now() - built.wall.now()).total_seconds()
    if abs(apart) < 2:
        return True, "the machine's own time"
    return built.drill is not None, f"civil time is {apart:+.0f} s from the machine's"


def _database(built: System) -> tuple[bool, str]:
    with built.store.reading() as tx:
        return True, f"{built.store.dialect}, {len(tx.areas())} areas"


def _migrations(settings: Settings) -> tuple[bool, str]:
    here, newest = migrating.current(settings.database_url), migrating.newest()
    return here == newest, f"at {here or 'none'}, newest {newest}"


def _broker(broker: Broker) -> tuple[bool, str]:
    if broker.spellings is None:
        return False, "EMERGENCY_BROKER_URL is not set"
    return broker.ping(), "asked"


def _workers(broker: Broker) -> tuple[bool, str]:
    names = broker.workers()
    return bool(names), ", ".join(names) or "none answers"


def _beat(built: System) -> tuple[bool, str]:
    with built.store.reading() as tx:
        last = tx.heartbeats().get("sweep")
    if last is None:
        return False, "it has never ticked"
    age = built.wall.now() - last[0]
    late = max(LEAST_BEAT, timedelta(seconds=BEATS_MISSED * built.settings.sweep_seconds))
    return age <= late, f"last sweep {age.total_seconds():.0f} s ago"


def _speaks(built: System, name: str) -> tuple[bool, str]:
    """Whether the watcher, the auditor, said something lately; whoever finds faults is missed by somebody else."""
    with built.store.reading() as tx:
        beats = tx.heartbeats()
    if name not in beats:
        return False, "it has never looked"
    age = built.wall.now() - beats[name][0]
    return age <= watch.LATE_AFTER[name], f"last looked {age.total_seconds():.0f} s ago"


def _tied(built: System) -> Iterable[Check]:
    """The keys by which recipients' own systems pull their orders: whether each name is somebody's on the list."""
    for name in built.settings.api_keys:
        tied = built.settings.tied(name)
        with built.store.reading() as tx:
            unknown = [one for one in tied if not pulling.own(tx, [one])]
        if tied:
            words = f"no recipient called {', '.join(unknown)}" if unknown else f"{len(tied)} names of recipients"
            yield Check(f"key:{name}", ok=not unknown, detail=words)


def _outside(built: System) -> Iterable[Check]:
    """The channels and feeds that are set up, as their use has shown them."""
    top = min((one.id for one in built.place.areas), key=len)
    with built.store.reading() as tx:
        broken = dict(desk.post(tx, top).broken)
        states = {one.name: one for one in desk.feeds(tx)}
        beats = tx.heartbeats()
    every = timedelta(seconds=built.settings.probe_seconds)
    routes = health.told(built.settings.channels, beats, every=every, wall=built.wall.now())
    outward = [name for name in built.channels if name not in (PORTAL, WALL)]
    for name in outward:
        well, words = routes.get(name, (True, "set up"))
        yield Check(f"channel:{name}", well and name not in broken, broken.get(name, words))
    if not outward:
        yield Check("channels", ok=False, detail="none is set up: nobody can be reached")
    for name, feed in built.feeds.items():
        state = states.get(name)
        if state is None or state.talked_at is None:
            yield Check(f"feed:{name}", ok=False, detail=state.because if state else "never asked")
            continue
        age = WallClock().now() - state.talked_at
        silent = age > timedelta(seconds=feed.every_s * FEED_SILENT_AFTER)
        yield Check(f"feed:{name}", not silent, f"last word {age.total_seconds():.0f} s ago")
