"""`episodes list` and `episodes show ID`: the episodes there are, and one with its decisions, orders and journal."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from config import Settings
from emergency.clock import SHANGHAI
from emergency.errors import Missing, Refused
from emergency.store import Store, connect, record

if TYPE_CHECKING:
    from argparse import _SubParsersAction


class NotAnId(Refused):
    """What was given can name no episode."""

    words_zh = "不是应急过程的编号"


def register(subparsers: _SubParsersAction[Any]) -> None:
    """Offer `episodes list` and `episodes show ID`."""
    episodes = subparsers.add_parser("episodes", help="the episodes there are, and one with its record")
    verbs = episodes.add_subparsers(dest="verb", metavar="VERB", required=True)
    listing = verbs.add_parser("list", help="every episode, latest first")
    listing.add_argument("--area", default=None, help="only this area and what lies below it, by its code path")
    listing.add_argument("--json", action="store_true", help="one JSON document")
    listing.set_defaults(func=run_list)
    showing = verbs.add_parser("show", help="one episode with decisions, orders by status and journal")
    showing.add_argument("id", help="its id")
    showing.add_argument("--json", action="store_true", help="one JSON document")
    showing.set_defaults(func=run_show)


def run_list(args: argparse.Namespace) -> int:
    """Print every episode."""
    store = _store()
    try:
        with store.reading() as tx:
            found = [record.episode_said(one) for one in record.episodes(tx, args.area)]
    finally:
        store.dispose()
    if args.json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
        return 0
    for one in found:
        at = _local(one["opened_at"])
        print(f"{one['id']}  {one['phase']:<10} {one['level']:<7} {at}  {one['area']}  {one['number']}".rstrip())
    if not found:
        print("no episode yet")
    return 0


def run_show(args: argparse.Namespace) -> int:
    """Print one episode."""
    store = _store()
    try:
        with store.reading() as tx:
            found = record.told(tx, _id(args.id))
    except Missing:
        raise Missing(f"no episode has the id {args.id}") from None
    finally:
        store.dispose()
    print(json.dumps(found, ensure_ascii=False, indent=2) if args.json else _in_words(found))
    return 0


def _store() -> Store:
    return connect(Settings.from_env(os.environ).database_url)


def _id(said: str) -> UUID:
    try:
        return UUID(said)
    except ValueError:
        raise NotAnId(f"{said[:80]!r} is not an id; `episodes list` prints them") from None


def _in_words(found: Mapping[str, Any]) -> str:
    name, times = found["number"] or found["id"], ("opened_at", "effective_at", "released_at", "closed_at")
    lines = [
        f"{name}  {found['area']}  {found['phase']}  {found['level']}  {found['label']}".rstrip(),
        ", ".join(f"{one.removesuffix('_at')} {_local(found[one])}" for one in times),
        "",
        "decisions:",
    ]
    lines += [
        f"  {_local(one['proposed_at'])}  {one['move']} {one['level']} (rule: {one['rule_says'] or 'no data'})"
        f"  {one['standing']}"
        for one in found["decisions"]
    ]
    lines += ["", "orders:", *(f"  {status}: {count}" for status, count in sorted(found["orders"].items()))]
    lines += ["", "journal:", *(f"  {_local(one['at'])}  {one['what']}  {one['by']}" for one in found["journal"])]
    return "\n".join(lines)


def _local(said: str | None) -> str:
    return f"{datetime.fromisoformat(said).astimezone(SHANGHAI):%Y-%m-%d %H:%M}" if said else "-"
