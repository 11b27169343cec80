"""The arithmetic of an area: from the list in force and what an officer entered, with its record."""

from __future__ import annotations

import io
import json
from typing import Any

import openpyxl
import pytest

from emergency.domain.arithmetic_choice import Objective
from emergency.domain.arithmetic_targets import Doubt, Reach, Unit
from emergency.domain.people import NotAllowed
from emergency.services import arithmetic
from emergency.services.arithmetic import NothingToTakeBack, Reckoning, TooMany
from tests.lists import PLAIN, WORDS, a_line, code
from tests.services.test_listing import confirmed, laid
from tests.world import CITY, DISTRICT, World

HEADINGS = (*PLAIN, "颗粒物正常排放量（kg/d）", "NOx正常排放量（kg/d）")


def figures(*rows: tuple[dict[str, Any], float | str, float | str]) -> bytes:
    """A list whose rows give normal emissions of PM and NOx."""
    book = openpyxl.Workbook()
    book.active.append(list(HEADINGS))
    for said, pm, nox in rows:
        book.active.append([*a_line(**said), pm, nox])
    body = io.BytesIO()
    book.save(body)
    return body.getvalue()


LIST = figures(
    ({}, 100, 20),
    ({"name": "样例铸造厂", "code": code(2), "town": "三都镇", "industry": "铸造", "yellow": "视情况停产"}, 50, ""),
    ({"name": "样例糖厂", "code": code(3), "town": "百朋镇", "industry": "制糖", "grade": "民生豁免-A"}, 500, 300),
)


def reckoned(world: World, area: str = DISTRICT) -> Reckoning:
    """The area's arithmetic now."""
    with world.store.reading() as tx:
        return arithmetic.reckon(tx, world.rules, area)


def entered(
    world: World, pollutant: str, amount: float, *, area: str = DISTRICT, by: str = "lj-duty", year: int = 2014
) -> None:
    """Somebody enters a base in kg/d."""
    world.store.run(
        lambda tx: arithmetic.enter(
            tx, area=area, pollutant=pollutant, year=year, amount=amount, unit=Unit.KG_A_DAY, source="2014年源清单",
            by=world.person(by), now=world.now,
        )
    )  # fmt: skip


def reaches(world: World, level: str = "yellow", area: str = DISTRICT) -> dict[str, tuple[Reach, Doubt | None]]:
    """What is said of each pollutant."""
    return {one.pollutant: (one.reach, one.because) for one in reckoned(world, area).judged[level]}


def test_without_a_list_and_without_a_base_nothing_is_called_zero(world: World) -> None:
    assert set(reaches(world).values()) == {(Reach.UNKNOWN, Doubt.NO_LIST)}

    confirmed(world, laid(world, LIST))

    found = reckoned(world)
    assert found.levels["yellow"].whole.kg == {"pm": 300.0, "nox": 160.0}
    assert {one.because for one in found.judged["yellow"]} == {Doubt.NO_BASE}
    assert all(one.pct is None for one in found.judged["yellow"])


def test_what_was_entered_is_reckoned_with_and_what_was_taken_back_is_not(world: World) -> None:
    confirmed(world, laid(world, LIST))
    entered(world, "pm", 2500.0)
    entered(world, "nox", 2000.0)
    assert (reaches(world)["pm"], reaches(world)["nox"]) == ((Reach.REACHED, None), (Reach.SHORT, None))

    entered(world, "nox", 1000.0)
    assert reaches(world)["nox"] == (Reach.REACHED, None)

    by = world.person("lj-duty")
    world.store.run(
        lambda tx: arithmetic.take_back(tx, area=DISTRICT, pollutant="pm", because="年份有误", by=by, now=world.now)
    )
    assert reaches(world)["pm"] == (Reach.UNKNOWN, Doubt.NO_BASE)
    with pytest.raises(NothingToTakeBack):
        world.store.run(
            lambda tx: arithmetic.take_back(tx, area=DISTRICT, pollutant="pm", because="又", by=by, now=world.now)
        )
    with world.store.reading() as tx:
        facts = [json.loads(one) for one in tx.facts_about(f"{DISTRICT}:pm")]
    assert [(one["what"], one["by"]) for one in facts] == [
        ("emission.entered", "lj-duty"), ("emission.taken_back", "lj-duty"),
    ]  # fmt: skip


def test_sectors_and_towns_add_up_and_what_is_not_counted_is_named(world: World) -> None:
    confirmed(world, laid(world, LIST))

    found = reckoned(world).levels["yellow"]

    by_sector = {key: one.kg["pm"] for key, one in found.sectors.items() if one.kg}
    assert by_sector == {"brick_kiln": 50.0, "sugar_mill": 250.0}
    assert sum(one.kg.get("pm", 0) for one in found.towns.values()) == found.whole.kg["pm"]
    assert [(one.name, one.text) for one in found.uncounted] == [("样例铸造厂", "视情况停产")]


def test_a_city_sees_its_districts_and_a_town_its_own_part(world: World) -> None:
    confirmed(world, laid(world, LIST))
    town = reckoned(world).levels["yellow"].towns

    assert reckoned(world, CITY).levels["yellow"].whole.kg == {"pm": 300.0, "nox": 160.0}
    for area, part in town.items():
        assert reckoned(world, area).levels["yellow"].whole == part
    entered(world, "pm", 2500.0)
    assert reaches(world, area=CITY)["pm"] == (Reach.UNKNOWN, Doubt.NO_BASE)  # a district's base is not the city's


def test_only_who_brings_lists_in_enters_a_base_and_only_of_their_own_area(world: World) -> None:
    for login in ("lj-approver3", "labao-town", "lj-reviewer"):
        with pytest.raises(NotAllowed):
            entered(world, "pm", 1.0, by=login)
    with pytest.raises(NotAllowed):
        entered(world, "pm", 1.0, area=CITY)


def test_a_set_is_proposed_from_the_list_with_the_protected_left_alone(world: World) -> None:
    confirmed(world, laid(world, LIST))
    entered(world, "pm", 400.0)

    def proposed(most: int | None = None) -> Any:
        return arithmetic.propose(
            world.store, world.rules, WORDS.guard, DISTRICT, level="yellow", objective=Objective.LOSS, most=most
        )

    found = proposed()

    assert [(one.name, each.level) for one, each in found.chosen] == [("样例砖厂甲", "yellow")]
    assert found.field.protected == (("样例糖厂", "guaranteed"),)
    assert found.feasible
    assert found == proposed()
    with pytest.raises(TooMany):
        proposed(most=1)
