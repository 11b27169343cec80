"""Rights run down the tree and never sideways; a message waits longer after each try, without dice."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emergency.domain.level import Level
from emergency.domain.messages import Kind, message_id, wait_before
from emergency.domain.people import ACTS, Act, NotAllowed, Role, ask, may, path_of, within
from tests.builders import CITY, DISTRICT, TOWN, a_person, an_id


def test_rights_run_down_and_never_sideways_or_up() -> None:
    officer = a_person()

    assert may(officer, Act.PROPOSE, DISTRICT)
    assert may(officer, Act.PROPOSE, TOWN)
    assert not may(officer, Act.PROPOSE, CITY)
    assert not may(officer, Act.PROPOSE, "450200.4502061")  # a prefix of the letters is no parent
    with pytest.raises(NotAllowed):
        ask(officer, Act.PROPOSE, "450200.450205")


@pytest.mark.parametrize(("role", "act"), list(product(Role, Act)))
def test_a_role_may_do_what_its_table_says_and_nothing_when_inactive(role: Role, act: Act) -> None:
    assert may(a_person(role=role), act, DISTRICT) == (act in ACTS[role])
    assert not may(a_person(role=role, active=False), act, DISTRICT)


def test_no_role_both_puts_forward_what_it_ruled_and_administers() -> None:
    assert not ACTS[Role.ADMIN] & {Act.PROPOSE, Act.DECIDE, Act.RULE, Act.SIGN_REVIEW}
    assert Act.DECIDE not in ACTS[Role.DUTY_OFFICER]


def test_an_areas_path_names_it_and_all_above() -> None:
    assert path_of(TOWN) == (TOWN, DISTRICT, CITY)
    assert within(TOWN, CITY)


@pytest.mark.parametrize(
    ("level", "response"), [(Level.RED, 1), (Level.ORANGE, 2), (Level.YELLOW, 3), (Level.BLUE, 4), (Level.NONE, None)]
)
def test_response_levels_run_the_other_way(level: Level, response: int | None) -> None:
    assert level.response == response
    assert Level.named(level.word) is level


def test_an_unknown_level_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="purple"):
        Level.named("purple")


@given(st.integers(1, 40), st.uuids())
def test_waits_are_spread_by_the_message_and_the_attempt_and_stay_within_bounds(attempt: int, key: object) -> None:
    from uuid import UUID

    assert isinstance(key, UUID)
    wait = wait_before(attempt, key=key)

    assert wait == wait_before(attempt, key=key)
    assert timedelta(seconds=0.5) <= wait <= timedelta(seconds=375)


def test_the_provider_may_ask_for_a_longer_wait() -> None:
    assert wait_before(1, key=an_id("m"), retry_after=90) == timedelta(seconds=90)


def test_a_later_revision_is_never_swallowed_as_a_repeat() -> None:
    ids = {
        message_id(an_id("order"), revision=revision, kind=kind, rung=rung, channel=channel, contact=an_id(contact))
        for revision, kind, rung, channel, contact in product(
            (1, 2), (Kind.ORDER, Kind.REMINDER), ("", "remind"), ("sms", "voice"), ("a", "b")
        )
    }

    assert len(ids) == 32
