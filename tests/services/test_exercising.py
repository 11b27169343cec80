"""Exercises: the real path on imagined air, and a wall that nothing crosses unless two people open its address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from emergency.channels.wall import Wall
from emergency.clock import SHANGHAI
from emergency.domain.episode import Decision, Episode, Move, Phase
from emergency.domain.exercise import BANNER, WALL, Exercise, NotRunning, OwnCall, Stage, StillInForce
from emergency.domain.forecast import Cause, Source
from emergency.domain.level import Level
from emergency.domain.machine import IllegalMove
from emergency.domain.messages import Lane, Message, State
from emergency.domain.orders import Action, Order, RecipientKind
from emergency.domain.people import NotAllowed
from emergency.plans.drills import load_drills
from emergency.services import auditing, chasing, decisions, drills, exercising, post, reviews, watch
from emergency.services.exercising import NoMoreForecasts, OneAtATime
from emergency.store import Tx, desk, desk_orders, judging, portal, record
from emergency.store import exercising as asking
from tests.world import CITY, DISTRICT, PLAYBOOKS, Phone, World, alone

DRILLS = load_drills(PLAYBOOKS / "drills")
AIR = PLAYBOOKS / "air"


class Held:
    """An exercise of the whole city in a world, with every kind of channel behind it."""

    def __init__(self, world: World, *, drill: str = "imagined-red-week") -> None:
        self.world, self.wall = world, Wall()
        self.channels = {name: Phone(name) for name in ("sms", "voice", "wecom")}
        world.rules = replace(world.rules, channels=tuple(self.channels))
        self.evenings = drills.evenings(DRILLS[drill], AIR) if drill else ()
        self.one = self.run(
            lambda tx: exercising.call(
                tx, area=CITY, name="年度演练", drill=drill, drills=DRILLS, by=world.person("city-duty"), now=world.now
            )
        )

    def run(self, use_case: object) -> Exercise:
        """A use case in its transaction."""
        found: Exercise = self.world.store.run(use_case)  # type: ignore[arg-type]  # a lambda
        return found

    def begun(self) -> Held:
        """Confirmed by another and begun."""
        duty, approver, now = self.world.person("city-duty"), self.world.person("city-approver1"), self.world.now
        self.run(lambda tx: exercising.confirm(tx, self.one.id, by=approver, now=now))
        self.one = self.run(lambda tx: exercising.begin(tx, self.one.id, by=duty, now=now))
        return self

    def let_in(self) -> list[Decision]:
        """The next forecast of the drill."""
        return self.world.store.run(
            lambda tx: exercising.let_in(
                tx, self.world.rules, self.one.id, self.evenings, by=self.world.person("city-duty"), now=self.world.now
            )
        )

    def relay(self) -> Decision | None:
        """The district enters what the city signed."""
        return self.world.store.run(
            lambda tx: exercising.relay(
                tx, self.world.rules, self.one.id, DISTRICT, by=self.world.person("lj-duty"), now=self.world.now
            )
        )

    def warned(self) -> Held:
        """The city warns, the district activates, and the post is emptied."""
        (suggested,) = self.let_in()
        self.world.decide(suggested)
        entered = self.relay()
        assert entered is not None
        self.world.decide(entered)
        self.deliver()
        return self

    def deliver(self) -> None:
        """Drain every channel and the wall."""
        everything: tuple[Phone | Wall, ...] = (*self.channels.values(), self.wall)
        for channel in everything:
            for lane in Lane:
                alone(
                    post.drain(
                        self.world.store, channel, lane=lane, links=self.world.rules.links, clock=self.world.clock,
                        wall=self.world.wall, holder="test",
                    )
                )

    @property
    def left(self) -> list[Message]:
        """What any real gateway was handed."""
        return [one for channel in self.channels.values() for one in channel.sent]

    def episode(self, area: str) -> Episode:
        """The exercise's episode of this area."""
        with self.world.store.reading() as tx:
            found = tx.latest_episode(area, self.one.id)
        assert found is not None
        return found

    def orders(self, area: str = DISTRICT) -> list[Order]:
        """The exercise's orders of this area."""
        with self.world.store.reading() as tx:
            return tx.orders(self.episode(area).id)

    def open(self, some: Sequence[tuple[str, str]], *, confirm: bool = True) -> None:
        """Addresses opened by one and confirmed by another."""
        made = self.world.store.run(
            lambda tx: exercising.open_addresses(
                tx, self.one.id, some, by=self.world.person("city-duty"), now=self.world.now
            )
        )
        if confirm:
            self.confirm([one.id for one in made])

    def confirm(self, ids: Sequence[UUID], by: str = "city-approver1") -> None:
        """The second person's word."""
        self.world.store.run(
            lambda tx: exercising.confirm_openings(
                tx, self.one.id, ids, by=self.world.person(by), now=self.world.now
            )
        )


