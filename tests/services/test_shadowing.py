"""A candidate plan is asked of the same air, written down while it says the same, and moves nothing."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import text

from emergency.domain.episode import Move
from emergency.domain.forecast import Cause
from emergency.domain.level import Level
from emergency.domain.plan import Response, RunsOn
from emergency.services import shadowing
from emergency.store import judging
from emergency.store.judging import Shadow
from tests.world import CITY, PLANS, World

CANDIDATE = "mee-2018"


def ask(world: World, *plan_ids: str) -> int:
    """What the weighing task does after the active plans were asked."""
    return shadowing.shadow_all(world.store, world.rules, {CITY: plan_ids or (CANDIDATE,)}, now=world.now)


def log(world: World) -> list[Shadow]:
    """The log, latest first."""
    with world.store.reading() as tx:
        return judging.shadows(tx, CITY)


def count(world: World, table: str) -> int:
    """How many rows a table has."""
    with world.store.reading() as tx:
        return int(tx.connection.execute(text(f"select count(*) from {table}")).scalar_one())


def facts(world: World) -> list[str]:
    """What the journal says of candidates."""
    with world.store.reading() as tx:
        asked = text("select what from journal where what like 'shadow.%' order by id")
        return list(tx.connection.execute(asked).scalars())


def test_a_hundred_equal_weighings_are_one_line_that_grows(world: World) -> None:
    world.forecast(160, 170, 120)
    began = world.now
    for _minute in range(100):
        ask(world)
        world.clock.forward(minutes=1)

    [line] = log(world)
    assert (line.level, line.active_level, line.differs) == (Level.NONE, Level.YELLOW, True)
    assert line.since == began
    assert (line.seen_at - line.since).total_seconds() == 99 * 60


def test_a_difference_begins_and_ends_in_the_journal(world: World) -> None:
    world.forecast(160, 170, 120)
    ask(world)
    world.clock.forward(hours=1)
    world.forecast(80, 90, 70)
    ask(world)
    ask(world)

    assert [one.differs for one in log(world)] == [False, True]
    assert facts(world) == ["shadow.differs", "shadow.agrees"]


def test_a_candidate_suggests_nothing_and_messages_nobody(world: World) -> None:
    world.forecast(160, 170, 120)
    before = {table: count(world, table) for table in ("decisions", "episodes", "messages", "tasks", "orders")}

    assert ask(world, CANDIDATE, "mep-2017") == 2
    assert {table: count(world, table) for table in before} == before


def test_a_candidate_that_refuses_to_judge_has_no_level_and_its_reason(world: World) -> None:
    hours = replace(PLANS[CANDIDATE], id="by-the-hour", runs_on=RunsOn.ANY_24_HOURS)
    world.rules = replace(world.rules, plans={**PLANS, hours.id: hours})
    world.forecast(160, 170, 120)

    ask(world, hours.id)

    [line] = log(world)
    assert (line.level, line.active_level, line.differs) == (None, Level.YELLOW, True)
    assert line.sentence_zh == "预案按连续24小时计算，只有自然日数据，不能判断"
    assert line.sentence_en


def test_a_candidate_that_fails_disturbs_no_other(world: World) -> None:
    world.forecast(160, 170, 120)

    assert ask(world, "no-such-plan", CANDIDATE) == 1


def test_without_air_there_is_nothing_to_compare(world: World) -> None:
    assert (ask(world), log(world)) == (0, [])


def under_candidate(world: World, **changes: object) -> None:
    """Have a candidate that is the city's own plan with these things changed."""
    ours = world.rules.plan("liuzhou")
    world.rules = replace(world.rules, plans={**world.rules.plans, CANDIDATE: replace(ours, id=CANDIDATE, **changes)})


def test_a_candidate_that_would_hold_what_the_active_plan_lets_go_differs(world: World) -> None:
    rule = world.rules.plan("liuzhou").release_rule
    assert rule is not None
    under_candidate(world, release_rule=replace(rule, not_over=100, hours_over=60, whole_days=3))
    (found,) = world.forecast(160, 170, 140, 130, 130)
    world.decide(found)
    ask(world)
    assert log(world)[0].differs is False
    world.clock.forward(hours=48)
    (let_go,) = world.forecast(140, 130, 130)
    assert let_go.move is Move.RELEASE

    ask(world)

    line = log(world)[0]
    assert (line.level, line.active_level, line.differs) == (line.active_level, line.level, True)
    assert (line.asks, line.active_asks) == ("", "release")
    assert facts(world)[-1] == "shadow.differs"


def test_an_advisory_is_a_move_that_is_compared(world: World) -> None:
    under_candidate(world, causes={**world.rules.plan("liuzhou").causes, Cause.O3: Response.STANDING})
    (found,) = world.forecast(168, 172, 160, causes=(Cause.O3,) * 3)
    assert found.move is Move.ADVISE

    ask(world)

    [line] = log(world)
    assert (line.level, line.active_level, line.active_asks) == (Level.NONE, Level.NONE, "advise")
    assert line.differs is (line.asks != "advise")


def test_every_shipped_plan_says_a_move_or_that_it_cannot_of_a_warning_in_force(world: World) -> None:
    (found,) = world.forecast(160, 170, 120)
    world.decide(found)
    world.clock.forward(hours=30)

    ask(world, *PLANS)

    said = {one.plan_id: one.asks for one in log(world)}
    assert set(said) == set(PLANS)
    assert None not in said.values()
    assert said["bj-2012"] == shadowing.UNKNOWN
