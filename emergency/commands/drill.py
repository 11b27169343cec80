"""`drill NAME`: a drill walked by the pure rule with a set clock; what was expected beside what came."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from emergency.clock import SHANGHAI
from emergency.domain.drill import Change, Expected, Walk, differences, walk
from emergency.domain.plan import Authority, Plan
from emergency.errors import Missing
from emergency.plans import plans as loading
from emergency.plans.advice import load_advice
from emergency.plans.drills import Drill, load_drill
from emergency.services import drills

if TYPE_CHECKING:
    from argparse import ArgumentParser, _SubParsersAction

BOOKS = Path(__file__).resolve().parents[2] / "playbooks"


def register(subparsers: _SubParsersAction[ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "drill",
        help="a drill walked by the rule, expected against got",
        description="Walks playbooks/drills/NAME.yaml hour by hour through the rule and the life of a warning, signed "
        "the moment the rule asks, with a set clock and no database; 1 when anything differs from what it expects.",
    )
    parser.add_argument("name", metavar="NAME", help="a drill of playbooks/drills")
    parser.add_argument("--playbooks", type=Path, default=BOOKS, metavar="FOLDER", help="where the books are")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """
    Walk, compare, print; 1 when something differs.

    :raises Missing: there is no such drill
    :raises Misconfigured: a file is wrong; file and line are named
    """
    folder = args.playbooks / "drills"
    if not args.name.replace("-", "").isalnum() or not (folder / f"{args.name}.yaml").is_file():
        known = ", ".join(sorted(one.stem for one in folder.glob("*.yaml")))
        raise Missing(f"there is no drill called {args.name!r}; there are {known}")
    drill = load_drill(folder / f"{args.name}.yaml")
    area, plan = _top(drill, loading.load_plans(args.playbooks / "plans"))
    walked = walked_through(drill, plan, args.playbooks)
    found = _compared(drill, walked)
    if args.json:
        json.dump(_document(drill, area, plan, walked, found), sys.stdout, ensure_ascii=False, indent=1)
        sys.stdout.write("\n")
    else:
        _say(drill, area, plan, walked, found)
    for line in found:
        print(f"drill: {drill.name}: {line}", file=sys.stderr)
    return 1 if found else 0


def walked_through(drill: Drill, plan: Plan, playbooks: Path) -> Walk:
    """What the plan makes of the drill, and what the advice by cause asks for beside it."""
    air = playbooks / "air"
    return walk(
        plan, drill.air_city, drills.evenings(drill, air), drills.measured(drill, air),
        begins=drill.begins_at, ends=drill.ends_at, advice=load_advice(playbooks / "advice"),
    )  # fmt: skip


def _top(drill: Drill, plans: Mapping[str, Plan]) -> tuple[str, Plan]:
    """The area that may warn, and its plan; a district heeds it and has no rule of its own to walk."""
    found = [(area, loading.named(plans, plan_id)) for area, plan_id in drill.plans.items()]
    return next(one for one in found if one[1].authority is Authority.ISSUES)


def _compared(drill: Drill, walked: Walk) -> tuple[str, ...]:
    apart = [
        f"evening {day}: expected {level.word}, got {came.word if came is not None else 'no forecast'}"
        for day, level in drill.expected.items()
        if (came := walked.evenings.get(day)) is not level
    ]
    return (*differences(drill.expect, walked.changes), *apart, *_advised_apart(drill, walked))


def _advised_apart(drill: Drill, walked: Walk) -> list[str]:
    days = sorted({*drill.advised, *walked.advised})
    pairs = ((day, drill.advised.get(day), walked.advised.get(day)) for day in days)
    return [
        f"advice for {day}: expected {wanted.value if wanted else 'none'}, got {got.value if got else 'none'}"
        for day, wanted, got in pairs
        if wanted is not got
    ]


def _document(drill: Drill, area: str, plan: Plan, walked: Walk, found: tuple[str, ...]) -> dict[str, object]:
    return {
        "drill": drill.name,
        "title": drill.title,
        "title_en": drill.title_en,
        "label": drill.label,
        "area": area,
        "plan": plan.id,
        "expected": [_expected(one) for one in drill.expect],
        "got": [_got(one) for one in walked.changes],
        "evenings": [
            {
                "evening": day.isoformat(),
                "expected": drill.expected[day].word if day in drill.expected else None,
                "got": level.word,
            }
            for day, level in walked.evenings.items()
        ],
        "advised": {day.isoformat(): cause.value for day, cause in sorted(walked.advised.items())},
        "differences": list(found),
        "ok": not found,
    }


def _expected(one: Expected) -> dict[str, object]:
    return {
        "level": one.level.word,
        "said_at": _local(one.said_at),
        "holds_at": _local(one.holds_at) if one.holds_at else None,
        "within_hours": one.within.total_seconds() / 3600,
    }


def _got(one: Change) -> dict[str, object]:
    return {
        "move": one.move.value,
        "level": one.level.word,
        "said_at": _local(one.said_at),
        "holds_at": _local(one.holds_at) if one.holds_at else None,
        "sentence_zh": one.sentence,
    }


def _say(drill: Drill, area: str, plan: Plan, walked: Walk, found: tuple[str, ...]) -> None:
    print(f"{drill.title} · {drill.title_en}")
    print(f"{area}, plan {plan.id}, {_short(drill.begins_at)} to {_short(drill.ends_at)}")
    print("got:")
    for one in walked.changes:
        print(f"  {one.move.value:<8} {one.level.word:<6} said {_short(one.said_at)}  {_held(one.holds_at)}")
    print("expected:")
    for want in drill.expect:
        held = f"  holds {_short(want.holds_at)}" if want.holds_at else ""
        hours = want.within.total_seconds() / 3600
        print(f"  {'':<8} {want.level.word:<6} said {_short(want.said_at)}{held}  within {hours:g} h")
    if not walked.changes and not drill.expect:
        print("  no warning, and none was expected")
    for day, cause in sorted(walked.advised.items()):
        print(f"  health advisory for {day} ({cause.value})")
    print(f"{len(found)} differences" if found else "as expected")


def _held(at: datetime | None) -> str:
    return f"holds {_short(at)}" if at else "holds from when the plan does not say"


def _local(at: datetime) -> str:
    return at.astimezone(SHANGHAI).isoformat(timespec="minutes")


def _short(at: datetime) -> str:
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
