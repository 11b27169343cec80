"""Are the feeds talking, is the post moving, are the desks doing their tasks? Silence is an alarm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from emergency import log as logs
from emergency.domain.assessment import SHANGHAI
from emergency.domain.messages import Kind, lane_of
from emergency.domain.sources import is_behind, is_late
from emergency.services import consulting, counting, reaching, telling, wording
from emergency.services.chasing import Around
from emergency.services.polling import Feed
from emergency.services.rules import Rules
from emergency.services.telling import About
from emergency.store import Store, Tx, judging, sequence
from emergency.store.outbox import UNASKED

log = logs.of(__name__)
POST_STUCK_AFTER = timedelta(seconds=90)
DOUBT = timedelta(minutes=30)  # longer than any wait between two tries
FEED_SILENT_AFTER = 3  # of its own periods
LATE_AFTER: Mapping[str, timedelta] = {  # how long each of these may say nothing; a sweep runs every few seconds
    "sweep": timedelta(seconds=60),
    "watch": timedelta(minutes=4),
    "audit": timedelta(minutes=4),
}

Beats = Mapping[str, tuple[datetime, str]]


def late(beats: Beats, *, wall: datetime) -> list[tuple[str, datetime | None]]:
    """Who of those that beat wakes has said nothing for too long, and its last word; a stopped beat silences all."""
    found = [(name, beats[name][0] if name in beats else None) for name in LATE_AFTER]
    return [(name, last) for name, last in found if last is None or wall - last > LATE_AFTER[name]]


def alive(store: Store, name: str, *, wall: datetime) -> None:
    """Write down that a sweep has gone through; one that fails every time says nothing."""
    store.run(lambda tx: tx.beat(name, at=wall))


def look(
    store: Store, rules: Rules, *, now: datetime, wall: datetime, feeds: Iterable[Feed] | None = None
) -> list[str]:
    """
    Look once; the alarms that are new. ``feeds``: those that are set up, so that one nobody ever asked is missed too;
    None: only those that were asked are known.
    """
    with store.transactions() as tx:
        found = [*_auditor(tx, now=now, wall=wall)]
        tx.beat("watch", at=wall)
        found += [*_feeds(tx, feeds, now=now, wall=wall), *_late(tx, rules, feeds, now=now)]
        found += [*_post(tx, now=now, wall=wall), *_tasks(tx, rules, now=now)]
        found += consulting.nag_overdue(tx, rules, now=now)
        reaching.end_resolved(tx, rules, now=now)
        counting.end_known(tx, rules, now=now)
        _tell(tx, rules, now=now)
        return found


def sweep(store: Store, *, wall: datetime, doubt: timedelta = DOUBT) -> int:
    """
    Give back to the post what a dead worker held, let go what waited for another long enough, and leave to a person
    what is in doubt for longer than ``doubt`` with nobody to ask; how many messages went back.
    """
    with store.transactions() as tx:
        tx.beat("sweep", at=wall)
        found = tx.outbox.reclaim(now=wall)
        freed, overdue = sequence.let_go(tx.connection, now=wall)
        given_up = tx.outbox.give_up_doubted(before=wall - doubt)
    for one in given_up:
        log.warning("message.failed", extra={"message_id": str(one), "because": UNASKED})
    for one in overdue:
        log.warning("message.went_past_its_predecessor", extra={"message_id": str(one)})
    return found + freed


def _auditor(tx: Tx, *, now: datetime, wall: datetime) -> list[str]:
    """
    Whoever finds what is missing must not be missing itself; it looks at us in turn.

    After a standstill of everything each has been away, and neither is blamed before it has had its minute.
    """
    beats = tx.heartbeats()
    last = beats.get("audit")
    if last is None:
        tx.beat("audit", at=wall, detail="awaited")  # from now on its silence counts
        return []
    name = "quiet:audit"
    if wall - last[0] <= LATE_AFTER["audit"]:
        tx.clear_alarm(name, now=now)
        return []
    if "watch" not in beats or wall - beats["watch"][0] > LATE_AFTER["watch"]:
        return []
    words = f"后台核查自 {last[0]:%H:%M:%S} (UTC) 起无响应"
    return [name] if tx.raise_alarm(name, area="", detail=words, now=now) else []


def _feeds(tx: Tx, feeds: Iterable[Feed] | None, *, now: datetime, wall: datetime) -> list[str]:
    found = []
    asked = {row.name: row for row in tx.feed_states()}
    every = {one.name: one.every_s for one in (asked.values() if feeds is None else feeds)}
    beats = tx.heartbeats()
    for name in sorted({*asked, *every}):
        row, alarm = asked.get(name), f"silent:{name}"
        if name not in every:  # taken out of the settings: nobody asks it any more
            tx.clear_alarm(alarm, now=now)
            continue
        if row is None and f"feed:{name}" not in beats:
            tx.beat(f"feed:{name}", at=wall, detail="awaited")  # it has its periods from when we first missed it
            continue
        last = beats[f"feed:{name}"][0] if row is None else row.talked_at or row.tried_at
        if last is not None and wall - last > timedelta(seconds=every[name] * FEED_SILENT_AFTER):
            words = f"数据源 {name} 自 {last:%m-%d %H:%M} (UTC) 起{'从未被查询' if row is None else '无应答'}"
            if tx.raise_alarm(alarm, area="", detail=words, now=now):
                found.append(alarm)
        else:
            tx.clear_alarm(alarm, now=now)
    return found


def _late(tx: Tx, rules: Rules, feeds: Iterable[Feed] | None, *, now: datetime) -> list[str]:
    """A source that answers with yesterday's figures, or «unchanged», is as silent as one that does not answer."""
    found = []
    asked = {row.name: row for row in tx.feed_states()}
    kinds = {one.name: one.kind for one in (asked.values() if feeds is None else feeds)}
    judged = {rules.place_of(tx, one.id) for one in tx.areas() if one.plan_id}
    issued, measured = judging.newest_issues(tx, now=now), judging.newest_measured(tx, judged, now=now)
    for name in sorted({*asked, *kinds}):
        row, alarm = asked.get(name), f"late:{name}"
        empty = row is not None and row.talked_at is not None and row.news_at is None  # answers, and never said a thing
        words = None  # one that never answered is silent, and no alarm of these
        if kinds.get(name) == "forecast":
            words = _no_forecast(rules, issued.get(name), empty=empty, now=now)
        elif kinds.get(name) == "observation":
            words = _no_measurement(rules, measured.get(name), empty=empty, now=now)
        if words is None:
            tx.clear_alarm(alarm, now=now)
        elif tx.raise_alarm(alarm, area="", detail=f"数据源 {name} {words}", now=now):
            found.append(alarm)
    return found


