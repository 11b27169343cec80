"""What a plan says of the air: the highest level whose trigger holds, with every comparison that led there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from emergency.domain.assessment import SHANGHAI, Assessment, Comparison, Nearest, end_of, start_of
from emergency.domain.forecast import Air, DayOfAir
from emergency.domain.level import Level
from emergency.domain.plan import (
    CAUSE_ZH,
    LEVEL_ZH,
    RESPONSE_ZH,
    Clause,
    Metric,
    Origin,
    Plan,
    RunsOn,
    Spell,
    UnknownCell,
    Unmeasured,
    doubtful,
)
from emergency.errors import Refused


class Disorder(Refused):
    """The days of an air are not in the order of the calendar, each once."""

    words_zh = "日数据顺序有误或有重复日期"


class HoursNeeded(Refused):
    """The plan counts running 24 hours, and no hours were given: calendar days alone could hide a higher level."""

    words_zh = "预案按连续24小时计算，只有自然日数据，不能判断"


@dataclass(frozen=True)
class _Chain:
    """How far one clause got: for each of its spells the best run, each inside the one before."""

    clause: Clause
    runs: tuple[tuple[DayOfAir, ...], ...]

    @property
    def missing(self) -> tuple[int, ...]:
        return tuple(max(0, spell.days - len(run)) for spell, run in zip(self.clause.spells, self.runs, strict=True))

    @property
    def holds(self) -> bool:
        return not any(self.missing)


def assess(plan: Plan, air: Air) -> Assessment:
    """
    The highest level whose trigger the days meet, observed and forecast, with its grounds; pure.

    A clause asks for runs of adjoining days, and each further spell must lie inside the run of the one before: a
    worst day outside the run does not count (环大气〔2024〕6号; 环大气〔2017〕86号). A day whose cause only gets a
    health notice breaks a run. A level nobody has seen is never guessed.

    :raises UnknownCell: a level that could change the answer is not known
    :raises Unmeasured: the trigger is a concentration and a day lacks it
    A plan that runs on any 24 hours is asked of each row of windows by itself, and the spells of a clause lie in one
    row: the highest level is told, of equal ones the longest run or the least that is missing, and of equally good
    rows the one with the earliest anchor, so that a repeat gives the same. A window nobody has enough hours for
    breaks a run and is neither clean nor bad. The spell ends with the last run of any row that gives the level and
    shares hours with the run that decides.

    :raises HoursNeeded: the plan runs on any 24 hours and the air has no hours
    :raises Disorder: the days are not in the order of the calendar, each once
    """
    if plan.unknown_levels and max(plan.unknown_levels) > max(plan.levels, default=Level.NONE):
        _refuse_the_unknown(plan, Level.NONE)  # whatever the air, the unknown level might be the answer
    rows = _rows_tried(plan, air)
    anchor, days, chains, found = _most(rows)
    _refuse_the_unknown(plan, found)
    holding = [one for one in chains.get(found, ()) if one.holds]
    decided = max(holding, key=lambda one: (len(one.runs[0]), _shape(one.clause)), default=None)
    above = [level for level in sorted(chains) if level > found]
    nearest = _nearest(above[0], chains[above[0]]) if above else None
    pre = plan.pre_level if found is Level.NONE and plan.pre_level else None
    pre_chain = _best(plan, pre.clause, days, {}) if pre else None
    pre_level = pre.name if pre and pre_chain and pre_chain.holds else ""
    advisory = tuple(one.day for one in days if not plan.orders(one))
    lasts_until = _lasts_until(rows, found, decided.runs[0], anchor) if decided else None
    zh, en = _sentences(plan, found, decided, days, nearest, pre_level, anchor, lasts_until)
    return Assessment(
        plan_id=plan.id,
        plan_sha=plan.sha,
        level=found,
        clause=decided.clause.id if decided else "",
        clause_text=decided.clause.text if decided else "",
        comparisons=tuple(
            line
            for level in sorted(chains, reverse=True)
            for one in chains[level]
            for line in _lines(level, one, anchor)
        ),
        days=days,
        run=tuple(one.day for one in decided.runs[0]) if decided else (),
        nearest=nearest,
        sentence_zh=zh,
        sentence_en=en,
        doubtful=_rests_on(plan, found, decided, days),
        advisory=advisory,
        pre_level=pre_level,
        anchor=anchor,
        lasts_until=lasts_until,
    )


def trigger_days(plan: Plan, air: Air) -> Air:
    """The air without the days whose cause only gets a health notice under this plan."""
    return Air(
        air.place,
        tuple(one for one in air.days if plan.orders(one)),
        tuple(tuple(one for one in row if plan.orders(one)) for row in air.anchored),
    )


def ongoing(plan: Plan, air: Air, *, today: date, now: datetime | None = None) -> Air:
    """
    The air from the first day of the spell that still touches ``today``: a spell that has ended triggers nothing.

    A spell goes back over adjoining days that stand above the lowest mark of any trigger. Of rows of windows the one
    under way at ``now`` (00:00 of today when not given) stands for today.
    """
    here = (now or start_of(today)).astimezone(SHANGHAI)
    spells = [spell for clauses in plan.levels.values() for clause in clauses for spell in clause.spells]
    lowest = min(spells, key=lambda one: one.over, default=None)
    began = ((here - timedelta(hours=anchor)).date() for anchor in range(len(air.anchored)))
    return Air(
        air.place,
        _still(plan, lowest, air.days, today),
        tuple(_still(plan, lowest, row, day) for row, day in zip(air.anchored, began, strict=True)),
    )


def _still(plan: Plan, lowest: Spell | None, some: Sequence[DayOfAir], today: date) -> tuple[DayOfAir, ...]:
    days = _in_order(some)
    kept = [one for one in days if one.day >= today]
    if kept and kept[0].day == today and (lowest is None or not _counts(plan, lowest, kept[0])):
        return tuple(kept)  # today is better: what was before is over
    back = today - timedelta(days=1)
    for one in reversed([one for one in days if one.day < today]):
        if lowest is None or one.day != back or not _counts(plan, lowest, one):
            break
        kept.insert(0, one)
        back -= timedelta(days=1)
    return tuple(kept)


def highest(plan: Plan, air: Air) -> Level:
    """
    The highest level of those whose trigger is known; :func:`assess` without grounds and without refusing the unknown.

    :raises Unmeasured: the trigger is a concentration and a day lacks it
    :raises HoursNeeded: the plan runs on any 24 hours and the air has no hours
    :raises Disorder: the days are not in the order of the calendar, each once
    """
    return _most(_rows_tried(plan, air))[3]


_Tried = tuple[tuple[DayOfAir, ...], dict[Level, list[_Chain]], Level]


_Row = tuple[int | None, tuple[DayOfAir, ...], dict[Level, list[_Chain]], Level]


def _rows_tried(plan: Plan, air: Air) -> list[_Row]:
    """Each row with the hour it is anchored at; None where the calendar's days are judged, the only row then."""
    if plan.runs_on is RunsOn.CALENDAR_DAYS:
        return [(None, *_tried_on(plan, air.days))]
    if not air.anchored:
        raise HoursNeeded(f"{plan.id} runs on {plan.runs_on.value}")
    return [(anchor, *_tried_on(plan, row)) for anchor, row in enumerate(air.anchored)]


