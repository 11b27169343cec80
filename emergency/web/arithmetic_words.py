"""What the pages of planned reduction say of pollutants, verdicts, and why something is not counted or not known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from emergency.domain.arithmetic_choice import Objective
from emergency.domain.arithmetic_targets import Doubt, Reach
from emergency.domain.reduction.shares import Gap, Way
from emergency.web.words import N_, _

POLLUTANTS: Final[Mapping[str, str]] = {"so2": "SO2", "nox": "NOx", "pm": N_("颗粒物"), "vocs": "VOCs"}
REACHES: Final[Mapping[Reach, str]] = {
    Reach.REACHED: N_("达到"),
    Reach.SHORT: N_("不足"),
    Reach.UNKNOWN: N_("无法计算"),
}
DOUBTS: Final[Mapping[Doubt, str]] = {
    Doubt.NO_LIST: N_("没有现行清单"),
    Doubt.NO_BASE: N_("没有录入全社会排放量"),
    Doubt.NO_RATE: N_("预案未规定该级别的减排比例"),
    Doubt.NO_FIGURE: N_("清单中没有可计入的减排量"),
    Doubt.OVER: N_("计划减排量超过全社会排放量，其中必有一个数有误"),
    Doubt.PARTNER: N_("SO2和NOx可相互替代，另一项的排放量未知"),
}
GAPS: Final[Mapping[Gap, str]] = {
    Gap.NOT_IN_LIST: N_("清单中没有措施，按行业措施执行"),
    Gap.UNREAD: N_("措施文字没有全部读成数量"),
    Gap.VOLUNTARY: N_("自主减排，不要求数量"),
    Gap.VEHICLES: N_("车辆和机械的排放量不在清单中"),
    Gap.PART_UNKNOWN: N_("占该生产线排放的多少，清单没有写明"),
    Gap.SEVERAL: N_("同时有几项减量，不能合成一个比例"),
    Gap.NO_BASELINE: N_("只写了上限，没有同单位的基准值"),
    Gap.WHOSE: N_("排放量是这一条线的还是全部线的，清单没有写明"),
    Gap.NO_EMISSION: N_("没有正常排放量"),
    Gap.POOLED: N_("几条线合写一个排放量，减量却不相同"),
    Gap.TOO_MUCH: N_("填报的减排量超过正常排放量"),
}
WAYS: Final[Mapping[Way, str]] = {
    Way.STATED: N_("清单填报"),
    Way.STOPPED: N_("整条线停产，按正常排放量"),
    Way.LOAD: N_("负荷降低，按同比例折算"),
    Way.EVEN: N_("若干条中停若干条，按各条相同折算"),
}
OBJECTIVES: Final[Mapping[Objective, str]] = {
    Objective.LOSS: N_("减产损失最小"),
    Objective.FEWEST: N_("受限企业最少"),
}


def pollutant(name: str) -> str:
    """The pollutant in the reader's language; SO2 and NOx together where they are counted so."""
    return " + ".join(_(POLLUTANTS[one]) for one in name.split("+"))


def reach_word(reach: Reach) -> str:
    """Whether it is enough, in the reader's language."""
    return _(REACHES[reach])


def doubt_word(doubt: Doubt) -> str:
    """Why nobody can say, in the reader's language."""
    return _(DOUBTS[doubt])


def gap_word(gap: Gap) -> str:
    """Why a measure is not counted, in the reader's language."""
    return _(GAPS[gap])


def way_word(way: Way) -> str:
    """How an amount came about, in the reader's language."""
    return _(WAYS[way])


def objective_word(objective: Objective) -> str:
    """What «cheapest» is, in the reader's language."""
    return _(OBJECTIVES[objective])


def amount(kg: float | None) -> str:
    """kg/d with one place; a dash where it is not known."""
    return "—" if kg is None else f"{kg:,.1f}"


def share(pct: float | None) -> str:
    """Percent with two places; never rounded up to what it does not reach."""
    return "—" if pct is None else f"{int(pct * 100 + 1e-6) / 100:.2f}%"
