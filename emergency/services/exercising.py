"""An exercise from call to end: the real use cases on its own air, behind a wall that two people open."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from uuid import UUID, uuid5

from emergency.clock import SHANGHAI
from emergency.domain import episode as episodes
from emergency.domain import exercise as exercises
from emergency.domain import signing
from emergency.domain.drill import Evening
from emergency.domain.episode import Decision, Fact, Move, Phase, Standing
from emergency.domain.exercise import EXERCISE, Exercise, NotRunning, Opening, Stage, Step, StillInForce
from emergency.domain.forecast import Bulletin, DayOfAir, Forecast, ForecastDay, Observation
from emergency.domain.level import Level
from emergency.domain.orders import RecipientKind
from emergency.domain.people import Act, Person, ask, within
from emergency.errors import Missing, Refused
from emergency.services import intake
from emergency.services.dispatch import first_contact
from emergency.services.rules import Rules
from emergency.store import Store, Tx, exercising

_NAMESPACE = UUID("8f0f6c0a-5a35-4c0e-9d7e-6a1d6d1f2b90")
FEED = "exercise"
MOST_DAYS = 7  # of a forecast that is typed in


class OneAtATime(Refused):
    """Another exercise covers this area and is not over."""

    words_zh = "本区域已有一次未结束的演练，请先结束它"


class NoMoreForecasts(Refused):
    """Every forecast of the drill was let in."""

    words_zh = "情景中的预报已全部给出"


def call(tx: Tx, *, area: str, name: str, drill: str, drills: Collection[str], by: Person, now: datetime) -> Exercise:
    """
    Call an exercise of the area and what lies below it; another person confirms it before it may begin.

    :raises NotAllowed: the person may not propose here
    :raises OneAtATime: another one covers the area and is not over
    :raises Refused: it has no name, the area has no desk, or there is no such drill
    """
    ask(by, Act.PROPOSE, area)
    if not name.strip():
        raise Refused("an exercise needs a name", zh="请填写演练名称")
    if not tx.area(area).plan_id:
        raise Refused(f"{area} has no desk of its own", zh="本区域没有值班台，不能发起演练")
    if drill and drill not in drills:
        raise Refused(f"there is no drill called {drill}", zh="没有这个情景")
    unended = [one for one in exercising.exercises(tx, area) if one.stage is not Stage.ENDED]
    if unended:
        raise OneAtATime(f"{unended[0].name} is {unended[0].stage.value}")
    fresh = Exercise(
        id=str(uuid5(_NAMESPACE, f"{area}:{by.id}:{now.isoformat()}")), area=area, name=name.strip()[:80], drill=drill,
        called_by=by.id, called_at=now,
    )
    return exercising.save(tx, fresh, fact="exercise.called", by=by.login, at=now)


def confirm(tx: Tx, exercise_id: str, *, by: Person, now: datetime) -> Exercise:
    """
    The second person's word.

    :raises OwnCall, NotAllowed, IllegalMove: see ``exercise.confirm``
    """
    one = exercises.confirm(exercising.exercise(tx, exercise_id, lock=True), by=by, now=now)
    return exercising.save(tx, one, fact="exercise.confirmed", by=by.login, at=now)


def begin(tx: Tx, exercise_id: str, *, by: Person, now: datetime) -> Exercise:
    """
    Begin it; no forecast is let in yet.

    :raises NotAllowed, IllegalMove: see ``exercise.begin``
    """
    one = exercises.begin(exercising.exercise(tx, exercise_id, lock=True), by=by, now=now)
    return exercising.save(tx, one, fact="exercise.begun", by=by.login, at=now)


def end(tx: Tx, exercise_id: str, *, by: Person, now: datetime) -> Exercise:
    """
    End it, and every opening with it: what still waits to leave by a real channel is cancelled.

    An episode that only opened is dismissed; one that holds must be released or withdrawn first, by two, like a real
    one, so that those who were told also learn that it is over.

    :raises StillInForce: a warning of it still holds
    :raises NotAllowed, IllegalMove: see ``exercise.end``
    """
    one = exercises.end(exercising.exercise(tx, exercise_id, lock=True), by=by, now=now)
    for episode in exercising.episodes(tx, exercise_id):
        if episode.phase is Phase.ACTIVE:
            raise StillInForce(f"{episode.number} holds {episode.level.word}")
        if episode.phase is Phase.OPENING:
            _dismiss(tx, episode.id, by=by, now=now)
    stopped = exercising.cancel_outward(tx, exercise_id)
    return exercising.save(tx, one, fact="exercise.ended", by=by.login, at=now, stopped=stopped)


def _dismiss(tx: Tx, episode_id: UUID, *, by: Person, now: datetime) -> None:
    waiting = tx.waiting_decision(episode_id)
    if waiting is not None:
        aside = signing.supersede(waiting, now=now, because="the exercise is over")
        tx.save(aside, fact="decision.superseded", by=by.login, at=now)
        tx.outbox.cancel_for_decision(waiting.id)
    episode = tx.episode(episode_id)
    phase = episodes.EPISODE.after(episode.phase, Move.DISMISS)
    tx.save(replace(episode, phase=phase, closed_at=now), fact="episode.dismiss", by=by.login, at=now)


# --- its air


def let_in(
    tx: Tx, rules: Rules, exercise_id: str, evenings: Sequence[Evening], *, by: Person, now: datetime
) -> list[Decision]:
    """
    Let the drill's next forecast in as if it were out now, with the days measured before it; what the rules suggest.

    The drill's day of issue becomes today, so that an exercise of a week may be held in an afternoon.

    :raises NoMoreForecasts: every one was let in
    :raises NotRunning: the exercise has not begun or is over
    :raises NotAllowed: the person may not propose here
    """
    one = exercising.exercise(tx, exercise_id, lock=True)
    ask(by, Act.PROPOSE, one.area)
    after = exercises.let_in(one)
    if one.evening >= len(evenings):
        raise NoMoreForecasts(f"{one.drill} has {len(evenings)} forecasts")
    evening = evenings[one.evening]
    shift = now.astimezone(SHANGHAI).date() - evening.day
    days = tuple(replace(day, day=day.day + shift) for day in evening.forecast.days)
    known = [replace(day, day=day.day + shift) for day in evening.observed]
    return _weighed(tx, rules, after, days, known, by=by, now=now)


def let_in_typed(
    tx: Tx, rules: Rules, exercise_id: str, aqi: Sequence[int], *, by: Person, now: datetime
) -> list[Decision]:
    """
    Let in a forecast that was typed: the AQI of tomorrow and the days after it; what the rules suggest.

    :raises Refused: no figure, too many, or one that is no index
    :raises NotRunning, NotAllowed: as above
    """
    one = exercising.exercise(tx, exercise_id, lock=True)
    ask(by, Act.PROPOSE, one.area)
    if not 1 <= len(aqi) <= MOST_DAYS or not all(1 <= value <= 500 for value in aqi):
        raise Refused("one to seven whole numbers from 1 to 500", zh="请填写1至7个1到500之间的整数")
    today = now.astimezone(SHANGHAI).date()
    days = tuple(ForecastDay(today + timedelta(days=n), value) for n, value in enumerate(aqi, 1))
    return _weighed(tx, rules, exercises.let_in(one), days, [], by=by, now=now)


def _weighed(
    tx: Tx,
    rules: Rules,
    one: Exercise,
    days: tuple[ForecastDay, ...],
    known: Sequence[DayOfAir],
    *,
    by: Person,
    now: datetime,
) -> list[Decision]:
    # An observation carries no cause, so the forecast says what drove the days before it: only days ahead are judged.
    told = {day.day for day in days}
    drove = tuple(
        ForecastDay(day.day, day.aqi, primary=day.primary, cause=day.cause) for day in known if day.day not in told
    )
    forecast = Forecast(FEED, one.place, now, (*drove, *days), label=f"{exercises.LABEL}预报")
    measured = [
        Observation(
            FEED, one.place, datetime.combine(day.day, time(), SHANGHAI).astimezone(UTC), "day",
            {} if day.pm2_5 is None else {"pm2_5": day.pm2_5}, day.aqi, day.primary,
        )
        for day in known
    ]
    tx.keep_forecast(forecast, now=now)  # told by the exercise's own fact: no desk's journal has «forecast received»
    day_of = {seen.at: day.day for seen, day in zip(measured, known, strict=True)}
    tx.keep_observations(measured, now=now, day_of=day_of)
    said = {day.day.isoformat(): day.aqi for day in days}
    kept = exercising.save(tx, one, fact="exercise.air", by=by.login, at=now, evening=one.evening, days=said)
    return weigh(tx, rules, kept, now=now)


def weigh(tx: Tx, rules: Rules, one: Exercise, *, now: datetime) -> list[Decision]:
    """What the plans of the exercise's desks make of its air; nothing before its first forecast."""
    if one.stage is not Stage.RUNNING or not one.evening:
        return []
    desks = [area.id for area in tx.areas() if area.plan_id and within(area.id, one.area)]
    found = (intake.weigh(tx, rules.in_exercise(one.id), desk, now=now) for desk in desks)
    return [decision for decision in found if decision is not None]


