"""Not starting, starting again, and acting while no data come in: by hand, by two people, and seen afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from emergency.domain.episode import Decision, Move, Phase, Standing, Ungrounded
from emergency.domain.level import Level
from emergency.domain.machine import IllegalMove
from emergency.domain.review import spans
from emergency.domain.signing import OwnProposal
from emergency.errors import Refused
from emergency.services import intake, reviews
from emergency.services.drafting import NothingToDismiss
from emergency.services.rules import NoAir
from emergency.store import record
from tests.world import CITY, World

BECAUSE = "沙尘过境，非本地排放"


def weighed(world: World) -> list[Decision]:
    """What the rule suggests of the air as it is known now."""
    return intake.weigh_all(world.store, world.rules, now=world.now)


def dismissal(world: World) -> Decision:
    """The rule suggests yellow, and the duty officer proposes not to start."""
    world.forecast(120, 193, 229)
    return world.propose(Move.DISMISS, Level.NONE, override_because=BECAUSE)


def silence(world: World) -> None:
    """Nothing new about the air for longer than any forecast reaches."""
    world.clock.forward(days=20)


# --- not starting


def test_not_starting_takes_a_reason_and_two_people(world: World) -> None:
    world.forecast(120, 193, 229)
    with pytest.raises(Ungrounded):
        world.propose(Move.DISMISS, Level.NONE, by="city-approver3")
    told = world.propose(Move.DISMISS, Level.NONE, by="city-approver3", override_because=BECAUSE)

    with pytest.raises(OwnProposal):
        world.sign(told, by="city-approver3")
    world.sign(told, by="city-approver1")

    assert told.rule_says is Level.YELLOW
    with world.store.reading() as tx:
        assert tx.episode(told.episode_id).phase is Phase.DISMISSED


def test_not_starting_a_level_is_signed_by_the_rank_of_that_level(world: World) -> None:
    (asked,) = world.forecast(310, 330, 350, 340)
    told = world.propose(Move.DISMISS, Level.NONE, override_because=BECAUSE)

    assert asked.level > Level.YELLOW
    assert told.rank_needed == asked.rank_needed


def test_what_never_was_is_told_to_no_public_and_reported_to_nobody(world: World) -> None:
    told = dismissal(world)
    world.decide(told)
    world.deliver()

    assert told.notice.public_text == ""
    with world.store.reading() as tx:
        kept = record.told(tx, told.episode_id)
    assert "task.opened" not in [one["what"] for one in kept["journal"]]
    assert not [one for one in world.phone.sent if one.order_id]


def test_nothing_is_dismissed_where_nothing_opens(world: World) -> None:
    world.forecast(60, 70, 80)

    with pytest.raises(NothingToDismiss):
        world.propose(Move.DISMISS, Level.NONE, override_because=BECAUSE)


def test_a_running_warning_is_withdrawn_or_released_and_never_dismissed(world: World) -> None:
    world.decide(world.forecast(120, 193, 229)[0])

    with pytest.raises(IllegalMove):
        world.propose(Move.DISMISS, Level.NONE, override_because=BECAUSE)


def test_the_rule_does_not_push_aside_what_people_make_of_the_same_air(world: World) -> None:
    told = dismissal(world)
    world.clock.forward(minutes=1)

    assert weighed(world) == []
    with world.store.reading() as tx:
        assert tx.decision(told.id).standing is Standing.PROPOSED


def test_what_was_dismissed_is_suggested_again_on_a_new_assessment_and_not_on_the_same(world: World) -> None:
    world.decide(dismissal(world))
    world.clock.forward(minutes=1)

    assert weighed(world) == []
    assert world.forecast(120, 193, 229, feed="mild") == [], "another source that says no more"
    (again,) = world.forecast(120, 195, 229)
    assert (again.move, again.level) == (Move.ACTIVATE, Level.YELLOW)


def test_a_dismissal_stands_in_the_record_and_in_the_review_of_what_came_of_it(world: World) -> None:
    told = dismissal(world)
    world.decide(told)
    world.clock.forward(minutes=60)
    world.decide(world.forecast(120, 210, 240)[0])

    with world.store.reading() as tx:
        found = reviews.flags(tx, world.rules, world.episode(CITY).id)
        kept = record.told(tx, told.episode_id)
    assert ("dismissed", str(told.id), BECAUSE) in [(one.mark, one.decision_id, one.because) for one in found]
    assert "below_rule" not in [one.mark for one in found]
    assert "episode.dismiss" in [one["what"] for one in kept["journal"]]


# --- starting again


def released_city(world: World) -> None:
    """The city's warning, lifted by the rule and two people."""
    world.decide(world.forecast(193, 229, 271)[0])
    world.forward(hours=24, step=720)
    world.observe(120)
    world.decide(world.forecast(110, 90, 80)[0])