def _no_forecast(rules: Rules, last: datetime | None, *, empty: bool, now: datetime) -> str | None:
    if rules.forecast_by is None or (last is None and not empty):
        return None
    if last is not None and not is_late(last, by_hour=rules.forecast_by, now=now):
        return None
    since = f"最近一次发布于 {last.astimezone(SHANGHAI):%m-%d %H:%M}" if last else "从未给出预报"
    return f"应每日 {rules.forecast_by} 时前给出新预报，{since}"


def _no_measurement(rules: Rules, last: tuple[datetime, str] | None, *, empty: bool, now: datetime) -> str | None:
    if rules.measured_within is None or (last is None and not empty):
        return None
    if last is not None and not is_behind(last[0], period=last[1], within_hours=rules.measured_within, now=now):
        return None
    since = f"最新数据截至 {last[0].astimezone(SHANGHAI):%m-%d %H:%M}" if last else "从未给出数据"
    return f"应在 {rules.measured_within} 小时内给出新的实况，{since}"


def _post(tx: Tx, *, now: datetime, wall: datetime) -> list[str]:
    oldest = tx.outbox.oldest_ready()
    if oldest is not None and wall - oldest > POST_STUCK_AFTER:
        words = f"最早一条通知自 {oldest:%m-%d %H:%M} (UTC) 起待发"
        return ["post"] if tx.raise_alarm("post", area="", detail=words, now=now) else []
    tx.clear_alarm("post", now=now)
    return []


def _tasks(tx: Tx, rules: Rules, *, now: datetime) -> list[str]:
    found = []
    around = Around(tx, rules)
    due = tx.tasks_due(now=now)
    lane = lane_of(Kind.TASK, together=len(due))
    for task in due:
        name = f"task:{task.id}"
        words = f"{task.kind}: {task.words}"[:300]
        real = not tx.exercise_of(task.episode_id)  # a desk has no alarm from an exercise
        if real and tx.raise_alarm(name, area=task.area, detail=words, now=now):
            found.append(name)
        about = About(Kind.TASK, task.id, task.area, "overdue", task.episode_id, task.decision_id, lane=lane)
        telling.put(tx, rules, about, around.duty_officers(task.area), wording.task_overdue(rules, task), now=now)
        tx.mark_alarmed(task.id, now=now)
    return found


TOLD_ELSEWHERE = ("task:", "undecided:", "consultation:")  # these have a notice of their own


def _tell(tx: Tx, rules: Rules, *, now: datetime) -> None:
    """Tell each desk once of every alarm that stands: an alarm on a page that nobody has open is none."""
    around = Around(tx, rules)
    desks = [one.id for one in tx.areas() if one.plan_id]
    for alarm in tx.standing_alarms():
        if alarm.name.startswith(TOLD_ELSEWHERE):
            continue
        about = uuid5(NAMESPACE_URL, f"alarm:{alarm.name}:{alarm.since.isoformat()}")
        text = wording.alarm(rules, what=alarm.detail or alarm.name, since=alarm.since)
        for desk in [around.desk(alarm.area)] if alarm.area else desks:
            telling.put(tx, rules, About(Kind.ALARM, about, desk), around.duty_officers(desk), text, now=now)
