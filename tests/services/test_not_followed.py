"""A district that starts nothing on the city's notice: for a reason, by the rank of its level, and not out of sight."""

from __future__ import annotations

from typing import Any

import pytest

from emergency.domain.episode import Decision, Move, Phase, Standing, Ungrounded
from emergency.domain.level import Level
from emergency.domain.signing import NotEntitled
from emergency.errors import Refused
from emergency.services import decisions, reviews
from emergency.services.drafting import NothingToDismiss
from emergency.store import record, relaying
from emergency.store.relaying import Left
from tests.world import CITY, DISTRICT, World

NUMBER, BECAUSE = "柳气预警〔2015〕3号", "本区当日全区停电检修，已无排放"
DISMISS: dict[str, Any] = {"area": DISTRICT, "by": "lj-duty"}


@pytest.fixture
def notice(world: World) -> Decision:
    """The city's orange, entered and not signed; the air here asks for nothing."""
    world.forecast(60, 70, 80)
    found = world.bulletin(Level.ORANGE, number=NUMBER)
    assert found is not None
    return found


def dismissal(world: World) -> Decision:
    return world.propose(Move.DISMISS, Level.NONE, override_because=BECAUSE, **DISMISS)


def left(world: World) -> list[Left]:
    with world.store.reading() as tx:
        return relaying.left(tx, [DISTRICT])


@pytest.mark.parametrize("how", [{}, {"reason": "空气良好"}, {"override_because": " "}])
def test_it_takes_a_reason_though_the_air_here_asks_for_nothing(
    world: World, notice: Decision, how: dict[str, str]
) -> None:
    with pytest.raises(Ungrounded) as refused:
        world.propose(Move.DISMISS, Level.NONE, **DISMISS, **how)

    assert NUMBER in refused.value.zh
    with world.store.reading() as tx:
        assert tx.decision(notice.id).standing is Standing.PROPOSED, "the city's notice still waits to be signed"


def test_it_is_signed_by_the_rank_of_the_citys_level_and_rests_on_the_notice(world: World, notice: Decision) -> None:
    told = dismissal(world)

    assert (told.bulletin_id, told.rule_says, told.rank_needed) == (notice.bulletin_id, Level.ORANGE, 2)
    with pytest.raises(NotEntitled):
        world.sign(told, by="lj-approver1")
    world.sign(told, by="lj-approver3")
    with world.store.reading() as tx:
        assert tx.episode(notice.episode_id).phase is Phase.DISMISSED


def test_the_notice_stays_listed_the_city_is_told_and_the_relay_stays_due(world: World, notice: Decision) -> None:
    world.sign(dismissal(world), by="lj-approver3")
    world.deliver()

    (one,) = left(world)
    assert (one.bulletin.number, one.by.move, one.by.override_because) == (NUMBER, Move.DISMISS, BECAUSE)
    (text,) = [one.text for one in world.phone.to(world.person("city-duty").phone) if NUMBER in one.text]
    assert BECAUSE in text
    with world.store.reading() as tx:
        assert "relay" in [one.kind for one in tx.open_tasks([DISTRICT])]
        assert "bulletin.not_followed" in [one.what for one in record.journal(tx, notice.episode_id)]
        flags = reviews.flags(tx, world.rules, notice.episode_id)
    assert BECAUSE in [one.because for one in flags if one.mark == "dismissed"]


@pytest.mark.parametrize("how", ["dismissed", "returned"])
def test_it_is_taken_up_again_under_its_number_as_it_was_kept(world: World, notice: Decision, how: str) -> None:
    if how == "dismissed":
        world.sign(dismissal(world), by="lj-approver3")
    else:
        by = world.person("lj-approver3")
        world.store.run(lambda tx: decisions.reject(tx, notice.id, by=by, because="扫描件不清", now=world.now))
    assert [one.bulletin.number for one in left(world)] == [NUMBER]
    world.clock.forward(minutes=5)

    again = world.bulletin(Level.YELLOW, number=NUMBER)

    assert again is not None
    assert (again.bulletin_id, again.level) == (notice.bulletin_id, Level.ORANGE)
    assert left(world) == []
    world.sign(again, by="lj-approver3")
    with pytest.raises(Refused, match="entered before"):
        world.bulletin(Level.ORANGE, number=NUMBER)


def test_what_the_city_has_ended_since_is_listed_no_more_and_leaves_nothing_to_set_aside(
    world: World, notice: Decision
) -> None:
    world.bulletin(Level.NONE, action="withdraw", number="柳气预警〔2015〕4号", effective_at=world.now)

    assert left(world) == []
    with pytest.raises(NothingToDismiss):
        world.propose(Move.DISMISS, Level.NONE, **DISMISS)


def test_the_citys_own_dismissal_is_as_it_was(world: World) -> None:
    world.forecast(120, 193, 229)

    assert world.propose(Move.DISMISS, Level.NONE, area=CITY, override_because=BECAUSE).bulletin_id is None
