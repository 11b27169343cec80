"""Adjusting measures inside a level: what each has now, what a change would do to whom, and its proposal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from emergency.domain import amending, starting
from emergency.domain.amending import Amendment, Change, NobodyNamed, NoCheck, NothingChanges, Scope
from emergency.domain.drawing import measures_for
from emergency.domain.episode import Decision, Episode, Move, Phase
from emergency.domain.level import Level
from emergency.domain.orders import LIVE, Category, Measure, Recipient
from emergency.domain.people import Act, Person, ask
from emergency.errors import Refused
from emergency.plans.measures import CHECKS
from emergency.services import decisions, dispatch
from emergency.services.rules import Rules
from emergency.store import Tx


class NoResponse(Refused):
    """No response is running here, so there are no measures to adjust."""

    words_zh = "本区没有进行中的应急响应，无措施可调整"


class NoReason(Refused):
    """An adjustment without its reason."""

    words_zh = "请写明调整的理由"


@dataclass(frozen=True)
class Line:
    """One measure as some recipients have it, or could: how many, the first three, and from when where it is known."""

    measure: Measure
    count: int
    first: tuple[str, ...]
    starts_at: datetime | None = None


@dataclass(frozen=True)
class Asked:
    """What the recipients a change would be for do now, and what their sectors' playbooks have besides."""

    count: int
    first: tuple[str, ...]
    has: tuple[Line, ...]
    offered: tuple[Line, ...]


@dataclass(frozen=True)
class Effect:
    """What one change would do: for how many recipients, and the first three of them."""

    change: Amendment
    count: int
    first: tuple[str, ...]


@dataclass(frozen=True)
class Reach:
    """What all changes together would do: to how many, of how many, and each by itself."""

    effects: tuple[Effect, ...]
    count: int
    first: tuple[str, ...]
    untouched: int


def running(tx: Tx, rules: Rules, area: str) -> Episode:
    """
    The response whose measures can be adjusted.

    :raises NoResponse: none is running
    """
    episode = tx.running_episode(area, rules.exercise)
    if episode is None or episode.phase is not Phase.ACTIVE or episode.level is Level.NONE:
        raise NoResponse(f"no response is running in {area}")
    return episode


def standing(tx: Tx, rules: Rules, episode: Episode, scope: Scope, names: Sequence[str]) -> Asked:
    """What those the scope names are asked now, with what they have from earlier adjustments, and what they could."""
    whom = Amendment(scope, Change.DROP, "", tuple(names))
    some = [one for one in _addressed(tx, episode) if whom.concerns(one)]
    before = amending.in_force(tx.decisions(episode.id))
    starts = _starts(tx, episode)
    has: dict[str, list[tuple[Measure, Recipient]]] = {}
    could: dict[str, list[tuple[Measure, Recipient]]] = {}
    for one in some:
        mine = amending.amended(measures_for(one, episode.level, rules.book), one, episode.level, before)
        asked = {measure.key for measure in mine}
        for measure in mine:
            has.setdefault(measure.key, []).append((measure, one))
        for measure in rules.book.get(one.sector, ()):
            if measure.key not in asked:
                could.setdefault(measure.key, []).append((measure, one))
    names_of = tuple(one.name for one in some[:3])
    offered = {key: having for key, having in could.items() if key not in has}
    return Asked(len(some), names_of, _lines(has, starts), _lines(offered, {}))


def _lines(
    found: Mapping[str, Sequence[tuple[Measure, Recipient]]], starts: Mapping[tuple[UUID, str], datetime]
) -> tuple[Line, ...]:
    return tuple(
        Line(
            measure=having[0][0],
            count=len(having),
            first=tuple(one.name for _, one in having[:3]),
            starts_at=min((at for _, one in having if (at := starts.get((one.id, key)))), default=None),
        )
        for key, having in found.items()
    )


def _starts(tx: Tx, episode: Episode) -> dict[tuple[UUID, str], datetime]:
    return {
        (order.recipient_id, duty.key): duty.starts_at
        for order in tx.orders(episode.id)
        if order.status in LIVE
        for duty in order.duties
    }


def _addressed(tx: Tx, episode: Episode) -> list[Recipient]:
    return [one for one in dispatch.recipients_of(tx, episode.area) if one.category is not Category.LONG_STOPPED]


