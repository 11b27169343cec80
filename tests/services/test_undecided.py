"""A clock nags while nobody decides: at the plan's interval, climbing past its deadline, never after a decision."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from emergency.domain.episode import Decision, Move, Standing
from emergency.domain.level import Level
from emergency.domain.plan import Plan, Undecided
from emergency.services import decisions, nagging
from emergency.store import record
from tests.world import World

OFFICER, DEPUTY, APPROVERS = "city-duty", "city-approver1", ["city-approver2", "city-approver3"]


@pytest.fixture
def suggested(world: World) -> Decision:
    """The rule suggests orange: 60 minutes to decide, a reminder each half hour, a deputy of rank 1."""
    return world.forecast(193, 229, 271)[0]


def told_after(world: World, minutes: int) -> list[str]:
    """Whom the sweep of so many minutes later reminds; it comes by twice."""
    before = len(nags(world))
    world.clock.forward(minutes=minutes)
    world.wall.forward(minutes=minutes)
    for _ in range(2):
        nagging.lapse_overdue(world.store, world.rules, now=world.now)
    return [login for login, _ in nags(world)[before:]]


def nags(world: World) -> list[tuple[str, str]]:
    """Every reminder of a decision that was put in the post: to whom, and whether it still waits there."""
    logins = {world.person(one).phone: one for one in (OFFICER, DEPUTY, *APPROVERS)}
    with world.store.reading() as tx:
        rows = tx.connection.execute(
            text("""select "to", state from messages where rung like 'nag:%' order by put_at, "to" """)
        )
        return [(logins[row[0]], row[1]) for row in rows]


def nagged(world: World, decision: Decision) -> list[Any]:
    """What the journal says of its reminders."""
    with world.store.reading() as tx:
        return [one.more for one in record.journal(tx, decision.episode_id) if one.what == "decision.nagged"]


def under(world: World, **how: Any) -> Plan:
    """The city's plan with this changed, from now on."""
    plan = replace(world.rules.plan("liuzhou"), **how)
    world.rules = replace(world.rules, plans={**world.rules.plans, "liuzhou": plan})
    return plan


def test_a_suggestion_is_nagged_about_at_the_plans_interval_and_climbs_past_the_deadline(
    world: World, suggested: Decision
) -> None:
    assert told_after(world, 29) == []
    assert told_after(world, 1) == [OFFICER]
    assert told_after(world, 30) == [OFFICER, *APPROVERS], "the deadline"
    assert told_after(world, 30) == [OFFICER, DEPUTY, *APPROVERS]
    assert told_after(world, 30) == [OFFICER, DEPUTY, *APPROVERS], "until somebody decides"

    assert [one["times"] for one in nagged(world, suggested)] == [1, 2, 3, 4]
    assert nagged(world, suggested)[1]["told"] == [*APPROVERS, OFFICER]


def test_a_proposal_is_nagged_about_in_its_own_time(world: World, suggested: Decision) -> None:
    told_after(world, 59)
    world.put_forward(suggested)

    assert told_after(world, 1) == [], "the suggestion's time is over, the proposal has its own"
    assert told_after(world, 29) == APPROVERS
    assert told_after(world, 30) == [DEPUTY, *APPROVERS]


def test_the_reminder_says_what_waits_for_how_long_and_since_when_it_is_late(world: World, suggested: Decision) -> None:
    told_after(world, 30)
    told_after(world, 60)
    world.deliver()

    told = {one.rung: one.text for one in world.phone.to(world.person(OFFICER).phone)}
    assert "第1次催办：规则建议柳州市启动" in told["nag:1"]
    assert "已等待30分钟，尚无人提出" in told["nag:1"]
    assert "第2次催办" in told["nag:2"]
    assert "已等待90分钟" in told["nag:2"]
    assert suggested.standing is Standing.SUGGESTED


@pytest.mark.parametrize("how", ["signed", "returned", "dismissed", "put forward"])
def test_it_stops_at_once_when_somebody_decides(world: World, suggested: Decision, how: str) -> None:
    told_after(world, 30)
    match how:
        case "signed":
            world.sign(world.put_forward(suggested))
        case "returned":
            told = world.put_forward(suggested)
            by = world.person("city-approver3")
            world.store.run(lambda tx: decisions.reject(tx, told.id, by=by, because="再观察", now=world.now))
        case "dismissed":
            world.sign(world.propose(Move.DISMISS, Level.NONE, override_because="沙尘过境"))
        case _:
            world.put_forward(suggested)

    assert nags(world) == [(OFFICER, "cancelled")], "what had not left does not leave"
    again = told_after(world, 30) + told_after(world, 60)
    assert OFFICER not in again
    assert bool(again) is (how == "put forward")


def test_nobody_is_reminded_more_often_in_an_hour_than_the_plan_says(world: World, suggested: Decision) -> None:
    numbers = world.rules.plan("liuzhou").numbers
    under(world, numbers={**numbers, "reminders_per_hour": 1}, undecided=Undecided(20, deputies=True))

    assert [told_after(world, minutes) for minutes in (30, 20)] == [[OFFICER], []]
    assert told_after(world, 10) == APPROVERS, "who had none in this hour"
    assert told_after(world, 20) == [DEPUTY]
    assert told_after(world, 20) == [OFFICER], "an hour after the last there is room again"
    assert [one["full"] for one in nagged(world, suggested)] == [0, 1, 1, 3, 3]


def test_after_a_standstill_there_is_one_reminder_and_not_one_for_each_that_was_missed(
    world: World, suggested: Decision
) -> None:
    assert told_after(world, 300) == [OFFICER, DEPUTY, *APPROVERS]
    assert told_after(world, 29) == []
    assert len(nagged(world, suggested)) == 1


def test_where_the_plan_gives_no_interval_people_are_told_once_at_the_deadline(world: World) -> None:
    under(world, undecided=None)
    world.forecast(193, 229, 271)

    assert [told_after(world, minutes) for minutes in (59, 1, 300)] == [[], [OFFICER, *APPROVERS], []]


def test_the_alarm_stands_from_the_deadline_until_somebody_decides(world: World, suggested: Decision) -> None:
    def stands() -> bool:
        with world.store.reading() as tx:
            return f"undecided:{suggested.id}" in [one.name for one in tx.standing_alarms()]

    told_after(world, 59)
    before = stands()
    told_after(world, 1)
    then = stands()
    world.sign(world.put_forward(suggested))

    assert (before, then, stands()) == (False, True, False)


def test_a_proposal_is_not_dropped_because_somebody_slept_and_lapses_with_its_own_end(
    world: World, suggested: Decision
) -> None:
    end = {"expected_end_at": world.now.replace(day=12), "open_ended": False}
    told = world.put_forward(suggested, changes=end)
    told_after(world, 24 * 60)
    with world.store.reading() as tx:
        assert tx.decision(told.id).standing is Standing.PROPOSED

    told_after(world, 3 * 24 * 60)

    with world.store.reading() as tx:
        assert tx.decision(told.id).standing is Standing.LAPSED
    assert told_after(world, 60) == []


def test_the_plan_of_each_desk_says_how_often_and_on_what_that_rests(world: World) -> None:
    city, district = world.rules.plan("liuzhou"), world.rules.plan("liujiang")

    assert city.undecided is not None
    assert district.undecided is not None
    assert district.undecided.every_minutes <= city.undecided.every_minutes
    assert {"undecided.every_min", "undecided.deputies"} <= set(city.marks)
