"""A district's proposal lapses when the city takes back, ends or replaces its notice before the signature."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from emergency.domain.episode import Decision, Move, Phase, Standing
from emergency.domain.level import Level
from emergency.domain.machine import IllegalMove
from emergency.services import decisions, dispatch, nagging
from emergency.services.drafting import NothingToDismiss
from emergency.store import record, relaying
from tests.world import DISTRICT, World

FIRST, NEWER = "柳气预警〔2015〕3号", "柳气预警〔2015〕4号"
PROPOSER, APPROVER = "lj-duty", "lj-approver3"


@pytest.fixture
def waiting(world: World) -> Decision:
    """The city's orange, entered and not signed."""
    world.forecast(60, 70, 80)
    found = world.bulletin(Level.ORANGE, number=FIRST)
    assert found is not None
    return found


def newer(world: World, action: str, level: Level = Level.NONE, **how: Any) -> Decision | None:
    """The city's next notice, ten minutes later, entered by the district."""
    world.clock.forward(minutes=10)
    return world.bulletin(level, action=action, number=NEWER, effective_at=world.now, **how)


def now_of(world: World, decision: Decision) -> Decision:
    with world.store.reading() as tx:
        return tx.decision(decision.id)


def told(world: World, login: str) -> list[str]:
    """What this person's phone was told of a proposal that lapsed."""
    world.deliver()
    return [one.text for one in world.phone.to(world.person(login).phone) if "不能再签" in one.text]


def facts(world: World, decision: Decision) -> list[Any]:
    with world.store.reading() as tx:
        lines = record.journal(tx, decision.episode_id)
    return [one.more for one in lines if (one.what, one.about) == ("decision.notice_replaced", str(decision.id))]


@pytest.mark.parametrize("action", ["withdraw", "release"])
def test_what_waits_on_a_notice_that_was_taken_back_lapses_and_needs_no_decision(
    world: World, waiting: Decision, action: str
) -> None:
    assert newer(world, action) is None

    lapsed = now_of(world, waiting)
    assert (lapsed.standing, lapsed.notice_replaced) == (Standing.LAPSED, True)
    assert NEWER in lapsed.decided_because
    assert [(one["number"], one["action"]) for one in facts(world, waiting)] == [(NEWER, action)]
    for login in (PROPOSER, APPROVER):
        (text,) = told(world, login)
        assert NEWER in text
    with world.store.reading() as tx:
        assert tx.waiting_decision(waiting.episode_id) is None
        assert tx.bulletin_known(DISTRICT, NEWER, action), "it stays received"
        assert [one.kind for one in tx.open_tasks([DISTRICT]) if one.kind == "relay"] == []
        assert relaying.left(tx, [DISTRICT]) == []
    with pytest.raises(IllegalMove):
        world.sign(waiting, by=APPROVER)


def test_its_alarm_ends_and_nobody_is_reminded_of_it_again(world: World, waiting: Decision) -> None:
    world.clock.forward(minutes=90)
    nagging.lapse_overdue(world.store, world.rules, now=world.now)
    with world.store.reading() as tx:
        assert f"undecided:{waiting.id}" in [one.name for one in tx.standing_alarms()]

    newer(world, "withdraw")
    world.clock.forward(minutes=90)

    assert nagging.lapse_overdue(world.store, world.rules, now=world.now) == 0
    with world.store.reading() as tx:
        assert f"undecided:{waiting.id}" not in [one.name for one in tx.standing_alarms()]


def test_another_level_takes_its_place_and_is_what_waits(world: World, waiting: Decision) -> None:
    after = newer(world, "upgrade", Level.RED)

    assert after is not None
    assert now_of(world, waiting).notice_replaced
    assert world.sign(after, by=APPROVER).level is Level.RED


def test_back_to_the_level_in_force_nothing_waits_and_nothing_is_listed_as_not_followed(world: World) -> None:
    world.activated(Level.YELLOW)
    world.clock.forward(minutes=10)
    raised = world.bulletin(Level.ORANGE, action="upgrade", number=FIRST)
    assert raised is not None

    assert newer(world, "downgrade", Level.YELLOW) is None

    assert now_of(world, raised).notice_replaced
    with world.store.reading() as tx:
        assert relaying.left(tx, [DISTRICT]) == []
    assert (world.episode().phase, world.episode().level) == (Phase.ACTIVE, Level.YELLOW)


