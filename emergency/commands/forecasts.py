"""`forecasts verify`: hold what was forecast against the days that are over, and print what each source was worth."""

from __future__ import annotations

import argparse
import json
import os
from typing import TYPE_CHECKING, Any

from config import Settings
from emergency import system
from emergency.domain.verification import Figures
from emergency.services import verifying
from emergency.store import judging

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def register(subparsers: _SubParsersAction[Any]) -> None:
    """Offer `forecasts verify`."""
    forecasts = subparsers.add_parser("forecasts", help="what forecasts were worth")
    verbs = forecasts.add_subparsers(dest="verb", metavar="VERB", required=True)
    verify = verbs.add_parser("verify", help="catch up with the days that are over and print each source's figures")
    verify.add_argument("--days", type=int, default=90, choices=range(1, 3651), metavar="N", help="the window (90)")
    verify.add_argument("--json", action="store_true", help="one JSON document")
    verify.set_defaults(func=run_verify)


def run_verify(args: argparse.Namespace) -> int:
    """Catch up, then print every place's figures."""
    built = system.build(Settings.from_env(os.environ))
    now = built.clock.now()
    try:
        written = verifying.verify_all(built.store, by_hour=built.place.forecast_by, now=now)
        with built.store.reading() as tx:
            places = judging.forecast_places(tx)
            told = [{**verifying.told(tx, one, days=args.days, now=now), "written": written[one]} for one in places]
            found = {one: verifying.figures_of(tx, one, days=args.days, now=now)[3] for one in places}
    finally:
        built.store.dispose()
    if args.json:
        print(json.dumps({"days": args.days, "places": told}, ensure_ascii=False, indent=2))
        return 0
    for place, some in found.items():
        print(f"{place}: {written[place]} lines written or corrected")
        for one in some:
            print(f"  {_in_words(one)}")
        if not some:
            print("  nothing verified in this window")
    if not found:
        print("no forecast yet")
    return 0


def _in_words(one: Figures) -> str:
    skill = "not computable" if one.skill is None else f"{one.skill:+.2f}"
    few = "" if one.enough else "  too few days to judge"
    band = one.band(150)
    return (
        f"{one.feed} +{one.lead_days}d  n {one.days}  bias {one.bias:+.1f}  MAE {one.mae:.1f}  skill {skill}  "
        f"AQI>150: {band.hits} hit, {band.misses} missed, {band.false_alarms} false{few}"
    )
