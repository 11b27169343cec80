"""Whether the air has moved on under a proposal: what the rule said when it was made beside what it says now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from emergency.domain.episode import Decision, Move
from emergency.domain.level import Level
from emergency.domain.people import Person
from emergency.domain.signing import NotEntitled
from emergency.errors import Refused

JUDGED = frozenset(
    {
        Move.ACTIVATE, Move.UPGRADE, Move.DOWNGRADE, Move.EXTEND, Move.REOPEN, Move.RELEASE, Move.WITHDRAW,
        Move.DISMISS,
    }
)  # fmt: skip
"""Moves about which the rule has a word; it has none of an appeal, an advisory or single measures."""


class How(StrEnum):
    """Which way the rule has moved since."""

    FALLEN = "fallen"  # it no longer asks for this
    RISEN = "risen"  # it now asks for more than this


@dataclass(frozen=True)
class Overtaken:
    """What the rule says now of a proposal it no longer agrees with: the level, and the whole assessment as data."""

    how: How
    level: Level
    assessment: Mapping[str, object]

    @property
    def key(self) -> str:
        """What a signer says he or she has read: ``fallen:none``, ``risen:red``."""
        return f"{self.how.value}:{self.level.word}"


@dataclass(frozen=True)
class Anyway:
    """A signer's word to sign all the same: the key of what was read, and why."""

    read: str = ""
    because: str = ""


class RuleMovedOn(Refused):
    """The rule says something else now, and the signer has not said that it was read and why it is signed anyway."""

    words_zh = "提出之后规则结论已变化，如仍要签发，请勾选已阅并写明理由"

    def __init__(self, found: Overtaken) -> None:
        says = "no longer asks for this" if found.how is How.FALLEN else "now asks for more"
        super().__init__(f"the rule {says} (now {found.level.word}): to sign anyway, say that it was read, and why")
        self.found = found


def overtaken(decision: Decision, *, says_now: Level, assessment: Mapping[str, object]) -> Overtaken | None:
    """
    The rule's later word where it differs from both what it said then and what was proposed; None while it agrees.

    A proposal that people made above or below the rule already has its reason: only a rule that has moved further away
    overtakes it. The notice of the level above is a ground of its own, whatever the air says here.
    """
    if decision.bulletin_id is not None or decision.move not in JUDGED:
        return None
    if says_now < min(decision.level, decision.rule_says):
        return Overtaken(How.FALLEN, says_now, assessment)
    if says_now > max(decision.level, decision.rule_says):
        return Overtaken(How.RISEN, says_now, assessment)
    return None


def signed(decision: Decision, found: Overtaken | None, anyway: Anyway, *, by: Person, rank_now: int) -> Decision:
    """
    The decision with what its signer knew and why it was signed all the same, in ``against``; as it is where the rule
    still agrees. ``rank_now``: the rank that signs the level the rule asks for now.

    :raises RuleMovedOn: what the rule says now was not read, or no reason is given
    :raises NotEntitled: not to start what the rule now asks for takes the rank of that level
    """
    if found is None:
        return decision
    because = anyway.because.strip()
    if anyway.read != found.key or not because:
        raise RuleMovedOn(found)
    if decision.move is Move.DISMISS and by.rank < rank_now:
        raise NotEntitled(f"{by.login} has rank {by.rank}, not to start {found.level.word} needs {rank_now}")
    said = {"how": found.how.value, "level": found.level.word, "because": because, "assessment": found.assessment}
    return replace(decision, against=said)
