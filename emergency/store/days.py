"""Days made of hours, as rows: written over what was made of the same hours before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

from sqlalchemy.dialects import postgresql, sqlite

from emergency.clock import SHANGHAI
from emergency.domain.forecast import Observation
from emergency.store.bulk import table
from emergency.store.tables import ObservationRow
from emergency.store.tx import Tx

_KEY = ("feed", "place", "period", "at")


def keep_days(tx: Tx, days: Sequence[Observation], *, now: datetime) -> None:
    """Write these days down, over what was made of the same day by the same feed before; one statement."""
    if not days:
        return
    insert_into = (postgresql if tx.dialect == "postgresql" else sqlite).insert(table(ObservationRow))
    names = ("values", "aqi", "primary", "standard", "received_at")
    statement = insert_into.on_conflict_do_update(
        index_elements=list(_KEY), set_={name: insert_into.excluded[name] for name in names}
    )
    rows = [
        {
            "id": uuid5(UUID(int=0), f"day:{one.feed}:{one.place}:{one.at.isoformat()}"),
            "feed": one.feed,
            "place": one.place,
            "period": one.period,
            "at": one.at,
            "day": one.at.astimezone(SHANGHAI).date(),
            "values": dict(one.values),
            "aqi": one.aqi,
            "primary": list(one.primary),
            "standard": one.standard,
            "received_at": now,
            "raw_sha256": one.raw_sha256,
        }
        for one in days
    ]
    tx.connection.execute(statement, rows)
