"""How an episode goes on: what the rule asks for next, what an approved decision makes of it, and its end."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from emergency.domain.episode import EPISODE, Decision, Episode, Move, Phase
from emergency.domain.level import Level


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


def came_to_nothing(episode: Episode, *, now: datetime) -> Episode:
    """
    An opening that is over by itself: its advisory's last day is, or nobody is asked anything in it any more.

    :raises IllegalMove: a warning came of it meanwhile
    """
    return replace(episode, phase=EPISODE.after(episode.phase, Move.DISMISS), closed_at=now)


def close(episode: Episode, *, now: datetime) -> Episode:
    """The episode closed after its review."""
    return replace(episode, phase=EPISODE.after(episode.phase, Move.CLOSE), closed_at=now)
