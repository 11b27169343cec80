"""The city's notice is passed on by the district's signature in the plan's minutes, or both desks are told."""

from __future__ import annotations

from datetime import timedelta

from emergency.domain.episode import Decision, Move, Task
from emergency.domain.level import Level
from tests.world import CITY, DISTRICT, World

LIUJIANG = "柳江区"


def announced(world: World) -> Decision:
    """Yellow, signed by the city."""
    return world.decide(world.forecast(120, 193, 229)[0])


def owed(world: World) -> list[Task]:
    """What is still to be passed on, at the district's desk and as the city sees it."""
    with world.store.reading() as tx:
        return [one for one in tx.open_tasks([DISTRICT, CITY]) if one.kind in ("relay", "relay_below")]


def alarms(world: World) -> list[tuple[str, str]]:
    """Alarms of notices not passed on: whose desk, and what."""
    with world.store.reading() as tx:
        return sorted((one.area, one.detail) for one in tx.standing_alarms() if one.detail.startswith("relay"))


def entered(world: World, signed: Decision, *, number: str = "", **how: object) -> Decision | None:
    """The district's desk enters what the city announced."""
    return world.bulletin(signed.level, number=number or signed.notice.number, **how)


def test_the_citys_signature_tells_the_district_by_when_to_pass_it_on(world: World) -> None:
    signed = announced(world)
    world.deliver()
    plan = world.rules.plan("liujiang")

    assert [(one.area, one.kind, one.due_at - world.now) for one in owed(world)] == [
        (DISTRICT, "relay", timedelta(minutes=plan.order_relay_deadline_min)),
        (CITY, "relay_below", timedelta(minutes=plan.activation_deadline_min)),
    ]
    for login in ("lj-duty", "lj-approver3"):
        told = [one.text for one in world.phone.to(world.person(login).phone) if signed.notice.number in one.text]
        assert len(told) == 1, login
        assert LIUJIANG in told[0]


def test_a_notice_nobody_passes_on_is_an_alarm_of_its_desk_and_climbs_to_the_city_by_name(world: World) -> None:
    signed = announced(world)

    world.forward(minutes=31, step=31)
    assert [area for area, _ in alarms(world)] == [DISTRICT]
    world.forward(minutes=30, step=30)

    assert [area for area, _ in alarms(world)] == [CITY, DISTRICT]
    (_, citys), _ = alarms(world)
    assert LIUJIANG in citys
    assert signed.notice.number in citys
    told = [one.text for one in world.phone.to(world.person("city-duty").phone) if LIUJIANG in one.text]
    assert len(told) == 1


def test_the_districts_signature_passes_it_on_whatever_number_was_typed_and_ends_the_alarms(world: World) -> None:
    signed = announced(world)
    world.forward(minutes=61, step=61)
    assert len(alarms(world)) == 2

    decision = entered(world, signed, number="柳气预警2015-1", received_at=world.now)
    assert decision is not None
    world.sign(decision, by="lj-approver3")

    assert owed(world) == []
    assert alarms(world) == []


def test_entering_the_notice_is_not_passing_it_on(world: World) -> None:
    entered(world, announced(world))

    assert len(owed(world)) == 2, "the same notice by both doors is owed once"


def test_a_later_notice_is_still_owed_when_the_earlier_one_is_signed(world: World) -> None:
    first = announced(world)
    bulletin = {"issued_at": world.now, "received_at": world.now}
    world.forward(minutes=5)
    upgrade = world.propose(Move.UPGRADE, Level.ORANGE, override_because="实况上升更快")
    world.sign(upgrade)
    decision = entered(world, first, **bulletin)
    assert decision is not None

    world.sign(decision, by="lj-approver3")

    assert [(one.kind, upgrade.notice.number in one.words) for one in owed(world)] == [
        ("relay", True), ("relay_below", True),
    ]  # fmt: skip


def test_the_end_of_the_citys_warning_ends_what_was_to_be_passed_on_where_nothing_is_in_force(world: World) -> None:
    announced(world)
    world.sign(world.propose(Move.WITHDRAW, Level.NONE, reason="误判，撤回"))

    assert owed(world) == []
    world.forward(minutes=90, step=90)
    assert alarms(world) == []


def test_a_release_is_passed_on_too_and_a_desk_that_has_it_already_owes_nothing(world: World) -> None:
    decision = entered(world, announced(world))
    assert decision is not None
    world.sign(decision, by="lj-approver3")
    ending = world.sign(world.propose(Move.WITHDRAW, Level.NONE, reason="误判，撤回"))
    assert [one.kind for one in owed(world)] == ["relay", "relay_below"]

    taken_back = world.bulletin(Level.NONE, action="withdraw", number=ending.notice.number, effective_at=world.now)
    assert taken_back is not None
    world.sign(taken_back, by="lj-approver3")
    assert owed(world) == []

    again = world.bulletin(Level.NONE, action="release", number="重复的通知", effective_at=world.now)
    assert again is None
    assert owed(world) == []
