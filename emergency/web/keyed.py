"""What a machine sends under an Idempotency-Key is done once: a repeat gets the answer of the first time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from flask import g, request

from emergency.domain.episode import Fact
from emergency.errors import Refused
from emergency.store import Tx, portal
from emergency.web.access import the_system

LONGEST_KEY: Final = 200  # characters


class KeyReused(Refused):
    """The same Idempotency-Key came with another body."""

    words_zh = "同一个幂等键带来了不同的内容"


class KeyTooLong(Refused):
    """The Idempotency-Key is longer than any sender's need be."""

    words_zh = "幂等键过长"


def machine_name() -> str:
    """What this machine is called where its word is kept."""
    return f"api-{g.machine}"[:40]


def once(do: Callable[[Tx], dict[str, Any]], *, now: datetime) -> dict[str, Any]:
    """
    Do this in one transaction and return what it says; under a key seen before, nothing but what was said then.

    A key is the machine's own and holds for one address.

    :raises KeyTooLong: the key is too long
    :raises KeyReused: it came before with another body
    """
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > LONGEST_KEY:
        raise KeyTooLong(f"An Idempotency-Key has {LONGEST_KEY} characters at most.")
    if not key:
        return the_system().store.run(do)
    sha = hashlib.sha256(request.get_data()).hexdigest()
    about = f"{machine_name()}:{hashlib.sha256(f'{request.path} {key}'.encode()).hexdigest()[:32]}"

    def take(tx: Tx) -> dict[str, Any]:
        before = portal.taken(tx, about)
        if before is not None:
            said = json.loads(before)["more"]
            if said["body"] != sha:
                raise KeyReused("This Idempotency-Key came before with another body.")
            return {**said["answer"], "repeated": True}
        answer = do(tx)
        tx.note(Fact("api.taken", about, machine_name(), now, more={"body": sha, "answer": answer}))
        return answer

    return the_system().store.run(take)
