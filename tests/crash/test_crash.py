"""Processes die at every named step: nothing is lost, nothing is carried out twice, and what may be twice is listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from emergency.domain.orders import Action
from emergency.services.bundling import NO_ROOM
from tests.conftest import BROKER_URL, Databases
from tests.crash.running import LEASE_S, SWEEP_S, Killed, Running, Told, beside, gone

pytestmark = pytest.mark.timeout(240)
STEPS = ["before_claim", "after_claim", "mid_send", "before_settle", "after_settle"]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[Running]:
    """A worker, beat, the pages and a broker, the district at rest."""
    made = Running(tmp_path_factory.mktemp("crash"), databases.copy(), broker_url=beside(BROKER_URL))
    try:
        made.start("worker", "beat", "web")
        made.up()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def told(running: Running) -> Told:
    """What the suite will say at its end."""
    return Told(running.where)


@pytest.fixture(autouse=True)
def _as_before(running: Running) -> Iterator[None]:
    """Each test begins with a gateway that knows keys and nobody about to die, and ends with an empty post."""
    running.gateway.knows_keys = True
    yield
    running.crash_file.unlink(missing_ok=True)
    running.without_file.unlink(missing_ok=True)
    running.gateway.strike = None
    running.until(running.quiet, "an empty post at the end")


def died(running: Running, step: str) -> Killed:
    """The next process at this step dies, with the worker's own word that it was SIGKILL."""
    killed = running.death(step)
    word = f"pid:{killed.pid} exited with 'signal 9 (SIGKILL)'"
    running.until(lambda: word in running.said("worker"), "the worker's word about its child")
    return killed


def test_without_a_death_every_message_is_on_the_wire_exactly_once(running: Running, told: Told) -> None:
    decision = running.signed()
    running.until(running.quiet, "an empty post")

    tally = running.tally(decision)

    assert len(tally.wanted) > 200
    assert set(tally.requests.values()) == {1}
    assert tally.broken(knows_keys=True) == []
    assert tally.listed == frozenset()
    told.tallies.append((tally, True))


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_at_a_named_step_loses_and_doubles_nothing(running: Running, told: Told, step: str) -> None:
    decision = running.signed(dies_at=step)

    killed = died(running, step)
    running.until(running.quiet, "an empty post")

    tally = running.tally(decision, killed)
    told.killed[step] += 1
    told.tallies.append((tally, True))
    assert tally.broken(knows_keys=True) == []
    assert tally.duplicates <= len(killed.held)
    if step not in ("before_claim", "after_settle"):  # there something may be held, and nothing need be
        assert killed.held
    if step in ("mid_send", "before_settle"):
        assert tally.duplicates, "the step was not where its name says"


def test_at_a_gateway_that_knows_no_keys_whatever_is_carried_out_twice_is_listed(running: Running, told: Told) -> None:
    running.gateway.knows_keys = False
    decision = running.signed(dies_at="before_settle")

    killed = died(running, "before_settle")
    running.until(running.quiet, "an empty post")

    tally = running.tally(decision, killed)
    told.killed["before_settle"] += 1
    told.tallies.append((tally, False))
    assert 0 < tally.applied_twice == tally.duplicates <= len(killed.held)
    assert tally.broken(knows_keys=False) == []
    assert running.tries(next(iter(tally.doubled))) == ["uncertain", "sent"]


def test_the_pages_killed_between_signature_and_wake_up_send_the_orders_all_the_same(
    running: Running, told: Told
) -> None:
    running.arm("before_wake")

    decision = running.signed_on_the_pages()
    killed = running.death("before_wake")
    running.until(running.quiet, "an empty post")

    tally = running.tally(decision)
    told.killed["web"] += 1
    told.tallies.append((tally, True))
    assert len(tally.wanted) > 200
    assert set(tally.requests.values()) == {1}
    assert tally.broken(knows_keys=True) == []
    running.until(lambda: f"Worker (pid:{killed.pid}) was sent SIGKILL" in running.said("web"), "the master's word")


def test_a_broker_flushed_in_mid_dispatch_loses_nothing(running: Running, told: Told) -> None:
    decision = running.signed()
    running.until(running.held, "something on its way")

    running.redis("flushall" if running.own_broker else "flushdb")
    running.until(running.quiet, "an empty post")

    tally = running.tally(decision)
    told.tallies.append((tally, True))
    assert set(tally.requests.values()) == {1}
    assert tally.broken(knows_keys=True) == []


