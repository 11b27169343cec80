"""The evaluation a response owes after its end (总结评估): due in working days, reminded of, ended by its review."""

from __future__ import annotations

from datetime import datetime, time
from typing import Final
from uuid import UUID, uuid5

from emergency.clock import SHANGHAI
from emergency.domain.assessment import end_of
from emergency.domain.episode import Decision, Move, Task
from emergency.domain.messages import Kind, lane_of
from emergency.domain.people import Person, Role
from emergency.services import counting, notices, telling
from emergency.services.rules import Rules
from emergency.services.telling import About
from emergency.store import Tx
from emergency.store import reporting as kept

EVALUATION: Final = "evaluation"
_ENDS: Final = frozenset({Move.RELEASE, Move.WITHDRAW})
_MORNING: Final = time(9)  # when a reminder finds people at their desks
_TOLD: Final = frozenset({Role.DUTY_OFFICER, Role.REVIEWER})


def task_id(ending: UUID) -> UUID:
    """The task that the decision which ended the response opened."""
    return uuid5(ending, EVALUATION)


def follow(tx: Tx, rules: Rules, decision: Decision, *, by: Person, now: datetime) -> None:
    """
    What a signed decision means for the evaluation: an end opens it, with its due day and its reminder, and a response
    that begins again takes it back.
    """
    if decision.move is Move.REOPEN:
        finish(tx, decision.episode_id, by=by, now=now)
    if decision.move in _ENDS:
        _open(tx, rules, decision, now=now)


def _open(tx: Tx, rules: Rules, decision: Decision, *, now: datetime) -> None:
    plan = rules.plan(tx.episode(decision.episode_id).plan_id)
    workdays = plan.numbers.get("evaluation_due_workdays")
    if workdays is None:
        return
    ended = now if decision.move is Move.WITHDRAW else decision.notice.effective_at or now
    day = rules.calendar.due(ended, workdays, zone=SHANGHAI)
    before = plan.numbers.get("evaluation_reminder_workdays")
    remind = None if before is None else datetime.combine(rules.calendar.before(day, before), _MORNING, SHANGHAI)
    doubt = counting.by_weekends_only(rules, ended, day)
    words = f"{decision.notice.area} {decision.notice.number}" + (f"（{doubt}）" if doubt else "")
    task = Task(
        id=task_id(decision.id), episode_id=decision.episode_id, area=decision.area, kind=EVALUATION,
        due_at=end_of(day), words=words, decision_id=decision.id, remind_at=remind,
    )  # fmt: skip
    if not tx.exercise_of(decision.episode_id):
        counting.tell(tx, rules, ended, day, now=now)
    tx.save(task, fact="task.opened", by="system", at=now)


def finish(tx: Tx, episode_id: UUID, *, by: Person, now: datetime) -> None:
    """The evaluation is done, or owed no more."""
    for one in tx.decisions(episode_id):
        if one.move in _ENDS:
            tx.finish_tasks(task_id(one.id), by=by, now=now)


def remind_due(tx: Tx, rules: Rules, *, now: datetime) -> int:
    """
    Remind the desk's duty officers and reviewers of tasks that are coming due; how many tasks.

    One whose own hour has passed meanwhile is left to the alarm.
    """
    some = kept.to_remind(tx, now=now)
    lane = lane_of(Kind.TASK, together=len(some))
    for task in some:
        kept.note_reminded(tx, task.id)
        if task.due_at <= now:
            continue
        people = [one for one in tx.people() if one.area == task.area and one.active and one.role in _TOLD]
        text = notices.task_coming(rules.in_exercise(tx.exercise_of(task.episode_id)), task)
        about = About(Kind.TASK, task.id, task.area, "coming", task.episode_id, task.decision_id, lane=lane)
        telling.put(tx, rules, about, people, text, now=now)
    return len(some)
