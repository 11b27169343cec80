"""Who was asked, what each said, by when: in the rows, on the phones, and under the signature."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from emergency.domain.consultation import Consultation, Guest, NotAsked, StillOpen
from emergency.domain.episode import Decision, Move, Standing
from emergency.domain.level import Level
from emergency.domain.messages import Kind
from emergency.domain.people import NotAllowed
from emergency.domain.signing import StaleContent
from emergency.errors import Conflict
from emergency.services import consulting
from emergency.services.consulting import CannotSpeak, NotOurs
from emergency.store import consulting as rows
from emergency.store import record
from tests.world import CITY, DISTRICT, World

OUTSIDE = "市气象局 张工"


def call(
    world: World, *, by: str = "city-duty", people: Sequence[str] = ("city-approver3",), **how: object
) -> Consultation:
    """The city asks its commander and an expert from outside."""
    asked: dict[str, object] = {"area": CITY, "subject": "未来三天是否建议橙色", **how}
    return world.store.run(
        lambda tx: consulting.call(
            tx,
            world.rules,
            people=[world.person(one).id for one in people],
            guests=[Guest("张工", "市气象局")],
            by=world.person(by),
            now=world.now,
            **asked,  # type: ignore[arg-type]  # told by the test
        )
    )


def say(
    world: World, told: Consultation, key: str = OUTSIDE, *, by: str = "city-duty", said: str = "静稳维持"
) -> Consultation:
    """One of them says orange."""
    return world.store.run(
        lambda tx: consulting.say(tx, told.id, key, level=Level.ORANGE, said=said, by=world.person(by), now=world.now)
    )


def conclude(world: World, told: Consultation) -> Consultation:
    """The duty officer concludes."""
    return world.store.run(
        lambda tx: consulting.conclude(
            tx, told.id, conclusion="建议橙色", level=Level.ORANGE, by=world.person("city-duty"), now=world.now
        )
    )


def as_kept(world: World, consultation_id: UUID) -> Consultation:
    """The consultation as it lies in the rows."""
    with world.store.reading() as tx:
        return rows.consultation(tx, consultation_id)


def facts(world: World, about: UUID) -> list[str]:
    """What the journal says of it, in order."""
    with world.store.reading() as tx:
        asked = text("select what from journal where about = :about order by id")
        return [str(one) for one in tx.connection.execute(asked, {"about": str(about)}).scalars()]


def suggested(world: World) -> Decision:
    """The rule suggests yellow to the city."""
    return world.forecast(120, 193, 229)[0]


def test_those_of_ours_get_a_message_with_the_way_in_and_the_plan_sets_the_time(world: World) -> None:
    told = call(world)
    world.deliver()

    (message,) = world.phone.to(world.person("city-approver3").phone)

    assert message.kind is Kind.CONSULTATION
    assert f"/console/consultations/{told.id}" in message.text
    assert told.due_at == world.now + timedelta(minutes=world.rules.plan("liuzhou").consultation_within_min)


def test_the_same_call_twice_is_one_consultation(world: World) -> None:
    assert call(world).id == call(world).id
    world.deliver()

    assert len(world.phone.to(world.person("city-approver3").phone)) == 1


def test_what_the_rule_says_is_kept_beside_it_and_unknown_air_is_said_to_be_unknown(world: World) -> None:
    assert call(world).assessment == {}
    decision = suggested(world)

    about = call(world, subject="是否维持黄色", decision_id=decision.id)

    assert about.assessment == decision.assessment
    assert (about.decision_id, about.episode_id) == (decision.id, decision.episode_id)


def test_an_enterprise_is_not_asked_and_a_decision_of_another_area_is_not_consulted_about(world: World) -> None:
    with pytest.raises(CannotSpeak):
        call(world, people=["sample-kiln"])
    decision = suggested(world)
    with pytest.raises(NotOurs):
        call(world, by="lj-duty", area=DISTRICT, decision_id=decision.id)


def test_what_was_said_first_stays_in_the_rows_when_somebody_says_something_else(world: World) -> None:
    told = call(world)
    say(world, told, said="静稳维持")
    say(world, told, said="静稳维持")
    world.clock.forward(minutes=5)
    say(world, told, said="湿度上升，更重")

    answer = next(one for one in as_kept(world, told.id).answers if one.key == OUTSIDE)

    assert answer.last is not None
    assert [one.said for one in (*answer.before, answer.last)] == ["静稳维持", "湿度上升，更重"]
    assert facts(world, told.id) == ["consultation.called", "consultation.said", "consultation.said"]


def test_two_who_speak_at_the_same_instant_are_both_heard(world: World) -> None:
    told = call(world, people=["city-approver2", "city-approver3"])
    gate = threading.Barrier(2)

    def speak(login: str) -> None:
        gate.wait()
        say(world, told, str(world.person(login).id), by=login)

    both = [threading.Thread(target=speak, args=(login,)) for login in ("city-approver2", "city-approver3")]
    for one in both:
        one.start()
    for one in both:
        one.join()

    assert [one.key for one in as_kept(world, told.id).silent] == [OUTSIDE]


def test_no_row_of_what_was_said_is_ever_overwritten(world: World) -> None:
    told = say(world, call(world))
    spoken = next(one for one in told.voices if one.said)

    with pytest.raises(Conflict), world.store.transactions() as tx:
        rows.keep_voice(tx, told.id, replace(spoken, said="我没这么说"))

    assert as_kept(world, told.id).voices == told.voices


def test_a_unit_that_was_asked_answers_for_itself_and_for_nobody_else(world: World) -> None:
    told = call(world, people=["labao-town"])
    town = world.person("labao-town")
    say(world, told, str(town.id), by="labao-town")

    with pytest.raises(NotAllowed):
        say(world, told, OUTSIDE, by="labao-town")
    with pytest.raises(NotAsked):
        say(world, told, str(world.person("lj-duty").id), by="lj-duty")
    assert [one.key for one in as_kept(world, told.id).silent] == [OUTSIDE]


def test_an_overdue_consultation_nags_the_desk_and_the_silent_once(world: World) -> None:
    told = call(world, people=["city-approver3", "city-approver2"])
    say(world, told, str(world.person("city-approver2").id), by="city-approver2")
    world.forward(minutes=50)
    before = len(world.phone.sent)
    world.forward(minutes=30)

    nagged = [one for one in world.phone.sent[before:] if one.rung == "overdue"]

    assert {one.to for one in nagged} == {world.person(one).phone for one in ("city-duty", "city-approver3")}
    assert len(nagged) == 2
    with world.store.reading() as tx:
        assert f"consultation:{told.id}" in [one.name for one in tx.standing_alarms()]
    conclude(world, told)
    with world.store.reading() as tx:
        assert f"consultation:{told.id}" not in [one.name for one in tx.standing_alarms()]
    assert facts(world, told.id).count("consultation.overdue") == 1


def test_a_proposal_that_names_a_consultation_is_signed_with_its_conclusion(world: World) -> None:
    decision = suggested(world)
    told = conclude(world, say(world, call(world, decision_id=decision.id)))
    world.clock.forward(minutes=1)

    plain = decision.content_sha
    proposal = world.put_forward(decision, consultations=[told.id])
    signed = world.sign(proposal)

    assert proposal.content_sha != plain
    assert [(one["conclusion"], one["silent"]) for one in proposal.consulted] == [("建议橙色", 1)]
    assert signed.standing is Standing.APPROVED
    kept = as_kept(world, told.id)
    assert (kept.decision_id, kept.episode_id) == (decision.id, decision.episode_id)
    assert facts(world, told.id)[-1] == "consultation.named"


def test_a_person_s_own_proposal_may_name_one_that_was_called_before_there_was_an_episode(world: World) -> None:
    world.observe(120)
    told = conclude(world, call(world))
    world.forecast(90, 80, 70)

    proposal = world.propose(
        Move.ACTIVATE,
        Level.YELLOW,
        reason="会商认为将达到黄色",
        open_ended=True,
        override_because="会商结论",
        effective_at=world.now,
        consultations=[told.id],
    )

    assert as_kept(world, told.id).episode_id == proposal.episode_id
    with world.store.reading() as tx:
        said = record.told(tx, proposal.episode_id)
    assert [one["subject"] for one in said["consultations"]] == [told.subject]
    assert [one["silent"] for one in said["consultations"]] == [2]


def test_an_open_consultation_is_no_ground(world: World) -> None:
    decision = suggested(world)
    told = call(world, decision_id=decision.id)

    with pytest.raises(StillOpen):
        world.put_forward(decision, consultations=[told.id])
    with world.store.reading() as tx:
        assert tx.decision(decision.id).standing is Standing.SUGGESTED


def test_another_area_s_consultation_is_no_ground(world: World) -> None:
    decision = suggested(world)
    told = call(world, by="lj-duty", area=DISTRICT)
    world.store.run(
        lambda tx: consulting.conclude(
            tx, told.id, conclusion="建议", level=Level.YELLOW, by=world.person("lj-duty"), now=world.now
        )
    )

    with pytest.raises(NotOurs):
        world.put_forward(decision, consultations=[told.id])


@pytest.mark.parametrize(
    "change",
    [
        "update consultations set conclusion = '建议红色'",
        "update consultation_voices set said = '无意见' where said <> ''",
        "delete from consultation_voices",
    ],
)
def test_what_is_changed_behind_a_proposal_stops_its_signature(world: World, change: str) -> None:
    decision = suggested(world)
    told = conclude(world, say(world, call(world, decision_id=decision.id)))
    proposal = world.put_forward(decision, consultations=[told.id])

    with world.store.transactions() as tx:
        tx.connection.execute(text(change))

    with pytest.raises(StaleContent):
        world.sign(proposal)
    assert world.orders(CITY) == []


def test_an_exercise_s_consultation_bothers_no_real_desk_and_rests_on_no_real_talk(world: World) -> None:
    talk = world.consult("lj-approver2")
    world.conclude(talk, Level.YELLOW)
    real_rules = world.rules
    world.rules = real_rules.in_exercise("spring")
    decision = world.bulletin(Level.YELLOW)
    world.rules = real_rules
    assert decision is not None
    with pytest.raises(NotOurs), world.store.reading() as tx:
        consulting.named(tx, decision, [talk])

    about = world.consult("lj-approver2", about=decision)
    world.forward(minutes=60)

    with world.store.reading() as tx:
        assert about not in [one.id for one in rows.of_area(tx, DISTRICT)]
        assert f"consultation:{about}" not in [one.name for one in tx.standing_alarms()]
    assert [one for one in world.phone.sent if str(about) in one.text] == []
