"""Air and bulletins in: kept once, refused by the record, weighed by the plan's rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID, uuid5

from emergency.clock import SHANGHAI
from emergency.domain.assessment import Assessment, as_data
from emergency.domain.episode import Decision, Episode, Fact, Move, Task
from emergency.domain.forecast import Bulletin, Forecast, Observation
from emergency.domain.level import Level
from emergency.domain.papers import ENDS, TakenBack
from emergency.domain.people import Act, Person, ask, within
from emergency.domain.plan import Authority
from emergency.domain.signing import supersede
from emergency.errors import Refused
from emergency.services import advising, asking, decisions, drafting, nagging, relaying, replacing
from emergency.services.days import make_days
from emergency.services.rules import Rules
from emergency.store import Store, Tx, record
from emergency.store import relaying as relayed

REMEMBERED = timedelta(days=14)  # no forecast looks further, so no assessment is the same after that


@dataclass(frozen=True)
class Entered:
    """
    What came of a notice: the decision put forward on it, the one that lapsed by it, and the notice by which the level
    above had ended or replaced it before it was entered. None for what there was not; without any, the area does
    already as asked.
    """

    decision: Decision | None = None
    lapsed: Decision | None = None
    over_by: Bulletin | None = None


class NotForUs(Refused):
    """The bulletin does not cover the area that would act on it."""

    words_zh = "该预警通知未覆盖本区"


def keep_air(tx: Tx, forecasts: Iterable[Forecast], observations: Sequence[Observation], *, now: datetime) -> int:
    """
    Keep forecasts and observations once; a repeat is harmless. How many were new.

    What a source says anew under the same issue time is a correction: both stay, and the newer is judged.
    """
    new = 0
    for forecast in forecasts:
        revision = tx.keep_forecast(forecast, now=now)
        if revision:
            new += 1
            more = {
                "issued_at": forecast.issued_at,
                "label": forecast.label,
                "raw": forecast.raw_sha256,
                "days": {one.day.isoformat(): one.aqi for one in forecast.days},
            }
            fact = "forecast.received" if revision == 1 else "forecast.corrected"
            more |= {} if revision == 1 else {"revision": revision}
            tx.note(Fact(fact, f"{forecast.feed}:{forecast.place}", forecast.feed, now, more=more))
    days = {one.at: one.at.astimezone(SHANGHAI).date() for one in observations}
    return new + tx.keep_observations(observations, now=now, day_of=days)


def weigh_all(store: Store, rules: Rules, *, now: datetime) -> list[Decision]:
    """
    Ask every area's plan what the air asks for; the suggestions that are new.

    Measured hours are made into days first, so that a feed which gives hours only is heard by every plan.
    """
    store.run(partial(make_days, rules=rules, now=now))
    with store.reading() as tx:
        areas = [one.id for one in tx.areas() if one.plan_id]
    found = [store.run(partial(_weighed, rules=rules, area=area, now=now)) for area in areas]
    return [one for one in found if one is not None]


def _weighed(tx: Tx, *, rules: Rules, area: str, now: datetime) -> Decision | None:
    return weigh(tx, rules, area, now=now)


def weigh(tx: Tx, rules: Rules, area: str, *, now: datetime) -> Decision | None:
    """
    What the plan's rule says of the air, and the suggestion it makes of it; None when there is nothing new to do.

    Where the rule no longer agrees with what waits there, those who are next are told. An opening in which nothing
    waits any more is over.
    """
    found = _asked_for(tx, rules, area, now=now)
    if found is None:
        nagging.tell_overtaken(tx, rules, area, now=now)
        relaying.end_idle(tx, area, exercise=rules.exercise, now=now)
    return found


def _asked_for(tx: Tx, rules: Rules, area: str, *, now: datetime) -> Decision | None:
    """
    The suggestion the rule makes of the air.

    An area that only activates gets no suggestion of a level from its own reading of the air: it is told that it may
    propose to the level above, step up patrols and appeal for voluntary cuts.
    """
    plan = rules.plan_of(tx, area)
    if rules.air_now(tx, area, now=now) is None:
        return None
    asked = asking.of_level(tx, rules, area, now=now)
    assessment, move = asked.assessment, asked.move
    if asked.let_go:
        return None
    if move is None:
        return _may_advise(tx, rules, area, assessment, now=now)
    if plan.authority is Authority.ACTIVATES:
        if rules.exercise:
            return None  # its desk waits for the exercise's own bulletin
        _may_appeal(tx, area, as_data(assessment), assessment.level, now=now)
        return None
    starts = move in (Move.ACTIVATE, Move.REOPEN) and tx.running_episode(area, rules.exercise) is None
    if starts and _was_dismissed(tx, rules, area, assessment, now=now):
        return _may_advise(tx, rules, area, assessment, now=now)
    return decisions.suggest(tx, rules, area=area, move=move, level=asked.level, assessment=assessment, now=now)


def _was_dismissed(tx: Tx, rules: Rules, area: str, assessment: Assessment, *, now: datetime) -> bool:
    """Whether two people decided to start nothing on this very assessment; anything new about the air is another."""
    last = tx.latest_episode(area, rules.exercise)
    since = now - REMEMBERED if last is None else max(now - REMEMBERED, last.opened_at)
    said = as_data(assessment)
    some = record.dismissals(tx, area, since=since, until=now, exercise=rules.exercise)
    return any(one.assessment == said for one in some)


def _may_advise(tx: Tx, rules: Rules, area: str, assessment: Assessment, *, now: datetime) -> Decision | None:
    """The suggestion of a health advisory where the air has new days for one, and the area may speak to the public."""
    if not asking.advises(tx, rules, area, assessment, now=now):
        return None
    episode = tx.running_episode(area, rules.exercise)
    waiting = tx.waiting_decision(episode.id) if episode is not None else None
    if waiting is not None:  # the rule's own, of fewer days or of what it no longer asks for
        tx.save(supersede(waiting, now=now, because="further days"), fact="decision.superseded", by="rule", at=now)
        tx.outbox.cancel_for_decision(waiting.id)
    found = decisions.suggest(
        tx, rules, area=area, move=Move.ADVISE, level=Level.NONE, assessment=assessment, now=now
    )
    if found is not None:
        advising.set_end(tx, found, now=now)
    return found


def _may_appeal(tx: Tx, area: str, said: dict[str, object], level: Level, *, now: datetime) -> None:
    """Tell a district's desk once a day that the air asks for something the city has not announced yet."""
    if level is Level.NONE or tx.running_episode(area) is not None:
        return
    day = now.astimezone(SHANGHAI).date()
    task = Task(
        id=uuid5(UUID(int=0), f"appeal:{area}:{day.isoformat()}"),
        episode_id=None,
        area=area,
        kind="appeal",
        due_at=now + timedelta(hours=12),
        words=str(said["sentence_zh"])[:300],
    )
    if not tx.has_task(task.id):
        tx.save(task, fact="task.opened", by="rule", at=now, more={"level": level.word})


