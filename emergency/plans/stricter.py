"""How a lower area's plan stands to the one it extends: each field is compared in its own way, or free for a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Final, NamedTuple

from pydantic import BaseModel

from emergency.domain.plan import Authority
from emergency.plans.plan_sheet import ApprovalSheet, Cell, PlanSheet
from emergency.plans.reading import Loc

EACH: Final = "*"  # a step of a path: every key of a mapping, every place of a list


class Laxer(NamedTuple):
    """One place where the lower plan is not as strict as it must be, and why, in both languages."""

    loc: Loc
    reason: str
    zh: str


Found = Iterator[Laxer]
Compare = Callable[[PlanSheet, PlanSheet], Found]


@dataclass(frozen=True)
class Most:
    """
    More is laxer; yes is more than no.

    ``silence``: what a plan that says nothing comes to, with its words; no limit at all where it is not given.
    """

    silence: float = inf
    zh: str = ""
    en: str = ""


@dataclass(frozen=True)
class Least:
    """Less is laxer; yes is more than no. ``silence`` as in :class:`Most`; nothing is asked where it is not given."""

    silence: float = -inf
    zh: str = ""
    en: str = ""


@dataclass(frozen=True)
class Same:
    """What it states is the same in both plans: a lower area keeps the colours."""


@dataclass(frozen=True)
class Kept:
    """Said wherever the plan above says it; what it says is free for the reason ``why``."""

    why: str


@dataclass(frozen=True)
class Together:
    """Compared with other fields at once."""

    by: Compare


@dataclass(frozen=True)
class Free:
    """Not compared, for the reason ``why``."""

    why: str


Rule = Most | Least | Same | Kept | Together | Free
_AT_ONCE: Final = Most(0, "未规定即不延后", "it delays nothing")


def laxer(child: PlanSheet, parent: PlanSheet) -> Found:
    """Where a lower area's plan is not at least as strict as the one it extends, or sets another colour threshold."""
    for path, rule in FIELDS.items():
        if isinstance(rule, Most | Least):
            yield from _beyond(rule, child, parent, path)
        elif isinstance(rule, Same):
            yield from _other(child, parent, path)
        elif isinstance(rule, Kept):
            yield from _dropped(child, parent, path)
    for compare in dict.fromkeys(rule.by for rule in FIELDS.values() if isinstance(rule, Together)):
        yield from compare(child, parent)


def _places(value: Any, steps: Sequence[str], loc: Loc = ()) -> Iterator[tuple[Loc, Any]]:
    """Each place of a path where something is stated, with what; unknown cells state nothing."""
    if isinstance(value, Cell):
        value = value.value
    if value is None:
        return
    if not steps:
        yield loc, value
    elif steps[0] == EACH:
        for key, one in value.items():
            yield from _places(one, steps[1:], (*loc, str(key)))
    else:
        yield from _places(getattr(value, steps[0]), steps[1:], (*loc, steps[0]))


def _both(child: PlanSheet, parent: PlanSheet, path: str) -> Iterator[tuple[Loc, Any, Any]]:
    """Each place of a path that either plan speaks of, with what the lower and the upper one say; None is silence."""
    ours, theirs = (dict(_places(sheet, path.split("."))) for sheet in (child, parent))
    for loc in {**theirs, **ours}:
        yield loc, ours.get(loc), theirs.get(loc)


def _beyond(rule: Most | Least, child: PlanSheet, parent: PlanSheet, path: str) -> Found:
    for loc, ours, theirs in _both(child, parent, path):
        above = rule.silence if theirs is None else theirs
        if ours is None:
            yield _silent(loc, theirs, parent)
        elif (ours > above) if isinstance(rule, Most) else (ours < above):
            yield _past(loc, ours, theirs, rule, parent)


def _silent(loc: Loc, theirs: Any, parent: PlanSheet) -> Laxer:
    return Laxer(
        loc,
        f"{_named(loc)}: {parent.id} says {_shown(theirs)} here and this plan says nothing",
        f"{_named(loc)}：上级预案 {parent.id} 规定为 {_shown(theirs)}，本预案未作规定",
    )


def _past(loc: Loc, ours: Any, theirs: Any, rule: Most | Least, parent: PlanSheet) -> Laxer:
    if theirs is None:
        return Laxer(
            loc,
            f"{_named(loc)}: {_shown(ours)} is laxer than {parent.id}, which says nothing here: {rule.en}",
            f"{_named(loc)}：{_shown(ours)} 比上级预案 {parent.id} 宽松，该预案对此{rule.zh}",
        )
    return Laxer(
        loc,
        f"{_named(loc)}: {_shown(ours)} is laxer than the {_shown(theirs)} of {parent.id}",
        f"{_named(loc)}：{_shown(ours)} 比上级预案 {parent.id} 的 {_shown(theirs)} 宽松",
    )


