"""plans and assess: what the plans say, whether they hold together, and what they make of some days of air."""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from emergency.clock import WallClock
from emergency.commands.past_air import read_hours
from emergency.domain.air_daily import HOURS, Stamp
from emergency.domain.assess import assess
from emergency.domain.assessment import SHANGHAI, Assessment, as_data, grounds
from emergency.domain.causes import cause_of
from emergency.domain.forecast import Air, Cause, DayOfAir, Source
from emergency.domain.level import Level
from emergency.domain.plan import LEVEL_ZH, Origin, Plan, doubtful
from emergency.domain.replay_hours import by_the_hour
from emergency.errors import Refused
from emergency.plans import advice, plan_sheet
from emergency.plans import plans as loading
from emergency.plans.authority import in_places
from emergency.plans.reading import Unreadable
from emergency.plans.standards import load_standards

POLLUTANTS = ("pm2_5", "pm10", "so2", "no2", "co", "o3")
SCHEMAS = {"plan": plan_sheet.schema, "advice": advice.schema}
AQI_TOP = 500  # HJ 633-2026 cl. 4.1.1; the 2012 edition ends its table there too


class NoSuchAir(Refused):
    """A figure that no day can have."""

    words_zh = "日数据数值不合理"


def register(subparsers: Any) -> None:
    """Offer plans and assess."""
    plans = subparsers.add_parser("plans", help="list, check, show and compare the plans")
    plans.add_argument("--folder", type=Path, default=loading.PLANS, help="where the plan files are")
    words = plans.add_subparsers(dest="word", metavar="WORD", required=True)
    listing = words.add_parser("list", help="every plan by its id")
    listing.set_defaults(func=run_list)
    checking = words.add_parser("check", help="everything wrong with any plan, by file and line")
    checking.add_argument(
        "--places", type=Path, metavar="FOLDER",
        help="the place files whose areas run under these plans; by default the folder `places` beside the plans",
    )
    checking.set_defaults(func=run_check)
    showing = words.add_parser("show", help="one plan as resolved, with what each number rests on")
    showing.add_argument("id", metavar="ID")
    showing.set_defaults(func=run_show)
    comparing = words.add_parser("diff", help="every place where two plans differ")
    comparing.add_argument("a", metavar="A")
    comparing.add_argument("b", metavar="B")
    comparing.set_defaults(func=run_diff)
    checking.add_argument(
        "--advice", type=Path, metavar="FOLDER",
        help="the advice by cause; by default the folder `advice` beside the plans",
    )
    publishing = words.add_parser("schema", help="the JSON Schema of a plan, or of the advice for a cause")
    publishing.add_argument("of", nargs="?", choices=sorted(SCHEMAS), default="plan", help="plan by default")
    publishing.set_defaults(func=run_schema)
    for one in (listing, checking, showing, comparing, publishing):
        one.add_argument("--json", action="store_true", help="one JSON document on standard output")

    judging = subparsers.add_parser("assess", help="the level some days of air have under a plan")
    judging.add_argument("--plan", required=True, metavar="ID")
    given = judging.add_mutually_exclusive_group(required=True)
    given.add_argument("--days", type=_whole_numbers, metavar="160,170,180", help="daily AQI of consecutive days")
    given.add_argument(
        "--hours", type=Path, metavar="FILE.csv",
        help="hourly concentrations as `aqi` reads them, made into days, and into 24-h windows at every anchor hour",
    )
    judging.add_argument("--place", metavar="P", help="one place of the hours; without it several are one city's mean")
    judging.add_argument(
        "--stamp", choices=[one.value for one in Stamp], default=Stamp.START.value,
        help="which end of the hour a time names: start (default) or end",
    )
    judging.add_argument("--primary", choices=POLLUTANTS, default="pm2_5", help="primary pollutant of --days")
    judging.add_argument(
        "--cause", choices=[one.value for one in Cause], help="what drives the air; by default o3 for --primary o3"
    )
    judging.add_argument(
        "--from", dest="first", type=_day, metavar="YYYY-MM-DD", help="the first of --days; today by default"
    )
    judging.add_argument("--folder", type=Path, default=loading.PLANS, help="where the plan files are")
    judging.add_argument("--json", action="store_true", help="one JSON document on standard output")
    judging.set_defaults(func=run_assess)


