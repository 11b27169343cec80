"""python -m emergency …: one verb per visitor; 0 done, 1 refused or failed, 2 wrong usage."""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence

from emergency.errors import EmergencyError

MODULES = ("aqi", "plans", "replay", "drill", "episodes", "forecasts", "people", "recipients", "running")
WORDS = {
    "aqi": "aqi", "drill": "drill", "plans": "plans", "assess": "plans", "replay": "replay", "episodes": "episodes",
    "forecasts": "forecasts", "recipients": "recipients",
}  # fmt: skip
"""Words whose module is known, so that reckoning an index need not wait for a web server to be imported."""


def parser(argv: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The commands: the one module the first word belongs to, or every module when that is not known."""
    top = argparse.ArgumentParser(
        prog="python -m emergency",
        description="Heavy-pollution-weather emergency response (重污染天气应急响应).",
        epilog="Exit codes: 0 done, 1 refused or failed (one line on standard error), 2 wrong usage.",
    )
    subparsers = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    wanted = WORDS.get(argv[0]) if argv else None
    for name in MODULES if wanted is None else (wanted,):
        importlib.import_module(f"emergency.commands.{name}").register(subparsers)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; whatever the rules refuse is one line on standard error, never a traceback."""
    said = sys.argv[1:] if argv is None else list(argv)
    args = parser(said).parse_args(said)
    try:
        code: int = args.func(args) or 0
        sys.stdout.flush()
    except EmergencyError as refused:
        print(f"{args.command}: {' '.join(str(refused).split())}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever read us has seen enough (… | head)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return code


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # Chinese, whatever the locale says
    sys.exit(main())
