"""What a review points at: where people and rule parted, what came late, who signed for another; facts, no verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from emergency.domain.assessment import from_data
from emergency.domain.episode import Decision, Move, Standing
from emergency.domain.level import Level
from emergency.domain.overtaken import How
from emergency.domain.plan import Plan, UnknownCell

RISES = frozenset({Move.ACTIVATE, Move.UPGRADE, Move.REOPEN})
WARNS = RISES | {Move.EXTEND}
_FALLS = frozenset({Move.RELEASE, Move.DOWNGRADE})


class Mark(StrEnum):
    """Why a decision is pointed at."""

    UNGROUNDED = "ungrounded"  # allowed to nobody; found in the rows all the same
    NO_DATA = "no_data"
    ABOVE_RULE = "above_rule"
    BELOW_RULE = "below_rule"
    WARNED_IN_CALM = "warned_in_calm"
    LET_GO_UNCALM = "let_go_uncalm"
    SUGGESTION_LAY = "suggestion_lay"
    DECIDED_LATE = "decided_late"
    LEAD_MISSED = "lead_missed"
    RELAYED_LATE = "relayed_late"
    BY_DEPUTY = "by_deputy"
    DISMISSED = "dismissed"
    SIGNED_AFTER_FALL = "signed_after_fall"
    SIGNED_AFTER_RISE = "signed_after_rise"


_ZH: Mapping[Mark, str] = {
    Mark.UNGROUNDED: "没有依据即签发，制度不允许，须核查记录",
    Mark.NO_DATA: "决定时没有空气质量数据，只以人的理由为依据",
    Mark.ABOVE_RULE: "级别高于规则结论",
    Mark.BELOW_RULE: "级别低于规则结论",
    Mark.WARNED_IN_CALM: "签发时空气已满足解除条件，仍发布或维持预警",
    Mark.LET_GO_UNCALM: "签发时未满足解除条件，仍解除或降级",
    Mark.SUGGESTION_LAY: "规则给出建议后，超过预案时限 {minutes} 分钟无人处理",
    Mark.DECIDED_LATE: "提出后超过预案审批时限 {minutes} 分钟才有结果",
    Mark.LEAD_MISSED: "签发比预案要求的提前量晚 {minutes} 分钟",
    Mark.RELAYED_LATE: "收到上级通知后，超过预案启动时限 {minutes} 分钟才签发",
    Mark.BY_DEPUTY: "{who}代{instead_of}审批，提出后已等 {minutes} 分钟，依据预案条款 {clause}",
    Mark.DISMISSED: "规则建议经两人研判后不启动",
    Mark.SIGNED_AFTER_FALL: "签发时规则已不再要求此项，仍签发",
    Mark.SIGNED_AFTER_RISE: "签发时规则要求的级别更高，仍按原建议签发",
}
_EN: Mapping[Mark, str] = {
    Mark.UNGROUNDED: "Signed without grounds, which is allowed to nobody: check the record",
    Mark.NO_DATA: "Decided without any air data, on people's reasons alone",
    Mark.ABOVE_RULE: "The level is above what the rule said",
    Mark.BELOW_RULE: "The level is below what the rule said",
    Mark.WARNED_IN_CALM: "A warning was issued or kept although the release test was met at the signature",
    Mark.LET_GO_UNCALM: "Released or lowered although the release test was not met at the signature",
    Mark.SUGGESTION_LAY: "The rule's suggestion lay untouched {minutes} minutes past the plan's time",
    Mark.DECIDED_LATE: "Decided {minutes} minutes past the plan's time for a signature",
    Mark.LEAD_MISSED: "Signed {minutes} minutes later than the plan's lead time asks for",
    Mark.RELAYED_LATE: "Signed {minutes} minutes past the plan's deadline after the notice from above",
    Mark.BY_DEPUTY: "{who} decided for {instead_of} after {minutes} minutes of waiting, by the plan's clause {clause}",
    Mark.DISMISSED: "The rule's suggestion was dismissed by two people",
    Mark.SIGNED_AFTER_FALL: "Signed although the rule no longer asked for it at the signature",
    Mark.SIGNED_AFTER_RISE: "Signed as proposed although the rule asked for more at the signature",
}


@dataclass(frozen=True)
class Flag:
    """
    One thing to look at in one decision.

    ``because`` is the reason people gave; ``more`` holds what the sentence names. Both sentences are worked out from
    the rest, so that a stored review reads the same in either language.
    """

    mark: str
    decision_id: str
    move: str
    level: str
    minutes: int | None = None
    because: str = ""
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def words_zh(self) -> str:
        """What is pointed at, in Chinese."""
        return _ZH[Mark(self.mark)].format(minutes=self.minutes, **self.more)

    @property
    def words_en(self) -> str:
        """What is pointed at, in English."""
        return _EN[Mark(self.mark)].format(minutes=self.minutes, **self.more)


def flags(
    decisions: Iterable[Decision],
    *,
    plan: Plan | None,
    received_at: Mapping[UUID, datetime],
    calm_at: Mapping[UUID, bool],
) -> tuple[Flag, ...]:
    """
    Every flag of these decisions, in the order they were proposed.

    ``plan``: whose times are asked; without it nothing is called late. ``received_at``: bulletin → when it came.
    ``calm_at``: decision → whether the release test was met when it was signed; left out where nobody can say.
    """
    found: list[Flag] = []
    for one in sorted(decisions, key=lambda one: one.suggested_at or one.proposed_at):
        found += _of_clocks(one, plan)
        if one.standing is Standing.APPROVED:
            found += _of_grounds(one, calm_at.get(one.id))
            found += _of_a_rule_that_moved_on(one)
            found += _of_lead(one, plan, received_at)
            if one.move is Move.DISMISS:
                found.append(_flag(Mark.DISMISSED, one, because=one.override_because or one.notice.reason))
        if (turn := one.by_turn) is not None:
            more = {"who": turn.title, "instead_of": turn.instead_of, "clause": turn.clause}
            found.append(_flag(Mark.BY_DEPUTY, one, minutes=one.waited_minutes, more=more))
    return tuple(found)


def _flag(
    mark: Mark, one: Decision, *, minutes: int | None = None, because: str = "", more: Mapping[str, str] | None = None
) -> Flag:
    return Flag(mark.value, str(one.id), one.move.value, one.level.word, minutes, because, more or {})


def _of_grounds(one: Decision, was_calm: bool | None) -> list[Flag]:
    because = one.override_because
    found = []
    if not one.assessment:
        found.append(_flag(Mark.UNGROUNDED, one, because=because))
    elif one.without_air:
        return [_flag(Mark.NO_DATA, one, because=because or one.notice.reason)]  # nothing to be above, below or calm of
    if one.bulletin_id is not None:
        return found  # the level above decided, and its paper is the ground
    if one.move in _FALLS | {Move.WITHDRAW} and (one.rule_says > one.level or was_calm is False):
        found.append(_flag(Mark.LET_GO_UNCALM, one, because=because))
    elif one.level > one.rule_says:
        found.append(_flag(Mark.ABOVE_RULE, one, because=because, more=_rule(one)))
    elif one.level < one.rule_says and one.move is not Move.DISMISS:  # that has a mark of its own
        found.append(_flag(Mark.BELOW_RULE, one, because=because, more=_rule(one)))
    if one.move in WARNS and was_calm:
        found.append(_flag(Mark.WARNED_IN_CALM, one, because=because))
    return found


_MOVED_ON: Mapping[str, Mark] = {
    How.FALLEN.value: Mark.SIGNED_AFTER_FALL,
    How.RISEN.value: Mark.SIGNED_AFTER_RISE,
}


def _of_a_rule_that_moved_on(one: Decision) -> list[Flag]:
    if not one.against:
        return []
    because, more = str(one.against["because"]), {"rule_says": str(one.against["level"])}
    return [_flag(_MOVED_ON[str(one.against["how"])], one, because=because, more=more)]


def _rule(one: Decision) -> dict[str, str]:
    return {"rule_says": one.rule_says.word}


def _of_clocks(one: Decision, plan: Plan | None) -> list[Flag]:
    found = []
    begun, ended = one.suggested_at, one.proposed_at if one.proposed_by else one.decided_at
    allowed = _minutes_to_sign(plan, one.rule_says)
    if begun is not None and ended is not None and allowed is not None:
        lay = _minutes(begun, ended) - allowed
        if lay > 0:
            found.append(_flag(Mark.SUGGESTION_LAY, one, minutes=lay))
    if one.proposed_by and one.decided_at and one.standing is not Standing.SUPERSEDED:
        late = _minutes(one.decide_by, one.decided_at)
        if late > 0:
            found.append(_flag(Mark.DECIDED_LATE, one, minutes=late))
    return found


def _of_lead(one: Decision, plan: Plan | None, received_at: Mapping[UUID, datetime]) -> list[Flag]:
    """The plan's own time before the bad air, or after the paper from above; only of what begins or rises."""
    if plan is None or one.decided_at is None or one.move not in RISES or one.level is Level.NONE:
        return []
    try:
        if one.bulletin_id is not None:
            came = received_at.get(one.bulletin_id)
            by = None if came is None else came + timedelta(minutes=plan.activation_deadline_min)
            mark = Mark.RELAYED_LATE
        else:
            since = from_data(one.assessment).since if one.assessment.get("days") else None
            by = None if since is None else since - timedelta(hours=plan.lead_time_hours(one.level))
            mark = Mark.LEAD_MISSED
    except UnknownCell:
        return []  # the plan does not say; nothing is late against a time nobody set
    if by is None or (late := _minutes(by, one.decided_at)) <= 0:
        return []
    return [_flag(mark, one, minutes=late)]


def _minutes_to_sign(plan: Plan | None, level: Level) -> int | None:
    try:
        return None if plan is None else plan.approval(level).within_minutes
    except UnknownCell:
        return None


def _minutes(start: datetime, end: datetime) -> int:
    return int((end - start).total_seconds() // 60)
