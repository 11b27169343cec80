"""What the desk reads of a ruling that nobody had to give any more."""

from __future__ import annotations

from emergency.domain.orders import Action
from tests.web.conftest import SignedIn
from tests.world import World

TASKS = "/console/tasks"


def test_the_tasks_say_that_a_ruling_ended_with_its_order(world: World, signed_in: SignedIn) -> None:
    world.activated()
    order = world.an_order()
    world.answer(order, Action.DECLINE, remark="窑内有坯")
    desk = signed_in("lj-duty")
    asked = desk.get(TASKS).text
    world.released()

    page = desk.get(TASKS).text

    assert "去裁定" in asked
    assert "指令已解除" not in asked
    assert "去裁定" not in page
    assert f"{order.number}: 窑内有坯" in page
    assert "指令已解除，不再需要裁定" in page
    assert "The order was lifted: no ruling is needed" in desk.get(f"{TASKS}?lang=en").text
