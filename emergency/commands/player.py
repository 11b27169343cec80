"""Playing a past episode: the civil clock is turned, feeds are asked, people are played; all else the real parts do."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from emergency import clock
from emergency.clock import SHANGHAI, SharedClock
from emergency.commands.officers import Deed, Desk, Officers, announced_as, seen
from emergency.commands.owners import Owners
from emergency.commands.telling import Teller
from emergency.domain.episode import Standing
from emergency.errors import Refused
from emergency.plans.drills import Drill
from emergency.store import Tx, desk
from emergency.system import System

TICK_S: Final = 0.1  # wall; how often the player looks
FAST: Final = 2400.0  # civil seconds in a second while things happen, on autopilot
LEISURELY: Final = 240.0  # the same, for people who want to follow
QUIET: Final = timedelta(minutes=45)  # when nothing is due for so long, the hours between are skipped
CLOSE: Final = timedelta(minutes=2)  # what is due so close together is done together, while somebody is being chased
APART: Final = timedelta(minutes=10)  # the same, when nobody is
PATIENCE_S: Final = 25.0  # wall; how long the post may stand still before the run is given up
SETTLES_S: Final = 1.0  # wall; what a new forecast gets to be weighed in
ASK_AGAIN_S: Final = 1.0
LONGEST_S: Final = 480.0  # wall; an autopilot run that takes longer has gone wrong


@dataclass(frozen=True)
class Sight:
    """What there was to see at one look."""

    now: datetime
    desks: Mapping[str, Desk]
    deeds: tuple[Deed, ...]
    next_rung_at: datetime | None
    on_the_way: int  # messages ready or being sent
    progress: tuple[Any, ...]  # changes whenever the real parts have done anything
    heard: datetime | None  # the newest forecast there is


@dataclass
class Player:
    """
    One run of a drill.

    ``alive``: raises when a process of the run has ended. ``status``: a small file that says, to whoever looks at the
    phones, whether the clock runs or waits.
    """

    system: System
    drill: Drill
    civil: SharedClock
    owners: Owners
    officers: Officers
    alive: Callable[[], None]
    status: Path
    autopilot: bool = False
    speed: float | None = None
    exit_when_closed: bool = False
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._pace = self.speed or (FAST if self.autopilot else LEISURELY)
        self._top = min(self.drill.areas, key=len)
        self._teller = Teller(self.system)
        self._asked_at = 0.0
        self._moved_at = clock.seconds()
        self._settled_at = 0.0
        self._progress: tuple[Any, ...] = ()
        self._issue = _issues(self.drill)
        self._due_forecast = next(self._issue, None)
        self._said, self._waiting = "", False

    def play(self) -> None:
        """
        Play until the episode is closed at every desk, or the run has to be given up; why stands in ``problems``.

        :raises Unavailable: a process of the run ended
        """
        until = clock.seconds() + LONGEST_S if self.autopilot else float("inf")
        self._moved_at = clock.seconds()
        while True:
            self.alive()
            sight = self._look()
            if self._over(sight):
                return
            if clock.seconds() > until:
                self.problems.append(f"the run took longer than {LONGEST_S:.0f} s and was given up")
                return
            if self._stuck(sight):
                return
            try:
                self._turn(sight)
            except Refused as refused:  # a page would not take what a person pressed: nothing will come of waiting
                self.problems.append(str(refused))
                return

    def _look(self) -> Sight:
        now = self.civil.now()
        released = {}
        with self.system.store.reading() as tx:
            desks = {area: seen(tx, area) for area in self.drill.areas}
            for one in desks.values():
                if one.episode is not None and one.episode.released_at is not None:
                    released[str(one.episode.id)] = one.episode.released_at
            self.owners.look(
                lifted_at=released, begins=lambda order: [one.starts_at for one in tx.order(UUID(order)).duties]
            )
            self.officers.heard(self.owners.reached)
            deeds = tuple(self.officers.deeds(desks, tx)) if self.autopilot else ()
            chased = [
                one.at
                for area in desks
                for one in desk.deadlines(tx, area, desks[area].episode)
                if one.kind == "chase"
            ]
            states = desk.post(tx, self._top).states
            heard = self._newest_forecast(tx, now)
            self._teller.tell(tx, self._top)
            on_the_way = tx.outbox.on_the_way(now=self.system.wall.now())
        progress = (tuple(sorted(states.items())), heard, self._teller.last, min(chased, default=None))
        return Sight(now, desks, deeds, min(chased, default=None), on_the_way, progress, heard)

    def _newest_forecast(self, tx: Tx, now: datetime) -> datetime | None:
        place = self.system.rules.place_of(tx, self._top)
        return max((one.issued_at for one in tx.forecasts(place, since=now - timedelta(days=2))), default=None)

    def _over(self, sight: Sight) -> bool:
        closed = all(one.closed for one in sight.desks.values())
        if closed and not sight.on_the_way:
            self._say("过程已关闭，推演结束", waits=True)
            return True
        if sight.now > self.drill.ends_at and not closed and (self.autopilot or not self._waits_for_people(sight)):
            open_ = ", ".join(area for area, one in sight.desks.items() if not one.closed)
            self.problems.append(f"the drill's last hour has passed and the episode is not closed: {open_}")
            return True
        return False

    def _stuck(self, sight: Sight) -> bool:
        """Whether what only the workers can do has stood still for too long."""
        if sight.progress != self._progress:
            self._progress, self._moved_at = sight.progress, clock.seconds()
        if not (waits := self._waits_for_workers(sight)):
            self._moved_at = clock.seconds()
            return False
        if clock.seconds() - self._moved_at < PATIENCE_S:
            return False
        self.problems.append(f"the workers do nothing: {waits} for {PATIENCE_S:.0f} s")
        return True

    def _waits_for_workers(self, sight: Sight) -> str:
        """What the clock must not run away from; empty when there is nothing."""
        if self._due_forecast is not None and self._due_forecast <= sight.now:
            if sight.heard is None or sight.heard < self._due_forecast:
                return "a forecast that is out has not been taken in"
            self._due_forecast = next(self._issue, None)
            self._settled_at = clock.seconds() + SETTLES_S
        if sight.on_the_way:
            return f"{sight.on_the_way} messages have not left"
        if sight.next_rung_at is not None and sight.next_rung_at <= sight.now:
            return "a step of the ladder is due and not taken"
        return "a forecast is being weighed" if clock.seconds() < self._settled_at else ""

    def _turn(self, sight: Sight) -> None:
        """Do what is due, or put the clock on to the next thing that is."""
        began = clock.seconds()
        if self._waits_for_workers(sight):
            self._say("等待系统处理")
            self._ask_feeds(sight)
            clock.pause(TICK_S)
        elif self.owners.press(now=sight.now) or self._act(sight):
            return
        elif not self.autopilot and (who := self._waits_for_people(sight)):
            self._say(f"时钟等人：{who}", waits=True)
            clock.pause(TICK_S)
        else:
            self._forward(sight, began)

    def _forward(self, sight: Sight, began: float) -> None:
        moments = [
            sight.next_rung_at, self.owners.next_at, self._due_forecast, self.drill.ends_at + timedelta(minutes=1),
            *[one.at for one in sight.deeds],
        ]
        first = min(one for one in moments if one is not None)
        quiet = first - sight.now > QUIET
        exactly = [one for one in (sight.next_rung_at, self._due_forecast, self.drill.ends_at) if one is not None]
        together = CLOSE if sight.next_rung_at is not None else APART
        target = max(sight.now, min(first + together, *[one for one in exactly if one > sight.now] or [first]))
        self._say("推演时钟快进" if quiet else "推演进行中")
        span = (target - sight.now).total_seconds()
        if not quiet:
            share = min(1.0, max(TICK_S, 0.001) * self._pace / span) if span > 0 else 1.0
            target = sight.now + (target - sight.now) * share
        self.civil.turn_to(max(target, self.civil.now() + timedelta(milliseconds=50)), speed=1.0)
        spent = clock.seconds() - began
        clock.pause(max(0.0, (1.0 if quiet and not self.autopilot else TICK_S / 2) - spent))

    def _act(self, sight: Sight) -> bool:
        """Do the first thing an officer would have done by now; whether there was one."""
        due = sorted((one for one in sight.deeds if one.at <= sight.now), key=lambda one: one.at)
        if not due:
            return False
        due[0].do()
        return True

    def _waits_for_people(self, sight: Sight) -> str:
        """Which person the episode waits for, in words; empty when for none."""
        for area, one in sight.desks.items():
            name = next(place.name for place in self.system.place.areas if place.id == area)
            if one.waiting is not None:
                return f"{name}{'值班员提出' if one.waiting.standing is Standing.SUGGESTED else '审批人签发'}"
            if one.episode is not None and one.episode.phase.value in ("released", "withdrawn"):
                return f"{name}后评估签署"
        return next((f"{name}录入上级通知" for name in self._not_passed_on(sight)), "")

    def _not_passed_on(self, sight: Sight) -> Iterator[str]:
        """Desks below that have not entered what the desk above has announced."""
        upper = sight.desks[self._top]
        signed = [one for one in upper.decisions if one.standing is Standing.APPROVED and announced_as(one.move)]
        if not signed:
            return
        with self.system.store.reading() as tx:
            number, action = signed[-1].notice.number, announced_as(signed[-1].move) or ""
            for area in self.drill.areas:
                if area != self._top and not tx.bulletin_known(area, number, action):
                    yield next(place.name for place in self.system.place.areas if place.id == area)

    def _ask_feeds(self, sight: Sight) -> None:
        """Wake the polling of every feed, observations first; again each second, for a wake-up may be lost."""
        forecast_due = self._due_forecast is not None and self._due_forecast <= sight.now
        if not forecast_due or clock.seconds() - self._asked_at < ASK_AGAIN_S:
            return
        self._asked_at = clock.seconds()
        for feed in sorted(self.system.feeds.values(), key=lambda one: one.kind != "observation"):
            self.system.broker.wake("poll_feed", feed=feed.name)

    def _say(self, words: str, *, waits: bool = False) -> None:
        """Say on the phones' wall, and in the heartbeat named replay for the pages, what the clock is doing."""
        if words == self._said:
            return
        self._said = words
        if waits != self._waiting or waits:
            self._waiting, at = waits, self.system.wall.now()
            self.system.store.run(lambda tx: tx.beat("replay", at=at, detail=words))
        draft = self.status.with_suffix(".draft")
        draft.write_text(json.dumps({"says": words, "waits": waits}, ensure_ascii=False), "utf-8")
        draft.replace(self.status)
        if waits:
            print(f"  ({words})", file=sys.stderr, flush=True)


def _issues(drill: Drill) -> Iterator[datetime]:
    """When each of the drill's forecasts is out."""
    hour, minute = map(int, drill.forecast.issued_at.split(":"))
    day = drill.begins_at.astimezone(SHANGHAI).date()
    while True:
        at = datetime.combine(day, time(hour, minute), SHANGHAI)
        if at > drill.ends_at:
            return
        if at >= drill.begins_at:
            yield at
        day += timedelta(days=1)
