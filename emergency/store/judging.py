"""What forecasts were worth and what candidate plans said, as rows: read for the pages, written in bulk."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from emergency.domain.exercise import place_of as exercise_place
from emergency.domain.forecast import Forecast
from emergency.domain.level import Level
from emergency.domain.verification import VerifiedDay
from emergency.store import saving
from emergency.store.loading import table
from emergency.store.tables import ForecastRow, ObservationRow
from emergency.store.tables_judging import ShadowRow, VerifiedDayRow
from emergency.store.tx import Tx

_KEY = ("feed", "place", "day", "lead_days")


# --- what forecasts were worth


def forecast_places(tx: Tx) -> list[str]:
    """Every place somebody ever gave a forecast for; exercises have imagined air, which is not verified."""
    rows = tx.connection.execute(select(ForecastRow.place).distinct().order_by(ForecastRow.place))
    return [str(one) for one in rows.scalars() if not str(one).startswith(exercise_place(""))]


def last_verified(tx: Tx, place: str) -> datetime | None:
    """When something was last written down for the place."""
    asked = select(VerifiedDayRow.verified_at).where(VerifiedDayRow.place == place)
    return tx.connection.execute(asked.order_by(VerifiedDayRow.verified_at.desc()).limit(1)).scalar()


def first_news(tx: Tx, place: str, *, since: datetime) -> date | None:
    """The earliest day that an observation received since then is of."""
    asked = select(func.min(ObservationRow.day)).where(
        ObservationRow.place == place, ObservationRow.period == "day", ObservationRow.received_at >= since
    )
    found: date | None = tx.connection.execute(asked).scalar()
    return found


def first_issued(tx: Tx, place: str, *, since: datetime) -> datetime | None:
    """The earliest issue among the forecasts received since then."""
    asked = select(ForecastRow.issued_at).where(ForecastRow.place == place, ForecastRow.received_at >= since)
    return tx.connection.execute(asked.order_by(ForecastRow.issued_at).limit(1)).scalar()


def newest_issues(tx: Tx, *, now: datetime) -> dict[str, datetime]:
    """Feed → when its newest forecast of real air was issued."""
    known = ForecastRow.__table__.c
    asked = select(known.feed, func.max(known.issued_at)).where(
        known.issued_at <= now, known.place.not_like(f"{exercise_place('')}%")
    )
    return {str(feed): at for feed, at in tx.connection.execute(asked.group_by(known.feed))}


def newest_measured(tx: Tx, places: Collection[str], *, now: datetime) -> dict[str, tuple[datetime, str]]:
    """
    Feed → the end of the newest hour it measured at these places, or of the newest day where it gives no hours, and
    which of the two; days that were made of hours are no word of the feed's own.
    """
    known = ObservationRow.__table__.c
    asked = (
        select(known.feed, known.period, func.max(known.at))
        .where(known.place.in_(places), known.at <= now, known.standard == "")
        .group_by(known.feed, known.period)
        .order_by(known.period)  # a day before an hour, which takes its place
    )
    rows = tx.connection.execute(asked)
    return {str(feed): (at + timedelta(days=period == "day"), str(period)) for feed, period, at in rows}


def issued(tx: Tx, place: str, *, since: datetime | None, until: datetime) -> list[Forecast]:
    """The forecasts' days without their hours, issued in that time, each revision of each, oldest first."""
    known = ForecastRow.__table__.c
    columns = [one for one in known if one.name not in ("id", "hours")]
    asked = select(*columns).where(ForecastRow.place == place, ForecastRow.issued_at < until)
    if since is not None:
        asked = asked.where(ForecastRow.issued_at >= since)
    rows = tx.connection.execute(asked.order_by(ForecastRow.issued_at, ForecastRow.feed, ForecastRow.revision))
    return [saving.forecast(_Hourless(**row._mapping)) for row in rows]


class _Hourless:
    """A forecast's row whose hours were not fetched: they are most of its weight and nothing here asks for them."""

    hours: tuple[Any, ...] = ()

    def __init__(self, **columns: Any) -> None:
        self.__dict__.update(columns)


