"""When people are told again of what they have not decided, and who is told besides once the time is over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emergency.domain.deputising import Turn
from emergency.domain.plan import Undecided
from emergency.domain.undecided import next_at, whom
from tests.builders import NOW, a_person, a_proposal, a_suggestion, an_approver

EVERY_HALF_HOUR = Undecided(every_minutes=30, deputies=True)
PEOPLE = (a_person("duty"), *(an_approver(f"rank{n}", rank=n) for n in (1, 2, 3)), an_approver("away", active=False))


def at(minutes: int) -> timedelta:
    return timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("after", "told_at"), [(0, 30), (30, 60), (60, 80), (80, 110), (95, 125), (500, 530)]
)  # a deadline of 80 minutes
def test_people_are_told_at_each_interval_and_at_the_deadline(after: int, told_at: int) -> None:
    assert next_at(EVERY_HALF_HOUR, after=NOW + at(after), decide_by=NOW + at(80)) == NOW + at(told_at)


def test_where_the_plan_gives_no_interval_they_are_told_at_the_deadline_alone() -> None:
    assert next_at(None, after=NOW, decide_by=NOW + at(80)) == NOW + at(80)
    assert next_at(None, after=NOW + at(80), decide_by=NOW + at(80)) is None


@pytest.mark.parametrize(
    ("minutes", "told"),
    [
        (119, ["duty"]),
        (120, ["duty", "rank2", "rank3"]),  # the deadline: those who will have to sign it
        (150, ["duty", "rank1", "rank2", "rank3"]),  # an interval later their deputies
    ],
)
def test_a_suggestion_climbs_from_the_duty_officers_to_approvers_and_deputies(minutes: int, told: list[str]) -> None:
    found = whom(a_suggestion(rank_needed=2), PEOPLE, rule=EVERY_HALF_HOUR, deputies={1}, now=NOW + at(minutes))

    assert [one.login for one in found] == told


@pytest.mark.parametrize(
    ("minutes", "rule", "told"),
    [
        (119, EVERY_HALF_HOUR, ["rank3"]),
        (120, EVERY_HALF_HOUR, ["rank2", "rank3"]),  # whose turn has come
        (120, Undecided(30, deputies=False), ["rank3"]),
        (120, None, ["rank3"]),
    ],
)
def test_a_proposal_goes_to_its_approvers_and_past_the_deadline_to_deputies_where_the_plan_says_so(
    minutes: int, rule: Undecided | None, told: list[str]
) -> None:
    turns = (
        Turn("", 2, NOW + at(60), 60, "", "approval.red.deputies.0"),
        Turn("", 1, NOW + at(180), 180, "", "approval.red.deputies.1"),
    )
    waits = a_proposal(rank_needed=3, deputies=turns)

    assert [one.login for one in whom(waits, PEOPLE, rule=rule, deputies={1, 2}, now=NOW + at(minutes))] == told


def test_whoever_proposed_it_is_not_asked_to_sign_it() -> None:
    waits = a_proposal(PEOPLE[3])

    assert "rank3" not in [one.login for one in whom(waits, PEOPLE, rule=None, deputies=(), now=NOW)]
