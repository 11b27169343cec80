"""What a person says drives a day, against what its source has: for the next assessment, never for a signed one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from emergency.clock import SHANGHAI
from emergency.domain.causes import Words, is_left_open, is_open
from emergency.domain.episode import Fact
from emergency.domain.forecast import Cause, DayOfAir, Forecast, Source
from emergency.domain.measured import causes_said, measured_of
from emergency.domain.people import Person
from emergency.errors import Refused
from emergency.services import uploading
from emergency.services.rules import Rules
from emergency.store import Tx, feeding
from emergency.store.feeding import Said

DAYS_BACK = timedelta(days=7)  # a day longer past than any release test looks back is nobody's matter any more
LONGEST_REASON = 200


class NothingSaidOfIt(Refused):
    """No source of that name speaks of that day."""

    words_zh = "该来源没有这一天的数据"


class AlreadySo(Refused):
    """The day has that cause already."""

    words_zh = "这一天的成因已是如此，无需更改"


@dataclass(frozen=True)
class DayTold:
    """
    One day as one source tells it: as it counts now, as the source itself has it, and the last person's word.
    ``cause_open``: the source leaves open what drives it, and a person may also say that it is as counted.
    """

    now: DayOfAir
    of_source: Cause
    said: Said | None
    cause_open: bool = False


def told(tx: Tx, rules: Rules, place: str, *, now: datetime) -> list[DayTold]:
    """Every day of late and to come that a source gives for the place, each source by itself, by day and source."""
    since = now.astimezone(SHANGHAI).date() - DAYS_BACK
    said = feeding.last_said(tx, place, since=since, now=now)
    words = feeding.words(tx, place, since=since, now=now)
    as_now, as_given = (
        {(one.feed, one.source, one.day): one for one in _days(tx, rules, place, some, since=since, now=now)}
        for some in (words, {})
    )
    issued = rules.issued(tx, place, words=words, now=now)
    waits = {(one.feed, Source.FORECAST, day.day): is_open(day) for one in issued for day in one.days}
    waits |= {key: is_left_open(one) for key, one in as_now.items() if one.source is Source.OBSERVED}
    return [
        DayTold(one, as_given[key].cause, said.get((one.feed, one.day)), waits.get(key, False))
        for key, one in sorted(as_now.items(), key=lambda item: (item[1].day, item[1].feed, item[1].source.value))
    ]


def _days(
    tx: Tx, rules: Rules, place: str, words: Words, *, since: date, now: datetime
) -> Iterable[DayOfAir]:
    issued = rules.issued(tx, place, words=words, now=now)
    yield from (one for one in _last_word(issued).values() if one.day >= since)
    foreseen = causes_said(issued)
    for seen in tx.observed_days(place, since=since, until=now.astimezone(SHANGHAI).date()):
        one = measured_of(seen, said=foreseen, standards=rules.standards, words=words)
        if one is not None:
            yield one


def _last_word(issued: Iterable[Forecast]) -> dict[tuple[str, date], DayOfAir]:
    """Each source's days as it said them last, oldest issue first."""
    return {(one.feed, day.day): day.of_air(one) for one in issued for day in one.days}


def say(
    tx: Tx, rules: Rules, *, feed: str, day: date, cause: Cause | None, because: str, by: Person, now: datetime
) -> None:
    """
    Set what drives this day as this source tells it, or with None let the source speak for itself again.

    It counts at the next assessment; what is signed stays as it was signed, and other sources keep their own cause.

    :raises NotAllowed: the person may not put in this place's air
    :raises Refused: no reason is given, or a very long one
    :raises NothingSaidOfIt: the source does not speak of the day
    :raises AlreadySo: it has that cause, or has none of a person's to take back
    """
    place, area = uploading.ask_for(tx, rules, by)
    because = because.strip()
    if not because or len(because) > LONGEST_REASON:
        raise Refused(f"a reason of 1 to {LONGEST_REASON} characters", zh=f"请写明理由，不超过 {LONGEST_REASON} 字")
    found = [one for one in told(tx, rules, place, now=now) if (one.now.feed, one.now.day) == (feed, day)]
    if not found:
        raise NothingSaidOfIt(f"{feed} says nothing of {day}")
    before = found[0]
    standing = before.said is not None and before.said.cause is not None
    if (cause is before.now.cause and not before.cause_open) or (cause is None and not standing):
        raise AlreadySo(f"{feed}, {day}: {before.now.cause.value}")
    feeding.say(tx, place, Said(feed, day, cause, because, by.login, now))
    more = {
        "feed": feed, "day": day.isoformat(), "place": place, "because": because,
        "before": before.now.cause.value, "cause": cause.value if cause else before.of_source.value,
        "source_says": before.of_source.value, "taken_back": cause is None,
    }  # fmt: skip
    tx.note(Fact("air.cause_said", f"{feed}:{place}:{day.isoformat()}", by.login, now, area=area, more=more))
