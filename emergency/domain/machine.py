"""A state machine is a table of moves; what the table leaves out is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from emergency.errors import Refused

S = TypeVar("S", bound=StrEnum)
A = TypeVar("A", bound=StrEnum)


class IllegalMove(Refused):
    """The table has no such move from here."""

    words_zh = "当前状态下不能进行此操作"

    def __init__(self, machine: str, state: StrEnum, action: StrEnum) -> None:
        super().__init__(f"{machine}: {action.value} is not possible while {state.value}")
        self.machine, self.state, self.action = machine, state, action


@dataclass(frozen=True)
class Machine(Generic[S, A]):
    """The moves of one kind of thing; reads a table, refuses the rest, draws itself."""

    name: str
    moves: Mapping[tuple[S, A], S]

    def after(self, state: S, action: A) -> S:
        """
        The state that follows.

        :raises IllegalMove: the table has no such pair
        """
        try:
            return self.moves[state, action]
        except KeyError:
            raise IllegalMove(self.name, state, action) from None

    def allows(self, state: S, action: A) -> bool:
        """Whether the table has this pair."""
        return (state, action) in self.moves

    def open_to(self, state: S) -> frozenset[A]:
        """What may be done next: the buttons a page should show."""
        return frozenset(action for source, action in self.moves if source == state)

    def drawn(self) -> str:
        """The table as a mermaid state diagram; docs/states.md holds it and a test compares."""
        lines = ["stateDiagram-v2"]
        lines += [
            f"    {source.value} --> {target.value}: {action.value}" for (source, action), target in self.moves.items()
        ]
        return "\n".join(lines)
