"""What the use cases go by: the plans, the book of measures, the wording, the links; the same for every request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import count
from uuid import UUID

from emergency.clock import SHANGHAI, Clock
from emergency.domain import assess as rule
from emergency.domain.advising import Book
from emergency.domain.air import Standard
from emergency.domain.assessment import Assessment
from emergency.domain.causes import Words, with_fine_counted, with_words
from emergency.domain.drawing import measures_for
from emergency.domain.drill import takes_effect
from emergency.domain.episode import Decision, Move
from emergency.domain.exercise import LABEL, numbered
from emergency.domain.exercise import place_of as exercise_place
from emergency.domain.forecast import Air, Bulletin, DayOfAir, Forecast, joined
from emergency.domain.level import Level
from emergency.domain.measured import causes_said, measured_days
from emergency.domain.orders import Measure, Recipient, RecipientKind
from emergency.domain.papers import TakenBack, heed
from emergency.domain.people import Role
from emergency.domain.plan import Plan, RunsOn
from emergency.domain.sources import Sources, beside
from emergency.domain.windows import anchored, hours_joined, with_days
from emergency.domain.workdays import Calendar
from emergency.errors import Misconfigured, Refused
from emergency.plans.wording import Wording
from emergency.services.links import Links
from emergency.store import Tx, feeding

LOOKS_BACK = timedelta(days=14)  # longer than any spell on record; the run itself decides how far it counts


class NoAir(Refused):
    """There is neither a forecast nor a measurement to judge."""

    words_zh = "没有可供研判的空气质量数据"


@dataclass(frozen=True)
class Rules:
    """
    The unchanging ground of every use case.

    ``label`` marks everything of a replay (推演) or exercise (演练); ``places`` names for each area the place its air
    is asked for; ``channels`` are those set up; ``wall`` is the machine's own time, for leases and retries.
    """

    plans: Mapping[str, Plan]
    book: Mapping[str, Sequence[Measure]]
    wording: Wording
    links: Links
    wall: Clock
    channels: tuple[str, ...] = ("sms",)
    label: str = ""
    origin: str = ""
    places: Mapping[str, str] = field(default_factory=dict)
    answers_for: Mapping[UUID, str] = field(default_factory=dict)  # a district's recipient → the area it answers for
    calendar: Calendar = field(default_factory=Calendar)  # working days; without one, every weekday
    standards: Sequence[Standard] = ()  # editions of the index, for what is given by the hour
    advice: Book = field(default_factory=dict)  # what is advised by cause; empty = no advisories
    forecast_by: int | None = None  # the hour by which a day's forecast is to be out; None: nothing is late
    measured_within: int | None = None  # hours within which a measured hour is to be had; None: none is late
    exercise: str = ""  # the exercise these rules are asked in; empty for real air

    def in_exercise(self, exercise: str) -> Rules:
        """The same rules as an exercise asks them: marked 演练, and of the exercise's air; as they are for none."""
        return replace(self, exercise=exercise, label=LABEL) if exercise else self

    @property
    def first_channel(self) -> str:
        """The channel a first notice takes: sms where it is set up, else the first there is."""
        return "sms" if "sms" in self.channels or not self.channels else self.channels[0]

    def reachable(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """Those of a rung's channels that are set up; the first channel when none of them is."""
        return tuple(one for one in wanted if one in self.channels) or (self.first_channel,)

    def plan(self, plan_id: str) -> Plan:
        """
        The plan of this id.

        :raises Misconfigured: no such plan is loaded
        """
        try:
            return self.plans[plan_id]
        except KeyError:
            raise Misconfigured(f"no plan is called {plan_id!r}") from None

    def plan_of(self, tx: Tx, area: str) -> Plan:
        """The plan the area's desk runs under."""
        found = next((one.plan_id for one in map(tx.area, tx.above(area)) if one.plan_id), None)
        if found is None:
            raise Misconfigured(f"no area from {area} upward has a plan")
        return self.plan(found)

    def desk_of(self, tx: Tx, area: str) -> str:
        """The nearest area upward that has a plan of its own and so a duty desk."""
        return next((one for one in tx.above(area) if tx.area(one).plan_id), area)

    def place_of(self, tx: Tx, area: str) -> str:
        """The place whose air the area is judged by: its own, or the nearest above it that has one."""
        if self.exercise:
            return exercise_place(self.exercise)
        return next((self.places[one] for one in tx.above(area) if one in self.places), tx.area(area).name)

    def measures_for(self, recipient: Recipient, decision: Decision) -> tuple[Measure, ...]:
        """What the recipient does because of this decision; an appeal asks for what is voluntary, and for patrols."""
        if decision.move is not Move.APPEAL:
            return measures_for(recipient, decision.level, self.book)
        found = measures_for(recipient, Level.YELLOW, self.book)
        if recipient.kind in (RecipientKind.UNIT, RecipientKind.TOWN):
            return tuple(one for one in found if one.force != "mandatory" or one.action == "patrol")
        return tuple(one for one in found if one.force == "voluntary")

    def answer_minutes(self, decision: Decision) -> int:
        """Minutes a recipient has for its 收到, by the plan the decision rests on."""
        return self.plan(str(decision.assessment["plan_id"])).ack_deadline_min

    def public_actions(self, level: Level) -> tuple[str, ...]:
        """What everybody is asked to do at this level."""
        return tuple(one.text for one in self._for_the_public(level) if one.force != "health")

    def health_advice(self, level: Level) -> str:
        """How to protect oneself at this level."""
        return "".join(one.text for one in self._for_the_public(level) if one.force == "health")

    def _for_the_public(self, level: Level) -> list[Measure]:
        lines = [one for one in self.book.get("public", ()) if one.level <= level]
        replaced = {key for one in lines for key in one.replaces}
        return [one for one in lines if one.key not in replaced]

    def air_now(self, tx: Tx, area: str, *, now: datetime) -> Air | None:
        """
        The observed run joined to the forecast that speaks worst; None when nothing is known from today on.

        Where the plan runs on any 24 hours, worst is the worst of the windows as well as of the days.
        """
        return max(self._airs(tx, area, now=now), key=_worst, default=None)

    def assess_now(self, tx: Tx, area: str, *, now: datetime) -> Assessment:
        """
        What the area's plan says of the air now: each source judged by itself, the highest level told, never a mean.

        :raises NoAir: there is nothing to judge
        """
        plan = self.plan_of(tx, area)
        today = now.astimezone(SHANGHAI).date()
        found = [
            rule.assess(plan, rule.ongoing(plan, air, today=today, now=now)) for air in self._airs(tx, area, now=now)
        ]
        if not found:
            raise NoAir(f"nothing is known of the air of {area} from {today} on")
        return max(found, key=lambda one: one.level)

    def heeded(self, plan: Plan, bulletin: Bulletin, back: TakenBack | None = None) -> Assessment:
        """The bulletin as an assessment; of a withdrawal that takes back one change, with what stands without it."""
        return heed(plan, bulletin, back)

    def sources_now(self, tx: Tx, area: str, *, now: datetime) -> Sources:
        """What each source says of the area's coming days under its plan, and where they do not agree."""
        today = now.astimezone(SHANGHAI).date()
        by_hour = None if self.exercise else self.forecast_by  # an exercise's forecasts are put in by hand
        some = self._by_source(tx, area, now=now)
        return beside(self.plan_of(tx, area), some, today=today, now=now, by_hour=by_hour)

    def airs_ahead(self, tx: Tx, area: str, *, now: datetime) -> list[Air]:
        """
        The air by each source that still speaks of days to come, for the tests that let go: all must be met.

        A source whose newest forecast ends before tomorrow is left out where another goes on; else every air there is.
        """
        tomorrow = now.astimezone(SHANGHAI).date() + timedelta(days=1)
        some = self._by_source(tx, area, now=now)
        ahead = [air for forecast, air in some if any(one.day >= tomorrow for one in forecast.days)]
        return ahead or self._airs(tx, area, now=now)

    def _airs(self, tx: Tx, area: str, *, now: datetime) -> list[Air]:
        """The air by each source; where no forecast speaks any more, what was measured speaks for itself."""
        found = [air for _, air in self._by_source(tx, area, now=now)]
        return found or self._measured_alone(tx, area, now=now)

    def _measured_alone(self, tx: Tx, area: str, *, now: datetime) -> list[Air]:
        plan, place, today = self.plan_of(tx, area), self.place_of(tx, area), now.astimezone(SHANGHAI).date()
        since = today - LOOKS_BACK
        words = feeding.words(tx, place, since=since, now=now)
        issued = self.issued(tx, place, words=words, now=now)
        air = joined(place, self._observed(tx, plan, place, issued, words, today), None, today=today)
        if plan.runs_on is RunsOn.ANY_24_HOURS:
            measured = tx.observed_hours(place, since=since, until=today)
            air = anchored(air, hours_joined(measured, (), now=now), self.standards)
            if not air.anchored:
                return []
        yesterday = today - timedelta(days=1)
        last = [row[-1].day for row in (air.days, *air.anchored) if row]
        return [air] if last and max(last) >= yesterday else []

    def issued(self, tx: Tx, place: str, *, words: Words, now: datetime) -> list[Forecast]:
        """The forecasts of late, oldest first, each with its days, and with the causes that people set for them."""
        some = tx.forecasts(place, since=now - LOOKS_BACK, known_at=now)
        whole = (with_days(one, self.standards) for one in some if one.issued_at <= now)
        return [with_words(with_fine_counted(one, self.standards), words, self.standards) for one in whole]

    def _observed(
        self, tx: Tx, plan: Plan, place: str, issued: Sequence[Forecast], words: Words, today: date
    ) -> list[DayOfAir]:
        some = tx.observed_days(place, since=today - LOOKS_BACK, until=today)
        return measured_days(some, plan, said=causes_said(issued), standards=self.standards, words=words)

    def _by_source(self, tx: Tx, area: str, *, now: datetime) -> list[tuple[Forecast, Air]]:
        place = self.place_of(tx, area)
        today = now.astimezone(SHANGHAI).date()
        since = today - LOOKS_BACK
        plan = self.plan_of(tx, area)
        words = feeding.words(tx, place, since=since, now=now)
        issued = self.issued(tx, place, words=words, now=now)
        observed = self._observed(tx, plan, place, issued, words, today)
        by_the_hour = plan.runs_on is RunsOn.ANY_24_HOURS
        measured = tx.observed_hours(place, since=since, until=today) if by_the_hour else []
        airs = []
        for feed in sorted({one.feed for one in issued}):
            mine = [one for one in issued if one.feed == feed]
            air = joined(place, [*_filled(mine, until=today), *observed], mine[-1], today=today)
            if by_the_hour:
                air = anchored(air, hours_joined(measured, mine, now=now), self.standards)
            here = now.astimezone(SHANGHAI)
            began = ((here - timedelta(hours=anchor)).date() for anchor in range(len(air.anchored)))
            ahead = (row[-1].day >= day for row, day in zip(air.anchored, began, strict=True) if row)
            if any(one.day >= today for one in air.days) or any(ahead):
                airs.append((mine[-1], air))
        return airs

    def effective_at(self, plan: Plan, move: Move, level: Level, *, now: datetime) -> datetime:
        """When the level would hold: after the plan's delay; a release signed today holds from the next 00:00."""
        return takes_effect(plan, move, level, now=now)

    def open_ended(self, plan: Plan) -> bool:
        """Whether the plan announces an end separately (另行通知)."""
        return plan.open_ended

    def expected_end(self, plan: Plan, assessment: Assessment) -> datetime | None:
        """The end that is announced with the level; None where the plan says 另行通知."""
        return None if plan.open_ended else assessment.until

    def spell_until(self, assessment: Assessment) -> datetime | None:
        """Until when the run that decides lasts."""
        return assessment.until

    def next_number(self, tx: Tx, plan: Plan, area: str, *, move: Move, now: datetime) -> str:
        """
        The next 文号 of the area in the civil year; health advisories by themselves where the plan says so.

        One that was signed is not given again, though it was another series' then.
        """
        local = now.astimezone(SHANGHAI)
        begun = datetime(local.year, 1, 1, tzinfo=SHANGHAI)
        apart = plan.numbers_advisories
        advisory = apart and move is Move.ADVISE
        had = tx.decisions_of_year(
            area, since=begun, exercises=bool(self.exercise), advisories=advisory if apart else None
        )
        signed = tx.numbers_signed(area)
        for serial in count(had + 1):
            number = plan.numbered(local.year, serial, advisory=advisory)
            number = numbered(number) if self.exercise else number
            if number not in signed:
                return number
        raise AssertionError("unreachable")

    def desk_contact(self, tx: Tx, area: str) -> str:
        """Whom a reader of the notice calls: the area's duty officer."""
        found = next(
            (one for one in tx.people() if one.area == area and one.role is Role.DUTY_OFFICER and one.active), None
        )
        return f"{found.title or found.name} {found.phone}".strip() if found else ""


def _worst(air: Air) -> int:
    return max(one.aqi for row in (air.days, *air.anchored) for one in row)


def _filled(mine: Sequence[Forecast], *, until: date) -> list[DayOfAir]:
    """For days up to today that nothing has measured: what the same source last said of them."""
    said = {one.day: one.of_air(forecast) for forecast in mine for one in forecast.days if one.day <= until}
    return list(said.values())
