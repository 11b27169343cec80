"""The Celery side: an application, its timetable, and tasks that open one use case each."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def die_with(parent: int, sign: signal.Signals = signal.SIGTERM) -> None:
    """
    Ask the kernel to send this process ``sign`` when ``parent`` dies, however it dies; at once if it is dead already.

    Linux only (prctl(2), PR_SET_PDEATHSIG); elsewhere nothing happens and the parent's own tidying has to do. It
    follows the thread that forked, so a parent starts its children from its main thread.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(sign))
    if os.getppid() != parent:
        os._exit(1)
