"""Workers are woken for lanes, never for orders."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from emergency.broker import Broker
from emergency.channels import build
from emergency.domain.level import Level
from emergency.system import System
from tests.builders import a_recipient
from tests.world import World


class Bell(Broker):
    """Counts who is woken."""

    def __init__(self) -> None:
        super().__init__("")
        self.rung: list[tuple[str, dict[str, Any]]] = []

    def wake(self, task: str, **kwargs: Any) -> bool:
        """Write it down."""
        self.rung.append((task, kwargs))
        return True


def test_a_signature_over_hundreds_wakes_one_sender_for_each_place_of_the_lane(world: World, system: System) -> None:
    said = {"url": "http://127.0.0.1:9/", "key": "gateway key"}
    bell = Bell()
    one = replace(system, broker=bell, channels=build({"sms": said, "voice": said}))
    two = replace(system, broker=bell, channels=build({"sms": {**said, "senders": "2"}}))
    one.wake_drains()
    assert bell.rung == [], "nothing waits, nobody is woken"
    world.store.run(lambda tx: tx.set_recipients([a_recipient(f"样例窑{n:05d}") for n in range(300)]))
    decision = world.bulletin(Level.YELLOW)
    assert decision is not None
    world.sign(decision, by="lj-approver3")

    one.wake_drains()
    urgent = [kwargs for _, kwargs in bell.rung if kwargs["lane"] == "urgent"]
    assert urgent == [{"channel": "sms", "lane": "urgent"}]
    assert len(bell.rung) <= 2, "and the desk's own messages on the normal lane"

    bell.rung.clear()
    two.wake_drains()
    assert [kwargs["lane"] for _, kwargs in bell.rung].count("urgent") == 2
