"""A deputy of the plan signs when the proposal has waited the plan's minutes, and not a moment before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from emergency.domain import signing
from emergency.domain.deputising import first_for, next_at, turns
from emergency.domain.episode import Decision, Standing
from emergency.domain.plan import Approval, Deputy
from emergency.domain.signing import NotEntitled, OwnProposal
from tests.builders import NOW, a_proposal, an_approver

RED = Approval(3, "区指挥长", 60, (Deputy("区副指挥长", 2, 20), Deputy("办公室主任", 1, 40)))


def waiting(approval: Approval = RED) -> Decision:
    """A proposal that has waited since NOW for somebody of rank 3."""
    found = turns(approval, clause="approval.red", waits_since=NOW)
    return replace(a_proposal(rank_needed=approval.rank), deputies=found)


def after(minutes: float, *, rank: int, decision: Decision | None = None) -> Decision:
    """The signature of somebody of that rank after the proposal has waited so long."""
    decision = decision or waiting()
    by = an_approver(f"rank{rank}", rank=rank)
    return signing.approve(decision, by=by, now=NOW + timedelta(minutes=minutes), content=decision.content_sha)


@pytest.mark.parametrize(("rank", "minutes"), [(2, 19.99), (1, 20), (1, 39.99)])
def test_before_its_turn_no_deputy_signs_and_is_told_how_long_to_wait(rank: int, minutes: float) -> None:
    with pytest.raises(NotEntitled, match="has waited") as refused:
        after(minutes, rank=rank)

    assert "才可以代签" in refused.value.zh


@pytest.mark.parametrize(
    ("rank", "minutes", "clause"), [(2, 20, "approval.red.deputies.0"), (1, 40, "approval.red.deputies.1")]
)
def test_from_its_turn_on_a_deputy_signs_and_the_clause_is_kept(rank: int, minutes: float, clause: str) -> None:
    signed = after(minutes, rank=rank)

    assert signed.standing is Standing.APPROVED
    assert signed.deputised == clause
    assert signed.by_turn is not None
    assert signed.by_turn.instead_of == "区指挥长"


def test_a_deputy_of_higher_rank_signs_by_his_own_clause_when_two_have_begun() -> None:
    assert after(50, rank=2).deputised == "approval.red.deputies.0"


def test_the_approver_signs_in_his_own_name_however_late() -> None:
    signed = after(300, rank=3)

    assert (signed.deputised, signed.by_turn) == ("", None)


def test_a_plan_without_deputies_lets_nobody_else_sign_however_long_it_waits() -> None:
    with pytest.raises(NotEntitled):
        after(6000, rank=2, decision=waiting(Approval(3, "区指挥长", 60)))


def test_a_deputy_gives_back_by_the_same_clause_and_never_what_he_proposed() -> None:
    late, deputy = NOW + timedelta(minutes=25), an_approver("deputy", rank=2)
    with pytest.raises(NotEntitled):
        signing.reject(waiting(), by=deputy, now=NOW, because="依据不足")

    assert signing.reject(waiting(), by=deputy, now=late, because="依据不足").deputised == "approval.red.deputies.0"
    own = replace(waiting(), proposed_by=deputy.id)
    with pytest.raises(OwnProposal):
        signing.approve(own, by=deputy, now=late, content=own.content_sha)


def test_a_deputy_who_could_sign_all_along_is_no_deputy() -> None:
    assert turns(Approval(1, "主任", 60, (Deputy("副主任", 1, 10),)), clause="approval.yellow", waits_since=NOW) == ()


def test_whose_turn_is_when() -> None:
    found = waiting().deputies

    assert [one.since - NOW for one in found] == [timedelta(minutes=20), timedelta(minutes=40)]
    assert first_for(found, rank=1) == found[1]
    assert first_for(found, rank=2) == found[0]
    assert next_at(found, now=found[0].since) == found[1].since
    assert next_at(found, now=found[1].since) is None
    assert [signing.rank_now(waiting(), now=NOW + timedelta(minutes=n)) for n in (19, 20, 40)] == [3, 2, 1]
