"""A plan file as the law of its shape: every key, every type, and for every number on what it rests."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from emergency.domain.forecast import Cause
from emergency.domain.plan import Authority, Basis, Metric, Origin, Response, RunsOn, Undecided
from emergency.plans.reading import DIALECT, Sheet


def _on_the_calendar(said: str) -> str:
    year, month, day = (*map(int, said.split("-")), 1, 1)[:3]
    date(year, month, day)  # a ValueError names what is wrong with it
    return said


V = TypeVar("V")
LevelWord = Literal["blue", "yellow", "orange", "red"]
PlanId = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
Minutes = Annotated[int, Field(ge=0, le=60 * 24 * 14)]
Hours = Annotated[int, Field(ge=0, le=24 * 31)]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Moment = Annotated[
    str,
    Field(pattern=r"^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$"),
    AfterValidator(_on_the_calendar),
]
Hour = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
_NUMBERED = r"^[^{}]*(\{year\}[^{}]*\{serial\}|\{serial\}[^{}]*\{year\})[^{}]*$"
_PLACEHOLDER = re.compile(r"\{[^}]*\}?|\}")


def _one_of(*choices: dict[str, Any]) -> ConfigDict:
    """The published schema asks for exactly one of these, as the model's own check does."""
    return ConfigDict(json_schema_extra={"oneOf": list(choices)})


def _given(*names: str, **more: dict[str, Any]) -> dict[str, Any]:
    """These keys are there, and say something."""
    said = {name: {"not": {"type": "null"}, **more.get(name, {})} for name in names}
    return {"required": list(names), "properties": said}


class Said(Sheet):
    """Anything that states a number: ``basis`` says how well it is known, ``source`` names a key of ``sources``."""

    basis: Basis
    source: Text
    note: str = ""


class Cell(Sheet, Generic[V]):
    """One value with its basis and source, or ``unknown: true``."""

    model_config = _one_of(
        _given("value", "basis", "source", source={"minLength": 1}),
        {**_given("unknown"), "not": {"anyOf": [_given("value"), _given("basis")]}},
    )

    value: V | None = None
    basis: Basis | None = None
    source: str = ""
    unknown: Literal[True] | None = None
    note: str = ""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.unknown:
            if self.value is not None or self.basis is not None:
                raise ValueError("unknown: true goes without value and basis")
        elif self.value is None:
            raise ValueError("needs a value, or unknown: true")
        elif self.basis is None or not self.source:
            raise ValueError("a value needs its basis (text, recalled, assumed) and its source")
        return self


class SpellSheet(Sheet):
    """So many hours in a row: ``over`` is strict >, ``at_least`` is >=, ``range`` a grade as old schemes print it."""

    model_config = _one_of(_given("over"), _given("at_least"), _given("range"))

    metric: Metric = Metric.AQI
    over: Annotated[float, Field(ge=0, le=10_000)] | None = None
    at_least: Annotated[float, Field(ge=0, le=10_000)] | None = None
    range: Annotated[tuple[float, float], Field()] | None = None
    for_hours: Annotated[int, Field(ge=1, le=24 * 31)] = 24
    origin: Origin = Origin.AIR

    @model_validator(mode="after")
    def _one_mark(self) -> Self:
        if sum(mark is not None for mark in (self.over, self.at_least, self.range)) != 1:
            raise ValueError("needs exactly one of over, at_least, range")
        if self.range is not None and self.range[0] > self.range[1]:
            raise ValueError("range runs from the lower to the higher number")
        return self


class ClauseSheet(Said):
    """All of these spells, each inside the run of a longer one; ``text`` says it in words."""

    all_of: Annotated[tuple[SpellSheet, ...], Field(min_length=1, max_length=4)]
    text: str = ""
    people_judge: str = ""


class LevelSheet(Sheet):
    """Any of these clauses, or ``unknown: true`` where nobody has seen the trigger."""

    model_config = _one_of(_given("any_of", any_of={"minItems": 1}), _given("unknown"))

    any_of: Annotated[tuple[ClauseSheet, ...], Field(max_length=20)] = ()
    unknown: Literal[True] | None = None
    note: str = ""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.any_of) == bool(self.unknown):
            raise ValueError("needs any_of with at least one clause, or unknown: true")
        return self


class PreLevelSheet(ClauseSheet):
    """A stage below the lowest warning."""

    name: Text
    name_en: Text


