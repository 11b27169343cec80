"""The reduction list of an area: read and compared, laid before a second person, let count when no episode runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from emergency.clock import SHANGHAI
from emergency.domain.episode import Fact
from emergency.domain.orders import Recipient, RecipientKind
from emergency.domain.people import Act, Person, ask, within
from emergency.domain.reduction import versions
from emergency.domain.reduction.reading import Ground, Listed, read_list
from emergency.domain.reduction.versions import Differences, Listing
from emergency.errors import Refused
from emergency.lists import writing
from emergency.lists.reading import read_file
from emergency.plans.listing import ListWords
from emergency.services.rules import Rules
from emergency.store import Store, Tx
from emergency.store import listing as kept

FEED: Final = "减排清单"  # before an area's name: under what a list's file is kept as it came
FARTHEST: Final = timedelta(days=366)  # ahead of today, for the day a list is to count from


class NothingRead(Refused):
    """No enterprise of the file could be taken."""

    words_zh = "没有读到可采用的企业"


class Overtaken(Refused):
    """Another list has entered force since the differences were shown."""

    words_zh = "在您查看之后已有另一份清单启用，差异已变化，请重新查看后再确认"


class OddDay(Refused):
    """The day from which the list is to count cannot be meant."""

    words_zh = "启用日期不能早于今天，也不能晚于一年之后"


@dataclass(frozen=True)
class Look:
    """What a file says, and what it would do to the enterprises that stand; nothing of it counts."""

    area: str
    listed: Listed
    differs: Differences
    based_on: UUID | None

    @property
    def counts(self) -> Mapping[str, int]:
        """How many rows were read, enterprises would be added, changed …, and cells were refused or want an eye."""
        differs = self.differs
        return {
            "rows": self.listed.rows,
            "read": len(self.listed.entries),
            "added": len(differs.added),
            "changed": len(differs.changed),
            "unchanged": len(differs.unchanged),
            "removed": len(differs.removed),
            "kept": len(differs.kept),
            "refused": len(self.listed.refused),
            "to_look_at": len(self.listed.to_look_at),
        }


def area_of(tx: Tx, rules: Rules, by: Person) -> str:
    """The area whose list this person keeps: that of their desk."""
    return rules.desk_of(tx, by.area)


def lay_by(tx: Tx, raw: bytes, *, file: str, area: str, by: Person, now: datetime) -> str:
    """
    Keep the file as it came, before anybody trusts it; its hash. The same file again is harmless.

    :raises NotAllowed: the person may not bring in lists of this area
    """
    ask(by, Act.ENTER_LIST, area)
    return _keep_file(tx, raw, file=file, area=area, by=by.login, now=now)


def _keep_file(tx: Tx, raw: bytes, *, file: str, area: str, by: str, now: datetime) -> str:
    sha256 = hashlib.sha256(raw).hexdigest()
    tx.keep_raw(sha256=sha256, feed=f"{FEED}-{area}"[:40], body=raw, now=now)
    tx.note(Fact("listing.laid_by", sha256, by, now, area=area, more={"file": file[:200]}))
    return sha256


def look(tx: Tx, rules: Rules, words: ListWords, raw: bytes, *, area: str, on: date) -> Look:
    """
    Read the file against the area and compare it with the enterprises that stand.

    :raises NoList: the file is of no use as a whole
    """
    listed = read_list(read_file(raw), ground_of(tx, rules, words, area=area, on=on))
    standing = kept.enterprises(tx, area)
    now_in_force = kept.in_force(tx, area)
    differs = versions.differences(listed.entries, standing, area=area, left_out=listed.left_out)
    return Look(area, listed, differs, now_in_force.id if now_in_force else None)


def ground_of(tx: Tx, rules: Rules, words: ListWords, *, area: str, on: date) -> Ground:
    """What a list of this area is read against."""
    areas = tx.areas()
    own = tx.area(area)
    inside = [one for one in areas if within(one.id, area) and one.id != area]
    around = next((words.bounds[one] for one in tx.above(area) if one in words.bounds), None)
    return Ground(
        area=area,
        area_name=own.name,
        towns={one.name: one.id for one in inside},
        sectors=words.industries,
        categories=words.categories,
        schemes=words.schemes,
        on=on,
        booked=frozenset(rules.book),
        units=frozenset(one.name for one in _units(tx)),
        bounds=around,
    )


def _units(tx: Tx) -> Sequence[Recipient]:
    return tx.recipients(kinds=[RecipientKind.UNIT, RecipientKind.TOWN])


def lay(
    tx: Tx, found: Look, *, name: str, file_sha256: str, valid_from: date, by: Person, now: datetime
) -> Listing:
    """
    Lay what was read before a second person, as a version that counts from its day on.

    :raises NotAllowed: the person may not bring in lists of this area
    :raises NothingRead: not one enterprise could be taken
    :raises OddDay: the day is past, or more than a year ahead
    """
    ask(by, Act.ENTER_LIST, found.area)
    return _draft(tx, found, name=name, file_sha256=file_sha256, valid_from=valid_from, by=by.login, now=now)


def _draft(
    tx: Tx, found: Look, *, name: str, file_sha256: str, valid_from: date, by: str, now: datetime
) -> Listing:
    if not found.listed.entries:
        raise NothingRead("not one enterprise could be taken")
    today = now.astimezone(SHANGHAI).date()
    if not today <= valid_from <= today + FARTHEST:
        raise OddDay(f"a list cannot count from {valid_from}")
    listing = Listing(
        id=uuid5(_NAMESPACE, f"{found.area}:{file_sha256}:{now.isoformat()}"),
        area=found.area,
        name=name.strip()[:120] or f"{valid_from.year}",
        file_sha256=file_sha256,
        valid_from=valid_from,
        columns=found.listed.columns,
        counts=found.counts,
        laid_by=by,
        laid_at=now,
        based_on=found.based_on,
        refused=found.listed.refused,
        to_look_at=found.listed.to_look_at,
        left_out=found.listed.left_out,
    )
    differs = found.differs
    some = [
        (word, one)
        for word, part in (("added", differs.added), ("changed", differs.changed), ("unchanged", differs.unchanged))
        for one in part
    ]
    order = {entry.key: n for n, entry in enumerate(found.listed.entries)}
    some.sort(key=lambda pair: order[pair[1].entry.key])
    return kept.add(tx, listing, some, fact=_fact("listing.drafted", listing, by=by, now=now, more=found.counts))


_NAMESPACE = UUID("6a1de9a4-9b53-5e2f-8d0e-0f3a4f1c7b10")


def _fact(what: str, listing: Listing, *, by: str, now: datetime, more: Mapping[str, object] | None = None) -> Fact:
    said = {"name": listing.name, "valid_from": listing.valid_from.isoformat(), **(more or {})}
    return Fact(what, str(listing.id), by, now, area=listing.area, more=said)


def differs_now(tx: Tx, listing: Listing) -> Differences:
    """What the version would do to the enterprises as they stand now."""
    return versions.differences(
        kept.entries(tx, listing.id), kept.enterprises(tx, listing.area), area=listing.area, left_out=listing.left_out
    )


def confirm(
    tx: Tx, rules: Rules, listing_id: UUID, *, without_refused: bool, based_on: UUID | None, by: Person, now: datetime
) -> Listing:
    """
    A second person lets the list count from its day on; at once where the day has come and no episode runs.

    ``based_on``: the version the differences were shown against.

    :raises NotAllowed: the person's role or area does not reach so far
    :raises SameHand: it is the person who laid it down
    :raises StillRefused: cells were refused, and leaving their enterprises out was not said expressly
    :raises Overtaken: another version has entered force since the differences were shown
    """
    listing = kept.called(tx, listing_id)
    ask(by, Act.CONFIRM_LIST, listing.area)
    _still_based_on(tx, listing.area, based_on)
    listing = versions.confirmed(listing, by=by.login, without_refused=without_refused, now=now)
    listing = kept.save(tx, listing, fact=_fact("listing.confirmed", listing, by=by.login, now=now))
    entered = enter_due(tx, rules, now=now)
    return next((one for one in entered if one.id == listing.id), listing)


def _still_based_on(tx: Tx, area: str, based_on: UUID | None) -> None:
    now_in_force = kept.in_force(tx, area)
    if (now_in_force.id if now_in_force else None) != based_on:
        raise Overtaken("another list has entered force since the differences were shown")


def drop(tx: Tx, listing_id: UUID, *, because: str, by: Person, now: datetime) -> Listing:
    """
    Let a version go that does not count yet.

    :raises NotAllowed: the person neither brings in lists of the area nor confirms them
    :raises IllegalMove: it counts, or counted once
    """
    listing = kept.called(tx, listing_id)
    ask(by, Act.CONFIRM_LIST if by.role.value == "approver" else Act.ENTER_LIST, listing.area)
    listing = versions.dropped(listing, because=because, now=now)
    more = {"because": listing.because}
    return kept.save(tx, listing, fact=_fact("listing.dropped", listing, by=by.login, now=now, more=more))


def bring_in(
    tx: Tx,
    rules: Rules,
    found: Look,
    raw: bytes,
    *,
    name: str,
    file: str,
    valid_from: date,
    without_refused: bool,
    operator: str,
    now: datetime,
) -> Listing:
    """
    The operator of the machine puts a list in place at once, as a place file is loaded; the journal names the operator.

    :raises NothingRead: as :func:`lay`
    :raises StillRefused: as :func:`confirm`
    :raises Overtaken: as :func:`confirm`
    """
    _still_based_on(tx, found.area, found.based_on)
    sha256 = _keep_file(tx, raw, file=file, area=found.area, by=operator, now=now)
    listing = _draft(tx, found, name=name, file_sha256=sha256, valid_from=valid_from, by=operator, now=now)
    listing = versions.let_count(listing, by=operator, without_refused=without_refused, now=now)
    listing = kept.save(tx, listing, fact=_fact("listing.confirmed", listing, by=operator, now=now))
    entered = enter_due(tx, rules, now=now)
    return next((one for one in entered if one.id == listing.id), listing)


def enter_all(store: Store, rules: Rules, *, now: datetime) -> list[Listing]:
    """Let every version count that may; nothing is written where none is due."""
    with store.reading() as tx:
        if not kept.due(tx, on=now.astimezone(SHANGHAI).date()):
            return []
    return store.run(lambda tx: enter_due(tx, rules, now=now))


def enter_due(tx: Tx, rules: Rules, *, now: datetime) -> list[Listing]:
    """
    Let confirmed versions count whose day has come, where no episode runs; asked again it finds nothing to do.

    An episode that began under a version keeps it: until it is over, and for the plan's merge gap after it was let go,
    because it may come back, the next version waits.
    """
    due = kept.due(tx, on=now.astimezone(SHANGHAI).date())
    return [_enter(tx, one, now=now) for one in due if not _must_wait(tx, rules, one.area, now=now)]


def _must_wait(tx: Tx, rules: Rules, area: str, *, now: datetime) -> bool:
    gap = timedelta(hours=rules.plan_of(tx, area).numbers.get("merge_gap_hours", 0))  # none: nothing comes back
    inside = [one.id for one in tx.areas() if within(one.id, area)]
    return kept.running(tx, [rules.desk_of(tx, area), *inside], released_since=now - gap)


def _enter(tx: Tx, listing: Listing, *, now: datetime) -> Listing:
    before = kept.in_force(tx, listing.area)
    if before is not None:
        over = versions.replaced(before, now=now)
        kept.save(tx, over, fact=_fact("listing.past", before, by="system", now=now))
    differs = differs_now(tx, listing)
    kept.put(tx, [one.recipient for one in differs.after], differs.removed, now=now)
    entered = versions.entered(listing, now=now)
    more = {"enterprises": len(differs.after), "removed": len(differs.removed)}
    return kept.save(tx, entered, fact=_fact("listing.in_force", entered, by="system", now=now, more=more))


def exported(tx: Tx, listing: Listing) -> bytes:
    """The version as a workbook with the columns of its file."""
    return writing.written(kept.entries(tx, listing.id), listing.columns)


def template(tx: Tx, words: ListWords, *, area: str) -> bytes:
    """An empty list of this area to fill in."""
    towns = [one.name for one in tx.areas() if within(one.id, area) and one.id != area]
    units = [one.name for one in _units(tx) if within(one.area, area)]
    return writing.template(words, towns=towns, units=units)
