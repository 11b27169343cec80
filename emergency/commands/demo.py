"""The demo: a stack of its own in a folder of its own, a past episode played on it, and nothing left behind."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import sys
import webbrowser
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from config import HERE, Settings
from emergency import clock, system
from emergency.clock import SHANGHAI, SharedClock, WallClock
from emergency.commands import stack as stacks
from emergency.commands import verdict
from emergency.commands.officers import Officers
from emergency.commands.owners import Owners
from emergency.commands.player import Player
from emergency.commands.stack import Stack
from emergency.errors import Misconfigured, Unavailable
from emergency.plans.drills import Drill, load_drill
from emergency.plans.places import load_place
from emergency.system import System
from emergency.web.phones import Owner
from workers import die_with

EPISODE: Final = "liuzhou-2015-02"
CHANNELS: Final = ("sms", "voice")
SWEEP_SECONDS: Final = 1
POLL_SECONDS: Final = 10
OTHERS: Final = 2  # children for all but the urgent lane, which has one of its own
BY_HAND: Final = "the clock waits for you to propose, sign and enter; with --autopilot made-up people do"
DELIVERY_S: Final = 15.0  # wall; what the last receipts get


@dataclass(frozen=True)
class Asked:
    """What the command line wants of a run."""

    episode: str = EPISODE
    port: int = 8000
    speed: float | None = None
    browser: bool = True
    autopilot: bool = False
    exit_when_closed: bool = False
    worker: bool = True
    keep: bool = False


def play(asked: Asked, environ: Mapping[str, str]) -> int:
    """
    Play a drill; 0 when it came to what it must, or when it was ended by hand.

    :raises Misconfigured: in production, or when there is no such drill
    :raises Unavailable: a port is taken, or a part did not come up or ended by itself
    """
    if environ.get("EMERGENCY_ENV") == "production":
        raise Misconfigured("a demo with made-up people never runs where EMERGENCY_ENV is production")
    if asked.speed is not None and not 1 <= asked.speed <= 100_000:
        raise Misconfigured("--speed: between 1 and 100000 civil seconds a second")
    drill = _drill(asked.episode)
    if environ.get("EMERGENCY_WITH_PARENT"):
        die_with(os.getppid())
    stacks.heed_signals()
    with contextlib.ExitStack() as held:
        pages = held.enter_context(stacks.taken(asked.port))
        phones = held.enter_context(stacks.taken(asked.port + 1))
        folder = held.enter_context(_folder(environ, keep=asked.keep))
        password = f"demo-{secrets.token_hex(3)}"
        surroundings = _surroundings(drill, folder, environ, port=asked.port)
        stack = held.enter_context(Stack(folder, surroundings))
        try:
            _started(stack, drill, asked, pages, phones)
            built = _peopled(stack, password)
            return _played(stack, built, drill, asked, password)
        except KeyboardInterrupt:
            print("\nstopping everything this run has started", file=sys.stderr)
            return 1 if asked.exit_when_closed else 0


def _drill(name: str) -> Drill:
    folder = HERE / "playbooks" / "drills"
    known = sorted(path.stem for path in folder.glob("*.yaml"))
    if name not in known:
        raise Misconfigured(f"--episode: there is no drill called {name!r}; there are {', '.join(known)}")
    found = load_drill(folder / f"{name}.yaml")
    if not found.plays:
        raise Misconfigured(f"--episode: {name} says nothing of phones; `drill {name}` walks it without them")
    return found


@contextlib.contextmanager
def _folder(environ: Mapping[str, str], *, keep: bool) -> Iterator[Path]:
    """A folder of this run's own; gone with it unless it is to be kept."""
    above = Path(environ.get("EMERGENCY_DATA_DIR") or HERE / "var").absolute()
    stamp = WallClock().now().astimezone(SHANGHAI).strftime("%Y%m%d-%H%M%S")
    folder = above / f"demo-{stamp}-{os.getpid()}"
    folder.mkdir(parents=True)
    try:
        yield folder
    except Unavailable:
        keep = True  # the logs in it are what explains the failure
        raise
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _surroundings(drill: Drill, folder: Path, environ: Mapping[str, str], *, port: int) -> dict[str, str]:
    """
    The environment of every process of the run.

    Feeds, channels, database and secret of the surroundings are left behind: a replay must not be able to reach a real
    telephone or a real database.
    """
    ours = ("EMERGENCY_", "FEED_", "CHANNEL_", "PHONES_")
    found = {name: value for name, value in environ.items() if not name.startswith(ours)}
    key, phones = secrets.token_hex(24), f"127.0.0.1:{port + 1}"
    found |= {
        "EMERGENCY_DATA_DIR": str(folder),
        "EMERGENCY_DATABASE_URL": f"sqlite:///{folder / 'emergency.db'}",
        "EMERGENCY_SECRET_KEY": secrets.token_hex(32),
        "EMERGENCY_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "EMERGENCY_CLOCK_FILE": str(folder / "clock.json"),
        "EMERGENCY_SWEEP_SECONDS": str(SWEEP_SECONDS),
        "EMERGENCY_DRILL": drill.name,
        "EMERGENCY_WIRE_ALLOW": phones,
        "EMERGENCY_BROKER_URL": environ.get("EMERGENCY_BROKER_URL", ""),
        "FEED_REPLAY_EPISODE": drill.air_file,
        "FEED_REPLAY_SEED": drill.forecast.seed,
        "FEED_REPLAY_ERROR": str(drill.forecast.error_permille),
        "FEED_REPLAY_EVERY": str(POLL_SECONDS),
        "FEED_REPLAY_OBSERVED_EPISODE": drill.air_file,
        "FEED_REPLAY_OBSERVED_EVERY": str(POLL_SECONDS),
        "PHONES_KEY": key,
        "PHONES_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "PHONES_OWNERS": str(folder / "owners.json"),
        "PHONES_CLOCK": str(folder / "clock.json"),
        "PHONES_STATUS": str(folder / "status.json"),
        "PYTHONUNBUFFERED": "1",
    }
    for name in CHANNELS:
        found |= {f"CHANNEL_{name.upper()}_URL": f"http://{phones}/gateway/{name}", f"CHANNEL_{name.upper()}_KEY": key}
    return found


