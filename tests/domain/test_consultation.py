"""A consultation keeps what each said, takes silence for silence, and adds nothing after its conclusion."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from emergency.domain.consultation import (
    Consultation,
    Course,
    Guest,
    NobodyAsked,
    NoConclusion,
    NotAsked,
    NothingSaid,
    StillOpen,
    TooLate,
    attach,
    call,
    conclude,
    may_say,
    may_see,
    name,
    say,
    seal,
    sealed,
)
from emergency.domain.level import Level
from emergency.domain.machine import IllegalMove
from emergency.domain.people import NotAllowed, Role
from emergency.errors import Refused
from tests.builders import CITY, NOW, a_person, an_approver, an_id

DUTY, APPROVER = a_person(), an_approver()
EXPERT = a_person("expert", role=Role.UNIT, area="450200.450206.labao")
OUTSIDE = "区气象局 张工"
BESIDE = a_person("beside", area="450200.450203")


def called(**how: object) -> Consultation:
    """One of the district, asking an expert of ours and one from outside, within the hour."""
    asked: dict[str, object] = {
        "area": DUTY.area,
        "subject": "是否建议橙色",
        "guests": [Guest("张工", "区气象局"), Guest(EXPERT.name, "镇", EXPERT.id), Guest("张工", "区气象局")],
        "assessment": {"level": "orange"},
        "due_at": NOW + timedelta(hours=1),
        "by": DUTY,
        "now": NOW,
        **how,
    }
    return call(an_id("consultation"), **asked)  # type: ignore[arg-type]  # told by the test


def answered(
    told: Consultation, key: str = OUTSIDE, level: Level | None = Level.ORANGE, said: str = "静稳"
) -> Consultation:
    """The desk puts down what one of them said."""
    return say(told, key, level=level, said=said, by=DUTY, now=NOW)[0]


def concluded(told: Consultation, level: Level = Level.ORANGE) -> Consultation:
    """The approver concludes."""
    return conclude(told, conclusion="建议橙色", level=level, by=APPROVER, now=NOW)


def test_whoever_is_named_twice_is_asked_once_and_nobody_has_spoken_yet() -> None:
    told = called()

    assert [one.key for one in told.answers] == [OUTSIDE, str(EXPERT.id)]
    assert told.silent == told.answers
    assert told.course is Course.ASKING


@pytest.mark.parametrize(
    ("how", "refused"),
    [
        ({"guests": []}, NobodyAsked),
        ({"guests": [Guest("  ", "区气象局")]}, NobodyAsked),
        ({"due_at": NOW}, TooLate),
        ({"subject": " "}, Refused),
        ({"by": EXPERT}, NotAllowed),
        ({"by": BESIDE}, NotAllowed),
    ],
)
def test_it_is_not_called_without_people_subject_time_or_right(how: dict[str, object], refused: type[Refused]) -> None:
    with pytest.raises(refused):
        called(**how)


def test_who_was_asked_speaks_for_themselves_and_the_desk_for_others_by_name() -> None:
    told, own = say(called(), str(EXPERT.id), level=Level.RED, said="", by=EXPERT, now=NOW)
    told, entered = say(told, OUTSIDE, level=None, said="看不准", by=DUTY, now=NOW)

    assert own is not None
    assert own.entered_by is None
    assert entered is not None
    assert entered.entered_by == DUTY.id
    assert told.levels == {Level.RED: 1, None: 1}
    assert told.silent == ()


@pytest.mark.parametrize("who", [EXPERT, BESIDE, a_person("reviewer", role=Role.REVIEWER)])
def test_nobody_speaks_for_another_but_the_desk(who: object) -> None:
    with pytest.raises(NotAllowed):
        say(called(), OUTSIDE, level=Level.RED, said="x", by=who, now=NOW)  # type: ignore[arg-type]  # a person


def test_who_was_not_asked_is_not_heard() -> None:
    with pytest.raises(NotAsked):
        say(called(), str(APPROVER.id), level=Level.RED, said="x", by=APPROVER, now=NOW)


def test_neither_a_level_nor_words_is_no_answer() -> None:
    with pytest.raises(NothingSaid):
        answered(called(), level=None, said="  ")


def test_what_was_said_before_stays_when_somebody_changes_their_mind() -> None:
    told = answered(answered(answered(called()), level=Level.YELLOW, said="转好"), level=None, said="再看")

    answer = told.answers[0]

    assert answer.last is not None
    assert (answer.last.level, answer.last.said) == (None, "再看")
    assert [(one.level, one.said) for one in answer.before] == [(Level.ORANGE, "静稳"), (Level.YELLOW, "转好")]


def test_the_same_words_twice_are_one_voice() -> None:
    told = answered(called())

    again, voice = say(told, OUTSIDE, level=Level.ORANGE, said=" 静稳 ", by=DUTY, now=NOW + timedelta(minutes=1))

    assert voice is None
    assert again == told


def test_no_need_of_a_warning_is_a_level_and_no_level_is_not() -> None:
    assert answered(called(), level=Level.NONE, said="").levels == {Level.NONE: 1}
    assert answered(called(), level=None, said="看不准").levels == {None: 1}


def test_silence_is_counted_with_no_level() -> None:
    told = concluded(answered(called()))

    assert told.levels == {Level.ORANGE: 1}
    assert [one.key for one in told.silent] == [str(EXPERT.id)]
    assert sealed(told)["silent"] == 1


def test_nothing_is_added_after_the_conclusion() -> None:
    told = concluded(called())

    with pytest.raises(IllegalMove):
        answered(told)
    with pytest.raises(IllegalMove):
        attach(told, "0" * 64, by=DUTY, now=NOW)
    with pytest.raises(IllegalMove):
        concluded(told)


def test_a_conclusion_has_words_and_somebody_of_the_desk_behind_it() -> None:
    with pytest.raises(NoConclusion):
        conclude(called(), conclusion=" ", level=Level.NONE, by=DUTY, now=NOW)
    with pytest.raises(NotAllowed):
        conclude(called(), conclusion="橙色", level=Level.ORANGE, by=EXPERT, now=NOW)


def test_who_was_asked_may_lay_a_file_before_it_and_a_stranger_may_not() -> None:
    told, paper = attach(called(), "a" * 64, by=EXPERT, now=NOW)

    assert paper is not None
    assert attach(told, "a" * 64, by=DUTY, now=NOW) == (told, None)
    with pytest.raises(NotAllowed):
        attach(told, "b" * 64, by=BESIDE, now=NOW)


def test_it_is_seen_from_its_area_from_above_and_by_those_asked() -> None:
    told = called()

    assert may_see(told, by=a_person("reviewer", role=Role.REVIEWER))
    assert may_see(told, by=a_person("above", area=CITY))
    assert may_see(told, by=EXPERT)
    assert not may_see(told, by=BESIDE)
    assert not may_see(told, by=a_person("other unit", role=Role.UNIT))
    assert not may_say(told, str(EXPERT.id), by=replace(EXPERT, active=False))


def test_a_decision_rests_on_a_conclusion_or_on_nothing() -> None:
    with pytest.raises(StillOpen):
        name(called(), episode_id=an_id("episode"), decision_id=an_id("decision"))
    with pytest.raises(StillOpen):
        sealed(called())


def test_the_seal_covers_all_that_was_said_and_nothing_it_is_tied_to() -> None:
    told = concluded(attach(answered(called()), "a" * 64, by=DUTY, now=NOW)[0])
    tied = name(told, episode_id=an_id("episode"), decision_id=an_id("decision"))
    changed = [
        replace(told, conclusion="建议黄色"),
        replace(told, level=Level.YELLOW),
        replace(told, papers=()),
        replace(told, due_at=told.due_at + timedelta(seconds=1)),
        replace(told, assessment={"level": "red"}),
        replace(told, voices=tuple(replace(one, said=one.said + "。") for one in told.voices)),
        replace(told, voices=told.voices[1:]),
    ]

    assert seal(tied) == seal(told)
    assert seal(replace(told, voices=told.voices[::-1])) == seal(told)
    assert len({seal(one) for one in [told, *changed]}) == len(changed) + 1


def test_it_is_overdue_from_its_deadline_until_its_conclusion() -> None:
    told = called()

    assert not told.overdue(now=told.due_at - timedelta(seconds=1))
    assert told.overdue(now=told.due_at)
    assert not concluded(told).overdue(now=told.due_at)