class CauseSheet(Said):
    """What this cause of bad air leads to."""

    gets: Response


class InForceSheet(Said):
    """When the plan was in force, as exactly as it is known: 2013, 2013-10 or 2013-10-21."""

    since: Moment
    until: Moment | None = None


class ReleaseSheet(Sheet):
    """The release test: not over this AQI, to stay so strictly more than these hours; by days, these whole days."""

    aqi_not_over: Cell[Annotated[float, Field(ge=0, le=500)]]
    hours_over: Cell[Hours]
    whole_days: Cell[Annotated[int, Field(ge=1, le=14)]]


class DowngradeSheet(Sheet):
    """Going down: how long the air must stay under the level's own mark, and whether a level may be skipped."""

    hours_over: Cell[Hours]
    may_skip_levels: Cell[bool]


class ExtensionSheet(Sheet):
    """
    Moving an announced end: whether at all, how many hours at once at most, and the lowest rank that signs it.

    A plan kept before these were told apart says only whether: ``{value: true, …}`` is read as ``allowed``.
    """

    allowed: Cell[bool]
    longest_hours: Cell[Annotated[int, Field(ge=1, le=24 * 31)]] | None = None
    rank: Cell[Annotated[int, Field(ge=1, le=3)]] | None = None

    @model_validator(mode="before")
    @classmethod
    def _as_it_was_kept(cls, said: Any) -> Any:
        return {"allowed": said} if isinstance(said, dict) and {"value", "unknown"} & said.keys() else said


class DeputySheet(Said):
    """Who may sign when the approver stays silent for ``after_minutes``."""

    title: Text
    rank: Annotated[int, Field(ge=1, le=3)]
    after_minutes: Minutes


class ApprovalSheet(Said):
    """Rank 1 office director, 2 deputy commander, 3 commander."""

    rank: Annotated[int, Field(ge=1, le=3)]
    title: Text
    within_minutes: Annotated[int, Field(ge=1, le=60 * 24)]
    deputies: tuple[DeputySheet, ...] = ()


class UndecidedSheet(Sheet):
    """While nobody decides: minutes from one reminder to the next, and whether deputies hear of it when time is up."""

    every_min: Cell[Annotated[int, Field(ge=5, le=60 * 24)]]
    deputies: Cell[bool]

    def rule(self) -> Undecided | None:
        """As the rules ask it; None where a cell is unknown."""
        every, deputies = self.every_min.value, self.deputies.value
        return None if every is None or deputies is None else Undecided(every, deputies)


class RungSheet(Said):
    """
    One step of the ladder, of the deadline it is ``for``: counted from sending, or from the deadline of a duty.

    ``by`` names channels, among them ``portal`` (a notice to the recipient's own account) and ``voice`` (read out);
    ``call_list`` puts the order on the desk's list of people to telephone.
    """

    step: Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]
    deadline: Annotated[Literal["acknowledge", "start", "in_place"], Field(alias="for")] = "acknowledge"
    after_minutes: Annotated[int, Field(ge=1, le=60 * 24 * 3)]
    notify: Literal["recipient", "second_contact", "tracker", "town", "district_duty", "call_list"]
    by: Annotated[tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], ...], Field(min_length=1)]


class DeadlinesSheet(Sheet):
    """Minutes each step may take; what the plan does not say is left out or ``unknown: true``."""

    activation_deadline_min: Cell[Minutes] | None = None
    order_relay_deadline_min: Cell[Minutes] | None = None
    ack_deadline_min: Cell[Minutes] | None = None
    start_deadline_min: Cell[Minutes] | None = None
    in_place_deadline_min: Cell[Minutes] | None = None
    measure_effective_min: Cell[Minutes] | None = None
    upward_report_min: Cell[Minutes] | None = None
    ruling_deadline_min: Cell[Minutes] | None = None
    consultation_within_min: Cell[Minutes] | None = None
    sequence_wait_min: Cell[Minutes] | None = None


class DelaysSheet(Sheet):
    """Minutes from announcement to the level's effect, and from there to the start of a kind of measure."""

    by_level: dict[LevelWord, Cell[Minutes]] = Field(default_factory=dict)
    by_kind: dict[str, Cell[Minutes]] = Field(default_factory=dict)


