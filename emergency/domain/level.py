"""Warning levels, their response levels, and the order between them."""

from __future__ import annotations

from enum import IntEnum


class Level(IntEnum):
    """Warning level (预警级别); NONE < BLUE < YELLOW < ORANGE < RED."""

    NONE = 0
    BLUE = 1
    YELLOW = 2
    ORANGE = 3
    RED = 4

    @property
    def word(self) -> str:
        """The lower-case name used in data, JSON and addresses."""
        return self.name.lower()

    @property
    def response(self) -> int | None:
        """Response level (应急响应级别): red I = 1 … blue IV = 4; None when there is no warning."""
        return None if self is Level.NONE else 5 - int(self)

    @classmethod
    def named(cls, word: str) -> Level:
        """
        The level with this lower-case name.

        :raises ValueError: no such level
        """
        try:
            return cls[word.upper()]
        except KeyError:
            raise ValueError(f"no warning level is called {word!r}") from None
