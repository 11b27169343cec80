"""Measures changed inside a level reach only those they are meant for, say what changes, and end with the level."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from emergency.domain import amending, orders
from emergency.domain.amending import Amendment, Change, Scope
from emergency.domain.episode import Decision, Move, Standing, content_sha
from emergency.domain.level import Level
from emergency.domain.orders import Measure, RecipientKind, Status
from emergency.errors import Refused
from tests.builders import A_MEASURE, NOW, a_recipient, a_suggestion, an_id, drawn_up

SPRAY = Measure("spray", Level.YELLOW, "堆场每两小时喷淋一次", force="mandatory", check="photo_in_window")
OWN = Amendment(
    Scope.SECTOR, Change.ADD, amending.own_key("夜间停止装卸"), ("brick_kiln",), "夜间停止装卸", check="photo_in_window"
)
DROP = Amendment(Scope.SECTOR, Change.DROP, "half-load", ("brick_kiln",), was=A_MEASURE.text)
KILN = a_recipient()


def signed(move: Move, level: Level, *changes: Amendment, before: Level, at: int) -> Decision:
    """A signed decision of the episode, in its place in time."""
    return a_suggestion(
        id=an_id(f"decision{at}"), move=move, level=level, level_before=before, standing=Standing.APPROVED,
        decided_at=NOW + timedelta(hours=at), amendments=tuple(map(amending.as_data, changes)),
    )  # fmt: skip


BEGUN = signed(Move.ACTIVATE, Level.YELLOW, before=Level.NONE, at=0)


@pytest.mark.parametrize(
    ("scope", "names", "meant"),
    [
        (Scope.ALL, (), True),
        (Scope.SECTOR, ("brick_kiln",), True),
        (Scope.SECTOR, ("foundry",), False),
        (Scope.KIND, ("enterprise",), True),
        (Scope.KIND, ("unit", "town"), False),
        (Scope.RECIPIENTS, (str(KILN.id),), True),
        (Scope.RECIPIENTS, (str(an_id("another")),), False),
    ],
)
def test_a_change_reaches_those_it_names_and_nobody_else(scope: Scope, names: tuple[str, ...], meant: bool) -> None:
    one = replace(OWN, scope=scope, names=names)

    found = amending.amended([A_MEASURE], KILN, Level.YELLOW, [one])

    assert [measure.key for measure in found] == (["half-load", OWN.key] if meant else ["half-load"])
    assert amending.concerned([one], KILN) is meant


def test_a_dropped_an_added_a_reworded_and_a_moved_measure_each_come_out_as_said() -> None:
    at = NOW + timedelta(hours=30)
    reworded = Amendment(Scope.ALL, Change.REWORD, "spray", text="堆场每小时喷淋一次", was=SPRAY.text)
    moved = Amendment(Scope.ALL, Change.RETIME, "half-load", starts_at=at)

    assert amending.amended([A_MEASURE, SPRAY], KILN, Level.YELLOW, [DROP]) == (SPRAY,)
    assert amending.amended([SPRAY], KILN, Level.YELLOW, [OWN])[1].check == "photo_in_window"
    assert amending.amended([SPRAY], KILN, Level.YELLOW, [reworded]) == (replace(SPRAY, text="堆场每小时喷淋一次"),)
    assert amending.amended([A_MEASURE], KILN, Level.YELLOW, [moved]) == (replace(A_MEASURE, starts_at=at),)
    assert amending.amended([SPRAY], KILN, Level.YELLOW, [DROP, moved]) == (SPRAY,)  # nothing of the kind stands there


def test_a_dropped_measure_can_be_given_back() -> None:
    back = Amendment(Scope.ALL, Change.ADD, A_MEASURE.key, text=A_MEASURE.text, check="energy_cut")

    found = amending.amended([A_MEASURE], KILN, Level.YELLOW, [DROP, back])

    assert [(one.key, one.text) for one in found] == [(A_MEASURE.key, A_MEASURE.text)]


def test_duties_that_stay_keep_their_start_and_the_revision_names_only_what_changed() -> None:
    before = orders.settle(drawn_up(measures=[A_MEASURE, SPRAY]).order, by="甲", now=NOW)
    later = NOW + timedelta(days=1)

    one = drawn_up(
        before=before, measures=amending.amended([A_MEASURE, SPRAY], KILN, Level.YELLOW, [DROP, OWN]),
        now=later, decision="amend",
    )  # fmt: skip

    assert (one.revision.kind, one.revision.added, one.revision.dropped) == ("revision", (OWN.key,), ("half-load",))
    assert one.order.duties[0] == before.duties[1]
    assert one.order.status is Status.ISSUED


def test_a_moved_start_is_told_as_a_change_and_drops_nothing() -> None:
    before = drawn_up().order
    at = NOW + timedelta(hours=20)
    moved = Amendment(Scope.ALL, Change.RETIME, "half-load", starts_at=at)

    one = drawn_up(
        before=before, measures=amending.amended([A_MEASURE], KILN, Level.YELLOW, [moved]), decision="amend"
    )

    assert one.order.duties[0].starts_at == at
    assert (one.revision.added, one.revision.dropped) == (("half-load",), ())


@pytest.mark.parametrize(("start", "hours"), [(20, 20), (20, 60), (1, 60)])
def test_a_start_that_was_moved_once_stays_there_in_later_revisions(start: int, hours: int) -> None:
    moved = [Amendment(Scope.ALL, Change.RETIME, "half-load", starts_at=NOW + timedelta(hours=start))]
    measures = amending.amended([A_MEASURE], KILN, Level.YELLOW, moved)
    before = drawn_up(before=drawn_up().order, measures=measures, decision="amend").order

    one = drawn_up(before=before, measures=measures, now=NOW + timedelta(hours=hours), decision="again")

    assert one.revision.kind == "information"
    assert one.order.duties == before.duties


def test_a_start_signed_too_late_is_the_moment_it_was_announced() -> None:
    moved = Amendment(Scope.ALL, Change.RETIME, "half-load", starts_at=NOW + timedelta(hours=1))

    one = drawn_up(measures=amending.amended([A_MEASURE], KILN, Level.YELLOW, [moved]))

    assert one.order.duties[0].starts_at == one.order.effective_at


def test_changes_add_up_while_the_level_holds() -> None:
    some = [
        BEGUN,
        signed(Move.AMEND, Level.YELLOW, OWN, before=Level.YELLOW, at=1),
        signed(Move.EXTEND, Level.YELLOW, before=Level.YELLOW, at=2),
        signed(Move.AMEND, Level.YELLOW, DROP, before=Level.YELLOW, at=3),
    ]

    assert amending.in_force(reversed(some)) == (OWN, DROP)
    assert amending.in_force([*some[:3], replace(some[3], standing=Standing.PROPOSED)]) == (OWN,)


@pytest.mark.parametrize(
    ("move", "level"), [(Move.UPGRADE, Level.ORANGE), (Move.DOWNGRADE, Level.BLUE)]
)
def test_a_change_of_level_ends_them_except_those_signed_to_stay(move: Move, level: Level) -> None:
    stays = replace(DROP, stays=True)
    some = [BEGUN, signed(Move.AMEND, Level.YELLOW, OWN, stays, before=Level.YELLOW, at=1)]
    change = signed(move, level, before=Level.YELLOW, at=2)

    assert amending.in_force([*some, change]) == (stays,)
    assert amending.through(some, change) == (stays,)
    assert amending.ended_by(some, change) == (OWN,)


@pytest.mark.parametrize("move", [Move.RELEASE, Move.WITHDRAW])
def test_the_end_of_the_response_ends_every_change(move: Move) -> None:
    stays = replace(DROP, stays=True)
    some = [BEGUN, signed(Move.AMEND, Level.YELLOW, stays, before=Level.YELLOW, at=1)]
    over = signed(move, Level.NONE, before=Level.YELLOW, at=2)

    assert amending.in_force([*some, over]) == ()
    assert amending.in_force([*some, over, signed(Move.REOPEN, Level.YELLOW, before=Level.NONE, at=3)]) == ()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"names": ()}, amending.NobodyNamed),
        ({"names": ("  ",)}, amending.NobodyNamed),
        ({"scope": Scope.KIND, "names": ("kiln",)}, amending.NobodyNamed),
        ({"scope": Scope.RECIPIENTS, "names": ("1",)}, amending.NobodyNamed),
        ({"scope": Scope.ALL}, amending.NoSuchChange),
        ({"key": ""}, amending.NoMeasureNamed),
        ({"text": " "}, amending.NoWords),
        ({"text": "长" * 121}, amending.NoWords),
        ({"check": ""}, amending.NoCheck),
        ({"force": "brute"}, amending.NoSuchChange),
        ({"starts_at": NOW - timedelta(minutes=1)}, amending.NoStart),
        ({"change": Change.RETIME}, amending.NoStart),
        ({"change": Change.REWORD, "was": "夜间停止装卸"}, amending.NoWords),
    ],
)
def test_nonsense_is_refused_by_name(wrong: dict[str, Any], why: type[Refused]) -> None:
    assert amending.checked([OWN], now=NOW) == (OWN,)

    with pytest.raises(why):
        amending.checked([replace(OWN, **wrong)], now=NOW)


def test_one_decision_says_one_thing_of_a_measure_and_not_too_many() -> None:
    with pytest.raises(amending.SaidTwice):
        amending.checked([DROP, replace(DROP, change=Change.REWORD, text="改成别的")], now=NOW)
    with pytest.raises(amending.TooMany):
        amending.checked([replace(DROP, key=f"key-{n}") for n in range(amending.MOST + 1)], now=NOW)


@pytest.mark.parametrize("one", [OWN, DROP, replace(OWN, starts_at=NOW, stays=True, text_en="No loading at night")])
def test_a_change_comes_back_from_its_json_as_it_was(one: Amendment) -> None:
    assert amending.from_data(json.loads(json.dumps(amending.as_data(one)))) == one


@pytest.mark.parametrize(
    "wrong",
    [
        {"scope": "everybody"}, {"change": "destroy"}, {"colour": "red"}, {"text": 5}, {"stays": "yes"},
        {"starts_at": "soon"}, {"starts_at": "2026-01-01T00:00:00"}, {"names": "brick_kiln"},
    ],
)  # fmt: skip
def test_json_that_is_no_change_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(amending.NoSuchChange):
        amending.from_data({**amending.as_data(OWN), **wrong})


def test_a_signature_covers_every_word_of_a_change() -> None:
    told = signed(Move.AMEND, Level.YELLOW, OWN, before=Level.YELLOW, at=1)
    other = replace(told, amendments=(amending.as_data(replace(OWN, text="夜间不得装卸")),))

    assert content_sha(told) != content_sha(other)


def test_the_kinds_that_can_be_named_are_those_there_are() -> None:
    for kind in RecipientKind:
        amending.checked([replace(OWN, scope=Scope.KIND, names=(kind.value,))], now=NOW)
