"""Two people for each decision, enough rank, no blanks, nothing signed unseen."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from emergency.domain import episode as episodes
from emergency.domain import moving, signing
from emergency.domain.episode import Move, Phase, Standing, Ungrounded
from emergency.domain.level import Level
from emergency.domain.machine import IllegalMove
from emergency.domain.moving import next_move
from emergency.domain.people import NotAllowed, Role
from emergency.domain.signing import BlankNotice, NotEntitled, OwnProposal, StaleContent
from tests.builders import CITY, NOW, a_notice, a_person, a_proposal, a_suggestion, an_approver, an_episode


def test_a_proposal_is_signed_by_another_person_of_enough_rank() -> None:
    signed = signing.approve(a_proposal(), by=an_approver(), now=NOW, content=a_proposal().content_sha)

    assert signed.standing is Standing.APPROVED
    assert signed.decided_by != signed.proposed_by
    assert signed.notice.issued_at == NOW


def test_nobody_signs_their_own_proposal() -> None:
    both = an_approver("both")
    proposal = a_proposal(both)

    with pytest.raises(OwnProposal):
        signing.approve(proposal, by=both, now=NOW, content=proposal.content_sha)
    with pytest.raises(OwnProposal):
        signing.reject(proposal, by=both, now=NOW, because="no")


def test_a_level_needs_its_rank() -> None:
    proposal = a_proposal(rank_needed=3)

    with pytest.raises(NotEntitled):
        signing.approve(proposal, by=an_approver(rank=2), now=NOW, content=proposal.content_sha)


def test_a_duty_officer_decides_nothing_and_a_neighbour_decides_nothing_here() -> None:
    proposal = a_proposal()

    with pytest.raises(NotAllowed):
        signing.approve(proposal, by=a_person("other"), now=NOW, content=proposal.content_sha)
    with pytest.raises(NotAllowed):
        signing.approve(proposal, by=an_approver(area="450200.450205"), now=NOW, content=proposal.content_sha)
    with pytest.raises(NotAllowed):
        signing.put_forward(a_suggestion(area=CITY), by=a_person(), now=NOW)


@pytest.mark.parametrize("field", ["number", "issuer", "legal_basis", "area", "reason", "contact"])
def test_a_blank_field_blocks_the_signature_and_is_named(field: str) -> None:
    proposal = a_proposal(notice=a_notice(**{field: "  "}))

    with pytest.raises(BlankNotice, match=field):
        signing.approve(proposal, by=an_approver(), now=NOW, content=proposal.content_sha)


def test_an_end_is_either_a_time_or_said_to_be_open() -> None:
    assert a_notice(open_ended=False).blanks() == ("expected_end_at",)
    assert a_notice(open_ended=False, expected_end_at=NOW + timedelta(days=2)).blanks() == ()
    assert a_notice(level=Level.NONE).blanks() == ("level",)
    assert a_notice(level=Level.NONE).blanks(releasing=True) == ()


def test_what_was_read_is_what_is_signed() -> None:
    proposal = a_proposal()
    altered = replace(proposal, notice=replace(proposal.notice, reason="something else"))

    with pytest.raises(StaleContent):
        signing.approve(proposal, by=an_approver(), now=NOW, content="0" * 64)
    with pytest.raises(StaleContent):
        signing.approve(altered, by=an_approver(), now=NOW, content=altered.content_sha)


def test_a_level_other_than_the_rules_needs_a_reason() -> None:
    with pytest.raises(Ungrounded):
        signing.put_forward(a_suggestion(level=Level.ORANGE), by=a_person(), now=NOW)

    kept = signing.put_forward(a_suggestion(level=Level.ORANGE, override_because="会商一致"), by=a_person(), now=NOW)

    assert kept.standing is Standing.PROPOSED


def test_nothing_without_grounds_is_suggested_or_put_forward() -> None:
    with pytest.raises(Ungrounded):
        signing.put_forward(a_suggestion(assessment={}), by=a_person(), now=NOW)
    with pytest.raises(Ungrounded):
        signing.suggested(a_suggestion(assessment={}))


def test_a_suggestion_cannot_be_signed_before_a_person_puts_it_forward() -> None:
    suggestion = signing.suggested(a_suggestion())

    with pytest.raises(IllegalMove):
        signing.approve(suggestion, by=an_approver(), now=NOW, content=suggestion.content_sha)


def test_a_second_approval_finds_nothing_waiting() -> None:
    signed = signing.approve(a_proposal(), by=an_approver(), now=NOW, content=a_proposal().content_sha)

    with pytest.raises(IllegalMove):
        signing.approve(signed, by=an_approver("second"), now=NOW, content=signed.content_sha)


def test_a_late_signature_does_not_take_effect_before_it_is_given() -> None:
    proposal = a_proposal(notice=a_notice(effective_at=NOW))
    late = NOW + timedelta(hours=3)

    assert (
        signing.approve(proposal, by=an_approver(), now=late, content=proposal.content_sha).notice.effective_at == late
    )


def test_a_rejection_needs_its_reason() -> None:
    with pytest.raises(episodes.Refused):
        signing.reject(a_proposal(), by=an_approver(), now=NOW, because=" ")
    assert signing.reject(a_proposal(), by=an_approver(), now=NOW, because="再会商").standing is Standing.REJECTED


def test_an_admin_neither_proposes_nor_decides() -> None:
    with pytest.raises(NotAllowed):
        a_proposal(a_person("root", role=Role.ADMIN))


def test_carrying_out_follows_the_table() -> None:
    signed = signing.approve(a_proposal(), by=an_approver(), now=NOW, content=a_proposal().content_sha)
    active = moving.carry_out(an_episode(), signed, now=NOW)

    assert (active.phase, active.level, active.number) == (Phase.ACTIVE, Level.YELLOW, signed.notice.number)
    with pytest.raises(IllegalMove):
        moving.carry_out(an_episode(phase=Phase.CLOSED), signed, now=NOW)


@pytest.mark.parametrize(
    ("phase", "held", "says", "calm", "move"),
    [
        (None, Level.NONE, Level.NONE, True, None),
        (None, Level.NONE, Level.YELLOW, False, Move.ACTIVATE),
        (Phase.OPENING, Level.NONE, Level.ORANGE, False, Move.ACTIVATE),
        (Phase.ACTIVE, Level.YELLOW, Level.ORANGE, False, Move.UPGRADE),
        (Phase.ACTIVE, Level.ORANGE, Level.YELLOW, False, None),  # a lower figure alone lowers nothing
        (Phase.ACTIVE, Level.ORANGE, Level.NONE, False, None),
        (Phase.ACTIVE, Level.ORANGE, Level.NONE, True, Move.RELEASE),
        (Phase.RELEASED, Level.NONE, Level.YELLOW, False, None),
        (Phase.CLOSED, Level.NONE, Level.RED, False, None),
    ],
)
def test_what_the_rule_asks_for_next(
    phase: Phase | None, held: Level, says: Level, calm: bool, move: Move | None
) -> None:
    episode = None if phase is None else an_episode(phase=phase, level=held)

    assert next_move(episode, says, calm=calm) is move


def test_a_spell_that_outlasts_the_announced_end_asks_for_an_extension() -> None:
    episode = an_episode(phase=Phase.ACTIVE, level=Level.ORANGE, expected_end_at=NOW)

    assert next_move(episode, Level.ORANGE, calm=False, spell_until=NOW + timedelta(days=1)) is Move.EXTEND
    assert next_move(episode, Level.ORANGE, calm=False, spell_until=NOW) is None
