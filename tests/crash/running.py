"""The whole system as real processes over a real database and broker, and what a crash leaves behind, counted."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import chain, cycle
from pathlib import Path
from uuid import UUID

from redis import Redis
from sqlalchemy import and_, func, not_, or_, select

from emergency import clock
from emergency.broker import spelt
from emergency.clock import SharedClock, WallClock
from emergency.commands import stack as stacks
from emergency.commands.stack import Child, Stack
from emergency.commands.visitor import NotTaken, Visitor
from emergency.domain.episode import Decision
from emergency.domain.level import Level
from emergency.domain.messages import State
from emergency.errors import Unavailable
from emergency.services.links import Links
from emergency.steps import SETTING
from emergency.store import connect
from emergency.store.bulk import table
from emergency.store.tables import AttemptRow, MessageRow, RevisionRow, SlotRow
from tests.crash.gateway import Gateway
from tests.world import PASSWORD, START, World

SECRET = "a secret for crash tests only, long enough for anybody"
LEASE_S, SWEEP_S = 3.0, 0.5
SOON_S = 30.0  # what recovery may take, whatever died
WORDS = {
    "before_claim": "before the claim", "after_claim": "after the claim", "mid_send": "in mid-send",
    "before_settle": "before settling", "after_settle": "after settling",
}  # fmt: skip


@dataclass(frozen=True)
class Killed:
    """One death: at which step, of whom, and the messages that were claimed and unsettled then."""

    step: str
    pid: int
    held: frozenset[UUID]


@dataclass(frozen=True)
class Tally:
    """What came of one event's messages, counted at the gateway and in the tables."""

    wanted: frozenset[UUID]
    lost: frozenset[UUID]
    requests: Mapping[UUID, int]
    applied_twice: int
    listed: frozenset[UUID]
    kills: tuple[Killed, ...] = ()
    unwritten: int = 0  # revisions without a message

    @property
    def doubled(self) -> frozenset[UUID]:
        """Messages that were on the wire more than once."""
        return frozenset(key for key, times in self.requests.items() if times > 1)

    @property
    def duplicates(self) -> int:
        """Requests beyond the first of each message."""
        return sum(times - 1 for times in self.requests.values() if times > 1)

    def broken(self, *, knows_keys: bool) -> list[str]:
        """The promises that were not kept, each in a sentence; none = all were."""
        may = Counter(key for one in self.kills for key in one.held)
        found = []
        if self.lost or self.unwritten:
            found.append(f"lost {len(self.lost) + self.unwritten}")
        if any(times > 1 + may[key] for key, times in self.requests.items()):
            found.append("sent again though nobody had died with it")
        if unlisted := self.doubled - self.listed:
            found.append(f"{len(unlisted)} went out again and are not listed as ambiguous")
        if knows_keys and self.applied_twice:
            found.append(f"applied twice {self.applied_twice}")
        return found


@dataclass
class Told:
    """The figures of a whole suite, for its closing line."""

    where: str
    tallies: list[tuple[Tally, bool]] = field(default_factory=list)
    killed: Counter[str] = field(default_factory=Counter)

    def line(self) -> str:
        """The closing line."""
        lost = sum(len(one.lost) + one.unwritten for one, _ in self.tallies)
        twice = sum(one.applied_twice for one, knows in self.tallies if knows)
        per_kill = ", ".join(
            f"{WORDS.get(one.kills[0].step, one.kills[0].step)} {one.duplicates} of {len(one.kills[0].held)}"
            for one, _ in self.tallies
            if len(one.kills) == 1
        )
        again = sum(one.duplicates for one, _ in self.tallies)
        held = sum(len(each.held) for one, _ in self.tallies for each in one.kills)
        doubled = sum(len(one.doubled) for one, _ in self.tallies)
        listed = sum(len(one.doubled & one.listed) for one, _ in self.tallies)
        sent = sum(len(one.wanted) for one, _ in self.tallies)
        return (
            f"crash ({self.where}): {self.killed.total()} kills over {sent} messages, lost {lost}, "
            f"applied twice {twice}; again on the wire {again} of {held} held{f' ({per_kill})' if per_kill else ''}; "
            f"ambiguous and listed {listed} of {doubled}"
        )