def enter_bulletin(tx: Tx, rules: Rules, bulletin: Bulletin, *, by: Person, now: datetime) -> Entered:
    """
    Keep the level above's announcement and put forward what it asks for, where the area does not do it already.

    The deadlines for passing it on run from ``received_at``. An adjustment of measures is left to be filled in and put
    forward. One that was entered before and that nothing carries is taken up again, as it was kept then. What waits on
    a notice that this one ends or replaces lapses. One that the level above had ended or replaced before it was
    entered is only kept, and so is an end that came before the notice the area goes by. A withdrawal under the number
    of a later change takes back that change alone: what the notice before it set is put forward again.

    :raises NotAllowed: the person may not enter bulletins here
    :raises NotForUs: the area is not among those it covers
    :raises Refused: a field is empty or the times contradict each other
    """
    ask(by, Act.ENTER_BULLETIN, bulletin.area)
    exercise = rules.exercise
    left = relayed.left(tx, [bulletin.area], exercise=exercise, number=bulletin.number, action=bulletin.action)
    _checked(tx, bulletin, again=bool(left), now=now)
    if left:
        bulletin = left[0].bulletin
    else:
        tx.keep_bulletin(bulletin, by=by, now=now, exercise=exercise)
    _note_entered(tx, bulletin, again=bool(left), by=by, now=now)
    over = relayed.over_by(tx, bulletin, exercise=exercise)
    if over is not None:
        _note_over(tx, rules, bulletin, over, by=by, now=now)
        return Entered(over_by=over)
    back = relayed.back_from(tx, bulletin, exercise=exercise)
    if back is not None and _waits_on(tx, back.stands, exercise):
        return Entered()
    lapsed = replacing.let_go(tx, rules, bulletin.area, bulletin, by=by, now=now)
    if back is not None and not _active(tx, bulletin.area, exercise):  # what stands was never signed here
        bulletin, back = back.stands, None
    decision = _put_forward(tx, rules, bulletin, back, by=by, now=now)
    if decision is None:
        relaying.end_idle(tx, bulletin.area, exercise=exercise, now=now)
    return Entered(decision=decision, lapsed=lapsed)


