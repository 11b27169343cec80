"""One stretch of bad air and the decisions in it, as values, with a table for what may follow what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from emergency.domain.deputising import Turn
from emergency.domain.level import Level
from emergency.domain.machine import Machine
from emergency.errors import Refused


class Ungrounded(Refused):
    """A warning without its grounds is allowed to nobody."""

    words_zh = "没有依据，不能提出"


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
UNDECIDED = "nobody decided in time"
"""Why a proposal lapsed whose own end passed; one whose notice was replaced names the newer notice instead."""
NO_REOPENING = "it is too late to reopen the episode"
"""Why a proposal to reopen lapsed: the plan's merge gap is over, or the review of what was released is signed."""


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
    def notice_replaced(self) -> bool:
        """Whether it lapsed because the level above took back or replaced the notice it rests on."""
        lapsed = self.standing is Standing.LAPSED and self.bulletin_id is not None
        return lapsed and self.decided_because not in (UNDECIDED, NO_REOPENING)

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