def _most(rows: Sequence[_Row]) -> _Row:
    """The row that says most."""
    return max(rows, key=lambda one: _says(*one[2:]))  # the first of equals: the earliest anchor


def _lasts_until(rows: Sequence[_Row], level: Level, run: Sequence[DayOfAir], anchor: int | None) -> datetime | None:
    """The latest end of other rows' runs that give the level and share hours with this one; None: none is later."""
    ends = _hours(run, anchor)[1]
    others = [(other, chains.get(level, ())) for other, _, chains, _ in rows if other != anchor]
    spans = (_hours(one.runs[0], other) for other, some in others for one in some if one.holds)
    return max((end for begin, end in spans if begin < ends < end), default=None)


def _hours(run: Sequence[DayOfAir], anchor: int | None) -> tuple[datetime, datetime]:
    """Begin and end of a run of days or windows."""
    later = timedelta(hours=anchor or 0)
    return start_of(run[0].day) + later, end_of(run[-1].day) + later


def _says(chains: Mapping[Level, Sequence[_Chain]], found: Level) -> tuple[Level, int, int]:
    """How much a row says: its level, how long the run is that gives it, and how little is missing to the next."""
    longest = max((len(one.runs[0]) for one in chains.get(found, ()) if one.holds), default=0)
    above = min((level for level in chains if level > found), default=None)
    return found, longest, -min((sum(one.missing) for one in chains[above]), default=0) if above else 0


def _tried_on(plan: Plan, some: Sequence[DayOfAir]) -> _Tried:
    days = _in_order(some)
    runs: _Known = {}
    chains = {
        level: [_best(plan, clause, days, runs) for clause in plan.levels[level]] for level in sorted(plan.levels)
    }
    found = max((level for level, tried in chains.items() if any(one.holds for one in tried)), default=Level.NONE)
    return days, chains, found


def _in_order(days: Sequence[DayOfAir]) -> tuple[DayOfAir, ...]:
    if any(after.day <= before.day for before, after in pairwise(days)):
        raise Disorder("the days are not in the order of the calendar, each once")
    return tuple(days)


