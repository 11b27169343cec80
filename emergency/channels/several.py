"""One channel of several providers: each message leaves by the one it was given when it was claimed."""

from __future__ import annotations

from collections.abc import Sequence

from emergency.channels.http import HttpChannel
from emergency.domain.messages import Message, Outcome


class Several:
    """
    The providers of a channel under its one name; the first of them is at home and has the channel's own name.

    As many connections, and as high a rate, as the least of them takes; as patient as the most patient.
    """

    def __init__(self, name: str, some: Sequence[HttpChannel]) -> None:
        self.name, self._by_name = name, {one.name: one for one in some}
        self.providers = tuple(self._by_name)
        self.connections, self.timeout_s = min(one.connections for one in some), max(one.timeout_s for one in some)
        self.senders, self.rate = some[0].senders, min((one.rate for one in some if one.rate), default=0.0)

    def provider(self, name: str) -> HttpChannel:
        """The provider of this name; the one at home when there is none."""
        return self._by_name.get(name) or self._by_name[self.providers[0]]

    async def send(self, message: Message) -> Outcome:
        """Hand it to its provider once and say what became of it."""
        return await self.provider(message.provider).send(message)

    async def close(self) -> None:
        """Close the connections of every provider."""
        for one in self._by_name.values():
            await one.close()
