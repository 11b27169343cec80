"""What a run says on the terminal: the journal's own lines, shortened, as they are written."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final

from emergency import clock
from emergency.clock import SHANGHAI
from emergency.store import Tx, desk
from emergency.store.desk import Line
from emergency.system import System

WORDS: Final[Mapping[str, str]] = {
    "forecast.received": "收到预报",
    "forecast.corrected": "收到更正的预报",
    "episode.opened": "开启应急过程",
    "decision.suggested": "规则建议",
    "decision.proposed": "值班员提出，等待另一人签发",
    "decision.approved": "签发",
    "consultation.called": "召集会商",
    "consultation.said": "会商意见",
    "consultation.concluded": "会商结论",
    "decision.superseded": "建议被新的研判取代",
    "decision.rejected": "退回",
    "bulletin.entered": "录入上级通知",
    "order.issued": "发出应急指令",
    "order.revised": "调整指令（只发变化）",
    "order.informed": "级别告知（措施不变）",
    "order.escalated": "未答复，逐级告知",
    "order.declined": "反映无法执行",
    "order.exempted": "裁定：豁免",
    "order.lifted": "解除指令",
    "review.drafted": "起草后评估",
    "review.signed": "签署后评估",
    "review.countersigned": "第二人复核",
    "episode.closed": "过程关闭",
}
OFTEN_S: Final = 0.5
MANY: Final = 300  # journal lines read at a look


class Teller:
    """Tells each line of the journal once; acknowledgements only by their number."""

    def __init__(self, system: System) -> None:
        self._names = {one.id: one.name for one in system.place.areas}
        self._told: set[tuple[str, str, str]] = set()
        self._next = 0.0
        self.last: tuple[str, str, str] | None = None

    def tell(self, tx: Tx, area: str) -> None:
        """Print what is new, at most twice a second: reading the journal is the dearest of a look."""
        if clock.seconds() < self._next:
            return
        self._next = clock.seconds() + OFTEN_S
        lines = desk.journal(tx, area=area, limit=MANY)
        for line in reversed(lines):
            key = (line.what, line.by, line.at.isoformat())
            if key in self._told:
                continue
            self._told.add(key)
            self.last = key
            if (words := self._said(line)) is not None:
                print(words, file=sys.stderr, flush=True)

    def _said(self, line: Line) -> str | None:
        words = WORDS.get(line.what)
        if words is None:
            return None
        at = line.at.astimezone(SHANGHAI).strftime("%m-%d %H:%M")
        where = self._names.get(line.area, "")
        times = f" ×{line.count}" if line.count > 1 else ""
        return f"  {at} {where} {words}{times}{_particulars(line)}".rstrip()


def _particulars(line: Line) -> str:
    more = line.more
    if line.what in ("forecast.received", "forecast.corrected"):
        days = more.get("days")
        some = days.items() if isinstance(days, Mapping) else ()
        return "：" + "、".join(f"{day[5:]} AQI {aqi}" for day, aqi in some)
    told = [str(more[name]) for name in ("move", "level", "number", "step") if more.get(name)]
    return f"：{' '.join(told)}" if told else ""