class ReductionSheet(Said):
    """The share of the area's whole emission to be cut, in percent."""

    so2: Annotated[float, Field(ge=0, le=100)]
    nox: Annotated[float, Field(ge=0, le=100)]
    pm: Annotated[float, Field(ge=0, le=100)]
    vocs: Annotated[float, Field(ge=0, le=100)]


class LegalSheet(Said):
    """One law or document a notice may cite."""

    text: Text


class PlanSheet(Sheet):
    """One plan of playbooks/plans, whole: what it extends has been filled in."""

    model_config = ConfigDict(title="Emergency plan (重污染天气应急预案)")

    id: PlanId
    name: Text
    name_en: Text
    extends: PlanId | None = None
    authority: Authority
    sources: dict[str, Text]
    in_force: InForceSheet | None = None
    runs_on: RunsOn = RunsOn.CALENDAR_DAYS
    high_decides: Cell[bool] | None = None
    levels: Annotated[dict[LevelWord, LevelSheet], Field(min_length=1)]
    pre_level: PreLevelSheet | None = None
    causes: dict[Cause, CauseSheet] = Field(default_factory=dict)
    release: ReleaseSheet | None = None
    downgrade: DowngradeSheet | None = None
    extension: ExtensionSheet | None = None
    open_ended: Cell[bool] | None = None
    merge_gap_hours: Cell[Hours] | None = None
    lead_time_hours: dict[LevelWord, Cell[Hours]] = Field(default_factory=dict)
    effective_delay_min: DelaysSheet = DelaysSheet()
    approval: dict[LevelWord, ApprovalSheet] = Field(default_factory=dict)
    deadlines: DeadlinesSheet = DeadlinesSheet()
    undecided: UndecidedSheet | None = None
    ladder: tuple[RungSheet, ...] = ()
    reminders_per_hour: Cell[Annotated[int, Field(ge=1, le=60)]] | None = None
    rebroadcast_hours: dict[LevelWord, Cell[Annotated[int, Field(ge=1, le=72)]]] = Field(default_factory=dict)
    daily_report_time: Cell[Hour] | None = None
    daily_report_within_min: Cell[Minutes] | None = None
    summary_due_workdays: Cell[Annotated[int, Field(ge=1, le=60)]] | None = None
    evaluation_due_workdays: Cell[Annotated[int, Field(ge=1, le=60)]] | None = None
    evaluation_reminder_workdays: Cell[Annotated[int, Field(ge=1, le=60)]] | None = None
    reduction_pct: dict[LevelWord, ReductionSheet] = Field(default_factory=dict)
    reduction_substitution: Cell[bool] | None = None
    issuer: Cell[Text] | None = None
    legal_basis: tuple[LegalSheet, ...] = ()
    number_format: Cell[Annotated[Text, Field(json_schema_extra={"pattern": _NUMBERED})]] | None = None
    advisory_number_format: Cell[Annotated[Text, Field(json_schema_extra={"pattern": _NUMBERED})]] | None = None

    @model_validator(mode="after")
    def _placeholders_are_known(self) -> Self:
        for name in ("number_format", "advisory_number_format"):
            cell = getattr(self, name)
            form = cell.value if cell else None
            if form is not None and sorted(_PLACEHOLDER.findall(form)) != ["{serial}", "{year}"]:
                raise ValueError(f"{name} needs {{year}} and {{serial}}, once each and nothing else in braces")
        return self


def schema() -> dict[str, Any]:
    """
    The JSON Schema of a plan's file, as published in playbooks/schema/plan.schema.json.

    A file that ``extends`` another says only what it says otherwise: a group whose single values are laid over one by
    one may be there in part, and so may the file. What hangs on two places at once (an order of steps, a source that
    must be named) no schema says; ``plans check`` does.
    """
    made = PlanSheet.model_json_schema(mode="validation")
    whole = {"required": made.pop("required"), "properties": {}}
    for name, field in made["properties"].items():
        for ref in [one["$ref"].rsplit("/", 1)[1] for one in (field, *field.get("anyOf", ())) if "$ref" in one]:
            group = made["$defs"][ref]
            if "required" in group and "basis" not in group["properties"]:
                whole["properties"][name] = {"required": group.pop("required")}
    named = {"required": ["extends"], "properties": {"extends": {"type": "string"}}}
    return {"$schema": DIALECT, **made, "required": ["id"], "if": named, "else": whole}
