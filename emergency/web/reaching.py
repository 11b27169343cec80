"""Whom a desk's ladder would not reach, by what is missing, before it is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from emergency.domain.people import Act
from emergency.domain.plan import Plan
from emergency.domain.reaching import Lack, Shortfall
from emergency.services import reaching
from emergency.store import Tx
from emergency.web import showing
from emergency.web.access import open_to, the_system
from emergency.web.console import desk_area
from emergency.web.words import N_, _

bp = Blueprint("reaching", __name__)

LACKS: Final[Mapping[Lack, str]] = {
    Lack.CHANNEL: N_("渠道没有设置"),
    Lack.BROKEN: N_("渠道已熔断"),
    Lack.DUTY: N_("值班台没有可联系的值班员"),
    Lack.PHONE: N_("没有登记任何电话"),
    Lack.MOBILE: N_("只有座机，收不到短信"),
    Lack.SECOND: N_("没有第二联系人"),
    Lack.TRACKER: N_("没有可联系的跟踪落实单位"),
    Lack.TOWN: N_("所在镇没有可联系的网格员"),
}


@bp.get("/console/reach")
@open_to(Act.SEE_DESK)
def reach() -> ResponseReturnValue:
    """Every step that would reach nobody, with the recipients it concerns."""
    area, system = desk_area(), the_system()
    with system.store.reading() as tx:
        plan = system.rules.plan_of(tx, area)
        desk = system.rules.desk_of(tx, area)
        shown = warned(tx, plan, desk)
        areas = {one.id: one for one in tx.areas()}
    if desk != area:  # a town is shown its own recipients, and nothing of its district's desk
        shown["shortfalls"] = [one.within(area) for one in shown["shortfalls"] if one.within(area).count]
    return render_template("console/reach.html", **shown, area=areas[area], areas=areas, whole=True)


def warned(tx: Tx, plan: Plan, area: str) -> dict[str, Any]:
    """What is missing for this plan's ladder, with the words to show it in."""
    system = the_system()
    found = reaching.shortfalls(tx, system.rules, plan, area, wall=system.wall.now())
    steps = {one.step: one for one in plan.ladder}
    return {"shortfalls": found, "lacks": LACKS, "step_words": lambda one: _steps(one, steps)}


def _steps(one: Shortfall, steps: Mapping[str, Any]) -> str:
    """The steps in the words of whom they tell, each once."""
    told = dict.fromkeys(showing.said("notify", steps[step].notify) for step in one.steps if step in steps)
    return _("、").join(told)