def _counts(plan: Plan, spell: Spell, day: DayOfAir) -> bool:
    value = plan.value(day, spell.metric)
    if value is None:
        raise Unmeasured(f"{plan.id} asks for {spell.words} and {day.day} has no {spell.metric.value}")
    return spell.takes(day.source) and plan.orders(day) and spell.asks(value)


def _runs(plan: Plan, spell: Spell, days: Iterable[DayOfAir]) -> Iterator[tuple[DayOfAir, ...]]:
    """The longest stretches of adjoining days on which the spell's mark is passed."""
    run: list[DayOfAir] = []
    for one in days:
        if run and one.day - run[-1].day != timedelta(days=1):
            yield tuple(run)
            run = []
        if _counts(plan, spell, one):
            run.append(one)
        elif run:
            yield tuple(run)
            run = []
    if run:
        yield tuple(run)


_Known = dict[tuple[Metric, float, bool, Origin], list[tuple[DayOfAir, ...]]]


def _best(plan: Plan, clause: Clause, days: Sequence[DayOfAir], known: _Known) -> _Chain:
    """
    The nesting of runs that leaves least missing; the first of equals, so that a repeat gives the same days.

    ``known`` keeps the runs of these days for the other clauses: spells of one mark have the same, however long.
    """

    def all_runs(spell: Spell) -> list[tuple[DayOfAir, ...]]:
        mark = spell.metric, spell.over, spell.strict, spell.origin
        if mark not in known:
            known[mark] = list(_runs(plan, spell, days))
        return known[mark]

    def inside(spells: Sequence[Spell], within: Sequence[DayOfAir]) -> tuple[int, tuple[tuple[DayOfAir, ...], ...]]:
        if not spells:
            return 0, ()
        first, *inner = spells
        best: tuple[int, tuple[tuple[DayOfAir, ...], ...]] | None = None
        for run in (all_runs(first) if within is days else list(_runs(plan, first, within))) or [()]:
            short, further = inside(inner, run)
            tried = (max(0, first.days - len(run)) + short, (run, *further))
            if best is None or (tried[0], -len(run)) < (best[0], -len(best[1][0])):
                best = tried
        return best if best is not None else (0, ())

    return _Chain(clause, inside(clause.spells, days)[1])


def _refuse_the_unknown(plan: Plan, found: Level) -> None:
    """Refuse when a level nobody has seen lies above what was found: it might be the answer."""
    if cells := [f"levels.{one.word}" for one in plan.unknown_levels if one > found]:
        raise UnknownCell(plan.id, cells, plan.unknown[cells[0]])


def _left_out(plan: Plan, days: Sequence[DayOfAir]) -> tuple[str, str]:
    """A sentence on the days that get a health notice only, empty when there are none."""
    left = [one for one in days if not plan.orders(one)]
    if not left:
        return "", ""
    named_zh = "、".join(f"{one.day}（{CAUSE_ZH[one.cause]}）" for one in left)
    named_en = ", ".join(f"{one.day} ({one.cause.value})" for one in left)
    return f"{named_zh}只发健康提示，不计入。", f" Health notice only, not counted: {named_en}."


def _bounds_of_ozone(plan: Plan, days: Sequence[DayOfAir]) -> tuple[str, str]:
    """A sentence on the days whose upper bound would decide if it were not ozone's, empty when there are none."""
    named = [f"{one.day}" for one in days if plan.high_decides and plan.orders(one) and one.high_is_ozones]
    if not named:
        return "", ""
    return (
        f"{'、'.join(named)}的预报上限由臭氧主导，不作为判据，以 AQI 预报值判断。",
        f" The upper bound of {', '.join(named)} is led by ozone and decides nothing; the index itself does.",
    )


def _lines(level: Level, chain: _Chain, anchor: int | None) -> Iterator[Comparison]:
    unit_zh, unit_en = ("天数", "days") if anchor is None else ("24小时段数", "24-h windows")
    for index, (spell, run) in enumerate(zip(chain.clause.spells, chain.runs, strict=True)):
        yield Comparison(
            level=level,
            clause=chain.clause.id,
            what=f"{unit_en} {'in that run' if index else 'in a row'} with {spell.words}",
            what_zh=f"{'其中连续' if index else '连续'} {spell.words} 的{unit_zh}",
            left=len(run),
            right=spell.days,
            days=tuple(one.day for one in run),
        )


def _shape(clause: Clause) -> tuple[tuple[int, float, str], ...]:
    """What tells two clauses apart whatever line they stand on."""
    return tuple((spell.days, spell.over, spell.words) for spell in clause.spells)


