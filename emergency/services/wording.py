"""Fills the notices when a message is put and never later: what was sent is evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from emergency.domain.consultation import Consultation
from emergency.domain.deputising import Turn
from emergency.domain.episode import Decision, Move, Notice, Standing, Task
from emergency.domain.ladder import Rung
from emergency.domain.level import Level
from emergency.domain.messages import Kind
from emergency.domain.orders import Contact, DrawnUp, Duty, Order, Recipient
from emergency.domain.overtaken import How, Overtaken
from emergency.domain.people import Person
from emergency.services.rules import Rules

LANG = "zh"  # every recipient of the first home reads Chinese; a notice exists in both languages


Spelt = dict[int, Mapping[str, str]]  # by the duties as an object: what a first notice says to all that share them


def of_order(
    rules: Rules, kind: Kind, one: DrawnUp, decision: Decision, *, now: datetime, spelt: Spelt | None = None
) -> str:
    """
    The notice that tells one recipient what this decision changes for it.

    ``spelt`` is kept by who asks for many of one decision, as long as their orders.
    """
    notice, order, words = decision.notice, one.order, rules.wording
    if kind is Kind.ORDER and decision.move not in (Move.ADVISE, Move.APPEAL):
        return _first(rules, one, decision, now=now, spelt={} if spelt is None else spelt)
    told = {"banner": _banner(rules), "order_number": order.number, "contact": to_call(notice.contact)}
    number, effective = {"number": notice.number}, {"effective_at": words.instant(one.revision.effective_at, LANG)}
    until = {"until": words.until(notice.expected_end_at, LANG)}
    levels = {"level_before": words.level(decision.level_before, LANG), "level": words.level(decision.level, LANG)}
    answer_by = {"answer_by": words.instant(now + timedelta(minutes=rules.answer_minutes(decision)), LANG)}
    match kind:
        case Kind.ORDER | Kind.REVISION | Kind.INFORMATION if decision.move is Move.ADVISE:
            added = [duty for duty in order.duties if duty.key in one.revision.added]
            return words.fill(
                "advisory",
                LANG,
                **told,
                **number,
                **until,
                issuer=notice.issuer,
                area=notice.area,
                recipient=one.recipient.name,
                measures=_measures(rules, added or order.duties, 70),
            )
        case Kind.ORDER if decision.move is Move.APPEAL:
            return words.fill(
                "appeal",
                LANG,
                **told,
                **number,
                issuer=notice.issuer,
                area=notice.area,
                recipient=one.recipient.name,
                measures=_measures(rules, order.duties, 70),
            )
        case Kind.REVISION:
            before = {duty.key: duty for duty in (*one.stood, *(one.before.duties if one.before else ()))}
            at = one.revision.effective_at
            added = [
                _as_changed(rules, duty, before.get(duty.key), effective_at=at)
                for duty in order.duties
                if duty.key in one.revision.added
            ]
            same = decision.level is decision.level_before
            return words.fill(
                "adjustment" if same else "revision",
                LANG,
                **told,
                **number,
                **effective,
                **until,
                **answer_by,
                **({"level": levels["level"]} if same else levels),
                added=_measures(rules, added, 50),
                dropped=_measures(rules, [before[key] for key in one.revision.dropped if key in before], 40),
                revision=one.revision.number,
            )
        case Kind.INFORMATION:
            if decision.level is decision.level_before:
                return words.fill("continuation", LANG, **told, **number, **until, level=levels["level"])
            return words.fill("information", LANG, **told, **number, **effective, **until, **levels)
        case Kind.WITHDRAWAL:
            return words.fill("withdrawal", LANG, **told, **number, **effective, because=notice.reason)
        case _ if decision.level_before is Level.NONE:
            return words.fill("appeal_end", LANG, **told, **number, **effective, area=notice.area)
        case _:
            return words.fill(
                "lifting", LANG, **told, **number, **effective, area=notice.area, level=levels["level_before"]
            )


def of_whole_order(rules: Rules, one: DrawnUp, decision: Decision, *, now: datetime) -> str:
    """The order as this decision leaves it, to a recipient that was told nothing before: whatever began earlier too."""
    at = one.order.effective_at or one.revision.effective_at
    duties = tuple(
        replace(duty, text=rules.wording.starting(duty.starts_at, duty.text, LANG)) if duty.starts_at < at else duty
        for duty in one.order.duties
    )
    whole = replace(one, order=replace(one.order, duties=duties))
    return of_order(rules, Kind.ORDER, replace(whole, revision=replace(one.revision, added=(), effective_at=at)),
                    decision, now=now)  # fmt: skip


def of_order_that_ends(rules: Rules, one: DrawnUp, given: Decision, *, now: datetime) -> str:
    """The order a release ends later, to a recipient that was told nothing; ``given``: the decision it was under."""
    ends_at = one.revision.effective_at
    duties = tuple(duty for duty in one.order.duties if duty.starts_at < ends_at)
    ending = replace(given, notice=replace(given.notice, expected_end_at=ends_at))
    return of_whole_order(rules, replace(one, order=replace(one.order, duties=duties)), ending, now=now)


def _first(rules: Rules, one: DrawnUp, decision: Decision, *, now: datetime, spelt: Spelt) -> str:
    """The first notice: all but the name and the number is the same for recipients whose duties are."""
    order, notice, words = one.order, decision.notice, rules.wording
    if (shared := spelt.get(id(order.duties))) is None:
        effective_at = one.revision.effective_at
        begun = [_starting(rules, duty, effective_at) for duty in order.duties]
        shared = spelt[id(order.duties)] = {
            "banner": _banner(rules),
            "contact": to_call(notice.contact),
            "number": notice.number,
            "effective_at": words.instant(effective_at, LANG),
            "until": words.until(notice.expected_end_at, LANG),
            "answer_by": words.instant(now + timedelta(minutes=rules.answer_minutes(decision)), LANG),
            "issuer": notice.issuer,
            "area": notice.area,
            "level": words.level(decision.level, LANG),
            "measures": words.several(begun, LANG, room=70),
        }
    return words.fill("order", LANG, **shared, order_number=order.number, recipient=one.recipient.name)


def of_reminder(rules: Rules, order: Order, recipient: Recipient, *, contact: str, now: datetime) -> str:
    """The reminder to those who were told first and have not answered."""
    words = rules.wording
    return words.fill(
        "reminder",
        LANG,
        banner=_banner(rules),
        recipient=recipient.name,
        order_number=order.number,
        level=words.level(order.level, LANG),
        waited=_waited(order, now),
        contact=to_call(contact),
        answer_by=words.instant(now + timedelta(minutes=30), LANG),
    )


_ESCALATIONS = {"second_contact": "escalation_contact", "tracker": "escalation_tracker", "town": "escalation_town"}


_MISSING = {"start": "已启动", "in_place": "已落实"}


def bundled(rules: Rules, names: Sequence[str], *, contact: str) -> str:
    """One text for the reminders that one person would get beyond the plan's number."""
    portal = f"{rules.links.public_url.rstrip('/')}/portal"
    first = "、".join(names[:3])
    return rules.wording.fill(
        "reminders_bundled",
        LANG,
        banner=_banner(rules),
        count=len(names),
        first=first,
        portal=portal,
        contact=to_call(contact),
    )


