"""python -m emergency recipients board|plan: the papers of enterprises as PDF, one of them or all of a town."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from emergency import papers, system
from emergency.clock import SHANGHAI
from emergency.errors import Missing, Refused
from emergency.papers import MOST_BOARDS
from emergency.services import boards
from emergency.store import Tx
from emergency.store import listing as kept
from emergency.system import System


class NotOne(Refused):
    """No one enterprise is called so."""

    words_zh = "没有这家企业，或名称不能唯一确定"


def register(what: Any, *, func: Callable[[argparse.Namespace], int]) -> None:
    """Offer the papers among the words of recipients; ``func`` runs what was chosen as ``run_papers``."""
    board = what.add_parser("board", help="sign-boards (公示牌) as PDF")
    board.add_argument("name", nargs="?", default="", help="name, part of it, credit code or id; none: all of the area")
    plan = what.add_parser("plan", help="the response plan (一厂一策) of one enterprise as PDF")
    plan.add_argument("name", help="name, part of it, credit code or id")
    for one, run in ((board, run_board), (plan, run_plan)):
        one.add_argument("--area", default="", help="a town or district; not needed where there is one district")
        one.add_argument("--lang", choices=("zh", "en"), default="zh")
        one.add_argument("--out", type=Path, required=True, help="many boards are parted: boards-1.pdf, boards-2.pdf …")
        one.set_defaults(func=func, run_papers=run)


def run_board(s: System, args: argparse.Namespace, area_of: Callable[[Tx, str], str]) -> None:
    """Write one board, or those of an area in parts of so many."""
    ground = system.papers_ground(s, lang=args.lang)
    with s.store.reading() as tx:
        area = area_of(tx, args.area)
        ids = [_one(tx, area, args.name)] if args.name else kept.found(tx, area)[0]
    if not ids:
        raise Missing(f"no enterprise of {area} is on the list")
    for start in range(0, len(ids), MOST_BOARDS):
        with s.store.reading() as tx:
            some = boards.boards_of(tx, s.rules, ids[start : start + MOST_BOARDS])
        pdf = papers.board_pdf([(one, boards.address(s.rules.links, one)) for one in some], ground)
        _write(args.out, pdf, part=start // MOST_BOARDS + 1 if len(ids) > MOST_BOARDS else 0, boards=len(some))


def run_plan(s: System, args: argparse.Namespace, area_of: Callable[[Tx, str], str]) -> None:
    """Write one response plan."""
    with s.store.reading() as tx:
        one = boards.plan(tx, s.rules, _one(tx, area_of(tx, args.area), args.name))
    drawn = s.clock.now().astimezone(SHANGHAI).date()
    address = boards.address(s.rules.links, one.board)
    pdf = papers.plan_pdf(one, system.papers_ground(s, lang=args.lang), address=address, drawn=drawn)
    _write(args.out, pdf, part=0, boards=1)


def _one(tx: Tx, area: str, name: str) -> UUID:
    """
    The enterprise of the area that is meant.

    :raises NotOne: none is called so, or more than one
    """
    try:
        ids = [UUID(name)]
    except ValueError:
        ids, _ = kept.found(tx, area, q=name, limit=50)
        exact = [one.id for one in tx.recipients_called(ids) if name in (one.name, one.credit_code)]
        ids = exact or ids
    if len(ids) != 1:
        raise NotOne(f"{len(ids)} enterprises are called {name!r}")
    return ids[0]


def _write(out: Path, pdf: bytes, *, part: int, boards: int) -> None:
    path = out.with_stem(f"{out.stem}-{part}") if part else out
    path.write_bytes(pdf)
    print(f"{path}  {boards}  {len(pdf)} bytes")