def _nearest(level: Level, chains: Sequence[_Chain]) -> Nearest:
    def distance(one: _Chain) -> tuple[int, float]:
        """Days missing, then the mark they would have to pass."""
        short = [spell.over for spell, days in zip(one.clause.spells, one.missing, strict=True) if days]
        return sum(one.missing), max(short, default=0)

    chain = min(chains, key=lambda one: (*distance(one), _shape(one.clause)))
    wanted = [(spell, short) for spell, short in zip(chain.clause.spells, chain.missing, strict=True) if short]
    return Nearest(
        level=level,
        clause=chain.clause.id,
        missing="，且".join(f"再有{short}天 {spell.words}" for spell, short in wanted),
        missing_en=" and ".join(f"{short} more day{'s' * (short > 1)} with {spell.words}" for spell, short in wanted),
        days_missing=tuple((spell.words, short) for spell, short in wanted),
    )


def _rests_on(plan: Plan, found: Level, decided: _Chain | None, days: Sequence[DayOfAir]) -> tuple[str, ...]:
    """The doubtful numbers under the result: the clause that held, those above it that did not, and the filters."""
    paths = [decided.clause.path] if decided else []
    paths += [clause.path for level in sorted(plan.levels) if level > found for clause in plan.levels[level]]
    paths += sorted({f"causes.{one.cause.value}" for one in days if not plan.orders(one)})
    if any(one.aqi_high is not None for one in days):
        paths.append("high_decides")
    judged = (f"{decided.clause.path}.people_judge",) if decided and decided.clause.people_judge else ()
    return doubtful(plan, *(path for path in paths if path)) + judged


def _span(days: Sequence[date], anchor: int | None) -> tuple[str, str]:
    """A stretch of days in both languages; one day is named once, and windows by their first and last hour."""
    first, last = days[0], days[-1]
    if anchor is not None:
        hours = f"{first:%m-%d} {anchor:02}:00 - {last + timedelta(days=1):%m-%d} {anchor:02}:00"
        return hours, hours
    return (f"{first}", f"{first}") if first == last else (f"{first}至{last}", f"{first} to {last}")


def _sentences(
    plan: Plan,
    found: Level,
    decided: _Chain | None,
    days: Sequence[DayOfAir],
    nearest: Nearest | None,
    pre_level: str,
    anchor: int | None,
    lasts_until: datetime | None,
) -> tuple[str, str]:
    if not days:
        return "没有可判断的日数据。", "There are no days to judge."
    (out_zh, out_en), (bound_zh, bound_en) = _left_out(plan, days), _bounds_of_ozone(plan, days)
    out_zh, out_en = out_zh + bound_zh, out_en + bound_en
    gap_zh = out_zh + (f"距{LEVEL_ZH[nearest.level]}：{nearest.missing}。" if nearest else "")
    gap_en = out_en + (f" To {nearest.level.word}: {nearest.missing_en}." if nearest else "")
    if decided is None:
        span_zh, span_en = _span([one.day for one in days], anchor)
        stage = f"，达到{pre_level}" if pre_level else ""
        return (
            f"{span_zh}未达到《{plan.name}》的预警条件{stage}。{gap_zh}",
            f"{span_en} meets no warning condition of {plan.name_en}.{gap_en}",
        )
    unit_zh, unit_en = ("天", "day") if anchor is None else ("个24小时", "24-h window")
    parts_zh, parts_en = [], []
    for index, (spell, run) in enumerate(zip(decided.clause.spells, decided.runs, strict=True)):
        span_zh, span_en = _span([one.day for one in run], anchor)
        parts_zh.append(
            f"{'其中' if index else ''}{span_zh}连续{len(run)}{unit_zh} {spell.words}（要求{spell.days}{unit_zh}）"
        )
        parts_en.append(
            f"{'of these ' if index else ''}{span_en}: {len(run)} {unit_en}{'s' * (len(run) > 1)} with {spell.words} "
            f"({spell.days} asked for)"
        )
    if lasts_until is not None:
        hour = f"{lasts_until.astimezone(SHANGHAI):%m-%d %H:%M}"
        parts_zh.append(f"按其他整点起算同级条件持续至{hour}")
        parts_en.append(f"by windows from other hours the same level lasts until {hour}")
    judge = decided.clause.people_judge
    judge_zh = f"另需会商判断：{judge}。" if judge else ""
    judge_en = f" People must also judge: {judge}." if judge else ""
    if "merge_gap_hours" not in plan.numbers:  # two spells are one only by a gap that a text gives
        judge_zh += "预案未见合并间隔，不与此前过程合并。"
        judge_en += " The plan's merge gap is not known: it is merged with no spell before it."
    return (
        f"{'，'.join(parts_zh)}，符合《{plan.name}》{LEVEL_ZH[found]}（{RESPONSE_ZH[found]}）条件。{judge_zh}{gap_zh}",
        f"{'; '.join(parts_en)}: {found.word} (response level {found.response}) of {plan.name_en}.{judge_en}{gap_en}",
    )
