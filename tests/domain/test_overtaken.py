"""A rule that has moved on under a proposal: which way, and what its signer has to say."""

from __future__ import annotations

import pytest

from emergency.domain.episode import Decision, Move
from emergency.domain.level import Level
from emergency.domain.overtaken import Anyway, How, RuleMovedOn, overtaken, signed
from emergency.domain.signing import NotEntitled
from tests.builders import a_suggestion, an_approver, an_id

NONE, YELLOW, ORANGE, RED = Level.NONE, Level.YELLOW, Level.ORANGE, Level.RED
APPROVER = an_approver()


def found(decision: Decision, says_now: Level) -> How | None:
    """Which way the rule has moved, if it has."""
    one = overtaken(decision, says_now=says_now, assessment={"level": says_now.word})
    return one and one.how


@pytest.mark.parametrize(
    ("move", "level", "said", "says_now", "how"),
    [
        (Move.ACTIVATE, YELLOW, YELLOW, NONE, How.FALLEN),
        (Move.ACTIVATE, YELLOW, YELLOW, YELLOW, None),
        (Move.ACTIVATE, YELLOW, YELLOW, RED, How.RISEN),
        (Move.ACTIVATE, ORANGE, YELLOW, YELLOW, None),  # people went above the rule, and gave their reason
        (Move.ACTIVATE, ORANGE, YELLOW, ORANGE, None),
        (Move.ACTIVATE, ORANGE, YELLOW, NONE, How.FALLEN),
        (Move.ACTIVATE, YELLOW, ORANGE, ORANGE, None),  # people went below it
        (Move.ACTIVATE, YELLOW, ORANGE, RED, How.RISEN),
        (Move.ACTIVATE, YELLOW, NONE, NONE, None),
        (Move.RELEASE, NONE, NONE, ORANGE, How.RISEN),  # the calm is over: it asks that the level stays
        (Move.RELEASE, NONE, ORANGE, ORANGE, None),
        (Move.DISMISS, NONE, YELLOW, RED, How.RISEN),
        (Move.DISMISS, NONE, YELLOW, NONE, None),
        (Move.EXTEND, ORANGE, ORANGE, NONE, How.FALLEN),
        (Move.AMEND, ORANGE, ORANGE, NONE, None),
        (Move.APPEAL, NONE, NONE, RED, None),
        (Move.ADVISE, NONE, NONE, RED, None),
    ],
)
def test_the_rule_overtakes_what_it_has_moved_away_from(
    move: Move, level: Level, said: Level, says_now: Level, how: How | None
) -> None:
    assert found(a_suggestion(move=move, level=level, rule_says=said), says_now) is how


def test_the_notice_of_the_level_above_is_overtaken_by_no_air() -> None:
    assert found(a_suggestion(bulletin_id=an_id("bulletin")), NONE) is None


@pytest.mark.parametrize(
    "anyway",
    [Anyway(), Anyway("fallen:none"), Anyway("fallen:none", "  "), Anyway("", "会商"), Anyway("risen:red", "会商")],
)
def test_what_the_rule_says_now_is_read_and_answered_or_nothing_is_signed(anyway: Anyway) -> None:
    moved = overtaken(a_suggestion(), says_now=NONE, assessment={})

    with pytest.raises(RuleMovedOn):
        signed(a_suggestion(), moved, anyway, by=APPROVER, rank_now=1)


def test_the_signers_reason_and_the_later_assessment_are_kept() -> None:
    moved = overtaken(a_suggestion(), says_now=NONE, assessment={"days": [1]})

    kept = signed(a_suggestion(), moved, Anyway("fallen:none", " 会商 "), by=APPROVER, rank_now=1)

    assert kept.against == {"how": "fallen", "level": "none", "because": "会商", "assessment": {"days": [1]}}
    assert signed(a_suggestion(), None, Anyway(), by=APPROVER, rank_now=1).against == {}


def test_not_to_start_what_the_rule_now_asks_for_takes_the_rank_of_that_level() -> None:
    told = a_suggestion(move=Move.DISMISS, level=NONE, rule_says=YELLOW)
    moved, anyway = overtaken(told, says_now=RED, assessment={}), Anyway("risen:red", "会商")

    with pytest.raises(NotEntitled):
        signed(told, moved, anyway, by=an_approver(rank=2), rank_now=3)
    assert signed(told, moved, anyway, by=an_approver(rank=3), rank_now=3).against["how"] == "risen"
