"""Days counted in working days, and who is told where the holidays of a year they run through are not known."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from emergency.clock import SHANGHAI
from emergency.services.rules import Rules
from emergency.store import Tx

ALARM: Final = "workdays"


def by_weekends_only(rules: Rules, since: datetime, until: date) -> str:
    """What has to be said of a day counted through a year nobody announced; empty where every year is known."""
    years = rules.calendar.unannounced(since.astimezone(SHANGHAI).date(), until)
    return f"{'、'.join(map(str, years))}年节假日安排未录入，期限只按周末推算" if years else ""


def tell(tx: Tx, rules: Rules, since: datetime, until: date, *, now: datetime) -> None:
    """Raise an alarm at every desk for each year that a day was counted through and whose holidays are not known."""
    for year in rules.calendar.unannounced(since.astimezone(SHANGHAI).date(), until):
        words = f"{year}年节假日安排未录入（playbooks/workdays.yaml），按工作日计的期限只按周末推算，可能不准"
        tx.raise_alarm(f"{ALARM}:{year}", area="", detail=words, now=now)


def end_known(tx: Tx, rules: Rules, *, now: datetime) -> None:
    """End the alarms of years that have been entered since."""
    for alarm in tx.standing_alarms():
        kind, _, year = alarm.name.partition(":")
        if kind == ALARM and int(year) in rules.calendar.years:
            tx.clear_alarm(alarm.name, now=now)
