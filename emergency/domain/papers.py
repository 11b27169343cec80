"""Notices of the level above: which ended or replaced which, by issue and number, and one as an assessment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cmp_to_key
from typing import Final, Protocol

from emergency.domain.assessment import SHANGHAI, Assessment, Comparison
from emergency.domain.forecast import Bulletin
from emergency.domain.level import Level
from emergency.domain.plan import LEVEL_ZH, RESPONSE_ZH, Plan

ENDS: Final = frozenset({"release", "withdraw"})
SETS_A_LEVEL: Final = frozenset({"activate", "upgrade", "downgrade", "reopen"})
_NUMBER: Final = re.compile(r"(.*?)\s*[〔［\[（(]\s*(\d{4})\s*[〕］\]）)]\s*第?\s*(\d+)\s*号?")


class Paper(Protocol):
    """A notice of the level above, as a desk entered it or as that level's own signature gave it."""

    @property
    def number(self) -> str: ...

    @property
    def action(self) -> str: ...

    @property
    def issuer(self) -> str: ...

    @property
    def level(self) -> Level: ...

    @property
    def issued_at(self) -> datetime: ...

    @property
    def received_at(self) -> datetime: ...


def order(one: Paper, other: Paper) -> int:
    """
    1 where this one was issued after the other, -1 before it, 0 where nothing tells.

    Papers give the minute. Within one minute the number decides, where both are of one series (a notice is also taken
    back under its own number), and else which arrived first.
    """
    first, second = _minute(one.issued_at), _minute(other.issued_at)
    if first == second:
        mine, others = place_in_series(one.number), place_in_series(other.number)
        if mine is not None and others is not None and mine[0] == others[0]:
            return (mine > others) - (mine < others)
        return (one.received_at > other.received_at) - (one.received_at < other.received_at)
    return 1 if first > second else -1


def ended_by(notice: Paper, ending: Paper) -> bool:
    """Whether the level above issued this ending after that notice; what ends is not ended itself."""
    return notice.action not in ENDS and ending.action in ENDS and order(ending, notice) >= 0


def replaced_by(older: Paper, newer: Paper) -> bool:
    """Whether a notice that comes in now ends what this one set, or sets another level; one issued earlier does not."""
    if newer.action in ENDS:
        return ended_by(older, newer)
    other = older.action in ENDS or newer.level is not older.level
    return newer.action in SETS_A_LEVEL and other and order(newer, older) >= 0


def over_by(notice: Paper, other: Paper) -> bool:
    """
    Whether a notice that comes in now asks for nothing any more, because of this other: it was ended by it, or the
    level above has set a level by it since; then the later one says what is to be done, also where the older one ends.
    Of two ends announced for one level the one issued later holds.
    """
    if ended_by(notice, other):
        return True
    if notice.action == "extend" and other.action in SETS_A_LEVEL | {"extend"}:
        return order(other, notice) > 0
    later = other.action in ENDS | SETS_A_LEVEL and order(other, notice) > 0
    same = notice.level is other.level and notice.action not in ENDS | SETS_A_LEVEL  # it extends or amends that level
    return later and not same


@dataclass(frozen=True)
class TakenBack:
    """A change that was taken back under its number, ``change`` with what rested on it, and what stands without it."""

    change: Bulletin
    stands: Bulletin


def taken_back(papers: Iterable[Bulletin]) -> Mapping[str, Bulletin]:
    """
    By id, the notices that were taken back one by one, each withdrawal itself among them, and by which.

    A withdrawal names by its number what it takes back. Where that is a later change it takes back the change alone,
    with what extended or adjusted its level; where it is the notice that began the warning, or none that is known, it
    ends the warning and is not among these.
    """
    found: dict[str, Bulletin] = {}
    kept: list[Bulletin] = []
    for one in _in_order(papers):
        lost = _under_its_number(kept, one) if one.action == "withdraw" else []
        if lost:
            found |= {paper.id: one for paper in (*lost, one)}
            kept = [paper for paper in kept if paper not in lost]
        else:
            kept = [] if one.action in ENDS else [*kept, one]
    return found


def _in_order(papers: Iterable[Bulletin]) -> list[Bulletin]:
    """The oldest first; a notice that is taken back within its minute before what takes it back."""
    return sorted(sorted(papers, key=lambda one: one.action in ENDS), key=cmp_to_key(order))