def weigh_all(store: Store, rules: Rules, *, now: datetime) -> list[Decision]:
    """Every running exercise's rules held against its own air; the suggestions that are new."""
    with store.reading() as tx:
        under_way = exercising.running(tx)
    found = [store.run(partial(weigh, rules=rules, one=one, now=now)) for one in under_way]
    return [decision for some in found for decision in some]


def relay(tx: Tx, rules: Rules, exercise_id: str, area: str, *, by: Person, now: datetime) -> Decision | None:
    """
    What the exercise's upper desk signed last, entered at a desk below as the bulletin it would have received.

    :raises Missing: nothing was signed above
    :raises NotRunning: the exercise has not begun or is over
    :raises NotAllowed, Refused: see ``intake.enter_bulletin``
    """
    one = exercising.exercise(tx, exercise_id)
    if one.stage is not Stage.RUNNING:
        raise NotRunning(f"exercise {one.id} is {one.stage.value}")
    signed = last_above(tx, one, area)
    if signed is None:
        raise Missing("no desk above has signed anything in this exercise")
    notice, ends = signed.notice, signed.move in (Move.RELEASE, Move.WITHDRAW)
    told = Bulletin(
        id=str(uuid5(signed.id, f"relay:{area}")),
        area=area,
        number=notice.number,
        issuer=notice.issuer,
        level=Level.NONE if ends else signed.level,
        areas_covered=(signed.area,),
        issued_at=notice.issued_at or signed.proposed_at,
        effective_at=notice.effective_at or now,
        received_at=now,
        expected_end_at=notice.expected_end_at,
        scan_sha256=signed.content_sha,  # no paper: the seal of what was signed stands for its scan
        action=action_of(signed),
        reason=notice.reason,
    )
    return intake.enter_bulletin(tx, rules.in_exercise(one.id), told, by=by, now=now).decision


