"""The named steps at which a crash test may have a process die; elsewhere nothing happens at any of them."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Final

SETTING: Final = "EMERGENCY_CRASH_FILE"  # production refuses to start with it
_FILE: Final = Path(said) if (said := os.environ.get(SETTING, "")) else None


def at(step: str) -> None:
    """
    Die here by SIGKILL, if the crash file names this step.

    Whoever comes first takes the name out of the file and leaves its process number beside it as ``<step>.<pid>``; so
    one name is one death, however many processes pass by.
    """
    if _FILE is None:
        return
    with suppress(FileNotFoundError):
        if _FILE.read_text("utf-8") == step:
            _FILE.rename(_FILE.with_name(f"{step}.{os.getpid()}"))  # only one of us can
            os.kill(os.getpid(), signal.SIGKILL)
