"""Measures changed inside a level (适度调整): for whom, what, and which changes are still in force."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from emergency.domain.episode import Decision, Move, Standing
from emergency.domain.level import Level
from emergency.domain.orders import Measure, Recipient, RecipientKind
from emergency.errors import Refused

MOST = 40  # changes in one decision; more than that is another plan, not an adjustment
LONGEST = 120  # characters of a measure, as in the playbooks: it must fit a text message beside others
FORCES = ("mandatory", "voluntary", "health")


class NoSuchChange(Refused):
    """What is said is no change of measures."""

    words_zh = "调整的写法无法识别，请核对"


class NobodyNamed(Refused):
    """The change is for nobody."""

    words_zh = "请选择调整的对象：行业、单位类别或具体单位"


class NoMeasureNamed(Refused):
    """The change names no measure."""

    words_zh = "请选择要调整的措施"


class NoWords(Refused):
    """A measure without words, or with too many."""

    words_zh = "请写明措施内容，不超过120字"


class NoCheck(Refused):
    """A mandatory measure that nobody could verify."""

    words_zh = "强制性措施须选择核查方式"


class NoStart(Refused):
    """The start is to be moved, and no moment is given, or one that is over."""

    words_zh = "请填写新的起算时间，且不得早于现在"


class SaidTwice(Refused):
    """Two changes of one decision touch the same measure of the same recipients."""

    words_zh = "同一对象的同一条措施只能调整一次，请核对"


class TooMany(Refused):
    """Too many changes for one decision."""

    words_zh = "一次最多调整40条措施"


class NothingChanges(Refused):
    """No recipient's measures would change."""

    words_zh = "没有任何单位的措施因此变化，请核对对象和措施"


class OnlyAmends(Refused):
    """Measures are changed by amending and by no other move."""

    words_zh = "只有「调整措施」可以逐条变更措施"


class Scope(StrEnum):
    """For whom a change is meant."""

    ALL = "all"
    SECTOR = "sector"
    KIND = "kind"
    RECIPIENTS = "recipients"


class Change(StrEnum):
    """What happens to one measure."""

    ADD = "add"  # 新增
    DROP = "drop"  # 取消
    REWORD = "reword"  # 改内容
    RETIME = "retime"  # 改起算时间


@dataclass(frozen=True)
class Amendment:
    """
    One change to what some recipients do at the level that holds.

    ``names``: the sectors, kinds or recipients' ids that ``scope`` speaks of. ``was``: the measure's words before, so
    that whoever signs reads what goes. ``stays``: it lives on when the level changes; else it ends with the level it
    was made at.
    """

    scope: Scope
    change: Change
    key: str
    names: tuple[str, ...] = ()
    text: str = ""
    text_en: str = ""
    force: str = "mandatory"
    check: str = ""
    starts_at: datetime | None = None
    was: str = ""
    stays: bool = False

    def concerns(self, recipient: Recipient) -> bool:
        """Whether the change is meant for this recipient."""
        match self.scope:
            case Scope.ALL:
                return True
            case Scope.SECTOR:
                return recipient.sector in self.names
            case Scope.KIND:
                return recipient.kind.value in self.names
            case Scope.RECIPIENTS:
                return str(recipient.id) in self.names


def own_key(text: str) -> str:
    """The key of a measure in a person's own words: the same for the same words, unlike any of the book."""
    return f"own-{hashlib.sha256(text.strip().encode()).hexdigest()[:8]}"


def as_data(one: Amendment) -> dict[str, object]:
    """The change as it is kept with the decision, and so under its signature."""
    return {
        "scope": one.scope.value,
        "change": one.change.value,
        "key": one.key,
        "names": list(one.names),
        "text": one.text,
        "text_en": one.text_en,
        "force": one.force,
        "check": one.check,
        "starts_at": None if one.starts_at is None else one.starts_at.astimezone(UTC).isoformat(),
        "was": one.was,
        "stays": one.stays,
    }


