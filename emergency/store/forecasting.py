"""Forecasts as rows: one content of an issue is one revision, and the last that is known counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select, tuple_

from emergency.domain.forecast import Forecast
from emergency.store import saving
from emergency.store.bulk import table
from emergency.store.tables import ForecastRow

_NAMESPACE = UUID("5f7c1b7e-0a56-4d0f-9a0e-7f3a1c2d4e50")
_ISSUE = ("feed", "place", "issued_at")


def keep(connection: Connection, forecast: Forecast, *, now: datetime) -> int:
    """
    Keep a forecast; its revision, from 1, or 0 when just this is the last its source said under this issue time.

    Another content under the same issue time is a correction: it is kept beside what it corrects, and counts from now
    on. Which message it was read from is no content.

    :raises IntegrityError: somebody else kept one of the same issue at the same moment (to the store a Conflict)
    """
    rows = table(ForecastRow)
    of_issue = (rows.c[name] == getattr(forecast, name) for name in _ISSUE)
    last = connection.execute(select(rows).where(*of_issue).order_by(rows.c.revision.desc()).limit(1)).first()
    if last is not None and _content(saving.forecast(last)) == _content(forecast):
        return 0
    revision: int = 1 if last is None else last.revision + 1
    about = f"forecast:{forecast.feed}:{forecast.place}:{forecast.issued_at.isoformat()}"
    key = uuid5(_NAMESPACE, about if revision == 1 else f"{about}:{revision}")
    row = {**saving.forecast_row(forecast), "id": key, "revision": revision, "received_at": now}
    connection.execute(insert(rows), row)
    return revision


def _content(one: Forecast) -> Forecast:
    return replace(one, raw_sha256="", corrected_at=None)


def issued(connection: Connection, place: str, *, since: datetime, known_at: datetime | None) -> list[Forecast]:
    """Forecasts for the place issued since then as last corrected (``known_at``: by then), oldest first."""
    found = _as_corrected(connection, place, ForecastRow.issued_at >= since, known_at=known_at)
    return sorted(found, key=lambda one: (one.issued_at, one.feed))


def latest(connection: Connection, place: str, *, now: datetime) -> list[Forecast]:
    """The newest forecast of each feed for the place, as last corrected, by feed."""
    newest = (
        select(ForecastRow.feed, func.max(ForecastRow.issued_at))
        .where(ForecastRow.place == place, ForecastRow.issued_at <= now)
        .group_by(ForecastRow.feed)
    )
    newest_of_each = tuple_(ForecastRow.feed, ForecastRow.issued_at).in_(newest)
    return sorted(_as_corrected(connection, place, newest_of_each, known_at=now), key=lambda one: one.feed)


def _as_corrected(
    connection: Connection, place: str, which: ColumnElement[bool], *, known_at: datetime | None
) -> list[Forecast]:
    """Of each issue the last revision; what was first received of it counts from its issue, a correction from then."""
    rows = table(ForecastRow)
    known = [ForecastRow.place == place, which]
    if known_at is not None:
        known.append(or_(ForecastRow.revision == 1, ForecastRow.received_at <= known_at))
    last = (
        select(ForecastRow.feed, ForecastRow.place, ForecastRow.issued_at, func.max(ForecastRow.revision).label("last"))
        .where(*known)
        .group_by(ForecastRow.feed, ForecastRow.place, ForecastRow.issued_at)
        .subquery()
    )
    same = and_(*(rows.c[name] == last.c[name] for name in _ISSUE), rows.c.revision == last.c.last)
    return [saving.forecast(row) for row in connection.execute(select(rows).join(last, same))]
