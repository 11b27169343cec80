"""An opening in which nobody is asked anything any more is over, and takes no later spell for its own."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emergency.domain.episode import NO_REOPENING, Decision, Episode, Move, Phase, Standing
from emergency.domain.level import Level
from emergency.services import decisions, intake, nagging, reviews
from emergency.services.drafting import TooLateToReopen
from emergency.store import record, relaying
from tests.world import CITY, DISTRICT, World


def of(world: World, decision: Decision) -> Episode:
    """The decision's episode as it stands."""
    with world.store.reading() as tx:
        return tx.episode(decision.episode_id)


def now_of(world: World, decision: Decision) -> Decision:
    with world.store.reading() as tx:
        return tx.decision(decision.id)


def rejected(world: World, decision: Decision) -> None:
    by = world.person("city-approver3" if decision.area == CITY else "lj-approver3")
    world.store.run(lambda tx: decisions.reject(tx, decision.id, by=by, because="再等一轮预报", now=world.now))


def weighed(world: World) -> list[Decision]:
    """The next minute's weighing."""
    world.clock.forward(minutes=1)
    return intake.weigh_all(world.store, world.rules, now=world.now)


def facts(world: World, decision: Decision) -> list[str]:
    with world.store.reading() as tx:
        return [one.what for one in record.journal(tx, decision.episode_id)]


def test_with_the_proposal_nobody_decided_its_opening_ends_and_the_next_spell_is_its_own(world: World) -> None:
    (found,) = world.forecast(120, 193, 229)
    end = {"expected_end_at": world.now + timedelta(days=3), "open_ended": False}
    world.put_forward(found, changes=end)
    world.clock.forward(days=4)

    nagging.lapse_overdue(world.store, world.rules, now=world.now)

    assert now_of(world, found).standing is Standing.LAPSED
    assert of(world, found).phase is Phase.DISMISSED
    assert "episode.came_to_nothing" in facts(world, found)
    (again,) = world.forecast(120, 193, 229)
    assert again.episode_id != found.episode_id


def test_what_was_turned_down_is_asked_again_while_the_air_asks_and_ends_with_the_air(world: World) -> None:
    (found,) = world.forecast(120, 193, 229)
    rejected(world, world.put_forward(found))
    (again,) = weighed(world)
    assert again.episode_id == found.episode_id
    rejected(world, world.put_forward(again))

    assert world.forecast(80, 90, 70) == []

    assert of(world, found).phase is Phase.DISMISSED


def test_an_opening_that_holds_the_citys_notice_stays_until_the_city_ends_it(world: World) -> None:
    notice = world.bulletin(Level.ORANGE)
    assert notice is not None
    rejected(world, notice)
    world.forecast(60, 70, 80)
    weighed(world)
    assert of(world, notice).phase is Phase.OPENING

    world.clock.forward(minutes=10)
    world.bulletin(Level.NONE, action="withdraw", effective_at=world.now)

    assert of(world, notice).phase is Phase.DISMISSED


def test_an_opening_that_an_appeal_holds_or_that_is_talked_over_stays(world: World) -> None:
    world.forecast(60, 70, 80)
    appeal = world.propose(Move.APPEAL, Level.NONE, override_because="先行倡议")
    world.decide(appeal)
    weighed(world)
    assert of(world, appeal).phase is Phase.OPENING

    notice = world.bulletin(Level.ORANGE)
    assert notice is not None
    world.consult("lj-approver3", about=notice)
    world.clock.forward(minutes=10)
    world.bulletin(Level.NONE, action="withdraw", effective_at=world.now)
    assert now_of(world, notice).notice_replaced
    assert of(world, notice).phase is Phase.OPENING, "until the consultation is concluded"


# --- a reopening that waited too long


def released(world: World) -> None:
    """The district's response, released on the city's notice."""
    world.forecast(90, 90, 90)
    world.activated(Level.YELLOW, deliver=False)
    world.clock.forward(hours=2)
    ends = world.bulletin(Level.NONE, action="release", effective_at=world.now)
    assert ends is not None
    world.sign(ends, by="lj-approver3")
    world.clock.forward(hours=2)


def reopening(world: World) -> Decision:
    """The city's new notice within the merge gap, entered."""
    found = world.bulletin(Level.YELLOW, effective_at=world.now + timedelta(hours=1))
    assert found is not None
    assert found.move is Move.REOPEN
    return found


def sign(world: World, decision: Decision) -> Decision:
    return world.sign(decision, by="lj-approver3")


@pytest.mark.parametrize(("hours", "may"), [(33, True), (34, False), (80, False)])
def test_the_merge_gap_is_asked_again_at_the_signature(world: World, hours: int, may: bool) -> None:
    """The gap of the plan is 36 hours; two have passed since the release when it is proposed."""
    released(world)
    found = reopening(world)
    world.clock.forward(hours=hours)

    if may:
        assert sign(world, found).standing is Standing.APPROVED
        return
    with pytest.raises(TooLateToReopen):
        sign(world, found)
    assert of(world, found).phase is Phase.RELEASED


def test_a_review_signed_meanwhile_lets_no_reopening_be_signed(world: World) -> None:
    released(world)
    found = reopening(world)
    duty, reviewer = world.person("lj-duty"), world.person("lj-reviewer")
    world.store.run(lambda tx: reviews.draft(tx, world.rules, found.episode_id, by=duty, now=world.now))
    world.store.run(lambda tx: reviews.sign(tx, found.episode_id, by=reviewer, now=world.now))

    with pytest.raises(TooLateToReopen):
        sign(world, found)


def test_what_came_too_late_to_reopen_lapses_and_its_notice_is_listed_and_begins_a_new_episode(world: World) -> None:
    released(world)
    found = reopening(world)
    world.clock.forward(hours=40)

    nagging.lapse_overdue(world.store, world.rules, now=world.now)

    lapsed = now_of(world, found)
    assert (lapsed.standing, lapsed.decided_because, lapsed.notice_replaced) == (Standing.LAPSED, NO_REOPENING, False)
    with world.store.reading() as tx:
        (left,) = relaying.left(tx, [DISTRICT])
    again = world.bulletin(Level.YELLOW, number=left.bulletin.number)
    assert again is not None
    assert (again.move, of(world, again).follows) == (Move.ACTIVATE, found.episode_id)


# --- what a district takes back


def test_a_district_that_takes_back_on_no_notice_stands_against_the_level_the_city_announced(world: World) -> None:
    world.forecast(60, 70, 80)
    world.activated(Level.YELLOW, deliver=False)
    world.clock.forward(minutes=10)
    raised = world.bulletin(Level.ORANGE, action="upgrade")
    assert raised is not None
    rejected(world, raised)

    found = world.propose(Move.WITHDRAW, Level.NONE, area=DISTRICT, by="lj-duty", override_because="误启动")

    assert found.rule_says is Level.ORANGE, "the city's later notice stands, though nobody here has signed it"


def test_once_the_city_has_ended_its_notice_nothing_stands_against_taking_it_back(world: World) -> None:
    world.forecast(60, 70, 80)
    world.activated(Level.YELLOW, deliver=False)
    world.clock.forward(minutes=10)
    ends = world.bulletin(Level.NONE, action="release", effective_at=world.now)
    assert ends is not None
    rejected(world, ends)

    found = world.propose(Move.WITHDRAW, Level.NONE, area=DISTRICT, by="lj-duty", override_because="误启动")

    assert found.rule_says is Level.NONE
