"""Deputies of the plan: told once when their turn begins, and written down as deputies when they sign."""

from __future__ import annotations

import pytest

from emergency.domain.episode import Decision, Move, Standing
from emergency.domain.level import Level
from emergency.domain.signing import NotEntitled
from emergency.services import nagging
from emergency.store import record
from tests.world import DISTRICT, World

DEPUTY, APPROVER, OFFICE = "lj-approver2", "lj-approver3", "lj-approver1"


@pytest.fixture
def waiting(world: World) -> Decision:
    """The district's red response on the city's notice, waiting for the commander; deputies may sign after 20 min."""
    found = world.bulletin(Level.RED)
    assert found is not None
    return found


def swept(world: World, minutes: int) -> None:
    """So many minutes later the sweep comes by, twice."""
    world.clock.forward(minutes=minutes)
    for _ in range(2):
        nagging.lapse_overdue(world.store, world.rules, now=world.now)
    world.deliver()


def told(world: World) -> list[str]:
    """Whom a message said that their turn has come."""
    logins = {world.person(one).phone: one for one in (DEPUTY, APPROVER, OFFICE, "lj-duty", "city-approver2")}
    return [logins[one.to] for one in world.phone.sent if "按预案您现在可以代签" in one.text]


def facts(world: World, decision: Decision) -> list[record.Line]:
    """What the journal says of deputies."""
    with world.store.reading() as tx:
        return [one for one in record.journal(tx, decision.episode_id) if "deput" in one.what]


def test_the_deputy_is_told_once_when_the_turn_begins_and_not_before(world: World, waiting: Decision) -> None:
    swept(world, 19)
    assert told(world) == []

    swept(world, 1)
    swept(world, 5)

    assert told(world) == [DEPUTY]
    assert [(one.what, one.more) for one in facts(world, waiting)] == [
        ("decision.deputies_told", {"approval.red.deputies.0": 1})
    ]


def test_a_deputys_signature_is_kept_as_one_with_clause_and_minutes(world: World, waiting: Decision) -> None:
    with pytest.raises(NotEntitled):
        world.sign(waiting, by=DEPUTY)
    swept(world, 24)

    world.sign(waiting, by=DEPUTY)

    with world.store.reading() as tx:
        kept = tx.decision(waiting.id)
    assert (kept.standing, kept.deputised) == (Standing.APPROVED, "approval.red.deputies.0")
    assert facts(world, waiting)[-1].what == "decision.deputised"
    assert facts(world, waiting)[-1].more == {
        "as": "区副指挥长", "instead_of": "区指挥长", "clause": "approval.red.deputies.0", "waited_minutes": 24
    }  # fmt: skip
    assert world.episode().level is Level.RED


def test_what_was_decided_in_time_is_told_to_no_deputy(world: World, waiting: Decision) -> None:
    world.sign(waiting, by=APPROVER)
    swept(world, 60)

    assert told(world) == []
    assert facts(world, waiting) == []


def test_a_deputy_who_proposed_it_is_not_told_to_sign_it(world: World) -> None:
    world.forecast(120, 130, 90)
    how = {"override_because": "上风向城市均已红色", "open_ended": True}
    world.propose(Move.ACTIVATE, Level.RED, by="city-approver2", **how)
    swept(world, 30)

    assert told(world) == []


def test_letting_go_of_a_level_is_signed_by_the_rank_of_that_level_or_its_deputy(world: World) -> None:
    world.forecast(120, 130, 90)
    world.activated(Level.RED)
    low = {"area": DISTRICT, "by": "lj-duty", "override_because": "误发", "open_ended": True}
    proposal = world.propose(Move.WITHDRAW, Level.NONE, **low)  # type: ignore[arg-type]  # told by the test

    assert proposal.rank_needed == 3
    assert [one.clause for one in proposal.deputies] == ["approval.red.deputies.0"]