def run_list(args: argparse.Namespace) -> int:
    """Print every plan."""
    plans = loading.load_plans(args.folder)
    rows: list[dict[str, object]] = [
        {
            "id": plan.id,
            "name": plan.name,
            "name_en": plan.name_en,
            "authority": plan.authority.value,
            "extends": plan.extends,
            "since": plan.since or None,
            "until": plan.until or None,
            "levels": [level.word for level in sorted(plan.levels)],
            "unknown_levels": [level.word for level in plan.unknown_levels],
            "sha": plan.sha,
        }
        for _, plan in sorted(plans.items())
    ]
    if args.json:
        _print(rows)
    else:
        for row in rows:
            span = f"{row['since'] or '?'} - {row['until'] or ''}"
            print(f"{row['id']:<10} {row['authority']:<9} {span:<19} {row['name']}")
    return 0


def run_check(args: argparse.Namespace) -> int:
    """Print every problem; 1 when there is one."""
    problems = loading.check(args.folder)
    if not problems:  # what a plan says is asked before who runs under it
        places = args.places or args.folder.parent / "places"
        problems = in_places(loading.load_plans(args.folder), args.folder, places)
    problems = [*problems, *advice.check(args.advice or args.folder.parent / "advice")]
    if args.json:
        found = [
            {"file": str(one.file), "line": one.line, "reason": one.reason, **({"zh": one.zh} if one.zh else {})}
            for one in problems
        ]
        _print({"ok": not problems, "problems": found})
    else:
        for one in problems:
            print(one)
    if problems:
        raise Unreadable(problems)
    if not args.json:
        print(f"{len(loading.load_plans(args.folder))} plans hold together")
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Print one plan."""
    plan = loading.named(loading.load_plans(args.folder), args.id)
    said = json.loads(plan.text)
    shaky = doubtful(plan, *plan.marks)
    if args.json:
        _print({"id": plan.id, "sha": plan.sha, "plan": said, "doubtful": list(shaky), "unknown": sorted(plan.unknown)})
        return 0
    print(f"{plan.id}  {plan.name}  ({plan.name_en})")
    print(f"sha256 {plan.sha}")
    for level, clauses in sorted(plan.levels.items(), reverse=True):
        for clause in clauses:
            spells = " and in that run ".join(f"{one.words} for {one.days} d" for one in clause.spells)
            print(f"  {clause.id:<10} {spells}  [{plan.marks[clause.path].basis.value}]  {LEVEL_ZH[level]}")
    for path, note in sorted(plan.unknown.items()):
        print(f"  {path}: unknown{f' ({note})' if note else ''}")
    for name in sorted({*plan.numbers, *plan.texts}):
        mark = next((mark for path, mark in plan.marks.items() if path == name), None)
        print(f"  {name}: {plan.numbers.get(name, plan.texts.get(name))}  [{mark.basis.value if mark else '-'}]")
    print(f"{len(shaky)} of {len(plan.marks)} statements do not rest on a text")
    return 0


def run_diff(args: argparse.Namespace) -> int:
    """Print every difference."""
    plans = loading.load_plans(args.folder)
    changes = loading.diff(loading.named(plans, args.a), loading.named(plans, args.b))
    if args.json:
        listed = [{"path": one.path, "before": one.before, "after": one.after} for one in changes]
        _print({"a": args.a, "b": args.b, "changes": listed})
    else:
        for one in changes:
            print(f"{one.path}: {one.before} -> {one.after}")
    return 0


def run_schema(args: argparse.Namespace) -> int:
    """Print the JSON Schema."""
    _print(SCHEMAS[args.of]())
    return 0


def run_assess(args: argparse.Namespace) -> int:
    """Print the level of these days, and why."""
    plan = loading.named(loading.load_plans(args.folder), args.plan)
    result = assess(plan, _air_of_hours(args, plan) if args.hours else _air(args, plan))
    data = as_data(result)
    if result.anchor is not None:
        data["windows"] = [_window(one, result.anchor) for one in result.days]
    if args.json:
        first = ("level", "response_level", "clause", "clause_text")
        _print({**{name: data[name] for name in first}, "grounds": grounds(result), **data})
        return 0
    _say(result)
    return 0


def _say(result: Assessment) -> None:
    response = f", response level {result.level.response}" if result.level is not Level.NONE else ""
    print(f"{result.level.word}{response}")
    print(result.sentence_zh)
    print(result.sentence_en)
    for one in result.comparisons:
        verdict = "holds" if one.holds else "does not hold"
        print(f"  {one.clause:<10} {one.what}: {one.left} {one.op} {one.right}  {verdict}")
    if result.doubtful:
        print(f"rests on what is not from a text: {', '.join(result.doubtful)}")


def _window(one: DayOfAir, anchor: int) -> dict[str, object]:
    begins = datetime(one.day.year, one.day.month, one.day.day, anchor, tzinfo=SHANGHAI)
    ends = begins + timedelta(hours=HOURS)
    return {
        "begins": begins.isoformat(timespec="minutes"), "ends": ends.isoformat(timespec="minutes"), "aqi": one.aqi,
        "pm2_5": one.pm2_5,
    }


def _source(plan: Plan) -> Source:
    """Where the air counts as coming from: it is judged as given, also by a plan that goes by measurements only."""
    origins = {spell.origin for clauses in plan.levels.values() for clause in clauses for spell in clause.spells}
    return Source.OBSERVED if origins == {Origin.OBSERVED} else Source.FORECAST


def _air_of_hours(args: argparse.Namespace, plan: Plan) -> Air:
    standards, stamp = load_standards(), Stamp(args.stamp)
    past = read_hours(args.hours, place=args.place, standards=standards, stamp=stamp).past
    if not past.days and not any(past.hourly.rows):
        raise NoSuchAir(f"{args.hours}: no day and no 24 h have enough hours for an index")
    cause = Cause(args.cause) if args.cause else Cause.PM2_5
    source = _source(plan)
    days = tuple(replace(one, source=source, cause=cause, feed="as given") for one in past.days)
    hours = (replace(one, source=source, feed="as given") for one in past.hourly.hours)
    laid = by_the_hour(days, hours, standards)
    return Air(past.place, days, laid.rows)


def _air(args: argparse.Namespace, plan: Plan) -> Air:
    first = args.first or WallClock().now().astimezone(SHANGHAI).date()
    for figure in args.days:
        if not 0 <= figure <= AQI_TOP:
            raise NoSuchAir(f"a daily AQI lies between 0 and {AQI_TOP}, not {figure}")
    if (date.max - first).days < len(args.days):
        raise NoSuchAir(f"{len(args.days)} days from {first} run past the calendar")
    cause, primary, source = Cause(args.cause) if args.cause else None, (args.primary,), _source(plan)
    return Air(
        "",
        tuple(
            DayOfAir(
                first + timedelta(days=n), figure, source, primary=primary,
                cause=cause or cause_of(primary, figure), feed="as given",
            )
            for n, figure in enumerate(args.days)
        ),
    )


def _whole_numbers(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch(r"-?[0-9]+", part) for part in parts):
        raise argparse.ArgumentTypeError(f"whole numbers with commas between, like 160,170,180; not {text!r}")
    return tuple(int(part[:12]) for part in parts)  # twelve digits are refused as surely as a thousand


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) else "")
    except ValueError:
        raise argparse.ArgumentTypeError(f"a day like 2026-01-10; not {text!r}") from None


def _print(document: object) -> None:
    print(json.dumps(document, ensure_ascii=False, indent=2))
