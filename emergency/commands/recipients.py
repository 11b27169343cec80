"""python -m emergency recipients: a reduction list read, compared and put in place; papers of its enterprises."""

from __future__ import annotations

import argparse
import getpass
import json
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from config import Settings
from emergency import system
from emergency.clock import SHANGHAI
from emergency.commands import boards, reckoning
from emergency.domain.people import Area
from emergency.domain.reduction.refusals import Refusal
from emergency.domain.reduction.versions import Differences, Listing, StillRefused
from emergency.errors import Missing, Refused
from emergency.services import listing as lists
from emergency.services.listing import Look
from emergency.store import Tx
from emergency.store import listing as kept_lists
from emergency.system import System


class NoSuchArea(Refused):
    """No one area is called so."""

    words_zh = "没有这个行政区，或须用 --area 指明"


class NoSuchFile(Refused):
    """The file cannot be read."""

    words_zh = "文件无法读取"


def register(subparsers: Any) -> None:
    """Offer recipients."""
    about = subparsers.add_parser("recipients", help="the reduction list (应急减排清单)")
    what = about.add_subparsers(dest="what", required=True)
    bring = what.add_parser("import", help="read a list from XLSX or CSV; --dry-run only shows what it would change")
    bring.add_argument("file", type=Path)
    bring.add_argument("--area", default="", help="450206 or 450200.450206; not needed where there is one district")
    bring.add_argument("--dry-run", action="store_true", help="change nothing")
    bring.add_argument("--keep-good", action="store_true", help="put the good rows in place though some were refused")
    bring.add_argument("--from", dest="valid_from", type=date.fromisoformat, help="the day it counts from (today)")
    bring.add_argument("--name", default="", help="what the version is called")
    bring.add_argument("--json", action="store_true")
    bring.set_defaults(func=run_import)
    out = what.add_parser("export", help="the list in force as XLSX, with the columns of its file")
    out.add_argument("--area", default="")
    out.add_argument("--out", type=Path, required=True)
    out.set_defaults(func=run_export)
    blank = what.add_parser("template", help="an empty list to fill in, with words to choose from and a guide")
    blank.add_argument("--area", default="")
    blank.add_argument("--out", type=Path, required=True)
    blank.set_defaults(func=run_template)
    boards.register(what, func=run_papers)
    reckoning.register(what, area_called=_area, a_system=_system)


def run_import(args: argparse.Namespace) -> int:
    """Read a list; put it in place unless it is a dry run or something was refused."""
    s, raw = _system(), _read(args.file)
    now = s.clock.now()
    on = args.valid_from or now.astimezone(SHANGHAI).date()
    words = system.list_words(s.settings)
    with s.store.reading() as tx:
        area = _area(tx, args.area)
        found = lists.look(tx, s.rules, words, raw, area=area, on=on)
    wanting = bool(found.listed.refused) and not args.keep_good
    kept: Listing | None = None
    if not args.dry_run and not wanting:
        kept = s.store.run(
            lambda tx: lists.bring_in(
                tx,
                s.rules,
                found,
                raw,
                name=args.name or args.file.stem,
                file=args.file.name,
                valid_from=on,
                without_refused=args.keep_good,
                operator=f"operator:{getpass.getuser()}",
                now=now,
            )
        )
    _tell(found, kept, as_json=args.json)
    if wanting and not args.dry_run:
        n = len(found.listed.refused)
        raise StillRefused(f"{n} cells were refused and nothing was kept; mend them or say --keep-good")
    return 0


def run_export(args: argparse.Namespace) -> int:
    """Write the list in force."""
    s = _system()
    with s.store.reading() as tx:
        area = _area(tx, args.area)
        listing = kept_lists.in_force(tx, area)
        if listing is None:
            raise Missing(f"no list of {area} is in force")
        body = lists.exported(tx, listing)
    args.out.write_bytes(body)
    return 0


def run_template(args: argparse.Namespace) -> int:
    """Write an empty list."""
    s = _system()
    with s.store.reading() as tx:
        body = lists.template(tx, system.list_words(s.settings), area=_area(tx, args.area))
    args.out.write_bytes(body)
    return 0


def run_papers(args: argparse.Namespace) -> int:
    """Write sign-boards or a response plan."""
    args.run_papers(_system(), args, _area)
    return 0


def _tell(found: Look, kept: Listing | None, *, as_json: bool) -> None:
    counts = found.counts
    if as_json:
        document = {
            **{one: counts[one] for one in ("read", "added", "changed", "unchanged", "removed", "kept", "rows")},
            "errors": _told(found.listed.refused),
            "to_look_at": _told(found.listed.to_look_at),
            "differences": _differences(found.differs),
            "sheets_without_a_table": list(found.listed.without),
            "listing": str(kept.id) if kept else None,
            "stand": kept.stand.value if kept else None,
        }
        print(json.dumps(document, ensure_ascii=False))
        return
    print("  ".join(f"{name} {n}" for name, n in counts.items()))
    for one in found.listed.refused:
        print(f"refused   {one.sheet} {one.row} {one.column}: {one.value!r}: {one.reason}")
    for one in found.listed.to_look_at:
        print(f"look at   {one.sheet} {one.row} {one.column}: {one.value!r}: {one.reason}")
    for word, names in _differences(found.differs).items():
        for name in names:
            print(f"{word:<9} {name['name'] if isinstance(name, dict) else name}")
    if kept:
        print(f"{kept.stand.value} from {kept.valid_from}: {kept.id}")


def _told(some: Sequence[Refusal]) -> list[dict[str, object]]:
    return [
        {"sheet": one.sheet, "row": one.row, "column": one.column, "value": one.value, "reason": one.reason}
        for one in some
    ]


def _differences(differs: Differences) -> dict[str, list[Any]]:
    return {
        "added": [one.recipient.name for one in differs.added],
        "changed": [
            {
                "name": one.recipient.name,
                "changes": [{"what": each.what, "before": each.before, "after": each.after} for each in one.changes],
            }
            for one in differs.changed
        ],
        "removed": [one.name for one in differs.removed],
        "kept": [one.name for one in differs.kept],
    }


def _area(tx: Tx, said: str) -> str:
    """
    The area named by its id, the last of its codes or its name; without a name the one district there is.

    :raises NoSuchArea: there is none, or more than one
    """
    areas: list[Area] = tx.areas()
    if said:
        found = [one.id for one in areas if said in (one.id, one.id.rpartition(".")[2], one.name)]
    else:
        found = [one.id for one in areas if one.kind == "district"]
    if len(found) != 1:
        raise NoSuchArea(f"{len(found)} areas are called {said!r}" if said else "say --area: there is not one district")
    return found[0]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as failed:
        raise NoSuchFile(f"{path}: {failed.strerror}") from None


def _system() -> System:
    built = system.build(Settings.from_env(os.environ))
    with built.store.reading() as tx:
        if not tx.has_tables():
            raise Missing("the tables are not there yet: python -m emergency migrate")
    return built
