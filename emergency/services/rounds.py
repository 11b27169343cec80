"""What falls due by itself while a response runs and after it: broadcasts, reports, reminders; one round a minute."""

from __future__ import annotations

from datetime import datetime

from emergency.domain.episode import Phase
from emergency.services import evaluating, rebroadcasting, reporting
from emergency.services.rules import Rules
from emergency.store import Store, Tx
from emergency.store import reporting as kept


def go(store: Store, rules: Rules, *, now: datetime) -> int:
    """
    Broadcast again, ask for reports, chase what is missing, remind; how many steps were taken.

    Every step is a row that is taken once, so a round that runs twice, late or beside another does no harm.
    """

    with store.reading() as tx:
        if not kept.episodes_in(tx, [Phase.ACTIVE, Phase.RELEASED]) and not kept.overdue(tx, before=now):
            return 0

    def round_of(tx: Tx) -> int:
        return (
            rebroadcasting.repeat_due(tx, rules, now=now)
            + reporting.ask_due(tx, rules, now=now)
            + reporting.chase_missing(tx, rules, now=now)
            + evaluating.remind_due(tx, rules, now=now)
        )

    return store.run(round_of)
