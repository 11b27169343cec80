"""A proposal waits while the air moves on: its signer is told what the rule says now, and says why all the same."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emergency.clock import SHANGHAI
from emergency.domain.episode import Decision, Move, Standing
from emergency.domain.forecast import Forecast, ForecastDay
from emergency.domain.level import Level
from emergency.domain.overtaken import Anyway, RuleMovedOn
from emergency.services import decisions, intake, nagging, reviews
from emergency.store import record
from tests.world import CITY, World

APPROVER = "city-approver3"


@pytest.fixture
def waiting(world: World) -> Decision:
    """The city's yellow, put forward."""
    return world.put_forward(world.forecast(120, 193, 229)[0])


def arrives(world: World, *aqi: int) -> None:
    """A forecast for tomorrow and the days after, that nobody has weighed yet."""
    world.clock.forward(minutes=10)
    today = world.now.astimezone(SHANGHAI).date()
    days = tuple(ForecastDay(day=today + timedelta(days=n), aqi=value) for n, value in enumerate(aqi, 1))
    told = Forecast(feed="bureau", place="柳州", issued_at=world.now, days=days)
    world.store.run(lambda tx: intake.keep_air(tx, [told], [], now=world.now))


def sign(world: World, waiting: Decision, anyway: Anyway) -> Decision:
    """The approver signs what was read, with a word on the rule."""
    how = {"by": world.person(APPROVER), "content": waiting.content_sha, "now": world.now}
    return decisions.sign(world.store, world.rules, waiting.id, anyway=anyway, **how)  # type: ignore[arg-type]  # as above


def facts(world: World, decision: Decision) -> list[tuple[str, object]]:
    """What the journal says of the rule's later word: fact, and the level it names."""
    told = ("decision.overtaken", "decision.agreed_again", "decision.signed_anyway")
    with world.store.reading() as tx:
        lines = record.journal(tx, decision.episode_id)
    return [(one.what, one.more.get("level")) for one in lines if one.what in told]


def texts(world: World) -> list[str]:
    """What the approver's phone was told that the rule says now."""
    world.deliver()
    return [one.text for one in world.phone.to(world.person(APPROVER).phone) if "注意：规则现" in one.text]


def test_a_forecast_that_fell_is_told_to_the_approvers_once_and_to_be_answered_by_whoever_signs(
    world: World, waiting: Decision
) -> None:
    arrives(world, 90, 80, 70)
    for _ in range(2):
        assert intake.weigh_all(world.store, world.rules, now=world.now) == []

    (told,) = texts(world)
    assert "规则现已不再要求此项，现结论为无预警" in told
    with pytest.raises(RuleMovedOn) as refused:
        sign(world, waiting, Anyway())
    kept = sign(world, waiting, Anyway(refused.value.found.key, "现场核实仍在累积"))

    assert kept.standing is Standing.APPROVED
    assert kept.against["because"] == "现场核实仍在累积"
    assert [day["aqi"] for day in kept.against["assessment"]["days"]] == [90, 80, 70]  # type: ignore[index]  # JSON
    assert [day["aqi"] for day in kept.assessment["days"]] == [120, 193, 229]  # type: ignore[attr-defined]  # JSON
    assert facts(world, waiting) == [("decision.overtaken", "none"), ("decision.signed_anyway", "none")]


def test_a_rule_that_asks_for_more_is_to_be_answered_before_anything_lower_is_signed(
    world: World, waiting: Decision
) -> None:
    arrives(world, 310, 330, 350)  # nobody has weighed it, so the yellow still waits

    with pytest.raises(RuleMovedOn) as refused:
        sign(world, waiting, Anyway("fallen:none", "照旧"))
    assert refused.value.found.key == "risen:red"
    sign(world, waiting, Anyway("risen:red", "先启动黄色，红色另行报批"))

    assert world.episode(CITY).level is Level.YELLOW
    assert facts(world, waiting) == [("decision.signed_anyway", "red")]


def test_a_rule_that_agrees_again_needs_no_word(world: World, waiting: Decision) -> None:
    for figures in ((90, 80, 70), (120, 193, 231)):
        arrives(world, *figures)
        assert intake.weigh_all(world.store, world.rules, now=world.now) == []

    assert facts(world, waiting) == [("decision.overtaken", "none"), ("decision.agreed_again", None)]
    assert sign(world, waiting, Anyway()).against == {}


def test_a_release_waits_for_a_word_when_the_calm_it_rests_on_is_over(world: World) -> None:
    world.decide(world.forecast(193, 229, 271)[0])
    world.clock.forward(hours=24)
    world.observe(120)
    (release,) = world.forecast(110, 90, 80)
    waits = world.put_forward(release)
    arrives(world, 110, 190, 80)

    with pytest.raises(RuleMovedOn) as refused:
        sign(world, waits, Anyway())

    assert (release.move, refused.value.found.key) == (Move.RELEASE, "risen:orange")


def test_what_the_city_announced_is_signed_whatever_the_air_says_here(world: World) -> None:
    world.forecast(120, 193, 229)
    told = world.bulletin(Level.YELLOW)
    assert told is not None
    arrives(world, 60, 60, 60)

    assert world.sign(told, by="lj-approver3").against == {}


def test_the_reminder_and_a_late_proposal_say_it_too(world: World) -> None:
    (suggested,) = world.forecast(120, 193, 229)
    arrives(world, 90, 80, 70)
    proposal = world.put_forward(suggested)
    world.clock.forward(minutes=30)
    nagging.lapse_overdue(world.store, world.rules, now=world.now)

    assert [one.split("：", 1)[0] for one in texts(world)] == ["待您审批", "第1次催办"]
    assert proposal.rule_now == "fallen:none"


def test_a_signature_against_the_rules_later_word_is_pointed_at_in_the_review(world: World, waiting: Decision) -> None:
    arrives(world, 90, 80, 70)
    sign(world, waiting, Anyway("fallen:none", "现场核实仍在累积"))

    with world.store.reading() as tx:
        found = reviews.flags(tx, world.rules, waiting.episode_id)
    told = [(one.because, one.more) for one in found if one.mark == "signed_after_fall"]
    assert told == [("现场核实仍在累积", {"rule_says": "none"})]