def every_message(tx: Tx, held: Held) -> list[Message]:
    """All that the exercise put in the post."""
    return [one.message for one in asking.inbox(tx, held.one.id, limit=10_000)]


def test_two_people_call_an_exercise(world: World) -> None:
    held = Held(world)
    duty, approver, now = world.person("city-duty"), world.person("city-approver1"), world.now

    with pytest.raises(IllegalMove):
        held.run(lambda tx: exercising.begin(tx, held.one.id, by=duty, now=now))
    with pytest.raises(NotAllowed):
        held.run(lambda tx: exercising.confirm(tx, held.one.id, by=duty, now=now))
    with pytest.raises(NotAllowed):
        held.run(lambda tx: exercising.confirm(tx, held.one.id, by=world.person("lj-approver3"), now=now))
    assert held.run(lambda tx: exercising.confirm(tx, held.one.id, by=approver, now=now)).stage is Stage.CONFIRMED
    with pytest.raises(OneAtATime):
        held.run(
            lambda tx: exercising.call(
                tx, area=DISTRICT, name="另一次", drill="", drills=(), by=world.person("lj-duty"), now=now
            )
        )


def test_an_approver_who_called_it_does_not_confirm_it(world: World) -> None:
    approver = world.person("city-approver1")
    one = world.store.run(
        lambda tx: exercising.call(tx, area=CITY, name="演练", drill="", drills=(), by=approver, now=world.now)
    )

    with pytest.raises(OwnCall):
        world.store.run(lambda tx: exercising.confirm(tx, one.id, by=approver, now=world.now))


def test_an_exercise_of_the_whole_city_hands_no_gateway_anything(world: World) -> None:
    held = Held(world).begun().warned()
    for _ in range(12):  # two hours of silence: every step of every ladder is climbed
        world.clock.forward(minutes=10)
        world.wall.forward(minutes=10)
        chasing.escalate_overdue(world.store, world.rules, now=world.now)
        watch.look(world.store, world.rules, now=world.now, wall=world.wall.now())
        world.wall.forward(minutes=1)  # texts that gather what one person is to hear leave a little later
        held.deliver()

    assert held.left == []
    assert len(held.orders(CITY)) > 5
    assert len(held.orders()) > 50
    with world.store.reading() as tx:
        told = every_message(tx, held)
        counts = asking.counts(tx, held.one.id)
    assert len(told) > 150
    assert {one.channel for one in told} == {WALL}
    assert all(one.exercise and one.text.startswith(BANNER) for one in told)
    assert not any(one.text.startswith(BANNER * 2) for one in told)
    assert (counts.went_out, counts.refused, counts.waiting) == (0, 0, 0)
    assert held.wall.kept == counts.walled
    assert "sms" in told[0].because or "voice" in told[0].because


def test_what_lies_at_the_wall_is_no_alarm_of_a_real_desk(world: World) -> None:
    held = Held(world).begun().warned()
    for _ in range(6):  # nobody empties the wall
        world.clock.forward(minutes=10)
        world.wall.forward(minutes=10)
        watch.sweep(world.store, wall=world.wall.now())
        chasing.escalate_overdue(world.store, world.rules, now=world.now)
        watch.alive(world.store, "escalate", wall=world.wall.now())
        watch.look(world.store, world.rules, now=world.now, wall=world.wall.now())
        auditing.audit(world.store, world.rules, now=world.now, wall=world.wall.now())

    with world.store.reading() as tx:
        waiting = [one for one in every_message(tx, held) if one.state is State.READY]
        alarms = {one.name for one in tx.standing_alarms()}
    assert len(waiting) > 50
    assert {"post", "unattended:wall:urgent", "unattended:wall:normal"} & alarms == set()


def test_with_one_address_opened_exactly_its_messages_leave(world: World) -> None:
    held = Held(world).begun()
    with world.store.reading() as tx:
        address, name = exercising.addresses_of(tx, DISTRICT, [RecipientKind.TOWN])[0]
    held.open([(address, name)])

    held.warned()

    assert held.left
    assert {one.to for one in held.left} == {address}
    with world.store.reading() as tx:
        meant = [one.id for one in every_message(tx, held) if one.to == address]
    assert sorted(one.id for one in held.left) == sorted(meant)
    assert all(one.text.startswith(BANNER) for one in held.left)


