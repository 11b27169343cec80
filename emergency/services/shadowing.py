"""Candidate plans asked of the same air beside the active one: what they say is written down, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from emergency import log as logs
from emergency.domain.episode import Fact, Move
from emergency.domain.level import Level
from emergency.domain.plan import Authority, Plan
from emergency.errors import EmergencyError, Refused
from emergency.services import asking
from emergency.services.rules import NoAir, Rules
from emergency.store import Store, Tx, judging

log = logs.of(__name__)


UNKNOWN: Final = "unknown"


@dataclass(frozen=True)
class Said:
    """
    What a plan said of the air: its level and sentence; level None = it refused, and the sentence is why.

    ``asks``: the move it would suggest now, with its level where that is not the move's own (``release``,
    ``downgrade yellow``); empty for none, and ``unknown`` where the plan cannot say.
    """

    level: Level | None
    zh: str
    en: str
    asks: str = ""


def shadow_all(store: Store, rules: Rules, candidates: Mapping[str, Sequence[str]], *, now: datetime) -> int:
    """
    Ask every area's candidates what they say of its air now; how many lines of the log are new.

    Each in a transaction of its own, after the active plans have been asked: a candidate suggests nothing, messages
    nobody, and one that fails is noted in the log of the process and disturbs no other.
    """
    new = 0
    for area, plan_ids in sorted(candidates.items()):
        for plan_id in plan_ids:
            try:
                new += store.run(
                    lambda tx, area=area, plan_id=plan_id: compare(tx, rules, area, plan_id, now=now)  # type: ignore[misc]  # mypy does not see the defaults
                )
            except EmergencyError as failed:
                log.warning("shadow.failed", extra={"area": area, "plan": plan_id, "because": str(failed)})
    return new


def compare(tx: Tx, rules: Rules, area: str, plan_id: str, *, now: datetime) -> bool:
    """
    Write down what the candidate says beside the active plan; whether that began a new line.

    While both say the same as before the line only grows. The journal has the beginning and the end of a difference.

    :raises Misconfigured: no such plan is loaded
    """
    active, candidate = rules.plan_of(tx, area), rules.plan(plan_id)
    try:
        ours = say(tx, rules, area, now=now)
        theirs = say(tx, under(rules, active, candidate), area, now=now)
    except NoAir:
        return False  # neither has anything to judge
    before = judging.latest_shadow(tx, area, plan_id)
    verdict = {
        "plan_sha": candidate.sha,
        "active_plan_id": active.id,
        "active_plan_sha": active.sha,
        "level": theirs.level,
        "active_level": ours.level,
        "asks": theirs.asks,
        "active_asks": ours.asks,
    }
    if before is not None and all(getattr(before, name) == value for name, value in verdict.items()):
        judging.see_shadow(tx, before.id, sentence_zh=theirs.zh, sentence_en=theirs.en, now=now)
        return False
    differs = (theirs.level, theirs.asks) != (ours.level, ours.asks)
    judging.keep_shadow(
        tx, area=area, plan_id=plan_id, differs=differs, sentence_zh=theirs.zh, sentence_en=theirs.en,
        since=now, seen_at=now, **verdict,
    )  # fmt: skip
    if differs or (before is not None and before.differs):
        more = {
            "candidate": _word(theirs.level), "active": _word(ours.level), "active_plan": active.id,
            "asks": theirs.asks, "active_asks": ours.asks, "because": theirs.zh if theirs.level is None else "",
        }  # fmt: skip
        tx.note(Fact("shadow.differs" if differs else "shadow.agrees", plan_id, "rule", now, area=area, more=more))
    return True


def under(rules: Rules, active: Plan, candidate: Plan) -> Rules:
    """The same rules as if the areas under ``active`` ran under the candidate."""
    return replace(rules, plans={**rules.plans, active.id: candidate})


def say(tx: Tx, rules: Rules, area: str, *, now: datetime) -> Said:
    """
    What the area's plan says of its air, and which move it would suggest: start, raise, lower, extend, let go, advise.
    A plan that refuses to judge says why. An area that only activates lets go and lowers on the notice of the level
    above, so that no plan of its own is asked for moves.

    :raises NoAir: there is nothing to judge
    """
    try:
        found = rules.assess_now(tx, area, now=now)
    except NoAir:
        raise
    except Refused as refused:
        return Said(None, refused.zh, str(refused), UNKNOWN)
    said = Said(found.level, found.sentence_zh, found.sentence_en)
    if rules.plan_of(tx, area).authority is not Authority.ISSUES:
        return said
    try:
        asked = asking.of_anything(tx, rules, area, now=now)
    except Refused as refused:  # a cell of the test that nobody has seen
        return replace(said, zh=said.zh + refused.zh, en=f"{said.en} {refused}", asks=UNKNOWN)
    if asked.move is None:
        return said
    levelled = asked.level is not Level.NONE and asked.move is not Move.EXTEND
    return replace(said, asks=f"{asked.move.value} {asked.level.word}" if levelled else asked.move.value)


def _word(level: Level | None) -> str:
    return "unknown" if level is None else level.word