def _other(child: PlanSheet, parent: PlanSheet, path: str) -> Found:
    for loc, ours, theirs in _both(child, parent, path):
        if _bare(ours) != _bare(theirs):
            yield Laxer(
                loc,
                f"{_named(loc)} is other than in {parent.id}; a lower area keeps the colours",
                f"{_named(loc)} 与上级预案 {parent.id} 不同；下级预案不得改变预警分级条件",
            )


def _dropped(child: PlanSheet, parent: PlanSheet, path: str) -> Found:
    for loc, ours, theirs in _both(child, parent, path):
        if ours is None:
            yield _silent(loc, theirs, parent)


def _named(loc: Loc) -> str:
    return ".".join(map(str, loc))


def _shown(value: Any) -> str:
    """As the file writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _bare(value: object) -> object:
    """A stated thing without where it was read."""
    if isinstance(value, BaseModel):
        return value.model_dump(exclude={"basis", "source", "note", "text"})
    return value


def _colours(child: PlanSheet, parent: PlanSheet) -> Found:
    for word in sorted({*child.levels, *parent.levels}):
        if _thresholds(child, word) != _thresholds(parent, word):
            yield Laxer(
                ("levels", word),
                f"{word} has another threshold than {parent.id}; a lower area keeps the colours",
                f"{word} 的分级条件与上级预案 {parent.id} 不同；下级预案不得改变预警分级条件",
            )


def _thresholds(sheet: PlanSheet, word: Any) -> object:
    level = sheet.levels.get(word)
    if level is None or level.unknown:
        return level and level.unknown
    return {frozenset(one.all_of) for one in level.any_of}


def _authority(child: PlanSheet, parent: PlanSheet) -> Found:
    if parent.authority is Authority.ACTIVATES and child.authority is Authority.ISSUES:
        yield Laxer(
            ("authority",),
            f"{parent.id} only activates, so no area below it issues warnings",
            f"上级预案 {parent.id} 只启动响应，其下级不得发布预警",
        )


def _causes(child: PlanSheet, parent: PlanSheet) -> Found:
    for cause in sorted({*child.causes, *parent.causes}):
        if _bare(child.causes.get(cause)) != _bare(parent.causes.get(cause)):
            yield Laxer(
                ("causes", cause.value),
                f"{cause.value} leads to something else than in {parent.id}",
                f"{cause.value} 的处置与上级预案 {parent.id} 不同",
            )


def _extending_ranks(child: PlanSheet, parent: PlanSheet) -> Found:
    """A plan that names no rank for an extension has it signed by the rank of the level that goes on."""
    low = [
        (word, ours, theirs)
        for word in parent.approval
        if word in child.approval and (ours := _extends(child, word)) < (theirs := _extends(parent, word))
    ]
    if low and any(_stated_rank(one) is not None for one in (child, parent)):
        word, ours, theirs = max(low, key=lambda one: one[2])
        yield Laxer(
            ("extension", "rank"),
            f"extension.rank: {ours} is laxer than the {theirs} by which {parent.id} extends {word}",
            f"extension.rank：{ours} 比上级预案 {parent.id} 延长 {word} 所需的 {theirs} 宽松",
        )


def _extends(sheet: PlanSheet, word: Any) -> int:
    stated = _stated_rank(sheet)
    return sheet.approval[word].rank if stated is None else stated


def _stated_rank(sheet: PlanSheet) -> int | None:
    rank = sheet.extension.rank if sheet.extension else None
    return rank.value if rank else None


def _deputies(child: PlanSheet, parent: PlanSheet) -> Found:
    for word in sorted({*child.approval} & {*parent.approval}):
        for index, who in _sooner(child.approval[word], parent.approval[word]):
            yield Laxer(
                ("approval", word, "deputies", index),
                f"{who} may sign for the approver sooner than in {parent.id}",
                f"{who} 可代签的时间早于上级预案 {parent.id}",
            )


def _sooner(ours: ApprovalSheet, theirs: ApprovalSheet) -> Iterator[tuple[int, str]]:
    """
    Deputies whose turn leaves them more of the time for a signature than any deputy above of no higher rank has.

    Counted back from the end: a lower area may well ask for the signature sooner, and then its deputies follow.
    """
    for index, one in enumerate(ours.deputies):
        left = ours.within_minutes - one.after_minutes
        if one.rank < theirs.rank and not any(
            who.rank <= one.rank and theirs.within_minutes - who.after_minutes >= left for who in theirs.deputies
        ):
            yield index, one.title


def _ladder(child: PlanSheet, parent: PlanSheet) -> Found:
    for rung in parent.ladder:
        if not any(
            (one.notify, one.deadline) == (rung.notify, rung.deadline)
            and one.after_minutes <= rung.after_minutes
            and {*rung.by} <= {*one.by}
            for one in child.ladder
        ):
            yield Laxer(
                ("ladder",),
                f"{rung.notify} is told later or by fewer ways than in {parent.id} ({rung.step})",
                f"{rung.notify} 得到催办的时间晚于上级预案 {parent.id}，或途径更少（{rung.step}）",
            )


_NAMES: Final = Free("each plan has its own name")
_PAPERS: Final = Free("where its numbers were read is each plan's own")
_WORDS: Final = Free("words for people; the numbers beside them are compared")
_DEADLINES: Final = tuple(
    f"deadlines.{name}"
    for name in (
        "activation_deadline_min",
        "order_relay_deadline_min",
        "ack_deadline_min",
        "start_deadline_min",
        "in_place_deadline_min",
        "upward_report_min",
        "ruling_deadline_min",
        "consultation_within_min",
        "sequence_wait_min",
    )
)

FIELDS: Final[Mapping[str, Rule]] = {
    "id": _NAMES,
    "name": _NAMES,
    "name_en": _NAMES,
    "extends": _NAMES,
    "sources.*": _PAPERS,
    "in_force.since": Free("a lower area's plan has its own date"),
    "in_force.until": Free("a lower area's plan has its own date"),
    "authority": Together(_authority),
    "runs_on": Same(),
    "high_decides": Same(),
    "levels.*.any_of.*.all_of": Together(_colours),
    "levels.*.any_of.*.text": _WORDS,
    "levels.*.any_of.*.people_judge": Free("repeated beside a verdict, and no verdict waits for it"),
    "pre_level": Same(),
    "causes.*.gets": Together(_causes),
    # a warning must end somehow: a plan that does not say when has a gap, and has not promised that none ever ends
    "release.aqi_not_over": Most(),
    "release.hours_over": Least(),
    "release.whole_days": Least(),
    "downgrade.hours_over": Least(inf, "未作规定，不自行降级", "it lowers nothing by itself"),
    "downgrade.may_skip_levels": Most(0, "未作规定，不越级降级", "it skips no level"),
    "extension.allowed": Most(1),  # silence forbids nothing
    "extension.longest_hours": Most(),
    "extension.rank": Together(_extending_ranks),
    "open_ended": Least(0),  # silence lets a warning end by itself
    "merge_gap_hours": Least(),
    "lead_time_hours.*": Least(),
    "effective_delay_min.by_level.*": _AT_ONCE,
    "effective_delay_min.by_kind.*": _AT_ONCE,
    "approval.*.rank": Least(),
    "approval.*.title": _NAMES,
    "approval.*.within_minutes": Most(),
    "approval.*.deputies.*.title": _NAMES,
    "approval.*.deputies.*.rank": Together(_deputies),
    "approval.*.deputies.*.after_minutes": Together(_deputies),
    **dict.fromkeys(_DEADLINES, Most()),
    "deadlines.measure_effective_min": _AT_ONCE,
    "undecided.every_min": Most(),
    "undecided.deputies": Least(),
    "ladder.*.step": _NAMES,
    "ladder.*.deadline": Together(_ladder),
    "ladder.*.after_minutes": Together(_ladder),
    "ladder.*.notify": Together(_ladder),
    "ladder.*.by": Together(_ladder),
    "reminders_per_hour": Least(inf, "未作规定，催办不设上限", "it sets no limit to reminders"),
    "rebroadcast_hours.*": Most(),
    "daily_report_time": Kept("no hour of the day is stricter than another; by when is compared"),
    "daily_report_within_min": Most(),
    "summary_due_workdays": Most(),
    "evaluation_due_workdays": Most(),
    "evaluation_reminder_workdays": Kept("days before a date that is compared itself, which may be sooner"),
    **{f"reduction_pct.*.{name}": Least() for name in ("so2", "nox", "pm", "vocs")},
    "reduction_substitution": Most(0, "未作规定，不得相互替代", "it lets neither stand in for the other"),
    "issuer": _NAMES,
    "legal_basis.*.text": _PAPERS,
    "number_format": _NAMES,
    "advisory_number_format": _NAMES,
}
"""Every field of a plan by its path; ``tests/test_plans_stricter.py`` walks the schema and asks for each."""
