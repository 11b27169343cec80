"""
Writes liujiang-2024.csv: made-up enterprises for Liujiang, the same ones every time.

Run ``python playbooks/samples/make_samples.py`` after changing a table below. Which town, grade and category a sample
gets is worked out from a hash of its key; there are no dice and no clock here.
"""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path

DISTRICT = "450200.450206"
TOWNS = (  # the two towns beside the city carry more industry; the shares are assumed
    *["labao"] * 5, *["jinde"] * 4, *["chengtuan"] * 3, *["baipeng"] * 2, *["sandu"] * 2, *["chuanshan"] * 2,
    "ligao", "tubo",
)
GRADES = (*["A"], *["B"] * 3, *["C"] * 5, *["D"] * 3)  # the share of each grade is assumed
COLUMNS = (
    "key", "name", "area", "sector", "grade", "category", "tracker", "permit_has_special_period",
    "manager", "manager_role", "manager_phone", "officer", "officer_role", "officer_phone", "yellow", "orange", "red",
    "note",
)
SELF_REDUCING = "自主减排：治污设施全时运行，每日上报用电量"
OWN_LINES = {
    "guaranteed": {
        "yellow": "按民生任务量定产，不得超出，治污设施全时运行|每日上报产量和用电量",
        "red": "非民生用途的生产线停产",
    },
    "key_works": {
        "yellow": "六个百分之百全部到位，早晚各拍照一次|22时至次日6时不施工",
        "orange": "停止土石方和室外喷涂作业，只保留主体结构施工",
        "red": "除连续浇筑部位外停工",
    },
}
ROLES = ("厂长", "安环负责人")
SITE_ROLES = ("项目经理", "扬尘负责人")
SHOP_ROLES = ("站长", "安全员")


@dataclass(frozen=True)
class Kind:
    """How many samples of one sector, what they are called, who tracks them, and in which categories the first fall."""

    key: str
    name: str
    sector: str
    count: int
    tracker: str
    roles: tuple[str, str] = ROLES
    usual: str = "listed"
    first: tuple[str, ...] = field(default=())


KINDS = (
    Kind("kiln", "样例砖厂", "brick_kiln", 24, "柳江生态环境局", first=("", "", "", "long_stopped")),
    Kind("site", "样例工地", "construction_site", 36, "柳江区住房城乡建设局", SITE_ROLES, "construction_site",
         ("", "key_works", "", "key_works", "key_works")),
    Kind("concrete", "样例搅拌站", "concrete_mixing", 12, "柳江区住房城乡建设局", first=("", "guaranteed")),
    Kind("coating", "样例涂装厂", "industrial_coating", 16, "柳江区工业和信息化局"),
    Kind("machinery", "样例机械厂", "engineering_machinery", 9, "柳江区工业和信息化局"),
    Kind("printing", "样例印刷厂", "printing", 12, "柳江生态环境局", first=("", "guaranteed", "small_micro")),
    Kind("panel", "样例板材厂", "furniture_panels", 17, "柳江生态环境局", first=("", "", "small_micro", "small_micro")),
    Kind("station", "样例加油站", "filling_station", 18, "柳江区商务局", SHOP_ROLES, "small_micro"),
    Kind("boiler", "样例锅炉房", "boiler", 14, "柳江生态环境局", first=("", "guaranteed", "guaranteed")),
    Kind("sugar", "样例糖厂", "sugar_mill", 2, "柳江区糖业发展中心", first=("", "guaranteed")),
    Kind("depot", "样例货场", "transport_depot", 12, "柳江区交通运输局", SHOP_ROLES),
    Kind("foundry", "样例铸造厂", "foundry", 9, "柳江区工业和信息化局", first=("", "", "", "long_stopped")),
    Kind("rubber", "样例橡塑厂", "rubber_plastics", 15, "柳江生态环境局", first=("", "small_micro", "", "small_micro")),
    Kind("grinding", "样例粉磨站", "cement_grinding", 2, "柳江区工业和信息化局"),
    Kind("oil", "样例油库", "oil_depot", 1, "柳江区商务局", SHOP_ROLES),
)


def lot(key: str, about: str, of: int) -> int:
    """A number from 0 to ``of`` - 1 that belongs to this key and this question for ever."""
    return int.from_bytes(hashlib.sha256(f"{about}:{key}".encode()).digest()[:4], "big") % of


def rows() -> list[dict[str, str]]:
    """Every sample, in the order of the table."""
    made: list[dict[str, str]] = []
    for kind in KINDS:
        for n in range(1, kind.count + 1):
            made.append(_row(kind, n, phone=len(made) * 2 + 1))
    return made


def _row(kind: Kind, n: int, *, phone: int) -> dict[str, str]:
    key = f"{kind.key}-{n:02d}"
    category = (kind.first[n - 1] if n <= len(kind.first) else "") or kind.usual
    graded = category in ("listed", "guaranteed") and kind.sector not in ("construction_site", "filling_station")
    grade = GRADES[lot(key, "grade", len(GRADES))] if graded else ""
    town = "labao" if key == "kiln-01" else TOWNS[lot(key, "town", len(TOWNS))]
    own = {"yellow": SELF_REDUCING} if grade == "A" else {}
    own = OWN_LINES.get(category, own)
    return {
        "key": key, "name": f"{kind.name}{n:02d}", "area": f"{DISTRICT}.{town}", "sector": kind.sector, "grade": grade,
        "category": category, "tracker": kind.tracker,
        "permit_has_special_period": ("yes", "no", "")[lot(key, "permit", 3)] if graded else "",
        "manager": f"{kind.name}{n:02d}甲", "manager_role": kind.roles[0], "manager_phone": f"0005{phone:07d}",
        "officer": f"{kind.name}{n:02d}乙", "officer_role": kind.roles[1], "officer_phone": f"0005{phone + 1:07d}",
        **{level: own.get(level, "") for level in ("yellow", "orange", "red")},
        "note": "虚构样例",
    }


def text() -> str:
    """The file as it is written: UTF-8, comma, one header line, Unix line ends."""
    out = io.StringIO()
    table = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(rows())
    return out.getvalue()


if __name__ == "__main__":
    Path(__file__).with_name("liujiang-2024.csv").write_text(text(), "utf-8")
