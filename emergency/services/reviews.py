"""The review: drafted from the record, signed by two, and the episode closed with the second signature."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from emergency.domain import flags as flagging
from emergency.domain import moving
from emergency.domain import review as reviews
from emergency.domain.assessment import SHANGHAI, end_of
from emergency.domain.calm import calm
from emergency.domain.episode import Decision, Phase, Standing
from emergency.domain.flags import Flag
from emergency.domain.forecast import Air
from emergency.domain.people import Act, Person, ask
from emergency.domain.plan import Plan
from emergency.domain.review import REVIEW, Pen, Review, Stage
from emergency.errors import Missing, Refused
from emergency.services import evaluating
from emergency.services.rules import Rules
from emergency.store import Tx, record

COMING_UP = timedelta(days=14)  # a suggestion dismissed so shortly before an episode belongs to its story


class TooEarly(Refused):
    """The episode is not over."""

    words_zh = "应急过程尚未解除，不能评估"


def draft(tx: Tx, rules: Rules, episode_id: UUID, *, by: Person, now: datetime, lessons: str = "") -> Review:
    """
    Count from the record, or count again while nobody has signed, and point at what a reader should look at.

    :raises NotAllowed: the person may not draft here
    :raises TooEarly: the episode is neither released nor withdrawn
    :raises IllegalMove: it is signed already
    """
    episode = tx.episode(episode_id)
    ask(by, Act.DRAFT_REVIEW, episode.area)
    if episode.phase not in (Phase.RELEASED, Phase.WITHDRAWN):
        raise TooEarly(f"episode {episode_id} is {episode.phase.value}")
    decisions = tx.decisions(episode_id)
    orders = tx.orders(episode_id)
    unjudged_since, void = reviews.taken_back(decisions), reviews.void(decisions)
    figures = tx.answer_figures(episode_id, before=unjudged_since, void=void)
    approved = [one for one in decisions if one.standing is Standing.APPROVED]
    tally = reviews.tally(
        spans=reviews.spans(approved),
        orders=orders,
        asked=figures.asked,
        answers_in_time=figures.in_time,
        minutes_to_acknowledge=figures.minutes,
        escalated=len({row.order_id for row in tx.rungs_taken(episode_id, before=unjudged_since, void=void)}),
        messages=tx.outbox.counts(episode_id),
        decisions=len(approved),
        overrides=sum(1 for one in approved if one.override_because),
        ungrounded=sum(1 for one in approved if not one.assessment),
        doubtful=tuple(sorted({name for one in approved for name in one.doubtful})),
        flags=flags(tx, rules, episode_id),
    )
    before = tx.review_of(episode_id)
    if before is None:
        review = Review(
            id=uuid5(episode_id, "review"),
            episode_id=episode_id,
            area=episode.area,
            stage=Stage.DRAFTED,
            tally=tally,
            lessons=lessons.strip(),
            drafted_by=by.id,
            drafted_at=now,
        )
    else:
        review = replace(
            before,
            stage=REVIEW.after(before.stage, Pen.REDRAFT),
            tally=tally,
            lessons=lessons.strip() or before.lessons,
            drafted_by=by.id,
            drafted_at=now,
        )
    return tx.save(review, fact="review.drafted", by=by.login, at=now)


def flags(tx: Tx, rules: Rules, episode_id: UUID) -> tuple[Flag, ...]:
    """
    What a review of the episode points at, worked out from the rows as they lie: its decisions, and the suggestions
    that were dismissed in the area while this spell was coming up.

    The plan's times are those of the plan loaded under the episode's name; where none is loaded nothing is called late.
    """
    episode = tx.episode(episode_id)
    before = record.dismissals(
        tx, episode.area, since=episode.opened_at - COMING_UP, until=episode.opened_at, exercise=episode.exercise
    )
    decisions = [*before, *tx.decisions(episode_id)]
    plan = rules.plans.get(episode.plan_id)
    papers = {one.bulletin_id for one in decisions if one.bulletin_id}
    return flagging.flags(
        decisions,
        plan=plan,
        received_at={one: tx.bulletin(one).received_at for one in papers},
        calm_at={} if plan is None else _calm_at(tx, rules.in_exercise(episode.exercise), plan, decisions),
    )


def _calm_at(tx: Tx, rules: Rules, plan: Plan, decisions: Sequence[Decision]) -> dict[UUID, bool]:
    """Whether the release test was met when each decision was signed, of the air as it was known then."""
    found = {}
    for one in decisions:
        if one.standing is not Standing.APPROVED or one.decided_at is None or plan.release_rule is None:
            continue
        if airs := rules.airs_ahead(tx, one.area, now=one.decided_at):
            found[one.id] = _was_calm(tx, rules, plan, one, airs, now=one.decided_at)
    return found


def _was_calm(tx: Tx, rules: Rules, plan: Plan, decision: Decision, airs: Sequence[Air], *, now: datetime) -> bool:
    """
    By every source that still spoke, as the rule itself asks. A warning is given early for a spell that lies beyond
    two calm days; it would end nothing, so it is no calm.
    """
    met = all(calm(plan, air, now=now).met for air in airs)
    if not met or decision.move not in flagging.WARNS:
        return met
    until = rules.spell_until(rules.assess_now(tx, decision.area, now=now))
    return until is None or until <= end_of(now.astimezone(SHANGHAI).date())


def flags_said(some: Iterable[Flag]) -> list[dict[str, object]]:
    """Flags as JSON, with their words in both languages and the address of the decision's page."""
    return [
        {**asdict(one), "zh": one.words_zh, "en": one.words_en, "page": f"/console/decisions/{one.decision_id}"}
        for one in some
    ]


def sign(tx: Tx, episode_id: UUID, *, by: Person, now: datetime) -> Review:
    """
    The first signature under the review.

    :raises Missing: nothing is drafted
    :raises NotAllowed, IllegalMove: see ``review.sign``
    """
    return tx.save(reviews.sign(_drafted(tx, episode_id), by=by, now=now), fact="review.signed", by=by.login, at=now)


def countersign(tx: Tx, episode_id: UUID, *, by: Person, now: datetime) -> Review:
    """
    The second signature, by another person; the episode closes with it.

    :raises SameHand, NotAllowed, IllegalMove: see ``review.countersign``
    """
    review = reviews.countersign(_drafted(tx, episode_id), by=by, now=now)
    kept = tx.save(review, fact="review.countersigned", by=by.login, at=now)
    tx.save(moving.close(tx.episode(episode_id), now=now), fact="episode.closed", by=by.login, at=now)
    evaluating.finish(tx, episode_id, by=by, now=now)
    return kept


def _drafted(tx: Tx, episode_id: UUID) -> Review:
    review = tx.review_of(episode_id)
    if review is None:
        raise Missing("nothing is drafted yet")
    return review