class Running:
    """A city and a district on real processes: a worker, beat, the pages, a broker, and a gateway that counts."""

    def __init__(self, folder: Path, database_url: str, *, broker_url: str = "") -> None:
        self.folder, self.gateway = folder, Gateway()
        self.crash_file = folder / "crash" / "step"
        self.without_file = folder / "without"
        self.crash_file.parent.mkdir(parents=True)
        self.pages = stacks.taken(0)
        self.port = self.pages.getsockname()[1]
        self.stack = Stack(folder, self._environ(database_url))
        self.own_broker = not broker_url
        self.broker_url = broker_url
        if self.own_broker:
            self.start_broker()
        self.stack.environ["EMERGENCY_BROKER_URL"] = self.broker_url
        self.redis("flushdb")
        self.world = self._world(database_url)
        self.where = f"{self.world.store.dialect}, {'embedded broker' if self.own_broker else 'redis'}"
        first = [(Level.YELLOW, "activate"), (Level.ORANGE, "upgrade")]
        self._levels = chain(first, cycle([(Level.RED, "upgrade"), (Level.ORANGE, "downgrade")]))
        self.children: dict[str, Child] = {}

    def _environ(self, database_url: str) -> dict[str, str]:
        ours = ("EMERGENCY_", "FEED_", "CHANNEL_", "API_")
        return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | {
            "EMERGENCY_DATA_DIR": str(self.folder),
            "EMERGENCY_DATABASE_URL": database_url,
            "EMERGENCY_SECRET_KEY": SECRET,
            "EMERGENCY_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "EMERGENCY_CLOCK_FILE": str(self.folder / "clock.json"),
            "EMERGENCY_SWEEP_SECONDS": str(SWEEP_S),
            "EMERGENCY_LEASE_SECONDS": str(LEASE_S),
            "EMERGENCY_WIRE_ALLOW": self.gateway.place,
            "CHANNEL_SMS_URL": f"http://{self.gateway.place}/",
            "CHANNEL_SMS_KEY": "made-up-for-crash-tests",
            "CHANNEL_SMS_CONNECTIONS": "4",
            "CHANNEL_SMS_TIMEOUT": "1",
            "PYTHONUNBUFFERED": "1",
            SETTING: str(self.crash_file),
        }

    def _world(self, database_url: str) -> World:
        world = World(connect(database_url, lease=timedelta(seconds=LEASE_S)))
        shared = SharedClock(self.folder / "clock.json")
        shared.turn_to(START, speed=1.0)
        world.clock, world.wall = shared, WallClock()  # type: ignore[assignment]  # here the processes share them
        links = Links(SECRET.encode(), self.stack.environ["EMERGENCY_PUBLIC_URL"])
        world.rules = replace(world.rules, wall=world.wall, links=links)
        return world

    # --- processes

    def start(self, *names: str) -> None:
        """Start these: worker, beat, second-beat, web, or loose-worker, whose guards can be taken out."""
        python = sys.executable
        for name in names:
            if name == "web":
                app = "emergency.commands.running:web_app()"
                self.children[name] = stacks.start_web(self.stack, name, app, self.pages, threads=4)
            elif name in ("beat", "second-beat"):
                argv = [python, "-m", "emergency", "worker", "--beat-only"]
                self.children[name] = self.stack.start(name, argv)
            elif name == "worker":
                argv = [python, "-m", "emergency", "worker", "--concurrency", "2"]
                self.children[name] = self.stack.start(name, argv)
            else:
                argv = stacks.worker_command(queues=(), concurrency=2, beat=False)
                argv[argv.index("workers.app")] = "tests.crash.mutants"
                self.children[name] = self.stack.start(name, argv, environ={"CRASH_WITHOUT": str(self.without_file)})

    def start_broker(self) -> None:
        """An embedded broker at the same place as the one before, with what that one had kept."""
        self.broker_url = stacks.start_broker(self.stack)

    def kill(self, name: str) -> int:
        """SIGKILL this process and all of its children; how it ended."""
        child = self._gone(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.process.pid, signal.SIGKILL)
        return child.process.wait(10)

    def buried(self, name: str) -> int:
        """How a process ended that was to die by itself."""
        return self._gone(name).process.wait(10)

    def end(self, name: str) -> None:
        """Ask this process to end, and wait for it."""
        child = self._gone(name)
        child.process.terminate()
        child.process.wait(15)

    def _gone(self, name: str) -> Child:
        child = self.children.pop(name, None) or next(one for one in self.stack.children if one.name == name)
        self.stack.children.remove(child)
        return child

    def said(self, name: str) -> str:
        """What this process has written."""
        return (self.folder / "log" / f"{name}.log").read_text("utf-8", "replace")

    def redis(self, word: str) -> None:
        """Say one word to the broker, such as ``flushall``."""
        with Redis.from_url(spelt(self.broker_url).redis) as client:
            client.execute_command(word)

    def up(self) -> None:
        """Wait until beat wakes the worker and the pages answer."""
        before = self.heard("sweep")
        self.until(lambda: self.heard("sweep") != before, "the first sweep")
        if "web" in self.children:
            self.until(lambda: stacks.answers(self.port, "/healthz"), "the pages")

    def heard(self, name: str) -> object:
        """When this task last left its heartbeat."""
        with self.world.store.reading() as tx:
            return tx.heartbeats().get(name)

    def close(self) -> None:
        """End everything."""
        self.stack.stop()
        self.pages.close()
        self.gateway.close()
        self.world.store.dispose()

    # --- events

    def drawn_up(self) -> Decision:
        """The city's next notice, entered at the district's desk, its approvers told; not yet signed."""
        level, action = next(self._levels)
        decision = self.world.bulletin(level, action=action)
        assert decision is not None
        self.until(self.quiet, "an empty post before the signature")
        return decision

    def signed(self, *, dies_at: str = "") -> Decision:
        """The next notice, signed: two hundred orders in the post, and nobody woken; whoever comes there first dies."""
        decision = self.drawn_up()
        if dies_at:
            self.arm(dies_at)
        return self.world.sign(decision, by="lj-approver3")

    def signed_on_the_pages(self) -> Decision:
        """The next notice, signed at a browser; the server may die over it."""
        decision = self.drawn_up()
        page = f"/console/decisions/{decision.id}"
        visitor = Visitor(f"http://127.0.0.1:{self.port}", "lj-approver3", PASSWORD)
        with contextlib.suppress(Unavailable, NotTaken):
            visitor.press(page, f"{page}/sign")
        visitor.leave()
        return decision

    def turn(self, *, hours: float) -> None:
        """Let so much civil time pass at once, for everybody."""
        SharedClock(self.folder / "clock.json").turn_to(self.world.now + timedelta(hours=hours), speed=1.0)

    # --- deaths

    def arm(self, step: str) -> None:
        """
        The next process that comes to this step dies there.

        In mid-send nothing of ours is passed: the gateway kills whoever drains, while its request waits for an answer.
        """
        if step == "mid_send":
            self.gateway.strike = self._strike
            return
        draft = self.crash_file.with_suffix(".draft")
        draft.write_text(step, "utf-8")
        draft.replace(self.crash_file)

    def _strike(self) -> None:
        pid = int(self.holder().rpartition(":")[2])
        os.kill(pid, signal.SIGKILL)
        (self.crash_file.parent / f"mid_send.{pid}").touch()

    def death(self, step: str) -> Killed:
        """Wait for the death at this step; whose it was and what it held."""
        self.until(lambda: list(self.crash_file.parent.glob(f"{step}.[0-9]*")), f"the death {step}")
        (mark,) = self.crash_file.parent.glob(f"{step}.[0-9]*")
        pid = int(mark.suffix[1:])
        self.until(lambda: gone(pid), f"the end of {pid}")
        held = self.held()
        mark.unlink()
        return Killed(step, pid, held)

    def held(self) -> frozenset[UUID]:
        """The messages that are claimed and unsettled now."""
        with self.world.store.reading() as tx:
            rows = tx.connection.execute(select(MessageRow.id).where(MessageRow.state == State.SENDING.value))
            return frozenset(row.id for row in rows)

    def holder(self) -> str:
        """Who drains now, or did last, as it signs."""
        with self.world.store.reading() as tx:
            rows = tx.connection.execute(select(SlotRow.holder).order_by(SlotRow.leased_until.desc()))
            return str(rows.first().holder)  # type: ignore[union-attr]  # somebody is sending

    # --- looking

    def quiet(self) -> bool:
        """Whether nothing waits to be sent or settled but the bundles that still gather."""
        gathers = and_(MessageRow.rung == "bundle", MessageRow.due_at > self.world.wall.now())
        on_way = or_(
            MessageRow.state == State.SENDING.value, and_(MessageRow.state == State.READY.value, not_(gathers))
        )
        with self.world.store.reading() as tx:
            query = select(func.count()).select_from(table(MessageRow)).where(on_way)
            return tx.connection.execute(query).scalar_one() == 0

    def until(self, so: Callable[[], object], what: str, *, seconds: float = SOON_S) -> None:
        """Wait until it is so; an AssertionError with the last words of everybody when it does not come to it."""
        ends_at = clock.seconds() + seconds
        while not so():
            if clock.seconds() > ends_at:
                words = "\n".join(f"{one.name}: {one.last_words(4)}" for one in self.stack.children)
                raise AssertionError(f"{what} did not come within {seconds:.0f} s\n{words}")
            clock.pause(0.05)

    def tally(self, decision: Decision, *kills: Killed) -> Tally:
        """Count what came of a decision's messages; those that wait still are lost for now."""
        with self.world.store.reading() as tx:
            rows = tx.connection.execute(
                select(MessageRow.id, MessageRow.state).where(
                    MessageRow.decision_id == decision.id, MessageRow.order_id.is_not(None)
                )
            ).all()
            revisions = select(func.count()).select_from(table(RevisionRow))
            written = tx.connection.execute(revisions.where(RevisionRow.decision_id == decision.id)).scalar_one()
            listed = frozenset(tx.outbox.perhaps_twice(decision.episode_id))
        ours = {str(one.order_id) for one in self._messages(decision)}
        wanted = frozenset(row.id for row in rows)
        arrived = (State.SENT.value, State.DELIVERED.value)
        lost = {row.id for row in rows if row.state not in arrived or not self.gateway.requests[row.id]}
        revision = {one.revision for one in self._messages(decision)}
        twice = sum(
            times - 1
            for (_, order, number, _, _), times in self.gateway.applied.items()
            if times > 1 and order in ours and number in revision
        )
        seen = {key: self.gateway.requests[key] for key in wanted}
        return Tally(wanted, frozenset(lost), seen, twice, listed, kills, max(0, written - len(wanted)))

    def _messages(self, decision: Decision) -> list[MessageRow]:
        with self.world.store.reading() as tx:
            query = select(MessageRow.order_id, MessageRow.revision).where(
                MessageRow.decision_id == decision.id, MessageRow.order_id.is_not(None)
            )
            return list(tx.connection.execute(query))  # type: ignore[arg-type]  # rows of these two columns

    def tries(self, message_id: UUID) -> list[str]:
        """How each attempt at a message went."""
        with self.world.store.reading() as tx:
            query = select(AttemptRow.outcome).where(AttemptRow.message_id == message_id).order_by(AttemptRow.id)
            return [row.outcome for row in tx.connection.execute(query)]


def gone(pid: int) -> bool:
    """Whether no process of this number runs any more; a zombie nobody has buried yet counts as gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def beside(broker_url: str) -> str:
    """The next database of a broker, so that its queues are not those other tests listen to."""
    if not broker_url:
        return ""
    whole, _, number = broker_url.rpartition("/")
    return f"{whole}/{(int(number or 0) + 1) % 16}"
