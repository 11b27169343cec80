"""Holes that this kind of system is known to have, each closed here where no other test closes it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from emergency.domain.episode import Phase
from emergency.domain.level import Level
from emergency.domain.messages import Kind, Lane, State, message_id
from emergency.domain.orders import Action, Status
from emergency.errors import Conflict
from emergency.store.tables import AnswerRow, JournalRow
from tests import conftest
from tests.builders import an_episode
from tests.world import DISTRICT, World


def test_a_line_of_the_journal_is_canonical_json_under_its_own_hash(world: World) -> None:
    world.activated()
    world.answer(world.an_order())

    with world.store.reading() as tx:
        lines = tx.connection.execute(select(JournalRow.entry, JournalRow.sha256)).all()

    assert len(lines) > 50
    for entry, sha256 in lines:
        assert hashlib.sha256(entry.encode()).hexdigest() == sha256
        assert json.dumps(json.loads(entry), sort_keys=True, ensure_ascii=False, separators=(",", ":")) == entry


def test_an_area_has_one_running_episode_however_it_is_written(world: World) -> None:
    running = world.activated()
    another = an_episode(id=uuid4(), area=DISTRICT, plan_id=running.plan_id, phase=Phase.OPENING)

    with pytest.raises(Conflict), world.store.transactions() as tx:
        tx.save(another, fact="episode.opened", by="test", at=world.now)


def test_an_episode_has_one_decision_that_waits(world: World) -> None:
    waiting = world.bulletin(Level.YELLOW)
    assert waiting is not None
    second = replace(waiting, id=uuid4(), version=0)

    with pytest.raises(Conflict), world.store.transactions() as tx:
        tx.save(second, fact="decision.proposed", by="test", at=world.now)


def test_the_civil_clock_may_run_fast_and_no_lease_runs_out(world: World) -> None:
    world.activated(deliver=False)
    with world.store.transactions() as tx:
        (held,) = tx.outbox.claim("sms", Lane.URGENT, limit=1, now=world.wall.now())

    world.clock.forward(hours=6)
    with world.store.transactions() as tx:
        assert tx.outbox.reclaim(now=world.wall.now()) == 0
    world.wall.forward(seconds=31)
    with world.store.transactions() as tx:
        assert tx.outbox.reclaim(now=world.wall.now()) == 1
        assert tx.message(held.id).state is State.READY


def test_sqlite_keeps_what_was_signed_through_a_power_cut_and_its_readers_write_nothing(world: World) -> None:
    if world.store.dialect != "sqlite":
        pytest.skip("how SQLite is opened")

    with world.store.transactions() as tx:
        assert tx.connection.execute(text("PRAGMA synchronous")).scalar() == 2, "FULL"
        assert tx.connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
    with world.store.reading() as tx:
        assert tx.connection.execute(text("PRAGMA query_only")).scalar() == 1


def test_an_answer_to_a_release_that_comes_days_late_is_kept_and_changes_nothing(world: World) -> None:
    world.activated()
    order = world.an_order()
    world.released()
    world.forward(hours=72, step=24 * 60)

    done = world.answer(world.order(order.id))

    assert done.ended
    assert world.order(order.id).status is Status.LIFTED
    with world.store.reading() as tx:
        kept = tx.connection.execute(select(AnswerRow.action).where(AnswerRow.order_id == order.id)).all()
    assert [row.action for row in kept] == [Action.ACKNOWLEDGE.value]


def an_id(
    *, revision: int = 1, kind: Kind = Kind.REMINDER, rung: str = "remind", channel: str = "sms", contact: int = 1
) -> UUID:
    """The id of a message about one order."""
    about = UUID(int=9)
    return message_id(about, revision=revision, kind=kind, rung=rung, channel=channel, contact=UUID(int=contact))


def test_a_message_is_one_for_its_revision_kind_step_channel_and_contact() -> None:
    others = [an_id(revision=2), an_id(kind=Kind.ORDER), an_id(rung="again"), an_id(channel="voice"), an_id(contact=2)]

    assert an_id() == an_id()
    assert len({an_id(), *others}) == len(others) + 1


def test_a_service_that_ci_demands_and_is_not_there_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conftest, "REQUIRED", {"a service nobody has"})

    with pytest.raises(pytest.UsageError, match="a service nobody has"):
        conftest.pytest_configure(None)  # type: ignore[arg-type]  # it asks nothing of it
