"""Messages to an HTTP gateway; what it answers is a receipt, a later, a never, or nobody knows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from uuid import UUID

from emergency.channels import signing
from emergency.clock import Clock
from emergency.domain.messages import ChannelFault, Later, Message, Never, Outcome, Sent, Uncertain
from emergency.errors import Misconfigured
from emergency.wire import CutOff, NeverLeft
from emergency.wire_pool import Answer, Pool

_LATER = frozenset({408, 409, 425, 429})
_NEVER = frozenset({400, 413, 422})  # 413: this text is too large for it, and will be tomorrow
_LONGEST_RECEIPT = 200
_text = json.encoder.encode_basestring  # one text as JSON spells it, in quotes


class HttpChannel:
    """
    One gateway at one address with one key; ``connections`` sends at a time, each within twice ``timeout_s``, by
    ``senders`` processes for each lane, ``rate`` a second at most (0 = as they come).

    The gateway is handed ``{id, to, text, link, lane, order, revision, episode, kind}`` with the message's id as
    ``Idempotency-Key`` (constant over attempts) and the signature of :mod:`emergency.channels.signing`.
    """

    def __init__(
        self,
        name: str,
        url: str,
        key: str,
        *,
        wall: Clock,
        connections: int = 32,
        timeout_s: float = 10.0,
        senders: int = 1,
        rate: float = 0.0,
        allow: frozenset[str] = frozenset(),
    ) -> None:
        self.name, self.connections, self.timeout_s = name, connections, timeout_s
        self.senders, self.rate = senders, rate
        self.providers: tuple[str, ...] = ()  # it is one; a channel of several is emergency.channels.several
        self._url, self._key, self._wall = url, key, wall
        self._pool = Pool(connections=connections, timeout_s=timeout_s, allow=allow)

    async def send(self, message: Message) -> Outcome:
        """Hand one message over once; never raises for what the gateway or the way to it does."""
        body = payload(message)
        timestamp = signing.stamp(self._wall.now())
        headers = {
            "Idempotency-Key": str(message.id),
            signing.TIMESTAMP: timestamp,
            signing.SIGNATURE: signing.sign(self._key, timestamp, body),
        }
        try:
            return outcome(await self._pool.post_json(self._url, body, headers))
        except NeverLeft as error:
            return Later(str(error), error.retry_after)
        except CutOff as error:
            return Uncertain(str(error))
        except Misconfigured as error:
            return ChannelFault(str(error))

    async def close(self) -> None:
        """Close the connections; a later send opens new ones."""
        await self._pool.close()


def payload(message: Message) -> bytes:
    """
    The body as sent and signed: UTF-8 JSON with keys in one order, so that a repeat is the same bytes.

    Spelt out, because the texts in it are all that a JSON encoder would have to do, and it costs three times as much.
    """
    order, episode = _id(message.order_id), _id(message.episode_id)
    said = (
        f'{{"id":"{message.id}","to":{_text(message.to)},"text":{_text(message.text)},"link":{_text(message.link)},'
        f'"lane":"{message.lane.word}","order":{order},"revision":{message.revision},"episode":{episode},'
        f'"kind":"{message.kind.value}"}}'
    )
    return said.encode("utf-8", "replace")


def _id(one: UUID | None) -> str:
    return "null" if one is None else f'"{one}"'


def outcome(answer: Answer) -> Outcome:
    """
    What became of the message.

    A 2xx without a receipt is Uncertain, not Later: the request reached somebody who was content with it, so it may be
    on its way to a telephone, and only a repeat with the same provider under the same key cannot make two of it. A
    status the contract does not name (a redirect, 402, 405, 410 …) is the channel's fault: it would be the same for
    every order, and five thousand orders are no dead letters because an address has moved.
    """
    status, receipt = answer.status, _receipt(answer.body)
    if receipt and (200 <= status < 300 or status == 409):
        return Sent(receipt)
    if 200 <= status < 300:
        return Uncertain(f"answered {status} without a receipt")
    if status in _LATER or status >= 500:
        return Later(f"answered {status}", answer.retry_after)
    if status in _NEVER:
        return Never(f"answered {status}{_reason(answer.body)}")
    return ChannelFault(f"answered {status}")


def _said(body: bytes) -> Mapping[str, object]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):  # not JSON, not UTF-8, cut, or nested to no end
        return {}
    return said if isinstance(said, dict) else {}


def _receipt(body: bytes) -> str:
    """The provider's receipt; a number is taken as its digits, anything else (true, a list, blank) is none."""
    found = _said(body).get("receipt")
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    return found.strip()[:_LONGEST_RECEIPT] if isinstance(found, str) and found.isprintable() else ""


def _reason(body: bytes) -> str:
    """The provider's own word for why not, short and printable; «reason», «error» or «message» by habit of gateways."""
    said = _said(body)
    for name in ("reason", "error", "message"):
        word = said.get(name)
        if isinstance(word, str) and word.strip():
            return ": " + "".join(one if one.isprintable() else " " for one in word.strip()[:120])
    return ""
