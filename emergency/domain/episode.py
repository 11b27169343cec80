"""One stretch of bad air and the decisions in it: two people for each, and a table for what may follow what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from emergency.domain.deputising import Turn, begun, first_for, turn_for
from emergency.domain.level import Level
from emergency.domain.machine import Machine
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


class Ungrounded(Refused):
    """A warning without its grounds is allowed to nobody."""

    words_zh = "没有依据，不能提出"


class StaleContent(Refused):
    """What is being signed is not what was read."""

    words_zh = "内容已变化，请重新核对后再签"


class Phase(StrEnum):
    """Where an episode stands."""

    OPENING = "opening"
    ACTIVE = "active"
    RELEASED = "released"
    WITHDRAWN = "withdrawn"
    DISMISSED = "dismissed"
    CLOSED = "closed"


class WrongLevel(Refused):
    """The level does not go with what is proposed."""

    words_zh = "级别与事项不符：升级须高于现级别，降级须低于现级别，延长和调整措施不改变级别，其余不启动响应的没有级别"


class Move(StrEnum):
    """What a decision does to an episode."""

    APPEAL = "appeal"  # 倡议: patrol and voluntary cuts before there is a warning; no level, no stop or limit
    ADVISE = "advise"  # 健康提示: advice to the public and duties of units; no level, no plant is touched
    ACTIVATE = "activate"
    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"
    EXTEND = "extend"
    AMEND = "amend"
    RELEASE = "release"
    WITHDRAW = "withdraw"
    DISMISS = "dismiss"
    REOPEN = "reopen"
    CLOSE = "close"


EPISODE: Machine[Phase, Move] = Machine(
    "episode",
    {
        (Phase.OPENING, Move.APPEAL): Phase.OPENING,
        (Phase.OPENING, Move.ADVISE): Phase.OPENING,  # it ends by itself when its last day is over
        (Phase.OPENING, Move.ACTIVATE): Phase.ACTIVE,
        (Phase.OPENING, Move.DISMISS): Phase.DISMISSED,
        (Phase.ACTIVE, Move.ADVISE): Phase.ACTIVE,  # level and standing orders stay as they are
        (Phase.ACTIVE, Move.UPGRADE): Phase.ACTIVE,
        (Phase.ACTIVE, Move.DOWNGRADE): Phase.ACTIVE,
        (Phase.ACTIVE, Move.EXTEND): Phase.ACTIVE,
        (Phase.ACTIVE, Move.AMEND): Phase.ACTIVE,
        (Phase.ACTIVE, Move.WITHDRAW): Phase.WITHDRAWN,  # wrong, or cancelled before it took effect
        (Phase.ACTIVE, Move.RELEASE): Phase.RELEASED,
        (Phase.RELEASED, Move.REOPEN): Phase.ACTIVE,  # the bad air came back before the review was signed
        (Phase.RELEASED, Move.CLOSE): Phase.CLOSED,
        (Phase.WITHDRAWN, Move.CLOSE): Phase.CLOSED,
    },
)

NEEDS_NO_AIR = frozenset({Move.WITHDRAW, Move.RELEASE, Move.EXTEND, Move.AMEND, Move.DISMISS})
"""What people may do for a reason of their own while no data say anything of the air: nothing begins or rises so."""

UNCLOSED = frozenset({Phase.OPENING, Phase.ACTIVE, Phase.RELEASED, Phase.WITHDRAWN})


class Standing(StrEnum):
    """Where a decision stands."""

    SUGGESTED = "suggested"  # the rule speaks; nobody has put it forward yet
    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    LAPSED = "lapsed"
    SUPERSEDED = "superseded"


class Verdict(StrEnum):
    """What can happen to a proposal."""

    PUT_FORWARD = "put_forward"
    APPROVE = "approve"
    REJECT = "reject"
    LAPSE = "lapse"
    SUPERSEDE = "supersede"


DECISION: Machine[Standing, Verdict] = Machine(
    "decision",
    {
        (Standing.SUGGESTED, Verdict.PUT_FORWARD): Standing.PROPOSED,
        (Standing.SUGGESTED, Verdict.SUPERSEDE): Standing.SUPERSEDED,
        (Standing.SUGGESTED, Verdict.LAPSE): Standing.LAPSED,
        (Standing.PROPOSED, Verdict.APPROVE): Standing.APPROVED,
        (Standing.PROPOSED, Verdict.REJECT): Standing.REJECTED,
        (Standing.PROPOSED, Verdict.LAPSE): Standing.LAPSED,
        (Standing.PROPOSED, Verdict.SUPERSEDE): Standing.SUPERSEDED,  # a fresher forecast asks for something else
    },
)


WAITING = frozenset({Standing.SUGGESTED, Standing.PROPOSED})


@dataclass(frozen=True)
class Episode:
    """
    One episode of one area, from the first proposal to the signed review.

    The plan it runs under is copied at opening (``plan_sha``); later edits of the file touch the next episode only.
    ``label`` marks a replay (推演) or exercise (演练) on every page, message and file.
    """

    id: UUID
    area: str
    plan_id: str
    plan_sha: str
    phase: Phase
    level: Level
    opened_at: datetime
    number: str = ""
    label: str = ""
    issued_at: datetime | None = None
    effective_at: datetime | None = None
    expected_end_at: datetime | None = None
    released_at: datetime | None = None
    closed_at: datetime | None = None
    follows: UUID | None = None  # the episode before, when the air turned bad again within its merge gap
    exercise: str = ""  # the exercise (演练) it belongs to; empty for real air
    version: int = 0


@dataclass(frozen=True)
class Notice:
    """
    What is announced and frozen at the signature: every field filled, or nothing is signed (突发事件应对法 art. 64).

    ``expected_end_at`` None is 另行通知 and must be said so by ``open_ended``. ``effective_at`` is when the level
    holds; ``issued_at`` is the moment of the signature and is filled by it.
    """

    number: str  # 文号
    issuer: str
    legal_basis: str
    level: Level
    area: str  # its name, as people say it
    reason: str
    effective_at: datetime | None
    contact: str
    expected_end_at: datetime | None = None
    open_ended: bool = False
    issued_at: datetime | None = None
    public_text: str = ""  # only where the area may warn the public

    def blanks(self, *, releasing: bool = False) -> tuple[str, ...]:
        """Names of the fields that stand empty and so block the signature."""
        empty = [
            name
            for name in ("number", "issuer", "legal_basis", "area", "reason", "contact")
            if not getattr(self, name).strip()
        ]
        if self.effective_at is None:
            empty.append("effective_at")
        if not releasing and self.level is Level.NONE:
            empty.append("level")
        if not releasing and self.expected_end_at is None and not self.open_ended:
            empty.append("expected_end_at")
        return tuple(empty)


@dataclass(frozen=True)
class Decision:
    """
    One thing to decide: somebody proposes it, another of enough rank approves or rejects it.

    ``rule_says`` is the level the plan's rule gives, kept beside what people decided; ``assessment`` is the whole
    explanation as data. ``override_because`` is needed where the two differ. ``content_sha`` is what the signature is
    bound to.
    """

    id: UUID
    episode_id: UUID
    area: str
    move: Move
    level: Level
    rule_says: Level
    assessment: Mapping[str, object]
    notice: Notice
    proposed_by: UUID | None  # None while it is only the rule's suggestion
    proposed_at: datetime
    decide_by: datetime
    rank_needed: int
    suggested_at: datetime | None = None
    level_before: Level = Level.NONE
    standing: Standing = Standing.SUGGESTED
    bulletin_id: UUID | None = None
    override_because: str = ""
    decided_by: UUID | None = None
    decided_at: datetime | None = None
    decided_because: str = ""
    doubtful: tuple[str, ...] = ()
    content_sha: str = ""
    amendments: tuple[Mapping[str, object], ...] = ()  # 适度调整: measures changed by this decision alone
    consulted: tuple[Mapping[str, object], ...] = ()  # 会商: the consultations it rests on, as they were concluded
    deputies: tuple[Turn, ...] = ()  # who else may sign, and from when
    deputies_at: datetime | None = None  # when the next of them is to be told
    deputised: str = ""  # 代签: the plan's clause by which a deputy decided; empty when the approver did
    nag_at: datetime | None = None  # 催办: when those who have not decided are told again
    nags: int = 0  # how often they were told since it waits for them
    rule_now: str = ""  # what people were told of a rule that has moved on since: ``Overtaken.key``
    against: Mapping[str, object] = field(default_factory=dict)  # signed although the rule had moved on
    version: int = 0

    @property
    def without_air(self) -> bool:
        """Whether there was nothing for the rule to judge: no data and no bulletin, so people's reason stands alone."""
        said = self.assessment
        return "days" in said and not said["days"] and not said.get("bulletin")

    @property
    def waited_minutes(self) -> int:
        """Whole minutes between the proposal and its decision; 0 while nobody has decided."""
        return int(((self.decided_at or self.proposed_at) - self.proposed_at).total_seconds() // 60)

    @property
    def by_turn(self) -> Turn | None:
        """The turn by which a deputy decided; None when nobody has, or the approver did."""
        return next((one for one in self.deputies if one.clause == self.deputised), None)


def content_sha(decision: Decision) -> str:
    """SHA-256 over what the approver reads: the move, the levels, the grounds and the notice as frozen."""
    notice = {one.name: _plain(getattr(decision.notice, one.name)) for one in fields(Notice) if one.name != "issued_at"}
    said = {
        "episode": str(decision.episode_id),
        "move": decision.move.value,
        "level": decision.level.word,
        "rule_says": decision.rule_says.word,
        "assessment": decision.assessment,
        "notice": notice,
        "bulletin": str(decision.bulletin_id or ""),
        "override": decision.override_because,
        "amendments": list(decision.amendments),
        "consulted": list(decision.consulted),
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, Level):
        return value.word
    return value.isoformat() if isinstance(value, datetime) else value


def next_move(
    episode: Episode | None,
    level: Level,
    *,
    calm: bool,
    spell_until: datetime | None = None,
    falls_to: Level | None = None,
) -> Move | None:
    """
    What the rule asks for next, or None when there is nothing to do.

    ``level``: what the plan says of the observed run joined to the forecast. ``calm``: whether the plan's release test
    is met. ``falls_to``: what the higher of that level and the one in force gives way to by the plan's own test, None
    while it stands; a run that has been outlived asks for no more than that, so a warning that was lowered does not
    rise again over the same days.
    """
    asked = level if falls_to is None else falls_to
    if episode is None or episode.phase is Phase.OPENING:
        return Move.ACTIVATE if level > Level.NONE else None
    if episode.phase is not Phase.ACTIVE:
        return None
    if asked > episode.level:
        return Move.UPGRADE
    if calm:
        return Move.RELEASE
    if falls_to is not None and asked < episode.level:
        return Move.DOWNGRADE
    if (
        level is episode.level
        and spell_until is not None
        and episode.expected_end_at is not None
        and spell_until > episode.expected_end_at
    ):
        return Move.EXTEND
    return None


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


def lapse(decision: Decision, *, now: datetime) -> Decision:
    """Note that nobody decided within the plan's time."""
    standing = DECISION.after(decision.standing, Verdict.LAPSE)
    return replace(decision, standing=standing, decided_at=now, decided_because="nobody decided in time")


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


def carry_out(episode: Episode, decision: Decision, *, now: datetime) -> Episode:
    """The episode as an approved decision leaves it."""
    phase = EPISODE.after(episode.phase, decision.move)
    notice = decision.notice
    match decision.move:
        case Move.RELEASE:
            return replace(episode, phase=phase, level=Level.NONE, released_at=notice.effective_at)
        case Move.WITHDRAW:
            return replace(episode, phase=phase, level=Level.NONE, released_at=now)
        case Move.DISMISS | Move.CLOSE:
            return replace(episode, phase=phase, closed_at=now)
        case Move.EXTEND:
            return replace(episode, phase=phase, expected_end_at=notice.expected_end_at)
        case Move.APPEAL:
            return replace(episode, phase=phase)
        case Move.ADVISE if episode.phase is Phase.ACTIVE:
            return replace(episode, phase=phase)
        case Move.ADVISE:
            ends = [one for one in (episode.expected_end_at, notice.expected_end_at) if one is not None]
            return replace(episode, phase=phase, expected_end_at=max(ends, default=None))
        case _:
            return replace(
                episode,
                phase=phase,
                level=decision.level,
                number=episode.number or notice.number,
                issued_at=episode.issued_at or notice.issued_at,
                effective_at=episode.effective_at or notice.effective_at,
                expected_end_at=notice.expected_end_at,
                released_at=None,
            )


def close(episode: Episode, *, now: datetime) -> Episode:
    """The episode closed after its review."""
    return replace(episode, phase=EPISODE.after(episode.phase, Move.CLOSE), closed_at=now)


@dataclass(frozen=True)
class Task:
    """Something a person must do by a time, not addressed as an order: report upward, relay, enter, rule."""

    id: UUID
    episode_id: UUID | None
    area: str
    kind: str  # upward_report | relay | relay_below | ruling | appeal | district_proposal | evaluation
    due_at: datetime
    words: str
    decision_id: UUID | None = None
    done_at: datetime | None = None
    done_by: UUID | None = None
    alarmed_at: datetime | None = None
    remind_at: datetime | None = None  # its desk is reminded then, once, before it is due
    version: int = 0


def due(start: datetime, minutes: int) -> datetime:
    """The deadline that many minutes after ``start``."""
    return start + timedelta(minutes=minutes)


@dataclass(frozen=True)
class Fact:
    """One line of the journal (大事记): what happened, to what, who, when, and the particulars."""

    what: str
    about: str
    by: str
    at: datetime
    episode_id: UUID | None = None
    area: str = ""
    more: Mapping[str, object] = field(default_factory=dict)
