"""The portal: a notice that waits in the recipient's own account; what is kept is sent, and nobody is called."""

from __future__ import annotations

from dataclasses import dataclass

from emergency.domain.messages import PORTAL, Message, Outcome, Sent


@dataclass
class Portal:
    """
    A channel inside the house: once the message is kept, whoever signs in reads it.

    Its receipt is its own and says «sent», never «delivered»: that somebody read it nobody has said.
    """

    name: str = PORTAL
    connections: int = 64
    timeout_s: float = 1.0
    senders: int = 1
    rate: float = 0.0
    providers: tuple[str, ...] = ()

    async def send(self, message: Message) -> Outcome:
        """Let it be read."""
        return Sent(f"{PORTAL}-{message.id}")

    async def close(self) -> None:
        """Nothing is open."""