def test_an_opening_without_its_second_person_opens_nothing(world: World) -> None:
    held = Held(world).begun()
    with world.store.reading() as tx:
        some = exercising.addresses_of(tx, DISTRICT)
    held.open(some, confirm=False)
    with world.store.reading() as tx:
        waiting = [one.id for one in asking.openings(tx, held.one.id)]
    with pytest.raises(NotAllowed):
        held.confirm(waiting, by="city-duty")

    held.warned()

    assert held.left == []


def test_the_second_door_stops_what_the_first_let_through(world: World) -> None:
    held = Held(world).begun()
    with world.store.reading() as tx:
        (address, name), *_ = exercising.addresses_of(tx, DISTRICT, [RecipientKind.TOWN])
    held.open([(address, name)])
    (suggested,) = held.let_in()
    world.decide(suggested)
    entered = held.relay()
    assert entered is not None
    world.decide(entered)
    with world.store.reading() as tx:
        (opening,) = asking.openings(tx, held.one.id)
    # taken back after the message was put to a real channel, before it left
    world.store.run(lambda tx: exercising.shut(tx, opening.id, by=world.person("city-duty"), now=world.now))

    held.deliver()

    assert held.left == []
    with world.store.reading() as tx:
        stopped = [one for one in every_message(tx, held) if one.channel != WALL]
        assert {one.state for one in stopped} == {State.FAILED}
        assert all("does not leave" in one.because for one in stopped)
        assert any(one.name == "exercise-wall:sms" for one in tx.standing_alarms())
        assert asking.counts(tx, held.one.id).refused == len(stopped) > 0


def test_a_message_that_hides_its_exercise_is_stopped_by_its_episode(world: World) -> None:
    held = Held(world).begun().warned()
    with world.store.reading() as tx:
        one = every_message(tx, held)[0]
        hidden = replace(one, exercise=False, channel="sms")
        forged = [hidden, replace(hidden, episode_id=None)]
        loose = replace(one, episode_id=None, order_id=None, decision_id=None, channel="sms")
        assert tx.outbox.shut_out([*forged, loose], channel="sms") == {one.id}
        assert tx.outbox.shut_out([replace(one, episode_id=None, exercise=False)], channel="sms") == {one.id}
        assert tx.outbox.shut_out([one], channel=WALL) == frozenset()


def test_real_and_exercise_run_side_by_side_and_neither_sees_the_other(world: World) -> None:
    held = Held(world).begun().warned()
    with world.store.reading() as tx:
        assert tx.running_episode(CITY) is None
        assert tx.latest_episode(DISTRICT) is None
        assert desk.current_episode(tx, CITY) is None
        assert desk.episodes(tx, CITY, limit=10) == ((), 0)
        assert desk.waiting_decisions(tx, CITY) == ()
        assert desk.tasks(tx, CITY) == ()
        assert desk.post(tx, CITY).states == {}
        assert desk_orders.found(tx, desk_orders.Wanted(area=CITY), limit=10) == ((), 0)
        assert desk_orders.choices(tx, CITY, None) == ((), ())
        assert portal.announced(tx) == ()
        assert portal.figures(tx).orders == {}
        assert record.episodes(tx) == ()
        assert record.reviewable(tx, CITY) == ()
        assert {one.episode.exercise for one in record.reviewable(tx, CITY, exercises=True)} == {held.one.id}
        assert portal.own_orders(tx, held.orders()[0].recipient_id) == ()
        assert not [line for line in desk.journal(tx, area=CITY, limit=500) if line.what.startswith("order.")]

    (real,) = world.forecast(120, 193, 229)  # the air turns bad in earnest while the exercise runs
    signed = world.decide(real)
    held.deliver()

    assert held.left
    assert {one.episode_id for one in held.left} == {signed.episode_id}
    assert not any(one.text.startswith(BANNER) for one in held.left)
    assert signed.notice.number == "柳气预警〔2015〕1号"
    assert held.episode(CITY).number == "演练柳气预警〔2015〕1号"
    assert world.episode(CITY).exercise == ""


def test_the_exercises_air_is_read_by_no_real_rule(world: World) -> None:
    held = Held(world).begun()
    held.let_in()
    world.observe(80, 80)
    with world.store.reading() as tx:
        assert judging.forecast_places(tx) == []
        assert not [line for line in desk.journal(tx, area=CITY) if line.what == "forecast.received"]

    assert world.forecast(90, 90, 90) == []


