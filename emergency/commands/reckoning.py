"""python -m emergency recipients arithmetic, base, cheapest: planned reduction against what the plan asks."""

from __future__ import annotations

import argparse
import getpass
import json
from collections.abc import Callable, Mapping
from typing import Any

from emergency import system
from emergency.domain.arithmetic import Planned, Sum, Uncounted
from emergency.domain.arithmetic_choice import Objective, Proposal
from emergency.domain.arithmetic_targets import Base, Judged, Unit
from emergency.domain.reduction.columns import LEVELS, POLLUTANTS
from emergency.services import arithmetic
from emergency.services.arithmetic import Reckoning
from emergency.store import Tx
from emergency.system import System


def register(what: Any, *, area_called: Callable[[Tx, str], str], a_system: Callable[[], System]) -> None:
    """Offer the arithmetic beside the other words of recipients."""
    shared = {"area_called": area_called, "a_system": a_system}
    one = what.add_parser("arithmetic", help="planned kg/d by level, sector and town against the plan's shares")
    one.add_argument("--area", default="")
    one.add_argument("--json", action="store_true")
    one.set_defaults(func=run_arithmetic, **shared)
    base = what.add_parser("base", help="enter the area's whole emission of one pollutant, with year and source")
    base.add_argument("--area", default="")
    base.add_argument("--pollutant", choices=POLLUTANTS, required=True)
    base.add_argument("--amount", type=float, required=True)
    base.add_argument("--unit", choices=[unit.value for unit in Unit], default=Unit.TONNES_A_YEAR.value)
    base.add_argument("--year", type=int, required=True)
    base.add_argument("--source", required=True, help="which inventory says so")
    base.set_defaults(func=run_base, **shared)
    least = what.add_parser("cheapest", help="the cheapest of the list's measures that come to what a level asks")
    least.add_argument("--area", default="")
    least.add_argument("--level", choices=LEVELS, required=True)
    least.add_argument(
        "--objective", choices=[each.value for each in Objective], default=Objective.LOSS.value,
        help="loss: the least production lost, weighed by grade; fewest: the fewest enterprises restricted",
    )  # fmt: skip
    least.add_argument("--json", action="store_true")
    least.set_defaults(func=run_cheapest, **shared)


def run_arithmetic(args: argparse.Namespace) -> int:
    """Say what the lists in force come to."""
    s: System = args.a_system()
    with s.store.reading() as tx:
        found = arithmetic.reckon(tx, s.rules, args.area_called(tx, args.area))
    if args.json:
        print(json.dumps(_document(found), ensure_ascii=False))
        return 0
    for level in LEVELS:
        for one in found.judged[level]:
            print(f"{level:<7} {one.pollutant:<5} {_sentence(one)}")
    for each in found.levels[LEVELS[-1]].uncounted:
        print(f"not counted at {LEVELS[-1]}: {each.name} {each.line} {each.text!r}: {each.why.value}")
    return 0


def run_base(args: argparse.Namespace) -> int:
    """Enter a base in the operator's name."""
    s: System = args.a_system()
    now = s.clock.now()

    def put(tx: Tx) -> Base:
        area = args.area_called(tx, args.area)
        by, unit = f"operator:{getpass.getuser()}", Unit(args.unit)
        base = Base(area, args.pollutant, args.year, args.amount, unit, args.source.strip(), by, now)
        return arithmetic.put(tx, base, now=now)

    kept = s.store.run(put)
    print(f"{kept.area} {kept.pollutant} {kept.year}: {kept.amount:g} {kept.unit.value} = {kept.kg_per_day:.1f} kg/d")
    return 0