def sealed(
    tx: Tx, rules: Rules, episode: Episode, changes: Sequence[Amendment], *, effective_at: datetime, now: datetime
) -> tuple[tuple[Amendment, ...], Reach]:
    """
    The changes whole and fit to be signed, with what they would do: words, check and start of a measure of the book
    are filled in from it, and the words that go are put beside what comes.

    :raises NothingChanges: one of them changes nobody's measures
    :raises NoCheck: it names a check nobody knows
    :raises NobodyNamed: a sector or recipient is unknown here
    :raises Refused: see ``amending.checked``
    """
    some = _addressed(tx, episode)
    before = amending.in_force(tx.decisions(episode.id))
    whole = [_filled(rules, episode, one, some, before, effective_at) for one in changes]
    whole = list(amending.checked(whole, now=now))
    for one in whole:
        if one.check and one.check not in CHECKS:
            raise NoCheck(f"no check is called {one.check!r}", zh="没有这种核查方式，请重新选择")
        known = {recipient.sector for recipient in some} | {str(recipient.id) for recipient in some}
        if one.scope in (Scope.SECTOR, Scope.RECIPIENTS) and not set(one.names) <= known:
            raise NobodyNamed(f"unknown here: {', '.join(sorted(set(one.names) - known))}")
    reach = _reach(rules, episode, whole, some, before)
    for effect in reach.effects:
        if not effect.count:
            said = effect.change.text or effect.change.was or effect.change.key
            raise NothingChanges(f"{effect.change.key} changes nothing", zh=f"「{said}」对所选对象没有任何变化，请核对")
    return tuple(whole), reach


def _filled(
    rules: Rules, episode: Episode, one: Amendment, some: Sequence[Recipient], before: Sequence[Amendment],
    effective_at: datetime,
) -> Amendment:  # fmt: skip
    """The change with what it leaves to the book, and the words as they stand now."""
    meant = [recipient for recipient in some if one.concerns(recipient)]
    if one.change is not Change.ADD:
        had = (
            measure
            for recipient in meant
            for measure in amending.amended(
                measures_for(recipient, episode.level, rules.book), recipient, episode.level, before
            )
            if measure.key == one.key
        )
        found = next(had, None)
        return one if found is None else replace(one, was=found.text)
    if one.text.strip() and not one.key:
        return replace(one, key=amending.own_key(one.text))
    booked = (line for recipient in meant for line in rules.book.get(recipient.sector, ()) if line.key == one.key)
    line = next(booked, None)
    if line is None or one.text.strip() not in ("", line.text):
        return one
    delay = starting.delay_min(line, rules.plan(episode.plan_id))
    later = effective_at + timedelta(minutes=delay) if delay else None
    return replace(
        one, text=line.text, text_en=line.text_en, force=line.force, check=line.check, starts_at=one.starts_at or later
    )


def _reach(
    rules: Rules, episode: Episode, changes: Sequence[Amendment], some: Sequence[Recipient],
    before: Sequence[Amendment],
) -> Reach:  # fmt: skip
    touched: list[list[str]] = [[] for _ in changes]
    whom: list[str] = []
    for recipient in some:
        if not any(one.concerns(recipient) for one in changes):
            continue
        old = amending.amended(measures_for(recipient, episode.level, rules.book), recipient, episode.level, before)
        now = old
        for place, one in enumerate(changes):
            after = amending.amended(now, recipient, episode.level, [one])
            if after != now:
                touched[place].append(recipient.name)
            now = after
        if now != old:
            whom.append(recipient.name)
    effects = tuple(
        Effect(one, len(names), tuple(names[:3])) for one, names in zip(changes, touched, strict=True)
    )
    return Reach(effects, len(whom), tuple(whom[:3]), len(some) - len(whom))


def propose(
    tx: Tx,
    rules: Rules,
    *,
    area: str,
    changes: Sequence[Amendment],
    reason: str,
    by: Person,
    now: datetime,
    effective_at: datetime | None = None,
    number: str = "",
    consultations: Sequence[UUID] = (),
    decision_id: UUID | None = None,
) -> Decision:
    """
    Put an adjustment forward: as a person's own proposal, or, with ``decision_id``, what the level above's announcement
    of one left for this desk to fill in.

    :raises NoResponse: no response is running here
    :raises NoReason: no reason was given
    :raises NothingChanges, NoCheck, NobodyNamed: see ``sealed``
    :raises NotAllowed, AlreadyWaiting, StillOpen, NotOurs: see ``decisions.propose``
    """
    ask(by, Act.PROPOSE, area)
    episode = running(tx, rules, area)
    if not reason.strip():
        raise NoReason("an adjustment needs its reason")
    holds = max(effective_at or now, now)
    some, _ = sealed(tx, rules, episode, changes, effective_at=holds, now=now)
    if decision_id is not None:
        return decisions.put_forward(
            tx, rules, decision_id, by=by, now=now, consultations=consultations, amendments=some,
            changes={"reason": reason.strip(), "effective_at": holds},
        )  # fmt: skip
    return decisions.propose(
        tx, rules, area=area, move=Move.AMEND, level=episode.level, by=by, now=now, reason=reason, effective_at=holds,
        number=number, consultations=consultations, amendments=some,
    )  # fmt: skip