def _started(stack: Stack, drill: Drill, asked: Asked, pages: socket.socket, phones: socket.socket) -> None:
    """The broker, the clock, the tables, and every process on top of them; nothing moves yet."""
    if not stack.environ["EMERGENCY_BROKER_URL"]:
        stack.environ["EMERGENCY_BROKER_URL"] = stacks.start_broker(stack)
    SharedClock(Path(stack.environ["EMERGENCY_CLOCK_FILE"])).turn_to(drill.begins_at, speed=1.0)
    system.migrate(Settings.from_env(stack.environ))
    place = load_place(drill.place)
    owners = [
        asdict(Owner(phone=one.phone, name=one.name, of=who.name, role=one.role))
        for who in place.recipients
        for one in who.contacts
    ]
    owners += [
        asdict(Owner(phone=one.phone, name=one.name, of=one.title, role=one.login))
        for one in place.people
        if one.phone and one.recipient_id is None
    ]
    said = {"owners": owners, "legend": {"zh": drill.legend, "en": drill.legend_en}}
    Path(stack.environ["PHONES_OWNERS"]).write_text(json.dumps(said, ensure_ascii=False), "utf-8")
    if asked.worker:
        stacks.start_workers(stack, others=OTHERS)
    stacks.start_web(stack, "web", "emergency.commands.running:web_app()", pages, threads=16)
    stacks.start_web(stack, "phones", "emergency.web.phones:from_env()", phones, threads=32)


