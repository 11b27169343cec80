"""Health advisories: what the air asks for, what a signature gives to units, and how an advisory ends by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from uuid import UUID

from emergency.clock import SHANGHAI
from emergency.domain import advising, drawing, ladder, moving
from emergency.domain.advising import AdvisedDay, NothingToAdvise
from emergency.domain.assessment import Assessment
from emergency.domain.episode import Decision, Episode, Move, Notice, Phase, Standing
from emergency.domain.messages import Kind
from emergency.domain.orders import LIVE, DrawnUp, Measure, Recipient
from emergency.domain.plan import Authority, Plan
from emergency.domain.signing import lapse
from emergency.services import effect, wording
from emergency.services.rules import Rules
from emergency.store import Store, Tx, rulings
from emergency.store import advising as kept

_UNSENT = tuple(one.value for one in (Kind.ORDER, Kind.REVISION, Kind.INFORMATION, Kind.REMINDER, Kind.ESCALATION))


def days_ahead(rules: Rules, assessment: Assessment, *, now: datetime) -> tuple[AdvisedDay, ...]:
    """The days from today on that ask for an advisory."""
    return advising.asked(assessment, rules.advice, today=now.astimezone(SHANGHAI).date())


def wanted(tx: Tx, rules: Rules, area: str, assessment: Assessment, *, now: datetime) -> bool:
    """
    Whether the rule has an advisory to suggest: a day that was not advised of before, and nobody's proposal waiting.

    What was turned down or let lapse was told too: the rule asks once for each day and cause.
    """
    days = days_ahead(rules, assessment, now=now)
    episode = tx.running_episode(area, rules.exercise)
    told = [day for one in kept.standing(tx, now=now, area=area, exercise=rules.exercise) for day in advising.of(one)]
    if episode is not None:
        waiting = tx.waiting_decision(episode.id)
        if waiting is not None and waiting.standing is Standing.PROPOSED:
            return False
        superseded = (Standing.SUPERSEDED,)
        told += [
            day for one in tx.decisions(episode.id) if one.standing not in superseded for day in advising.of(one)
        ]
    return advising.fresh(days, told)


def sealed(
    rules: Rules, plan: Plan, notice: Notice, assessment: Assessment, *, now: datetime
) -> tuple[Notice, dict[str, object]]:
    """
    The notice of an advisory, and the days it speaks of as data to be signed with it.

    Only an area that may warn the public gets a public text; any other advises its own units and nobody else.

    :raises NothingToAdvise: no day ahead asks for it
    """
    days = days_ahead(rules, assessment, now=now)
    if not days:
        raise NothingToAdvise(f"no day of {assessment.plan_id} asks for an advisory")
    zh, en = advising.sentences(days, rules.advice)
    notice = replace(
        notice,
        reason=zh,
        effective_at=advising.begins(days, now=now),
        expected_end_at=advising.ends(days),
        open_ended=False,
        public_text="",
    )
    if plan.authority is Authority.ISSUES:
        notice = replace(notice, public_text=wording.advisory_public(rules, notice, advising.lines(days, rules.advice)))
    return notice, {"advice": advising.as_data(days), "advice_zh": zh, "advice_en": en}


def set_end(tx: Tx, decision: Decision, *, now: datetime) -> None:
    """Give an episode that is only opening its due time, so that an advisory nobody signs leaves nothing hanging."""
    episode, until = tx.episode(decision.episode_id), decision.notice.expected_end_at
    if episode.phase is not Phase.OPENING or until is None:
        return
    if episode.expected_end_at is None or episode.expected_end_at < until:
        tx.save(replace(episode, expected_end_at=until), fact="episode.advice_due", by="rule", at=now)


def in_force(tx: Tx, episode_id: UUID, *, now: datetime) -> tuple[AdvisedDay, ...]:
    """The days not yet over that signed advisories of this episode speak of."""
    today = now.astimezone(SHANGHAI).date()
    signed = [one for one in tx.decisions(episode_id) if one.standing is Standing.APPROVED]
    return tuple(dict.fromkeys(day for one in signed for day in advising.of(one) if day.day >= today))


def drawn(
    tx: Tx, rules: Rules, decision: Decision, recipients: Sequence[Recipient], *, now: datetime
) -> tuple[DrawnUp, ...]:
    """
    What an advisory gives to units, towns and districts, beside what they were ordered before; no plant is touched.
    """
    days = tuple(dict.fromkeys((*in_force(tx, decision.episode_id, now=now), *advising.of(decision))))
    standing = {one.recipient_id: one for one in tx.orders(decision.episode_id)}
    found: list[DrawnUp] = []
    for number, recipient in enumerate(recipients, 1):
        measures = advising.measures_for(recipient, days, rules.advice)
        if not drawing.eligible(recipient, measures):
            continue
        before = standing.get(recipient.id)
        level = before.level if before and before.status in LIVE else decision.level
        old = before.duties if before and before.status in LIVE else ()
        asked = {one.key for one in measures}
        stays: tuple[Measure, ...] = advising.as_it_stands((one for one in old if one.key not in asked), level)
        if asked <= {one.key for one in old}:
            continue  # it was asked for all of this already
        found.append(
            drawing.draw_up(
                recipient,
                episode_id=decision.episode_id,
                decision_id=decision.id,
                number=before.number if before else f"{decision.notice.number}-{number:04d}",
                level=level,
                measures=(*stays, *measures),
                effective_at=effect.takes_effect(decision, before, max(now, decision.notice.effective_at or now)),
                now=now,
                before=before,
            )
        )
    return tuple(found)


def end_overdue(store: Store, *, now: datetime) -> int:
    """End the openings that held nothing but an advisory whose last day is over; how many."""
    with store.reading() as tx:
        over = [one.id for one in kept.openings_over(tx, now=now)]
    return sum(store.run(partial(_end, episode_id=one, now=now)) for one in over)


def _end(tx: Tx, *, episode_id: UUID, now: datetime) -> int:
    episode = tx.episode(episode_id)
    if episode.phase is not Phase.OPENING or episode.expected_end_at is None or episode.expected_end_at > now:
        return 0
    waiting = tx.waiting_decision(episode.id)
    if waiting is not None and waiting.move is not Move.ADVISE:
        return 0  # people are deciding on something else; it is theirs to end
    if waiting is not None:
        tx.save(lapse(waiting, now=now), fact="decision.lapsed", by="system", at=now)
        tx.outbox.cancel_for_decision(waiting.id)
    signed = [one for one in tx.decisions(episode.id) if one.standing is Standing.APPROVED]
    if any(one.move is Move.APPEAL for one in signed):
        tx.save(replace(episode, expected_end_at=None), fact="episode.advice_over", by="system", at=now)
        return 1  # the appeal stands until people end it
    if signed:
        _lift(tx, episode, signed[-1], now=now)
    tx.save(moving.came_to_nothing(episode, now=now), fact="episode.advice_over", by="system", at=now)
    return 1


def _lift(tx: Tx, episode: Episode, decision: Decision, *, now: datetime) -> None:
    """Quietly and without a revision, for nobody decided anything: the text each unit got says until when."""
    for one in tx.orders(episode.id):
        if one.status in LIVE:
            after, _ = drawing.lift(one, decision_id=decision.id, effective_at=now, now=now)
            after = ladder.stopped(replace(after, revision=one.revision))
            tx.outbox.cancel(one.id, _UNSENT)
            tx.save(after, fact="order.lifting", by="system", at=now)
    rulings.end(tx, episode.id, fact=rulings.LIFTED, by=None, now=now)