def test_a_broker_killed_in_mid_dispatch_and_started_again_loses_nothing(running: Running, told: Told) -> None:
    if not running.own_broker:
        pytest.skip("a broker that others use is not ours to kill; the embedded run kills its own")
    decision = running.signed()
    running.until(running.held, "something on its way")

    code = running.kill("broker")
    running.start_broker()
    running.until(running.quiet, "an empty post")

    tally = running.tally(decision)
    told.killed["broker"] += 1
    told.tallies.append((tally, True))
    assert code == -9
    assert set(tally.requests.values()) == {1}
    assert tally.broken(knows_keys=True) == []


def test_a_deadline_that_passed_with_beat_dead_and_the_broker_empty_fires_once_and_two_beats_double_nothing(
    running: Running, told: Told
) -> None:
    if not told.tallies:  # alone, with no test before it that has signed
        running.signed()
        running.until(running.quiet, "an empty post")
    answered = running.world.an_order()
    running.world.answer(answered, Action.ACKNOWLEDGE)
    running.arm("beat_tick")
    killed = running.death("beat_tick")
    code = running.buried("beat")
    running.redis("flushall" if running.own_broker else "flushdb")
    running.turn(hours=1)

    running.start("beat", "second-beat")
    silent = {one.id for one in running.world.orders() if one.id != answered.id}
    running.until(lambda: silent <= set(chased(running)) | put_off(running), "a step for everybody who is silent")
    running.until(running.quiet, "an empty post")
    reminded = chased(running)
    decision = running.signed()
    running.until(running.quiet, "an empty post")
    running.end("second-beat")

    tally = running.tally(decision)
    told.killed["beat"] += 1
    told.tallies.append((tally, True))
    assert code == -9
    assert gone(killed.pid)
    assert set(reminded.values()) == {1}, "steps missed in an outage are one"
    assert set(reminded) <= silent
    assert len(reminded) > 0.9 * len(silent), "the others are put off: whoever they lead to has had enough this hour"
    assert set(tally.requests.values()) == {1}
    assert tally.broken(knows_keys=True) == []


def put_off(running: Running) -> set[UUID]:
    """The orders whose step is put off, because those it would tell have had enough for this hour."""
    now = running.world.now
    soon = [one for one in running.world.orders() if one.next_rung_at and now < one.next_rung_at <= now + NO_ROOM]
    return {one.id for one in soon}


def chased(running: Running) -> Counter[object]:
    """How many steps of the ladder each order has taken since it was last drawn up."""
    latest = {one.id: one.revision for one in running.world.orders()}
    with running.world.store.reading() as tx:
        rows = tx.rungs_taken(running.world.episode().id)
        return Counter(row.order_id for row in rows if latest[row.order_id] == row.revision)


def test_the_whole_worker_killed_and_started_again_loses_nothing(running: Running, told: Told) -> None:
    decision = running.signed()
    running.until(running.held, "something on its way")

    code = running.kill("worker")
    held = running.held()
    running.start("loose-worker")  # all its guards are in
    running.until(running.quiet, "an empty post")

    tally = running.tally(decision, Killed("the whole worker", 0, held))
    told.killed["worker"] += 1
    told.tallies.append((tally, True))
    assert code == -9
    assert tally.broken(knows_keys=True) == []


@pytest.mark.parametrize(
    ("guard", "step", "seen"),
    [
        ("reclaim", "after_claim", "lost"),
        ("one-key", "before_settle", "applied twice"),
        ("lease", "", "sent again though nobody had died with it"),
    ],
)
def test_with_a_guard_taken_out_the_same_counts_are_wrong(running: Running, guard: str, step: str, seen: str) -> None:
    if "worker" in running.children:  # this test alone
        running.end("worker")
        running.start("loose-worker")
    running.without_file.write_text(guard, "utf-8")
    decision = running.signed(dies_at=step)

    kills = [running.death(step)] if step else []
    time_enough = running.world.wall.now() + timedelta(seconds=LEASE_S + 4 * SWEEP_S if step else 0)
    running.until(lambda: running.world.wall.now() > time_enough, "the end of the lease")
    running.until(
        lambda: any(seen in one for one in running.tally(decision, *kills).broken(knows_keys=True)),
        f"«{seen}» without {guard}",
    )


def test_the_suite_says_what_it_has_counted(told: Told, record_property: pytest.RecordProperty) -> None:
    record_property("told", told.line())

    assert told.killed.total() >= len(STEPS)