def _peopled(stack: Stack, password: str) -> System:
    """The system as this process sees it, with the drill's people in its tables."""
    built = system.build(Settings.from_env(stack.environ))
    system.seed(built, password=password, quick=True)
    return built


def _played(stack: Stack, built: System, drill: Drill, asked: Asked, password: str) -> int:
    for port, name in ((asked.port, "web"), (asked.port + 1, "phones")):
        stack.wait_for(lambda port=port: stacks.answers(port, "/healthz"), name)  # type: ignore[misc]  # the loop's own names
    _greet(drill, asked, password, stack.folder)
    if asked.browser and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform == "darwin"):
        webbrowser.open(f"http://127.0.0.1:{asked.port}/")
    player = _player(stack, built, drill, asked, password)
    try:
        player.play()
    except Unavailable as found:
        if not asked.exit_when_closed:
            raise
        player.problems.append(str(found).splitlines()[0])
    finally:
        player.owners.go()
        player.officers.leave()
    if not player.problems:
        _await_receipts(built, drill, stack)
    return _ended(stack, built, drill, asked, player)


def _player(stack: Stack, built: System, drill: Drill, asked: Asked, password: str) -> Player:
    def alive() -> None:
        if (gone := stack.dead()) is not None:
            raise Unavailable(f"{gone.name} ended by itself ({gone.process.returncode})\n{gone.last_words()}")

    owners = Owners(
        drill, built.place.recipients, phones=f"http://127.0.0.1:{asked.port + 1}", pages=built.settings.public_url
    )
    return Player(
        system=built, drill=drill, civil=SharedClock(Path(stack.environ["EMERGENCY_CLOCK_FILE"])), owners=owners,
        officers=Officers(built, drill.areas, password=password), alive=alive,
        status=Path(stack.environ["PHONES_STATUS"]),
        autopilot=asked.autopilot, speed=asked.speed, exit_when_closed=asked.exit_when_closed,
    )


def _await_receipts(built: System, drill: Drill, stack: Stack) -> None:
    """Give the last receipts time to come back; what has not come then is a problem the summary names."""
    until = clock.seconds() + DELIVERY_S
    while clock.seconds() < until and stack.dead() is None:
        with built.store.reading() as tx:
            episodes = [tx.latest_episode(area) for area in drill.areas]
            if not any(tx.outbox.counts(one.id).get("sent") for one in episodes if one is not None):
                return
        clock.pause(0.2)


def _ended(stack: Stack, built: System, drill: Drill, asked: Asked, player: Player) -> int:
    found = verdict.summary(built, drill, problems=player.problems)
    for problem in found["problems"]:
        print(f"  ! {problem}", file=sys.stderr)
    if asked.exit_when_closed:
        stack.stop()
        print(json.dumps(found, ensure_ascii=False, indent=2), flush=True)
        return 0 if found["ok"] else 1
    print("the episode is over; the pages stay up until Ctrl-C", file=sys.stderr, flush=True)
    while (gone := stack.dead()) is None:
        clock.pause(0.5)
    raise Unavailable(f"{gone.name} ended by itself ({gone.process.returncode})")


def _greet(drill: Drill, asked: Asked, password: str, folder: Path) -> None:
    """What to open and who to sign in as; and that none of it is real."""
    who = "city-duty, city-approver1 … 3, lj-duty, lj-approver1 … 3, lj-reviewer"
    pilot = "made-up people decide by themselves" if asked.autopilot else BY_HAND
    lines = [
        "", f"{drill.title} · {drill.title_en}", drill.legend, drill.legend_en, drill.origin, "",
        f"  值班台 desk     http://127.0.0.1:{asked.port}/", f"  手机墙 phones   http://127.0.0.1:{asked.port + 1}/",
        f"  登录 sign in    {who}", f"  口令 password   {password}   (this run's only)", f"  数据 data       {folder}",
        f"  {pilot}", "",
    ]
    print("\n".join(lines), file=sys.stderr, flush=True)
