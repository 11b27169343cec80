"""Planned reduction of an area: its whole emission entered, its list reckoned against it, a cheapest set proposed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from emergency.clock import SHANGHAI
from emergency.domain import arithmetic_choice as choice
from emergency.domain.arithmetic import Planned, planned
from emergency.domain.arithmetic_choice import Guard, Objective, Proposal
from emergency.domain.arithmetic_targets import Base, Judged, Unit, checked, judge
from emergency.domain.episode import Fact
from emergency.domain.people import Act, Person, ask
from emergency.domain.plan import Plan
from emergency.domain.reduction.columns import LEVELS
from emergency.domain.reduction.versions import Listing
from emergency.errors import Refused
from emergency.services.rules import Rules
from emergency.solver import solve
from emergency.store import Store, Tx
from emergency.store import arithmetic as kept


class NothingToTakeBack(Refused):
    """No base of the pollutant stands."""

    words_zh = "没有可撤回的排放基数"


class TooMany(Refused):
    """More measures than a page can wait for."""

    words_zh = "企业太多，请由系统管理员在命令行测算"


@dataclass(frozen=True)
class Reckoning:
    """
    The arithmetic of one area: the plan that asks, the lists in force, what they come to at each level, and whether it
    is enough. ``bases``: the last word on each pollutant, of those that stand.
    """

    area: str
    plan: Plan
    listings: tuple[Listing, ...]
    bases: Mapping[str, Base]
    levels: Mapping[str, Planned]
    judged: Mapping[str, tuple[Judged, ...]]


def reckon(tx: Tx, rules: Rules, area: str) -> Reckoning:
    """What the lists in force take away in the area at each level, and whether it is what the plan asks."""
    plan, listings, bases = rules.plan_of(tx, area), tuple(kept.in_force(tx, area)), standing(tx, area)
    levels = planned(kept.enterprises(tx, area))
    judged = {
        level: judge(plan, level, levels[level].whole.kg, bases, listed=bool(listings)) for level in LEVELS
    }
    return Reckoning(area, plan, listings, bases, levels, judged)


def standing(tx: Tx, area: str) -> dict[str, Base]:
    """The whole emission of the area by pollutant; one that nobody entered, or that was taken back, is not in it."""
    return {name: one for name, one in kept.last(tx, area).items() if one.amount is not None}


def enter(
    tx: Tx, *, area: str, pollutant: str, year: int, amount: float, unit: Unit, source: str, by: Person, now: datetime
) -> Base:
    """
    Enter the whole emission of one pollutant; it counts from now on, and what it replaces stays in the record.

    :raises NotAllowed: the person may not bring in lists of this area
    :raises OddBase: it cannot be meant
    """
    ask(by, Act.ENTER_LIST, area)
    return put(tx, Base(area, pollutant, year, amount, unit, source.strip(), by.login, now), now=now)


def put(tx: Tx, base: Base, *, now: datetime) -> Base:
    """
    Keep a base with its fact, as the operator of the machine enters it, who is named as its ``by``.

    :raises OddBase: it cannot be meant
    """
    base = checked(base, today=now.astimezone(SHANGHAI).date())
    kept.add(tx, base)
    _note(tx, "emission.entered", base)
    return base


def take_back(tx: Tx, *, area: str, pollutant: str, because: str, by: Person, now: datetime) -> None:
    """
    Take the last word on a pollutant back: from now on its whole emission is not known.

    :raises NotAllowed: the person may not bring in lists of this area
    :raises NothingToTakeBack: none stands
    :raises OddBase: no reason is given
    """
    ask(by, Act.ENTER_LIST, area)
    before = standing(tx, area).get(pollutant)
    if before is None:
        raise NothingToTakeBack(f"no base of {pollutant} stands in {area}")
    base = Base(area, pollutant, before.year, None, before.unit, because.strip(), by.login, now)
    kept.add(tx, checked(base, today=now.astimezone(SHANGHAI).date()))
    _note(tx, "emission.taken_back", base)


def _note(tx: Tx, what: str, base: Base) -> None:
    more = {
        "pollutant": base.pollutant, "year": base.year, "amount": base.amount, "unit": base.unit.value,
        "because": base.source,
    }  # fmt: skip
    tx.note(Fact(what, f"{base.area}:{base.pollutant}", base.by, base.at, area=base.area, more=more))


def propose(
    store: Store, rules: Rules, guard: Guard, area: str, *, level: str, objective: Objective, most: int | None = None
) -> Proposal:
    """
    The cheapest set of the list's measures that comes to what the plan asks at this level; nothing is kept of it.

    ``most``: how many measures may be chosen from, None for any number. The solver works with no transaction open.

    :raises NothingAsked: no pollutant has both a base and a share the plan asks
    :raises TooMany: there are more
    :raises Unavailable: the solver is not installed, or failed
    """
    with store.reading() as tx:
        plan, bases = rules.plan_of(tx, area), standing(tx, area)
        listed = list(kept.enterprises(tx, area))
    found = choice.field_of(listed, guard)
    judged = judge(plan, level, planned(listed)[level].whole.kg, bases, listed=bool(listed))
    some = choice.floors(plan, judged)
    if most is not None and sum(len(one.alternatives) for one in found.candidates) > most:
        raise TooMany(f"more than {most} measures to choose from")
    whole = {name: kg for name, one in bases.items() if (kg := one.kg_per_day)}
    answer = solve(choice.pose(found, some, whole, objective))
    return choice.told(level, objective, found, some, judged, whole, answer)
