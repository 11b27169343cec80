"""One jurisdiction's rules (应急预案) as values: triggers, ranks, deadlines, ladder, and on what each number rests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time
from enum import StrEnum
from types import MappingProxyType

from emergency.domain.forecast import Cause, DayOfAir, Source
from emergency.domain.level import Level
from emergency.errors import Refused

LEVEL_ZH: Mapping[Level, str] = MappingProxyType(
    {
        Level.NONE: "不预警",
        Level.BLUE: "蓝色预警",
        Level.YELLOW: "黄色预警",
        Level.ORANGE: "橙色预警",
        Level.RED: "红色预警",
    }
)
RESPONSE_ZH: Mapping[Level, str] = MappingProxyType(
    {Level.BLUE: "Ⅳ级响应", Level.YELLOW: "Ⅲ级响应", Level.ORANGE: "Ⅱ级响应", Level.RED: "Ⅰ级响应"}
)
CAUSE_ZH: Mapping[Cause, str] = MappingProxyType(
    {
        Cause.PM2_5: "细颗粒物",
        Cause.O3: "臭氧",
        Cause.SAND_DUST: "沙尘",
        Cause.WILDFIRE: "山火",
        Cause.CROSS_BORDER: "境外传输",
        Cause.FIREWORKS: "烟花爆竹",
    }
)
DAY_HOURS = 24


class UnknownCell(Refused):
    """The plan's text was not seen in this place, and nobody guesses it; ``cells`` are paths in the plan file."""

    words_zh = "预案中此项内容未知，不能据此判断"

    def __init__(self, plan_id: str, cells: Sequence[str], note: str = "") -> None:
        named = ", ".join(cells)
        super().__init__(
            f"{plan_id}: {named} unknown{f' ({note})' if note else ''}",
            zh=f"预案 {plan_id} 的 {named} 未知，不能据此判断{f'（{note}）' if note else ''}",
        )
        self.plan_id, self.cells = plan_id, tuple(cells)


class Unmeasured(Refused):
    """The plan is triggered by a concentration that these days do not carry."""

    words_zh = "预案以浓度为触发指标，数据中缺少该浓度"


class Basis(StrEnum):
    """How well a number of a plan is known."""

    TEXT = "text"  # read in the document, or in an official text that quotes it
    RECALLED = "recalled"  # general or second-hand knowledge of the document
    ASSUMED = "assumed"  # ours, so that the plan can be run; to be confirmed by the area


@dataclass(frozen=True)
class Mark:
    """On what a number rests, and where that was read."""

    basis: Basis
    source: str


class Metric(StrEnum):
    """What a trigger looks at: the daily AQI, or the 24-h mean of PM2.5 in µg/m³."""

    AQI = "aqi"
    PM2_5 = "pm2_5"


class Origin(StrEnum):
    """Whose days a trigger counts."""

    AIR = "air"  # the observed run joined to the forecast
    FORECAST = "forecast"
    OBSERVED = "observed"


class Authority(StrEnum):
    """What the area may do (大气污染防治法 art. 95): issue warnings, or activate its response on a bulletin."""

    ISSUES = "issues"
    ACTIVATES = "activates"


class Response(StrEnum):
    """What a cause of bad air leads to."""

    ORDERS = "orders"
    ADVISORY = "advisory"  # a health notice, no stop or limit orders
    STANDING = "standing"  # a health notice and no new orders, but those that stand go on: the day is not calm


class RunsOn(StrEnum):
    """What one day of a run is: a calendar day, or one of adjoining, non-overlapping 24 h anchored at any hour."""

    CALENDAR_DAYS = "calendar_days"
    ANY_24_HOURS = "any_24_hours"


