"""Suggestions, proposals and signatures under races, repeats and bad input."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from emergency.domain.episode import Move, Standing, Ungrounded
from emergency.domain.forecast import Cause
from emergency.domain.level import Level
from emergency.domain.people import NotAllowed
from emergency.errors import Conflict, EmergencyError, Refused
from emergency.services import decisions, dispatch, intake
from emergency.services.intake import NotForUs
from tests.world import CITY, DISTRICT, World


def test_two_identical_triggers_make_one_episode_and_one_suggestion(world: World) -> None:
    (first,) = world.forecast(120, 193, 229)
    world.clock.forward(seconds=2)

    assert world.forecast(120, 193, 229, feed="second") == []
    with world.store.reading() as tx:
        assert [one.id for one in tx.decisions(first.episode_id)] == [first.id]


def test_a_fresher_forecast_supersedes_what_waits(world: World) -> None:
    (first,) = world.forecast(120, 193, 229)
    world.put_forward(first)
    world.clock.forward(hours=1)

    (second,) = world.forecast(193, 229, 271)

    with world.store.reading() as tx:
        assert tx.decision(first.id).standing is Standing.SUPERSEDED
    assert (second.move, second.level) == (Move.ACTIVATE, Level.ORANGE)


def test_a_repeated_forecast_changes_nothing(world: World) -> None:
    world.forecast(120, 193, 229)

    assert world.forecast(120, 193, 229) == []


def test_two_sources_are_judged_apart_and_the_worse_is_told(world: World) -> None:
    world.forecast(90, 90, 90, feed="mild")

    (suggested,) = world.forecast(120, 193, 229, feed="severe")

    assert suggested.level is Level.YELLOW
    assert {day["feed"] for day in suggested.assessment["days"]} == {"severe"}  # type: ignore[attr-defined]  # JSON


def test_ozone_and_dust_start_no_orders(world: World) -> None:
    found = world.forecast(210, 220, 230, causes=[Cause.O3, Cause.SAND_DUST, Cause.O3])

    assert [(one.move, one.level) for one in found] == [(Move.ADVISE, Level.NONE)]


def test_a_past_spell_that_ended_starts_nothing(world: World) -> None:
    world.observe(210, 220, 230, 90)

    assert world.forecast(90, 80, 70) == []


def test_the_observed_run_counts_together_with_the_forecast(world: World) -> None:
    world.observe(210, 220)

    (suggested,) = world.forecast(310, 150, 90)

    assert suggested.level is Level.RED


def test_two_approvers_at_the_same_instant_make_one_event(world: World) -> None:
    proposal = world.put_forward(world.forecast(120, 193, 229)[0])
    outcomes: list[object] = []
    gate = threading.Barrier(2)

    def sign(login: str) -> None:
        gate.wait()
        try:
            outcomes.append(world.sign(proposal, by=login).standing)
        except EmergencyError as found:
            outcomes.append(type(found).__name__)

    both = [threading.Thread(target=sign, args=(login,)) for login in ("city-approver2", "city-approver3")]
    for one in both:
        one.start()
    for one in both:
        one.join()

    assert sorted(map(str, outcomes)) == ["IllegalMove", "approved"]
    orders = world.orders(CITY)
    assert len({one.recipient_id for one in orders}) == len(orders)
    assert all(one.revision == 1 for one in orders)


def test_orders_commit_with_the_signature_or_not_at_all(world: World) -> None:
    proposal = world.put_forward(world.forecast(120, 193, 229)[0])

    def signed_and_cut_off() -> None:
        with world.store.transactions() as tx:
            prepared = dispatch.prepare(tx, world.rules, tx.decision(proposal.id), now=world.now)
            decisions.approve(
                tx,
                world.rules,
                proposal.id,
                by=world.person("city-approver3"),
                content=proposal.content_sha,
                now=world.now,
                prepared=prepared,
            )
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        signed_and_cut_off()

    assert world.orders(CITY) == []
    with world.store.reading() as tx:
        assert tx.decision(proposal.id).standing is Standing.PROPOSED
        assert tx.outbox.counts(proposal.episode_id).get("sent", 0) == 0


def test_an_override_needs_a_reason_and_keeps_the_rules_verdict_beside_it(world: World) -> None:
    (suggested,) = world.forecast(120, 193, 229)

    with pytest.raises(Ungrounded):
        world.put_forward(suggested, level=Level.ORANGE)
    kept = world.put_forward(suggested, level=Level.ORANGE, override_because="会商：静稳持续，提高一级")

    assert (kept.rule_says, kept.level) == (Level.YELLOW, Level.ORANGE)
    assert kept.notice.level is Level.ORANGE


def test_a_decided_proposal_wakes_nobody(world: World) -> None:
    proposal = world.put_forward(world.forecast(120, 193, 229)[0])

    world.sign(proposal)
    world.deliver()

    assert not [one for one in world.phone.sent if one.kind.value == "proposal" and one.rung == "proposed"]


def test_a_bulletin_for_another_area_is_refused(world: World) -> None:
    with pytest.raises(NotForUs):
        world.bulletin(Level.YELLOW, areas_covered=("450200.450205",))


@pytest.mark.parametrize(
    "how",
    [
        {"number": " "},
        {"issuer": ""},
        {"scan_sha256": ""},
        {"level": Level.NONE},
        {"expected_end_at": "before"},
        {"received_at": "tomorrow"},
    ],
)
def test_a_bulletin_with_a_hole_or_crossed_times_is_refused(world: World, how: dict[str, object]) -> None:
    times = {"before": world.now, "tomorrow": world.now + timedelta(days=1)}
    how = {name: times.get(value, value) if isinstance(value, str) else value for name, value in how.items()}
    level = how.pop("level", Level.YELLOW)

    with pytest.raises(Refused):
        world.bulletin(level, **how)  # type: ignore[arg-type]  # told by the table above


def test_the_same_bulletin_is_entered_once(world: World) -> None:
    world.bulletin(Level.YELLOW, number="柳气预警〔2015〕1号")

    with pytest.raises(Refused, match="entered before"):
        world.bulletin(Level.YELLOW, number="柳气预警〔2015〕1号")


def test_the_relay_deadline_runs_from_receipt(world: World) -> None:
    received = world.now - timedelta(minutes=20)
    decision = world.bulletin(Level.YELLOW, issued_at=received, received_at=received)
    assert decision is not None

    with world.store.reading() as tx:
        (relay,) = [one for one in tx.open_tasks([DISTRICT]) if one.kind == "relay"]
    assert relay.due_at == received + timedelta(minutes=world.rules.plan("liujiang").order_relay_deadline_min)
    world.sign(decision, by="lj-approver3")
    with world.store.reading() as tx:
        assert [one for one in tx.open_tasks([DISTRICT]) if one.kind == "relay"] == []


def test_only_the_areas_own_people_propose_there(world: World) -> None:
    with pytest.raises(NotAllowed):
        world.propose(Move.ACTIVATE, Level.YELLOW, area=CITY, by="lj-duty")


def test_an_issue_opens_the_task_of_reporting_upward(world: World) -> None:
    world.decide(world.forecast(120, 193, 229)[0])

    with world.store.reading() as tx:
        (task,) = [one for one in tx.open_tasks([CITY]) if one.kind == "upward_report"]
    assert task.due_at == world.now + timedelta(minutes=world.rules.plan("liuzhou").upward_report_min)


def test_a_stale_save_is_a_conflict(world: World) -> None:
    (suggested,) = world.forecast(120, 193, 229)
    with world.store.reading() as tx:
        seen = tx.decision(suggested.id)
    world.put_forward(suggested)

    with pytest.raises(Conflict), world.store.transactions() as tx:
        tx.save(seen, fact="decision.touched", by="test", at=world.now)


def test_a_release_before_the_calm_spell_needs_a_reason_and_keeps_the_rules_word(world: World) -> None:
    world.decide(world.forecast(193, 229, 271)[0])
    assert world.episode(CITY).level is Level.ORANGE

    with pytest.raises(Ungrounded):
        world.propose(Move.RELEASE, Level.NONE)
    with pytest.raises(Ungrounded):
        world.propose(Move.DOWNGRADE, Level.YELLOW)
    kept = world.propose(Move.RELEASE, Level.NONE, override_because="会商：冷空气提前到达")

    assert (kept.rule_says, kept.level) == (Level.ORANGE, Level.NONE)


def test_a_district_without_a_bulletin_may_propose_to_the_city(world: World) -> None:
    with pytest.raises(Refused):
        world.store.run(
            lambda tx: decisions.ask_above(
                tx, world.rules, area=DISTRICT, by=world.person("lj-duty"), words=" ", now=world.now
            )
        )
    task = world.store.run(
        lambda tx: decisions.ask_above(
            tx, world.rules, area=DISTRICT, by=world.person("lj-duty"), words="本区三站 PM2.5 持续上升", now=world.now
        )
    )
    world.deliver()

    assert (task.area, task.kind) == (CITY, "district_proposal")
    (told,) = [one for one in world.phone.sent if one.kind.value == "task"]
    assert told.to == world.person("city-duty").phone
    assert "本区三站 PM2.5 持续上升" in told.text
    with world.store.reading() as tx:
        assert tx.running_episode(DISTRICT) is None, "a proposal to the city opens nothing at home"


def _released_city(world: World) -> None:
    world.decide(world.forecast(193, 229, 271)[0])
    world.forward(hours=24, step=720)
    world.observe(120)
    world.decide(world.forecast(110, 90, 80)[0])
    assert world.episode(CITY).level is Level.NONE


def test_bad_air_within_the_merge_gap_reopens_the_same_episode(world: World) -> None:
    _released_city(world)
    before = world.episode(CITY)
    answered = world.orders(CITY)[0]

    world.clock.forward(hours=8)
    world.observe(110, until=-1)
    (back,) = world.forecast(210, 220, 90)
    world.decide(back)

    assert back.move is Move.REOPEN
    after = world.episode(CITY)
    assert (after.id, after.level, after.released_at) == (before.id, Level.ORANGE, None)
    again = world.order(answered.id)
    assert again.status.value == "issued", "everybody answers anew"
    assert again.acknowledged_at is None


def test_bad_air_after_the_review_was_signed_is_a_new_episode_linked_to_the_old(world: World) -> None:
    _released_city(world)
    before = world.episode(CITY)
    world.clock.forward(hours=8)
    world.review(CITY)

    world.observe(110, until=-1)
    (fresh,) = world.forecast(210, 220, 90)

    assert fresh.move is Move.ACTIVATE
    assert fresh.episode_id != before.id
    assert world.episode(CITY).follows == before.id


def test_bad_air_after_the_merge_gap_is_an_episode_of_its_own(world: World) -> None:
    _released_city(world)
    before = world.episode(CITY)
    world.clock.forward(days=6)

    (fresh,) = world.forecast(210, 220, 90)

    assert (fresh.move, world.episode(CITY).follows) == (Move.ACTIVATE, before.id)
    assert fresh.episode_id != before.id


def test_a_decision_names_every_number_it_rests_on_that_was_never_read(world: World) -> None:
    by_rule = world.forecast(120, 193, 229)[0]
    by_bulletin = world.bulletin(Level.YELLOW)
    assert by_bulletin is not None

    assert "approval.yellow" in by_rule.doubtful
    assert any(path.startswith("levels.yellow") for path in by_rule.doubtful)
    assert {"approval.yellow", "activation_deadline_min"} <= set(by_bulletin.doubtful)


def test_a_release_that_waits_for_its_hour_is_not_followed_by_a_new_warning(world: World) -> None:
    world.decide(world.forecast(193, 229, 271)[0])
    world.forward(hours=24, step=720)
    world.observe(229)  # today is still bad; tomorrow and the day after are calm
    world.decide(world.forecast(110, 90, 80)[0])
    assert world.episode(CITY).released_at is not None

    world.clock.forward(minutes=9)
    assert intake.weigh_all(world.store, world.rules, now=world.now) == []

    (worse,) = world.forecast(210, 220, 90)
    assert worse.move is Move.REOPEN, "a forecast that takes the calm back is heard"
