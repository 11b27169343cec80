"""Days that were measured as a plan counts them: the trigger's figure, and the cause that was foreseen or shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from emergency.domain.air import Standard, as_written, standard_for
from emergency.domain.assessment import SHANGHAI
from emergency.domain.causes import POLLUTED_OVER, Words, measured, measured_as_said, measured_day
from emergency.domain.forecast import Cause, DayOfAir, Forecast, Observation
from emergency.domain.plan import Metric, Plan


def causes_said(forecasts: Iterable[Forecast]) -> dict[date, Cause]:
    """
    What drives each day by the last word of a source, where that is not PM2.5; of several sources the newest word.

    A source that names no cause has not denied one, so it does not take back what another has said.
    """
    last: dict[str, dict[date, tuple[Forecast, Cause]]] = {}
    for one in forecasts:
        last.setdefault(one.feed, {}).update({day.day: (one, day.cause) for day in one.days})
    said = [(day, *word) for words in last.values() for day, word in words.items() if word[1] is not Cause.PM2_5]
    return {day: cause for day, _, cause in sorted(said, key=lambda one: (one[0], one[1].issued_at, one[1].feed))}


def measured_days(
    some: Iterable[Observation],
    plan: Plan,
    *,
    said: Mapping[date, Cause],
    standards: Sequence[Standard],
    words: Words | None = None,
) -> list[DayOfAir]:
    """
    One figure a day; of two feeds the one that counts for a trigger, else the worse; the others stay in the table.

    ``said``: the causes that were foreseen. What was measured has the last word, by ``causes.measured``, and over it
    only a person's (``words``), each for one feed's day.
    """
    mark = _lowest_mark(plan)
    found: dict[date, DayOfAir] = {}

    def rank(one: DayOfAir) -> tuple[bool, int]:
        return plan.orders(one) and one.aqi > mark, one.aqi

    for one in some:
        told = measured_of(one, said=said, standards=standards, words=words or {})
        if told is not None and (told.day not in found or rank(found[told.day]) < rank(told)):
            found[told.day] = told
    return list(found.values())


def measured_of(
    one: Observation, *, said: Mapping[date, Cause], standards: Sequence[Standard], words: Words
) -> DayOfAir | None:
    """One feed's measured day as a plan counts it; None where it has no index."""
    if one.aqi is None:
        return None
    day = one.at.astimezone(SHANGHAI).date()
    values = {name: as_written(value) for name, value in one.values.items() if value is not None}
    standard = standard_for(day, standards) if standards else None
    found = measured(standard, values, aqi=one.aqi, primary=one.primary, expected=said.get(day))
    word = words.get((one.feed, day))
    if word is not None:
        found = measured_as_said(found, standard, values, word.cause)
    pm2_5 = None if "pm2_5" not in values else float(values["pm2_5"])
    return measured_day(day, found, pm2_5=pm2_5, feed=one.feed, said_by=word.by if word else "")


def _lowest_mark(plan: Plan) -> float:
    """The lowest index that matters to the plan, of its triggers and its release."""
    marks = [
        spell.over
        for clauses in plan.levels.values()
        for clause in clauses
        for spell in clause.spells
        if spell.metric is Metric.AQI
    ]
    if plan.release_rule is not None:
        marks.append(plan.release_rule.not_over)
    return min(marks, default=POLLUTED_OVER)
