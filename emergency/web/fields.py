"""What people type into the desk's forms, read into the rules' values or refused with the field's name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from emergency.clock import SHANGHAI
from emergency.domain.episode import Move
from emergency.domain.level import Level
from emergency.errors import Refused
from emergency.web.words import N_, _

LEVELS: Final = (Level.BLUE, Level.YELLOW, Level.ORANGE, Level.RED)


class BadForm(Refused):
    """What was typed is not what the field asks for."""

    words_zh = "填写的内容不符合要求，请核对"


def for_field(at: datetime | None) -> str:
    """A moment as a datetime-local field holds it, on the wall clock of Liuzhou."""
    return "" if at is None else f"{at.astimezone(SHANGHAI):%Y-%m-%dT%H:%M}"


def moment_in(said: Mapping[str, str], name: str) -> datetime:
    """
    The moment typed into a field.

    :raises BadForm: it is empty or no moment
    """
    found = _moment_or_none(said.get(name, ""))
    if found is None:
        raise BadForm(f"{name} is empty or no moment", zh=_("请填写时间：%(name)s", name=_(FIELDS[name])))
    return found


FIELDS: Final = {
    "issued_at": N_("发布时间"),
    "effective_at": N_("生效时间"),
    "received_at": N_("接收时间"),
    "expected_end_at": N_("预计结束时间"),
    "due_at": N_("答复时限"),
    "called_at": N_("通话时间"),
}


def _moment_or_none(said: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        return None
    return (at.replace(tzinfo=SHANGHAI) if at.tzinfo is None else at).astimezone(UTC)


def end_in(said: Mapping[str, str], *, needed: bool = True) -> dict[str, Any]:
    """The announced end: a moment, or 另行通知 said expressly; never left open by forgetting it."""
    if said.get("open_ended"):
        return {"expected_end_at": None, "open_ended": True}
    if not needed and not said.get("expected_end_at"):
        return {"expected_end_at": None, "open_ended": False}
    return {"expected_end_at": moment_in(said, "expected_end_at"), "open_ended": False}


def level_in(said: Mapping[str, str]) -> Level:
    """
    The level chosen.

    :raises BadForm: none was chosen
    """
    try:
        level = Level.named(said.get("level", ""))
    except ValueError:
        level = Level.NONE
    if level is Level.NONE:
        raise BadForm("no level was chosen", zh=_("请选择预警级别"))
    return level


def move_in(said: Mapping[str, str]) -> Move:
    """
    What is to be done.

    :raises BadForm: there is no such move
    """
    try:
        return Move(said.get("move", ""))
    except ValueError:
        raise BadForm("no such move", zh=_("请选择事项")) from None
