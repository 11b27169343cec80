"""The wall: what an exercise would have sent stays here; nothing is opened outward, every text can be read inside."""

from __future__ import annotations

from dataclasses import dataclass

from emergency.domain.exercise import WALL
from emergency.domain.messages import Message, Outcome, Sent


@dataclass
class Wall:
    """A channel that hands nothing to anybody and says so: the receipt is its own."""

    name: str = WALL
    connections: int = 64
    timeout_s: float = 1.0
    senders: int = 1
    rate: float = 0.0
    providers: tuple[str, ...] = ()
    kept: int = 0  # how many this process has kept back

    async def send(self, message: Message) -> Outcome:
        """Keep it back."""
        self.kept += 1
        return Sent(f"{WALL}-{message.id}")

    async def close(self) -> None:
        """Nothing is open."""