def verified_days(tx: Tx, place: str, *, since: date, until: date) -> list[VerifiedDay]:
    """What was written down of the days in [since, until], by source, day and days ahead."""
    row = table(VerifiedDayRow)
    rows = tx.connection.execute(
        select(*[column for column in row.c if column.name != "verified_at"])
        .where(row.c.place == place, row.c.day >= since, row.c.day <= until)
        .order_by(row.c.feed, row.c.day, row.c.lead_days)
    )
    return [_verified_day(one) for one in rows]


def keep_verified(tx: Tx, days: Sequence[VerifiedDay], *, now: datetime) -> None:
    """Write these days down, over what was written of the same day, source and days ahead; one statement."""
    if not days:
        return
    insert_into = (postgresql if tx.dialect == "postgresql" else sqlite).insert(table(VerifiedDayRow))
    new = insert_into.excluded
    names = [one.name for one in table(VerifiedDayRow).c if one.name not in _KEY]
    statement = insert_into.on_conflict_do_update(index_elements=list(_KEY), set_={name: new[name] for name in names})
    tx.connection.execute(statement, [{**asdict(one), "verified_at": now} | _lists(one) for one in days])


def forget_verified(tx: Tx, days: Collection[VerifiedDay]) -> None:
    """Take back what rested on a measurement that no longer stands; one statement."""
    if not days:
        return
    row = table(VerifiedDayRow)
    statement = delete(row)
    for name in _KEY:
        statement = statement.where(row.c[name] == bindparam(f"old_{name}"))
    tx.connection.execute(statement, [{f"old_{name}": getattr(one, name) for name in _KEY} for one in days])


def _lists(one: VerifiedDay) -> dict[str, Any]:
    return {"forecast_primary": list(one.forecast_primary), "observed_primary": list(one.observed_primary)}


def _verified_day(row: Any) -> VerifiedDay:
    columns = dict(row._mapping)
    for name in ("forecast_primary", "observed_primary"):
        columns[name] = tuple(columns[name])
    return VerifiedDay(**columns)


# --- candidate plans


@dataclass(frozen=True)
class Shadow:
    """
    What a candidate plan said beside the active one from ``since`` to ``seen_at``; level None = it would not say.

    ``asks``: the move it would have suggested, as :class:`emergency.services.shadowing.Said` has it; None on lines
    that were written before moves were compared.
    """

    id: UUID
    area: str
    plan_id: str
    plan_sha: str
    active_plan_id: str
    active_plan_sha: str
    level: Level | None
    active_level: Level | None
    differs: bool
    sentence_zh: str
    sentence_en: str
    since: datetime
    seen_at: datetime
    asks: str | None
    active_asks: str | None


def latest_shadow(tx: Tx, area: str, plan_id: str) -> Shadow | None:
    """What this candidate last said of the area's air."""
    asked = select(table(ShadowRow)).where(ShadowRow.area == area, ShadowRow.plan_id == plan_id)
    row = tx.connection.execute(asked.order_by(ShadowRow.since.desc(), ShadowRow.seen_at.desc()).limit(1)).first()
    return None if row is None else _shadow(row)


def shadows(tx: Tx, area: str, *, differing: bool = False, limit: int = 500) -> list[Shadow]:
    """What candidates said of the area's air, latest first; only where they differed, when asked so."""
    asked = select(table(ShadowRow)).where(ShadowRow.area == area)
    if differing:
        asked = asked.where(ShadowRow.differs)
    rows = tx.connection.execute(asked.order_by(ShadowRow.since.desc(), ShadowRow.plan_id).limit(limit))
    return [_shadow(row) for row in rows]


def keep_shadow(tx: Tx, **columns: Any) -> None:
    """Begin a new line of the log."""
    key = uuid5(UUID(int=0), f"shadow:{columns['area']}:{columns['plan_id']}:{columns['since'].isoformat()}")
    tx.connection.execute(insert(table(ShadowRow)).values(id=key, **columns))


def see_shadow(tx: Tx, shadow_id: UUID, *, sentence_zh: str, sentence_en: str, now: datetime) -> None:
    """Note that a line of the log still holds; its sentence is the latest."""
    tx.connection.execute(
        update(table(ShadowRow))
        .where(ShadowRow.id == shadow_id)
        .values(seen_at=now, sentence_zh=sentence_zh, sentence_en=sentence_en)
    )


def _shadow(row: Any) -> Shadow:
    columns = dict(row._mapping)
    for name in ("level", "active_level"):
        columns[name] = None if columns[name] is None else Level(columns[name])
    return Shadow(**columns)
