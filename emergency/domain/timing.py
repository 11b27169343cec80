"""Whether the hours of a notice can be meant: an end that is still to come, and a beginning that is near."""

from __future__ import annotations

from datetime import datetime, timedelta

from emergency.domain.episode import Decision, Move, WrongLevel
from emergency.domain.level import Level
from emergency.errors import Refused

FARTHEST_AHEAD = timedelta(days=7)  # no forecast reaches further; a later hour is a slip of the hand
LONGEST_DRAFTED = timedelta(hours=1)  # between the hour written into a draft and the draft put before a signer
_ENDS_LATER = frozenset({Move.ACTIVATE, Move.UPGRADE, Move.DOWNGRADE, Move.EXTEND, Move.REOPEN})
_CARRIES_LEVEL = _ENDS_LATER | {Move.AMEND}  # an adjustment leaves the end as it was announced


class BadTimes(Refused):
    """The hours of the notice contradict each other or the clock."""

    words_zh = "生效和结束时间不合理，请核对"


def with_a_level(move: Move, level: Level) -> None:
    """
    Nothing is started or changed to no level at all.

    :raises WrongLevel: a level is to hold and none is named
    """
    if move in _CARRIES_LEVEL and level is Level.NONE:
        raise WrongLevel(f"{move.value} needs a level", zh="启动、升级、降级、延长和调整措施都须有预警级别")


def meant(decision: Decision, *, began: datetime | None, now: datetime) -> None:
    """
    What a person proposes of hours. ``began``: when the level that stands took or takes effect.

    A bulletin's hours are the level above's: the paper may well come in after them.

    :raises BadTimes: the level would begin before it was drafted or after the days anybody can foresee, or end before
        it begins or before now
    """
    if decision.bulletin_id is not None:
        return
    starts, ends = decision.notice.effective_at, decision.notice.expected_end_at
    if starts is not None and starts > now + FARTHEST_AHEAD:
        raise BadTimes(
            f"takes effect at {starts.isoformat()}, more than {FARTHEST_AHEAD.days} days ahead",
            zh=f"生效时间在 {FARTHEST_AHEAD.days} 天以后，请核对",
        )
    drafted = decision.suggested_at or now  # a suggestion that waited keeps the hour it was drawn up with
    if starts is not None and starts < min(drafted, now) - LONGEST_DRAFTED:
        raise BadTimes(f"takes effect at {starts.isoformat()}, which is over", zh="生效时间已过，请改为今后的时间")
    if decision.move not in _ENDS_LATER or ends is None:
        return
    if ends <= now:
        raise BadTimes(f"is to end at {ends.isoformat()}, which is over", zh="预计结束时间已过，请改为今后的时间")
    if began is not None and decision.move is Move.EXTEND and ends <= began:
        raise BadTimes(f"is to end at {ends.isoformat()}, before it began", zh="延长后的结束时间早于预警生效时间")
    if starts is not None and ends <= starts:
        raise BadTimes(f"is to end at {ends.isoformat()}, before it takes effect", zh="预计结束时间早于生效时间")