def _under_its_number(kept: list[Bulletin], withdrawal: Bulletin) -> list[Bulletin]:
    """The change of this number, and what extended or adjusted the level it set; none where it began the warning."""
    places = [place for place, one in enumerate(kept) if same_number(one.number, withdrawal.number)]
    if not places or places[0] == 0:
        return []
    first = places[-1]
    lost = [kept[first]]
    if lost[0].action in SETS_A_LEVEL:
        for one in kept[first + 1 :]:
            if one.action in SETS_A_LEVEL:
                break
            lost.append(one)
    return lost


def same_number(one: str, other: str) -> bool:
    """Whether two 文号 are the same one, with whatever brackets they were written."""
    mine = place_in_series(one)
    return one.strip() == other.strip() or (mine is not None and mine == place_in_series(other))


def back_from(papers: Iterable[Bulletin], withdrawal: Bulletin) -> TakenBack | None:
    """
    What this withdrawal leaves standing, until the end that was announced for it last; None where it ends the warning.
    """
    some = _in_order(papers)
    gone = taken_back(some)
    lost = next((one for one in some if one.id != withdrawal.id and gone.get(one.id) == withdrawal), None)
    left = [one for one in some if one.id not in gone]
    stands = standing(left)
    if lost is None or stands is None:
        return None
    for one in left:
        if one.action == "extend" and order(one, stands) > 0:
            stands = replace(stands, expected_end_at=one.expected_end_at)
    return TakenBack(lost, stands)


def standing(papers: Iterable[Bulletin]) -> Bulletin | None:
    """
    Of the notices an area got, the latest that names a level and that nothing ended or took back; None where none
    stands.
    """
    some = _in_order(papers)
    gone = taken_back(some)
    for one in reversed([one for one in some if one.id not in gone]):
        if one.action in ENDS:
            return None
        if one.level is not Level.NONE:
            return one
    return None


def heed(plan: Plan, bulletin: Bulletin, back: TakenBack | None = None) -> Assessment:
    """
    The level above's announcement as an assessment: its level, its number as the grounds; an end is level NONE, and a
    withdrawal that takes ``back`` one change alone sets again what stands without it.

    A district activates on the level above's notice and never on its own figures (大气污染防治法 art. 95, 96).
    """
    level = Level.NONE if bulletin.action in ENDS else bulletin.level
    at = bulletin.effective_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    if back is not None:
        level = back.stands.level
        verb_zh = f"撤回{back.change.number}，恢复{back.stands.number}所定{LEVEL_ZH[level]}（{RESPONSE_ZH[level]}）"
        verb_en = f"takes back {back.change.number} and leaves {level.word} as {back.stands.number} set it"
    elif bulletin.action == "withdraw":
        verb_zh, verb_en = "撤回预警", "withdraws the warning"
    elif level is Level.NONE:
        verb_zh, verb_en = "解除预警", "ends the warning"
    else:
        verb_zh = f"{LEVEL_ZH[level]}（{RESPONSE_ZH[level]}）"
        verb_en = f"sets {level.word} (response level {level.response})"
    return Assessment(
        plan_id=plan.id,
        plan_sha=plan.sha,
        level=level,
        clause="bulletin",
        clause_text=bulletin.number,
        comparisons=(
            Comparison(
                level,
                "bulletin",
                f"notice {bulletin.number} of {bulletin.issuer}",
                f"{bulletin.issuer}《{bulletin.number}》",
                1,
                1,
                (),
                "==",
            ),
        ),
        days=(),
        run=(),
        nearest=None,
        sentence_zh=f"依据{bulletin.issuer}{bulletin.number}：{verb_zh}，自{at}起执行。",
        sentence_en=f"{bulletin.issuer} {bulletin.number} {verb_en}, from {at}.",
        bulletin=bulletin.number,
        takes_back=back.change.number if back is not None else "",
    )


def place_in_series(number: str) -> tuple[str, int, int] | None:
    """Series, year and running number of a 文号 (柳气预警〔2015〕3号); None where it is written in another way."""
    found = _NUMBER.fullmatch(number.strip())
    return None if found is None else (found[1], int(found[2]), int(found[3]))


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