def run_cheapest(args: argparse.Namespace) -> int:
    """Propose a set of measures; 1 where none reaches what is asked, and the nearest is told."""
    s: System = args.a_system()
    with s.store.reading() as tx:
        area = args.area_called(tx, args.area)
    found = arithmetic.propose(
        s.store, s.rules, system.list_words(s.settings).guard, area, level=args.level,
        objective=Objective(args.objective),
    )  # fmt: skip
    if args.json:
        print(json.dumps(_proposal(found), ensure_ascii=False))
    else:
        for row in found.rows:
            more = "" if row.reached else f", not reached; with every measure {row.most:.2f} %"
            print(f"{'+'.join(row.floor.pollutants)}: {row.pct:.2f} % of {row.floor.pct:g} %{more}")
        for one, each in found.chosen:
            print(f"{one.name}: {each.level} {'；'.join(each.texts)} {_amounts(each.kg)}")
    return 0 if found.feasible else 1


def _sentence(one: Judged) -> str:
    planned = "no figure" if one.planned is None else f"{one.planned:.1f} kg/d"
    if one.pct is None or one.asked_pct is None:
        return f"{planned}, not computable: {one.because.value if one.because else ''}"
    because = f": {one.because.value}" if one.because else ""
    return f"{planned}, {one.pct:.2f} % of {one.asked_pct:g} %: {one.reach.value}{because}"


def _amounts(kg: Mapping[str, float]) -> str:
    return " ".join(f"{name} {n:.1f} kg/d" for name, n in kg.items())


def _document(found: Reckoning) -> dict[str, Any]:
    return {
        "area": found.area,
        "plan": found.plan.id,
        "substitution": found.plan.substitutes,
        "lists": [{"id": str(one.id), "area": one.area, "name": one.name} for one in found.listings],
        "bases": {name: _base(one) for name, one in found.bases.items()},
        "levels": {level: _level(found.levels[level], found.judged[level]) for level in LEVELS},
    }


def _base(one: Base) -> dict[str, Any]:
    return {
        "amount": one.amount, "unit": one.unit.value, "kg_per_day": one.kg_per_day, "year": one.year,
        "source": one.source, "by": one.by, "at": one.at.isoformat(),
    }  # fmt: skip


def _level(one: Planned, judged: tuple[Judged, ...]) -> dict[str, Any]:
    return {
        "pollutants": {each.pollutant: _judged(each) for each in judged},
        **_sum(one.whole),
        "ways": {way.value: dict(kg) for way, kg in one.whole.ways.items()},
        "sectors": {key: _sum(each) for key, each in one.sectors.items()},
        "towns": {key: _sum(each) for key, each in one.towns.items()},
        "long_stopped": one.long_stopped,
        "not_counted": [_uncounted(each) for each in one.uncounted],
    }


def _judged(one: Judged) -> dict[str, Any]:
    return {
        "reach": one.reach.value, "because": one.because.value if one.because else None, "planned_kg": one.planned,
        "pct": one.pct, "asked_pct": one.asked_pct, "asked_kg": one.asked, "gap_kg": one.gap,
        "by_substitution": one.together,
    }  # fmt: skip


def _sum(one: Sum) -> dict[str, Any]:
    return {"kg": dict(one.kg), "enterprises": one.enterprises, "counted": dict(one.counted)}


def _uncounted(one: Uncounted) -> dict[str, Any]:
    return {**vars(one), "why": one.why.value, "pollutants": list(one.pollutants)}


def _proposal(found: Proposal) -> dict[str, Any]:
    return {
        "level": found.level,
        "objective": found.objective.value,
        "reached": found.feasible,
        "at_most_dearer_pct": found.gap_pct,
        "floors": [
            {"pollutants": row.floor.pollutants, "asked_pct": row.floor.pct, "pct": row.pct, "most_pct": row.most}
            for row in found.rows
        ],
        "chosen": [
            {
                "id": str(one.id), "name": one.name, "area": one.area, "sector": one.sector, "grade": one.grade,
                "level": each.level, "measures": each.texts, "kg": dict(each.kg), "lost": each.lost,
            }
            for one, each in found.chosen
        ],
        "kg": dict(found.kg),
        "left_out": {name: doubt.value for name, doubt in found.left_out.items()},
        "losses_not_known": found.unknown_losses,
        "protected": [{"name": name, "why": why} for name, why in found.field.protected],
        "without_amount": list(found.field.without),
    }  # fmt: skip
