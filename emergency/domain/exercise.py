"""An exercise (演练): the real path behind a wall; two people call it, and two open each address it may reach."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from emergency.domain.machine import Machine
from emergency.domain.messages import Message
from emergency.domain.people import Act, Person, ask
from emergency.errors import Refused

LABEL = "演练"
BANNER = f"【{LABEL}】"
WALL = "wall"  # the channel behind which an exercise's messages stay


class OwnCall(Refused):
    """Whoever called or opened it may not also confirm it."""

    words_zh = "发起人不能自己确认，请由另一人确认"


class NotRunning(Refused):
    """The exercise has not begun, or it is over."""

    words_zh = "演练尚未开始或已经结束"


class StillInForce(Refused):
    """A warning of the exercise still holds; it is released or withdrawn first, like a real one."""

    words_zh = "演练预警仍在响应中，请先解除或撤回，再结束演练"


class Stage(StrEnum):
    """Where an exercise stands."""

    CALLED = "called"
    CONFIRMED = "confirmed"
    RUNNING = "running"
    ENDED = "ended"


class Step(StrEnum):
    """What can happen to an exercise."""

    CONFIRM = "confirm"
    BEGIN = "begin"
    END = "end"


EXERCISE: Machine[Stage, Step] = Machine(
    "exercise",
    {
        (Stage.CALLED, Step.CONFIRM): Stage.CONFIRMED,
        (Stage.CALLED, Step.END): Stage.ENDED,  # called off
        (Stage.CONFIRMED, Step.BEGIN): Stage.RUNNING,
        (Stage.CONFIRMED, Step.END): Stage.ENDED,
        (Stage.RUNNING, Step.END): Stage.ENDED,
    },
)


@dataclass(frozen=True)
class Exercise:
    """
    One exercise of one area and what lies below it.

    ``drill`` names the drill whose air it uses; empty = free, the air is typed in. ``evening`` counts the forecasts
    that were let in; the newest one is the exercise's air.
    """

    id: str
    area: str
    name: str
    drill: str
    called_by: UUID
    called_at: datetime
    confirmed_by: UUID | None = None
    confirmed_at: datetime | None = None
    begun_at: datetime | None = None
    evening: int = 0
    ended_by: UUID | None = None
    ended_at: datetime | None = None
    version: int = 0

    @property
    def stage(self) -> Stage:
        """Where it stands, by the moments it has passed."""
        if self.ended_at is not None:
            return Stage.ENDED
        if self.begun_at is not None:
            return Stage.RUNNING
        return Stage.CALLED if self.confirmed_at is None else Stage.CONFIRMED

    @property
    def place(self) -> str:
        """The place under which its air is kept: no real place has this name, so no real rule ever reads it."""
        return place_of(self.id)


@dataclass(frozen=True)
class Opening:
    """One address that the exercise may reach for real, once another person has confirmed it."""

    id: UUID
    exercise_id: str
    address: str
    name: str
    opened_by: UUID
    opened_at: datetime
    confirmed_by: UUID | None = None
    confirmed_at: datetime | None = None


def place_of(exercise_id: str) -> str:
    """The place under which an exercise's air is kept."""
    return f"exercise:{exercise_id}"


def confirm(one: Exercise, *, by: Person, now: datetime) -> Exercise:
    """
    The second person's word that the exercise may be held.

    :raises NotAllowed: the person decides nothing here
    :raises OwnCall: the person called it
    :raises IllegalMove: it was confirmed before, or it is over
    """
    ask(by, Act.DECIDE, one.area)
    if by.id == one.called_by:
        raise OwnCall(f"{by.login} called exercise {one.id}")
    EXERCISE.after(one.stage, Step.CONFIRM)
    return replace(one, confirmed_by=by.id, confirmed_at=now)


def begin(one: Exercise, *, by: Person, now: datetime) -> Exercise:
    """
    The exercise under way.

    :raises NotAllowed: the person may not propose here
    :raises IllegalMove: nobody confirmed it, or it has begun
    """
    ask(by, Act.PROPOSE, one.area)
    EXERCISE.after(one.stage, Step.BEGIN)
    return replace(one, begun_at=now)


def end(one: Exercise, *, by: Person, now: datetime) -> Exercise:
    """
    The exercise over; every opening ends with it.

    :raises NotAllowed: the person may not propose here
    :raises IllegalMove: it is over
    """
    ask(by, Act.PROPOSE, one.area)
    EXERCISE.after(one.stage, Step.END)
    return replace(one, ended_by=by.id, ended_at=now)


def let_in(one: Exercise) -> Exercise:
    """
    The exercise with one more forecast let in.

    :raises NotRunning: it is not under way
    """
    if one.stage is not Stage.RUNNING:
        raise NotRunning(f"exercise {one.id} is {one.stage.value}")
    return replace(one, evening=one.evening + 1)


def confirm_opening(opening: Opening, one: Exercise, *, by: Person, now: datetime) -> Opening:
    """
    The second person's word that the exercise may reach this address.

    :raises NotAllowed: the person decides nothing here
    :raises OwnCall: the person opened it
    :raises NotRunning: the exercise is over
    """
    ask(by, Act.DECIDE, one.area)
    if one.stage is Stage.ENDED:
        raise NotRunning(f"exercise {one.id} is over")
    if by.id == opening.opened_by:
        raise OwnCall(f"{by.login} opened {opening.name}")
    return replace(opening, confirmed_by=by.id, confirmed_at=now)


def marked(text: str) -> str:
    """The text with the exercise's banner before it, once."""
    return text if text.startswith(BANNER) else BANNER + text


def numbered(number: str) -> str:
    """The 文号 of an exercise: marked, so that nobody takes it for one of the real series."""
    return number if not number or number.startswith(LABEL) else LABEL + number


def walled(message: Message, opened: Collection[str]) -> Message:
    """The message of an exercise as it is put in the post: marked, and behind the wall unless its address is open."""
    marked_one = replace(message, exercise=True, text=marked(message.text))
    if message.to in opened or message.channel == WALL:
        return marked_one
    return replace(marked_one, channel=WALL, because=f"演练未外发（本应经 {message.channel}）")


def shut_out(
    some: Collection[Message], exercise_of: Mapping[UUID, str], opened: Mapping[str, Collection[str]], *, channel: str
) -> frozenset[UUID]:
    """
    Which of these messages may not leave by this channel: those of an exercise that has not opened their address.

    ``exercise_of``: message id → the exercise it belongs to by its episode, whatever the message says of itself;
    ``opened``: exercise → the addresses open now. A message that calls itself an exercise's and belongs to none is
    shut out too, and so is one without the banner.
    """
    if channel == WALL:
        return frozenset()
    return frozenset(
        one.id
        for one in some
        if (one.exercise or one.id in exercise_of)
        and (one.to not in opened.get(exercise_of.get(one.id, ""), ()) or not one.text.startswith(BANNER))
    )