_FIELDS = frozenset(one.name for one in fields(Amendment))


def from_data(said: Mapping[str, Any]) -> Amendment:
    """
    The change from its JSON.

    :raises NoSuchChange: a field is unknown, missing or of the wrong kind
    """
    if unknown := sorted(set(said) - _FIELDS):
        raise NoSuchChange(f"an amendment has no field {', '.join(unknown)}")
    texts = {name: said.get(name, "") for name in ("key", "text", "text_en", "check", "was")}
    names, stays, at = said.get("names", ()), said.get("stays", False), said.get("starts_at")
    plain = (*texts.values(), *(names if isinstance(names, list | tuple) else (None,)))
    if not all(isinstance(one, str) for one in plain) or not isinstance(stays, bool):
        raise NoSuchChange("an amendment's field is of the wrong kind")
    try:
        scope, change = Scope(str(said.get("scope"))), Change(str(said.get("change")))
        starts_at = None if at is None else datetime.fromisoformat(str(at))
    except ValueError as found:
        raise NoSuchChange(str(found)) from found
    if starts_at is not None and starts_at.tzinfo is None:
        raise NoSuchChange("starts_at needs its zone")
    force = str(said.get("force", "mandatory"))
    return Amendment(scope, change, names=tuple(names), force=force, starts_at=starts_at, stays=stays, **texts)


def checked(some: Sequence[Amendment], *, now: datetime) -> tuple[Amendment, ...]:
    """
    The changes, each of them whole and none against another.

    :raises TooMany, NobodyNamed, NoMeasureNamed, NoWords, NoCheck, NoStart, NoSuchChange, SaidTwice: as they say
    """
    if len(some) > MOST:
        raise TooMany(f"{len(some)} changes at once; {MOST} at most")
    said: set[tuple[Scope, str, str]] = set()
    for one in some:
        _check(one, now=now)
        for name in one.names or ("",):
            if (one.scope, name, one.key) in said:
                raise SaidTwice(f"{one.key} is changed twice for {name or 'all'}")
            said.add((one.scope, name, one.key))
    return tuple(some)


def _check(one: Amendment, *, now: datetime) -> None:
    if one.scope is not Scope.ALL and not any(name.strip() for name in one.names):
        raise NobodyNamed(f"{one.change.value} {one.key} names nobody")
    if one.scope is Scope.ALL and one.names:
        raise NoSuchChange("a change for all names nobody")
    if one.scope is Scope.KIND and not set(one.names) <= {kind.value for kind in RecipientKind}:
        raise NobodyNamed(f"no recipients are of kind {', '.join(one.names)}")
    if one.scope is Scope.RECIPIENTS and not all(map(_is_id, one.names)):
        raise NobodyNamed("a recipient is named by its id")
    if not one.key.strip():
        raise NoMeasureNamed(f"{one.change.value} names no measure")
    if one.change in (Change.ADD, Change.REWORD) and not 0 < len(one.text.strip()) <= LONGEST:
        raise NoWords(f"{one.change.value} {one.key} has {len(one.text.strip())} characters, 1 to {LONGEST} are wanted")
    if one.change is Change.REWORD and one.text.strip() == one.was.strip():
        raise NoWords(f"{one.key} is to be reworded as it was", zh="改后的内容与原内容相同，请核对")
    if one.change is Change.ADD and one.force not in FORCES:
        raise NoSuchChange(f"no measure has the force {one.force}")
    if one.change is Change.ADD and one.force == "mandatory" and not one.check:
        raise NoCheck(f"{one.key} is mandatory and names no check")
    if one.change is Change.RETIME and one.starts_at is None:
        raise NoStart(f"{one.key} is to start at another time, and none is given")
    if one.starts_at is not None and one.starts_at < now:
        raise NoStart(f"{one.key} cannot start in the past, at {one.starts_at.isoformat()}")


