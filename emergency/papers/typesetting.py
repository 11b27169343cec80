"""Setting papers in type: boards and plans filled in, their codes drawn, and handed to the press."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from threading import Lock
from typing import Any, Final

import segno

from emergency.domain.boards import Board, EnterprisePlan
from emergency.errors import Refused, Unavailable
from emergency.papers import filling
from emergency.papers.filling import Ground
from emergency.papers.fitting import size_for

MOST_BOARDS: Final = 100  # of one file: a second or two of one processor, some 250 MB for as long
PATIENCE: Final = 60.0  # seconds for one paper, and for those that wait before it
_PRESS: Final = Path(__file__).parent / "press.py"
_ONE_AT_A_TIME: Final = Lock()  # in this process: what is set in type at once is what bounds the memory


class TooMany(Refused):
    """More boards are wanted than one file takes."""

    words_zh = "一个文件最多100块公示牌，请分部下载"


def board_pdf(some: Sequence[tuple[Board, str]], ground: Ground) -> bytes:
    """
    Boards with the addresses they are checked at, A3 across, each beginning on a page of its own.

    Each is set in the largest type that fits its page; one that fits in none goes on on a second.

    :raises TooMany: more than :data:`MOST_BOARDS`
    :raises Unavailable: the press did not answer in time, or not at all
    """
    if len(some) > MOST_BOARDS:
        raise TooMany(f"one file takes {MOST_BOARDS} boards, not {len(some)}")
    frame = filling.frame(ground)
    made = [filling.board(one, ground, address=address, code=code_of(address)) for one, address in some]
    for one in made:
        one["size"] = size_for(one, marked=f"{frame['label']}{frame['origin']}")
    return _pressed("board.typ", {**frame, "boards": made})


def plan_pdf(one: EnterprisePlan, ground: Ground, *, address: str, drawn: date) -> bytes:
    """
    An enterprise's response plan, A4 upright; ``address``: where its board is checked, ``drawn``: the civil day.

    :raises Unavailable: as :func:`board_pdf`
    """
    made = filling.plan(one, ground, address=address, code=code_of(address), drawn=drawn)
    return _pressed("plan.typ", {**filling.frame(ground), **made})


def code_of(address: str) -> str:
    """The address as a two-dimensional code (QR, ISO/IEC 18004, level M with its quiet zone), an SVG picture."""
    drawn = io.BytesIO()
    segno.make(address, error="m", micro=False).save(drawn, kind="svg", border=4, xmldecl=False, omitsize=True)
    return drawn.getvalue().decode()


def _pressed(template: str, said: dict[str, Any]) -> bytes:
    """What the press makes of it, in a process without our environment: it has no secrets and no connection of ours."""
    asked = json.dumps({"template": template, "said": said}, ensure_ascii=False).encode()
    if not _ONE_AT_A_TIME.acquire(timeout=PATIENCE):
        raise Unavailable("papers are being set, and this one waited too long")
    try:
        run = subprocess.run(  # noqa: S603 - our own script, no shell
            [sys.executable, "-I", str(_PRESS)],
            input=asked, capture_output=True, timeout=PATIENCE, env={"PYTHONUTF8": "1"}, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise Unavailable("the press did not answer in time") from None
    finally:
        _ONE_AT_A_TIME.release()
    if run.returncode:
        raise Unavailable(f"the press failed: {run.stderr.decode(errors='replace')[-500:]}")
    return run.stdout