def _of_progress(
    rules: Rules, rung: Rung, order: Order, recipient: Recipient, *, contact: str, owed_by: datetime
) -> str:
    told = {
        "banner": _banner(rules),
        "recipient": recipient.name,
        "order_number": order.number,
        "missing": _MISSING[rung.deadline],
        "due": rules.wording.instant(owed_by, LANG),
        "contact": to_call(contact),
    }
    if rung.notify in ("recipient", "second_contact"):
        return rules.wording.fill("reminder_progress", LANG, **told)
    first = min(recipient.contacts, key=lambda one: one.order, default=None)
    return rules.wording.fill("escalation_progress", LANG, **told, recipient_contact=_reached(first))


def of_rung(
    rules: Rules, rung: Rung, order: Order, recipient: Recipient, *, contact: str, owed_by: datetime, now: datetime
) -> str:
    """What a step of the ladder tells whom; ``owed_by``: the hour the step is counted from."""
    notify = rung.notify
    if rung.deadline in _MISSING:
        return _of_progress(rules, rung, order, recipient, contact=contact, owed_by=owed_by)
    if notify == "recipient":
        return of_reminder(rules, order, recipient, contact=to_call(contact), now=now)
    words = rules.wording
    first = min(recipient.contacts, key=lambda one: one.order, default=None)
    return words.fill(
        _ESCALATIONS.get(notify, "escalation_district"),
        LANG,
        banner=_banner(rules),
        recipient=recipient.name,
        order_number=order.number,
        level=words.level(order.level, LANG),
        waited=_waited(order, now),
        recipient_contact=_reached(first),
        contact=to_call(contact),
    )


def _rule_now(rules: Rules, found: Overtaken | None) -> dict[str, str]:
    """What the rule says now, where it has moved on since the proposal; else no field at all."""
    if found is None:
        return {}
    name = "part_rule_fallen" if found.how is How.FALLEN else "part_rule_risen"
    return {"rule_now": rules.wording.fill(name, LANG, level=rules.wording.level(found.level, LANG))}


