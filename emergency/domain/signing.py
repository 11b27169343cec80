"""Two people for each decision: put forward by one, approved or rejected by another of enough rank, or by a deputy."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from emergency.domain.deputising import Turn, begun, first_for, turn_for
from emergency.domain.episode import (
    DECISION,
    NEEDS_NO_AIR,
    UNDECIDED,
    Decision,
    Move,
    Standing,
    Ungrounded,
    Verdict,
    WrongLevel,
    content_sha,
)
from emergency.domain.level import Level
from emergency.domain.people import Act, Person, ask
from emergency.errors import Refused


class OwnProposal(Refused):
    """Whoever proposed it may not also decide it."""

    words_zh = "提出人不能审批自己的建议，请由另一人审批"


class NotEntitled(Refused):
    """The level needs a higher rank."""

    words_zh = "您的审批权限不足，请提交更高级别负责人"


class BlankNotice(Refused):
    """A field of the notice is empty; nothing is signed with a hole in it."""

    words_zh = "通知内容有空缺，不能签发"


class StaleContent(Refused):
    """What is being signed is not what was read."""

    words_zh = "内容已变化，请重新核对后再签"


def suggested(decision: Decision) -> Decision:
    """
    The rule's own suggestion, sealed over its content; it takes a person to put it forward and another to sign.

    :raises Ungrounded: there is no assessment
    """
    if not decision.assessment:
        raise Ungrounded(f"decision {decision.id} has no grounds")
    return replace(decision, standing=Standing.SUGGESTED, proposed_by=None, content_sha=content_sha(decision))


def put_forward(decision: Decision, *, by: Person, now: datetime) -> Decision:
    """
    The proposal of a person: theirs from the start, or the rule's suggestion taken up.

    :raises NotAllowed: the person may not propose here
    :raises Ungrounded: there is no assessment, the level differs from the rule's without a reason, or something is to
        begin or rise while there are no data
    :raises WrongLevel: the level does not go with the move
    :raises IllegalMove: it was put forward already
    """
    ask(by, Act.PROPOSE, decision.area)
    if not decision.assessment:
        raise Ungrounded(f"decision {decision.id} has no grounds")
    if decision.without_air and decision.move not in NEEDS_NO_AIR:
        raise Ungrounded(f"{decision.move.value} needs air to judge", zh="没有可用数据，不能启动或提高级别")
    differs = decision.level is not decision.rule_says and not decision.without_air  # a rule that is mute says no level
    if differs and not decision.override_because.strip():
        raise Ungrounded(
            f"the rule says {decision.rule_says.word}, the proposal {decision.level.word}: a reason is needed",
            zh="建议级别与规则结论不同，请写明理由",
        )
    if not _goes_with(decision.move, decision.level_before, decision.level):
        raise WrongLevel(f"{decision.move.value} from {decision.level_before.word} to {decision.level.word}")
    standing = DECISION.after(decision.standing, Verdict.PUT_FORWARD)
    decision = replace(decision, standing=standing, proposed_by=by.id, proposed_at=now)
    return replace(decision, content_sha=content_sha(decision))


def _goes_with(move: Move, before: Level, level: Level) -> bool:
    """Whether the level is one this move can lead to: nothing rises under another name, and what ends has no level."""
    match move:
        case Move.UPGRADE:
            return level > before
        case Move.DOWNGRADE:
            return Level.NONE < level < before
        case Move.EXTEND | Move.AMEND:
            return level is before
        case Move.APPEAL | Move.ADVISE | Move.RELEASE | Move.WITHDRAW | Move.DISMISS:
            return level is Level.NONE
        case _:
            return True


def approve(decision: Decision, *, by: Person, now: datetime, content: str) -> Decision:
    """
    Put a proposal into force; ``content`` is the hash of what the approver was shown. A deputy of the plan may, once
    the proposal has waited the plan's minutes, and the clause is kept with the signature (代签).

    :raises OwnProposal: the proposer may not also decide
    :raises NotAllowed: the person may not decide in this area
    :raises NotEntitled: the level needs a higher rank, and no deputy's turn has come
    :raises IllegalMove: it is no longer waiting
    :raises BlankNotice: a field of the notice is empty
    :raises StaleContent: what was read is not what is stored
    """
    turn = _entitled(decision, by=by, now=now)
    standing = DECISION.after(decision.standing, Verdict.APPROVE)
    if decision.content_sha != content or decision.content_sha != content_sha(decision):
        raise StaleContent(f"decision {decision.id} was read with another content")
    releasing = decision.move in (Move.RELEASE, Move.WITHDRAW, Move.DISMISS, Move.APPEAL, Move.ADVISE)
    if blanks := decision.notice.blanks(releasing=releasing):
        raise BlankNotice(f"the notice has blanks: {', '.join(blanks)}")
    effective_at = max(
        decision.notice.effective_at or now, now
    )  # signed late: the level cannot hold before it is announced
    notice = replace(decision.notice, issued_at=now, effective_at=effective_at)
    clause = turn.clause if turn else ""
    return replace(decision, standing=standing, decided_by=by.id, decided_at=now, notice=notice, deputised=clause)


def reject(decision: Decision, *, by: Person, now: datetime, because: str) -> Decision:
    """
    Turn a proposal down, with a reason.

    :raises OwnProposal: the proposer may not also decide
    :raises NotEntitled: the level needs a higher rank
    :raises Refused: no reason was given
    """
    turn = _entitled(decision, by=by, now=now)
    if not because.strip():
        raise Refused("a rejection needs its reason", zh="请写明退回理由")
    standing = DECISION.after(decision.standing, Verdict.REJECT)
    clause = turn.clause if turn else ""
    decision = replace(decision, decided_because=because.strip(), deputised=clause)
    return replace(decision, standing=standing, decided_by=by.id, decided_at=now)


def supersede(decision: Decision, *, now: datetime, because: str) -> Decision:
    """Set a waiting proposal aside because a fresher one takes its place."""
    standing = DECISION.after(decision.standing, Verdict.SUPERSEDE)
    return replace(decision, standing=standing, decided_at=now, decided_because=because)


def lapse(decision: Decision, *, now: datetime, because: str = UNDECIDED) -> Decision:
    """Note that nobody decided within the plan's time, or before the notice it rests on was replaced by that named."""
    standing = DECISION.after(decision.standing, Verdict.LAPSE)
    return replace(decision, standing=standing, decided_at=now, decided_because=because)


