"""A drill's air as a desk would have had it: every evening's forecast, and the days that were measured by then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

from emergency.clock import SHANGHAI
from emergency.domain.causes import cause_of
from emergency.domain.drill import Evening
from emergency.domain.forecast import Cause, DayOfAir, Forecast, ForecastDay, Source
from emergency.feeds.replay import PastDay, derived, read_air
from emergency.plans.drills import Drill

FEED = "drill"


def measured(drill: Drill, folder: Path) -> tuple[DayOfAir, ...]:
    """
    Every day of the drill's air that has a figure, in the order of the calendar; ``folder`` is ``playbooks/air``.

    :raises Misconfigured: there is no such air
    """
    return tuple(
        DayOfAir(
            one.day, one.aqi, Source.OBSERVED, primary=one.primary, cause=_cause(drill, one.day, one.primary, one.aqi),
            pm2_5=one.values.get("pm2_5"), feed=FEED,
        )
        for one in read_air(folder / f"{drill.air_file}.csv")
        if one.aqi is not None
    )


def evenings(drill: Drill, folder: Path) -> tuple[Evening, ...]:
    """
    Every forecast of the drill, the earliest first, with the finished days known when it is out.

    :raises Misconfigured: there is no such air
    """
    known = measured(drill, folder)
    past = read_air(folder / f"{drill.air_file}.csv")
    hour, minute = map(int, drill.forecast.issued_at.split(":"))
    found, day = [], drill.begins_at.astimezone(SHANGHAI).date()
    while (at := datetime.combine(day, time(hour, minute), SHANGHAI)) <= drill.ends_at:
        days = drill.forecasts.get(day) if drill.forecasts else _derived(drill, past, day)
        if at >= drill.begins_at and days:
            forecast = Forecast(FEED, drill.air_city, at, days, label=f"{drill.label}预报")
            found.append(Evening(forecast, tuple(one for one in known if one.day < day)))
        day += timedelta(days=1)
    return tuple(found)


def _derived(drill: Drill, past: Sequence[PastDay], issued_on: date) -> tuple[ForecastDay, ...]:
    rule = drill.forecast
    last = issued_on + timedelta(days=rule.days_ahead)
    return tuple(
        ForecastDay(one.day, aqi, primary=one.primary, cause=_cause(drill, one.day, one.primary, aqi))
        for one in past
        if issued_on <= one.day <= last and one.aqi is not None
        for aqi in [
            derived(
                one.aqi, seed=rule.seed, episode=drill.air_file, issued_on=issued_on, day=one.day,
                permille=rule.error_permille,
            )
        ]
    )


def _cause(drill: Drill, day: date, primary: tuple[str, ...], aqi: int) -> Cause:
    return drill.causes.get(day) or cause_of(primary, aqi)