def _is_id(name: str) -> bool:
    try:
        return bool(UUID(name))
    except ValueError:
        return False


def of(decision: Decision) -> tuple[Amendment, ...]:
    """The changes a decision makes."""
    return tuple(from_data(one) for one in decision.amendments)


def with_changes(decision: Decision, some: Sequence[Amendment]) -> Decision:
    """
    The decision with these changes; an adjustment's reason is also why its level stays, whatever the rule says.

    :raises OnlyAmends: it is no adjustment
    """
    if some and decision.move is not Move.AMEND:
        raise OnlyAmends(f"{decision.move.value} changes no single measure")
    because = decision.override_because
    if some and not because.strip() and decision.level is not decision.rule_says:
        because = decision.notice.reason
    return replace(decision, amendments=tuple(map(as_data, some)), override_because=because)


def in_force(decisions: Iterable[Decision]) -> tuple[Amendment, ...]:
    """What the signed decisions of one episode leave in force, in the order they were signed."""
    signed = [one for one in decisions if one.standing is Standing.APPROVED]
    standing: tuple[Amendment, ...] = ()
    for one in sorted(signed, key=lambda one: (one.decided_at or one.proposed_at, one.proposed_at)):
        standing = (*kept_by(one, standing), *of(one))
    return standing


def kept_by(decision: Decision, standing: Sequence[Amendment]) -> tuple[Amendment, ...]:
    """
    Those of the standing changes that live on through the decision.

    A change of level ends them, for they were weighed against the measures of the level they were made at, except those
    that were signed to stay; what ends the response ends them all; everything else leaves them.
    """
    match decision.move:
        case Move.RELEASE | Move.WITHDRAW | Move.DISMISS | Move.REOPEN:
            return ()
        case Move.ACTIVATE | Move.UPGRADE | Move.DOWNGRADE if decision.level is not decision.level_before:
            return tuple(one for one in standing if one.stays)
        case _:
            return tuple(standing)


def through(decisions: Iterable[Decision], decision: Decision) -> tuple[Amendment, ...]:
    """What would be in force once this decision is signed on top of those before it."""
    before = [one for one in decisions if one.id != decision.id]
    return (*kept_by(decision, in_force(before)), *of(decision))


def ended_by(decisions: Iterable[Decision], decision: Decision) -> tuple[Amendment, ...]:
    """The changes that end with this decision, to be said beside it before it is signed."""
    standing = in_force(one for one in decisions if one.id != decision.id)
    kept = kept_by(decision, standing)
    return tuple(one for one in standing if one not in kept)


def concerned(changes: Sequence[Amendment], recipient: Recipient) -> bool:
    """Whether a decision with these changes speaks to the recipient; one without any speaks to everybody."""
    return not changes or any(one.concerns(recipient) for one in changes)


def amended(
    measures: Sequence[Measure], recipient: Recipient, level: Level, some: Sequence[Amendment]
) -> tuple[Measure, ...]:
    """The recipient's measures with the changes meant for it, one after the other; the last word on a measure holds."""
    mine = [one for one in some if one.concerns(recipient)]
    if not mine:
        return tuple(measures)
    found = {one.key: one for one in measures}
    for one in mine:
        standing = found.get(one.key)
        match one.change:
            case Change.ADD if standing is None:
                found[one.key] = Measure(
                    one.key, level, one.text.strip(), one.text_en.strip(), one.force, check=one.check,
                    basis="text", source="adjustment signed within the level", starts_at=one.starts_at,
                )  # fmt: skip
            case Change.DROP:
                found.pop(one.key, None)
            case Change.REWORD if standing is not None:
                found[one.key] = replace(standing, text=one.text.strip(), text_en=one.text_en.strip())
            case Change.RETIME if standing is not None:
                found[one.key] = replace(standing, starts_at=one.starts_at)
            case _:
                pass  # nothing of the kind stands there: a change for a sector need not fit each of its plants
    return tuple(found.values())
