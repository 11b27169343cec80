"""The people who hold the simulated phones: they read, press the buttons of the real links, or keep silent."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from emergency.commands.visitor import Line
from emergency.domain.messages import Kind
from emergency.domain.orders import Action, Recipient
from emergency.plans.drills import Behaviour, Drill, behaviour_of, resumes_after

log = logging.getLogger(__name__)

HANDS: Final = 4  # people pressing at the same moment
_ASKS: Final = frozenset({Kind.ORDER.value, Kind.REVISION.value})


@dataclass(frozen=True, order=True)
class Press:
    """One press of a button, at its civil time; ``rank`` keeps those of one moment in the order they came up."""

    at: datetime
    rank: int
    phone: str = field(compare=False)
    link: str = field(compare=False)
    revision: int = field(compare=False)
    action: Action = field(compare=False)
    remark: str = field(compare=False, default="")


@dataclass
class _Silent:
    """A recipient that has not answered, and how many more people must be told of it before it does."""

    text: Mapping[str, Any]
    behaviour: Behaviour
    told_still: int


class Owners:
    """
    Everybody who holds a simulated phone.

    They know what lies on their phones from the simulator, and nothing from the product; they answer by its phone
    links, as anybody would.
    """

    def __init__(self, drill: Drill, recipients: Iterable[Recipient], *, phones: str, pages: str) -> None:
        self._drill = drill
        self._by_phone = {one.phone: who for who in recipients for one in who.contacts}
        self._inbox, self._pages = Line(phones), pages
        self._presses: list[Press] = []
        self._silent: dict[str, _Silent] = {}  # order id → who keeps silent about it
        self._rank = count()
        self._seen = 0
        self._begins: Callable[[str], Iterable[datetime]] = lambda _order: ()
        self._hands = ThreadPoolExecutor(HANDS, thread_name_prefix="owner")
        self._lines = [Line(pages) for _ in range(HANDS)]
        self.reached: dict[UUID, Mapping[str, Any]] = {}  # recipient → the last text about an order of its own
        self.failed = 0

    @property
    def next_at(self) -> datetime | None:
        """When somebody presses next, civil; None while nobody means to."""
        return self._presses[0].at if self._presses else None

    def look(self, *, lifted_at: Mapping[str, datetime], begins: Callable[[str], Iterable[datetime]]) -> int:
        """
        Read what has arrived and decide what to do about it; how many texts were new.

        ``lifted_at``: episode id → when its release takes effect: nobody starts up again before that. ``begins``: when
        the measures of an order begin, as its page says: nobody says before that that they are started.
        """
        self._begins = begins
        texts: list[dict[str, Any]] = self._inbox.get(f"/inbox.json?after={self._seen}").get("texts", [])
        for text in texts:
            self._seen = text["number"]
            self._think(text, lifted_at)
        return len(texts)

    def press(self, *, now: datetime) -> int:
        """Press every button whose time has come, and wait until all are pressed; how many."""
        due: list[Press] = []
        while self._presses and self._presses[0].at <= now:
            due.append(heapq.heappop(self._presses))
        for action in Action:  # what a recipient says later must not overtake what it said before
            if same := [one for one in due if one.action is action]:
                self._press_all(same)
        for phone in {one.phone for one in due}:
            self._inbox.post(f"/phone/{phone}/read", {})
        return len(due)

    def go(self) -> None:
        """Put the phones down."""
        self._hands.shutdown(cancel_futures=True)
        for line in (*self._lines, self._inbox):
            line.close()

    def _think(self, text: Mapping[str, Any], lifted_at: Mapping[str, datetime]) -> None:
        at = datetime.fromisoformat(text["at"])
        if text["kind"] == Kind.ESCALATION.value:
            self._told_of(text["order"], at)
        recipient = self._by_phone.get(text["to"])
        if recipient is None or not text["link"]:
            return
        self.reached[recipient.id] = text
        if text["kind"] in _ASKS:
            self._asked(text, recipient, at)
        elif text["kind"] == Kind.LIFTING.value:
            after = max(at, lifted_at.get(text["episode"], at)) + resumes_after(self._drill, recipient)
            self._put(after, text, Action.RESUME)

    def _asked(self, text: Mapping[str, Any], recipient: Recipient, at: datetime) -> None:
        behaviour = behaviour_of(self._drill, recipient, revision=text["revision"])
        self._silent.pop(text["order"], None)
        self._forget(text["link"])  # what was meant for the revision before is not said of this one
        if behaviour.escalations:
            self._silent[text["order"]] = _Silent(text, behaviour, behaviour.escalations)
        else:
            self._will_answer(text, behaviour, at)

    def _told_of(self, order: str, at: datetime) -> None:
        silent = self._silent.get(order)
        if silent is None:
            return
        silent.told_still -= 1
        if silent.told_still <= 0:
            del self._silent[order]
            self._will_answer(silent.text, silent.behaviour, at)

    def _will_answer(self, text: Mapping[str, Any], behaviour: Behaviour, at: datetime) -> None:
        heard = at + behaviour.acknowledges_after
        if behaviour.declines_because:
            self._put(heard, text, Action.DECLINE, behaviour.declines_because)
            return
        self._put(heard, text, Action.ACKNOWLEDGE)
        if behaviour.starts_after is not None:
            begun = {max(heard, one) for one in self._begins(text["order"])} or {heard}
            for one in begun:
                self._put(one + behaviour.starts_after, text, Action.START)
            started = max(begun) + behaviour.starts_after
            if behaviour.in_place_after is not None:
                self._put(started + behaviour.in_place_after, text, Action.SETTLE)

    def _put(self, at: datetime, text: Mapping[str, Any], action: Action, remark: str = "") -> None:
        press = Press(at, next(self._rank), text["to"], text["link"], text["revision"], action, remark)
        heapq.heappush(self._presses, press)

    def _forget(self, link: str) -> None:
        self._presses = [one for one in self._presses if one.link != link]
        heapq.heapify(self._presses)

    def _press_all(self, due: list[Press]) -> None:
        shares = [due[n::HANDS] for n in range(HANDS)]
        for failed in self._hands.map(_press_share, self._lines, shares):
            self.failed += failed


def _press_share(line: Line, share: list[Press]) -> int:
    """Press these one after another; how many were not taken."""
    failed = 0
    for one in share:
        form = {"revision": str(one.revision), "action": one.action.value, "remark": one.remark}
        status = line.post(f"{urlsplit(one.link).path}/answer", form)
        if status != 303:
            failed += 1
            log.warning("press.refused", extra={"action": one.action.value, "status": status})
    return failed