def reopening(world: World, **how: Any) -> Decision:
    """The duty officer proposes to start the released response again."""
    more: dict[str, Any] = {"override_because": "本地积累快于预报", "open_ended": True, **how}
    return world.propose(Move.REOPEN, Level.YELLOW, **more)


def test_people_reopen_within_the_merge_gap(world: World) -> None:
    released_city(world)
    before = world.episode(CITY)
    world.clock.forward(hours=8)

    world.decide(reopening(world))

    after = world.episode(CITY)
    assert (after.id, after.phase, after.level, after.released_at) == (before.id, Phase.ACTIVE, Level.YELLOW, None)


def test_people_reopen_neither_after_the_merge_gap_nor_after_a_signed_review(world: World) -> None:
    released_city(world)
    world.clock.forward(hours=8)
    episode, duty, reviewer = world.episode(CITY), world.person("city-duty"), world.person("city-reviewer")
    world.store.run(lambda tx: reviews.draft(tx, world.rules, episode.id, by=duty, now=world.now))
    reopening(world)  # a draft is no signature
    world.store.run(lambda tx: reviews.sign(tx, episode.id, by=reviewer, now=world.now))

    with pytest.raises(IllegalMove):
        reopening(world)


def test_people_do_not_reopen_after_the_merge_gap(world: World) -> None:
    released_city(world)
    world.clock.forward(days=6)
    world.forecast(90, 90, 90)

    with pytest.raises(IllegalMove):
        reopening(world)


def test_hours_between_a_lifting_and_a_reopening_are_of_no_level(world: World) -> None:
    released_city(world)
    lifted = world.episode(CITY).released_at
    world.clock.forward(hours=30)
    world.forecast(90, 90, 90)
    world.sign(reopening(world))

    with world.store.reading() as tx:
        some = tx.decisions(world.episode(CITY).id)
    first, again = spans(some)
    assert first.until == lifted
    assert lifted is not None
    assert again.since > lifted


# --- while no data come in

def orange(world: World) -> None:
    """Orange in force in the city."""
    world.decide(world.forecast(210, 220, 230, 240)[0])
    assert world.episode(CITY).level is Level.ORANGE


@pytest.mark.parametrize("move", [Move.WITHDRAW, Move.RELEASE])
def test_a_warning_is_let_go_without_data_for_a_reason_that_two_people_give(world: World, move: Move) -> None:
    orange(world)
    silence(world)
    with pytest.raises(Ungrounded):
        world.propose(move, Level.NONE)

    told = world.propose(move, Level.NONE, reason="站点人工核实已转好")
    world.sign(told)

    assert told.assessment["days"] == []
    assert told.assessment["sentence_zh"] == "无可用数据：站点人工核实已转好"
    assert world.episode(CITY).level is Level.NONE
    with world.store.reading() as tx:
        found = [one for one in reviews.flags(tx, world.rules, told.episode_id) if one.decision_id == str(told.id)]
    assert [(one.mark, one.because) for one in found] == [("no_data", "站点人工核实已转好")]


@pytest.mark.parametrize("move", [Move.EXTEND, Move.AMEND])
def test_a_warning_goes_on_without_data_and_keeps_its_level(world: World, move: Move) -> None:
    orange(world)
    silence(world)

    world.sign(world.propose(move, Level.ORANGE, reason="预报中断，从严", open_ended=True))

    assert world.episode(CITY).level is Level.ORANGE


def test_a_suggestion_is_dismissed_without_data(world: World) -> None:
    (suggested,) = world.forecast(120, 193, 229)
    silence(world)

    world.decide(world.propose(Move.DISMISS, Level.NONE, reason="预报已过期"))

    with world.store.reading() as tx:
        assert tx.episode(suggested.episode_id).phase is Phase.DISMISSED


@pytest.mark.parametrize("move", [Move.ACTIVATE, Move.APPEAL])
def test_nothing_begins_without_data(world: World, move: Move) -> None:
    with pytest.raises(NoAir):
        world.propose(move, Level.YELLOW, reason="凭经验", override_because="凭经验", open_ended=True)


@pytest.mark.parametrize("move", [Move.UPGRADE, Move.DOWNGRADE])
def test_no_level_changes_without_data(world: World, move: Move) -> None:
    world.decide(world.forecast(193, 229, 271)[0])
    silence(world)

    with pytest.raises(Refused):
        world.propose(move, Level.RED, reason="凭经验", override_because="凭经验", open_ended=True)


def test_a_rule_that_cannot_judge_is_never_said_to_agree(world: World) -> None:
    orange(world)
    silence(world)
    told = world.propose(Move.RELEASE, Level.NONE, reason="站点人工核实已转好")
    world.deliver()

    assert told.without_air
    assert record.decision_said(told)["rule_says"] is None
    asked = [one.text for one in world.phone.sent if one.decision_id == told.id and not one.order_id]
    assert asked
    assert all("规则结论无可用数据" in one for one in asked)