def undecided(rules: Rules, decision: Decision, *, times: int, found: Overtaken | None, now: datetime) -> str:
    """That a suggestion or a proposal still waits, to those who can take the next step and those above them."""
    words, waits_since = rules.wording, decision.proposed_at
    return words.fill(
        "undecided_suggestion" if decision.standing is Standing.SUGGESTED else "undecided_proposal",
        LANG,
        banner=_banner(rules),
        times=times,
        area=decision.notice.area,
        move=words.move(decision.move.value, LANG),
        level=words.level(decision.level, LANG),
        waited=int((now - waits_since).total_seconds() // 60),
        decide_by=words.instant(decision.decide_by, LANG),
        reason=decision.notice.reason,
        **_rule_now(rules, found),
    )


def suggestion(rules: Rules, decision: Decision, *, found: Overtaken | None = None) -> str:
    """The rule's suggestion, to the duty officer."""
    words = rules.wording
    return words.fill(
        "suggestion",
        LANG,
        banner=_banner(rules),
        area=decision.notice.area,
        move=words.move(decision.move.value, LANG),
        level=words.level(decision.level, LANG),
        reason=decision.notice.reason,
        decide_by=words.instant(decision.decide_by, LANG),
        **_rule_now(rules, found),
    )


def proposal_waiting(rules: Rules, decision: Decision, *, proposed_by: str, found: Overtaken | None = None) -> str:
    """The proposal, to those who may sign it."""
    words = rules.wording
    return words.fill(
        "proposal_waiting",
        LANG,
        banner=_banner(rules),
        area=decision.notice.area,
        move=words.move(decision.move.value, LANG),
        level=words.level(decision.level, LANG),
        rule_says="无可用数据" if decision.without_air else words.level(decision.rule_says, LANG),
        reason=decision.notice.reason,
        proposed_by=proposed_by,
        decide_by=words.instant(decision.decide_by, LANG),
        **_rule_now(rules, found),
    )


def deputy_turn(
    rules: Rules, decision: Decision, turn: Turn, *, proposer: Person | None, found: Overtaken | None = None
) -> str:
    """A proposal that waited until a deputy's turn came, to that deputy."""
    words = rules.wording
    return words.fill(
        "deputy_turn",
        LANG,
        banner=_banner(rules),
        area=decision.notice.area,
        move=words.move(decision.move.value, LANG),
        level=words.level(decision.level, LANG),
        waited=turn.after_minutes,
        instead_of=turn.instead_of,
        reason=decision.notice.reason,
        proposed_by=proposer.name if proposer else "",
        decide_by=words.instant(decision.decide_by, LANG),
        **_rule_now(rules, found),
    )


def of_waiting(rules: Rules, decision: Decision, *, proposer: Person | None, found: Overtaken | None = None) -> str:
    """A suggestion or a proposal, by where it stands."""
    if decision.standing is Standing.SUGGESTED or proposer is None:
        return suggestion(rules, decision, found=found)
    return proposal_waiting(rules, decision, proposed_by=proposer.name, found=found)


def public_notice(rules: Rules, notice: Notice, move: Move, *, level_before: Level, actions: Sequence[str]) -> str:
    """The public text of an area that may warn the public."""
    words = rules.wording
    told = {
        "banner": _banner(rules),
        "issuer": notice.issuer,
        "number": notice.number,
        "area": notice.area,
        "reason": notice.reason,
        "contact": to_call(notice.contact),
    }
    at = notice.effective_at
    since = "" if at is None else words.instant(at, LANG, dated=True)
    if move is Move.WITHDRAW:
        return words.fill("public_withdrawal", LANG, **told, level=words.level(level_before, LANG), ended_at=since)
    if move is Move.RELEASE:
        return words.fill("public_release", LANG, **told, level=words.level(level_before, LANG), ended_at=since)
    return words.fill(
        "public_notice",
        LANG,
        **told,
        level=words.level(notice.level, LANG),
        since=since,
        until=words.until(notice.expected_end_at, LANG, dated=True),
        actions=words.several(actions, LANG, room=220),
        health=rules.health_advice(notice.level),
    )


def advisory_public(rules: Rules, notice: Notice, lines: Sequence[str]) -> str:
    """The public text of a health advisory, of an area that may speak to the public."""
    words = rules.wording
    return words.fill(
        "public_advisory",
        LANG,
        banner=_banner(rules),
        issuer=notice.issuer,
        number=notice.number,
        area=notice.area,
        reason=notice.reason,
        since="" if notice.effective_at is None else words.instant(notice.effective_at, LANG, dated=True),
        until=words.until(notice.expected_end_at, LANG, dated=True),
        health=words.several(lines, LANG, room=220),
        contact=to_call(notice.contact),
    )


def upward_report(rules: Rules, decision: Decision, *, orders: int, due_at: datetime) -> str:
    """What the desk reports to the level above, and by when."""
    words, notice = rules.wording, decision.notice
    return words.fill(
        "upward_report",
        LANG,
        banner=_banner(rules),
        due_at=words.instant(due_at, LANG),
        area=notice.area,
        number=notice.number,
        level=words.level(decision.level, LANG),
        issued_at=words.instant(notice.issued_at or decision.proposed_at, LANG),
        effective_at=words.instant(notice.effective_at or decision.proposed_at, LANG),
        until=words.until(notice.expected_end_at, LANG),
        orders=orders,
        acknowledged=0,
        contact=to_call(notice.contact),
    )


def task_overdue(rules: Rules, task: Task) -> str:
    """That a task of the desk is overdue."""
    words = rules.wording
    return words.fill(
        "task_overdue",
        LANG,
        banner=_banner(rules),
        task=words.task(task.kind, LANG),
        what=task.words,
        due_at=words.instant(task.due_at, LANG),
    )


def district_proposal(rules: Rules, *, area: str, words: str, by: str) -> str:
    """A district's proposal, to the desk above it."""
    return rules.wording.fill("district_proposal", LANG, banner=_banner(rules), area=area, reason=words, proposed_by=by)


def alarm(rules: Rules, *, what: str, since: datetime) -> str:
    """An alarm of the system itself, to a duty officer."""
    words = rules.wording
    return words.fill("alarm", LANG, banner=_banner(rules), what=what, since=words.instant(since, LANG))


def consultation(rules: Rules, told: Consultation, *, area: str, called_by: str) -> str:
    """That somebody is asked to a consultation, and where to answer."""
    words, rule = rules.wording, told.assessment.get("level")
    return words.fill(
        "consultation",
        LANG,
        banner=_banner(rules),
        area=area,
        subject=told.subject,
        rule_says=words.level(Level.named(str(rule)), LANG) if rule else "未知",
        called_by=called_by,
        due_at=words.instant(told.due_at, LANG),
        link=f"{rules.links.public_url.rstrip('/')}/console/consultations/{told.id}",
    )


def consultation_overdue(rules: Rules, told: Consultation, *, area: str) -> str:
    """That a consultation should have been concluded by now, and who has said nothing."""
    words = rules.wording
    silent = [f"{one.unit} {one.name}".strip() for one in told.silent]
    return words.fill(
        "consultation_overdue",
        LANG,
        banner=_banner(rules),
        area=area,
        subject=told.subject,
        due_at=words.instant(told.due_at, LANG),
        silent=words.several(silent, LANG, room=60),
    )


CALL_ROOM = 24  # what every notice leaves for its contact


def to_call(contact: str) -> str:
    """Whom to call; a number is never cut, so a long title goes and the number stays."""
    return contact if len(contact) <= CALL_ROOM else contact.rsplit(" ", 1)[-1]


def _banner(rules: Rules) -> str:
    return rules.wording.banner(rules.label, LANG)


def _measures(rules: Rules, duties: Sequence[Duty], room: int) -> str:
    return rules.wording.several([duty.text for duty in duties], LANG, room=room)


def _starting(rules: Rules, duty: Duty, effective_at: datetime) -> str:
    """A duty as its first notice tells of it: one that begins later than the level leads with its own start."""
    return duty.text if duty.starts_at <= effective_at else rules.wording.starting(duty.starts_at, duty.text, LANG)


def _as_changed(rules: Rules, duty: Duty, before: Duty | None, *, effective_at: datetime) -> Duty:
    """
    A duty as a revision tells of it: one that only starts at another time leads with the new start, and one that goes
    on although its end was told already says so.
    """
    if before is None or before.text != duty.text:
        return replace(duty, text=_starting(rules, duty, effective_at))
    if before.starts_at == duty.starts_at:
        return replace(duty, text=rules.wording.going_on(duty.text, LANG))
    return replace(duty, text=rules.wording.moved(duty.starts_at, duty.text, LANG))


def _waited(order: Order, now: datetime) -> int:
    return 0 if order.issued_at is None else max(0, int((now - order.issued_at).total_seconds() // 60))


def _reached(contact: Contact | None) -> str:
    return "无" if contact is None else f"{contact.name} {contact.phone}"
