"""After the end an evaluation is due in working days: reminded of, an alarm when late, ended by its review."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

from emergency.clock import SHANGHAI
from emergency.domain.episode import Move, Task
from emergency.domain.level import Level
from emergency.domain.workdays import Calendar
from emergency.services import rounds
from tests.world import DISTRICT, World

DUE = date(2015, 2, 26)  # ten working days after 8 February: the 15th is one, the 18th to the 24th are a holiday
REMINDED = date(2015, 2, 17)  # two working days before


def evaluations(world: World) -> list[Task]:
    """What the desk still owes."""
    with world.store.reading() as tx:
        return [one for one in tx.open_tasks([DISTRICT]) if one.kind == "evaluation"]


def at(world: World, day: date, hour: int) -> int:
    """Everything beat does at this hour; how many texts came of it."""
    there = datetime.combine(day, time(hour, 1), SHANGHAI)
    before = len(world.phone.sent)
    world.forward(minutes=(there - world.now).total_seconds() / 60, step=1e6)
    return len([one for one in world.phone.sent[before:] if "总结评估" in one.text])


def over(world: World) -> None:
    """A response that began and ended on the 8th; nothing of it is on the phones."""
    world.activated(deliver=False)
    ending = world.bulletin(Level.NONE, action="release", effective_at=world.now)
    assert ending is not None
    world.sign(ending, by="lj-approver3")


def test_it_is_due_in_working_days_that_know_the_holidays(world: World) -> None:
    over(world)

    (task,) = evaluations(world)
    assert task.due_at == datetime.combine(DUE + timedelta(days=1), time(), SHANGHAI), "by the end of the day"
    assert world.episode().number[:6] in task.words


def test_a_due_day_counted_through_a_year_nobody_announced_says_so_until_it_is_entered(world: World) -> None:
    known = world.rules.calendar
    world.rules = replace(world.rules, calendar=Calendar())
    over(world)
    world.sweep()

    (task,) = evaluations(world)
    assert task.words.endswith("（2015年节假日安排未录入，期限只按周末推算）")
    with world.store.reading() as tx:
        (alarm,) = [one for one in tx.standing_alarms() if one.name == "workdays:2015"]
    assert "可能不准" in alarm.detail
    assert [one for one in world.phone.to(world.person("lj-duty").phone) if "2015年节假日安排未录入" in one.text]

    world.rules = replace(world.rules, calendar=known)
    world.sweep()

    with world.store.reading() as tx:
        assert [one for one in tx.standing_alarms() if one.name.startswith("workdays")] == []


def test_the_desk_and_its_reviewers_are_reminded_once_before(world: World) -> None:
    over(world)

    assert at(world, REMINDED, 8) == 0
    assert at(world, REMINDED, 9) == 2
    for login in ("lj-duty", "lj-reviewer"):
        assert "总结评估" in world.phone.to(world.person(login).phone)[-1].text, login
    assert at(world, REMINDED, 10) == 0


def test_late_it_is_an_alarm_that_ends_with_the_second_signature(world: World) -> None:
    over(world)
    at(world, DUE + timedelta(days=1), 1)
    with world.store.reading() as tx:
        (alarm,) = [one for one in tx.standing_alarms() if one.detail.startswith("evaluation")]
    assert alarm.area == DISTRICT

    world.review()

    assert evaluations(world) == []
    with world.store.reading() as tx:
        assert [one for one in tx.standing_alarms() if one.detail.startswith("evaluation")] == []


def test_a_reminder_that_was_missed_until_it_is_late_is_left_to_the_alarm(world: World) -> None:
    over(world)
    world.clock.forward(days=40)

    rounds.go(world.store, world.rules, now=world.now)
    before = len(world.phone.sent)
    world.deliver()
    assert [one for one in world.phone.sent[before:] if "提醒" in one.text and "总结评估" in one.text] == []


def test_a_response_that_begins_again_owes_no_evaluation_until_it_ends_again(world: World) -> None:
    over(world)
    world.clock.forward(minutes=5)
    again = world.bulletin(Level.YELLOW, number="柳气预警〔2015〕再启", effective_at=world.now + timedelta(hours=1))
    assert again is not None
    assert again.move is Move.REOPEN
    world.sign(again, by="lj-approver3")
    assert evaluations(world) == []

    world.clock.forward(days=2)
    world.released()
    (task,) = evaluations(world)
    assert task.due_at > datetime.combine(DUE, time(), SHANGHAI)