@dataclass(frozen=True)
class Spell:
    """
    So many hours in a row on which the metric stands above a mark.

    ``strict``: > (the rule of every present plan) or >= (old ones name a grade, "201-300"). ``up_to`` is the grade's
    upper end as printed; a worse day still counts, because worse air never asks for less.
    """

    over: float
    hours: int = DAY_HOURS
    metric: Metric = Metric.AQI
    strict: bool = True
    up_to: float | None = None
    origin: Origin = Origin.AIR

    @property
    def days(self) -> int:
        """The days it takes: a begun day counts whole."""
        return -(-self.hours // DAY_HOURS)

    @property
    def words(self) -> str:
        """The condition on one day, the same in every language: ``AQI > 200``, ``PM2.5 > 115 µg/m³``."""
        name, unit = ("AQI", "") if self.metric is Metric.AQI else ("PM2.5", " µg/m³")
        if self.up_to is not None:
            return f"{name} {self.over:g}-{self.up_to:g}{unit}"
        return f"{name} {'>' if self.strict else '>='} {self.over:g}{unit}"

    def asks(self, value: float) -> bool:
        """Whether this value stands above the mark."""
        return value > self.over if self.strict else value >= self.over

    def takes(self, source: Source) -> bool:
        """Whether a day from there counts for it."""
        return self.origin is Origin.AIR or self.origin.value == source.value


def nested(spells: Sequence[Spell]) -> tuple[Spell, ...]:
    """The spells of one clause with the longest and lowest outside: each later one must lie inside the one before."""
    return tuple(sorted(spells, key=lambda one: (-one.days, one.over, one.metric.value, one.origin.value, one.strict)))


@dataclass(frozen=True)
class Clause:
    """
    One line of a trigger: all of its spells, each inside the one before; ``text`` says it in words.

    ``people_judge`` holds what the text also asks for and no number decides; the assessment repeats it.
    """

    id: str  # "red-1"
    spells: tuple[Spell, ...]
    text: str = ""
    people_judge: str = ""
    path: str = ""  # in the plan file: "levels.red.1"

    def __post_init__(self) -> None:
        object.__setattr__(self, "spells", nested(self.spells))  # one order, however the file wrote them


@dataclass(frozen=True)
class Deputy:
    """Who may sign when the approver has been silent for so many minutes."""

    title: str
    rank: int
    after_minutes: int


@dataclass(frozen=True)
class Approval:
    """Who signs a level: rank 1 office director, 2 deputy commander, 3 commander; and within how long."""

    rank: int
    title: str
    within_minutes: int
    deputies: tuple[Deputy, ...] = ()


@dataclass(frozen=True)
class Undecided:
    """
    What happens while nobody decides: minutes from one reminder to the next, and whether the deputies hear of it too
    once the time for a signature is over.
    """

    every_minutes: int
    deputies: bool


@dataclass(frozen=True)
class Rung:
    """
    One step of the ladder: whom to tell, by which channels, and how long after its deadline began to count.

    收到 (acknowledge) counts from sending; 已启动 (start) and 已落实 (in_place) count from their own deadline, which is
    a duty's start plus the plan's minutes.
    """

    step: str
    after_minutes: int
    notify: str  # recipient | second_contact | tracker | town | district_duty | call_list
    by: tuple[str, ...]
    deadline: str = "acknowledge"  # acknowledge | start | in_place


@dataclass(frozen=True)
class PreLevel:
    """A stage below the lowest warning (Guangxi: polluted weather, daily AQI > 100): a note to the desk, no orders."""

    name: str
    name_en: str
    clause: Clause


@dataclass(frozen=True)
class ReleaseRule:
    """Daily AQI not over ``not_over``, to stay so strictly more than ``hours_over``; on daily data, ``whole_days``."""

    not_over: float
    hours_over: int
    whole_days: int


@dataclass(frozen=True)
class ExtensionRule:
    """
    How an announced end may be moved on (延长): whether at all, by so many hours at once at most, signed by at least
    this rank. None where the plan does not say: then the hours are not limited, and the level's own approver signs.
    """

    allowed: bool
    longest_hours: int | None = None
    rank: int | None = None


@dataclass(frozen=True)
class Plan:
    """
    One plan as resolved from its file and what it extends.

    ``marks`` says for each path of the file on what its number rests; ``unknown`` says which cells nobody has seen.
    ``text`` is the whole as canonical JSON and ``sha`` its SHA-256: both are kept with an episode. Asking for a number
    the plan does not know raises :class:`UnknownCell`, so that no caller can go on with a guess.
    """

    id: str
    name: str
    name_en: str
    authority: Authority
    levels: Mapping[Level, tuple[Clause, ...]]
    causes: Mapping[Cause, Response]
    runs_on: RunsOn = RunsOn.CALENDAR_DAYS
    high_decides: bool = False
    extends: str | None = None
    since: str = ""  # as far as known: "2013-10"
    until: str = ""
    pre_level: PreLevel | None = None
    release_rule: ReleaseRule | None = None
    open_ended: bool = False
    extension: ExtensionRule | None = None  # None: the plan does not say
    downgrade_may_skip: bool = False
    downgrade_hours_over: int | None = None
    approvals: Mapping[Level, Approval] = field(default_factory=dict)
    ladder: tuple[Rung, ...] = ()
    undecided: Undecided | None = None  # None: the plan does not say; then people are told once, at the deadline
    numbers: Mapping[str, int] = field(default_factory=dict)
    by_level: Mapping[str, Mapping[Level, int]] = field(default_factory=dict)
    kind_delays: Mapping[str, int] = field(default_factory=dict)
    reductions: Mapping[Level, Mapping[str, float]] = field(default_factory=dict)
    substitutes: bool = False  # SO2 and NOx together, by the sum of their shares; silence allows it not
    texts: Mapping[str, str] = field(default_factory=dict)
    legal_basis: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, Mark] = field(default_factory=dict)
    sha: str = ""
    text: str = field(default="", repr=False)

    def number(self, name: str) -> int:
        """
        A number of the plan by its name in the file.

        :raises UnknownCell: the plan does not say
        """
        if name not in self.numbers:
            raise UnknownCell(self.id, [name], self.unknown.get(name, ""))
        return self.numbers[name]

    def _level_number(self, name: str, level: Level) -> int:
        found = self.by_level.get(name, {})
        if level not in found:
            raise UnknownCell(self.id, [f"{name}.{level.word}"], self.unknown.get(f"{name}.{level.word}", ""))
        return found[level]

    def _text(self, name: str) -> str:
        if name not in self.texts:
            raise UnknownCell(self.id, [name], self.unknown.get(name, ""))
        return self.texts[name]

    @property
    def activation_deadline_min(self) -> int:
        """Minutes from the arrival of the notice to the area's own response; after that the level above is told."""
        return self.number("activation_deadline_min")

    @property
    def order_relay_deadline_min(self) -> int:
        """Minutes from the arrival of the notice of the level above to the signature that passes it on (转发)."""
        return self.number("order_relay_deadline_min")

    @property
    def ack_deadline_min(self) -> int:
        """Minutes from issue to the recipient's 收到."""
        return self.number("ack_deadline_min")

    @property
    def start_deadline_min(self) -> int:
        """Minutes from the duty's start to 已启动."""
        return self.number("start_deadline_min")

    @property
    def in_place_deadline_min(self) -> int:
        """Minutes from the duty's start to 已落实."""
        return self.number("in_place_deadline_min")

    @property
    def measure_effective_min(self) -> int:
        """Minutes from the level's effect by which measures bind, where a measure gives no start of its own."""
        return self.number("measure_effective_min")

    @property
    def upward_report_min(self) -> int:
        """Minutes from an issue, change or release to the report to the level above."""
        return self.number("upward_report_min")

    @property
    def ruling_deadline_min(self) -> int:
        """Minutes for an officer to rule on 无法执行."""
        return self.number("ruling_deadline_min")

    @property
    def sequence_wait_min(self) -> int:
        """Minutes a message waits for the one it amends, before it goes by itself."""
        return self.number("sequence_wait_min")

    @property
    def reminders_per_hour(self) -> int:
        """How many reminders one person gets in an hour before the rest is bundled into one."""
        return self.number("reminders_per_hour")

    @property
    def consultation_within_min(self) -> int:
        """Minutes from the call to a consultation's conclusion, where the caller names no other deadline."""
        return self.number("consultation_within_min")

    @property
    def summary_due_workdays(self) -> int:
        """Working days after the end for each unit's summary."""
        return self.number("summary_due_workdays")

    @property
    def evaluation_due_workdays(self) -> int:
        """Working days after the end for the area's evaluation."""
        return self.number("evaluation_due_workdays")

    @property
    def evaluation_reminder_workdays(self) -> int:
        """Working days before the evaluation is due on which its desk is reminded."""
        return self.number("evaluation_reminder_workdays")

    @property
    def merge_gap_hours(self) -> int:
        """Two episodes closer than this are one, taken strictly."""
        return self.number("merge_gap_hours")

    @property
    def daily_report_time(self) -> time:
        """The local hour at which the day's report (日报) is asked for."""
        return time.fromisoformat(self._text("daily_report_time"))

    @property
    def daily_report_within_min(self) -> int:
        """Minutes from the asking to the chase of those whose daily report is missing."""
        return self.number("daily_report_within_min")

    @property
    def issuer(self) -> str:
        """The body whose name stands under a notice."""
        return self._text("issuer")

    @property
    def number_format(self) -> str:
        """The 文号 with ``{year}`` and ``{serial}`` to be filled."""
        return self._text("number_format")

    @property
    def numbers_advisories(self) -> bool:
        """Whether health advisories, which are no warnings, have a series of 文号 of their own."""
        return "advisory_number_format" in self.texts

    def numbered(self, year: int, serial: int, *, advisory: bool = False) -> str:
        """
        The 文号 of the year's ``serial``-th notice, or of its ``serial``-th health advisory (健康提示) where the plan
        gives those a series of their own.
        """
        form = self._text("advisory_number_format") if advisory else self.number_format
        return form.replace("{year}", str(year)).replace("{serial}", str(serial))

    def approval(self, level: Level) -> Approval:
        """
        Who signs this level; letting go (NONE) is signed like the lowest level.

        :raises UnknownCell: the plan does not say
        """
        wanted = level if level is not Level.NONE else min(self.approvals, default=Level.NONE)
        if wanted not in self.approvals:
            raise UnknownCell(self.id, [f"approval.{wanted.word}"], self.unknown.get(f"approval.{wanted.word}", ""))
        return self.approvals[wanted]

    def rebroadcast_hours(self, level: Level) -> int:
        """Hours between two broadcasts of a running warning."""
        return self._level_number("rebroadcast_hours", level)

    def lead_time_hours(self, level: Level) -> int:
        """Hours ahead of the bad air by which this level should be issued."""
        return self._level_number("lead_time_hours", level)

    def effective_delay_min(self, level: Level) -> int:
        """Minutes from the announcement to the moment the level holds."""
        return self._level_number("effective_delay_min", level)

    def kind_delay_min(self, kind: str) -> int | None:
        """Minutes from the level's effect to the start of this kind of measure; None where the plan names no time."""
        return self.kind_delays.get(kind)

    def reduction_pct(self, level: Level, pollutant: str) -> float:
        """
        The share of the whole area's emission to be cut (%), by pollutant: so2, nox, pm, vocs.

        :raises UnknownCell: the plan does not say
        """
        found = self.reductions.get(level, {})
        if pollutant not in found:
            raise UnknownCell(self.id, [f"reduction_pct.{level.word}.{pollutant}"])
        return found[pollutant]

    def orders(self, day: DayOfAir) -> bool:
        """Whether this day's cause leads to orders rather than to a health notice only."""
        return self.causes.get(day.cause, Response.ORDERS) is Response.ORDERS

    def lets_go(self, day: DayOfAir) -> bool:
        """Whether this day's cause keeps no orders in force, however bad its air (sand-dust, ozone)."""
        return self.causes.get(day.cause, Response.ORDERS) is Response.ADVISORY

    def value(self, day: DayOfAir, metric: Metric) -> float | None:
        """What the trigger reads on this day; the upper bound of what counts where the plan lets a bound decide."""
        if metric is Metric.PM2_5:
            return day.pm2_5
        high = day.counted_high if self.high_decides else None
        return day.aqi if high is None else high

    @property
    def unknown_levels(self) -> tuple[Level, ...]:
        """Levels the plan has but whose trigger nobody has seen."""
        return tuple(level for level in Level if f"levels.{level.word}" in self.unknown)


def doubtful(plan: Plan, *paths: str) -> tuple[str, ...]:
    """Those marks at or below these paths that do not rest on a text: what to confirm before relying on it."""
    return tuple(
        path
        for path, mark in plan.marks.items()
        if mark.basis is not Basis.TEXT and any(path == one or path.startswith(one + ".") for one in paths)
    )