def rank_now(decision: Decision, *, now: datetime) -> int:
    """The lowest rank that may decide it at this moment: the approver's, or that of a deputy whose turn has come."""
    return min([decision.rank_needed, *(one.rank for one in begun(decision.deputies, now=now))])


def turn_of(decision: Decision, *, by: Person, now: datetime) -> Turn | None:
    """The turn by which this person would decide it now; None for the approver's own rank, and for no turn at all."""
    if by.rank >= decision.rank_needed:
        return None
    return turn_for(begun(decision.deputies, now=now), rank=by.rank)


def _entitled(decision: Decision, *, by: Person, now: datetime) -> Turn | None:
    ask(by, Act.DECIDE, decision.area)
    if by.id == decision.proposed_by:
        raise OwnProposal(f"{by.login} proposed {decision.id} and cannot decide it")
    turn = turn_of(decision, by=by, now=now)
    if by.rank >= decision.rank_needed or turn is not None:
        return turn
    later = first_for(decision.deputies, rank=by.rank)
    if later is not None:
        raise NotEntitled(
            f"a deputy may sign when the proposal has waited {later.after_minutes} minutes ({later.clause})",
            zh=f"提出后满 {later.after_minutes} 分钟审批人仍未审批，您才可以代签",
        )
    raise NotEntitled(f"{by.login} has rank {by.rank}, {decision.level.word} needs {decision.rank_needed}")