def test_a_week_is_held_in_an_afternoon_and_ends_with_a_review(world: World) -> None:
    held = Held(world).begun()
    levels = []
    for _ in held.evenings:
        for suggested in held.let_in():
            world.decide(suggested)
            levels.append(suggested.level)
        world.clock.forward(minutes=20)
    with pytest.raises(NoMoreForecasts):
        held.let_in()
    assert levels == [Level.YELLOW, Level.ORANGE, Level.RED, Level.NONE]

    ended = held.run(lambda tx: exercising.end(tx, held.one.id, by=world.person("city-duty"), now=world.now))

    assert ended.stage is Stage.ENDED
    assert held.episode(CITY).phase is Phase.RELEASED
    episode = held.episode(CITY)
    who = world.person
    world.store.run(
        lambda tx: reviews.draft(tx, world.rules, episode.id, by=who("city-duty"), now=world.now, lessons="补联系人")
    )
    world.store.run(lambda tx: reviews.sign(tx, episode.id, by=who("city-reviewer"), now=world.now))
    world.store.run(lambda tx: reviews.countersign(tx, episode.id, by=who("city-approver3"), now=world.now))
    assert held.episode(CITY).phase is Phase.CLOSED


def test_it_does_not_end_over_a_warning_that_holds_and_closes_every_opening_when_it_does(world: World) -> None:
    held = Held(world).begun()
    with world.store.reading() as tx:
        held.open(exercising.addresses_of(tx, DISTRICT, [RecipientKind.TOWN])[:1])
    held.warned()
    sent, duty = len(held.left), world.person("city-duty")
    with pytest.raises(StillInForce):
        held.run(lambda tx: exercising.end(tx, held.one.id, by=duty, now=world.now))
    for area, desk_name in ((DISTRICT, "lj"), (CITY, "city")):
        told = world.store.run(
            lambda tx, area=area, name=desk_name: decisions.propose(  # type: ignore[misc]  # bound at once
                tx, world.rules.in_exercise(held.one.id), area=area, move=Move.WITHDRAW, level=Level.NONE,
                by=world.person(f"{name}-duty"), now=world.now, reason="演练到此为止", override_because="演练结束",
            )
        )
        world.sign(told, by=f"{desk_name}-approver3")

    held.run(lambda tx: exercising.end(tx, held.one.id, by=duty, now=world.now))
    held.deliver()

    assert len(held.left) == sent  # the withdrawal that waited for its real channel was cancelled with the opening
    with pytest.raises(NotRunning):
        held.let_in()


def test_a_phone_link_of_an_exercise_answers_its_order(world: World) -> None:
    held = Held(world).begun().warned()

    done = world.answer(held.orders()[0], Action.ACKNOWLEDGE)

    assert done.first
    assert done.order.status.value == "acknowledged"


def test_no_exercise_takes_a_real_number_whatever_was_typed(world: World) -> None:
    held = Held(world).begun()
    (suggested,) = held.let_in()

    put = world.put_forward(suggested, changes={"number": "柳气预警〔2015〕1号"})

    assert put.notice.number == "演练柳气预警〔2015〕1号"
    assert put.notice.public_text.startswith(BANNER)


def test_a_free_exercise_takes_its_air_from_what_is_typed(world: World) -> None:
    held = Held(world, drill="").begun()

    (suggested,) = world.store.run(
        lambda tx: exercising.let_in_typed(
            tx, world.rules, held.one.id, [160, 230, 240], by=world.person("city-duty"), now=world.now
        )
    )

    assert suggested.level is Level.ORANGE
    assert held.episode(CITY).exercise == held.one.id
    assert held.episode(CITY).label == "演练"


def test_what_drove_a_measured_day_of_the_drill_is_known_in_its_exercise(world: World) -> None:
    held = Held(world, drill="imagined-mixed-spell").begun()
    for _ in held.evenings:
        held.let_in()
        world.clock.forward(minutes=1)
    shift = world.now.astimezone(SHANGHAI).date() - held.evenings[-1].day
    drove = {one.day + shift: one.cause for one in held.evenings[-1].observed}

    with world.store.reading() as tx:
        air = world.rules.in_exercise(held.one.id).air_now(tx, CITY, now=world.now)

    assert air is not None
    said = {one.day: one.cause for one in air.days if one.source is Source.OBSERVED}
    assert set(said.values()) > {Cause.PM2_5}
    assert said == {day: drove[day] for day in said}