def _note_entered(tx: Tx, bulletin: Bulletin, *, again: bool, by: Person, now: datetime) -> None:
    more = {
        "number": bulletin.number,
        "issuer": bulletin.issuer,
        "action": bulletin.action,
        "level": bulletin.level,
        "effective_at": bulletin.effective_at,
        "received_at": bulletin.received_at,
        "scan": bulletin.scan_sha256,
    }
    fact = "bulletin.taken_up_again" if again else "bulletin.entered"
    tx.note(Fact(fact, bulletin.id, by.login, now, area=bulletin.area, more=more))


def _note_over(tx: Tx, rules: Rules, bulletin: Bulletin, later: Bulletin, *, by: Person, now: datetime) -> None:
    """Name the notice as over before it was entered, in the journal of what runs there, where anything does."""
    running = tx.running_episode(bulletin.area, rules.exercise)
    more = {
        "number": bulletin.number,
        "because": f"{later.issuer}《{later.number}》",
        "action": later.action,
        "ending": later.id,
    }
    episode_id = running.id if running is not None else None
    fact = "bulletin.ended_before" if later.action in ENDS else "bulletin.replaced_before"
    tx.note(Fact(fact, bulletin.id, by.login, now, episode_id, bulletin.area, more=more))


def _active(tx: Tx, area: str, exercise: str) -> bool:
    episode = tx.running_episode(area, exercise)
    return episode is not None and episode.level > Level.NONE


def _waits_on(tx: Tx, notice: Bulletin, exercise: str) -> bool:
    """Whether the area's waiting proposal rests on this notice."""
    episode = tx.running_episode(notice.area, exercise)
    waiting = tx.waiting_decision(episode.id) if episode is not None else None
    return waiting is not None and waiting.bulletin_id == UUID(notice.id)


def _put_forward(
    tx: Tx, rules: Rules, bulletin: Bulletin, back: TakenBack | None, *, by: Person, now: datetime
) -> Decision | None:
    """
    What the notice asks of the area, put forward and owed to be passed on; None when the area does it already.

    What is taken ``back`` ends at once, so that a change which has not taken effect never does.
    """
    move = _asked_by(tx, bulletin, rules.exercise) if back is None else _back_to(tx, back, rules.exercise)
    if move is None:
        relaying.passed_on(tx, rules, bulletin, by=by, now=now)
        return None
    plan = rules.plan_of(tx, bulletin.area)
    starting = move is Move.ACTIVATE and tx.running_episode(bulletin.area, rules.exercise) is None
    since = max(bulletin.effective_at, now)  # as proposing counts it: a paper that comes in late is no earlier spell
    if starting and drafting.again(tx, plan, bulletin.area, starts_at=since, exercise=rules.exercise)[1]:
        move = Move.REOPEN
    ends = move in (Move.RELEASE, Move.WITHDRAW)
    heeded = rules.heeded(plan, bulletin, back)
    asked = bulletin if back is None else back.stands
    decision = decisions.propose(
        tx,
        rules,
        area=bulletin.area,
        move=move,
        level=Level.NONE if ends else _level_of(tx, asked, move, rules.exercise),
        by=by,
        now=now,
        reason=bulletin.reason if back is None else f"{heeded.sentence_zh}{bulletin.reason}",
        effective_at=bulletin.effective_at if back is None else max(now, asked.effective_at),
        expected_end_at=asked.expected_end_at,
        open_ended=not ends and asked.expected_end_at is None,
        bulletin_id=UUID(bulletin.id),
        assessment=heeded,
        to_fill_in=move is Move.AMEND,  # the paper changes measures; which ones here, an officer has to say
    )
    relaying.owe(tx, rules, bulletin.area, bulletin, now=now, episode_id=decision.episode_id, decision_id=decision.id)
    return decision


