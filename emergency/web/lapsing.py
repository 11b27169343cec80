"""Why a decision that nobody signed is over, in the reader's language: the sentences are kept in English with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from flask import Flask

from emergency.domain.episode import NO_REOPENING, UNDECIDED, Decision, Move, Standing
from emergency.domain.level import Level
from emergency.web.showing import level_word, said
from emergency.web.words import LANGUAGES, N_, _, spoken

SENTENCES: Final[Mapping[str, str]] = {
    UNDECIDED: N_("规定时间内无人作出决定"),
    NO_REOPENING: N_("已超过预案规定的间隔，或上次过程的评估已签字，不能再重新启动"),
    "a fresher assessment asks for something else": N_("新的研判结论不同，已有新的建议"),
    "further days": N_("需要提示的日期有增加，已有新的建议"),
    "the exercise is over": N_("演练已结束"),
}
_MOVES: Final = "|".join(one.value for one in Move)
_LEVELS: Final = "|".join(one.word for one in Level)
_BY_HAND: Final = re.compile(rf"(.+) proposed ({_MOVES}) ({_LEVELS})")


def why_over(decision: Decision, names: Mapping[str, str]) -> str:
    """
    Why it is over without a signature; what a person wrote, and a sentence we do not know, stay as they were kept.

    ``names``: sign-in name → whose it is.
    """
    because = decision.decided_because
    if decision.notice_replaced:
        return _("上级已发新通知%(notice)s，所依据的通知不再有效，本建议失效，无须审批。", notice=because)
    if decision.standing not in (Standing.SUPERSEDED, Standing.LAPSED):
        return because
    if because in SENTENCES:
        return _(SENTENCES[because])
    if found := _BY_HAND.fullmatch(because):
        login, move, level = found.groups()
        return _("%(who)s另行提出：%(what)s", who=names.get(login, login), what=asked(move, Level.named(level)))
    return because


def in_both(decision: Decision, names: Mapping[str, str]) -> dict[str, str]:
    """Why it is over, in both languages, for machines; empty while it waits."""
    found = {}
    for language in LANGUAGES:
        with spoken(language):
            found[f"because_{language}"] = why_over(decision, names)
    return found


def asked(move: str, level: Level) -> str:
    """What a proposal asks for: its move, and its level where it has one."""
    return said("move", move) if level is Level.NONE else f"{said('move', move)} {level_word(level)}"


def set_up(app: Flask) -> None:
    """Put the reasons in the templates' hands."""
    app.jinja_env.globals.update(why_over=why_over)