def action_of(signed: Decision) -> str:
    """What a bulletin calls the decision it announces."""
    return "activate" if signed.move is Move.REOPEN else signed.move.value


def last_above(tx: Tx, one: Exercise, area: str) -> Decision | None:
    """The last decision that a desk above the area signed in this exercise."""
    above = [found for found in exercising.episodes(tx, one.id) if found.area != area and within(area, found.area)]
    signed = [
        decision
        for episode in above
        for decision in tx.decisions(episode.id)
        if decision.standing is Standing.APPROVED and decision.move not in (Move.APPEAL, Move.ADVISE)
    ]
    return max(signed, key=lambda decision: decision.decided_at or decision.proposed_at, default=None)


# --- the wall


def open_addresses(
    tx: Tx, exercise_id: str, some: Iterable[tuple[str, str]], *, by: Person, now: datetime
) -> tuple[Opening, ...]:
    """
    Ask that these addresses (address, whose it is) be reached for real; none is open before another person confirms.

    :raises NotAllowed: the person may not propose here
    :raises NotRunning: the exercise is over
    :raises Refused: no address was named
    """
    one = exercising.exercise(tx, exercise_id, lock=True)
    ask(by, Act.PROPOSE, one.area)
    if one.stage is Stage.ENDED:
        raise NotRunning(f"exercise {one.id} is over")
    known = {opening.address for opening in exercising.openings(tx, exercise_id)}
    wanted = {address.strip(): name.strip()[:80] for address, name in some if address.strip()}
    if not wanted:
        raise Refused("no address was named", zh="请选择要打开的号码")
    fresh = tuple(
        Opening(uuid5(_NAMESPACE, f"{exercise_id}:{address}"), exercise_id, address, name, by.id, now)
        for address, name in wanted.items()
        if address not in known
    )
    exercising.keep_openings(tx, fresh)
    for opening in fresh:
        _note(tx, one, "exercise.opening_asked", opening, by=by, now=now)
    return fresh


def addresses_of(tx: Tx, area: str, kinds: Sequence[RecipientKind] = ()) -> list[tuple[str, str]]:
    """A list, spelt out: the first contact of every recipient in the area (of these kinds), with its name."""
    return [
        (contact.phone, recipient.name)
        for recipient in tx.recipients([area], kinds=kinds)
        if (contact := first_contact(recipient)) is not None
    ]


def confirm_openings(
    tx: Tx, exercise_id: str, ids: Collection[UUID], *, by: Person, now: datetime
) -> tuple[Opening, ...]:
    """
    The second person's word that these addresses may be reached.

    :raises OwnCall, NotRunning, NotAllowed: see ``exercise.confirm_opening``
    :raises Refused: none was chosen
    """
    one = exercising.exercise(tx, exercise_id, lock=True)
    asked = [opening for opening in exercising.openings(tx, exercise_id) if opening.id in ids]
    waiting = [opening for opening in asked if opening.confirmed_at is None]
    if not waiting:
        raise Refused("no opening was chosen", zh="请选择要确认的号码")
    confirmed = tuple(exercises.confirm_opening(opening, one, by=by, now=now) for opening in waiting)
    exercising.keep_openings(tx, confirmed)
    for opening in confirmed:
        _note(tx, one, "exercise.opened", opening, by=by, now=now)
    return confirmed


def shut(tx: Tx, opening_id: UUID, *, by: Person, now: datetime) -> None:
    """
    Take an opening back; what was not sent yet is stopped at the door.

    :raises Missing: no such opening
    :raises NotAllowed: the person may not propose here
    """
    opening = exercising.opening(tx, opening_id)
    one = exercising.exercise(tx, opening.exercise_id, lock=True)
    ask(by, Act.PROPOSE, one.area)
    exercising.shut(tx, opening_id)
    _note(tx, one, "exercise.shut", opening, by=by, now=now)


def _note(tx: Tx, one: Exercise, fact: str, opening: Opening, *, by: Person, now: datetime) -> None:
    more = {"name": opening.name, "ends": opening.address[-4:]}  # a number is not written out in the journal
    tx.note(Fact(fact, one.id, by.login, now, area=one.area, more=more))


def may_end(one: Exercise) -> bool:
    """Whether it may still be ended."""
    return EXERCISE.allows(one.stage, Step.END)
