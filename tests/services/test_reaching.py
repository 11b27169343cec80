"""Steps that would reach nobody are found before the night they are needed, and said once a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from emergency.domain.calling import CALL_LIST
from emergency.domain.level import Level
from emergency.domain.messages import PORTAL, VOICE
from emergency.domain.orders import Recipient
from emergency.domain.plan import Rung
from emergency.domain.reaching import Lack, Shortfall, takes_texts
from emergency.services import reaching
from tests.world import DISTRICT, World


def found(world: World, *steps: Rung) -> list[Shortfall]:
    """What the district lacks for a ladder of these steps."""
    plan = replace(world.rules.plan("liujiang"), ladder=steps)
    with world.store.reading() as tx:
        return reaching.shortfalls(tx, world.rules, plan, DISTRICT, wall=world.wall.now())


def change(world: World, recipient: Recipient) -> None:
    """The recipient as the list has it now."""
    with world.store.transactions() as tx:
        tx.set_recipients([recipient])


@pytest.fixture
def kiln(world: World) -> Recipient:
    """A made-up kiln nobody signs in for."""
    with world.store.reading() as tx:
        signing_in = {one.recipient_id for one in tx.people()}
        return next(one for one in tx.recipients([DISTRICT]) if one.sample and one.id not in signing_in)


def names(one: Shortfall) -> set[str]:
    """Whom it concerns."""
    return {recipient.name for recipient in one.recipients}


def numbered(kiln: Recipient, *phones: str) -> Recipient:
    """The kiln with these numbers and no other contact."""
    some = tuple(replace(kiln.contacts[n], phone=phone) for n, phone in enumerate(phones))
    return replace(kiln, contacts=some)


def test_a_recipient_without_a_number_is_named_with_every_step_it_costs(world: World, kiln: Recipient) -> None:
    change(world, numbered(kiln, "", ""))

    (one,) = found(world, Rung("remind", 30, "recipient", ("sms",)), Rung("again", 40, "recipient", ("sms",)))

    assert (one.lack, one.steps, names(one), one.count) == (Lack.PHONE, ("remind", "again"), {kiln.name}, 1)


def test_a_landline_lacks_a_text_message_and_not_a_voice(world: World, kiln: Recipient) -> None:
    change(world, numbered(kiln, "0772-3212345", ""))

    (one,) = found(world, Rung("remind", 30, "recipient", ("sms",)))
    assert (one.lack, names(one)) == (Lack.MOBILE, {kiln.name})

    world.rules = replace(world.rules, channels=("sms", VOICE))
    assert found(world, Rung("remind", 30, "recipient", ("sms", VOICE))) == []


def test_a_missing_second_contact_is_named(world: World, kiln: Recipient) -> None:
    step = Rung("second", 45, "second_contact", ("sms",))
    before = names(found(world, step)[0])
    assert kiln.name not in before

    change(world, numbered(kiln, "00050000001", ""))

    assert names(found(world, step)[0]) == {*before, kiln.name}


def test_a_town_without_a_grid_worker_and_a_tracker_nobody_knows_are_named(world: World, kiln: Recipient) -> None:
    with world.store.reading() as tx:
        town = next(one for one in tx.recipients([kiln.area]) if one.kind.value == "town")
    change(world, replace(town, contacts=tuple(replace(one, phone="") for one in town.contacts)))
    change(world, replace(kiln, tracker="没有这个单位"))

    grid, tracker = found(world, Rung("town", 60, "town", ("sms",)), Rung("tracker", 70, "tracker", ("sms",)))

    assert (grid.lack, tracker.lack) == (Lack.TOWN, Lack.TRACKER)
    assert kiln.name in names(grid) & names(tracker)
    assert all(one.area == kiln.area for one in grid.recipients if one.name not in names(tracker)) or grid.count > 1


def test_a_portal_alone_passes_over_those_without_an_account_where_another_step_reaches_them(
    world: World, kiln: Recipient
) -> None:
    portal, text = Rung("portal", 15, "recipient", (PORTAL,)), Rung("remind", 30, "recipient", ("sms",))
    assert found(world, portal, text) == []
    assert found(world, portal) == [], "without one it goes by text message"

    change(world, numbered(kiln, "", ""))

    assert [(one.lack, one.steps) for one in found(world, portal, text)] == [(Lack.PHONE, ("remind",))]
    assert [(one.lack, one.steps) for one in found(world, portal)] == [(Lack.PHONE, ("portal",))]


def test_a_channel_that_is_not_set_up_or_broken_is_named_for_all(world: World) -> None:
    step = Rung("remind", 30, "recipient", ("sms", VOICE))
    assert [(one.lack, one.channel) for one in found(world, step)] == [(Lack.CHANNEL, VOICE)]

    world.activated()
    with world.store.transactions() as tx:
        tx.outbox.break_channel("sms", until=world.wall.now() + timedelta(minutes=1), because="answered 401")

    assert [(one.lack, one.channel) for one in found(world, step)] == [(Lack.BROKEN, "sms"), (Lack.CHANNEL, VOICE)]


def test_a_desk_nobody_sits_at_is_named_for_its_own_steps(world: World) -> None:
    steps = (Rung("district", 90, "district_duty", ("sms",)), Rung("call_list", 120, CALL_LIST, ("sms",)))
    assert found(world, *steps) == []

    with world.store.transactions() as tx:
        duty = [(one, "x") for one in tx.people() if one.area == DISTRICT and one.role.value == "duty_officer"]
        tx.set_people([(replace(one, active=False), kept) for one, kept in duty])

    (one,) = found(world, *steps)
    assert (one.lack, one.steps, one.count) == (Lack.DUTY, ("district", "call_list"), 0)


def test_it_is_said_once_and_over_within_minutes_when_it_is_mended(world: World) -> None:
    def look() -> list[str]:
        return reaching.look(world.store, world.rules, now=world.now, wall=world.wall.now())

    assert f"unreached:{DISTRICT}" in look()
    with world.store.reading() as tx:
        (alarm,) = [one for one in tx.standing_alarms() if one.name == f"unreached:{DISTRICT}"]
    assert "家没有第二联系人" in alarm.detail
    world.wall.forward(hours=23)
    assert look() == []

    plan = replace(world.rules.plan("liujiang"), ladder=())
    world.rules = replace(world.rules, plans={**world.rules.plans, "liujiang": plan})
    world.wall.forward(minutes=11)
    look()

    with world.store.reading() as tx:
        assert f"unreached:{DISTRICT}" not in {one.name for one in tx.standing_alarms()}


@pytest.mark.parametrize(
    ("number", "takes"),
    [("13800000000", True), ("00050000001", True), ("0772-3212345", False), ("07723212345", False),
     ("+86-0772-3212345", False), ("010 12345678", False), ("", False)],
)  # fmt: skip
def test_a_landline_is_told_from_a_mobile(number: str, takes: bool) -> None:
    assert takes_texts(number) is takes


def test_a_step_that_reaches_nobody_is_told_to_the_owner_of_the_plan(world: World, kiln: Recipient) -> None:
    change(world, numbered(kiln, "", ""))
    steps = (Rung("remind", 30, "recipient", ("sms",)),)
    plan = replace(world.rules.plan("liujiang"), ladder=steps)
    world.rules = replace(world.rules, plans={**world.rules.plans, "liujiang": plan})
    world.activated()

    world.forward(minutes=40)

    with world.store.reading() as tx:
        (alarm,) = [one for one in tx.standing_alarms() if one.name == f"nobody:recipient:{kiln.area}"]
    assert (alarm.area, kiln.name in alarm.detail) == (DISTRICT, True)
    assert any(kiln.name in one.text for one in world.phone.to(world.person("lj-duty").phone))


ROLES = {Lack.PHONE: "recipient", Lack.SECOND: "second_contact", Lack.TRACKER: "tracker", Lack.TOWN: "town"}


def nobody(world: World) -> dict[str, str]:
    """The alarms of nobody to be reached, with their words."""
    with world.store.reading() as tx:
        return {one.name: one.detail for one in tx.standing_alarms() if one.name.startswith("nobody:")}


def test_what_was_warned_of_is_what_the_alarms_tell_when_everybody_is_silent(world: World) -> None:
    world.activated()
    with world.store.reading() as tx:
        plan = world.rules.plan_of(tx, DISTRICT)
        some = reaching.shortfalls(tx, world.rules, plan, DISTRICT, wall=world.wall.now())
    ordered = {one.recipient_id for one in world.orders()}

    world.forward(hours=3)

    warned = {(ROLES[one.lack], who.area) for one in some if one.lack in ROLES for who in one.recipients
              if who.id in ordered}  # fmt: skip
    assert warned
    assert set(nobody(world)) == {f"nobody:{role}:{area}" for role, area in warned}


def test_an_alarm_of_nobody_ends_when_the_list_is_completed_or_everybody_has_answered(
    world: World, kiln: Recipient
) -> None:
    change(world, numbered(kiln, "", ""))
    steps = (Rung("remind", 30, "recipient", ("sms",)), Rung("second", 45, "second_contact", ("sms",)))
    plan = replace(world.rules.plan("liujiang"), ladder=steps)
    world.rules = replace(world.rules, plans={**world.rules.plans, "liujiang": plan})
    world.activated()
    world.forward(minutes=60)
    mine = f"nobody:recipient:{kiln.area}"
    assert mine in nobody(world)
    assert any(one.startswith("nobody:second_contact:") for one in nobody(world))

    change(world, kiln)
    world.sweep()
    assert mine not in nobody(world)

    world.acknowledge_all(world.orders())
    world.sweep()
    assert nobody(world) == {}


def test_an_alarm_of_nobody_to_sign_ends_when_somebody_can(world: World) -> None:
    def phones(on: bool) -> None:
        with world.store.transactions() as tx:
            some = [one for one in tx.people() if one.area == DISTRICT and one.role.value == "approver"]
            tx.set_people([(replace(one, phone=f"0005000{at:04}" if on else ""), "x") for at, one in enumerate(some)])

    phones(False)
    assert world.bulletin(Level.YELLOW) is not None
    world.sweep()
    name = f"nobody:approver:{DISTRICT}"
    assert nobody(world)[name] == "启动响应黄色（Ⅲ级）：没有可联系的审批人"

    phones(True)
    world.sweep()

    assert name not in nobody(world)
