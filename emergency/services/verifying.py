"""Forecasts held against what came, kept up day by day; the figures of a window of days."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from emergency.clock import SHANGHAI
from emergency.domain.episode import Fact
from emergency.domain.verification import FARTHEST, FEWEST, Figures, VerifiedDay, figures, measured, verified
from emergency.store import Store, Tx, judging

_FIRST = date(1990, 1, 1)  # before any forecast of ours
_DAY = timedelta(days=1)


def verify_all(store: Store, *, by_hour: int, now: datetime) -> dict[str, int]:
    """
    Hold every place's forecasts against the days that are over; place → lines written, changed or taken back.

    Asked again it finds nothing to do. Days that came late are caught up, and a corrected measurement verifies its day
    anew, with the days for which it was persistence.
    """
    with store.reading() as tx:
        places = judging.forecast_places(tx)
    found = {}
    for place in places:
        found[place] = store.run(lambda tx, place=place: verify(tx, place, by_hour=by_hour, now=now))  # type: ignore[misc]  # mypy does not see the default
    return found


def verify(tx: Tx, place: str, *, by_hour: int, now: datetime) -> int:
    """
    Hold one place's forecasts against the days that are over; how many lines were written, changed or taken back.

    Only days that something new was received of are looked at again, in as many statements for one day as for a
    thousand.
    """
    today = now.astimezone(SHANGHAI).date()
    since = _news_since(tx, place) or _FIRST
    came = measured(
        tx.observed_days(place, since=max(_FIRST, since - FARTHEST * _DAY), until=today - _DAY), until=today
    )
    forecasts = judging.issued(
        tx, place, since=_midnight(since - FARTHEST * _DAY) if since > _FIRST else None, until=_midnight(today)
    )
    fresh = {one.key: one for one in verified(place, forecasts, came, by_hour=by_hour) if one.day >= since}
    kept = {one.key: one for one in judging.verified_days(tx, place, since=since, until=today)}
    changed = [one for key, one in fresh.items() if kept.get(key) != one]
    gone = [one for key, one in kept.items() if key not in fresh]
    judging.keep_verified(tx, changed, now=now)
    judging.forget_verified(tx, gone)
    if changed or gone:
        days = sorted({one.day for one in (*changed, *gone)})
        more = {
            "first": days[0],
            "last": days[-1],
            "new": sum(one.key not in kept for one in changed),
            "corrected": sum(one.key in kept for one in changed),
            "taken_back": len(gone),
        }
        tx.note(Fact("forecast.verified", place, "system", now, more=more))
    return len(changed) + len(gone)


def figures_of(
    tx: Tx, place: str, *, days: int, now: datetime
) -> tuple[date, date, list[VerifiedDay], tuple[Figures, ...]]:
    """The window's first and last day (yesterday), what was verified in it, and its figures by source and lead."""
    last = now.astimezone(SHANGHAI).date() - _DAY
    first = last - (days - 1) * _DAY
    found = judging.verified_days(tx, place, since=first, until=last)
    return first, last, found, figures(found)


def told(tx: Tx, place: str, *, days: int, now: datetime) -> dict[str, object]:
    """The figures of a window as programs read them; what cannot be computed is null, never 0."""
    first, last, _found, some = figures_of(tx, place, days=days, now=now)
    return {
        "place": place,
        "first_day": first.isoformat(),
        "last_day": last.isoformat(),
        "fewest_days": FEWEST,
        "figures": [_said(one) for one in some],
    }


def _said(one: Figures) -> dict[str, object]:
    return {
        "source": one.feed,
        "lead_days": one.lead_days,
        "days": one.days,
        "enough": one.enough,
        "forecast_bias": _rounded(one.bias),
        "forecast_mae": _rounded(one.mae),
        "skill": _rounded(one.skill),
        "skill_days": one.skill_days,
        "primary_hit_rate": _rounded(one.primary_hit_rate),
        "primary_days": one.primary_days,
        "in_range": _rounded(one.in_range),
        "range_days": one.range_days,
        "level_hit": [
            {
                "aqi_over": band.over,
                "hits": band.hits,
                "misses": band.misses,
                "false_alarms": band.false_alarms,
                "correct_rejections": band.correct_rejections,
                "pod": _rounded(band.pod),
                "far": _rounded(band.far),
                "csi": _rounded(band.csi),
            }
            for band in one.bands
        ],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _news_since(tx: Tx, place: str) -> date | None:
    """The first day worth looking at again; None when nothing was ever verified: then all of them are."""
    mark = judging.last_verified(tx, place)
    if mark is None:
        return None
    days = [mark.astimezone(SHANGHAI).date() - _DAY]  # the day of the mark was not over then, nor perhaps its eve in
    if (day := judging.first_news(tx, place, since=mark)) is not None:
        days.append(day)
    if (at := judging.first_issued(tx, place, since=mark)) is not None:
        days.append(at.astimezone(SHANGHAI).date())
    return min(days)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)
