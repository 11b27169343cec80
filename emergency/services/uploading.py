"""Forecast bulletins put in by a person: laid by as they came, looked at, then kept in that person's name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from emergency.domain.episode import Fact
from emergency.domain.forecast import Forecast
from emergency.domain.people import Act, Person, ask
from emergency.errors import Refused
from emergency.services import intake
from emergency.services.polling import RefusedRecord
from emergency.services.rules import Rules
from emergency.store import Tx

FEED = "上传-"  # before the source's name: what a person put in is never taken for what a machine said


class NothingToKeep(Refused):
    """No day of the bulletin could be taken."""

    words_zh = "没有可保存的预报"


def ask_for(tx: Tx, rules: Rules, by: Person) -> tuple[str, str]:
    """
    The place whose air this person may put in, and the area it belongs to.

    :raises NotAllowed: the person's role may not, or the air their area is judged by is not theirs to put in
    """
    area = next((one for one in tx.above(by.area) if one in rules.places), by.area)
    ask(by, Act.ENTER_AIR, area)
    return rules.place_of(tx, by.area), area


def lay_by(tx: Tx, rules: Rules, raw: bytes, *, source: str, file: str, by: Person, now: datetime) -> str:
    """
    Keep the file as it came, before anybody trusts it; its hash. The same file again is harmless.

    :raises NotAllowed: as :func:`ask_for`
    """
    _place, area = ask_for(tx, rules, by)
    sha256 = hashlib.sha256(raw).hexdigest()
    tx.keep_raw(sha256=sha256, feed=f"{FEED}{source}"[:40], body=raw, now=now)
    tx.note(Fact("forecast.laid_by", sha256, by.login, now, area=area, more={"source": source, "file": file[:200]}))
    return sha256


def keep(
    tx: Tx,
    rules: Rules,
    forecasts: Iterable[Forecast],
    refused: Iterable[RefusedRecord],
    *,
    sha256: str,
    number: str,
    by: Person,
    now: datetime,
) -> int:
    """
    Keep what was read of the person's own place, and each refusal; how many forecasts were new.

    :raises NotAllowed: as :func:`ask_for`
    :raises NothingToKeep: nothing was read of that place
    """
    place, area = ask_for(tx, rules, by)
    mine = [one for one in forecasts if one.place == place]
    if not mine:
        raise NothingToKeep(f"no forecast of {place}")
    new = intake.keep_air(tx, mine, [], now=now)
    tx.keep_refused(mine[0].feed, sha256, [(one.where, one.value, one.reason) for one in refused], now=now)
    if new:
        more = {"number": number, "feed": mine[0].feed, "raw": sha256, "issued_at": mine[0].issued_at}
        tx.note(Fact("forecast.uploaded", sha256, by.login, now, area=area, more=more))
    return new
