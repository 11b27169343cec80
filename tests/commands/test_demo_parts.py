"""The parts of the demo: what its people read from a page, how they answer, and what its verdict will not let pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import filetype
import pytest

from emergency.commands.demo import Asked, _surroundings
from emergency.commands.officers import _bulletin, scanned
from emergency.commands.owners import Owners, Press
from emergency.commands.verdict import AreaFigures, _problems
from emergency.commands.visitor import forms_in
from emergency.domain.episode import Decision, Move, Phase, Standing
from emergency.domain.level import Level
from emergency.domain.orders import Action, Recipient
from emergency.plans.drills import Drill, behaviour_of, load_drill
from tests import builders
from tests.world import PLACE

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2015, 2, 8, 9, 44, tzinfo=UTC)


@pytest.fixture(scope="module")
def drill() -> Drill:
    return load_drill(ROOT / "playbooks" / "drills" / "liuzhou-2015-02.yaml")


# --- what a person finds on a page


def test_a_form_is_sent_as_a_browser_would_send_it_untouched() -> None:
    (form,) = forms_in(
        """<form action="/x?a=1"><input name="n" value="1 &amp; 2"><input type="checkbox" name="c" value="no">
        <input type="checkbox" name="d" value="yes" checked><textarea name="t">
        words</textarea><select name="s"><option value="a">A</option><option value="b" selected>B</option></select>
        <select name="first"><option value="one">1</option><option value="two">2</option></select>
        <input type="file" name="f"><input type="submit" name="go"><button name="press" value="v">go</button></form>"""
    )

    assert form.action == "/x?a=1"
    assert [(name, value.strip()) for name, value in form.fields] == [
        ("n", "1 & 2"), ("d", "yes"), ("t", "words"), ("s", "b"), ("first", "one"),
    ]  # fmt: skip


def test_what_stands_outside_of_a_form_belongs_to_none() -> None:
    first, second = forms_in('<input name="stray"><form action="/a"></form><form action="/b"><input name="b"></form>')

    assert (first.fields, second.fields) == ([], [("b", "")])


# --- how the phones' owners answer


class Quiet(Owners):
    """Owners whose presses are remembered instead of sent."""

    def pressed(self, *, now: datetime) -> list[Press]:
        return sorted(one for one in self._presses if one.at <= now)


def text(recipient: Recipient, **changes: Any) -> dict[str, Any]:
    return {
        "number": 1, "to": recipient.contacts[0].phone, "link": f"http://x/o/{recipient.id.hex[:16]}", "kind": "order",
        "order": str(recipient.id), "episode": "e", "revision": 1, "at": NOW.isoformat(), **changes,
    }  # fmt: skip


def owners(drill: Drill) -> Quiet:
    return Quiet(drill, PLACE.recipients, phones="http://127.0.0.1:1", pages="http://127.0.0.1:1")


def think(some: Quiet, *texts: Mapping[str, Any]) -> None:
    for one in texts:
        some._think(one, {})


def one_of(drill: Drill, **wanted: bool) -> Recipient:
    for recipient in PLACE.recipients:
        behaviour = behaviour_of(drill, recipient)
        silent, declines = behaviour.escalations > 0, bool(behaviour.declines_because)
        if (silent, declines) == (wanted.get("silent", False), wanted.get("declines", False)) and recipient.sample:
            return recipient
    raise AssertionError(f"nobody is {wanted}")


def test_whoever_is_real_answers_before_the_first_reminder(drill: Drill) -> None:
    some = owners(drill)
    real = [one for one in PLACE.recipients if not one.sample and one.contacts]

    think(some, *[text(one) for one in real])

    heard = {one.phone for one in some.pressed(now=NOW + timedelta(minutes=29)) if one.action is Action.ACKNOWLEDGE}
    assert heard == {one.contacts[0].phone for one in real}


def test_a_silent_one_answers_only_after_others_were_told_of_it(drill: Drill) -> None:
    some, silent = owners(drill), one_of(drill, silent=True)
    told = text(silent, kind="escalation", to="00010000001", link="", at=(NOW + timedelta(hours=1)).isoformat())

    think(some, text(silent))
    before = some.next_at
    think(some, *[told] * behaviour_of(drill, silent).escalations)

    assert before is None
    assert some.next_at is not None
    assert some.next_at > NOW + timedelta(hours=1)


def test_one_that_cannot_comply_says_why_and_does_nothing_else(drill: Drill) -> None:
    some, declining = owners(drill), one_of(drill, declines=True)

    think(some, text(declining))

    (press,) = some.pressed(now=NOW + timedelta(days=1))
    assert press.action is Action.DECLINE
    assert press.remark


def test_nobody_says_that_a_measure_is_started_before_it_begins(drill: Drill) -> None:
    some, evening, night = owners(drill), NOW + timedelta(hours=3), NOW + timedelta(hours=7)
    some._begins = lambda _order: (evening, night)
    busy = next(one for one in PLACE.recipients if behaviour_of(drill, one).in_place_after is not None)

    think(some, text(busy))

    pressed = some.pressed(now=NOW + timedelta(days=2))
    starts = [one.at for one in pressed if one.action is Action.START]
    (settles,) = [one.at for one in pressed if one.action is Action.SETTLE]
    assert evening < starts[0] < night < starts[1] < settles


def test_what_was_meant_for_an_older_revision_is_not_said_of_the_newer(drill: Drill) -> None:
    some, recipient = owners(drill), one_of(drill)

    think(some, text(recipient), text(recipient, kind="revision", revision=2))

    assert {one.revision for one in some.pressed(now=NOW + timedelta(days=1))} == {2}


def test_a_line_of_information_asks_for_no_answer(drill: Drill) -> None:
    some = owners(drill)

    think(some, text(one_of(drill), kind="information"))

    assert some.next_at is None


def test_nobody_starts_up_again_before_the_release_takes_effect(drill: Drill) -> None:
    some, midnight = owners(drill), NOW + timedelta(hours=7)

    some._think(text(one_of(drill), kind="lifting"), {"e": midnight})

    (press,) = some.pressed(now=NOW + timedelta(days=1))
    assert press.action is Action.RESUME
    assert press.at > midnight


# --- the paper that goes from desk to desk


def a_signed_decision(**changes: Any) -> Decision:
    return replace(builders.a_proposal(), standing=Standing.APPROVED, decided_at=NOW, **changes)


def test_the_stand_in_for_a_scan_is_a_pdf_that_says_what_it_is() -> None:
    page = scanned(a_signed_decision())

    assert filetype.guess_mime(page) == "application/pdf"
    assert page.rstrip().endswith(b"%%EOF")


def test_the_district_copies_the_citys_notice_field_by_field() -> None:
    decision = a_signed_decision(move=Move.UPGRADE, level=Level.ORANGE)

    said = _bulletin(decision, "450200", received_at=NOW)

    assert (said["number"], said["issuer"]) == (decision.notice.number, decision.notice.issuer)
    assert (said["action"], said["level"], said["areas_covered"]) == ("upgrade", "orange", "450200")
    assert said["received_at"] == "2015-02-08T17:44"


# --- what a run may reach


def test_a_run_leaves_every_feed_channel_and_database_of_its_surroundings_behind(drill: Drill, tmp_path: Path) -> None:
    around = {
        "CHANNEL_SMS_URL": "https://real.example", "CHANNEL_WECOM_KEY": "real", "FEED_BUREAU_KEY": "real",
        "EMERGENCY_DATABASE_URL": "postgresql://real", "EMERGENCY_SECRET_KEY": "real" * 10, "PATH": "/bin",
    }  # fmt: skip

    found = _surroundings(drill, tmp_path, around, port=8000)

    assert not [name for name, value in found.items() if "real" in value and not name.startswith("FEED_REPLAY")]
    assert found["EMERGENCY_WIRE_ALLOW"] == "127.0.0.1:8001"
    assert found["PATH"] == "/bin"
    assert Asked().autopilot is False


# --- the verdict


def good() -> AreaFigures:
    orders = (builders.drawn_up().order,)
    return AreaFigures(
        area="450200.450206", eligible=1, orders=orders, escalated=1, live_at_release=1, lifted=1,
        closed_plant_orders=0, delivered=3, undelivered=0, proposers_differ=True, signed_by=("a", "b"), levels=(),
        phase=Phase.CLOSED,
    )  # fmt: skip


def test_a_run_that_came_to_what_it_must_has_no_problem() -> None:
    assert _problems(good()) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"phase": Phase.RELEASED}, "not closed"),
        ({"phase": None}, "not there"),
        ({"eligible": 2}, "1 orders for 2"),
        ({"orders": ()}, "0 orders for 1"),
        ({"proposers_differ": False}, "two people"),
        ({"lifted": 0}, "0 lifted of 1"),
        ({"closed_plant_orders": 1}, "closed"),
        ({"signed_by": ("a",)}, "signed by a"),
        ({"signed_by": ("a", "a")}, "signed by a"),
        ({"delivered": 0}, "nothing was delivered"),
        ({"undelivered": 4}, "4 messages"),
    ],
)
def test_each_thing_that_must_hold_is_a_problem_when_it_does_not(change: dict[str, Any], named: str) -> None:
    (problem,) = _problems(replace(good(), **change))

    assert named in problem
