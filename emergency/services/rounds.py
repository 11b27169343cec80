"""What falls due by itself while a response runs and after it: broadcasts, reports, reminders; one round a minute."""

from __future__ import annotations

from datetime import datetime

from emergency.services import evaluating, rebroadcasting, reporting
from emergency.services.rules import Rules
from emergency.store import Store, Tx


def go(store: Store, rules: Rules, *, now: datetime) -> int:
    """
    Broadcast again, ask for reports, chase what is missing, remind; how many steps were taken.

    Every step is a row that is taken once, so a round that runs twice, late or beside another does no harm.
    """

    def round_of(tx: Tx) -> int:
        return (
            rebroadcasting.repeat_due(tx, rules, now=now)
            + reporting.ask_due(tx, rules, now=now)
            + reporting.chase_missing(tx, rules, now=now)
            + evaluating.remind_due(tx, rules, now=now)
        )

    return store.run(round_of)
