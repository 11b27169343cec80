"""What is done again and again (滚动播报, 日报): of the steps due only the last, so an outage leaves no pile."""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo


def last_step(since: datetime, every: timedelta, *, now: datetime) -> datetime | None:
    """The last of the moments ``since`` + n × ``every`` that is due, n from 1 on; None before the first."""
    steps = (now - since) // every
    return since + steps * every if steps >= 1 else None


def last_hour(at: time, *, now: datetime, zone: tzinfo) -> datetime:
    """When it was last this hour of a day in the zone."""
    here = now.astimezone(zone)
    today = datetime.combine(here.date(), at, zone)
    return (today if today <= here else today - timedelta(days=1)).astimezone(now.tzinfo)
