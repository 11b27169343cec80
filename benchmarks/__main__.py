"""python -m benchmarks: every group of figures, or one of them, as text or as one JSON document."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence

from benchmarks import ack, aqi, fanout, lanes, replay

Figures = Mapping[str, object]


def _aqi(size: int | None) -> Figures:
    found = aqi.run(aqi.SIZE if size is None else size)
    return {
        "rows_per_s": found["vectorised_rows_per_s"],
        "times_python_aqi": found["vectorised_times_python_aqi"],
        **found,
    }


def _replay(size: int | None) -> Figures:
    return {**replay.run(replay.WINTERS if size is None else size)}


def _fanout(size: int | None) -> Figures:
    return fanout.run(fanout.SIZE if size is None else size)


def _fanout_sqlite(size: int | None) -> Figures:
    return fanout.run_sqlite(fanout.SIZE if size is None else size)


def _growth(size: int | None) -> Figures:
    return fanout.run_growth(10 * fanout.SIZE if size is None else size)


def _slow_gateway(size: int | None) -> Figures:
    return fanout.run_slow_gateway(fanout.SIZE // 2 if size is None else size)


def _lanes(size: int | None) -> Figures:
    return lanes.run(lanes.SIZE if size is None else size)


def _ack(size: int | None) -> Figures:
    return ack.run(ack.SIZE if size is None else size)


def _evidence(_size: int | None) -> Figures:
    """The group is in the document and its figures are unknown: the product takes no evidence in yet."""
    return {"of_bare_sql": None, "rows_per_s": None, "peak_mib": None, "because": "no evidence is taken in yet"}


GROUPS: Mapping[str, Callable[[int | None], Figures]] = {
    "ack": _ack,
    "aqi": _aqi,
    "replay": _replay,
    "fanout": _fanout,
    "fanout_sqlite": _fanout_sqlite,
    "growth": _growth,
    "lanes": _lanes,
    "slow_gateway": _slow_gateway,
    "evidence": _evidence,
}
"""What there is to measure: a group's name and what runs it at a size (None: its own)."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run what was asked for; 0 done, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Figures, each beside its floor.")
    parser.add_argument("--only", choices=sorted(GROUPS), metavar="GROUP", help=f"one of {', '.join(sorted(GROUPS))}")
    parser.add_argument("--size", type=_size, metavar="N", help="how much work; with --only, in the group's own unit")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    asked = parser.parse_args(argv)
    if asked.size is not None and asked.only is None:
        parser.error("--size needs --only: every group counts something else")
    found: dict[str, Figures] = {}
    for name, run in GROUPS.items():
        if asked.only in (None, name):
            sys.stderr.write(f"{name} …\n")
            found[name] = run(asked.size)
    if asked.json:
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
    else:
        for name, figures in found.items():
            sys.stdout.write(f"{name}\n")
            sys.stdout.writelines(f"  {one:32} {_shown(value):>16}\n" for one, value in figures.items())
    return 0


def _size(said: str) -> int:
    if not said.isascii() or not said.isdigit() or not 0 < int(said[:12]) <= 100_000_000:
        raise argparse.ArgumentTypeError(f"a whole number from 1 up; not {said!r}")
    return int(said)


def _shown(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "-" if value is None else str(value)
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"


if __name__ == "__main__":
    sys.exit(main())