def _level_of(tx: Tx, bulletin: Bulletin, move: Move, exercise: str) -> Level:
    """The level the bulletin means: one that extends or amends and names none leaves the level that holds."""
    episode = tx.running_episode(bulletin.area, exercise)
    stays = move in (Move.EXTEND, Move.AMEND) and episode is not None and bulletin.level is Level.NONE
    return episode.level if stays and episode is not None else bulletin.level


def _checked(tx: Tx, bulletin: Bulletin, *, again: bool, now: datetime) -> None:
    blank = [name for name in ("number", "issuer", "scan_sha256") if not str(getattr(bulletin, name)).strip()]
    if blank:
        raise Refused(f"the bulletin lacks {', '.join(blank)}", zh="通知缺少必填内容（文号、发布单位、扫描件）")
    if not any(within(bulletin.area, one) for one in bulletin.areas_covered):
        raise NotForUs(f"{bulletin.number} covers {', '.join(bulletin.areas_covered)}")
    if bulletin.received_at > now + timedelta(minutes=5) or bulletin.issued_at > bulletin.received_at:
        raise Refused("issued, received and now are out of order", zh="发布时间、接收时间先后有误，请核对")
    if bulletin.expected_end_at is not None and bulletin.expected_end_at <= bulletin.effective_at:
        raise Refused("the bulletin ends before it takes effect", zh="结束时间早于生效时间，请核对")
    if bulletin.action in ("activate", "upgrade", "downgrade") and bulletin.level is Level.NONE:
        raise Refused("the bulletin names no level", zh="通知未写明预警级别")
    if not again and tx.bulletin_known(bulletin.area, bulletin.number, bulletin.action):
        raise Refused(f"{bulletin.number} was entered before", zh="该文号的通知已录入")


def _asked_by(tx: Tx, bulletin: Bulletin, exercise: str) -> Move | None:
    """The move the bulletin asks of this area as it stands; people announce 启动 for what is an upgrade here."""
    episode = tx.running_episode(bulletin.area, exercise)
    active = episode is not None and episode.level > Level.NONE
    match bulletin.action:
        case "release" | "withdraw":
            return Move(bulletin.action) if active else None
        case "extend" | "amend" if episode is not None and bulletin.level in (Level.NONE, episode.level):
            return Move(bulletin.action) if active else Move.ACTIVATE
        case _:
            return Move.ACTIVATE if not active or episode is None else _to(episode, bulletin)


def _to(episode: Episode, notice: Bulletin) -> Move | None:
    """From what is in force to what the notice sets: its level, or at the same level its end; None where both hold."""
    if notice.level is not episode.level:
        return Move.UPGRADE if notice.level > episode.level else Move.DOWNGRADE
    return None if notice.expected_end_at == episode.expected_end_at else Move.EXTEND


def _back_to(tx: Tx, back: TakenBack, exercise: str) -> Move | None:
    """The move back to what stands; measures that were adjusted on the change are an officer's to set again."""
    episode = tx.running_episode(back.stands.area, exercise)
    move = None if episode is None else _to(episode, back.stands)
    return Move.AMEND if move is None and back.change.action == "amend" else move