@pytest.mark.parametrize("how", ["the same level", "an older paper", "an extension"])
def test_what_replaces_nothing_lets_nothing_go(world: World, waiting: Decision, how: str) -> None:
    match how:
        case "the same level":
            newer(world, "activate", Level.ORANGE)
        case "an older paper":
            before = world.now - timedelta(hours=1)
            newer(world, "withdraw", issued_at=before, received_at=before)
        case _:
            newer(world, "extend", Level.ORANGE)

    assert facts(world, waiting) == []
    assert not now_of(world, waiting).notice_replaced


def test_what_is_in_force_is_ended_by_two_people_as_before(world: World) -> None:
    running = world.activated(Level.YELLOW)

    ends = newer(world, "withdraw")

    assert ends is not None
    assert (ends.move, ends.standing) == (Move.WITHDRAW, Standing.PROPOSED)
    assert (world.episode().id, world.episode().phase) == (running.id, Phase.ACTIVE)
    assert told(world, APPROVER) == []


def test_the_citys_own_signature_lets_it_go_before_the_paper_is_entered(world: World) -> None:
    citys = world.decide(world.forecast(120, 193, 229)[0])
    waiting = world.bulletin(citys.level, number=citys.notice.number)
    assert waiting is not None
    world.clock.forward(minutes=10)

    taken_back = world.decide(world.propose(Move.WITHDRAW, Level.NONE, reason="误发", override_because="误发"))

    lapsed = now_of(world, waiting)
    assert lapsed.notice_replaced
    assert taken_back.notice.number in lapsed.decided_because
    assert len(told(world, APPROVER)) == 1
    with pytest.raises(NothingToDismiss):
        world.propose(Move.DISMISS, Level.NONE, area=DISTRICT, by=PROPOSER, override_because="通知已撤回")


def test_a_signature_that_is_overtaken_by_the_withdrawal_starts_nothing(
    world: World, waiting: Decision, monkeypatch: pytest.MonkeyPatch
) -> None:
    written_out = dispatch.written_out

    def overtaken(*args: Any, **how: Any) -> dispatch.Prepared:
        """The withdrawal is entered while the orders are drawn up."""
        if now_of(world, waiting).standing is Standing.PROPOSED:
            newer(world, "withdraw")
        return written_out(*args, **how)

    monkeypatch.setattr(decisions.dispatch, "written_out", overtaken)

    with pytest.raises(IllegalMove):
        world.sign(waiting, by=APPROVER)

    assert now_of(world, waiting).notice_replaced
    with world.store.reading() as tx:
        assert tx.episode(waiting.episode_id).phase is Phase.DISMISSED


# --- papers in the wrong order: the time of issue decides, not the arrival


def late(world: World, level: Level, *, action: str, issued_before: timedelta) -> Decision | None:
    """A notice the city issued some time ago, which comes in only now."""
    world.clock.forward(minutes=10)
    issued = world.now - issued_before
    return world.bulletin(level, action=action, number=FIRST, issued_at=issued, effective_at=world.now)


def replaced_before(world: World, decision: Decision) -> list[str]:
    with world.store.reading() as tx:
        lines = record.journal(tx, decision.episode_id)
    return [one.more["because"] for one in lines if one.what == "bulletin.replaced_before"]


