"""Measured hours made into the days that plans on calendar days and the verification go by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time

from emergency.clock import SHANGHAI
from emergency.domain.air import Amount, Period, Standard, as_written, index
from emergency.domain.air_daily import DayOfValues, Hour, Stamp, daily
from emergency.domain.episode import Fact
from emergency.domain.forecast import Observation
from emergency.services.rules import LOOKS_BACK, Rules
from emergency.store import Tx, judging
from emergency.store.days import keep_days


def make_days(tx: Tx, rules: Rules, *, now: datetime) -> int:
    """
    The days that are over made of each feed's own hours, for every place that is judged or forecast; how many changed.

    A day that the feed gives itself is left alone. A late or corrected hour makes its day anew, and asked again with
    nothing new it finds nothing to do. The day under way is not made: half a day is no day.
    """
    places = {rules.place_of(tx, area.id) for area in tx.areas() if area.plan_id}
    return sum(_make(tx, place, rules.standards, now=now) for place in sorted(places | {*judging.forecast_places(tx)}))


def _make(tx: Tx, place: str, standards: Sequence[Standard], *, now: datetime) -> int:
    today = now.astimezone(SHANGHAI).date()
    since = today - LOOKS_BACK
    hours = tx.observed_hours(place, since=since, until=today)  # the last hour of a day ends on the next
    if not hours or not standards:
        return 0
    kept = {(one.feed, one.at): one for one in tx.observed_days(place, since=since, until=today)}
    made = [one for one in days_of(place, hours, standards) if since <= _day(one) < today]
    changed = [one for one in made if _is_news(one, kept.get((one.feed, one.at)))]
    keep_days(tx, changed, now=now)
    if changed:
        some = sorted(_day(one) for one in changed)
        again = sum((one.feed, one.at) in kept for one in changed)
        more = {"first": some[0], "last": some[-1], "new": len(changed) - again, "corrected": again}
        tx.note(Fact("observation.days_made", place, "system", now, more=more))
    return len(changed)


def days_of(place: str, hours: Sequence[Observation], standards: Sequence[Standard]) -> list[Observation]:
    """
    Each feed's days of these hours of ONE place, by the daily method of the edition in force (HJ 663: 20 hours, MDA8).

    A value without enough hours is absent, and the index None where the edition then has none. ``standard`` names the
    edition: a day that a feed gives itself has none.
    """
    found: list[Observation] = []
    for feed in sorted({one.feed for one in hours}):
        mine = [Hour(one.at, _exact(one)) for one in hours if one.feed == feed and _on_the_hour(one.at)]
        found += [_observed(feed, place, day) for day in daily(mine, standards, stamped=Stamp.END)]
    return found


def _observed(feed: str, place: str, day: DayOfValues) -> Observation:
    told = index(day.standard, day.values, period=Period.DAY)
    return Observation(
        feed=feed,
        place=place,
        at=datetime.combine(day.day, time(), SHANGHAI).astimezone(UTC),
        period="day",
        values={name: float(value) for name, value in day.values.items() if value is not None},
        aqi=told.aqi,
        primary=told.primary,
        standard=day.standard.id,
    )


def _is_news(made: Observation, kept: Observation | None) -> bool:
    """Whether it has something to say that is not written yet; what the feed said of the day itself stands."""
    if kept is None:
        return bool(made.values)
    return bool(kept.standard) and kept != made


def _exact(hour: Observation) -> dict[str, Amount]:
    return {name: as_written(value) for name, value in _measured(hour)}


def _measured(hour: Observation) -> Iterable[tuple[str, float]]:
    return ((name, value) for name, value in hour.values.items() if value is not None and value >= 0)


def _on_the_hour(at: datetime) -> bool:
    return not (at.minute or at.second or at.microsecond)


def _day(one: Observation) -> date:
    return one.at.astimezone(SHANGHAI).date()