@pytest.mark.parametrize(
    ("level", "action"),
    [(Level.YELLOW, "activate"), (Level.ORANGE, "activate"), (Level.RED, "upgrade"), (Level.NONE, "withdraw")],
)
def test_what_was_issued_earlier_and_comes_in_later_replaces_nothing_and_asks_for_nothing(
    world: World, level: Level, action: str
) -> None:
    world.forecast(60, 70, 80)
    waiting = world.bulletin(Level.ORANGE, number=NEWER)
    assert waiting is not None

    assert late(world, level, action=action, issued_before=timedelta(hours=2)) is None

    assert now_of(world, waiting).standing is Standing.PROPOSED
    (because,) = replaced_before(world, waiting)
    assert NEWER in because
    with world.store.reading() as tx:
        assert tx.bulletin_known(DISTRICT, FIRST, action), "it stays received"
        assert relaying.left(tx, [DISTRICT]) == []
    assert world.sign(waiting, by=APPROVER).level is Level.ORANGE


@pytest.mark.parametrize("action", ["release", "withdraw"])
def test_an_old_end_that_comes_in_after_a_newer_notice_is_no_proposal_to_end_what_it_began(
    world: World, action: str
) -> None:
    decision = world.bulletin(Level.ORANGE, number=NEWER)
    assert decision is not None
    world.sign(decision, by=APPROVER)

    assert late(world, Level.NONE, action=action, issued_before=timedelta(hours=2)) is None

    with world.store.reading() as tx:
        assert tx.waiting_decision(decision.episode_id) is None
    assert (world.episode().phase, world.episode().level) == (Phase.ACTIVE, Level.ORANGE)


def test_an_adjustment_inside_the_level_that_comes_in_late_still_counts(world: World) -> None:
    decision = world.bulletin(Level.ORANGE, number=NEWER)
    assert decision is not None
    world.sign(decision, by=APPROVER)

    found = late(world, Level.ORANGE, action="amend", issued_before=timedelta(hours=2))

    assert found is not None
    assert found.move is Move.AMEND


def in_hours(world: World, hours: int) -> Any:
    return world.now + timedelta(hours=hours)


def test_an_extension_issued_earlier_moves_no_end_back(world: World) -> None:
    first = world.bulletin(Level.YELLOW, number="柳气预警〔2015〕1号", expected_end_at=in_hours(world, 24))
    assert first is not None
    world.sign(first, by=APPROVER)
    end = in_hours(world, 72)
    extended = newer(world, "extend", Level.YELLOW, expected_end_at=end)
    assert extended is not None
    world.sign(extended, by=APPROVER)
    before = world.now - timedelta(minutes=5)

    for level in (Level.YELLOW, Level.NONE):
        how = {"issued_at": before, "number": f"柳气预警〔2015〕2{level.word}号", "effective_at": world.now}
        assert world.bulletin(level, action="extend", expected_end_at=in_hours(world, 48), **how) is None

    assert world.episode().expected_end_at == end
    (*_, because) = replaced_before(world, extended)
    assert NEWER in because


@pytest.mark.parametrize("hours", [90, 24, None])
def test_the_same_level_announced_again_with_another_end_is_put_forward_as_an_extension(
    world: World, hours: int | None
) -> None:
    first = world.bulletin(Level.YELLOW, number=FIRST, expected_end_at=in_hours(world, 48))
    assert first is not None
    world.sign(first, by=APPROVER)
    end = None if hours is None else in_hours(world, hours)

    again = newer(world, "activate", Level.YELLOW, expected_end_at=end)

    assert again is not None
    assert (again.move, again.level, again.notice.open_ended) == (Move.EXTEND, Level.YELLOW, hours is None)
    world.sign(again, by=APPROVER)
    assert (world.episode().level, world.episode().expected_end_at) == (Level.YELLOW, end)
    with world.store.reading() as tx:
        assert relaying.owed(tx, DISTRICT) == []


def test_an_extension_taken_back_under_its_number_gives_back_the_end_before_it(world: World) -> None:
    end = in_hours(world, 48)
    first = world.bulletin(Level.YELLOW, number=FIRST, expected_end_at=end)
    assert first is not None
    world.sign(first, by=APPROVER)
    longer = newer(world, "extend", Level.YELLOW, expected_end_at=in_hours(world, 90))
    assert longer is not None
    world.sign(longer, by=APPROVER)

    back = newer(world, "withdraw")

    assert back is not None
    assert (back.move, back.level, back.notice.expected_end_at) == (Move.EXTEND, Level.YELLOW, end)
